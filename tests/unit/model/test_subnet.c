/* SPDX-License-Identifier: Apache-2.0 */
/* Subnets: where they may lie, their zones, and how many addresses they have left. */
#include "model/subnet.h"

#include <stdio.h>

#include "base/str.h"
#include "model/subnet_router.h"
#include "model/zone.h"
#include "tests/unit/model/cluster.h"

static struct cluster c;

static int setup(void **state)
{
	cluster_init_network(&c, 1);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static int create(const char *cidr, const char *zone, const struct subnet **ret)
{
	struct subnet_create_args args = {.vpc_id = c.vpc, .cidr = cidr, .zone = zone};

	return cluster_end(&c, subnet_create(cluster_tx(&c), &c.me, &args, ret, &c.refusal));
}

/* requirement: OPS-1 */
static void test_where_a_subnet_may_lie(void **state)
{
	static const struct {
		const char *cidr;
		int result;
	} rows[] = {
		{"10.0.1.0/24", 0},
		{"10.0.1.128/25", MODEL_E_SUBNET_CONFLICT},
		{"10.0.0.0/16", MODEL_E_SUBNET_CONFLICT},
		{"10.0.0.0/28", MODEL_E_SUBNET_CONFLICT},
		{"10.0.2.0/28", 0},
		{"10.0.2.16/28", 0},
		{"10.0.2.8/28", MODEL_E_SUBNET_CONFLICT},
		{"10.0.3.0/29", MODEL_E_SUBNET_RANGE},
		{"10.1.0.0/24", MODEL_E_SUBNET_RANGE},
		{"10.0.0.0/15", MODEL_E_SUBNET_RANGE},
		{"192.168.0.0/24", MODEL_E_SUBNET_RANGE},
		{"x", MODEL_E_VALUE},
		{NULL, MODEL_E_MISSING},
	};
	const struct subnet *s;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (create(rows[i].cidr, NULL, &s) != rows[i].result)
			fail_msg("%s: %s", rows[i].cidr, c.refusal.message);
}

static void test_zones(void **state)
{
	const struct subnet *s;
	char id[ZONE_ID_SIZE];

	assert_ok(create("10.0.1.0/24", NULL, &s));
	assert_string_equal(s->zone, "us-east-1a");
	assert_ok(create("10.0.2.0/24", "us-east-1c", &s));
	assert_string_equal(s->zone, "us-east-1c");
	assert_ok(create("10.0.3.0/24", "use1-az2", &s));
	assert_string_equal(s->zone, "us-east-1b");
	assert_int_equal(create("10.0.4.0/24", "us-east-1d", &s), MODEL_E_VALUE);
	assert_int_equal(create("10.0.4.0/24", "us-west-2a", &s), MODEL_E_VALUE);
	assert_string_equal(zone_id(c.m, 2, id), "use1-az3");
}

static void test_a_zone_with_hosts_is_the_default(void **state)
{
	struct cluster other;
	struct host_add_args args = {.name = "b", .zone = "us-east-1b", .v4 = "192.0.2.1"};
	const struct host *h;

	cluster_init(&other, 0);
	assert_string_equal(zone_default(other.m), "us-east-1a");
	assert_int_equal(cluster_end(&other, host_add(cluster_tx(&other), &other.admin, &args, &h,
						      &other.refusal)),
			 0);
	assert_string_equal(zone_default(other.m), "us-east-1b");
	assert_null(zone_find(other.m, ""));
	cluster_deinit(&other);
}

static void test_addresses_left(void **state)
{
	char subnet[ID_TEXT_SIZE], interface[ID_TEXT_SIZE], text[IPADDR_TEXT_SIZE];
	struct ipaddr router;

	cluster_make_subnet(&c, c.vpc, "10.0.9.0/28", subnet);
	assert_int_equal(subnet_available(c.m, cluster_subnet(&c, subnet)), 11);
	router = subnet_router(cluster_subnet(&c, subnet));
	assert_string_equal(ipaddr_text(&router, text), "10.0.9.1");
	for (uint64_t left = 11; left--;) {
		assert_int_equal(cluster_make_interface(&c, subnet, NULL, interface), 0);
		assert_int_equal(subnet_available(c.m, cluster_subnet(&c, subnet)), left);
	}
	assert_int_equal(cluster_make_interface(&c, subnet, NULL, text), MODEL_E_NO_FREE_ADDRESS);
	assert_int_equal(
		cluster_end(&c, interface_delete(cluster_tx(&c), &c.me, interface, &c.refusal)), 0);
	assert_int_equal(subnet_available(c.m, cluster_subnet(&c, subnet)), 1);
	assert_int_equal(cluster_make_interface(&c, subnet, NULL, interface), 0);
}

static void test_delete_needs_it_empty(void **state)
{
	char interface[ID_TEXT_SIZE];

	assert_int_equal(cluster_make_interface(&c, c.subnet, NULL, interface), 0);
	assert_int_equal(
		cluster_end(&c, subnet_delete(cluster_tx(&c), &c.me, c.subnet, &c.refusal)),
		MODEL_E_SUBNET_DEPENDENCY);
	assert_int_equal(
		cluster_end(&c, interface_delete(cluster_tx(&c), &c.me, interface, &c.refusal)), 0);
	assert_int_equal(
		cluster_end(&c, subnet_delete(cluster_tx(&c), &c.stranger, c.subnet, &c.refusal)),
		MODEL_E_SUBNET_NOT_FOUND);
	assert_int_equal(
		cluster_end(&c, subnet_delete(cluster_tx(&c), &c.me, c.subnet, &c.refusal)), 0);
}

static void test_modify(void **state)
{
	const bool yes = true;
	struct subnet_modify_args args = {.subnet_id = c.subnet, .map_public_ip = &yes};

	assert_int_equal(cluster_end(&c, subnet_modify(cluster_tx(&c), &c.me, &args, &c.refusal)),
			 0);
	assert_true(cluster_subnet(&c, c.subnet)->map_public_ip);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_where_a_subnet_may_lie),
		TEST(test_zones),
		TEST(test_a_zone_with_hosts_is_the_default),
		TEST(test_addresses_left),
		TEST(test_delete_needs_it_empty),
		TEST(test_modify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
