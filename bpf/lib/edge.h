/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An edge: between the networks and the world, on plain IPv4 packets (what came by the substrate is
 * restored first: a packet is rewritten, never encapsulated twice).
 *
 *	out  gateway by its handle, translation of the source, out of the uplink as the kernel
 *	     routes
 *	in   gateway by the public address, translation of the destination, to the node's host, or
 *	     first to the interface that the gateway's route table leads to
 *
 * What goes out to a public address of this edge comes in again at once (RFC 4787 REQ-9).  Either
 * way is one hop.  What is refused for its size or age is answered (edge_answer()).
 */
#pragma once

#include "bpf/lib/drop.h"
#include "bpf/lib/edge_flow.h"
#include "bpf/lib/ingress.h"
#include "bpf/lib/nat_fragment.h"
#include "bpf/lib/route.h"
#include "bpf/lib/translate.h"

/* Counts what a gateway refused, beside the host's own counters of reasons. */
static __always_inline int edge_refused(const struct edge *e, int r)
{
	__u32 row = e->gateway.row;
	struct dp_gateway_counters_value *c = bpf_map_lookup_elem(&gateway_counters, &row);

	if (c && r == -DROP_NAT_PORTS)
		c->no_port++;
	if (c && r == -DROP_UNSOLICITED)
		c->unsolicited++;
	return r;
}

static __always_inline int edge_gateway(struct edge *e, __u32 handle)
{
	const struct dp_handle_value *h = handle_get(handle);

	if (!h || h->row >= DP_GATEWAYS_MAX)
		return -DROP_HANDLE;
	e->handle = handle;
	memcpy(&e->gateway, h, sizeof(*h));
	return 0;
}

/* Where what enters for 'p->dst' goes by the gateway's table: 0 with 'p->to_vni', the network's for
 * the node itself or, 'p->to_handle', that of an interface before it at 'p->to_peer'; or a
 * reason. */
__judged_once int edge_enter(struct packet *p, const struct edge *e)
{
	int r;

	if (!p || !e)
		return -DROP_HANDLE;
	p->from_vni = p->vni;
	p->to_vni = p->vni;
	p->to_peer = 0;
	p->to_handle = false;
	if (e->gateway.kind != DP_HANDLE_INTERNET || !e->gateway.table)
		return 0;
	r = way_find(p, e->gateway.table);
	if (r == VERDICT_LOCAL)
		return 0;
	return r || p->to_handle ? r : -DROP_BLACKHOLE;
}

/* ---- to a node ---- */

static __always_inline void edge_key(struct packet *p, const struct edge *e, __be32 world,
				     __be32 node, __be16 node_port)
{
	map_v4(p->key.local, world);
	map_v4(p->key.remote, node);
	p->key.local_port = e->there_port;
	p->key.remote_port = node_port;
	p->key.protocol = e->protocol;
}

static __always_inline __u32 edge_how(const struct edge *e)
{
	if (e->kind == EDGE_ERROR)
		return SPREAD_LOOKS;
	return e->protocol != IPPROTO_TCP || (e->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN
		       ? SPREAD_BEGINS
		       : 0;
}

/* Which host of a node's address: as spread_out(). */
static __noinline int edge_spread(struct packet *p, __be32 daddr, __u32 here)
{
	const struct edge *e = edge_get();
	int peer;

	if (!e)
		return -DROP_NO_PEER;
	/* what went out and is answered here has not been translated */
	edge_key(p, e, e->there, daddr, e->out ? e->here_port : e->new_port);
	if (e->kind == EDGE_FRAGMENT)
		return spread_fragment(p, 0, p->vni, e->id, -1);
	peer = spread_choose(p, 0, p->vni, e->out ? SPREAD_LOOKS : edge_how(e), here);
	return e->first_fragment && peer >= 0 ? spread_fragment(p, 0, p->vni, e->id, peer) : peer;
}

/* A packet to the world from one of the hosts of a node's address: its answers go there. */
static __noinline int edge_spread_out(struct packet *p, const struct edge *e)
{
	if (!p || !e || e->kind == EDGE_ERROR || e->kind == EDGE_FRAGMENT)
		return 0;
	edge_key(p, e, e->there, e->here, e->here_port);
	return spread_note(p, 0, p->vni, edge_how(e), p->spread_peer);
}

/* The sender is a node here, and its address on other hosts as well? */
static __always_inline bool edge_from_shared(struct packet *p)
{
	const struct dp_port_copy *port = p->from_node ? port_get(p->slot) : NULL;

	/* that of a node that forwards does not say where the source is */
	if (way_is_forwarded(p)) {
		p->spread = false;
		return false;
	}
	if (port && port->flags & DP_PORT_SHARED) {
		p->spread = true;
		p->spread_peer = 0;
	}
	return p->spread;
}

/* To the interface that edge_enter() found: as edge_locate(). */
__judged_once int edge_to_handle(struct packet *p, __be32 saddr, __be32 daddr)
{
	struct dp_flow_out *flow;
	bool keep;
	int r;

	if (!p)
		return -DROP_HANDLE;
	flow = &p->flow.out;
	memset(flow, 0, sizeof(*flow));
	flow->stamp.epoch = host_epoch();
	flow->stamp.bucket = (__u16)dp_bucket_v4(p->to_vni, daddr);
	flow->stamp.mapping_generation = generation_get(flow->stamp.bucket);
	flow->key.ifindex = config.uplink_ifindex;
	flow->key.saddr = saddr;
	flow->key.daddr = daddr;
	r = route_to_handle(p, saddr, daddr, flow, &keep);
	return r == VERDICT_EDGE ? -DROP_HANDLE : r;
}

/* Where the node is that 'p->dst' in 'p->vni' is: 0 with the flow, an upcall, or a reason. */
__judged_once int edge_locate(struct packet *p, __be32 saddr, __be32 daddr)
{
	const struct dp_local_value *local;
	const struct dp_mapping_value *m = NULL;
	const struct dp_peer_copy *peer;
	const struct dp_port_copy *to;
	struct dp_flow_out *flow;
	__u32 slot, id = 0;
	int r;

	if (!p)
		return -DROP_MALFORMED;
	flow = &p->flow.out;
	local = local_get(p->vni, p->dst);
	slot = local ? local->slot : 0;
	memset(flow, 0, sizeof(*flow));
	flow->stamp.epoch = host_epoch();
	flow->stamp.bucket = (__u16)dp_bucket_v4(p->vni, daddr);
	flow->stamp.mapping_generation = generation_get(flow->stamp.bucket);
	if (!local || local->flags & DP_LOCAL_SHARED)
		m = mapping_v4_get(p->vni, daddr);
	if (m && m->peer == DP_PEER_SPREAD && m->state != DP_STATE_GONE) {
		p->spread = true;
		r = edge_spread(p, daddr, slot);
		if (r < 0)
			return r;
		id = (__u32)r;
		slot = id ? 0 : slot;
	} else if (m) {
		id = m->peer;
	}
	if (slot) {
		to = port_get(slot);
		if (!to)
			return -DROP_NOT_LOCAL;
		if (to->flags & DP_PORT_DISABLED)
			return -DROP_DISABLED;
		flow->to_slot = (__u16)slot;
		flow->to_ifindex = to->ifindex;
		flow->to_flags = (__u8)to->flags;
		route_frame(flow->to, to->mac, p->vni, saddr, NULL, subnet_get(p->vni, p->dst));
		return 0;
	}
	if (!m || (m->state == DP_STATE_HELD && !p->injected))
		return upcall(p, DP_NOTE_RESOLVE, ntohl(daddr), DP_NOTE_UPLINK);
	p->revision = m->revision;
	if (m->state == DP_STATE_REFUSED)
		return -DROP_REFUSED;
	if (m->state == DP_STATE_GONE || !id)
		return -DROP_GONE;
	peer = variant_towards(p, id, p->vni, &flow->peer);
	if (!peer)
		return -DROP_NO_PEER;
	flow->key.ifindex = config.uplink_ifindex;
	flow->key.saddr = saddr;
	flow->key.daddr = daddr;
	return route_to_peer(peer, p->vni, p->vni, saddr, daddr, flow);
}

/* Either by the flow cache, where such flows are under the uplink.  Two networks may have the same
 * address, and what a NAT gateway gets goes straight to its node: the flow's VNI tells. */
static __always_inline int edge_find(struct packet *p, __be32 saddr, __be32 daddr)
{
	const __u64 addresses = flow_pair(saddr, daddr);
	const struct dp_flow_out *cached = flow_out_get(&addresses, config.uplink_ifindex);
	int r;

	if (cached && cached->vni == p->to_vni && flow_is_valid(&cached->stamp)) {
		memcpy(&p->flow.out, cached, sizeof(*cached));
		return 0;
	}
	r = p->to_handle ? edge_to_handle(p, saddr, daddr) : edge_locate(p, saddr, daddr);
	if (!r && p->flow.out.format != FORMAT_NONE && !p->injected && !p->spread)
		flow_out_keep(&p->flow.out);
	return r;
}

/* Whether the path to the node carries it: before it is changed, for the answer's sake. */
static __always_inline int edge_fits(struct __sk_buff *skb, struct packet *p)
{
	const struct dp_flow_out *flow = &p->flow.out;
	const struct dp_peer_copy *peer;
	struct iphdr *ip = ipv4_get(skb);
	__u32 overhead;
	bool whole;

	if (!ip)
		return -DROP_MALFORMED;
	if (flow->format == FORMAT_NONE)
		return 0;
	peer = peer_get(flow->peer);
	if (!peer)
		return -DROP_NO_PEER;
	whole = !encap_is_tunnel(flow->format) && !ipv4_can_rehead(ip);
	overhead = forward_overhead(peer, whole ? FORMAT_IPIP6_1 : flow->format);
	return forward_check_size(skb, ip, flow, overhead, (__u32)ip->ihl * 4, &p->mtu);
}

/* Sends the packet, translated, to where edge_locate() found the node. */
__judged_once int edge_to_node(struct __sk_buff *skb, struct packet *p)
{
	const struct dp_peer_copy *peer;
	struct iphdr *ip = ipv4_get(skb);
	struct dp_flow_out *flow;

	if (!ip || !p)
		return -DROP_REWRITE;
	flow = &p->flow.out;
	if (flow->format == FORMAT_NONE)
		return forward_local(skb, ip, flow);
	peer = peer_get(flow->peer);
	if (!peer)
		return -DROP_NO_PEER;
	return forward_remote(skb, ip, flow, peer, (__u32)ip->ihl * 4, &p->mtu);
}

/* ---- in ---- */

static __always_inline int edge_translate_in(struct edge *e, const struct dp_public_value *public)
{
	return public->kind == DP_HANDLE_NAT ? nat_translate(e) : nat_public_in(e, public->addr);
}

/* A packet to a public address of this edge; TC_ACT_UNSPEC for others. */
static __noinline int edge_in(struct __sk_buff *skb, struct packet *p)
{
	const struct dp_public_value *public;
	struct edge *e = edge_new(false);
	struct iphdr *ip = ipv4_get(skb);
	__be32 saddr;
	int r;

	if (!ip || !e)
		return -DROP_MALFORMED;
	saddr = ip->saddr;
	public = nat_public(ip->daddr);
	if (!public)
		return TC_ACT_UNSPEC;
	p->edge = EDGE_SIDE_WORLD;
	p->spread = false;
	p->vni = public->vni;
	r = edge_gateway(e, public->handle);
	if (!r)
		r = edge_parse(skb, p, e);
	if (r)
		return r;
	ip = ipv4_get(skb);
	if (!ip)
		return -DROP_MALFORMED;
	if (ip->ttl <= 1)
		return -DROP_TTL;
	r = edge_translate_in(e, public);
	if (r)
		return edge_refused(e, r);
	map_v4(p->dst, e->new_addr);
	r = edge_enter(p, e);
	if (!r)
		r = edge_find(p, saddr, e->new_addr);
	if (!r)
		r = edge_fits(skb, p);
	if (!r)
		r = translate(skb, e);
	if (r)
		return r;
	edge_count(skb, e->gateway.row, false);
	edge_flow_keep(p, e, 0);
	if (p->flow.out.format != FORMAT_NONE)
		return edge_to_node(skb, p);
	p->slot = p->flow.out.to_slot;
	p->identity = 0;
	map_v4(p->src, saddr);
	return VERDICT_TO_PORT;
}

/* ---- out ---- */

static __always_inline int edge_check_uplink(struct __sk_buff *skb, struct packet *p)
{
	const struct iphdr *ip = ipv4_get(skb);
	__u32 mtu = 0, size;

	if (!ip)
		return -DROP_MALFORMED;
	size = packet_wire_size(skb, ntohs(ip->tot_len), (__u32)ip->ihl * 4, ip->protocol);
	if (!size)
		return -DROP_MALFORMED;
	bpf_check_mtu(skb, config.uplink_ifindex, &mtu, 0, 0);
	p->mtu = (__u16)mtu;
	return mtu && size > mtu ? -DROP_TOO_BIG : 0;
}

/* Out of the uplink as the kernel routes it; needs no forwarding of the machine's. */
static __always_inline int edge_to_world(struct __sk_buff *skb)
{
	return (int)bpf_redirect_neigh(config.uplink_ifindex, NULL, 0, 0);
}

static __always_inline int edge_translate_out(const struct packet *p, struct edge *e)
{
	switch (e->gateway.kind) {
	case DP_HANDLE_NAT:
		/* Whoever forwards may say who he likes: answers must find somebody of this
		 * network. */
		if (way_is_forwarded(p) && !subnet_get(p->vni, p->src))
			return -DROP_FOREIGN_SOURCE;
		return nat_translate(e);
	case DP_HANDLE_INTERNET:
		return nat_public_out(e);
	default:
		return -DROP_HANDLE;
	}
}

/* The packet as the node sent it, its source verified; 'p' has its network and the gateway's
 * handle. Its Ethernet header says that it is IPv4. */
static __noinline int edge_out(struct __sk_buff *skb, struct packet *p)
{
	struct edge *e = edge_new(true);
	struct iphdr *ip;
	int r;

	packet_pull(skb, ETH_HLEN + 60 + sizeof(struct tcphdr));
	ip = ipv4_get(skb);
	if (!e || !ip)
		return -DROP_MALFORMED;
	r = route_check_header(skb, ip);
	if (r)
		return r;
	p->edge = EDGE_SIDE_INSIDE;
	r = edge_gateway(e, p->to_vni);
	p->vni = e->gateway.vni;
	if (!r)
		r = edge_parse(skb, p, e);
	if (!r)
		r = edge_check_uplink(skb, p);
	if (r)
		return r;
	ip = ipv4_get(skb);
	if (!ip)
		return -DROP_MALFORMED;
	if (ip->ttl <= 1)
		return -DROP_TTL;
	r = edge_translate_out(p, e);
	if (!r)
		r = translate(skb, e);
	if (r)
		return edge_refused(e, r);
	edge_count(skb, e->gateway.row, true);
	if (edge_from_shared(p))
		edge_spread_out(p, e);
	ip = ipv4_get(skb);
	if (!ip)
		return -DROP_REWRITE;
	if (nat_public(ip->daddr))
		return edge_in(skb, p);
	edge_flow_keep(p, e, p->mtu);
	return edge_to_world(skb);
}
