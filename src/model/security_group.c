/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups, and which interfaces are in them.  See security_group.h; rules are in
 * group_rule.c.
 */
#include "model/security_group.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/str.h"
#include "model/account.h"
#include "model/counters.h"
#include "model/default_vpc.h"
#include "model/edit.h"
#include "model/group_rule_edit.h"
#include "model/security_group_edit.h"
#include "model/text.h"
#include "model/vpc.h"

#define DEFAULT_NAME        "default"
#define DEFAULT_DESCRIPTION "default VPC security group"

/* ---- finding ---- */

int security_group_find(const struct model *m, const struct caller *c, const char *id,
			const struct security_group **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!text_is_id("sg-", id))
		return refuse(reterr, MODEL_E_GROUP_MALFORMED, id);
	if (!id_parse(KIND_SECURITY_GROUP, id, &number))
		o = model_get(m, KIND_SECURITY_GROUP, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, MODEL_E_GROUP_NOT_FOUND, id);
	*ret = (const struct security_group *)o;
	return 0;
}

const struct security_group *security_group_by_name(const struct model *m, uint64_t vpc,
						    const char *name)
{
	const struct hmap_node *n = unique_first(m, UNIQUE_GROUP_NAME, group_name_hash(vpc, name));

	for (; n; n = hmap_next_at(n)) {
		const struct security_group *g =
			hmap_entry(n, const struct security_group, by_name);

		if (g->vpc == vpc && str_equal(g->name, name))
			return g;
	}
	return NULL;
}

const struct security_group *security_group_by_number(const struct model *m, uint32_t number)
{
	const struct hmap_node *n = unique_first(m, UNIQUE_GROUP_NUMBER, hash_u64(number));

	for (; n; n = hmap_next_at(n)) {
		const struct security_group *g =
			hmap_entry(n, const struct security_group, by_number);

		if (g->number == number)
			return g;
	}
	return NULL;
}

const struct security_group *security_group_default(const struct model *m, const struct vpc *v)
{
	return (const struct security_group *)model_get(m, KIND_SECURITY_GROUP, v->default_group);
}

/* Whether an interface, attached or not, is in it. */
static bool security_group_is_used(const struct model *m, const struct security_group *g)
{
	const struct carried *c = carried_find(m, CARRIED_GROUP, g->number);

	return c && c->n_hosts;
}

/* ---- making ---- */

static int check_text(const struct security_group_create_args *args, struct refusal *reterr)
{
	if (!args->name || !args->name[0])
		return refuse(reterr, MODEL_E_MISSING, "GroupName");
	if (!args->description || !args->description[0])
		return refuse(reterr, MODEL_E_MISSING, "GroupDescription");
	if (str_equal(args->name, DEFAULT_NAME))
		return refuse(reterr, MODEL_E_GROUP_NAME_RESERVED, args->name);
	if (str_has_prefix(args->name, "sg-") || !text_is_plain(args->name))
		return refuse(reterr, MODEL_E_GROUP_NAME, args->name);
	if (!text_is_plain(args->description))
		return refuse(reterr, MODEL_E_GROUP_NAME, args->description);
	return 0;
}

/* Everything out: of IPv6 where the VPC has a block of it. */
static int make_egress_rules(struct tx *tx, const struct vpc *v, const struct security_group *g,
			     struct refusal *reterr)
{
	struct group_rule rule = {
		.egress = true,
		.traffic = {.protocol = TRAFFIC_ANY, .to = TRAFFIC_MAX},
		.prefix = prefix_v4(0, 0),
	};
	const struct group_rule *made;
	int r = group_rule_make(tx, g, &rule, NULL, 0, &made, reterr);

	rule.prefix = (struct prefix){};
	if (!r && vpc_has_v6(v))
		r = group_rule_make(tx, g, &rule, NULL, 0, &made, reterr);
	return r;
}

/* Its only egress rule lets all of IPv4 out. */
static bool has_usual_egress(const struct model *m, const struct security_group *g)
{
	struct model_iter it = model_iter_group(m, REL_GROUP_RULES, g->o.id);
	const struct group_rule usual = {
		.egress = true,
		.traffic = {.protocol = TRAFFIC_ANY, .to = TRAFFIC_MAX},
		.prefix = prefix_v4(0, 0),
	};
	const struct group_rule *rule;
	bool found = false;

	while ((rule = (const struct group_rule *)model_iter_next(&it))) {
		if (rule->egress && !group_rule_same(rule, &usual))
			return false;
		found |= rule->egress;
	}
	return found;
}

int security_group_widen(struct tx *tx, const struct vpc *v, struct refusal *reterr)
{
	struct model_iter it = model_iter_group(tx->m, REL_VPC_GROUPS, v->o.id);
	const struct group_rule rule = {
		.egress = true,
		.traffic = {.protocol = TRAFFIC_ANY, .to = TRAFFIC_MAX},
	};
	const struct security_group *g;
	const struct group_rule *made;
	int r = 0;

	while (!r && (g = (const struct security_group *)model_iter_next(&it)))
		if (has_usual_egress(tx->m, g))
			r = group_rule_make(tx, g, &rule, NULL, 0, &made, reterr);
	return r;
}

static int make(struct tx *tx, const struct vpc *v, uint64_t id, const char *name,
		const char *description, const struct tag_args *tags, size_t n_tags,
		const struct security_group **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct security_group *g;
	int r = tx_make(tx, KIND_SECURITY_GROUP, v->o.account, &o);

	if (r)
		return r;
	g = (struct security_group *)o;
	if (id)
		o->id = id;
	g->vpc = v->o.id;
	g->is_default = id;
	r = edit_string(&g->name, name);
	if (!r)
		r = edit_string(&g->description, description);
	if (!r)
		r = tags_set(o, tags, n_tags, reterr);
	if (!r)
		r = counters_next_group(tx, &g->number, reterr);
	if (!r)
		r = tx_put(tx, NULL, &o);
	if (!r)
		*ret = g;
	return r;
}

int security_group_make_default(struct tx *tx, const struct vpc *v, struct refusal *reterr)
{
	struct group_rule rule = {
		.traffic = {.protocol = TRAFFIC_ANY, .to = TRAFFIC_MAX},
		.end = RULE_END_GROUP,
		.peer = v->default_group,
		.peer_account = v->o.account,
		.peer_vpc = v->o.id,
	};
	const struct security_group *g;
	const struct group_rule *made;
	int r = make(tx, v, v->default_group, DEFAULT_NAME, DEFAULT_DESCRIPTION, NULL, 0, &g,
		     reterr);

	if (r)
		return r;
	rule.peer_number = g->number;
	r = group_rule_make(tx, g, &rule, NULL, 0, &made, reterr);
	return r ? r : make_egress_rules(tx, v, g, reterr);
}

static int do_create(struct tx *tx, const struct caller *c,
		     const struct security_group_create_args *args,
		     const struct security_group **ret, struct refusal *reterr)
{
	const struct vpc *v = NULL;
	char id[ID_TEXT_SIZE];
	int r = check_text(args, reterr);

	if (!r && args->vpc_id)
		r = vpc_find(tx->m, c, args->vpc_id, &v, reterr);
	if (r)
		return r;
	if (!args->vpc_id)
		v = default_vpc_of(tx->m, c->account);
	if (!v)
		return refuse(reterr, MODEL_E_NO_DEFAULT_VPC, "");
	if (security_group_by_name(tx->m, v->o.id, args->name))
		return refuse(reterr, MODEL_E_GROUP_EXISTS, args->name, object_id_text(&v->o, id));
	if (model_account_count(tx->m, KIND_SECURITY_GROUP, v->o.account) >= LIMIT_MODEL_GROUPS)
		return refuse(reterr, MODEL_E_GROUP_LIMIT, args->name);
	r = make(tx, v, 0, args->name, args->description, args->tags, args->n_tags, ret, reterr);
	return r ? r : make_egress_rules(tx, v, *ret, reterr);
}

int security_group_create(struct tx *tx, const struct caller *c,
			  const struct security_group_create_args *args,
			  const struct security_group **ret, struct refusal *reterr)
{
	const struct security_group *made = NULL;
	size_t mark = tx_mark(tx);
	int r = tx_settle(tx, mark, do_create(tx, c, args, &made, reterr));

	if (!r)
		*ret = made;
	return r;
}

/* ---- ending ---- */

int security_group_end(struct tx *tx, const struct security_group *g)
{
	int r = tx_delete_all(tx, model_iter_group(tx->m, REL_GROUP_RULES, g->o.id));

	return r ? r : tx_delete(tx, &g->o);
}

/* Rules of peered VPCs may name it: they are stale then. */
static bool is_named(const struct model *m, const struct security_group *g)
{
	struct model_iter it = model_iter_group(m, REL_PEER_RULES, g->o.id);
	const struct group_rule *rule;

	while ((rule = (const struct group_rule *)model_iter_next(&it))) {
		const struct security_group *other = (const struct security_group *)model_get(
			m, KIND_SECURITY_GROUP, rule->group);

		if (other != g && other->vpc == g->vpc)
			return true;
	}
	return false;
}

int security_group_delete(struct tx *tx, const struct caller *c, const char *id,
			  struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct security_group *g;
	int r = security_group_find(tx->m, c, id, &g, reterr);

	if (r)
		return r;
	if (g->is_default)
		return refuse(reterr, MODEL_E_GROUP_DEFAULT, id);
	if (security_group_is_used(tx->m, g) || is_named(tx->m, g))
		return refuse(reterr, MODEL_E_GROUP_DEPENDENCY, id);
	return tx_settle(tx, mark, security_group_end(tx, g));
}

/* ---- members ---- */

static int find_member_group(const struct tx *tx, const struct interface *i, const char *id,
			     const struct security_group **ret, struct refusal *reterr)
{
	const struct caller owner = {.account = i->o.account};
	int r = security_group_find(tx->m, &owner, id, ret, reterr);

	if (!r && (*ret)->vpc != i->vpc)
		r = refuse(reterr, MODEL_E_GROUP_VPC_MISMATCH, id);
	return r;
}

static int join_default(struct tx *tx, struct interface *i)
{
	const struct vpc *v = (const struct vpc *)model_get(tx->m, KIND_VPC, i->vpc);
	const struct security_group *g = security_group_default(tx->m, v);

	if (!g)
		return 0;
	i->groups = calloc(1, sizeof(*i->groups));
	if (!i->groups)
		return -ENOMEM;
	i->groups[i->n_groups++] = (struct group_ref){g->o.id, g->number};
	return 0;
}

int security_group_join(struct tx *tx, struct interface *i, const char *const *ids, size_t n,
			struct refusal *reterr)
{
	uint32_t most = account_limits(tx->m, i->o.account).interface_groups;
	const struct security_group *g;
	char text[16];

	free(i->groups);
	i->groups = NULL;
	i->n_groups = 0;
	if (!n)
		return join_default(tx, i);
	if (n > most) {
		snprintf(text, sizeof(text), "%u", most);
		return refuse(reterr, MODEL_E_GROUPS_LIMIT, text);
	}
	i->groups = calloc(n, sizeof(*i->groups));
	if (!i->groups)
		return -ENOMEM;
	for (size_t k = 0; k < n; k++) {
		int r = find_member_group(tx, i, ids[k], &g, reterr);

		if (!r && interface_has_group(i, g->o.id))
			r = refuse(reterr, MODEL_E_VALUE, ids[k], "groupId",
				   "The same group is named twice.");
		if (r)
			return r;
		i->groups[i->n_groups++] = (struct group_ref){g->o.id, g->number};
	}
	return 0;
}
