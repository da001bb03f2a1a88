/* SPDX-License-Identifier: Apache-2.0 */
/* The substrate's device and an edge's uplink, deleted and made again while the agent runs. */
#include "agent/agent.h"

#include <string.h>

#include "base/limits.h"
#include "tests/unit/agent/rig.h"
#include "tests/unit/test.h"

enum { UPLINK = 40, LATER_MS = LIMIT_AGENT_NEXTHOP_SEARCH_MS + LIMIT_AGENT_NEXTHOP_SWARM_MS };

static void event(struct rig *r, const char *name, int ifindex, bool deleted)
{
	struct rtnl_event e = {.kind = RTNL_EVENT_LINK,
			       .deleted = deleted,
			       .link = {.ifindex = ifindex, .mtu = r->substrate_mtu}};

	strcpy(e.link.name, name);
	agent_network_changed(r->agent, &e);
	rig_advance_ms(r, LIMIT_AGENT_NEXTHOP_SWARM_MS);
}

static void substrate_goes(struct rig *r)
{
	const int was = r->substrate;

	r->substrate = 0;
	event(r, "sub0", was, true);
}

static void substrate_comes(struct rig *r, int ifindex)
{
	r->substrate = ifindex;
	event(r, "sub0", ifindex, false);
}

static const Viaduct__Agent__Capabilities *told(const struct rig *r)
{
	const Viaduct__Agent__Frame *f = rig_last(r, VIADUCT__AGENT__FRAME__BODY_CAPABILITIES);

	assert_non_null(f);
	return f->capabilities;
}

static int substrate_of(const struct rig *r, unsigned int *ret_times)
{
	return fake_substrate(r->world, "h1", ret_times);
}

/* requirement: NEG-1, OPS-3 */
static void test_a_substrate_that_is_made_anew(void **state)
{
	struct rig *r = *state;
	unsigned int times, n_probes = r->n_probes;

	assert_int_equal(substrate_of(r, &times), 3);
	assert_int_equal(times, 0);
	rig_forget_frames(r);
	substrate_goes(r);
	assert_non_null(strstr(told(r)->error, "sub0 is gone"));
	assert_int_not_equal(told(r)->formats, 0); /* what it can do stays known */
	assert_string_equal(probe_error(&r->agent->probe), told(r)->error);
	assert_int_equal(r->n_probes, n_probes);
	rig_advance_ms(r, 10000);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_CAPABILITIES), 1); /* once */
	substrate_comes(r, 17);
	assert_int_equal(substrate_of(r, &times), 17);
	assert_int_equal(times, 1);
	assert_int_equal(r->n_probes, n_probes + 1);
	assert_string_equal(told(r)->error, "");
	assert_int_equal(r->agent->probe.trying.substrate_ifindex, 17);
	/* The data plane was not closed for it, and a later restart finds what is there. */
	assert_int_equal(r->agent->reconcile.opening, 1);
	event(r, "sub0", 17, false);
	assert_int_equal(substrate_of(r, &times), 17);
	assert_int_equal(times, 1);
	assert_int_equal(r->n_probes, n_probes + 1);
}

/* requirement: OPS-3 */
static void test_one_that_came_back_before_anybody_looked(void **state)
{
	struct rig *r = *state;
	struct rtnl_event e = {
		.kind = RTNL_EVENT_LINK, .deleted = true, .link = {.ifindex = 3, .name = "sub0"}};
	unsigned int times;

	agent_network_changed(r->agent, &e);
	event(r, "sub0", 3, false); /* with the same number */
	assert_int_equal(substrate_of(r, &times), 3);
	assert_int_equal(times, 1);
	/* Only the number was seen to be another one. */
	substrate_comes(r, 4);
	assert_int_equal(substrate_of(r, &times), 4);
	/* Nothing was seen at all: events were lost. */
	r->substrate = 5;
	agent_network_changed(r->agent, &(struct rtnl_event){.kind = RTNL_EVENT_LOST});
	rig_advance_ms(r, LIMIT_AGENT_NEXTHOP_SWARM_MS);
	assert_int_equal(substrate_of(r, &times), 5);
	assert_int_equal(times, 3);
	/* Other devices do not matter. */
	event(r, "eth7", 9, true);
	event(r, "eth7", 10, false);
	assert_int_equal(substrate_of(r, &times), 5);
	assert_int_equal(times, 3);
}

/* requirement: OPS-3 */
static void test_one_that_cannot_be_used_yet(void **state)
{
	struct rig *r = *state;
	unsigned int times;

	substrate_goes(r);
	fake_fail_substrate(r->world, "h1", -ENODEV);
	substrate_comes(r, 8);
	assert_non_null(strstr(told(r)->error, "sub0"));
	assert_int_equal(substrate_of(r, &times), 3);
	fake_fail_substrate(r->world, "h1", 0);
	rig_advance_ms(r, LATER_MS);
	assert_int_equal(substrate_of(r, &times), 8);
	assert_string_equal(told(r)->error, "");
}

/* An agent that starts with numbers that are old by then.  requirement: OPS-3 */
static void test_one_that_changes_while_the_agent_starts(void **state)
{
	struct rig *r = *state;
	unsigned int times;

	rig_stop(r);
	rig_start(r);
	r->substrate = 6; /* nobody says so */
	rig_advance_ms(r, LIMIT_AGENT_NEXTHOP_SWARM_MS);
	assert_int_equal(r->agent->config.dp.substrate_ifindex, 6);
	rig_desire_all(r);
	assert_int_equal(substrate_of(r, &times), 6);
}

/* requirement: NEG-1 */
static void test_another_mtu_is_probed_and_told(void **state)
{
	struct rig *r = *state;
	unsigned int n_probes = r->n_probes;

	r->substrate_mtu = 9000;
	event(r, "sub0", 3, false);
	assert_int_equal(told(r)->substrate_mtu, 9000);
	assert_int_equal(r->n_probes, n_probes + 1);
	event(r, "sub0", 3, false);
	assert_int_equal(r->n_probes, n_probes + 1);
}

static void addresses(struct rig *r, bool there)
{
	struct rtnl_event e = {.kind = RTNL_EVENT_ADDR, .deleted = !there};

	assert_int_equal(ipaddr_parse("2001:db8::1", &e.addr.addr), 0); /* rig_host() */
	r->no_address = !there;
	agent_network_changed(r->agent, &e);
	rig_advance_ms(r, LIMIT_AGENT_NEXTHOP_SWARM_MS);
}

/* requirement: NEG-1, OPS-3 */
static void test_a_host_without_its_address_says_so(void **state)
{
	struct rig *r = *state;

	rig_advance_ms(r, LIMIT_AGENT_NEXTHOP_SWARM_MS);
	assert_string_equal(probe_error(&r->agent->probe), "");
	rig_forget_frames(r);
	addresses(r, false);
	assert_non_null(strstr(told(r)->error, "no device here has 2001:db8::1"));
	assert_false(told(r)->carries_nothing);
	addresses(r, false);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_CAPABILITIES), 1);
	/* What is worse is said first. */
	substrate_goes(r);
	assert_non_null(strstr(told(r)->error, "sub0 is gone"));
	assert_true(told(r)->carries_nothing);
	substrate_comes(r, 3);
	assert_non_null(strstr(told(r)->error, "2001:db8::1"));
	addresses(r, true);
	assert_string_equal(told(r)->error, "");
}

/* requirement: OPS-3 */
static void test_another_address_is_looked_for(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *host = rig_host(r);

	rig_advance_ms(r, LIMIT_AGENT_NEXTHOP_SWARM_MS);
	r->no_address = true; /* of the new one */
	host->host->v6 = rig_text_addr(r, "2001:db8::7");
	rig_desire(r, 11, false, &host, 1);
	rig_advance_ms(r, LIMIT_AGENT_NEXTHOP_SWARM_MS);
	assert_non_null(strstr(told(r)->error, "2001:db8::7"));
}

/* With a NAT gateway and its public address. */
static void desire_edge(struct rig *r)
{
	Viaduct__Agent__Object *host = rig_host(r), *o;
	Viaduct__Agent__Gateway *gateway =
		rig_object(r, VIADUCT__AGENT__OBJECT__OBJECT_GATEWAY, sizeof(*gateway), &o);
	Viaduct__Agent__Object *all[] = {host, o};

	viaduct__agent__gateway__init(gateway);
	gateway->handle = 0xf00001;
	gateway->kind = VIADUCT__AGENT__GATEWAY__KIND__NAT;
	gateway->vni = RIG_VNI;
	gateway->public_ = rig_v4(r, 0xc6336409);
	gateway->port_first = 1024;
	gateway->port_last = UINT16_MAX;
	host->host->edge = true;
	rig_desire(r, 10, true, all, ARRAY_SIZE(all));
}

/* requirement: EDGE-6, OPS-3 */
static void test_an_uplink_that_is_made_anew(void **state)
{
	struct rig *r = *state;
	size_t n;

	rig_stop(r);
	fake_destroy(r->world, "h1");
	r->uplink = UPLINK;
	rig_start(r);
	desire_edge(r);
	rig_advance_ms(r, 60000);
	assert_int_equal(r->agent->dp_config.uplink_ifindex, UPLINK);
	n = r->n_announced;
	assert_int_not_equal(n, 0);
	r->uplink = 0;
	event(r, "up0", UPLINK, true);
	assert_non_null(strstr(told(r)->error, "the uplink up0 is gone"));
	assert_non_null(r->agent->dp);
	r->uplink = UPLINK + 1;
	event(r, "up0", UPLINK + 1, false);
	assert_int_equal(r->agent->dp_config.uplink_ifindex, UPLINK + 1);
	assert_non_null(r->agent->dp);
	assert_string_equal(told(r)->error, "");
	rig_advance_ms(r, 60000);
	assert_true(r->n_announced > n); /* with its new MAC, on the new device (rig_announce()) */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_substrate_that_is_made_anew),
		TEST(test_one_that_came_back_before_anybody_looked),
		TEST(test_one_that_cannot_be_used_yet),
		TEST(test_one_that_changes_while_the_agent_starts),
		TEST(test_another_mtu_is_probed_and_told),
		TEST(test_a_host_without_its_address_says_so),
		TEST(test_another_address_is_looked_for),
		TEST(test_an_uplink_that_is_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
