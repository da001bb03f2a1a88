/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ra.h"

enum {
	ROUTER_SOLICITATION = 133,
	ROUTER_ADVERTISEMENT = 134,
	OPTION_SOURCE_MAC = 1,
	OPTION_PREFIX = 3,
	OPTION_MTU = 5,
	FLAG_MANAGED = 0x80,
	FLAG_OTHER = 0x40,
	FLAG_ON_LINK = 0x80,
	NODES_HOP_LIMIT = 64,
};

int ra_check_solicitation(const uint8_t *message, size_t size, uint8_t hop_limit,
			  const struct ipaddr *source)
{
	struct cursor c;
	uint8_t type, code;

	cursor_init(&c, message, size);
	type = cursor_u8(&c);
	code = cursor_u8(&c);
	cursor_skip(&c, 2 + 4); /* checksum, reserved */
	if (cursor_error(&c) || type != ROUTER_SOLICITATION || code || hop_limit != RA_HOP_LIMIT)
		return -EBADMSG;
	while (cursor_left(&c)) {
		uint8_t option = cursor_u8(&c), units = cursor_u8(&c);

		if (!units)
			return -EBADMSG;
		cursor_skip(&c, (size_t)units * 8 - 2);
		if (cursor_error(&c))
			return -EBADMSG;
		if (option == OPTION_SOURCE_MAC && ipaddr_is_zero(source))
			return -EBADMSG;
	}
	return cursor_error(&c) ? -EBADMSG : 0;
}

void ra_write(struct buf *b, const struct ra_params *p)
{
	buf_put_u8(b, ROUTER_ADVERTISEMENT);
	buf_put_u8(b, 0);
	buf_put_be16(b, 0);
	buf_put_u8(b, NODES_HOP_LIMIT);
	buf_put_u8(b, FLAG_MANAGED | FLAG_OTHER);
	buf_put_be16(b, RA_ROUTER_LIFETIME_S);
	buf_put_be32(b, 0); /* reachable time, retransmission: the node's own */
	buf_put_be32(b, 0);
	buf_put_u8(b, OPTION_SOURCE_MAC);
	buf_put_u8(b, 1);
	buf_put(b, p->router_mac.b, sizeof(p->router_mac.b));
	if (p->mtu) {
		buf_put_u8(b, OPTION_MTU);
		buf_put_u8(b, 1);
		buf_put_be16(b, 0);
		buf_put_be32(b, p->mtu);
	}
	if (!p->prefix.len)
		return;
	buf_put_u8(b, OPTION_PREFIX);
	buf_put_u8(b, 4);
	buf_put_u8(b, p->prefix.len);
	buf_put_u8(b, FLAG_ON_LINK);
	buf_put_be32(b, RA_PREFIX_LIFETIME_S);
	buf_put_be32(b, RA_PREFIX_LIFETIME_S);
	buf_put_be32(b, 0);
	buf_put(b, p->prefix.addr.b, sizeof(p->prefix.addr.b));
}
