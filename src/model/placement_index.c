/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in use on each host, and where each account's nodes are.  See placement_index.h.
 *
 * Records are loaded in any order, so an instance may come before its host: it is counted on the
 * host at once, and in a rack when the host comes and says which rack that is.
 */
#include "model/placement_index.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/str.h"
#include "model/host.h"
#include "model/instance.h"
#include "model/interface.h"

enum { MILLION = 1000000 };

struct rack {
	struct hmap_node node;
	uint32_t key;
	uint32_t index;
};

/* Where an account's nodes are. */
struct spread {
	struct hmap_node node;
	struct list idle; /* among those without nodes */
	uint64_t account;
	size_t n; /* nodes */
	size_t n_racks;
	uint32_t *in_rack; /* by the rack's index */
};

/* ---- racks ---- */

static uint32_t rack_key(const struct topology_place *p)
{
	return (p->locale * (TOPOLOGY_AREA_MAX + 1) + p->area) * (TOPOLOGY_RACK_MAX + 1) + p->rack;
}

static const struct rack *rack_find(const struct model *m, uint32_t key)
{
	const struct rack *r;

	hmap_for_each_at (r, &m->racks, hash_u64(key), node)
		if (r->key == key)
			return r;
	return NULL;
}

/* Racks stay: there are no more than hosts have ever stood in. */
static int rack_prepare(struct model *m, uint32_t key)
{
	struct rack *r;

	if (rack_find(m, key))
		return 0;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->key = key;
	r->index = (uint32_t)m->racks.n;
	hmap_insert(&m->racks, &r->node, hash_u64(key));
	return 0;
}

size_t placement_rack_count(const struct model *m)
{
	return m->racks.n;
}

/* ---- accounts in racks ---- */

static struct spread *spread_find(const struct model *m, uint64_t account)
{
	struct spread *s;

	hmap_for_each_at (s, &m->spreads, hash_u64(account), node)
		if (s->account == account)
			return s;
	return NULL;
}

static struct spread *spread_get(struct model *m, uint64_t account)
{
	struct spread *s = spread_find(m, account);

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->account = account;
	list_push_back(&m->idle_spreads, &s->idle);
	hmap_insert(&m->spreads, &s->node, hash_u64(account));
	return s;
}

static int spread_prepare(struct model *m, uint64_t account, uint32_t rack)
{
	struct spread *s = spread_get(m, account);
	size_t n = placement_rack_count(m);
	uint32_t *more;

	if (!s)
		return -ENOMEM;
	if (rack < s->n_racks)
		return 0;
	more = reallocarray(s->in_rack, n, sizeof(*more));
	if (!more)
		return -ENOMEM;
	for (size_t i = s->n_racks; i < n; i++)
		more[i] = 0;
	s->in_rack = more;
	s->n_racks = n;
	return 0;
}

static void spread_add(struct model *m, uint64_t account, uint32_t rack)
{
	struct spread *s = spread_find(m, account);

	if (!s->n++)
		list_remove(&s->idle);
	s->in_rack[rack]++;
}

static void spread_remove(struct model *m, uint64_t account, uint32_t rack)
{
	struct spread *s = spread_find(m, account);

	s->in_rack[rack]--;
	if (!--s->n)
		list_push_back(&m->idle_spreads, &s->idle);
}

const uint32_t *placement_spread_of(const struct model *m, uint64_t account, size_t *ret_n)
{
	const struct spread *s = spread_find(m, account);

	*ret_n = s ? s->n_racks : 0;
	return s ? s->in_rack : NULL;
}

/* ---- views ---- */

uint32_t placement_capacity(const struct host *h, enum host_room r)
{
	uint32_t given = h->capacity[r];

	if (r == HOST_PORTS && (!given || given > LIMIT_MODEL_HOST_PORTS))
		return LIMIT_MODEL_HOST_PORTS;
	return given;
}

static void refresh(const struct model *m, struct host_state *s)
{
	struct placement_view *v = &s->view;

	if (m->loading)
		return;
	v->number = s->number;
	v->load = 0;
	if (!v->host)
		return;
	v->cost = v->host->cost;
	if (v->host->foreign)
		v->state = PLACEMENT_FOREIGN;
	else if (v->host->edge && !v->host->instances)
		v->state = PLACEMENT_EDGE;
	else if (v->host->drained)
		v->state = PLACEMENT_DRAINED;
	else if (!s->connected)
		v->state = PLACEMENT_DISCONNECTED;
	else if (v->host->can.carries_nothing)
		v->state = PLACEMENT_NO_DATAPATH;
	else
		v->state = v->capable ? PLACEMENT_FITS : PLACEMENT_NO_FORMAT;
	for (enum host_room r = 0; r < HOST_ROOM_MAX; r++) {
		uint64_t capacity = placement_capacity(v->host, r), used = v->used[r], load;

		v->left[r] = UINT32_MAX;
		if (!capacity)
			continue;
		v->left[r] = used < capacity ? (uint32_t)(capacity - used) : 0;
		load = used * MILLION / capacity;
		if (load > v->load)
			v->load = load < UINT32_MAX ? (uint32_t)load : UINT32_MAX;
	}
}

void placement_needs(const struct instance_type *t, size_t n_interfaces,
		     uint32_t ret[static HOST_ROOM_MAX])
{
	ret[HOST_MEMORY] = t ? t->memory_mib : 0;
	ret[HOST_VCPUS] = t ? t->vcpus : 0;
	ret[HOST_BANDWIDTH] = t ? t->bandwidth_mbps : 0;
	ret[HOST_DISK] = INSTANCE_DISK_GIB;
	ret[HOST_PORTS] = (uint32_t)n_interfaces;
}

/* What an instance has in use, but for ports, which its interfaces have. */
static void count_use(const struct model *m, struct host_state *s, const struct instance *n,
		      bool add)
{
	uint32_t needs[HOST_ROOM_MAX];

	placement_needs(instance_type_find(n->type), 0, needs);
	for (enum host_room r = 0; r < HOST_ROOM_MAX; r++) {
		if (n->state == INSTANCE_STOPPED && r != HOST_DISK)
			continue;
		if (add)
			s->view.used[r] += needs[r];
		else
			s->view.used[r] -= needs[r];
	}
	refresh(m, s);
}

static void count_instance(struct model *m, const struct instance *n, bool add)
{
	struct host_state *s;

	if (!n->host)
		return;
	s = host_state_find(m, n->host);
	count_use(m, s, n, add);
	if (!s->view.host)
		return;
	if (add)
		spread_add(m, n->o.account, s->view.rack);
	else
		spread_remove(m, n->o.account, s->view.rack);
}

static void replace_instance(struct model *m, const struct instance *old,
			     const struct instance *new)
{
	if (new)
		count_instance(m, new, true);
	if (old)
		count_instance(m, old, false);
}

/* The ports that an interface has. */
static void count_interface(struct model *m, const struct interface *i, int by)
{
	for (size_t n = 0; n < interface_attachment_count(i); n++) {
		const struct attachment *a = interface_attachment(i, n);
		struct host_state *s;

		if (!attachment_is_desired(a))
			continue;
		s = host_state_find(m, a->host);
		s->view.used[HOST_PORTS] += (uint64_t)(int64_t)by;
		refresh(m, s);
	}
}

static void replace_interface(struct model *m, const struct interface *old,
			      const struct interface *new)
{
	if (new)
		count_interface(m, new, 1);
	if (old)
		count_interface(m, old, -1);
}

static uint32_t zone_index(const struct model *m, const char *zone)
{
	uint32_t i = 0;

	while (i < MODEL_ZONES && !str_equal(zone, m->zones[i]))
		i++;
	return i;
}

/* Of instances that were loaded before it. */
static void count_early(struct model *m, const struct host *h, uint32_t rack)
{
	struct model_iter it = model_iter_group(m, REL_HOST_INSTANCES, h->number);
	const struct object *o;

	while ((o = model_iter_next(&it)))
		spread_add(m, o->account, rack);
}

static void replace_host(struct model *m, const struct host *old, const struct host *new)
{
	struct host_state *s = host_state_find(m, new ? new->number : old->number);

	s->view.host = new;
	if (new) {
		s->view.capable = host_is_capable(new);
		s->view.zone = zone_index(m, new->zone);
		s->view.rack = rack_find(m, rack_key(&new->place))->index;
	}
	if (new && !old)
		count_early(m, new, s->view.rack);
	refresh(m, s);
}

/* ---- for table.c ---- */

static int prepare_instance(struct model *m, const struct instance *n)
{
	const struct host_state *s;
	int r = n->host ? host_state_prepare(m, n->host) : 0;

	if (r || !n->host)
		return r;
	s = host_state_find(m, n->host);
	return s->view.host ? spread_prepare(m, n->o.account, s->view.rack) : 0;
}

static int prepare_host(struct model *m, const struct host *h)
{
	struct model_iter it = model_iter_group(m, REL_HOST_INSTANCES, h->number);
	uint32_t key = rack_key(&h->place);
	const struct object *o;
	int r = rack_prepare(m, key);

	if (!r)
		r = host_state_prepare(m, h->number);
	while (!r && !host_state_find(m, h->number)->view.host && (o = model_iter_next(&it)))
		r = spread_prepare(m, o->account, rack_find(m, key)->index);
	return r;
}

static int prepare_interface(struct model *m, const struct interface *i)
{
	int r = 0;

	for (size_t n = 0; n < interface_attachment_count(i) && !r; n++)
		if (attachment_is_desired(interface_attachment(i, n)))
			r = host_state_prepare(m, interface_attachment(i, n)->host);
	return r;
}

int placement_index_prepare(struct model *m, const struct object *new)
{
	if (new->kind == KIND_HOST)
		return prepare_host(m, (const struct host *)new);
	if (new->kind == KIND_INSTANCE)
		return prepare_instance(m, (const struct instance *)new);
	return new->kind == KIND_INTERFACE ? prepare_interface(m, (const struct interface *)new)
					   : 0;
}

void placement_index_replace(struct model *m, const struct object *old, const struct object *new)
{
	switch (new ? new->kind : old->kind) {
	case KIND_HOST:
		replace_host(m, (const struct host *)old, (const struct host *)new);
		break;
	case KIND_INSTANCE:
		replace_instance(m, (const struct instance *)old, (const struct instance *)new);
		break;
	case KIND_INTERFACE:
		replace_interface(m, (const struct interface *)old, (const struct interface *)new);
		break;
	default:
		break;
	}
}

void placement_index_reclaim(struct model *m)
{
	struct spread *s;

	list_for_each (s, &m->idle_spreads, idle) {
		list_remove(&s->idle);
		hmap_remove(&m->spreads, &s->node);
		free(s->in_rack);
		free(s);
	}
}

void placement_index_deinit(struct model *m)
{
	struct spread *s;
	struct rack *r;

	hmap_for_each (s, &m->spreads, node) {
		free(s->in_rack);
		free(s);
	}
	hmap_deinit(&m->spreads);
	hmap_for_each (r, &m->racks, node)
		free(r);
	hmap_deinit(&m->racks);
}

/* ---- for placement.c ---- */

const struct placement_view *placement_view_at(const struct model *m, size_t i)
{
	return &m->hosts_known[i]->view;
}

size_t placement_view_count(const struct model *m)
{
	return m->n_hosts_known;
}

void placement_index_refresh(struct model *m, uint32_t host)
{
	refresh(m, host_state_find(m, host));
}

void placement_index_refresh_all(struct model *m)
{
	for (size_t i = 0; i < m->n_hosts_known; i++)
		refresh(m, m->hosts_known[i]);
}

const struct placement_view *placement_view_of(const struct model *m, uint32_t host)
{
	return &host_state_find(m, host)->view;
}

bool host_has_port(const struct model *m, uint32_t number)
{
	return host_state_find(m, number)->view.left[HOST_PORTS];
}
