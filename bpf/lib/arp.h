/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ARP (RFC 826) answered on the spot: nodes see a local network, each remote address behind a MAC
 * that is computed from network and address.  An address that does not resolve gets no answer.
 */
#pragma once

#include "bpf/lib/packet.h"
#include "bpf/lib/upcall.h"

struct arp_body { /* Ethernet, IPv4 */
	__be16 hardware, protocol;
	__u8 hardware_size, protocol_size;
	__be16 operation;
	__u8 sender_mac[6];
	__u8 sender[4];
	__u8 target_mac[6];
	__u8 target[4];
} __attribute__((packed));

struct arp_frame {
	__u8 destination[6], source[6];
	__be16 ethertype;
	struct arp_body arp;
} __attribute__((packed));

/* Makes the request into the answer that 'mac' has its target, and sends it back. */
static __always_inline int arp_reply(struct __sk_buff *skb, const struct arp_frame *request,
				     const struct dp_port_copy *port, const __u8 mac[6])
{
	struct arp_frame f = *request;

	memcpy(f.destination, port->mac, 6);
	memcpy(f.source, mac, 6);
	f.arp.operation = htons(ARPOP_REPLY);
	memcpy(f.arp.target_mac, request->arp.sender_mac, 6);
	memcpy(f.arp.target, request->arp.sender, 4);
	memcpy(f.arp.sender_mac, mac, 6);
	memcpy(f.arp.sender, request->arp.target, 4);
	if (bpf_skb_store_bytes(skb, 0, &f, sizeof(f), 0))
		return -DROP_REWRITE;
	return (int)bpf_redirect(port->ifindex, 0);
}

/* Whether the sender is who the port says it is.  A probe (RFC 5227) has no sender address. */
static __always_inline int arp_check_sender(struct packet *p, const struct dp_port_copy *port,
					    const struct arp_body *arp)
{
	__be32 sender, target;

	memcpy(&sender, arp->sender, 4);
	memcpy(&target, arp->target, 4);
	map_v4(p->src, sender);
	map_v4(p->dst, target);
	if (!equal_6(arp->sender_mac, port->mac))
		return -DROP_SOURCE_MAC;
	if (!sender || sender == target)
		return -DROP_ARP_IGNORED;
	if (local_slot(p->vni, p->src) != p->slot)
		return -DROP_SOURCE_ADDR;
	return arp->operation == htons(ARPOP_REQUEST) ? 0 : -DROP_ARP_IGNORED;
}

/* Which MAC the target has: 0 with '*ret', an upcall, or a reason. */
static __always_inline int arp_resolve(struct __sk_buff *skb, struct packet *p, __be32 target,
				       __u8 ret[6])
{
	const struct dp_subnet_value *mine = subnet_get(p->vni, p->src);
	const struct dp_subnet_value *its = subnet_get(p->vni, p->dst);
	const struct dp_mapping_value *m;
	__u32 slot;

	if (!mine || !its || !equal_16(mine->router, its->router))
		return -DROP_ARP_IGNORED;
	if (equal_16(its->router, p->dst) || equal_16(its->resolver, p->dst)) {
		memcpy(ret, its->router_mac, 6);
		return 0;
	}
	substrate_dummy_mac_v4(ret, p->vni, target);
	slot = local_slot(p->vni, p->dst);
	if (slot)
		return slot == p->slot ? -DROP_ARP_IGNORED : 0;
	m = mapping_v4_get(p->vni, target);
	if (!m)
		return upcall(p, DP_NOTE_ARP, p->port_id, 0);
	p->revision = m->revision;
	if (m->state == DP_STATE_LIVE || m->state == DP_STATE_HELD)
		return 0;
	return -DROP_ARP_REFUSED;
}

static __noinline int arp_request(struct __sk_buff *skb, struct packet *p)
{
	const struct dp_port_copy *port = port_get(p->slot);
	struct arp_frame f;
	__u8 mac[8];
	__be32 target;
	int r;

	if (!port || bpf_skb_load_bytes(skb, 0, &f, sizeof(f)))
		return -DROP_MALFORMED;
	if (f.arp.hardware != htons(ARPHRD_ETHER) || f.arp.protocol != htons(ETH_P_IP) ||
	    f.arp.hardware_size != 6 || f.arp.protocol_size != 4)
		return -DROP_MALFORMED;
	r = arp_check_sender(p, port, &f.arp);
	if (r)
		return r;
	memcpy(&target, f.arp.target, 4);
	r = arp_resolve(skb, p, target, mac);
	return r ? r : arp_reply(skb, &f, port, mac);
}
