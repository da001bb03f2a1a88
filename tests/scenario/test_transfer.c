/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An attached interface goes to another instance in one call while somebody talks to it, with whole
 * agents on the fake data plane; and what becomes of it when something fails on the way.
 *
 *	a on h1, b on h2, c on h3 --- manager       c sends to the interface, which a has and b gets
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster.h"
#include "manager/handover.h"
#include "model/interface.h"
#include "model/tx.h"

#define ADDR "10.0.0.77"

enum {
	EVERY_MS = 100, /* c sends: the world's time goes in such steps */
	STEP_MS = 1000, /* of a slow driver */
};

struct transfer {
	struct cluster c;
	struct cluster_node nodes[3];
	char eni[ID_TEXT_SIZE];
	struct handover handover;
	uint32_t n_sent, n_got[2];
};

static const struct interface *interface_of(const struct transfer *t)
{
	uint64_t id;

	assert_int_equal(id_parse(KIND_INTERFACE, t->eni, &id), 0);
	return (const struct interface *)model_get(t->c.w->manager->model, KIND_INTERFACE, id);
}

static void attach(struct transfer *t, size_t node)
{
	struct interface_attach_args args = {t->eni, t->nodes[node].id, 1, true};
	struct tx *tx = world_begin(t->c.w);
	struct refusal refusal = {0};
	const struct attachment *a;
	struct change *change;

	assert_int_equal(interface_attach(tx, &t->c.w->customer, &args, &a, &refusal), 0);
	assert_int_equal(tx_end(tx, &change), 0);
	handover_deinit(&t->handover);
	handover_note(&t->handover, change);
	assert_int_equal(journal_submit(t->c.w->manager->journal, change), 0);
	world_settle(t->c.w);
}

static bool is_done(const struct transfer *t)
{
	return handover_is_done(&t->handover, t->c.w->manager->model);
}

/* All is as if it had always been with that node. */
static bool is_at(const struct transfer *t, size_t node)
{
	const struct interface *i = interface_of(t);
	char id[ID_TEXT_SIZE];

	return interface_attachment_count(i) == 1 && i->attachment.state == ATTACHMENT_ATTACHED &&
	       !strcmp(id_text(KIND_INSTANCE, i->attachment.instance, id), t->nodes[node].id);
}

/* The node gets the packet that was sent last; nobody has got an earlier one again. */
static bool gets(struct transfer *t, size_t node)
{
	uint32_t number;
	bool got = false;

	if (!scenario_host_has_port(t->c.hosts[node], t->eni))
		return false;
	while ((number = scenario_host_receive(t->c.hosts[node], t->eni))) {
		assert_int_equal(number, t->n_sent);
		assert_false(got);
		got = true;
	}
	t->n_got[node] += got;
	return got;
}

/* One packet: whoever gets it is the only one. */
static void say(struct transfer *t)
{
	bool first, second;

	scenario_host_send(t->c.hosts[2], t->nodes[2].eni, "10.0.0.6", ADDR, ++t->n_sent, NULL);
	world_settle(t->c.w);
	first = gets(t, 0);
	second = gets(t, 1);
	assert_false(first && second);
}

/* For so long a packet after another, each of which somebody gets. */
static void talk(struct transfer *t, unsigned int ms)
{
	const uint32_t sent = t->n_sent, got = t->n_got[0] + t->n_got[1];

	for (unsigned int at = 0; at < ms; at += EVERY_MS) {
		say(t);
		world_advance(t->c.w, EVERY_MS);
	}
	assert_int_equal(t->n_got[0] + t->n_got[1] - got, t->n_sent - sent);
}

static void assert_talks_to(struct transfer *t, size_t node)
{
	const uint32_t got = t->n_got[node], sent = t->n_sent;

	talk(t, 5 * EVERY_MS);
	assert_int_equal(t->n_got[node] - got, t->n_sent - sent);
}

static int setup(void **state)
{
	static const char *const addrs[] = {"10.0.0.4", "10.0.0.5", "10.0.0.6"};
	struct transfer *t = calloc(1, sizeof(*t));
	struct interface_create_args args = {.private_ip = ADDR};
	struct refusal refusal = {0};
	const struct interface *i;
	struct tx *tx;

	assert_non_null(t);
	cluster_init(&t->c, 3, NULL, NULL);
	for (size_t n = 0; n < 3; n++)
		cluster_run(&t->c, n, addrs[n], &t->nodes[n]);
	args.subnet_id = t->c.w->subnet;
	tx = world_begin(t->c.w);
	assert_int_equal(interface_create(tx, &t->c.w->customer, &args, &i, &refusal), 0);
	object_id_text(&i->o, t->eni);
	assert_int_equal(world_end(t->c.w, tx), 0);
	world_settle(t->c.w);
	attach(t, 0);
	assert_true(is_at(t, 0));
	assert_talks_to(t, 0);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct transfer *t = *state;

	handover_deinit(&t->handover);
	cluster_deinit(&t->c);
	free(t);
	return 0;
}

/* However long the new node takes, the old one has it until the new one is ready.  requirement:
 * NIC-3 */
static void no_packet_is_lost(void **state)
{
	struct transfer *t = *state;

	for (size_t to = 1; to <= 2; to++) {
		size_t node = to % 2;

		scenario_host_slow(t->c.hosts[node], STEP_MS);
		attach(t, node);
		assert_false(is_done(t));
		assert_talks_to(t, !node);
		talk(t, 10 * STEP_MS);
		assert_true(is_done(t));
		assert_true(is_at(t, node));
		assert_talks_to(t, node);
		/* the other one's device has gone */
		assert_false(scenario_host_has_port(t->c.hosts[!node], t->eni));
	}
}

/* requirement: NIC-3 */
static void a_node_that_cannot_have_it_does_not_get_it(void **state)
{
	struct transfer *t = *state;

	scenario_host_slow(t->c.hosts[1], STEP_MS);
	fake_fail_prepare(t->c.substrate, scenario_host_name(t->c.hosts[1]), -EPERM);
	attach(t, 1);
	talk(t, 10 * STEP_MS);
	assert_true(is_done(t));
	assert_true(is_at(t, 0));
	assert_talks_to(t, 0);
	fake_fail_prepare(t->c.substrate, scenario_host_name(t->c.hosts[1]), 0);
	attach(t, 1);
	talk(t, 10 * STEP_MS);
	assert_true(is_at(t, 1));
}

/* requirement: NIC-3 */
static void a_new_host_that_goes_away_leaves_it_where_it_is(void **state)
{
	struct transfer *t = *state;

	scenario_host_slow(t->c.hosts[1], STEP_MS);
	attach(t, 1);
	scenario_host_kill(t->c.hosts[1]);
	talk(t, 2000);
	assert_false(is_done(t));
	talk(t, 20000);
	assert_true(is_done(t));
	assert_true(is_at(t, 0));
	/* it does not remember it when it is back */
	scenario_host_start(t->c.hosts[1]);
	talk(t, 5000);
	assert_true(is_at(t, 0));
	assert_talks_to(t, 0);
}

/* Its node may talk to its network as long as its agent says nothing.  requirement: NIC-3, OPS-3 */
static void an_old_host_that_goes_away_is_waited_for(void **state)
{
	struct transfer *t = *state;

	scenario_host_slow(t->c.hosts[1], STEP_MS);
	attach(t, 1);
	scenario_host_kill(t->c.hosts[0]);
	for (int n = 0; n < 100; n++) {
		scenario_host_send(t->c.hosts[2], t->nodes[2].eni, "10.0.0.6", ADDR, ++t->n_sent,
				   NULL);
		world_advance(t->c.w, 300);
		assert_false(gets(t, 1));
	}
	assert_false(is_done(t));
	assert_int_equal(interface_of(t)->attachment.state, ATTACHMENT_DETACHING);
	scenario_host_start(t->c.hosts[0]);
	world_advance(t->c.w, 10000);
	assert_true(is_done(t));
	assert_true(is_at(t, 1));
	assert_talks_to(t, 1);
}

/* What was begun is in the store.  requirement: NIC-3, OPS-3 */
static void a_manager_that_restarts_goes_on(void **state)
{
	struct transfer *t = *state;

	scenario_host_slow(t->c.hosts[1], STEP_MS);
	attach(t, 1);
	world_restart_manager(t->c.w);
	talk(t, 20000);
	assert_true(is_at(t, 1));
	assert_talks_to(t, 1);
}

/* Two hosts report it meanwhile, of which one carries it.  requirement: NIC-3, OPS-4 */
static void what_it_carries_is_counted_once(void **state)
{
	struct transfer *t = *state;
	struct usage usage = {0};

	scenario_host_slow(t->c.hosts[1], 15 * STEP_MS);
	attach(t, 1);
	for (int n = 0; n < 100; n++) {
		say(t);
		world_advance(t->c.w, 1000);
	}
	assert_true(is_at(t, 1));
	assert_true(metering_get(t->c.w->manager, interface_of(t)->o.id, &usage));
	assert_true(usage.sum.rx_packets > t->n_sent / 2);
	assert_true(usage.sum.rx_packets <= t->n_sent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SCENARIO(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		SCENARIO(no_packet_is_lost),
		SCENARIO(a_node_that_cannot_have_it_does_not_get_it),
		SCENARIO(a_new_host_that_goes_away_leaves_it_where_it_is),
		SCENARIO(an_old_host_that_goes_away_is_waited_for),
		SCENARIO(a_manager_that_restarts_goes_on),
		SCENARIO(what_it_carries_is_counted_once),
#undef SCENARIO
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
