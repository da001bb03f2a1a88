/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6: blocks of VPCs and subnets, addresses of interfaces, and what hosts are told of them. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "model/holders.h"
#include "model/mapping.h"
#include "model/plan.h"
#include "model/release.h"
#include "model/subnet_block6.h"
#include "model/table.h"
#include "model/subnet_block6.h"
#include "model/table.h"
#include "model/vpc_block6.h"
#include "tests/unit/model/cluster.h"

#define POOL_ID "ipv6pool-ec2-00000000000000001"
#define BLOCK   "fd56:6976:3600:700::/56"

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

static int give_vpc(const char *vpc, struct vpc_block6_args args, const struct vpc **ret)
{
	return cluster_end(
		&c, vpc_associate_block6(cluster_tx(&c), &c.me, vpc, &args, ret, &c.refusal));
}

static const struct subnet *give_subnet(const char *cidr, int expected)
{
	const struct subnet *s = NULL;
	int r = cluster_end(
		&c, subnet_associate_block6(cluster_tx(&c), &c.me, c.subnet, cidr, &s, &c.refusal));

	assert_int_equal(r, expected);
	return s;
}

static int take_subnet(uint64_t association)
{
	char text[ID_TEXT_SIZE];
	const struct subnet *s;

	id_text_prefixed(ID_PREFIX_SUBNET_CIDR, association, text);
	return cluster_end(&c,
			   subnet_disassociate_block6(cluster_tx(&c), &c.me, text, &s, &c.refusal));
}

/* c.vpc has BLOCK and c.subnet its first /64. */
static const struct subnet *make_dual_stack(void)
{
	const struct vpc *v;

	assert_ok(give_vpc(c.vpc, (struct vpc_block6_args){.pool_id = POOL_ID, .cidr = BLOCK}, &v));
	return give_subnet("fd56:6976:3600:700::/64", 0);
}

static int assign(const char *id, const char *addr, uint32_t count)
{
	struct interface_assign_args args = {
		.interface_id = id, .addrs = &addr, .n_addrs = !!addr, .count = count};
	const struct interface *i;
	size_t n = 0;
	int r = cluster_end(&c,
			    interface_assign6(cluster_tx(&c), &c.me, &args, &i, &n, &c.refusal));

	if (!r)
		assert_int_equal(n, count + !!addr);
	return r;
}

static int unassign(const char *id, const char *addr)
{
	return cluster_end(&c,
			   interface_unassign6(cluster_tx(&c), &c.me, id, &addr, 1, &c.refusal));
}

/* requirement: PKT-1 */
static void test_blocks_of_vpcs(void **state)
{
	const struct vpc_block6_args provided = {.provided = true};
	static const struct {
		struct vpc_block6_args args;
		int result;
	} rows[] = {
		{{.provided = true, .pool_id = POOL_ID}, MODEL_E_COMBINATION},
		{{.cidr = BLOCK}, MODEL_E_MISSING},
		{{.pool_id = "ipv6pool-ec2-00000000000000002"}, MODEL_E_POOL_NOT_FOUND},
		{{.pool_id = POOL_ID, .cidr = "x"}, MODEL_E_VALUE},
		{{.pool_id = POOL_ID, .cidr = "10.0.0.0/16"}, MODEL_E_VALUE},
		{{.pool_id = POOL_ID, .cidr = "fd56:6976:3600:700::/64"}, MODEL_E_VALUE},
		{{.pool_id = POOL_ID, .cidr = "fd56:6976:3700::/56"}, MODEL_E_VALUE},
		{{.pool_id = POOL_ID, .cidr = BLOCK}, 0},
		{{.pool_id = POOL_ID, .cidr = "fd56:6976:3600:800::/56"}, MODEL_E_BLOCK_LIMIT},
	};
	char other[ID_TEXT_SIZE], text[ID_TEXT_SIZE];
	struct cidr_block block;
	const struct vpc *v;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(give_vpc(c.vpc, rows[i].args, &v), rows[i].result);
	cluster_make_vpc(&c, "10.0.0.0/16", other);
	assert_int_equal(give_vpc(other, rows[7].args, &v), MODEL_E_BLOCK_IN_USE);
	assert_ok(give_vpc(other, provided, &v));
	assert_int_equal(v->n_blocks6, 1);
	assert_false(v->blocks6[0].from_pool);
	assert_int_equal(v->blocks6[0].prefix.len, 56);
	assert_true(prefix_covers(vpc_block6_pool(c.m), &v->blocks6[0].prefix));

	/* given back, and then another's */
	id_text_prefixed(ID_PREFIX_VPC_CIDR, v->blocks6[0].association, text);
	assert_int_equal(cluster_end(&c, vpc_disassociate_block6(cluster_tx(&c), &c.stranger, text,
								 &v, &block, &c.refusal)),
			 MODEL_E_BLOCK_NOT_FOUND);
	assert_ok(cluster_end(
		&c, vpc_disassociate_block6(cluster_tx(&c), &c.me, text, &v, &block, &c.refusal)));
	assert_int_equal(v->n_blocks6, 0);
	assert_int_equal(cluster_end(&c, vpc_disassociate_block6(cluster_tx(&c), &c.me, text, &v,
								 &block, &c.refusal)),
			 MODEL_E_BLOCK_NOT_FOUND);
}

/* A pool of four blocks is used up to the last, and no block is given twice. */
static void test_a_pool_runs_dry(void **state)
{
	struct model_config config = {.region = "us-east-1", .ids = c.m->ids};
	struct vpc_block6_args block6 = {.provided = true};
	struct vpc_create_args args = {.cidr = "10.0.0.0/16", .block6 = &block6};
	struct refusal refusal = {0};
	const struct vpc *v;
	struct change *change;
	struct model *m;
	struct tx *tx;

	assert_ok(prefix_parse("fd56:6961::/32", &config.organisation));
	assert_ok(prefix_parse("2001:db8::/54", &config.ipv6_pool));
	assert_ok(model_new(&config, &m));
	assert_ok(tx_begin(m, 1, &tx));
	for (int i = 0; i < 4; i++)
		assert_ok(vpc_create(tx, &c.admin, &args, &v, &refusal));
	assert_int_equal(vpc_create(tx, &c.admin, &args, &v, &refusal), MODEL_E_POOL_EMPTY);
	assert_ok(tx_end(tx, &change));
	change_free(change);
	assert_int_equal(model_count(m, KIND_VPC), 4);
	for (uint8_t i = 0; i < 4; i++) {
		struct model_iter it = model_iter_kind(m, KIND_VPC);
		const struct object *o;
		int n = 0;

		while ((o = model_iter_next(&it)))
			n += ((const struct vpc *)o)->blocks6[0].prefix.addr.b[6] == i;
		assert_int_equal(n, 1);
	}
	model_free(m);
}

static void test_which_pools_there_can_be(void **state)
{
	static const struct {
		const char *pool;
		bool ok;
	} rows[] = {
		{"2001:db8::/32", true},        {"fd00::/56", true},  {"2000::/31", false},
		{"fd00::/57", false},           {"fe80::/40", false}, {"ff00::/40", false},
		{"fd56:6961:1200::/40", false}, {"::/40", false},     {"10.0.0.0/8", false},
	};
	struct model_config config = {.region = "us-east-1"};

	assert_ok(prefix_parse("fd56:6961::/32", &config.organisation));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct model *m = NULL;

		assert_ok(prefix_parse(rows[i].pool, &config.ipv6_pool));
		assert_int_equal(model_new(&config, &m), rows[i].ok ? 0 : -EINVAL);
		model_free(m);
	}
}

/* requirement: PKT-1 */
static void test_blocks_of_subnets(void **state)
{
	struct subnet_create_args args = {.vpc_id = c.vpc, .cidr = "10.0.1.0/24"};
	const struct subnet *s, *t;
	const struct vpc *v;
	char text[ID_TEXT_SIZE];
	struct cidr_block block;

	give_subnet("fd56:6976:3600:700::/64", MODEL_E_SUBNET_RANGE6); /* the VPC has none */
	s = make_dual_stack();
	assert_true(subnet_has_block6(s));
	give_subnet("fd56:6976:3600:701::/64", MODEL_E_BLOCK_LIMIT);

	args.cidr6 = "fd56:6976:3600:700::/64";
	assert_int_equal(
		cluster_end(&c, subnet_create(cluster_tx(&c), &c.me, &args, &t, &c.refusal)),
		MODEL_E_SUBNET_CONFLICT6);
	args.cidr6 = "fd56:6976:3600:701::/65";
	assert_int_equal(
		cluster_end(&c, subnet_create(cluster_tx(&c), &c.me, &args, &t, &c.refusal)),
		MODEL_E_SUBNET_RANGE6);
	args.cidr6 = "fd56:6976:3600:7ff::/64";
	assert_ok(cluster_end(&c, subnet_create(cluster_tx(&c), &c.me, &args, &t, &c.refusal)));

	/* the VPC keeps its block while subnets have parts of it */
	v = cluster_vpc(&c, c.vpc);
	id_text_prefixed(ID_PREFIX_VPC_CIDR, v->blocks6[0].association, text);
	assert_int_equal(cluster_end(&c, vpc_disassociate_block6(cluster_tx(&c), &c.me, text, &v,
								 &block, &c.refusal)),
			 MODEL_E_VPC_BLOCK_USED);
}

static void test_a_subnet_keeps_a_block_in_use(void **state)
{
	const struct subnet *s = make_dual_stack();
	uint64_t association = s->association6;
	bool on = true, off = false;
	struct subnet_modify_args args = {.subnet_id = c.subnet, .assign_ipv6 = &on};
	char id[ID_TEXT_SIZE];

	assert_int_equal(take_subnet(association + 1), MODEL_E_SUBNET_BLOCK_NOT_FOUND);
	assert_ok(cluster_end(&c, subnet_modify(cluster_tx(&c), &c.me, &args, &c.refusal)));
	assert_int_equal(take_subnet(association), MODEL_E_SUBNET_BLOCK_ASSIGNS);
	assert_ok(cluster_make_interface(&c, c.subnet, NULL, id));
	assert_int_equal(interface_count_addrs(cluster_interface(&c, id), true), 1);
	args.assign_ipv6 = &off;
	assert_ok(cluster_end(&c, subnet_modify(cluster_tx(&c), &c.me, &args, &c.refusal)));
	assert_int_equal(take_subnet(association), MODEL_E_SUBNET_BLOCK_USED);
	assert_ok(cluster_end(&c, interface_delete(cluster_tx(&c), &c.me, id, &c.refusal)));
	assert_ok(take_subnet(association));
	assert_int_equal(take_subnet(association), MODEL_E_SUBNET_BLOCK_NOT_FOUND);
}

/* requirement: PKT-1 */
static void test_which_addresses_can_be_assigned(void **state)
{
	static const struct {
		const char *addr;
		int result;
	} rows[] = {
		{"fd56:6976:3600:700::3", MODEL_E_ADDRESS_RESERVED},
		{"fd56:6976:3600:700::4", 0},
		{"fd56:6976:3600:700::4", MODEL_E_ADDRESS_IN_USE},
		{"fd56:6976:3600:700:ffff:ffff:ffff:ffff", MODEL_E_ADDRESS_RESERVED},
		{"fd56:6976:3600:700:ffff:ffff:ffff:fffe", 0},
		{"fd56:6976:3600:701::4", MODEL_E_ADDRESS_OUTSIDE},
		{"fe80::4", MODEL_E_ADDRESS_OUTSIDE},
		{"10.0.0.9", MODEL_E_VALUE},
		{"x", MODEL_E_VALUE},
	};
	char id[ID_TEXT_SIZE], other[ID_TEXT_SIZE];
	const struct interface *i;

	assert_ok(cluster_make_interface(&c, c.subnet, NULL, id));
	assert_int_equal(assign(id, NULL, 1), MODEL_E_NO_BLOCK6);
	make_dual_stack();
	for (size_t k = 0; k < ARRAY_SIZE(rows); k++)
		assert_int_equal(assign(id, rows[k].addr, 0), rows[k].result);
	assert_int_equal(assign(id, "fd56:6976:3600:700::5", 1), MODEL_E_COMBINATION);
	assert_int_equal(assign(id, NULL, 0), MODEL_E_COMBINATION);
	assert_ok(cluster_make_interface(&c, c.subnet, NULL, other));
	assert_int_equal(assign(other, "fd56:6976:3600:700::4", 0), MODEL_E_ADDRESS_IN_USE);
	assert_int_equal(assign(id, NULL, LIMIT_MODEL_INTERFACE_ADDRS), MODEL_E_ADDRESS_LIMIT6);
	assert_ok(assign(id, NULL, LIMIT_MODEL_INTERFACE_ADDRS - 2));
	i = cluster_interface(&c, id);
	assert_int_equal(interface_count_addrs(i, true), LIMIT_MODEL_INTERFACE_ADDRS);
	assert_int_equal(interface_count_addrs(i, false), 1);
	assert_true(ipaddr_is_v4(&i->addrs[0].addr));
	assert_int_equal(assign(id, NULL, 1), MODEL_E_ADDRESS_LIMIT6);

	/* IPv4 has room of its own, and its operations do not reach IPv6 */
	assert_int_equal(
		cluster_end(&c, interface_unassign(cluster_tx(&c), &c.me, id,
						   &(const char *){rows[1].addr}, 1, &c.refusal)),
		MODEL_E_VALUE);
	assert_int_equal(unassign(id, "fd56:6976:3600:700::9"), MODEL_E_ADDRESS_NOT_ASSIGNED);
	assert_int_equal(unassign(id, "10.0.0.4"), MODEL_E_VALUE);
	assert_ok(unassign(id, rows[1].addr));
	assert_ok(assign(other, rows[1].addr, 0));
}

/* IPv6 addresses do not count among those that a subnet has left. */
static void test_available_is_of_ipv4(void **state)
{
	const struct subnet *s;
	uint64_t before;
	char id[ID_TEXT_SIZE];

	make_dual_stack();
	s = cluster_subnet(&c, c.subnet);
	before = subnet_available(c.m, s);
	assert_ok(cluster_make_interface(&c, c.subnet, NULL, id));
	assert_ok(assign(id, NULL, 5));
	s = cluster_subnet(&c, c.subnet);
	assert_int_equal(subnet_available(c.m, s), before - 1);
}

/* requirement: MAP-1 */
static void test_a_taken_address_waits_for_its_holders(void **state)
{
	const char *addr = "fd56:6976:3600:700::4";
	char instance[ID_TEXT_SIZE], id[ID_TEXT_SIZE];
	const struct interface *i;
	const struct mapping *m;
	const struct subnet *s;
	uint64_t available;
	struct ipaddr a;

	make_dual_stack();
	assert_ok(ipaddr_parse(addr, &a));
	assert_ok(cluster_run(&c, c.subnet, instance));
	i = cluster_interface_of(&c, instance);
	object_id_text(&i->o, id);
	assert_ok(assign(id, addr, 0));
	i = cluster_interface_of(&c, instance);
	m = mapping_find(model_mappings(c.m), i->vni, &a);
	assert_int_equal(m->host, i->attachment.host);
	assert_int_equal(m->revision, model_revision(c.m));
	assert_ok(holders_add(model_holders(c.m), i->vni, &a, c.hosts[1], 1, 1000));
	s = cluster_subnet(&c, c.subnet);
	available = subnet_available(c.m, s);
	assert_ok(unassign(id, addr));
	assert_int_equal(release_count(c.m), 1);
	assert_int_equal(assign(id, addr, 0), MODEL_E_ADDRESS_IN_USE);
	s = cluster_subnet(&c, c.subnet);
	assert_int_equal(subnet_available(c.m, s), available);
	assert_int_equal(take_subnet(s->association6), MODEL_E_SUBNET_BLOCK_USED);
}

/* ---- what hosts are told ---- */

struct told {
	size_t n, removed;
	struct plan_subnet subnets[4]; /* set */
	struct plan_interface interface;
};

static int note(void *data, uint32_t host, const struct plan_item *item)
{
	struct told *t = data;

	if (item->kind == PLAN_INTERFACE)
		t->interface = item->interface;
	if (item->kind != PLAN_SUBNET)
		return 0;
	if (item->remove)
		t->removed++;
	else
		t->subnets[t->n++] = item->subnet;
	return 0;
}

static void check_text(const struct ipaddr *a, const char *text)
{
	char buf[IPADDR_TEXT_SIZE];

	assert_string_equal(ipaddr_text(a, buf), text);
}

/* requirement: PKT-1 */
static void test_what_a_host_is_told(void **state)
{
	struct told t = {.n = 0};
	char instance[ID_TEXT_SIZE], id[ID_TEXT_SIZE], router[IPADDR_TEXT_SIZE];
	const struct instance *n;

	make_dual_stack();
	assert_ok(cluster_run(&c, c.subnet, instance));
	object_id_text(&cluster_interface_of(&c, instance)->o, id);
	assert_ok(assign(id, "fd56:6976:3600:700::4", 0));
	n = cluster_instance(&c, instance);
	assert_ok(plan_full(c.m, n->host, note, &t));
	assert_int_equal(t.n, 3);
	snprintf(router, sizeof(router), "fe80::856:ff:fe00:%x",
		 t.subnets[0].vni << 8 | 1); /* of 0a:56:00:00:VNI:01 */
	assert_true(prefix_is_v4(&t.subnets[0].prefix));
	check_text(&t.subnets[1].prefix.addr, "fd56:6976:3600:700::");
	assert_int_equal(t.subnets[1].prefix.len, 64);
	check_text(&t.subnets[1].router, router);
	assert_true(mac_equal(&t.subnets[1].router_mac, &t.subnets[0].router_mac));
	assert_int_equal(t.subnets[1].network.len, 56);
	check_text(&t.subnets[2].prefix.addr, "fe80::");
	check_text(&t.subnets[2].router, router);
	assert_int_equal(t.interface.n_addrs, 3);
	check_text(&t.interface.addrs[0], "10.0.0.4");
	check_text(&t.interface.addrs[1], "fd56:6976:3600:700::4");
	assert_true(ipaddr_is_link_local(&t.interface.addrs[2]));
}

/* requirement: MAP-3 */
static void test_blocks_that_come_and_go_are_told(void **state)
{
	struct vpc_block6_args args = {.provided = true};
	char instance[ID_TEXT_SIZE], cidr[PREFIX_TEXT_SIZE], text[ID_TEXT_SIZE];
	struct told t = {.n = 0};
	struct cidr_block block;
	struct change *change;
	const struct subnet *s;
	const struct vpc *v;
	struct prefix p;

	assert_ok(cluster_run(&c, c.subnet, instance));
	change = cluster_end_change(
		&c, vpc_associate_block6(cluster_tx(&c), &c.me, c.vpc, &args, &v, &c.refusal));
	p = (struct prefix){v->blocks6[0].prefix.addr, 64};
	assert_ok(plan_change(c.m, change, note, &t));
	change_free(change);
	assert_int_equal(t.n, 1); /* the link-local prefix */
	check_text(&t.subnets[0].prefix.addr, "fe80::");

	t = (struct told){.n = 0};
	change = cluster_end_change(&c,
				    subnet_associate_block6(cluster_tx(&c), &c.me, c.subnet,
							    prefix_text(&p, cidr), &s, &c.refusal));
	id_text_prefixed(ID_PREFIX_SUBNET_CIDR, s->association6, text);
	assert_ok(plan_change(c.m, change, note, &t));
	change_free(change);
	assert_int_equal(t.n, 1);
	assert_true(prefix_equal(&t.subnets[0].prefix, &p));

	t = (struct told){.n = 0};
	change = cluster_end_change(
		&c, subnet_disassociate_block6(cluster_tx(&c), &c.me, text, &s, &c.refusal));
	assert_ok(plan_change(c.m, change, note, &t));
	change_free(change);
	assert_int_equal(t.n, 0);
	assert_int_equal(t.removed, 1);

	t = (struct told){.n = 0};
	v = cluster_vpc(&c, c.vpc);
	id_text_prefixed(ID_PREFIX_VPC_CIDR, v->blocks6[0].association, text);
	change = cluster_end_change(
		&c, vpc_disassociate_block6(cluster_tx(&c), &c.me, text, &v, &block, &c.refusal));
	assert_ok(plan_change(c.m, change, note, &t));
	change_free(change);
	assert_int_equal(t.removed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_blocks_of_vpcs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_pool_runs_dry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_which_pools_there_can_be, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blocks_of_subnets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_subnet_keeps_a_block_in_use, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_which_addresses_can_be_assigned, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_available_is_of_ipv4, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_taken_address_waits_for_its_holders, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_what_a_host_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blocks_that_come_and_go_are_told, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
