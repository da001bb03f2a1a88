/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/lab_net.h"

#include "base/str.h"
#include "ctl/complain.h"
#include "ctl/lab_world.h"
#include "net/netns.h"
#include "net/rtnl.h"
#include "net/sysctl.h"

int lab_net_make(const struct lab *l, const char *what, int *ret_fd)
{
	char name[LAB_NETNS_NAME_SIZE];
	int r = lab_netns_name(l, what, name);

	if (!r)
		r = netns_create(LAB_NETNS_DIR, name);
	if (r)
		return complain_errno(r, "making network namespace vd-%s-%s", l->name, what);
	r = lab_net_open(l, what, ret_fd);
	/* Addresses are ours alone: looking for duplicates would cost each link a second. */
	if (!r)
		r = sysctl_set(*ret_fd, "ipv6/conf/default/accept_dad", "0");
	return r ? complain_errno(r, "configuring network namespace %s", name) : 0;
}

int lab_net_open(const struct lab *l, const char *what, int *ret_fd)
{
	char name[LAB_NETNS_NAME_SIZE];
	int r = lab_netns_name(l, what, name);

	if (!r)
		r = netns_open(LAB_NETNS_DIR, name, ret_fd);
	return r ? complain_errno(r, "opening network namespace vd-%s-%s", l->name, what) : 0;
}

static int make_router(const struct lab *l, int *ret_fd)
{
	int r = lab_net_make(l, "router", ret_fd);

	if (r)
		return r;
	r = sysctl_set(*ret_fd, "ipv6/conf/all/forwarding", "1");
	if (!r)
		r = sysctl_set(*ret_fd, "ipv4/ip_forward", "1");
	return r ? complain_errno(r, "making the router forward") : 0;
}

/* Brings one end of a link up with its address; '*ret_ifindex' may be NULL. */
static int set_up_end(struct rtnl *r, const char *device, struct ipaddr address, bool ipv4,
		      int *ret_ifindex)
{
	struct rtnl_link link;
	int e = rtnl_link_find(r, device, &link);

	if (!e)
		e = rtnl_link_set_up(r, link.ifindex, true);
	if (!e)
		e = rtnl_addr_add(r, &(struct rtnl_addr){.ifindex = link.ifindex,
							 .addr = address,
							 .len = ipv4 ? 96 + 24 : 64});
	if (!e)
		*ret_ifindex = link.ifindex;
	return e;
}

/* The substrate is all there is to a host; an edge's other ways lead to the world. */
static int route_substrate(struct rtnl *r, int ifindex, struct ipaddr gateway, const struct lab *l,
			   bool edge)
{
	struct rtnl_route route = {.gateway = gateway, .oif = ifindex};

	if (l->ipv4)
		route.dst = edge ? prefix_v4(172U << 24 | 30U << 16, 15) : prefix_v4(0, 0);
	else if (edge)
		route.dst = (struct prefix){.addr = {{0xfd}}, .len = 8};
	return rtnl_route_add(r, &route);
}

static int link_node(const struct lab *l, uint32_t node, const char *name, int router_fd,
		     struct rtnl *router)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *inside = NULL;
	_cleanup_close_ int fd = -1;
	struct rtnl_veth_end near = {.name = name, .netns_fd = router_fd, .mtu = l->mtu};
	struct rtnl_veth_end far = {.name = LAB_DEVICE, .mtu = l->mtu};
	int ifindex, e;

	e = lab_net_make(l, name, &fd);
	if (e)
		return e;
	far.netns_fd = fd;
	e = rtnl_open_at(fd, &inside);
	if (!e)
		e = rtnl_veth_create(router, &near, &far);
	if (!e)
		e = set_up_end(router, name, lab_gateway_address(l, node), l->ipv4, &ifindex);
	if (!e)
		e = set_up_end(inside, LAB_DEVICE, lab_node_address(l, node), l->ipv4, &ifindex);
	if (!e)
		e = route_substrate(inside, ifindex, lab_gateway_address(l, node), l,
				    lab_is_edge(l, node));
	return e ? complain_errno(e, "linking %s to the router", name) : 0;
}

int lab_net_create(const struct lab *l)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *router = NULL;
	_cleanup_close_ int router_fd = -1;
	char name[LAB_NODE_NAME_SIZE];
	int e = netns_share(LAB_NETNS_DIR);

	if (e)
		return complain_errno(e, "sharing %s", LAB_NETNS_DIR);
	e = make_router(l, &router_fd);
	if (e)
		return e;
	e = rtnl_open_at(router_fd, &router);
	if (e)
		return complain_errno(e, "configuring the router");
	for (uint32_t node = 0; !e && node <= lab_last_node(l); node++)
		e = link_node(l, node, lab_node_name(l, node, name), router_fd, router);
	return e || !l->n_edges ? e : lab_world_create(l);
}

static int route_locator(struct rtnl *router, const struct lab *l, uint32_t node, const char *text)
{
	struct rtnl_route route = {.gateway = lab_node_address(l, node)};
	int e = prefix_parse(text, &route.dst);

	return e ? e : rtnl_route_replace(router, &route);
}

int lab_net_route_locators(const struct lab *l, uint32_t node, const json_t *record)
{
	static const char *const layouts[] = {"siit1", "siit2", "aliases"};
	_cleanup_(rtnl_close_cleanup) struct rtnl *router = NULL;
	_cleanup_close_ int router_fd = -1;
	int e = lab_net_open(l, "router", &router_fd);

	if (e)
		return e;
	e = rtnl_open_at(router_fd, &router);
	if (e)
		return complain_errno(e, "configuring the router");
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		const char *text = json_string_value(json_object_get(record, layouts[i]));

		if (!text || !*text || l->ipv4 != str_equal(layouts[i], "aliases"))
			continue;
		e = route_locator(router, l, node, text);
		if (e)
			return complain_errno(e, "routing the locator %s", text);
	}
	return 0;
}
