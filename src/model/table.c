/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects and their indexes.  See table.h.
 */
#include "model/table.h"

#include "base/hash.h"
#include "model/carrier.h"
#include "model/edge.h"
#include "model/group_set.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/mapping_table.h"
#include "model/placement_index.h"
#include "model/record.h"
#include "model/release.h"
#include "model/table_uses.h"

struct hmap_node *unique_first(const struct model *m, enum unique u, uint64_t hash)
{
	return hmap_first_at(&m->unique[u], hash);
}

static bool applies(const struct relation_use *u, const struct object *o)
{
	return u->kind == KIND_NONE || u->kind == o->kind;
}

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

/* Where a group is at hand, if it is.  Whoever chooses keys that meet here makes two groups take turns, and
 * gains nothing. */
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

static uint64_t serial_of_link(const struct list *l, size_t offset, bool part)
{
	return table_object_of_link(l, offset, part)->serial;
}

/* Inserts 'link' in order of serials, searching from the end: what is new belongs there. */
static void insert_sorted(struct list *head, struct list *link, size_t offset, bool part)
{
	uint64_t serial = serial_of_link(link, offset, part);
	struct list *before = head->prev;

	while (before != head && serial_of_link(before, offset, part) > serial)
		before = before->prev;
	list_insert_between(link, before, before->next);
}

static void take_place(struct list *old, struct list *new)
{
	list_insert_between(new, old, old->next);
	list_remove(old);
}

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

static void group_join(struct model *m, const struct object *o, struct member *member,
		       struct group *g, struct member *predecessor, bool part)
{
	const size_t offset = relation_offset(g->relation, g->kind);

	member->group = g;
	if (!g->n++)
		list_remove(&g->idle);
	g->weight += weight_of(o, g->relation);
	if (predecessor) {
		list_insert_between(&member->link, &predecessor->link, predecessor->link.next);
	} else if (m->loading) {
		struct list *last = list_last_link(&g->members);

		g->unsorted |= last && serial_of_link(last, offset, part) > o->serial;
		list_push_back(&g->members, &member->link);
	} else {
		insert_sorted(&g->members, &member->link, offset, part);
	}
}

static void replace_member(struct model *m, struct object *old, struct object *new,
			   const struct relation_use *u)
{
	struct member *predecessor = NULL;
	struct group *g = NULL;
	uint64_t key;

	if (new && u->key(new, &key))
		g = group_find(m, u->relation, new->kind, key);
	if (old && member_at(old, u->offset)->group == g)
		predecessor = member_at(old, u->offset);
	if (g)
		group_join(m, new, member_at(new, u->offset), g, predecessor, false);
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
	struct member *member;
	struct group *g;
	uint64_t key;

	for (size_t n = 0; n < table_part_count(new); n++) {
		if (!u->key(table_part(new, n), &key))
			continue;
		g = group_find(m, u->relation, new->kind, key);
		group_join(m, new, member_at(table_part(new, n), u->offset), g,
			   part_in_group(old, u->offset, g), true);
	}
	for (size_t n = 0; n < table_part_count(old); n++) {
		member = member_at(table_part(old, n), u->offset);
		if (member->group)
			group_leave(m, old, member);
	}
}

/* Attachments are found by their ids. */
static void replace_parts(struct model *m, struct object *old, struct object *new)
{
	size_t n_relations;
	const struct part_relation_use *relations = table_part_relations(&n_relations);

	for (size_t n = 0; n < n_relations; n++)
		replace_part_members(m, old, new, &relations[n]);
	for (size_t n = 0; n < table_part_count(old); n++)
		hmap_remove(&m->unique[UNIQUE_ATTACHMENT], &table_part(old, n)->by_id);
	for (size_t n = 0; n < table_part_count(new); n++)
		hmap_insert(&m->unique[UNIQUE_ATTACHMENT], &table_part(new, n)->by_id,
			    hash_u64(table_part(new, n)->id));
}

/* ---- hosts ---- */

struct host_state *host_state_find(const struct model *m, uint32_t number)
{
	struct host_state *s;

	hmap_for_each_at (s, &m->host_states, hash_u64(number), node)
		if (s->number == number)
			return s;
	return NULL;
}

static int reserve_host(struct model *m)
{
	size_t more = m->hosts_allocated ? 2 * m->hosts_allocated : 16;
	struct host_state **hosts;

	if (m->n_hosts_known < m->hosts_allocated)
		return 0;
	hosts = reallocarray(m->hosts_known, more, sizeof(struct host_state *));
	if (!hosts)
		return -ENOMEM;
	m->hosts_known = hosts;
	m->hosts_allocated = more;
	return 0;
}

/* Kept for hosts that are gone, too: a few bytes for each that ever was while this program runs. */
int host_state_prepare(struct model *m, uint32_t number)
{
	struct host_state *s;

	if (host_state_find(m, number))
		return 0;
	s = reserve_host(m) ? NULL : calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->number = number;
	s->view.index = (uint32_t)m->n_hosts_known;
	m->hosts_known[m->n_hosts_known++] = s;
	hmap_insert(&m->host_states, &s->node, hash_u64(number));
	return 0;
}

/* ---- addresses ---- */

static struct mapping mapping_of(const struct interface *i, size_t n)
{
	return (struct mapping){
		.addr = i->addrs[n].addr,
		.vni = i->vni,
		.host = interface_addr_host(i, n),
		.interface = i->o.id,
		.revision = i->addrs[n].revision,
		.groups = i->group_set,
		.hosts = i->addrs[n].arriving ? NULL : i->host_set,
		.subnet = i->subnet,
	};
}

/* The link-local address goes where the primary address goes. */
static struct mapping mapping_of_link_local(const struct interface *i)
{
	struct mapping record = mapping_of(i, 0);

	record.addr = interface_link_local(i);
	return record;
}

static bool has_addr(const struct interface *i, const struct ipaddr *a)
{
	for (size_t n = 0; i && n < i->n_addrs; n++)
		if (ipaddr_equal(&i->addrs[n].addr, a))
			return true;
	return false;
}

/* What carrying an interface at a host means. */
static void carry_at(struct model *m, const struct interface *i, uint32_t host,
		     void (*fn)(struct model *m, enum carried_kind k, uint32_t number,
				uint32_t host))
{
	if (host)
		fn(m, CARRIED_NETWORK, i->vni, host);
	for (size_t n = 0; n < i->n_groups; n++)
		fn(m, CARRIED_GROUP, i->groups[n].number, host);
}

/* Members that are on no host count as those of host 0. */
static void carry(struct model *m, const struct interface *i,
		  void (*fn)(struct model *m, enum carried_kind k, uint32_t number, uint32_t host))
{
	if (!interface_is_desired(i))
		carry_at(m, i, 0, fn);
	for (size_t n = 0; n < interface_attachment_count(i); n++)
		if (attachment_is_desired(interface_attachment(i, n)))
			carry_at(m, i, interface_attachment(i, n)->host, fn);
}

static void replace_sets(struct model *m, const struct interface *old, const struct interface *new)
{
	if (new) {
		group_set_hold(m, new->group_set);
		group_set_hold(m, new->host_set);
	}
	if (old) {
		group_set_release(m, old->group_set);
		group_set_release(m, old->host_set);
	}
}

static void replace_interface(struct model *m, const struct interface *old,
			      const struct interface *new)
{
	if (new)
		carry(m, new, carrier_add);
	if (old)
		carry(m, old, carrier_remove);
	replace_sets(m, old, new);
	for (size_t n = 0; old && n < old->n_addrs; n++)
		if (!has_addr(new, &old->addrs[n].addr))
			mapping_table_remove(m->mappings, old->vni, &old->addrs[n].addr, old->o.id);
	if (old && !new) {
		struct ipaddr addr = interface_link_local(old);

		mapping_table_remove(m->mappings, old->vni, &addr, old->o.id);
	}
	for (size_t n = 0; new &&n < new->n_addrs; n++) {
		struct mapping record = mapping_of(new, n);

		mapping_table_put(m->mappings, &record);
	}
	if (new) {
		struct mapping record = mapping_of_link_local(new);

		mapping_table_put(m->mappings, &record);
	}
}

/* An edge carries the networks that it has gateways and public addresses of. */
static void replace_edge(struct model *m, const struct object *old, const struct object *new)
{
	uint32_t vni, host;

	if (edge_serves(new, &vni, &host))
		carrier_add(m, CARRIED_NETWORK, vni, host);
	if (edge_serves(old, &vni, &host))
		carrier_remove(m, CARRIED_NETWORK, vni, host);
}

static void replace_release(struct model *m, const struct release *old, const struct release *new)
{
	/* the address of a move is in the interface that gets it */
	if (old && !old->to)
		mapping_table_remove(m->mappings, old->vni, &old->addr, 0);
	if (new && !new->to) {
		struct mapping record = {
			.addr = new->addr, .vni = new->vni, .revision = new->o.revision};

		mapping_table_put(m->mappings, &record);
	}
}

/* ---- replacing ---- */

static size_t count_new_addrs(const struct interface *i, const struct interface *old)
{
	size_t count = !old; /* the link-local one */

	for (size_t n = 0; n < i->n_addrs; n++)
		count += !has_addr(old, &i->addrs[n].addr);
	return count;
}

static int prepare_carriers(struct model *m, const struct interface *i, uint32_t host)
{
	int r = host ? carrier_prepare(m, CARRIED_NETWORK, i->vni, host) : 0;

	for (size_t n = 0; !r && n < i->n_groups; n++)
		r = carrier_prepare(m, CARRIED_GROUP, i->groups[n].number, host);
	return r;
}

/* Groups that its parts are members of. */
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

static int prepare_interface(struct model *m, const struct interface *old, struct interface *new)
{
	int r = mapping_table_reserve(m->mappings, count_new_addrs(new, old));

	if (!r && !interface_is_desired(new))
		r = prepare_carriers(m, new, 0);
	for (size_t n = 0; !r && n < interface_attachment_count(new); n++) {
		struct attachment *a = table_part(&new->o, n);

		a->of = new;
		if (attachment_is_desired(a))
			r = prepare_carriers(m, new, a->host);
	}
	if (!r)
		r = prepare_part_groups(m, &new->o);
	if (!r)
		r = group_set_prepare(m, new, &new->group_set);
	return r ? r : group_set_prepare_hosts(m, new, &new->host_set);
}

static int prepare(struct model *m, const struct object *old, struct object *new)
{
	size_t n_relations;
	const struct relation_use *relations = table_relations(&n_relations);
	uint32_t vni, host;
	uint64_t key;
	int r = 0;

	for (size_t n = 0; n < n_relations; n++)
		if (applies(&relations[n], new) && relations[n].key(new, &key) &&
		    !group_get(m, relations[n].relation, new->kind, key))
			return -ENOMEM;
	if (new->kind == KIND_INTERFACE) {
		r = prepare_interface(m, (const struct interface *)old, (struct interface *)new);
	} else if (new->kind == KIND_HOST) {
		r = host_state_prepare(m, ((const struct host *)new)->number);
	} else if (new->kind == KIND_CHOICE_POLICY) {
		choice_policy_compile((struct choice_policy *)new);
		r = choice_rules_prepare(&m->choice_rules);
	} else if (new->kind == KIND_RELEASE) {
		r = mapping_table_reserve(m->mappings, 1);
	} else if (edge_serves(new, &vni, &host)) {
		r = carrier_prepare(m, CARRIED_NETWORK, vni, host);
	}
	return r ? r : placement_index_prepare(m, new);
}

static void replace_unique(struct model *m, struct object *old, struct object *new,
			   const struct unique_use *u)
{
	uint64_t hash;

	if (old && old->kind == u->kind && u->hash(old, &hash))
		hmap_remove(&m->unique[u->unique],
			    (struct hmap_node *)(void *)((char *)old + u->offset));
	if (new &&new->kind == u->kind && u->hash(new, &hash))
		hmap_insert(&m->unique[u->unique],
			    (struct hmap_node *)(void *)((char *)new + u->offset), hash);
}

static void replace_by_id(struct model *m, struct object *old, struct object *new)
{
	struct kind_table *t = &m->kinds[(new ? new : old)->kind];
	const size_t offset = offsetof(struct object, by_kind);

	if (old)
		hmap_remove(&t->by_id, &old->by_id);
	if (new)
		hmap_insert(&t->by_id, &new->by_id, hash_u64(new->id));
	t->n = t->n + !!new - !!old;
	if (old && new) {
		take_place(&old->by_kind, &new->by_kind);
	} else if (old) {
		list_remove(&old->by_kind);
	} else if (m->loading) {
		struct list *last = list_last_link(&t->all);

		t->unsorted |= last && serial_of_link(last, offset, false) > new->serial;
		list_push_back(&t->all, &new->by_kind);
	} else {
		insert_sorted(&t->all, &new->by_kind, offset, false);
	}
}

static bool has_range(const struct object *host)
{
	return host && ((const struct host *)host)->locators.aliases.len;
}

static void forget_subnet(struct model *m, uint64_t subnet)
{
	struct group *g = group_find(m, REL_SUBNET_INTERFACES, KIND_INTERFACE, subnet);

	if (g && !g->n && list_empty(&g->idle))
		list_push_back(&m->idle_groups, &g->idle);
}

int table_replace(struct model *m, struct object *old, struct object *new)
{
	size_t n_relations, n_uniques;
	const struct relation_use *relations = table_relations(&n_relations);
	const struct unique_use *uniques = table_uniques(&n_uniques);
	const struct object *any = new ? new : old;
	int r = new ? prepare(m, old, new) : 0;

	if (r)
		return r;
	replace_by_id(m, old, new);
	placement_index_replace(m, old, new);
	for (size_t i = 0; i < n_relations; i++)
		if (applies(&relations[i], any))
			replace_member(m, old, new, &relations[i]);
	replace_parts(m, old, new);
	for (size_t i = 0; i < n_uniques; i++)
		if (uniques[i].kind == any->kind)
			replace_unique(m, old, new, &uniques[i]);
	if (any->kind == KIND_INTERFACE)
		replace_interface(m, (struct interface *)old, (struct interface *)new);
	else if (any->kind == KIND_SUBNET && !new)
		forget_subnet(m, any->id);
	else if (any->kind == KIND_CHOICE_POLICY)
		choice_rules_set(&m->choice_rules, (struct choice_policy *)old,
				 (struct choice_policy *)new);
	else if (any->kind == KIND_RELEASE)
		replace_release(m, (struct release *)old, (struct release *)new);
	else
		replace_edge(m, old, new);
	if (any->kind == KIND_HOST)
		m->n_ranges = m->n_ranges + has_range(new) - has_range(old);
	return 0;
}

/* ---- many at a time ---- */

void table_prefetch_id(const struct model *m, enum kind k, uint64_t id, unsigned int stage)
{
	hmap_prefetch(&m->kinds[k].by_id, hash_u64(id), stage);
}

static void prefetch_addrs(const struct model *m, const struct interface *i)
{
	struct ipaddr link_local = interface_link_local(i);
	struct mapping_key key = mapping_key_of(i->vni, &link_local);

	mapping_prefetch(m->mappings, 0, &key);
	for (size_t n = 0; n < i->n_addrs; n++) {
		key = mapping_key_of(i->vni, &i->addrs[n].addr);
		mapping_prefetch(m->mappings, 0, &key);
	}
}

void table_prefetch(const struct model *m, const struct object *o, unsigned int stage)
{
	const struct interface *i = (const struct interface *)o;
	size_t n_uniques;
	const struct unique_use *uniques = table_uniques(&n_uniques);
	uint64_t hash;

	table_prefetch_id(m, o->kind, o->id, stage);
	if (o->kind != KIND_INTERFACE)
		return; /* of the others there are few, or they are in few groups */
	if (i->attachment.state != ATTACHMENT_NONE)
		hmap_prefetch(
			&m->groups,
			group_hash(REL_INSTANCE_INTERFACES, KIND_INTERFACE, i->attachment.instance),
			stage);
	if (stage)
		return;
	for (size_t n = 0; n < n_uniques; n++)
		if (uniques[n].kind == KIND_INTERFACE && uniques[n].hash(o, &hash))
			hmap_prefetch(&m->unique[uniques[n].unique], hash, 0);
	if (i->attachment.state != ATTACHMENT_NONE)
		hmap_prefetch(&m->unique[UNIQUE_ATTACHMENT], hash_u64(i->attachment.id), 0);
	prefetch_addrs(m, i);
}

/* ---- housekeeping ---- */

/* An empty subnet still knows which address it gave away last, until it goes itself. */
static bool is_remembered(const struct model *m, const struct group *g)
{
	return g->relation == REL_SUBNET_INTERFACES && model_get(m, KIND_SUBNET, g->key);
}

void table_reclaim(struct model *m)
{
	struct group *g;

	if (m->n_changes || m->tx)
		return;
	carrier_reclaim(m);
	group_set_reclaim(m);
	placement_index_reclaim(m);
	list_for_each (g, &m->idle_groups, idle) {
		list_remove(&g->idle);
		if (is_remembered(m, g))
			continue;
		group_free(m, g);
	}
}

struct sorted {
	uint64_t serial;
	struct list *link;
};

static int compare_serial(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;

	return (x->serial > y->serial) - (x->serial < y->serial);
}

static int sort_list(struct list *head, size_t n, size_t offset, bool part)
{
	_cleanup_free_ struct sorted *v = calloc(n, sizeof(*v));
	size_t i = 0;

	if (!v)
		return -ENOMEM;
	for (struct list *l = head->next; l != head; l = l->next)
		v[i++] = (struct sorted){serial_of_link(l, offset, part), l};
	qsort(v, n, sizeof(*v), compare_serial);
	list_init(head);
	for (i = 0; i < n; i++)
		list_push_back(head, v[i].link);
	return 0;
}

int table_sort(struct model *m)
{
	struct group *g;
	int r = 0;

	for (enum kind k = KIND_ACCOUNT; k < KIND_MAX && !r; k++) {
		struct kind_table *t = &m->kinds[k];

		if (t->unsorted)
			r = sort_list(&t->all, t->n, offsetof(struct object, by_kind), false);
		t->unsorted = false;
	}
	hmap_for_each (g, &m->groups, node) {
		if (g->unsorted && !r)
			r = sort_list(&g->members, g->n, relation_offset(g->relation, g->kind),
				      relation_is_of_parts(g->relation));
		g->unsorted = false;
	}
	return r;
}

void table_deinit(struct model *m)
{
	struct host_state *s;
	struct group *g;

	for (enum kind k = KIND_ACCOUNT; k < KIND_MAX; k++) {
		struct object *o;

		hmap_for_each (o, &m->kinds[k].by_id, by_id)
			record_free(o);
		hmap_deinit(&m->kinds[k].by_id);
	}
	for (size_t i = 0; i < m->n_arriving; i++)
		record_free(m->arriving[i]);
	for (size_t i = 0; i < m->n_deferred; i++)
		record_free(m->deferred[i]);
	free(m->deferred);
	hmap_for_each (g, &m->groups, node)
		free(g);
	hmap_deinit(&m->groups);
	choice_rules_deinit(&m->choice_rules);
	carrier_deinit(m);
	group_set_deinit(m);
	placement_index_deinit(m);
	hmap_for_each (s, &m->host_states, node)
		free(s);
	hmap_deinit(&m->host_states);
	free(m->hosts_known);
	for (enum unique u = 0; u < UNIQUE_MAX; u++)
		hmap_deinit(&m->unique[u]);
}
