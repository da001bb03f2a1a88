/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios of preloaded networks (MAP-7): manager and whole agents on the fake data plane.
 *
 *	a, on h1 (10.0.0.4) --- substrate --- b, on h2 (10.0.0.5)          h3 carries nothing
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/log.h"
#include "host.h"
#include "model/holders.h"
#include "model/preload.h"
#include "model/tx.h"
#include "world.h"

enum { HOSTS = 3, LEASE_MS = 300000 };

struct node {
	size_t host;
	const char *addr;
	char id[ID_TEXT_SIZE], eni[ID_TEXT_SIZE];
};

struct fixture {
	struct world *w;
	struct fake_world *substrate;
	struct scenario_host *hosts[HOSTS];
	struct node a, b;
	uint32_t n_sent;
};

static int dial(void *arg, size_t host, const struct session_callbacks *callbacks, void *user,
		struct session **ret)
{
	struct fixture *f = arg;

	return world_dial(f->w, host, callbacks, user, ret);
}

static void run(struct fixture *f, struct node *n, size_t host, const char *addr)
{
	n->host = host;
	n->addr = addr;
	world_run(f->w, host, addr, n->id);
	world_settle(f->w);
	world_advance(f->w, 1000);
	assert_int_equal(world_instance(f->w, n->id)->state, INSTANCE_RUNNING);
	object_id_text(&world_interface(f->w, n->id)->o, n->eni);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	log_set_level(LOG_LEVEL_ERR);
	f->w = world_new_unconnected(HOSTS);
	assert_int_equal(fake_world_new(&f->substrate), 0);
	for (size_t i = 0; i < HOSTS; i++) {
		f->hosts[i] =
			scenario_host_new(f->w->loop, f->substrate, i, f->w->host_ids[i], dial, f);
		scenario_host_start(f->hosts[i]);
	}
	world_advance(f->w, 2000);
	run(f, &f->a, 0, "10.0.0.4");
	run(f, &f->b, 1, "10.0.0.5");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < HOSTS; i++)
		scenario_host_free(f->hosts[i]);
	assert_int_equal(loop_settle(f->w->loop), 0);
	world_free(f->w);
	fake_world_free(f->substrate);
	free(f);
	return 0;
}

static void mark(struct fixture *f, bool marked)
{
	struct refusal refusal = {0};
	struct tx *tx = world_begin(f->w);

	assert_int_equal(preload_mark(tx, &f->w->customer, f->w->vpc, marked, &refusal), 0);
	assert_int_equal(world_end(f->w, tx), 0);
	world_settle(f->w);
}

/* A packet that is there at once: nobody had to ask. */
static void passes_at_once(struct fixture *f, const struct node *from, const struct node *to)
{
	uint32_t n = ++f->n_sent;

	assert_int_equal(scenario_host_send(f->hosts[from->host], from->eni, from->addr, to->addr,
					    n, NULL),
			 FAKE_DELIVERED);
	assert_int_equal(scenario_host_receive(f->hosts[to->host], to->eni), n);
}

static void nobody_has_asked(struct fixture *f)
{
	for (size_t i = 0; i < HOSTS; i++)
		assert_int_equal(scenario_host_asked(f->hosts[i]), 0);
}

static uint64_t expiry(struct fixture *f, size_t host, const char *text)
{
	struct ipaddr addr = world_addr(text);
	struct holder holder;

	return holders_get(model_holders(f->w->manager->model), f->w->vni, &addr,
			   f->w->numbers[host], &holder)
		       ? holder.expires_ms
		       : 0;
}

/* requirement: MAP-7 */
static void no_first_packet_waits(void **state)
{
	struct fixture *f = *state;
	struct node c;

	mark(f, true);
	passes_at_once(f, &f->a, &f->b);
	passes_at_once(f, &f->b, &f->a);
	/* what comes later is pushed as well */
	run(f, &c, 1, "10.0.0.6");
	passes_at_once(f, &f->a, &c);
	passes_at_once(f, &c, &f->a);
	nobody_has_asked(f);
}

/* requirement: MAP-7 */
static void a_host_that_begins_to_carry_it_gets_all(void **state)
{
	struct fixture *f = *state;
	struct node c;

	mark(f, true);
	assert_int_equal(scenario_host_mappings(f->hosts[2]), 0); /* it carries nothing: MAP-2 */
	run(f, &c, 2, "10.0.0.6");
	assert_int_equal(scenario_host_mappings(f->hosts[2]), 2);
	passes_at_once(f, &c, &f->a);
	passes_at_once(f, &c, &f->b);
	nobody_has_asked(f);
}

/* requirement: MAP-7 */
static void a_network_is_told_to_its_own_hosts_alone(void **state)
{
	struct fixture *f = *state;
	struct node c, d;

	mark(f, true);
	world_add_network(f->w); /* of another customer, with the same addresses, and not marked */
	run(f, &c, 2, "10.0.0.4");
	run(f, &d, 0, "10.0.0.5");
	assert_int_equal(scenario_host_mappings(f->hosts[2]), 0);
	assert_int_equal(scenario_host_mappings(f->hosts[0]), 1);
	assert_int_equal(scenario_host_send(f->hosts[2], c.eni, c.addr, d.addr, 1, NULL), FAKE_HELD);
}

/* requirement: MAP-7 */
/* requirement: OPS-3 */
static void new_pairs_find_each_other_without_a_manager(void **state)
{
	struct fixture *f = *state;

	mark(f, true);
	world_stop_manager(f->w);
	world_advance(f->w, 2 * LEASE_MS);
	passes_at_once(f, &f->a, &f->b); /* for the first time */
	world_start_manager(f->w);
	world_advance(f->w, 60000);
	assert_true(scenario_host_is_up(f->hosts[0]));
	passes_at_once(f, &f->b, &f->a);
	/* the new manager knows what they hold, and goes on with it */
	assert_true(expiry(f, 0, "10.0.0.5") == HOLDERS_NEVER);
	world_terminate(f->w, f->b.id);
	world_advance(f->w, 3000);
	assert_int_equal(scenario_host_mappings(f->hosts[0]), 0);
	nobody_has_asked(f);
}

static int64_t count_words(enum pair_direction direction, const Viaduct__Agent__Frame *frame,
			   void *arg)
{
	*(size_t *)arg += frame->body_case == VIADUCT__AGENT__FRAME__BODY_UPDATE ||
			  frame->body_case == VIADUCT__AGENT__FRAME__BODY_RESOLVE ||
			  frame->body_case == VIADUCT__AGENT__FRAME__BODY_RELEASED;
	return 0;
}

/* requirement: MAP-7 */
static void what_is_there_stays_without_a_word(void **state)
{
	struct fixture *f = *state;
	size_t n = 0;

	mark(f, true);
	pair_set_fault(f->w->pairs[0], count_words, &n);
	world_advance(f->w, 3 * LEASE_MS);
	assert_int_equal(n, 0);
	assert_true(expiry(f, 0, "10.0.0.5") == HOLDERS_NEVER);
	passes_at_once(f, &f->a, &f->b);
	nobody_has_asked(f);
}

/* requirement: MAP-7 */
static void an_address_that_comes_back_elsewhere_is_pushed(void **state)
{
	struct fixture *f = *state;
	struct node c;

	mark(f, true);
	passes_at_once(f, &f->a, &f->b);
	world_terminate(f->w, f->b.id);
	world_advance(f->w, 5000);
	assert_int_equal(scenario_host_mappings(f->hosts[0]), 0);
	assert_true(expiry(f, 0, "10.0.0.5") == 0);
	run(f, &c, 2, "10.0.0.5"); /* free: every holder has heard */
	passes_at_once(f, &f->a, &c);
	nobody_has_asked(f);
}

/* requirement: MAP-7 */
static void without_the_mark_copies_end_as_others_do(void **state)
{
	struct fixture *f = *state;

	mark(f, true);
	assert_int_equal(scenario_host_mappings(f->hosts[0]), 1);
	mark(f, false);
	assert_true(expiry(f, 0, "10.0.0.5") != HOLDERS_NEVER);
	passes_at_once(f, &f->a, &f->b); /* as long as it lasts */
	world_advance(f->w, LEASE_MS + 1000);
	assert_int_equal(scenario_host_mappings(f->hosts[0]), 0);
	assert_true(expiry(f, 0, "10.0.0.5") == 0);
	assert_int_equal(scenario_host_send(f->hosts[0], f->a.eni, f->a.addr, f->b.addr, 7, NULL),
			 FAKE_HELD);
	world_advance(f->w, 200);
	assert_int_equal(scenario_host_receive(f->hosts[1], f->b.eni), 7);
}

/* requirement: MAP-7 */
static void a_host_that_carries_it_no_more_keeps_nothing(void **state)
{
	struct fixture *f = *state;

	mark(f, true);
	assert_int_equal(scenario_host_mappings(f->hosts[0]), 1);
	world_terminate(f->w, f->a.id);
	world_advance(f->w, 5000);
	assert_int_equal(scenario_host_mappings(f->hosts[0]), 0);
	assert_true(expiry(f, 0, "10.0.0.5") == 0);
	/* and hears of nothing any more */
	world_run(f->w, 1, "10.0.0.9", f->a.id);
	world_advance(f->w, 1000);
	assert_int_equal(scenario_host_mappings(f->hosts[0]), 0);
}

/* requirement: MAP-7 */
static void who_was_away_is_told_what_he_missed(void **state)
{
	struct fixture *f = *state;
	struct node c = {.host = 1, .addr = "10.0.0.6"};

	mark(f, true);
	f->w->unreachable = true;
	world_disconnect(f->w, 0);
	run(f, &c, 1, "10.0.0.6");
	world_terminate(f->w, f->b.id);
	world_advance(f->w, 1000);
	assert_int_equal(scenario_host_mappings(f->hosts[0]), 1); /* 10.0.0.5, fail static */
	f->w->unreachable = false;
	world_advance(f->w, 60000);
	assert_true(scenario_host_is_up(f->hosts[0]));
	assert_int_equal(scenario_host_mappings(f->hosts[0]), 1);
	passes_at_once(f, &f->a, &c);
	nobody_has_asked(f);
}

/* requirement: MAP-7 */
static void an_agent_that_restarts_keeps_what_it_has(void **state)
{
	struct fixture *f = *state;
	size_t n = 0;

	mark(f, true);
	scenario_host_kill(f->hosts[0]);
	world_advance(f->w, 1000);
	scenario_host_start(f->hosts[0]);
	world_advance(f->w, 10000);
	assert_true(scenario_host_is_up(f->hosts[0]));
	pair_set_fault(f->w->pairs[0], count_words, &n);
	world_advance(f->w, 2 * LEASE_MS);
	assert_int_equal(n, 0);
	passes_at_once(f, &f->a, &f->b);
	nobody_has_asked(f);
}

static int64_t delay_desired(enum pair_direction direction, const Viaduct__Agent__Frame *frame,
			     void *arg)
{
	return frame->body_case == VIADUCT__AGENT__FRAME__BODY_DESIRED ? (int64_t)CLOCK_NS_PER_S : 0;
}

/* requirement: MAP-7 */
static void mappings_that_overtake_the_mark_are_offered_again(void **state)
{
	struct fixture *f = *state;

	pair_set_fault(f->w->pairs[0], delay_desired, NULL);
	mark(f, true);
	world_advance(f->w, 2000);
	assert_int_equal(scenario_host_mappings(f->hosts[0]), 0); /* refused: it had not heard yet */
	pair_set_fault(f->w->pairs[0], NULL, NULL);
	world_advance(f->w, LIMIT_PRELOAD_AGAIN_MS + 2000);
	passes_at_once(f, &f->a, &f->b);
	nobody_has_asked(f);
}

/* requirement: MAP-7 */
static void a_lost_connection_in_the_middle_loses_nothing(void **state)
{
	struct fixture *f = *state;

	pair_stall(f->w->pairs[0], true);
	mark(f, true);
	world_advance(f->w, 1000);
	f->w->unreachable = true;
	world_disconnect(f->w, 0);
	assert_int_equal(scenario_host_mappings(f->hosts[0]), 0);
	f->w->unreachable = false;
	world_advance(f->w, 60000);
	assert_true(scenario_host_is_up(f->hosts[0]));
	passes_at_once(f, &f->a, &f->b);
	nobody_has_asked(f);
}

/* requirement: MAP-7 */
static void a_host_without_room_asks_and_is_offered_them_again(void **state)
{
	struct fixture *f = *state;
	struct node c;

	scenario_host_limit_mappings(f->hosts[0], 1);
	mark(f, true);
	run(f, &c, 1, "10.0.0.6");
	assert_int_equal(scenario_host_mappings(f->hosts[0]), 1); /* that of b: nothing went for it */
	passes_at_once(f, &f->a, &f->b);
	nobody_has_asked(f);
	scenario_host_limit_mappings(f->hosts[0], 100);
	world_advance(f->w, LIMIT_PRELOAD_AGAIN_MS + 2000);
	passes_at_once(f, &f->a, &c);
	nobody_has_asked(f);
}

/* requirement: MAP-7 */
static void what_it_asked_for_is_kept_as_well(void **state)
{
	struct fixture *f = *state;
	struct node c;

	scenario_host_limit_mappings(f->hosts[0], 1);
	mark(f, true);
	run(f, &c, 1, "10.0.0.6");
	scenario_host_limit_mappings(f->hosts[0], 100);
	/* not offered again yet */
	assert_int_equal(scenario_host_send(f->hosts[0], f->a.eni, f->a.addr, c.addr, 7, NULL),
			 FAKE_HELD);
	world_advance(f->w, 200);
	assert_int_equal(scenario_host_receive(f->hosts[1], c.eni), 7);
	assert_true(expiry(f, 0, c.addr) == HOLDERS_NEVER);
	/* and on record also by a manager that learns it from the agent */
	world_restart_manager(f->w);
	world_advance(f->w, 30000);
	assert_true(scenario_host_is_up(f->hosts[0]));
	assert_true(expiry(f, 0, c.addr) == HOLDERS_NEVER);
	world_advance(f->w, 2 * LEASE_MS);
	passes_at_once(f, &f->a, &c);
	assert_int_equal(scenario_host_asked(f->hosts[0]), 1);
}

/* requirement: MAP-7 */
/* requirement: OPS-3 */
static void what_a_failed_commit_marked_is_not_pushed(void **state)
{
	struct fixture *f = *state;
	struct refusal refusal = {0};
	struct tx *tx;

	store_disk_fail_next(f->w->disk, 1, -ENOSPC);
	tx = world_begin(f->w);
	assert_int_equal(preload_mark(tx, &f->w->customer, f->w->vpc, true, &refusal), 0);
	assert_int_equal(world_end(f->w, tx), 0);
	world_settle(f->w);
	world_advance(f->w, 60000);
	for (size_t i = 0; i < HOSTS; i++)
		assert_int_equal(scenario_host_mappings(f->hosts[i]), 0);
	/* nor is what a failed commit took away lost */
	mark(f, true);
	store_disk_fail_next(f->w->disk, 1, -ENOSPC);
	tx = world_begin(f->w);
	assert_int_equal(preload_mark(tx, &f->w->customer, f->w->vpc, false, &refusal), 0);
	assert_int_equal(world_end(f->w, tx), 0);
	world_settle(f->w);
	world_advance(f->w, 2 * LEASE_MS);
	passes_at_once(f, &f->a, &f->b);
	nobody_has_asked(f);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_first_packet_waits),
		TEST(a_host_that_begins_to_carry_it_gets_all),
		TEST(a_network_is_told_to_its_own_hosts_alone),
		TEST(new_pairs_find_each_other_without_a_manager),
		TEST(what_is_there_stays_without_a_word),
		TEST(an_address_that_comes_back_elsewhere_is_pushed),
		TEST(without_the_mark_copies_end_as_others_do),
		TEST(a_host_that_carries_it_no_more_keeps_nothing),
		TEST(who_was_away_is_told_what_he_missed),
		TEST(an_agent_that_restarts_keeps_what_it_has),
		TEST(mappings_that_overtake_the_mark_are_offered_again),
		TEST(a_lost_connection_in_the_middle_loses_nothing),
		TEST(what_it_asked_for_is_kept_as_well),
		TEST(what_a_failed_commit_marked_is_not_pushed),
		TEST(a_host_without_room_asks_and_is_offered_them_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
