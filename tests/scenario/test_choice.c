/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios of choices that change while packets flow (NEG-8): manager and whole agents on the fake
 * data plane, with notifications that are late, overtake each other or are lost, an end that is
 * slow, and restarts in the middle.
 *
 *	a, on h1 (10.0.0.4) <-- packets, both ways, all the time --> b, on h2 (10.0.0.5)
 *
 * In all of them, at each step: what an end sends, the other takes, also when it is on its way for
 * a second; and no packet is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/format.h"
#include "base/limits.h"
#include "cluster.h"
#include "model/choice_pass.h"
#include "model/choice_progress.h"
#include "model/choice_policy.h"
#include "model/preload.h"

enum {
	HOSTS = 2,
	STEP_MS = 100,
	FLIGHT_STEPS = 10, /* as long as a packet may be on its way: half of the grace time */
};
_Static_assert(FLIGHT_STEPS *STEP_MS * 2 <= LIMIT_MODEL_SHIFT_GRACE_MS,
	       "packets arrive within the grace time");

static const struct caller the_operator = {.is_operator = true};

enum trouble {
	TROUBLE_NONE,
	/* What goes to one host, or comes from it, takes its own time: it overtakes what goes to
	 * the other, but not what goes the same way, for that is one stream. */
	TROUBLE_LATE,
	TROUBLE_CUT, /* the n-th frame from now on never arrives, for the connection breaks */
};

struct fixture;

struct end {
	struct fixture *fixture;
	uint64_t busy_ns[2]; /* when the last frame of each direction arrives */
	struct scenario_host *host;
	struct cluster_node node;
	bool stalled;
	enum format sent[FLIGHT_STEPS]; /* lately, the newest anywhere */
	uint32_t number;                /* of the last packet that it sent */
};

struct fixture {
	struct cluster c;
	struct end ends[HOSTS];
	enum trouble trouble;
	int cut_after; /* frames */
	size_t n_cuts;
	uint32_t seed;
	size_t step;
	char policy[ID_TEXT_SIZE]; /* the pin; "": none */
};

static uint32_t dice(struct fixture *f, uint32_t n)
{
	f->seed = f->seed * 1103515245 + 12345;
	return (f->seed >> 8) % n;
}

static int64_t troubled(enum pair_direction direction, const Viaduct__Agent__Frame *frame,
			void *arg)
{
	struct end *e = arg;
	struct fixture *f = e->fixture;
	uint64_t now = clock_mono_ns(&f->c.w->clock), at = now;
	bool word = frame->body_case == VIADUCT__AGENT__FRAME__BODY_DESIRED ||
		    frame->body_case == VIADUCT__AGENT__FRAME__BODY_ACK;

	if (word && f->trouble == TROUBLE_CUT && !f->cut_after--) {
		f->n_cuts++;
		return PAIR_CUT;
	}
	if (word && f->trouble == TROUBLE_LATE)
		at += dice(f, 3000) * CLOCK_NS_PER_MS;
	if (at < e->busy_ns[direction])
		at = e->busy_ns[direction];
	e->busy_ns[direction] = at;
	return (int64_t)(at - now);
}

static int dial(void *arg, size_t host, const struct session_callbacks *callbacks, void *user,
		struct session **ret)
{
	struct fixture *f = arg;
	int r = world_dial(f->c.w, host, callbacks, user, ret);

	if (!r) {
		pair_set_fault(f->c.w->pairs[host], troubled, &f->ends[host]);
		f->ends[host].stalled = false;
		memset(f->ends[host].busy_ns, 0, sizeof(f->ends[host].busy_ns));
	}
	return r;
}

/* ---- what has to be so at each step ---- */

/* All that 'from' sent lately, 'to' takes now. */
static void check_flights(struct fixture *f, struct end *from, struct end *to)
{
	enum format send;
	uint32_t accept, unused;
	size_t at = f->step % FLIGHT_STEPS;

	if (scenario_host_choice(from->host, f->c.w->numbers[to - f->ends], &send, &unused))
		from->sent[at] = send;
	else /* its agent is not there: it sends as it did */
		from->sent[at] = from->sent[(at + FLIGHT_STEPS - 1) % FLIGHT_STEPS];
	if (!scenario_host_choice(to->host, f->c.w->numbers[from - f->ends], &send, &accept))
		return;
	for (size_t i = 0; i < FLIGHT_STEPS; i++)
		if (from->sent[i] != FORMAT_NONE && !(accept & FORMAT_BIT(from->sent[i])))
			fail_msg("seed %u step %zu: format %d is on its way, accepted is %x",
				 f->seed, f->step, (int)from->sent[i], accept);
}

static void check_packet(struct fixture *f, struct end *from, struct end *to)
{
	uint32_t reason = 0;

	from->number++;
	if (scenario_host_send(from->host, from->node.eni, from->node.addr, to->node.addr,
			       from->number, &reason) != FAKE_DELIVERED)
		fail_msg("step %zu: a packet was not delivered, reason %u", f->step, reason);
	assert_int_equal(scenario_host_receive(to->host, to->node.eni), from->number);
}

static void check(struct fixture *f)
{
	check_flights(f, &f->ends[0], &f->ends[1]);
	check_flights(f, &f->ends[1], &f->ends[0]);
	check_packet(f, &f->ends[0], &f->ends[1]);
	check_packet(f, &f->ends[1], &f->ends[0]);
}

/* Time passes, packets flow. */
static void flow(struct fixture *f, size_t ms)
{
	for (size_t at = 0; at < ms; at += STEP_MS) {
		world_advance(f->c.w, STEP_MS);
		f->step++;
		check(f);
	}
}

/* Both ends send in 'format' and take nothing else but what accompanies it. */
static bool is_settled(struct fixture *f, enum format format)
{
	enum format send;
	uint32_t accept;

	for (size_t i = 0; i < HOSTS; i++)
		if (!scenario_host_choice(f->ends[i].host, f->c.w->numbers[!i], &send, &accept) ||
		    send != format || (accept & ~FORMAT_BIT(FORMAT_IPIP6_1)) != FORMAT_BIT(format))
			return false;
	return true;
}

static void settles(struct fixture *f, enum format format)
{
	for (size_t ms = 0; ms < 300000 && !is_settled(f, format); ms += STEP_MS)
		flow(f, STEP_MS);
	assert_true(is_settled(f, format));
	assert_int_equal(model_count(f->c.w->manager->model, KIND_PAIR_SHIFT), 0);
}

/* ---- policies ---- */

/* Pins both ends to 'what'; NULL: to nothing.  Nothing has followed yet. */
static void begin_to_pin(struct fixture *f, const char *what)
{
	const char *words[] = {what};
	struct choice_policy_args args = {
		.name = "pin", .effect = "pin", .what = words, .n_what = 1};
	const struct choice_policy *p;
	struct refusal refusal = {0};
	struct tx *tx = world_begin(f->c.w);
	int r = 0;

	if (what && f->policy[0])
		r = choice_policy_replace(tx, &the_operator, f->policy, &args, &p, &refusal);
	else if (what)
		r = choice_policy_create(tx, &the_operator, &args, &p, &refusal);
	else if (f->policy[0])
		r = choice_policy_delete(tx, &the_operator, f->policy, &refusal);
	assert_int_equal(r, 0);
	f->policy[0] = '\0';
	if (what)
		object_id_text(&p->o, f->policy);
	assert_int_equal(world_end(f->c.w, tx), 0);
}

static void pin(struct fixture *f, const char *what)
{
	begin_to_pin(f, what);
	world_settle(f->c.w);
}

/* ---- the cluster ---- */

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct refusal refusal = {0};
	struct tx *tx;

	f->seed = 1;
	for (size_t i = 0; i < HOSTS; i++)
		f->ends[i].fixture = f;
	cluster_init(&f->c, HOSTS, dial, f);
	for (size_t i = 0; i < HOSTS; i++) {
		f->ends[i].host = f->c.hosts[i];
		cluster_run(&f->c, i, i ? "10.0.0.5" : "10.0.0.4", &f->ends[i].node);
	}
	/* so that this is about choices alone: no packet waits for a mapping */
	tx = world_begin(f->c.w);
	assert_int_equal(preload_mark(tx, &f->c.w->customer, f->c.w->vpc, true, &refusal), 0);
	assert_int_equal(world_end(f->c.w, tx), 0);
	world_settle(f->c.w);
	flow(f, STEP_MS); /* the ports have been seen */
	settles(f, FORMAT_SIIT_2);
	/* as in a large cluster: a policy reaches the pairs by a pass over them */
	f->c.w->choice_at_once = 1;
	world_restart_manager(f->c.w);
	for (size_t i = 0; i < HOSTS; i++)
		while (!host_is_connected(f->c.w->manager->model, f->c.w->numbers[i]))
			flow(f, STEP_MS);
	settles(f, FORMAT_SIIT_2);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	cluster_deinit(&f->c);
	free(f);
	return 0;
}

static void stall(struct fixture *f, size_t i, bool stalled)
{
	if (f->c.w->pairs[i])
		pair_stall(f->c.w->pairs[i], stalled);
	f->ends[i].stalled = stalled;
}

/* ---- scenarios ---- */

/* requirement: NEG-8 */
static void a_change_loses_nothing(void **state)
{
	struct fixture *f = *state;

	pin(f, "siit/1");
	settles(f, FORMAT_SIIT_1);
	pin(f, NULL);
	settles(f, FORMAT_SIIT_2);
}

/* requirement: NEG-8 */
static void nor_do_notifications_that_overtake_each_other(void **state)
{
	struct fixture *f = *state;

	f->trouble = TROUBLE_LATE;
	for (int i = 0; i < 8; i++) {
		pin(f, i % 2 ? "siit/2" : "siit/1");
		flow(f, dice(f, 40) * STEP_MS);
	}
	f->trouble = TROUBLE_NONE;
	settles(f, FORMAT_SIIT_2);
}

/* requirement: NEG-8 */
static void nor_do_notifications_that_are_lost(void **state)
{
	struct fixture *f = *state;

	/* the first, the second, ... of all that a change takes */
	for (int n = 0; n < 10; n++) {
		f->trouble = TROUBLE_CUT;
		f->cut_after = n;
		pin(f, n % 2 ? "siit/2" : "siit/1");
		settles(f, n % 2 ? FORMAT_SIIT_2 : FORMAT_SIIT_1);
	}
	assert_true(f->n_cuts >= 8);
}

/* requirement: NEG-8 */
static void an_end_that_is_slow_is_waited_for(void **state)
{
	struct fixture *f = *state;

	for (size_t slow = 0; slow < HOSTS; slow++) {
		enum format send;
		uint32_t accept;

		stall(f, slow, true);
		pin(f, "siit/1");
		flow(f, LIMIT_WIRE_DEAD_MS / 2);
		/* the other is ready and goes on as it did, for the slow one has not said that it
		 * is */
		assert_true(scenario_host_choice(f->ends[!slow].host, f->c.w->numbers[slow], &send,
						 &accept));
		assert_int_equal(send, FORMAT_SIIT_2);
		assert_true(accept & FORMAT_BIT(FORMAT_SIIT_1));
		assert_true(accept & FORMAT_BIT(FORMAT_SIIT_2));
		stall(f, slow, false);
		settles(f, FORMAT_SIIT_1);
		pin(f, NULL);
		settles(f, FORMAT_SIIT_2);
	}
}

/* requirement: NEG-8 */
static void an_end_that_is_lost_is_waited_for(void **state)
{
	struct fixture *f = *state;

	pin(f, "siit/1");
	f->c.w->unreachable = true;
	world_disconnect(f->c.w, 1);
	flow(f, 60000);
	assert_false(is_settled(f, FORMAT_SIIT_1));
	f->c.w->unreachable = false;
	settles(f, FORMAT_SIIT_1);
}

/* requirement: NEG-8 */
/* requirement: OPS-3 */
static void a_manager_that_restarts_goes_on(void **state)
{
	struct fixture *f = *state;

	/* after each step of the way */
	for (size_t at = 0; at <= LIMIT_MODEL_SHIFT_GRACE_MS + 1000; at += STEP_MS) {
		bool odd = at / STEP_MS % 2;

		pin(f, odd ? "siit/2" : "siit/1");
		flow(f, at);
		world_restart_manager(f->c.w);
		settles(f, odd ? FORMAT_SIIT_2 : FORMAT_SIIT_1);
	}
}

/* A policy that is durable reaches the pairs, also when the manager that took it does not live to
 * see it. */
/* requirement: NEG-3, NEG-8, OPS-3 */
static void nor_is_a_pass_forgotten(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 4; i++) {
		begin_to_pin(f, i % 2 ? "siit/2" : "siit/1");
		assert_non_null(choice_pass_of(f->c.w->manager->model));
		assert_int_equal(choice_progress_of_all(f->c.w->manager->model), CHOICE_APPLYING);
		world_restart_manager(f->c.w);
		settles(f, i % 2 ? FORMAT_SIIT_2 : FORMAT_SIIT_1);
		flow(f, 2000);
		assert_int_equal(choice_progress_of_all(f->c.w->manager->model), CHOICE_EFFECTIVE);
		assert_int_equal(model_count(f->c.w->manager->model, KIND_CHOICE_CHANGE), 0);
	}
}

/* Whatever policies there are. */
static void becomes_effective(struct fixture *f)
{
	for (size_t ms = 0;
	     ms < 300000 && choice_progress_of_all(f->c.w->manager->model) != CHOICE_EFFECTIVE;
	     ms += STEP_MS)
		flow(f, STEP_MS);
	assert_int_equal(choice_progress_of_all(f->c.w->manager->model), CHOICE_EFFECTIVE);
}

/* Wherever the first one is on its way. */
/* requirement: NEG-3, NEG-8, OPS-3 */
static void a_policy_that_is_replaced_on_its_way_ends_as_the_next_says(void **state)
{
	struct fixture *f = *state;

	for (int n = 0; n < 12; n++) {
		begin_to_pin(f, "siit/1");
		for (int i = 0; i < n; i++)
			assert_int_equal(loop_turn(f->c.w->loop, 1), 0);
		begin_to_pin(f, n % 2 ? NULL : "siit/2");
		if (n % 3 == 2)
			world_restart_manager(f->c.w);
		becomes_effective(f);
		assert_null(choice_pass_of(f->c.w->manager->model));
		settles(f, FORMAT_SIIT_2);
	}
}

static void restart_with(struct fixture *f, size_t i, uint32_t formats)
{
	scenario_host_kill(f->ends[i].host);
	scenario_host_set_formats(f->ends[i].host, formats);
	flow(f, STEP_MS);
	scenario_host_start(f->ends[i].host);
}

/* As in a large cluster, what a host reports reaches its pairs in stretches; the manager ends in
 * the middle, too. */
/* requirement: NEG-1, NEG-8, OPS-3 */
static void reports_that_take_and_give_formats_lose_nothing(void **state)
{
	const uint32_t one = FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_IPIP6_1);
	const uint32_t both = one | FORMAT_BIT(FORMAT_SIIT_2);
	struct fixture *f = *state;

	for (size_t n = 0; n < 8; n++) {
		restart_with(f, n % 2, one);
		flow(f, n / 2 * STEP_MS);
		if (n % 3 == 2)
			world_restart_manager(f->c.w);
		settles(f, FORMAT_SIIT_1);
		restart_with(f, n % 2, both);
		settles(f, FORMAT_SIIT_2);
	}
}

/* requirement: NEG-8 */
/* requirement: OPS-3 */
static void nothing_is_lost_whatever_happens(void **state)
{
	struct fixture *f = *state;

	f->seed = 7;
	for (int i = 0; i < 1500; i++) {
		size_t end = dice(f, HOSTS);

		switch (dice(f, 9)) {
		case 0:
		case 1:
			pin(f, dice(f, 2) ? "siit/1" : "siit/2");
			break;
		case 2:
			pin(f, NULL);
			break;
		case 3:
			stall(f, end, !f->ends[end].stalled);
			break;
		case 4:
			world_disconnect(f->c.w, end);
			break;
		case 5:
			world_restart_manager(f->c.w);
			break;
		case 6: /* as by kill -9, and at once again */
			scenario_host_kill(f->ends[end].host);
			flow(f, dice(f, 10) * STEP_MS);
			scenario_host_start(f->ends[end].host);
			break;
		case 7:
			f->trouble = dice(f, 2) ? TROUBLE_LATE : TROUBLE_NONE;
			break;
		case 8:
			f->trouble = TROUBLE_CUT;
			f->cut_after = (int)dice(f, 6);
			break;
		}
		flow(f, dice(f, 30) * STEP_MS);
	}
	f->trouble = TROUBLE_NONE;
	for (size_t i = 0; i < HOSTS; i++)
		stall(f, i, false);
	pin(f, "siit/1");
	settles(f, FORMAT_SIIT_1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_change_loses_nothing),
		TEST(nor_do_notifications_that_overtake_each_other),
		TEST(nor_do_notifications_that_are_lost),
		TEST(an_end_that_is_slow_is_waited_for),
		TEST(an_end_that_is_lost_is_waited_for),
		TEST(a_manager_that_restarts_goes_on),
		TEST(nor_is_a_pass_forgotten),
		TEST(a_policy_that_is_replaced_on_its_way_ends_as_the_next_says),
		TEST(reports_that_take_and_give_formats_lose_nothing),
		TEST(nothing_is_lost_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
