/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an edge decided for a flow, kept until the clock's second is another (abi/gateway.h:
 * flows_edge).
 *
 * The full path writes into sessions and bindings nothing but their state, which a plain packet
 * leaves as it is, and the second in which they end.  So within one second it would do again what
 * it has done, and once in a second each flow takes it.  (A session that the other direction has
 * begun meanwhile hears of this one's packets in the next second.)  What begins or ends something
 * always takes it: SYN, FIN and RST; and so does every flow when the epoch changes, as it does with
 * gateways and public addresses.
 */
#pragma once

#include "bpf/lib/edge_packet.h"
#include "bpf/lib/flow.h"
#include "bpf/lib/forward.h"
#include "bpf/lib/translate.h"

static __always_inline void edge_count(const struct __sk_buff *skb, __u32 row, bool out)
{
	struct dp_gateway_counters_value *c = bpf_map_lookup_elem(&gateway_counters, &row);

	if (!c)
		return;
	if (out) {
		c->out_packets += counter_segments(skb);
		c->out_bytes += skb->len;
	} else {
		c->in_packets += counter_segments(skb);
		c->in_bytes += skb->len;
	}
}

/* The place of a flow. */
static __always_inline struct dp_flow_edge *edge_flow_at(const struct dp_flow_edge_key *k)
{
	const __u64 *w = (const __u64 *)k;
	__u32 place = flow_place(flow_number(w[0]), w[1] ^ k->handle);

	return bpf_map_lookup_elem(&flows_edge, &place);
}

/* ---- keeping ---- */

/* Whether what a packet asks for may be kept: as edge_flow_key() has it, and not chosen for it
 * alone (spread.h). */
static __always_inline bool edge_flow_is_plain(const struct packet *p, const struct edge *e)
{
	return e->kind == EDGE_FLOW && !e->first_fragment && !p->injected && !p->spread &&
	       (e->protocol == IPPROTO_UDP ||
		(e->protocol == IPPROTO_TCP && !(e->tcp_flags & (TCP_FIN | TCP_SYN | TCP_RST))));
}

/* After the full path, with the answer in 'e'. 'mtu' is the uplink's, for what goes out. */
static __noinline void edge_flow_keep(const struct packet *p, const struct edge *e, __u32 mtu)
{
	struct dp_flow_edge_key k = {
		.src = e->out ? e->here : e->there,
		.dst = e->out ? e->there : e->here,
		.source = e->out ? e->here_port : e->there_port,
		.destination = e->out ? e->there_port : e->here_port,
		.protocol = e->protocol,
		.handle = e->out ? e->handle : 0,
	};
	struct dp_flow_edge *f;

	if (!edge_flow_is_plain(p, e))
		return;
	f = edge_flow_at(&k);
	if (!f)
		return;
	f->key = k;
	f->epoch = e->epoch;
	f->second = e->now;
	f->jiffy = (__u32)bpf_jiffies64();
	f->addr = e->new_addr;
	f->port = e->new_port;
	f->mtu = (__u16)mtu;
	f->row = e->gateway.row;
	f->vni = p->to_vni;
}

/* ---- finding ---- */

/* The key of a plain packet that begins and ends nothing; false for others. */
static __always_inline bool edge_flow_key(const struct __sk_buff *skb, const struct iphdr *ip,
					  __u32 handle, struct dp_flow_edge_key *ret)
{
	const struct tcphdr *tcp = (const void *)(ip + 1);

	if (*(const __u8 *)ip != 0x45 || ipv4_is_fragment(ip) || ip->ttl <= 1 ||
	    skb->len != ETH_HLEN + ntohs(ip->tot_len) || !ipv4_sum_is_right(ip))
		return false;
	if (ip->protocol == IPPROTO_TCP) {
		if ((void *)(tcp + 1) > packet_end(skb) ||
		    ((const __u8 *)tcp)[13] & (TCP_FIN | TCP_SYN | TCP_RST))
			return false;
	} else if (ip->protocol != IPPROTO_UDP ||
		   (void *)tcp + sizeof(struct udphdr) > packet_end(skb)) {
		return false;
	}
	ret->src = ip->saddr;
	ret->dst = ip->daddr;
	ret->source = tcp->source;
	ret->destination = tcp->dest;
	ret->protocol = ip->protocol;
	ret->handle = handle;
	return true;
}

static __always_inline bool edge_flow_is(struct dp_flow_edge *f, const struct dp_flow_edge_key *k)
{
	const __u64 *x = (const __u64 *)&f->key, *y = (const __u64 *)k;
	__u32 jiffy = (__u32)bpf_jiffies64();

	if (x[0] != y[0] || x[1] != y[1] || f->key.handle != k->handle || f->epoch != host_epoch())
		return false;
	if (likely(f->jiffy == jiffy))
		return true;
	if (f->second != edge_second())
		return false;
	f->jiffy = jiffy;
	return true;
}

/* ---- carrying out ---- */

/* Writes the translation: 0 or a reason, when the packet is no more what it was. */
static __always_inline int edge_flow_write(struct __sk_buff *skb, struct iphdr *ip,
					   const struct dp_flow_edge *f, bool out)
{
	__be32 old = out ? f->key.src : f->key.dst;
	__be16 old_port = out ? f->key.source : f->key.destination;
	const __u32 l4 = ETH_HLEN + sizeof(*ip);
	__u32 at = l4 + (f->key.protocol == IPPROTO_TCP ? 16 : 6);
	__u64 flags = f->key.protocol == IPPROTO_TCP ? 0 : BPF_F_MARK_MANGLED_0;

	translate_addr(ip, old, f->addr, out);
	if (bpf_l4_csum_replace(skb, at, old, f->addr, flags | BPF_F_PSEUDO_HDR | 4))
		return -DROP_REWRITE;
	return translate_port(skb, out ? l4 : l4 + 2, at, old_port, f->port, flags);
}

/* A plain packet from inside for the gateway 'handle': a TC verdict, VERDICT_DECLINED with the
 * packet as it was, or a reason. */
static __noinline int edge_flow_out(struct __sk_buff *skb, __u32 handle)
{
	struct dp_flow_edge_key key = {};
	struct iphdr *ip = ipv4_get(skb);
	struct dp_flow_edge *f;
	__u32 size;
	int r;

	if (!ip || !edge_flow_key(skb, ip, handle, &key))
		return VERDICT_DECLINED;
	f = edge_flow_at(&key);
	if (!f || !edge_flow_is(f, &key))
		return VERDICT_DECLINED;
	size = packet_wire_size(skb, ntohs(ip->tot_len), sizeof(*ip), ip->protocol);
	if (!size || size > f->mtu)
		return VERDICT_DECLINED;
	r = edge_flow_write(skb, ip, f, true);
	if (r)
		return r;
	edge_count(skb, f->row, true);
	return (int)bpf_redirect_neigh(config.uplink_ifindex, NULL, 0, 0);
}

/* The way to the node that 'f' says: a flow of the uplink's (edge_find()) in a format that is
 * written at once; or NULL. */
static __always_inline struct dp_flow_out *edge_flow_way(const struct dp_flow_edge *f)
{
	const __u64 addresses = flow_pair(f->key.src, f->addr);
	struct dp_flow_out *way = flow_out_get(&addresses, config.uplink_ifindex);

	if (!way || way->vni != f->vni || !flow_is_valid(&way->stamp) ||
	    (way->format != FORMAT_SIIT_1 && way->format != FORMAT_SIIT_2 &&
	     way->format != FORMAT_IPIP6_1))
		return NULL;
	return way;
}

/* The same for one from the world. */
static __noinline int edge_flow_in(struct __sk_buff *skb)
{
	struct dp_flow_edge_key key = {};
	struct iphdr *ip = ipv4_get(skb);
	const struct dp_flow_out *way;
	struct dp_flow_edge *f;
	__u32 overhead;
	__u16 mtu;
	int r;

	if (!ip || !edge_flow_key(skb, ip, 0, &key))
		return VERDICT_DECLINED;
	f = edge_flow_at(&key);
	if (!f || !edge_flow_is(f, &key))
		return VERDICT_DECLINED;
	way = edge_flow_way(f);
	if (!way)
		return VERDICT_DECLINED;
	overhead = way->format == FORMAT_IPIP6_1 || !ipv4_can_rehead(ip) ? SUBSTRATE_OVERHEAD_IPIP6
									 : SUBSTRATE_OVERHEAD_SIIT;
	if (forward_check_size(skb, ip, way, overhead, sizeof(*ip), &mtu))
		return VERDICT_DECLINED;
	r = edge_flow_write(skb, ip, f, false);
	ip = ipv4_get(skb);
	if (r || !ip)
		return r ? r : -DROP_REWRITE;
	edge_count(skb, f->row, false);
	return forward_rehead(skb, ip, way, sizeof(*ip), &mtu);
}
