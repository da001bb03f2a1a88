/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/reply6.h"

#include <netinet/in.h>
#include <string.h>

#include "net/csum.h"

enum {
	ETHERTYPE_IPV6 = 0x86dd,
	UDP_SIZE = 8,
	ICMP6_CHECKSUM_AT = 2,
	ICMP6_MIN = 4,
};

static void read_udp(struct cursor *c, struct reply6 *r)
{
	size_t size;

	r->source_port = cursor_be16(c);
	r->destination_port = cursor_be16(c);
	size = cursor_be16(c);
	cursor_skip(c, 2);
	if (size < UDP_SIZE) {
		cursor_fail(c);
		return;
	}
	r->size = size - UDP_SIZE;
	r->payload = cursor_take(c, r->size);
}

int reply6_parse(const uint8_t *frame, size_t size, struct reply6 *ret)
{
	struct reply6 r = {0};
	struct cursor c, body;
	uint16_t payload_size;

	cursor_init(&c, frame, size);
	cursor_copy(&c, r.destination_mac.b, sizeof(r.destination_mac.b));
	cursor_copy(&c, r.source_mac.b, sizeof(r.source_mac.b));
	if (cursor_be16(&c) != ETHERTYPE_IPV6 || cursor_be32(&c) >> 28 != 6)
		return -EBADMSG;
	payload_size = cursor_be16(&c);
	r.protocol = cursor_u8(&c);
	r.hop_limit = cursor_u8(&c);
	cursor_copy(&c, r.source.b, sizeof(r.source.b));
	cursor_copy(&c, r.destination.b, sizeof(r.destination.b));
	/* What lies behind the packet's own end is Ethernet's padding. */
	body = cursor_sub(&c, payload_size);
	if (cursor_error(&c))
		return -EBADMSG;
	if (r.protocol == IPPROTO_UDP) {
		read_udp(&body, &r);
	} else if (r.protocol == IPPROTO_ICMPV6 && payload_size >= ICMP6_MIN) {
		r.payload = cursor_take(&body, payload_size);
		r.size = payload_size;
	} else {
		return -EBADMSG;
	}
	if (cursor_error(&body))
		return -EBADMSG;
	*ret = r;
	return 0;
}

static void put_udp(struct buf *b, const struct reply6 *r)
{
	const uint16_t size = (uint16_t)(UDP_SIZE + r->size);
	const uint8_t header[6] = {
		(uint8_t)(r->source_port >> 8),
		(uint8_t)r->source_port,
		(uint8_t)(r->destination_port >> 8),
		(uint8_t)r->destination_port,
		(uint8_t)(size >> 8),
		(uint8_t)size,
	};
	uint32_t sum = csum_pseudo(&r->source, &r->destination, IPPROTO_UDP, size);
	uint16_t check;

	sum = csum_add(sum, header, sizeof(header));
	check = csum_fold(csum_add(sum, r->payload, r->size));
	if (!check)
		check = 0xffff; /* RFC 8200 8.1: over IPv6 there always is one */
	buf_put(b, header, sizeof(header));
	buf_put(b, &check, sizeof(check));
	buf_put(b, r->payload, r->size);
}

static void put_icmp(struct buf *b, const struct reply6 *r)
{
	uint32_t sum = csum_pseudo(&r->source, &r->destination, IPPROTO_ICMPV6, (uint32_t)r->size);
	uint16_t check = csum_fold(csum_add(sum, r->payload, r->size));

	buf_put(b, r->payload, ICMP6_CHECKSUM_AT);
	buf_put(b, &check, sizeof(check));
	buf_put(b, r->payload + ICMP6_MIN, r->size - ICMP6_MIN);
}

void reply6_build(struct buf *b, const struct reply6 *r)
{
	const bool udp = r->protocol == IPPROTO_UDP;

	buf_put(b, r->destination_mac.b, sizeof(r->destination_mac.b));
	buf_put(b, r->source_mac.b, sizeof(r->source_mac.b));
	buf_put_be16(b, ETHERTYPE_IPV6);
	buf_put_be32(b, 6U << 28);
	buf_put_be16(b, (uint16_t)(r->size + (udp ? UDP_SIZE : 0)));
	buf_put_u8(b, r->protocol);
	buf_put_u8(b, r->hop_limit);
	buf_put(b, r->source.b, sizeof(r->source.b));
	buf_put(b, r->destination.b, sizeof(r->destination.b));
	if (udp)
		put_udp(b, r);
	else
		put_icmp(b, r);
}
