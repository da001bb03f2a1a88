/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of traffic mirroring.  See mirror.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "model/interface.h"
#include "model/mirror_edit.h"
#include "model/token_edit.h"

#define OPERATION "CreateTrafficMirrorSession"

int mirror_session_find(const struct model *m, const struct caller *c, const char *id,
			const struct mirror_session **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!id_parse(KIND_MIRROR_SESSION, id, &number))
		o = model_get(m, KIND_MIRROR_SESSION, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, MODEL_E_MIRROR_SESSION_NOT_FOUND, id);
	*ret = (const struct mirror_session *)o;
	return 0;
}

/* ---- what is asked for ---- */

static int set_numbers(struct tx *tx, struct mirror_session *s, const struct mirror_session_args *a,
		       struct refusal *reterr)
{
	if (a->number) {
		if (!*a->number || *a->number > MIRROR_NUMBER_MAX)
			return mirror_value(reterr, *a->number, "SessionNumber",
					    "It is 1 to 32766.");
		s->number = *a->number;
	}
	if (a->no_length)
		s->length = 0;
	if (a->length) {
		if (!*a->length || *a->length > MIRROR_LENGTH_MAX)
			return mirror_value(reterr, *a->length, "PacketLength", "It is 1 to 8500.");
		s->length = *a->length;
	}
	if (a->no_vni)
		s->vni = (uint32_t)tx_random(tx) & MIRROR_VNI_MAX;
	if (a->vni) {
		if (*a->vni > MIRROR_VNI_MAX)
			return mirror_value(reterr, *a->vni, "VirtualNetworkId",
					    "It is 0 to 16777215.");
		s->vni = *a->vni;
	}
	if (a->description || a->no_description)
		return mirror_set_text(&s->description, a->description, reterr);
	return 0;
}

static int set_ends(const struct model *m, const struct caller *c, struct mirror_session *s,
		    const struct mirror_session_args *a, struct refusal *reterr)
{
	const struct mirror_filter *f;
	const struct mirror_target *t;
	int r;

	if (a->target_id) {
		r = mirror_target_find(m, c, a->target_id, &t, reterr);
		if (r)
			return r;
		if (t->o.id != s->target &&
		    model_group_count(m, REL_TARGET_MIRROR_SESSIONS, t->o.id) >=
			    LIMIT_MODEL_MIRROR_SOURCES)
			return refuse(reterr, MODEL_E_MIRROR_SOURCES_LIMIT, a->target_id);
		s->target = t->o.id;
	}
	if (a->filter_id) {
		r = mirror_filter_find(m, c, a->filter_id, &f, reterr);
		if (r)
			return r;
		s->filter = f->o.id;
	}
	return 0;
}

/* Whether the interface is where some session's copies go. */
static bool gets_copies(const struct model *m, uint64_t interface)
{
	struct model_iter it = model_iter_group(m, REL_INTERFACE_MIRROR_TARGETS, interface);
	const struct object *o;

	while ((o = model_iter_next(&it)))
		if (model_group_count(m, REL_TARGET_MIRROR_SESSIONS, o->id))
			return true;
	return false;
}

static int check(const struct model *m, const struct mirror_session *s, struct refusal *reterr)
{
	const struct mirror_target *t =
		(const struct mirror_target *)model_get(m, KIND_MIRROR_TARGET, s->target);
	struct model_iter it = model_iter_group(m, REL_INTERFACE_MIRROR_SESSIONS, s->interface);
	const struct mirror_session *other;
	char id[ID_TEXT_SIZE], text[16];

	if (t->interface == s->interface || gets_copies(m, s->interface) ||
	    model_group_count(m, REL_INTERFACE_MIRROR_SESSIONS, t->interface))
		return refuse(reterr, MODEL_E_MIRROR_LOOP,
			      id_text(KIND_INTERFACE, s->interface, id));
	while ((other = (const struct mirror_session *)model_iter_next(&it)))
		if (other->o.id != s->o.id && other->number == s->number) {
			snprintf(text, sizeof(text), "%u", s->number);
			return refuse(reterr, MODEL_E_MIRROR_SESSION_EXISTS, text,
				      id_text(KIND_INTERFACE, s->interface, id));
		}
	return 0;
}

/* ---- operations ---- */

static int fill(struct tx *tx, const struct caller *c, struct mirror_session *s,
		const struct interface *i, const struct mirror_session_args *args,
		struct refusal *reterr)
{
	int r;

	s->interface = i->o.id;
	s->vni = (uint32_t)tx_random(tx) & MIRROR_VNI_MAX;
	r = set_ends(tx->m, c, s, args, reterr);
	if (!r)
		r = set_numbers(tx, s, args, reterr);
	if (!r)
		r = check(tx->m, s, reterr);
	return r ? r : tags_set(&s->o, args->tags, args->n_tags, reterr);
}

static int make(struct tx *tx, const struct caller *c, const struct mirror_session_args *args,
		const struct mirror_session **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct mirror_session *s;
	const struct interface *i;
	int r = interface_find(tx->m, c, args->interface_id, &i, reterr);

	if (r)
		return r;
	if (model_group_count(tx->m, REL_INTERFACE_MIRROR_SESSIONS, i->o.id) >=
	    LIMIT_MODEL_MIRROR_SESSIONS)
		return refuse(reterr, MODEL_E_MIRROR_SESSION_LIMIT, args->interface_id);
	r = tx_make(tx, KIND_MIRROR_SESSION, i->o.account, &o);
	if (!r)
		r = fill(tx, c, (struct mirror_session *)o, i, args, reterr);
	if (r)
		return r;
	s = (const struct mirror_session *)o;
	r = tx_put(tx, NULL, &o);
	if (!r)
		r = token_remember(tx, c->account, OPERATION, &args->token, KIND_MIRROR_SESSION,
				   &s->o.id, 1);
	if (!r)
		*ret = s;
	return r;
}

static int do_create(struct tx *tx, const struct caller *c, const struct mirror_session_args *args,
		     const struct mirror_session **ret, struct refusal *reterr)
{
	const struct token *seen;
	char id[ID_TEXT_SIZE];
	int r = token_seen(tx, c->account, OPERATION, &args->token, &seen, reterr);

	if (r)
		return r;
	if (!seen)
		return make(tx, c, args, ret, reterr);
	return mirror_session_find(tx->m, c, id_text(KIND_MIRROR_SESSION, seen->results[0], id),
				   ret, reterr);
}

int mirror_session_create(struct tx *tx, const struct caller *c,
			  const struct mirror_session_args *args, const struct mirror_session **ret,
			  struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, ret, reterr));
}

static int do_modify(struct tx *tx, const struct caller *c, const struct mirror_session *s,
		     const struct mirror_session_args *args, const struct mirror_session **ret,
		     struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct mirror_session *new;
	int r = tx_edit(tx, &s->o, &o);

	if (r)
		return r;
	new = (struct mirror_session *)o;
	r = set_ends(tx->m, c, new, args, reterr);
	if (!r)
		r = set_numbers(tx, new, args, reterr);
	if (!r)
		r = check(tx->m, new, reterr);
	if (r)
		return r;
	*ret = new;
	return tx_put(tx, &s->o, &o);
}

int mirror_session_modify(struct tx *tx, const struct caller *c, const char *id,
			  const struct mirror_session_args *args, const struct mirror_session **ret,
			  struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct mirror_session *s;
	int r = mirror_session_find(tx->m, c, id, &s, reterr);

	return r ? r : tx_settle(tx, mark, do_modify(tx, c, s, args, ret, reterr));
}

int mirror_session_delete(struct tx *tx, const struct caller *c, const char *id,
			  struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct mirror_session *s;
	int r = mirror_session_find(tx->m, c, id, &s, reterr);

	return r ? r : tx_settle(tx, mark, tx_delete(tx, &s->o));
}

static int end_all(struct tx *tx, enum relation relation, uint64_t key)
{
	return tx_delete_all(tx, model_iter_group(tx->m, relation, key));
}

int mirror_end_interface(struct tx *tx, uint64_t interface)
{
	struct model_iter it = model_iter_group(tx->m, REL_INTERFACE_MIRROR_TARGETS, interface);
	const struct object *o;
	int r = end_all(tx, REL_INTERFACE_MIRROR_SESSIONS, interface);

	while (!r && (o = model_iter_next(&it)))
		r = end_all(tx, REL_TARGET_MIRROR_SESSIONS, o->id);
	return r ? r : end_all(tx, REL_INTERFACE_MIRROR_TARGETS, interface);
}

size_t mirror_sessions_of(const struct model *m, uint64_t interface,
			  const struct mirror_session *ret[])
{
	struct model_iter it = model_iter_group(m, REL_INTERFACE_MIRROR_SESSIONS, interface);
	const struct mirror_session *s;
	size_t n = 0, i;

	while (n < LIMIT_MODEL_MIRROR_SESSIONS &&
	       (s = (const struct mirror_session *)model_iter_next(&it))) {
		for (i = n++; i && ret[i - 1]->number > s->number; i--)
			ret[i] = ret[i - 1];
		ret[i] = s;
	}
	return n;
}

bool mirror_session_address(const struct model *m, const struct mirror_session *s,
			    struct ipaddr *ret)
{
	const struct mirror_target *t =
		(const struct mirror_target *)model_get(m, KIND_MIRROR_TARGET, s->target);
	const struct interface *i =
		t ? (const struct interface *)model_get(m, KIND_INTERFACE, t->interface) : NULL;

	if (!i)
		return false;
	*ret = i->addrs[0].addr;
	return true;
}
