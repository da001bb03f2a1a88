/* SPDX-License-Identifier: Apache-2.0 */
/* Static ports of a private NAT gateway, as the analysis of reachability has them; that packets do
 * so is shown by tests/system/test_reach.py. */
#include "model/reach.h"

#include "model/group_rule.h"
#include "model/instance.h"
#include "model/nat_gateway.h"
#include "model/network_acl.h"
#include "model/peering.h"
#include "model/route_table.h"
#include "model/security_group.h"
#include "tests/unit/model/cluster.h"

/* shop 10.0.0.0/16: the gateway in 10.0.0.0/24, box in 10.0.1.0/24, whose way to the office is by
 * it; office 10.9.0.0/16: desk */
static struct cluster c;
static char office[ID_TEXT_SIZE], peering[ID_TEXT_SIZE], nat[ID_TEXT_SIZE];
static char two[ID_TEXT_SIZE], box_table[ID_TEXT_SIZE], box[ID_TEXT_SIZE], desk[ID_TEXT_SIZE];

static void make_peering(void)
{
	struct peering_create_args args = {.vpc_id = c.vpc, .peer_vpc_id = office};
	const struct peering *p;
	int r = peering_create(cluster_tx(&c), &c.me, &args, &p, &c.refusal);

	assert_ok(r);
	object_id_text(&p->o, peering);
	assert_ok(cluster_end(&c, r));
	assert_ok(cluster_end(&c, peering_accept(cluster_tx(&c), &c.me, peering, &p, &c.refusal)));
}

static void make_gateway(void)
{
	struct nat_gateway_create_args args = {.subnet_id = c.subnet, .is_private = true};
	const struct nat_gateway *g;
	int r = nat_gateway_create(cluster_tx(&c), &c.me, &args, &g, &c.refusal);

	assert_ok(r);
	object_id_text(&g->o, nat);
	assert_ok(cluster_end(&c, r));
	cluster_acknowledge(&c);
}

static void lead(struct route_args args)
{
	assert_ok(cluster_end(&c, route_create(cluster_tx(&c), &c.me, &args, &c.refusal)));
}

static void unlead(const char *table, const char *cidr)
{
	struct route_args args = {.table_id = table, .cidr = cidr};

	assert_ok(cluster_end(&c, route_delete(cluster_tx(&c), &c.me, &args, &c.refusal)));
}

static void give_box_table(void)
{
	struct route_table_create_args args = {.vpc_id = c.vpc};
	const struct route_table *t;
	uint64_t association;
	int r = route_table_create(cluster_tx(&c), &c.me, &args, &t, &c.refusal);

	assert_ok(r);
	object_id_text(&t->o, box_table);
	assert_ok(cluster_end(&c, r));
	assert_ok(cluster_end(&c, route_table_associate(cluster_tx(&c), &c.me, box_table, two,
							&association, &c.refusal)));
}

static void main_table(const char *vpc, char ret[static ID_TEXT_SIZE])
{
	id_text(KIND_ROUTE_TABLE, cluster_vpc(&c, vpc)->main_table, ret);
}

static void allow(const char *cidr, int32_t port)
{
	struct rule_args args = {.protocol = "tcp", .from = &port, .to = &port, .cidr = cidr};
	const struct group_rule *made;
	char group[ID_TEXT_SIZE];

	id_text(KIND_SECURITY_GROUP, cluster_interface_of(&c, box)->groups[0].id, group);
	assert_ok(cluster_end(&c, group_rule_authorize(cluster_tx(&c), &c.me, group, false, &args,
						       1, NULL, 0, &made, &c.refusal)));
}

static void open_port(uint32_t public_port, uint32_t port)
{
	struct nat_port open = {.protocol = 6,
				.public_port = public_port,
				.addr = cluster_interface_of(&c, box)->addrs[0].addr,
				.port = port};

	assert_ok(cluster_end(&c, nat_gateway_open(cluster_tx(&c), &c.me, nat, &open, &c.refusal)));
}

static int setup(void **state)
{
	char table[ID_TEXT_SIZE], subnet[ID_TEXT_SIZE];

	cluster_init_network(&c, 2);
	cluster_add_edge(&c, "e1", "fd00::e1");
	cluster_make_subnet(&c, c.vpc, "10.0.1.0/24", two);
	cluster_make_vpc(&c, "10.9.0.0/16", office);
	cluster_make_subnet(&c, office, "10.9.0.0/24", subnet);
	make_peering();
	make_gateway();
	give_box_table();
	main_table(office, table);
	lead((struct route_args){.table_id = table, .cidr = "10.0.0.0/16", .peering_id = peering});
	main_table(c.vpc, table);
	lead((struct route_args){.table_id = table, .cidr = "10.9.0.0/16", .peering_id = peering});
	lead((struct route_args){
		.table_id = box_table, .cidr = "10.9.0.0/16", .nat_gateway_id = nat});
	assert_ok(cluster_run(&c, two, box));
	assert_ok(cluster_run(&c, subnet, desk));
	cluster_acknowledge(&c);
	allow("10.9.0.0/16", 80);
	open_port(8080, 80);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static struct ipaddr gateway_addr(void)
{
	uint64_t id;

	assert_ok(id_parse(KIND_NAT_GATEWAY, nat, &id));
	return ((const struct nat_gateway *)model_get(c.m, KIND_NAT_GATEWAY, id))->private_addr;
}

/* From 'instance' to the gateway's address alone. */
static struct reach_question to_gateway(const char *instance, uint16_t port)
{
	struct reach_question q = {.protocol = 6, .port = port};

	q.from.interface = cluster_interface_of(&c, instance);
	q.from.addr = q.from.interface->addrs[0].addr;
	q.to.addr = gateway_addr();
	return q;
}

/* The same, and it is box that is meant. */
static struct reach_question to_box(const char *instance, uint16_t port)
{
	struct reach_question q = to_gateway(instance, port);

	q.at_source.dst = q.to.addr;
	q.to.interface = cluster_interface_of(&c, box);
	q.to.addr = q.to.interface->addrs[0].addr;
	return q;
}

static struct reach_answer ask(struct reach_question q)
{
	struct reach_answer a;

	assert_ok(reach_analyse(c.m, &q, &a));
	return a;
}

static bool says(const struct reach_answer *a, enum reach_code code, bool back)
{
	for (size_t i = 0; i < a->n_steps; i++)
		if (a->steps[i].code == code && a->steps[i].back == back)
			return true;
	return false;
}

/* requirement: EDGE-1 TOPO-1 */
static void test_the_port_leads_inside(void **state)
{
	struct reach_question q = to_gateway(desk, 0);
	struct reach_answer a = ask(to_gateway(desk, 8080));

	assert_true(a.found);
	assert_true(ask(to_box(desk, 8080)).found);
	a = ask(q); /* of all ports */
	assert_true(a.found);
	assert_int_equal(a.to_port_from, 8080);
	assert_int_equal(a.to_port_to, 8080);
	q.at_destination.dst_ports = (struct reach_ports){80, 80};
	q.at_destination.dst = cluster_interface_of(&c, box)->addrs[0].addr;
	assert_true(ask(q).found);
	q.at_destination.dst_ports = (struct reach_ports){8080, 8080};
	assert_false(ask(q).found);
	a = ask(to_gateway(desk, 80));
	assert_true(says(&a, REACH_NO_DESTINATION, false));
	q = to_gateway(desk, 8080);
	q.protocol = 17;
	assert_false(ask(q).found);
	/* rules are asked about the node's port */
	open_port(8081, 81);
	a = ask(to_gateway(desk, 8081));
	assert_true(says(&a, REACH_GROUP_MISMATCH, false));
	/* and box itself is another question */
	q = to_box(desk, 8080);
	q.at_source.dst = (struct ipaddr){{0}};
	assert_false(ask(q).found);
}

/* requirement: EDGE-1 TOPO-1 */
static void test_the_answer_goes_by_the_gateway(void **state)
{
	struct route_args way = {.table_id = box_table, .cidr = "10.9.0.0/16"};
	struct reach_answer a;

	way.peering_id = peering;
	unlead(box_table, way.cidr);
	a = ask(to_gateway(desk, 8080));
	assert_true(says(&a, REACH_NO_ROUTE, true));
	lead(way); /* as box, whom desk has asked nothing */
	a = ask(to_gateway(desk, 8080));
	assert_false(a.found);
	assert_true(says(&a, REACH_NO_INGRESS, true));
	assert_false(says(&a, REACH_NO_INGRESS, false));
}

/* A node of the network is not taken for one behind its own gateway. */
/* requirement: EDGE-1 MAP-4 */
static void test_nobody_of_the_network_gets_in(void **state)
{
	char inside[ID_TEXT_SIZE];
	struct reach_answer a;

	assert_ok(cluster_run(&c, c.subnet, inside));
	cluster_acknowledge(&c);
	allow("10.0.0.0/16", 80);
	a = ask(to_gateway(inside, 8080));
	assert_true(says(&a, REACH_NO_INGRESS, false));
	assert_false(ask(to_box(inside, 8080)).found);
}

/* What box begins is no answer, though it leaves as the same port. */
/* requirement: EDGE-1 */
static void test_what_is_inside_still_gets_out(void **state)
{
	struct reach_question q = {.protocol = 6, .port = 80};
	struct reach_answer a;

	q.from.interface = cluster_interface_of(&c, box);
	q.to.interface = cluster_interface_of(&c, desk);
	q.from.addr = q.from.interface->addrs[0].addr;
	q.to.addr = q.to.interface->addrs[0].addr;
	q.at_source.src_ports = (struct reach_ports){80, 80};
	allow("10.0.0.0/24", 80);
	a = ask(q);
	assert_false(says(&a, REACH_NO_INGRESS, true));
	assert_false(says(&a, REACH_NO_INGRESS, false));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_port_leads_inside),
		TEST(test_the_answer_goes_by_the_gateway),
		TEST(test_nobody_of_the_network_gets_in),
		TEST(test_what_is_inside_still_gets_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
