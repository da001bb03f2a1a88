/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address blocks of VPCs and subnets: their text, their allowed sizes, and which addresses of a
 * subnet are whose.  Plain functions, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/addr.h"

enum {
	CIDR_RESERVED_FIRST = 4, /* network, router, resolver, future use */
	CIDR_RESERVED_LAST = 1,  /* broadcast */
	CIDR_ROUTER = 1,         /* offsets in a subnet */
	CIDR_RESOLVER = 2,       /* offset in a VPC's primary block */
};

/* An IPv4 block; bits behind the length are cleared, as EC2 does.  -EINVAL */
must_check int cidr_parse(const char *text, struct prefix *ret);
/* Between /16 and /28, and of addresses that a node may have. */
bool cidr_is_allowed(const struct prefix *p);
/* Of addresses that a node may have, whatever its size. */
bool cidr_is_unicast(const struct prefix *p);
/* Of a subnet's block. */
uint64_t cidr_usable(const struct prefix *p);
bool cidr_is_reserved(const struct prefix *p, const struct ipaddr *a);
/* One of those at the end. */
bool cidr_is_reserved_last(const struct prefix *p, const struct ipaddr *a);
struct ipaddr cidr_addr(const struct prefix *p, uint32_t offset);
