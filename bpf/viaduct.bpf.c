// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs of a host, one per attach point.  They are one object because they share tables.
 *
 *	port       tcx ingress of a node's interface on the host: packets from the node
 *	substrate  tcx ingress of the interface to the wire: packets from other hosts
 *	tunnel     tcx ingress of the vxlan and of the geneve device: packets from other hosts
 *	handed     tcx ingress of the upcall device: packets that the agent sends on their way
 *	           again; and of the sealing device: packets from other hosts that were sealed
 *	uplink     tcx ingress of an edge's interface to the world
 *	delivered  tcx egress of the interface of a node that is watched or tagged: packets that it
 *	           is about to get; and of a private NAT gateway, which is no node but this program
 *
 * Where the kernel has no tcx, the same programs are clsact filters; 'port' is one at first everywhere.
 */
#include "bpf/lib/arp.h"
#include "bpf/lib/drop.h"
#include "bpf/lib/edge_answer.h"
#include "bpf/lib/ingress.h"
#include "bpf/lib/ingress_reip4.h"
#include "bpf/lib/private.h"
#include "bpf/lib/route6.h"
#include "bpf/lib/tunnel.h"
#include "bpf/lib/uplink.h"
#include "bpf/lib/vlan.h"

char _license[] SEC("license") = "GPL";

/* By the tunnel device, which wants to know more than a flow keeps, or re-headed on IPv4. */
static __always_inline int port_fast_v4(struct __sk_buff *skb, struct iphdr *ip,
					const struct dp_flow_out *flow)
{
	const struct dp_peer_copy *peer = peer_get(flow->peer);
	__u16 mtu;

	if (!peer)
		return VERDICT_DECLINED;
	counter_tx(skb, flow->stamp.slot, forward_format(skb, ip, flow));
	if (flow->format == FORMAT_REIP4_1)
		return forward_reip4(skb, ip, flow, peer, sizeof(*ip), &mtu);
	return forward_tunnel(skb, ip, flow, peer, sizeof(*ip), &mtu);
}

/* The flow of a packet that is known and needs no judgement: with '*ret_ip', or NULL. */
static __always_inline struct dp_flow_out *port_flow(struct __sk_buff *skb, struct iphdr **ret_ip)
{
	struct iphdr *ip = ipv4_get(skb);
	struct dp_flow_out *flow;

	if (!ip || skb->protocol != htons(ETH_P_IP) || *(const __u8 *)ip != 0x45 ||
	    skb->vlan_present)
		return NULL;
	flow = flow_out_get(&ip->saddr, skb->ifindex);
	if (!flow || !flow_is_valid(&flow->stamp) || !equal_12(ethernet_of(ip), flow->from))
		return NULL;
	if (ip->ttl <= flow->ttl_step || skb->len != ETH_HLEN + ntohs(ip->tot_len) ||
	    !ipv4_sum_is_right(ip))
		return NULL;
	if (flow->judge && unlikely(!policy_recall_out(skb, ip, flow)) &&
	    !policy_hit_out(skb, flow))
		return NULL;
	*ret_ip = ip;
	return flow;
}

/* Sends such a packet on its way: a TC verdict, VERDICT_DECLINED or a reason. */
static __always_inline int port_fast(struct __sk_buff *skb, struct iphdr *ip,
				     const struct dp_flow_out *flow)
{
	__u16 mtu;

	if (unlikely(flow->format >= FORMAT_VXLAN_1)) /* and reip4, and geneve */
		return port_fast_v4(skb, ip, flow);
	counter_tx(skb, flow->stamp.slot, forward_format(skb, ip, flow));
	if (flow->format == FORMAT_NONE)
		return forward_local(skb, ip, flow);
	return forward_rehead(skb, ip, flow, sizeof(*ip), &mtu);
}

/* The flow of a plain IPv6 packet: as port_flow(). */
static __always_inline struct dp_flow_out *port_flow_v6(struct __sk_buff *skb, struct ipv6hdr *ip)
{
	struct dp_flow_out *flow;

	if (ip->version != 6 || skb->vlan_present ||
	    (ip->nexthdr != IPPROTO_TCP && ip->nexthdr != IPPROTO_UDP))
		return NULL;
	flow = flow_out_v6_find(ip, skb->ifindex);
	if (!flow || !flow_is_valid(&flow->stamp) || !equal_12(ethernet_of(ip), flow->from))
		return NULL;
	if (ip->hop_limit <= flow->ttl_step ||
	    skb->len != ETH_HLEN + sizeof(*ip) + ntohs(ip->payload_len))
		return NULL;
	if (flow->judge && unlikely(!policy_recall_out_v6(skb, ip, flow)) &&
	    !policy_hit_out(skb, flow))
		return NULL;
	return flow;
}

/* A packet of a known flow over IPv6: as port_fast(). */
__judged_once int port_fast_v6(struct __sk_buff *skb)
{
	struct ipv6hdr *ip = ipv6_get(skb);
	struct dp_flow_out *flow = ip ? port_flow_v6(skb, ip) : NULL;
	const struct dp_peer_copy *peer;
	__u16 mtu;

	if (!flow)
		return VERDICT_DECLINED;
	if (flow->format == FORMAT_NONE) {
		counter_tx(skb, flow->stamp.slot, flow->format);
		return forward_local_v6(skb, ip, flow);
	}
	if (likely(flow->format == FORMAT_IPIP6_1)) {
		counter_tx(skb, flow->stamp.slot, flow->format);
		return forward_whole_v6(skb, ip, flow, &mtu);
	}
	peer = peer_get(flow->peer);
	if (!peer)
		return VERDICT_DECLINED;
	counter_tx(skb, flow->stamp.slot, flow->format);
	return forward_tunnel_v6(skb, ip, flow, peer, &mtu);
}

static __always_inline int port_protocol(struct __sk_buff *skb, struct packet *p)
{
	switch (skb->protocol) {
	case htons(ETH_P_IP):
		return route_ipv4(skb, p);
	case htons(ETH_P_ARP):
		return arp_request(skb, p);
	case htons(ETH_P_IPV6):
		return route_ipv6(skb, p);
	default:
		return -DROP_PROTOCOL;
	}
}

/* Which port is it?  0 with that in 'p', or a reason. */
static __always_inline int port_identify(const struct __sk_buff *skb, struct packet *p)
{
	const struct dp_port_copy *port;
	__u32 ifindex = skb->ifindex;
	const __u32 *slot = bpf_map_lookup_elem(&port_slots, &ifindex);

	port = slot ? port_get(*slot) : NULL;
	if (!slot || !port)
		return -DROP_NO_PORT;
	p->slot = *slot;
	p->port_id = port->id;
	p->vni = port->vni;
	memcpy(p->node_mac, port->mac, 6);
	return port->flags & DP_PORT_DISABLED ? -DROP_DISABLED : 0;
}

/* Is the frame the node's own?  Then what is in it? */
static __always_inline int port_full(struct __sk_buff *skb, struct packet *p)
{
	const struct ethhdr *eth;
	int r;

	packet_pull(skb, ETH_HLEN);
	eth = packet_data(skb);
	if ((const void *)(eth + 1) > packet_end(skb))
		return -DROP_MALFORMED;
	if (!equal_6(eth->h_source, p->node_mac))
		return -DROP_SOURCE_MAC;
	r = vlan_take(skb, p);
	return r ? r : port_protocol(skb, p);
}

SEC("tc")
int port(struct __sk_buff *skb)
{
	int verdict = VERDICT_DECLINED, r;
	struct dp_flow_out *flow;
	struct iphdr *ip = NULL;
	struct packet *p;

	flow = port_flow(skb, &ip);
	if (likely(flow && ip)) {
		verdict = port_fast(skb, ip, flow);
		if (likely(verdict >= 0 && verdict != VERDICT_DECLINED))
			return verdict;
	} else if (skb->protocol == htons(ETH_P_IPV6)) {
		verdict = port_fast_v6(skb);
		if (likely(verdict >= 0 && verdict != VERDICT_DECLINED))
			return verdict;
	}
	p = packet_new();
	if (!p)
		return TC_ACT_SHOT;
	r = port_identify(skb, p);
	if (r)
		return conclude(skb, p, r);
	if (verdict == VERDICT_DECLINED) {
		p->sent_packets = counter_segments(skb);
		p->sent_bytes = skb->len;
	}
	/* Too big, and untouched so far: the full path knows whom to tell.  Else there is no packet
	 * any more that it could look at. */
	if (verdict == VERDICT_DECLINED || verdict == -DROP_TOO_BIG)
		verdict = port_full(skb, p);
	if (p->sent_packets)
		counter_add_tx(p->slot, p->sent_format, p->sent_packets, p->sent_bytes);
	if (verdict == VERDICT_EDGE)
		verdict = edge_leave(skb, p);
	return edge_conclude(skb, p, verdict);
}

/* What groups and ACL say about a packet of the flow without the full path being asked. */
static __always_inline bool substrate_passes(struct __sk_buff *skb, const struct ipv6hdr *ip6,
					     struct dp_flow_in *flow)
{
	struct policy_ports t;

	return !flow->judge || (policy_ports_in(skb, ip6, &t) && policy_recall_in(flow, &t)) ||
	       policy_hit_in(skb, flow, siit_v4(flow->dst), siit_v4(flow->src));
}

/* The flow of a packet that has IPv6 inside and passes, or NULL. */
static __noinline struct dp_flow_in *substrate_flow_v6(struct __sk_buff *skb, __u32 seal,
						       __u32 peer)
{
	const struct ipv6hdr *outer, *inner;
	struct dp_flow_in *flow;
	struct policy_ports t;

	packet_pull(skb, ETH_HLEN + 2 * sizeof(*inner) + sizeof(struct tcphdr));
	outer = ipv6_get(skb);
	inner = outer + 1;
	if (!outer || (void *)(inner + 1) > packet_end(skb) || inner->version != 6)
		return NULL;
	flow = flow_in_v6_find(outer, inner);
	if (!flow || !flow_is_valid(&flow->stamp) ||
	    !flow_accepts(flow, (__u8)seal, peer, FORMAT_IPIP6_1))
		return NULL;
	if (ntohs(outer->payload_len) != sizeof(*inner) + ntohs(inner->payload_len) ||
	    skb->len != ETH_HLEN + sizeof(*outer) + ntohs(outer->payload_len))
		return NULL;
	if (!flow->judge ||
	    (policy_ports_get(skb, inner + 1, inner->nexthdr, &t) && policy_recall_in(flow, &t)))
		return flow;
	return policy_hit_in(skb, flow, 0, 0) ? flow : NULL;
}

/* As substrate_fast(), below. */
static __always_inline int substrate_fast_v6(struct __sk_buff *skb, __u8 seal, __u32 peer,
					     const struct dp_flow_in **ret_flow)
{
	const struct dp_flow_in *flow = substrate_flow_v6(skb, seal, peer);
	int r;

	if (!flow)
		return VERDICT_DECLINED;
	*ret_flow = flow;
	r = ipip6_decode(skb, false);
	return r ? r : ingress_give_v6(skb, flow, FORMAT_IPIP6_1);
}

/* A packet of a known flow, which is in '*ret_flow' unless it declines. */
static __always_inline int substrate_fast(struct __sk_buff *skb, struct ipv6hdr *ip6, __u8 seal,
					  __u32 peer, const struct dp_flow_in **ret_flow)
{
	struct dp_flow_in *flow = flow_in_find(ip6);
	bool layout_1;
	__u8 format;

	if (!flow || !flow_is_valid(&flow->stamp))
		return ip6->nexthdr == IPPROTO_IPIP6 ? substrate_fast_v6(skb, seal, peer, ret_flow)
						     : VERDICT_DECLINED;
	layout_1 = substrate_version(flow->dst) == SUBSTRATE_VERSION_SIIT_1;
	if (ip6->nexthdr == IPPROTO_IPIP)
		format = FORMAT_IPIP6_1;
	else if (substrate_can_rehead(ip6->nexthdr))
		format = layout_1 ? FORMAT_SIIT_1 : FORMAT_SIIT_2;
	else
		return VERDICT_DECLINED;
	if (!flow_accepts(flow, seal, peer, format) ||
	    skb->len != ETH_HLEN + sizeof(*ip6) + ntohs(ip6->payload_len) ||
	    !substrate_passes(skb, ip6, flow))
		return VERDICT_DECLINED;
	*ret_flow = flow;
	return ingress_deliver(skb, ip6, flow, layout_1, true);
}

/* Whose a known flow's packet is that was not delivered. */
static __always_inline void substrate_name(struct packet *p, const struct dp_flow_in *flow)
{
	p->slot = flow->stamp.slot;
	p->to_vni = substrate_vni(flow->dst); /* or what is written as such */
}

/* IPv4 for one of our labels. */
static __noinline int substrate_labelled(struct __sk_buff *skb)
{
	int verdict = reip4_fast(skb, 0, 0);
	struct packet *p;

	if (likely(verdict >= 0 && verdict < VERDICT_UPCALL))
		return verdict;
	p = packet_new();
	if (!p)
		return TC_ACT_SHOT;
	if (verdict == VERDICT_DECLINED)
		verdict = reip4_packet(skb, p);
	return conclude(skb, p, verdict);
}

static __always_inline bool substrate_is_label(struct __sk_buff *skb)
{
	const struct iphdr *ip;

	if (!config.labels_mask || skb->pkt_type != PACKET_HOST)
		return false;
	packet_pull(skb, ETH_HLEN + sizeof(*ip));
	ip = ipv4_get(skb);
	return ip && reip4_is_ours(ip->daddr);
}

/* What the fast path did not deliver. */
static __noinline int substrate_rest(struct __sk_buff *skb, const struct dp_flow_in *flow,
				     int verdict)
{
	struct packet *p = packet_new();

	if (!p)
		return TC_ACT_SHOT;
	if (flow)
		substrate_name(p, flow);
	if (verdict == VERDICT_DECLINED)
		verdict = ingress_packet(skb, p);
	if (verdict == VERDICT_EDGE)
		verdict = edge_leave(skb, p);
	return edge_conclude(skb, p, verdict);
}

SEC("tc")
int substrate(struct __sk_buff *skb)
{
	struct ipv6hdr *ip6 = ipv6_get(skb);
	const struct dp_flow_in *flow = NULL;
	int verdict;

	if (skb->protocol == htons(ETH_P_IP))
		return substrate_is_label(skb) ? substrate_labelled(skb) : TC_ACT_UNSPEC;
	if (skb->protocol != htons(ETH_P_IPV6) || skb->pkt_type != PACKET_HOST)
		return TC_ACT_UNSPEC;
	if (!ip6) {
		packet_pull(skb, ETH_HLEN + sizeof(*ip6));
		ip6 = ipv6_get(skb);
	}
	if (!ip6 || ingress_layout((const __u8 *)&ip6->daddr) == FORMAT_NONE)
		return TC_ACT_UNSPEC;
	verdict = substrate_fast(skb, ip6, 0, 0, &flow);
	/* A restored packet for a gateway may be one of a flow that the edge knows. */
	if (verdict == VERDICT_EDGE && flow) {
		verdict = edge_flow_out(skb, substrate_vni(flow->dst));
		if (verdict == VERDICT_DECLINED)
			verdict = VERDICT_EDGE;
	}
	if (likely(verdict >= 0 && verdict < VERDICT_UPCALL))
		return verdict;
	return substrate_rest(skb, flow, verdict);
}

SEC("tc")
int tunnel(struct __sk_buff *skb)
{
	struct packet *p = packet_new();
	struct dp_locator_key key = {};
	__u32 *id;
	int r;

	if (!p)
		return TC_ACT_SHOT;
	p->in.format = FORMAT_VXLAN_1;
	r = encap_remote(skb, &key, &p->vni);
	if (!r && skb->ifindex == config.geneve_ifindex)
		r = geneve_read(skb, p);
	if (!r) {
		id = bpf_map_lookup_elem(&locators, &key);
		r = tunnel_packet(skb, p, id ? *id : 0);
	}
	if (r == VERDICT_EDGE)
		r = edge_leave(skb, p);
	return edge_conclude(skb, p, r);
}

static __always_inline int upcalls_tunnel(struct __sk_buff *skb, struct packet *p,
					  const struct dp_note_tunnel *note)
{
	p->in.format = note->format ? note->format : FORMAT_VXLAN_1;
	p->in.src_vni = geneve_get_vni(note->src_vni);
	p->seal_peer = (__u32)note->peer[0] << 8 | note->peer[1];
	return tunnel_packet(skb, p, p->seal_peer);
}

/* The packet of a note, sent on its way as though it had just come from where it came from. */
static __always_inline int upcalls_packet(struct __sk_buff *skb, struct packet *p)
{
	const struct dp_port_copy *port;
	struct dp_note note;
	__u32 slot;
	__be32 id;

	if (bpf_skb_load_bytes(skb, 0, &note, sizeof(note)) || note.magic != DP_NOTE_MAGIC)
		return -DROP_NOTE;
	memcpy(&id, note.id, 4);
	id = ntohl(id);
	p->injected = true;
	p->vni = (__u32)note.vni[0] << 16 | (__u32)note.vni[1] << 8 | note.vni[2];
	bpf_skb_change_type(skb, PACKET_HOST);
	if (note.flags & DP_NOTE_UPLINK)
		return config.uplink_ifindex ? uplink_packet(skb, p) : -DROP_NOTE;
	p->seal = note.flags >> DP_NOTE_SEAL_SHIFT & (SEAL_CIPHERS - 1);
	p->seal_peer = id;
	if (note.kind == DP_NOTE_VERIFY && (note.flags & DP_NOTE_TUNNEL))
		return upcalls_tunnel(skb, p, (const struct dp_note_tunnel *)&note);
	if (note.kind == DP_NOTE_VERIFY)
		return skb->protocol == htons(ETH_P_IP) ? reip4_packet(skb, p)
							: ingress_packet(skb, p);
	slot = (__u32)note.slot[0] << 8 | note.slot[1];
	port = port_get(slot);
	if (!port || port->id != id || (port->vni != p->vni && !(note.flags & DP_NOTE_OTHER)))
		return -DROP_NOTE;
	p->vni = port->vni;
	p->slot = slot;
	p->port_id = id;
	p->routed = note.flags & DP_NOTE_ROUTED;
	p->copied = note.flags & DP_NOTE_COPY;
	memcpy(p->node_mac, port->mac, 6);
	return port_protocol(skb, p);
}

SEC("tc")
int uplink(struct __sk_buff *skb)
{
	struct packet *p;
	int verdict;

	if (!config.uplink_ifindex)
		return TC_ACT_UNSPEC;
	if (skb->protocol == htons(ETH_P_ARP))
		return uplink_arp(skb);
	if (skb->pkt_type == PACKET_MULTICAST)
		return uplink_multicast(skb);
	if (skb->pkt_type != PACKET_HOST)
		return TC_ACT_UNSPEC;
	verdict = skb->protocol == htons(ETH_P_IP) ? edge_flow_in(skb) : VERDICT_DECLINED;
	if (likely(verdict >= 0 && verdict != VERDICT_DECLINED))
		return verdict;
	if (verdict == VERDICT_DECLINED && !uplink_is_ours(skb))
		return TC_ACT_UNSPEC;
	p = packet_new();
	if (!p)
		return TC_ACT_SHOT;
	if (verdict == VERDICT_DECLINED)
		verdict = uplink_packet(skb, p);
	return edge_conclude(skb, p, verdict);
}

/* A known flow's packet that was sealed. */
static __always_inline int opened_fast(struct __sk_buff *skb, struct packet *p)
{
	const struct dp_flow_in *flow = NULL;
	struct ipv6hdr *ip6;
	int verdict;

	if (skb->protocol == htons(ETH_P_IP))
		return reip4_fast(skb, p->seal, p->seal_peer);
	ip6 = ipv6_get(skb);
	if (!ip6)
		return VERDICT_DECLINED;
	verdict = substrate_fast(skb, ip6, p->seal, p->seal_peer, &flow);
	if (flow)
		substrate_name(p, flow);
	return verdict;
}

/* What it is, by the note: as the programs of the substrate and of the tunnel do. */
static __always_inline int opened_packet(struct __sk_buff *skb, struct packet *p)
{
	struct seal_note note;
	__be32 id;
	int verdict;

	if (bpf_skb_load_bytes(skb, 0, &note, sizeof(note)) || note.magic != SEAL_NOTE_MAGIC ||
	    !(note.seal & (SEAL_CIPHERS - 1)))
		return -DROP_NOTE;
	memcpy(&id, note.id, 4);
	p->seal = note.seal;
	p->seal_peer = ntohl(id);
	bpf_skb_change_type(skb, PACKET_HOST);
	packet_pull(skb, ETH_HLEN + sizeof(struct ipv6hdr));
	if (note.kind == SEAL_NOTE_TUNNEL) {
		p->vni = (__u32)note.vni[0] << 16 | (__u32)note.vni[1] << 8 | note.vni[2];
		p->in.format = FORMAT_VXLAN_1;
		return tunnel_packet(skb, p, p->seal_peer);
	}
	verdict = opened_fast(skb, p);
	if (verdict != VERDICT_DECLINED)
		return verdict;
	return skb->protocol == htons(ETH_P_IP) ? reip4_packet(skb, p) : ingress_packet(skb, p);
}

/* One program, for what both lead to is most of it, and the kernel judges that once. */
SEC("tc")
int handed(struct __sk_buff *skb)
{
	struct packet *p = packet_new();
	int verdict;

	if (!p)
		return TC_ACT_SHOT;
	verdict = skb->ifindex == config.seal_ifindex ? opened_packet(skb, p)
						      : upcalls_packet(skb, p);
	if (verdict == VERDICT_EDGE)
		verdict = edge_leave(skb, p);
	return edge_conclude(skb, p, verdict);
}

SEC("tc")
int delivered(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;
	const __u32 *slot = bpf_map_lookup_elem(&port_slots, &ifindex);
	struct packet *p;
	int r;

	if (!slot)
		return TC_ACT_UNSPEC;
	p = packet_new();
	if (!p)
		return TC_ACT_SHOT;
	r = watch_in(skb, p, *slot);
	if (!r && private_is(*slot)) {
		r = private_packet(skb, p, *slot);
		return r < 0 ? refuse(skb, p, (__u32)-r) : r;
	}
	if (!r)
		r = vlan_give(skb, *slot);
	return r ? refuse(skb, p, (__u32)-r) : TC_ACT_UNSPEC;
}
