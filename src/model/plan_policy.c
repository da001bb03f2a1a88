/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups and network ACLs as hosts have them: rules by rule, with prefix lists written
 * out.  See plan.h.
 */
#include <stdlib.h>
#include <string.h>

#include "model/group_rule.h"
#include "model/network_acl.h"
#include "model/plan_items.h"
#include "model/prefix_list.h"
#include "model/security_group.h"
#include "model/table.h"

void plan_rules_deinit(struct plan_rules *rules)
{
	free(rules->v);
	*rules = (struct plan_rules){0};
}

static struct plan_rule *add(struct plan_rules *rules)
{
	struct plan_rule *v;
	size_t more;

	if (rules->n == rules->allocated) {
		more = rules->allocated ? 2 * rules->allocated : 16;
		v = reallocarray(rules->v, more, sizeof(*v));
		if (!v)
			return NULL;
		rules->v = v;
		rules->allocated = more;
	}
	return &rules->v[rules->n++];
}

static int add_prefix(struct plan_rules *rules, const struct group_rule *r,
		      const struct prefix *prefix)
{
	struct plan_rule *p = add(rules);

	if (!p)
		return -ENOMEM;
	*p = (struct plan_rule){
		.egress = r->egress,
		.allow = true,
		.traffic = r->traffic,
		.prefix = *prefix,
		.rule = r->o.id,
	};
	return 0;
}

/* fe80::/10 (RFC 4291 2.5.6): group_rule.h says why a rule for all of IPv4 speaks of it. */
static int add_cidr(struct plan_rules *rules, const struct group_rule *r)
{
	const struct prefix link_local = {{{0xfe, 0x80}}, 10}, everything = prefix_v4(0, 0);
	int result = add_prefix(rules, r, &r->prefix);

	if (!result && prefix_equal(&r->prefix, &everything))
		result = add_prefix(rules, r, &link_local);
	return result;
}

static int add_list(const struct model *m, struct plan_rules *rules, const struct group_rule *r)
{
	const struct prefix_list *l =
		(const struct prefix_list *)model_get(m, KIND_PREFIX_LIST, r->list);
	int result = 0;

	for (size_t i = 0; i < l->n_entries && !result; i++)
		result = add_prefix(rules, r, &l->entries[i].prefix);
	return result;
}

static int add_group(struct plan_rules *rules, const struct group_rule *r)
{
	int result = add_prefix(rules, r, &(const struct prefix){});

	if (!result)
		rules->v[rules->n - 1].group = r->peer_number;
	return result;
}

int plan_rules_of_group(const struct model *m, const struct security_group *g,
			struct plan_rules *rules)
{
	struct model_iter it = model_iter_group(m, REL_GROUP_RULES, g->o.id);
	const struct group_rule *rule;
	int r = 0;

	rules->n = 0;
	while (!r && (rule = (const struct group_rule *)model_iter_next(&it))) {
		switch (rule->end) {
		case RULE_END_PREFIX:
			r = add_cidr(rules, rule);
			break;
		case RULE_END_GROUP:
			r = add_group(rules, rule);
			break;
		case RULE_END_LIST:
			r = add_list(m, rules, rule);
			break;
		}
	}
	return r;
}

int plan_rules_of_acl(const struct network_acl *a, struct plan_rules *rules)
{
	rules->n = 0;
	for (size_t i = 0; i < a->n_entries; i++) {
		const struct acl_entry *e = &a->entries[i];
		struct plan_rule *p = add(rules);

		if (!p)
			return -ENOMEM;
		*p = (struct plan_rule){
			.egress = e->egress,
			.allow = e->allow,
			.traffic = e->traffic,
			.prefix = e->prefix,
			.number = e->rule,
		};
	}
	return 0;
}

int plan_group_item(const struct model *m, const struct security_group *g, struct plan_rules *rules,
		    struct plan_item *ret)
{
	int r = plan_rules_of_group(m, g, rules);

	if (r)
		return r;
	*ret = (struct plan_item){.kind = PLAN_GROUP};
	ret->group.number = g->number;
	object_id_text(&g->o, ret->group.id);
	ret->group.n_rules = rules->n;
	ret->group.rules = rules->v;
	return 0;
}

int plan_acl_item(const struct network_acl *a, struct plan_rules *rules, struct plan_item *ret)
{
	int r = plan_rules_of_acl(a, rules);

	if (r)
		return r;
	*ret = (struct plan_item){.kind = PLAN_ACL};
	ret->acl.number = a->number;
	object_id_text(&a->o, ret->acl.id);
	ret->acl.n_entries = rules->n;
	ret->acl.entries = rules->v;
	return 0;
}

int plan_host_groups(const struct model *m, uint32_t host, plan_sink_fn sink, void *data)
{
	_cleanup_(plan_rules_deinit) struct plan_rules rules = {};
	struct plan_item item;
	struct carrier *c;
	int r = 0;

	hmap_for_each (c, &m->carriers, node) {
		if (r || c->carried->kind != CARRIED_GROUP || c->host != host || !c->n)
			continue;
		r = plan_group_item(m, security_group_by_number(m, c->carried->number), &rules,
				    &item);
		if (!r)
			r = sink(data, host, &item);
	}
	return r;
}
