/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Released addresses: asking about them, and ending them.  See release.h; moves are in
 * release_move.c.
 */
#include "model/release.h"

#include "base/err.h"
#include "model/edit.h"
#include "model/holders.h"
#include "model/host.h"
#include "model/mapping.h"
#include "model/release_edit.h"

const char *release_step_text(enum release_step s)
{
	static const char *const texts[] = {
		[RELEASE_LEAVING] = "leaving",
		[RELEASE_ARRIVING] = "arriving",
	};

	return s < ARRAY_SIZE(texts) ? texts[s] : NULL;
}

void release_host_known(struct model *m, uint32_t number)
{
	struct host_state *s = host_state_find(m, number);

	if (s)
		s->known = true;
}

/* It may hold what it has not told yet; one that has never carried traffic, or asks nobody, holds
 * nothing. */
static bool is_unknown(const struct model *m, const struct host *h)
{
	return h->can.probed_ms && !h->foreign && !host_state_find(m, h->number)->known;
}

bool release_any_unknown(const struct model *m)
{
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	const struct object *o;

	while ((o = model_iter_next(&it)))
		if (is_unknown(m, (const struct host *)o))
			return true;
	return false;
}

struct outdated {
	uint64_t revision; /* of the mapping */
	uint32_t vni;
	struct ipaddr addr;
	void (*fn)(void *data, uint32_t host, enum release_blocker why);
	void *data;
	size_t n;
};

static void note_outdated(void *data, const struct holder *e)
{
	struct outdated *o = data;

	if (e->revision >= o->revision)
		return;
	o->n++;
	if (o->fn)
		o->fn(o->data, e->host, RELEASE_BY_HOLDER);
}

/* Holders that do not know where the address is now, or that it is nowhere. */
static size_t each_outdated(const struct model *m, const struct release *r,
			    void (*fn)(void *data, uint32_t host, enum release_blocker why),
			    void *data)
{
	const struct mapping *now = mapping_find(m->mappings, r->vni, &r->addr);
	struct outdated o = {.revision = r->since ? r->since : UINT64_MAX, .fn = fn, .data = data};

	if (now && r->to)
		o.revision = now->revision;
	holders_each_of_mapping(m->holders, r->vni, &r->addr, note_outdated, &o);
	return o.n;
}

static bool is_settled(const struct model *m, const struct release *r, bool unknown)
{
	if (r->wait_revision || (r->to && r->step == RELEASE_LEAVING))
		return false;
	return (r->to || !unknown) && !each_outdated(m, r, NULL, NULL);
}

bool release_is_settled(const struct model *m, const struct release *r)
{
	return is_settled(m, r, release_any_unknown(m));
}

void release_each_blocker(const struct model *m, const struct release *r,
			  void (*fn)(void *data, uint32_t host, enum release_blocker why),
			  void *data)
{
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	const struct object *o;

	if (r->wait_revision)
		fn(data, r->host, RELEASE_BY_HOST);
	for (size_t n = 0; n < r->n_more_hosts; n++)
		fn(data, (uint32_t)r->more_hosts[n], RELEASE_BY_HOST);
	if (!r->to || r->step == RELEASE_ARRIVING)
		each_outdated(m, r, fn, data);
	while (!r->to && (o = model_iter_next(&it)))
		if (is_unknown(m, (const struct host *)o))
			fn(data, ((const struct host *)o)->number, RELEASE_BY_UNKNOWN);
}

size_t release_count(const struct model *m)
{
	return model_count(m, KIND_RELEASE);
}

int release_make(struct tx *tx, const struct interface *i, const struct private_addr *a, bool live)
{
	const struct release *move = release_find_move(tx->m, i->o.id, &a->addr);
	/* where its mapping leads nowhere it has done so since that changed last */
	const uint64_t since = live || interface_is_plugged(i) ? tx->revision : a->revision;
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct release *rel;
	int r;

	if (move && move->step == RELEASE_LEAVING)
		return release_end_move(tx, move);
	r = move ? tx_delete(tx, &move->o) : 0;
	if (r)
		return r;
	if (!a->revision) /* it has never been anywhere */
		return 0;
	if (!live && !holders_any_before(tx->m->holders, i->vni, &a->addr, since) &&
	    !release_any_unknown(tx->m))
		return 0;
	r = tx_make(tx, KIND_RELEASE, i->o.account, &o);
	if (r)
		return r;
	rel = (struct release *)o;
	rel->vni = i->vni;
	rel->addr = a->addr;
	rel->subnet = i->subnet;
	rel->host = i->attachment.host;
	rel->from = i->o.id;
	rel->since = since;
	r = live ? release_wait(tx, rel, i) : 0;
	return r ? r : tx_put(tx, NULL, &o);
}

static int do_settle(struct tx *tx, size_t *ret_n)
{
	struct model_iter it = model_iter_kind(tx->m, KIND_RELEASE);
	const struct object *o = model_iter_next(&it);
	bool unknown = o && release_any_unknown(tx->m);
	size_t n = 0;

	while (o) {
		const struct object *next = model_iter_next(&it);

		if (is_settled(tx->m, (const struct release *)o, unknown)) {
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
	struct model_iter it = model_iter_kind(tx->m, KIND_RELEASE);
	size_t mark = tx_mark(tx);
	char text[IPADDR_TEXT_SIZE];
	const struct object *o;

	if (!c->is_operator)
		return refuse(reterr, MODEL_E_NOT_PERMITTED, "An operator gives addresses free");
	while ((o = model_iter_next(&it))) {
		const struct release *rel = (const struct release *)o;

		if (rel->vni != vni || !ipaddr_equal(&rel->addr, addr))
			continue;
		return tx_settle(tx, mark,
				 rel->to && rel->step == RELEASE_LEAVING ? release_arrive(tx, rel)
									 : tx_delete(tx, o));
	}
	return refuse(reterr, MODEL_E_VALUE, ipaddr_text(addr, text), "address",
		      "It is not waiting to be given free.");
}
