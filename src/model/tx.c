/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions and changes.  See tx.h and edit.h.
 */
#include "model/tx.h"

#include <string.h>

#include "base/limits.h"
#include "model/drain.h"
#include "model/edit.h"
#include "model/instance.h"
#include "model/label_edit.h"
#include "model/nat_gateway.h"
#include "model/peering.h"
#include "model/token.h"

struct change {
	struct model *m;
	uint64_t revision;
	size_t n;
	struct tx_write writes[];
};

int tx_begin(struct model *m, uint64_t now_ms, struct tx **ret)
{
	struct tx *tx;

	if (m->tx)
		return -EBUSY;
	tx = calloc(1, sizeof(*tx));
	if (!tx)
		return -ENOMEM;
	tx->m = m;
	tx->now_ms = now_ms;
	tx->revision = m->revision + 1;
	m->tx = tx;
	*ret = tx;
	return 0;
}

static void tx_free(struct tx *tx)
{
	tx->m->tx = NULL;
	table_reclaim(tx->m);
	free(tx->writes);
	free(tx);
}

static void undo_write(struct model *m, const struct tx_write *w)
{
	int r = table_replace(m, w->after, w->before);

	assert(!r); /* what was there once fits again: table.h */
	(void)r;
	m->kinds_epoch++;
	record_free(w->after);
}

int tx_settle(struct tx *tx, size_t mark, int r)
{
	while (r && tx->n > mark)
		undo_write(tx->m, &tx->writes[--tx->n]);
	return r;
}

void tx_abort(struct tx *tx)
{
	tx_settle(tx, 0, -ECANCELED);
	tx_free(tx);
}

size_t tx_mark(const struct tx *tx)
{
	return tx->n;
}

const struct model *tx_model(const struct tx *tx)
{
	return tx->m;
}

uint64_t tx_revision(const struct tx *tx)
{
	return tx->revision;
}

bool tx_has_writes(const struct tx *tx)
{
	return tx->n;
}

/* Makes one write of all those to one object; versions in between are freed. */
static void merge_write(struct change *c, struct tx_write *w)
{
	if (w->before && w->before->revision == c->revision) {
		uint32_t slot = w->before->tx_slot;

		c->writes[slot].after = w->after;
		if (w->after)
			w->after->tx_slot = slot;
		record_free(w->before);
		return;
	}
	if (w->after)
		w->after->tx_slot = (uint32_t)c->n;
	c->writes[c->n++] = *w;
}

static void drop_empty_writes(struct change *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (c->writes[i].before || c->writes[i].after)
			c->writes[n++] = c->writes[i];
	c->n = n;
}

int tx_end(struct tx *tx, struct change **ret)
{
	struct model *m = tx->m;
	struct change *c;

	if (!tx->n) {
		tx_free(tx);
		*ret = NULL;
		return 0;
	}
	c = malloc(sizeof(*c) + tx->n * sizeof(c->writes[0]));
	if (!c) {
		tx_abort(tx);
		return -ENOMEM;
	}
	*c = (struct change){.m = m, .revision = tx->revision};
	for (size_t i = 0; i < tx->n; i++)
		merge_write(c, &tx->writes[i]);
	drop_empty_writes(c);
	if (c->n) {
		m->revision = tx->revision;
		m->n_changes++;
	} else {
		free(c);
		c = NULL;
	}
	tx_free(tx);
	*ret = c;
	return 0;
}

uint64_t change_revision(const struct change *c)
{
	return c->revision;
}

size_t change_count(const struct change *c)
{
	return c->n;
}

struct write change_get(const struct change *c, size_t i)
{
	const struct tx_write *w = &c->writes[i];
	const struct object *any = w->after ? w->after : w->before;

	return (struct write){any->kind, any->id, w->before, w->after};
}

void change_undo(struct change *c)
{
	struct model *m = c->m;

	for (size_t i = c->n; i--;)
		undo_write(m, &c->writes[i]);
	assert(m->revision == c->revision);
	m->revision = c->revision - 1;
	m->n_changes--;
	free(c);
	table_reclaim(m);
}

struct change *change_free(struct change *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < c->n; i++)
		record_free(c->writes[i].before);
	c->m->n_changes--;
	table_reclaim(c->m);
	free(c);
	return NULL;
}

/* ---- for operations ---- */

uint64_t tx_random(struct tx *tx)
{
	uint64_t v;

	tx->m->ids.fill(tx->m->ids.data, &v, sizeof(v));
	return v;
}

uint64_t tx_new_id(struct tx *tx, enum kind k)
{
	uint64_t id;

	do
		id = tx_random(tx);
	while (!id || model_get(tx->m, k, id));
	return id;
}

int tx_make(struct tx *tx, enum kind k, uint64_t account, struct object **ret)
{
	struct object *o = calloc(1, record_of(k)->size);

	if (!o)
		return -ENOMEM;
	o->kind = k;
	o->id = tx_new_id(tx, k);
	o->account = account;
	o->serial = ++tx->m->last_serial;
	o->created_ms = tx->now_ms;
	*ret = o;
	return 0;
}

int tx_edit(struct tx *tx, const struct object *o, struct object **ret)
{
	(void)tx;
	return record_copy(o, ret);
}

static int reserve_write(struct tx *tx)
{
	size_t more = tx->allocated ? 2 * tx->allocated : 8;
	struct tx_write *writes;

	if (tx->n < tx->allocated)
		return 0;
	writes = reallocarray(tx->writes, more, sizeof(*writes));
	if (!writes)
		return -ENOMEM;
	tx->writes = writes;
	tx->allocated = more;
	return 0;
}

static int write_object(struct tx *tx, struct object *before, struct object *after)
{
	int r = reserve_write(tx);

	if (after)
		after->revision = tx->revision;
	if (!r)
		r = table_replace(tx->m, before, after);
	if (!r)
		tx->writes[tx->n++] = (struct tx_write){before, after};
	return r;
}

int tx_put(struct tx *tx, const struct object *old, struct object **new)
{
	struct object *o = *new;
	int r = write_object(tx, (struct object *)(uintptr_t)old, o);

	*new = NULL;
	if (r)
		record_free(o);
	else if (o->kind == KIND_INTERFACE)
		r = label_follow(tx, (const struct interface *)old, (const struct interface *)o);
	return r;
}

int tx_delete(struct tx *tx, const struct object *old)
{
	int r = write_object(tx, (struct object *)(uintptr_t)old, NULL);

	return r || old->kind != KIND_INTERFACE
		       ? r
		       : label_follow(tx, (const struct interface *)old, NULL);
}

int tx_delete_all(struct tx *tx, struct model_iter walk)
{
	const struct object *o = model_iter_next(&walk);
	int r = 0;

	while (o && !r) {
		const struct object *next = model_iter_next(&walk);

		r = tx_delete(tx, o);
		o = next;
	}
	return r;
}

int edit_string(char **field, const char *value)
{
	char *copy = NULL;

	if (value && value[0]) {
		copy = strdup(value);
		if (!copy)
			return -ENOMEM;
	}
	free(*field);
	*field = copy;
	return 0;
}

/* ---- housekeeping ---- */

static bool is_over(const struct tx *tx, const struct object *o)
{
	const struct instance *i = (const struct instance *)o;

	if (o->kind == KIND_TOKEN)
		return ((const struct token *)o)->expires_ms <= tx->now_ms;
	if (o->kind == KIND_NAT_GATEWAY)
		return ((const struct nat_gateway *)o)->ended_ms + LIMIT_MODEL_TERMINATED_MS <=
		       tx->now_ms;
	return i->state == INSTANCE_TERMINATED &&
	       i->terminated_ms + LIMIT_MODEL_TERMINATED_MS <= tx->now_ms;
}

/* Tokens end in the order they came in, so the first one that lives ends the search. */
static int expire_list(struct tx *tx, struct model_iter it, size_t *left)
{
	const struct object *o = model_iter_next(&it);

	while (o && *left) {
		const struct object *next = model_iter_next(&it);
		int r = 0;

		if (is_over(tx, o)) {
			--*left;
			r = tx_delete(tx, o);
		} else if (o->kind == KIND_TOKEN) {
			return 0;
		}
		if (r)
			return r;
		o = next;
	}
	return 0;
}

int tx_expire(struct tx *tx, size_t max)
{
	size_t mark = tx_mark(tx);
	int r = expire_list(tx, model_iter_kind(tx->m, KIND_TOKEN), &max);

	if (!r)
		r = expire_list(tx, model_iter_group(tx->m, REL_TERMINATED, 0), &max);
	if (!r)
		r = expire_list(tx, model_iter_group(tx->m, REL_ENDED_NAT_GATEWAYS, 0), &max);
	if (!r)
		r = peering_expire(tx, &max);
	if (!r)
		r = label_expire(tx, &max);
	if (!r)
		r = drain_expire(tx, &max);
	return tx_settle(tx, mark, r);
}
