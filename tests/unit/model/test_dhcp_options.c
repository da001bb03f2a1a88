/* SPDX-License-Identifier: Apache-2.0 */
/* DHCP options sets, and what hosts are told of them.  requirement: PKT-8 */
#include "model/dhcp_options.h"

#include <string.h>

#include "model/plan.h"
#include "tests/unit/model/cluster.h"

static struct cluster c;
static char options[ID_TEXT_SIZE];

static const char *const servers[] = {"10.0.0.53", DHCP_OPTIONS_PROVIDED};
static const char *const domain[] = {"shop.example"};
static const char *const clocks[] = {"10.0.0.9"};
static const struct dhcp_option_args given[] = {{"domain-name", domain, 1},
						{"domain-name-servers", servers, 2},
						{"ntp-servers", clocks, 1}};

static int setup(void **state)
{
	struct dhcp_options_args args = {.options = given, .n_options = ARRAY_SIZE(given)};
	const struct dhcp_options *d;
	int r;

	cluster_init_network(&c, 2);
	r = dhcp_options_create(cluster_tx(&c), &c.me, &args, &d, &c.refusal);
	if (!r)
		object_id_text(&d->o, options);
	assert_ok(cluster_end(&c, r));
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static struct plan_interface told;
static size_t n_told;

static int note(void *data, uint32_t host, const struct plan_item *item)
{
	if (item->kind == PLAN_INTERFACE && !item->remove) {
		told = item->interface;
		n_told++;
	}
	return 0;
}

static void associate(const char *id)
{
	struct change *change;

	n_told = 0;
	change = cluster_end_change(
		&c, dhcp_options_associate(cluster_tx(&c), &c.me, id, c.vpc, &c.refusal));
	assert_ok(plan_change(c.m, change, note, NULL));
	change_free(change);
}

static void test_hosts_are_told(void **state)
{
	char instance[ID_TEXT_SIZE];
	struct ipaddr a;

	assert_ok(cluster_run(&c, c.subnet, instance));
	associate(options);
	assert_int_equal(n_told, 1);
	assert_string_equal(told.domain_name, "shop.example");
	assert_int_equal(told.n_dns, 2);
	assert_ok(ipaddr_parse("10.0.0.53", &a));
	assert_true(ipaddr_equal(&told.dns_servers[0], &a));
	assert_ok(ipaddr_parse("10.0.0.2", &a));
	assert_true(ipaddr_equal(&told.dns_servers[1], &a)); /* the network's resolver */
	assert_int_equal(told.n_ntp, 1);
	associate(DHCP_OPTIONS_DEFAULT);
	assert_int_equal(n_told, 1);
	assert_null(told.domain_name);
	assert_int_equal(told.n_dns + told.n_ntp, 0);
}

static void test_a_set_in_use_stays(void **state)
{
	associate(options);
	assert_int_equal(
		cluster_end(&c, dhcp_options_delete(cluster_tx(&c), &c.me, options, &c.refusal)),
		MODEL_E_DHCP_OPTIONS_DEPENDENCY);
	associate(DHCP_OPTIONS_DEFAULT);
	assert_ok(cluster_end(&c, dhcp_options_delete(cluster_tx(&c), &c.me, options, &c.refusal)));
}

static void test_another_accounts_set_is_not_there(void **state)
{
	const struct dhcp_options *d;

	assert_int_equal(dhcp_options_find(c.m, &c.stranger, options, &d, &c.refusal),
			 MODEL_E_DHCP_OPTIONS_NOT_FOUND);
	assert_int_equal(cluster_end(&c, dhcp_options_delete(cluster_tx(&c), &c.stranger, options,
							     &c.refusal)),
			 MODEL_E_DHCP_OPTIONS_NOT_FOUND);
}

int main(void)
{
#define IN_CLUSTER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		IN_CLUSTER(test_hosts_are_told),
		IN_CLUSTER(test_a_set_in_use_stays),
		IN_CLUSTER(test_another_accounts_set_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
