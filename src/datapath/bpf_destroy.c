/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a host's data plane: by what is pinned, whichever build left it.  No program is loaded
 * for it. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "datapath/bpf_gateway.h"
#include "net/rtnl.h"

/* Pinned links, each by itself: an unpinned one goes some time later.  1: there were some. */
static int detach_links(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	int found = 0;

	while (dir && (entry = readdir(dir))) {
		char name[PATH_MAX + 256];
		_cleanup_close_ int fd = -1;

		if (strncmp(entry->d_name, "link_", 5))
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		fd = bpf_obj_get(name);
		if (fd >= 0)
			bpf_link_detach(fd); /* of a device that is gone: it is already */
		found = 1;
	}
	if (!dir)
		return -errno;
	closedir(dir);
	return found;
}

/* The devices of ports are the keys of a pinned table.  'linked': this kernel has links, so ours is
 * only the filter that a port begins with. */
static int clear_ports(const char *dir, bool linked)
{
	char path[PATH_MAX + 64];
	_cleanup_close_ int fd = -1;
	uint32_t ifindex;
	int r = 0;

	snprintf(path, sizeof(path), "%s/port_slots", dir);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	for (const uint32_t *last = NULL; !r && !bpf_map_get_next_key(fd, last, &ifindex);
	     last = &ifindex)
		r = linked ? bpf_attach_clear_port((int)ifindex) : bpf_attach_clear((int)ifindex);
	return r;
}

/* Private NAT gateways have devices, which their handles name. */
static int delete_gateways(const char *dir)
{
	char path[PATH_MAX + 64];
	_cleanup_close_ int fd = -1;
	struct dp_handle_value value;
	uint32_t handle;
	int r = 0;

	snprintf(path, sizeof(path), "%s/handles", dir);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	for (const uint32_t *last = NULL; !r && !bpf_map_get_next_key(fd, last, &handle);
	     last = &handle)
		if (!bpf_map_lookup_elem(fd, &handle, &value) && value.kind == DP_HANDLE_PRIVATE)
			r = bpf_gateway_device_delete(handle);
	return r;
}

/* Where filters are not pinned links, the devices have to be asked one by one. */
static int detach_filters(const struct dp_config *config, const char *dir)
{
	int r = detach_links(dir);
	const bool linked = r > 0;

	if (r < 0)
		return r;
	r = clear_ports(dir, linked);
	if (linked)
		return r;
	if (!r && config->substrate_ifindex)
		r = bpf_attach_clear(config->substrate_ifindex);
	return r || !config->uplink_ifindex ? r : bpf_attach_clear(config->uplink_ifindex);
}

static int delete_device(const char *name)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *rtnl = NULL;
	struct rtnl_link link;
	int r = rtnl_open(&rtnl);

	if (!r)
		r = rtnl_link_find(rtnl, name, &link);
	if (!r)
		r = rtnl_link_delete(rtnl, link.ifindex);
	return rtnl_is_gone(r) ? 0 : r;
}

int datapath_destroy(const struct dp_config *config)
{
	const struct bpf_devices names = bpf_host_devices(config);
	const char *all[] = {names.upcall, names.copy,  names.seal,  names.wide,
			     names.bridge, names.vxlan, names.geneve};
	char dir[PATH_MAX];
	int r, failed = 0;

	if (!bpf_host_name_is_valid(config->name))
		return -EINVAL;
	r = bpf_host_dir(config, dir);
	if (r)
		return r;
	if (!access(dir, F_OK))
		failed = detach_filters(config, dir);
	if (!failed && !access(dir, F_OK))
		failed = delete_gateways(dir);
	r = file_remove_tree(dir);
	failed = failed || r == -ENOENT ? failed : r;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		r = delete_device(all[i]);
		failed = failed ? failed : r;
	}
	return failed;
}
