/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on security groups, ACLs and prefix lists, for the walk.  See walk.h. */
#include <stdio.h>

#include "model/group_rule.h"
#include "model/network_acl.h"
#include "model/prefix_list.h"
#include "model/security_group.h"
#include "tests/unit/model/walk.h"

static const char *const cidrs[] = {"0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24", "nonsense"};
static const char *const protocols[] = {"tcp", "udp", "icmp", "-1", "50", "6", "nonsense"};

static const char *one_of(struct walk *w, const char *const *texts, size_t n)
{
	return texts[walk_random(w, (uint32_t)n)];
}

/* The default groups and ACLs come with their networks, and have to be met. */
static const char *some_of_vpc(struct walk *w, enum kind k, char buf[static ID_TEXT_SIZE])
{
	const struct vpc *v;

	if (walk_random(w, 3) || vpc_find(w->c.m, &w->c.admin, walk_some(w, KIND_VPC), &v, NULL))
		return walk_some(w, k);
	return id_text(k, k == KIND_NETWORK_ACL ? v->default_acl : v->default_group, buf);
}

static int step_group_create(struct walk *w, struct tx *tx)
{
	char name[16];
	struct security_group_create_args args = {name, "d", walk_some(w, KIND_VPC), NULL, 0};
	const struct security_group *g;
	int r;

	snprintf(name, sizeof(name), walk_random(w, 12) ? "g%u" : "sg-%u", walk_random(w, 9));
	if (model_count(w->c.m, KIND_SECURITY_GROUP) > 12)
		return 0;
	r = security_group_create(tx, walk_someone(w), &args, &g, &w->c.refusal);
	if (!r)
		walk_remember(w, &g->o);
	return r;
}

static int step_group_delete(struct walk *w, struct tx *tx)
{
	char id[ID_TEXT_SIZE];

	return security_group_delete(tx, walk_someone(w), some_of_vpc(w, KIND_SECURITY_GROUP, id),
				     &w->c.refusal);
}

/* A rule, sensible or not; the texts live in the arguments. */
struct some_rule {
	struct rule_args args;
	int32_t from, to;
	char peer[ID_TEXT_SIZE];
};

static void make_rule(struct walk *w, struct some_rule *r)
{
	*r = (struct some_rule){.from = (int32_t)walk_random(w, 5) - 1,
				.to = (int32_t)walk_random(w, 6)};
	r->args.protocol = one_of(w, protocols, ARRAY_SIZE(protocols));
	r->args.from = &r->from;
	r->args.to = &r->to;
	switch (walk_random(w, 6)) {
	case 0:
		r->args.list_id = walk_some(w, KIND_PREFIX_LIST);
		break;
	case 1:
	case 2:
		r->args.group_id = some_of_vpc(w, KIND_SECURITY_GROUP, r->peer);
		break;
	case 3:
		r->args.cidr6 = walk_random(w, 2) ? "::/0" : "2001:db8::/32";
		break;
	default:
		r->args.cidr = one_of(w, cidrs, ARRAY_SIZE(cidrs));
	}
}

static int step_authorize(struct walk *w, struct tx *tx)
{
	const struct rule_args *first;
	struct some_rule rules[2];
	const struct group_rule *made[2];
	struct rule_args args[2];
	size_t n = 1 + walk_random(w, 2);
	char id[ID_TEXT_SIZE];
	int r;

	for (size_t i = 0; i < n; i++) {
		make_rule(w, &rules[i]);
		args[i] = rules[i].args;
	}
	first = args;
	r = group_rule_authorize(tx, walk_someone(w), some_of_vpc(w, KIND_SECURITY_GROUP, id),
				 walk_random(w, 2), first, n, NULL, 0, made, &w->c.refusal);
	for (size_t i = 0; !r && i < n; i++)
		walk_remember(w, &made[i]->o);
	return r;
}

static int step_revoke(struct walk *w, struct tx *tx)
{
	const char *rule_id = walk_some(w, KIND_SECURITY_GROUP_RULE);
	char id[ID_TEXT_SIZE], group[ID_TEXT_SIZE] = "sg-0123456789abcdef0";
	const struct group_rule *rule;
	struct some_rule said;
	bool egress = walk_random(w, 2);

	if (walk_random(w, 3)) {
		if (!group_rule_find(w->c.m, &w->c.admin, rule_id, &rule, NULL)) {
			id_text(KIND_SECURITY_GROUP, rule->group, group);
			egress = rule->egress;
		}
		return group_rule_revoke_ids(tx, walk_someone(w), group, egress, &rule_id, 1,
					     &w->c.refusal);
	}
	make_rule(w, &said);
	return group_rule_revoke(tx, walk_someone(w), some_of_vpc(w, KIND_SECURITY_GROUP, id),
				 egress, &said.args, 1, &w->c.refusal);
}

static int step_rule_modify(struct walk *w, struct tx *tx)
{
	struct rule_modify_args args = {.id = walk_some(w, KIND_SECURITY_GROUP_RULE)};
	struct rule_description description = {args.id, walk_random(w, 2) ? "said" : NULL};
	char group[ID_TEXT_SIZE] = "sg-0123456789abcdef0";
	const struct group_rule *rule = NULL;
	struct some_rule said;

	if (!group_rule_find(w->c.m, &w->c.admin, args.id, &rule, NULL))
		id_text(KIND_SECURITY_GROUP, rule->group, group);
	if (!walk_random(w, 3))
		return group_rule_describe_ids(tx, walk_someone(w), group, rule && rule->egress,
					       &description, 1, &w->c.refusal);
	make_rule(w, &said);
	args.rule = said.args;
	return group_rule_modify(tx, walk_someone(w), group, &args, 1, &w->c.refusal);
}

static int step_join(struct walk *w, struct tx *tx)
{
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];
	const char *groups[] = {some_of_vpc(w, KIND_SECURITY_GROUP, a),
				some_of_vpc(w, KIND_SECURITY_GROUP, b)};
	struct interface_modify_args args = {
		.interface_id = walk_some(w, KIND_INTERFACE),
		.groups = groups,
		.n_groups = 1 + walk_random(w, 2),
	};

	return interface_modify(tx, walk_someone(w), &args, &w->c.refusal);
}

static int step_acl_create(struct walk *w, struct tx *tx)
{
	struct network_acl_create_args args = {.vpc_id = walk_some(w, KIND_VPC)};
	const struct network_acl *a;
	int r;

	if (model_count(w->c.m, KIND_NETWORK_ACL) > 8)
		return 0;
	r = network_acl_create(tx, walk_someone(w), &args, &a, &w->c.refusal);
	if (!r)
		walk_remember(w, &a->o);
	return r;
}

static int step_acl_delete(struct walk *w, struct tx *tx)
{
	char id[ID_TEXT_SIZE];

	return network_acl_delete(tx, walk_someone(w), some_of_vpc(w, KIND_NETWORK_ACL, id),
				  &w->c.refusal);
}

static int step_acl_entry(struct walk *w, struct tx *tx)
{
	int32_t from = (int32_t)walk_random(w, 4), to = (int32_t)walk_random(w, 5);
	char id[ID_TEXT_SIZE];
	struct acl_entry_args args = {
		.acl_id = some_of_vpc(w, KIND_NETWORK_ACL, id),
		.rule = walk_random(w, 12) * 10,
		.egress = walk_random(w, 2),
		.protocol = one_of(w, protocols, ARRAY_SIZE(protocols)),
		.action = walk_random(w, 2) ? "allow" : "deny",
		.cidr = one_of(w, cidrs, ARRAY_SIZE(cidrs)),
		.from = &from,
		.to = &to,
		.type = &from,
		.code = &to,
	};

	switch (walk_random(w, 3)) {
	case 0:
		return network_acl_add(tx, walk_someone(w), &args, &w->c.refusal);
	case 1:
		return network_acl_replace(tx, walk_someone(w), &args, &w->c.refusal);
	default:
		return network_acl_remove(tx, walk_someone(w), args.acl_id, args.rule, args.egress,
					  &w->c.refusal);
	}
}

static int step_acl_associate(struct walk *w, struct tx *tx)
{
	char id[ID_TEXT_SIZE], association[ID_TEXT_SIZE] = "aclassoc-0123456789abcdef0";
	const struct subnet *s;
	uint64_t made;

	if (!subnet_find(w->c.m, &w->c.admin, walk_some(w, KIND_SUBNET), &s, NULL))
		id_text_prefixed(ID_PREFIX_ACL_ASSOCIATION, s->acl_association, association);
	return network_acl_associate(tx, walk_someone(w), association,
				     some_of_vpc(w, KIND_NETWORK_ACL, id), &made, &w->c.refusal);
}

static int step_list(struct walk *w, struct tx *tx)
{
	const struct prefix_list_entry_args entry = {one_of(w, cidrs, ARRAY_SIZE(cidrs)), "e"};
	struct prefix_list_create_args create = {
		"l", "IPv4", 1 + walk_random(w, 4), &entry, 1, NULL, 0, {NULL, {0}}};
	uint64_t version = 1 + walk_random(w, 3);
	struct prefix_list_modify_args modify = {
		.id = walk_some(w, KIND_PREFIX_LIST),
		.version = &version,
		.add = &entry,
		.n_add = walk_random(w, 2),
		.remove = &entry.cidr,
		.n_remove = walk_random(w, 2),
	};
	const struct prefix_list *l;
	int r;

	switch (walk_random(w, 5)) {
	case 0:
		if (model_count(w->c.m, KIND_PREFIX_LIST) > 4)
			return 0;
		r = prefix_list_create(tx, walk_someone(w), &create, &l, &w->c.refusal);
		if (!r)
			walk_remember(w, &l->o);
		return r;
	case 1:
		return prefix_list_delete(tx, walk_someone(w), modify.id, &l, &w->c.refusal);
	case 2:
		return prefix_list_restore(tx, walk_someone(w), modify.id, 1 + walk_random(w, 3),
					   version, &l, &w->c.refusal);
	default:
		return prefix_list_modify(tx, walk_someone(w), &modify, &l, &w->c.refusal);
	}
}

int walk_step_policy(struct walk *w, struct tx *tx)
{
	static int (*const steps[])(struct walk * w, struct tx * tx) = {
		step_group_create, step_group_delete,  step_authorize, step_authorize,
		step_authorize,    step_revoke,        step_revoke,    step_rule_modify,
		step_rule_modify,  step_join,          step_join,      step_join,
		step_acl_create,   step_acl_delete,    step_acl_entry, step_acl_entry,
		step_acl_entry,    step_acl_associate, step_list,      step_list,
	};

	return steps[walk_random(w, ARRAY_SIZE(steps))](w, tx);
}
