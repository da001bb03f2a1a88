/* SPDX-License-Identifier: Apache-2.0 */
/* Running instances: what may be asked for, and that a refusal leaves nothing behind. */
#include <string.h>

#include "base/limits.h"
#include "model/instance.h"
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

static int run(const struct instance_run_args *args, const struct instance **ret, size_t *ret_n)
{
	return cluster_end(&c, instance_run(cluster_tx(&c), &c.me, args, ret, ret_n, &c.refusal));
}

static struct instance_run_args plain(void)
{
	return (struct instance_run_args){.min_count = 1, .max_count = 1, .subnet_id = c.subnet};
}

/* requirement: OPS-1 */
static void test_what_may_be_asked_for(void **state)
{
	const struct instance *n[LIMIT_MODEL_RUN_COUNT + 1];
	struct instance_run_args args;
	size_t count;

#define CHECK(result, ...)                                                                         \
	do {                                                                                       \
		args = plain();                                                                    \
		__VA_ARGS__;                                                                       \
		assert_int_equal(run(&args, n, &count), result);                                   \
	} while (0)
	CHECK(MODEL_E_IMAGE_NOT_FOUND, args.image = "ami-0123456789abcdef0");
	CHECK(MODEL_E_IMAGE_MALFORMED, args.image = "my image");
	CHECK(MODEL_E_INSTANCE_TYPE_UNKNOWN, args.type = "x9.huge");
	CHECK(MODEL_E_VALUE, args.min_count = 0);
	CHECK(MODEL_E_VALUE, args.min_count = 2);
	CHECK(MODEL_E_INSTANCE_LIMIT, args.max_count = LIMIT_MODEL_RUN_COUNT + 1);
	CHECK(MODEL_E_NO_DEFAULT_VPC, args.subnet_id = NULL);
	CHECK(MODEL_E_SUBNET_NOT_FOUND, args.subnet_id = "subnet-0123456789abcdef0");
	CHECK(MODEL_E_COMBINATION, args.private_ip = "10.0.0.9", args.max_count = 2);
	CHECK(MODEL_E_ADDRESS_RESERVED, args.private_ip = "10.0.0.1");
	CHECK(MODEL_E_VALUE, args.zone = "us-east-1b");
	CHECK(MODEL_E_ADDRESS_LIMIT, args.secondary_count = 4); /* m1.small has 4 in all */
	assert_int_equal(model_count(c.m, KIND_INSTANCE), 0);
	assert_int_equal(model_count(c.m, KIND_INTERFACE), 0);
	CHECK(0, args.image = "ami-netns", args.zone = "us-east-1a", args.private_ip = "10.0.0.9");
	assert_string_equal(n[0]->type, "m1.small");
	CHECK(MODEL_E_ADDRESS_IN_USE, args.private_ip = "10.0.0.9");
#undef CHECK
}

static void test_interfaces(void **state)
{
	char existing[ID_TEXT_SIZE];
	struct instance_interface_args interfaces[3] = {
		{.device_index = 0, .subnet_id = c.subnet},
		{.device_index = 1, .interface_id = existing},
		{.device_index = 1, .subnet_id = c.subnet},
	};
	struct instance_run_args args = {.type = "m5.large",
					 .min_count = 1,
					 .max_count = 1,
					 .interfaces = interfaces,
					 .n_interfaces = 2};
	const struct instance *n;
	size_t count;

	assert_ok(cluster_make_interface(&c, c.subnet, "10.0.0.50", existing));
	assert_ok(run(&args, &n, &count));
	assert_int_equal(model_group_count(c.m, REL_INSTANCE_INTERFACES, n->o.id), 2);
	assert_int_equal(cluster_interface(&c, existing)->attachment.device_index, 1);
	assert_false(cluster_interface(&c, existing)->attachment.delete_on_termination);
	assert_int_equal(run(&args, &n, &count), MODEL_E_INTERFACE_IN_USE);
	interfaces[1] = interfaces[2];
	assert_ok(run(&args, &n, &count));
	args.n_interfaces = 3; /* an index twice */
	assert_int_equal(run(&args, &n, &count), MODEL_E_VALUE);
	interfaces[0].device_index = 2; /* none at 0 */
	args.n_interfaces = 2;
	assert_int_equal(run(&args, &n, &count), MODEL_E_COMBINATION);
	interfaces[0].device_index = 0;
	args.type = "t3.nano";
	interfaces[1].device_index = 2;
	assert_int_equal(run(&args, &n, &count), MODEL_E_ATTACHMENT_LIMIT);
	args.subnet_id = c.subnet;
	assert_int_equal(run(&args, &n, &count), MODEL_E_COMBINATION);
}

static void test_between_min_and_max(void **state)
{
	const struct instance *n[20];
	struct instance_run_args args = {.min_count = 1, .max_count = 20};
	char subnet[ID_TEXT_SIZE];
	size_t count;

	cluster_make_subnet(&c, c.vpc, "10.0.9.0/28", subnet);
	args.subnet_id = subnet;
	assert_ok(run(&args, n, &count));
	assert_int_equal(count, 11); /* as many as there are addresses */
	assert_int_equal(model_count(c.m, KIND_INSTANCE), 11);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(n[i]->launch_index, i);
		assert_true(n[i]->reservation == n[0]->reservation);
	}
	assert_int_equal(run(&args, n, &count), MODEL_E_NO_FREE_ADDRESS);
}

/* requirement: NEG-10 */
static void test_no_host(void **state)
{
	struct instance_run_args args = plain();
	const struct instance *n;
	size_t count;

	host_set_connected(c.m, c.hosts[0], false);
	host_set_connected(c.m, c.hosts[1], false);
	assert_int_equal(run(&args, &n, &count), MODEL_E_NO_CAPACITY);
	assert_string_equal(c.refusal.message,
			    "There is no host for m1.small in us-east-1a: of 2 hosts: 2 not "
			    "connected");
	assert_int_equal(model_count(c.m, KIND_INTERFACE), 0);
}

static void test_a_token_runs_once(void **state)
{
	struct instance_run_args args = plain();
	const struct instance *n[3];
	uint64_t first;
	size_t count;

	args.max_count = 3;
	args.token = (struct token_args){.token = "t"};
	assert_ok(run(&args, n, &count));
	assert_int_equal(count, 3);
	first = n[2]->o.id;
	assert_string_equal(n[0]->client_token, "t");
	assert_ok(run(&args, n, &count));
	assert_int_equal(count, 3);
	assert_true(n[2]->o.id == first);
	assert_int_equal(model_count(c.m, KIND_INSTANCE), 3);
	args.token.digest[3] = 1;
	assert_int_equal(run(&args, n, &count), MODEL_E_TOKEN_MISMATCH);
}

static void test_tags_of_both(void **state)
{
	struct tag_args tag = {"Name", "web"}, other = {"Name", "port"};
	struct instance_run_args args = plain();
	const struct instance *n;
	size_t count;

	args.tags = &tag;
	args.interface_tags = &other;
	args.n_tags = args.n_interface_tags = 1;
	assert_int_equal(instance_run(cluster_tx(&c), &c.me, &args, &n, &count, &c.refusal), 0);
	assert_string_equal(object_tag(&n->o, "Name"), "web");
	assert_null(object_tag(&n->o, "name"));
	cluster_end(&c, 0);
	tag.key = "aws:x";
	assert_int_equal(run(&args, &n, &count), MODEL_E_TAG_RESERVED);
	assert_int_equal(model_count(c.m, KIND_INSTANCE), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_may_be_asked_for), TEST(test_interfaces),
		TEST(test_between_min_and_max),   TEST(test_no_host),
		TEST(test_a_token_runs_once),     TEST(test_tags_of_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
