/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/address4.h"

#include "driver/node_device.h"
#include "net/rtnl.h"

enum { TABLE_BASE = 100 }; /* as in udhcpc.script */

bool address4_is_set(uint32_t device_index)
{
	return device_index && device_index <= UINT8_MAX - TABLE_BASE;
}

static int address4_unless_there(int e)
{
	return e == -EEXIST ? 0 : e;
}

int address4_set(int netns_fd, uint32_t device_index, const struct driver_address *a)
{
	const uint8_t table = (uint8_t)(TABLE_BASE + device_index);
	const struct ipaddr zero = ipaddr_from_v4(0);
	_cleanup_(rtnl_close_cleanup) struct rtnl *inside = NULL;
	struct rtnl_addr addr = {.addr = a->addr, .len = a->len, .broadcast = true};
	struct rtnl_route out = {
		.dst = prefix_make(&zero, 96), .gateway = a->router, .table = table};
	struct rtnl_link link;
	int e;

	e = node_device_open(netns_fd, device_index, &inside, &link);
	if (e)
		return e;
	addr.ifindex = out.oif = link.ifindex;
	e = address4_unless_there(rtnl_addr_add(inside, &addr));
	if (!e)
		e = rtnl_route_replace(inside, &out);
	if (!e)
		e = address4_unless_there(rtnl_rule_add(inside, &a->addr, table));
	return e;
}
