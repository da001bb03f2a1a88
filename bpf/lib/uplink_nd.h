/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Neighbour solicitations on the uplink for the networks' addresses (RFC 4861 7.2.8): the edge by
 * which an address is reached answers with the uplink's MAC, so that the routers outside may have
 * the networks' blocks on link, whichever of several edges has their gateways.
 *
 * It does for an address that somebody has, in a subnet whose table leads to the world by it;
 * 2000::, where the global addresses begin, stands for the world.  Where the address is, if
 * anywhere, is a mapping like others: the solicitation waits for it.
 *
 * What is to be advertised unsolicited (7.2.6) the agent asks for here, from no address.  Such a
 * solicitation from outside looks for duplicates, and gets no answer.
 */
#pragma once

#include "bpf/lib/edge6.h"
#include "bpf/lib/nd.h"

enum {
	ND_OPTION_SOURCE_MAC = 1,
	ND_ASKED_MIN = 24, /* the message without options */
	ND_ASKED_MAX = 64,
};

/* A solicitation from its IPv6 addresses on; behind its end are zeros. */
struct nd_asked {
	__u8 src[16], dst[16];
	__u8 type, code;
	__u16 checksum;
	__be32 reserved;
	__u8 target[16];
	__u8 options[ND_ASKED_MAX - ND_ASKED_MIN];
};

static __always_inline bool nd_is_solicitation(struct __sk_buff *skb)
{
	__u8 next, type;

	return !bpf_skb_load_bytes(skb, ETH_HLEN + __builtin_offsetof(struct ipv6hdr, nexthdr),
				   &next, 1) &&
	       next == IPPROTO_ICMPV6 &&
	       !bpf_skb_load_bytes(skb, ETH_HLEN + sizeof(struct ipv6hdr), &type, 1) &&
	       type == ND_SOLICITATION;
}

/* Is it for an address of a network? */
static __always_inline bool nd_is_ours(struct __sk_buff *skb)
{
	__u8 target[16];

	return nd_is_solicitation(skb) &&
	       !bpf_skb_load_bytes(skb, ETH_HLEN + sizeof(struct ipv6hdr) + 8, target, 16) &&
	       edge6_network(target);
}

/* The size of the solicitation in 'p->work', or 0: it is none (RFC 4861 7.1.1). */
static __noinline __u32 nd_read(struct __sk_buff *skb, struct packet *p)
{
	struct nd_asked *asked = (struct nd_asked *)p->work;
	const struct ipv6hdr *ip = ipv6_get(skb);
	__u32 size, sum;

	if (!ip || ip->hop_limit != 255)
		return 0;
	size = ntohs(ip->payload_len);
	if (size < ND_ASKED_MIN || size > ND_ASKED_MAX || size % 8)
		return 0;
	memset(asked, 0, sizeof(*asked));
	if (bpf_skb_load_bytes(skb, ETH_HLEN + __builtin_offsetof(struct ipv6hdr, saddr), asked,
			       32 + size))
		return 0;
	sum = (__u32)bpf_csum_diff(NULL, 0, (__be32 *)asked, sizeof(*asked),
				   htonl(size) + htonl(IPPROTO_ICMPV6));
	return fold(sum) == 0xffff && !asked->code ? size : 0;
}

/* Who asks: by the option, or else by the frame, unless that is a note.  False: nobody does. */
static __noinline bool nd_asker(struct __sk_buff *skb, const struct packet *p, __u32 size,
				__u8 ret[8])
{
	const struct nd_asked *asked = (const struct nd_asked *)p->work;
	__u32 next = 0;

	if (!ret)
		return false;
#pragma unroll
	for (__u32 at = 0; at < sizeof(asked->options); at += 8) {
		if (at != next || at + ND_ASKED_MIN >= size)
			continue;
		if (!asked->options[at + 1])
			return false;
		if (asked->options[at] == ND_OPTION_SOURCE_MAC && asked->options[at + 1] == 1) {
			memcpy(ret, asked->options + at + 2, 6);
			return true;
		}
		next += (__u32)asked->options[at + 1] * 8;
	}
	return !p->injected && !bpf_skb_load_bytes(skb, 6, ret, 6);
}

/* Does the way from 'p->dst' to the world, 'p->src', lead by this edge? */
static __always_inline bool nd_is_served(struct packet *p)
{
	const struct dp_subnet_value *subnet = subnet_get(p->vni, p->dst);
	const struct dp_route_value *w = subnet ? way_get(subnet->table, p->src) : NULL;
	struct edge *e = edge_get();

	if (!w || !e || (w->target != DP_WAY_INTERFACE && w->peer))
		return false;
	return !edge6_gateway_back(p, e);
}

/* Does somebody have 'p->dst'?  0, an upcall if it was 'asked' for, or a reason. */
static __always_inline int nd_is_somewhere(struct packet *p, bool asked)
{
	const struct dp_mapping_value *m;

	if (local_slot(p->vni, p->dst))
		return 0;
	m = mapping_v6_get(p->vni, p->dst);
	if (!m)
		return asked ? upcall(p, DP_NOTE_ARP, 0, DP_NOTE_UPLINK) : -DROP_ND_IGNORED;
	p->revision = m->revision;
	return m->state == DP_STATE_LIVE || m->state == DP_STATE_HELD ? 0 : -DROP_ND_REFUSED;
}

/* A solicitation, on the uplink or written back by the agent. */
__judged_once int uplink_solicitation(struct __sk_buff *skb, struct packet *p)
{
	__u8 to[8] = {0x33, 0x33, 0, 0, 0, 1}, mac[8];
	__u8 asker[16] __attribute__((aligned(8)));
	__u32 size, flags = ND_FLAG_SOLICITED;
	bool asked;
	int r;

	if (!p || !edge_new(false))
		return -DROP_MALFORMED;
	size = nd_read(skb, p);
	if (!size)
		return -DROP_ND_IGNORED;
	memcpy(asker, ((const struct nd_asked *)p->work)->src, 16);
	memcpy(p->dst, ((const struct nd_asked *)p->work)->target, 16);
	asked = !ipv6_is_zero(asker);
	if (asked ? !nd_asker(skb, p, size, to) : !p->injected)
		return -DROP_ND_IGNORED;
	p->vni = edge6_network(p->dst);
	memset(p->src, 0, 16);
	p->src[0] = 0x20;
	if (!p->vni || !nd_is_served(p))
		return -DROP_ND_IGNORED;
	if (!asked) { /* all nodes */
		flags = ND_FLAG_OVERRIDE;
		asker[0] = 0xff;
		asker[1] = 2;
		asker[15] = 1;
	}
	memcpy(p->src, asker, 16);
	r = nd_is_somewhere(p, asked);
	if (r)
		return r;
	memcpy(mac, (const void *)config_locator(config.uplink_mac), 6);
	return nd_advertise(skb, p, config.uplink_ifindex, to, mac, flags);
}
