/* SPDX-License-Identifier: Apache-2.0 */
/* Counters at an interval, sampled drops as they come, both to the manager; nothing is kept for one
 * that is away: the counters only grow, and the drops are samples. */
#include <string.h>

#include "abi/drop.h"
#include "agent/agent.h"
#include "agent/convert.h"
#include "base/arena.h"
#include "base/limits.h"
#include "base/log.h"

static void report_on_stats(struct timer *t, void *data);
static void report_on_flush(struct timer *t, void *data);

void report_init(struct agent *a)
{
	a->count_round = 1;
	timer_init(&a->stats, a->loop, report_on_stats, a);
	timer_init(&a->flush_events, a->loop, report_on_flush, a);
}

/* ---- counters ---- */

int report_drops(struct agent *a, uint32_t port, uint64_t ret[static AGENT_REASONS_MAX])
{
	static const enum drop_reason reasons[MISS_DROP_MAX] = {
		[MISS_DROP_BOUND] = DROP_UPCALL_LIMIT,
		[MISS_DROP_TIMEOUT] = DROP_NO_ANSWER,
		[MISS_DROP_LOOP] = DROP_UPCALL_LIMIT,
		[MISS_DROP_FAULT] = DROP_NO_ANSWER,
	};
	int e;

	for (size_t i = 0; i < AGENT_REASONS_MAX; i++)
		ret[i] = 0;
	e = a->dp ? datapath_drops(a->dp, port, ret, AGENT_REASONS_MAX) : -ENOTCONN;
	if (!e && !port)
		for (size_t i = 0; i < MISS_DROP_MAX; i++)
			ret[reasons[i]] += a->miss.drops[i];
	for (uint32_t i = 0; !e && !port && i < AGENT_REASONS_MAX; i++)
		ret[i] += sealing_drops(&a->sealing, i);
	return e;
}

static Viaduct__Agent__DropCount **report_drop_counts(struct agent *a, struct arena *arena,
						      uint32_t port, size_t *ret_n)
{
	uint64_t drops[AGENT_REASONS_MAX];
	Viaduct__Agent__DropCount **counts =
		arena_alloc_array(arena, AGENT_REASONS_MAX, sizeof(*counts));
	size_t n = 0;

	*ret_n = 0;
	if (!counts || report_drops(a, port, drops))
		return NULL;
	for (uint32_t reason = 0; reason < AGENT_REASONS_MAX; reason++) {
		Viaduct__Agent__DropCount *count;

		if (!drops[reason])
			continue;
		count = arena_alloc(arena, sizeof(*count));
		if (!count)
			return NULL;
		viaduct__agent__drop_count__init(count);
		count->reason = reason;
		count->packets = drops[reason];
		counts[n++] = count;
	}
	*ret_n = n;
	return counts;
}

static int report_count_connection(const struct dp_connection *c, void *arg)
{
	++*(uint64_t *)arg;
	return 0;
}

/* Counting goes through a port's part of the table: a few ports at a time, and all in turn. */
static void report_count_connections(struct agent *a)
{
	unsigned int n_left = LIMIT_AGENT_COUNTED_PORTS;
	struct port *port;

	hmap_for_each (port, &a->ports.by_interface, by_interface) {
		uint64_t n = 0;

		if (!port->set || port->counted == a->count_round)
			continue;
		if (!n_left--)
			return;
		port->counted = a->count_round;
		if (!datapath_connections(a->dp, port->dp.id, report_count_connection, &n))
			port->n_connections = n;
	}
	a->count_round++;
}

static int report_interfaces(struct agent *a, struct arena *arena, Viaduct__Agent__Stats *m)
{
	const struct port *port;

	m->interfaces = arena_alloc_array(arena, hmap_count(&a->ports.by_interface) + 1,
					  sizeof(*m->interfaces));
	if (!m->interfaces)
		return -ENOMEM;
	hmap_for_each (port, &a->ports.by_interface, by_interface) {
		Viaduct__Agent__InterfaceStats *i = arena_alloc(arena, sizeof(*i));
		struct dp_port_counters counters;

		if (!i)
			return -ENOMEM;
		if (!port->set || datapath_counters(a->dp, port->dp.id, &counters))
			continue;
		viaduct__agent__interface_stats__init(i);
		i->id = (char *)(uintptr_t)port->interface_id;
		i->tx_packets = counters.tx_packets;
		i->tx_bytes = counters.tx_bytes;
		i->rx_packets = counters.rx_packets;
		i->rx_bytes = counters.rx_bytes;
		i->connections = port->n_connections;
		i->drops = report_drop_counts(a, arena, port->dp.id, &i->n_drops);
		m->interfaces[m->n_interfaces++] = i;
	}
	return 0;
}

static int report_formats(struct agent *a, struct arena *arena, Viaduct__Agent__Stats *m)
{
	struct dp_port_counters traffic[FORMAT_MAX];

	m->formats = arena_alloc_array(arena, FORMAT_MAX, sizeof(*m->formats));
	if (!m->formats)
		return -ENOMEM;
	if (datapath_traffic(a->dp, traffic))
		return 0;
	for (uint32_t f = 0; f < FORMAT_MAX; f++) {
		const struct dp_port_counters *t = &traffic[f];
		Viaduct__Agent__FormatStats *s;

		if (!t->tx_packets && !t->rx_packets)
			continue;
		s = arena_alloc(arena, sizeof(*s));
		if (!s)
			return -ENOMEM;
		viaduct__agent__format_stats__init(s);
		s->format = f;
		s->tx_packets = t->tx_packets;
		s->tx_bytes = t->tx_bytes;
		s->rx_packets = t->rx_packets;
		s->rx_bytes = t->rx_bytes;
		m->formats[m->n_formats++] = s;
	}
	return 0;
}

static void report_sealed(struct agent *a, const struct desired_peer *p,
			  Viaduct__Agent__PeerStats *s)
{
	const struct seal_counters c = sealing_counters(&a->sealing, p->dp.id);

	s->sealed_packets = c.sealed_packets;
	s->sealed_bytes = c.sealed_bytes;
	s->opened_packets = c.opened_packets;
	s->opened_bytes = c.opened_bytes;
	s->saved_bytes = c.saved_bytes;
	if (!a->dp || datapath_peer_held(a->dp, p->dp.id, &s->held_back))
		s->held_back = 0;
}

static int report_peers(struct agent *a, struct arena *arena, Viaduct__Agent__Stats *m)
{
	const struct desired_peer *p;

	m->peers = arena_alloc_array(arena, hmap_count(&a->desired.peers) + 1, sizeof(*m->peers));
	if (!m->peers)
		return -ENOMEM;
	hmap_for_each (p, &a->desired.peers, node) {
		Viaduct__Agent__PeerStats *s = arena_alloc(arena, sizeof(*s));
		const char *text;

		if (!s)
			return -ENOMEM;
		viaduct__agent__peer_stats__init(s);
		s->number = p->dp.id;
		s->reachable = nexthops_reachable(&a->nexthops, p->dp.id, &text);
		s->text = (char *)(uintptr_t)text;
		report_sealed(a, p, s);
		m->peers[m->n_peers++] = s;
	}
	return 0;
}

static int report_send_stats(struct agent *a, struct arena *arena)
{
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	Viaduct__Agent__Stats stats = VIADUCT__AGENT__STATS__INIT;
	int e;

	stats.at = clock_wall_ms(loop_clock(a->loop));
	stats.lost_tables = a->lost;
	report_count_connections(a);
	stats.host_drops = report_drop_counts(a, arena, 0, &stats.n_host_drops);
	e = report_interfaces(a, arena, &stats);
	if (!e)
		e = report_peers(a, arena, &stats);
	if (!e)
		e = report_formats(a, arena, &stats);
	if (e)
		return e;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_STATS;
	frame.stats = &stats;
	return link_send(&a->link, &frame);
}

static void report_on_stats(struct timer *t, void *data)
{
	struct agent *a = data;
	_cleanup_arena_ struct arena arena;
	int e;

	arena_init(&arena, LIMIT_WIRE_FRAME_SIZE);
	timer_arm_in(&a->stats, a->stats_ns);
	if (!a->dp || a->link.state != LINK_UP)
		return;
	e = report_send_stats(a, &arena);
	if (e)
		log_debug("counters not sent", LOG_ERRNO(e));
}

void report_set_interval(struct agent *a, uint32_t seconds)
{
	a->stats_ns = (seconds ? seconds : LIMIT_AGENT_STATS_S) * CLOCK_NS_PER_S;
	timer_arm_in(&a->stats, a->stats_ns);
}

/* ---- sampled drops ---- */

static Viaduct__Agent__Event__Kind report_kind(uint32_t reason)
{
	switch (reason) {
	case DROP_SOURCE_MAC:
	case DROP_SOURCE_ADDR:
	case DROP_SPOOF:
		return VIADUCT__AGENT__EVENT__KIND__SPOOF;
	case DROP_REFUSED:
	case DROP_SOURCE_REFUSED:
		return VIADUCT__AGENT__EVENT__KIND__REFUSED;
	default:
		return VIADUCT__AGENT__EVENT__KIND__DROP;
	}
}

static void report_write_event(const struct agent *a, const struct dp_drop_event *e,
			       Viaduct__Agent__Event *m)
{
	const struct port *port = e->port ? ports_find(&a->ports, e->port) : NULL;

	viaduct__agent__event__init(m);
	m->kind = report_kind(e->reason);
	m->at = clock_wall_ms(loop_clock(a->loop));
	m->reason = e->reason;
	if (port)
		m->interface_id = (char *)(uintptr_t)port->interface_id;
	m->vni = e->vni;
	m->src = convert_bytes(&e->src);
	m->dst = convert_bytes(&e->dst);
	m->revision = e->revision ? e->revision : a->revision;
}

static void report_on_flush(struct timer *t, void *data)
{
	struct agent *a = data;
	Viaduct__Agent__Event messages[LIMIT_AGENT_EVENTS];
	Viaduct__Agent__Event *pointers[LIMIT_AGENT_EVENTS];
	Viaduct__Agent__Events events = VIADUCT__AGENT__EVENTS__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	for (size_t i = 0; i < a->n_waiting_events; i++) {
		report_write_event(a, &a->waiting_events[i], &messages[i]);
		pointers[i] = &messages[i];
	}
	events.events = pointers;
	events.n_events = a->n_waiting_events;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_EVENTS;
	frame.events = &events;
	(void)!link_send(&a->link, &frame); /* samples: lost without a manager */
	a->n_waiting_events = 0;
}

static void report_on_event(struct watch *w, unsigned int ready, void *data)
{
	struct agent *a = data;
	struct dp_drop_event event;

	/* What does not fit is read all the same, so that the ring does not fill up. */
	for (unsigned int n = 0; n < LIMIT_AGENT_EVENTS; n++) {
		if (datapath_event_read(a->dp, &event))
			break;
		a->n_events++;
		if (a->n_waiting_events < LIMIT_AGENT_EVENTS)
			a->waiting_events[a->n_waiting_events++] = event;
	}
	if (a->n_waiting_events && !timer_armed(&a->flush_events))
		timer_arm_in(&a->flush_events, LIMIT_AGENT_EVENTS_MS * CLOCK_NS_PER_MS);
}

void report_refusals(struct agent *a)
{
	struct seal_refusal refusal;

	while (a->waiting_events && a->n_waiting_events < LIMIT_AGENT_EVENTS &&
	       sealing_refusal(&a->sealing, &refusal)) {
		struct dp_drop_event *e = &a->waiting_events[a->n_waiting_events++];

		*e = (struct dp_drop_event){.reason = refusal.reason};
		memcpy(e->src.b, refusal.from, sizeof(e->src.b));
		a->n_events++;
	}
	if (a->n_waiting_events && !timer_armed(&a->flush_events))
		timer_arm_in(&a->flush_events, LIMIT_AGENT_EVENTS_MS * CLOCK_NS_PER_MS);
}

int report_open(struct agent *a)
{
	if (!a->waiting_events)
		a->waiting_events = calloc(LIMIT_AGENT_EVENTS, sizeof(*a->waiting_events));
	if (!a->waiting_events)
		return -ENOMEM;
	return watch_init(&a->events, a->loop, datapath_event_fd(a->dp), WATCH_READ,
			  report_on_event, a);
}

void report_close(struct agent *a)
{
	watch_deinit(&a->events);
	timer_disarm(&a->flush_events);
	a->n_waiting_events = 0;
}

void report_deinit(struct agent *a)
{
	watch_deinit(&a->events);
	timer_deinit(&a->flush_events);
	timer_deinit(&a->stats);
	free(a->waiting_events);
}
