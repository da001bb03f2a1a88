/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies that reach pairs by a pass over them: who goes by which rules meanwhile, and what is
 * said of how far it is.  That the end is the same as when all is done at once, whatever happens in
 * between, is in test_choice_property.c.
 */
#include "model/choice_pass.h"
#include "model/choice_progress.h"

#include "model/host.h"
#include "model/pair.h"
#include "model/pair_class.h"
#include "model/pair_shift.h"
#include "tests/unit/model/cluster.h"

enum { HOSTS = 4, DIRECTIONS = HOSTS * (HOSTS - 1) };

static struct cluster c;
static char policy[ID_TEXT_SIZE];

static int setup(void **state)
{
	cluster_init_passes(&c, HOSTS, 1);
	cluster_make_network(&c);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static void make(const char *name, const char *effect, const char *what)
{
	const struct choice_policy_args args = {
		.name = name, .effect = effect, .what = &what, .n_what = 1};
	const struct choice_policy *p;

	assert_ok(cluster_end(
		&c, choice_policy_create(cluster_tx(&c), &c.admin, &args, &p, &c.refusal)));
	object_id_text(&p->o, policy);
}

static void drop(const char *name)
{
	assert_ok(
		cluster_end(&c, choice_policy_delete(cluster_tx(&c), &c.admin, name, &c.refusal)));
}

static void step(void)
{
	assert_ok(cluster_end(&c, choice_pass_step(cluster_tx(&c), 1)));
}

static enum choice_progress progress(const char *name)
{
	const struct choice_policy *p;

	assert_ok(choice_policy_find(c.m, &c.admin, name, &p, &c.refusal));
	return choice_progress_of(c.m, p);
}

static enum format wished(size_t from, size_t to, uint32_t vni)
{
	const struct pair_class class = {.vni = vni, .peer_vni = vni};
	struct wish w;

	pair_wish(c.m, host_by_number(c.m, c.hosts[from]), host_by_number(c.m, c.hosts[to]), &class,
		  &w);
	return w.send;
}

static size_t count_wished(enum format format)
{
	size_t n = 0;

	for (size_t i = 0; i < HOSTS; i++)
		for (size_t k = 0; k < HOSTS; k++)
			n += i != k && wished(i, k, 0) == format;
	return n;
}

static uint64_t applied(void)
{
	uint64_t done, all;

	choice_pass_count(c.m, &done, &all);
	assert_int_equal(all, model_count(c.m, KIND_HOST) * (model_count(c.m, KIND_HOST) - 1));
	return done;
}

static void finish_pass(void)
{
	while (choice_pass_of(c.m))
		step();
}

/* requirement: NEG-3, NEG-8 */
static void test_pairs_follow_one_after_another(void **state)
{
	size_t n = 0, n_steps = 0;

	make("no-two", "forbid", "siit/2");
	assert_int_equal(progress("no-two"), CHOICE_APPLYING);
	assert_int_equal(count_wished(FORMAT_SIIT_2), DIRECTIONS);
	assert_int_equal(applied(), 0);
	while (choice_pass_of(c.m)->phase <= CHOICE_PHASE_PAIRS) {
		size_t before = n;

		step();
		n = count_wished(FORMAT_SIIT_1);
		/* a pair in each step, both ways, and it is said */
		assert_true(n <= before + 2);
		assert_int_equal(applied(), n);
		assert_int_equal(count_wished(FORMAT_SIIT_2), DIRECTIONS - n);
		assert_int_equal(model_count(c.m, KIND_PAIR_SHIFT), n);
		assert_int_equal(progress("no-two"), CHOICE_APPLYING);
		n_steps++;
	}
	assert_int_equal(n, DIRECTIONS);
	assert_true(n_steps >= DIRECTIONS / 2);
	finish_pass();
	/* what hosts have not confirmed is not called effective */
	assert_int_equal(progress("no-two"), CHOICE_CHANGING);
	cluster_restart(&c);
	assert_int_equal(progress("no-two"), CHOICE_CHANGING);
	cluster_settle_choices(&c);
	assert_int_equal(progress("no-two"), CHOICE_EFFECTIVE);
	assert_true(choice_pass_due(c.m));
	step();
	assert_false(choice_pass_due(c.m));
	assert_int_equal(model_count(c.m, KIND_CHOICE_CHANGE), 0);
}

/* requirement: NEG-3, NEG-8 */
static void test_it_goes_on_after_a_restart(void **state)
{
	size_t n;

	make("no-two", "forbid", "siit/2");
	while (count_wished(FORMAT_SIIT_1) < DIRECTIONS / 2)
		step();
	drop("no-two"); /* waits */
	n = count_wished(FORMAT_SIIT_1);
	cluster_restart(&c);
	assert_int_equal(count_wished(FORMAT_SIIT_1), n);
	assert_int_equal(choice_progress_of_all(c.m), CHOICE_WAITING);
	while (choice_pass_of(c.m)->phase <= CHOICE_PHASE_PAIRS)
		step();
	assert_int_equal(count_wished(FORMAT_SIIT_1), DIRECTIONS);
	finish_pass();
	assert_int_equal(count_wished(FORMAT_SIIT_2), DIRECTIONS);
}

/* requirement: NEG-3 */
static void test_what_comes_meanwhile_waits_for_the_next_pass(void **state)
{
	make("no-two", "forbid", "siit/2");
	while (count_wished(FORMAT_SIIT_1) < 2)
		step();
	make("tunnels", "prefer", "vxlan");
	assert_int_equal(progress("tunnels"), CHOICE_WAITING);
	assert_int_equal(progress("no-two"), CHOICE_APPLYING);
	assert_int_equal(count_wished(FORMAT_VXLAN_1), 0);
	/* nobody has gone by it, and nothing is left of it */
	drop("tunnels");
	assert_int_equal(model_count(c.m, KIND_CHOICE_CHANGE), 1);
	make("tunnels", "prefer", "vxlan");
	while (choice_pass_of(c.m)->phase != CHOICE_PHASE_OVER)
		step();
	assert_int_equal(count_wished(FORMAT_SIIT_1), DIRECTIONS);
	step();
	assert_int_equal(progress("tunnels"), CHOICE_APPLYING);
	assert_int_equal(progress("no-two"), CHOICE_CHANGING);
	finish_pass();
	assert_int_equal(count_wished(FORMAT_VXLAN_1), DIRECTIONS);
}

/* requirement: NEG-3 */
static void test_what_is_new_goes_by_it_at_once(void **state)
{
	char vpc[ID_TEXT_SIZE];
	uint32_t vni;

	make("no-two", "forbid", "siit/2");
	c.hosts[HOSTS] =
		cluster_add_host(&c, "new", NULL, "fd00::99",
				 FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_SIIT_2), 1500);
	cluster_make_vpc(&c, "10.1.0.0/16", vpc);
	vni = cluster_vpc(&c, vpc)->vni;
	assert_int_equal(wished(0, 1, 0), FORMAT_SIIT_2);
	assert_int_equal(wished(0, 1, cluster_vpc(&c, c.vpc)->vni), FORMAT_SIIT_2);
	assert_int_equal(wished(0, HOSTS, 0), FORMAT_SIIT_1);
	assert_int_equal(wished(HOSTS, 0, 0), FORMAT_SIIT_1);
	assert_int_equal(wished(0, 1, vni), FORMAT_SIIT_1);
	finish_pass();
	/* and nothing of it changes when the pass is there */
	assert_int_equal(wished(HOSTS, 0, 0), FORMAT_SIIT_1);
	assert_int_equal(model_count(c.m, KIND_PAIR_SHIFT), DIRECTIONS);
}

/* A pass that fails leaves nothing, and the MTU leaves room for what is used before and after, from
 * the first pair on. */
/* requirement: NEG-8 */
static void test_the_mtu_comes_first_and_goes_last(void **state)
{
	char ids[HOSTS][ID_TEXT_SIZE];
	struct change *change;
	uint32_t before, narrow;

	for (size_t i = 0; i < HOSTS; i++)
		assert_ok(cluster_run(&c, c.subnet, ids[i]));
	before = cluster_vpc(&c, c.vpc)->mtu;
	make("tunnels", "prefer", "vxlan");
	assert_int_equal(cluster_vpc(&c, c.vpc)->mtu, before);
	change = cluster_end_change(&c, choice_pass_step(cluster_tx(&c), 1));
	narrow = cluster_vpc(&c, c.vpc)->mtu;
	assert_true(narrow < before);
	change_undo(change);
	assert_int_equal(cluster_vpc(&c, c.vpc)->mtu, before);
	step();
	assert_int_equal(cluster_vpc(&c, c.vpc)->mtu, narrow);
	assert_int_equal(count_wished(FORMAT_VXLAN_1), 0);
	finish_pass();
	drop("tunnels");
	while (choice_pass_of(c.m)->phase <= CHOICE_PHASE_PAIRS) {
		assert_int_equal(cluster_vpc(&c, c.vpc)->mtu, narrow);
		step();
	}
	finish_pass();
	assert_int_equal(cluster_vpc(&c, c.vpc)->mtu, before);
}

static void set_label(size_t host, const char *value)
{
	const struct tag_args label = {"site", value};
	const struct host_room_args room = {};
	const struct host *h = host_by_number(c.m, c.hosts[host]);

	assert_ok(cluster_end(
		&c, host_set(cluster_tx(&c), &c.admin, h->name, &room, &label, 1, &h, &c.refusal)));
}

static void make_about(const char *name, const struct choice_policy_args *about)
{
	static const char *const what[] = {"siit/2"};
	struct choice_policy_args args = *about;
	const struct choice_policy *p;

	args.name = name;
	args.effect = "forbid";
	args.what = what;
	args.n_what = 1;
	assert_ok(cluster_end(
		&c, choice_policy_create(cluster_tx(&c), &c.admin, &args, &p, &c.refusal)));
	finish_pass();
}

/* requirement: NEG-3, NEG-8 */
static void test_labels_reach_pairs_by_a_pass(void **state)
{
	struct tag_args site = {"site", "a"};
	size_t n = 0, steps_that_changed = 0;

	make_about("of-a-site",
		   &(struct choice_policy_args){.match.labels = &site, .match.n_labels = 1});
	assert_int_equal(count_wished(FORMAT_SIIT_1), 0);
	set_label(0, "a");
	/* it says what it is, and pairs do not go by that yet */
	assert_string_equal(object_tag(&host_by_number(c.m, c.hosts[0])->o, "site"), "a");
	assert_int_equal(choice_progress_of_all(c.m), CHOICE_APPLYING);
	assert_int_equal(count_wished(FORMAT_SIIT_1), 0);
	assert_int_equal(model_count(c.m, KIND_PAIR_SHIFT), 0);
	while (choice_pass_of(c.m)->phase <= CHOICE_PHASE_PAIRS) {
		size_t before = n;

		if (n == 2)
			cluster_restart(&c);
		step();
		n = count_wished(FORMAT_SIIT_1);
		assert_true(n <= before + 2);
		steps_that_changed += n > before;
		assert_int_equal(model_count(c.m, KIND_PAIR_SHIFT), n);
	}
	assert_int_equal(n, 2 * (HOSTS - 1));
	assert_int_equal(steps_that_changed, HOSTS - 1);
	/* what changes after that waits, however often */
	set_label(1, "a");
	set_label(0, "b");
	set_label(0, "c");
	assert_int_equal(choice_progress_of_all(c.m), CHOICE_WAITING);
	assert_int_equal(model_count(c.m, KIND_CHOICE_CHANGE), 3);
	assert_int_equal(count_wished(FORMAT_SIIT_1), 2 * (HOSTS - 1));
	assert_int_equal(wished(1, 2, 0), FORMAT_SIIT_2);
	finish_pass();
	assert_int_equal(wished(0, 1, 0), FORMAT_SIIT_1);
	assert_int_equal(wished(1, 2, 0), FORMAT_SIIT_1);
	assert_int_equal(wished(0, 2, 0), FORMAT_SIIT_2);
	assert_int_equal(choice_progress_of_all(c.m), CHOICE_CHANGING);
	cluster_settle_choices(&c);
	assert_int_equal(choice_progress_of_all(c.m), CHOICE_EFFECTIVE);
}

/* requirement: NEG-3, NEG-8 */
static void test_an_environment_reaches_pairs_by_a_pass(void **state)
{
	const uint32_t vni = cluster_vpc(&c, c.vpc)->vni;
	char ids[HOSTS][ID_TEXT_SIZE];
	size_t n = 0, n_before;

	for (size_t i = 0; i < HOSTS; i++)
		assert_ok(cluster_run(&c, c.subnet, ids[i]));
	make_about("in-production", &(struct choice_policy_args){.environment = "production"});
	cluster_settle_choices(&c);
	assert_int_equal(wished(0, 1, vni), FORMAT_SIIT_2);
	assert_ok(cluster_end(&c, vpc_set_environment(cluster_tx(&c), &c.admin, c.vpc, "production",
						      &c.refusal)));
	assert_int_equal(choice_progress_of_all(c.m), CHOICE_APPLYING);
	while (choice_pass_of(c.m)->phase <= CHOICE_PHASE_PAIRS) {
		n_before = n;
		step();
		n = 0;
		for (size_t i = 0; i < HOSTS; i++)
			for (size_t k = 0; k < HOSTS; k++)
				n += i != k && wished(i, k, vni) == FORMAT_SIIT_1;
		assert_true(n <= n_before + 2);
		/* it is about the network alone */
		assert_int_equal(count_wished(FORMAT_SIIT_1), 0);
	}
	assert_int_equal(n, DIRECTIONS);
	finish_pass();
	cluster_settle_choices(&c);
	assert_int_equal(choice_progress_of_all(c.m), CHOICE_EFFECTIVE);
	assert_int_equal(wished(0, 1, vni), FORMAT_SIIT_1);
	/* and back, as its tag says */
	assert_ok(cluster_end(
		&c, vpc_set_environment(cluster_tx(&c), &c.admin, c.vpc, "", &c.refusal)));
	assert_int_equal(wished(0, 1, vni), FORMAT_SIIT_1);
	finish_pass();
	assert_int_equal(wished(0, 1, vni), FORMAT_SIIT_2);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pairs_follow_one_after_another),
		TEST(test_it_goes_on_after_a_restart),
		TEST(test_what_comes_meanwhile_waits_for_the_next_pass),
		TEST(test_what_is_new_goes_by_it_at_once),
		TEST(test_the_mtu_comes_first_and_goes_last),
		TEST(test_labels_reach_pairs_by_a_pass),
		TEST(test_an_environment_reaches_pairs_by_a_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
