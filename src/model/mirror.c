/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Targets and filters of traffic mirroring.  See mirror.h; rules are in mirror_rule.c, sessions in
 * mirror_session.c.
 */
#include "model/mirror.h"

#include <stdio.h>

#include "base/limits.h"
#include "model/interface.h"
#include "model/mirror_edit.h"
#include "model/text.h"
#include "model/token_edit.h"

#define CREATE_TARGET "CreateTrafficMirrorTarget"
#define CREATE_FILTER "CreateTrafficMirrorFilter"

int mirror_set_text(char **field, const char *value, struct refusal *reterr)
{
	if (value && !text_is_plain(value))
		return refuse(reterr, MODEL_E_MIRROR_TEXT, value);
	return edit_string(field, value);
}

int mirror_value(struct refusal *reterr, uint32_t value, const char *name, const char *why)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	return refuse(reterr, MODEL_E_VALUE, text, name, why);
}

static int find(const struct model *m, const struct caller *c, enum kind k, const char *id,
		int refusal, const struct object **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (id && !id_parse(k, id, &number))
		o = model_get(m, k, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, refusal, id ? id : "");
	*ret = o;
	return 0;
}

/* ---- targets ---- */

int mirror_target_find(const struct model *m, const struct caller *c, const char *id,
		       const struct mirror_target **ret, struct refusal *reterr)
{
	return find(m, c, KIND_MIRROR_TARGET, id, MODEL_E_MIRROR_TARGET_NOT_FOUND,
		    (const struct object **)ret, reterr);
}

static int make_target(struct tx *tx, const struct caller *c, const struct mirror_target_args *args,
		       const struct mirror_target **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct interface *i;
	struct mirror_target *t;
	int r = interface_find(tx->m, c, args->interface_id, &i, reterr);

	if (r)
		return r;
	if (model_account_count(tx->m, KIND_MIRROR_TARGET, c->account) >=
	    LIMIT_MODEL_MIRROR_TARGETS)
		return refuse(reterr, MODEL_E_MIRROR_TARGET_LIMIT, args->interface_id);
	if (model_group_count(tx->m, REL_INTERFACE_MIRROR_TARGETS, i->o.id))
		return refuse(reterr, MODEL_E_MIRROR_TARGET_EXISTS, args->interface_id);
	r = tx_make(tx, KIND_MIRROR_TARGET, i->o.account, &o);
	if (r)
		return r;
	t = (struct mirror_target *)o;
	t->interface = i->o.id;
	r = mirror_set_text(&t->description, args->description, reterr);
	if (!r)
		r = tags_set(o, args->tags, args->n_tags, reterr);
	if (!r)
		r = tx_put(tx, NULL, &o);
	if (!r)
		r = token_remember(tx, c->account, CREATE_TARGET, &args->token, KIND_MIRROR_TARGET,
				   &t->o.id, 1);
	if (!r)
		*ret = t;
	return r;
}

static int do_create_target(struct tx *tx, const struct caller *c,
			    const struct mirror_target_args *args, const struct mirror_target **ret,
			    struct refusal *reterr)
{
	const struct token *seen;
	char id[ID_TEXT_SIZE];
	int r = token_seen(tx, c->account, CREATE_TARGET, &args->token, &seen, reterr);

	if (r)
		return r;
	if (!seen)
		return make_target(tx, c, args, ret, reterr);
	return mirror_target_find(tx->m, c, id_text(KIND_MIRROR_TARGET, seen->results[0], id), ret,
				  reterr);
}

int mirror_target_create(struct tx *tx, const struct caller *c,
			 const struct mirror_target_args *args, const struct mirror_target **ret,
			 struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create_target(tx, c, args, ret, reterr));
}

int mirror_target_delete(struct tx *tx, const struct caller *c, const char *id,
			 struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct mirror_target *t;
	int r = mirror_target_find(tx->m, c, id, &t, reterr);

	if (!r && model_group_count(tx->m, REL_TARGET_MIRROR_SESSIONS, t->o.id))
		r = refuse(reterr, MODEL_E_MIRROR_TARGET_IN_USE, id);
	return r ? r : tx_settle(tx, mark, tx_delete(tx, &t->o));
}

/* ---- filters ---- */

int mirror_filter_find(const struct model *m, const struct caller *c, const char *id,
		       const struct mirror_filter **ret, struct refusal *reterr)
{
	return find(m, c, KIND_MIRROR_FILTER, id, MODEL_E_MIRROR_FILTER_NOT_FOUND,
		    (const struct object **)ret, reterr);
}

static int make_filter(struct tx *tx, const struct caller *c, const struct mirror_filter_args *args,
		       const struct mirror_filter **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct mirror_filter *f;
	int r;

	if (model_account_count(tx->m, KIND_MIRROR_FILTER, c->account) >=
	    LIMIT_MODEL_MIRROR_FILTERS)
		return refuse(reterr, MODEL_E_MIRROR_FILTER_LIMIT, "filters");
	r = tx_make(tx, KIND_MIRROR_FILTER, c->account, &o);
	if (r)
		return r;
	f = (struct mirror_filter *)o;
	r = mirror_set_text(&f->description, args->description, reterr);
	if (!r)
		r = tags_set(o, args->tags, args->n_tags, reterr);
	if (!r)
		r = tx_put(tx, NULL, &o);
	if (!r)
		r = token_remember(tx, c->account, CREATE_FILTER, &args->token, KIND_MIRROR_FILTER,
				   &f->o.id, 1);
	if (!r)
		*ret = f;
	return r;
}

static int do_create_filter(struct tx *tx, const struct caller *c,
			    const struct mirror_filter_args *args, const struct mirror_filter **ret,
			    struct refusal *reterr)
{
	const struct token *seen;
	char id[ID_TEXT_SIZE];
	int r = token_seen(tx, c->account, CREATE_FILTER, &args->token, &seen, reterr);

	if (r)
		return r;
	if (!seen)
		return make_filter(tx, c, args, ret, reterr);
	return mirror_filter_find(tx->m, c, id_text(KIND_MIRROR_FILTER, seen->results[0], id), ret,
				  reterr);
}

int mirror_filter_create(struct tx *tx, const struct caller *c,
			 const struct mirror_filter_args *args, const struct mirror_filter **ret,
			 struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create_filter(tx, c, args, ret, reterr));
}

int mirror_filter_delete(struct tx *tx, const struct caller *c, const char *id,
			 struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct mirror_filter *f;
	int r = mirror_filter_find(tx->m, c, id, &f, reterr);

	if (!r && model_group_count(tx->m, REL_FILTER_MIRROR_SESSIONS, f->o.id))
		r = refuse(reterr, MODEL_E_MIRROR_FILTER_IN_USE, id);
	return r ? r : tx_settle(tx, mark, tx_delete(tx, &f->o));
}

static int do_set_dns(struct tx *tx, const struct mirror_filter *f, bool dns,
		      const struct mirror_filter **ret)
{
	struct mirror_filter *new = NULL;
	int r;

	*ret = f;
	if (f->dns == dns)
		return 0;
	r = TX_EDIT(tx, f, &new);
	if (r)
		return r;
	new->dns = dns;
	*ret = new;
	return TX_PUT(tx, f, &new);
}

int mirror_filter_set_dns(struct tx *tx, const struct caller *c, const char *id, bool dns,
			  const struct mirror_filter **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct mirror_filter *f;
	int r = mirror_filter_find(tx->m, c, id, &f, reterr);

	return r ? r : tx_settle(tx, mark, do_set_dns(tx, f, dns, ret));
}
