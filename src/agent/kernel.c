/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/kernel.h"

#include "base/log.h"

static int kernel_route(void *arg, const struct ipaddr *target, struct nexthop_way *ret)
{
	struct kernel *k = arg;
	struct rtnl_route route;
	int e = rtnl_route_get(k->rtnl, target, &route);

	if (e)
		return e;
	if (!route.oif)
		return -ENETUNREACH;
	*ret = (struct nexthop_way){.ifindex = route.oif,
				    .gateway = ipaddr_is_zero(&route.gateway) ? *target
									      : route.gateway};
	return 0;
}

static int kernel_link(void *arg, int ifindex, struct nexthop_link *ret)
{
	struct kernel *k = arg;
	struct rtnl_link link;
	int e = rtnl_link_get(k->rtnl, ifindex, &link);

	if (e)
		return e;
	*ret = (struct nexthop_link){
		.mac = link.mac, .mtu = link.mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)link.mtu};
	return 0;
}

static int kernel_neighbour(void *arg, const struct nexthop_way *way, struct mac *ret_mac)
{
	struct kernel *k = arg;
	struct rtnl_neigh neigh;
	int e = rtnl_neigh_get(k->rtnl, way->ifindex, &way->gateway, &neigh);

	if (e)
		return e;
	if (!neigh.resolved)
		return -ENOENT;
	*ret_mac = neigh.mac;
	return 0;
}

static int kernel_probe(void *arg, const struct nexthop_way *way)
{
	struct kernel *k = arg;

	return rtnl_neigh_probe(k->rtnl, way->ifindex, &way->gateway);
}

const struct nexthop_kernel *kernel_ops(void)
{
	static const struct nexthop_kernel ops = {
		.route = kernel_route,
		.link = kernel_link,
		.neighbour = kernel_neighbour,
		.probe = kernel_probe,
	};

	return &ops;
}

static void kernel_on_event(const struct rtnl_event *e, void *data)
{
	struct kernel *k = data;

	if (k->nexthops)
		nexthops_changed(k->nexthops);
}

static void kernel_on_ready(struct watch *w, unsigned int ready, void *data)
{
	struct kernel *k = data;
	int e = rtnl_monitor_read(k->monitor);

	if (e && e != -EAGAIN)
		log_warn("changes of the network cannot be read", LOG_ERRNO(e));
}

int kernel_init(struct kernel *k, struct loop *loop)
{
	int e;

	*k = (struct kernel){0};
	e = rtnl_open(&k->rtnl);
	if (!e)
		e = rtnl_monitor_open(kernel_on_event, k, &k->monitor);
	if (!e)
		e = watch_init(&k->watch, loop, rtnl_monitor_fd(k->monitor), WATCH_READ,
			       kernel_on_ready, k);
	if (e)
		kernel_deinit(k);
	return e;
}

void kernel_deinit(struct kernel *k)
{
	watch_deinit(&k->watch);
	k->monitor = rtnl_monitor_close(k->monitor);
	k->rtnl = rtnl_close(k->rtnl);
}
