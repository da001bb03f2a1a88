/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Security groups and ACLs, asked about a packet once for the port that sends it and once for the
 * one that gets it, each on the host where it is.  What can be said of two addresses goes into the
 * flow cache; what is about ports is asked for each packet (DP_JUDGE_*).
 *
 * Order, as in EC2: out of a node its groups and then its subnet's ACL, into a node the ACL first.
 *
 * Never asked about: ARP, neighbour discovery, DHCP, DNS to the resolver, what the router answers.
 */
#pragma once

#include "bpf/lib/connection.h"
#include "bpf/lib/rulebook.h"
#include "bpf/lib/tuple.h"

/* ---- ACLs ---- */

/* The ACL that a packet meets at the subnet of one end, if it crosses its border; 0: none. */
static __always_inline __u32 policy_acl(const struct dp_subnet_value *mine,
					const struct dp_subnet_value *its)
{
	return mine && mine != its ? mine->acl : 0;
}

static __always_inline int policy_judge_acl(struct packet *p, __u32 number, bool egress)
{
	const __u32 *word = bpf_map_lookup_elem(&acls, &number);
	struct side *side = &p->side[egress];
	__u64 list;

	if (word && (*word >> egress & 1))
		return 0;
	side->judge |= egress ? DP_JUDGE_ACL_EGRESS : DP_JUDGE_ACL_INGRESS;
	list = word ? rulebook_by_prefix(p, *word, egress) : 0;
	side->acl.first = (__u32)list;
	side->acl.n = (__u32)(list >> 32);
	if (p->tuple.fragment != TUPLE_LATER &&
	    !list_has(side->acl.first, side->acl.n, p->tuple.subject))
		return egress ? -DROP_ACL_EGRESS : -DROP_ACL_INGRESS;
	return 0;
}

/* ---- groups ---- */

static __always_inline bool policy_allows(const struct packet *p, __u32 own, __u32 identity,
					  bool egress)
{
	const struct dp_identity_value *v = bpf_map_lookup_elem(&identities, &own);

	return v && rulebook_allows(p, *(const volatile __u32 *)&v->rulebook, egress, identity);
}

/* Is it about a connection that is tracked?  Destroys 'p->tuple'. */
static __noinline bool policy_error_belongs(struct __sk_buff *skb, struct packet *p,
					    const struct dp_region *region, bool egress)
{
	if (tuple_read_quoted(skb, p))
		return false;
	tuple_key_quoted(p, egress);
	return connection_track(p, region, CONNECTION_ERROR) == CONNECTION_PASS;
}

static __always_inline int policy_refused(bool egress)
{
	return egress ? -DROP_GROUP_EGRESS : -DROP_GROUP_INGRESS;
}

/* Whether a packet may begin something that is tracked. Errors do not, nor answers that nobody
 * waits for, nor messages on their own: each of those is asked about. */
static __always_inline bool policy_begins(const struct tuple *t)
{
	return t->kind == TUPLE_PLAIN || t->kind == TUPLE_QUERY;
}

static __always_inline int policy_judge_groups(struct __sk_buff *skb, struct packet *p,
					       const struct dp_port_copy *port, __u32 identity,
					       bool egress)
{
	const struct tuple *t = &p->tuple;
	__u32 how = t->tcp | (egress ? CONNECTION_BY_NODE : 0);
	int r = CONNECTION_ABSENT;

	if (policy_begins(t) || t->kind == TUPLE_ANSWER) {
		tuple_key(p, egress);
		r = connection_track(p, &port->region, how);
	}
	if (r == CONNECTION_PASS)
		return 0;
	if (t->protocol == IPPROTO_TCP && t->tcp & CONNECTION_TCP_RST)
		return -DROP_CONNECTION_STATE;
	if (!policy_allows(p, port->identity, identity, egress)) {
		if (t->kind == TUPLE_ERROR && policy_error_belongs(skb, p, &port->region, egress))
			return 0;
		return policy_refused(egress);
	}
	if (!policy_begins(t))
		return 0;
	if (r == CONNECTION_JUDGE)
		r = connection_track(p, &port->region, how | CONNECTION_ALLOWED);
	if (r != CONNECTION_PASS)
		r = connection_begin(p, &port->region, how);
	return r == CONNECTION_PASS ? 0 : -DROP_CONNECTION_LIMIT;
}

/* ---- fragments ---- */

/* The later ones pass where the first has. */
static __noinline int policy_fragment(const struct packet *p, __u32 slot, bool egress)
{
	struct dp_passed_key key = {
		.id = p->tuple.id,
		.slot = (__u16)slot,
		.protocol = p->tuple.protocol,
		.egress = egress,
	};
	__u32 now = connection_tick();
	const __u32 *then;

	memcpy(key.src, p->src, 16);
	memcpy(key.dst, p->dst, 16);
	if (p->tuple.fragment == TUPLE_FIRST) {
		bpf_map_update_elem(&passed, &key, &now, BPF_ANY);
		return 0;
	}
	then = bpf_map_lookup_elem(&passed, &key);
	return then && now - *then <= DP_PASSED_TICKS ? 0 : -DROP_FRAGMENT;
}

/* ---- one side ---- */

/* 'side' is a slot << 1 | egress; 'identity' that of the other end.  'p->tuple' is filled in. */
__judged_once int policy_judge(struct __sk_buff *skb, struct packet *p, __u32 side, __u32 identity,
			       __u32 acl)
{
	__u32 slot = side >> 1;
	bool egress = side & 1, tracked, later;
	const struct dp_port_copy *port = port_get(slot);
	int r = 0;

	if (!port || !p)
		return -DROP_NOT_LOCAL;
	p->refused_out = egress;
	tracked = port->flags & DP_PORT_TRACKED;
	later = p->tuple.fragment == TUPLE_LATER;
	if (tracked) {
		p->side[egress].judge |= egress ? DP_JUDGE_EGRESS : DP_JUDGE_INGRESS;
		p->side[egress].region = port->region;
	}
	if (acl && !egress)
		r = policy_judge_acl(p, acl, false);
	if (!r && tracked && !later)
		r = policy_judge_groups(skb, p, port, identity, egress);
	if (!r && acl && egress)
		r = policy_judge_acl(p, acl, true);
	if (!r && p->tuple.fragment && p->side[egress].judge)
		r = policy_fragment(p, slot, egress);
	return r;
}

static __always_inline bool policy_is_needed(const struct dp_port_copy *port, __u32 acl)
{
	return acl || port->flags & DP_PORT_TRACKED;
}

/* ---- both ---- */

/* A packet from the node of 'p->slot', as it came: to the port 'to_slot' of this host, or 0.  'acl'
 * and 'to_acl' are those of the two subnets.  0, or the reason, which is then counted for the port
 * that refuses. */
__judged_once int policy_out(struct __sk_buff *skb, struct packet *p, __u32 to_slot, __u32 acl,
			     __u32 to_acl)
{
	const struct dp_port_copy *port = p ? port_get(p->slot) : NULL;
	const struct dp_port_copy *to = to_slot ? port_get(to_slot) : NULL;
	bool mine, its, is_error;
	__u32 identity;
	int r;

	if (!port || !p)
		return -DROP_NOT_LOCAL;
	mine = !p->copied && policy_is_needed(port, acl);
	its = to && policy_is_needed(to, to_acl);
	if (!mine && !its)
		return 0;
	identity = p->from_vni == p->vni ? port->identity : 0;
	r = skb->protocol == htons(ETH_P_IP) ? tuple_read_v4(skb, p, ETH_HLEN)
					     : tuple_read_v6(skb, p, ETH_HLEN);
	is_error = p->tuple.kind == TUPLE_ERROR;
	if (!r && mine)
		r = policy_judge(skb, p, p->slot << 1 | 1, p->identity, acl);
	if (r || !its)
		return r;
	if (is_error) /* has been looked into */
		r = skb->protocol == htons(ETH_P_IP) ? tuple_read_v4(skb, p, ETH_HLEN)
						     : tuple_read_v6(skb, p, ETH_HLEN);
	if (!r)
		r = policy_judge(skb, p, to_slot << 1, identity, to_acl);
	if (r) {
		p->slot = to_slot;
		p->port_id = to->id;
	}
	return r;
}

static __always_inline void policy_keep_out(const struct packet *p, struct dp_flow_out *flow)
{
	flow->judge = (__u8)(p->side[0].judge | p->side[1].judge);
	flow->region = p->side[1].region;
	flow->to_region = p->side[0].region;
	flow->acl = p->side[1].acl;
	flow->to_acl = p->side[0].acl;
	if (flow->judge & DP_JUDGE_EGRESS)
		flow->hash = connection_hash_addresses(p->src, p->dst);
	if (flow->judge & DP_JUDGE_INGRESS)
		flow->to_hash = connection_hash_addresses(p->dst, p->src);
}

static __always_inline void policy_keep_in(const struct packet *p, struct dp_flow_in *flow)
{
	flow->judge = (__u8)p->side[0].judge;
	flow->to_region = p->side[0].region;
	flow->to_acl = p->side[0].acl;
	if (flow->judge & DP_JUDGE_INGRESS)
		flow->hash = connection_hash_addresses(p->dst, p->src);
}

/* ---- for packets of a known flow ---- */

/* Of a plain TCP or UDP packet. */
struct policy_ports {
	__u32 ports; /* source, destination, as they lie in memory */
	__u8 protocol;
	__u8 tcp; /* flags; 0 for UDP */
};

/* What a packet is about; false: it is not so plain. */
static __always_inline bool policy_ports_get(const struct __sk_buff *skb, const void *l4,
					     __u8 protocol, struct policy_ports *ret)
{
	ret->protocol = protocol;
	ret->tcp = 0;
	if (protocol == IPPROTO_TCP) {
		if (l4 + 14 > packet_end(skb))
			return false;
		ret->tcp = ((const __u8 *)l4)[13];
	} else if (protocol != IPPROTO_UDP || l4 + 8 > packet_end(skb)) {
		return false;
	}
	ret->ports = *(const __u32 *)l4;
	return true;
}

/* The same of one from the substrate, re-headed on IPv6, or whole ('ipip') without options; */
static __always_inline bool policy_ports_in(const struct __sk_buff *skb, const struct ipv6hdr *ip6,
					    struct policy_ports *ret)
{
	const struct iphdr *ip = (const void *)(ip6 + 1);

	if (likely(ip6->nexthdr != IPPROTO_IPIP))
		return policy_ports_get(skb, ip, ip6->nexthdr, ret);
	if ((void *)(ip + 1) > packet_end(skb) || *(const __u8 *)ip != 0x45 || ipv4_is_fragment(ip))
		return false;
	return policy_ports_get(skb, ip + 1, ip->protocol, ret);
}

/* The IPv6 header inside another, or NULL. */
static __always_inline const struct ipv6hdr *policy_inner(const struct __sk_buff *skb)
{
	const struct ipv6hdr *ip6 = ipv6_get(skb), *inner = ip6 + 1;

	if (skb->protocol != htons(ETH_P_IPV6) || !ip6 || ip6->nexthdr != IPPROTO_IPIP6)
		return NULL;
	return (void *)(inner + 1) > packet_end(skb) ? NULL : inner;
}

/* of one that is re-headed on IPv4. */
static __always_inline bool policy_ports_labelled(const struct __sk_buff *skb,
						  const struct iphdr *ip, struct policy_ports *ret)
{
	return policy_ports_get(skb, ip + 1, ip->protocol, ret);
}

/* Source and destination the other way round. */
static __always_inline __u32 policy_swapped(__u32 ports)
{
	return ports << 16 | ports >> 16;
}

/* What an ACL is asked about. */
static __always_inline __u32 policy_subject(const struct policy_ports *t)
{
	return (__u32)t->protocol << 16 | ntohs(((const __be16 *)&t->ports)[1]);
}

/* Where in a flow's 'recall' a connection is. */
static __always_inline __u32 policy_recall_at(__u64 addresses, __u32 ports, __u8 protocol)
{
	return (__u32)(connection_hash_ports(addresses, connection_ports(ports, protocol)) >> 32);
}

static __always_inline bool policy_recall(const __u32 *recall, __u32 n, __u64 addresses,
					  __u32 ports, const struct policy_ports *t, __u32 how,
					  __u32 now)
{
	__u64 hash = connection_hash_ports(addresses, connection_ports(ports, t->protocol));

	return connection_recall(recall[hash >> 32 & (n - 1)], hash, ports, t->protocol,
				 how | t->tcp, now);
}

/* Whether a packet with these ports belongs to connections that the flow, which no ACL judges,
 * remembers. */
static __always_inline bool policy_recall_ports(struct dp_flow_out *flow,
						const struct policy_ports *t)
{
	__u32 now = connection_tick_in(&flow->tick, &flow->jiffy);

	if (flow->judge & DP_JUDGE_EGRESS && !policy_recall(flow->recall, DP_RECALL, flow->hash,
							    t->ports, t, CONNECTION_BY_NODE, now))
		return false;
	return !(flow->judge & DP_JUDGE_INGRESS) ||
	       policy_recall(flow->to_recall, DP_RECALL_TO, flow->to_hash, policy_swapped(t->ports),
			     t, 0, now);
}

/* The same for the packet at 'ip', without options. */
static __always_inline bool policy_recall_out(const struct __sk_buff *skb, const struct iphdr *ip,
					      struct dp_flow_out *flow)
{
	struct policy_ports t;

	return !(flow->judge & (DP_JUDGE_ACL_EGRESS | DP_JUDGE_ACL_INGRESS)) &&
	       !ipv4_is_fragment(ip) && policy_ports_get(skb, ip + 1, ip->protocol, &t) &&
	       policy_recall_ports(flow, &t);
}

/* The same for the one at 'ip' whose ports are right behind. */
static __always_inline bool policy_recall_out_v6(const struct __sk_buff *skb,
						 const struct ipv6hdr *ip, struct dp_flow_out *flow)
{
	struct policy_ports t;

	return !(flow->judge & (DP_JUDGE_ACL_EGRESS | DP_JUDGE_ACL_INGRESS)) &&
	       policy_ports_get(skb, ip + 1, ip->nexthdr, &t) && policy_recall_ports(flow, &t);
}

/* The same of one from the substrate. */
static __always_inline bool policy_recall_in(struct dp_flow_in *flow, const struct policy_ports *t)
{
	return flow->judge == DP_JUDGE_INGRESS &&
	       policy_recall(flow->recall, DP_RECALL, flow->hash, policy_swapped(t->ports), t, 0,
			     connection_tick_in(&flow->tick, &flow->jiffy));
}

/* As the port that has the connection sees it. */
static __always_inline void policy_key_v4(struct dp_connection_key *k, __be32 local, __be32 remote,
					  __u32 ports, __u8 protocol)
{
	__u64 *w = (__u64 *)k;

	map_v4(k->local, local);
	map_v4(k->remote, remote);
	w[4] = connection_ports(ports, protocol);
}

static __always_inline void policy_key_v6(struct dp_connection_key *k, const void *local,
					  const void *remote, __u32 ports, __u8 protocol)
{
	__u64 *w = (__u64 *)k;

	copy_16(k->local, local);
	copy_16(k->remote, remote);
	w[4] = connection_ports(ports, protocol);
}

/* What a node's packet of either family is about; false: it is not so plain. */
static __always_inline bool policy_ports_out(const struct __sk_buff *skb, struct policy_ports *ret)
{
	const struct iphdr *ip = ipv4_get(skb);
	const struct ipv6hdr *ip6 = ipv6_get(skb);

	if (skb->protocol == htons(ETH_P_IPV6))
		return ip6 && policy_ports_get(skb, ip6 + 1, ip6->nexthdr, ret);
	return ip && !ipv4_is_fragment(ip) && policy_ports_get(skb, ip + 1, ip->protocol, ret);
}

/* The key of such a packet's connection at the port that sends it, or ('ingress') at the one that
 * gets it; false: there is no packet. */
static __always_inline bool policy_key_out(const struct __sk_buff *skb,
					   const struct policy_ports *t, bool ingress,
					   struct dp_connection_key *k)
{
	__u32 ports = ingress ? policy_swapped(t->ports) : t->ports;
	const struct iphdr *ip = ipv4_get(skb);
	const struct ipv6hdr *ip6 = ipv6_get(skb);

	if (skb->protocol != htons(ETH_P_IPV6)) {
		if (!ip)
			return false;
		policy_key_v4(k, ingress ? ip->daddr : ip->saddr, ingress ? ip->saddr : ip->daddr,
			      ports, t->protocol);
		return true;
	}
	if (!ip6)
		return false;
	policy_key_v6(k, ingress ? &ip6->daddr : &ip6->saddr, ingress ? &ip6->saddr : &ip6->daddr,
		      ports, t->protocol);
	return true;
}

/* Whether the packet passes without the full path being asked: as policy_recall_out(), with a
 * search for its connections, and ACLs. */
__judged_once int policy_hit_out(struct __sk_buff *skb, struct dp_flow_out *flow)
{
	struct dp_connection_key k;
	struct policy_ports t;
	int place;

	if (!flow || !policy_ports_out(skb, &t))
		return false;
	if (flow->judge & DP_JUDGE_EGRESS) {
		if (!policy_key_out(skb, &t, false, &k))
			return false;
		place = connection_hit(&k, &flow->region, t.tcp | CONNECTION_BY_NODE);
		if (!place)
			return false;
		flow->recall[policy_recall_at(flow->hash, t.ports, t.protocol) & (DP_RECALL - 1)] =
			(__u32)place;
	}
	if (flow->judge & DP_JUDGE_ACL_EGRESS &&
	    !list_has(flow->acl.first, flow->acl.n, policy_subject(&t)))
		return false;
	if (flow->judge & DP_JUDGE_ACL_INGRESS &&
	    !list_has(flow->to_acl.first, flow->to_acl.n, policy_subject(&t)))
		return false;
	if (!(flow->judge & DP_JUDGE_INGRESS))
		return true;
	if (!policy_key_out(skb, &t, true, &k))
		return false;
	place = connection_hit(&k, &flow->to_region, t.tcp);
	flow->to_recall[policy_recall_at(flow->to_hash, policy_swapped(t.ports), t.protocol) &
			(DP_RECALL_TO - 1)] = (__u32)place;
	return place != 0;
}

/* The same for one from the substrate, between the nodes' addresses 'remote' and 'local', unless it
 * has IPv6 inside, which says them. */
__judged_once int policy_hit_in(struct __sk_buff *skb, struct dp_flow_in *flow, __be32 local,
				__be32 remote)
{
	const struct iphdr *ip = ipv4_get(skb);
	const struct ipv6hdr *ip6 = ipv6_get(skb), *inner = policy_inner(skb);
	struct dp_connection_key k;
	struct policy_ports t;
	__u32 ports;
	int place;

	if (!flow)
		return false;
	if (inner ? !policy_ports_get(skb, inner + 1, inner->nexthdr, &t)
	    : skb->protocol == htons(ETH_P_IP) ? !ip || !policy_ports_labelled(skb, ip, &t)
					       : !ip6 || !policy_ports_in(skb, ip6, &t))
		return false;
	if (flow->judge & DP_JUDGE_ACL_INGRESS &&
	    !list_has(flow->to_acl.first, flow->to_acl.n, policy_subject(&t)))
		return false;
	if (!(flow->judge & DP_JUDGE_INGRESS))
		return true;
	ports = policy_swapped(t.ports);
	if (inner)
		policy_key_v6(&k, &inner->daddr, &inner->saddr, ports, t.protocol);
	else
		policy_key_v4(&k, local, remote, ports, t.protocol);
	place = connection_hit(&k, &flow->to_region, t.tcp);
	flow->recall[policy_recall_at(flow->hash, ports, t.protocol) & (DP_RECALL - 1)] =
		(__u32)place;
	return place != 0;
}
