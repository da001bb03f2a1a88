/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a route table says, prefix by prefix.  See route_entry.h.
 */
#include "model/route_entry.h"

#include <stdlib.h>

#include "model/model.h"
#include "model/prefix_list.h"
#include "model/route_table.h"
#include "model/vpc.h"

struct entries {
	struct route_entry *v;
	size_t n;
	size_t n_local;
};

static void add(struct entries *e, const struct prefix *p, const struct route *r)
{
	e->v[e->n++] = (struct route_entry){*p, r};
}

static void add_local(struct entries *e, const struct vpc *v, const struct route_table *t)
{
	for (size_t i = 0; i < v->n_blocks; i++)
		add(e, &v->blocks[i].prefix, route_table_instead(t, &v->blocks[i].prefix));
	for (size_t i = 0; i < v->n_blocks6; i++)
		add(e, &v->blocks6[i].prefix, route_table_instead(t, &v->blocks6[i].prefix));
	e->n_local = e->n;
}

/* Another route decides for the prefix: a local one, or one that is the same. */
static bool is_decided(const struct entries *e, const struct prefix *p)
{
	for (size_t i = 0; i < e->n; i++)
		if (prefix_equal(&e->v[i].prefix, p) ||
		    (i < e->n_local && prefix_covers(&e->v[i].prefix, p)))
			return true;
	return false;
}

static void add_list(struct entries *e, const struct model *m, const struct route *r)
{
	const struct prefix_list *l =
		(const struct prefix_list *)model_get(m, KIND_PREFIX_LIST, r->prefix_list);

	for (size_t i = 0; l && i < l->n_entries; i++)
		if (!is_decided(e, &l->entries[i].prefix))
			add(e, &l->entries[i].prefix, r);
}

int route_entries_of(const struct model *m, const struct route_table *t, struct route_entry **ret,
		     size_t *ret_n)
{
	const struct vpc *v = (const struct vpc *)model_get(m, KIND_VPC, t->vpc);
	struct entries e = {};

	e.v = calloc((v ? v->n_blocks + v->n_blocks6 : 0) + route_table_size(m, t) + 1,
		     sizeof(*e.v));
	if (!e.v)
		return -ENOMEM;
	if (v)
		add_local(&e, v, t);
	for (size_t i = 0; i < t->n_routes; i++)
		if (!t->routes[i].prefix_list && !(v && route_is_instead(v, &t->routes[i])))
			add(&e, &t->routes[i].destination, &t->routes[i]);
	for (size_t i = 0; i < t->n_routes; i++)
		if (t->routes[i].prefix_list)
			add_list(&e, m, &t->routes[i]);
	*ret = e.v;
	*ret_n = e.n;
	return 0;
}

const struct route_entry *route_entries_find(const struct route_entry *entries, size_t n,
					     const struct ipaddr *addr)
{
	const struct route_entry *found = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct prefix *p = &entries[i].prefix;

		if (prefix_is_v4(p) == ipaddr_is_v4(addr) && prefix_contains(p, addr) &&
		    (!found || p->len > found->prefix.len))
			found = &entries[i];
	}
	return found;
}
