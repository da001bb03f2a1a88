/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ports whose record has a VLAN tag (IEEE 802.1Q): their nodes speak with that tag alone, and all
 * other ports without.  The tag ends here: it comes off a frame before anything looks at what is in
 * it, and is put on in program 'delivered', the last to see whatever the node gets, also from the
 * agent.
 *
 * The kernel has taken the tag out of the frame before a program sees it (skb->vlan_tci).  A tag of
 * VLAN 0 says a priority alone, and is none.
 *
 * Such a port takes the full path out, and in by its device, as one that is watched: others pay one
 * look at whether there is a tag.
 */
#pragma once

#include "bpf/lib/packet.h"

enum { VLAN_ID_MASK = 0x0fff };

static __always_inline __u32 vlan_of(const struct dp_port_copy *port)
{
	return port->flags >> DP_PORT_VLAN_SHIFT & VLAN_ID_MASK;
}

/* A frame from the node of 'p->slot', which is without a tag then: 0, or a reason. */
static __always_inline int vlan_take(struct __sk_buff *skb, struct packet *p)
{
	const struct dp_port_copy *port = port_get(p->slot);
	__u32 its = skb->vlan_present ? skb->vlan_tci & VLAN_ID_MASK : 0;

	if (!port)
		return -DROP_NO_PORT;
	if (its != vlan_of(port))
		return -DROP_VLAN;
	p->untagged = its != 0;
	if (likely(!skb->vlan_present))
		return 0;
	if (skb->vlan_proto != htons(ETH_P_8021Q))
		return -DROP_VLAN;
	if (bpf_skb_vlan_pop(skb))
		return -DROP_REWRITE;
	return skb->vlan_present ? -DROP_VLAN : 0; /* one in another is no tag of ours */
}

/* A frame for the node of 'slot': 0, or a reason. */
static __always_inline int vlan_give(struct __sk_buff *skb, __u32 slot)
{
	const struct dp_port_copy *port = port_get(slot);
	__u32 tag = port ? vlan_of(port) : 0;

	if (!tag)
		return 0;
	return bpf_skb_vlan_push(skb, htons(ETH_P_8021Q), (__u16)tag) ? -DROP_REWRITE : 0;
}
