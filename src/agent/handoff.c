/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/handoff.h"

#include <stdlib.h>
#include <string.h>

#include "agent/convert.h"
#include "agent/reconcile.h"
#include "agent/told.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "datapath/datapath.h"

enum { HANDOFF_ANSWER = LIMIT_HANDOFF_STRETCH };
_Static_assert((int)HANDOFF_ANSWER >= 2 * (int)DP_TRANSLATIONS,
	       "there is room for a stretch behind another");

struct handed {
	struct list link;
	uint32_t handle;
	uint64_t heard_ns;
	/* of one that is given */
	bool closed;
	struct told told;
};

static void handoff_on_sweep(struct timer *t, void *data);

void handoff_init(struct handoff *h, struct loop *loop, struct reconcile *reconcile,
		  int (*send)(const Viaduct__Agent__Frame *frame, void *arg), void *arg)
{
	*h = (struct handoff){.loop = loop, .reconcile = reconcile, .send = send, .arg = arg};
	list_init(&h->given);
	list_init(&h->taken);
	timer_init(&h->sweep, loop, handoff_on_sweep, h);
}

/* ---- both ---- */

static struct handed *handed_find(const struct list *list, uint32_t handle)
{
	struct handed *g;

	list_for_each (g, list, link)
		if (g->handle == handle)
			return g;
	return NULL;
}

static struct handed *handed_new(struct handoff *h, struct list *list, uint32_t handle)
{
	struct handed *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->handle = handle;
	list_push_back(list, &g->link);
	if (!timer_armed(&h->sweep))
		timer_arm_in(&h->sweep, LIMIT_AGENT_HANDOFF_MS / 4 * CLOCK_NS_PER_MS);
	return g;
}

static void handed_free(struct handed *g)
{
	list_remove(&g->link);
	told_deinit(&g->told);
	free(g);
}

static void handed_heard(const struct handoff *h, struct handed *g)
{
	g->heard_ns = clock_mono_ns(loop_clock(h->loop));
}

bool handoff_closes(const struct handoff *h, uint32_t handle)
{
	const struct handed *g = handed_find(&h->given, handle);

	return g && g->closed;
}

bool handoff_stands_by(const struct handoff *h, uint32_t handle)
{
	return handed_find(&h->taken, handle);
}

void handoff_gone(struct handoff *h, uint32_t handle)
{
	struct handed *given = handed_find(&h->given, handle),
		      *taken = handed_find(&h->taken, handle);

	if (given)
		handed_free(given);
	if (taken)
		handed_free(taken);
}

/* ---- giving ---- */

/* As the manager wants it, and whether it is closed. */
static int given_set(const struct handoff *h, const struct handed *g)
{
	const struct desired_gateway *desired =
		desired_find_gateway(h->reconcile->desired, g->handle);
	struct dp_gateway gateway;

	if (!desired || !h->reconcile->dp)
		return -ENOENT;
	gateway = desired->dp;
	gateway.closed = g->closed;
	return datapath_gateway_set(h->reconcile->dp, &gateway);
}

static void given_end(const struct handoff *h, struct handed *g)
{
	bool closed = g->closed;
	int e = 0;

	g->closed = false;
	if (closed)
		e = given_set(h, g);
	if (e && e != -ENOENT)
		log_err("a NAT gateway gives out no ports", LOG_U64("handle", g->handle),
			LOG_ERRNO(e));
	handed_free(g);
}

/* What would be told again is what it is about, and how it stands; not how long it lasts. */
static bool given_is_news(struct handed *g, const struct dp_translation *t)
{
	const uint32_t words[] = {
		(uint32_t)t->is_session << 16 | (uint32_t)t->state << 8 | t->protocol,
		(uint32_t)t->public_port << 16 | t->port,
		t->world_port,
		ipaddr_v4(&t->addr),
		t->is_session ? ipaddr_v4(&t->world) : 0,
	};

	return !told_before(&g->told, hash_bytes(words, sizeof(words)));
}

/* News from '*at' on: a number that is bounded of stretches with nothing new is gone over. */
static int given_read(const struct handoff *h, struct handed *g, uint64_t *at,
		      struct dp_translation *ret, size_t *ret_n)
{
	size_t n, kept = 0;
	int e = 0;

	for (int i = 0; i < LIMIT_AGENT_HANDOFF_STRETCHES && !e; i++) {
		e = datapath_translations_read(h->reconcile->dp, g->handle, at, &ret[kept], &n);
		for (size_t k = 0, from = kept; !e && k < n; k++)
			if (given_is_news(g, &ret[from + k]))
				ret[kept++] = ret[from + k];
		if (!*at || kept > HANDOFF_ANSWER - DP_TRANSLATIONS)
			break;
	}
	*ret_n = kept;
	return e;
}

/* One that begins is told whole. */
static int given_begin(struct handoff *h, uint32_t handle, struct handed **ret)
{
	struct handed *g = handed_find(&h->given, handle);

	if (g)
		given_end(h, g);
	if (!desired_find_gateway(h->reconcile->desired, handle))
		return -ENOENT;
	*ret = handed_new(h, &h->given, handle);
	return *ret ? 0 : -ENOMEM;
}

static int given_step(struct handoff *h, const Viaduct__Agent__TranslationsRead *m, uint64_t *at,
		      struct dp_translation *ret, size_t *ret_n)
{
	struct handed *g = handed_find(&h->given, m->handle);
	int e = 0;

	if (!h->reconcile->dp)
		return -ENODEV;
	if (m->step == VIADUCT__AGENT__TRANSLATIONS_READ__STEP__COPY && !m->at)
		e = given_begin(h, m->handle, &g);
	if (e || !g)
		return e ? e : -ESTALE;
	handed_heard(h, g);
	switch (m->step) {
	case VIADUCT__AGENT__TRANSLATIONS_READ__STEP__END:
		given_end(h, g);
		return 0;
	case VIADUCT__AGENT__TRANSLATIONS_READ__STEP__CLOSE:
		g->closed = true;
		return given_set(h, g);
	case VIADUCT__AGENT__TRANSLATIONS_READ__STEP__REST:
		if (!g->closed)
			return -ESTALE;
		break;
	case VIADUCT__AGENT__TRANSLATIONS_READ__STEP__COPY:
		break;
	default:
		return -EOPNOTSUPP;
	}
	*at = m->at;
	return given_read(h, g, at, ret, ret_n);
}

static void translation_message(const struct dp_translation *t, Viaduct__Agent__Translation *m)
{
	viaduct__agent__translation__init(m);
	m->protocol = t->protocol;
	m->public_port = t->public_port;
	m->addr = convert_bytes(&t->addr);
	m->port = t->port;
	m->state = t->state;
	m->seconds = t->seconds;
	if (!t->is_session)
		return;
	m->world = convert_bytes(&t->world);
	m->world_port = t->world_port;
}

/* What an answer is made of. */
struct handoff_answer {
	struct dp_translation found[HANDOFF_ANSWER];
	Viaduct__Agent__Translation messages[HANDOFF_ANSWER];
	Viaduct__Agent__Translation *pointers[HANDOFF_ANSWER];
};

void handoff_tell(struct handoff *h, const Viaduct__Agent__TranslationsRead *m)
{
	_cleanup_free_ struct handoff_answer *room = malloc(sizeof(*room));
	Viaduct__Agent__Translations answer = VIADUCT__AGENT__TRANSLATIONS__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	uint64_t at = 0;
	size_t n = 0;

	answer.seq = m->seq;
	answer.error = room ? given_step(h, m, &at, room->found, &n) : -ENOMEM;
	if (!answer.error) {
		for (size_t i = 0; i < n; i++) {
			room->pointers[i] = &room->messages[i];
			translation_message(&room->found[i], &room->messages[i]);
		}
		answer.next = at;
		answer.n_translations = n;
		answer.translations = room->pointers;
	}
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS;
	frame.translations = &answer;
	(void)!h->send(&frame, h->arg);
}

/* ---- taking ---- */

static void taken_end(const struct handoff *h, struct handed *g)
{
	int e = 0;

	if (h->reconcile->dp && !desired_find_gateway(h->reconcile->desired, g->handle))
		e = datapath_gateway_delete(h->reconcile->dp, g->handle);
	if (e && e != -ENOENT)
		log_err("a NAT gateway that stood by did not go", LOG_U64("handle", g->handle),
			LOG_ERRNO(e));
	handed_free(g);
}

static int taken_begin(struct handoff *h, const Viaduct__Agent__Gateway *m, struct handed **ret)
{
	struct handed *g = handed_find(&h->taken, m->handle);
	_cleanup_free_ struct desired_gateway *gateway = NULL;
	const char *text;
	int e;

	if (g)
		taken_end(h, g);
	if (desired_find_gateway(h->reconcile->desired, m->handle))
		return -EEXIST;
	e = desired_make_gateway(m, &gateway, &text);
	if (e)
		return e;
	gateway->dp.standby = true;
	g = handed_new(h, &h->taken, m->handle);
	if (!g)
		return -ENOMEM;
	e = datapath_gateway_set(h->reconcile->dp, &gateway->dp);
	if (e)
		handed_free(g);
	else
		*ret = g;
	return e;
}

static bool is_word(uint32_t v)
{
	return v <= UINT16_MAX;
}

static int translation_read(const Viaduct__Agent__Translation *m, struct dp_translation *ret)
{
	struct dp_translation t = {
		.is_session = m->world.len,
		.protocol = (uint8_t)m->protocol,
		.state = (uint8_t)m->state,
		.public_port = (uint16_t)m->public_port,
		.port = (uint16_t)m->port,
		.world_port = (uint16_t)m->world_port,
		/* it was in force when it was read, and its packets may have come since */
		.seconds = m->seconds < LIMIT_AGENT_HANDOFF_LASTS_S ? LIMIT_AGENT_HANDOFF_LASTS_S
								    : m->seconds,
	};

	if (m->protocol > UINT8_MAX || m->state > UINT8_MAX || !is_word(m->public_port) ||
	    !is_word(m->port) || !is_word(m->world_port) || m->seconds > INT32_MAX ||
	    convert_addr(&m->addr, &t.addr) || !ipaddr_is_v4(&t.addr))
		return -EINVAL;
	if (t.is_session && (convert_addr(&m->world, &t.world) || !ipaddr_is_v4(&t.world)))
		return -EINVAL;
	*ret = t;
	return 0;
}

static int taken_write(const struct handoff *h, const Viaduct__Agent__TranslationsWrite *m)
{
	_cleanup_free_ struct dp_translation *read = calloc(HANDOFF_ANSWER, sizeof(*read));

	if (!read)
		return -ENOMEM;
	if (m->n_translations > HANDOFF_ANSWER)
		return -EINVAL;
	for (size_t i = 0; i < m->n_translations; i++)
		if (translation_read(m->translations[i], &read[i]))
			return -EINVAL;
	return datapath_translations_write(h->reconcile->dp, m->handle, read, m->n_translations);
}

static int taken_step(struct handoff *h, const Viaduct__Agent__TranslationsWrite *m)
{
	struct handed *g = handed_find(&h->taken, m->handle);
	int e = 0;

	if (m->end) {
		if (g)
			taken_end(h, g);
		return 0;
	}
	if (!h->reconcile->dp)
		return -ENODEV;
	if (m->gateway)
		e = m->gateway->handle == m->handle ? taken_begin(h, m->gateway, &g) : -EINVAL;
	if (e || !g)
		return e ? e : -ESTALE;
	handed_heard(h, g);
	return taken_write(h, m);
}

void handoff_take(struct handoff *h, const Viaduct__Agent__TranslationsWrite *m)
{
	Viaduct__Agent__TranslationsWritten answer = VIADUCT__AGENT__TRANSLATIONS_WRITTEN__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	answer.seq = m->seq;
	answer.error = taken_step(h, m);
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS_WRITTEN;
	frame.translations_written = &answer;
	(void)!h->send(&frame, h->arg);
}

/* ---- the end ---- */

static bool is_over(const struct handed *g, uint64_t now)
{
	return g->heard_ns + LIMIT_AGENT_HANDOFF_MS * CLOCK_NS_PER_MS <= now;
}

static void handoff_on_sweep(struct timer *t, void *data)
{
	struct handoff *h = data;
	const uint64_t now = clock_mono_ns(loop_clock(h->loop));
	struct handed *g;

	list_for_each (g, &h->given, link)
		if (is_over(g, now))
			given_end(h, g);
	list_for_each (g, &h->taken, link)
		if (is_over(g, now))
			taken_end(h, g);
	if (!list_empty(&h->given) || !list_empty(&h->taken))
		timer_arm_in(t, LIMIT_AGENT_HANDOFF_MS / 4 * CLOCK_NS_PER_MS);
}

void handoff_end(struct handoff *h)
{
	struct handed *g;

	list_for_each (g, &h->given, link)
		given_end(h, g);
	list_for_each (g, &h->taken, link)
		taken_end(h, g);
	timer_disarm(&h->sweep);
}

void handoff_deinit(struct handoff *h)
{
	struct handed *g;

	list_for_each (g, &h->given, link)
		handed_free(g);
	list_for_each (g, &h->taken, link)
		handed_free(g);
	timer_deinit(&h->sweep);
}
