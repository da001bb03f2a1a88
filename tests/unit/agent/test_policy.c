/* SPDX-License-Identifier: Apache-2.0 */
/* Groups, ACLs, ways out, and what an edge has: from the manager's word to the data plane's
 * tables. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "datapath/fake_gateway.h"
#include "tests/unit/agent/rig.h"
#include "tests/unit/test.h"

enum {
	GROUP = 7,
	ACL = 3,
	TABLE = 4,
	OTHER_VNI = 6,
	NAT = 0xF00001,
	INTERNET = 0xF00002,
	OWN_HANDLE = 0xF00005,
	PUBLIC = 0xc6336409,     /* 198.51.100.9 */
	NAT_PUBLIC = 0xc6336407, /* 198.51.100.7 */
	OWN = 0x0a000104,
	REMOTE = 0x0a000164,
};

/* ---- objects ---- */

static Viaduct__Agent__Object *group(struct rig *r, uint32_t number, uint32_t from, uint32_t to)
{
	Viaduct__Agent__Object *o;
	Viaduct__Agent__SecurityGroup *m =
		rig_object(r, VIADUCT__AGENT__OBJECT__OBJECT_GROUP, sizeof(*m), &o);
	Viaduct__Agent__Rule *rule = arena_alloc(&r->arena, sizeof(*rule));

	viaduct__agent__security_group__init(m);
	viaduct__agent__rule__init(rule);
	rule->protocol = 6;
	rule->from = from;
	rule->to = to;
	rule->prefix = rig_v4(r, 0);
	rule->prefix_len = 96;
	m->number = number;
	m->id = (char *)(uintptr_t) "sg-1";
	m->n_rules = 1;
	m->rules = arena_alloc(&r->arena, sizeof(rule));
	m->rules[0] = rule;
	return o;
}

static Viaduct__Agent__Object *acl(struct rig *r, uint32_t n_entries)
{
	Viaduct__Agent__Object *o;
	Viaduct__Agent__Acl *m = rig_object(r, VIADUCT__AGENT__OBJECT__OBJECT_ACL, sizeof(*m), &o);

	viaduct__agent__acl__init(m);
	m->number = ACL;
	m->n_entries = n_entries;
	m->entries = arena_alloc_array(&r->arena, n_entries, sizeof(*m->entries));
	for (uint32_t n = 0; n < n_entries; n++) {
		Viaduct__Agent__AclEntry *e = arena_alloc(&r->arena, sizeof(*e));

		viaduct__agent__acl_entry__init(e);
		e->protocol = DP_PROTOCOL_ANY;
		e->to = UINT16_MAX;
		e->allow = true;
		e->egress = n & 1;
		e->prefix = rig_v4(r, 0);
		e->prefix_len = 96;
		e->rule_number = 100 + n;
		m->entries[n] = e;
	}
	return o;
}

/* A way out, and the network's own addresses. */
static Viaduct__Agent__Object *table(struct rig *r, Viaduct__Agent__Route__Target target,
				     uint32_t peer, uint32_t vni)
{
	Viaduct__Agent__Object *o = rig_table(r, TABLE, 2);
	Viaduct__Agent__Route *out = o->table->routes[0], *local = o->table->routes[1];

	o->table->inside = true;
	out->prefix = rig_v4(r, 0);
	out->prefix_len = 96;
	out->target = target;
	out->peer = peer;
	out->vni = vni;
	local->prefix = rig_v4(r, 10 << 24);
	local->prefix_len = 96 + 16;
	local->local = true;
	return o;
}

static Viaduct__Agent__Object *peering(struct rig *r, uint32_t vni_a, uint32_t vni_b)
{
	Viaduct__Agent__Object *o;
	Viaduct__Agent__Peering *m =
		rig_object(r, VIADUCT__AGENT__OBJECT__OBJECT_PEERING, sizeof(*m), &o);

	viaduct__agent__peering__init(m);
	m->vni_a = vni_a;
	m->vni_b = vni_b;
	return o;
}

static Viaduct__Agent__Object *gateway(struct rig *r, uint32_t handle,
				       Viaduct__Agent__Gateway__Kind kind)
{
	Viaduct__Agent__Object *o;
	Viaduct__Agent__Gateway *m =
		rig_object(r, VIADUCT__AGENT__OBJECT__OBJECT_GATEWAY, sizeof(*m), &o);

	viaduct__agent__gateway__init(m);
	m->handle = handle;
	m->kind = kind;
	m->vni = RIG_VNI;
	if (kind == VIADUCT__AGENT__GATEWAY__KIND__NAT) {
		m->public_ = rig_v4(r, NAT_PUBLIC);
		m->port_first = 1024;
		m->port_last = UINT16_MAX;
	}
	return o;
}

static Viaduct__Agent__Object *public_address(struct rig *r, uint32_t addr)
{
	Viaduct__Agent__Object *o;
	Viaduct__Agent__PublicAddress *m =
		rig_object(r, VIADUCT__AGENT__OBJECT__OBJECT_PUBLIC, sizeof(*m), &o);

	viaduct__agent__public_address__init(m);
	m->public_ = rig_v4(r, PUBLIC);
	m->vni = RIG_VNI;
	m->addr = rig_v4(r, addr);
	m->handle = INTERNET;
	return o;
}

/* eni-1 with all that an interface can have. */
static Viaduct__Agent__Object *interface(struct rig *r, uint32_t exit_peer)
{
	static uint32_t groups[] = {9, GROUP, 9};
	Viaduct__Agent__Object *o = rig_interface(r, "eni-1", "i-1", OWN);
	Viaduct__Agent__Interface *m = o->interface;
	Viaduct__Agent__Exit *exit = arena_alloc(&r->arena, sizeof(*exit));

	viaduct__agent__exit__init(exit);
	exit->addr = rig_v4(r, OWN);
	exit->public_ = rig_v4(r, PUBLIC);
	exit->peer = exit_peer;
	exit->handle = INTERNET;
	m->n_exits = 1;
	m->exits = arena_alloc(&r->arena, sizeof(exit));
	m->exits[0] = exit;
	m->n_groups = ARRAY_SIZE(groups);
	m->groups = groups;
	m->forwards = true;
	m->resolves = true;
	m->handle = OWN_HANDLE;
	m->connections = 500;
	return o;
}

static void desire_policy(struct rig *r, uint64_t revision)
{
	Viaduct__Agent__Object *subnet = rig_subnet(r);

	subnet->subnet->acl = ACL;
	subnet->subnet->table = TABLE;

	/* What names another comes first: the order is the agent's to find. */
	Viaduct__Agent__Object *objects[] = {
		interface(r, RIG_PEER),
		rig_instance(r, "i-1", true, 1),
		subnet,
		group(r, GROUP, 22, 22),
		acl(r, 2),
		table(r, VIADUCT__AGENT__ROUTE__TARGET__INTERNET, 0, 0),
		peering(r, RIG_VNI, OTHER_VNI),
		rig_peer(r, RIG_PEER),
		rig_host(r),
	};

	rig_desire(r, revision, true, objects, ARRAY_SIZE(objects));
}

static void desire_edge(struct rig *r, uint64_t revision)
{
	Viaduct__Agent__Object *host = rig_host(r);

	host->host->edge = true;

	Viaduct__Agent__Object *objects[] = {
		host,
		rig_peer(r, RIG_PEER),
		rig_subnet(r),
		public_address(r, REMOTE),
		gateway(r, INTERNET, VIADUCT__AGENT__GATEWAY__KIND__INTERNET),
		gateway(r, NAT, VIADUCT__AGENT__GATEWAY__KIND__NAT),
	};

	rig_desire(r, revision, true, objects, ARRAY_SIZE(objects));
}

/* ---- what came of it ---- */

struct seen {
	size_t n;
	uint32_t last;
};

static int see_number(uint32_t number, void *arg)
{
	struct seen *s = arg;

	s->n++;
	s->last = number;
	return 0;
}

static int see_pair(uint32_t vni_a, uint32_t vni_b, void *arg)
{
	return see_number(vni_a << 16 | vni_b, arg);
}

static int see_public(const struct ipaddr *public, void *arg)
{
	return see_number(ipaddr_v4(public), arg);
}

#define SEE(r, of, fn)                                                                             \
	({                                                                                         \
		struct seen seen_ = {0};                                                           \
		assert_ok(datapath_##of((r)->agent->dp, fn, &seen_));                              \
		seen_;                                                                             \
	})

static int see_port(const struct dp_port *p, void *arg)
{
	*(struct dp_port *)arg = *p;
	return 0;
}

static struct dp_port port_of(struct rig *r)
{
	struct dp_port p = {0};

	assert_ok(datapath_ports(r->agent->dp, see_port, &p));
	return p;
}

static void remove_key(struct rig *r, uint64_t revision, Viaduct__Agent__ObjectKey *key,
		       Viaduct__Agent__Object *set)
{
	Viaduct__Agent__Desired desired = VIADUCT__AGENT__DESIRED__INIT;

	desired.revision = revision;
	desired.n_remove = 1;
	desired.remove = &key;
	desired.n_set = !!set;
	desired.set = &set;
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_DESIRED, &desired);
}

static void check_policy(struct rig *r)
{
	const struct dp_port port = port_of(r);
	const struct dp_table *table = fake_table_find(fake_host_find(r->world, "h1"), TABLE);

	assert_int_equal(SEE(r, groups, see_number).last, GROUP);
	assert_int_equal(SEE(r, acls, see_number).last, ACL);
	assert_int_equal(SEE(r, tables, see_number).last, TABLE);
	assert_true(table->inside);
	assert_int_equal(table->n_routes, 2);
	assert_int_equal(table->routes[0].target, DP_TARGET_INTERNET);
	assert_int_equal(table->routes[1].target, DP_TARGET_LOCAL);
	assert_int_equal(SEE(r, peerings, see_pair).last, RIG_VNI << 16 | OTHER_VNI);
	/* Ascending and none twice, though one of them is not there yet. */
	assert_int_equal(port.n_groups, 2);
	assert_int_equal(port.groups[0], GROUP);
	assert_int_equal(port.groups[1], 9);
	assert_true(port.forwards);
	assert_true(port.resolves);
	assert_int_equal(port.handle, OWN_HANDLE);
	assert_int_equal(port.connections, 500);
	assert_int_equal(port.n_exits, 1);
	assert_int_equal(port.exits[0].peer, RIG_PEER);
	assert_int_equal(port.exits[0].handle, INTERNET);
}

/* requirement: NIC-6, TOPO-1 */
static void test_policy_reaches_the_data_plane_in_whatever_order_it_comes(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	desire_policy(r, 10);
	assert_int_equal(rig_ack(r)->n_failed, 0);
	check_policy(r);
}

/* requirement: NIC-6, OPS-3 */
static void test_an_agent_without_manager_has_it_all_again(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	desire_policy(r, 10);
	rig_stop(r); /* saves */
	fake_destroy(r->world, "h1");
	r->unreachable = true;
	rig_start(r);
	check_policy(r);
}

/* requirement: NIC-6, OPS-3 */
static void test_what_nobody_wants_any_more_goes_after_a_restart(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	desire_policy(r, 10);
	rig_stop(r);
	rig_start(r);
	rig_desire_all(r);
	assert_int_equal(SEE(r, groups, see_number).n, 0);
	assert_int_equal(SEE(r, acls, see_number).n, 0);
	assert_int_equal(SEE(r, tables, see_number).n, 0);
	assert_int_equal(SEE(r, peerings, see_pair).n, 0);
	assert_int_equal(port_of(r).n_groups, 0);
}

/* Ports that run follow it.  requirement: PKT-1 */
static void test_unknown_macs_are_resolved_while_the_network_says_so(void **state)
{
	struct rig *r = *state;
	const bool says[] = {true, false, true};

	rig_start(r);
	desire_policy(r, 10);
	for (size_t i = 0; i < ARRAY_SIZE(says); i++) {
		Viaduct__Agent__Object *o = interface(r, RIG_PEER);
		uint32_t id = port_of(r).id;

		o->interface->resolves = says[i];
		rig_desire(r, 11 + i, false, &o, 1);
		assert_int_equal(rig_ack(r)->n_failed, 0);
		assert_int_equal(port_of(r).resolves, says[i]);
		assert_int_equal(port_of(r).id, id);
	}
}

/* requirement: NIC-6 */
static void test_a_group_goes_after_the_ports_that_named_it(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__ObjectKey key = VIADUCT__AGENT__OBJECT_KEY__INIT;

	rig_start(r);
	desire_policy(r, 10);
	key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_GROUP_NUMBER;
	key.group_number = GROUP;
	remove_key(r, 11, &key, rig_interface(r, "eni-1", "i-1", OWN));
	assert_int_equal(rig_ack(r)->n_failed, 0);
	assert_int_equal(SEE(r, groups, see_number).n, 0);
	assert_int_equal(port_of(r).n_groups, 0);
}

/* requirement: NIC-6 */
static void test_a_group_that_makes_no_sense_leaves_the_old_one(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *objects[] = {group(r, GROUP, 80, 79),
					     acl(r, DP_ACL_ENTRIES_MAX + 1),
					     peering(r, OTHER_VNI, RIG_VNI)};

	rig_start(r);
	desire_policy(r, 10);
	rig_desire(r, 11, false, objects, ARRAY_SIZE(objects));
	assert_int_equal(rig_ack(r)->n_failed, 3);
	assert_int_equal(rig_ack(r)->failed[0]->key->group_number, GROUP);
	assert_non_null(strstr(rig_ack(r)->failed[0]->text, "range of ports"));
	assert_int_equal(rig_ack(r)->failed[1]->key->acl_number, ACL);
	assert_int_equal(rig_ack(r)->failed[2]->key->peering->vni_a, OTHER_VNI);
	assert_int_equal(desired_find_group(&r->agent->desired, GROUP)->rules[0].from, 22);
	assert_int_equal(SEE(r, acls, see_number).n, 1);
}

/* requirement: EDGE-1 */
static void test_an_exit_nobody_has_and_one_of_this_host(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *nowhere, *here;

	rig_start(r);
	desire_policy(r, 10);
	nowhere = interface(r, 0);
	rig_desire(r, 11, false, &nowhere, 1);
	assert_int_equal(port_of(r).exits[0].handle, 0);
	here = interface(r, 1);
	rig_desire(r, 12, false, &here, 1);
	assert_int_equal(port_of(r).exits[0].peer, DP_PEER_SELF);
	assert_int_equal(port_of(r).exits[0].handle, INTERNET);
}

/* By its handle an edge lets in what answers by its own gateway; who has none drops for that. */
/* requirement: EDGE-1 */
static void test_a_way_to_a_gateway_here_and_to_one_nobody_has(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *here, *nowhere;
	const struct dp_table *t;

	rig_start(r);
	desire_policy(r, 10);
	here = table(r, VIADUCT__AGENT__ROUTE__TARGET__GATEWAY, 0, INTERNET);
	rig_desire(r, 11, false, &here, 1);
	t = fake_table_find(fake_host_find(r->world, "h1"), TABLE);
	assert_int_equal(t->routes[0].target, DP_TARGET_GATEWAY);
	assert_int_equal(t->routes[0].peer, DP_PEER_SELF);
	assert_int_equal(t->routes[0].vni, INTERNET);
	nowhere = table(r, VIADUCT__AGENT__ROUTE__TARGET__GATEWAY, 0, 0);
	rig_desire(r, 12, false, &nowhere, 1);
	t = fake_table_find(fake_host_find(r->world, "h1"), TABLE);
	assert_int_equal(t->routes[0].vni, 0);
}

/* requirement: EDGE-1 */
static void test_an_edge_takes_gateways_and_announces_its_addresses_twice(void **state)
{
	struct rig *r = *state;

	r->uplink = 3;
	rig_start(r);
	desire_edge(r, 10);
	assert_int_equal(rig_ack(r)->n_failed, 0);
	assert_int_equal(SEE(r, gateways, see_number).n, 2);
	assert_int_equal(SEE(r, publics, see_public).last, PUBLIC);
	rig_advance_ms(r, 1);
	assert_int_equal(r->n_announced, 2);
	rig_advance_ms(r, LIMIT_AGENT_ANNOUNCE_AGAIN_MS + 1);
	assert_int_equal(r->n_announced, 4);
	rig_advance_ms(r, 10 * LIMIT_AGENT_ANNOUNCE_AGAIN_MS);
	assert_int_equal(r->n_announced, 4);
}

/* The table of what enters, which outlives the agent, and goes. */
/* requirement: TOPO-1 */
static void test_an_edge_takes_the_table_of_a_gateway(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *g = gateway(r, INTERNET, VIADUCT__AGENT__GATEWAY__KIND__INTERNET);
	struct fake_host *h;

	r->uplink = 3;
	rig_start(r);
	desire_edge(r, 10);
	h = fake_host_find(r->world, "h1");
	assert_int_equal(fake_gateway_find(h, INTERNET)->dp.table, 0);
	g->gateway->table = TABLE;
	rig_desire(r, 11, false, &g, 1);
	assert_int_equal(rig_ack(r)->n_failed, 0);
	assert_int_equal(fake_gateway_find(h, INTERNET)->dp.table, TABLE);
	rig_stop(r);
	r->unreachable = true;
	rig_start(r); /* with what it has saved */
	h = fake_host_find(r->world, "h1");
	assert_int_equal(fake_gateway_find(h, INTERNET)->dp.table, TABLE);
}

/* requirement: EDGE-2, OPS-3 */
static void test_an_edge_without_manager_keeps_its_addresses_and_is_silent(void **state)
{
	struct rig *r = *state;

	r->uplink = 3;
	rig_start(r);
	desire_edge(r, 10);
	rig_advance_ms(r, 2 * LIMIT_AGENT_ANNOUNCE_AGAIN_MS);
	r->n_announced = 0;
	rig_stop(r);
	r->unreachable = true;
	rig_start(r);
	rig_advance_ms(r, 2 * LIMIT_AGENT_ANNOUNCE_AGAIN_MS);
	assert_int_equal(SEE(r, publics, see_public).n, 1);
	assert_int_equal(SEE(r, gateways, see_number).n, 2);
	/* Another edge may have them by now: only the manager's word is announced. */
	assert_int_equal(r->n_announced, 0);
}

/* Its data plane was lost, as at a start of the machine: what it remembers may be another
 * edge's. */
/* requirement: EDGE-2, EDGE-6, OPS-3 */
static void
test_an_edge_that_begins_anew_has_no_public_address_before_the_managers_word(void **state)
{
	struct rig *r = *state;

	r->uplink = 3;
	rig_start(r);
	desire_edge(r, 10);
	rig_advance_ms(r, 2 * LIMIT_AGENT_ANNOUNCE_AGAIN_MS);
	r->n_announced = 0;
	rig_stop(r);
	fake_destroy(r->world, "h1");
	r->unreachable = true;
	rig_start(r);
	rig_advance_ms(r, 2 * LIMIT_AGENT_RESYNC_MS);
	assert_int_equal(r->agent->revision, 10);
	assert_int_equal(SEE(r, publics, see_public).n, 0);
	assert_int_equal(SEE(r, gateways, see_number).n, 1); /* without an address of its own */
	r->unreachable = false;
	rig_advance_ms(r, 2 * LIMIT_AGENT_BACKOFF_MAX_MS);
	assert_int_equal(r->agent->link.state, LINK_UP);
	assert_int_equal(SEE(r, publics, see_public).n, 0);
	rig_desire(r, 10, false, NULL, 0); /* nothing has changed */
	rig_advance_ms(r, 1);
	assert_int_equal(SEE(r, publics, see_public).last, PUBLIC);
	assert_int_equal(SEE(r, gateways, see_number).n, 2);
	assert_int_equal(r->n_announced, 2);
}

/* requirement: EDGE-2 */
static void test_an_address_that_is_taken_away_goes_and_is_not_announced_again(void **state)
{
	struct rig *r = *state;
	const struct ipaddr public = ipaddr_from_v4(PUBLIC);
	Viaduct__Agent__ObjectKey key = VIADUCT__AGENT__OBJECT_KEY__INIT;

	r->uplink = 3;
	rig_start(r);
	desire_edge(r, 10);
	rig_advance_ms(r, 1);
	key.key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_PUBLIC;
	key.public_ = rig_v4(r, PUBLIC);
	remove_key(r, 11, &key, NULL);
	assert_int_equal(SEE(r, publics, see_public).n, 0);
	r->n_announced = 0;
	rig_advance_ms(r, 2 * LIMIT_AGENT_ANNOUNCE_AGAIN_MS);
	assert_int_equal(r->n_announced, 1); /* the NAT gateway's second time */
	assert_false(ipaddr_equal(&r->announced[0], &public));
}

/* requirement: EDGE-1 */
static void test_a_host_that_is_no_edge_says_so(void **state)
{
	struct rig *r = *state;
	const Viaduct__Agent__Ack *ack;

	rig_start(r);
	desire_edge(r, 10);
	ack = rig_ack(r);
	assert_int_equal(ack->n_failed, 4); /* the role, two gateways, an address */
	assert_non_null(strstr(ack->failed[0]->text, "role = edge"));
	for (size_t n = 1; n < 4; n++)
		assert_non_null(strstr(ack->failed[n]->text, "without an uplink"));
	assert_int_equal(ack->failed[1]->error, EOPNOTSUPP);
}

/* requirement: EDGE-1 */
static void test_an_edge_that_the_manager_does_not_know_as_one_says_so(void **state)
{
	struct rig *r = *state;

	r->uplink = 3;
	rig_start(r);
	rig_desire_all(r);
	assert_int_equal(rig_ack(r)->n_failed, 1);
	assert_non_null(strstr(rig_ack(r)->failed[0]->text, "host add NAME --edge"));
	assert_int_equal(r->agent->dp_config.uplink_ifindex, 0);
}

/* ---- mappings ---- */

static int see_mapping(const struct dp_mapping *m, void *arg)
{
	*(struct dp_mapping *)arg = *m;
	return 0;
}

static struct dp_mapping mapping_of(struct rig *r)
{
	struct dp_mapping m = {0};

	assert_ok(datapath_mappings(r->agent->dp, see_mapping, &m));
	return m;
}

static void update_groups(struct rig *r, uint64_t revision, uint32_t *groups, size_t n)
{
	Viaduct__Agent__Mapping mapping = VIADUCT__AGENT__MAPPING__INIT;

	mapping.vni = RIG_VNI;
	mapping.addr = rig_v4(r, REMOTE);
	mapping.host = RIG_PEER;
	mapping.revision = revision;
	mapping.n_groups = n;
	mapping.groups = groups;
	rig_push(r, &mapping);
}

/* requirement: NIC-6, MAP-3 */
static void test_groups_of_a_mapping_change_in_place(void **state)
{
	struct rig *r = *state;
	uint32_t two[] = {GROUP, 9}, one[] = {GROUP}, disorder[] = {9, GROUP};

	rig_start(r);
	rig_desire_all(r);
	rig_packet(r, REMOTE, 1);
	rig_answer(r, RIG_PEER, 20);
	assert_int_equal(mapping_of(r).n_groups, 0);
	update_groups(r, 21, two, 2);
	assert_int_equal(mapping_of(r).state, DP_MAPPING_LIVE);
	assert_int_equal(mapping_of(r).n_groups, 2);
	assert_int_equal(mapping_of(r).groups[1], 9);
	update_groups(r, 22, disorder, 2); /* makes no sense: nothing changes */
	assert_int_equal(mapping_of(r).revision, 21);
	update_groups(r, 23, one, 1);
	assert_int_equal(mapping_of(r).n_groups, 1);
	/* A new life finds them where they are. */
	rig_stop(r);
	r->unreachable = true;
	rig_start(r);
	assert_int_equal(mapping_of(r).n_groups, 1);
	assert_int_equal(r->agent->cache.mappings.n, 1);
	cache_connected(&r->agent->cache, RIG_LEASE_S);
	rig_advance_ms(r, RIG_LEASE_S * 1000ULL - 500); /* being proved: written again */
	assert_int_equal(mapping_of(r).state, DP_MAPPING_HELD);
	assert_int_equal(mapping_of(r).n_groups, 1);
	assert_int_equal(mapping_of(r).groups[0], GROUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup_saving, rig_teardown_saving)
		TEST(test_policy_reaches_the_data_plane_in_whatever_order_it_comes),
		TEST(test_an_agent_without_manager_has_it_all_again),
		TEST(test_what_nobody_wants_any_more_goes_after_a_restart),
		TEST(test_unknown_macs_are_resolved_while_the_network_says_so),
		TEST(test_a_group_goes_after_the_ports_that_named_it),
		TEST(test_a_group_that_makes_no_sense_leaves_the_old_one),
		TEST(test_an_exit_nobody_has_and_one_of_this_host),
		TEST(test_a_way_to_a_gateway_here_and_to_one_nobody_has),
		TEST(test_an_edge_takes_gateways_and_announces_its_addresses_twice),
		TEST(test_an_edge_takes_the_table_of_a_gateway),
		TEST(test_an_edge_without_manager_keeps_its_addresses_and_is_silent),
		TEST(test_an_edge_that_begins_anew_has_no_public_address_before_the_managers_word),
		TEST(test_an_address_that_is_taken_away_goes_and_is_not_announced_again),
		TEST(test_a_host_that_is_no_edge_says_so),
		TEST(test_an_edge_that_the_manager_does_not_know_as_one_says_so),
		TEST(test_groups_of_a_mapping_change_in_place),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
