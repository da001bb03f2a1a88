/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 addresses of interfaces: which may be had, and from whom.  See interface_edit.h.
 */

#include "model/address.h"
#include "model/cidr6.h"
#include "model/edit.h"
#include "model/interface_edit.h"
#include "model/mapping.h"

enum { TRIES = 64 }; /* of 2^64 addresses some 2^20 are taken at most */

static int parse(const char *text, struct ipaddr *ret, struct refusal *reterr)
{
	if (ipaddr_parse(text, ret) || ipaddr_is_v4(ret))
		return refuse(reterr, MODEL_E_VALUE, text, "ipv6Address",
			      "This is not a valid IPv6 address.");
	return 0;
}

static bool is_free(const struct model *m, const struct interface *i, const struct ipaddr *a)
{
	return address_index(i, a) == i->n_addrs && !mapping_find(m->mappings, i->vni, a);
}

static int add_named(struct tx *tx, const struct subnet *s, struct interface *i, const char *text,
		     struct refusal *reterr)
{
	struct ipaddr a;
	int r;

	if (!text)
		return refuse(reterr, MODEL_E_MISSING, "Ipv6Address");
	r = parse(text, &a, reterr);
	if (r)
		return r;
	if (!prefix_contains(&s->prefix6, &a))
		return refuse(reterr, MODEL_E_ADDRESS_OUTSIDE, text);
	if (cidr6_is_reserved(&s->prefix6, &a))
		return refuse(reterr, MODEL_E_ADDRESS_RESERVED, text);
	if (!is_free(tx->m, i, &a))
		return refuse(reterr, MODEL_E_ADDRESS_IN_USE, text);
	return address_append(i, &a, interface_is_plugged(i) ? tx->revision : 0);
}

/* Of a whole /64 at random, as EC2 does: who is next cannot be guessed, and nobody scans it. */
static int add_any(struct tx *tx, const struct subnet *s, struct interface *i,
		   struct refusal *reterr)
{
	char id[ID_TEXT_SIZE];

	for (int n = 0; n < TRIES; n++) {
		struct ipaddr a = cidr6_addr(&s->prefix6, tx_random(tx));

		if (!cidr6_is_reserved(&s->prefix6, &a) && is_free(tx->m, i, &a))
			return address_append(i, &a, interface_is_plugged(i) ? tx->revision : 0);
	}
	return refuse(reterr, MODEL_E_NO_FREE_ADDRESS, object_id_text(&s->o, id));
}

int interface_add_addrs6(struct tx *tx, const struct subnet *s, struct interface *i,
			 const char *const *addrs, size_t n_addrs, uint32_t count, size_t max_addrs,
			 struct refusal *reterr)
{
	size_t n = interface_count_addrs(i, true);
	char id[ID_TEXT_SIZE];
	int r = 0;

	if (!n_addrs && !count)
		return 0;
	if (n_addrs && count)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "Name either IPv6 addresses or how many are wanted.");
	if (!subnet_has_block6(s))
		return refuse(reterr, MODEL_E_NO_BLOCK6, object_id_text(&s->o, id));
	/* each is bounded by itself, so that the sum cannot wrap */
	if (n_addrs > max_addrs || count > max_addrs || n + n_addrs + count > max_addrs)
		return refuse(reterr, MODEL_E_ADDRESS_LIMIT6, object_id_text(&s->o, id));
	for (size_t k = 0; k < n_addrs && !r; k++)
		r = add_named(tx, s, i, addrs[k], reterr);
	for (uint32_t k = 0; k < count && !r; k++)
		r = add_any(tx, s, i, reterr);
	return r;
}

/* Makes 'text' an address of 'i', whoever has it. */
static int take_named(struct tx *tx, const struct caller *c, const struct subnet *s,
		      struct interface *i, const char *text, size_t max_addrs,
		      struct refusal *reterr)
{
	const struct interface *other;
	char id[ID_TEXT_SIZE];
	struct ipaddr a;
	int r = parse(text, &a, reterr);

	if (r)
		return r;
	other = prefix_contains(&s->prefix6, &a) ? interface_by_addr(tx->m, s->vni, &a) : NULL;
	if (!other)
		return interface_add_addrs6(tx, s, i, &text, 1, 0, max_addrs, reterr);
	if (address_index(i, &a) < i->n_addrs)
		return 0;
	if (interface_count_addrs(i, true) >= max_addrs)
		return refuse(reterr, MODEL_E_ADDRESS_LIMIT6, object_id_text(&s->o, id));
	return interface_take_addr(tx, c, other, &a, i, reterr);
}

int interface_assign_addrs6(struct tx *tx, const struct caller *c, const struct subnet *s,
			    struct interface *i, const struct interface_assign_args *args,
			    struct refusal *reterr)
{
	size_t max_addrs = interface_max_addrs(tx->m, i);
	int r = 0;

	if (!args->allow_reassignment || !args->n_addrs)
		return interface_add_addrs6(tx, s, i, args->addrs, args->n_addrs, args->count,
					    max_addrs, reterr);
	for (size_t k = 0; k < args->n_addrs && !r; k++)
		r = take_named(tx, c, s, i, args->addrs[k], max_addrs, reterr);
	return r;
}

int interface_drop_addr6(struct interface *i, const char *text, struct refusal *reterr)
{
	char id[ID_TEXT_SIZE];
	struct ipaddr a;
	size_t place;
	int r = parse(text, &a, reterr);

	if (r)
		return r;
	place = address_index(i, &a);
	if (place == i->n_addrs)
		return refuse(reterr, MODEL_E_ADDRESS_NOT_ASSIGNED, text,
			      object_id_text(&i->o, id));
	address_drop(i, place);
	return 0;
}
