/* SPDX-License-Identifier: Apache-2.0 */
/* VPCs: blocks, numbers, attributes, who sees them, what keeps them from being deleted. */
#include "model/vpc.h"

#include <string.h>

#include "model/counters.h"
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

static int create(const char *cidr, const char *tenancy)
{
	struct vpc_create_args args = {.cidr = cidr, .tenancy = tenancy};
	const struct vpc *v;

	return cluster_end(&c, vpc_create(cluster_tx(&c), &c.me, &args, &v, &c.refusal));
}

/* requirement: OPS-1 */
static void test_blocks(void **state)
{
	static const struct {
		const char *cidr;
		int result;
	} rows[] = {
		{"10.0.0.0/16", 0},
		{"172.16.5.0/28", 0},
		{"10.1.2.3/16", 0},
		{"10.0.0.0/15", MODEL_E_VPC_RANGE},
		{"10.0.0.0/29", MODEL_E_VPC_RANGE},
		{"127.0.0.0/16", MODEL_E_VPC_RANGE},
		{"169.254.0.0/24", MODEL_E_VPC_RANGE},
		{"224.0.0.0/16", MODEL_E_VPC_RANGE},
		{"0.1.0.0/16", MODEL_E_VPC_RANGE},
		{"10.0.0.0", MODEL_E_VALUE},
		{"10.0.0/16", MODEL_E_VALUE},
		{"x", MODEL_E_VALUE},
		{"10.0.0.0/33", MODEL_E_VALUE},
		{"10.0.0.0/", MODEL_E_VALUE},
		{"fd00::/64", MODEL_E_VALUE},
		{"::ffff:10.0.0.0/16", MODEL_E_VALUE},
		{"10.0.0.0/16 ", MODEL_E_VALUE},
		{NULL, MODEL_E_MISSING},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (create(rows[i].cidr, NULL) != rows[i].result)
			fail_msg("%s: %s", rows[i].cidr, c.refusal.message);
	assert_int_equal(create("10.0.0.0/16", "dedicated"), 0);
	assert_int_equal(create("10.0.0.0/16", "host"), MODEL_E_VALUE);
}

static void test_bits_behind_the_length_are_cleared(void **state)
{
	char id[ID_TEXT_SIZE], text[PREFIX_TEXT_SIZE], addr[IPADDR_TEXT_SIZE];
	struct ipaddr resolver;

	cluster_make_vpc(&c, "10.1.2.3/16", id);
	assert_string_equal(prefix_text(&cluster_vpc(&c, id)->blocks[0].prefix, text),
			    "10.1.0.0/16");
	resolver = vpc_resolver(cluster_vpc(&c, id));
	assert_string_equal(ipaddr_text(&resolver, addr), "10.1.0.2");
}

/* requirement: PKT-4 */
static void test_the_same_block_twice_is_two_networks(void **state)
{
	char id[ID_TEXT_SIZE];

	cluster_make_vpc(&c, "10.0.0.0/16", id);
	assert_int_not_equal(cluster_vpc(&c, id)->vni, cluster_vpc(&c, c.vpc)->vni);
	assert_ptr_equal(vpc_by_vni(c.m, cluster_vpc(&c, id)->vni), cluster_vpc(&c, id));
}

/* requirement: MAP-1 */
static void test_numbers_are_not_used_again_soon(void **state)
{
	char id[ID_TEXT_SIZE];
	uint32_t vni;

	cluster_make_vpc(&c, "10.0.0.0/16", id);
	vni = cluster_vpc(&c, id)->vni;
	assert_int_equal(cluster_end(&c, vpc_delete(cluster_tx(&c), &c.me, id, &c.refusal)), 0);
	assert_null(vpc_by_vni(c.m, vni));
	cluster_make_vpc(&c, "10.0.0.0/16", id);
	assert_true(cluster_vpc(&c, id)->vni > vni);
}

static void test_numbers_begin_again_behind_the_last(void **state)
{
	const struct object *o = model_get(c.m, KIND_COUNTERS, COUNTERS_ID);
	uint32_t first = cluster_vpc(&c, c.vpc)->vni;
	char id[ID_TEXT_SIZE];

	((struct counters *)(uintptr_t)o)->last_vni = 0xEFFFFF;
	assert_int_equal(first, 1);
	cluster_make_vpc(&c, "10.0.0.0/16", id);
	assert_int_equal(cluster_vpc(&c, id)->vni, 2); /* 1 is still in use */
}

/* requirement: OPS-1 */
static void test_only_ones_own(void **state)
{
	const struct vpc *v = NULL;

	assert_int_equal(vpc_find(c.m, &c.stranger, c.vpc, &v, &c.refusal), MODEL_E_VPC_NOT_FOUND);
	assert_null(v);
	assert_ok(vpc_find(c.m, &c.admin, c.vpc, &v, &c.refusal));
	assert_int_equal(
		cluster_end(&c, vpc_delete(cluster_tx(&c), &c.stranger, c.vpc, &c.refusal)),
		MODEL_E_VPC_NOT_FOUND);
}

static void test_delete_needs_it_empty(void **state)
{
	assert_int_equal(cluster_end(&c, vpc_delete(cluster_tx(&c), &c.me, c.vpc, &c.refusal)),
			 MODEL_E_VPC_DEPENDENCY);
	assert_non_null(strstr(c.refusal.message, "It still has 1 subnet(s)."));
	assert_int_equal(
		cluster_end(&c, subnet_delete(cluster_tx(&c), &c.me, c.subnet, &c.refusal)), 0);
	assert_int_equal(cluster_end(&c, vpc_delete(cluster_tx(&c), &c.me, c.vpc, &c.refusal)), 0);
	assert_int_equal(cluster_end(&c, vpc_delete(cluster_tx(&c), &c.me, c.vpc, &c.refusal)),
			 MODEL_E_VPC_NOT_FOUND);
}

static void test_attributes(void **state)
{
	const bool yes = true, no = false;
	struct vpc_modify_args args = {.vpc_id = c.vpc, .dns_support = &no};
	uint64_t revision;

	assert_true(cluster_vpc(&c, c.vpc)->dns_support);
	assert_false(cluster_vpc(&c, c.vpc)->dns_hostnames);
	assert_int_equal(cluster_end(&c, vpc_modify(cluster_tx(&c), &c.me, &args, &c.refusal)), 0);
	assert_false(cluster_vpc(&c, c.vpc)->dns_support);
	args = (struct vpc_modify_args){.vpc_id = c.vpc, .dns_hostnames = &yes};
	assert_int_equal(cluster_end(&c, vpc_modify(cluster_tx(&c), &c.me, &args, &c.refusal)),
			 MODEL_E_DNS_SUPPORT_OFF);
	args.dns_support = &yes;
	args.usage_metrics = &yes;
	assert_int_equal(cluster_end(&c, vpc_modify(cluster_tx(&c), &c.me, &args, &c.refusal)), 0);
	assert_true(cluster_vpc(&c, c.vpc)->dns_hostnames && cluster_vpc(&c, c.vpc)->usage_metrics);
	/* what is so already is not written again */
	revision = model_revision(c.m);
	assert_int_equal(cluster_end(&c, vpc_modify(cluster_tx(&c), &c.me, &args, &c.refusal)), 0);
	assert_int_equal(model_revision(c.m), revision);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_blocks),
		TEST(test_bits_behind_the_length_are_cleared),
		TEST(test_the_same_block_twice_is_two_networks),
		TEST(test_numbers_are_not_used_again_soon),
		TEST(test_numbers_begin_again_behind_the_last),
		TEST(test_only_ones_own),
		TEST(test_delete_needs_it_empty),
		TEST(test_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
