/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The devices of private NAT gateways.  What leaves by one is translated by program 'delivered' and
 * comes in by it again (bpf/lib/private.h), so it leads nowhere: a bridge without ports.  It is
 * named after the handle, which is one gateway's alone in the whole cluster.
 */
#include <stdio.h>

#include "datapath/bpf_gateway.h"
#include "net/rtnl.h"

static void name_of(uint32_t handle, char ret[static IFNAMSIZ])
{
	snprintf(ret, IFNAMSIZ, "vng-%x", handle);
}

static int find(struct rtnl *rtnl, uint32_t handle, struct rtnl_link *ret)
{
	char name[IFNAMSIZ];

	name_of(handle, name);
	return rtnl_link_find(rtnl, name, ret);
}

int bpf_gateway_device_make(uint32_t handle)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *rtnl = NULL;
	struct rtnl_link link;
	char name[IFNAMSIZ];
	int r = rtnl_open(&rtnl);

	if (r)
		return r;
	name_of(handle, name);
	r = rtnl_bridge_create(rtnl, name);
	if (r && r != -EEXIST)
		return r;
	r = find(rtnl, handle, &link);
	return r || link.up ? r : rtnl_link_set_up(rtnl, link.ifindex, true);
}

int bpf_gateway_device_find(uint32_t handle, int *ret_ifindex)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *rtnl = NULL;
	struct rtnl_link link;
	int r = rtnl_open(&rtnl);

	if (!r)
		r = find(rtnl, handle, &link);
	if (!r)
		*ret_ifindex = link.ifindex;
	return r;
}

int bpf_gateway_device_delete(uint32_t handle)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *rtnl = NULL;
	struct rtnl_link link;
	int r = rtnl_open(&rtnl);

	if (!r)
		r = find(rtnl, handle, &link);
	if (!r)
		r = rtnl_link_delete(rtnl, link.ifindex);
	return rtnl_is_gone(r) ? 0 : r;
}
