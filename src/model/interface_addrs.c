/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv4 addresses of interfaces: which may be had, and from whom.  See interface_edit.h.
 */

#include "base/limits.h"
#include "model/address.h"
#include "model/edit.h"
#include "model/elastic.h"
#include "model/instance.h"
#include "model/interface_edit.h"
#include "model/interface_rights.h"
#include "model/nat_gateway.h"
#include "model/release_edit.h"

size_t interface_max_addrs(const struct model *m, const struct interface *i)
{
	size_t most = LIMIT_MODEL_INTERFACE_ADDRS;
	const struct instance_type *t;
	const struct instance *n;

	for (size_t k = 0; k < interface_attachment_count(i); k++) {
		n = (const struct instance *)model_get(m, KIND_INSTANCE,
						       interface_attachment(i, k)->instance);
		t = n ? instance_type_find(n->type) : NULL;
		if (t && t->addresses < most)
			most = t->addresses;
	}
	return most;
}

/* Takes address 'a', a secondary one, from 'other'. */
static int take_from(struct tx *tx, const struct interface *other, const struct ipaddr *a,
		     const char *text, struct refusal *reterr)
{
	size_t place = address_index(other, a);
	struct interface *new = NULL;
	char id[ID_TEXT_SIZE];
	int r;

	if (!place)
		return refuse(reterr, MODEL_E_ADDRESS_PRIMARY, text, object_id_text(&other->o, id));
	r = TX_EDIT(tx, other, &new);
	if (r)
		return r;
	address_drop(new, place);
	return TX_PUT(tx, other, &new);
}

int interface_take_addr(struct tx *tx, const struct caller *c, const struct interface *other,
			const struct ipaddr *addr, struct interface *i, struct refusal *reterr)
{
	size_t place = address_index(other, addr);
	struct private_addr a = other->addrs[place];
	bool live = interface_is_live(tx->m, other);
	/* of several nodes none has it while it is on its way */
	uint32_t at = interface_attachment_count(other) > 1 ? 0 : interface_addr_host(other, place);
	char id[ID_TEXT_SIZE], text[IPADDR_TEXT_SIZE];
	int r = interface_check_right(tx->m, other, c, INTERFACE_SET, reterr);

	ipaddr_text(addr, text);
	if (r)
		return r;
	if (a.arriving)
		return refuse(reterr, MODEL_E_ADDRESS_MOVING, text, object_id_text(&other->o, id));
	r = take_from(tx, other, &a.addr, text, reterr);
	if (r)
		return r;
	if (!live)
		return address_append(i, &a.addr, tx->revision);
	r = address_append(i, &a.addr, at ? a.revision : tx->revision);
	if (r)
		return r;
	i->addrs[i->n_addrs - 1].arriving = true;
	i->addrs[i->n_addrs - 1].at = at;
	other = (const struct interface *)model_get(tx->m, KIND_INTERFACE, other->o.id);
	return release_begin_move(tx, other, &a, i->o.id, false);
}

/* Makes 'text' an address of 'i', a copy that is to be put. */
static int assign_one(struct tx *tx, const struct caller *c, const struct subnet *s,
		      struct interface *i, const char *text, bool take, struct refusal *reterr)
{
	const struct interface *other;
	char id[ID_TEXT_SIZE];
	struct ipaddr a;
	int r = address_parse(s, text, &a, reterr);

	if (r)
		return r;
	if (address_index(i, &a) < i->n_addrs)
		return 0;
	/* what leads to an address moves with it */
	if (attachment_is_foreign(&i->attachment) &&
	    (elastic_by_private(tx->m, i->vni, &a) || nat_gateway_opening(tx->m, i->vpc, &a)))
		return refuse(reterr, MODEL_E_FOREIGN_INTERFACE, object_id_text(&i->o, id));
	if (!address_is_free(tx->m, s, &a)) {
		other = interface_by_addr(tx->m, s->vni, &a);
		if (!other)
			return refuse(reterr, MODEL_E_ADDRESS_IN_USE, text);
		if (!take)
			return refuse(reterr, MODEL_E_ADDRESS_ASSIGNED, text,
				      object_id_text(&other->o, id));
		return interface_take_addr(tx, c, other, &a, i, reterr);
	}
	return address_append(i, &a, interface_is_plugged(i) ? tx->revision : 0);
}

int interface_assign_addrs4(struct tx *tx, const struct caller *c, const struct subnet *s,
			    struct interface *i, const struct interface_assign_args *args,
			    struct refusal *reterr)
{
	size_t before = i->n_addrs, most = interface_max_addrs(tx->m, i);
	int r = 0;

	if (args->n_addrs > LIMIT_MODEL_INTERFACE_ADDRS || args->count > most)
		return refuse(reterr, MODEL_E_ADDRESS_LIMIT, args->interface_id);
	for (size_t k = 0; k < args->n_addrs && !r; k++)
		r = assign_one(tx, c, s, i, args->addrs[k], args->allow_reassignment, reterr);
	if (!r && args->count)
		r = address_pick(tx->m, s, i, args->count, reterr);
	if (!r && interface_count_addrs(i, false) > most)
		return refuse(reterr, MODEL_E_ADDRESS_LIMIT, args->interface_id);
	for (size_t k = before; k < i->n_addrs && !r && interface_is_plugged(i); k++)
		if (!i->addrs[k].arriving)
			i->addrs[k].revision = tx->revision;
	return r;
}

int interface_drop_addr4(struct interface *i, const char *text, struct refusal *reterr)
{
	char id[ID_TEXT_SIZE];
	struct ipaddr a;
	size_t place;

	if (ipaddr_parse(text, &a) || !ipaddr_is_v4(&a))
		return refuse(reterr, MODEL_E_VALUE, text, "privateIpAddress",
			      "This is not a valid IPv4 address.");
	place = address_index(i, &a);
	if (place == i->n_addrs)
		return refuse(reterr, MODEL_E_ADDRESS_NOT_ASSIGNED, text,
			      object_id_text(&i->o, id));
	if (!place)
		return refuse(reterr, MODEL_E_ADDRESS_PRIMARY, text, object_id_text(&i->o, id));
	address_drop(i, place);
	return 0;
}
