/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room in front of the packets of nodes.
 *
 * A re-headed packet is 20 bytes longer than what the node sent.  Where a packet has no room for
 * that, the kernel makes a copy of its head, which takes half of the program's time.  How much room
 * a node's kernel leaves is said by the far end of its veth, and that asks nobody but the bridge it
 * is in, which asks its other ports.  So there is a bridge, and a vxlan device in it that wants
 * room for a tunnel; neither is ever up, so the bridge carries nothing: what a program should let
 * pass ends there.
 *
 * Only time is lost without it: where a device cannot be had, or a port is in somebody's bridge
 * already, nothing is done.
 */

#include "base/log.h"
#include "datapath/bpf_host.h"
#include "net/rtnl.h"

enum { UNUSED_PORT = 9 }; /* discard: of a device that is never up */

static int find_or_make(struct rtnl *rtnl, const char *name, bool bridge, struct rtnl_link *ret)
{
	int r = bridge ? rtnl_bridge_create(rtnl, name)
		       : rtnl_vxlan_create(rtnl, name, UNUSED_PORT, NULL);

	return r && r != -EEXIST ? r : rtnl_link_find(rtnl, name, ret);
}

void bpf_headroom_open(struct bpf_host *h, const char *bridge, const char *wide)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *rtnl = NULL;
	struct rtnl_link link, port;
	int r = rtnl_open(&rtnl);

	if (!r)
		r = find_or_make(rtnl, bridge, true, &link);
	if (!r)
		r = find_or_make(rtnl, wide, false, &port);
	if (!r && port.master_ifindex != link.ifindex)
		r = rtnl_link_set_master(rtnl, port.ifindex, link.ifindex);
	if (r)
		log_debug("no room in front of packets", LOG_STR("device", bridge), LOG_ERRNO(r));
	else
		h->headroom_ifindex = link.ifindex;
}

/* Makes 'to' its bridge if that was 'from'; 0: none. */
static void change(int ifindex, int from, int to)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *rtnl = NULL;
	struct rtnl_link link;
	int r = rtnl_open(&rtnl);

	if (!r)
		r = rtnl_link_get(rtnl, ifindex, &link);
	if (!r && link.master_ifindex == from)
		r = rtnl_link_set_master(rtnl, ifindex, to);
	if (r && !rtnl_is_gone(r))
		log_debug("room in front of packets not changed",
			  LOG_U64("ifindex", (uint64_t)ifindex), LOG_ERRNO(r));
}

void bpf_headroom_give(int bridge, int ifindex)
{
	if (bridge)
		change(ifindex, 0, bridge);
}

void bpf_headroom_take(int bridge, int ifindex)
{
	if (bridge)
		change(ifindex, bridge, 0);
}
