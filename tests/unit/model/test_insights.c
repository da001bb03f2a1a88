/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about reachability that say more, or less, than two ends and a port: an address alone,
 * filters, ranges of ports.  That packets do what is said is shown by tests/system/test_reach.py.
 */
#include "model/insights.h"

#include <stdio.h>

#include "model/elastic.h"
#include "model/group_rule.h"
#include "model/instance.h"
#include "model/internet_gateway.h"
#include "model/nat_gateway.h"
#include "model/network_acl.h"
#include "model/peering.h"
#include "model/pool.h"
#include "model/prefix_list.h"
#include "model/route_table.h"
#include "model/security_group.h"
#include "tests/unit/model/cluster.h"

#define WORLD  "203.0.113.9"
#define NOBODY "10.0.0.200"

/* 10.0.0.0/24: web, which has a public address; 10.0.1.0/24: box, whose way to the world is a NAT
 * gateway. */
static struct cluster c;
static char web[ID_TEXT_SIZE], box[ID_TEXT_SIZE], two[ID_TEXT_SIZE], igw[ID_TEXT_SIZE];
static char web_addr[IPADDR_TEXT_SIZE], box_addr[IPADDR_TEXT_SIZE];
static char public_addr[IPADDR_TEXT_SIZE], nat_addr[IPADDR_TEXT_SIZE];
static char group[ID_TEXT_SIZE], main_table[ID_TEXT_SIZE], nat[ID_TEXT_SIZE];

static void make_public(char ret_id[static ID_TEXT_SIZE], char ret_addr[static IPADDR_TEXT_SIZE])
{
	struct elastic_allocate_args allocate = {};
	const struct elastic *e;
	int r = elastic_allocate(cluster_tx(&c), &c.me, &allocate, &e, &c.refusal);

	assert_ok(r);
	object_id_text(&e->o, ret_id);
	ipaddr_text(&e->public, ret_addr);
	assert_ok(cluster_end(&c, r));
}

static void lead(struct route_args args)
{
	assert_ok(cluster_end(&c, route_create(cluster_tx(&c), &c.me, &args, &c.refusal)));
}

/* A table of the subnet's own. */
static void make_table(const char *subnet, char ret_id[static ID_TEXT_SIZE])
{
	struct route_table_create_args args = {.vpc_id = c.vpc};
	const struct route_table *t;
	uint64_t association;
	int r = route_table_create(cluster_tx(&c), &c.me, &args, &t, &c.refusal);

	assert_ok(r);
	object_id_text(&t->o, ret_id);
	assert_ok(cluster_end(&c, r));
	assert_ok(cluster_end(&c, route_table_associate(cluster_tx(&c), &c.me, ret_id, subnet,
							&association, &c.refusal)));
}

/* In a subnet that has nobody else. */
static void give_nat(const char *allocation)
{
	char table[ID_TEXT_SIZE], subnet[ID_TEXT_SIZE];
	struct nat_gateway_create_args args = {.subnet_id = subnet, .allocation_id = allocation};
	const struct nat_gateway *g;
	int r;

	cluster_make_subnet(&c, c.vpc, "10.0.2.0/24", subnet);
	make_table(subnet, table);
	lead((struct route_args){.table_id = table, .cidr = "0.0.0.0/0", .gateway_id = igw});
	r = nat_gateway_create(cluster_tx(&c), &c.me, &args, &g, &c.refusal);
	assert_ok(r);
	object_id_text(&g->o, nat);
	assert_ok(cluster_end(&c, r));
	make_table(two, table);
	lead((struct route_args){.table_id = table, .cidr = "0.0.0.0/0", .nat_gateway_id = nat});
}

static void note_addr(const char *instance, char ret[static IPADDR_TEXT_SIZE])
{
	ipaddr_text(&cluster_interface_of(&c, instance)->addrs[0].addr, ret);
}

static int setup(void **state)
{
	char one[ID_TEXT_SIZE], other[ID_TEXT_SIZE];
	struct elastic_associate_args args = {.allocation_id = one, .instance_id = web};
	const struct elastic *e;
	const struct pool *p;
	int r;

	cluster_init_network(&c, 2);
	cluster_add_edge(&c, "e1", "fd00::e1");
	cluster_make_subnet(&c, c.vpc, "10.0.1.0/24", two);
	cluster_make_internet(&c, c.vpc, igw);
	id_text(KIND_ROUTE_TABLE, cluster_vpc(&c, c.vpc)->main_table, main_table);
	lead((struct route_args){.table_id = main_table, .cidr = "0.0.0.0/0", .gateway_id = igw});
	assert_ok(cluster_run(&c, c.subnet, web));
	assert_ok(cluster_run(&c, two, box));
	cluster_acknowledge(&c);
	note_addr(web, web_addr);
	note_addr(box, box_addr);
	id_text(KIND_SECURITY_GROUP, cluster_interface_of(&c, web)->groups[0].id, group);
	r = pool_add(cluster_tx(&c), &c.admin, "198.51.100.0/24", &p, &c.refusal);
	assert_ok(cluster_end(&c, r));
	make_public(one, public_addr);
	make_public(other, nat_addr);
	assert_ok(cluster_end(&c, elastic_associate(cluster_tx(&c), &c.me, &args, &e, &c.refusal)));
	give_nat(other);
	cluster_acknowledge(&c);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static int create(struct insights_path_args args, char ret_id[static ID_TEXT_SIZE])
{
	const struct insights_path *p;
	int r;

	if (!args.protocol)
		args.protocol = "tcp";
	r = insights_path_create(cluster_tx(&c), &c.me, &args, &p, &c.refusal);
	if (!r)
		object_id_text(&p->o, ret_id);
	return cluster_end(&c, r);
}

static int start(const char *path, const struct insights_analysis **ret)
{
	struct insights_start_args args = {.path_id = path};
	const struct insights_analysis *a;
	int r = insights_start(cluster_tx(&c), &c.me, &args, &a, &c.refusal);
	uint64_t id = r ? 0 : a->o.id;

	r = cluster_end(&c, r);
	*ret = (const struct insights_analysis *)model_get(c.m, KIND_INSIGHTS_ANALYSIS, id);
	return r;
}

static const struct insights_analysis *ask(struct insights_path_args args)
{
	const struct insights_analysis *a;
	char id[ID_TEXT_SIZE];

	assert_ok(create(args, id));
	assert_ok(start(id, &a));
	return a;
}

static bool says(const struct insights_analysis *a, enum reach_code code)
{
	for (size_t i = 0; i < a->n_steps; i++)
		if (a->steps[i].code == code)
			return true;
	return false;
}

/* There is a path, or this alone is in its way. */
static void assert_answer(struct insights_path_args args, enum reach_code code)
{
	const struct insights_analysis *a = ask(args);

	assert_int_equal(a->found, code == REACH_PASSES);
	for (size_t i = 0; i < a->n_steps; i++)
		if (a->steps[i].code != REACH_PASSES)
			assert_int_equal(a->steps[i].code, code);
	assert_true(says(a, code));
}

static void allow(const char *cidr, int32_t from, int32_t to)
{
	struct rule_args args = {.protocol = "tcp", .from = &from, .to = &to, .cidr = cidr};
	const struct group_rule *made;

	assert_ok(cluster_end(&c, group_rule_authorize(cluster_tx(&c), &c.me, group, false, &args,
						       1, NULL, 0, &made, &c.refusal)));
}

static struct insights_filter_args to(const char *addr)
{
	return (struct insights_filter_args){.destination = addr};
}

static struct insights_filter_args between(const char *from, const char *addr)
{
	return (struct insights_filter_args){.source = from, .destination = addr};
}

/* requirement: TOPO-1 NIC-6 */
static void test_an_address_of_the_network(void **state)
{
	const struct insights_analysis *a;
	char id[ID_TEXT_SIZE];

	assert_answer((struct insights_path_args){.source = box, .destination_ip = web_addr},
		      REACH_PASSES);
	assert_answer((struct insights_path_args){.source = box, .at_source = to(web_addr)},
		      REACH_PASSES);
	a = ask((struct insights_path_args){.source = box, .at_destination = to(web_addr)});
	assert_true(a->found);
	assert_int_equal(a->steps[0].id, cluster_interface_of(&c, box)->o.id);
	for (size_t i = 0; i < a->n_steps; i++) /* the last interface on the way there is web's */
		if (!a->steps[i].back && a->steps[i].what == REACH_INTERFACE)
			assert_int_equal(a->steps[i].id,
					 cluster_interface_of(&c, i ? web : box)->o.id);
	assert_answer((struct insights_path_args){.source = box, .destination_ip = NOBODY},
		      REACH_NO_DESTINATION);
	assert_ok(
		create((struct insights_path_args){.source = box, .destination_ip = box_addr}, id));
	assert_int_equal(start(id, &a), MODEL_E_VALUE);
}

/* requirement: EDGE-1 TOPO-1 */
static void test_an_address_of_the_world(void **state)
{
	const struct insights_path_args from_web = {.source = web, .at_destination = to(WORLD)};

	assert_answer(from_web, REACH_PASSES);
	assert_answer((struct insights_path_args){.source = box, .at_destination = to(WORLD)},
		      REACH_PASSES);
	/* what is nobody's there; that of another network, where this one has no way to it */
	assert_answer((struct insights_path_args){.source = web, .at_destination = to("10.9.0.4")},
		      REACH_PRIVATE_OUTSIDE);
	assert_answer((struct insights_path_args){.source = box, .destination_ip = "192.168.7.7"},
		      REACH_PRIVATE_OUTSIDE);
	assert_answer((struct insights_path_args){.source = web, .at_source = to("100.64.0.9")},
		      REACH_SHARED_OUTSIDE);
	assert_answer((struct insights_path_args){.source = web, .at_source = to("172.32.0.1")},
		      REACH_PASSES);
	/* a public address of a network, by way of the world */
	assert_true(
		says(ask((struct insights_path_args){.source = box, .at_source = to(public_addr)}),
		     REACH_REFLECTED));
	assert_ok(cluster_end(
		&c, elastic_disassociate(cluster_tx(&c), &c.me, NULL, public_addr, &c.refusal)));
	assert_true(says(ask(from_web), REACH_NO_PUBLIC_EGRESS));
}

/* requirement: EDGE-1 */
static void test_what_the_world_calls_it(void **state)
{
	struct insights_path_args args = {.source = igw, .source_ip = WORLD};

	args.at_destination = to(web_addr);
	assert_true(says(ask(args), REACH_GROUP_MISMATCH));
	allow("203.0.113.0/24", 80, 80);
	assert_answer(args, REACH_PASSES);
	args.source_ip = NULL;
	args.at_source = between(WORLD, public_addr);
	assert_answer(args, REACH_PASSES);
	args.at_destination = to(NULL);
	assert_answer(args, REACH_PASSES);
	args.destination = web;
	assert_answer(args, REACH_PASSES);
	args.at_source = between(WORLD, box_addr);
	assert_answer(args, REACH_OTHER_DESTINATION_SENT);
	args.destination = NULL;
	assert_true(says(ask(args), REACH_NO_PUBLIC_INGRESS));
	args.at_source = between(WORLD, nat_addr);
	assert_true(says(ask(args), REACH_NO_DESTINATION));
}

static void lead_away(const char *cidr)
{
	lead((struct route_args){.table_id = main_table, .cidr = cidr, .nat_gateway_id = nat});
}

/* requirement: EDGE-1 */
static void test_anybody_in_the_world(void **state)
{
	static const int32_t web_port = 80, inner_port = 81;
	struct insights_path_args args = {.source = igw, .destination = web, .port = &web_port};
	char own[PREFIX_TEXT_SIZE];

	assert_answer(args, REACH_GROUP_MISMATCH);
	allow("203.0.113.0/24", 80, 80);
	assert_answer(args, REACH_PASSES);
	/* the answers to one half have another way, by which they are not known */
	lead_away("203.0.113.0/25");
	assert_answer(args, REACH_PASSES);
	lead_away("203.0.113.128/26");
	lead_away("203.0.113.192/27");
	assert_answer(args, REACH_PASSES);
	lead_away("203.0.113.224/27");
	assert_false(ask(args)->found);
	allow("255.255.255.255/32", 80, 80); /* nobody */
	assert_false(ask(args)->found);
	allow("223.255.255.255/32", 80, 80);
	assert_answer(args, REACH_PASSES);
	/* addresses that the world has not, and its own public one */
	args.port = &inner_port;
	allow("10.0.0.0/8", 81, 81);
	allow("100.64.0.0/10", 81, 81);
	allow("169.254.0.0/16", 81, 81);
	allow("172.16.0.0/12", 81, 81);
	allow("192.168.0.0/16", 81, 81);
	allow("224.0.0.0/3", 81, 81);
	snprintf(own, sizeof(own), "%s/32", public_addr);
	allow(own, 81, 81);
	assert_answer(args, REACH_GROUP_MISMATCH);
	allow("192.169.0.0/32", 81, 81);
	assert_answer(args, REACH_PASSES);
	args.at_destination = between("192.169.0.1", NULL);
	assert_answer(args, REACH_GROUP_MISMATCH);
	args.at_destination = between("192.169.0.0", NULL);
	assert_answer(args, REACH_PASSES);
}

/* The first of the two addresses is one that the cluster gave out: of the second one the world is.
 * requirement: EDGE-1 */
static void test_who_is_next_to_a_public_address(void **state)
{
	struct insights_path_args args = {.source = igw, .destination = web};
	char id[ID_TEXT_SIZE], given[IPADDR_TEXT_SIZE], pair[PREFIX_TEXT_SIZE];
	struct ipaddr a;

	do {
		make_public(id, given);
		assert_int_equal(ipaddr_parse(given, &a), 0);
	} while (ipaddr_v4(&a) % 2);
	snprintf(pair, sizeof(pair), "%s/31", given);
	allow(pair, 80, 80);
	assert_answer(args, REACH_PASSES);
}

static void allow_list(const char *cidr, int32_t port)
{
	const struct prefix_list_entry_args entry = {.cidr = cidr};
	struct prefix_list_create_args args = {.name = "some",
					       .family = "IPv4",
					       .max_entries = 1,
					       .entries = &entry,
					       .n_entries = 1};
	char id[ID_TEXT_SIZE];
	struct rule_args rule = {.protocol = "tcp", .from = &port, .to = &port, .list_id = id};
	const struct group_rule *made;
	const struct prefix_list *list;
	int r = prefix_list_create(cluster_tx(&c), &c.me, &args, &list, &c.refusal);

	assert_ok(r);
	object_id_text(&list->o, id);
	assert_ok(cluster_end(&c, r));
	assert_ok(cluster_end(&c, group_rule_authorize(cluster_tx(&c), &c.me, group, false, &rule,
						       1, NULL, 0, &made, &c.refusal)));
}

static void add_entry(uint32_t rule, const char *cidr, const char *action)
{
	char acl[ID_TEXT_SIZE];
	struct acl_entry_args args = {
		.acl_id = acl, .rule = rule, .protocol = "-1", .action = action, .cidr = cidr};

	object_id_text(&network_acl_default(c.m, cluster_vpc(&c, c.vpc))->o, acl);
	assert_ok(cluster_end(&c, network_acl_add(cluster_tx(&c), &c.me, &args, &c.refusal)));
}

/* requirement: EDGE-1 */
static void test_anybody_whom_lists_and_acls_let_in(void **state)
{
	static const int32_t port = 80;
	struct insights_path_args args = {.source = igw, .destination = web, .port = &port};

	allow_list("203.0.113.128/25", port);
	assert_answer(args, REACH_PASSES);
	add_entry(10, "203.0.113.130/32", "allow");
	add_entry(11, "203.0.113.0/24", "deny");
	assert_answer(args, REACH_PASSES);
	add_entry(9, "203.0.113.130/32", "deny");
	assert_false(ask(args)->found);
}

/* requirement: EDGE-1 */
static void test_to_anybody_in_the_world(void **state)
{
	const struct insights_path_args from_box = {.source = box, .destination = igw};
	const struct insights_path_args from_web = {.source = web, .destination = igw};
	const struct route_args away = {.table_id = main_table, .cidr = "0.0.0.0/0"};

	assert_answer(from_web, REACH_PASSES);
	assert_answer(from_box, REACH_PASSES);
	assert_ok(cluster_end(&c, route_delete(cluster_tx(&c), &c.me, &away, &c.refusal)));
	assert_answer(from_web, REACH_NO_ROUTE);
	lead((struct route_args){.table_id = main_table, .cidr = "10.7.0.0/16", .gateway_id = igw});
	assert_false(ask(from_web)->found);
	lead((struct route_args){
		.table_id = main_table, .cidr = "203.0.113.8/31", .gateway_id = igw});
	assert_answer(from_web, REACH_PASSES);
}

/* Of the packet as it is sent, and as it arrives behind a translation. */
/* requirement: EDGE-1 TOPO-1 */
static void test_addresses_at_both_ends(void **state)
{
	struct insights_path_args args = {.source = web, .at_source = between(web_addr, WORLD)};

	assert_answer(args, REACH_PASSES);
	args.at_source.source = box_addr;
	assert_answer(args, REACH_OTHER_SOURCE_SENT);
	args.at_source.source = NULL;
	args.at_destination = between(public_addr, WORLD);
	assert_answer(args, REACH_PASSES);
	args.at_destination.source = web_addr;
	assert_answer(args, REACH_OTHER_SOURCE);
	args.at_destination = to("203.0.113.10");
	assert_answer(args, REACH_OTHER_DESTINATION);
	args = (struct insights_path_args){.source = box,
					   .at_destination = between(nat_addr, WORLD)};
	assert_answer(args, REACH_PASSES);
	args.at_destination.source = public_addr;
	assert_answer(args, REACH_OTHER_SOURCE);
	args = (struct insights_path_args){
		.source = box, .destination = web, .at_destination = between(box_addr, web_addr)};
	assert_answer(args, REACH_PASSES);
	args.at_destination = to(box_addr); /* not web's */
	assert_answer(args, REACH_OTHER_DESTINATION);
}

static struct insights_ports_args ports(const int32_t range[2])
{
	return (struct insights_ports_args){&range[0], &range[1]};
}

static void open_port_of(const char *gateway, uint32_t protocol, uint32_t public_port,
			 const char *addr, uint32_t port)
{
	struct nat_port open = {.protocol = protocol, .public_port = public_port, .port = port};

	assert_ok(ipaddr_parse(addr, &open.addr));
	assert_ok(cluster_end(&c,
			      nat_gateway_open(cluster_tx(&c), &c.me, gateway, &open, &c.refusal)));
}

static void open_port(uint32_t protocol, uint32_t public_port, const char *addr, uint32_t port)
{
	open_port_of(nat, protocol, public_port, addr, port);
}

/* The world gets in at the port and protocol alone, and rules are asked about the node's. */
/* requirement: EDGE-1 NIC-6 */
static void test_a_static_port_of_a_nat_gateway(void **state)
{
	static const int32_t http = 80, public = 8080, both[] = {80, 80}, none[] = {81, 9000};
	struct insights_path_args args = {.source = igw, .source_ip = WORLD, .destination = box};
	const struct insights_analysis *a;

	args.port = &public;
	assert_true(says(ask(args), REACH_NO_PUBLIC_INGRESS));
	open_port(6, 8080, box_addr, 80);
	open_port(6, 8443, web_addr, 443);
	a = ask(args);
	assert_true(says(a, REACH_GROUP_MISMATCH));
	assert_false(says(a, REACH_NO_PUBLIC_INGRESS));
	allow("203.0.113.0/24", 80, 80);
	assert_answer(args, REACH_PASSES);
	args.protocol = "udp";
	assert_true(says(ask(args), REACH_NO_PUBLIC_INGRESS));
	args.protocol = "tcp";
	args.port = &http;
	assert_true(says(ask(args), REACH_NO_PUBLIC_INGRESS));
	args.port = NULL; /* any: as the world sends to it, and as it gets there */
	a = ask(args);
	assert_true(a->found);
	assert_int_equal(a->to_port_from, public);
	assert_int_equal(a->to_port_to, public);
	args.at_destination.destination_ports = ports(both);
	assert_answer(args, REACH_PASSES);
	args.at_destination.destination_ports = ports(none);
	assert_false(ask(args)->found);
	/* the address that the world knows, with and without whom it stands for */
	args.source_ip = NULL;
	args.at_destination = to(NULL);
	args.at_source = between(WORLD, nat_addr);
	assert_answer(args, REACH_PASSES);
	args.destination = NULL;
	assert_answer(args, REACH_PASSES);
	args.at_destination.destination_ports = ports(none);
	assert_false(ask(args)->found);
	args.at_destination = to(NULL);
	args.at_source.destination_ports = ports(none);
	assert_answer(args, REACH_PASSES);
	args.at_source.destination_ports = ports(both);
	assert_true(says(ask(args), REACH_NO_DESTINATION));
	args.destination = box;
	args.at_source = between(WORLD, public_addr);
	assert_false(ask(args)->found);
	args = (struct insights_path_args){
		.source = igw, .source_ip = WORLD, .destination_ip = NOBODY};
	assert_false(ask(args)->found);
}

/* One that is going lets nobody in, and a private one has no address that the world knows. */
/* requirement: EDGE-1 */
static void test_static_ports_that_the_world_does_not_know(void **state)
{
	static const int32_t public = 8080;
	struct nat_gateway_create_args hidden = {.subnet_id = c.subnet, .is_private = true};
	struct insights_path_args args = {
		.source = igw, .source_ip = WORLD, .destination = box, .port = &public};
	const struct nat_gateway *g;
	char private[ID_TEXT_SIZE];
	int r;

	allow("203.0.113.0/24", 80, 80);
	open_port(6, 8080, box_addr, 80);
	assert_answer(args, REACH_PASSES);
	r = nat_gateway_delete(cluster_tx(&c), &c.me, nat, &c.refusal);
	assert_ok(cluster_end(&c, r));
	assert_true(says(ask(args), REACH_NO_PUBLIC_INGRESS));
	cluster_acknowledge(&c);
	r = nat_gateway_create(cluster_tx(&c), &c.me, &hidden, &g, &c.refusal);
	assert_ok(r);
	object_id_text(&g->o, private);
	assert_ok(cluster_end(&c, r));
	cluster_acknowledge(&c);
	open_port_of(private, 6, 8080, box_addr, 80);
	assert_true(says(ask(args), REACH_NO_PUBLIC_INGRESS));
}

/* Answers leave by the gateway that was asked, and as the port that was asked. */
/* requirement: EDGE-1 */
static void test_what_answers_at_a_static_port(void **state)
{
	struct insights_path_args args = {
		.source = igw, .destination = web, .at_source = between(WORLD, nat_addr)};
	struct route_args way = {.table_id = main_table, .cidr = "0.0.0.0/0"};

	allow("203.0.113.0/24", 443, 443);
	open_port(6, 8443, web_addr, 443);
	assert_answer(args, REACH_NO_INGRESS); /* by the internet gateway, as another address */
	assert_ok(cluster_end(&c, route_delete(cluster_tx(&c), &c.me, &way, &c.refusal)));
	assert_answer(args, REACH_NO_ROUTE);
	way.nat_gateway_id = nat;
	lead(way);
	assert_answer(args, REACH_PASSES);
	args.at_source = between(WORLD, public_addr);
	assert_answer(args, REACH_NO_INGRESS);
}

/* requirement: NIC-6 */
static void test_some_destination_port_will_do(void **state)
{
	static const int32_t wide[] = {1, 9000}, narrow[] = {8005, 8006}, none[] = {8900, 9900};
	struct insights_path_args args = {.source = igw, .source_ip = WORLD, .destination = web};
	const struct insights_analysis *a;

	allow("203.0.113.0/24", 8000, 8010);
	a = ask(args); /* any */
	assert_true(a->found);
	assert_int_equal(a->to_port_from, 8000);
	assert_int_equal(a->to_port_to, 8010);
	args.source_ip = NULL;
	args.at_source =
		(struct insights_filter_args){.source = WORLD, .destination_ports = ports(wide)};
	a = ask(args);
	assert_true(a->found);
	assert_int_equal(a->to_port_from, 8000);
	assert_int_equal(a->to_port_to, 8010);
	args.at_destination.destination_ports = ports(narrow);
	a = ask(args);
	assert_true(a->found);
	assert_int_equal(a->to_port_from, 8005);
	assert_int_equal(a->to_port_to, 8006);
	args.at_destination.destination_ports = ports(none);
	a = ask(args); /* what is told is about a port that was asked about */
	assert_false(a->found);
	assert_true(says(a, REACH_GROUP_MISMATCH));
	assert_false(says(a, REACH_OTHER_DESTINATION_PORT));
	args.at_source.destination_ports = ports(narrow);
	assert_answer(args, REACH_OTHER_DESTINATION_PORT);
}

/* The ACL lets answers to these ports out alone. */
static void answer_to(int32_t from, int32_t to_)
{
	char acl[ID_TEXT_SIZE];
	struct acl_entry_args args = {.acl_id = acl,
				      .rule = 10,
				      .egress = true,
				      .protocol = "6",
				      .action = "allow",
				      .cidr = "0.0.0.0/0",
				      .from = &from,
				      .to = &to_};

	id_text(KIND_NETWORK_ACL, cluster_subnet(&c, c.subnet)->acl, acl);
	assert_ok(cluster_end(&c, network_acl_add(cluster_tx(&c), &c.me, &args, &c.refusal)));
	assert_ok(cluster_end(
		&c, network_acl_remove(cluster_tx(&c), &c.me, acl, 100, true, &c.refusal)));
}

/* requirement: NIC-6 */
static void test_some_source_port_will_do(void **state)
{
	static const int32_t low[] = {1, 3000}, part[] = {2500, 2600}, high[] = {4000, 5000};
	static const int32_t ten[] = {10, 20}, kilo[] = {1000, 1030};
	struct insights_path_args args = {.source = box, .destination = web};
	const struct insights_analysis *a;

	answer_to(2000, 2999);
	a = ask(args); /* such as clients take */
	assert_true(says(a, REACH_ACL_DENIES));
	args.at_source.source_ports = ports(low);
	a = ask(args);
	assert_true(a->found);
	assert_int_equal(a->port_from, 2000);
	assert_int_equal(a->port_to, 2999);
	args.at_destination.source_ports = ports(part);
	a = ask(args);
	assert_true(a->found);
	assert_int_equal(a->port_from, 2500);
	assert_int_equal(a->port_to, 2600);
	args.at_source.source_ports = (struct insights_ports_args){};
	a = ask(args); /* at the destination alone: any that gets there as one of these */
	assert_true(a->found);
	assert_int_equal(a->port_from, 2500);
	args.at_destination.source_ports = ports(high);
	assert_answer(args, REACH_ACL_DENIES);
	/* a NAT gateway chooses another, which is one of 1024 and up */
	args = (struct insights_path_args){.source = box, .at_destination = to(WORLD)};
	args.at_destination.source_ports = ports(kilo);
	assert_answer(args, REACH_PASSES);
	args.at_destination.source_ports = ports(ten);
	assert_answer(args, REACH_OTHER_SOURCE_PORT);
}

/* requirement: TOPO-1 OPS-1 */
static void test_nothing_is_told_of_another_account(void **state)
{
	struct peering_create_args args = {.vpc_id = c.vpc, .peer_account = "999999999999"};
	char theirs[ID_TEXT_SIZE], subnet[ID_TEXT_SIZE], node[ID_TEXT_SIZE], id[ID_TEXT_SIZE];
	char addr[IPADDR_TEXT_SIZE];
	const struct insights_analysis *a;
	const struct peering *p;
	struct caller me = c.me;

	c.me = c.stranger;
	cluster_make_vpc(&c, "10.8.0.0/16", theirs);
	cluster_make_subnet(&c, theirs, "10.8.0.0/24", subnet);
	assert_ok(cluster_run(&c, subnet, node));
	c.me = me;
	cluster_acknowledge(&c);
	note_addr(node, addr);
	args.peer_vpc_id = theirs;
	assert_ok(peering_create(cluster_tx(&c), &c.me, &args, &p, &c.refusal));
	object_id_text(&p->o, id);
	assert_ok(cluster_end(&c, 0));
	assert_ok(cluster_end(&c, peering_accept(cluster_tx(&c), &c.stranger, id, &p, &c.refusal)));
	lead((struct route_args){.table_id = main_table, .cidr = "10.8.0.0/16", .peering_id = id});
	a = ask((struct insights_path_args){.source = web, .destination_ip = addr});
	assert_true(says(a, REACH_NO_DESTINATION));
	for (size_t i = 0; i < a->n_steps; i++) {
		const struct object *o = model_get(c.m, a->steps[i].kind, a->steps[i].id);

		assert_true(o && o->account == c.me.account);
	}
}

/* requirement: OPS-1 NIC-6 */
static void test_a_restart_changes_nothing(void **state)
{
	static const int32_t range[] = {1, 9000}, source[] = {0, 1023};
	struct insights_path_args args = {
		.source = igw,
		.at_source = {WORLD, public_addr, ports(source), ports(range)},
		.at_destination = {WORLD, web_addr, ports(source), ports(range)},
	};
	const struct insights_path *p;
	struct reach_filter filter;
	char id[ID_TEXT_SIZE];

	allow("0.0.0.0/0", 443, 443);
	assert_ok(create(args, id));
	assert_ok(insights_path_find(c.m, &c.me, id, &p, &c.refusal));
	filter = p->at_source;
	assert_int_equal(filter.src_ports.to, 1023);
	cluster_restart(&c);
	assert_ok(insights_path_find(c.m, &c.me, id, &p, &c.refusal));
	assert_memory_equal(&p->at_source, &filter, sizeof(filter));
	assert_int_equal(p->at_destination.dst_ports.from, 1);
	assert_int_equal(p->at_destination.dst_ports.to, 9000);
	assert_int_equal(p->destination_kind, KIND_NONE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_address_of_the_network),
		TEST(test_an_address_of_the_world),
		TEST(test_what_the_world_calls_it),
		TEST(test_anybody_in_the_world),
		TEST(test_who_is_next_to_a_public_address),
		TEST(test_anybody_whom_lists_and_acls_let_in),
		TEST(test_to_anybody_in_the_world),
		TEST(test_addresses_at_both_ends),
		TEST(test_a_static_port_of_a_nat_gateway),
		TEST(test_static_ports_that_the_world_does_not_know),
		TEST(test_what_answers_at_a_static_port),
		TEST(test_some_destination_port_will_do),
		TEST(test_some_source_port_will_do),
		TEST(test_nothing_is_told_of_another_account),
		TEST(test_a_restart_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
