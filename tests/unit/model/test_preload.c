/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded networks: who marks them, what is due to which host, the way through their mappings. */
#include "model/preload.h"

#include "model/internet_gateway.h"
#include "model/mapping.h"
#include "model/tag.h"
#include "model/vpc_block6.h"
#include "tests/unit/model/cluster.h"
#include "tests/unit/model/sinks.h"

enum { NODES = 12 };

static struct cluster c;
static char nodes[NODES][ID_TEXT_SIZE];
static uint32_t vni;

static int setup(void **state)
{
	char other[ID_TEXT_SIZE];

	cluster_init_network(&c, 3);
	cluster_make_subnet(&c, c.vpc, "10.0.1.0/24", other);
	for (size_t n = 0; n < NODES; n++)
		assert_ok(cluster_run(&c, n % 3 ? c.subnet : other, nodes[n]));
	cluster_acknowledge(&c);
	vni = cluster_interface_of(&c, nodes[0])->vni;
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static int mark(const struct caller *who, bool marked)
{
	return cluster_end(&c, preload_mark(cluster_tx(&c), who, c.vpc, marked, &c.refusal));
}

static int tag(const char *value)
{
	const char *id = c.vpc;
	struct tag_args args = {PRELOAD_TAG, value};

	return cluster_end(&c, tag_create(cluster_tx(&c), &c.me, &id, 1, &args, 1, &c.refusal));
}

/* requirement: MAP-7 */
static void test_the_owner_and_operators_mark_a_network(void **state)
{
	const struct vpc *v = vpc_by_vni(c.m, vni);

	assert_false(preload_is_marked(v));
	assert_int_equal(mark(&c.stranger, true), MODEL_E_VPC_NOT_FOUND);
	assert_ok(mark(&c.me, true));
	assert_true(preload_is_marked(vpc_by_vni(c.m, vni)));
	assert_ok(mark(&c.admin, false));
	assert_false(preload_is_marked(vpc_by_vni(c.m, vni)));
	assert_ok(tag("true"));
	assert_true(preload_is_marked(vpc_by_vni(c.m, vni)));
	assert_ok(tag("false"));
	assert_false(preload_is_marked(vpc_by_vni(c.m, vni)));
	assert_int_equal(tag("yes"), MODEL_E_VALUE);
}

static size_t count(uint32_t host, struct preload_walk *walk, size_t max)
{
	const struct mapping *m;
	size_t n = 0;

	while (n < max && (m = preload_next(c.m, walk, &(size_t){SIZE_MAX}))) {
		assert_int_equal(m->vni, vni);
		assert_int_not_equal(m->host, host);
		assert_int_not_equal(m->host, 0);
		n++;
	}
	return n;
}

static size_t elsewhere(uint32_t host)
{
	size_t n = 0;

	for (size_t i = 0; i < NODES; i++)
		n += cluster_instance(&c, nodes[i])->host != host;
	return n;
}

/* requirement: MAP-7 */
static void test_the_way_meets_everything_once(void **state)
{
	uint32_t host = cluster_instance(&c, nodes[0])->host;
	struct preload_walk walk = {.vni = vni, .host = host};
	size_t n = 0, part;

	assert_int_equal(count(host, &walk, 1000), elsewhere(host));
	/* in parts, too */
	walk = (struct preload_walk){.vni = vni, .host = host};
	while ((part = count(host, &walk, 2)))
		n += part;
	assert_int_equal(n, elsewhere(host));
}

/* However little is looked at at a time, and whether it is for the host or not. */
static void test_the_way_in_small_stretches(void **state)
{
	char alone[ID_TEXT_SIZE];
	uint32_t host = cluster_instance(&c, nodes[0])->host;

	for (size_t i = 0; i < 20; i++) /* interfaces that are nowhere */
		assert_ok(cluster_make_interface(&c, c.subnet, NULL, alone));
	for (size_t stretch = 1; stretch < 9; stretch++) {
		struct preload_walk walk = {.vni = vni, .host = host};
		size_t n = 0, n_stretches = 0, budget = 0;

		while (!budget) {
			const struct mapping *m;

			budget = stretch;
			while ((m = preload_next(c.m, &walk, &budget)))
				n++;
			n_stretches++;
			assert_true(n_stretches < 1000);
		}
		assert_int_equal(n, elsewhere(host));
		assert_true(n_stretches * stretch >= NODES + 20);
	}
}

/* requirement: MAP-7 */
static void test_the_way_goes_on_when_what_it_stands_on_is_deleted(void **state)
{
	uint32_t host = cluster_instance(&c, nodes[0])->host;
	struct preload_walk walk = {.vni = vni, .host = host};
	const struct mapping *m = preload_next(c.m, &walk, &(size_t){SIZE_MAX});
	size_t n_before = elsewhere(host);

	for (size_t i = 0; i < NODES; i++) {
		const char *id = nodes[i];

		if (cluster_interface_of(&c, id)->o.id != m->interface)
			continue;
		assert_ok(cluster_transition(&c, instance_terminate, id));
		break;
	}
	cluster_acknowledge(&c);
	assert_int_equal(count(host, &walk, 1000), n_before - 1);
}

/* requirement: MAP-7 */
static void test_it_is_due_where_it_is_carried(void **state)
{
	uint32_t empty =
		cluster_add_host(&c, "empty", NULL, "fd00::77", FORMAT_BIT(FORMAT_SIIT_2), 1500);

	assert_false(preload_is_due(c.m, c.hosts[0], vni));
	assert_ok(mark(&c.me, true));
	assert_true(preload_is_due(c.m, c.hosts[0], vni));
	assert_false(preload_is_due(c.m, empty, vni));
	assert_false(preload_is_due(c.m, c.hosts[0], vni + 1));
	assert_true(preload_has_room(c.m, vni));
}

/* requirement: MAP-7 */
static void test_hosts_hear_of_the_mark_with_the_subnets(void **state)
{
	struct sink_script script = {0};
	struct sink_hosts hosts = {0};
	const struct vpc_block6_args block = {.provided = true};
	struct change *change;
	const struct vpc *v;

	/* so that there is a link-local subnet as well */
	assert_ok(cluster_end(
		&c, vpc_associate_block6(cluster_tx(&c), &c.me, c.vpc, &block, &v, &c.refusal)));
	sink_hosts_load(&hosts, c.m);
	for (int marked = 1; marked >= 0; marked--) {
		change = cluster_end_change(
			&c, preload_mark(cluster_tx(&c), &c.me, c.vpc, marked, &c.refusal));
		sink_script_record(&script, c.m, change);
		change_free(change);
		assert_true(script.n >= 3);
		sink_hosts_play(&hosts, &script);
		sink_hosts_check(&hosts, c.m);
		sink_script_deinit(&script);
	}
	sink_hosts_deinit(&hosts);
}

/* requirement: MAP-7 */
static void test_link_local_addresses_stay_in_their_subnet(void **state)
{
	const struct interface *i = cluster_interface_of(&c, nodes[0]);
	struct mapping m = *mapping_find(model_mappings(c.m), vni, &i->addrs[0].addr);
	uint32_t other = c.hosts[0] == m.host ? c.hosts[1] : c.hosts[0];

	assert_true(preload_concerns(c.m, other, &m));
	assert_false(preload_concerns(c.m, m.host, &m)); /* its own port */
	assert_ok(ipaddr_parse("fe80::1", &m.addr));
	assert_false(preload_concerns(c.m, other, &m));
}

/* requirement: MAP-7 */
static void test_an_edge_is_told_what_it_may_ask_for(void **state)
{
	struct host_add_args args = {.name = "e1", .v6 = "fd00::101", .edge = true};
	struct capabilities can = {.formats =
					   FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1),
				   .substrate_mtu = 1500,
				   .probed_ms = 1};
	const struct interface *i = cluster_interface_of(&c, nodes[0]);
	struct mapping v4 = *mapping_find(model_mappings(c.m), vni, &i->addrs[0].addr), v6 = v4;
	char gateway[ID_TEXT_SIZE];
	struct preload_walk walk;
	const struct host *h;
	struct tx *tx = cluster_tx(&c);
	uint32_t edge;

	assert_ok(host_add(tx, &c.admin, &args, &h, &c.refusal));
	edge = h->number;
	assert_ok(cluster_end(&c, host_report(tx, edge, &can, &c.refusal)));
	host_set_connected(c.m, edge, true);
	cluster_make_internet(&c, c.vpc, gateway);
	assert_ok(mark(&c.me, true));
	assert_true(preload_is_due(c.m, edge, vni)); /* it has the network's gateway */
	/* no public address, no NAT gateway: IPv4 is none of its business, and IPv6 is */
	assert_false(preload_concerns(c.m, edge, &v4));
	assert_ok(ipaddr_parse("fd12::1", &v6.addr));
	assert_true(preload_concerns(c.m, edge, &v6));
	walk = (struct preload_walk){.vni = vni, .host = edge};
	assert_null(preload_next(c.m, &walk, &(size_t){SIZE_MAX}));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_owner_and_operators_mark_a_network),
		TEST(test_the_way_meets_everything_once),
		TEST(test_the_way_in_small_stretches),
		TEST(test_the_way_goes_on_when_what_it_stands_on_is_deleted),
		TEST(test_it_is_due_where_it_is_carried),
		TEST(test_hosts_hear_of_the_mark_with_the_subnets),
		TEST(test_link_local_addresses_stay_in_their_subnet),
		TEST(test_an_edge_is_told_what_it_may_ask_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
