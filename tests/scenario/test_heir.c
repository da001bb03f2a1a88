/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an edge gets to know when a network's way out for IPv6 moves to it: h1 has the nodes, h2 and
 * h3 are edges, simulated all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "model/holders.h"
#include "model/internet_gateway.h"
#include "model/subnet_block6.h"
#include "model/tx.h"
#include "model/vpc_block6.h"
#include "world.h"

enum { EDGES = 2 };

#define BLOCK  "fd56:6976:3600:700::/56"
#define SUBNET "fd56:6976:3600:700::/64"
#define KNOWN  "fd56:6976:3600:700::a"
#define OTHER  "fd56:6976:3600:700::b"

static const char *nowhere = "::";

static void give_ipv6(struct world *w)
{
	const struct vpc_block6_args block = {.pool_id = "ipv6pool-ec2-00000000000000001",
					      .cidr = BLOCK};
	const struct internet_gateway *g;
	const struct subnet *s;
	const struct vpc *v;
	char id[ID_TEXT_SIZE];

	WORLD_DO(w, vpc_associate_block6(tx, &w->customer, w->vpc, &block, &v, &refusal));
	WORLD_DO(w, subnet_associate_block6(tx, &w->customer, w->subnet, SUBNET, &s, &refusal));
	WORLD_DO(w, internet_gateway_create(tx, &w->customer, NULL, 0, &g, &refusal));
	object_id_text(&g->o, id);
	WORLD_DO(w, internet_gateway_attach(tx, &w->customer, id, w->vpc, &refusal));
}

static void run(struct world *w, const char *addr)
{
	char instance[ID_TEXT_SIZE], id[ID_TEXT_SIZE];
	struct interface_assign_args args = {.interface_id = id, .addrs = &addr, .n_addrs = 1};
	const struct interface *i;
	size_t n;

	world_run(w, 0, NULL, instance);
	world_settle(w);
	object_id_text(&world_interface(w, instance)->o, id);
	WORLD_DO(w, interface_assign6(tx, &w->customer, &args, &i, &n, &refusal));
}

/* Two nodes with IPv6, and the edges. */
static int setup(void **state)
{
	struct world *w = world_new(1);

	for (size_t n = 0; n < EDGES; n++) {
		size_t i = world_add_edge(w);

		w->agents[i].preloads = true;
		world_connect(w, i);
		world_settle(w);
	}
	give_ipv6(w);
	run(w, KNOWN);
	run(w, OTHER);
	*state = w;
	return 0;
}

/* The host of the only gateway. */
static size_t edge(struct world *w)
{
	struct model_iter it = model_iter_kind(w->manager->model, KIND_INTERNET_GATEWAY);
	const struct internet_gateway *g = (const struct internet_gateway *)model_iter_next(&it);

	return g->edge == w->numbers[1] ? 1 : 2;
}

static bool knows(struct world *w, size_t host, const char *text)
{
	struct ipaddr addr = world_addr(text);

	return sim_agent_mapping(&w->agents[host], w->vni, &addr);
}

static bool is_holder(struct world *w, size_t host, const char *text)
{
	struct ipaddr addr = world_addr(text);
	struct holder holder;

	return holders_get(model_holders(w->manager->model), w->vni, &addr, w->numbers[host],
			   &holder) &&
	       holder.revision && holder.expires_ms != HOLDERS_NEVER;
}

/* requirement: EDGE-6 */
/* requirement: MAP-3 */
static void an_heir_gets_to_know_what_the_lost_edge_knew(void **state)
{
	struct world *w = *state;
	size_t first = edge(w), heir = 3 - first;

	world_ask(w, first, nowhere, KNOWN);
	assert_true(knows(w, first, KNOWN));
	assert_false(knows(w, heir, KNOWN));
	world_disconnect(w, first);
	world_advance(w, 12000);
	assert_int_equal(edge(w), heir);
	assert_true(knows(w, heir, KNOWN));
	assert_true(is_holder(w, heir, KNOWN));
	assert_false(knows(w, heir, OTHER)); /* which nobody has asked for */
	assert_false(is_holder(w, heir, OTHER));
}

/* It is on record with what it was told: what changes later is pushed to it. */
/* requirement: EDGE-6 */
/* requirement: MAP-3 */
static void an_heir_is_a_holder_as_any(void **state)
{
	struct world *w = *state;
	size_t first = edge(w), heir = 3 - first, told;

	world_ask(w, first, nowhere, KNOWN);
	world_disconnect(w, first);
	world_advance(w, 12000);
	told = w->agents[heir].n_updates;
	world_connect(w, first);
	world_advance(w, 2000);
	assert_int_equal(edge(w), heir);
	assert_int_equal(w->agents[heir].n_updates, told); /* once */
	world_disconnect(w, heir);
	world_advance(w, 12000);
	assert_int_equal(edge(w), first); /* and back: it has not asked again, and need not */
	assert_true(knows(w, first, KNOWN));
	assert_true(is_holder(w, first, KNOWN));
}

/* One that does not take what it has not asked for is not offered it. */
/* requirement: EDGE-6 */
static void an_heir_of_an_older_build_asks(void **state)
{
	struct world *w = *state;
	size_t first = edge(w), heir = 3 - first;

	world_disconnect(w, heir);
	w->agents[heir].preloads = false;
	world_connect(w, heir);
	world_settle(w);
	world_ask(w, first, nowhere, KNOWN);
	world_disconnect(w, first);
	world_advance(w, 12000);
	assert_int_equal(edge(w), heir);
	assert_false(is_holder(w, heir, KNOWN));
	world_ask(w, heir, nowhere, KNOWN);
	assert_true(knows(w, heir, KNOWN));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_heir_gets_to_know_what_the_lost_edge_knew),
		TEST(an_heir_is_a_holder_as_any),
		TEST(an_heir_of_an_older_build_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
