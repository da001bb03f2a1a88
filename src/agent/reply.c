/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/reply.h"

#include <netinet/in.h>
#include <string.h>

#include "net/csum.h"

enum {
	ETHERTYPE_IPV4 = 0x0800,
	IPV4_VERSION_SHIFT = 4,
	IPV4_SIZE = 20,
	IPV4_FRAGMENT_MASK = 0x3fff, /* more fragments, and the offset */
	UDP_SIZE = 8,
	REPLY_TTL = 64,
};

int reply_parse(const uint8_t *frame, size_t size, struct reply_udp *ret)
{
	struct reply_udp u = {0};
	struct cursor c, ip, udp;
	const uint8_t *header;
	size_t header_size, total_size, udp_size;
	uint8_t first, proto;
	uint16_t fragment;

	cursor_init(&c, frame, size);
	cursor_copy(&c, u.destination_mac.b, sizeof(u.destination_mac.b));
	cursor_copy(&c, u.source_mac.b, sizeof(u.source_mac.b));
	if (cursor_be16(&c) != ETHERTYPE_IPV4 || cursor_left(&c) < IPV4_SIZE)
		return -EBADMSG;
	header = c.at;
	first = cursor_u8(&c);
	header_size = (size_t)(first & 0x0f) * 4;
	cursor_skip(&c, 1);
	total_size = cursor_be16(&c);
	if (first >> IPV4_VERSION_SHIFT != 4 || header_size < IPV4_SIZE ||
	    total_size < header_size + UDP_SIZE || total_size > cursor_left(&c) + 4)
		return -EBADMSG;
	if (csum(header, header_size))
		return -EBADMSG;
	/* What lies behind the packet's own end is Ethernet's padding. */
	cursor_init(&ip, header + 4, total_size - 4);
	cursor_skip(&ip, 2);
	fragment = cursor_be16(&ip);
	cursor_skip(&ip, 1);
	proto = cursor_u8(&ip);
	cursor_skip(&ip, 2);
	u.source = ipaddr_from_v4(cursor_be32(&ip));
	u.destination = ipaddr_from_v4(cursor_be32(&ip));
	if (proto != IPPROTO_UDP || fragment & IPV4_FRAGMENT_MASK)
		return -EBADMSG;
	cursor_skip(&ip, header_size - IPV4_SIZE);
	udp = ip;
	u.source_port = cursor_be16(&udp);
	u.destination_port = cursor_be16(&udp);
	udp_size = cursor_be16(&udp);
	cursor_skip(&udp, 2);
	if (udp_size < UDP_SIZE)
		return -EBADMSG;
	u.size = udp_size - UDP_SIZE;
	u.payload = cursor_take(&udp, u.size);
	if (cursor_error(&c) || cursor_error(&ip) || cursor_error(&udp))
		return -EBADMSG;
	*ret = u;
	return 0;
}

static void reply_put_ipv4(struct buf *b, const struct reply_udp *u, size_t udp_size)
{
	uint8_t header[IPV4_SIZE] = {0x45};
	const size_t total_size = IPV4_SIZE + udp_size;
	uint16_t check;

	header[2] = (uint8_t)(total_size >> 8);
	header[3] = (uint8_t)total_size;
	header[6] = 0x40; /* DF: an answer is never worth fragments */
	header[8] = REPLY_TTL;
	header[9] = IPPROTO_UDP;
	memcpy(header + 12, u->source.b + 12, 4);
	memcpy(header + 16, u->destination.b + 12, 4);
	check = csum(header, sizeof(header));
	memcpy(header + 10, &check, sizeof(check));
	buf_put(b, header, sizeof(header));
}

void reply_build(struct buf *b, const struct reply_udp *u)
{
	const size_t udp_size = UDP_SIZE + u->size;
	uint8_t header[UDP_SIZE];
	uint16_t check;
	uint32_t sum;

	buf_put(b, u->destination_mac.b, sizeof(u->destination_mac.b));
	buf_put(b, u->source_mac.b, sizeof(u->source_mac.b));
	buf_put_be16(b, ETHERTYPE_IPV4);
	reply_put_ipv4(b, u, udp_size);

	header[0] = (uint8_t)(u->source_port >> 8);
	header[1] = (uint8_t)u->source_port;
	header[2] = (uint8_t)(u->destination_port >> 8);
	header[3] = (uint8_t)u->destination_port;
	header[4] = (uint8_t)(udp_size >> 8);
	header[5] = (uint8_t)udp_size;
	header[6] = header[7] = 0;
	sum = csum_pseudo(&u->source, &u->destination, IPPROTO_UDP, (uint32_t)udp_size);
	sum = csum_add(sum, header, sizeof(header));
	check = csum_fold(csum_add(sum, u->payload, u->size));
	if (!check)
		check = 0xffff; /* RFC 768: zero means that there is none */
	memcpy(header + 6, &check, sizeof(check));
	buf_put(b, header, sizeof(header));
	buf_put(b, u->payload, u->size);
}
