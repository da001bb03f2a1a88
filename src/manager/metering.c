/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/metering.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "manager/agents.h"
#include "manager/manager.h"
#include "manager/sessions.h"
#include "model/id.h"
#include "model/interface.h"
#include "model/tx.h"

struct metered {
	struct hmap_node node;
	struct list in_due;
	uint64_t due_ms; /* of the monotonic clock */
	struct usage usage;
	/* What hosts of a shared interface beside 'usage.host' said last.  Not stored: with a new
	 * manager they go on from what they say then. */
	size_t n_places;
	struct metered_place {
		uint32_t host;
		struct usage_counts seen;
	} * places;
};

void metering_init(struct metering *m, const struct clock *clock)
{
	*m = (struct metering){0};
	m->began_ms = clock_wall_ms(clock);
	hmap_init(&m->entries);
	list_init(&m->due);
}

static void forget(struct metering *m, struct metered *e)
{
	hmap_remove(&m->entries, &e->node);
	list_remove(&e->in_due);
	free(e->places);
	free(e);
}

void metering_deinit(struct metering *m)
{
	struct metered *e;

	hmap_for_each (e, &m->entries, node)
		forget(m, e);
	hmap_deinit(&m->entries);
}

static struct metered *find(const struct metering *m, uint64_t interface)
{
	struct metered *e;

	hmap_for_each_at (e, &m->entries, hash_u64(interface), node)
		if (e->usage.o.id == interface)
			return e;
	return NULL;
}

/* The entry, which goes on from what is stored; NULL: no memory, the next report makes it good. */
static struct metered *get(struct manager *manager, uint64_t interface)
{
	struct metered *e = find(&manager->metering, interface);
	const struct usage *stored = usage_find(manager->model, interface);

	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	if (stored)
		e->usage = *stored;
	e->usage.o = (struct object){.kind = KIND_USAGE, .id = interface};
	hmap_insert(&manager->metering.entries, &e->node, hash_u64(interface));
	return e;
}

static struct metered_place *find_place(struct metered *e, uint32_t host)
{
	for (size_t n = 0; n < e->n_places; n++)
		if (e->places[n].host == host)
			return &e->places[n];
	return NULL;
}

static struct metered_place *get_place(struct metered *e, uint32_t host,
				       const struct usage_counts *from)
{
	struct metered_place *place = find_place(e, host), *grown;

	if (place)
		return place;
	grown = reallocarray(e->places, e->n_places + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	e->places = grown;
	grown[e->n_places] = (struct metered_place){host, *from};
	return &grown[e->n_places++];
}

/* What a host says that has a shared interface beside the one that 'e->usage' is about. */
static void add_elsewhere(struct manager *manager, struct metered *e, const struct attachment *at,
			  const struct usage_counts *seen)
{
	static const struct usage_counts nothing;
	bool begins = at->attached_ms >= manager->metering.began_ms;
	struct metered_place *place = get_place(e, at->host, begins ? &nothing : seen);
	struct usage part = {.host = at->host};

	if (!place)
		return;
	part.seen = place->seen;
	usage_add(&part, at->host, seen, clock_wall_ms(manager->clock), SESSIONS_STATS_MS);
	place->seen = *seen;
	e->usage.sum.tx_packets += part.sum.tx_packets;
	e->usage.sum.tx_bytes += part.sum.tx_bytes;
	e->usage.sum.rx_packets += part.sum.rx_packets;
	e->usage.sum.rx_bytes += part.sum.rx_bytes;
}

static void add(struct manager *manager, struct metered *e, const struct attachment *at,
		const struct usage_counts *seen)
{
	const struct metered_place *place;

	/* one that stands by has nothing to say but, where it was before, the last of that */
	if (at->standby && e->usage.host != at->host)
		return;
	if (at->of->shared && e->usage.host && e->usage.host != at->host) {
		if (interface_attachment_at(at->of, e->usage.host)) {
			add_elsewhere(manager, e, at, seen);
			return;
		}
		/* the one that it was about has it no more */
		place = find_place(e, at->host);
		if (place) {
			e->usage.host = at->host;
			e->usage.seen = place->seen;
		}
	}
	usage_add(&e->usage, at->host, seen, clock_wall_ms(manager->clock), SESSIONS_STATS_MS);
}

static void take_one(struct manager *manager, uint32_t host,
		     const Viaduct__Agent__InterfaceStats *s)
{
	const struct usage_counts seen = {
		.tx_packets = s->tx_packets,
		.tx_bytes = s->tx_bytes,
		.rx_packets = s->rx_packets,
		.rx_bytes = s->rx_bytes,
	};
	const struct attachment *at;
	const struct interface *i;
	struct metered *e;
	uint64_t id;

	if (id_parse(KIND_INTERFACE, s->id, &id))
		return;
	/* a host speaks for what is plugged in there, not for others */
	i = (const struct interface *)model_get(manager->model, KIND_INTERFACE, id);
	at = i ? interface_attachment_at(i, host) : NULL;
	if (!at)
		return;
	e = get(manager, id);
	if (!e)
		return;
	add(manager, e, at, &seen);
	if (!list_empty(&e->in_due))
		return;
	e->due_ms = manager_now_ms(manager) + LIMIT_METERING_STORE_MS;
	list_push_back(&manager->metering.due, &e->in_due);
}

void metering_take(struct manager *manager, const struct agent *agent,
		   const Viaduct__Agent__Stats *stats)
{
	for (size_t i = 0; i < stats->n_interfaces; i++)
		take_one(manager, agent->number, stats->interfaces[i]);
}

/* What is stored and belongs to an interface that is gone will not be reported any more. */
static int store(struct manager *manager, struct tx *tx, bool all)
{
	struct metering *m = &manager->metering;
	uint64_t now = manager_now_ms(manager);
	struct metered *e;
	size_t n = 0;
	int r = 0;

	while (!r && (e = list_first(&m->due, struct metered, in_due))) {
		if (!all && (e->due_ms > now || n++ == LIMIT_METERING_PER_TICK))
			break;
		r = usage_put(tx, &e->usage);
		list_remove(&e->in_due);
		if (!r && !model_get(manager->model, KIND_INTERFACE, e->usage.o.id))
			forget(m, e);
	}
	return r;
}

static bool is_idle(const struct manager *manager, bool all)
{
	const struct metering *m = &manager->metering;
	const struct metered *first = list_first(&m->due, struct metered, in_due);
	uint64_t now = manager_now_ms(manager);

	if (now >= m->expire_ms)
		return false;
	return !first || (!all && first->due_ms > now);
}

static int store_due(struct manager *manager, struct tx *tx, void *data)
{
	struct metering *m = &manager->metering;
	uint64_t now = manager_now_ms(manager);
	const bool *all = data;
	int r = store(manager, tx, *all);

	if (r || now < m->expire_ms)
		return r;
	m->expire_ms = now + LIMIT_METERING_EXPIRE_MS;
	return usage_expire(tx, LIMIT_METERING_PER_TICK);
}

void metering_tick(struct manager *manager, bool all)
{
	/* what does not become durable is stored again with the next report */
	if (!is_idle(manager, all))
		manager_change(manager, "usage", store_due, &all);
}

bool metering_get(const struct manager *manager, uint64_t interface, struct usage *ret)
{
	const struct metered *e = find(&manager->metering, interface);
	const struct usage *stored = usage_find(manager->model, interface);

	if (e)
		*ret = e->usage;
	else if (stored)
		*ret = *stored;
	return e || stored;
}
