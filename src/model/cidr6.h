/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 address blocks: a VPC has a /56 out of the operators' pool, a subnet a /64 out of that, as
 * in EC2. Of a subnet the first four addresses and the last are reserved.  Plain functions, any
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/addr.h"

enum {
	CIDR6_POOL_LEN_MIN = 32, /* of the pool: more than 2^24 blocks are nobody's */
	CIDR6_VPC_LEN = 56,
	CIDR6_SUBNET_LEN = 64,
};

/* An IPv6 block; bits behind the length are cleared, as EC2 does.  -EINVAL */
must_check int cidr6_parse(const char *text, struct prefix *ret);
/* Can be the pool: between /32 and /56, of unicast addresses that mean something outside of a
 * link. */
bool cidr6_is_pool(const struct prefix *p);
bool cidr6_is_reserved(const struct prefix *subnet, const struct ipaddr *a);
/* The address of a subnet whose last 64 bits are 'host'. */
struct ipaddr cidr6_addr(const struct prefix *subnet, uint64_t host);
/* How many blocks of a VPC's size the pool has, and which one a block of that size is. */
uint32_t cidr6_pool_size(const struct prefix *pool);
uint32_t cidr6_pool_index(const struct prefix *pool, const struct prefix *block);
struct prefix cidr6_pool_block(const struct prefix *pool, uint32_t index);
