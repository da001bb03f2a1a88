/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flow logs and traffic mirroring: what watched ports send and get is counted by flow, and copied
 * where a rule says so (abi/watch.h).
 *
 * Who asks.  A watched port's packets take the full path out, each of them, and are seen there when
 * its policy has let them go (watch_out()); into the node they go by its device, not around it,
 * where program 'delivered' sees them (watch_in()); what policy refuses is seen where it is dropped
 * (watch_refused()).  So a port that nobody watches pays nothing.
 *
 * Never counted nor copied, as in EC2: ARP, neighbour discovery, DHCP, what the router says, DNS of
 * the network's resolver (copied where a filter says so), and copies themselves.
 */
#pragma once

#include "abi/watch.h"
#include "bpf/lib/counter.h"
#include "bpf/lib/tuple.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct dp_watch_value);
} watch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DP_SLOTS_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct dp_watch_slot);
} watch_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DP_RECORDS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct dp_record_key);
	__type(value, struct dp_record_value);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DP_SLOTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct dp_mirror_value);
} mirrors SEC(".maps");

/* ---- records ---- */

struct watch_size {
	__u32 packets, bytes;
};

/* What the packet is on the wire, and how many bytes of IP.  'p->tuple' says where its transport
 * header is, also when the packet around it is not plain. */
static __always_inline struct watch_size watch_size(const struct __sk_buff *skb,
						    const struct packet *p, bool v6)
{
	const struct tuple *t = &p->tuple;
	__u32 header = v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr), payload;
	struct watch_size s = {.packets = 1};

	payload = skb->len > t->at ? skb->len - t->at : 0;
	s.bytes = header + payload;
	if (!skb->gso_size)
		return s;
	/* the transport header is in each segment, and once in what is counted so far */
	header += t->protocol == IPPROTO_TCP ? (__u32)t->offset * 4 : sizeof(struct udphdr);
	payload = s.bytes > header ? s.bytes - header : 0;
	s.packets = (payload + skb->gso_size - 1) / skb->gso_size;
	if (!s.packets)
		s.packets = 1;
	s.bytes += (s.packets - 1) * header;
	return s;
}

static __always_inline void watch_key(const struct packet *p, const struct dp_port_copy *port,
				      __u32 window, __u32 how, bool v6, struct dp_record_key *k)
{
	const struct tuple *t = &p->tuple;

	memcpy(k->src, p->src, 16);
	memcpy(k->dst, p->dst, 16);
	k->port = port->id;
	k->window = window;
	k->flags = (__u8)how;
	k->pad[0] = 0;
	k->pad[1] = 0;
	k->source = 0;
	k->destination = 0;
	k->protocol = t->protocol;
	if (t->quoted) { /* it says what an error quotes */
		k->protocol = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	} else if (t->protocol == IPPROTO_TCP || t->protocol == IPPROTO_UDP) {
		k->source = t->source;
		k->destination = t->destination;
	}
}

/* A record that is not there yet; NULL: it finds no place. */
static __always_inline struct dp_record_value *watch_begin(__u32 slot,
							   const struct dp_record_key *k, __u64 now)
{
	struct dp_watch_slot *s = bpf_map_lookup_elem(&watch_slots, &slot);
	struct dp_record_value fresh = {.first = now};
	struct dp_record_value *v = NULL;

	if (!s)
		return NULL;
	if (s->used[k->window & 1] < DP_RECORDS_PER_PORT) {
		/* another processor may have been faster: one of them counts too few places free */
		__sync_fetch_and_add(&s->used[k->window & 1], 1);
		bpf_map_update_elem(&records, k, &fresh, BPF_NOEXIST);
		v = bpf_map_lookup_elem(&records, k);
	}
	if (!v)
		__sync_fetch_and_add(&s->skipped[k->window & 1], 1);
	return v;
}

/* Counts the packet that 'p->tuple' is of, for the port of 'slot'. */
__judged_once int watch_count(struct __sk_buff *skb, struct packet *p, __u32 slot, __u32 how)
{
	const struct dp_port_copy *port = port_get(slot);
	struct dp_record_value *v;
	struct dp_watch_value *w;
	struct dp_record_key key,
		*k = &key; /* the verifier of 6.1 takes a key from the stack alone */
	struct watch_size size;
	__u32 zero = 0;
	__u64 now;
	bool v6;

	w = bpf_map_lookup_elem(&watch, &zero);
	if (!p || !port || !w)
		return 0;
	v6 = ((const __u32 *)p->src)[2] != htonl(0xffff) || ((const __u64 *)p->src)[0];
	watch_key(p, port, *(const volatile __u32 *)&w->window, how, v6, k);
	size = watch_size(skb, p, v6);
	now = bpf_ktime_get_coarse_ns();
	v = bpf_map_lookup_elem(&records, k);
	if (!v)
		v = watch_begin(slot, k, now);
	if (!v)
		return 0;
	__sync_fetch_and_add(&v->packets, size.packets);
	__sync_fetch_and_add(&v->bytes, size.bytes);
	if (k->protocol == IPPROTO_TCP && (v->tcp & p->tuple.tcp) != p->tuple.tcp)
		__sync_fetch_and_or(&v->tcp, p->tuple.tcp);
	v->last = now;
	return 0;
}

/* ---- mirroring ---- */

/* What is asked of each rule. */
struct watch_search {
	const struct packet *p;
	const struct dp_mirror_value *m;
	__u32 source, destination, protocol;
	__u32 skip;   /* sessions that have rejected it, bits */
	__s32 result; /* the session; -1: none yet */
	bool egress, v6, dns;
};

static __always_inline bool watch_in_prefix(const __u8 *a, const __u8 *b, __u32 len)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;
	__u64 high = bpf_be64_to_cpu(x[0] ^ y[0]), low = bpf_be64_to_cpu(x[1] ^ y[1]);

	if (len <= 64)
		return !len || !(high >> (64 - len));
	return !high && !(low >> ((128 - len) & 63));
}

static __always_inline bool watch_rule_is(const struct dp_mirror_rule *r,
					  const struct watch_search *s)
{
	if (r->egress != s->egress || r->v6 != s->v6)
		return false;
	if (r->protocol != DP_MIRROR_PROTOCOL_ANY && r->protocol != s->protocol)
		return false;
	return s->source >= r->src_from && s->source <= r->src_to &&
	       s->destination >= r->dst_from && s->destination <= r->dst_to &&
	       watch_in_prefix(r->src, s->p->src, r->src_len) &&
	       watch_in_prefix(r->dst, s->p->dst, r->dst_len);
}

/* One rule: 1 ends the search. */
static long watch_ask(__u32 i, struct watch_search *s)
{
	const struct dp_mirror_value *m = s->m;
	const struct dp_mirror_rule *r;
	__u32 bit;

	if (!m || i >= DP_MIRROR_RULES || i >= m->n)
		return 1;
	r = &m->rules[i];
	bit = 1U << (r->session & 31);
	if (s->skip & bit || (s->dns && !(m->dns & bit)) || !watch_rule_is(r, s))
		return 0;
	if (r->accept) {
		s->result = r->session;
		return 1;
	}
	s->skip |= bit;
	return 0;
}

/* Hands up a copy, with a note in place of the MACs, which the packet then gets back. */
static __always_inline int watch_copy(struct __sk_buff *skb, const struct packet *p,
				      const struct dp_port_copy *port, __u32 session, bool egress)
{
	struct dp_copy_note note = {
		.magic = DP_COPY_MAGIC,
		.session = (__u8)session,
		.egress = egress,
		.port = {(__u8)(port->id >> 8), (__u8)port->id},
	};
	__u8 macs[12];

	if (bpf_skb_load_bytes(skb, 0, macs, sizeof(macs)))
		return 0;
	memcpy(note.mac, egress ? macs : macs + 6, 6);
	if (bpf_skb_store_bytes(skb, 0, &note, sizeof(note), 0))
		return 0;
	bpf_clone_redirect(skb, config.copy_ifindex, 0);
	return bpf_skb_store_bytes(skb, 0, macs, sizeof(macs), 0) ? -DROP_REWRITE : 0;
}

/* Copies the packet, which is as its node sees it, if a rule of the port says so: 0, or
 * -DROP_REWRITE and there is no packet any more.  'how': WATCH_*. */
enum { WATCH_EGRESS = 1 << 0, WATCH_DNS = 1 << 1 };

__judged_once int watch_mirror(struct __sk_buff *skb, struct packet *p, __u32 slot, __u32 how)
{
	const struct dp_port_copy *port = port_get(slot);
	const struct dp_mirror_value *m = bpf_map_lookup_elem(&mirrors, &slot);
	struct watch_search s = {};

	if (!p || !port || !m || !config.copy_ifindex)
		return 0;
	s.p = p;
	s.m = m;
	s.protocol = p->tuple.protocol;
	if (s.protocol == IPPROTO_TCP || s.protocol == IPPROTO_UDP) {
		s.source = ntohs(p->tuple.source);
		s.destination = ntohs(p->tuple.destination);
	}
	s.egress = how & WATCH_EGRESS;
	s.dns = how & WATCH_DNS;
	s.v6 = skb->protocol == htons(ETH_P_IPV6);
	s.result = -1;
	bpf_loop(DP_MIRROR_RULES, watch_ask, &s, 0);
	return s.result < 0 ? 0 : watch_copy(skb, p, port, (__u32)s.result, how & WATCH_EGRESS);
}

/* ---- who asks ---- */

static __always_inline int watch_tuple(struct __sk_buff *skb, struct packet *p)
{
	return skb->protocol == htons(ETH_P_IPV6) ? tuple_read_v6(skb, p, ETH_HLEN)
						  : tuple_read_v4(skb, p, ETH_HLEN);
}

/* A packet from the node of 'slot', which its groups and ACL have let go. */
__judged_once int watch_leaving(struct __sk_buff *skb, struct packet *p, __u32 slot, __u32 flags)
{
	if (!p || watch_tuple(skb, p))
		return 0;
	if (flags & DP_PORT_LOGGED)
		watch_count(skb, p, slot, DP_RECORD_EGRESS);
	return flags & DP_PORT_MIRRORED ? watch_mirror(skb, p, slot, WATCH_EGRESS) : 0;
}

static __always_inline __u32 watch_flags(__u32 slot)
{
	const struct dp_port_copy *port = port_get(slot);

	return port ? port->flags & (DP_PORT_LOGGED | DP_PORT_MIRRORED) : 0;
}

/* After policy, which has said 'verdict' and, refusing for the receiver, made that 'p->slot'.
 * Returns the verdict, or what became of the packet. */
static __always_inline int watch_out(struct __sk_buff *skb, struct packet *p, __u32 slot,
				     int verdict)
{
	__u32 flags = watch_flags(slot);
	int r;

	if (likely(!flags) || p->copied || (verdict && p->slot == slot))
		return verdict;
	p->keep = false; /* so that the next one comes here, too */
	r = watch_leaving(skb, p, slot, verdict ? flags & DP_PORT_LOGGED : flags);
	return r ? r : verdict;
}

/* A query to the network's resolver: no flow, but something to copy. */
static __always_inline int watch_query(struct __sk_buff *skb, struct packet *p, int verdict)
{
	int r;

	if (verdict != VERDICT_UPCALL || p->ask_kind != DP_NOTE_DNS ||
	    !(watch_flags(p->slot) & DP_PORT_MIRRORED) || watch_tuple(skb, p))
		return verdict;
	r = watch_mirror(skb, p, p->slot, WATCH_EGRESS | WATCH_DNS);
	return r ? r : verdict;
}

static __always_inline bool watch_is_policy(__u32 reason)
{
	return reason == DROP_GROUP_EGRESS || reason == DROP_GROUP_INGRESS ||
	       reason == DROP_ACL_EGRESS || reason == DROP_ACL_INGRESS ||
	       reason == DROP_CONNECTION_STATE || reason == DROP_CONNECTION_LIMIT ||
	       reason == DROP_FRAGMENT;
}

/* A packet that is dropped, for 'p->slot'. */
static __always_inline void watch_refused(struct __sk_buff *skb, struct packet *p, __u32 reason)
{
	bool egress = reason == DROP_GROUP_EGRESS || reason == DROP_ACL_EGRESS;

	if (!watch_is_policy(reason) || !p->slot || p->edge == EDGE_SIDE_INSIDE ||
	    !(watch_flags(p->slot) & DP_PORT_LOGGED))
		return;
	if (!egress && reason != DROP_GROUP_INGRESS && reason != DROP_ACL_INGRESS)
		egress = p->from_node && p->refused_out;
	watch_count(skb, p, p->slot, DP_RECORD_REJECT | (egress ? DP_RECORD_EGRESS : 0));
}

/* ---- into a node ---- */

/* Whether a packet to the node is the network's own: 'true' with '*ret_dns' for the resolver's. */
static __always_inline bool watch_is_service(const struct packet *p,
					     const struct dp_port_copy *port, bool *ret_dns)
{
	const struct tuple *t = &p->tuple;
	const struct dp_subnet_value *s;

	/* no network carries it: the host's own chatter on the link */
	if (p->dst[0] == 0xff || (p->dst[10] == 0xff && p->dst[12] >= 0xe0))
		return true;
	s = subnet_get(p->vni, p->dst);
	if (!s)
		s = subnet_get(p->vni, port->home);
	if (s && equal_16(s->resolver, p->src)) {
		*ret_dns = t->protocol == IPPROTO_UDP && t->source == htons(53);
		return true;
	}
	if (s && equal_16(s->router, p->src))
		return true;
	if (t->protocol == IPPROTO_ICMPV6) /* neighbour discovery: 133 to 137 */
		return (t->subject >> 8 & 0xff) >= 133 && (t->subject >> 8 & 0xff) <= 137;
	return t->protocol == IPPROTO_UDP && (t->source == htons(67) || t->source == htons(547)) &&
	       (t->destination == htons(68) || t->destination == htons(546));
}

/* Fills in whom a frame that its node is about to see is from and for. */
static __always_inline bool watch_addresses(struct __sk_buff *skb, struct packet *p)
{
	__be32 v4[2];

	if (skb->protocol == htons(ETH_P_IPV6))
		return !bpf_skb_load_bytes(skb, ETH_HLEN + 8, p->src, 32);
	if (skb->protocol != htons(ETH_P_IP) || bpf_skb_load_bytes(skb, ETH_HLEN + 12, v4, 8))
		return false;
	map_v4(p->src, v4[0]);
	map_v4(p->dst, v4[1]);
	return true;
}

/* A frame for the node of 'slot': 0, or -DROP_REWRITE. */
static __always_inline int watch_in(struct __sk_buff *skb, struct packet *p, __u32 slot)
{
	const struct dp_port_copy *port = port_get(slot);
	bool dns = false, service;
	__u32 flags;

	if (!port)
		return 0;
	flags = port->flags;
	if (!(flags & (DP_PORT_LOGGED | DP_PORT_MIRRORED)))
		return 0;
	p->slot = slot;
	p->port_id = port->id;
	p->vni = port->vni;
	if (!watch_addresses(skb, p) || watch_tuple(skb, p))
		return 0;
	service = watch_is_service(p, port, &dns);
	if (service && !dns)
		return 0;
	if (flags & DP_PORT_LOGGED && !dns)
		watch_count(skb, p, slot, 0);
	if (!(flags & DP_PORT_MIRRORED))
		return 0;
	return watch_mirror(skb, p, slot, dns ? WATCH_DNS : 0);
}
