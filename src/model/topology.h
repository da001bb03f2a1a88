/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a host is in the substrate's topology, and the locators that follow from it
 * (docs/substrate.md, abi/substrate.h): siit/1, a /64 per host (locale 6, area 8, rack 8, host 8
 * bits), and siit/2, a /56 (locale 4, area 4, rack 6, host 8 bits).  Values that do not fit siit/2
 * give no siit/2 locator; a host without an IPv6 substrate address has neither.
 *
 * Plain values, any thread.  Errors: -ERANGE for a value that fits no layout.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "net/addr.h"

struct topology_place {
	uint32_t locale;
	uint32_t area;
	uint32_t rack;
	uint32_t host; /* 1..255 within its rack: 0 is the rack itself */
};

struct locators {
	struct prefix siit1; /* a /64; len 0: none */
	struct prefix siit2; /* a /56; len 0: none */
	struct ipaddr v4;    /* ordinary substrate addresses; zero: none */
	struct ipaddr v6;
	/* IPv4, routed to the host: labels are of it (model/label.h); len 0: none */
	struct prefix aliases;
};

enum {
	TOPOLOGY_LOCALE_MAX = 63,
	TOPOLOGY_AREA_MAX = 255,
	TOPOLOGY_RACK_MAX = 255,
	TOPOLOGY_HOST_MAX = 255
};

/* Sets siit1 and siit2 of '*ret'; v4 and v6 are copied from the arguments, aliases stay.
 * 'organisation' is a /32. */
must_check int topology_locators(const struct prefix *organisation,
				 const struct topology_place *place, const struct ipaddr *v4,
				 const struct ipaddr *v6, struct locators *ret);
