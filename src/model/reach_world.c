/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses of the world, for a question that is about any of them.  See reach_trip.h.
 */
#include <stdlib.h>

#include "model/elastic.h"
#include "model/group_rule.h"
#include "model/interface.h"
#include "model/model.h"
#include "model/network_acl.h"
#include "model/prefix_list.h"
#include "model/reach_trip.h"
#include "model/route_entry.h"
#include "model/vpc_block6.h"

/* ---- which there are ---- */

/* The address behind the block's last; of another family, or zero, where there is none. */
static struct ipaddr behind(const struct prefix *p)
{
	struct ipaddr a = p->addr;
	size_t i = sizeof(a.b);

	for (size_t bit = p->len; bit < 128; bit++)
		a.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	while (i-- && !++a.b[i])
		;
	return a;
}

static struct prefix everything(bool v6)
{
	static const struct prefix global = {{{0x20}}, 3}; /* RFC 4291 2.4, as assigned */

	return v6 ? global : prefix_v4(0, 0);
}

/* What is not outside: the blocks of RFC 6890 that are nobody's there, multicast, the cluster's own
 * IPv6, and the networks' public addresses, which are by way of the world nobody's either. */
static bool is_inside(const struct model *m, const struct ipaddr *a, struct prefix *ret)
{
	const struct prefix blocks[] = {
		prefix_v4(0x00000000, 8),  prefix_v4(0x0a000000, 8),  prefix_v4(0x64400000, 10),
		prefix_v4(0x7f000000, 8),  prefix_v4(0xa9fe0000, 16), prefix_v4(0xac100000, 12),
		prefix_v4(0xc0a80000, 16), prefix_v4(0xe0000000, 3),
	};
	const struct prefix *pool = vpc_block6_pool(m);

	*ret = prefix_make(a, 128);
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		if (prefix_contains(&blocks[i], a))
			*ret = blocks[i];
	if (pool && prefix_contains(pool, a))
		*ret = *pool;
	return ret->len < 128 || elastic_by_public(m, a);
}

struct ipaddr reach_world_first(bool v6)
{
	return everything(v6).addr;
}

bool reach_world_settle(const struct model *m, bool v6, struct ipaddr *a)
{
	const struct prefix all = everything(v6);
	struct prefix inside;

	while (prefix_contains(&all, a) && is_inside(m, a, &inside))
		*a = behind(&inside);
	return prefix_contains(&all, a);
}

/* ---- which of them are alike ---- */

static void nearer(struct reach_world *w, const struct prefix *p)
{
	const struct ipaddr borders[] = {p->addr, behind(p)};

	for (size_t k = 0; k < ARRAY_SIZE(borders); k++)
		if (ipaddr_compare(&borders[k], &w->at) > 0 &&
		    (ipaddr_is_zero(&w->next) || ipaddr_compare(&borders[k], &w->next) < 0))
			w->next = borders[k];
}

static void next_in_list(const struct model *m, uint64_t id, struct reach_world *w)
{
	const struct prefix_list *l =
		(const struct prefix_list *)model_get(m, KIND_PREFIX_LIST, id);

	for (size_t n = 0; l && n < l->n_entries; n++)
		nearer(w, &l->entries[n].prefix);
}

static void next_in_groups(const struct model *m, uint64_t interface, struct reach_world *w)
{
	const struct interface *i =
		(const struct interface *)model_get(m, KIND_INTERFACE, interface);

	for (size_t n = 0; i && n < i->n_groups; n++) {
		struct model_iter it = model_iter_group(m, REL_GROUP_RULES, i->groups[n].id);
		const struct group_rule *rule;

		while ((rule = (const struct group_rule *)model_iter_next(&it)))
			if (rule->end == RULE_END_PREFIX)
				nearer(w, &rule->prefix);
			else if (rule->end == RULE_END_LIST)
				next_in_list(m, rule->list, w);
	}
}

static void next_in_acl(const struct model *m, uint64_t id, struct reach_world *w)
{
	const struct network_acl *a =
		(const struct network_acl *)model_get(m, KIND_NETWORK_ACL, id);

	for (size_t n = 0; a && n < a->n_entries; n++)
		nearer(w, &a->entries[n].prefix);
}

static int next_in_table(const struct model *m, uint64_t id, struct reach_world *w)
{
	const struct route_table *t =
		(const struct route_table *)model_get(m, KIND_ROUTE_TABLE, id);
	_cleanup_free_ struct route_entry *entries = NULL;
	size_t n = 0;
	int r = t ? route_entries_of(m, t, &entries, &n) : 0;

	for (size_t i = 0; i < n; i++)
		nearer(w, &entries[i].prefix);
	return r;
}

int reach_world_borders(const struct model *m, const struct reach_answer *a, struct reach_world *w)
{
	int r = 0;

	for (size_t i = 0; i < a->n_steps && !r; i++) {
		const struct reach_step *s = &a->steps[i];

		if (s->what == REACH_ACL)
			next_in_acl(m, s->id, w);
		else if (s->what == REACH_GROUP)
			next_in_groups(m, s->attached, w);
		else if (s->what == REACH_ROUTE)
			r = next_in_table(m, s->id, w);
	}
	return r;
}
