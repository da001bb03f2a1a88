/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the manager does by itself goes in stretches, one in a turn of the loop, so that nobody who
 * asks it something waits for all of it: what a host confirms of many others, what it reports that
 * all others go by, and a policy on its way to all of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "manager/intake.h"
#include "manager/manager.h"
#include "model/choice_pass.h"
#include "model/choice_progress.h"
#include "model/choice_policy.h"
#include "model/host.h"
#include "model/pair.h"
#include "model/pair_shift.h"
#include "model/tx.h"
#include "store/store_memory.h"

enum {
	HOSTS_MAX = LIMIT_INTAKE_TURN_STEPS + 40,
	FEW_HOSTS = 40, /* too many for a policy to be applied at once */
	HOSTS_IN_RACK = 200,
	TURNS = 100000, /* many more than any of it takes */
};

#define BOTH (FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_SIIT_2))

struct fixture {
	struct clock clock;
	struct loop *loop;
	struct store_disk *disk;
	struct manager *manager;
	size_t n_hosts;
	uint32_t numbers[HOSTS_MAX];
};

static const struct caller the_operator = {.is_operator = true};

static void fill(void *data, void *ret, size_t size)
{
	static uint64_t state = 42;

	for (size_t i = 0; i < size; i++) {
		state = state * 6364136223846793005 + 1442695040888963407;
		((uint8_t *)ret)[i] = (uint8_t)(state >> 56);
	}
}

static void report(struct fixture *f, struct tx *tx, size_t i, uint32_t formats)
{
	const struct capabilities can = {.formats = formats, .substrate_mtu = 1500, .probed_ms = 1};
	struct refusal refusal;

	assert_int_equal(host_report(tx, f->numbers[i], &can, &refusal), 0);
}

static struct tx *begin(struct fixture *f)
{
	struct tx *tx;

	assert_int_equal(tx_begin(f->manager->model, clock_wall_ms(&f->clock), &tx), 0);
	return tx;
}

static void end(struct fixture *f, struct tx *tx)
{
	assert_int_equal(manager_submit(f->manager, tx), 0);
	journal_drain(f->manager->journal);
}

static void add_hosts(struct fixture *f)
{
	for (size_t i = 0; i < f->n_hosts; i++) {
		struct tx *tx = begin(f);
		const struct host *host;
		struct refusal refusal;
		char name[32], v6[32];
		uint32_t rack = 1 + (uint32_t)i / HOSTS_IN_RACK;
		struct host_add_args args = {.name = name, .v6 = v6, .rack = &rack};

		snprintf(name, sizeof(name), "h%zu", i + 1);
		snprintf(v6, sizeof(v6), "fd00::%zx", i + 1);
		assert_int_equal(host_add(tx, &the_operator, &args, &host, &refusal), 0);
		f->numbers[i] = host->number;
		report(f, tx, i, BOTH);
		while (host_report_due(f->manager->model))
			assert_int_equal(host_report_step(tx, SIZE_MAX), 0);
		end(f, tx);
	}
}

/* 'at_once': so many directions, of reports and policies; 0: as many as always. */
static int setup(void **state, size_t n_hosts, size_t at_once)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct manager_config config = {.lease_seconds = 300};
	struct model_config model = {
		.region = "us-east-1", .ids.fill = fill, .choice_at_once = at_once};

	clock_init_manual(&f->clock, CLOCK_NS_PER_S, 1000000);
	assert_int_equal(loop_new(&f->clock, &f->loop), 0);
	assert_int_equal(prefix_parse("fd56:6961::/32", &model.organisation), 0);
	assert_int_equal(model_new(&model, &config.model), 0);
	assert_int_equal(store_disk_new(&f->disk), 0);
	assert_int_equal(store_memory_open(f->disk, &config.store), 0);
	config.loop = f->loop;
	assert_int_equal(manager_new(&config, &f->manager), 0);
	f->n_hosts = n_hosts;
	add_hosts(f);
	*state = f;
	return 0;
}

static int setup_many(void **state)
{
	return setup(state, HOSTS_MAX, 0);
}

static int setup_many_in_steps(void **state)
{
	return setup(state, HOSTS_MAX, 1);
}

static int setup_few(void **state)
{
	return setup(state, FEW_HOSTS, 0);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	manager_free(f->manager);
	store_disk_free(f->disk);
	loop_free(f->loop);
	free(f);
	return 0;
}

/* One turn makes one change at most. */
static void turn(struct fixture *f)
{
	uint64_t before = model_revision(f->manager->model);

	assert_int_equal(loop_turn(f->loop, 1), 0);
	assert_true(model_revision(f->manager->model) <= before + 1);
}

/* As if its agent had said so in a session. */
static void confirm(struct fixture *f, size_t i)
{
	struct agent *agent = agents_find(&f->manager->agents, f->numbers[i]);
	Viaduct__Agent__Ack ack = VIADUCT__AGENT__ACK__INIT;

	ack.revision = agent->sent = journal_durable(f->manager->journal);
	intake_ack(f->manager, agent, &ack);
}

static size_t waiting_for(const struct fixture *f, size_t i)
{
	return model_group_count(f->manager->model, REL_HOST_WAITING_RECEIVERS, f->numbers[i]);
}

/* requirement: NEG-8 */
static void test_what_one_host_confirms_takes_several_turns(void **state)
{
	struct fixture *f = *state;
	struct tx *tx = begin(f);
	size_t n_turns = 0, n_that_did = 0;

	report(f, tx, 0, FORMAT_BIT(FORMAT_SIIT_1));
	end(f, tx);
	assert_int_equal(waiting_for(f, 0), f->n_hosts - 1);
	confirm(f, 0);
	while (waiting_for(f, 0)) {
		size_t before = waiting_for(f, 0), did;

		assert_true(n_turns++ < TURNS);
		turn(f);
		did = before - waiting_for(f, 0);
		assert_true(did <= LIMIT_INTAKE_TURN_STEPS);
		n_that_did += did > 0;
	}
	assert_int_equal(n_that_did, 2);
}

/* requirement: NEG-3, NEG-8 */
static void test_a_pass_and_confirmations_take_turns(void **state)
{
	static const char *const what[] = {"siit/1"};
	const struct choice_policy_args args = {
		.name = "pin", .effect = "pin", .what = what, .n_what = 1};
	struct fixture *f = *state;
	const struct choice_policy *made;
	struct tx *tx = begin(f);
	size_t n_turns = 0, n_confirmed = 0;
	struct refusal refusal;

	assert_int_equal(choice_policy_create(tx, &the_operator, &args, &made, &refusal), 0);
	end(f, tx);
	assert_non_null(choice_pass_of(f->manager->model));
	while (choice_progress_of_all(f->manager->model) != CHOICE_EFFECTIVE) {
		struct model *m = f->manager->model;

		assert_true(n_turns++ < TURNS);
		turn(f);
		for (size_t i = 0; i < f->n_hosts; i++)
			if (host_waits(m, f->numbers[i], journal_durable(f->manager->journal))) {
				n_confirmed += choice_pass_of(m) != NULL;
				confirm(f, i);
			}
		if (!choice_pass_of(m) && !(n_turns % 16))
			assert_int_equal(loop_advance(f->loop, CLOCK_NS_PER_S), 0);
	}
	/* the pass did not have all turns for itself */
	assert_true(n_confirmed);
	assert_int_equal(model_count(f->manager->model, KIND_PAIR_SHIFT), 0);
}

/* As its agent says it. */
static void say_formats(struct fixture *f, size_t i, uint32_t formats)
{
	Viaduct__Agent__Capabilities can = VIADUCT__AGENT__CAPABILITIES__INIT;

	can.formats = formats;
	can.substrate_mtu = 1500;
	can.probed_at = 1;
	intake_capabilities(f->manager, agents_find(&f->manager->agents, f->numbers[i]), &can);
}

static uint32_t formats_of(const struct fixture *f, size_t i)
{
	return host_by_number(f->manager->model, f->numbers[i])->can.formats;
}

/* How many others the host wishes to send to in the format. */
static size_t count_wished(const struct fixture *f, size_t i, enum format format)
{
	const struct model *m = f->manager->model;
	size_t n = 0;

	for (size_t k = 0; k < f->n_hosts; k++) {
		struct wish w;

		if (k == i)
			continue;
		pair_wish(m, host_by_number(m, f->numbers[i]), host_by_number(m, f->numbers[k]),
			  &pair_all, &w);
		n += w.send == format;
	}
	return n;
}

/* Turns until what the host has reported has reached all pairs; returns in how many it did some. */
static size_t let_reach_all(struct fixture *f, size_t i)
{
	size_t n_turns = 0, n_that_did = 0;

	while (host_is_changing(f->manager->model, f->numbers[i])) {
		size_t before = model_count(f->manager->model, KIND_PAIR_SHIFT), after, did;

		assert_true(n_turns++ < TURNS);
		turn(f);
		after = model_count(f->manager->model, KIND_PAIR_SHIFT);
		/* they begin, or turn back */
		did = after > before ? after - before : before - after;
		/* a pair more where a stretch ends */
		assert_true(did <= LIMIT_MODEL_CHOICE_STEP + 2);
		n_that_did += did > 0;
	}
	return n_that_did;
}

/* requirement: NEG-1, NEG-8 */
static void test_what_one_host_reports_takes_several_turns(void **state)
{
	struct fixture *f = *state;

	say_formats(f, 0, FORMAT_BIT(FORMAT_SIIT_1));
	turn(f);
	assert_int_equal(formats_of(f, 0), FORMAT_BIT(FORMAT_SIIT_1));
	assert_int_equal(count_wished(f, 0, FORMAT_SIIT_2), f->n_hosts - 1);
	assert_int_equal(let_reach_all(f, 0), 3);
	assert_int_equal(count_wished(f, 0, FORMAT_SIIT_1), f->n_hosts - 1);
}

/* requirement: NEG-1, NEG-8 */
static void test_a_report_waits_for_the_one_before(void **state)
{
	struct fixture *f = *state;
	size_t n_turns = 0;

	say_formats(f, 0, FORMAT_BIT(FORMAT_SIIT_1));
	while (!count_wished(f, 0, FORMAT_SIIT_1)) {
		assert_true(n_turns++ < TURNS);
		turn(f);
	}
	/* two more in the middle, of which the last one counts */
	say_formats(f, 0, FORMAT_BIT(FORMAT_VXLAN_1));
	say_formats(f, 0, BOTH);
	turn(f);
	assert_true(host_is_changing(f->manager->model, f->numbers[0]));
	assert_int_equal(formats_of(f, 0), FORMAT_BIT(FORMAT_SIIT_1));
	while (formats_of(f, 0) != BOTH) {
		assert_true(n_turns++ < TURNS);
		turn(f);
	}
	/* nobody had to do what was left of the first one at once */
	let_reach_all(f, 0);
	assert_int_equal(count_wished(f, 0, FORMAT_SIIT_2), f->n_hosts - 1);
}

/* The host is removed in the middle, while its next report waits. */
/* requirement: NEG-8 */
static void test_a_host_that_goes_in_the_middle(void **state)
{
	struct fixture *f = *state;
	size_t n_turns = 0;
	struct refusal refusal;
	struct tx *tx;

	say_formats(f, 0, FORMAT_BIT(FORMAT_SIIT_1));
	while (!count_wished(f, 0, FORMAT_SIIT_1)) {
		assert_true(n_turns++ < TURNS);
		turn(f);
	}
	say_formats(f, 0, BOTH);
	tx = begin(f);
	assert_int_equal(host_remove(tx, &the_operator, "h1", false, &refusal), 0);
	end(f, tx);
	assert_false(host_report_due(f->manager->model));
	assert_int_equal(model_count(f->manager->model, KIND_PAIR_SHIFT), 0);
	assert_null(agents_find(&f->manager->agents, f->numbers[0]));
	assert_true(list_empty(&f->manager->news));
	assert_int_equal(loop_settle(f->loop), 0);
}

static const struct choice_policy *pin(struct fixture *f, const char *replaced, const char *what)
{
	const struct choice_policy_args args = {
		.name = "pin", .effect = "pin", .what = &what, .n_what = 1};
	const struct choice_policy *made;
	struct refusal refusal;
	struct tx *tx = begin(f);

	assert_int_equal(replaced ? choice_policy_replace(tx, &the_operator, replaced, &args, &made,
							  &refusal)
				  : choice_policy_create(tx, &the_operator, &args, &made, &refusal),
			 0);
	end(f, tx);
	return made;
}

/* Until the pass has gone over some pairs, and not over others. */
static void turn_to_the_middle(struct fixture *f)
{
	uint64_t done = 0, all = 0;
	size_t n_turns = 0;

	while (!done) {
		assert_true(n_turns++ < TURNS);
		turn(f);
		choice_pass_count(f->manager->model, &done, &all);
	}
	assert_true(choice_pass_of(f->manager->model) && done < all);
}

static void settle_choices(struct fixture *f)
{
	size_t n_turns = 0;

	while (choice_progress_of_all(f->manager->model) != CHOICE_EFFECTIVE ||
	       model_count(f->manager->model, KIND_PAIR_SHIFT)) {
		assert_true(n_turns++ < TURNS);
		turn(f);
		for (size_t i = 0; i < f->n_hosts; i++)
			if (host_waits(f->manager->model, f->numbers[i],
				       journal_durable(f->manager->journal)))
				confirm(f, i);
		if (!(n_turns % 16))
			assert_int_equal(loop_advance(f->loop, CLOCK_NS_PER_S), 0);
	}
}

/* requirement: NEG-3, NEG-8 */
static void test_a_policy_is_replaced_or_deleted_in_the_middle_of_its_pass(void **state)
{
	struct fixture *f = *state;
	struct refusal refusal;
	struct tx *tx;

	pin(f, NULL, "siit/1");
	turn_to_the_middle(f);
	pin(f, "pin", "siit/2");
	settle_choices(f);
	for (size_t i = 0; i < f->n_hosts; i++)
		assert_int_equal(count_wished(f, i, FORMAT_SIIT_2), f->n_hosts - 1);
	pin(f, "pin", "siit/1");
	turn_to_the_middle(f);
	tx = begin(f);
	assert_int_equal(choice_policy_delete(tx, &the_operator, "pin", &refusal), 0);
	end(f, tx);
	settle_choices(f);
	for (size_t i = 0; i < f->n_hosts; i++)
		assert_int_equal(count_wished(f, i, FORMAT_SIIT_2), f->n_hosts - 1);
	assert_null(choice_pass_of(f->manager->model));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_one_host_confirms_takes_several_turns,
						setup_many, teardown),
		cmocka_unit_test_setup_teardown(test_a_pass_and_confirmations_take_turns, setup_few,
						teardown),
		cmocka_unit_test_setup_teardown(test_what_one_host_reports_takes_several_turns,
						setup_many_in_steps, teardown),
		cmocka_unit_test_setup_teardown(test_a_report_waits_for_the_one_before,
						setup_many_in_steps, teardown),
		cmocka_unit_test_setup_teardown(test_a_host_that_goes_in_the_middle,
						setup_many_in_steps, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_policy_is_replaced_or_deleted_in_the_middle_of_its_pass, setup_few,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
