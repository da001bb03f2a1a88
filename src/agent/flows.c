/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow logs: the records of each window go to the manager, and are removed when it has them.
 *
 * The data plane is the queue (datapath/watch.h): what no manager has acknowledged stays there, and
 * is said again to the next one, also by the next agent.  A window that cannot be told yet stays
 * the only closed one: then the next is longer.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/convert.h"
#include "base/arena.h"
#include "base/limits.h"
#include "base/log.h"

static void flows_on_close(struct timer *t, void *data);
static void flows_on_tell(struct timer *t, void *data);

void flows_init(struct agent *a)
{
	timer_init(&a->close_window, a->loop, flows_on_close, a);
	timer_init(&a->tell_window, a->loop, flows_on_tell, a);
}

void flows_deinit(struct agent *a)
{
	timer_deinit(&a->close_window);
	timer_deinit(&a->tell_window);
}

static uint64_t flows_interval(const struct agent *a)
{
	uint32_t seconds = a->config.flow_seconds;

	return (seconds ? seconds : LIMIT_AGENT_FLOW_S) * CLOCK_NS_PER_S;
}

/* ---- what is told ---- */

struct flows {
	size_t n, allocated;
	struct dp_record *v;
};

static int flows_collect(const struct dp_record *r, void *arg)
{
	struct flows *f = arg;

	if (f->n == f->allocated) {
		size_t n = f->allocated ? 2 * f->allocated : 256;
		struct dp_record *v = reallocarray(f->v, n, sizeof(*v));

		if (!v)
			return -ENOMEM;
		f->v = v;
		f->allocated = n;
	}
	f->v[f->n++] = *r;
	return 0;
}

/* By port, and then in an order that does not depend on the table's. */
static int flows_compare(const void *a, const void *b)
{
	const struct dp_record *x = a, *y = b;
	int c;

	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	c = memcmp(&x->src, &y->src, sizeof(x->src));
	if (!c)
		c = memcmp(&x->dst, &y->dst, sizeof(x->dst));
	if (!c)
		c = x->source - y->source;
	if (!c)
		c = x->destination - y->destination;
	if (!c)
		c = (x->protocol << 2 | x->egress << 1 | x->reject) -
		    (y->protocol << 2 | y->egress << 1 | y->reject);
	return c;
}

/* Monotonic time as the calendar's. */
struct flows_time {
	uint64_t mono_ns, wall_ms;
};

static uint64_t flows_wall(const struct flows_time *now, uint64_t ns)
{
	return ns < now->mono_ns ? now->wall_ms - (now->mono_ns - ns) / CLOCK_NS_PER_MS
				 : now->wall_ms;
}

static void flows_write(const struct dp_record *r, const struct flows_time *now,
			Viaduct__Agent__FlowRecord *m)
{
	viaduct__agent__flow_record__init(m);
	m->egress = r->egress;
	m->reject = r->reject;
	m->protocol = r->protocol;
	m->tcp = r->tcp;
	m->src = convert_bytes(&r->src);
	m->dst = convert_bytes(&r->dst);
	m->source = r->source;
	m->destination = r->destination;
	m->packets = r->packets;
	m->bytes = r->bytes;
	m->first = flows_wall(now, r->first_ns);
	m->last = flows_wall(now, r->last_ns);
}

/* One window on its way, frame by frame. */
struct flows_letter {
	struct agent *agent;
	struct arena arena;
	struct flows_time now;
	Viaduct__Agent__FlowRecords m;
	size_t n_records;
};

static int flows_begin(struct flows_letter *l)
{
	l->m.interfaces = arena_alloc_array(&l->arena, LIMIT_AGENT_FLOW_RECORDS + 1,
					    sizeof(*l->m.interfaces));
	l->m.n_interfaces = 0;
	l->n_records = 0;
	return l->m.interfaces ? 0 : -ENOMEM;
}

static int flows_send(struct flows_letter *l, bool last)
{
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	int e;

	l->m.last = last;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_FLOW_RECORDS;
	frame.flow_records = &l->m;
	e = link_send(&l->agent->link, &frame);
	l->m.part++;
	arena_deinit(&l->arena);
	arena_init(&l->arena, LIMIT_WIRE_FRAME_SIZE);
	return e ? e : flows_begin(l);
}

/* Adds up to 'n' records of a port; '*ret' is how many fitted into this frame. */
static int flows_add(struct flows_letter *l, const struct port *port, const struct dp_record *r,
		     size_t n, bool first, size_t *ret)
{
	size_t room = LIMIT_AGENT_FLOW_RECORDS - l->n_records, fits = n < room ? n : room;
	Viaduct__Agent__FlowInterface *i = arena_alloc(&l->arena, sizeof(*i));
	Viaduct__Agent__FlowRecord *records =
		arena_alloc_array(&l->arena, fits + 1, sizeof(*records));
	uint64_t skipped = 0;

	if (!i || !records)
		return -ENOMEM;
	viaduct__agent__flow_interface__init(i);
	i->records = arena_alloc_array(&l->arena, fits + 1, sizeof(*i->records));
	if (!i->records)
		return -ENOMEM;
	if (first && !datapath_records_skipped(l->agent->dp, port->dp.id, &skipped))
		i->skipped = skipped;
	i->id = (char *)(uintptr_t)port->interface_id;
	for (size_t k = 0; k < fits; k++) {
		flows_write(&r[k], &l->now, &records[k]);
		i->records[i->n_records++] = &records[k];
	}
	l->m.interfaces[l->m.n_interfaces++] = i;
	l->n_records += fits + 1; /* an interface counts as well */
	*ret = fits;
	return 0;
}

static int flows_add_port(struct flows_letter *l, const struct port *port,
			  const struct dp_record *r, size_t n)
{
	bool first = true;
	size_t done;
	int e = 0;

	do {
		if (l->n_records >= LIMIT_AGENT_FLOW_RECORDS)
			e = flows_send(l, false);
		if (!e)
			e = flows_add(l, port, r, n, first, &done);
		if (e)
			return e;
		first = false;
		r += done;
		n -= done;
	} while (n);
	return 0;
}

/* Those of a port, which lie together. */
static const struct dp_record *flows_of(const struct flows *f, uint32_t port, size_t *ret_n)
{
	size_t i = 0, n = 0;

	while (i < f->n && f->v[i].port != port)
		i++;
	while (i + n < f->n && f->v[i + n].port == port)
		n++;
	*ret_n = n;
	return f->v + i;
}

static int flows_add_all(struct flows_letter *l, const struct flows *f)
{
	const struct port *port;
	int e = 0;

	hmap_for_each (port, &l->agent->ports.by_interface, by_interface) {
		const struct dp_record *r;
		size_t n;

		if (e || !port->set)
			continue;
		r = flows_of(f, port->dp.id, &n);
		if (n || port->dp.logged)
			e = flows_add_port(l, port, r, n);
	}
	return e;
}

static int flows_tell(struct agent *a, const struct dp_window *w)
{
	struct flows_letter l = {.agent = a, .m = VIADUCT__AGENT__FLOW_RECORDS__INIT};
	struct flows f = {};
	int e = datapath_records(a->dp, flows_collect, &f);

	arena_init(&l.arena, LIMIT_WIRE_FRAME_SIZE);
	l.now = (struct flows_time){clock_mono_ns(loop_clock(a->loop)),
				    clock_wall_ms(loop_clock(a->loop))};
	l.m.epoch = w->epoch;
	l.m.window = w->number;
	l.m.opened = flows_wall(&l.now, w->opened_ns);
	l.m.closed = flows_wall(&l.now, w->closed_ns);
	if (!e)
		e = flows_begin(&l);
	if (!e && f.n)
		qsort(f.v, f.n, sizeof(*f.v), flows_compare);
	if (!e)
		e = flows_add_all(&l, &f);
	if (!e)
		e = flows_send(&l, true);
	arena_deinit(&l.arena);
	free(f.v);
	return e;
}

/* ---- when ---- */

static bool flows_anybody(const struct agent *a)
{
	const struct port *port;

	hmap_for_each (port, &a->ports.by_interface, by_interface)
		if (port->dp.logged)
			return true;
	return false;
}

static void flows_on_tell(struct timer *t, void *data)
{
	struct agent *a = data;
	struct dp_window w;
	int e;

	if (!a->dp || a->link.state != LINK_UP || datapath_window(a->dp, &w))
		return;
	if (flows_anybody(a))
		e = flows_tell(a, &w);
	else
		e = datapath_window_forget(a->dp);
	if (e) /* the next window's time comes with another attempt */
		log_debug("flow records not told", LOG_ERRNO(e));
}

/* Some time for programs that are at a packet. */
static void flows_tell_soon(struct agent *a)
{
	timer_arm_in(&a->tell_window, LIMIT_AGENT_FLOW_SETTLE_MS * CLOCK_NS_PER_MS);
}

static void flows_on_close(struct timer *t, void *data)
{
	struct agent *a = data;
	int e;

	timer_arm_in(t, flows_interval(a));
	if (!a->dp || a->link.state != LINK_UP)
		return;
	e = datapath_window_close(a->dp, clock_mono_ns(loop_clock(a->loop)));
	if (e && e != -EBUSY)
		log_debug("window not closed", LOG_ERRNO(e));
	else
		flows_tell_soon(a);
}

void flows_acknowledged(struct agent *a, const Viaduct__Agent__FlowAck *ack)
{
	struct dp_window w;
	int e;

	if (!a->dp || datapath_window(a->dp, &w) || w.epoch != ack->epoch ||
	    w.number != ack->window)
		return;
	e = datapath_window_forget(a->dp);
	if (e)
		log_warn("flow records not removed", LOG_ERRNO(e));
}

void flows_open(struct agent *a)
{
	timer_arm_in(&a->close_window, flows_interval(a));
}

void flows_close(struct agent *a)
{
	timer_disarm(&a->close_window);
	timer_disarm(&a->tell_window);
}
