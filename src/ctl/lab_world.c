/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/lab_world.h"

#include "ctl/complain.h"
#include "ctl/lab_net.h"
#include "net/rtnl.h"

/* Both families: what lies outside does not depend on the substrate. */
static int add_addresses(struct rtnl *r, int ifindex, struct ipaddr v4, struct ipaddr v6)
{
	int e = rtnl_link_set_up(r, ifindex, true);

	if (!e)
		e = rtnl_addr_add(
			r, &(struct rtnl_addr){.ifindex = ifindex, .addr = v4, .len = 96 + 24});
	if (!e)
		e = rtnl_addr_add(r,
				  &(struct rtnl_addr){.ifindex = ifindex, .addr = v6, .len = 64});
	return e;
}

static int make_segment(struct rtnl *world, int *ret_ifindex)
{
	struct rtnl_route pool = {0};
	struct rtnl_link link;
	int e = rtnl_bridge_create(world, LAB_SEGMENT);

	if (!e)
		e = rtnl_link_find(world, LAB_SEGMENT, &link);
	if (!e)
		e = add_addresses(world, link.ifindex, lab_world_address(true),
				  lab_world_address(false));
	if (!e)
		e = prefix_parse(LAB_POOL, &pool.dst);
	pool.oif = link.ifindex;
	if (!e)
		e = rtnl_route_add(world, &pool);
	if (!e)
		*ret_ifindex = link.ifindex;
	return e;
}

/* All that is not the substrate is outside. */
static int add_default_routes(struct rtnl *edge, int ifindex)
{
	struct rtnl_route v4 = {
		.dst = prefix_v4(0, 0), .gateway = lab_world_address(true), .oif = ifindex};
	struct rtnl_route v6 = {.gateway = lab_world_address(false), .oif = ifindex};
	int e = rtnl_route_add(edge, &v4);

	return e ? e : rtnl_route_add(edge, &v6);
}

static int link_edge(const struct lab *l, uint32_t node, struct rtnl *world, int world_fd,
		     int segment)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *edge = NULL;
	_cleanup_close_ int fd = -1;
	char name[LAB_NODE_NAME_SIZE];
	struct rtnl_veth_end near = {.name = lab_node_name(l, node, name), .netns_fd = world_fd};
	struct rtnl_veth_end far = {.name = LAB_UPLINK};
	struct rtnl_link link;
	int e = lab_net_open(l, name, &fd);

	if (e)
		return e;
	far.netns_fd = fd;
	e = rtnl_open_at(fd, &edge);
	if (!e)
		e = rtnl_veth_create(world, &near, &far);
	if (!e)
		e = rtnl_link_find(world, name, &link);
	if (!e)
		e = rtnl_link_set_master(world, link.ifindex, segment);
	if (!e)
		e = rtnl_link_set_up(world, link.ifindex, true);
	if (!e)
		e = rtnl_link_find(edge, LAB_UPLINK, &link);
	if (!e)
		e = add_addresses(edge, link.ifindex, lab_uplink_address(l, node, true),
				  lab_uplink_address(l, node, false));
	if (!e)
		e = add_default_routes(edge, link.ifindex);
	return e ? complain_errno(e, "linking %s to the world", name) : 0;
}

/* What is outside sends the networks' IPv6 to their edge: to the only one by its address; of
 * several, each of which has some networks, to the one that answers for a destination. */
static int route_to_edge(const struct lab *l, struct rtnl *world, int segment)
{
	const uint32_t edge = l->n_hosts + 1;
	struct rtnl_route blocks = {.oif = segment};
	int e = prefix_parse(LAB_POOL6, &blocks.dst);

	if (lab_last_node(l) == edge)
		blocks.gateway = lab_uplink_address(l, edge, false);
	if (!e && lab_last_node(l) >= edge)
		e = rtnl_route_add(world, &blocks);
	return e ? complain_errno(e, "leading IPv6 from the world to the edges") : 0;
}

int lab_world_create(const struct lab *l)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *world = NULL;
	_cleanup_close_ int world_fd = -1;
	int segment = 0, e = lab_net_make(l, "world", &world_fd);

	if (e)
		return e;
	e = rtnl_open_at(world_fd, &world);
	if (!e)
		e = make_segment(world, &segment);
	if (e)
		return complain_errno(e, "making the world outside");
	for (uint32_t node = l->n_hosts + 1; !e && node <= lab_last_node(l); node++)
		e = link_edge(l, node, world, world_fd, segment);
	return e ? e : route_to_edge(l, world, segment);
}
