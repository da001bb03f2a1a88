/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses after a restart of the manager: who may still hold their mappings is not known at
 * first. */
#include "model/release.h"

#include "tests/unit/model/cluster.h"

static struct cluster c;

static int setup(void **state)
{
	cluster_init_network(&c, 2);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static void run_and_terminate(void)
{
	char id[ID_TEXT_SIZE];

	host_set_connected(c.m, c.hosts[0], true);
	assert_ok(cluster_run(&c, c.subnet, id));
	cluster_acknowledge(&c);
	assert_ok(cluster_transition(&c, instance_terminate, id));
	cluster_acknowledge(&c);
}

static size_t settle(void)
{
	size_t n;

	assert_ok(cluster_end(&c, release_settle(cluster_tx(&c), &n)));
	return n;
}

/* requirement: MAP-3 */
static void test_an_address_waits_until_all_hosts_have_spoken(void **state)
{
	run_and_terminate();
	assert_int_equal(release_count(c.m), 0); /* nobody held it */
	cluster_restart(&c);
	run_and_terminate();
	assert_int_equal(release_count(c.m), 1);
	release_host_known(c.m, c.hosts[0]);
	assert_int_equal(settle(), 0);
	release_host_known(c.m, c.hosts[1]);
	assert_int_equal(settle(), 1);
	run_and_terminate();
	assert_int_equal(release_count(c.m), 0);
}

static void test_releases_survive_a_restart(void **state)
{
	const struct object *o;
	struct model_iter it;

	cluster_restart(&c);
	run_and_terminate();
	cluster_restart(&c);
	assert_int_equal(release_count(c.m), 1);
	it = model_iter_kind(c.m, KIND_RELEASE);
	o = model_iter_next(&it);
	assert_false(release_is_settled(c.m, (const struct release *)o));
	release_host_known(c.m, c.hosts[0]);
	release_host_known(c.m, c.hosts[1]);
	assert_true(release_is_settled(c.m, (const struct release *)o));
	assert_int_equal(settle(), 1);
}

static void test_a_host_that_never_came_holds_nothing(void **state)
{
	struct host_add_args args = {.name = "never", .v6 = "fd00::99"};
	const struct host *h;

	assert_ok(cluster_end(&c, host_add(cluster_tx(&c), &c.admin, &args, &h, &c.refusal)));
	cluster_restart(&c);
	release_host_known(c.m, c.hosts[0]);
	release_host_known(c.m, c.hosts[1]);
	run_and_terminate();
	assert_int_equal(release_count(c.m), 0);
}

static void test_an_address_that_never_was_anywhere_is_free_at_once(void **state)
{
	char id[ID_TEXT_SIZE];

	cluster_restart(&c);
	assert_ok(cluster_make_interface(&c, c.subnet, "10.0.0.9", id));
	assert_ok(cluster_end(&c, interface_delete(cluster_tx(&c), &c.me, id, &c.refusal)));
	assert_ok(cluster_make_interface(&c, c.subnet, "10.0.0.9", id));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_address_waits_until_all_hosts_have_spoken),
		TEST(test_releases_survive_a_restart),
		TEST(test_a_host_that_never_came_holds_nothing),
		TEST(test_an_address_that_never_was_anywhere_is_free_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
