/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attaching programs to devices: tcx links, pinned, or clsact filters where the kernel (before 6.6)
 * has no tcx.  Both replace a running program atomically.  A port begins with a filter, which is
 * there at once, and has a link in its place later (bpf_settle.c).  What is loose on its device
 * (bpf_device.c) is taken over, and becomes loose when the port goes.
 */
#include "datapath/bpf_device.h"

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

/* bpf_link_info's tcx part (ifindex, attach type) is newer than the headers: it begins where every
 * kind's part does. */
int bpf_link_ifindex(int fd)
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

static enum bpf_attach_type tcx_point(enum bpf_side side)
{
	return (enum bpf_attach_type)(side == BPF_SIDE_EGRESS ? TCX_EGRESS : TCX_INGRESS);
}

/* Does the pinned link serve?  One that is on a device that is gone, or another one now, or beside
 * a loose one, goes. */
static bool reuse_pinned(const char *path, const struct bpf_attachment *at, int prog_fd)
{
	_cleanup_close_ int fd = bpf_obj_get(path);

	if (fd < 0)
		return false;
	if (at->fd < 0 && bpf_link_ifindex(fd) == at->ifindex &&
	    !bpf_link_update(fd, prog_fd, NULL))
		return true;
	bpf_link_detach(fd);
	unlink(path);
	return false;
}

static int pin(struct bpf_attachment *at, const char *path)
{
	int r = bpf_obj_pin(at->fd, path) ? -errno : 0;

	if (!r)
		close_cleanup(&at->fd);
	return r;
}

static enum bpf_tc_attach_point clsact_point(enum bpf_side side)
{
	return side == BPF_SIDE_EGRESS ? BPF_TC_EGRESS : BPF_TC_INGRESS;
}

static int clsact_set(int ifindex, int prog_fd, enum bpf_side side)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = clsact_point(side));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY,
		    .prog_fd = prog_fd, .flags = BPF_TC_F_REPLACE);
	int r = bpf_tc_hook_create(&hook);

	if (r && r != -EEXIST)
		return r;
	return bpf_tc_attach(&hook, &opts);
}

static int clsact_delete(int ifindex, enum bpf_side side)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = clsact_point(side));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);
	int r = bpf_tc_detach(&hook, &opts);

	return r == -ENOENT || r == -ENODEV || r == -EINVAL ? 0 : r; /* gone with its device */
}

int bpf_attachment_set(struct bpf_attachment *at, int prog_fd)
{
	int r = 0;

	if (at->fd < 0 || bpf_link_update(at->fd, prog_fd, NULL)) {
		if (at->fd >= 0)
			bpf_attachment_end(at); /* it was on a device that is gone */
		if (at->wants_link) {
			at->fd = bpf_link_create(prog_fd, at->ifindex, tcx_point(at->side), NULL);
			r = at->fd < 0 ? -errno : 0;
		} else {
			r = clsact_set(at->ifindex, prog_fd, at->side);
		}
	}
	at->current = !r;
	return r;
}

void bpf_attachment_end(struct bpf_attachment *at)
{
	if (at->fd >= 0)
		bpf_link_detach(at->fd);
	if (!at->wants_link)
		(void)clsact_delete(at->ifindex, at->side);
	close_cleanup(&at->fd);
	at->fd = -1;
}

static int attach(struct bpf_host *h, const char *name, struct bpf_attachment *at, int prog_fd)
{
	bool found = bpf_device_take(h->base.preparer, at->ifindex, at->side, at);
	char path[PATH_MAX + 64];
	int r;

	link_path(h, name, path);
	if (h->tcx && reuse_pinned(path, at, prog_fd)) {
		if (found && !at->wants_link)
			(void)clsact_delete(at->ifindex, at->side);
		return 0;
	}
	r = at->current ? 0 : bpf_attachment_set(at, prog_fd);
	if (!r && at->fd >= 0)
		r = pin(at, path);
	else if (!r && h->tcx)
		bpf_settler_add(h->settler, at->ifindex, path, prog_fd);
	if (r && at->fd >= 0)
		bpf_attachment_end(at);
	return r;
}

int bpf_attach_set(struct bpf_host *h, const char *name, int ifindex, int prog_fd)
{
	struct bpf_attachment at = {
		.ifindex = ifindex, .fd = -1, .side = BPF_SIDE_INGRESS, .wants_link = h->tcx};

	return attach(h, name, &at, prog_fd);
}

int bpf_attach_set_port(struct bpf_host *h, const char *name, int ifindex, int prog_fd)
{
	struct bpf_attachment at = {.ifindex = ifindex, .fd = -1, .side = BPF_SIDE_INGRESS};

	return attach(h, name, &at, prog_fd);
}

int bpf_attach_set_egress(struct bpf_host *h, const char *name, int ifindex, int prog_fd)
{
	struct bpf_attachment at = {
		.ifindex = ifindex, .fd = -1, .side = BPF_SIDE_EGRESS, .wants_link = h->tcx};

	return attach(h, name, &at, prog_fd);
}

static void loosen(struct bpf_host *h, const char *name, struct bpf_attachment *at)
{
	char path[PATH_MAX + 64];

	if (h->tcx) {
		link_path(h, name, path);
		at->fd = bpf_obj_get(path);
		unlink(path);
		if (at->fd < 0 && at->wants_link)
			return;
	}
	bpf_device_put(h->base.preparer, at);
}

void bpf_attach_loosen_port(struct bpf_host *h, const char *name, int ifindex)
{
	struct bpf_attachment at = {.ifindex = ifindex, .fd = -1, .side = BPF_SIDE_INGRESS};

	bpf_settler_drop(h->settler, ifindex);
	loosen(h, name, &at);
}

void bpf_attach_loosen_egress(struct bpf_host *h, const char *name, int ifindex)
{
	struct bpf_attachment at = {
		.ifindex = ifindex, .fd = -1, .side = BPF_SIDE_EGRESS, .wants_link = h->tcx};

	loosen(h, name, &at);
}

int bpf_attach_probe(int ifindex, int prog_fd, bool *ret_tcx)
{
	_cleanup_close_ int fd =
		bpf_link_create(prog_fd, ifindex, tcx_point(BPF_SIDE_INGRESS), NULL);

	if (fd < 0 && errno != EINVAL && errno != EOPNOTSUPP)
		return -errno;
	*ret_tcx = fd >= 0;
	if (fd >= 0)
		bpf_link_detach(fd);
	return 0;
}

int bpf_attach_clear_port(int ifindex)
{
	return clsact_delete(ifindex, BPF_SIDE_INGRESS);
}

int bpf_attach_clear(int ifindex)
{
	int r = clsact_delete(ifindex, BPF_SIDE_EGRESS);

	return r ? r : clsact_delete(ifindex, BPF_SIDE_INGRESS);
}
