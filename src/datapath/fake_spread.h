/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which host of a shared address a connection is at, as the programs decide it (abi/spread.h),
 * without their times and quotas.  For fake.c.
 */
#pragma once

#include "abi/spread.h"
#include "datapath/fake_tables.h"

struct fake_pin {
	struct dp_pin_key key;
	uint32_t peer;
};

/* 'here': a port of this host has the address.  0 with one of the mapping's peers, or
 * -EHOSTUNREACH */
must_check int fake_spread_choose(struct fake_host *h, const struct dp_mapping *m,
				  const struct dp_pin_key *key, bool here, uint32_t *ret);
/* A packet of the connection came from 'peer'. */
void fake_spread_note(struct fake_host *h, const struct dp_mapping *m, const struct dp_pin_key *key,
		      uint32_t peer);
