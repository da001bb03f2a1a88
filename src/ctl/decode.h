/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a substrate address of Viaduct says: layout, place, network, virtual address.
 */
#pragma once

#include <stdio.h>

#include "ctl/command.h"
#include "net/addr.h"

struct decode_address {
	unsigned int layout;  /* 1 or 2, of siit/N */
	unsigned int version; /* its field: the split of the topology bits */
	unsigned int locale, area, rack, host;
	unsigned int slot; /* siit/1 alone, as u and g */
	bool u, g;
	uint32_t vni;
	struct ipaddr inner;
	bool neutral; /* siit/2: everything but the virtual address sums to zero */
};

/* -EINVAL: an IPv4 address, or a version that is none of ours. */
must_check int decode_address(const struct ipaddr *a, struct decode_address *ret);

extern const struct command decode_command;
