/* SPDX-License-Identifier: Apache-2.0 */
/* Routes for addresses of the network itself ("middleboxes" between subnets), and what hosts are
 * told of them. */
#include <string.h>

#include "model/instance.h"
#include "model/internet_gateway.h"
#include "model/plan.h"
#include "model/prefix_list.h"
#include "model/reach.h"
#include "model/route_table.h"
#include "model/vpc.h"
#include "model/vpc_block.h"
#include "model/vpc_block6.h"
#include "tests/unit/model/cluster.h"

static struct cluster c; /* 10.0.0.0/16 with the subnet 10.0.0.0/24 */
static char rtb[ID_TEXT_SIZE], eni[ID_TEXT_SIZE];

static int setup(void **state)
{
	const struct vpc *v;

	cluster_init_network(&c, 2);
	assert_ok(vpc_find(c.m, &c.me, c.vpc, &v, &c.refusal));
	id_text(KIND_ROUTE_TABLE, v->main_table, rtb);
	cluster_make_interface(&c, c.subnet, NULL, eni);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static const struct route_table *table(void)
{
	const struct route_table *t;

	assert_ok(route_table_find(c.m, &c.me, rtb, &t, &c.refusal));
	return t;
}

static const struct vpc *vpc(void)
{
	return (const struct vpc *)model_get(c.m, KIND_VPC, table()->vpc);
}

static int add(struct route_args args)
{
	return cluster_end(&c, route_create(cluster_tx(&c), &c.me, &args, &c.refusal));
}

static int replace(struct route_args args)
{
	return cluster_end(&c, route_replace(cluster_tx(&c), &c.me, &args, &c.refusal));
}

static int drop(const char *cidr)
{
	struct route_args args = {.table_id = rtb, .cidr = cidr};

	return cluster_end(&c, route_delete(cluster_tx(&c), &c.me, &args, &c.refusal));
}

static int to_eni(const char *cidr)
{
	return add((struct route_args){.table_id = rtb, .cidr = cidr, .interface_id = eni});
}

/* For the whole block of a subnet, to an interface, and nothing else. */
/* requirement: TOPO-1 */
static void test_more_specific(void **state)
{
	const struct internet_gateway *made;
	char igw[ID_TEXT_SIZE], other[ID_TEXT_SIZE];
	int r = internet_gateway_create(cluster_tx(&c), &c.me, NULL, 0, &made, &c.refusal);

	assert_ok(r);
	object_id_text(&made->o, igw);
	assert_ok(cluster_end(&c, r));
	assert_ok(cluster_end(
		&c, internet_gateway_attach(cluster_tx(&c), &c.me, igw, c.vpc, &c.refusal)));
	assert_int_equal(to_eni("10.0.0.0/25"), MODEL_E_ROUTE_SUBNET);
	assert_int_equal(to_eni("10.0.0.0/23"), MODEL_E_ROUTE_SUBNET);
	assert_int_equal(to_eni("10.0.1.0/24"), MODEL_E_ROUTE_SUBNET);
	cluster_make_subnet(&c, c.vpc, "10.0.1.0/24", other);
	assert_int_equal(
		add((struct route_args){.table_id = rtb, .cidr = "10.0.1.0/24", .gateway_id = igw}),
		MODEL_E_ROUTE_LOCAL);
	assert_false(route_table_is_inside(vpc(), table()));
	assert_ok(to_eni("10.0.1.0/24"));
	assert_true(route_table_is_inside(vpc(), table()));
	assert_false(route_is_instead(vpc(), &table()->routes[0]));
	assert_int_equal(to_eni("10.0.1.0/24"), MODEL_E_ROUTE_EXISTS);
	assert_int_equal(replace((struct route_args){
				 .table_id = rtb, .cidr = "10.0.1.0/24", .gateway_id = igw}),
			 MODEL_E_ROUTE_LOCAL);
	assert_ok(cluster_end(&c, subnet_delete(cluster_tx(&c), &c.me, other, &c.refusal)));
	assert_int_equal(table()->n_routes, 1); /* it outlives the subnet */
	assert_ok(replace(
		(struct route_args){.table_id = rtb, .cidr = "10.0.1.0/24", .interface_id = eni}));
	assert_ok(drop("10.0.1.0/24"));
	assert_int_equal(drop("10.0.1.0/24"), MODEL_E_ROUTE_NOT_FOUND);
	assert_int_equal(to_eni("10.0.1.0/24"), MODEL_E_ROUTE_SUBNET);
	assert_int_equal(table()->n_routes, 0);
}

/* A local route is there always; only where it leads can be changed, and changed back. */
/* requirement: TOPO-1 */
static void test_instead_of_the_local_route(void **state)
{
	struct route_args own = {.table_id = rtb, .cidr = "10.0.0.0/16", .local = true};
	struct route_args lead = {.table_id = rtb, .cidr = "10.0.0.0/16", .interface_id = eni};
	struct route_args both = lead,
			  other = {.table_id = rtb, .cidr = "10.0.0.0/24", .local = true};
	struct prefix block;

	assert_ok(prefix_parse("10.0.0.0/16", &block));
	both.local = true;
	assert_int_equal(add(lead), MODEL_E_ROUTE_EXISTS);
	assert_int_equal(add(own), MODEL_E_ROUTE_NOT_LOCAL);
	assert_int_equal(replace(other), MODEL_E_ROUTE_NOT_LOCAL);
	assert_int_equal(replace(both), MODEL_E_COMBINATION);
	assert_ok(replace(own)); /* as it is */
	assert_null(route_table_instead(table(), &block));
	assert_ok(replace(lead));
	assert_int_equal(table()->n_routes, 1);
	assert_ptr_equal(route_table_instead(table(), &block), &table()->routes[0]);
	assert_true(route_is_instead(vpc(), &table()->routes[0]));
	assert_ok(replace(lead));
	assert_int_equal(table()->n_routes, 1);
	assert_int_equal(drop("10.0.0.0/16"), MODEL_E_ROUTE_STAYS);
	assert_ok(replace(own));
	assert_int_equal(table()->n_routes, 0);
	assert_int_equal(drop("10.0.0.0/16"), MODEL_E_ROUTE_STAYS);
}

/* One whose block goes is a route like others, until it is removed. */
/* requirement: TOPO-1 */
static void test_a_block_that_goes(void **state)
{
	struct route_args lead = {.table_id = rtb, .cidr = "10.1.0.0/16", .interface_id = eni};
	const struct vpc *v;
	struct cidr_block block;
	char text[ID_TEXT_SIZE];
	int r = vpc_associate_block(cluster_tx(&c), &c.me, c.vpc, "10.1.0.0/16", &v, &c.refusal);

	assert_ok(r);
	id_text_prefixed(ID_PREFIX_VPC_CIDR, v->blocks[1].association, text);
	assert_ok(cluster_end(&c, r));
	assert_ok(replace(lead));
	assert_ok(cluster_end(
		&c, vpc_disassociate_block(cluster_tx(&c), &c.me, text, &v, &block, &c.refusal)));
	assert_false(route_table_is_inside(vpc(), table()));
	assert_int_equal(cluster_end(&c, vpc_associate_block(cluster_tx(&c), &c.me, c.vpc,
							     "10.1.0.0/16", &v, &c.refusal)),
			 MODEL_E_BLOCK_CONFLICT);
	assert_ok(drop("10.1.0.0/16"));
	assert_ok(cluster_end(&c, vpc_associate_block(cluster_tx(&c), &c.me, c.vpc, "10.1.0.0/16",
						      &v, &c.refusal)));
}

/* ---- towards hosts ---- */

struct told {
	bool inside;
	size_t n_routes;
	struct plan_route routes[8];
};

static int note(void *data, uint32_t host, const struct plan_item *item)
{
	struct told *t = data;

	if (item->kind != PLAN_TABLE || item->remove)
		return 0;
	t->inside = item->table.inside;
	t->n_routes = item->table.n_routes;
	assert_in_range(t->n_routes, 0, 8);
	memcpy(t->routes, item->table.routes, t->n_routes * sizeof(t->routes[0]));
	return 0;
}

static struct told told_by(int r)
{
	struct told t = {};
	struct change *change = cluster_end_change(&c, r);

	assert_ok(plan_change(c.m, change, note, &t));
	change_free(change);
	return t;
}

/* requirement: TOPO-1 */
static void test_what_hosts_are_told(void **state)
{
	char other[ID_TEXT_SIZE], box[ID_TEXT_SIZE];
	struct route_args specific = {.table_id = rtb, .cidr = "10.0.1.0/24", .instance_id = box};
	struct route_args whole = {.table_id = rtb, .cidr = "10.0.0.0/16", .instance_id = box};
	struct told t;

	cluster_make_subnet(&c, c.vpc, "10.0.1.0/24", other);
	assert_ok(cluster_run(&c, c.subnet, box));
	cluster_acknowledge(&c);
	t = told_by(route_create(cluster_tx(&c), &c.me, &specific, &c.refusal));
	assert_true(t.inside);
	assert_int_equal(t.n_routes, 2);
	assert_int_equal(t.routes[0].target, PLAN_TARGET_LOCAL);
	assert_int_equal(t.routes[1].target, PLAN_TARGET_INTERFACE);
	assert_int_equal(t.routes[1].prefix.len, 96 + 24);
	t = told_by(route_replace(cluster_tx(&c), &c.me, &whole, &c.refusal));
	assert_true(t.inside);
	assert_int_equal(t.n_routes, 2);
	assert_int_equal(t.routes[0].target, PLAN_TARGET_INTERFACE);
	assert_int_equal(t.routes[0].prefix.len, 96 + 16);
	assert_int_equal(t.routes[0].vni, cluster_interface_of(&c, box)->handle.number);
	t = told_by(route_delete(cluster_tx(&c), &c.me, &specific, &c.refusal));
	assert_true(t.inside);
	assert_int_equal(t.n_routes, 1);
	whole = (struct route_args){.table_id = rtb, .cidr = "10.0.0.0/16", .local = true};
	t = told_by(route_replace(cluster_tx(&c), &c.me, &whole, &c.refusal));
	assert_false(t.inside);
	assert_int_equal(t.n_routes, 1);
	assert_int_equal(t.routes[0].target, PLAN_TARGET_LOCAL);
}

/* ---- reachability ---- */

static const struct reach_step *route_step(const struct reach_answer *a, bool back)
{
	for (size_t i = 0; i < a->n_steps; i++)
		if (a->steps[i].what == REACH_ROUTE && a->steps[i].back == back)
			return &a->steps[i];
	fail_msg("no route was asked");
	return NULL;
}

/* requirement: TOPO-1 */
static void test_the_analysis_follows_them(void **state)
{
	char other[ID_TEXT_SIZE], box[ID_TEXT_SIZE], here[ID_TEXT_SIZE], there[ID_TEXT_SIZE];
	struct instance_modify_args modify = {.instance_id = box,
					      .source_dest_check = &(bool){false}};
	struct reach_question q = {.protocol = 6, .port = 80};
	struct reach_answer a;

	cluster_make_subnet(&c, c.vpc, "10.0.1.0/24", other);
	assert_ok(cluster_run(&c, c.subnet, box));
	assert_ok(cluster_run(&c, c.subnet, here));
	assert_ok(cluster_run(&c, other, there));
	cluster_acknowledge(&c);
	q.from.interface = cluster_interface_of(&c, here);
	q.to.interface = cluster_interface_of(&c, there);
	q.from.addr = q.from.interface->addrs[0].addr;
	q.to.addr = q.to.interface->addrs[0].addr;
	assert_ok(reach_analyse(c.m, &q, &a));
	assert_int_equal(route_step(&a, false)->code, REACH_PASSES);
	assert_int_equal(route_step(&a, false)->target, 0);
	assert_true(prefix_equal(&route_step(&a, false)->prefix, &vpc()->blocks[0].prefix));
	assert_ok(add(
		(struct route_args){.table_id = rtb, .cidr = "10.0.1.0/24", .instance_id = box}));
	q.from.interface = cluster_interface_of(&c, here);
	q.to.interface = cluster_interface_of(&c, there);
	assert_ok(reach_analyse(c.m, &q, &a));
	assert_false(a.found);
	assert_int_equal(route_step(&a, false)->code, REACH_SOURCE_DEST_CHECK);
	assert_int_equal(route_step(&a, false)->target, cluster_interface_of(&c, box)->o.id);
	assert_int_equal(route_step(&a, true)->code,
			 REACH_PASSES); /* the table is about the one subnet */
	assert_ok(cluster_end(&c, instance_modify(cluster_tx(&c), &c.me, &modify, &c.refusal)));
	assert_ok(reach_analyse(c.m, &q, &a));
	assert_int_equal(route_step(&a, false)->code, REACH_PASSES);
}

/* requirement: TOPO-1 */
static void test_the_local_route_is_of_the_block_of_the_address(void **state)
{
	struct vpc_block6_args block = {.provided = true};
	char other[ID_TEXT_SIZE], here[ID_TEXT_SIZE], there[ID_TEXT_SIZE];
	struct reach_question q = {.protocol = 6, .port = 80};
	struct reach_answer a;
	const struct vpc *v;

	cluster_make_subnet(&c, c.vpc, "10.0.1.0/24", other);
	assert_ok(cluster_run(&c, c.subnet, here));
	assert_ok(cluster_run(&c, other, there));
	cluster_acknowledge(&c);
	assert_ok(cluster_end(
		&c, vpc_associate_block6(cluster_tx(&c), &c.me, c.vpc, &block, &v, &c.refusal)));
	q.from.interface = cluster_interface_of(&c, here);
	q.to.interface = cluster_interface_of(&c, there);
	q.from.addr = v->blocks6[0].prefix.addr;
	q.to.addr = v->blocks6[0].prefix.addr;
	q.from.addr.b[15] = 4;
	q.to.addr.b[15] = 5;
	assert_ok(reach_analyse(c.m, &q, &a));
	assert_true(prefix_equal(&route_step(&a, false)->prefix, &v->blocks6[0].prefix));
	assert_true(prefix_equal(&route_step(&a, true)->prefix, &v->blocks6[0].prefix));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_more_specific),
		TEST(test_instead_of_the_local_route),
		TEST(test_a_block_that_goes),
		TEST(test_what_hosts_are_told),
		TEST(test_the_analysis_follows_them),
		TEST(test_the_local_route_is_of_the_block_of_the_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
