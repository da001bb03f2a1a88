/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The full path of an IPv4 packet from a node: source check, subnet, router, mapping.  Its result
 * is a flow, which is carried out and, when nothing about it is provisional, cached.
 */
#pragma once

#include "bpf/lib/flow.h"
#include "bpf/lib/forward.h"
#include "bpf/lib/policy.h"
#include "bpf/lib/router.h"
#include "bpf/lib/spread.h"
#include "bpf/lib/variant.h"
#include "bpf/lib/watch.h"
#include "bpf/lib/way.h"

/* The header makes sense and says of itself that it is intact. */
static __always_inline int route_check_header(const struct __sk_buff *skb, const struct iphdr *ip)
{
	__u32 header = (__u32)ip->ihl * 4, size = ntohs(ip->tot_len);

	if (ip->version != 4 || header < sizeof(*ip) || size < header ||
	    skb->len < ETH_HLEN + size || !ip->ttl)
		return -DROP_MALFORMED;
	if (header > sizeof(*ip) && (void *)ip + 60 > packet_end(skb) && size >= 60)
		return -DROP_MALFORMED;
	if (header == sizeof(*ip) && !ipv4_sum_is_right(ip))
		return -DROP_MALFORMED;
	return 0;
}

/* The same for a header with options, whose size is no constant. */
static __noinline int route_check_options(struct __sk_buff *skb, __u32 header)
{
	__u8 buffer[60];
	__s64 sum;

	header &= 0x3c;
	if (header < 24 || bpf_skb_load_bytes(skb, ETH_HLEN, buffer, header))
		return -DROP_MALFORMED;
	sum = bpf_csum_diff(NULL, 0, (__be32 *)buffer, header, 0);
	return sum < 0 || fold((__u64)sum) != 0xffff ? -DROP_MALFORMED : 0;
}

/* A packet to nobody in particular: DHCP is served, the rest is not carried. */
static __always_inline int route_broadcast(struct __sk_buff *skb, struct packet *p,
					   const struct iphdr *ip, bool multicast)
{
	if (!multicast && router_udp_port(skb, ip) == PORT_DHCP_SERVER)
		return upcall(p, DP_NOTE_DHCP, p->port_id, 0);
	return multicast ? -DROP_MULTICAST : -DROP_BROADCAST;
}

/* Which of the MACs that this node may send to is it?  0 with 'p->routed', or a reason.  Where
 * unknown ones are resolved, it counts as that of the neighbour or router that has 'daddr'. */
static __always_inline int route_check_mac(const struct __sk_buff *skb, struct packet *p,
					   const struct dp_port_copy *port, __be32 daddr,
					   const struct dp_subnet_value *mine,
					   const struct dp_subnet_value *its)
{
	__u8 dummy[6];
	const __u8 *eth = packet_data(skb);
	bool near = its && equal_16(mine->router, its->router);

	if (eth + ETH_HLEN > (const __u8 *)packet_end(skb))
		return -DROP_MALFORMED;
	if (equal_6(eth, mine->router_mac)) {
		p->routed = true;
		return 0;
	}
	substrate_dummy_mac_v4(dummy, p->vni, daddr);
	if (near && equal_6(eth, dummy))
		return 0;
	if (!(port->flags & DP_PORT_RESOLVES))
		return -DROP_DEST_MAC;
	p->routed = !near;
	return 0;
}

/* The substrate addresses of a pair of hosts, in the newer layout that both have unless the format
 * names one. */
static __always_inline bool route_addresses(const struct dp_peer_copy *peer, __u8 format,
					    __u32 from_vni, __u32 to_vni, __be32 saddr,
					    __be32 daddr, struct dp_flow_out *flow)
{
	bool both_2 = config.has_siit2 && (peer->flags & DP_PEER_HAS_SIIT_2);
	bool both_1 = config.has_siit1 && (peer->flags & DP_PEER_HAS_SIIT_1);

	if (format != FORMAT_SIIT_1 && both_2) {
		substrate_siit_2(flow->src, config_locator(config.siit2), from_vni, saddr);
		substrate_siit_2(flow->dst, peer->siit2, to_vni, daddr);
		return true;
	}
	if (format == FORMAT_SIIT_2 || !both_1)
		return false;
	substrate_siit_1(flow->src, config_locator(config.siit1), 0, from_vni, saddr);
	substrate_siit_1(flow->dst, peer->siit1, 0, to_vni, daddr);
	return true;
}

/* Fills in how to reach a peer: 0 or a reason. */
static __always_inline int route_to_peer(const struct dp_peer_copy *peer, __u32 from_vni,
					 __u32 to_vni, __be32 saddr, __be32 daddr,
					 struct dp_flow_out *flow)
{
	__be32 v4[2] = {saddr, daddr};

	flow->nexthop = peer->nexthop;
	flow->format = peer->send;
	flow->path_mtu = peer->path_mtu;
	flow->vni = to_vni;
	if (!(config.formats & FORMAT_BIT(peer->send)) || peer->send == FORMAT_NONE)
		return -DROP_NO_FORMAT;
	/* What has no labels goes by what accompanies them. */
	if (peer->send == FORMAT_REIP4_1) {
		if (peer->present & DP_PEER_ALONE)
			return -DROP_NO_FORMAT;
		flow->format = FORMAT_VXLAN_1;
	}
	flow->from_vni = from_vni;
	if (FORMAT_BIT(flow->format) & FORMATS_GENEVE)
		return 0;
	/* VXLAN says one VNI; a handle implies the sender's, unless that is one, too. */
	if (flow->format == FORMAT_VXLAN_1)
		return from_vni == to_vni || (to_vni >= SUBSTRATE_VNI_HANDLE_MIN &&
					      from_vni < SUBSTRATE_VNI_HANDLE_MIN)
			       ? 0
			       : -DROP_NO_FORMAT;
	if (!route_addresses(peer, peer->send, from_vni, to_vni, saddr, daddr, flow))
		return -DROP_NO_FORMAT;
	if (peer->send == FORMAT_SIIT_1)
		flow->checksum_diff =
			(__u32)bpf_csum_diff(v4, sizeof(v4), (__be32 *)flow->src, 32, 0);
	return 0;
}

/* The MACs of a frame that reaches a node of this host: from the neighbour itself inside a subnet,
 * from the router otherwise. */
static __always_inline void route_frame(__u8 ret[12], const __u8 to[6], __u32 vni, __be32 saddr,
					const struct dp_subnet_value *from,
					const struct dp_subnet_value *into)
{
	memcpy(ret, to, 6);
	if (into && (!from || !equal_16(from->router, into->router)))
		memcpy(ret + 6, into->router_mac, 6);
	else
		substrate_dummy_mac_v4(ret + 6, vni, saddr);
}

/* To a port of this host: 0 with the flow, or a reason. */
static __always_inline int route_to_port(struct packet *p, __u32 slot, __be32 saddr,
					 const struct dp_subnet_value *mine,
					 const struct dp_subnet_value *its,
					 struct dp_flow_out *flow)
{
	const struct dp_port_copy *to = port_get(slot);

	if (!to)
		return -DROP_NOT_LOCAL;
	if (to->flags & DP_PORT_DISABLED)
		return -DROP_DISABLED;
	p->identity = to->identity;
	flow->to_slot = (__u16)slot;
	flow->to_ifindex = to->ifindex;
	flow->to_flags = (__u8)to->flags;
	route_frame(flow->to, to->mac, p->vni, saddr, mine, its);
	return 0;
}

/* The destination's place: a port here, or a peer; or it is on several hosts, 'p->spread', and has
 * yet to be chosen.  Fills 'flow'; 0, an upcall or a reason; '*ret_cache' says whether the decision
 * may be kept. */
static __always_inline int route_locate(struct __sk_buff *skb, struct packet *p, __be32 saddr,
					__be32 daddr, const struct dp_subnet_value *mine,
					const struct dp_subnet_value *its, struct dp_flow_out *flow,
					bool *ret_cache)
{
	const struct dp_local_value *local = local_get(p->to_vni, p->dst);
	__u8 flags = p->routed ? DP_NOTE_ROUTED : 0;
	const struct dp_mapping_value *m;
	const struct dp_peer_copy *peer;

	*ret_cache = true;
	if (local && !(local->flags & DP_LOCAL_SHARED))
		return route_to_port(p, local->slot, saddr, mine, its, flow);
	if (p->to_vni != p->vni)
		flags |= DP_NOTE_OTHER;
	m = mapping_v4_get(p->to_vni, daddr);
	if (!m)
		return upcall(p, DP_NOTE_RESOLVE, p->port_id, flags);
	p->revision = m->revision;
	p->identity = m->identity;
	*ret_cache = false;
	/* Whatever is not known of the other hosts, this one has it. */
	if (local && (m->state == DP_STATE_REFUSED || m->state == DP_STATE_GONE || !m->peer))
		return route_to_port(p, local->slot, saddr, mine, its, flow);
	if (m->state == DP_STATE_REFUSED)
		return -DROP_REFUSED;
	if (m->state == DP_STATE_GONE)
		return -DROP_GONE;
	if (m->state == DP_STATE_HELD && !p->injected)
		return upcall(p, DP_NOTE_RESOLVE, p->port_id, flags);
	*ret_cache = m->state == DP_STATE_LIVE;
	if (m->peer == DP_PEER_SPREAD) {
		p->spread = true;
		*ret_cache = false;
		return 0;
	}
	if (!m->peer)
		return -DROP_GONE; /* mapped to this host, where no port has it */
	peer = variant_towards(p, m->peer, p->to_vni, &flow->peer);
	if (!peer)
		return -DROP_NO_PEER;
	if (peer->send == FORMAT_REIP4_1 &&
	    reip4_route(peer, p->from_vni, p->to_vni, saddr, daddr, m->label, flow))
		return 0;
	return route_to_peer(peer, p->from_vni, p->to_vni, saddr, daddr, flow);
}

/* As above for a way to a handle: a port of this host, whatever the address, or a peer. */
static __always_inline int route_to_handle(struct packet *p, __be32 saddr, __be32 daddr,
					   struct dp_flow_out *flow, bool *ret_cache)
{
	const struct dp_handle_value *h;
	const struct dp_peer_copy *peer;
	const struct dp_port_copy *to;

	*ret_cache = true;
	if (p->to_peer) {
		peer = variant_towards(p, p->to_peer, p->to_vni, &flow->peer);
		if (!peer)
			return -DROP_NO_PEER;
		return route_to_peer(peer, p->from_vni, p->to_vni, saddr, daddr, flow);
	}
	h = handle_get(p->to_vni);
	if (!h || h->vni != p->vni)
		return -DROP_HANDLE;
	if (h->kind != DP_HANDLE_PORT)
		return config.uplink_ifindex ? VERDICT_EDGE : -DROP_HANDLE;
	to = port_get(h->row);
	if (!to)
		return -DROP_HANDLE;
	if (to->flags & DP_PORT_DISABLED)
		return -DROP_DISABLED;
	flow->to_slot = (__u16)h->row;
	flow->to_ifindex = to->ifindex;
	flow->to_flags = (__u8)to->flags;
	route_frame(flow->to, to->mac, p->vni, saddr, NULL, NULL);
	return 0;
}

/* Where the source of what a node forwards leaves the network: 0 with 'p->to_peer', an upcall or a
 * reason. */
static __noinline int route_by_exit(struct packet *p, __be32 saddr)
{
	const struct dp_mapping_value *m;
	__u8 flags = DP_NOTE_EXIT;
	__u8 exit[16];

	if (!p)
		return -DROP_MALFORMED;
	dp_exit_address(exit, saddr);
	p->flow.out.stamp.bucket = (__u16)dp_bucket_v6(p->vni, exit);
	p->flow.out.stamp.mapping_generation = generation_get(p->flow.out.stamp.bucket);
	m = mapping_v6_get(p->vni, exit);
	if (p->routed)
		flags |= DP_NOTE_ROUTED;
	if (!m || (m->state == DP_STATE_HELD && !p->injected))
		return upcall(p, DP_NOTE_RESOLVE, p->port_id, flags);
	p->revision = m->revision;
	if (m->state == DP_STATE_REFUSED || m->state == DP_STATE_GONE)
		return -DROP_NO_PUBLIC;
	p->to_peer = m->peer;
	return 0;
}

/* Is the source the port's own, or may the port forward others', or translate them?  0 with the
 * networks of the packet so far, or a reason. */
static __always_inline int route_check_source(struct packet *p, const struct dp_port_copy *port)
{
	p->to_vni = p->vni;
	p->from_vni = p->vni;
	if (local_slot(p->vni, p->src) == p->slot)
		return 0;
	/* of an edge, from whom it is taken (ingress_is_outside()) */
	if (!(port->flags & DP_PORT_TRANSLATES)) {
		if (!(port->flags & DP_PORT_FORWARDS) || !port->handle)
			return -DROP_SOURCE_ADDR;
		p->from_vni = port->handle;
	}
	p->strange = true;
	memcpy(p->home, port->home, 16);
	return 0;
}

/* Whoever it is from and to: 0 with the two subnets and, in 'p', the router that speaks for
 * them. */
static __always_inline int route_subnets(struct packet *p, const struct dp_subnet_value **ret_mine,
					 const struct dp_subnet_value **ret_its)
{
	const struct dp_subnet_value *mine = subnet_get(p->vni, p->strange ? p->home : p->src);

	if (!mine)
		return -DROP_SOURCE_ADDR;
	*ret_mine = mine;
	*ret_its = subnet_get(p->vni, p->dst);
	memcpy(&p->router, mine->router + 12, 4);
	memcpy(p->router_mac, mine->router_mac, 6);
	p->from_node = true;
	return 0;
}

/* The ACL at the subnet of a port of this host that gets the packet. */
static __always_inline __u32 route_acl_at(const struct packet *p, const struct dp_flow_out *flow,
					  const struct dp_subnet_value *mine,
					  const struct dp_subnet_value *its)
{
	const struct dp_port_copy *to;

	if (!flow->to_slot)
		return 0;
	if (p->to_handle) {
		to = port_get(flow->to_slot);
		its = to ? subnet_get(p->vni, to->home) : NULL;
	}
	return policy_acl(its, p->strange ? NULL : mine);
}

/* Decides where a unicast packet goes: VERDICT_ROUTED, or what becomes of it. */
static __always_inline int route_unicast(struct __sk_buff *skb, struct packet *p,
					 const struct dp_port_copy *port, struct dp_flow_out *flow)
{
	const struct dp_subnet_value *mine, *its;
	struct iphdr *ip = ipv4_get(skb);
	__be32 saddr, daddr;
	int r;

	if (!ip)
		return -DROP_MALFORMED;
	saddr = ip->saddr;
	daddr = ip->daddr;
	r = route_check_source(p, port);
	if (r)
		return r;
	r = route_subnets(p, &mine, &its);
	if (!r && !p->injected)
		r = route_check_mac(skb, p, port, daddr, mine, its);
	if (r)
		return r;
	/* The resolver is in no subnet unless one has the network's first addresses. */
	if (equal_16(mine->resolver, p->dst) || (its && equal_16(its->resolver, p->dst)))
		return router_receive(skb, p, ip, true);
	if (its && equal_16(its->router, p->dst))
		return router_receive(skb, p, ip, false);
	r = way_choose(p, mine->table, &its);
	if (r)
		return r;
	if (p->routed && ip->ttl <= 1)
		return -DROP_TTL;
	p->acl = policy_acl(mine, its);
	flow->ttl_step = p->routed;
	flow->stamp.bucket = (__u16)dp_bucket_v4(p->to_vni, daddr);
	flow->stamp.mapping_generation = generation_get(flow->stamp.bucket);
	if (!its && !p->to_handle)
		its = subnet_get(p->to_vni, p->dst);
	if (p->by_exit)
		r = route_by_exit(p, saddr);
	if (!r && p->to_handle)
		r = route_to_handle(p, saddr, daddr, flow, &p->keep);
	else if (!r)
		r = route_locate(skb, p, saddr, daddr, mine, its, flow, &p->keep);
	p->to_acl = route_acl_at(p, flow, mine, its);
	return r ? r : VERDICT_ROUTED;
}

/* Chooses among the hosts of the destination: as route_unicast(). */
static __noinline int route_spread(struct __sk_buff *skb, struct packet *p)
{
	const struct dp_subnet_value *mine, *its;
	struct dp_flow_out *flow = &p->flow.out;
	__u32 slot = local_slot(p->to_vni, p->dst);
	const struct dp_peer_copy *peer;
	__be32 saddr, daddr;
	int r = tuple_read_v4(skb, p, ETH_HLEN);

	if (!r)
		r = spread_out(skb, p, slot);
	if (r < 0)
		return r;
	memcpy(&saddr, p->src + 12, 4);
	memcpy(&daddr, p->dst + 12, 4);
	if (r) {
		peer = variant_towards(p, (__u32)r, p->to_vni, &flow->peer);
		if (!peer)
			return -DROP_NO_PEER;
		r = route_to_peer(peer, p->from_vni, p->to_vni, saddr, daddr, flow);
		return r ? r : VERDICT_ROUTED;
	}
	mine = subnet_get(p->vni, p->strange ? p->home : p->src);
	its = subnet_get(p->to_vni, p->dst);
	r = route_to_port(p, slot, saddr, mine, its, flow);
	if (r)
		return r;
	p->to_acl = route_acl_at(p, flow, mine, its);
	return VERDICT_ROUTED;
}

/* Carries out and keeps what is decided and allowed. */
static __noinline int route_carry(struct __sk_buff *skb, struct packet *p)
{
	struct dp_flow_out *flow = &p->flow.out;
	const struct dp_peer_copy *peer;
	struct iphdr *ip = ipv4_get(skb);
	__u32 header;

	if (!ip)
		return -DROP_MALFORMED;
	policy_keep_out(p, flow);
	if (p->keep && !p->injected && !p->untagged) {
		const __u8 *eth = ethernet_of(ip);

		memcpy(flow->from, eth, 12);
		flow->key.ifindex = skb->ifindex;
		flow->key.saddr = ip->saddr;
		flow->key.daddr = ip->daddr;
		flow_out_keep(flow);
	}
	if (flow->format == FORMAT_NONE)
		return forward_local(skb, ip, flow);
	peer = peer_get(flow->peer);
	if (!peer)
		return -DROP_NO_PEER;
	header = (__u32)ip->ihl * 4;
	p->sent_format = forward_format(skb, ip, flow);
	return forward_remote(skb, ip, flow, peer, header, &p->mtu);
}

/* Looks at an IPv4 packet and decides: as route_unicast(). */
static __noinline int route_decide(struct __sk_buff *skb, struct packet *p)
{
	const struct dp_port_copy *port = port_get(p->slot);
	struct dp_flow_out *flow = &p->flow.out;
	struct iphdr *ip;
	__be32 destination;
	int r;

	packet_pull(skb, ETH_HLEN + 60 + sizeof(struct tcphdr));
	ip = ipv4_get(skb);
	if (!port || !ip)
		return -DROP_MALFORMED;
	r = route_check_header(skb, ip);
	if (!r && ip->ihl > 5)
		r = route_check_options(skb, (__u32)ip->ihl * 4);
	if (r)
		return r;
	ip = ipv4_get(skb);
	if (!ip)
		return -DROP_MALFORMED;
	map_v4(p->src, ip->saddr);
	map_v4(p->dst, ip->daddr);
	r = packet_trim(skb, ntohs(ip->tot_len));
	if (r)
		return r;
	ip = ipv4_get(skb);
	if (!ip)
		return -DROP_MALFORMED;
	flow->stamp.slot = (__u16)p->slot;
	flow->stamp.epoch = host_epoch();
	destination = ntohl(ip->daddr);
	if (destination == 0xffffffff || (destination & 0xf0000000) == 0xe0000000 ||
	    (!p->injected && (*(const __u8 *)ethernet_of(ip) & 1)))
		return route_broadcast(skb, p, ip, (destination & 0xf0000000) == 0xe0000000);
	return route_unicast(skb, p, port, flow);
}

/* An IPv4 packet from a node.  In steps that follow each other, not one inside the other: they
 * share the little stack. */
static __noinline int route_ipv4(struct __sk_buff *skb, struct packet *p)
{
	__u32 slot = p->slot;
	int decided = route_decide(skb, p), r;

	if (decided == VERDICT_ROUTED && p->spread)
		decided = route_spread(skb, p);
	if (decided != VERDICT_ROUTED && decided != VERDICT_EDGE)
		return watch_query(skb, p, decided);
	r = policy_out(skb, p, p->flow.out.to_slot, p->acl, p->to_acl);
	r = watch_out(skb, p, slot, r);
	if (r || decided == VERDICT_EDGE)
		return r ? r : VERDICT_EDGE;
	if (p->flow.out.to_slot)
		spread_to_port(skb, p);
	return route_carry(skb, p);
}
