/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adding, removing and changing rules of security groups.  See group_rule.h.
 */
#include "model/edit.h"
#include "model/group_rule_edit.h"
#include "model/security_group.h"
#include "model/text.h"

/* ---- authorizing and revoking ---- */

static int authorize_one(struct tx *tx, const struct caller *c, const struct security_group *g,
			 bool egress, const struct rule_args *args, const struct tag_args *tags,
			 size_t n_tags, uint64_t before, const struct group_rule **ret,
			 struct refusal *reterr)
{
	const struct group_rule *same;
	struct group_rule rule;
	int r = group_rule_read(tx->m, c, g, egress, args, &rule, reterr);

	if (r)
		return r;
	same = group_rule_find_same(tx->m, g->o.id, &rule, NULL);
	if (same)
		return group_rule_refuse(same->o.serial > before ? MODEL_E_RULE_TWICE
								 : MODEL_E_RULE_EXISTS,
					 &rule, reterr);
	return group_rule_make(tx, g, &rule, tags, n_tags, ret, reterr);
}

static int do_authorize(struct tx *tx, const struct caller *c, const char *group_id, bool egress,
			const struct rule_args *rules, size_t n, const struct tag_args *tags,
			size_t n_tags, const struct group_rule **ret, struct refusal *reterr)
{
	uint64_t before = tx->m->last_serial;
	const struct security_group *g;
	int r = security_group_find(tx->m, c, group_id, &g, reterr);

	if (!r && !n)
		r = refuse(reterr, MODEL_E_MISSING, "ipPermissions");
	for (size_t i = 0; i < n && !r; i++)
		r = authorize_one(tx, c, g, egress, &rules[i], tags, n_tags, before, &ret[i],
				  reterr);
	return r ? r : group_rule_check_limit(tx->m, g->o.id, reterr);
}

int group_rule_authorize(struct tx *tx, const struct caller *c, const char *group_id, bool egress,
			 const struct rule_args *rules, size_t n, const struct tag_args *tags,
			 size_t n_tags, const struct group_rule **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(
		tx, mark,
		do_authorize(tx, c, group_id, egress, rules, n, tags, n_tags, ret, reterr));
}

/* The rule of the group that 'args' says. */
static int find_said(struct tx *tx, const struct caller *c, const struct security_group *g,
		     bool egress, const struct rule_args *args, const struct group_rule **ret,
		     struct refusal *reterr)
{
	struct group_rule rule;
	int r = group_rule_read(tx->m, c, g, egress, args, &rule, reterr);

	if (r)
		return r;
	*ret = group_rule_find_same(tx->m, g->o.id, &rule, NULL);
	return *ret ? 0 : group_rule_refuse(MODEL_E_RULE_NOT_FOUND, &rule, reterr);
}

/* The rule of that id, of this group and direction. */
static int find_named(struct tx *tx, const struct caller *c, const struct security_group *g,
		      bool egress, const char *id, const struct group_rule **ret,
		      struct refusal *reterr)
{
	int r = group_rule_find(tx->m, c, id, ret, reterr);

	if (!r && ((*ret)->group != g->o.id || (*ret)->egress != egress))
		r = refuse(reterr, MODEL_E_RULE_ID_NOT_FOUND, id);
	return r;
}

static int do_revoke(struct tx *tx, const struct caller *c, const char *group_id, bool egress,
		     const struct rule_args *rules, const char *const *ids, size_t n,
		     struct refusal *reterr)
{
	const struct security_group *g;
	const struct group_rule *rule;
	int r = security_group_find(tx->m, c, group_id, &g, reterr);

	if (!r && !n)
		r = refuse(reterr, MODEL_E_MISSING, "ipPermissions");
	for (size_t i = 0; i < n && !r; i++) {
		r = rules ? find_said(tx, c, g, egress, &rules[i], &rule, reterr)
			  : find_named(tx, c, g, egress, ids[i], &rule, reterr);
		if (!r)
			r = tx_delete(tx, &rule->o);
	}
	return r;
}

int group_rule_revoke(struct tx *tx, const struct caller *c, const char *group_id, bool egress,
		      const struct rule_args *rules, size_t n, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_revoke(tx, c, group_id, egress, rules, NULL, n, reterr));
}

int group_rule_revoke_ids(struct tx *tx, const struct caller *c, const char *group_id, bool egress,
			  const char *const *ids, size_t n, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_revoke(tx, c, group_id, egress, NULL, ids, n, reterr));
}

/* ---- changing ---- */

static int modify_one(struct tx *tx, const struct caller *c, const struct security_group *g,
		      const struct rule_modify_args *args, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct group_rule *old;
	struct group_rule rule;
	int r = group_rule_find(tx->m, c, args->id, &old, reterr);

	if (!r && old->group != g->o.id)
		r = refuse(reterr, MODEL_E_RULE_ID_NOT_FOUND, args->id);
	if (!r)
		r = group_rule_read(tx->m, c, g, old->egress, &args->rule, &rule, reterr);
	if (!r && group_rule_find_same(tx->m, g->o.id, &rule, old))
		r = group_rule_refuse(MODEL_E_RULE_EXISTS, &rule, reterr);
	if (!r)
		r = tx_edit(tx, &old->o, &o);
	if (r)
		return r;
	group_rule_say((struct group_rule *)o, &rule);
	r = edit_string(&((struct group_rule *)o)->description, rule.description);
	return r || record_equal(&old->o, o) ? r : tx_put(tx, &old->o, &o);
}

static int do_modify(struct tx *tx, const struct caller *c, const char *group_id,
		     const struct rule_modify_args *rules, size_t n, struct refusal *reterr)
{
	const struct security_group *g;
	int r = security_group_find(tx->m, c, group_id, &g, reterr);

	if (!r && !n)
		r = refuse(reterr, MODEL_E_MISSING, "SecurityGroupRule");
	for (size_t i = 0; i < n && !r; i++)
		r = modify_one(tx, c, g, &rules[i], reterr);
	return r ? r : group_rule_check_limit(tx->m, g->o.id, reterr);
}

int group_rule_modify(struct tx *tx, const struct caller *c, const char *group_id,
		      const struct rule_modify_args *rules, size_t n, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_modify(tx, c, group_id, rules, n, reterr));
}

/* ---- describing ---- */

static int set_description(struct tx *tx, const struct group_rule *old, const char *description,
			   struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	int r;

	if (description && !text_is_plain(description))
		return refuse(reterr, MODEL_E_RULE_DESCRIPTION, description);
	r = tx_edit(tx, &old->o, &o);
	if (!r)
		r = edit_string(&((struct group_rule *)o)->description, description);
	return r || record_equal(&old->o, o) ? r : tx_put(tx, &old->o, &o);
}

static int do_describe(struct tx *tx, const struct caller *c, const char *group_id, bool egress,
		       const struct rule_args *rules, const struct rule_description *named,
		       size_t n, struct refusal *reterr)
{
	const struct security_group *g;
	const struct group_rule *rule;
	int r = security_group_find(tx->m, c, group_id, &g, reterr);

	if (!r && !n)
		r = refuse(reterr, MODEL_E_MISSING, "ipPermissions");
	for (size_t i = 0; i < n && !r; i++) {
		r = rules ? find_said(tx, c, g, egress, &rules[i], &rule, reterr)
			  : find_named(tx, c, g, egress, named[i].id, &rule, reterr);
		if (!r)
			r = set_description(tx, rule,
					    rules ? rules[i].description : named[i].description,
					    reterr);
	}
	return r;
}

int group_rule_describe(struct tx *tx, const struct caller *c, const char *group_id, bool egress,
			const struct rule_args *rules, size_t n, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_describe(tx, c, group_id, egress, rules, NULL, n, reterr));
}

int group_rule_describe_ids(struct tx *tx, const struct caller *c, const char *group_id,
			    bool egress, const struct rule_description *rules, size_t n,
			    struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_describe(tx, c, group_id, egress, NULL, rules, n, reterr));
}
