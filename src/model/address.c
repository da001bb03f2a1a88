/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of interfaces.  See address.h.
 */
#include "model/address.h"

#include <string.h>

#include "model/cidr.h"
#include "model/mapping.h"
#include "model/subnet_router.h"
#include "model/table.h"

int address_parse(const struct subnet *s, const char *text, struct ipaddr *ret,
		  struct refusal *reterr)
{
	struct ipaddr a, router = subnet_router(s);

	if (ipaddr_parse(text, &a) || !ipaddr_is_v4(&a))
		return refuse(reterr, MODEL_E_VALUE, text, "privateIpAddress",
			      "This is not a valid IPv4 address.");
	if (!prefix_contains(&s->prefix, &a))
		return refuse(reterr, MODEL_E_ADDRESS_OUTSIDE, text);
	if (cidr_is_reserved(&s->prefix, &a) || ipaddr_equal(&a, &router))
		return refuse(reterr, MODEL_E_ADDRESS_RESERVED, text);
	*ret = a;
	return 0;
}

bool address_is_free(const struct model *m, const struct subnet *s, const struct ipaddr *a)
{
	return !mapping_find(m->mappings, s->vni, a);
}

size_t address_index(const struct interface *i, const struct ipaddr *a)
{
	size_t n = 0;

	while (n < i->n_addrs && !ipaddr_equal(&i->addrs[n].addr, a))
		n++;
	return n;
}

int address_append(struct interface *i, const struct ipaddr *a, uint64_t revision)
{
	struct private_addr *addrs = reallocarray(i->addrs, i->n_addrs + 1, sizeof(*addrs));

	if (!addrs)
		return -ENOMEM;
	i->addrs = addrs;
	addrs[i->n_addrs++] = (struct private_addr){.addr = *a, .revision = revision};
	return 0;
}

void address_drop(struct interface *i, size_t n)
{
	i->n_addrs--;
	memmove(&i->addrs[n], &i->addrs[n + 1], (i->n_addrs - n) * sizeof(*i->addrs));
}

static int pick_one(struct model *m, const struct subnet *s, struct group *g, struct interface *i)
{
	uint32_t usable = (uint32_t)cidr_usable(&s->prefix);
	struct ipaddr router = subnet_router(s);

	for (uint32_t tries = 0; tries < usable; tries++) {
		uint32_t offset = g->next_addr++ % usable;
		struct ipaddr a = cidr_addr(&s->prefix, CIDR_RESERVED_FIRST + offset);

		if (!ipaddr_equal(&a, &router) && address_is_free(m, s, &a) &&
		    address_index(i, &a) == i->n_addrs)
			return address_append(i, &a, 0);
	}
	return MODEL_E_NO_FREE_ADDRESS;
}

int address_pick(struct model *m, const struct subnet *s, struct interface *i, size_t n,
		 struct refusal *reterr)
{
	struct group *g = group_get(m, REL_SUBNET_INTERFACES, KIND_INTERFACE, s->o.id);
	uint64_t available = subnet_available(m, s);
	char id[ID_TEXT_SIZE];
	int r = 0;

	if (!g)
		return -ENOMEM;
	/* without the search through a full subnet */
	if (n > available)
		r = MODEL_E_NO_FREE_ADDRESS;
	for (size_t k = 0; k < n && !r; k++)
		r = pick_one(m, s, g, i);
	if (r == MODEL_E_NO_FREE_ADDRESS)
		return refuse(reterr, r, object_id_text(&s->o, id));
	return r;
}
