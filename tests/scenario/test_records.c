/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that move while something goes wrong: hosts that are silent, away, or cannot; a manager
 * that ends in the middle.
 *
 *	h1, h2, h3 --- manager          one network; an address goes from a node on h1 to one on h2, h3 knows it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "manager/handover.h"
#include "model/release.h"
#include "model/tx.h"
#include "world.h"

#define ADDR "10.0.0.77"

static char nodes[3][ID_TEXT_SIZE];
static struct handover handover;

static const struct interface *interface_of(struct world *w, size_t host)
{
	return world_interface(w, nodes[host]);
}

/* As an API call: commits, and notes what it takes away. */
static void submit(struct world *w, struct tx *tx)
{
	struct change *change;

	assert_int_equal(tx_end(tx, &change), 0);
	assert_non_null(change);
	handover_deinit(&handover);
	handover_note(&handover, change);
	assert_int_equal(journal_submit(w->manager->journal, change), 0);
}

static int assign(struct world *w, size_t host)
{
	const char *text = ADDR;
	char id[ID_TEXT_SIZE];
	struct interface_assign_args args = {
		.interface_id = id, .addrs = &text, .n_addrs = 1, .allow_reassignment = true};
	const struct interface *i;
	struct refusal refusal = {0};
	struct tx *tx;
	size_t n;
	int r;

	object_id_text(&interface_of(w, host)->o, id);
	tx = world_begin(w);
	r = interface_assign(tx, &w->customer, &args, &i, &n, &refusal);
	if (r)
		tx_abort(tx);
	else
		submit(w, tx);
	world_settle(w);
	return r;
}

static int setup(void **state)
{
	struct world *w = world_new(3);

	world_run(w, 0, "10.0.0.4", nodes[0]);
	world_run(w, 1, "10.0.0.5", nodes[1]);
	world_run(w, 2, "10.0.0.6", nodes[2]);
	world_settle(w);
	assert_int_equal(assign(w, 0), 0);
	world_ask(w, 2, "10.0.0.6", ADDR);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	handover_deinit(&handover);
	world_free(*state);
	return 0;
}

/* Which host is told, as part of its desired state, that the address is its. */
static bool carries(struct world *w, size_t host)
{
	struct ipaddr addr = world_addr(ADDR);
	struct sim_object *object;
	bool found = false;

	hmap_for_each (object, &w->agents[host].objects, node) {
		Viaduct__Agent__Object *message = viaduct__agent__object__unpack(
			NULL, object->size, object->bytes + object->key_size);

		if (message->object_case == VIADUCT__AGENT__OBJECT__OBJECT_INTERFACE)
			for (size_t i = 0; i < message->interface->n_addrs; i++)
				found |= !memcmp(message->interface->addrs[i].data, addr.b, 16);
		viaduct__agent__object__free_unpacked(message, NULL);
	}
	return found;
}

static uint32_t known_to(struct world *w, size_t host)
{
	struct ipaddr addr = world_addr(ADDR);
	const struct sim_mapping *m = sim_agent_mapping(&w->agents[host], w->vni, &addr);

	return m ? m->host : 0;
}

static bool is_done(struct world *w)
{
	return handover_is_done(&handover, w->manager->model);
}

/* requirement: NIC-3 */
static void when_all_acknowledge_it_is_done(void **state)
{
	struct world *w = *state;

	assert_true(carries(w, 0));
	assert_int_equal(known_to(w, 2), w->numbers[0]);
	assert_int_equal(assign(w, 1), 0);
	assert_true(is_done(w));
	assert_false(carries(w, 0));
	assert_true(carries(w, 1));
	assert_int_equal(known_to(w, 2), w->numbers[1]);
	for (size_t i = 0; i < 3; i++)
		world_check_desired(w, i);
}

/* requirement: NIC-3 */
static void a_silent_first_host_keeps_the_second_from_starting(void **state)
{
	struct world *w = *state;

	w->agents[0].silent = true;
	assert_int_equal(assign(w, 1), 0);
	world_advance(w, 6000); /* the call has returned */
	assert_false(is_done(w));
	assert_false(carries(w, 1));
	assert_int_equal(known_to(w, 2), w->numbers[0]);
	assert_int_equal(assign(w, 2), MODEL_E_ADDRESS_MOVING);
	assert_int_equal(sim_agent_acknowledge(&w->agents[0]), 0);
	world_settle(w);
	assert_true(carries(w, 1));
	assert_true(is_done(w));
	assert_int_equal(known_to(w, 2), w->numbers[1]);
}

/* requirement: NIC-3 */
static void a_first_host_that_is_away_is_waited_for(void **state)
{
	struct world *w = *state;

	world_disconnect(w, 0);
	assert_int_equal(assign(w, 1), 0);
	world_advance(w, 400000);
	assert_false(carries(w, 1));
	assert_false(is_done(w));
	world_connect(w, 0);
	world_advance(w, 2000);
	assert_false(carries(w, 0));
	assert_true(carries(w, 1));
	assert_true(is_done(w));
}

/* requirement: NIC-3 */
static void a_holder_that_is_silent_delays_the_word_and_not_the_move(void **state)
{
	struct world *w = *state;

	w->agents[2].silent = true;
	assert_int_equal(assign(w, 1), 0);
	assert_true(carries(w, 1));
	assert_false(is_done(w));
	assert_int_equal(sim_agent_acknowledge_updates(&w->agents[2]), 0);
	world_settle(w);
	assert_true(is_done(w));
}

/* requirement: NIC-3 */
static void an_operators_word_replaces_the_first_hosts(void **state)
{
	const struct caller admin = {.is_operator = true};
	struct ipaddr addr = world_addr(ADDR);
	struct world *w = *state;
	struct refusal refusal = {0};
	struct tx *tx;

	world_disconnect(w, 0);
	assert_int_equal(assign(w, 1), 0);
	tx = world_begin(w);
	assert_int_equal(release_force(tx, &admin, w->vni, &addr, &refusal), 0);
	assert_int_equal(world_end(w, tx), 0);
	world_settle(w);
	assert_true(carries(w, 1));
	assert_int_equal(known_to(w, 2), w->numbers[1]);
	/* the first comes back, and has it no more */
	world_connect(w, 0);
	world_advance(w, 2000);
	assert_false(carries(w, 0));
	world_check_desired(w, 0);
}

/* The agent says that it has applied everything but the interface of its node. */
static void acknowledge_with_failure(struct world *w, size_t host)
{
	Viaduct__Agent__ObjectKey key = VIADUCT__AGENT__OBJECT_KEY__INIT;
	Viaduct__Agent__Failure failure = VIADUCT__AGENT__FAILURE__INIT, *failures = &failure;
	Viaduct__Agent__Ack ack = VIADUCT__AGENT__ACK__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	char id[ID_TEXT_SIZE];

	object_id_text(&interface_of(w, host)->o, id);
	key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_INTERFACE_ID;
	key.interface_id = id;
	failure.key = &key;
	failure.error = ENOSPC;
	failure.text = (char *)(uintptr_t) "the data plane did not take the port";
	ack.revision = w->agents[host].revision;
	ack.n_failed = 1;
	ack.failed = &failures;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_ACK;
	frame.ack = &ack;
	assert_int_equal(session_send(w->agents[host].session, &frame), 0);
	world_settle(w);
}

/* requirement: NIC-3 */
static void a_second_host_that_cannot_gives_it_back(void **state)
{
	struct world *w = *state;

	w->agents[1].silent = true;
	assert_int_equal(assign(w, 1), 0);
	assert_true(carries(w, 1));
	acknowledge_with_failure(w, 1);
	/* taken from the second; the first waits for its word */
	assert_false(carries(w, 1));
	assert_false(carries(w, 0));
	assert_int_equal(sim_agent_acknowledge(&w->agents[1]), 0);
	world_settle(w);
	assert_true(carries(w, 0));
	assert_false(carries(w, 1));
	assert_int_equal(known_to(w, 2), w->numbers[0]);
	assert_int_equal(release_count(w->manager->model), 0);
}

/* requirement: NIC-3 MAP-1 */
static void a_manager_that_ends_in_the_middle_goes_on_where_it_was(void **state)
{
	struct world *w = *state;

	w->agents[0].silent = true;
	assert_int_equal(assign(w, 1), 0);
	world_restart_manager(w);
	assert_int_equal(release_count(w->manager->model), 1);
	for (size_t i = 1; i < 3; i++)
		world_connect(w, i);
	world_advance(w, 3000);
	assert_false(carries(w, 1));
	w->agents[0].silent = false;
	world_connect(w, 0);
	world_advance(w, 3000);
	assert_false(carries(w, 0));
	assert_true(carries(w, 1));
	assert_int_equal(known_to(w, 2), w->numbers[1]);
	assert_int_equal(release_count(w->manager->model), 0);
}

/* requirement: NIC-3 */
static void a_failed_commit_in_the_middle_is_made_good(void **state)
{
	struct world *w = *state;

	w->agents[0].silent = true;
	assert_int_equal(assign(w, 1), 0);
	/* what follows from the first host's word does not become durable at once */
	store_disk_fail_next(w->disk, 1, -EIO);
	assert_int_equal(sim_agent_acknowledge(&w->agents[0]), 0);
	world_settle(w);
	assert_false(carries(w, 1));
	world_advance(w, 2000);
	assert_true(carries(w, 1));
	assert_false(carries(w, 0));
	for (size_t i = 0; i < 3; i++)
		world_check_desired(w, i);
}

static void detach(struct world *w, const char *id)
{
	struct refusal refusal = {0};
	struct tx *tx = world_begin(w);

	assert_int_equal(interface_detach(tx, &w->customer, id, false, &refusal), 0);
	submit(w, tx);
	world_settle(w);
}

/* requirement: NIC-2 */
static void a_detach_is_done_when_host_and_holders_say_so(void **state)
{
	struct interface_create_args create = {.private_ip = "10.0.0.90"};
	char eni[ID_TEXT_SIZE], attachment[ID_TEXT_SIZE];
	struct interface_attach_args attach = {eni, nodes[0], 1, false};
	struct world *w = *state;
	struct refusal refusal = {0};
	const struct interface *i;
	const struct attachment *a;
	struct tx *tx = world_begin(w);

	create.subnet_id = w->subnet;
	assert_int_equal(interface_create(tx, &w->customer, &create, &i, &refusal), 0);
	object_id_text(&i->o, eni);
	assert_int_equal(interface_attach(tx, &w->customer, &attach, &a, &refusal), 0);
	id_text_prefixed(ID_PREFIX_ATTACHMENT, a->id, attachment);
	assert_int_equal(world_end(w, tx), 0);
	world_settle(w);
	world_ask(w, 2, "10.0.0.6", "10.0.0.90");
	assert_int_equal(w->agents[2].status, VIADUCT__AGENT__ANSWER__STATUS__OK);
	w->agents[0].silent = w->agents[2].silent = true;
	detach(w, attachment);
	assert_false(is_done(w));
	assert_int_equal(sim_agent_acknowledge(&w->agents[0]), 0);
	world_settle(w);
	assert_false(is_done(w)); /* h3 still sends there */
	assert_int_equal(sim_agent_acknowledge_updates(&w->agents[2]), 0);
	world_settle(w);
	assert_true(is_done(w));
}

/* Who was refused an address that is nowhere hears when it is somewhere, and does not hold it up
 * meanwhile. requirement: NIC-2 MAP-3 */
static void who_was_refused_is_told(void **state)
{
	struct interface_create_args create = {.private_ip = "10.0.0.90"};
	struct interface_attach_args attach = {.device_index = 1};
	char eni[ID_TEXT_SIZE], attachment[ID_TEXT_SIZE];
	struct ipaddr addr = world_addr("10.0.0.90");
	struct world *w = *state;
	struct refusal refusal = {0};
	const struct interface *i;
	const struct attachment *a;
	struct tx *tx = world_begin(w);

	create.subnet_id = w->subnet;
	attach.interface_id = eni;
	attach.instance_id = nodes[0];
	assert_int_equal(interface_create(tx, &w->customer, &create, &i, &refusal), 0);
	object_id_text(&i->o, eni);
	assert_int_equal(interface_attach(tx, &w->customer, &attach, &a, &refusal), 0);
	id_text_prefixed(ID_PREFIX_ATTACHMENT, a->id, attachment);
	assert_int_equal(world_end(w, tx), 0);
	world_settle(w);
	detach(w, attachment);
	world_ask(w, 2, "10.0.0.6", "10.0.0.90");
	assert_int_equal(w->agents[2].status, VIADUCT__AGENT__ANSWER__STATUS__REFUSED);
	attach.instance_id = nodes[1];
	tx = world_begin(w);
	assert_int_equal(interface_attach(tx, &w->customer, &attach, &a, &refusal), 0);
	assert_int_equal(world_end(w, tx), 0);
	w->agents[2].n_updates = 0;
	world_settle(w);
	assert_int_equal(w->agents[2].n_updates, 1);
	/* and of one that asks in vain no release waits */
	world_settle(w);
	i = interface_by_addr(w->manager->model, w->vni, &addr);
	id_text_prefixed(ID_PREFIX_ATTACHMENT, i->attachment.id, attachment);
	detach(w, attachment);
	world_ask(w, 0, "10.0.0.4", "10.0.0.90");
	tx = world_begin(w);
	assert_int_equal(interface_delete(tx, &w->customer, eni, &refusal), 0);
	submit(w, tx);
	world_settle(w);
	assert_int_equal(release_count(w->manager->model), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(when_all_acknowledge_it_is_done),
		TEST(a_silent_first_host_keeps_the_second_from_starting),
		TEST(a_first_host_that_is_away_is_waited_for),
		TEST(a_holder_that_is_silent_delays_the_word_and_not_the_move),
		TEST(an_operators_word_replaces_the_first_hosts),
		TEST(a_second_host_that_cannot_gives_it_back),
		TEST(a_manager_that_ends_in_the_middle_goes_on_where_it_was),
		TEST(a_failed_commit_in_the_middle_is_made_good),
		TEST(a_detach_is_done_when_host_and_holders_say_so),
		TEST(who_was_refused_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
