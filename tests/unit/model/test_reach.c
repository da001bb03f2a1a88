/* SPDX-License-Identifier: Apache-2.0 */
/* What the analysis of reachability says; that packets do so is shown by
 * tests/system/test_reach.py. */
#include "model/reach.h"

#include "model/choice_policy.h"
#include "model/group_rule.h"
#include "model/instance.h"
#include "model/internet_gateway.h"
#include "model/network_acl.h"
#include "model/pair.h"
#include "model/peering.h"
#include "model/route_table.h"
#include "model/security_group.h"
#include "tests/unit/model/cluster.h"

/* 10.0.0.0/16: here in 10.0.0.0/24, there in 10.0.1.0/24, between in 10.0.2.0/24 */
static struct cluster c;
static char main_table[ID_TEXT_SIZE], out_table[ID_TEXT_SIZE], group[ID_TEXT_SIZE];
static char two[ID_TEXT_SIZE], middle[ID_TEXT_SIZE];
static char here[ID_TEXT_SIZE], there[ID_TEXT_SIZE], between[ID_TEXT_SIZE];

/* A table of its own for the subnet. */
static void give_table(const char *subnet, char ret_id[ID_TEXT_SIZE])
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

static int setup(void **state)
{
	const struct vpc *v;

	cluster_init_network(&c, 2);
	v = cluster_vpc(&c, c.vpc);
	id_text(KIND_ROUTE_TABLE, v->main_table, main_table);
	cluster_make_subnet(&c, c.vpc, "10.0.1.0/24", two);
	cluster_make_subnet(&c, c.vpc, "10.0.2.0/24", middle);
	give_table(middle, out_table);
	assert_ok(cluster_run(&c, c.subnet, here));
	assert_ok(cluster_run(&c, two, there));
	assert_ok(cluster_run(&c, middle, between));
	cluster_acknowledge(&c);
	id_text(KIND_SECURITY_GROUP, cluster_interface_of(&c, here)->groups[0].id, group);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static struct reach_answer ask_between(const char *from, const char *to)
{
	struct reach_question q = {.protocol = 6, .port = 80};
	struct reach_answer a;

	q.from.interface = cluster_interface_of(&c, from);
	q.to.interface = cluster_interface_of(&c, to);
	q.from.addr = q.from.interface->addrs[0].addr;
	q.to.addr = q.to.interface->addrs[0].addr;
	assert_ok(reach_analyse(c.m, &q, &a));
	return a;
}

static struct reach_answer ask(void)
{
	return ask_between(here, there);
}

/* The first step that does not pass, which there is. */
static struct reach_step refusing(const struct reach_answer *a)
{
	for (size_t i = 0; i < a->n_steps; i++)
		if (a->steps[i].code != REACH_PASSES)
			return a->steps[i];
	fail_msg("nothing refuses");
	return (struct reach_step){0};
}

static bool visits(const struct reach_answer *a, const char *instance, bool back)
{
	uint64_t id = cluster_interface_of(&c, instance)->o.id;

	for (size_t i = 0; i < a->n_steps; i++)
		if (a->steps[i].what == REACH_INTERFACE && a->steps[i].id == id &&
		    a->steps[i].back == back)
			return true;
	return false;
}

static void lead(const char *table, const char *cidr)
{
	struct route_args args = {.table_id = table, .cidr = cidr, .instance_id = between};

	assert_ok(cluster_end(&c, route_create(cluster_tx(&c), &c.me, &args, &c.refusal)));
}

static void check_source(bool on)
{
	struct instance_modify_args args = {.instance_id = between, .source_dest_check = &on};

	assert_ok(cluster_end(&c, instance_modify(cluster_tx(&c), &c.me, &args, &c.refusal)));
}

static void allow(const char *cidr)
{
	int32_t all = -1;
	struct rule_args args = {.protocol = "-1", .from = &all, .to = &all, .cidr = cidr};
	const struct group_rule *made;

	assert_ok(cluster_end(&c, group_rule_authorize(cluster_tx(&c), &c.me, group, false, &args,
						       1, NULL, 0, &made, &c.refusal)));
}

/* requirement: TOPO-1 NIC-6 */
static void test_by_a_node_that_sends_on(void **state)
{
	struct reach_answer a = ask();
	struct reach_step s;

	assert_true(a.found);
	assert_false(visits(&a, between, false));
	lead(main_table, "10.0.1.0/24");
	a = ask();
	assert_int_equal(refusing(&a).code, REACH_SOURCE_DEST_CHECK);
	check_source(false);
	a = ask();
	assert_false(a.found);
	/* behind it nobody knows whose groups the packet is of */
	s = refusing(&a);
	assert_int_equal(s.code, REACH_GROUP_MISMATCH);
	assert_int_equal(s.attached, cluster_interface_of(&c, there)->o.id);
	allow("10.0.0.0/16");
	a = ask();
	assert_true(a.found);
	assert_true(visits(&a, between, false) && !visits(&a, between, true));
	lead(main_table, "10.0.0.0/24");
	a = ask();
	assert_true(a.found);
	assert_true(visits(&a, between, false) && visits(&a, between, true));
}

/* requirement: TOPO-1 */
static void test_in_a_circle(void **state)
{
	check_source(false);
	allow("10.0.0.0/16");
	lead(main_table, "10.0.1.0/24");
	assert_true(ask().found);
	lead(out_table, "10.0.1.0/24");
	struct reach_answer a = ask();
	struct reach_step s = refusing(&a);

	assert_false(a.found);
	assert_int_equal(s.code, REACH_NO_DESTINATION);
	assert_int_equal(s.what, REACH_ROUTE);
	assert_int_equal(s.attached, cluster_subnet(&c, middle)->o.id);
}

/* requirement: NEG-3 */
static void test_without_a_common_format(void **state)
{
	static const char *const all[] = {"siit", "ipip6", "vxlan", "reip4", "geneve"};
	struct choice_policy_args args = {
		.name = "none", .effect = "forbid", .what = all, .n_what = ARRAY_SIZE(all)};
	const struct interface *a = cluster_interface_of(&c, here);
	const struct interface *b = cluster_interface_of(&c, there);
	bool apart = interface_host(a) != interface_host(b);
	const struct choice_policy *p;
	struct reach_answer answer = ask();

	assert_true(answer.found);
	assert_true(apart);
	assert_ok(cluster_end(
		&c, choice_policy_create(cluster_tx(&c), &c.admin, &args, &p, &c.refusal)));
	answer = ask();
	assert_false(answer.found);
	assert_int_equal(refusing(&answer).what, REACH_SUBSTRATE);
	assert_int_equal(refusing(&answer).code, REACH_NO_FORMAT);
	assert_int_equal(refusing(&answer).id, b->o.id);
	assert_int_equal(refusing(&answer).attached, a->o.id);
	assert_ok(cluster_end(&c,
			      choice_policy_delete(cluster_tx(&c), &c.admin, "none", &c.refusal)));
	assert_true(ask().found);
}

/* Nothing is left in common for what goes between the interfaces of two. */
static void forbid_all_between(const char *one, const char *other)
{
	static const char *const all[] = {"siit", "ipip6", "vxlan", "reip4", "geneve"};
	char ids[2][ID_TEXT_SIZE];
	struct choice_policy_args args = {.name = "none",
					  .effect = "forbid",
					  .what = all,
					  .n_what = ARRAY_SIZE(all),
					  .interfaces = {ids[0], ids[1]}};
	const struct choice_policy *p;

	id_text(KIND_INTERFACE, cluster_interface_of(&c, one)->o.id, ids[0]);
	id_text(KIND_INTERFACE, cluster_interface_of(&c, other)->o.id, ids[1]);
	assert_ok(cluster_end(
		&c, choice_policy_create(cluster_tx(&c), &c.admin, &args, &p, &c.refusal)));
}

/* Policies about two interfaces are about packets with both their addresses: not about what one
 * passes on for another. */
/* requirement: NEG-3 TOPO-1 */
static void test_a_pair_is_known_by_its_addresses(void **state)
{
	struct reach_answer a;

	assert_int_equal(interface_host(cluster_interface_of(&c, here)),
			 interface_host(cluster_interface_of(&c, between)));
	check_source(false);
	allow("10.0.0.0/16");
	lead(main_table, "10.0.1.0/24");
	forbid_all_between(between, there);
	a = ask_between(between, there);
	assert_false(a.found);
	assert_int_equal(refusing(&a).code, REACH_NO_FORMAT);
	a = ask();
	assert_true(a.found);
	assert_true(visits(&a, between, false));
	assert_ok(cluster_end(&c,
			      choice_policy_delete(cluster_tx(&c), &c.admin, "none", &c.refusal)));
	forbid_all_between(here, there);
	a = ask(); /* by way of the other, on the same host */
	assert_false(a.found);
	assert_true(visits(&a, between, false));
	assert_int_equal(refusing(&a).code, REACH_NO_FORMAT);
}

/* Nothing is left in common for what goes between the hosts of two. */
static void forbid_hosts(const char *name, const char *one, const char *other)
{
	static const char *const all[] = {"siit", "ipip6", "vxlan", "reip4", "geneve"};
	struct choice_policy_args args = {
		.name = name, .effect = "forbid", .what = all, .n_what = ARRAY_SIZE(all)};
	const struct choice_policy *p;

	args.match.host = host_by_number(c.m, interface_host(cluster_interface_of(&c, one)))->name;
	args.peer.host = host_by_number(c.m, interface_host(cluster_interface_of(&c, other)))->name;
	assert_ok(cluster_end(
		&c, choice_policy_create(cluster_tx(&c), &c.admin, &args, &p, &c.refusal)));
}

/* One record at 'there' and 'between'. */
static void share(char ret_record[ID_TEXT_SIZE])
{
	const bool shared = true;
	const char *nodes[] = {there, between};
	struct interface_set_args set = {.interface_id = ret_record, .shared = &shared};
	const struct attachment *at;

	assert_ok(cluster_make_interface(&c, c.subnet, "10.0.0.50", ret_record));
	assert_ok(cluster_end(&c, interface_set(cluster_tx(&c), &c.me, &set, &c.refusal)));
	for (size_t k = 0; k < ARRAY_SIZE(nodes); k++) {
		struct interface_attach_args args = {ret_record, nodes[k], 1, false};

		assert_ok(cluster_end(
			&c, interface_attach(cluster_tx(&c), &c.me, &args, &at, &c.refusal)));
	}
	cluster_acknowledge(&c);
}

static struct reach_answer ask_record(const char *record)
{
	struct reach_question q = {.protocol = 6, .port = 80};
	struct reach_answer a;

	q.from.interface = cluster_interface_of(&c, here);
	q.to.interface = cluster_interface(&c, record);
	q.from.addr = q.from.interface->addrs[0].addr;
	q.to.addr = q.to.interface->addrs[0].addr;
	assert_ok(reach_analyse(c.m, &q, &a));
	return a;
}

static void run_three(void)
{
	assert_ok(cluster_run(&c, c.subnet, here));
	assert_ok(cluster_run(&c, c.subnet, there));
	assert_ok(cluster_run(&c, c.subnet, between));
	cluster_acknowledge(&c);
}

/* What is for a shared record goes to those of its hosts that it can go to, and they alone answer.
 * requirement: NIC-4 NEG-7 */
static void test_a_record_of_several_hosts(void **state)
{
	char record[ID_TEXT_SIZE];
	struct reach_answer a;

	cluster_deinit(&c);
	cluster_init_network(&c, 3);
	run_three();
	share(record);
	assert_true(ask_record(record).found);
	forbid_hosts("first", here, there);
	assert_true(ask_record(record).found);
	forbid_hosts("second", here, between);
	a = ask_record(record);
	assert_false(a.found);
	assert_int_equal(refusing(&a).code, REACH_NO_FORMAT);
}

static void add_host_with_labels(size_t n, const char *name, const char *addr, const char *range)
{
	uint32_t formats = FORMAT_BIT(FORMAT_VXLAN_1) | FORMAT_BIT(FORMAT_REIP4_1);
	char id[ID_TEXT_SIZE];
	const struct host *h;

	c.hosts[n] = cluster_add_host(&c, name, addr, NULL, formats, 1500);
	object_id_text(&host_by_number(c.m, c.hosts[n])->o, id);
	assert_ok(cluster_end(
		&c, host_set_aliases(cluster_tx(&c), &c.admin, id, range, &h, &c.refusal)));
}

/* Without vxlan nothing carries what has no label: the address of a shared record.
 * requirement: PKT-16 NEG-7 */
static void test_what_has_no_label(void **state)
{
	static const char *const vxlan[] = {"vxlan"};
	struct choice_policy_args args = {
		.name = "labels-alone", .effect = "forbid", .what = vxlan, .n_what = 1};
	const struct choice_policy *p;
	char record[ID_TEXT_SIZE];
	struct reach_answer a;

	cluster_deinit(&c);
	cluster_init_network(&c, 0);
	add_host_with_labels(0, "four1", "192.0.2.1", "198.18.1.0/28");
	add_host_with_labels(1, "four2", "192.0.2.2", "198.18.2.0/28");
	add_host_with_labels(2, "four3", "192.0.2.3", "198.18.3.0/28");
	run_three();
	share(record);
	assert_true(ask().found);
	assert_true(ask_record(record).found);
	assert_ok(cluster_end(
		&c, choice_policy_create(cluster_tx(&c), &c.admin, &args, &p, &c.refusal)));
	assert_true(ask().found);
	a = ask_record(record);
	assert_false(a.found);
	assert_int_equal(refusing(&a).code, REACH_NO_FORMAT);
}

/* requirement: NIC-6 */
static void test_a_record_that_is_disabled(void **state)
{
	static const char *const conditions[] = {"in-repair", "disabled", "normal"};
	char id[ID_TEXT_SIZE];
	struct interface_set_args args = {.interface_id = id};

	id_text(KIND_INTERFACE, cluster_interface_of(&c, there)->o.id, id);
	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
		args.condition = conditions[i];
		assert_ok(cluster_end(&c, interface_set(cluster_tx(&c), &c.me, &args, &c.refusal)));
		/* in repair it works, but is attached nowhere else */
		assert_int_equal(ask().found, i != 1);
	}
}

/* requirement: NIC-6 */
static void test_the_source_ports_that_an_acl_leaves(void **state)
{
	int32_t from = 32768, to = 39999;
	char acl[ID_TEXT_SIZE];
	struct acl_entry_args args = {.acl_id = acl,
				      .rule = 10,
				      .egress = true,
				      .protocol = "6",
				      .action = "deny",
				      .cidr = "0.0.0.0/0",
				      .from = &from,
				      .to = &to};
	struct reach_answer a = ask();

	assert_int_equal(a.port_from, 32768);
	assert_int_equal(a.port_to, 60999);
	id_text(KIND_NETWORK_ACL, cluster_subnet(&c, two)->acl, acl);
	assert_ok(cluster_end(&c, network_acl_add(cluster_tx(&c), &c.me, &args, &c.refusal)));
	a = ask();
	assert_true(a.found);
	assert_int_equal(a.port_from, 40000);
	assert_int_equal(a.port_to, 60999);
}

static int rule(bool egress, bool revoke, const char *protocol, int32_t port, const char *cidr)
{
	struct rule_args args = {.protocol = protocol, .from = &port, .to = &port, .cidr = cidr};
	const struct group_rule *made;

	if (revoke)
		return cluster_end(&c, group_rule_revoke(cluster_tx(&c), &c.me, group, egress,
							 &args, 1, &c.refusal));
	return cluster_end(&c, group_rule_authorize(cluster_tx(&c), &c.me, group, egress, &args, 1,
						    NULL, 0, &made, &c.refusal));
}

static struct reach_answer ask_any_port(void)
{
	struct reach_question q = {.protocol = 6};
	struct reach_answer a;

	q.from.interface = cluster_interface_of(&c, here);
	q.to.interface = cluster_interface_of(&c, there);
	q.from.addr = q.from.interface->addrs[0].addr;
	q.to.addr = q.to.interface->addrs[0].addr;
	assert_ok(reach_analyse(c.m, &q, &a));
	return a;
}

/* Only rules about these addresses say where answers change, and however many do, the one port at
 * which all agree is found. */
/* requirement: NIC-6 */
static void test_one_port_of_many(void **state)
{
	enum { PORTS = 50 };
	struct rule_args each_other = {.protocol = "-1", .group_id = group};
	struct reach_answer a;

	assert_ok(cluster_end(&c, group_rule_revoke(cluster_tx(&c), &c.me, group, false,
						    &each_other, 1, &c.refusal)));
	assert_ok(rule(true, true, "-1", -1, "0.0.0.0/0"));
	for (int32_t n = 1; n <= PORTS; n++)
		assert_ok(rule(true, false, "tcp", n * 100, "10.0.1.0/24"));
	assert_false(ask_any_port().found);
	assert_ok(rule(false, false, "tcp", PORTS * 100, "10.0.0.0/24"));
	for (int32_t n = 1; n <= PORTS; n++)
		assert_ok(rule(false, false, "tcp", PORTS * 100 + n * 10, "192.0.2.0/24"));
	a = ask_any_port();
	assert_true(a.found);
	assert_int_equal(a.to_port_from, PORTS * 100);
	assert_int_equal(a.to_port_to, PORTS * 100);
	assert_ok(rule(true, false, "-1", -1, "0.0.0.0/0"));
	assert_ok(rule(false, false, "udp", 53, "10.0.0.0/24"));
	assert_ok(rule(false, false, "-1", -1, "10.0.0.0/24"));
	for (int32_t n = 1; n <= PORTS; n++)
		assert_ok(rule(true, true, "tcp", n * 100, "10.0.1.0/24"));
	assert_ok(rule(false, true, "tcp", PORTS * 100, "10.0.0.0/24"));
	a = ask_any_port();
	assert_true(a.found);
	assert_int_equal(a.to_port_from, 1);
	assert_int_equal(a.to_port_to, 65535);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_by_a_node_that_sends_on),
		TEST(test_in_a_circle),
		TEST(test_without_a_common_format),
		TEST(test_a_pair_is_known_by_its_addresses),
		TEST(test_a_record_of_several_hosts),
		TEST(test_what_has_no_label),
		TEST(test_a_record_that_is_disabled),
		TEST(test_the_source_ports_that_an_acl_leaves),
		TEST(test_one_port_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
