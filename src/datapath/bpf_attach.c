/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attaching programs to devices: tcx links, pinned, or clsact filters where the kernel (before 6.6)
 * has no tcx.  Both replace a running program atomically.
 */
#include "datapath/bpf_host.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

enum {
	TCX_INGRESS = 46, /* BPF_TCX_INGRESS: newer than the C library's headers */
	TCX_EGRESS = 47,
	FILTER_HANDLE = 1,
	FILTER_PRIORITY = 1,
};

static void link_path(const struct bpf_host *h, const char *name, char ret[static PATH_MAX + 64])
{
	snprintf(ret, PATH_MAX + 64, "%s/link_%s", h->dir, name);
}

/* The device that a pinned link is on, or 0.  bpf_link_info's tcx part (ifindex, attach type) is
 * newer than the headers: it begins where every kind's part does. */
static int link_ifindex(int fd)
{
	union {
		struct bpf_link_info info;
		uint8_t bytes[256];
	} u = {};
	uint32_t size = sizeof(u), ifindex;

	if (bpf_obj_get_info_by_fd(fd, &u.info, &size))
		return 0;
	memcpy(&ifindex, u.bytes + offsetof(struct bpf_link_info, raw_tracepoint), sizeof(ifindex));
	return (int)ifindex;
}

static int tcx_set(struct bpf_host *h, const char *name, int ifindex, int prog_fd, int side)
{
	_cleanup_close_ int fd = -1, fresh = -1;
	char path[PATH_MAX + 64];

	link_path(h, name, path);
	fd = bpf_obj_get(path);
	if (fd >= 0) {
		if (link_ifindex(fd) == ifindex && !bpf_link_update(fd, prog_fd, NULL))
			return 0;
		/* Of a device that is gone, or another one now. */
		bpf_link_detach(fd);
		unlink(path);
	}
	fresh = bpf_link_create(prog_fd, ifindex, (enum bpf_attach_type)side, NULL);
	if (fresh < 0)
		return -errno;
	return bpf_obj_pin(fresh, path) ? -errno : 0;
}

/* Detached before it is unpinned: the kernel frees an unpinned link some time later, and until then
 * the device would take no other. */
static int tcx_delete(struct bpf_host *h, const char *name)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX + 64];

	link_path(h, name, path);
	fd = bpf_obj_get(path);
	if (fd >= 0)
		bpf_link_detach(fd);
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

static enum bpf_tc_attach_point clsact_point(int side)
{
	return side == TCX_EGRESS ? BPF_TC_EGRESS : BPF_TC_INGRESS;
}

static int clsact_set(int ifindex, int prog_fd, int side)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = clsact_point(side));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY,
		    .prog_fd = prog_fd, .flags = BPF_TC_F_REPLACE);
	int r = bpf_tc_hook_create(&hook);

	if (r && r != -EEXIST)
		return r;
	return bpf_tc_attach(&hook, &opts);
}

static int clsact_delete(int ifindex, int side)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = clsact_point(side));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);
	int r = bpf_tc_detach(&hook, &opts);

	return r == -ENOENT || r == -ENODEV || r == -EINVAL ? 0 : r; /* gone with its device */
}

static int attach(struct bpf_host *h, const char *name, int ifindex, int prog_fd, int side)
{
	return h->tcx ? tcx_set(h, name, ifindex, prog_fd, side)
		      : clsact_set(ifindex, prog_fd, side);
}

int bpf_attach_set(struct bpf_host *h, const char *name, int ifindex, int prog_fd)
{
	return attach(h, name, ifindex, prog_fd, TCX_INGRESS);
}

int bpf_attach_delete(struct bpf_host *h, const char *name, int ifindex)
{
	return h->tcx ? tcx_delete(h, name) : clsact_delete(ifindex, TCX_INGRESS);
}

int bpf_attach_set_egress(struct bpf_host *h, const char *name, int ifindex, int prog_fd)
{
	return attach(h, name, ifindex, prog_fd, TCX_EGRESS);
}

int bpf_attach_delete_egress(struct bpf_host *h, const char *name, int ifindex)
{
	return h->tcx ? tcx_delete(h, name) : clsact_delete(ifindex, TCX_EGRESS);
}

int bpf_attach_probe(int ifindex, int prog_fd, bool *ret_tcx)
{
	_cleanup_close_ int fd =
		bpf_link_create(prog_fd, ifindex, (enum bpf_attach_type)TCX_INGRESS, NULL);

	if (fd < 0 && errno != EINVAL && errno != EOPNOTSUPP)
		return -errno;
	*ret_tcx = fd >= 0;
	if (fd >= 0)
		bpf_link_detach(fd);
	return 0;
}

int bpf_attach_clear(int ifindex)
{
	int r = clsact_delete(ifindex, TCX_EGRESS);

	return r ? r : clsact_delete(ifindex, TCX_INGRESS);
}
