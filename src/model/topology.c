/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locators of hosts.  See topology.h.
 */
#include "model/topology.h"

#include "abi/substrate.h"

enum {
	ORGANISATION_BITS = 32,
	SIIT2_LOCALE_MAX = 15,
	SIIT2_AREA_MAX = 15,
	SIIT2_RACK_MAX = 63,
};

/* 'bits' are what follows the organisation, left-aligned. */
static struct prefix locator(const struct prefix *organisation, uint32_t bits, uint8_t len)
{
	struct ipaddr a = organisation->addr;

	for (size_t i = 0; i < sizeof(bits); i++)
		a.b[ORGANISATION_BITS / 8 + i] = (uint8_t)(bits >> (24 - 8 * i));
	return prefix_make(&a, len);
}

static uint32_t siit1_bits(const struct topology_place *p)
{
	return (uint32_t)SUBSTRATE_VERSION_SIIT_1 << 30 | p->locale << 24 | p->area << 16 |
	       p->rack << 8 | p->host;
}

static uint32_t siit2_bits(const struct topology_place *p)
{
	return (uint32_t)SUBSTRATE_VERSION_SIIT_2 << 30 |
	       (p->locale << 18 | p->area << 14 | p->rack << 8 | p->host) << 8;
}

int topology_locators(const struct prefix *organisation, const struct topology_place *place,
		      const struct ipaddr *v4, const struct ipaddr *v6, struct locators *ret)
{
	struct locators l = {.v4 = *v4, .v6 = *v6, .aliases = ret->aliases};

	if (place->locale > TOPOLOGY_LOCALE_MAX || place->area > TOPOLOGY_AREA_MAX ||
	    place->rack > TOPOLOGY_RACK_MAX || place->host > TOPOLOGY_HOST_MAX || !place->host)
		return -ERANGE;
	if (!ipaddr_is_zero(v6)) {
		l.siit1 = locator(organisation, siit1_bits(place), SUBSTRATE_SIIT_1_LEN);
		if (place->locale <= SIIT2_LOCALE_MAX && place->area <= SIIT2_AREA_MAX &&
		    place->rack <= SIIT2_RACK_MAX)
			l.siit2 = locator(organisation, siit2_bits(place), SUBSTRATE_SIIT_2_LEN);
	}
	*ret = l;
	return 0;
}
