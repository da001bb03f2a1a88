/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An edge is drained, and its NAT gateway goes to another with what it translates; and what becomes
 * of it when something fails on the way.
 *
 *	h1 --- e1, e2 --- the manager		all are whole agents on the fake data plane
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "cluster.h"
#include "datapath/fake_gateway.h"
#include "model/elastic.h"
#include "model/internet_gateway.h"
#include "model/nat_gateway.h"
#include "model/pool.h"
#include "model/tx.h"

enum {
	EDGES = 2,
	ROWS = 150,        /* more than one answer of the fake data plane holds */
	ALWAYS_MS = 60000, /* whatever was lost has been found out, and tried again */
};

enum trouble { NONE, CUT_OFF, LOST, LATE, KILLED, CALLED, MUTE };

struct scene {
	struct cluster c;
	uint64_t nat;
	uint32_t handle;
	/* What happens at the frame 'at' of those about translations, to the edge that it goes to
	 * or comes from. */
	enum trouble trouble;
	int at, n_frames;
	size_t edge; /* with KILLED: who */
	bool to_kill;
	void (*call)(struct scene *s);
};

/* ---- what there is ---- */

static const struct nat_gateway *gateway(const struct scene *s)
{
	return (const struct nat_gateway *)model_get(s->c.w->manager->model, KIND_NAT_GATEWAY,
						     s->nat);
}

/* The index of the host that has it. */
static size_t owner(const struct scene *s)
{
	for (size_t i = 1; i <= EDGES; i++)
		if (s->c.w->numbers[i] == gateway(s)->edge)
			return i;
	return 0;
}

static struct fake_gateway *at(const struct scene *s, size_t edge)
{
	struct datapath *dp = scenario_host_plane(s->c.hosts[edge]);

	return dp ? fake_gateway_find(fake_host_of(dp), s->handle) : NULL;
}

static struct dp_translation row(uint32_t i)
{
	struct dp_translation t = {
		.is_session = i % 3 == 2,
		.protocol = IPPROTO_TCP,
		.state = (uint8_t)(i % 2),
		.public_port = (uint16_t)(2000 + i),
		.port = (uint16_t)(1 + i),
		.addr = ipaddr_from_v4(0x0a000004 + i % 5),
		.seconds = 100 + i,
	};

	if (t.is_session)
		t.world = ipaddr_from_v4(0xcb007101 + i % 7), t.world_port = 80;
	return t;
}

static void write_rows(struct scene *s, size_t edge, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++) {
		struct dp_translation t = row(i);

		assert_int_equal(datapath_translations_write(scenario_host_plane(s->c.hosts[edge]),
							     s->handle, &t, 1),
				 0);
	}
}

static bool has_row(const struct fake_gateway *g, uint32_t i)
{
	struct dp_translation t = row(i);
	size_t n = 0;

	for (size_t k = 0; k < g->n_translations; k++) {
		const struct dp_translation *is = &g->translations[k];

		n += is->is_session == t.is_session && is->protocol == t.protocol &&
		     is->state == t.state && is->public_port == t.public_port &&
		     is->port == t.port && is->world_port == t.world_port &&
		     is->seconds == t.seconds && ipaddr_equal(&is->addr, &t.addr) &&
		     ipaddr_equal(&is->world, &t.world);
	}
	return n == 1;
}

/* One edge alone has it, and it works there, with the first 'n' rows and no others. */
static void assert_at(const struct scene *s, size_t edge, uint32_t n)
{
	const struct fake_gateway *g = at(s, edge);

	assert_int_equal(owner(s), edge);
	assert_non_null(g);
	assert_false(g->dp.standby);
	assert_false(g->dp.closed);
	assert_int_equal(g->n_translations, n);
	for (uint32_t i = 0; i < n; i++)
		assert_true(has_row(g, i));
	assert_null(at(s, 3 - edge));
}

/* ---- what happens ---- */

static void drain(struct scene *s, size_t edge, bool drained)
{
	static const struct caller admin = {.is_operator = true};
	const struct host_room_args args = {.drained = &drained};
	const struct host *h;

	WORLD_DO(s->c.w,
		 host_set(tx, &admin, s->c.w->host_ids[edge], &args, NULL, 0, &h, &refusal));
}

static bool is_about_it(const Viaduct__Agent__Frame *frame)
{
	return frame->body_case == VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS_READ ||
	       frame->body_case == VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS ||
	       frame->body_case == VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS_WRITE ||
	       frame->body_case == VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS_WRITTEN;
}

static int64_t meddle(enum pair_direction direction, const Viaduct__Agent__Frame *frame, void *arg)
{
	struct scene *s = arg;

	if (s->trouble == MUTE)
		return frame->body_case == VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS ? PAIR_LOSE : 0;
	if (!is_about_it(frame) || s->n_frames++ != s->at)
		return 0;
	switch (s->trouble) {
	case CUT_OFF:
		return PAIR_CUT;
	case LOST:
		return PAIR_LOSE;
	case LATE:
		return (int64_t)(LIMIT_HANDOFF_MS + 3000) * (int64_t)CLOCK_NS_PER_MS;
	case KILLED:
		s->to_kill = true;
		return PAIR_LOSE;
	case CALLED:
		s->call(s);
		return 0;
	default:
		return 0;
	}
}

/* It goes from 'from' to the other, with trouble; goes on until all is over. */
static void drain_with(struct scene *s, size_t from, enum trouble trouble, int frame)
{
	s->trouble = trouble;
	s->at = frame;
	s->n_frames = 0;
	for (size_t i = 1; i <= EDGES; i++)
		pair_set_fault(s->c.w->pairs[i], meddle, s);
	drain(s, from, true);
	for (unsigned int ms = 0; ms < ALWAYS_MS; ms += 100) {
		world_advance(s->c.w, 100);
		if (s->to_kill) {
			s->to_kill = false;
			scenario_host_kill(s->c.hosts[s->edge]);
		}
	}
}

static bool has_happened(const struct scene *s)
{
	return s->n_frames > s->at;
}

/* ---- the scene ---- */

/* The only one. */
static void note_gateway(struct scene *s)
{
	struct model_iter it = model_iter_kind(s->c.w->manager->model, KIND_NAT_GATEWAY);
	const struct nat_gateway *g = (const struct nat_gateway *)model_iter_next(&it);

	s->nat = g->o.id;
	s->handle = g->handle.number;
}

static int setup(void **state)
{
	static const struct caller admin = {.is_operator = true};
	struct scene *s = calloc(1, sizeof(*s));
	struct elastic_allocate_args allocate = {};
	char igw[ID_TEXT_SIZE], allocation[ID_TEXT_SIZE];
	struct nat_gateway_create_args args = {.allocation_id = allocation};
	const struct internet_gateway *i;
	const struct nat_gateway *g;
	const struct elastic *e;
	const struct pool *p;
	struct world *w;

	assert_non_null(s);
	cluster_init(&s->c, 1, NULL, NULL);
	w = s->c.w;
	for (size_t n = 0; n < EDGES; n++)
		cluster_add_edge(&s->c);
	WORLD_DO(w, internet_gateway_create(tx, &w->customer, NULL, 0, &i, &refusal));
	object_id_text(&i->o, igw);
	WORLD_DO(w, internet_gateway_attach(tx, &w->customer, igw, w->vpc, &refusal));
	WORLD_DO(w, pool_add(tx, &admin, "198.51.100.0/24", &p, &refusal));
	WORLD_DO(w, elastic_allocate(tx, &w->customer, &allocate, &e, &refusal));
	object_id_text(&e->o, allocation);
	args.subnet_id = w->subnet;
	WORLD_DO(w, nat_gateway_create(tx, &w->customer, &args, &g, &refusal));
	note_gateway(s);
	world_advance(w, 1000);
	assert_int_equal(gateway(s)->state, NAT_AVAILABLE);
	write_rows(s, owner(s), 0, ROWS);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	cluster_deinit(&s->c);
	free(s);
	return 0;
}

/* ---- nothing fails ---- */

/* requirement: EDGE-6 */
static void a_drained_edge_gives_what_it_translates(void **state)
{
	struct scene *s = *state;
	size_t from = owner(s);

	for (int i = 0; i < 3; i++, from = 3 - from) {
		drain(s, from, true);
		world_advance(s->c.w, 2000);
		assert_at(s, 3 - from, ROWS);
		assert_int_equal(s->c.w->manager->handoffs.n_done, i + 1);
		assert_int_equal(s->c.w->manager->handoffs.n, 0);
		drain(s, from, false);
	}
}

/* One more, and one that is in another state. */
static void translate_more(struct scene *s)
{
	struct dp_translation t = row(7);

	write_rows(s, owner(s), ROWS, 10);
	t.state = 2;
	assert_int_equal(datapath_translations_write(scenario_host_plane(s->c.hosts[owner(s)]),
						     s->handle, &t, 1),
			 0);
}

static bool has_changed(const struct fake_gateway *g)
{
	for (size_t i = 0; i < g->n_translations; i++)
		if (g->translations[i].public_port == 2007)
			return g->translations[i].state == 2;
	return false;
}

/* Frames are copy, its answer, write, its answer and so on, twice or more, before it is closed. */
/* requirement: EDGE-6 */
static void what_begins_meanwhile_goes_too(void **state)
{
	struct scene *s = *state;
	size_t from = owner(s);

	s->call = translate_more;
	drain_with(s, from, CALLED, 8);
	assert_true(has_happened(s));
	assert_int_equal(owner(s), 3 - from);
	assert_int_equal(at(s, 3 - from)->n_translations, ROWS + 10);
	assert_true(has_changed(at(s, 3 - from)));
	for (uint32_t i = ROWS; i < ROWS + 10; i++)
		assert_true(has_row(at(s, 3 - from), i));
}

/* ---- messages ---- */

/* Whichever frame it is: in the end the other edge has all of it. */
static void for_each_frame(struct scene *s, enum trouble trouble)
{
	size_t from = owner(s);
	int n = 0;

	for (;; n++, from = 3 - from) {
		drain_with(s, from, trouble, n);
		if (!has_happened(s))
			break;
		assert_at(s, 3 - from, ROWS);
		drain(s, from, false);
	}
	assert_true(n > 10);
}

/* requirement: EDGE-6 */
static void a_session_may_end_at_any_frame(void **state)
{
	for_each_frame(*state, CUT_OFF);
}

/* requirement: EDGE-6 */
static void any_frame_may_be_lost(void **state)
{
	for_each_frame(*state, LOST);
}

/* The answer comes when it was given up. */
/* requirement: EDGE-6 */
static void any_frame_may_be_late(void **state)
{
	for_each_frame(*state, LATE);
}

/* ---- edges ---- */

/* The heir dies: nothing is lost, and it goes when there is an heir again. */
/* requirement: EDGE-6 */
static void without_an_heir_it_stays(void **state)
{
	struct scene *s = *state;
	size_t from = owner(s);
	int n = 0;

	s->edge = 3 - from;
	for (;; n += 3) {
		drain_with(s, from, KILLED, n);
		if (!has_happened(s))
			break;
		assert_at(s, from, ROWS);
		drain(s, from, false);
		scenario_host_start(s->c.hosts[s->edge]);
		world_advance(s->c.w, 5000);
		assert_at(s, from, ROWS); /* what stood by is gone, too */
	}
	assert_true(n > 6);
	assert_at(s, 3 - from, ROWS);
}

/* The edge that has it dies: it is lost, as it is with any. */
/* requirement: EDGE-6 */
static void one_that_dies_meanwhile_is_lost(void **state)
{
	struct scene *s = *state;
	size_t from = owner(s);

	s->edge = from;
	drain_with(s, from, KILLED, 4);
	assert_true(has_happened(s));
	assert_int_equal(owner(s), 3 - from);
	assert_non_null(at(s, 3 - from));
	assert_false(at(s, 3 - from)->dp.standby);
	assert_false(at(s, 3 - from)->dp.closed);
	scenario_host_start(s->c.hosts[from]);
	world_advance(s->c.w, 5000);
	assert_null(at(s, from));
}

static void keep(struct scene *s)
{
	static const struct caller admin = {.is_operator = true};
	const bool drained = false;
	const struct host_room_args args = {.drained = &drained};
	const struct host *h;
	struct tx *tx = world_begin(s->c.w);
	struct refusal refusal = {0};

	assert_int_equal(
		host_set(tx, &admin, s->c.w->host_ids[owner(s)], &args, NULL, 0, &h, &refusal), 0);
	assert_int_equal(world_end(s->c.w, tx), 0);
}

/* requirement: EDGE-6 */
static void one_that_is_not_drained_any_more_keeps_it(void **state)
{
	struct scene *s = *state;
	size_t from = owner(s);

	s->call = keep;
	for (int n = 0; n < 12; n += 3) {
		drain_with(s, from, CALLED, n);
		assert_true(has_happened(s));
		assert_at(s, from, ROWS);
		assert_int_equal(s->c.w->manager->handoffs.n, 0);
	}
}

/* It says nothing, again and again: the drain does not wait for it for ever. */
/* requirement: EDGE-6 */
static void one_that_cannot_tell_loses_it(void **state)
{
	struct scene *s = *state;
	size_t from = owner(s);

	drain_with(s, from, MUTE, 0);
	assert_at(s, 3 - from, 0);
	assert_int_equal(s->c.w->manager->handoffs.n_done, 0);
}

/* requirement: EDGE-6 */
static void a_manager_that_starts_begins_anew(void **state)
{
	struct scene *s = *state;
	size_t from = owner(s);

	s->trouble = LOST;
	s->at = 9;
	s->n_frames = 0;
	for (size_t i = 1; i <= EDGES; i++)
		pair_set_fault(s->c.w->pairs[i], meddle, s);
	drain(s, from, true);
	world_advance(s->c.w, 2000);
	assert_true(has_happened(s));
	assert_int_equal(owner(s), from);
	world_restart_manager(s->c.w);
	world_advance(s->c.w, ALWAYS_MS);
	assert_at(s, 3 - from, ROWS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_drained_edge_gives_what_it_translates),
		TEST(what_begins_meanwhile_goes_too),
		TEST(a_session_may_end_at_any_frame),
		TEST(any_frame_may_be_lost),
		TEST(any_frame_may_be_late),
		TEST(without_an_heir_it_stays),
		TEST(one_that_dies_meanwhile_is_lost),
		TEST(one_that_is_not_drained_any_more_keeps_it),
		TEST(one_that_cannot_tell_loses_it),
		TEST(a_manager_that_starts_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
