/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves by a public NAT gateway goes by the table of its subnet: what hosts are told of routes
 * to it, when that changes, and how the analysis follows it. */
#include <string.h>

#include "model/elastic.h"
#include "model/internet_gateway.h"
#include "model/nat_gateway.h"
#include "model/plan.h"
#include "model/pool.h"
#include "model/prefix_list.h"
#include "model/reach.h"
#include "model/route_entry.h"
#include "model/route_table.h"
#include "tests/unit/model/cluster.h"

#define ALL "0.0.0.0/0"

static struct cluster c; /* 10.0.0.0/16 with the subnet 10.0.0.0/24, whose nodes use the gateway */
static uint32_t edge;
static char igw[ID_TEXT_SIZE], nat[ID_TEXT_SIZE], box[ID_TEXT_SIZE];
static char outer_subnet[ID_TEXT_SIZE]; /* 10.0.1.0/24, where the gateway is */
static char inner[ID_TEXT_SIZE], outer[ID_TEXT_SIZE], main_rtb[ID_TEXT_SIZE];
static uint64_t outer_association;

static void make_table(char ret_id[static ID_TEXT_SIZE])
{
	struct route_table_create_args args = {.vpc_id = c.vpc};
	const struct route_table *t;
	int r = route_table_create(cluster_tx(&c), &c.me, &args, &t, &c.refusal);

	assert_ok(r);
	object_id_text(&t->o, ret_id);
	assert_ok(cluster_end(&c, r));
}

static uint64_t associate(const char *table, const char *subnet)
{
	uint64_t id;

	assert_ok(cluster_end(
		&c, route_table_associate(cluster_tx(&c), &c.me, table, subnet, &id, &c.refusal)));
	return id;
}

static const struct nat_gateway *gateway(void)
{
	const struct nat_gateway *g;

	assert_ok(nat_gateway_find(c.m, &c.me, nat, &g, &c.refusal));
	return g;
}

static void make_nat(void)
{
	struct elastic_allocate_args allocate = {};
	char address[ID_TEXT_SIZE];
	struct nat_gateway_create_args args = {.subnet_id = outer_subnet, .allocation_id = address};
	const struct nat_gateway *g;
	const struct elastic *e;
	const struct pool *p;
	int r = pool_add(cluster_tx(&c), &c.admin, "198.51.100.0/24", &p, &c.refusal);

	assert_ok(cluster_end(&c, r));
	r = elastic_allocate(cluster_tx(&c), &c.me, &allocate, &e, &c.refusal);
	assert_ok(r);
	object_id_text(&e->o, address);
	assert_ok(cluster_end(&c, r));
	r = nat_gateway_create(cluster_tx(&c), &c.me, &args, &g, &c.refusal);
	assert_ok(r);
	object_id_text(&g->o, nat);
	assert_ok(cluster_end(&c, r));
	assert_int_equal(gateway()->edge, edge);
}

static int add(struct route_args args)
{
	return route_create(cluster_tx(&c), &c.me, &args, &c.refusal);
}

static int drop(const char *table, const char *cidr)
{
	struct route_args args = {.table_id = table, .cidr = cidr};

	return route_delete(cluster_tx(&c), &c.me, &args, &c.refusal);
}

static int to_world(const char *table, const char *cidr)
{
	return add((struct route_args){.table_id = table, .cidr = cidr, .gateway_id = igw});
}

static int to_nat(const char *table, const char *cidr)
{
	return add((struct route_args){.table_id = table, .cidr = cidr, .nat_gateway_id = nat});
}

static int to_box(const char *table, const char *cidr)
{
	return add((struct route_args){.table_id = table, .cidr = cidr, .instance_id = box});
}

static int setup(void **state)
{
	cluster_init_network(&c, 2);
	edge = cluster_add_edge(&c, "e1", "fd00::e1");
	cluster_make_subnet(&c, c.vpc, "10.0.1.0/24", outer_subnet);
	cluster_make_internet(&c, c.vpc, igw);
	id_text(KIND_ROUTE_TABLE, cluster_vpc(&c, c.vpc)->main_table, main_rtb);
	make_table(inner);
	make_table(outer);
	associate(inner, c.subnet);
	outer_association = associate(outer, outer_subnet);
	make_nat();
	assert_ok(cluster_run(&c, c.subnet, box));
	cluster_acknowledge(&c);
	assert_ok(cluster_end(&c, to_nat(inner, ALL)));
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

/* ---- what hosts are told ---- */

struct told {
	uint32_t number; /* of the table */
	uint32_t host;
	size_t n_tables, n_routes;
	struct plan_route routes[32];
};

static int note(void *data, uint32_t host, const struct plan_item *item)
{
	struct told *t = data;

	if (item->kind != PLAN_TABLE || item->remove || item->table.number != t->number ||
	    host != t->host)
		return 0;
	assert_in_range(item->table.n_routes, 0, ARRAY_SIZE(t->routes));
	t->n_tables++;
	t->n_routes = item->table.n_routes;
	memcpy(t->routes, item->table.routes, t->n_routes * sizeof(t->routes[0]));
	return 0;
}

static uint32_t number_of(const char *table)
{
	const struct route_table *t;

	assert_ok(route_table_find(c.m, &c.me, table, &t, &c.refusal));
	return t->number;
}

/* The host of the node, of the nodes' table. */
static struct told told_at_all(void)
{
	struct told t = {.number = number_of(inner), .host = cluster_instance(&c, box)->host};

	assert_ok(plan_full(c.m, t.host, note, &t));
	assert_int_equal(t.n_tables, 1);
	return t;
}

/* By a change, which leaves what all of it would be. */
static struct told told_by(int r)
{
	struct change *change = cluster_end_change(&c, r);
	struct told all = told_at_all(), t = {.number = all.number, .host = all.host};

	assert_ok(plan_change(c.m, change, note, &t));
	change_free(change);
	assert_true(t.n_tables);
	assert_int_equal(t.n_routes, all.n_routes);
	for (size_t i = 0; i < t.n_routes; i++) {
		assert_true(prefix_equal(&t.routes[i].prefix, &all.routes[i].prefix));
		assert_int_equal(t.routes[i].target, all.routes[i].target);
	}
	return t;
}

/* The one that decides about the address; as route_entries_find(). */
static const struct plan_route *find(const struct told *t, const char *addr)
{
	const struct plan_route *found = NULL;
	struct ipaddr a;

	assert_ok(ipaddr_parse(addr, &a));
	for (size_t i = 0; i < t->n_routes; i++)
		if (prefix_contains(&t->routes[i].prefix, &a) &&
		    (!found || t->routes[i].prefix.len > found->prefix.len))
			found = &t->routes[i];
	return found;
}

/* The address is the gateway's to send to. */
static bool goes(const struct told *t, const char *addr)
{
	const struct plan_route *route = find(t, addr);

	assert_non_null(route);
	if (route->target == PLAN_TARGET_BLACKHOLE) {
		assert_true(!route->peer && !route->vni);
		return false;
	}
	assert_int_equal(route->target, PLAN_TARGET_GATEWAY);
	assert_int_equal(route->peer, edge);
	assert_int_equal(route->vni, gateway()->handle.number);
	return true;
}

/* requirement: TOPO-1 EDGE-1 */
static void test_it_needs_a_way_to_the_world(void **state)
{
	struct told t = told_at_all();

	assert_false(goes(&t, "8.8.8.8"));
	t = told_by(to_world(outer, ALL));
	assert_true(goes(&t, "8.8.8.8"));
	assert_int_equal(t.n_routes,
			 2); /* the network's block, and that: nothing is told besides */
	t = told_by(drop(outer, ALL));
	assert_false(goes(&t, "8.8.8.8"));
	/* the usual mistake: it stands in the subnet that it serves, and leads to itself */
	t = told_by(to_nat(outer, ALL));
	assert_false(goes(&t, "8.8.8.8"));
}

/* requirement: TOPO-1 EDGE-1 */
static void test_the_longest_of_both_decides(void **state)
{
	struct told t;

	told_by(to_world(outer, ALL));
	t = told_by(to_box(outer, "203.0.112.0/23"));
	assert_false(goes(&t, "203.0.113.1"));
	assert_true(goes(&t, "203.0.114.1"));
	t = told_by(to_world(outer, "203.0.113.0/25"));
	assert_true(goes(&t, "203.0.113.1"));
	assert_false(goes(&t, "203.0.113.129"));
	t = told_by(to_world(outer, "203.0.113.0/26")); /* says nothing new */
	assert_int_equal(t.n_routes, 4);

	/* the nodes' own table decides first: by its prefixes */
	t = told_by(to_box(inner, "203.0.113.0/24"));
	assert_int_equal(find(&t, "203.0.113.1")->target, PLAN_TARGET_INTERFACE);
	assert_int_equal(find(&t, "203.0.113.129")->target, PLAN_TARGET_INTERFACE);
	assert_false(goes(&t, "203.0.112.1"));
	assert_true(goes(&t, "8.8.8.8"));
	told_by(drop(inner, "203.0.113.0/24"));
	t = told_by(to_nat(inner, "203.0.113.0/24"));
	assert_true(goes(&t, "203.0.113.1"));
	assert_false(goes(&t, "203.0.113.129"));
	t = told_by(to_box(inner, "203.0.112.0/23"));
	assert_int_equal(find(&t, "203.0.112.1")->target, PLAN_TARGET_INTERFACE);
	assert_false(goes(&t, "203.0.113.129"));

	/* nothing is there twice */
	for (size_t i = 0; i < t.n_routes; i++)
		for (size_t k = 0; k < i; k++)
			assert_false(prefix_equal(&t.routes[i].prefix, &t.routes[k].prefix));
	/* with a part alone of the world */
	t = told_by(drop(outer, ALL));
	assert_false(goes(&t, "8.8.8.8"));
	assert_true(goes(&t, "203.0.113.1"));
}

/* requirement: TOPO-1 EDGE-1 */
static void test_it_follows_its_subnet(void **state)
{
	char text[ID_TEXT_SIZE], other[ID_TEXT_SIZE];
	uint64_t id;
	bool main;
	struct told t;

	told_by(to_world(outer, ALL));
	id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION, outer_association, text);
	t = told_by(route_table_disassociate(cluster_tx(&c), &c.me, text, &c.refusal));
	assert_false(goes(&t, "8.8.8.8")); /* by the main one */
	make_table(other);
	assert_ok(cluster_end(&c, to_world(other, ALL)));
	id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION, cluster_vpc(&c, c.vpc)->main_association,
			 text);
	t = told_by(route_table_reassociate(cluster_tx(&c), &c.me, text, other, &id, &main,
					    &c.refusal));
	assert_true(main && goes(&t, "8.8.8.8"));
	t = told_by(route_table_associate(cluster_tx(&c), &c.me, main_rtb, outer_subnet, &id,
					  &c.refusal));
	assert_false(goes(&t, "8.8.8.8"));
	id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION, id, text);
	t = told_by(route_table_reassociate(cluster_tx(&c), &c.me, text, outer, &id, &main,
					    &c.refusal));
	assert_true(goes(&t, "8.8.8.8"));
	cluster_restart(&c);
	t = told_at_all();
	assert_true(goes(&t, "8.8.8.8"));
}

/* requirement: TOPO-1 EDGE-1 */
static void test_it_follows_a_prefix_list(void **state)
{
	struct prefix_list_entry_args entry = {.cidr = "203.0.113.0/24"};
	struct prefix_list_create_args args = {.name = "l", .family = "IPv4", .max_entries = 2};
	char list[ID_TEXT_SIZE];
	struct prefix_list_modify_args modify = {
		.id = list, .version = &(uint64_t){1}, .add = &entry, .n_add = 1};
	const struct prefix_list *l;
	struct told t;
	int r = prefix_list_create(cluster_tx(&c), &c.me, &args, &l, &c.refusal);

	assert_ok(r);
	object_id_text(&l->o, list);
	assert_ok(cluster_end(&c, r));
	t = told_by(add(
		(struct route_args){.table_id = outer, .prefix_list_id = list, .gateway_id = igw}));
	assert_false(goes(&t, "203.0.113.1"));
	t = told_by(prefix_list_modify(cluster_tx(&c), &c.me, &modify, &l, &c.refusal));
	assert_true(goes(&t, "203.0.113.1"));
	assert_false(goes(&t, "203.0.114.1"));
}

/* ---- at random ---- */

enum { STEPS = 400, SEEDS = 6, TABLES = 3 };

static const char *const tables[TABLES] = {inner, outer, main_rtb};
static const char *const cidrs[] = {ALL,
				    "200.0.0.0/7",
				    "203.0.113.0/24",
				    "203.0.112.0/23",
				    "203.0.113.128/25",
				    "203.0.113.129/32",
				    "8.8.8.8/32"};
static const char *const addrs[] = {"203.0.113.1", "203.0.113.129", "203.0.113.130", "203.0.112.1",
				    "201.0.0.1",   "8.8.8.8",       "9.9.9.9",       "10.0.0.9"};
static uint64_t dice;
static char list[ID_TEXT_SIZE];

static uint32_t some(uint32_t n)
{
	dice = dice * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(dice >> 33) % n;
}

static int some_target(struct route_args *args)
{
	switch (some(4)) {
	case 0:
		args->instance_id = box;
		break;
	case 1:
		args->nat_gateway_id = nat;
		break;
	default:
		args->gateway_id = igw;
	}
	return some(3) ? route_create(cluster_tx(&c), &c.me, args, &c.refusal)
		       : route_replace(cluster_tx(&c), &c.me, args, &c.refusal);
}

static int change_route(void)
{
	struct route_args args = {.table_id = tables[some(TABLES)]};

	if (some(5))
		args.cidr = cidrs[some(ARRAY_SIZE(cidrs))];
	else
		args.prefix_list_id = list;
	return some(3) ? some_target(&args)
		       : route_delete(cluster_tx(&c), &c.me, &args, &c.refusal);
}

static int change_list(void)
{
	const char *cidr = cidrs[1 + some(ARRAY_SIZE(cidrs) - 1)];
	struct prefix_list_entry_args entry = {.cidr = cidr};
	struct prefix_list_modify_args args = {.id = list};
	const struct prefix_list *l;

	assert_ok(prefix_list_find(c.m, &c.me, list, &l, &c.refusal));
	args.version = &l->version;
	if (some(2)) {
		args.add = &entry;
		args.n_add = 1;
	} else {
		args.remove = &cidr;
		args.n_remove = 1;
	}
	return prefix_list_modify(cluster_tx(&c), &c.me, &args, &l, &c.refusal);
}

/* Of the gateway's subnet, or the main one. */
static int change_association(void)
{
	const struct subnet *s = cluster_subnet(&c, outer_subnet);
	uint64_t association = s->table_association, id;
	char text[ID_TEXT_SIZE];
	bool main;

	if (!s->table && some(2))
		return route_table_associate(cluster_tx(&c), &c.me, tables[some(TABLES)],
					     outer_subnet, &id, &c.refusal);
	if (!s->table || !some(3))
		association = cluster_vpc(&c, c.vpc)->main_association;
	id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION, association, text);
	return s->table && !some(3)
		       ? route_table_disassociate(cluster_tx(&c), &c.me, text, &c.refusal)
		       : route_table_reassociate(cluster_tx(&c), &c.me, text, tables[some(TABLES)],
						 &id, &main, &c.refusal);
}

/* What the table says of the address, without regard to where gateways are. */
static struct route_hop hop_of(const struct route_table *t, const struct ipaddr *a)
{
	struct route_hop hop = {.way = WAY_BLACKHOLE};
	const struct route_entry *e;
	struct route_entry *entries;
	size_t n;

	assert_ok(route_entries_of(c.m, t, &entries, &n));
	e = route_entries_find(entries, n, a);
	if (e && e->route)
		hop = route_resolve(c.m, t, e->route, false);
	free(entries);
	return hop;
}

static void check_address(const struct told *t, const struct route_table *table, const char *text)
{
	const struct plan_route *route = find(t, text);
	const struct subnet *s = cluster_subnet(&c, outer_subnet);
	struct route_hop hop;
	struct ipaddr a;

	assert_ok(ipaddr_parse(text, &a));
	hop = hop_of(table, &a);
	if (hop.way == WAY_GATEWAY && hop_of(route_table_of(c.m, s), &a).way != WAY_INTERNET)
		hop.way = WAY_BLACKHOLE;
	if (!route || route->target == PLAN_TARGET_LOCAL) {
		assert_int_equal(hop.way, WAY_BLACKHOLE);
		return;
	}
	assert_int_equal(route->target == PLAN_TARGET_GATEWAY, hop.way == WAY_GATEWAY);
	assert_int_equal(route->target == PLAN_TARGET_INTERNET, hop.way == WAY_INTERNET);
	assert_int_equal(route->target == PLAN_TARGET_INTERFACE, hop.way == WAY_INTERFACE);
	if (hop.way == WAY_GATEWAY)
		assert_true(goes(t, text));
}

static void check_table(const struct told *known)
{
	struct told now = {.number = known->number, .host = known->host};
	const struct route_table *t;

	assert_ok(plan_full(c.m, now.host, note, &now));
	assert_int_equal(now.n_routes, known->n_routes);
	for (size_t i = 0; i < now.n_routes; i++) {
		assert_true(prefix_equal(&now.routes[i].prefix, &known->routes[i].prefix));
		assert_int_equal(now.routes[i].target, known->routes[i].target);
	}
	for (size_t i = 0; i < TABLES; i++) {
		assert_ok(route_table_find(c.m, &c.me, tables[i], &t, &c.refusal));
		for (size_t k = 0; t->number == now.number && k < ARRAY_SIZE(addrs); k++)
			check_address(&now, t, addrs[k]);
	}
}

/* What changes say adds up to what all of it says, which leads where both tables lead. */
/* requirement: TOPO-1 EDGE-1 */
static void test_whatever_changes(void **state)
{
	int (*const steps[])(void) = {change_route, change_route, change_list, change_association};
	struct prefix_list_create_args args = {.name = "l", .family = "IPv4", .max_entries = 4};
	struct told known[TABLES] = {};
	const struct prefix_list *l;
	size_t n_done = 0;
	int r = prefix_list_create(cluster_tx(&c), &c.me, &args, &l, &c.refusal);

	assert_ok(r);
	object_id_text(&l->o, list);
	assert_ok(cluster_end(&c, r));
	for (size_t i = 0; i < TABLES; i++) {
		known[i].number = number_of(tables[i]);
		known[i].host = cluster_instance(&c, box)->host;
		assert_ok(plan_full(c.m, known[i].host, note, &known[i]));
	}
	for (dice = 0; dice < SEEDS; dice++) {
		uint64_t seed = dice;

		for (int n = 0; n < STEPS; n++) {
			struct change *change;

			r = steps[some(ARRAY_SIZE(steps))]();
			if (r) {
				(void)cluster_end(&c, r);
				continue;
			}
			change = cluster_end_change(&c, r);
			if (!change) /* it is so already */
				continue;
			n_done++;
			for (size_t i = 0; i < TABLES; i++) {
				assert_ok(plan_change(c.m, change, note, &known[i]));
				check_table(&known[i]);
			}
			change_free(change);
		}
		dice = seed;
	}
	assert_true(n_done > SEEDS * STEPS / 5);
}

/* ---- reachability ---- */

/* The route that the gateway's subnet has for what leaves by it. */
static const struct reach_step *leaving(const struct reach_answer *a)
{
	for (size_t i = 0; i < a->n_steps; i++)
		if (a->steps[i].what == REACH_ROUTE && a->steps[i].attached == gateway()->subnet)
			return &a->steps[i];
	return NULL;
}

static struct reach_answer ask(const char *addr)
{
	struct reach_question q = {.protocol = 6, .port = 80};
	struct reach_answer a;

	q.from.interface = cluster_interface_of(&c, box);
	q.from.addr = q.from.interface->addrs[0].addr;
	assert_ok(internet_gateway_find(c.m, &c.me, igw, &q.to.gateway, &c.refusal));
	if (addr)
		assert_ok(ipaddr_parse(addr, &q.to.addr));
	assert_ok(reach_analyse(c.m, &q, &a));
	assert_non_null(leaving(&a));
	assert_int_equal(leaving(&a)->attached_kind, KIND_SUBNET);
	return a;
}

/* requirement: TOPO-1 EDGE-1 NIC-6 */
static void test_the_analysis_follows_it(void **state)
{
	struct reach_answer a = ask("203.0.113.1");
	uint64_t id;

	assert_false(a.found);
	assert_int_equal(leaving(&a)->code, REACH_NO_ROUTE);
	assert_ok(id_parse(KIND_ROUTE_TABLE, outer, &id));
	assert_int_equal(leaving(&a)->id, id);
	assert_ok(cluster_end(&c, to_world(outer, ALL)));
	a = ask("203.0.113.1");
	assert_true(a.found);
	assert_int_equal(leaving(&a)->target_kind, KIND_INTERNET_GATEWAY);
	assert_ok(cluster_end(&c, to_box(outer, "203.0.113.0/24")));
	a = ask("203.0.113.1");
	assert_false(a.found);
	assert_int_equal(leaving(&a)->code, REACH_NO_DESTINATION);
	assert_true(ask("203.0.114.1").found);
	/* some address outside: where the one that is tried first does not go either */
	assert_ok(cluster_end(&c, drop(outer, ALL)));
	assert_false(ask(NULL).found);
	assert_ok(cluster_end(&c, to_world(outer, "203.0.113.128/25")));
	assert_true(ask(NULL).found);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_it_needs_a_way_to_the_world),
		TEST(test_the_longest_of_both_decides),
		TEST(test_it_follows_its_subnet),
		TEST(test_it_follows_a_prefix_list),
		TEST(test_whatever_changes),
		TEST(test_the_analysis_follows_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
