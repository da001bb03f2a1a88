/* SPDX-License-Identifier: Apache-2.0 */
/* Where what a node forwards for others leaves the network: who may ask, and who is told of what
 * becomes of it. */
#include "model/exit.h"

#include <string.h>

#include "model/edge.h"
#include "model/elastic.h"
#include "model/instance.h"
#include "model/internet_gateway.h"
#include "model/plan.h"
#include "model/pool.h"
#include "model/route_table.h"
#include "model/vpc.h"
#include "tests/unit/model/cluster.h"

static struct cluster c;
static char box[ID_TEXT_SIZE],
	node[ID_TEXT_SIZE]; /* instances: the one that forwards, and whose packets it does */
static char table[ID_TEXT_SIZE], allocation[ID_TEXT_SIZE], igw[ID_TEXT_SIZE];
static struct ipaddr source; /* the node's address */
static uint32_t edges[2], vni;

static void set_check(bool on)
{
	struct instance_modify_args modify = {.instance_id = box, .source_dest_check = &on};

	assert_ok(cluster_end(&c, instance_modify(cluster_tx(&c), &c.me, &modify, &c.refusal)));
}

static void set_route(bool there)
{
	struct route_args args = {.table_id = table, .cidr = "0.0.0.0/0", .gateway_id = igw};
	struct tx *tx = cluster_tx(&c);

	if (!there)
		args.gateway_id = NULL;
	assert_ok(cluster_end(&c, there ? route_create(tx, &c.me, &args, &c.refusal)
					: route_delete(tx, &c.me, &args, &c.refusal)));
}

static int setup(void **state)
{
	struct elastic_allocate_args args = {};
	const struct elastic *e;
	const struct pool *p;
	int r;

	cluster_init_network(&c, 2);
	edges[0] = cluster_add_edge(&c, "e1", "fd00::101");
	cluster_make_internet(&c, c.vpc, igw);
	assert_ok(cluster_end(
		&c, pool_add(cluster_tx(&c), &c.admin, "198.51.100.0/24", &p, &c.refusal)));
	assert_ok(cluster_run(&c, c.subnet, box));
	assert_ok(cluster_run(&c, c.subnet, node));
	r = elastic_allocate(cluster_tx(&c), &c.me, &args, &e, &c.refusal);
	assert_ok(r);
	object_id_text(&e->o, allocation);
	assert_ok(cluster_end(&c, r));
	source = cluster_interface_of(&c, node)->addrs[0].addr;
	vni = cluster_vpc(&c, c.vpc)->vni;
	id_text(KIND_ROUTE_TABLE, cluster_vpc(&c, c.vpc)->main_table, table);
	set_route(true);
	set_check(false);
	cluster_acknowledge(&c);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static uint32_t host_of(const char *instance)
{
	return cluster_instance(&c, instance)->host;
}

static int ask_as(uint32_t host, enum mapping_question q, uint32_t network, struct mapping *ret)
{
	const struct ipaddr *own = &cluster_interface_of(&c, box)->addrs[0].addr;
	struct ipaddr exit = exit_address(&source);
	struct mapping_key asker = mapping_key_of(vni, own);
	struct mapping_key key = mapping_key_of(network, &exit);

	return exit_resolve(c.m, host, q, &asker, &key, ret);
}

static int ask(struct mapping *ret)
{
	return ask_as(host_of(box), MAPPING_SEND, vni, ret);
}

static int associate(const char *instance)
{
	struct elastic_associate_args args = {
		.allocation_id = allocation, .instance_id = instance, .allow_reassociation = true};
	const struct elastic *e;

	return elastic_associate(cluster_tx(&c), &c.me, &args, &e, &c.refusal);
}

/* ---- what holders hear ---- */

struct told {
	size_t n;
	struct mapping last; /* of the node's exit */
};

static void note(void *data, const struct mapping *now)
{
	struct told *t = data;
	struct ipaddr exit = exit_address(&source);

	if (now->vni != vni || !ipaddr_equal(&now->addr, &exit))
		return;
	t->n++;
	t->last = *now;
}

static struct told told_by(int r)
{
	struct told t = {};
	struct change *change = cluster_end_change(&c, r);

	plan_mappings(c.m, change, note, &t);
	change_free(change);
	return t;
}

/* requirement: EDGE-1 */
/* requirement: MAP-2 */
static void test_who_may_ask(void **state)
{
	struct mapping found = {};

	assert_int_equal(ask(&found), MODEL_E_MAPPING_UNKNOWN);
	assert_ok(cluster_end(&c, associate(node)));
	assert_ok(ask(&found));
	assert_int_equal(found.host, edges[0]);
	assert_int_equal(found.vni, vni);
	assert_int_not_equal(host_of(box), host_of(node));
	assert_int_equal(ask_as(host_of(node), MAPPING_SEND, vni, &found),
			 MODEL_E_MAPPING_NOT_HERE);
	assert_int_equal(ask_as(host_of(box), MAPPING_VERIFY, vni, &found),
			 MODEL_E_MAPPING_NOT_HERE);
	assert_int_equal(ask_as(host_of(box), MAPPING_SEND, vni + 1, &found),
			 MODEL_E_MAPPING_NOT_HERE);
	set_check(true);
	assert_int_equal(ask(&found), MODEL_E_MAPPING_NOT_HERE);
	set_check(false);
	set_route(false);
	assert_int_equal(ask(&found), MODEL_E_MAPPING_NOT_HERE);
	set_route(true);
	assert_ok(ask(&found));
	cluster_restart(&c);
	assert_ok(ask(&found));
	assert_int_equal(found.host, edges[0]);
}

/* Given, moved with its edge, given to another, who had it draining, and taken away. */
/* requirement: EDGE-1 */
/* requirement: MAP-3 */
static void test_who_has_asked_is_told(void **state)
{
	struct mapping found = {};
	struct told t = told_by(associate(node));

	assert_true(t.n > 0);
	assert_int_equal(t.last.host, edges[0]);
	assert_ok(ask(&found));
	assert_int_equal(found.revision, t.last.revision);

	edges[1] = cluster_add_edge(&c, "e2", "fd00::102");
	host_set_connected(c.m, edges[0], false);
	host_set_silent(c.m, edges[0]);
	assert_true(edge_due(c.m, 1000));
	t = told_by(edge_settle(cluster_tx(&c), 1000, 100));
	assert_true(t.n > 0);
	assert_int_equal(t.last.host, edges[1]);

	t = told_by(associate(box));
	assert_true(t.n > 0);
	assert_int_equal(t.last.host, edges[1]); /* its connections go on */
}

/* requirement: EDGE-1 */
/* requirement: MAP-3 */
static void test_an_address_that_is_taken_away(void **state)
{
	const struct elastic *e;
	char association[ID_TEXT_SIZE];
	struct mapping found = {};
	struct told t;

	assert_ok(cluster_end(&c, associate(node)));
	assert_ok(elastic_find(c.m, &c.me, allocation, &e, &c.refusal));
	id_text_prefixed(ID_PREFIX_ADDRESS_ASSOCIATION, e->association, association);
	t = told_by(elastic_disassociate(cluster_tx(&c), &c.me, association, NULL, &c.refusal));
	assert_true(t.n > 0);
	assert_int_equal(t.last.host, 0);
	assert_int_equal(ask(&found), MODEL_E_MAPPING_UNKNOWN);
	assert_ok(cluster_end(&c, associate(node)));
	assert_ok(ask(&found));
	assert_ok(cluster_transition(&c, instance_terminate, node));
	cluster_acknowledge(&c);
	assert_int_equal(ask(&found), MODEL_E_MAPPING_UNKNOWN);
}

/* ---- what hosts are told with their tables ---- */

static int find_route(void *data, uint32_t host, const struct plan_item *item)
{
	struct plan_route *found = data;

	for (size_t n = 0; item->kind == PLAN_TABLE && n < item->table.n_routes; n++)
		if (item->table.routes[n].target == PLAN_TARGET_INTERNET)
			*found = item->table.routes[n];
	return 0;
}

/* The gateway's handle, which what is forwarded is for; at which edge is its source's affair. */
/* requirement: EDGE-1 */
static void test_route_names_the_gateway(void **state)
{
	struct plan_route found = {};
	const struct internet_gateway *g;

	assert_ok(internet_gateway_find(c.m, &c.me, igw, &g, &c.refusal));
	assert_ok(plan_full(c.m, host_of(box), find_route, &found));
	assert_int_equal(found.target, PLAN_TARGET_INTERNET);
	assert_int_equal(found.vni, g->handle.number);
	assert_int_equal(found.peer, 0);
}

/* An edge that serves the network asks who forwards into it; another has no business with that. */
/* requirement: MAP-2 */
/* requirement: PKT-13 */
static void test_edges_verify_who_forwards(void **state)
{
	struct route_args args = {.table_id = table, .cidr = "192.168.0.0/16", .instance_id = box};
	struct ipaddr into = ipaddr_from_v4(vni), nobody = {};
	struct mapping_key asker = mapping_key_of(vni, &nobody), key;
	const struct mapping *found = NULL;

	assert_ok(cluster_end(&c, route_create(cluster_tx(&c), &c.me, &args, &c.refusal)));
	edges[1] = cluster_add_edge(&c, "e2", "fd00::102");
	key = mapping_key_of(cluster_interface_of(&c, box)->handle.number, &into);
	assert_ok(mapping_resolve_key(c.m, edges[0], MAPPING_VERIFY, &asker, &key, NULL, &found,
				      NULL));
	assert_int_equal(found->host, host_of(box));
	assert_int_equal(mapping_resolve_key(c.m, edges[1], MAPPING_VERIFY, &asker, &key, NULL,
					     &found, NULL),
			 MODEL_E_MAPPING_NOT_HERE);
	assert_int_equal(mapping_resolve_key(c.m, host_of(node), MAPPING_VERIFY, &asker, &key, NULL,
					     &found, NULL),
			 MODEL_E_MAPPING_NOT_HERE);
	set_check(true);
	assert_int_equal(mapping_resolve_key(c.m, edges[0], MAPPING_VERIFY, &asker, &key, NULL,
					     &found, NULL),
			 MODEL_E_MAPPING_UNKNOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_who_may_ask),
		TEST(test_who_has_asked_is_told),
		TEST(test_an_address_that_is_taken_away),
		TEST(test_route_names_the_gateway),
		TEST(test_edges_verify_who_forwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
