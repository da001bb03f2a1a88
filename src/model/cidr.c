/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address blocks.  See cidr.h.
 */
#include "model/cidr.h"

#include <string.h>

enum { V4_LEN = 96, VPC_LEN_MIN = V4_LEN + 16, VPC_LEN_MAX = V4_LEN + 28 };

int cidr_parse(const char *text, struct prefix *ret)
{
	struct ipaddr addr;
	uint8_t len;

	if (strchr(text, ':') || prefix_split(text, &addr, &len))
		return -EINVAL;
	*ret = prefix_make(&addr, len);
	return 0;
}

bool cidr_is_unicast(const struct prefix *p)
{
	/* this network, loopback, link-local, multicast and reserved (RFC 6890) */
	const struct prefix excluded[] = {
		prefix_v4(0x00000000, 8),
		prefix_v4(0x7f000000, 8),
		prefix_v4(0xa9fe0000, 16),
		prefix_v4(0xe0000000, 3),
	};

	for (size_t i = 0; i < ARRAY_SIZE(excluded); i++)
		if (prefix_overlaps(&excluded[i], p))
			return false;
	return true;
}

bool cidr_is_allowed(const struct prefix *p)
{
	return p->len >= VPC_LEN_MIN && p->len <= VPC_LEN_MAX && cidr_is_unicast(p);
}

static uint32_t block_size(const struct prefix *p)
{
	return 1U << (128 - p->len);
}

uint64_t cidr_usable(const struct prefix *p)
{
	return block_size(p) - CIDR_RESERVED_FIRST - CIDR_RESERVED_LAST;
}

static uint32_t offset_in(const struct prefix *p, const struct ipaddr *a)
{
	return ipaddr_v4(a) - ipaddr_v4(&p->addr);
}

bool cidr_is_reserved_last(const struct prefix *p, const struct ipaddr *a)
{
	return offset_in(p, a) >= block_size(p) - CIDR_RESERVED_LAST;
}

bool cidr_is_reserved(const struct prefix *p, const struct ipaddr *a)
{
	return offset_in(p, a) < CIDR_RESERVED_FIRST || cidr_is_reserved_last(p, a);
}

struct ipaddr cidr_addr(const struct prefix *p, uint32_t offset)
{
	return ipaddr_from_v4(ipaddr_v4(&p->addr) + offset);
}
