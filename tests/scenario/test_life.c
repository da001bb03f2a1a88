/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios without faults of the network: an instance's life, look-ups, moves of an address, and
 * what the store's failures do.
 *
 *	h1 --- manager --- h2          one network, 10.0.0.0/24
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "abi/format.h"
#include "model/holders.h"
#include "model/release.h"
#include "model/tx.h"
#include "world.h"

static int setup(void **state)
{
	*state = world_new(2);
	return 0;
}

/* requirement: MAP-1 */
static void an_instance_runs_once_its_host_has_confirmed(void **state)
{
	struct world *w = *state;
	char id[ID_TEXT_SIZE];

	w->agents[0].silent = true;
	world_run(w, 0, "10.0.0.4", id);
	world_settle(w);
	assert_int_equal(world_instance(w, id)->state, INSTANCE_PENDING);
	assert_int_equal(world_interface(w, id)->attachment.state, ATTACHMENT_ATTACHING);
	assert_int_equal(sim_agent_count(&w->agents[0], VIADUCT__AGENT__OBJECT__OBJECT_INTERFACE),
			 1);
	assert_int_equal(sim_agent_count(&w->agents[1], VIADUCT__AGENT__OBJECT__OBJECT_INTERFACE),
			 0);
	assert_int_equal(sim_agent_acknowledge(&w->agents[0]), 0);
	world_settle(w);
	assert_int_equal(world_instance(w, id)->state, INSTANCE_RUNNING);
	assert_int_equal(world_interface(w, id)->attachment.state, ATTACHMENT_ATTACHED);
	world_check_desired(w, 0);
	world_check_desired(w, 1);
}

/* requirement: MAP-2 */
static void only_who_hosts_the_asker_is_told(void **state)
{
	struct world *w = *state;
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];

	world_run(w, 0, "10.0.0.4", a);
	world_run(w, 1, "10.0.0.5", b);
	world_settle(w);
	world_ask(w, 0, "10.0.0.4", "10.0.0.5");
	assert_int_equal(w->agents[0].status, VIADUCT__AGENT__ANSWER__STATUS__OK);
	assert_int_equal(w->agents[0].host, w->numbers[1]);
	/* h2 does not host 10.0.0.4 and may not ask for it; nor does an address exist that nobody
	 * has. */
	world_ask(w, 1, "10.0.0.4", "10.0.0.5");
	assert_int_equal(w->agents[1].status, VIADUCT__AGENT__ANSWER__STATUS__REFUSED);
	world_ask(w, 0, "10.0.0.4", "10.0.0.77");
	assert_int_equal(w->agents[0].status, VIADUCT__AGENT__ANSWER__STATUS__REFUSED);
	assert_int_equal(agents_find(&w->manager->agents, w->numbers[1])->n_refused, 1);
}

/* requirement: MAP-3 */
static void holders_hear_of_changes_and_others_do_not(void **state)
{
	struct ipaddr addr = world_addr("10.0.0.5");
	struct world *w = *state;
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];

	world_run(w, 0, "10.0.0.4", a);
	world_run(w, 1, "10.0.0.5", b);
	world_settle(w);
	world_terminate(w, b);
	world_settle(w);
	assert_int_equal(w->agents[0].n_updates, 0); /* it never asked */
	world_run(w, 1, "10.0.0.6", b);
	world_settle(w);
	world_ask(w, 0, "10.0.0.4", "10.0.0.6");
	addr = world_addr("10.0.0.6");
	assert_non_null(sim_agent_mapping(&w->agents[0], w->vni, &addr));
	world_terminate(w, b);
	world_settle(w);
	assert_true(w->agents[0].n_updates >= 1);
	assert_null(sim_agent_mapping(&w->agents[0], w->vni, &addr));
	assert_false(holders_any(model_holders(w->manager->model), w->vni, &addr));
}

enum { MANY = UPDATES_SHARED + 3, ASKERS = 3 };

/* How many mappings the last Update said are gone. */
static void count_gone(struct sim_agent *agent, const Viaduct__Agent__Update *update)
{
	size_t *n = agent->user;

	*n = 0;
	for (size_t i = 0; i < update->n_mappings; i++)
		*n += update->mappings[i]->gone ? 1 : 0;
}

static void terminate_at_once(struct world *w, char (*ids)[ID_TEXT_SIZE], size_t n)
{
	struct instance_transition transitions[MANY];
	const char *pointers[MANY];
	struct refusal refusal = {0};
	struct tx *tx = world_begin(w);

	for (size_t i = 0; i < n; i++)
		pointers[i] = ids[i];
	assert_int_equal(instance_terminate(tx, &w->customer, pointers, n, transitions, &refusal),
			 0);
	assert_int_equal(world_end(w, tx), 0);
	world_settle(w);
}

/* Frames are packed once for hosts that are to hear the same.
 * requirement: MAP-3 */
static void each_holder_hears_of_what_it_holds(void **state)
{
	static const char *const askers[ASKERS] = {"10.0.0.4", "10.0.0.5", "10.0.0.6"};
	struct world *w = world_new(ASKERS + 1);
	char ids[MANY][ID_TEXT_SIZE], addrs[MANY][sizeof("10.0.0.100")], id[ID_TEXT_SIZE];
	size_t gone[ASKERS] = {0}, held[ASKERS];

	for (size_t i = 0; i < ASKERS; i++) {
		world_run(w, i, askers[i], id);
		w->agents[i].user = &gone[i];
		w->agents[i].on_update = count_gone;
	}
	for (size_t i = 0; i < MANY; i++) {
		snprintf(addrs[i], sizeof(addrs[i]), "10.0.0.%zu", 20 + i);
		world_run(w, ASKERS, addrs[i], ids[i]);
	}
	world_settle(w);
	/* one host holds every other, the next one the rest, the last one all but two */
	for (size_t k = 0; k < ASKERS; k++)
		for (size_t i = 0; i < MANY; i++)
			if (k == ASKERS - 1 ? i >= 2 : i % 2 == k)
				world_ask(w, k, askers[k], addrs[i]);
	/* as much for the first two, but not the same */
	terminate_at_once(w, ids, 2);
	for (size_t k = 0; k < ASKERS; k++)
		held[k] = hmap_count(&w->agents[k].mappings);
	assert_int_equal(gone[0], 1);
	assert_int_equal(gone[1], 1);
	assert_int_equal(gone[2], 0);
	assert_int_equal(held[0], (MANY + 1) / 2 - 1);
	assert_int_equal(held[1], MANY / 2 - 1);
	assert_int_equal(held[2], MANY - 2);
	/* and more than are remembered */
	terminate_at_once(w, ids + 2, MANY - 2);
	assert_int_equal(gone[ASKERS - 1], MANY - 2);
	for (size_t k = 0; k < ASKERS; k++)
		assert_int_equal(hmap_count(&w->agents[k].mappings), 0);
	assert_int_equal(holders_count(model_holders(w->manager->model)), 0);
	world_free(w);
}

/* requirement: MAP-3 */
static void an_expired_copy_is_not_pushed_to(void **state)
{
	struct world *w = *state;
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];

	world_run(w, 0, "10.0.0.4", a);
	world_run(w, 1, "10.0.0.5", b);
	world_settle(w);
	world_ask(w, 0, "10.0.0.4", "10.0.0.5");
	world_advance(w, 340000);
	assert_int_equal(holders_count(model_holders(w->manager->model)), 0);
	world_terminate(w, b);
	world_settle(w);
	assert_int_equal(w->agents[0].n_updates, 0);
}

/* Whether the address can be had by a new instance now. */
static bool address_is_free(struct world *w, const char *addr)
{
	struct interface_create_args args = {.subnet_id = w->subnet, .private_ip = addr};
	const struct interface *interface;
	struct refusal refusal = {0};
	struct tx *tx = world_begin(w);
	int r = interface_create(tx, &w->customer, &args, &interface, &refusal);

	tx_abort(tx);
	return r == 0;
}

/* requirement: MAP-3 */
static void an_address_is_not_given_away_while_a_holder_is_silent(void **state)
{
	struct world *w = *state;
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];

	world_run(w, 0, "10.0.0.4", a);
	world_run(w, 1, "10.0.0.5", b);
	world_settle(w);
	world_ask(w, 0, "10.0.0.4", "10.0.0.5");
	w->agents[0].silent = true;
	world_terminate(w, b);
	world_settle(w);
	assert_int_equal(world_instance(w, b)->state, INSTANCE_TERMINATED);
	assert_false(address_is_free(w, "10.0.0.5"));
	/* Nor does time alone help, or losing the holder. */
	world_disconnect(w, 0);
	world_advance(w, 400000);
	assert_false(address_is_free(w, "10.0.0.5"));
	w->agents[0].silent = false;
	world_connect(w, 0);
	world_advance(w, 2000);
	assert_true(address_is_free(w, "10.0.0.5"));
	assert_int_equal(release_count(w->manager->model), 0);
}

static void an_instance_that_its_host_stopped_is_stopped(void **state)
{
	struct world *w = *state;
	char id[ID_TEXT_SIZE];

	world_run(w, 0, NULL, id);
	world_settle(w);
	assert_int_equal(sim_agent_report(&w->agents[0], id, world_instance(w, id)->generation,
					  VIADUCT__AGENT__INSTANCE_STATUS__STATE__STOPPED),
			 0);
	world_settle(w);
	assert_int_equal(world_instance(w, id)->state, INSTANCE_STOPPED);
}

/* requirement: OPS-3 */
static void a_failed_commit_is_as_if_nothing_had_been_asked(void **state)
{
	struct world *w = *state;
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE], c[ID_TEXT_SIZE];
	uint64_t durable;
	size_t n_desired;

	world_run(w, 0, "10.0.0.4", a);
	world_settle(w);
	durable = journal_durable(w->manager->journal);
	n_desired = w->agents[1].n_desired;
	store_disk_fail_next(w->disk, 1, -ENOSPC);
	world_run(w, 1, "10.0.0.5", b);
	world_run(w, 1, "10.0.0.6", c);
	assert_non_null(world_instance(w, b));
	world_settle(w);
	assert_null(world_instance(w, b));
	assert_null(world_instance(w, c));
	assert_int_equal(model_revision(w->manager->model), durable);
	assert_int_equal(w->agents[1].n_desired, n_desired);
	world_ask(w, 0, "10.0.0.4", "10.0.0.5");
	assert_int_equal(w->agents[0].status, VIADUCT__AGENT__ANSWER__STATUS__REFUSED);
	/* ... and the next one works. */
	world_run(w, 1, "10.0.0.5", b);
	world_settle(w);
	assert_int_equal(world_instance(w, b)->state, INSTANCE_RUNNING);
	world_check_desired(w, 0);
	world_check_desired(w, 1);
}

/* requirement: OPS-3 */
static void a_report_whose_commit_failed_is_written_again(void **state)
{
	struct world *w = *state;
	char id[ID_TEXT_SIZE];

	w->agents[0].silent = true;
	world_run(w, 0, "10.0.0.4", id);
	world_settle(w);
	store_disk_fail_next(w->disk, 1, -EIO);
	assert_int_equal(sim_agent_acknowledge(&w->agents[0]), 0);
	world_settle(w);
	assert_int_equal(world_instance(w, id)->state, INSTANCE_PENDING);
	world_advance(w, 1500);
	assert_int_equal(world_instance(w, id)->state, INSTANCE_RUNNING);
}

/* requirement: OPS-3 */
static void look_ups_go_on_while_the_disk_hangs(void **state)
{
	struct world *w = *state;
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE], c[ID_TEXT_SIZE];

	world_run(w, 0, "10.0.0.4", a);
	world_run(w, 1, "10.0.0.5", b);
	world_settle(w);
	world_hang_disk(w, true);
	world_run(w, 1, "10.0.0.6", c);
	world_settle(w);
	world_ask(w, 0, "10.0.0.4", "10.0.0.5");
	assert_int_equal(w->agents[0].resolved_seq, 1);
	assert_int_equal(w->agents[0].status, VIADUCT__AGENT__ANSWER__STATUS__OK);
	/* What is not durable is not told: the question waits. */
	world_ask(w, 0, "10.0.0.4", "10.0.0.6");
	assert_int_equal(w->agents[0].resolved_seq, 1);
	assert_int_equal(sim_agent_count(&w->agents[1], VIADUCT__AGENT__OBJECT__OBJECT_INTERFACE),
			 1);
	world_hang_disk(w, false);
	world_settle(w);
	world_advance(w, 100);
	assert_int_equal(w->agents[0].resolved_seq, 2);
	assert_int_equal(w->agents[0].status, VIADUCT__AGENT__ANSWER__STATUS__OK);
	assert_int_equal(world_instance(w, c)->state, INSTANCE_RUNNING);
}

/* requirement: NEG-2 */
static void hosts_are_told_what_was_chosen_between_them(void **state)
{
	struct world *w = *state;
	struct sim_object *object;
	Viaduct__Agent__Object *message;
	size_t n = 0;

	hmap_for_each (object, &w->agents[0].objects, node) {
		message = viaduct__agent__object__unpack(NULL, object->size,
							 object->bytes + object->key_size);
		if (message->object_case == VIADUCT__AGENT__OBJECT__OBJECT_PEER) {
			assert_int_equal(message->peer->number, w->numbers[1]);
			assert_int_equal(message->peer->send, FORMAT_SIIT_2);
			assert_int_equal(message->peer->accept,
					 FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1));
			n++;
		}
		viaduct__agent__object__free_unpacked(message, NULL);
	}
	assert_int_equal(n, 1);
}

/* requirement: NEG-7 */
static void no_common_choice_is_told_with_its_reason(void **state)
{
	struct world *w = *state;
	struct sim_object *object;
	Viaduct__Agent__Object *message;

	w->agents[1].formats = FORMAT_BIT(FORMAT_SIIT_1);
	world_disconnect(w, 1);
	world_connect(w, 1);
	world_settle(w);
	hmap_for_each (object, &w->agents[0].objects, node) {
		message = viaduct__agent__object__unpack(NULL, object->size,
							 object->bytes + object->key_size);
		if (message->object_case == VIADUCT__AGENT__OBJECT__OBJECT_PEER) {
			assert_int_equal(message->peer->send, FORMAT_NONE);
			assert_non_null(strstr(message->peer->reason, "siit/1"));
			assert_non_null(strstr(message->peer->reason, "siit/2"));
		}
		viaduct__agent__object__free_unpacked(message, NULL);
	}
	world_check_desired(w, 0);
	world_check_desired(w, 1);
}

/* requirement: NEG-1 */
static void a_host_reports_anew_when_it_is_asked(void **state)
{
	struct world *w = *state;
	struct agent *agent = agents_find(&w->manager->agents, w->numbers[1]);

	w->agents[1].formats = FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_SIIT_2);
	assert_int_equal(sessions_ask_capabilities(agent), 0);
	world_settle(w);
	assert_int_equal(host_by_number(w->manager->model, w->numbers[1])->can.formats,
			 FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_SIIT_2));
	/* The other one is told that ipip6 is gone. */
	world_check_desired(w, 0);
	world_disconnect(w, 1);
	assert_int_equal(sessions_ask_capabilities(agent), -ENOTCONN);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_instance_runs_once_its_host_has_confirmed),
		TEST(only_who_hosts_the_asker_is_told),
		TEST(holders_hear_of_changes_and_others_do_not),
		cmocka_unit_test(each_holder_hears_of_what_it_holds),
		TEST(an_expired_copy_is_not_pushed_to),
		TEST(an_address_is_not_given_away_while_a_holder_is_silent),
		TEST(an_instance_that_its_host_stopped_is_stopped),
		TEST(a_failed_commit_is_as_if_nothing_had_been_asked),
		TEST(a_report_whose_commit_failed_is_written_again),
		TEST(look_ups_go_on_while_the_disk_hangs),
		TEST(hosts_are_told_what_was_chosen_between_them),
		TEST(no_common_choice_is_told_with_its_reason),
		TEST(a_host_reports_anew_when_it_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
