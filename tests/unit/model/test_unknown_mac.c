/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of frames to MACs that were not handed out: who says so, and which hosts hear it. */
#include "model/unknown_mac.h"

#include "model/tag.h"
#include "tests/unit/model/cluster.h"
#include "tests/unit/model/sinks.h"

static struct cluster c;

static int setup(void **state)
{
	char node[ID_TEXT_SIZE];

	cluster_init_network(&c, 2);
	for (int i = 0; i < 4; i++)
		assert_ok(cluster_run(&c, c.subnet, node));
	cluster_acknowledge(&c);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static int set(const struct caller *who, const char *text)
{
	return cluster_end(&c, unknown_mac_set(cluster_tx(&c), who, c.vpc, text, &c.refusal));
}

static int tag(const char *value)
{
	const char *id = c.vpc;
	struct tag_args args = {UNKNOWN_MAC_TAG, value};

	return cluster_end(&c, tag_create(cluster_tx(&c), &c.me, &id, 1, &args, 1, &c.refusal));
}

static bool resolved(void)
{
	return unknown_mac_is_resolved(cluster_vpc(&c, c.vpc));
}

/* requirement: PKT-1 */
static void test_the_owner_and_operators_say_it(void **state)
{
	assert_false(resolved());
	assert_string_equal(unknown_mac_text(cluster_vpc(&c, c.vpc)), "refuse");
	assert_int_equal(set(&c.stranger, "resolve"), MODEL_E_VPC_NOT_FOUND);
	assert_ok(set(&c.me, "resolve"));
	assert_true(resolved());
	assert_string_equal(unknown_mac_text(cluster_vpc(&c, c.vpc)), "resolve");
	assert_int_equal(set(&c.admin, "perhaps"), MODEL_E_VALUE);
	assert_non_null(strstr(c.refusal.message, "\"resolve\" or \"refuse\""));
	assert_true(resolved());
	cluster_restart(&c);
	assert_true(resolved());
	assert_ok(set(&c.admin, "refuse"));
	assert_false(resolved());
	assert_ok(tag("resolve"));
	assert_true(resolved());
	assert_ok(tag("refuse"));
	assert_false(resolved());
	assert_int_equal(tag(""), MODEL_E_VALUE);
}

/* requirement: PKT-1 */
static void test_hosts_hear_it_with_the_interfaces(void **state)
{
	struct sink_script script = {0};
	struct sink_hosts hosts = {0};
	struct change *change;

	sink_hosts_load(&hosts, c.m);
	for (int resolve = 1; resolve >= 0; resolve--) {
		change = cluster_end_change(&c, unknown_mac_set(cluster_tx(&c), &c.me, c.vpc,
								resolve ? "resolve" : "refuse",
								&c.refusal));
		sink_script_record(&script, c.m, change);
		change_free(change);
		assert_int_equal(script.n, 4);
		for (size_t i = 0; i < script.n; i++)
			assert_non_null(strstr(script.items[i].content,
					       resolve ? "resolves 1" : "resolves 0"));
		sink_hosts_play(&hosts, &script);
		sink_hosts_check(&hosts, c.m);
		sink_script_deinit(&script);
	}
	sink_hosts_deinit(&hosts);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_owner_and_operators_say_it),
		TEST(test_hosts_hear_it_with_the_interfaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
