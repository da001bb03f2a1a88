/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a change of groups, rules, prefix lists and ACLs makes different on hosts.  See plan.h.
 */
#include <stdlib.h>

#include "model/group_rule.h"
#include "model/network_acl.h"
#include "model/plan_change.h"
#include "model/prefix_list.h"
#include "model/security_group.h"
#include "model/subnet.h"

/* ---- groups ---- */

int plan_group_carrier(struct planner *p, const struct delta *d, bool has)
{
	struct plan_item item = {.kind = PLAN_GROUP};
	int r = 0;

	if (has)
		r = plan_group_item(p->m, security_group_by_number(p->m, d->number), &p->rules,
				    &item);
	else
		item.group.number = d->number;
	return r ? r : planner_emit(p, d->host, &item, !has);
}

/* Ids of groups, each of which is told once, however many of its rules are new. */
struct ids {
	size_t n, allocated;
	uint64_t *v;
};

static int ids_add(struct ids *ids, uint64_t id)
{
	size_t more = ids->allocated ? 2 * ids->allocated : 16;
	uint64_t *v;

	if (ids->n && ids->v[ids->n - 1] == id) /* rules of one request */
		return 0;
	if (ids->n == ids->allocated) {
		v = reallocarray(ids->v, more, sizeof(*v));
		if (!v)
			return -ENOMEM;
		ids->v = v;
		ids->allocated = more;
	}
	ids->v[ids->n++] = id;
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool same_entries(const struct prefix_list *a, const struct prefix_list *b)
{
	if (a->n_entries != b->n_entries)
		return false;
	for (size_t i = 0; i < a->n_entries; i++)
		if (!prefix_equal(&a->entries[i].prefix, &b->entries[i].prefix))
			return false;
	return true;
}

static int collect_list(struct planner *p, const struct write *w, struct ids *ids)
{
	struct model_iter it = model_iter_group(p->m, REL_LIST_RULES, w->id);
	const struct group_rule *rule;
	int r = 0;

	if (!w->before || !w->after ||
	    same_entries((const struct prefix_list *)w->before,
			 (const struct prefix_list *)w->after))
		return 0;
	while (!r && (rule = (const struct group_rule *)model_iter_next(&it)))
		r = ids_add(ids, rule->group);
	return r;
}

/* Another description changes nothing for hosts. */
static bool says_other(const struct write *w)
{
	return !w->before || !w->after ||
	       !group_rule_same((const struct group_rule *)w->before,
				(const struct group_rule *)w->after);
}

static int collect(struct planner *p, const struct change *c, struct ids *ids)
{
	int r = 0;

	for (size_t i = 0; i < change_count(c) && !r; i++) {
		struct write w = change_get(c, i);
		const struct group_rule *rule =
			(const struct group_rule *)(w.after ? w.after : w.before);

		if (w.kind == KIND_PREFIX_LIST)
			r = collect_list(p, &w, ids);
		else if (w.kind == KIND_SECURITY_GROUP_RULE && says_other(&w))
			r = ids_add(ids, rule->group);
	}
	return r;
}

static int tell_group(struct planner *p, uint64_t id)
{
	const struct security_group *g =
		(const struct security_group *)model_get(p->m, KIND_SECURITY_GROUP, id);
	const struct carried *c = g ? carried_find(p->m, CARRIED_GROUP, g->number) : NULL;
	struct plan_item item;
	int r;

	if (!c || !c->n_hosts)
		return 0;
	r = plan_group_item(p->m, g, &p->rules, &item);
	return r ? r : planner_emit_carriers(p, CARRIED_GROUP, g->number, &item, false);
}

int plan_group_contents(struct planner *p, const struct change *c)
{
	struct ids ids = {};
	int r = collect(p, c, &ids);

	if (ids.n)
		qsort(ids.v, ids.n, sizeof(*ids.v), compare_ids);
	for (size_t i = 0; i < ids.n && !r; i++)
		if (!i || ids.v[i] != ids.v[i - 1])
			r = tell_group(p, ids.v[i]);
	free(ids.v);
	return r;
}

/* ---- ACLs ---- */

/* The network of the subnets that have it; 0: none has. */
static uint32_t acl_network(const struct model *m, uint64_t acl)
{
	struct model_iter it = model_iter_group(m, REL_ACL_SUBNETS, acl);
	const struct object *o = model_iter_next(&it);

	return o ? ((const struct subnet *)o)->vni : 0;
}

static int tell_acl(struct planner *p, const struct network_acl *a, uint32_t vni)
{
	struct plan_item item;
	int r = plan_acl_item(a, &p->rules, &item);

	return r ? r : planner_emit_carriers(p, CARRIED_NETWORK, vni, &item, false);
}

int plan_acl_change(struct planner *p, const struct network_acl *before,
		    const struct network_acl *after)
{
	uint32_t vni = after ? acl_network(p->m, after->o.id) : 0;

	/* one without subnets is nowhere; the subnets tell when one comes or goes */
	if (!before || !vni)
		return 0;
	return tell_acl(p, after, vni);
}

int plan_subnet_acls(struct planner *p, const struct subnet *before, const struct subnet *after)
{
	const struct network_acl *a;
	struct plan_item item = {.kind = PLAN_ACL};
	int r = 0;

	if (after && (!before || before->acl != after->acl)) {
		a = (const struct network_acl *)model_get(p->m, KIND_NETWORK_ACL, after->acl);
		if (a)
			r = tell_acl(p, a, after->vni);
	}
	if (r || !before || !before->acl || acl_network(p->m, before->acl))
		return r;
	item.acl.number = before->acl_number;
	return planner_emit_carriers(p, CARRIED_NETWORK, before->vni, &item, true);
}
