/* SPDX-License-Identifier: Apache-2.0 */
/* The address of a subnet's router: where it may be, when it may change, and that nobody else gets
 * it. */
#include "model/subnet_router.h"

#include "base/str.h"
#include "model/tag.h"
#include "tests/unit/model/cluster.h"
#include "tests/unit/model/sinks.h"

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

static int set_at(const char *subnet, const struct caller *who, const char *text)
{
	return cluster_end(&c, subnet_router_set(cluster_tx(&c), who, subnet, text, &c.refusal));
}

static int set(const char *text)
{
	return set_at(c.subnet, &c.me, text);
}

static void assert_router_at(const char *subnet, const char *expected)
{
	struct ipaddr router = subnet_router(cluster_subnet(&c, subnet));
	char text[IPADDR_TEXT_SIZE];

	assert_string_equal(ipaddr_text(&router, text), expected);
}

static void assert_router(const char *expected)
{
	assert_router_at(c.subnet, expected);
}

static int create(const char *cidr, const char *router, char ret_id[ID_TEXT_SIZE])
{
	struct tag_args tag = {SUBNET_ROUTER_TAG, router};
	struct subnet_create_args args = {.vpc_id = c.vpc, .cidr = cidr, .tags = &tag, .n_tags = 1};
	const struct subnet *s;
	int r = cluster_end(&c, subnet_create(cluster_tx(&c), &c.me, &args, &s, &c.refusal));

	if (!r)
		object_id_text(&s->o, ret_id);
	return r;
}

/* requirement: PKT-7 */
static void test_where_a_router_may_be(void **state)
{
	static const struct {
		const char *text;
		int result;
	} rows[] = {
		{"10.0.0.254", 0},
		{"10.0.0.1", 0},
		{"10.0.0.3", 0},
		{"10.0.0.100", 0},
		{"10.0.0.0", MODEL_E_ADDRESS_RESERVED},
		{"10.0.0.2", MODEL_E_ADDRESS_RESERVED}, /* the resolver's */
		{"10.0.0.255", MODEL_E_ADDRESS_RESERVED},
		{"10.0.1.1", MODEL_E_ADDRESS_OUTSIDE},
		{"9.255.255.255", MODEL_E_ADDRESS_OUTSIDE},
		{"fe80::1", MODEL_E_VALUE},
		{"::ffff:10.0.0.9", MODEL_E_VALUE},
		{"10.0.0", MODEL_E_VALUE},
		{"10.0.0.9/24", MODEL_E_VALUE},
		{"router", MODEL_E_VALUE},
	};
	char id[ID_TEXT_SIZE], before[IPADDR_TEXT_SIZE] = "10.0.0.1";

	assert_router(before);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (set(rows[i].text) != rows[i].result)
			fail_msg("%s: %s", rows[i].text, c.refusal.message);
		if (!rows[i].result)
			assert_ok(str_copy(before, sizeof(before), rows[i].text));
		assert_router(before);
	}
	assert_int_equal(set_at(c.subnet, &c.stranger, "10.0.0.9"), MODEL_E_SUBNET_NOT_FOUND);
	assert_ok(set_at(c.subnet, &c.admin, "10.0.0.9"));
	cluster_restart(&c);
	assert_router("10.0.0.9");
	assert_ok(set(""));
	assert_router("10.0.0.1");

	assert_int_equal(create("10.0.5.0/24", "10.0.4.9", id), MODEL_E_ADDRESS_OUTSIDE);
	assert_ok(create("10.0.5.0/24", "10.0.5.254", id));
	assert_router_at(id, "10.0.5.254");
}

/* requirement: PKT-7 */
static void test_nobody_else_gets_its_address(void **state)
{
	char subnet[ID_TEXT_SIZE], interface[ID_TEXT_SIZE];

	assert_ok(create("10.0.9.0/28", "10.0.9.6", subnet));
	assert_int_equal(subnet_available(c.m, cluster_subnet(&c, subnet)), 10);
	assert_int_equal(cluster_make_interface(&c, subnet, "10.0.9.6", interface),
			 MODEL_E_ADDRESS_RESERVED);
	/* nor that which every subnet's router has at first */
	assert_int_equal(cluster_make_interface(&c, subnet, "10.0.9.1", interface),
			 MODEL_E_ADDRESS_RESERVED);
	for (uint64_t left = 10; left--;) {
		const struct interface *i;

		assert_ok(cluster_make_interface(&c, subnet, NULL, interface));
		i = cluster_interface(&c, interface);
		assert_int_not_equal(ipaddr_v4(&i->addrs[0].addr), 0x0a000906);
		assert_int_equal(subnet_available(c.m, cluster_subnet(&c, subnet)), left);
	}
	assert_int_equal(cluster_make_interface(&c, subnet, NULL, interface),
			 MODEL_E_NO_FREE_ADDRESS);
	assert_int_equal(set_at(subnet, &c.me, "10.0.9.7"), MODEL_E_ADDRESS_IN_USE);
	assert_router_at(subnet, "10.0.9.6");
	/* reserved in any case: nothing more is free for it */
	assert_ok(set_at(subnet, &c.me, "10.0.9.3"));
	assert_int_equal(subnet_available(c.m, cluster_subnet(&c, subnet)), 1);
	assert_ok(cluster_make_interface(&c, subnet, "10.0.9.6", interface));
}

/* requirement: PKT-7 */
static void test_it_stays_while_nodes_know_it(void **state)
{
	char node[ID_TEXT_SIZE], idle[ID_TEXT_SIZE];
	const char *id = node;
	struct tag_args tag = {SUBNET_ROUTER_TAG, NULL};

	assert_ok(set("10.0.0.254"));
	assert_ok(cluster_make_interface(&c, c.subnet, NULL, idle));
	assert_ok(set("10.0.0.253")); /* one that is attached to nothing knows nothing */
	assert_ok(cluster_run(&c, c.subnet, node));
	assert_int_equal(set("10.0.0.254"), MODEL_E_SUBNET_ROUTER_KNOWN);
	cluster_acknowledge(&c);
	assert_int_equal(set("10.0.0.254"), MODEL_E_SUBNET_ROUTER_KNOWN);
	assert_non_null(strstr(c.refusal.message, "10.0.0.253"));
	assert_non_null(strstr(c.refusal.message, "1 network interface"));
	assert_ok(set("10.0.0.253")); /* no change */
	/* whichever way the tag goes */
	id = c.subnet;
	assert_int_equal(
		cluster_end(&c, tag_delete(cluster_tx(&c), &c.me, &id, 1, &tag, 1, &c.refusal)),
		MODEL_E_SUBNET_ROUTER_KNOWN);
	assert_int_equal(
		cluster_end(&c, tag_delete(cluster_tx(&c), &c.me, &id, 1, NULL, 0, &c.refusal)),
		MODEL_E_SUBNET_ROUTER_KNOWN);
	assert_router("10.0.0.253");
	/* it hears of another when it starts again */
	id = node;
	assert_ok(cluster_transition(&c, instance_stop, id));
	assert_int_equal(set("10.0.0.254"), MODEL_E_SUBNET_ROUTER_KNOWN); /* it still runs */
	cluster_acknowledge(&c);
	assert_ok(set("10.0.0.254"));
	assert_router("10.0.0.254");
}

/* requirement: PKT-7 */
static void test_hosts_hear_of_it(void **state)
{
	struct sink_script script = {0};
	struct sink_hosts hosts = {0};
	char other[ID_TEXT_SIZE], node[ID_TEXT_SIZE];
	struct change *change;

	/* hosts that carry the network have all of its subnets */
	cluster_make_subnet(&c, c.vpc, "10.0.1.0/24", other);
	assert_ok(cluster_run(&c, c.subnet, node));
	cluster_acknowledge(&c);
	sink_hosts_load(&hosts, c.m);
	change = cluster_end_change(
		&c, subnet_router_set(cluster_tx(&c), &c.me, other, "10.0.1.77", &c.refusal));
	sink_script_record(&script, c.m, change);
	change_free(change);
	assert_int_equal(script.n, 1);
	assert_non_null(strstr(script.items[0].content, "10.0.1.77"));
	sink_hosts_play(&hosts, &script);
	sink_hosts_check(&hosts, c.m);
	sink_script_deinit(&script);
	sink_hosts_deinit(&hosts);
}

/* A store may have the tag from before it had a meaning. requirement: PKT-7 */
static void test_what_is_no_router_leaves_the_first_usable_address(void **state)
{
	char value[] = "10.0.9.9", nonsense[] = "the old one";
	struct tag tag = {(char[]){SUBNET_ROUTER_TAG}, nonsense};
	struct subnet s = {.o = {.kind = KIND_SUBNET, .tags = &tag, .n_tags = 1},
			   .prefix = prefix_v4(0x0a000500, 24)};
	struct ipaddr first = ipaddr_from_v4(0x0a000501), router = subnet_router(&s);

	assert_true(ipaddr_equal(&router, &first));
	tag.value = value;
	router = subnet_router(&s);
	assert_true(ipaddr_equal(&router, &first));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_where_a_router_may_be),
		TEST(test_nobody_else_gets_its_address),
		TEST(test_it_stays_while_nodes_know_it),
		TEST(test_hosts_hear_of_it),
		cmocka_unit_test(test_what_is_no_router_leaves_the_first_usable_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
