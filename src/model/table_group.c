/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups, and the lists that objects are in.  See table_group.h.
 */
#include "model/table_group.h"

#include "base/hash.h"
#include "base/radix.h"
#include "model/interface.h"
#include "model/release.h"
#include "model/table_uses.h"

/* ---- groups ---- */

static uint64_t group_hash(enum relation r, enum kind k, uint64_t key)
{
	uint64_t which[2] = {key, (uint64_t)r << 8 | (uint64_t)k};

	return hash_bytes(which, sizeof(which));
}

static bool is_group(const struct group *g, enum relation r, enum kind k, uint64_t key)
{
	return g->relation == r && g->kind == k && g->key == key;
}

/* Where a group is at hand, if it is.  Whoever chooses keys that meet here makes two groups take
 * turns, and gains nothing. */
static size_t place_at_hand(enum relation r, enum kind k, uint64_t key)
{
	uint64_t mixed = (key ^ (uint64_t)r << 56 ^ (uint64_t)k << 48) * 0x9e3779b97f4a7c15;

	return mixed >> 32 & (MODEL_GROUPS_AT_HAND - 1);
}

struct group *group_find(const struct model *m, enum relation r, enum kind k, uint64_t key)
{
	struct group *g = m->groups_at_hand[place_at_hand(r, k, key)];

	if (g && is_group(g, r, k, key))
		return g;
	hmap_for_each_at (g, &m->groups, group_hash(r, k, key), node)
		if (is_group(g, r, k, key))
			return g;
	return NULL;
}

static void group_keep_at_hand(struct model *m, struct group *g)
{
	m->groups_at_hand[place_at_hand(g->relation, g->kind, g->key)] = g;
}

static void group_free(struct model *m, struct group *g)
{
	struct group **at_hand = &m->groups_at_hand[place_at_hand(g->relation, g->kind, g->key)];

	if (*at_hand == g)
		*at_hand = NULL;
	hmap_remove(&m->groups, &g->node);
	free(g);
}

struct group *group_get(struct model *m, enum relation r, enum kind k, uint64_t key)
{
	struct group *g = group_find(m, r, k, key);

	if (g) {
		group_keep_at_hand(m, g);
		return g;
	}
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->relation = r;
	g->kind = k;
	g->key = key;
	list_init(&g->members);
	list_init(&g->idle);
	list_push_back(&m->idle_groups, &g->idle);
	hmap_insert(&m->groups, &g->node, group_hash(r, k, key));
	group_keep_at_hand(m, g);
	return g;
}

/* ---- order ---- */

/* Where the links of a list are in its objects, or in parts of them, and what they are in order
 * of. */
struct ordering {
	size_t offset;
	bool part;
	table_order_fn order; /* NULL: serials */
};

static const struct ordering by_kind = {.offset = offsetof(struct object, by_kind)};

static uint64_t rank_of(const struct list *l, const struct ordering *by)
{
	const struct object *o = table_object_of_link(l, by->offset, by->part);

	return by->order ? by->order(o) : o->serial;
}

/* Inserts 'link' in its place, searching from the end: what is new belongs there. */
static void insert_sorted(struct list *head, struct list *link, const struct ordering *by)
{
	uint64_t rank = rank_of(link, by);
	struct list *before = head->prev;

	while (before != head && rank_of(before, by) > rank)
		before = before->prev;
	list_insert_between(link, before, before->next);
}

static void take_place(struct list *old, struct list *new)
{
	list_insert_between(new, old, old->next);
	list_remove(old);
}

/* While loading: at the end, and '*unsorted' notes when that was wrong. */
static void insert_last(struct list *head, struct list *link, const struct ordering *by,
			bool *unsorted)
{
	struct list *last = list_last_link(head);

	if (last && !*unsorted)
		*unsorted = rank_of(last, by) > rank_of(link, by);
	list_push_back(head, link);
}

static int sort_list(struct list *head, size_t n, const struct ordering *by)
{
	_cleanup_free_ struct radix_item *items = reallocarray(NULL, n, sizeof(*items));
	size_t i = 0;
	int r;

	if (!items)
		return -ENOMEM;
	for (struct list *l = head->next; l != head; l = l->next)
		items[i++] = (struct radix_item){rank_of(l, by), l};
	r = radix_sort(items, n);
	if (r)
		return r;
	list_init(head);
	for (i = 0; i < n; i++)
		list_push_back(head, items[i].value);
	return 0;
}

int table_sort(struct model *m)
{
	struct group *g;
	int r = 0;

	for (enum kind k = KIND_ACCOUNT; k < KIND_MAX && !r; k++) {
		struct kind_table *t = &m->kinds[k];

		if (t->unsorted)
			r = sort_list(&t->all, t->n, &by_kind);
		t->unsorted = false;
	}
	hmap_for_each (g, &m->groups, node) {
		const struct ordering by = {relation_offset(g->relation, g->kind),
					    relation_is_of_parts(g->relation),
					    table_relation_order(g->relation)};

		if (g->unsorted && !r)
			r = sort_list(&g->members, g->n, &by);
		g->unsorted = false;
	}
	return r;
}

/* ---- members ---- */

/* 'base': an object, or a part of one. */
static struct member *member_at(void *base, size_t offset)
{
	return (struct member *)(void *)((char *)base + offset);
}

static uint64_t weight_of(const struct object *o, enum relation r)
{
	if (r == REL_SUBNET_INTERFACES)
		return interface_count_addrs((const struct interface *)o, false);
	return r == REL_SUBNET_RELEASES && ipaddr_is_v4(&((const struct release *)o)->addr);
}

static void group_leave(struct model *m, const struct object *o, struct member *member)
{
	struct group *g = member->group;

	g->n--;
	g->weight -= weight_of(o, g->relation);
	if (!g->n)
		list_push_back(&m->idle_groups, &g->idle);
	list_remove(&member->link);
	member->group = NULL;
}

/* 'by' is of the link in the member. */
static void group_join(struct model *m, const struct object *o, struct member *member,
		       struct group *g, struct member *predecessor, const struct ordering *by)
{
	member->group = g;
	if (!g->n++)
		list_remove(&g->idle);
	g->weight += weight_of(o, g->relation);
	if (predecessor)
		list_insert_between(&member->link, &predecessor->link, predecessor->link.next);
	else if (m->loading)
		insert_last(&g->members, &member->link, by, &g->unsorted);
	else
		insert_sorted(&g->members, &member->link, by);
}

static struct ordering ordering_of(const struct relation_use *u)
{
	return (struct ordering){u->offset + offsetof(struct member, link), false,
				 table_relation_order(u->relation)};
}

static struct ordering ordering_of_parts(const struct part_relation_use *u)
{
	return (struct ordering){u->offset + offsetof(struct member, link), true, NULL};
}

/* One version may have the place that the other has. */
static bool same_rank(const struct object *a, const struct object *b, const struct ordering *by)
{
	return !by->order || by->order(a) == by->order(b);
}

static void replace_member(struct model *m, struct object *old, struct object *new,
			   const struct relation_use *u)
{
	const struct ordering by = ordering_of(u);
	struct member *predecessor = NULL;
	struct group *g = NULL;
	uint64_t key;

	if (new && u->key(new, &key))
		g = group_find(m, u->relation, new->kind, key);
	if (old && g && member_at(old, u->offset)->group == g && same_rank(old, new, &by))
		predecessor = member_at(old, u->offset);
	if (g)
		group_join(m, new, member_at(new, u->offset), g, predecessor, &by);
	if (old && member_at(old, u->offset)->group)
		group_leave(m, old, member_at(old, u->offset));
}

/* The place that a part of 'old' has in the group, or NULL. */
static struct member *part_in_group(struct object *old, size_t offset, const struct group *g)
{
	for (size_t n = 0; n < table_part_count(old); n++)
		if (member_at(table_part(old, n), offset)->group == g)
			return member_at(table_part(old, n), offset);
	return NULL;
}

static void replace_part_members(struct model *m, struct object *old, struct object *new,
				 const struct part_relation_use *u)
{
	const struct ordering by = ordering_of_parts(u);
	struct member *member;
	struct group *g;
	uint64_t key;

	for (size_t n = 0; n < table_part_count(new); n++) {
		if (!u->key(table_part(new, n), &key))
			continue;
		g = group_find(m, u->relation, new->kind, key);
		group_join(m, new, member_at(table_part(new, n), u->offset), g,
			   part_in_group(old, u->offset, g), &by);
	}
	for (size_t n = 0; n < table_part_count(old); n++) {
		member = member_at(table_part(old, n), u->offset);
		if (member->group)
			group_leave(m, old, member);
	}
}

static void replace_by_kind(struct model *m, struct object *old, struct object *new)
{
	struct kind_table *t = &m->kinds[(new ? new : old)->kind];

	if (old && new)
		take_place(&old->by_kind, &new->by_kind);
	else if (old)
		list_remove(&old->by_kind);
	else if (m->loading)
		insert_last(&t->all, &new->by_kind, &by_kind, &t->unsorted);
	else
		insert_sorted(&t->all, &new->by_kind, &by_kind);
}

/* ---- for table.c ---- */

static int prepare_part_groups(struct model *m, struct object *new)
{
	size_t n_relations;
	const struct part_relation_use *relations = table_part_relations(&n_relations);
	uint64_t key;

	for (size_t n = 0; n < n_relations; n++)
		for (size_t k = 0; k < table_part_count(new); k++)
			if (relations[n].key(table_part(new, k), &key) &&
			    !group_get(m, relations[n].relation, new->kind, key))
				return -ENOMEM;
	return 0;
}

int table_lists_prepare(struct model *m, struct object *new)
{
	const struct kind_table *t = &m->kinds[new->kind];
	uint64_t key;

	for (size_t n = 0; n < t->n_relations; n++)
		if (t->relations[n]->key(new, &key) &&
		    !group_get(m, t->relations[n]->relation, new->kind, key))
			return -ENOMEM;
	return prepare_part_groups(m, new);
}

void table_lists_replace(struct model *m, struct object *old, struct object *new)
{
	const struct kind_table *t = &m->kinds[(new ? new : old)->kind];
	const struct part_relation_use *parts;
	size_t n_parts;

	replace_by_kind(m, old, new);
	for (size_t n = 0; n < t->n_relations; n++)
		replace_member(m, old, new, t->relations[n]);
	if (!table_part_count(old) && !table_part_count(new))
		return;
	parts = table_part_relations(&n_parts);
	for (size_t n = 0; n < n_parts; n++)
		replace_part_members(m, old, new, &parts[n]);
}

int table_list(struct model *m, struct object *o)
{
	const struct kind_table *t = &m->kinds[o->kind];
	size_t n_parts, n_attachments = table_part_count(o);
	const struct part_relation_use *parts = table_part_relations(&n_parts);
	struct group *g;
	uint64_t key;

	replace_by_kind(m, NULL, o);
	for (size_t n = 0; n < t->n_relations; n++) {
		const struct relation_use *u = t->relations[n];
		const struct ordering by = ordering_of(u);

		if (!u->key(o, &key))
			continue;
		g = group_get(m, u->relation, o->kind, key);
		if (!g)
			return -ENOMEM;
		group_join(m, o, member_at(o, u->offset), g, NULL, &by);
	}
	for (size_t k = 0; k < n_attachments; k++)
		for (size_t n = 0; n < n_parts; n++) {
			const struct part_relation_use *u = &parts[n];
			const struct ordering by = ordering_of_parts(u);

			if (!u->key(table_part(o, k), &key))
				continue;
			g = group_get(m, u->relation, o->kind, key);
			if (!g)
				return -ENOMEM;
			group_join(m, o, member_at(table_part(o, k), u->offset), g, NULL, &by);
		}
	return 0;
}

/* An empty subnet still knows which address it gave away last, until it goes itself. */
static bool is_remembered(const struct model *m, const struct group *g)
{
	return g->relation == REL_SUBNET_INTERFACES && model_get(m, KIND_SUBNET, g->key);
}

void table_lists_reclaim(struct model *m)
{
	struct group *g;

	list_for_each (g, &m->idle_groups, idle) {
		list_remove(&g->idle);
		if (is_remembered(m, g))
			continue;
		group_free(m, g);
	}
}

void table_lists_deinit(struct model *m)
{
	struct group *g;

	hmap_for_each (g, &m->groups, node)
		free(g);
	hmap_deinit(&m->groups);
}
