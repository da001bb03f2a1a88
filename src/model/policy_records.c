/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored records of groups, rules, ACLs and prefix lists.  See policy_records.h.
 */
#include "model/policy_records.h"

#include "base/limits.h"
#include "model/group_rule.h"
#include "model/interface.h"
#include "model/network_acl.h"
#include "model/prefix_list.h"
#include "model/security_group.h"
#include "model/subnet.h"
#include "model/vpc.h"

static bool traffic_is_sound(const struct traffic *t)
{
	return t->protocol <= TRAFFIC_ANY && t->from <= t->to && t->to <= TRAFFIC_MAX;
}

static bool acl_is_sound(const struct network_acl *a)
{
	bool sound = a->number && a->n_entries <= 2 * LIMIT_MODEL_ACL_ENTRIES_MAX;

	for (size_t i = 0; sound && i < a->n_entries; i++)
		sound = traffic_is_sound(&a->entries[i].traffic) && a->entries[i].rule &&
			a->entries[i].rule <= ACL_RULE_MAX;
	return sound;
}

bool policy_is_sound(const struct object *o)
{
	const struct security_group *g = (const struct security_group *)o;
	const struct prefix_list *l = (const struct prefix_list *)o;

	switch (o->kind) {
	case KIND_SECURITY_GROUP:
		return g->name && g->number;
	case KIND_SECURITY_GROUP_RULE:
		return traffic_is_sound(&((const struct group_rule *)o)->traffic);
	case KIND_NETWORK_ACL:
		return acl_is_sound((const struct network_acl *)o);
	case KIND_PREFIX_LIST:
		return l->name && l->n_entries <= l->max_entries &&
		       l->max_entries <= LIMIT_MODEL_LIST_ENTRIES;
	default:
		return false;
	}
}

static bool groups_hold(const struct model *m, const struct interface *i)
{
	for (size_t n = 0; n < i->n_groups; n++) {
		const struct security_group *g = (const struct security_group *)model_get(
			m, KIND_SECURITY_GROUP, i->groups[n].id);

		if (!g || g->vpc != i->vpc || g->number != i->groups[n].number)
			return false;
	}
	return true;
}

static bool acl_holds(const struct model *m, const struct subnet *s)
{
	const struct network_acl *a =
		(const struct network_acl *)model_get(m, KIND_NETWORK_ACL, s->acl);

	if (!s->acl)
		return true;
	return a && a->vpc == s->vpc && a->number == s->acl_number && s->acl_association;
}

static bool rule_holds(const struct model *m, const struct group_rule *r)
{
	return model_get(m, KIND_SECURITY_GROUP, r->group) &&
	       (r->end != RULE_END_LIST || model_get(m, KIND_PREFIX_LIST, r->list));
}

bool policy_references_hold(const struct model *m, const struct object *o)
{
	const struct vpc *v = (const struct vpc *)o;

	switch (o->kind) {
	case KIND_VPC:
		return (!v->default_group || model_get(m, KIND_SECURITY_GROUP, v->default_group)) &&
		       (!v->default_acl || model_get(m, KIND_NETWORK_ACL, v->default_acl));
	case KIND_SUBNET:
		return acl_holds(m, (const struct subnet *)o);
	case KIND_INTERFACE:
		return groups_hold(m, (const struct interface *)o);
	case KIND_SECURITY_GROUP:
		return model_get(m, KIND_VPC, ((const struct security_group *)o)->vpc);
	case KIND_SECURITY_GROUP_RULE:
		return rule_holds(m, (const struct group_rule *)o);
	case KIND_NETWORK_ACL:
		return model_get(m, KIND_VPC, ((const struct network_acl *)o)->vpc);
	default:
		return true;
	}
}
