/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choosing what two hosts use between them (NEG-2, NEG-7): a pure function of what both have.
 *
 * Formats belong to frameworks with versions.  Of one framework the highest version that both have is
 * chosen; among frameworks the order is siit, then vxlan.  ipip6 accompanies siit, per packet, where both
 * have it.  siit needs the locators of that layout on both sides; vxlan an address of one family on both.
 * Nothing in common: nothing may be sent, and the reason names what each has.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/format.h"
#include "model/topology.h"

struct host;

/* What of a host matters. */
struct ability {
	uint32_t formats;
	uint32_t mtu; /* of its substrate */
	struct locators locators;
};

enum { CHOICE_REASON_SIZE = 320 };

struct choice {
	enum format send; /* FORMAT_NONE: no traffic */
	uint32_t accept;  /* FORMAT_BIT()s */
	bool vxlan_over_v6;
	uint32_t path_mtu; /* of the substrate: the smaller of the two */
	uint32_t overhead; /* the most that a packet grows by, for the node's MTU */
	char reason[CHOICE_REASON_SIZE];
};

/* What 'from' uses towards 'to', and accepts from it.  Symmetric in all but the names in the reason. */
struct choice negotiate(const struct ability *from, const char *from_name, const struct ability *to,
			const char *to_name);
struct ability ability_of(const struct host *h);
/* Only the overhead, UINT32_MAX for no common choice: the reason is not written. */
uint32_t negotiate_overhead(const struct ability *a, const struct ability *b);

/* A version of anything: major.minor. */
struct version {
	uint16_t major, minor;
};
/* The highest version in both lists, in any order (1.0, 1.1, 3.0 with 1.0, 1.1, 2.0 gives 1.1); false when
 * there is none. */
bool negotiate_version(const struct version *a, size_t n_a, const struct version *b, size_t n_b,
		       struct version *ret);

/* "siit/2"; "none" for FORMAT_NONE. */
const char *format_name(enum format f);
enum { FORMAT_LIST_SIZE = 64 };
/* "siit/1, siit/2, ipip6/1", or "nothing" */
const char *format_list(uint32_t formats, char buf[static FORMAT_LIST_SIZE]);
