/* SPDX-License-Identifier: Apache-2.0 */
/* Route tables of internet gateways: which may be one, what edges are told, and how the analysis
 * follows them. */
#include <string.h>

#include "model/elastic.h"
#include "model/instance.h"
#include "model/internet_gateway.h"
#include "model/plan.h"
#include "model/pool.h"
#include "model/prefix_list.h"
#include "model/reach.h"
#include "model/route_table.h"
#include "tests/unit/model/cluster.h"

static struct cluster c; /* 10.0.0.0/16 with the subnet 10.0.0.0/24 */
static uint32_t edge;
static char rtb[ID_TEXT_SIZE], igw[ID_TEXT_SIZE], eni[ID_TEXT_SIZE], main_rtb[ID_TEXT_SIZE];

static void make_table(const char *vpc, char ret_id[static ID_TEXT_SIZE])
{
	struct route_table_create_args args = {.vpc_id = vpc};
	const struct route_table *t;
	int r = route_table_create(cluster_tx(&c), &c.me, &args, &t, &c.refusal);

	assert_ok(r);
	object_id_text(&t->o, ret_id);
	assert_ok(cluster_end(&c, r));
}

static int setup(void **state)
{
	cluster_init_network(&c, 2);
	edge = cluster_add_edge(&c, "e1", "fd00::e1");
	make_table(c.vpc, rtb);
	cluster_make_internet(&c, c.vpc, igw);
	cluster_make_interface(&c, c.subnet, NULL, eni);
	id_text(KIND_ROUTE_TABLE, cluster_vpc(&c, c.vpc)->main_table, main_rtb);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static const struct route_table *table(const char *id)
{
	const struct route_table *t;

	assert_ok(route_table_find(c.m, &c.me, id, &t, &c.refusal));
	return t;
}

static const struct internet_gateway *gateway(void)
{
	const struct internet_gateway *g;

	assert_ok(internet_gateway_find(c.m, &c.me, igw, &g, &c.refusal));
	return g;
}

static int associate_with(const char *table_id, const char *gateway_id)
{
	uint64_t id;

	return cluster_end(&c, route_table_associate_gateway(cluster_tx(&c), &c.me, table_id,
							     gateway_id, &id, &c.refusal));
}

static int associate(void)
{
	return associate_with(rtb, igw);
}

static int serve_subnet(const char *table_id)
{
	uint64_t id;

	return cluster_end(&c, route_table_associate(cluster_tx(&c), &c.me, table_id, c.subnet, &id,
						     &c.refusal));
}

static int disassociate(uint64_t association)
{
	char text[ID_TEXT_SIZE];

	id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION, association, text);
	return cluster_end(&c, route_table_disassociate(cluster_tx(&c), &c.me, text, &c.refusal));
}

static int reassociate(uint64_t association, const char *table_id)
{
	char text[ID_TEXT_SIZE];
	uint64_t id;
	bool main;

	id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION, association, text);
	return cluster_end(&c, route_table_reassociate(cluster_tx(&c), &c.me, text, table_id, &id,
						       &main, &c.refusal));
}

static int add(struct route_args args)
{
	return cluster_end(&c, route_create(cluster_tx(&c), &c.me, &args, &c.refusal));
}

static int replace(struct route_args args)
{
	return cluster_end(&c, route_replace(cluster_tx(&c), &c.me, &args, &c.refusal));
}

static int drop(const char *table_id, const char *cidr)
{
	struct route_args args = {.table_id = table_id, .cidr = cidr};

	return cluster_end(&c, route_delete(cluster_tx(&c), &c.me, &args, &c.refusal));
}

/* requirement: TOPO-1 */
static void test_associations(void **state)
{
	char second[ID_TEXT_SIZE], loose[ID_TEXT_SIZE], other[ID_TEXT_SIZE], foreign[ID_TEXT_SIZE];
	uint64_t id, main = cluster_vpc(&c, c.vpc)->main_association;

	make_table(c.vpc, second);
	cluster_make_internet(&c, NULL, loose);
	cluster_make_vpc(&c, "10.9.0.0/16", other);
	make_table(other, foreign);
	assert_int_equal(associate_with(rtb, "vgw-1"), MODEL_E_VPN_GATEWAY_NOT_FOUND);
	assert_int_equal(associate_with(rtb, "eigw-00000000000000001"), MODEL_E_GATEWAY_NOT_FOUND);
	assert_int_equal(associate_with(rtb, loose), MODEL_E_ROUTE_NETWORKS);
	assert_int_equal(associate_with(foreign, igw), MODEL_E_ROUTE_NETWORKS);
	assert_int_equal(associate_with(main_rtb, igw), MODEL_E_TABLE_NO_GATEWAYS);
	assert_int_equal(cluster_end(&c, route_table_associate_gateway(cluster_tx(&c), &c.stranger,
								       rtb, igw, &id, &c.refusal)),
			 MODEL_E_TABLE_NOT_FOUND);
	assert_null(route_table_gateway(c.m, table(rtb)));
	assert_ok(associate());
	assert_ptr_equal(route_table_gateway(c.m, table(rtb)), gateway());
	assert_null(route_table_gateway(c.m, table(second)));
	assert_int_equal(associate_with(second, igw), MODEL_E_TABLE_ASSOCIATED);

	/* the gateway's alone */
	assert_int_equal(serve_subnet(rtb), MODEL_E_TABLE_OF_GATEWAY);
	assert_int_equal(reassociate(main, rtb), MODEL_E_TABLE_OF_GATEWAY);
	assert_int_equal(reassociate(gateway()->table_association, main_rtb),
			 MODEL_E_TABLE_NO_GATEWAYS);
	assert_ok(serve_subnet(second));
	assert_int_equal(reassociate(gateway()->table_association, second),
			 MODEL_E_TABLE_NO_GATEWAYS);
	assert_int_equal(reassociate(cluster_subnet(&c, c.subnet)->table_association, rtb),
			 MODEL_E_TABLE_OF_GATEWAY);
	assert_ok(disassociate(cluster_subnet(&c, c.subnet)->table_association));

	/* what an association keeps */
	assert_int_equal(
		cluster_end(&c, route_table_delete(cluster_tx(&c), &c.me, rtb, &c.refusal)),
		MODEL_E_TABLE_DEPENDENCY);
	assert_int_equal(cluster_end(&c, internet_gateway_detach(cluster_tx(&c), &c.me, igw, c.vpc,
								 &c.refusal)),
			 MODEL_E_GATEWAY_TABLE);
	id = gateway()->table_association;
	assert_ok(reassociate(id, rtb)); /* as it is */
	assert_int_equal(gateway()->table_association, id);
	assert_ok(reassociate(id, second));
	assert_ptr_equal(route_table_gateway(c.m, table(second)), gateway());
	assert_int_equal(disassociate(id), MODEL_E_ASSOCIATION_NOT_FOUND);
	assert_ok(cluster_end(&c, route_table_delete(cluster_tx(&c), &c.me, rtb, &c.refusal)));

	/* as it was stored */
	id = gateway()->table_association;
	cluster_restart(&c);
	assert_int_equal(gateway()->table_association, id);
	assert_ptr_equal(route_table_gateway(c.m, table(second)), gateway());
	assert_ok(disassociate(id));
	assert_true(!gateway()->table && !gateway()->table_association);
	assert_ok(cluster_end(
		&c, internet_gateway_detach(cluster_tx(&c), &c.me, igw, c.vpc, &c.refusal)));
}

/* requirement: TOPO-1 */
static void test_which_routes_it_may_have(void **state)
{
	struct prefix_list_entry_args entry = {.cidr = "10.0.0.0/24"};
	struct prefix_list_create_args list_args = {
		.name = "l", .family = "IPv4", .max_entries = 1, .entries = &entry, .n_entries = 1};
	const struct prefix_list *l;
	char list[ID_TEXT_SIZE];
	int r = prefix_list_create(cluster_tx(&c), &c.me, &list_args, &l, &c.refusal);

	assert_ok(r);
	object_id_text(&l->o, list);
	assert_ok(cluster_end(&c, r));

	const struct route_args others[] = {
		{.table_id = rtb, .cidr = "0.0.0.0/0", .gateway_id = igw},
		{.table_id = rtb, .cidr = "192.168.0.0/16", .interface_id = eni},
		{.table_id = rtb, .ipv6_cidr = "::/0", .interface_id = eni},
		{.table_id = rtb, .prefix_list_id = list, .interface_id = eni},
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct route_args args = others[i];

		assert_ok(add(args)); /* while it is nobody's */
		assert_int_equal(associate(), MODEL_E_TABLE_NO_GATEWAYS);
		assert_ok(cluster_end(&c, route_delete(cluster_tx(&c), &c.me, &args, &c.refusal)));
	}
	assert_ok(add(
		(struct route_args){.table_id = rtb, .cidr = "10.0.0.0/24", .interface_id = eni}));
	assert_ok(associate());
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_equal(add(others[i]), MODEL_E_GATEWAY_ROUTE);
	assert_int_equal(add((struct route_args){
				 .table_id = rtb, .cidr = "10.0.0.0/25", .interface_id = eni}),
			 MODEL_E_ROUTE_SUBNET);
	assert_int_equal(replace((struct route_args){
				 .table_id = rtb, .cidr = "10.0.0.0/24", .gateway_id = igw}),
			 MODEL_E_ROUTE_LOCAL);
	assert_ok(replace(
		(struct route_args){.table_id = rtb, .cidr = "10.0.0.0/16", .interface_id = eni}));
	assert_ok(replace(
		(struct route_args){.table_id = rtb, .cidr = "10.0.0.0/16", .local = true}));
	assert_ok(drop(rtb, "10.0.0.0/24"));
	assert_int_equal(table(rtb)->n_routes, 0);
}

/* ---- towards edges ---- */

struct told {
	size_t n_gateways, n_tables;
	uint32_t host, table;
	struct plan_route last;
};

static int note(void *data, uint32_t host, const struct plan_item *item)
{
	struct told *t = data;

	if (item->remove)
		return 0;
	if (item->kind == PLAN_GATEWAY) {
		t->n_gateways++;
		t->host = host;
		t->table = item->gateway.table;
	}
	if (item->kind == PLAN_TABLE && host == edge) {
		t->n_tables++;
		t->last = item->table.routes[item->table.n_routes - 1];
	}
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
static void test_what_edges_are_told(void **state)
{
	char box[ID_TEXT_SIZE], text[ID_TEXT_SIZE];
	struct route_args lead = {.table_id = rtb, .cidr = "10.0.0.0/24", .instance_id = box};
	const char *stop = box;
	struct instance_transition transition;
	uint64_t id;
	struct told t;

	assert_ok(cluster_run(&c, c.subnet, box));
	cluster_acknowledge(&c);
	t = told_by(
		route_table_associate_gateway(cluster_tx(&c), &c.me, rtb, igw, &id, &c.refusal));
	assert_int_equal(t.n_gateways, 1);
	assert_int_equal(t.host, edge);
	assert_int_equal(t.table, table(rtb)->number);
	t = told_by(route_create(cluster_tx(&c), &c.me, &lead, &c.refusal));
	assert_int_equal(t.n_gateways, 0);
	assert_true(t.n_tables); /* with the handle that the interface is given */
	assert_int_equal(t.last.target, PLAN_TARGET_INTERFACE);
	assert_int_equal(t.last.peer, cluster_instance(&c, box)->host);
	assert_int_equal(t.last.vni, cluster_interface_of(&c, box)->handle.number);
	t = (struct told){};
	assert_ok(plan_full(c.m, edge, note, &t));
	assert_int_equal(t.n_gateways, 1);
	assert_int_equal(t.table, table(rtb)->number);
	t = told_by(instance_stop(cluster_tx(&c), &c.me, &stop, 1, &transition, &c.refusal));
	assert_int_equal(t.last.target, PLAN_TARGET_BLACKHOLE);
	id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION, id, text);
	t = told_by(route_table_disassociate(cluster_tx(&c), &c.me, text, &c.refusal));
	assert_int_equal(t.n_gateways, 1);
	assert_int_equal(t.table, 0);
}

/* ---- reachability ---- */

/* The route that the gateway's own table has for what has entered; NULL: that was not asked. */
static const struct reach_step *entering(const struct reach_answer *a)
{
	for (size_t i = 0; i < a->n_steps; i++)
		if (a->steps[i].what == REACH_ROUTE &&
		    a->steps[i].attached_kind == KIND_INTERNET_GATEWAY)
			return &a->steps[i];
	return NULL;
}

static void make_public(const char *instance)
{
	const struct pool *p;
	const struct elastic *e;
	char id[ID_TEXT_SIZE];
	struct elastic_allocate_args allocate = {};
	struct elastic_associate_args args = {.allocation_id = id, .instance_id = instance};
	int r = pool_add(cluster_tx(&c), &c.admin, "198.51.100.0/24", &p, &c.refusal);

	assert_ok(cluster_end(&c, r));
	r = elastic_allocate(cluster_tx(&c), &c.me, &allocate, &e, &c.refusal);
	assert_ok(r);
	object_id_text(&e->o, id);
	assert_ok(cluster_end(&c, r));
	assert_ok(cluster_end(&c, elastic_associate(cluster_tx(&c), &c.me, &args, &e, &c.refusal)));
}

/* requirement: TOPO-1 */
static void test_the_analysis_follows_it(void **state)
{
	char web[ID_TEXT_SIZE], box[ID_TEXT_SIZE], two[ID_TEXT_SIZE];
	struct instance_modify_args modify = {.instance_id = box,
					      .source_dest_check = &(bool){false}};
	struct reach_question q = {.protocol = 6, .port = 80};
	struct reach_answer a;

	cluster_make_subnet(&c, c.vpc, "10.0.1.0/24", two);
	assert_ok(cluster_run(&c, c.subnet, web));
	assert_ok(cluster_run(&c, two, box));
	cluster_acknowledge(&c);
	make_public(web);
	cluster_acknowledge(&c);
	assert_ok(add(
		(struct route_args){.table_id = rtb, .cidr = "10.0.0.0/24", .instance_id = box}));
	q.to.interface = cluster_interface_of(&c, web);
	q.to.addr = q.to.interface->addrs[0].addr;
	q.from.gateway = gateway();
	assert_ok(ipaddr_parse("203.0.113.1", &q.from.addr));
	assert_ok(reach_analyse(c.m, &q, &a));
	assert_null(entering(&a));
	assert_ok(associate());
	q.from.gateway = gateway();
	assert_ok(reach_analyse(c.m, &q, &a));
	assert_false(a.found);
	assert_int_equal(entering(&a)->code, REACH_SOURCE_DEST_CHECK);
	assert_int_equal(entering(&a)->attached, q.from.gateway->o.id);
	assert_int_equal(entering(&a)->id, table(rtb)->o.id);
	assert_int_equal(entering(&a)->target, cluster_interface_of(&c, box)->o.id);
	assert_ok(cluster_end(&c, instance_modify(cluster_tx(&c), &c.me, &modify, &c.refusal)));
	assert_ok(reach_analyse(c.m, &q, &a));
	assert_int_equal(entering(&a)->code, REACH_PASSES);
	assert_ok(drop(rtb, "10.0.0.0/24")); /* local alone: where it goes */
	assert_ok(reach_analyse(c.m, &q, &a));
	assert_int_equal(entering(&a)->code, REACH_PASSES);
	assert_int_equal(entering(&a)->target, 0);
	assert_int_equal(entering(&a)->prefix.len, 96 + 16);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_associations),
		TEST(test_which_routes_it_may_have),
		TEST(test_what_edges_are_told),
		TEST(test_the_analysis_follows_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
