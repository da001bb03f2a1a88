/* SPDX-License-Identifier: Apache-2.0 */
/* Route tables: main and other ones, routes, targets, associations; and what hosts are told. */
#include "model/route_table.h"

#include <string.h>

#include "base/limits.h"

#include "model/internet_gateway.h"
#include "model/plan.h"
#include "model/prefix_list.h"
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

static const struct vpc *vpc(const char *id)
{
	const struct vpc *v;

	assert_ok(vpc_find(c.m, &c.me, id, &v, &c.refusal));
	return v;
}

static const struct subnet *subnet(void)
{
	const struct subnet *s;

	assert_ok(subnet_find(c.m, &c.me, c.subnet, &s, &c.refusal));
	return s;
}

static const char *main_table(char buf[static ID_TEXT_SIZE])
{
	return id_text(KIND_ROUTE_TABLE, vpc(c.vpc)->main_table, buf);
}

static const struct route_table *table(const char *id)
{
	const struct route_table *t;

	assert_ok(route_table_find(c.m, &c.me, id, &t, &c.refusal));
	return t;
}

static void make_table(const char *vpc_id, char ret_id[static ID_TEXT_SIZE])
{
	struct route_table_create_args args = {.vpc_id = vpc_id};
	const struct route_table *t;
	int r = route_table_create(cluster_tx(&c), &c.me, &args, &t, &c.refusal);

	assert_ok(r);
	object_id_text(&t->o, ret_id);
	cluster_end(&c, r);
}

static int add(struct route_args args)
{
	return cluster_end(&c, route_create(cluster_tx(&c), &c.me, &args, &c.refusal));
}

/* requirement: TOPO-1 */
static void test_main_table(void **state)
{
	char id[ID_TEXT_SIZE], text[ID_TEXT_SIZE];
	const struct route_table *t = table(main_table(id));

	assert_ptr_equal(route_table_of(c.m, subnet()), t);
	assert_true(route_table_is_main(c.m, t));
	assert_int_equal(t->n_routes, 0);
	assert_int_equal(cluster_end(&c, route_table_delete(cluster_tx(&c), &c.me, id, &c.refusal)),
			 MODEL_E_TABLE_DEPENDENCY);
	id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION, vpc(c.vpc)->main_association, text);
	assert_int_equal(
		cluster_end(&c, route_table_disassociate(cluster_tx(&c), &c.me, text, &c.refusal)),
		MODEL_E_ASSOCIATION_MAIN);
	/* it goes with its network */
	assert_ok(cluster_end(&c, subnet_delete(cluster_tx(&c), &c.me, c.subnet, &c.refusal)));
	assert_ok(cluster_end(&c, vpc_delete(cluster_tx(&c), &c.me, c.vpc, &c.refusal)));
	assert_int_equal(model_count(c.m, KIND_ROUTE_TABLE), 0);
}

/* requirement: TOPO-1 */
static void test_what_a_vpc_is_kept_by(void **state)
{
	char id[ID_TEXT_SIZE], other[ID_TEXT_SIZE];

	cluster_make_vpc(&c, "10.9.0.0/16", id);
	make_table(id, other);
	assert_int_equal(cluster_end(&c, vpc_delete(cluster_tx(&c), &c.me, id, &c.refusal)),
			 MODEL_E_VPC_DEPENDENCY);
	assert_ok(cluster_end(&c, route_table_delete(cluster_tx(&c), &c.me, other, &c.refusal)));
	cluster_make_internet(&c, id, other);
	assert_int_equal(cluster_end(&c, vpc_delete(cluster_tx(&c), &c.me, id, &c.refusal)),
			 MODEL_E_VPC_DEPENDENCY);
	assert_int_equal(
		cluster_end(&c, internet_gateway_delete(cluster_tx(&c), &c.me, other, &c.refusal)),
		MODEL_E_INTERNET_GATEWAY_DEPENDENCY);
	assert_ok(cluster_end(
		&c, internet_gateway_detach(cluster_tx(&c), &c.me, other, id, &c.refusal)));
	assert_ok(cluster_end(&c, vpc_delete(cluster_tx(&c), &c.me, id, &c.refusal)));
}

/* requirement: TOPO-1 */
static void test_routes_refused(void **state)
{
	char rtb[ID_TEXT_SIZE], igw[ID_TEXT_SIZE], loose[ID_TEXT_SIZE], other[ID_TEXT_SIZE];
	char eni[ID_TEXT_SIZE];

	main_table(rtb);
	cluster_make_internet(&c, c.vpc, igw);
	cluster_make_internet(&c, NULL, loose);
	cluster_make_vpc(&c, "10.9.0.0/16", other);
	cluster_make_interface(&c, c.subnet, NULL, eni);
	const struct {
		struct route_args args;
		int result;
	} rows[] = {
		{{.table_id = "rtb-00000000000000001", .cidr = "0.0.0.0/0", .gateway_id = igw},
		 MODEL_E_TABLE_NOT_FOUND},
		{{.table_id = rtb, .gateway_id = igw}, MODEL_E_MISSING},
		{{.table_id = rtb, .cidr = "0.0.0.0/0", .ipv6_cidr = "::/0", .gateway_id = igw},
		 MODEL_E_COMBINATION},
		{{.table_id = rtb, .cidr = "0.0.0.0", .gateway_id = igw}, MODEL_E_VALUE},
		{{.table_id = rtb, .cidr = "::/0", .gateway_id = igw}, MODEL_E_VALUE},
		{{.table_id = rtb, .ipv6_cidr = "0.0.0.0/0", .gateway_id = igw}, MODEL_E_VALUE},
		{{.table_id = rtb, .cidr = "10.0.0.0/16", .gateway_id = igw}, MODEL_E_ROUTE_LOCAL},
		{{.table_id = rtb, .cidr = "10.0.3.0/24", .interface_id = eni},
		 MODEL_E_ROUTE_SUBNET},
		{{.table_id = rtb, .cidr = "0.0.0.0/0"}, MODEL_E_COMBINATION},
		{{.table_id = rtb, .cidr = "0.0.0.0/0", .gateway_id = igw, .interface_id = eni},
		 MODEL_E_COMBINATION},
		{{.table_id = rtb, .cidr = "0.0.0.0/0", .gateway_id = "local"}, MODEL_E_VALUE},
		{{.table_id = rtb, .cidr = "0.0.0.0/0", .gateway_id = loose},
		 MODEL_E_ROUTE_NETWORKS},
		{{.table_id = rtb, .cidr = "0.0.0.0/0", .gateway_id = "igw-00000000000000001"},
		 MODEL_E_GATEWAY_NOT_FOUND},
		{{.table_id = rtb, .cidr = "0.0.0.0/0", .gateway_id = "vpce-1"},
		 MODEL_E_ROUTE_TARGET},
		{{.table_id = rtb, .cidr = "0.0.0.0/0", .gateway_id = "vgw-1"},
		 MODEL_E_VPN_GATEWAY_NOT_FOUND},
		{{.table_id = rtb, .cidr = "0.0.0.0/0", .interface_id = "eni-00000000000000001"},
		 MODEL_E_INTERFACE_NOT_FOUND},
		{{.table_id = rtb, .cidr = "0.0.0.0/0", .gateway_id = igw}, 0},
		{{.table_id = rtb, .cidr = "0.0.0.0/0", .interface_id = eni}, MODEL_E_ROUTE_EXISTS},
		{{.table_id = rtb, .ipv6_cidr = "::/0", .gateway_id = igw}, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (add(rows[i].args) != rows[i].result)
			fail_msg("row %zu: %s", i, c.refusal.message);
	assert_int_equal(table(rtb)->n_routes, 2);
}

/* requirement: TOPO-1 */
static void test_replacing_and_deleting(void **state)
{
	char rtb[ID_TEXT_SIZE], igw[ID_TEXT_SIZE], eni[ID_TEXT_SIZE];
	struct route_args args = {.table_id = rtb, .cidr = "0.0.0.0/0", .interface_id = eni};

	main_table(rtb);
	cluster_make_internet(&c, c.vpc, igw);
	cluster_make_interface(&c, c.subnet, NULL, eni);
	assert_int_equal(cluster_end(&c, route_replace(cluster_tx(&c), &c.me, &args, &c.refusal)),
			 MODEL_E_ROUTE_UNDEFINED);
	assert_ok(
		add((struct route_args){.table_id = rtb, .cidr = "0.0.0.0/0", .gateway_id = igw}));
	assert_true(route_is_active(c.m, table(rtb), &table(rtb)->routes[0]));
	assert_ok(cluster_end(&c, route_replace(cluster_tx(&c), &c.me, &args, &c.refusal)));
	assert_int_equal(table(rtb)->n_routes, 1);
	assert_int_equal(table(rtb)->routes[0].target, ROUTE_INTERFACE);
	/* it is attached to nothing */
	assert_false(route_is_active(c.m, table(rtb), &table(rtb)->routes[0]));
	assert_true(cluster_interface(&c, eni)->handle.number >= 0xF00000);
	assert_ok(cluster_end(&c, route_delete(cluster_tx(&c), &c.me, &args, &c.refusal)));
	assert_int_equal(cluster_end(&c, route_delete(cluster_tx(&c), &c.me, &args, &c.refusal)),
			 MODEL_E_ROUTE_NOT_FOUND);
	args.cidr = "10.0.0.0/16";
	assert_int_equal(cluster_end(&c, route_delete(cluster_tx(&c), &c.me, &args, &c.refusal)),
			 MODEL_E_ROUTE_STAYS);
}

/* requirement: TOPO-1 */
static void test_associations(void **state)
{
	char one[ID_TEXT_SIZE], two[ID_TEXT_SIZE], text[ID_TEXT_SIZE], other[ID_TEXT_SIZE];
	char foreign[ID_TEXT_SIZE];
	uint64_t id, again;
	bool main;

	make_table(c.vpc, one);
	make_table(c.vpc, two);
	cluster_make_vpc(&c, "10.9.0.0/16", other);
	make_table(other, foreign);
	assert_int_equal(cluster_end(&c, route_table_associate(cluster_tx(&c), &c.me, foreign,
							       c.subnet, &id, &c.refusal)),
			 MODEL_E_ROUTE_NETWORKS);
	assert_ok(cluster_end(
		&c, route_table_associate(cluster_tx(&c), &c.me, one, c.subnet, &id, &c.refusal)));
	assert_ptr_equal(route_table_of(c.m, subnet()), table(one));
	assert_int_equal(cluster_end(&c, route_table_associate(cluster_tx(&c), &c.me, two, c.subnet,
							       &again, &c.refusal)),
			 MODEL_E_TABLE_ASSOCIATED);
	assert_int_equal(
		cluster_end(&c, route_table_delete(cluster_tx(&c), &c.me, one, &c.refusal)),
		MODEL_E_TABLE_DEPENDENCY);
	id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION, id, text);
	assert_int_equal(cluster_end(&c, route_table_disassociate(cluster_tx(&c), &c.stranger, text,
								  &c.refusal)),
			 MODEL_E_ASSOCIATION_NOT_FOUND);
	assert_ok(cluster_end(&c, route_table_reassociate(cluster_tx(&c), &c.me, text, two, &again,
							  &main, &c.refusal)));
	assert_true(again != id && !main);
	assert_ptr_equal(route_table_of(c.m, subnet()), table(two));
	/* the old id names nothing any more */
	assert_int_equal(
		cluster_end(&c, route_table_disassociate(cluster_tx(&c), &c.me, text, &c.refusal)),
		MODEL_E_ASSOCIATION_NOT_FOUND);
	id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION, again, text);
	assert_ok(
		cluster_end(&c, route_table_disassociate(cluster_tx(&c), &c.me, text, &c.refusal)));
	id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION, vpc(c.vpc)->main_association, text);
	assert_ok(cluster_end(&c, route_table_reassociate(cluster_tx(&c), &c.me, text, one, &again,
							  &main, &c.refusal)));
	assert_true(main);
	assert_ptr_equal(route_table_of(c.m, subnet()), table(one));
}

/* ---- towards hosts ---- */

/* What one host is told of tables. */
struct told {
	uint32_t host; /* 0: any */
	size_t n_tables, n_subnets, n_removed;
	uint32_t subnet_table;
	size_t n_routes;
	struct plan_route routes[8];
	struct plan_interface interface;
};

static int note(void *data, uint32_t host, const struct plan_item *item)
{
	struct told *t = data;

	if (t->host && t->host != host)
		return 0;
	t->n_removed += item->remove;
	if (item->remove)
		return 0;
	if (item->kind == PLAN_TABLE) {
		t->n_tables++;
		t->n_routes = item->table.n_routes;
		memcpy(t->routes, item->table.routes, t->n_routes * sizeof(t->routes[0]));
	}
	t->n_subnets += item->kind == PLAN_SUBNET;
	if (item->kind == PLAN_SUBNET)
		t->subnet_table = item->subnet.table;
	if (item->kind == PLAN_INTERFACE)
		t->interface = item->interface;
	return 0;
}

static struct told told_by(int r, uint32_t host)
{
	struct told t = {.host = host};
	struct change *change = cluster_end_change(&c, r);

	assert_ok(plan_change(c.m, change, note, &t));
	change_free(change);
	return t;
}

/* requirement: TOPO-1 */
static void test_carriers_get_tables(void **state)
{
	char rtb[ID_TEXT_SIZE], igw[ID_TEXT_SIZE], id[ID_TEXT_SIZE];
	struct route_args args = {.table_id = rtb, .cidr = "0.0.0.0/0", .gateway_id = igw};
	uint64_t association;
	struct told t;

	main_table(rtb);
	cluster_make_internet(&c, c.vpc, igw);
	/* nobody carries the network */
	t = told_by(route_create(cluster_tx(&c), &c.me, &args, &c.refusal), 0);
	assert_int_equal(t.n_tables, 0);
	assert_ok(cluster_run(&c, c.subnet, id));
	t = (struct told){.host = cluster_instance(&c, id)->host};
	assert_ok(plan_full(c.m, t.host, note, &t));
	assert_int_equal(t.n_tables, 1);
	assert_int_equal(t.subnet_table, table(rtb)->number);
	/* the network's block first: what is in no subnet does not leave */
	assert_int_equal(t.n_routes, 2);
	assert_int_equal(t.routes[0].target, PLAN_TARGET_LOCAL);
	assert_int_equal(t.routes[0].prefix.len, 96 + 16);
	assert_int_equal(t.routes[1].target, PLAN_TARGET_INTERNET);
	assert_int_equal(t.routes[1].prefix.len, 96);
	t = told_by(internet_gateway_detach(cluster_tx(&c), &c.me, igw, c.vpc, &c.refusal), 0);
	assert_int_equal(t.n_tables, 1);
	assert_int_equal(t.routes[1].target, PLAN_TARGET_BLACKHOLE);
	make_table(c.vpc, id);
	t = told_by(route_table_associate(cluster_tx(&c), &c.me, id, c.subnet, &association,
					  &c.refusal),
		    0);
	assert_int_equal(t.n_tables, 0);
	assert_int_equal(t.n_subnets, 1);
	assert_int_equal(t.subnet_table, table(id)->number);
}

/* requirement: PKT-13 */
static void test_routes_to_a_node_follow_it(void **state)
{
	char rtb[ID_TEXT_SIZE], one[ID_TEXT_SIZE], two[ID_TEXT_SIZE];
	struct route_args args = {.table_id = rtb, .cidr = "192.168.0.0/16", .instance_id = one};
	const char *stop = one;
	struct instance_transition transition;
	struct told t;
	bool off = false;

	main_table(rtb);
	assert_ok(cluster_run(&c, c.subnet, one));
	assert_ok(cluster_run(&c, c.subnet, two));
	cluster_acknowledge(&c);
	assert_int_not_equal(cluster_instance(&c, one)->host, cluster_instance(&c, two)->host);
	t = told_by(route_create(cluster_tx(&c), &c.me, &args, &c.refusal),
		    cluster_instance(&c, one)->host);
	assert_int_equal(t.routes[1].target, PLAN_TARGET_INTERFACE);
	assert_int_equal(t.routes[1].peer, 0); /* here */
	assert_int_equal(t.routes[1].vni, cluster_interface_of(&c, one)->handle.number);
	assert_int_equal(t.interface.handle, t.routes[1].vni);
	assert_false(t.interface.forwards);
	t = (struct told){.host = cluster_instance(&c, two)->host};
	assert_ok(plan_full(c.m, t.host, note, &t));
	assert_int_equal(t.routes[1].peer, cluster_instance(&c, one)->host);
	struct instance_modify_args modify = {.instance_id = one, .source_dest_check = &off};

	t = told_by(instance_modify(cluster_tx(&c), &c.me, &modify, &c.refusal), 0);
	assert_true(t.interface.forwards);
	t = told_by(instance_stop(cluster_tx(&c), &c.me, &stop, 1, &transition, &c.refusal),
		    cluster_instance(&c, two)->host);
	assert_int_equal(t.n_tables, 1);
	assert_int_equal(t.routes[1].target, PLAN_TARGET_BLACKHOLE);
}

static void make_list(uint32_t max, const char *const *cidrs, size_t n, char ret_id[ID_TEXT_SIZE])
{
	struct prefix_list_entry_args entries[8] = {};
	struct prefix_list_create_args args = {.name = "l",
					       .family = "IPv4",
					       .max_entries = max,
					       .entries = entries,
					       .n_entries = n};
	const struct prefix_list *l;
	int r;

	for (size_t i = 0; i < n; i++)
		entries[i].cidr = cidrs[i];
	r = prefix_list_create(cluster_tx(&c), &c.me, &args, &l, &c.refusal);
	assert_ok(r);
	object_id_text(&l->o, ret_id);
	assert_ok(cluster_end(&c, r));
}

static int change_list(const char *id, uint64_t version, const char *add, const char *remove)
{
	struct prefix_list_entry_args entry = {.cidr = add};
	struct prefix_list_modify_args args = {.id = id,
					       .version = &version,
					       .add = &entry,
					       .n_add = !!add,
					       .remove = &remove,
					       .n_remove = !!remove};
	const struct prefix_list *l;

	return prefix_list_modify(cluster_tx(&c), &c.me, &args, &l, &c.refusal);
}

static int resize_list(const char *id, uint32_t max)
{
	struct prefix_list_modify_args args = {.id = id, .max_entries = &max};
	const struct prefix_list *l;

	return cluster_end(&c, prefix_list_modify(cluster_tx(&c), &c.me, &args, &l, &c.refusal));
}

/* What a host is told of the prefix: a target, or -1. */
static int target_of(const struct told *t, const char *prefix)
{
	struct prefix p;

	assert_ok(prefix_parse(prefix, &p));
	for (size_t i = 0; i < t->n_routes; i++)
		if (prefix_equal(&t->routes[i].prefix, &p))
			return (int)t->routes[i].target;
	return -1;
}

/* requirement: TOPO-1 */
static void test_a_list_as_destination(void **state)
{
	static const char *const cidrs[] = {"192.168.0.0/16", "8.8.8.8/32", "10.0.7.0/24"};
	char rtb[ID_TEXT_SIZE], igw[ID_TEXT_SIZE], list[ID_TEXT_SIZE], id[ID_TEXT_SIZE];
	char eni[ID_TEXT_SIZE];
	struct route_args args = {.table_id = rtb, .prefix_list_id = list, .gateway_id = igw};
	const struct prefix_list *l;
	uint32_t host;
	struct told t;

	main_table(rtb);
	cluster_make_internet(&c, c.vpc, igw);
	make_list(10, cidrs, ARRAY_SIZE(cidrs), list);
	assert_ok(cluster_run(&c, c.subnet, id));
	host = cluster_instance(&c, id)->host;
	object_id_text(&cluster_interface_of(&c, id)->o, eni);
	t = told_by(route_create(cluster_tx(&c), &c.me, &args, &c.refusal), host);
	/* the network's block and two entries; the third lies inside the block */
	assert_int_equal(t.n_routes, 3);
	assert_int_equal(target_of(&t, "192.168.0.0/16"), PLAN_TARGET_INTERNET);
	assert_int_equal(target_of(&t, "8.8.8.8/32"), PLAN_TARGET_INTERNET);
	assert_int_equal(add(args), MODEL_E_ROUTE_EXISTS);
	assert_int_equal(
		cluster_end(&c, prefix_list_delete(cluster_tx(&c), &c.me, list, &l, &c.refusal)),
		MODEL_E_LIST_IN_USE);
	t = told_by(change_list(list, 1, "9.9.9.0/24", "8.8.8.8/32"), host);
	assert_int_equal(t.n_routes, 3);
	assert_int_equal(target_of(&t, "9.9.9.0/24"), PLAN_TARGET_INTERNET);
	assert_int_equal(target_of(&t, "8.8.8.8/32"), -1);
	/* a route's own prefix decides before a list's */
	args = (struct route_args){.table_id = rtb, .cidr = "192.168.0.0/16", .interface_id = eni};
	t = told_by(route_create(cluster_tx(&c), &c.me, &args, &c.refusal), host);
	assert_int_equal(t.n_routes, 3);
	assert_int_equal(target_of(&t, "192.168.0.0/16"), PLAN_TARGET_INTERFACE);
	args = (struct route_args){.table_id = rtb, .prefix_list_id = list, .interface_id = eni};
	t = told_by(route_replace(cluster_tx(&c), &c.me, &args, &c.refusal), host);
	assert_int_equal(target_of(&t, "9.9.9.0/24"), PLAN_TARGET_INTERFACE);
	t = told_by(route_delete(cluster_tx(&c), &c.me, &args, &c.refusal), host);
	assert_int_equal(t.n_routes, 2);
	assert_ok(cluster_end(&c, prefix_list_delete(cluster_tx(&c), &c.me, list, &l, &c.refusal)));
}

/* A list counts for all that it may have. */
/* requirement: TOPO-1 */
static void test_a_list_counts_for_its_entries(void **state)
{
	char rtb[ID_TEXT_SIZE], igw[ID_TEXT_SIZE], list[ID_TEXT_SIZE], other[ID_TEXT_SIZE];
	struct route_args args = {.table_id = rtb, .prefix_list_id = list, .gateway_id = igw};

	main_table(rtb);
	cluster_make_internet(&c, c.vpc, igw);
	make_list(LIMIT_MODEL_ROUTES - 1, NULL, 0, list);
	make_list(2, NULL, 0, other);
	assert_ok(add(args));
	args.prefix_list_id = other;
	assert_int_equal(add(args), MODEL_E_ROUTE_LIMIT);
	assert_ok(resize_list(other, 1));
	assert_ok(add(args));
	assert_int_equal(resize_list(other, 2), MODEL_E_ROUTE_LIMIT);
	args = (struct route_args){.table_id = rtb, .cidr = "0.0.0.0/0", .gateway_id = igw};
	assert_int_equal(add(args), MODEL_E_ROUTE_LIMIT);
	args.cidr = NULL;
	args.prefix_list_id = "pl-00000000000000001";
	assert_int_equal(add(args), MODEL_E_LIST_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_main_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_a_vpc_is_kept_by, setup, teardown),
		cmocka_unit_test_setup_teardown(test_routes_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replacing_and_deleting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_associations, setup, teardown),
		cmocka_unit_test_setup_teardown(test_carriers_get_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_routes_to_a_node_follow_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_list_as_destination, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_list_counts_for_its_entries, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
