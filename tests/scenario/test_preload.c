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

#include <cmocka.h>

#include "base/limits.h"
#include "cluster.h"
#include "model/holders.h"
#include "model/preload.h"

enum { HOSTS = 3, LEASE_MS = 300000 };

static int setup(void **state)
{
	*state = cluster_pair_new(HOSTS);
	return 0;
}

static void mark(struct cluster_pair *f, bool marked)
{
	struct refusal refusal = {0};
	struct tx *tx = world_begin(f->c.w);

	assert_int_equal(preload_mark(tx, &f->c.w->customer, f->c.w->vpc, marked, &refusal), 0);
	assert_int_equal(world_end(f->c.w, tx), 0);
	world_settle(f->c.w);
}

/* A packet that is there at once: nobody had to ask. */
static void passes_at_once(struct cluster_pair *f, const struct cluster_node *from,
			   const struct cluster_node *to)
{
	uint32_t n = ++f->n_sent;

	assert_int_equal(scenario_host_send(f->c.hosts[from->host], from->eni, from->addr, to->addr,
					    n, NULL),
			 FAKE_DELIVERED);
	assert_int_equal(scenario_host_receive(f->c.hosts[to->host], to->eni), n);
}

static void nobody_has_asked(struct cluster_pair *f)
{
	for (size_t i = 0; i < HOSTS; i++)
		assert_int_equal(scenario_host_asked(f->c.hosts[i]), 0);
}

static uint64_t expiry(struct cluster_pair *f, size_t host, const char *text)
{
	struct ipaddr addr = world_addr(text);
	struct holder holder;

	return holders_get(model_holders(f->c.w->manager->model), f->c.w->vni, &addr,
			   f->c.w->numbers[host], &holder)
		       ? holder.expires_ms
		       : 0;
}

/* requirement: MAP-7 */
static void no_first_packet_waits(void **state)
{
	struct cluster_pair *f = *state;
	struct cluster_node c;

	mark(f, true);
	passes_at_once(f, &f->a, &f->b);
	passes_at_once(f, &f->b, &f->a);
	/* what comes later is pushed as well */
	cluster_run(&f->c, 1, "10.0.0.6", &c);
	passes_at_once(f, &f->a, &c);
	passes_at_once(f, &c, &f->a);
	nobody_has_asked(f);
}

/* requirement: MAP-7 */
static void a_host_that_begins_to_carry_it_gets_all(void **state)
{
	struct cluster_pair *f = *state;
	struct cluster_node c;

	mark(f, true);
	assert_int_equal(scenario_host_mappings(f->c.hosts[2]), 0); /* it carries nothing: MAP-2 */
	cluster_run(&f->c, 2, "10.0.0.6", &c);
	assert_int_equal(scenario_host_mappings(f->c.hosts[2]), 2);
	passes_at_once(f, &c, &f->a);
	passes_at_once(f, &c, &f->b);
	nobody_has_asked(f);
}

/* requirement: MAP-7 */
static void a_network_is_told_to_its_own_hosts_alone(void **state)
{
	struct cluster_pair *f = *state;
	struct cluster_node c, d;

	mark(f, true);
	/* of another customer, with the same addresses, and not marked */
	world_add_network(f->c.w);
	cluster_run(&f->c, 2, "10.0.0.4", &c);
	cluster_run(&f->c, 0, "10.0.0.5", &d);
	assert_int_equal(scenario_host_mappings(f->c.hosts[2]), 0);
	assert_int_equal(scenario_host_mappings(f->c.hosts[0]), 1);
	assert_int_equal(scenario_host_send(f->c.hosts[2], c.eni, c.addr, d.addr, 1, NULL),
			 FAKE_HELD);
}

/* requirement: MAP-7 */
/* requirement: OPS-3 */
static void new_pairs_find_each_other_without_a_manager(void **state)
{
	struct cluster_pair *f = *state;

	mark(f, true);
	world_stop_manager(f->c.w);
	world_advance(f->c.w, 2 * LEASE_MS);
	passes_at_once(f, &f->a, &f->b); /* for the first time */
	world_start_manager(f->c.w);
	world_advance(f->c.w, 60000);
	assert_true(scenario_host_is_up(f->c.hosts[0]));
	passes_at_once(f, &f->b, &f->a);
	/* the new manager knows what they hold, and goes on with it */
	assert_true(expiry(f, 0, "10.0.0.5") == HOLDERS_NEVER);
	world_terminate(f->c.w, f->b.id);
	world_advance(f->c.w, 3000);
	assert_int_equal(scenario_host_mappings(f->c.hosts[0]), 0);
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
	struct cluster_pair *f = *state;
	size_t n = 0;

	mark(f, true);
	pair_set_fault(f->c.w->pairs[0], count_words, &n);
	world_advance(f->c.w, 3 * LEASE_MS);
	assert_int_equal(n, 0);
	assert_true(expiry(f, 0, "10.0.0.5") == HOLDERS_NEVER);
	passes_at_once(f, &f->a, &f->b);
	nobody_has_asked(f);
}

/* requirement: MAP-7 */
static void an_address_that_comes_back_elsewhere_is_pushed(void **state)
{
	struct cluster_pair *f = *state;
	struct cluster_node c;

	mark(f, true);
	passes_at_once(f, &f->a, &f->b);
	world_terminate(f->c.w, f->b.id);
	world_advance(f->c.w, 5000);
	assert_int_equal(scenario_host_mappings(f->c.hosts[0]), 0);
	assert_true(expiry(f, 0, "10.0.0.5") == 0);
	cluster_run(&f->c, 2, "10.0.0.5", &c); /* free: every holder has heard */
	passes_at_once(f, &f->a, &c);
	nobody_has_asked(f);
}

/* requirement: MAP-7 */
static void without_the_mark_copies_end_as_others_do(void **state)
{
	struct cluster_pair *f = *state;

	mark(f, true);
	assert_int_equal(scenario_host_mappings(f->c.hosts[0]), 1);
	mark(f, false);
	assert_true(expiry(f, 0, "10.0.0.5") != HOLDERS_NEVER);
	passes_at_once(f, &f->a, &f->b); /* as long as it lasts */
	world_advance(f->c.w, LEASE_MS + 1000);
	assert_int_equal(scenario_host_mappings(f->c.hosts[0]), 0);
	assert_true(expiry(f, 0, "10.0.0.5") == 0);
	assert_int_equal(scenario_host_send(f->c.hosts[0], f->a.eni, f->a.addr, f->b.addr, 7, NULL),
			 FAKE_HELD);
	world_advance(f->c.w, 200);
	assert_int_equal(scenario_host_receive(f->c.hosts[1], f->b.eni), 7);
}

/* requirement: MAP-7 */
static void a_host_that_carries_it_no_more_keeps_nothing(void **state)
{
	struct cluster_pair *f = *state;

	mark(f, true);
	assert_int_equal(scenario_host_mappings(f->c.hosts[0]), 1);
	world_terminate(f->c.w, f->a.id);
	world_advance(f->c.w, 5000);
	assert_int_equal(scenario_host_mappings(f->c.hosts[0]), 0);
	assert_true(expiry(f, 0, "10.0.0.5") == 0);
	/* and hears of nothing any more */
	world_run(f->c.w, 1, "10.0.0.9", f->a.id);
	world_advance(f->c.w, 1000);
	assert_int_equal(scenario_host_mappings(f->c.hosts[0]), 0);
}

/* requirement: MAP-7 */
static void who_was_away_is_told_what_he_missed(void **state)
{
	struct cluster_pair *f = *state;
	struct cluster_node c = {.host = 1, .addr = "10.0.0.6"};

	mark(f, true);
	f->c.w->unreachable = true;
	world_disconnect(f->c.w, 0);
	cluster_run(&f->c, 1, "10.0.0.6", &c);
	world_terminate(f->c.w, f->b.id);
	world_advance(f->c.w, 1000);
	assert_int_equal(scenario_host_mappings(f->c.hosts[0]), 1); /* 10.0.0.5, fail static */
	f->c.w->unreachable = false;
	world_advance(f->c.w, 60000);
	assert_true(scenario_host_is_up(f->c.hosts[0]));
	assert_int_equal(scenario_host_mappings(f->c.hosts[0]), 1);
	passes_at_once(f, &f->a, &c);
	nobody_has_asked(f);
}

/* requirement: MAP-7 */
static void an_agent_that_restarts_keeps_what_it_has(void **state)
{
	struct cluster_pair *f = *state;
	size_t n = 0;

	mark(f, true);
	scenario_host_kill(f->c.hosts[0]);
	world_advance(f->c.w, 1000);
	scenario_host_start(f->c.hosts[0]);
	world_advance(f->c.w, 10000);
	assert_true(scenario_host_is_up(f->c.hosts[0]));
	pair_set_fault(f->c.w->pairs[0], count_words, &n);
	world_advance(f->c.w, 2 * LEASE_MS);
	assert_int_equal(n, 0);
	passes_at_once(f, &f->a, &f->b);
	nobody_has_asked(f);
}

static int64_t delay_desired(enum pair_direction direction, const Viaduct__Agent__Frame *frame,
			     void *arg)
{
	return frame->body_case == VIADUCT__AGENT__FRAME__BODY_DESIRED ? (int64_t)CLOCK_NS_PER_S
								       : 0;
}

/* requirement: MAP-7 */
static void mappings_that_overtake_the_mark_are_offered_again(void **state)
{
	struct cluster_pair *f = *state;

	pair_set_fault(f->c.w->pairs[0], delay_desired, NULL);
	mark(f, true);
	world_advance(f->c.w, 2000);
	/* refused: it had not heard yet */
	assert_int_equal(scenario_host_mappings(f->c.hosts[0]), 0);
	pair_set_fault(f->c.w->pairs[0], NULL, NULL);
	world_advance(f->c.w, LIMIT_PRELOAD_AGAIN_MS + 2000);
	passes_at_once(f, &f->a, &f->b);
	nobody_has_asked(f);
}

/* requirement: MAP-7 */
static void a_lost_connection_in_the_middle_loses_nothing(void **state)
{
	struct cluster_pair *f = *state;

	pair_stall(f->c.w->pairs[0], true);
	mark(f, true);
	world_advance(f->c.w, 1000);
	f->c.w->unreachable = true;
	world_disconnect(f->c.w, 0);
	assert_int_equal(scenario_host_mappings(f->c.hosts[0]), 0);
	f->c.w->unreachable = false;
	world_advance(f->c.w, 60000);
	assert_true(scenario_host_is_up(f->c.hosts[0]));
	passes_at_once(f, &f->a, &f->b);
	nobody_has_asked(f);
}

/* requirement: MAP-7 */
static void a_host_without_room_asks_and_is_offered_them_again(void **state)
{
	struct cluster_pair *f = *state;
	struct cluster_node c;

	scenario_host_limit_mappings(f->c.hosts[0], 1);
	mark(f, true);
	cluster_run(&f->c, 1, "10.0.0.6", &c);
	/* that of b: nothing went for it */
	assert_int_equal(scenario_host_mappings(f->c.hosts[0]), 1);
	passes_at_once(f, &f->a, &f->b);
	nobody_has_asked(f);
	scenario_host_limit_mappings(f->c.hosts[0], 100);
	world_advance(f->c.w, LIMIT_PRELOAD_AGAIN_MS + 2000);
	passes_at_once(f, &f->a, &c);
	nobody_has_asked(f);
}

/* requirement: MAP-7 */
static void what_it_asked_for_is_kept_as_well(void **state)
{
	struct cluster_pair *f = *state;
	struct cluster_node c;

	scenario_host_limit_mappings(f->c.hosts[0], 1);
	mark(f, true);
	cluster_run(&f->c, 1, "10.0.0.6", &c);
	scenario_host_limit_mappings(f->c.hosts[0], 100);
	/* not offered again yet */
	assert_int_equal(scenario_host_send(f->c.hosts[0], f->a.eni, f->a.addr, c.addr, 7, NULL),
			 FAKE_HELD);
	world_advance(f->c.w, 200);
	assert_int_equal(scenario_host_receive(f->c.hosts[1], c.eni), 7);
	assert_true(expiry(f, 0, c.addr) == HOLDERS_NEVER);
	/* and on record also by a manager that learns it from the agent */
	world_restart_manager(f->c.w);
	world_advance(f->c.w, 30000);
	assert_true(scenario_host_is_up(f->c.hosts[0]));
	assert_true(expiry(f, 0, c.addr) == HOLDERS_NEVER);
	world_advance(f->c.w, 2 * LEASE_MS);
	passes_at_once(f, &f->a, &c);
	assert_int_equal(scenario_host_asked(f->c.hosts[0]), 1);
}

/* requirement: MAP-7 */
/* requirement: OPS-3 */
static void what_a_failed_commit_marked_is_not_pushed(void **state)
{
	struct cluster_pair *f = *state;
	struct refusal refusal = {0};
	struct tx *tx;

	store_disk_fail_next(f->c.w->disk, 1, -ENOSPC);
	tx = world_begin(f->c.w);
	assert_int_equal(preload_mark(tx, &f->c.w->customer, f->c.w->vpc, true, &refusal), 0);
	assert_int_equal(world_end(f->c.w, tx), 0);
	world_settle(f->c.w);
	world_advance(f->c.w, 60000);
	for (size_t i = 0; i < HOSTS; i++)
		assert_int_equal(scenario_host_mappings(f->c.hosts[i]), 0);
	/* nor is what a failed commit took away lost */
	mark(f, true);
	store_disk_fail_next(f->c.w->disk, 1, -ENOSPC);
	tx = world_begin(f->c.w);
	assert_int_equal(preload_mark(tx, &f->c.w->customer, f->c.w->vpc, false, &refusal), 0);
	assert_int_equal(world_end(f->c.w, tx), 0);
	world_settle(f->c.w);
	world_advance(f->c.w, 2 * LEASE_MS);
	passes_at_once(f, &f->a, &f->b);
	nobody_has_asked(f);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, cluster_pair_teardown)

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
