/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/handoff.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "manager/manager.h"
#include "manager/message.h"
#include "model/edge.h"
#include "model/host.h"
#include "model/nat_gateway.h"
#include "model/plan.h"
#include "wire/session.h"

/* Of one gateway. */
struct handoff {
	struct list node;
	uint64_t gateway;
	uint32_t handle, from, to;
	Viaduct__Agent__TranslationsRead__Step step;
	bool writing;    /* it is the heir's turn to answer */
	bool made;       /* the heir has the gateway, which stands by */
	uint64_t at;     /* where the next stretch begins */
	uint64_t seq;    /* of the exchange that is under way; 0: it waits to be tried again */
	uint64_t due_ms; /* when it has taken too long; when it is tried again */
	unsigned int n_failures; /* of the edge that has it */
	uint64_t n_translations;
};

void handoffs_init(struct handoffs *handoffs)
{
	*handoffs = (struct handoffs){0};
	list_init(&handoffs->list);
}

static void handoff_free(struct manager *manager, struct handoff *h)
{
	manager->handoffs.n--;
	manager->handoffs.n_underway -= !!h->seq;
	list_remove(&h->node);
	free(h);
}

void handoffs_deinit(struct handoffs *handoffs)
{
	struct handoff *h;

	list_for_each (h, &handoffs->list, node) {
		list_remove(&h->node);
		free(h);
	}
}

/* ---- what is said ---- */

static int send_to(struct manager *manager, uint32_t host, const Viaduct__Agent__Frame *frame)
{
	struct agent *agent = agents_find(&manager->agents, host);

	return agent && agent->session ? session_send(agent->session, frame) : -ENOTCONN;
}

static int send_read(struct manager *manager, const struct handoff *h,
		     Viaduct__Agent__TranslationsRead__Step step)
{
	Viaduct__Agent__TranslationsRead read = VIADUCT__AGENT__TRANSLATIONS_READ__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	read.seq = h->seq;
	read.handle = h->handle;
	read.at = h->at;
	read.step = step;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS_READ;
	frame.translations_read = &read;
	return send_to(manager, h->from, &frame);
}

static int send_write(struct manager *manager, const struct handoff *h,
		      Viaduct__Agent__TranslationsWrite *write)
{
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	write->seq = h->seq;
	write->handle = h->handle;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS_WRITE;
	frame.translations_write = write;
	return send_to(manager, h->to, &frame);
}

/* Neither need keep anything of it; who does not hear of it finds out by itself. */
static void send_end(struct manager *manager, const struct handoff *h)
{
	Viaduct__Agent__TranslationsWrite end = VIADUCT__AGENT__TRANSLATIONS_WRITE__INIT;

	end.end = true;
	(void)!send_read(manager, h, VIADUCT__AGENT__TRANSLATIONS_READ__STEP__END);
	(void)!send_write(manager, h, &end);
}

/* ---- the end ---- */

static void try_again(struct manager *manager, struct handoff *h)
{
	manager->handoffs.n_underway -= !!h->seq;
	h->seq = 0;
	h->due_ms = manager_now_ms(manager) + LIMIT_HANDOFF_AGAIN_MS;
}

static void fail(struct manager *manager, struct handoff *h, uint32_t host, int error)
{
	log_warn("a NAT gateway is not handed over yet", LOG_U64("handle", h->handle),
		 LOG_U64("from", h->from), LOG_U64("to", h->to), LOG_U64("failed", host),
		 LOG_ERRNO(error));
	if (host == h->from)
		h->n_failures++;
	send_end(manager, h);
	try_again(manager, h);
}

static int hand_over(struct manager *manager, struct tx *tx, void *data)
{
	const struct handoff *h = data;

	return edge_hand_over(tx, h->gateway, h->to);
}

/* The heir has all, or all that there is to have. */
static void finish(struct manager *manager, struct handoff *h, bool whole)
{
	if (manager_change(manager, "a NAT gateway that is handed over", hand_over, h)) {
		send_end(manager, h);
		try_again(manager, h);
		return;
	}
	log_info("NAT gateway handed over", LOG_U64("handle", h->handle), LOG_U64("from", h->from),
		 LOG_U64("to", h->to), LOG_U64("translations", h->n_translations),
		 LOG_STR("sessions", whole ? "go on" : "end"));
	manager->handoffs.n_done += whole;
	handoff_free(manager, h);
}

/* ---- steps ---- */

/* The gateway is where it was, and is still to go to the same heir. */
static const struct nat_gateway *still(const struct manager *manager, const struct handoff *h)
{
	const struct model *m = manager->model;
	const struct nat_gateway *g =
		(const struct nat_gateway *)model_get(m, KIND_NAT_GATEWAY, h->gateway);
	const struct host *to = edge_is(m, h->to) ? host_by_number(m, h->to) : NULL;

	if (!g || g->state != NAT_AVAILABLE || g->edge != h->from ||
	    !edge_heir(m, h->from, h->from) || !to || to->drained)
		return NULL;
	return g;
}

static void drop(struct manager *manager, struct handoff *h)
{
	send_end(manager, h);
	handoff_free(manager, h);
}

/* Another exchange. */
static void exchange(struct manager *manager, struct handoff *h, bool writing)
{
	h->writing = writing;
	manager->handoffs.n_underway += !h->seq;
	h->seq = ++manager->handoffs.seq;
	h->due_ms = manager_now_ms(manager) + LIMIT_HANDOFF_MS;
}

static void read_more(struct manager *manager, struct handoff *h)
{
	int r;

	exchange(manager, h, false);
	r = send_read(manager, h, h->step);
	if (r)
		fail(manager, h, h->from, r);
}

/* What was read is at the heir: the next stretch, or the next step. */
static void go_on(struct manager *manager, struct handoff *h)
{
	if (!still(manager, h)) {
		drop(manager, h);
	} else if (h->at) {
		read_more(manager, h);
	} else if (h->step == VIADUCT__AGENT__TRANSLATIONS_READ__STEP__REST) {
		finish(manager, h, true);
	} else {
		h->step = h->step == VIADUCT__AGENT__TRANSLATIONS_READ__STEP__COPY
				  ? VIADUCT__AGENT__TRANSLATIONS_READ__STEP__CLOSE
				  : VIADUCT__AGENT__TRANSLATIONS_READ__STEP__REST;
		read_more(manager, h);
	}
}

static void write_on(struct manager *manager, struct handoff *h, const struct nat_gateway *g,
		     const Viaduct__Agent__Translations *m)
{
	Viaduct__Agent__TranslationsWrite write = VIADUCT__AGENT__TRANSLATIONS_WRITE__INIT;
	const Viaduct__Agent__Object *object;
	struct message message = {0};
	struct plan_item item;
	int r = 0;

	if (!h->made) {
		plan_nat_gateway_item(g, &item);
		r = message_object(&message, &item, &object);
	}
	if (!r && !h->made)
		write.gateway = object->gateway;
	write.n_translations = m->n_translations;
	write.translations = m->translations;
	h->n_translations += m->n_translations;
	exchange(manager, h, true);
	if (!r)
		r = send_write(manager, h, &write);
	message_deinit(&message);
	if (r)
		fail(manager, h, h->to, r);
}

/* ---- the beginning ---- */

static bool is_known(void *data, const struct nat_gateway *g)
{
	const struct handoffs *handoffs = data;
	struct handoff *h;

	list_for_each (h, &handoffs->list, node)
		if (h->gateway == g->o.id)
			return true;
	return false;
}

static void begin(struct manager *manager, struct handoff *h)
{
	h->to = edge_heir(manager->model, h->from, h->to);
	h->step = VIADUCT__AGENT__TRANSLATIONS_READ__STEP__COPY;
	h->made = false;
	h->at = 0;
	h->n_translations = 0;
	if (h->n_failures >= LIMIT_HANDOFF_FAILURES)
		finish(manager, h, false);
	else
		read_more(manager, h);
}

static bool is_there(const struct manager *manager, uint32_t host)
{
	const struct agent *agent = agents_find(&manager->agents, host);

	return agent && agent->session;
}

/* Of one edge; false: there is no room for more. */
static bool begin_of(struct manager *manager, uint32_t from)
{
	struct handoffs *handoffs = &manager->handoffs;
	const struct nat_gateway *g;

	while (handoffs->n_underway < LIMIT_HANDOFFS && handoffs->n < LIMIT_HANDOFFS_WAITING) {
		struct handoff *h;

		g = edge_handed_over(manager->model, from, is_known, handoffs);
		if (!g)
			return true;
		h = calloc(1, sizeof(*h));
		if (!h)
			return false;
		h->gateway = g->o.id;
		h->handle = g->handle.number;
		h->from = from;
		list_push_back(&handoffs->list, &h->node);
		handoffs->n++;
		begin(manager, h);
	}
	return false;
}

static void begin_more(struct manager *manager)
{
	struct model_iter it = model_iter_group(manager->model, REL_EDGES, 0);
	const struct host *e;

	while ((e = (const struct host *)model_iter_next(&it)))
		if (edge_heir(manager->model, e->number, e->number) &&
		    is_there(manager, e->number) && !begin_of(manager, e->number))
			return;
}

/* ---- what is answered ---- */

/* The one that an answer is about, if it is still waited for. */
static struct handoff *find(struct manager *manager, uint64_t seq)
{
	struct handoff *h;

	list_for_each (h, &manager->handoffs.list, node)
		if (seq && h->seq == seq)
			return h;
	return NULL;
}

void handoff_read(struct manager *manager, const struct agent *agent,
		  const Viaduct__Agent__Translations *m)
{
	struct handoff *h = find(manager, m->seq);
	const struct nat_gateway *g;

	if (!h || h->from != agent->number)
		return;
	if (m->error || m->n_translations > LIMIT_HANDOFF_STRETCH) {
		fail(manager, h, h->from, m->error ? m->error : -EMSGSIZE);
		return;
	}
	g = still(manager, h);
	h->at = m->next;
	if (g && (m->n_translations || !h->made))
		write_on(manager, h, g, m);
	else
		go_on(manager, h);
	begin_more(manager);
}

void handoff_written(struct manager *manager, const struct agent *agent,
		     const Viaduct__Agent__TranslationsWritten *m)
{
	struct handoff *h = find(manager, m->seq);

	if (!h || h->to != agent->number)
		return;
	if (m->error) {
		fail(manager, h, h->to, m->error);
		return;
	}
	h->made = true;
	go_on(manager, h);
	begin_more(manager);
}

void handoff_session_ended(struct manager *manager, const struct agent *agent)
{
	struct handoff *h;

	list_for_each (h, &manager->handoffs.list, node)
		if (h->seq && (h->from == agent->number || h->to == agent->number)) {
			/* while it may come back, that is no failure of its own */
			send_end(manager, h);
			try_again(manager, h);
		}
}

/* ---- what time brings ---- */

static void look_at(struct manager *manager, struct handoff *h)
{
	const struct nat_gateway *g =
		(const struct nat_gateway *)model_get(manager->model, KIND_NAT_GATEWAY, h->gateway);

	if (!g || g->edge != h->from || !edge_heir(manager->model, h->from, h->from))
		drop(manager, h);
	else if (h->due_ms > manager_now_ms(manager))
		return;
	else if (h->seq)
		fail(manager, h, h->writing ? h->to : h->from, -ETIMEDOUT);
	else if (is_there(manager, h->from) && manager->handoffs.n_underway < LIMIT_HANDOFFS)
		begin(manager, h);
}

void handoff_tick(struct manager *manager)
{
	struct handoff *h;

	list_for_each (h, &manager->handoffs.list, node)
		look_at(manager, h);
	begin_more(manager);
}
