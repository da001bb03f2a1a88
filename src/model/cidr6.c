/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 address blocks.  See cidr6.h.
 */
#include "model/cidr6.h"

enum { RESERVED_FIRST = 4, RESERVED_LAST = 1 };

int cidr6_parse(const char *text, struct prefix *ret)
{
	struct ipaddr addr;
	uint8_t len;

	if (prefix_split(text, &addr, &len) || ipaddr_is_v4(&addr))
		return -EINVAL;
	*ret = prefix_make(&addr, len);
	return 0;
}

bool cidr6_is_pool(const struct prefix *p)
{
	/* global unicast (RFC 4291 2.5.4) and unique local addresses (RFC 4193) */
	const struct prefix allowed[] = {
		{{{0x20}}, 3},
		{{{0xfc}}, 7},
	};

	if (p->len < CIDR6_POOL_LEN_MIN || p->len > CIDR6_VPC_LEN)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (prefix_covers(&allowed[i], p))
			return true;
	return false;
}

static uint64_t low_half(const struct ipaddr *a)
{
	uint64_t v = 0;

	for (size_t i = 8; i < sizeof(a->b); i++)
		v = v << 8 | a->b[i];
	return v;
}

bool cidr6_is_reserved(const struct prefix *subnet, const struct ipaddr *a)
{
	uint64_t host = low_half(a);

	return prefix_contains(subnet, a) &&
	       (host < RESERVED_FIRST || host > UINT64_MAX - RESERVED_LAST);
}

struct ipaddr cidr6_addr(const struct prefix *subnet, uint64_t host)
{
	struct ipaddr a = subnet->addr;

	for (size_t i = sizeof(a.b); i-- > 8; host >>= 8)
		a.b[i] = (uint8_t)host;
	return a;
}

uint32_t cidr6_pool_size(const struct prefix *pool)
{
	return UINT32_C(1) << (CIDR6_VPC_LEN - pool->len);
}

uint32_t cidr6_pool_index(const struct prefix *pool, const struct prefix *block)
{
	const uint8_t *b = block->addr.b; /* bits 32 to 56 */

	return ((uint32_t)b[4] << 16 | (uint32_t)b[5] << 8 | b[6]) & (cidr6_pool_size(pool) - 1);
}

struct prefix cidr6_pool_block(const struct prefix *pool, uint32_t index)
{
	struct prefix block = {pool->addr, CIDR6_VPC_LEN};

	block.addr.b[4] |= (uint8_t)(index >> 16);
	block.addr.b[5] |= (uint8_t)(index >> 8);
	block.addr.b[6] |= (uint8_t)index;
	return block;
}
