/* SPDX-License-Identifier: Apache-2.0 */
/* Who may know where an address is. */
#include "model/mapping.h"

#include <string.h>

#include "model/instance.h"
#include "model/plan.h"
#include "model/route_table.h"
#include "model/subnet_block6.h"
#include "model/vpc.h"
#include "model/vpc_block6.h"
#include "tests/unit/model/cluster.h"

static struct cluster c;
static char here[ID_TEXT_SIZE], there[ID_TEXT_SIZE]; /* instances on different hosts */
static struct ipaddr a_here, a_there;
static uint32_t vni;

static int setup(void **state)
{
	const struct interface *i;

	cluster_init_network(&c, 2);
	assert_ok(cluster_run(&c, c.subnet, here));
	assert_ok(cluster_run(&c, c.subnet, there));
	cluster_acknowledge(&c);
	i = cluster_interface_of(&c, here);
	vni = i->vni;
	a_here = i->addrs[0].addr;
	a_there = cluster_interface_of(&c, there)->addrs[0].addr;
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static int ask(uint32_t host, enum mapping_question q, uint32_t in, const struct ipaddr *asker,
	       const struct ipaddr *addr, const char *name)
{
	const struct mapping *found = NULL;
	int quiet, r = mapping_resolve(c.m, host, q, in, asker, addr, name, &found, &c.refusal);

	quiet = mapping_resolve(c.m, host, q, in, asker, addr, name, &found, NULL);
	assert_int_equal(r, quiet);
	if (!r) {
		assert_int_equal(found->host, cluster_instance(&c, there)->host);
		assert_true(ipaddr_equal(&found->addr, &a_there));
	} else {
		assert_null(found);
		assert_int_equal(c.refusal.code, r);
	}
	return r;
}

static int send(uint32_t host, uint32_t in, const struct ipaddr *asker, const struct ipaddr *addr)
{
	return ask(host, MAPPING_SEND, in, asker, addr, NULL);
}

/* requirement: MAP-2 */
static void test_the_asker_must_live_there(void **state)
{
	uint32_t host = cluster_instance(&c, here)->host, other = cluster_instance(&c, there)->host;
	struct ipaddr nobody = ipaddr_from_v4(0x0a0000f0);

	assert_int_not_equal(host, other);
	assert_ok(send(host, vni, &a_here, &a_there));
	assert_int_equal(send(other, vni, &a_here, &a_there), MODEL_E_MAPPING_NOT_HERE);
	assert_int_equal(send(host, vni, &a_there, &a_there), MODEL_E_MAPPING_NOT_HERE);
	assert_int_equal(send(host, vni, &nobody, &a_there), MODEL_E_MAPPING_NOT_HERE);
	assert_int_equal(send(host, vni, &a_here, &nobody), MODEL_E_MAPPING_UNKNOWN);
	assert_int_equal(send(0, vni, &a_here, &a_there), MODEL_E_MAPPING_NOT_HERE);
	assert_ok(ask(host, MAPPING_VERIFY, vni, &a_here, &a_there, NULL));
}

/* requirement: PKT-4 */
static void test_networks_do_not_see_each_other(void **state)
{
	char vpc[ID_TEXT_SIZE], subnet[ID_TEXT_SIZE], id[ID_TEXT_SIZE];
	const struct interface *i;
	uint32_t host;

	cluster_make_vpc(&c, "10.0.0.0/16", vpc);
	cluster_make_subnet(&c, vpc, "10.0.0.0/24", subnet);
	assert_ok(cluster_run(&c, subnet, id));
	i = cluster_interface_of(&c, id);
	host = i->attachment.host;
	assert_true(ipaddr_equal(&i->addrs[0].addr, &a_here)); /* the same address, another node */
	assert_int_not_equal(i->vni, vni);
	assert_int_equal(send(host, i->vni, &a_here, &a_there), MODEL_E_MAPPING_UNKNOWN);
	if (cluster_instance(&c, here)->host != host)
		assert_int_equal(send(host, vni, &a_here, &a_there), MODEL_E_MAPPING_NOT_HERE);
}

/* requirement: PKT-1 MAP-2 */
static void test_link_local_addresses_stay_in_their_subnet(void **state)
{
	char subnet[ID_TEXT_SIZE], id[ID_TEXT_SIZE], vpc[ID_TEXT_SIZE];
	const struct interface *i = cluster_interface_of(&c, there);
	uint32_t host = cluster_instance(&c, here)->host;
	struct ipaddr mac_there = interface_link_local(i), mac_elsewhere;
	const struct mapping *found = NULL;

	assert_ok(mapping_resolve(c.m, host, MAPPING_SEND, vni, &a_here, &mac_there, NULL, &found,
				  NULL));
	assert_true(ipaddr_equal(&found->addr, &mac_there));
	assert_int_equal(found->host, cluster_instance(&c, there)->host);
	object_id_text(model_get(c.m, KIND_VPC, i->vpc), vpc);
	cluster_make_subnet(&c, vpc, "10.0.9.0/24", subnet);
	assert_ok(cluster_run(&c, subnet, id));
	cluster_acknowledge(&c);
	mac_elsewhere = interface_link_local(cluster_interface_of(&c, id));
	assert_int_equal(mapping_resolve(c.m, host, MAPPING_SEND, vni, &a_here, &mac_elsewhere,
					 NULL, &found, NULL),
			 MODEL_E_MAPPING_UNKNOWN);
}

/* requirement: MAP-2 */
static void test_a_stopped_node_is_nowhere(void **state)
{
	uint32_t host = cluster_instance(&c, here)->host;

	assert_ok(cluster_transition(&c, instance_stop, there));
	assert_int_equal(send(host, vni, &a_here, &a_there), MODEL_E_MAPPING_UNKNOWN);
	cluster_acknowledge(&c);
	assert_int_equal(send(host, vni, &a_here, &a_there), MODEL_E_MAPPING_UNKNOWN);
	/* and asks for nothing */
	assert_int_equal(send(cluster_instance(&c, there)->host, vni, &a_there, &a_here),
			 MODEL_E_MAPPING_NOT_HERE);
}

/* requirement: PKT-8 */
static void test_names(void **state)
{
	uint32_t host = cluster_instance(&c, here)->host;
	const bool no = false;
	struct vpc_modify_args args = {.vpc_id = c.vpc, .dns_support = &no};

	assert_ok(ask(host, MAPPING_NAME, vni, &a_here, NULL, "ip-10-0-0-5.ec2.internal"));
	assert_ok(ask(host, MAPPING_NAME, vni, &a_here, NULL, "ip-10-0-0-5"));
	/* an instance's id is a name as well, inside its own network */
	assert_ok(ask(host, MAPPING_NAME, vni, &a_here, NULL, there));
	assert_int_equal(ask(host, MAPPING_NAME, vni, &a_here, NULL, "i-00000000000000001"),
			 MODEL_E_MAPPING_UNKNOWN);
	assert_int_equal(ask(host, MAPPING_NAME, vni, &a_here, NULL, "ip-10-0-0-9"),
			 MODEL_E_MAPPING_UNKNOWN);
	assert_int_equal(ask(host, MAPPING_NAME, vni, &a_here, NULL, "www.example.com"),
			 MODEL_E_MAPPING_UNKNOWN);
	assert_int_equal(ask(host, MAPPING_NAME, vni, &a_there, NULL, "ip-10-0-0-5"),
			 MODEL_E_MAPPING_NOT_HERE);
	assert_ok(cluster_end(&c, vpc_modify(cluster_tx(&c), &c.me, &args, &c.refusal)));
	assert_int_equal(ask(host, MAPPING_NAME, vni, &a_here, NULL, "ip-10-0-0-5"),
			 MODEL_E_MAPPING_UNKNOWN);
}

/* requirement: PKT-8 */
static void test_names_of_both_families(void **state)
{
	struct vpc_block6_args block = {.pool_id = "ipv6pool-ec2-00000000000000001",
					.cidr = "fd56:6976:3600:700::/56"};
	const char *addr = "fd56:6976:3600:700::5";
	char eni[ID_TEXT_SIZE];
	struct interface_assign_args args = {.interface_id = eni, .addrs = &addr, .n_addrs = 1};
	uint32_t host = cluster_instance(&c, here)->host;
	const struct mapping *found;
	const struct interface *i;
	const struct subnet *s;
	const struct vpc *v;
	struct ipaddr six;
	size_t n;

	object_id_text(&cluster_interface_of(&c, there)->o, eni);
	assert_int_equal(ask(host, MAPPING_NAME6, vni, &a_here, NULL, there),
			 MODEL_E_MAPPING_UNKNOWN);
	assert_ok(cluster_end(
		&c, vpc_associate_block6(cluster_tx(&c), &c.me, c.vpc, &block, &v, &c.refusal)));
	assert_ok(cluster_end(&c,
			      subnet_associate_block6(cluster_tx(&c), &c.me, c.subnet,
						      "fd56:6976:3600:700::/64", &s, &c.refusal)));
	assert_ok(cluster_end(&c,
			      interface_assign6(cluster_tx(&c), &c.me, &args, &i, &n, &c.refusal)));
	assert_ok(ipaddr_parse(addr, &six));
	assert_ok(
		mapping_resolve(c.m, host, MAPPING_NAME6, vni, &a_here, NULL, there, &found, NULL));
	assert_true(ipaddr_equal(&found->addr, &six));
	assert_ok(mapping_resolve(c.m, host, MAPPING_NAME6, vni, &a_here, NULL,
				  "ip-10-0-0-5.ec2.internal", &found, NULL));
	assert_true(ipaddr_equal(&found->addr, &six));
	assert_ok(
		mapping_resolve(c.m, host, MAPPING_NAME, vni, &a_here, NULL, there, &found, NULL));
	assert_true(ipaddr_equal(&found->addr, &a_there));
	assert_int_equal(ask(host, MAPPING_NAME6, vni, &a_here, NULL, "ip-10-0-0-9"),
			 MODEL_E_MAPPING_UNKNOWN);
	assert_int_equal(ask(host, MAPPING_NAME6, vni, &a_there, NULL, there),
			 MODEL_E_MAPPING_NOT_HERE);
}

/* ---- what nodes forward ---- */

struct told {
	size_t n;
	struct mapping last;
};

static void note_forwarding(void *data, const struct mapping *now)
{
	struct told *t = data;

	if (mapping_network(now->vni, &now->addr) == now->vni)
		return;
	t->n++;
	t->last = *now;
}

static struct told told_by(int r)
{
	struct told t = {};
	struct change *change = cluster_end_change(&c, r);

	plan_mappings(c.m, change, note_forwarding, &t);
	change_free(change);
	return t;
}

static int ask_forwarding(enum mapping_question q, uint32_t handle, uint32_t network,
			  const struct mapping **ret)
{
	uint32_t host = cluster_instance(&c, there)->host;
	struct ipaddr addr = ipaddr_from_v4(network);
	struct mapping_key asker = mapping_key_of(vni, &a_there),
			   key = mapping_key_of(handle, &addr);

	return mapping_resolve_key(c.m, host, q, &asker, &key, NULL, ret, NULL);
}

/* A host that gets what a node forwarded asks whether that one may: it may, from where it is, into
 * its network, once a route names it and its source/destination check is off.  Who has asked is
 * told what becomes of it. */
/* requirement: PKT-13 */
/* requirement: MAP-2 */
/* requirement: MAP-3 */
static void test_who_may_forward(void **state)
{
	char table[ID_TEXT_SIZE];
	struct route_args route = {
		.table_id = table, .cidr = "192.168.0.0/16", .instance_id = here};
	bool off = false, on = true;
	struct instance_modify_args modify = {.instance_id = here, .source_dest_check = &off};
	struct instance_transition transition;
	const struct mapping *found;
	const char *stop = here;
	const struct vpc *v;
	uint32_t handle;
	struct told t;

	v = cluster_vpc(&c, c.vpc);
	id_text(KIND_ROUTE_TABLE, v->main_table, table);
	assert_ok(cluster_end(&c, route_create(cluster_tx(&c), &c.me, &route, &c.refusal)));
	handle = cluster_interface_of(&c, here)->handle.number;
	assert_int_equal(ask_forwarding(MAPPING_VERIFY, handle, vni, &found),
			 MODEL_E_MAPPING_UNKNOWN);
	t = told_by(instance_modify(cluster_tx(&c), &c.me, &modify, &c.refusal));
	assert_int_equal(t.n, 1);
	assert_int_equal(t.last.vni, handle);
	assert_int_equal(t.last.host, cluster_instance(&c, here)->host);
	assert_ok(ask_forwarding(MAPPING_VERIFY, handle, vni, &found));
	assert_int_equal(found->host, cluster_instance(&c, here)->host);
	assert_null(found->groups);
	assert_int_equal(found->revision, t.last.revision);
	assert_int_equal(ask_forwarding(MAPPING_SEND, handle, vni, &found),
			 MODEL_E_MAPPING_UNKNOWN);
	assert_int_equal(ask_forwarding(MAPPING_VERIFY, handle, vni + 1, &found),
			 MODEL_E_MAPPING_UNKNOWN);
	assert_int_equal(ask_forwarding(MAPPING_VERIFY, handle + 1, vni, &found),
			 MODEL_E_MAPPING_UNKNOWN);
	cluster_restart(&c);
	assert_ok(ask_forwarding(MAPPING_VERIFY, handle, vni, &found));
	assert_int_equal(found->revision, t.last.revision);

	modify.source_dest_check = &on;
	t = told_by(instance_modify(cluster_tx(&c), &c.me, &modify, &c.refusal));
	assert_int_equal(t.n, 1);
	assert_int_equal(t.last.host, 0);
	assert_int_equal(ask_forwarding(MAPPING_VERIFY, handle, vni, &found),
			 MODEL_E_MAPPING_UNKNOWN);
	modify.source_dest_check = &off;
	assert_ok(cluster_end(&c, instance_modify(cluster_tx(&c), &c.me, &modify, &c.refusal)));
	t = told_by(instance_stop(cluster_tx(&c), &c.me, &stop, 1, &transition, &c.refusal));
	assert_int_equal(t.n, 1);
	assert_int_equal(t.last.host, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_asker_must_live_there),
		TEST(test_networks_do_not_see_each_other),
		TEST(test_link_local_addresses_stay_in_their_subnet),
		TEST(test_a_stopped_node_is_nowhere),
		TEST(test_names),
		TEST(test_names_of_both_families),
		TEST(test_who_may_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
