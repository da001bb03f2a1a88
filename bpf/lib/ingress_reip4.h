/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The path of a packet that came re-headed on IPv4: both its addresses are labels.  The
 * destination's is one of ours and says network and node; the source's says who sent it, and counts
 * if the mapping of that one names this label and the host that the label's range belongs to.
 */
#pragma once

#include "bpf/lib/icmp4.h"
#include "bpf/lib/ingress.h"

/* The flow between two labels, or NULL. */
static __always_inline struct dp_flow_in *reip4_find(const struct iphdr *ip)
{
	__u64 src = (__u64)ip->saddr << 32 | htonl(0xffff),
	      dst = (__u64)ip->daddr << 32 | htonl(0xffff);
	__u32 place = flow_first(bpf_get_smp_processor_id(), flow_number(src), flow_number(dst));
	struct dp_flow_in *f;

	for (int i = 0; i < 2; i++) {
		f = bpf_map_lookup_elem(&flows_in, &place);
		if (f && *(__u64 *)(f->src + 8) == src && *(__u64 *)(f->dst + 8) == dst &&
		    !*(__u32 *)f->src)
			return f;
		place ^= 1;
	}
	return NULL;
}

/* What groups and ACL say about a packet of the flow without the full path being asked. */
static __always_inline bool reip4_passes(struct __sk_buff *skb, const struct iphdr *ip,
					 struct dp_flow_in *flow)
{
	struct policy_ports t;

	return !flow->judge || (policy_ports_labelled(skb, ip, &t) && policy_recall_in(flow, &t)) ||
	       policy_hit_in(skb, flow, reip4_virtual(flow->dst), reip4_virtual(flow->src));
}

/* Restores the packet and gives it to the node. */
static __always_inline int reip4_deliver(struct __sk_buff *skb, const struct iphdr *ip,
					 const struct dp_flow_in *flow)
{
	struct dp_traffic *c = counter_get(flow->stamp.slot, FORMAT_REIP4_1);
	__u16 size = ntohs(ip->tot_len);
	int r = reip4_decode(skb, ip, flow);
	__u8 *eth;

	if (!r)
		r = packet_trim(skb, size);
	if (r)
		return r;
	eth = packet_data(skb);
	if (eth + ETH_HLEN > (__u8 *)packet_end(skb))
		return -DROP_REWRITE;
	copy_12(eth, flow->to);
	return deliver_by(skb, c, flow->to_ifindex, flow->to_flags);
}

/* A packet of a known flow. */
static __always_inline int reip4_fast(struct __sk_buff *skb, __u8 seal, __u32 peer)
{
	const struct iphdr *ip = ipv4_get(skb);
	struct dp_flow_in *flow = ip ? reip4_find(ip) : NULL;

	if (!flow || !flow_is_valid(&flow->stamp) || !reip4_is_whole(skb, ip) ||
	    !flow_accepts(flow, seal, peer, FORMAT_REIP4_1) || !reip4_passes(skb, ip, flow))
		return VERDICT_DECLINED;
	return reip4_deliver(skb, ip, flow);
}

/* Who the two labels stand for: 0 with it in 'p' and 'p->in', an upcall, or a reason. */
static __always_inline int reip4_names(struct packet *p, __be32 from, __be32 to, __u32 peer)
{
	const struct dp_label_value *src = label_get(0, from), *dst = label_get(0, to);
	const struct dp_departed_value *was;
	const struct dp_mapping_value *m;

	if (dst) {
		p->in.daddr = dst->addr;
		p->in.vni = dst->vni;
	} else {
		was = departed_get(0, p->dst);
		if (!was)
			return -DROP_NOT_LOCAL;
		p->gone = true;
		p->in.daddr = was->addr;
		p->in.vni = was->vni;
	}
	p->vni = p->in.vni;
	map_v4(p->dst, p->in.daddr);
	p->slot = local_slot(p->vni, p->dst);
	if (!p->slot && !p->gone)
		return -DROP_NOT_LOCAL;
	if (!src && p->gone)
		return -DROP_LOCAL_GONE;
	if (!src) {
		m = mapping_v4_get(0, from);
		return m ? -DROP_SOURCE_REFUSED : upcall(p, DP_NOTE_VERIFY, peer, 0);
	}
	p->in.saddr = src->addr;
	p->in.src_vni = src->vni;
	return 0;
}

/* VERDICT_ROUTED, or what becomes of the packet. */
static __noinline int reip4_decide(struct __sk_buff *skb, struct packet *p)
{
	struct dp_flow_in *flow = &p->flow.in;
	struct ingress *in = &p->in;
	const struct dp_mapping_value *m;
	const struct dp_peer_copy *peer;
	const struct iphdr *ip;
	__be32 addrs[4];
	__u32 peer_id;
	int r;

	packet_pull(skb, ETH_HLEN + sizeof(*ip) + 60);
	ip = ipv4_get(skb);
	if (!ip || !reip4_is_ours(ip->daddr))
		return -DROP_NOTE; /* the entry has looked, unless it is a re-injected packet */
	addrs[0] = ip->saddr;
	addrs[1] = ip->daddr;
	map_v4(p->src, addrs[0]);
	map_v4(p->dst, addrs[1]);
	in->next = ip->protocol;
	in->format = FORMAT_REIP4_1;
	in->layout = FORMAT_REIP4_1;
	peer_id = reip4_peer(addrs[0]);
	peer = peer_get(peer_id);
	if (!peer_id || !peer)
		return ip->protocol == IPPROTO_ICMP ? VERDICT_ICMP4 : -DROP_UNKNOWN_PEER;
	if (p->seal && p->seal_peer != peer_id)
		return -DROP_STATEMENT;
	/* with variants it depends on what the labels stand for */
	r = peer->flags & DP_PEER_VARIANTS ? 0 : seal_check(peer->accept, p->seal, FORMAT_REIP4_1);
	if (r)
		return r;
	if (!reip4_is_whole(skb, ip))
		return -DROP_MALFORMED;
	r = reip4_names(p, addrs[0], addrs[1], peer_id);
	if (!r)
		r = ingress_networks(p, in->src_vni, in->vni);
	if (r)
		return r;
	reip4_key(in->src, in->saddr, addrs[0]);
	reip4_key(in->dst, in->daddr, addrs[1]);
	r = ingress_ipv4(skb, p, in, peer_id, peer);
	if (r != VERDICT_ROUTED && r != -DROP_LOCAL_GONE)
		return r;
	m = mapping_v4_get(in->src_vni, in->saddr);
	if (!m || m->label != addrs[0])
		return -DROP_SPOOF;
	if (r != VERDICT_ROUTED)
		return r;
	addrs[2] = in->saddr;
	addrs[3] = in->daddr;
	flow->checksum_diff = (__u32)bpf_csum_diff(addrs, 8, addrs + 2, 8, 0);
	return VERDICT_ROUTED;
}

static __noinline int reip4_carry(struct __sk_buff *skb, struct packet *p)
{
	struct dp_flow_in *flow = &p->flow.in;
	const struct iphdr *ip = ipv4_get(skb);

	if (!ip)
		return -DROP_MALFORMED;
	policy_keep_in(p, flow);
	if (!p->injected)
		flow_in_keep(flow);
	return reip4_deliver(skb, ip, flow);
}

/* A packet for one of our labels, in steps as route_ipv4(). */
static __noinline int reip4_packet(struct __sk_buff *skb, struct packet *p)
{
	int r = reip4_decide(skb, p);

	if (r == VERDICT_ICMP4)
		return icmp4_error(skb, p);
	if (r != VERDICT_ROUTED)
		return r;
	r = ingress_judge(skb, p, ETH_HLEN + sizeof(struct iphdr), p->in.next);
	return r ? r : reip4_carry(skb, p);
}
