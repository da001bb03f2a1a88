/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node sends: whether it may be its own, what is answered on the spot (ARP, RFC 826: with
 * the made-up MAC of the address, or the router's), and what the agent answers.
 */
#include "datapath/fake_verdict.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdlib.h>
#include <string.h>

#include "abi/substrate.h"

enum {
	DHCP_SERVER_PORT = 67,
	DHCP6_SERVER_PORT = 547,
	DNS_PORT = 53,
};

struct arp {
	struct ether_header ethernet;
	struct ether_arp arp;
} __attribute__((packed));

static enum fake_verdict arp_answer(struct fake_host *h, struct fake_port *port,
				    const struct fake_flight *p, const uint8_t mac[6],
				    uint32_t *ret_reason)
{
	struct arp answer;
	struct fake_flight out = *p;

	memcpy(&answer, p->frame, sizeof(answer));
	memcpy(answer.ethernet.ether_dhost, port->dp.mac.b, 6);
	memcpy(answer.ethernet.ether_shost, mac, 6);
	answer.arp.arp_op = htons(ARPOP_REPLY);
	memcpy(answer.arp.arp_tha, port->dp.mac.b, 6);
	memcpy(answer.arp.arp_tpa, p->src.b + 12, 4);
	memcpy(answer.arp.arp_sha, mac, 6);
	memcpy(answer.arp.arp_spa, p->dst.b + 12, 4);
	out.frame = (const uint8_t *)&answer;
	out.size = sizeof(answer);
	return fake_to_node(h, port, &out, ret_reason);
}

static enum fake_verdict arp(struct fake_host *h, struct fake_port *port, struct fake_flight *p,
			     uint32_t *ret_reason)
{
	const struct arp *a = (const struct arp *)p->frame;
	const struct dp_subnet *subnet;
	const struct dp_mapping *m;
	uint8_t mac[6];
	__be32 v4;

	if (p->size < sizeof(*a))
		return fake_refuse(h, port, p, DROP_MALFORMED, ret_reason);
	p->src = ipaddr_from_v4(ntohl(*(const uint32_t *)a->arp.arp_spa));
	p->dst = ipaddr_from_v4(ntohl(*(const uint32_t *)a->arp.arp_tpa));
	subnet = fake_subnet_find(h, p->vni, &p->dst);
	if (a->arp.arp_op != htons(ARPOP_REQUEST) || !subnet || ipaddr_equal(&p->src, &p->dst) ||
	    fake_port_by_addr(h, p->vni, &p->dst) == port)
		return fake_refuse(h, port, p, DROP_ARP_IGNORED, ret_reason);
	if (fake_port_by_addr(h, p->vni, &p->src) != port)
		return fake_refuse(h, port, p, DROP_SOURCE_ADDR, ret_reason);
	if (ipaddr_equal(&subnet->router, &p->dst))
		return arp_answer(h, port, p, subnet->router_mac.b, ret_reason);
	m = fake_mapping_find(h, p->vni, &p->dst);
	if (!m && !fake_port_by_addr(h, p->vni, &p->dst))
		return fake_hold(h, port, p, DP_UPCALL_ARP, ret_reason);
	if (m && (m->state == DP_MAPPING_REFUSED || m->state == DP_MAPPING_GONE))
		return fake_refuse(h, port, p, DROP_ARP_REFUSED, ret_reason);
	memcpy(&v4, p->dst.b + 12, 4);
	substrate_dummy_mac_v4(mac, p->vni, v4);
	return arp_answer(h, port, p, mac, ret_reason);
}

/* Fills in what the verdicts need of an IPv4 packet; false: it is malformed. */
bool fake_parse_ip(struct fake_flight *p)
{
	struct iphdr ip;
	size_t at;

	if (p->size < sizeof(struct ether_header) + sizeof(ip))
		return false;
	memcpy(&ip, p->frame + sizeof(struct ether_header), sizeof(ip));
	if (ip.version != 4 || ip.ihl < 5 ||
	    ntohs(ip.tot_len) > p->size - sizeof(struct ether_header))
		return false;
	p->src = ipaddr_from_v4(ntohl(ip.saddr));
	p->dst = ipaddr_from_v4(ntohl(ip.daddr));
	p->protocol = ip.protocol;
	at = sizeof(struct ether_header) + ip.ihl * 4U;
	if (at > p->size)
		return false;
	fake_tuple_read(&p->tuple, ip.protocol, p->frame + at, p->size - at);
	if (ip.protocol == IPPROTO_UDP)
		p->destination_port = p->tuple.destination;
	return true;
}

/* Of IPv6 the fake one knows what comes up to the agent alone: router solicitations and DHCPv6. */
static enum fake_verdict configure6(struct fake_host *h, struct fake_port *port,
				    struct fake_flight *p, uint32_t *ret_reason)
{
	const uint8_t *upper = p->frame + sizeof(struct ether_header) + sizeof(struct ip6_hdr);
	struct ip6_hdr ip;

	if (p->size < sizeof(struct ether_header) + sizeof(ip) + 4)
		return fake_refuse(h, port, p, DROP_MALFORMED, ret_reason);
	memcpy(&ip, p->frame + sizeof(struct ether_header), sizeof(ip));
	memcpy(p->src.b, &ip.ip6_src, sizeof(p->src.b));
	memcpy(p->dst.b, &ip.ip6_dst, sizeof(p->dst.b));
	if ((ip.ip6_nxt == IPPROTO_ICMPV6 && upper[0] == ND_ROUTER_SOLICIT) ||
	    (ip.ip6_nxt == IPPROTO_UDP && (upper[2] << 8 | upper[3]) == DHCP6_SERVER_PORT))
		return fake_hold(h, port, p, DP_UPCALL_CONFIGURE6, ret_reason);
	return fake_refuse(h, port, p, DROP_MULTICAST, ret_reason);
}

static enum fake_verdict from_node_plain(struct fake_host *h, struct fake_port *port,
					 struct fake_flight *p, uint32_t *ret_reason)
{
	const struct ether_header *e = (const struct ether_header *)p->frame;
	const struct dp_subnet *own;

	if (e->ether_type == htons(ETHERTYPE_ARP))
		return arp(h, port, p, ret_reason);
	if (e->ether_type == htons(ETHERTYPE_IPV6))
		return configure6(h, port, p, ret_reason);
	if (e->ether_type != htons(ETHERTYPE_IP))
		return fake_refuse(h, port, p, DROP_PROTOCOL, ret_reason);
	if (!fake_parse_ip(p))
		return fake_refuse(h, port, p, DROP_MALFORMED, ret_reason);
	if (p->protocol == IPPROTO_UDP && p->destination_port == DHCP_SERVER_PORT)
		return fake_hold(h, port, p, DP_UPCALL_DHCP, ret_reason);
	p->home = p->src;
	if (fake_port_by_addr(h, p->vni, &p->src) != port) {
		if (!port->dp.forwards || !port->dp.handle || !port->dp.n_addrs)
			return fake_refuse(h, port, p, DROP_SOURCE_ADDR, ret_reason);
		p->src_vni = port->dp.handle;
		p->home = port->dp.addrs[0];
	}
	if (ipaddr_v4(&p->dst) == INADDR_BROADCAST)
		return fake_refuse(h, port, p, DROP_BROADCAST, ret_reason);
	own = fake_subnet_find(h, p->vni, &p->home);
	if (own && p->destination_port == DNS_PORT && ipaddr_equal(&own->resolver, &p->dst))
		return fake_hold(h, port, p, DP_UPCALL_DNS, ret_reason);
	return fake_route(h, port, p, ret_reason);
}

/* The VLAN tag of the port's record comes off; another one, or none where it has one, is
 * refused. */
static enum fake_verdict from_node_tagged(struct fake_host *h, struct fake_port *port,
					  struct fake_flight *p, uint32_t *ret_reason)
{
	const size_t macs = 2 * ETHER_ADDR_LEN, tag = 4;
	_cleanup_free_ uint8_t *plain = NULL;

	if (p->size < sizeof(struct ether_header) + tag || !port->dp.vlan ||
	    ((p->frame[macs + 2] << 8 | p->frame[macs + 3]) & 0xfff) != port->dp.vlan)
		return fake_refuse(h, port, p, DROP_VLAN, ret_reason);
	plain = malloc(p->size - tag);
	if (!plain)
		return fake_refuse(h, port, p, DROP_REWRITE, ret_reason);
	memcpy(plain, p->frame, macs);
	memcpy(plain + macs, p->frame + macs + tag, p->size - macs - tag);
	p->frame = plain;
	p->size -= tag;
	return from_node_plain(h, port, p, ret_reason);
}

enum fake_verdict fake_from_node(struct fake_host *h, struct fake_port *port, struct fake_flight *p,
				 uint32_t *ret_reason)
{
	const struct ether_header *e = (const struct ether_header *)p->frame;

	if (port->dp.disabled)
		return fake_refuse(h, port, p, DROP_DISABLED, ret_reason);
	if (p->size < sizeof(*e))
		return fake_refuse(h, port, p, DROP_MALFORMED, ret_reason);
	if (memcmp(e->ether_shost, port->dp.mac.b, 6))
		return fake_refuse(h, port, p, DROP_SOURCE_MAC, ret_reason);
	if (e->ether_type == htons(ETHERTYPE_VLAN))
		return from_node_tagged(h, port, p, ret_reason);
	if (port->dp.vlan)
		return fake_refuse(h, port, p, DROP_VLAN, ret_reason);
	return from_node_plain(h, port, p, ret_reason);
}
