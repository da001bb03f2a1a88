/* SPDX-License-Identifier: Apache-2.0 */
/* Which IPv6 addresses of networks an edge announces outside, when, and how often. */
#include <stdlib.h>

#include "base/limits.h"
#include "tests/unit/addr.h"
#include "tests/unit/agent/rig.h"

enum { TABLE = 7, OTHER_TABLE = 8, UPLINK = 3, HANDLE = 0xf00001 };

#define NODE "2001:db8:1:1::a"

static Viaduct__Agent__Object *table(struct rig *r, uint32_t number)
{
	Viaduct__Agent__Object *o = rig_table(r, number, 1);
	Viaduct__Agent__Route *route = o->table->routes[0];

	route->prefix = rig_text_addr(r, "::");
	route->target = VIADUCT__AGENT__ROUTE__TARGET__INTERNET;
	route->vni = HANDLE;
	return o;
}

static void desire(struct rig *r)
{
	Viaduct__Agent__Object *host = rig_host(r), *subnet = rig_subnet(r);

	host->host->edge = true;
	subnet->subnet->prefix = rig_text_addr(r, "2001:db8:1:1::");
	subnet->subnet->prefix_len = 64;
	subnet->subnet->router = rig_text_addr(r, "fe80::");
	subnet->subnet->table = TABLE;

	Viaduct__Agent__Object *objects[] = {host, rig_peer(r, RIG_PEER), subnet, table(r, TABLE),
					     table(r, OTHER_TABLE)};

	rig_desire(r, 10, true, objects, ARRAY_SIZE(objects));
	assert_int_equal(rig_ack(r)->n_failed, 0);
}

/* Somebody outside asks who has the address, and the manager says that 'host' does. */
static void ask(struct rig *r, const char *addr, uint32_t host)
{
	struct dp_upcall *u = calloc(1, sizeof(*u));

	assert_non_null(u);
	u->frame = calloc(1, 64);
	assert_non_null(u->frame);
	u->size = 64;
	u->dp = r->agent->dp;
	u->kind = DP_UPCALL_ARP;
	u->vni = RIG_VNI;
	u->dst = addr_of(addr);
	miss_take(&r->agent->miss, u);
	rig_settle(r);
	rig_answer(r, host, 5);
}

/* The manager says where it is, without having been asked, or that it is not any more. */
static void push(struct rig *r, const char *addr, uint64_t revision, bool gone)
{
	Viaduct__Agent__Mapping m = VIADUCT__AGENT__MAPPING__INIT;

	m.vni = RIG_VNI;
	m.addr = rig_text_addr(r, addr);
	m.host = gone ? 0 : RIG_PEER;
	m.revision = revision;
	m.gone = gone;
	rig_push(r, &m);
}

static bool is_live(struct rig *r, const char *text)
{
	struct ipaddr addr = addr_of(text);
	const struct mapping *m = cache_find(&r->agent->cache, RIG_VNI, &addr);

	return m && m->state == MAPPING_LIVE;
}

static int set_up(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	rig_init(r);
	r->uplink = UPLINK;
	rig_start(r);
	desire(r);
	*state = r;
	return 0;
}

/* How often, and of the last that it is 'addr'. */
static unsigned int announced(struct rig *r, const char *addr)
{
	struct ipaddr last, want = addr_of(addr);
	unsigned int n = fake_announced(r->world, "h1", &last);

	if (n)
		assert_true(ipaddr_equal(&last, &want));
	return n;
}

/* requirement: EDGE-6 */
static void test_what_becomes_known_is_announced_twice(void **state)
{
	struct rig *r = *state;

	ask(r, NODE, RIG_PEER);
	rig_advance_ms(r, 1);
	assert_int_equal(announced(r, NODE), 1);
	rig_advance_ms(r, LIMIT_AGENT_ANNOUNCE_AGAIN_MS + 1);
	assert_int_equal(announced(r, NODE), 2);
	rig_advance_ms(r, 10 * LIMIT_AGENT_ANNOUNCE_AGAIN_MS);
	assert_int_equal(announced(r, NODE), 2);
	assert_int_equal(r->n_announced, 0); /* not by ARP */
}

/* requirement: EDGE-6 */
static void test_what_is_nobodys_neighbour_is_not(void **state)
{
	struct rig *r = *state;

	ask(r, NODE, 0); /* there is no such node */
	ask(r, "fe80::a", RIG_PEER);
	ask(r, "::ffff:10.0.1.100", RIG_PEER);
	ask(r, "::ffff:0:10.0.1.100", RIG_PEER); /* an exit */
	rig_advance_ms(r, 10 * LIMIT_AGENT_ANNOUNCE_AGAIN_MS);
	assert_int_equal(announced(r, NODE), 0);
	assert_int_equal(r->n_announced, 0);
}

/* What the edge before knew is kept, also if it was out of reach until now, and announced. */
/* requirement: EDGE-6 */
/* requirement: MAP-3 */
static void test_what_is_inherited_is_kept_and_announced(void **state)
{
	struct rig *r = *state;

	push(r, NODE, 5, false);
	assert_true(is_live(r, NODE));
	rig_advance_ms(r, 1);
	assert_int_equal(announced(r, NODE), 1);
	push(r, NODE, 9, true);
	assert_false(is_live(r, NODE));
	push(r, NODE, 5, false);
	assert_true(is_live(r, NODE));
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RELEASED), 0);
	push(r, "2001:db8:1:2::a", 5, false); /* of no subnet here */
	assert_false(is_live(r, "2001:db8:1:2::a"));
	rig_settle(r);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RELEASED), 1);
}

/* Another edge may have had the way in between. */
/* requirement: EDGE-6 */
static void test_what_is_known_is_announced_when_its_way_changes(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *o = table(r, OTHER_TABLE);

	ask(r, NODE, RIG_PEER);
	rig_advance_ms(r, 2 * LIMIT_AGENT_ANNOUNCE_AGAIN_MS);
	assert_int_equal(announced(r, NODE), 2);
	rig_desire(r, 11, false, &o, 1);
	rig_advance_ms(r, 2 * LIMIT_AGENT_ANNOUNCE_AGAIN_MS);
	assert_int_equal(announced(r, NODE), 2);
	o = table(r, TABLE);
	rig_desire(r, 12, false, &o, 1);
	rig_advance_ms(r, 2 * LIMIT_AGENT_ANNOUNCE_AGAIN_MS);
	assert_int_equal(announced(r, NODE), 4);
}

/* The manager's first word of a session is for all. */
/* requirement: EDGE-6 */
static void test_what_is_known_is_announced_in_a_new_session(void **state)
{
	struct rig *r = *state;

	ask(r, NODE, RIG_PEER);
	rig_advance_ms(r, 2 * LIMIT_AGENT_ANNOUNCE_AGAIN_MS);
	assert_int_equal(announced(r, NODE), 2);
	rig_stop(r);
	rig_start(r);
	rig_advance_ms(r, 2 * LIMIT_AGENT_ANNOUNCE_AGAIN_MS);
	assert_int_equal(announced(r, NODE), 2);
	desire(r);
	rig_advance_ms(r, 2 * LIMIT_AGENT_ANNOUNCE_AGAIN_MS);
	assert_int_equal(announced(r, NODE), 4);
}

/* Who scans a network's addresses makes the edge remember no more than this at a time. */
/* requirement: EDGE-6 */
static void test_no_more_wait_than_the_limit(void **state)
{
	struct rig *r = *state;
	struct announcer *n = &r->agent->announcer;
	struct ipaddr addr = addr_of(NODE), public = rig_addr(0xc0000201);

	for (uint32_t i = 0; i < LIMIT_AGENT_ANNOUNCED + 100; i++) {
		memcpy(addr.b + 8, &i, sizeof(i));
		announcer_add(n, &addr);
	}
	assert_int_equal(hmap_count(&n->publics), LIMIT_AGENT_ANNOUNCED);
	announcer_add(n, &public); /* which has a place always */
	assert_int_equal(hmap_count(&n->publics), LIMIT_AGENT_ANNOUNCED + 1);
	rig_advance_ms(r, LIMIT_AGENT_ANNOUNCE_TURN_MS / 2);
	assert_true(fake_announced(r->world, "h1", &addr) <= LIMIT_AGENT_ANNOUNCED_PER_TURN);
	assert_int_equal(r->n_announced, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_becomes_known_is_announced_twice),
		TEST(test_what_is_nobodys_neighbour_is_not),
		TEST(test_what_is_inherited_is_kept_and_announced),
		TEST(test_what_is_known_is_announced_when_its_way_changes),
		TEST(test_what_is_known_is_announced_in_a_new_session),
		TEST(test_no_more_wait_than_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
