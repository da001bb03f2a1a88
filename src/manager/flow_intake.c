/* SPDX-License-Identifier: Apache-2.0 */
/* See flow_intake.h. */
#include "manager/flow_intake.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "manager/agents.h"
#include "manager/flow_line.h"
#include "manager/manager.h"
#include "model/interface.h"
#include "wire/session.h"

/* The last window of a host, and how many parts of it are kept. */
struct told {
	struct hmap_node node;
	uint32_t host;
	uint64_t epoch;
	uint32_t window, parts;
};

void flow_intake_init(struct flow_intake *f)
{
	*f = (struct flow_intake){};
	hmap_init(&f->hosts);
}

void flow_intake_deinit(struct flow_intake *f)
{
	struct told *t;

	hmap_for_each (t, &f->hosts, node) {
		hmap_remove(&f->hosts, &t->node);
		free(t);
	}
	hmap_deinit(&f->hosts);
	f->store = flow_store_free(f->store);
}

static struct told *told_get(struct flow_intake *f, uint32_t host)
{
	struct told *t;

	hmap_for_each_at (t, &f->hosts, hash_u64(host), node)
		if (t->host == host)
			return t;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->host = host;
	hmap_insert(&f->hosts, &t->node, hash_u64(host));
	return t;
}

/* ---- one interface ---- */

struct taking {
	struct manager *manager;
	const Viaduct__Agent__FlowRecords *window;
	const Viaduct__Agent__FlowInterface *m;
	struct flow_line line;
};

static bool wants(const struct flow_log *f, const Viaduct__Agent__FlowRecord *r)
{
	return f->traffic & (r->reject ? FLOW_REJECT : FLOW_ACCEPT);
}

static void write_lines(struct taking *t, const struct flow_log *f, struct buf *b)
{
	enum flow_field fields[FLOW_FORMAT_MAX];
	struct flow_line *l = &t->line;
	size_t n;

	if (!flow_format_parse(f->format, fields, &n, NULL))
		return;
	l->start_ms = t->window->opened;
	l->end_ms = t->window->closed;
	if (!t->m->n_records && !t->m->skipped) {
		l->status = FLOW_STATUS_NODATA;
		flow_line_write(b, fields, n, l);
	}
	if (t->m->skipped) {
		l->status = FLOW_STATUS_SKIPDATA;
		flow_line_write(b, fields, n, l);
	}
	l->status = FLOW_STATUS_OK;
	for (size_t i = 0; i < t->m->n_records; i++) {
		l->record = t->m->records[i];
		if (!wants(f, l->record))
			continue;
		l->start_ms = l->record->first;
		l->end_ms = l->record->last;
		flow_line_write(b, fields, n, l);
	}
}

static void keep_for(void *data, const struct flow_log *f)
{
	struct taking *t = data;
	_cleanup_buf_ struct buf b;
	char id[ID_TEXT_SIZE];
	int r;

	buf_init(&b, LIMIT_FLOW_FILE_SIZE);
	write_lines(t, f, &b);
	r = buf_error(&b);
	if (!r && buf_size(&b) && t->manager->flow_intake.store)
		r = flow_store_append(t->manager->flow_intake.store, f->o.id, buf_data(&b),
				      buf_size(&b));
	if (r)
		log_err("records of a flow log are lost",
			LOG_STR("flow_log", object_id_text(&f->o, id)), LOG_ERRNO(r));
}

/* Its attachment to a node of that host, or NULL. */
static const struct attachment *attachment_at(const struct interface *i, uint32_t host)
{
	for (size_t n = 0; n < interface_attachment_count(i); n++)
		if (interface_attachment(i, n)->host == host)
			return interface_attachment(i, n);
	return NULL;
}

static bool is_sound(const Viaduct__Agent__FlowInterface *m)
{
	for (size_t i = 0; i < m->n_records; i++)
		if (m->records[i]->src.len != 16 || m->records[i]->dst.len != 16 ||
		    m->records[i]->protocol > UINT8_MAX)
			return false;
	return true;
}

static int take_interface(struct manager *manager, struct agent *agent,
			  const Viaduct__Agent__FlowRecords *window,
			  const Viaduct__Agent__FlowInterface *m)
{
	struct taking t = {.manager = manager, .window = window, .m = m};
	const struct attachment *a;
	const struct interface *i;
	uint64_t id;

	if (id_parse(KIND_INTERFACE, m->id, &id) || !is_sound(m))
		return -EBADMSG;
	i = (const struct interface *)model_get(manager->model, KIND_INTERFACE, id);
	a = i ? attachment_at(i, agent->number) : NULL;
	if (!a) /* it has gone meanwhile, and its flow logs with it, or is another host's */
		return 0;
	t.line.m = manager->model;
	t.line.interface = i;
	t.line.instance = a->instance;
	flow_log_each(manager->model, i, keep_for, &t);
	return 0;
}

/* ---- frames ---- */

static void acknowledge(struct agent *agent, const Viaduct__Agent__FlowRecords *m)
{
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	Viaduct__Agent__FlowAck ack = VIADUCT__AGENT__FLOW_ACK__INIT;

	ack.epoch = m->epoch;
	ack.window = m->window;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_FLOW_ACK;
	frame.flow_ack = &ack;
	/* without it the host says all again */
	(void)!session_send(agent->session, &frame);
}

int flow_intake_take(struct manager *manager, struct agent *agent,
		     const Viaduct__Agent__FlowRecords *m)
{
	struct told *t = told_get(&manager->flow_intake, agent->number);
	int r = 0;

	if (!t)
		return 0; /* it says it again */
	if (t->epoch != m->epoch || t->window != m->window) {
		t->epoch = m->epoch;
		t->window = m->window;
		t->parts = 0;
	}
	if (m->part == t->parts) {
		for (size_t i = 0; i < m->n_interfaces && !r; i++)
			r = take_interface(manager, agent, m, m->interfaces[i]);
		t->parts++;
	}
	if (!r && m->last && m->part < t->parts)
		acknowledge(agent, m);
	return r;
}

/* ---- reading, sweeping ---- */

static bool is_there(void *data, uint64_t flow_log)
{
	return model_get(data, KIND_FLOW_LOG, flow_log);
}

void flow_intake_tick(struct manager *manager)
{
	struct flow_intake *f = &manager->flow_intake;

	if (!f->store || manager_now_ms(manager) < f->sweep_ms)
		return;
	f->sweep_ms = manager_now_ms(manager) + LIMIT_FLOW_SWEEP_MS;
	flow_store_sweep(f->store, is_there, manager->model);
}

int flow_intake_read(struct manager *manager, uint64_t flow_log, uint64_t place, size_t most,
		     struct buf *b, uint64_t *ret_next)
{
	if (!manager->flow_intake.store) {
		*ret_next = place;
		return 0;
	}
	return flow_store_read(manager->flow_intake.store, flow_log, place, most, b, ret_next);
}
