/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts without an agent: what they are, records that are placed there, and what the other hosts
 * are told.
 */
#include <string.h>

#include "base/str.h"
#include "model/choice_policy.h"
#include "model/elastic.h"
#include "model/holders.h"
#include "model/internet_gateway.h"
#include "model/mapping.h"
#include "model/nat_gateway.h"
#include "model/pair_shift.h"
#include "model/plan.h"
#include "model/pool.h"
#include "model/release.h"
#include "tests/unit/model/cluster.h"

#define ALL_FORMATS                                                                                \
	(FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1) |      \
	 FORMAT_BIT(FORMAT_VXLAN_1))

static struct cluster c;
static char record[ID_TEXT_SIZE];
static uint32_t number, vni;
static struct ipaddr addr;

static int add(struct host_add_args args)
{
	const struct host *h;
	int r = host_add(cluster_tx(&c), &c.admin, &args, &h, &c.refusal);

	if (!r)
		number = h->number;
	return cluster_end(&c, r);
}

static int place(const struct caller *who, const char *host)
{
	const struct attachment *a;

	return cluster_end(&c, interface_place(cluster_tx(&c), who, record, host, &a, &c.refusal));
}

static int unplace(const struct caller *who)
{
	char id[ID_TEXT_SIZE];

	id_text_prefixed(ID_PREFIX_ATTACHMENT, cluster_interface(&c, record)->attachment.id, id);
	return cluster_end(&c, interface_detach(cluster_tx(&c), who, id, false, &c.refusal));
}

static uint32_t where(void)
{
	const struct mapping *m = mapping_find(model_mappings(c.m), vni, &addr);

	return m ? m->host : 0;
}

static struct choice choice(uint32_t self, uint32_t peer)
{
	struct choice ret;

	pair_choice(c.m, host_by_number(c.m, self), host_by_number(c.m, peer), &pair_all, &ret);
	return ret;
}

static int setup(void **state)
{
	cluster_init(&c, 0);
	c.hosts[0] = cluster_add_host(&c, "h1", "192.0.2.1", "fd00::1", ALL_FORMATS, 1500);
	c.hosts[1] = cluster_add_host(&c, "h2", "192.0.2.2", "fd00::2", ALL_FORMATS, 1500);
	cluster_make_network(&c);
	assert_ok(add((struct host_add_args){.name = "box", .foreign = "192.0.2.9"}));
	assert_ok(cluster_make_interface(&c, c.subnet, "10.0.0.50", record));
	vni = cluster_interface(&c, record)->vni;
	addr = cluster_interface(&c, record)->addrs[0].addr;
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* requirement: PKT-3 */
static void test_what_it_is(void **state)
{
	const uint32_t rack = 3, small = 1000;
	const struct host *h = host_find(c.m, "box");
	struct ability a = ability_of(h);

	assert_int_equal(a.formats, FORMAT_BIT(FORMAT_VXLAN_1));
	assert_int_equal(a.features, 0);
	assert_int_equal(a.mtu, 1500);
	assert_int_equal(h->locators.siit1.len, 0);
	assert_int_equal(h->locators.siit2.len, 0);
	assert_true(host_is_capable(h));
	assert_false(host_is_connected(c.m, number));
	/* an address, of either family, and nobody else's */
	assert_ok(add((struct host_add_args){.name = "box6", .foreign = "fd00::9"}));
	assert_false(ipaddr_is_zero(&host_find(c.m, "box6")->locators.v6));
	assert_int_equal(add((struct host_add_args){.name = "x", .foreign = "192.0.2.1"}),
			 MODEL_E_EXISTS);
	assert_int_equal(add((struct host_add_args){.name = "x", .foreign = "nonsense"}),
			 MODEL_E_VALUE);
	assert_int_equal(add((struct host_add_args){.name = "x", .foreign = "fe80::1"}),
			 MODEL_E_VALUE);
	assert_int_equal(
		add((struct host_add_args){.name = "x", .foreign = "192.0.2.8", .mtu = &small}),
		MODEL_E_VALUE);
	/* and nothing that only an agent could make true */
	assert_int_equal(
		add((struct host_add_args){.name = "x", .foreign = "192.0.2.8", .edge = true}),
		MODEL_E_COMBINATION);
	assert_int_equal(
		add((struct host_add_args){.name = "x", .foreign = "192.0.2.8", .rack = &rack}),
		MODEL_E_COMBINATION);
	assert_int_equal(
		add((struct host_add_args){.name = "x", .foreign = "192.0.2.8", .v6 = "fd00::8"}),
		MODEL_E_COMBINATION);
	{
		const struct host_room_args rooms[] = {{.cost = &rack},
						       {.capacity[HOST_MEMORY] = &rack},
						       {.capacity[HOST_PORTS] = &rack}};
		const struct tag_args label = {"kind", "switch"};
		struct host_room_args none = {};

		for (size_t i = 0; i < ARRAY_SIZE(rooms); i++)
			assert_int_equal(
				cluster_end(&c, host_set(cluster_tx(&c), &c.admin, "box", &rooms[i],
							 NULL, 0, &h, &c.refusal)),
				MODEL_E_COMBINATION);
		assert_ok(cluster_end(&c, host_set(cluster_tx(&c), &c.admin, "box", &none, &label,
						   1, &h, &c.refusal)));
		assert_string_equal(object_tag(&h->o, "kind"), "switch");
	}
	/* nor does it report */
	assert_int_equal(cluster_end(&c, host_report(cluster_tx(&c), host_find(c.m, "box")->number,
						     &(struct capabilities){.formats = ALL_FORMATS,
									    .substrate_mtu = 9000,
									    .probed_ms = 1},
						     &c.refusal)),
			 MODEL_E_HOST_NOT_FOUND);
}

/* requirement: PKT-3 */
static void test_no_instance_goes_there(void **state)
{
	char id[ID_TEXT_SIZE];

	host_set_connected(c.m, c.hosts[0], false);
	host_set_connected(c.m, c.hosts[1], false);
	/* whatever the manager should come to think of it */
	host_set_connected(c.m, number, true);
	assert_int_equal(cluster_run(&c, c.subnet, id), MODEL_E_NO_CAPACITY);
}

/* requirement: PKT-3 */
static void test_a_record_is_placed_and_taken_off(void **state)
{
	struct interface_attach_args attach = {record, NULL, 1, false};
	const bool yes = true;
	struct interface_set_args share = {.interface_id = record, .shared = &yes},
				  disable = {.interface_id = record, .condition = "disabled"};
	char id[ID_TEXT_SIZE];
	const struct attachment *a;

	assert_int_equal(where(), 0);
	assert_int_equal(place(&c.me, "box"), MODEL_E_NOT_PERMITTED);
	assert_int_equal(place(&c.admin, "nobody"), MODEL_E_HOST_NOT_FOUND);
	assert_int_equal(place(&c.admin, "h1"), MODEL_E_HOST_NOT_FOREIGN);
	assert_ok(place(&c.admin, "box"));
	/* at once: nobody there acknowledges anything */
	assert_int_equal(where(), number);
	assert_int_equal(cluster_interface(&c, record)->attachment.state, ATTACHMENT_ATTACHED);
	assert_string_equal(interface_status_text(cluster_interface(&c, record)), "in-use");
	assert_int_equal(place(&c.admin, "box"), MODEL_E_INTERFACE_IN_USE);
	assert_ok(cluster_run(&c, c.subnet, id));
	cluster_acknowledge(&c);
	attach.instance_id = id;
	assert_int_equal(
		cluster_end(&c, interface_attach(cluster_tx(&c), &c.me, &attach, &a, &c.refusal)),
		MODEL_E_INTERFACE_IN_USE);
	assert_int_equal(cluster_end(&c, interface_set(cluster_tx(&c), &c.me, &share, &c.refusal)),
			 MODEL_E_INTERFACE_IN_USE);
	assert_int_equal(
		cluster_end(&c, interface_set(cluster_tx(&c), &c.me, &disable, &c.refusal)),
		MODEL_E_INTERFACE_IN_USE);
	assert_int_equal(
		cluster_end(&c, interface_delete(cluster_tx(&c), &c.me, record, &c.refusal)),
		MODEL_E_INTERFACE_IN_USE);
	/* the network's MTU has room for what VXLAN adds */
	assert_int_equal(vpc_by_vni(c.m, vni)->mtu, 1450);
	assert_int_equal(unplace(&c.me), MODEL_E_NOT_PERMITTED);
	assert_ok(unplace(&c.admin));
	assert_int_equal(where(), 0);
	assert_string_equal(interface_status_text(cluster_interface(&c, record)), "available");
	assert_int_equal(vpc_by_vni(c.m, vni)->mtu, 1460);
	/* as any other record from now on */
	assert_ok(
		cluster_end(&c, interface_attach(cluster_tx(&c), &c.me, &attach, &a, &c.refusal)));
}

/* requirement: PKT-3 MAP-3 */
static void test_an_address_is_free_when_its_holders_know(void **state)
{
	struct holders *holders = model_holders(c.m);
	char other[ID_TEXT_SIZE];
	size_t n;

	assert_ok(place(&c.admin, "box"));
	assert_ok(holders_add(holders, vni, &addr, c.hosts[0],
			      cluster_interface(&c, record)->addrs[0].revision, 0));
	assert_ok(unplace(&c.admin));
	assert_ok(cluster_end(&c, interface_delete(cluster_tx(&c), &c.me, record, &c.refusal)));
	assert_int_equal(release_count(c.m), 1);
	assert_int_equal(cluster_make_interface(&c, c.subnet, "10.0.0.50", other),
			 MODEL_E_ADDRESS_IN_USE);
	holders_remove_host(holders, c.hosts[0]);
	assert_ok(cluster_end(&c, release_settle(cluster_tx(&c), &n)));
	assert_int_equal(n, 1);
	assert_ok(cluster_make_interface(&c, c.subnet, "10.0.0.50", other));
}

/* A secondary address leaves it without anybody's word, and comes to it likewise.  requirement:
 * PKT-3 */
static void test_an_address_moves_at_once(void **state)
{
	const char *moved = "10.0.0.77";
	char other[ID_TEXT_SIZE];
	struct interface_assign_args args = {
		.interface_id = record, .addrs = &moved, .n_addrs = 1, .allow_reassignment = true};
	const struct interface *i;
	size_t n;

	assert_ok(cluster_make_interface(&c, c.subnet, NULL, other));
	assert_ok(place(&c.admin, "box"));
	assert_ok(cluster_end(&c,
			      interface_assign(cluster_tx(&c), &c.me, &args, &i, &n, &c.refusal)));
	assert_ok(ipaddr_parse(moved, &addr));
	assert_int_equal(where(), number);
	args.interface_id = other;
	assert_ok(cluster_end(&c,
			      interface_assign(cluster_tx(&c), &c.me, &args, &i, &n, &c.refusal)));
	assert_false(cluster_interface(&c, other)->addrs[1].arriving);
	assert_int_equal(where(), 0);
	assert_int_equal(release_count(c.m), 0);
}

/* ---- what leads to a record from outside ---- */

static void allocate(char ret[ID_TEXT_SIZE])
{
	struct elastic_allocate_args args = {};
	const struct elastic *e;
	int r = elastic_allocate(cluster_tx(&c), &c.me, &args, &e, &c.refusal);

	assert_ok(r);
	object_id_text(&e->o, ret);
	assert_ok(cluster_end(&c, r));
}

static int associate(const char *allocation, const char *interface)
{
	struct elastic_associate_args args = {.allocation_id = allocation,
					      .interface_id = interface,
					      .allow_reassociation = true};
	const struct elastic *e;

	return cluster_end(&c, elastic_associate(cluster_tx(&c), &c.me, &args, &e, &c.refusal));
}

static int disassociate(const char *allocation)
{
	char id[ID_TEXT_SIZE];
	const struct elastic *e;

	assert_ok(elastic_find(c.m, &c.me, allocation, &e, &c.refusal));
	id_text_prefixed(ID_PREFIX_ADDRESS_ASSOCIATION, e->association, id);
	return cluster_end(&c, elastic_disassociate(cluster_tx(&c), &c.me, id, NULL, &c.refusal));
}

static void make_way_out(void)
{
	const struct pool *p;
	char id[ID_TEXT_SIZE];

	cluster_make_internet(&c, c.vpc, id);
	assert_ok(cluster_end(
		&c, pool_add(cluster_tx(&c), &c.admin, "198.51.100.0/24", &p, &c.refusal)));
}

static int take(const char *interface, const char *text)
{
	struct interface_assign_args args = {.interface_id = interface,
					     .addrs = &text,
					     .n_addrs = 1,
					     .allow_reassignment = true};
	const struct interface *i;
	size_t n;

	return cluster_end(&c, interface_assign(cluster_tx(&c), &c.me, &args, &i, &n, &c.refusal));
}

/* Nothing from an edge arrives at it, so no public address may seem to lead there.  requirement:
 * PKT-3 EDGE-1 */
static void test_no_public_address_leads_there(void **state)
{
	char allocation[ID_TEXT_SIZE], other[ID_TEXT_SIZE];

	make_way_out();
	allocate(allocation);
	assert_ok(associate(allocation, record));
	assert_int_equal(place(&c.admin, "box"), MODEL_E_FOREIGN_REACHED);
	assert_non_null(strstr(c.refusal.message, "198.51.100."));
	assert_int_equal(where(), 0);
	assert_ok(disassociate(allocation));
	assert_ok(place(&c.admin, "box"));
	assert_int_equal(associate(allocation, record), MODEL_E_FOREIGN_INTERFACE);
	assert_non_null(strstr(c.refusal.message, record));
	/* nor comes one with a private address that has it */
	assert_ok(cluster_make_interface(&c, c.subnet, NULL, other));
	assert_ok(take(other, "10.0.0.77"));
	{
		struct elastic_associate_args args = {.allocation_id = allocation,
						      .interface_id = other,
						      .private_ip = "10.0.0.77"};
		const struct elastic *e;

		assert_ok(cluster_end(
			&c, elastic_associate(cluster_tx(&c), &c.me, &args, &e, &c.refusal)));
	}
	assert_int_equal(take(record, "10.0.0.77"), MODEL_E_FOREIGN_INTERFACE);
	assert_ok(disassociate(allocation));
	assert_ok(take(record, "10.0.0.77"));
}

/* The same of a NAT gateway's static ports.  requirement: PKT-3 EDGE-1 */
static void test_no_port_leads_there(void **state)
{
	struct nat_port port = {.protocol = 6, .public_port = 8080, .addr = addr, .port = 80};
	struct nat_gateway_create_args args = {.subnet_id = c.subnet};
	char allocation[ID_TEXT_SIZE], nat[ID_TEXT_SIZE];
	const struct nat_gateway *g;
	int r;

	make_way_out();
	allocate(allocation);
	args.allocation_id = allocation;
	r = nat_gateway_create(cluster_tx(&c), &c.me, &args, &g, &c.refusal);
	assert_ok(r);
	object_id_text(&g->o, nat);
	/* without an edge it is pending, and no less to be */
	assert_ok(cluster_end(&c, r));
	assert_ok(cluster_end(&c, nat_gateway_open(cluster_tx(&c), &c.me, nat, &port, &c.refusal)));
	r = place(&c.admin, "box");
	assert_int_equal(r, MODEL_E_FOREIGN_REACHED);
	assert_non_null(strstr(c.refusal.message, nat));
	assert_ok(cluster_end(&c,
			      nat_gateway_close(cluster_tx(&c), &c.me, nat, 6, 8080, &c.refusal)));
	assert_ok(place(&c.admin, "box"));
	assert_int_equal(
		cluster_end(&c, nat_gateway_open(cluster_tx(&c), &c.me, nat, &port, &c.refusal)),
		MODEL_E_FOREIGN_INTERFACE);
}

struct told {
	uint32_t host;
	bool found, foreign;
	enum format send;
	char reason[CHOICE_REASON_SIZE];
};

static int see(void *data, uint32_t host, const struct plan_item *item)
{
	struct told *t = data;

	if (item->kind != PLAN_PEER || item->peer.number != number)
		return 0;
	t->found = true;
	t->foreign = item->peer.foreign;
	t->send = item->peer.choice.send;
	assert_ok(str_copy(t->reason, sizeof(t->reason), item->peer.choice.reason));
	return 0;
}

static struct told told(size_t host)
{
	struct told t = {.host = c.hosts[host]};

	assert_ok(plan_full(c.m, c.hosts[host], see, &t));
	assert_true(t.found);
	return t;
}

static void policy(const char *name, const char *effect, const char *what)
{
	struct choice_policy_args args = {
		.name = name, .effect = effect, .what = &what, .n_what = 1};
	const struct choice_policy *p;

	assert_ok(cluster_end(
		&c, choice_policy_create(cluster_tx(&c), &c.admin, &args, &p, &c.refusal)));
}

/* requirement: PKT-3 NEG-7 */
static void test_what_hosts_use_towards_it(void **state)
{
	struct told t = told(0);

	assert_true(t.foreign);
	assert_int_equal(t.send, FORMAT_VXLAN_1);
	assert_int_equal(choice(c.hosts[0], c.hosts[1]).send, FORMAT_SIIT_2);
	policy("order", "prefer", "siit");
	assert_int_equal(told(1).send, FORMAT_VXLAN_1);
	/* what is forbidden or required it cannot: told at once, for there is nobody to wait for */
	policy("sealed", "require", "crypt");
	t = told(0);
	assert_int_equal(t.send, FORMAT_NONE);
	assert_non_null(strstr(t.reason, "box"));
	assert_non_null(strstr(t.reason, "crypt"));
	assert_int_equal(choice(number, c.hosts[0]).send, FORMAT_NONE);
	assert_ok(cluster_end(
		&c, choice_policy_delete(cluster_tx(&c), &c.admin, "sealed", &c.refusal)));
	assert_int_equal(told(0).send, FORMAT_VXLAN_1);
	policy("none", "forbid", "vxlan");
	t = told(0);
	assert_int_equal(t.send, FORMAT_NONE);
	assert_non_null(strstr(t.reason, "none"));
	assert_null(pair_shift_find(c.m, c.hosts[0], number, &pair_all));
	assert_null(pair_shift_find(c.m, number, c.hosts[0], &pair_all));
}

/* requirement: PKT-3 */
static void test_removing_it(void **state)
{
	assert_ok(place(&c.admin, "box"));
	assert_int_equal(
		cluster_end(&c, host_remove(cluster_tx(&c), &c.admin, "box", false, &c.refusal)),
		MODEL_E_HOST_INTERFACES);
	assert_non_null(strstr(c.refusal.message, "1 interfaces"));
	assert_ok(cluster_end(&c, host_remove(cluster_tx(&c), &c.admin, "box", true, &c.refusal)));
	assert_int_equal(where(), 0);
	assert_int_equal(interface_attachment_count(cluster_interface(&c, record)), 0);
	assert_null(host_find(c.m, "box"));
}

/* As the manager does when it starts; a foreign host has told nothing, and holds nothing.
 * requirement: PKT-3 */
static void test_it_is_stored(void **state)
{
	assert_ok(place(&c.admin, "box"));
	cluster_restart(&c);
	assert_true(host_find(c.m, "box")->foreign);
	assert_int_equal(where(), number);
	release_host_known(c.m, c.hosts[0]);
	release_host_known(c.m, c.hosts[1]);
	assert_false(release_any_unknown(c.m));
	assert_ok(unplace(&c.admin));
	assert_int_equal(where(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_it_is),
		TEST(test_no_instance_goes_there),
		TEST(test_a_record_is_placed_and_taken_off),
		TEST(test_an_address_is_free_when_its_holders_know),
		TEST(test_an_address_moves_at_once),
		TEST(test_no_public_address_leads_there),
		TEST(test_no_port_leads_there),
		TEST(test_what_hosts_use_towards_it),
		TEST(test_removing_it),
		TEST(test_it_is_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
