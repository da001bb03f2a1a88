/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/kernel.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

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

static struct nexthop_link kernel_link_of(const struct rtnl_link *link)
{
	return (struct nexthop_link){
		.mac = link->mac, .mtu = link->mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)link->mtu};
}

static int kernel_link(void *arg, int ifindex, struct nexthop_link *ret)
{
	struct kernel *k = arg;
	struct rtnl_link link;
	int e = rtnl_link_get(k->rtnl, ifindex, &link);

	if (!e)
		*ret = kernel_link_of(&link);
	return e;
}

static int kernel_find(void *arg, const char *name, int *ret_ifindex, struct nexthop_link *ret)
{
	struct kernel *k = arg;
	struct rtnl_link link;
	int e = rtnl_link_find(k->rtnl, name, &link);

	if (e)
		return e;
	*ret_ifindex = link.ifindex;
	*ret = kernel_link_of(&link);
	return 0;
}

static int kernel_is_addr(const struct rtnl_addr *a, void *data)
{
	return ipaddr_equal(&a->addr, data);
}

static int kernel_find_addr(void *arg, const struct ipaddr *addr)
{
	struct kernel *k = arg;
	int r = rtnl_addr_dump(k->rtnl, kernel_is_addr, (void *)(uintptr_t)addr);

	return r < 0 ? r : r ? 0 : -EADDRNOTAVAIL;
}

static int kernel_path_mtu(void *arg, const struct ipaddr *target, uint16_t *ret)
{
	struct kernel *k = arg;
	struct rtnl_route route;
	int e = rtnl_route_get(k->rtnl, target, &route);

	if (e)
		return e;
	*ret = route.mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)route.mtu;
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

/* RFC 5227 2.3: a request whose sender and target are the address. */
static struct ether_arp kernel_announcement(const struct mac *mac, const struct ipaddr *public)
{
	struct ether_arp arp = {.ea_hdr = {.ar_hrd = htons(ARPHRD_ETHER),
					   .ar_pro = htons(ETH_P_IP),
					   .ar_hln = ETH_ALEN,
					   .ar_pln = sizeof(arp.arp_spa),
					   .ar_op = htons(ARPOP_REQUEST)}};

	memcpy(arp.arp_sha, mac->b, sizeof(arp.arp_sha));
	memcpy(arp.arp_spa, public->b + 12, sizeof(arp.arp_spa));
	memcpy(arp.arp_tpa, public->b + 12, sizeof(arp.arp_tpa));
	return arp;
}

int kernel_announce(void *arg, int ifindex, const struct ipaddr *public)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ARP),
				 .sll_ifindex = ifindex,
				 .sll_halen = ETH_ALEN,
				 .sll_addr = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	_cleanup_close_ int fd = -1;
	struct nexthop_link link;
	struct ether_arp arp;
	int e = kernel_link(arg, ifindex, &link);

	if (e)
		return e;
	if (!ipaddr_is_v4(public))
		return -EAFNOSUPPORT;
	arp = kernel_announcement(&link.mac, public);
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	return sendto(fd, &arp, sizeof(arp), MSG_DONTWAIT, (const struct sockaddr *)&to,
		      sizeof(to)) < 0
		       ? -errno
		       : 0;
}

const struct nexthop_kernel *kernel_ops(void)
{
	static const struct nexthop_kernel ops = {
		.route = kernel_route,
		.link = kernel_link,
		.find = kernel_find,
		.find_addr = kernel_find_addr,
		.path_mtu = kernel_path_mtu,
		.neighbour = kernel_neighbour,
		.probe = kernel_probe,
	};

	return &ops;
}

static void kernel_on_event(const struct rtnl_event *e, void *data)
{
	struct kernel *k = data;

	if (k->changed)
		k->changed(k->changed_arg, e);
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
