/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of security groups and ACLs as statements about any two objects.  See twin.h. */
#include "base/limits.h"
#include "model/group_rule.h"
#include "model/interface.h"
#include "model/network_acl.h"
#include "model/prefix_list.h"
#include "model/security_group.h"
#include "model/subnet.h"
#include "model/vpc.h"
#include "tests/unit/model/twin.h"
#include "tests/unit/test.h"

static const struct object *find(const struct twin *t, enum kind k, uint64_t id)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->objects[i]->kind == k && t->objects[i]->id == id)
			return t->objects[i];
	fail_msg("a reference leads nowhere");
	return NULL;
}

static void check_vpc(const struct twin *t, const struct vpc *v)
{
	const struct security_group *g =
		(const struct security_group *)find(t, KIND_SECURITY_GROUP, v->default_group);
	const struct network_acl *a =
		(const struct network_acl *)find(t, KIND_NETWORK_ACL, v->default_acl);

	assert_int_equal(g->vpc, v->o.id);
	assert_string_equal(g->name, "default");
	assert_true(g->is_default);
	assert_int_equal(a->vpc, v->o.id);
	assert_true(a->is_default);
}

static void check_subnet(const struct twin *t, const struct subnet *s)
{
	const struct network_acl *a = (const struct network_acl *)find(t, KIND_NETWORK_ACL, s->acl);

	assert_int_equal(a->vpc, s->vpc);
	assert_int_equal(a->number, s->acl_number);
	assert_true(s->acl_association);
}

static void check_interface(const struct twin *t, const struct interface *i)
{
	assert_true(i->attachment.gateway ? !i->n_groups : i->n_groups >= 1);
	assert_true(i->n_groups <= LIMIT_MODEL_INTERFACE_GROUPS);
	for (size_t n = 0; n < i->n_groups; n++) {
		const struct security_group *g = (const struct security_group *)find(
			t, KIND_SECURITY_GROUP, i->groups[n].id);

		assert_int_equal(g->vpc, i->vpc);
		assert_int_equal(g->number, i->groups[n].number);
		assert_int_equal(g->o.account, i->o.account);
		for (size_t k = 0; k < n; k++)
			assert_int_not_equal(i->groups[k].id, i->groups[n].id);
	}
}

static void check_rule(const struct twin *t, const struct group_rule *r)
{
	const struct security_group *g =
		(const struct security_group *)find(t, KIND_SECURITY_GROUP, r->group);

	assert_int_equal(g->o.account, r->o.account);
	assert_true(r->traffic.from <= r->traffic.to && r->traffic.to <= TRAFFIC_MAX);
	if (r->end == RULE_END_LIST)
		find(t, KIND_PREFIX_LIST, r->list);
	if (r->end == RULE_END_GROUP && r->peer_vpc == g->vpc)
		assert_int_equal(
			((const struct security_group *)find(t, KIND_SECURITY_GROUP, r->peer))
				->number,
			r->peer_number);
}

static void check_acl(const struct network_acl *a)
{
	for (size_t i = 1; i < a->n_entries; i++)
		assert_true(a->entries[i - 1].egress < a->entries[i].egress ||
			    (a->entries[i - 1].egress == a->entries[i].egress &&
			     a->entries[i - 1].rule < a->entries[i].rule));
}

static void check_list(const struct prefix_list *l)
{
	assert_true(l->n_entries <= l->max_entries);
	for (size_t i = 0; i < l->n_entries; i++)
		for (size_t k = 0; k < i; k++)
			assert_false(prefix_equal(&l->entries[i].prefix, &l->entries[k].prefix));
	for (size_t i = 0; i < l->n_versions; i++)
		assert_true(l->versions[i].version < l->version);
}

static void check_two_groups(const struct security_group *a, const struct security_group *b)
{
	assert_int_not_equal(a->number, b->number);
	if (a->vpc == b->vpc)
		assert_string_not_equal(a->name, b->name);
}

static void check_two_rules(const struct group_rule *a, const struct group_rule *b)
{
	if (a->group == b->group)
		assert_false(group_rule_same(a, b));
}

static void check_two(const struct object *a, const struct object *b)
{
	if (a->kind != b->kind)
		return;
	if (a->kind == KIND_SECURITY_GROUP)
		check_two_groups((const struct security_group *)a,
				 (const struct security_group *)b);
	if (a->kind == KIND_SECURITY_GROUP_RULE)
		check_two_rules((const struct group_rule *)a, (const struct group_rule *)b);
	if (a->kind == KIND_NETWORK_ACL)
		assert_int_not_equal(((const struct network_acl *)a)->number,
				     ((const struct network_acl *)b)->number);
	if (a->kind == KIND_SUBNET)
		assert_int_not_equal(((const struct subnet *)a)->acl_association,
				     ((const struct subnet *)b)->acl_association);
}

void twin_policy_check_rules(const struct twin *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct object *o = t->objects[i];

		switch (o->kind) {
		case KIND_VPC:
			check_vpc(t, (const struct vpc *)o);
			break;
		case KIND_SUBNET:
			check_subnet(t, (const struct subnet *)o);
			break;
		case KIND_INTERFACE:
			check_interface(t, (const struct interface *)o);
			break;
		case KIND_SECURITY_GROUP_RULE:
			check_rule(t, (const struct group_rule *)o);
			break;
		case KIND_NETWORK_ACL:
			check_acl((const struct network_acl *)o);
			break;
		case KIND_PREFIX_LIST:
			check_list((const struct prefix_list *)o);
			break;
		default:
			break;
		}
		for (size_t k = 0; k < i; k++)
			check_two(o, t->objects[k]);
	}
}
