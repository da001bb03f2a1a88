/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions of managed prefix lists.  See prefix_list.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/edit.h"
#include "model/group_rule_edit.h"
#include "model/prefix_list_edit.h"
#include "model/route_table.h"

static int refuse_version(uint64_t version, struct refusal *reterr)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, version);
	return refuse(reterr, MODEL_E_LIST_VERSION, text);
}

static void free_entries(struct prefix_list_version *v)
{
	for (size_t i = 0; i < v->n_entries; i++)
		free(v->entries[i].description);
	free(v->entries);
}

static int copy_entries(const struct prefix_list_entry *from, size_t n,
			struct prefix_list_entry **ret)
{
	struct prefix_list_version copy = {.entries = calloc(n ? n : 1, sizeof(*from))};
	int r = copy.entries ? 0 : -ENOMEM;

	for (; copy.n_entries < n && !r; copy.n_entries++) {
		copy.entries[copy.n_entries].prefix = from[copy.n_entries].prefix;
		r = edit_string(&copy.entries[copy.n_entries].description,
				from[copy.n_entries].description);
	}
	if (r)
		free_entries(&copy);
	else
		*ret = copy.entries;
	return r;
}

/* Forgets the oldest versions beyond what is kept, but not the last. */
static void forget_versions(struct prefix_list *l)
{
	size_t kept = 0, first = l->n_versions;

	while (first && (first == l->n_versions ||
			 kept + l->versions[first - 1].n_entries + 1 <= LIMIT_MODEL_LIST_KEPT))
		kept += l->versions[--first].n_entries + 1;
	for (size_t i = 0; i < first; i++)
		free_entries(&l->versions[i]);
	l->n_versions -= first;
	memmove(l->versions, &l->versions[first], l->n_versions * sizeof(*l->versions));
}

/* What the list is now becomes its last version; the copy goes on with the same entries. */
static int begin_version(struct prefix_list *l)
{
	struct prefix_list_version *versions =
		reallocarray(l->versions, l->n_versions + 1, sizeof(*versions));
	struct prefix_list_entry *entries;
	int r;

	if (!versions)
		return -ENOMEM;
	l->versions = versions;
	r = copy_entries(l->entries, l->n_entries, &entries);
	if (r)
		return r;
	versions[l->n_versions++] =
		(struct prefix_list_version){l->version, l->n_entries, l->entries};
	l->entries = entries;
	l->version++;
	forget_versions(l);
	return 0;
}

static int change_entries(struct prefix_list *l, const struct prefix_list_modify_args *args,
			  struct refusal *reterr)
{
	int r;

	if (!args->version)
		return refuse(reterr, MODEL_E_MISSING, "CurrentVersion");
	if (*args->version != l->version)
		return refuse_version(*args->version, reterr);
	for (size_t i = 0; i < args->n_remove; i++)
		for (size_t k = 0; k < i; k++)
			if (str_equal(args->remove[i], args->remove[k]))
				return refuse(reterr, MODEL_E_LIST_TWICE, args->remove[i]);
	r = begin_version(l);
	for (size_t i = 0; i < args->n_remove && !r; i++)
		r = prefix_list_take(l, args->remove[i], reterr);
	for (size_t i = 0; i < args->n_add && !r; i++)
		r = prefix_list_add(l, &args->add[i], reterr);
	l->state = LIST_MODIFIED;
	return r;
}

static int change_max(struct prefix_list *l, uint32_t max, struct refusal *reterr)
{
	char text[32];
	int r = prefix_list_check_max(max, reterr);

	if (r)
		return r;
	if (max < l->n_entries) {
		snprintf(text, sizeof(text), "%zu entries", l->n_entries);
		return refuse(reterr, MODEL_E_LIST_ENTRIES, text);
	}
	l->max_entries = max;
	l->state = LIST_MODIFIED;
	return 0;
}

/* A larger list counts as more rules in the groups that name it. */
static int check_groups(const struct model *m, const struct prefix_list *l, struct refusal *reterr)
{
	struct model_iter it = model_iter_group(m, REL_LIST_RULES, l->o.id);
	const struct group_rule *rule;
	int r = 0;

	while (!r && (rule = (const struct group_rule *)model_iter_next(&it)))
		r = group_rule_check_limit(m, rule->group, reterr);
	return r;
}

/* The same for route tables. */
static int check_tables(const struct model *m, const struct prefix_list *l, struct refusal *reterr)
{
	struct model_iter it = model_iter_account(m, KIND_ROUTE_TABLE, l->o.account);
	const struct route_table *t;
	char id[ID_TEXT_SIZE];

	while ((t = route_table_next_by_list(&it, l->o.id)))
		if (route_table_size(m, t) > LIMIT_MODEL_ROUTES)
			return refuse(reterr, MODEL_E_ROUTE_LIMIT, object_id_text(&t->o, id));
	return 0;
}

static int do_modify(struct tx *tx, const struct prefix_list *old,
		     const struct prefix_list_modify_args *args, const struct prefix_list **ret,
		     struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	struct prefix_list *new;
	bool entries = args->n_add || args->n_remove;
	int r;

	if (entries && args->max_entries)
		return refuse(reterr, MODEL_E_COMBINATION,
			      "You cannot modify the entries and the maximum entries for the "
			      "prefix list in the same request.");
	r = tx_edit(tx, &old->o, &o);
	if (r)
		return r;
	new = (struct prefix_list *)o;
	if (args->name) {
		r = prefix_list_check_name(args->name, reterr);
		if (!r)
			r = edit_string(&new->name, args->name);
	}
	if (!r && entries)
		r = change_entries(new, args, reterr);
	if (!r && args->max_entries)
		r = change_max(new, *args->max_entries, reterr);
	if (r)
		return r;
	if (record_equal(&old->o, o))
		new = (struct prefix_list *)(uintptr_t)old;
	else
		r = tx_put(tx, &old->o, &o);
	if (!r)
		r = check_groups(tx->m, new, reterr);
	if (!r)
		r = check_tables(tx->m, new, reterr);
	if (!r)
		*ret = new;
	return r;
}

int prefix_list_modify(struct tx *tx, const struct caller *c,
		       const struct prefix_list_modify_args *args, const struct prefix_list **ret,
		       struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct prefix_list *l;
	int r = prefix_list_find(tx->m, c, args->id, &l, reterr);

	return r ? r : tx_settle(tx, mark, do_modify(tx, l, args, ret, reterr));
}

static int do_restore(struct tx *tx, const struct prefix_list *old, const char *id,
		      uint64_t version, uint64_t current, const struct prefix_list **ret,
		      struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct prefix_list_entry *entries;
	struct prefix_list_entry *copy;
	struct prefix_list *new;
	char text[24];
	size_t n;
	int r;

	if (current != old->version)
		return refuse_version(current, reterr);
	snprintf(text, sizeof(text), "%" PRIu64, version);
	if (!prefix_list_entries(old, version, &entries, &n))
		return refuse(reterr, MODEL_E_LIST_NO_VERSION, id, text);
	if (n > old->max_entries)
		return refuse(reterr, MODEL_E_LIST_ENTRIES, text);
	r = tx_edit(tx, &old->o, &o);
	if (r)
		return r;
	new = (struct prefix_list *)o;
	r = begin_version(new);
	if (!r)
		r = copy_entries(entries, n, &copy);
	if (r)
		return r;
	free_entries(&(struct prefix_list_version){.n_entries = new->n_entries,
						   .entries = new->entries});
	new->entries = copy;
	new->n_entries = n;
	new->state = LIST_RESTORED;
	r = tx_put(tx, &old->o, &o);
	if (!r)
		*ret = new;
	return r;
}

int prefix_list_restore(struct tx *tx, const struct caller *c, const char *id, uint64_t version,
			uint64_t current, const struct prefix_list **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct prefix_list *l;
	int r = prefix_list_find(tx->m, c, id, &l, reterr);

	return r ? r : tx_settle(tx, mark, do_restore(tx, l, id, version, current, ret, reterr));
}
