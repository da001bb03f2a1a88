/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Released addresses.  See release.h.
 */
#include "model/release.h"

#include "model/edit.h"
#include "model/holders.h"
#include "model/host.h"
#include "model/mapping.h"
#include "model/release_edit.h"

void release_host_known(struct model *m, uint32_t number)
{
	struct host_state *s = host_state_find(m, number);

	if (s)
		s->known = true;
}

/* Some host may hold what it has not told yet; one that has never carried traffic holds nothing. */
static bool any_host_unknown(const struct model *m)
{
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	const struct object *o;

	while ((o = model_iter_next(&it))) {
		const struct host *h = (const struct host *)o;

		if (h->can.probed_ms && !host_state_find(m, h->number)->known)
			return true;
	}
	return false;
}

bool release_is_settled(const struct model *m, const struct release *r)
{
	return !holders_any(m->holders, r->vni, &r->addr) && !any_host_unknown(m);
}

size_t release_count(const struct model *m)
{
	return model_count(m, KIND_RELEASE);
}

int release_make(struct tx *tx, const struct interface *i, const struct private_addr *a)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct release *rel;
	int r;

	if (!a->revision) /* it has never been anywhere */
		return 0;
	if (!holders_any(tx->m->holders, i->vni, &a->addr) && !any_host_unknown(tx->m))
		return 0;
	r = tx_make(tx, KIND_RELEASE, i->o.account, &o);
	if (r)
		return r;
	rel = (struct release *)o;
	rel->vni = i->vni;
	rel->addr = a->addr;
	rel->subnet = i->subnet;
	rel->host = i->host;
	return tx_put(tx, NULL, &o);
}

static int do_settle(struct tx *tx, size_t *ret_n)
{
	struct model_iter it = model_iter_kind(tx->m, KIND_RELEASE);
	const struct object *o = model_iter_next(&it);
	size_t n = 0;

	if (any_host_unknown(tx->m))
		o = NULL;
	while (o) {
		const struct object *next = model_iter_next(&it);
		const struct release *rel = (const struct release *)o;

		if (!holders_any(tx->m->holders, rel->vni, &rel->addr)) {
			int r = tx_delete(tx, o);

			if (r)
				return r;
			n++;
		}
		o = next;
	}
	*ret_n = n;
	return 0;
}

int release_settle(struct tx *tx, size_t *ret_n)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_settle(tx, ret_n));
}

int release_force(struct tx *tx, const struct caller *c, uint32_t vni, const struct ipaddr *addr,
		  struct refusal *reterr)
{
	const struct mapping *mapping = mapping_find(tx->m->mappings, vni, addr);
	struct model_iter it = model_iter_kind(tx->m, KIND_RELEASE);
	size_t mark = tx_mark(tx);
	char text[IPADDR_TEXT_SIZE];
	const struct object *o;

	if (!c->operator)
		return refuse(reterr, MODEL_E_NOT_PERMITTED, "An operator gives addresses free");
	while (mapping && !mapping->interface && (o = model_iter_next(&it))) {
		const struct release *rel = (const struct release *)o;

		if (rel->vni == vni && ipaddr_equal(&rel->addr, addr))
			return tx_settle(tx, mark, tx_delete(tx, o));
	}
	return refuse(reterr, MODEL_E_VALUE, ipaddr_text(addr, text), "address",
		      "It is not waiting to be given free.");
}
