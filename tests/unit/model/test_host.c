/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts: numbers and places, reports, networks' MTU, placement, removal. */
#include "model/host.h"

#include <stdio.h>
#include <string.h>

#include "model/placement.h"
#include "tests/unit/model/cluster.h"

#define SIIT  (FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1))
#define VXLAN FORMAT_BIT(FORMAT_VXLAN_1)

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

static int add(const struct host_add_args *args)
{
	const struct host *h;

	return cluster_end(&c, host_add(cluster_tx(&c), &c.admin, args, &h, &c.refusal));
}

static int remove_host(const char *name, bool force)
{
	return cluster_end(&c, host_remove(cluster_tx(&c), &c.admin, name, force, &c.refusal));
}

static int report(uint32_t number, uint32_t formats, uint32_t mtu, const char *error)
{
	struct capabilities can = {
		.formats = formats,
		.substrate_mtu = mtu,
		.probed_ms = c.now_ms,
		.error = (char *)(uintptr_t)error,
	};

	return cluster_end(&c, host_report(cluster_tx(&c), number, &can, &c.refusal));
}

static uint32_t mtu(void)
{
	const struct vpc *v;

	v = cluster_vpc(&c, c.vpc);
	return v->mtu;
}

/* requirement: MAP-5 */
static void test_numbers_and_places(void **state)
{
	const uint32_t rack = 7, too_much = 256;
	struct host_add_args args = {.name = "n1", .v6 = "fd00::99", .rack = &rack};
	const struct host *h;
	char text[PREFIX_TEXT_SIZE];
	uint32_t number;

	assert_ok(add(&args));
	h = host_find(c.m, "n1");
	assert_int_equal(h->place.host, 1);
	assert_string_equal(prefix_text(&h->locators.siit1, text), "fd56:6961:0:701::/64");
	number = h->number;
	args = (struct host_add_args){.name = "n2", .v6 = "fd00::98", .rack = &rack};
	assert_ok(add(&args));
	assert_int_equal(host_find(c.m, "n2")->place.host, 2);
	assert_int_equal(host_find(c.m, "n2")->number, number + 1);
	/* the place is free again, the number is not */
	assert_ok(remove_host("n1", false));
	args = (struct host_add_args){.name = "n3", .v6 = "fd00::99", .rack = &rack};
	assert_ok(add(&args));
	assert_int_equal(host_find(c.m, "n3")->place.host, 1);
	assert_int_equal(host_find(c.m, "n3")->number, number + 2);
	assert_null(host_by_number(c.m, number));

	args.name = "n4";
	assert_int_equal(add(&args), MODEL_E_EXISTS); /* the address */
	args = (struct host_add_args){.name = "n3", .v4 = "192.0.2.1"};
	assert_int_equal(add(&args), MODEL_E_EXISTS); /* the name */
	args = (struct host_add_args){.name = "n4"};
	assert_int_equal(add(&args), MODEL_E_MISSING);
	args = (struct host_add_args){.name = "N 4", .v4 = "192.0.2.1"};
	assert_int_equal(add(&args), MODEL_E_VALUE);
	args = (struct host_add_args){.name = "n4", .v4 = "fd00::5"};
	assert_int_equal(add(&args), MODEL_E_VALUE);
	args = (struct host_add_args){.name = "n4", .v4 = "192.0.2.1", .rack = &too_much};
	assert_int_equal(add(&args), MODEL_E_VALUE);
	args = (struct host_add_args){.name = "n4", .v4 = "192.0.2.1", .zone = "mars-1a"};
	assert_int_equal(add(&args), MODEL_E_VALUE);
	args = (struct host_add_args){.name = "n4", .v4 = "192.0.2.1"};
	assert_ok(add(&args));
	assert_int_equal(host_find(c.m, "n4")->locators.siit1.len, 0);
}

/* requirement: OPS-1 */
static void test_addresses_are_those_of_one_machine(void **state)
{
	static const char *const v6[] = {
		"::", "::1", "fe80::1", "ff02::1", "::ffff:192.0.2.1", "fd56:6961::5", "192.0.2.1"};
	static const char *const v4[] = {"0.0.0.0",   "127.0.0.1",       "169.254.0.1",
					 "224.0.0.1", "255.255.255.255", "fd00::5"};

	for (size_t i = 0; i < ARRAY_SIZE(v6); i++) {
		struct host_add_args args = {.name = "n1", .v6 = v6[i]};

		assert_int_equal(add(&args), MODEL_E_VALUE);
		args = (struct host_add_args){.name = "n1", .foreign = v6[i]};
		if (!strchr(v6[i], '.'))
			assert_int_equal(add(&args), MODEL_E_VALUE);
	}
	for (size_t i = 0; i < ARRAY_SIZE(v4); i++) {
		struct host_add_args args = {.name = "n1", .v4 = v4[i]};

		assert_int_equal(add(&args), MODEL_E_VALUE);
		args = (struct host_add_args){.name = "n1", .foreign = v4[i]};
		if (strchr(v4[i], '.'))
			assert_int_equal(add(&args), MODEL_E_VALUE);
	}
	assert_null(host_find(c.m, "n1"));
}

/* requirement: OPS-1 */
static void test_what_would_mean_nothing_is_refused(void **state)
{
	const uint32_t mtu = 1400;
	struct host_add_args args = {.name = "n1", .v6 = "fd00::99", .mtu = &mtu};

	assert_int_equal(add(&args), MODEL_E_COMBINATION);
	args = (struct host_add_args){.name = "n1", .v6 = "fd00::99", .instances = true};
	assert_int_equal(add(&args), MODEL_E_COMBINATION);
	args.edge = true;
	assert_ok(add(&args));
}

static void test_a_rack_holds_255_hosts(void **state)
{
	const uint32_t rack = 9;

	for (int i = 1; i <= 256; i++) {
		char name[16], v6[32];
		struct host_add_args args = {.name = name, .v6 = v6, .rack = &rack};

		snprintf(name, sizeof(name), "r%d", i);
		snprintf(v6, sizeof(v6), "fd00::9:%x", (unsigned int)i);
		assert_int_equal(add(&args), i <= 255 ? 0 : MODEL_E_HOST_LIMIT);
	}
}

/* requirement: OPS-1 */
static void test_only_operators(void **state)
{
	struct host_add_args args = {.name = "n1", .v4 = "192.0.2.1"};
	const struct host *h;

	assert_int_equal(cluster_end(&c, host_add(cluster_tx(&c), &c.me, &args, &h, &c.refusal)),
			 MODEL_E_NOT_PERMITTED);
	assert_int_equal(
		cluster_end(&c, host_remove(cluster_tx(&c), &c.me, "h1", false, &c.refusal)),
		MODEL_E_NOT_PERMITTED);
}

/* requirement: NEG-1 */
static void test_the_last_confirmed_result_stays(void **state)
{
	const struct host *h;
	uint64_t revision = model_revision(c.m);

	c.now_ms += 60000;
	assert_ok(report(c.hosts[0], host_by_number(c.m, c.hosts[0])->can.formats, 1500, NULL));
	assert_true(model_revision(c.m) > revision); /* the kernel's name has gone */
	revision = model_revision(c.m);
	c.now_ms += 60000;
	assert_ok(report(c.hosts[0], host_by_number(c.m, c.hosts[0])->can.formats, 1500, NULL));
	assert_int_equal(model_revision(c.m),
			 revision); /* only the time is new: nothing to write */
	assert_ok(report(c.hosts[0], 0, 0, "the probe failed"));
	h = host_by_number(c.m, c.hosts[0]);
	assert_true(h->can.formats);
	assert_int_equal(h->can.substrate_mtu, 1500);
	assert_string_equal(h->can.error, "the probe failed");
	assert_true(host_is_capable(h));
	assert_ok(report(c.hosts[0], SIIT, 9000, NULL));
	assert_null(host_by_number(c.m, c.hosts[0])->can.error);
	assert_int_equal(report(999, SIIT, 1500, NULL), MODEL_E_HOST_NOT_FOUND);
}

/* requirement: NEG-1 */
static void test_no_successful_probe_no_traffic(void **state)
{
	struct host_add_args args = {.name = "n1", .v6 = "fd00::99"};
	const struct host *h;

	assert_ok(add(&args));
	h = host_find(c.m, "n1");
	assert_false(host_is_capable(h));
	assert_ok(report(h->number, SIIT, 1500, "it failed"));
	assert_false(host_is_capable(host_find(c.m, "n1")));
}

/* requirement: PKT-9 */
static void test_mtu_of_a_network(void **state)
{
	char id[ID_TEXT_SIZE];
	uint32_t third;

	assert_int_equal(mtu(), 0);
	assert_ok(cluster_run(&c, c.subnet, id));
	assert_int_equal(mtu(), 1460);
	assert_ok(report(c.hosts[0], SIIT, 9000, NULL));
	assert_int_equal(mtu(), 8960);
	assert_ok(cluster_run(&c, c.subnet, id)); /* on the second host */
	assert_int_equal(mtu(), 1460);
	assert_ok(report(c.hosts[1], SIIT, 9000, NULL));
	assert_int_equal(mtu(), 8960);
	/* VXLAN between one pair: over IPv6 it costs 70 */
	assert_ok(report(c.hosts[0], SIIT | VXLAN, 9000, NULL));
	assert_ok(report(c.hosts[1], VXLAN, 9000, NULL));
	assert_int_equal(mtu(), 8930);
	/* a host that carries nothing does not count */
	third = cluster_add_host(&c, "small", NULL, "fd00::77", SIIT, 1280);
	assert_int_equal(mtu(), 8930);
	assert_true(third);
}

/* requirement: PKT-9 */
static void test_mtu_on_an_ipv4_substrate(void **state)
{
	struct cluster v4;
	char id[ID_TEXT_SIZE];
	const struct vpc *v;

	cluster_init_network(&v4, 0);
	cluster_add_host(&v4, "a", "192.0.2.1", NULL, SIIT | VXLAN, 1500);
	assert_ok(cluster_run(&v4, v4.subnet, id));
	assert_ok(vpc_find(v4.m, &v4.me, v4.vpc, &v, NULL));
	assert_int_equal(v->mtu, 1450);
	cluster_deinit(&v4);
}

/* requirement: NEG-10 */
static void test_placement(void **state)
{
	const uint32_t rack_a = 1, rack_b = 2;
	struct host_add_args args[] = {{.name = "a1", .v6 = "fd00::a1", .rack = &rack_a},
				       {.name = "a2", .v6 = "fd00::a2", .rack = &rack_a},
				       {.name = "b1", .v6 = "fd00::b1", .rack = &rack_b}};
	struct placement_request where = {.account = ACCOUNT_ID, .zone = "us-east-1a", .what = "x"};
	struct placement_choice choice;
	const struct host *h;
	char id[ID_TEXT_SIZE];

	host_set_connected(c.m, c.hosts[0], false);
	host_set_connected(c.m, c.hosts[1], false);
	for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
		assert_ok(add(&args[i]));
		h = host_find(c.m, args[i].name);
		assert_ok(report(h->number, SIIT, 1500, NULL));
		host_set_connected(c.m, host_find(c.m, args[i].name)->number, true);
	}
	assert_ok(cluster_run(&c, c.subnet, id));
	assert_ptr_equal(host_by_number(c.m, cluster_instance(&c, id)->host), host_find(c.m, "a1"));
	/* as loaded as a2, but in another rack */
	assert_ok(cluster_run(&c, c.subnet, id));
	assert_ptr_equal(host_by_number(c.m, cluster_instance(&c, id)->host), host_find(c.m, "b1"));
	/* the least loaded, although the rack has one */
	assert_ok(cluster_run(&c, c.subnet, id));
	assert_ptr_equal(host_by_number(c.m, cluster_instance(&c, id)->host), host_find(c.m, "a2"));
	where.only = host_find(c.m, "b1")->number;
	assert_ok(placement_choose(c.m, &where, &choice, &c.refusal));
	assert_int_equal(choice.host->number, where.only);
	where.only = 0;
	where.zone = "us-east-1b";
	assert_int_equal(placement_choose(c.m, &where, &choice, &c.refusal), MODEL_E_NO_CAPACITY);
	assert_non_null(strstr(c.refusal.message, "of 5 hosts: 5 in other zones"));
}

static void test_removal(void **state)
{
	char id[ID_TEXT_SIZE];
	const struct host *h;
	char name[64];

	assert_ok(cluster_run(&c, c.subnet, id));
	h = host_by_number(c.m, cluster_instance(&c, id)->host);
	snprintf(name, sizeof(name), "%s", h->name);
	assert_int_equal(remove_host(name, false), MODEL_E_HOST_DEPENDENCY);
	assert_string_equal(
		c.refusal.message,
		"The host 'h1' still has 1 instances. Terminate "
		"them, or remove it by force (viaduct host remove --force), if it is gone "
		"for good.");
	assert_ok(remove_host(name, true));
	assert_int_equal(cluster_instance(&c, id)->state, INSTANCE_TERMINATED);
	assert_int_equal(model_count(c.m, KIND_INTERFACE), 0);
	assert_null(host_find(c.m, name));
	assert_int_equal(remove_host(name, true), MODEL_E_HOST_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_numbers_and_places),
		TEST(test_addresses_are_those_of_one_machine),
		TEST(test_what_would_mean_nothing_is_refused),
		TEST(test_a_rack_holds_255_hosts),
		TEST(test_only_operators),
		TEST(test_the_last_confirmed_result_stays),
		TEST(test_no_successful_probe_no_traffic),
		TEST(test_mtu_of_a_network),
		TEST(test_mtu_on_an_ipv4_substrate),
		TEST(test_placement),
		TEST(test_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
