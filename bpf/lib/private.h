/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A private NAT gateway: a port of an edge like that of any node, but what its node would get is
 * translated here and comes back as what that node sends.  So all that is true of nodes is true of
 * it: where its address is, who may reach it, its subnet's ACL and route table, misses, flow logs.
 *
 *	to its handle   from its network: the source becomes its address, with a port (nat.h)
 *	to its address  an answer: the destination becomes the node's again; what none is, is
 *	                dropped
 *
 * Its device is a bridge that has no ports, for a device of its own is all that a port needs.  The
 * port sends what it gets as the router's next hop, which takes a hop from the packet; translation
 * takes none.
 */
#pragma once

#include "bpf/lib/edge.h"
#include "bpf/lib/edge_reset.h"

static __always_inline bool private_is(__u32 slot)
{
	const struct dp_port_copy *port = port_get(slot);

	return port && port->flags & DP_PORT_TRANSLATES;
}

/* The gateway whose address 'addr' is: 0 with it in 'e', or a reason. */
static __always_inline int private_gateway(const struct packet *p, struct edge *e, __be32 addr)
{
	struct dp_mapping_v4_key key = {.vni = p->vni, .addr = addr};
	const struct dp_public_of_value *of = bpf_map_lookup_elem(&publics_of, &key);
	int r = of ? edge_gateway(e, of->handle) : -DROP_HANDLE;

	if (r)
		return r;
	if (e->gateway.kind != DP_HANDLE_PRIVATE)
		return -DROP_HANDLE;
	e->gateway.kind = DP_HANDLE_NAT; /* from here on it is one like others */
	return 0;
}

/* What is left of the header: the hop that translate() has taken is the port's to take.  And an
 * error that the router has answered the gateway comes from the gateway, whose host has its
 * address, as with public ones (edge_answer.h). */
static __always_inline int private_header(struct __sk_buff *skb, const struct packet *p,
					  const struct edge *e, __be32 addr)
{
	struct iphdr *ip = ipv4_get(skb);
	__u64 sum;

	if (!ip)
		return -DROP_REWRITE;
	sum = (__u64)(__u16)~ip->check + htons(0x0100);
	ip->ttl = (__u8)(ip->ttl + 1);
	if (e->kind == EDGE_ERROR && !e->out && subnet_get(p->vni, p->src)) {
		ip = ipv4_get(skb);
		if (!ip)
			return -DROP_REWRITE;
		sum += (__u64)(__u32)~ip->saddr + addr;
		ip->saddr = addr;
	}
	ip->check = (__u16)~fold(sum);
	return 0;
}

/* Translates the packet, or makes it the reset that its sender gets for it: 0 or a reason. */
static __noinline int private_translate(struct __sk_buff *skb, struct packet *p, __be32 addr)
{
	struct iphdr *ip = ipv4_get(skb);
	struct edge *e;
	int r;

	if (!ip)
		return -DROP_MALFORMED;
	e = edge_new(ip->daddr != addr);
	if (!e)
		return -DROP_MALFORMED;
	if (e->out && ip->saddr == addr)
		return -DROP_NO_ROUTE; /* its subnet's table leads back to it */
	r = private_gateway(p, e, addr);
	if (!r)
		r = edge_parse(skb, p, e);
	if (!r)
		r = nat_translate(e);
	if (r == -DROP_CONNECTION_STATE && edge_reset_make(skb, p))
		return 0;
	if (!r)
		r = translate(skb, e);
	if (r)
		return edge_refused(e, r);
	edge_count(skb, e->gateway.row, e->out);
	return private_header(skb, p, e, addr);
}

/* The frame as a node would send it to its router. */
static __noinline int private_frame(struct __sk_buff *skb, const struct packet *p, __u32 slot)
{
	const struct dp_port_copy *port = port_get(slot);
	const struct dp_subnet_value *home;
	__u8 frame[12];

	if (!port || !p)
		return -DROP_NO_PORT;
	home = subnet_get(p->vni, port->home);
	if (!home)
		return -DROP_SOURCE_ADDR;
	memcpy(frame, home->router_mac, 6);
	memcpy(frame + 6, port->mac, 6);
	if (bpf_skb_store_bytes(skb, 0, frame, sizeof(frame), 0))
		return -DROP_REWRITE;
	return (int)bpf_redirect(port->ifindex, BPF_F_INGRESS);
}

/* A packet for the gateway of 'slot': a TC verdict or a reason. */
static __always_inline int private_packet(struct __sk_buff *skb, struct packet *p, __u32 slot)
{
	const struct dp_port_copy *port = port_get(slot);
	const struct ethhdr *eth;
	struct iphdr *ip;
	__be32 addr;
	int r;

	if (!port)
		return -DROP_NO_PORT;
	packet_pull(skb, ETH_HLEN + 60 + sizeof(struct tcphdr));
	ip = ipv4_get(skb);
	if (skb->protocol != htons(ETH_P_IP) || !ip)
		return TC_ACT_OK; /* the kernel's own chatter on a device that leads nowhere */
	eth = (const void *)ethernet_of(ip);
	if (!equal_6(eth->h_dest, port->mac))
		return TC_ACT_OK;
	p->slot = slot;
	p->port_id = port->id;
	p->vni = port->vni;
	memcpy(&addr, port->home + 12, 4);
	r = route_check_header(skb, ip);
	if (!r)
		r = private_translate(skb, p, addr);
	return r ? r : private_frame(skb, p, slot);
}
