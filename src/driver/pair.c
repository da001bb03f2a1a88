/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/pair.h"

#include "base/str.h"
#include "driver/netns.h"
#include "driver/node_device.h"
#include "net/sysctl.h"

/* The host's end; '*ret_host' is set even on failure, to be closed by the caller. */
static int pair_find(const char *interface, struct rtnl **ret_host, struct rtnl_link *ret)
{
	char device[DRIVER_NETNS_DEVICE_SIZE];
	int e = rtnl_open(ret_host);

	driver_netns_device(interface, device);
	return e ?: rtnl_link_find(*ret_host, device, ret);
}

int pair_delete(const char *interface)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *host = NULL;
	struct rtnl_link link;
	int e = pair_find(interface, &host, &link);

	if (!e)
		e = rtnl_link_delete(host, link.ifindex);
	return rtnl_is_gone(e) ? 0 : e;
}

int pair_delete_inside(int netns_fd, const char *interface)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *host = NULL, *inside = NULL;
	struct rtnl_link outer, inner;
	int e = rtnl_open_at(netns_fd, &inside);

	if (!e)
		e = pair_find(interface, &host, &outer);
	if (!e)
		e = rtnl_link_get(inside, outer.peer_ifindex, &inner);
	if (!e)
		e = inner.peer_ifindex == outer.ifindex ? rtnl_link_delete(inside, inner.ifindex)
							: -ENODEV;
	return rtnl_is_gone(e) ? -ENODEV : e;
}

/* Settings of the host's end: the host's own stack has no business on it. */
static int pair_quiet(const char *device)
{
	char key[64];
	int e = str_format(key, sizeof(key), "ipv6/conf/%s/disable_ipv6", device);

	if (!e)
		e = sysctl_set(-1, key, "1");
	return e == -ENOENT ? 0 : e; /* a kernel without IPv6 */
}

int pair_make_ready(int netns_fd, const struct driver_interface *interface, const char *device)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *inside = NULL;
	struct rtnl_link link;
	int e = pair_quiet(device);

	if (!e)
		e = node_device_open(netns_fd, interface->device_index, &inside, &link);
	return e ?: rtnl_link_set_up(inside, link.ifindex, true);
}

int pair_create(struct rtnl *host, int netns_fd, const struct driver_interface *interface,
		const char *device)
{
	char name[NODE_DEVICE_SIZE];
	const struct rtnl_veth_end host_end = {
		.name = device, .netns_fd = -1, .mtu = interface->mtu};
	const struct rtnl_veth_end node_end = {
		.name = node_device_name(interface->device_index, name),
		.netns_fd = netns_fd,
		.mac = &interface->mac,
		.mtu = interface->mtu};
	int e = rtnl_veth_create(host, &host_end, &node_end);

	return e ?: pair_make_ready(netns_fd, interface, device);
}

int pair_open(const char *interface)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *host = NULL;
	struct rtnl_link link;
	int e = pair_find(interface, &host, &link);

	return e ?: rtnl_link_set_up(host, link.ifindex, true);
}

int pair_set_mtu(struct rtnl *host, int netns_fd, const struct driver_interface *interface,
		 int ifindex)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *inside = NULL;
	struct rtnl_link link;
	int e = node_device_open(netns_fd, interface->device_index, &inside, &link);

	if (!e)
		e = rtnl_link_set_mtu(inside, link.ifindex, interface->mtu);
	if (!e)
		e = rtnl_link_set_mtu(host, ifindex, interface->mtu);
	return e;
}
