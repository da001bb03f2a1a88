/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An edge as the neighbour of those outside, for the networks' IPv6 addresses: what is sent to the
 * groups of solicitations reaches the programs, and an address is advertised by a solicitation of
 * our own, which they answer if it is reached here (bpf/lib/uplink_nd.h).
 */
#include "datapath/bpf_gateway.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "net/csum.h"

enum { ND_SOLICITATION = 135 };

struct solicitation {
	struct dp_note note;
	uint16_t ethertype;
	struct {
		uint32_t version;
		uint16_t size;
		uint8_t next, hop_limit;
		uint8_t src[16], dst[16];
		uint8_t type, code;
		uint16_t checksum;
		uint32_t reserved;
		uint8_t target[16];
	} ip __attribute__((packed, aligned(2)));
};

int bpf_neighbour_hear(const struct bpf_host *h)
{
	struct packet_mreq all = {.mr_ifindex = h->uplink_ifindex, .mr_type = PACKET_MR_ALLMULTI};

	return setsockopt(h->packet_fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all))
		       ? -errno
		       : 0;
}

/* From no address to the target's group (RFC 4291 2.7.1). */
static struct solicitation solicit(const struct ipaddr *target)
{
	struct solicitation s = {
		.note = {.magic = DP_NOTE_MAGIC, .kind = DP_NOTE_ARP, .flags = DP_NOTE_UPLINK},
		.ethertype = htons(ETH_P_IPV6),
		.ip = {.version = htonl(6U << 28),
		       .size = htons(sizeof(s.ip) - 40),
		       .next = IPPROTO_ICMPV6,
		       .hop_limit = 255,
		       .dst = {0xff, 2, [11] = 1, [12] = 0xff},
		       .type = ND_SOLICITATION},
	};
	struct ipaddr src, dst;

	memcpy(s.ip.dst + 13, target->b + 13, 3);
	memcpy(s.ip.target, target->b, 16);
	memcpy(src.b, s.ip.src, 16);
	memcpy(dst.b, s.ip.dst, 16);
	s.ip.checksum =
		csum_fold(csum_add(csum_pseudo(&src, &dst, IPPROTO_ICMPV6, sizeof(s.ip) - 40),
				   &s.ip.type, sizeof(s.ip) - 40));
	return s;
}

int bpf_neighbour_announce(struct datapath *dp, const struct ipaddr *addr)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct solicitation s = solicit(addr);
	struct virtio_net_hdr vnet = {};
	struct iovec parts[] = {{&vnet, sizeof(vnet)}, {&s, sizeof(s)}};

	if (!h->uplink_ifindex)
		return -EOPNOTSUPP;
	if (ipaddr_is_v4(addr))
		return -EAFNOSUPPORT;
	return writev(h->upcall_fd, parts, 2) < 0 ? -errno : 0;
}
