/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios of lost, slow and late agents, and of a manager that is killed.
 *
 *	h1, h2, h3 --- manager          one network, 10.0.0.0/24
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "model/holders.h"
#include "world.h"

static int setup(void **state)
{
	*state = world_new(3);
	return 0;
}

/* requirement: OPS-3 */
static void a_lost_agent_is_noticed_and_resyncs(void **state)
{
	struct world *w = *state;
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];
	size_t n_full = w->agents[0].n_full;

	world_run(w, 0, NULL, a);
	world_settle(w);
	pair_stall(w->pairs[0], true);
	world_advance(w, LIMIT_WIRE_DEAD_MS + 3000);
	assert_false(host_is_connected(w->manager->model, w->numbers[0]));
	assert_true(host_is_connected(w->manager->model, w->numbers[1]));
	/* Meanwhile something of it is taken away, and something is given to it. */
	world_run(w, 0, "10.0.0.50", b);
	world_terminate(w, a);
	world_settle(w);
	assert_int_equal(world_instance(w, a)->state, INSTANCE_SHUTTING_DOWN);
	assert_int_equal(world_instance(w, b)->state, INSTANCE_PENDING);
	world_connect(w, 0);
	world_settle(w);
	assert_int_equal(world_instance(w, a)->state, INSTANCE_TERMINATED);
	assert_int_equal(world_instance(w, b)->state, INSTANCE_RUNNING);
	world_check_desired(w, 0);
	/* It had everything else: the differences were enough. */
	assert_int_equal(w->agents[0].n_full, n_full);
}

/* Its programs take as long to load, on a busy machine; what it has acknowledged is in place.
 * requirement: OPS-3 EDGE-2 */
static void an_edge_that_begins_is_not_taken_for_lost(void **state)
{
	struct world *w = *state;
	size_t edge = world_add_edge(w);

	w->agents[edge].silent = true;
	world_connect(w, edge);
	world_settle(w);
	pair_stall(w->pairs[edge], true);
	world_advance(w, LIMIT_WIRE_EDGE_DEAD_MS + LIMIT_WIRE_EDGE_PING_MS + 3000);
	assert_true(host_is_connected(w->manager->model, w->numbers[edge]));
	pair_stall(w->pairs[edge], false);
	world_settle(w);
	assert_int_equal(w->agents[edge].n_sessions, 1);
	assert_int_equal(sim_agent_acknowledge(&w->agents[edge]), 0);
	w->agents[edge].silent = false;
	world_settle(w);
	/* from now on it is missed sooner than a host */
	pair_stall(w->pairs[edge], true);
	pair_stall(w->pairs[0], true);
	world_advance(w, LIMIT_WIRE_EDGE_DEAD_MS + LIMIT_WIRE_EDGE_PING_MS + 1000);
	assert_false(host_is_connected(w->manager->model, w->numbers[edge]));
	assert_true(host_is_connected(w->manager->model, w->numbers[0]));
}

/* requirement: OPS-3 */
static void a_rebooted_agent_gets_everything(void **state)
{
	struct world *w = *state;
	char a[ID_TEXT_SIZE];
	size_t n_full = w->agents[0].n_full;

	world_run(w, 0, NULL, a);
	world_settle(w);
	world_disconnect(w, 0);
	sim_agent_reboot(&w->agents[0]);
	world_connect(w, 0);
	world_settle(w);
	assert_int_equal(w->agents[0].n_full, n_full + 1);
	world_check_desired(w, 0);
}

static void an_agent_of_another_cluster_gets_everything(void **state)
{
	struct world *w = *state;
	size_t n_full = w->agents[0].n_full;

	world_disconnect(w, 0);
	w->agents[0].cluster_id ^= 1;
	world_connect(w, 0);
	world_settle(w);
	assert_int_equal(w->agents[0].n_full, n_full + 1);
	world_check_desired(w, 0);
}

/* requirement: OPS-3 */
static void a_slow_agent_holds_up_nobody(void **state)
{
	struct world *w = *state;
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE], c[ID_TEXT_SIZE];

	pair_stall(w->pairs[0], true);
	world_run(w, 0, NULL, a);
	for (int i = 0; i < 20; i++) {
		world_run(w, 1, NULL, b);
		world_run(w, 2, NULL, c);
		world_settle(w);
		assert_int_equal(world_instance(w, b)->state, INSTANCE_RUNNING);
		assert_int_equal(world_instance(w, c)->state, INSTANCE_RUNNING);
	}
	assert_int_equal(world_instance(w, a)->state, INSTANCE_PENDING);
	pair_stall(w->pairs[0], false);
	world_settle(w);
	assert_int_equal(world_instance(w, a)->state, INSTANCE_RUNNING);
	world_check_desired(w, 0);
}

static int64_t delay_first_updates(enum pair_direction direction,
				   const Viaduct__Agent__Frame *frame, void *arg)
{
	int *n = arg;

	if (frame->body_case != VIADUCT__AGENT__FRAME__BODY_UPDATE)
		return 0;
	/* The first comes last. */
	return (10 - (*n)++) * (int64_t)CLOCK_NS_PER_S / 10;
}

/* requirement: MAP-3 */
static void pushes_that_overtake_each_other_end_with_the_newest(void **state)
{
	struct ipaddr addr = world_addr("10.0.0.5");
	struct world *w = *state;
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];
	struct instance_transition transition;
	const char *id = b;
	struct refusal refusal = {0};
	const struct sim_mapping *held;
	struct tx *tx;
	int n = 0;

	world_run(w, 0, "10.0.0.4", a);
	world_run(w, 1, "10.0.0.5", b);
	world_settle(w);
	world_ask(w, 0, "10.0.0.4", "10.0.0.5");
	pair_set_fault(w->pairs[0], delay_first_updates, &n);
	for (int i = 0; i < 3; i++) {
		tx = world_begin(w);
		assert_int_equal(instance_stop(tx, &w->customer, &id, 1, &transition, &refusal), 0);
		assert_int_equal(world_end(w, tx), 0);
		world_settle(w);
		tx = world_begin(w);
		assert_int_equal(instance_start(tx, &w->customer, &id, 1, &transition, &refusal),
				 0);
		assert_int_equal(world_end(w, tx), 0);
		world_settle(w);
	}
	assert_int_equal(world_instance(w, b)->state, INSTANCE_RUNNING);
	assert_true(n >= 2);
	world_advance(w, 3000);
	/* It is gone or it is the last one, never one between. */
	held = sim_agent_mapping(&w->agents[0], w->vni, &addr);
	if (held)
		assert_int_equal(held->host, world_instance(w, b)->host);
	world_ask(w, 0, "10.0.0.4", "10.0.0.5");
	assert_int_equal(w->agents[0].status, VIADUCT__AGENT__ANSWER__STATUS__OK);
	assert_int_equal(w->agents[0].host, world_instance(w, b)->host);
}

/* requirement: OPS-3 */
static void a_restarted_manager_knows_everything_it_acknowledged(void **state)
{
	struct ipaddr addr = world_addr("10.0.0.5");
	struct world *w = *state;
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];
	size_t n_full[3];

	world_run(w, 0, "10.0.0.4", a);
	world_run(w, 1, "10.0.0.5", b);
	world_settle(w);
	world_ask(w, 0, "10.0.0.4", "10.0.0.5");
	world_restart_manager(w);
	assert_int_equal(world_instance(w, a)->state, INSTANCE_RUNNING);
	assert_int_equal(world_instance(w, b)->state, INSTANCE_RUNNING);
	for (size_t i = 0; i < 3; i++) {
		n_full[i] = w->agents[i].n_full;
		world_connect(w, i);
	}
	world_settle(w);
	for (size_t i = 0; i < 3; i++) {
		assert_true(w->agents[i].welcome);
		assert_true(w->agents[i].n_full <= n_full[i] + 1);
		world_check_desired(w, i);
	}
	/* It learned from the Hello who holds what. */
	assert_true(holders_any(model_holders(w->manager->model), w->vni, &addr));
	world_terminate(w, b);
	world_settle(w);
	assert_null(sim_agent_mapping(&w->agents[0], w->vni, &addr));
}

/* requirement: MAP-3 */
static void what_is_old_is_corrected_at_the_hello(void **state)
{
	struct ipaddr addr = world_addr("10.0.0.5");
	struct world *w = *state;
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];

	world_run(w, 0, "10.0.0.4", a);
	world_run(w, 1, "10.0.0.5", b);
	world_settle(w);
	world_ask(w, 0, "10.0.0.4", "10.0.0.5");
	world_disconnect(w, 0);
	world_terminate(w, b);
	world_settle(w);
	assert_non_null(sim_agent_mapping(&w->agents[0], w->vni, &addr)); /* fail static */
	world_connect(w, 0);
	world_settle(w);
	assert_null(sim_agent_mapping(&w->agents[0], w->vni, &addr));
}

static void a_second_session_replaces_the_first(void **state)
{
	struct world *w = *state;
	struct pair *first = w->pairs[0];
	struct sim_agent twin;
	void *user = sessions_new_user(w->manager);
	struct pair *second;

	sim_agent_init(&twin, w->host_ids[0]);
	assert_int_equal(pair_new(w->loop, w->host_ids[0], &sim_agent_callbacks, &twin,
				  &sessions_callbacks, user, &second),
			 0);
	world_settle(w);
	assert_int_equal(w->agents[0].goodbye, VIADUCT__AGENT__GOODBYE__CODE__REPLACED);
	assert_null(w->agents[0].session);
	assert_true(twin.welcome);
	assert_ptr_equal(first, w->pairs[0]);
	assert_true(host_is_connected(w->manager->model, w->numbers[0]));
	pair_free(second);
	world_settle(w);
	sim_agent_deinit(&twin);
	assert_false(host_is_connected(w->manager->model, w->numbers[0]));
}

static void strangers_and_liars_are_refused(void **state)
{
	struct world *w = *state;
	struct sim_agent stranger;
	void *user = sessions_new_user(w->manager);
	struct pair *pair;

	sim_agent_init(&stranger, "host-0ffffffffffffffff");
	assert_int_equal(pair_new(w->loop, "host-0ffffffffffffffff", &sim_agent_callbacks,
				  &stranger, &sessions_callbacks, user, &pair),
			 0);
	world_settle(w);
	assert_int_equal(stranger.goodbye, VIADUCT__AGENT__GOODBYE__CODE__UNKNOWN_HOST);
	pair_free(pair);
	/* The certificate of h1, the Hello of h2. */
	sim_agent_deinit(&stranger);
	sim_agent_init(&stranger, w->host_ids[1]);
	user = sessions_new_user(w->manager);
	assert_int_equal(pair_new(w->loop, w->host_ids[0], &sim_agent_callbacks, &stranger,
				  &sessions_callbacks, user, &pair),
			 0);
	world_settle(w);
	assert_int_equal(stranger.goodbye, VIADUCT__AGENT__GOODBYE__CODE__PROTOCOL);
	assert_false(stranger.welcome);
	assert_true(w->agents[0].welcome);
	pair_free(pair);
	world_settle(w);
	sim_agent_deinit(&stranger);
}

static void a_removed_host_loses_its_session(void **state)
{
	static const struct caller the_operator = {.is_operator = true};
	struct refusal refusal = {0};
	struct world *w = *state;
	struct tx *tx = world_begin(w);

	assert_int_equal(host_remove(tx, &the_operator, w->host_ids[2], false, &refusal), 0);
	assert_int_equal(world_end(w, tx), 0);
	world_settle(w);
	assert_int_equal(w->agents[2].goodbye, VIADUCT__AGENT__GOODBYE__CODE__UNKNOWN_HOST);
	assert_null(w->agents[2].session);
	/* The others are no longer told to talk to it. */
	world_check_desired(w, 0);
	assert_int_equal(sim_agent_count(&w->agents[0], VIADUCT__AGENT__OBJECT__OBJECT_PEER), 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_lost_agent_is_noticed_and_resyncs),
		TEST(an_edge_that_begins_is_not_taken_for_lost),
		TEST(a_rebooted_agent_gets_everything),
		TEST(an_agent_of_another_cluster_gets_everything),
		TEST(a_slow_agent_holds_up_nobody),
		TEST(pushes_that_overtake_each_other_end_with_the_newest),
		TEST(a_restarted_manager_knows_everything_it_acknowledged),
		TEST(what_is_old_is_corrected_at_the_hello),
		TEST(a_second_session_replaces_the_first),
		TEST(strangers_and_liars_are_refused),
		TEST(a_removed_host_loses_its_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
