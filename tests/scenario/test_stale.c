/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios of senders that have not heard that an address has gone: whole agents, and hosts that
 * lie.
 *
 *	a, on h1 (10.0.0.4) --- substrate --- b, on h2 (10.0.0.5)      h3 --- substrate
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "abi/drop.h"
#include "base/limits.h"
#include "cluster.h"
#include "manager/agents.h"
#include "model/holders.h"

enum { HOSTS = 3 };

/* a talks to b. */
static int setup(void **state)
{
	*state = cluster_pair_new(HOSTS);
	return 0;
}

/* 0, or why a's packet to b's address was dropped, or UINT32_MAX: it waits. */
static uint32_t send_ab(struct cluster_pair *f, uint32_t number)
{
	uint32_t reason = 0;
	enum fake_verdict v = scenario_host_send(f->c.hosts[0], f->a.eni, "10.0.0.4", "10.0.0.5",
						 number, &reason);

	return v == FAKE_DROPPED ? reason : v == FAKE_HELD ? UINT32_MAX : 0;
}

static void talk(struct cluster_pair *f)
{
	send_ab(f, 1);
	world_advance(f->c.w, 200);
	assert_int_equal(scenario_host_receive(f->c.hosts[1], f->b.eni), 1);
	assert_int_equal(send_ab(f, 2), 0);
	assert_int_equal(scenario_host_receive(f->c.hosts[1], f->b.eni), 2);
}

/* The manager has lost that h1 holds b's address: no push will come. */
static void forget_holder(struct cluster_pair *f)
{
	const struct ipaddr b = world_addr("10.0.0.5");
	struct world *w = f->c.w;

	assert_true(holders_remove(model_holders(w->manager->model), w->vni, &b, w->numbers[0]));
}

static uint64_t corrected(const struct cluster_pair *f, size_t host)
{
	const struct world *w = f->c.w;

	return agents_find(&w->manager->agents, w->numbers[host])->n_corrected;
}

static void b_goes(struct cluster_pair *f)
{
	world_terminate(f->c.w, f->b.id);
	world_advance(f->c.w, 2000);
	assert_int_equal(world_instance(f->c.w, f->b.id)->state, INSTANCE_TERMINATED);
}

/* requirement: MAP-3 */
/* requirement: MAP-4 */
static void a_lost_push_is_made_good(void **state)
{
	struct cluster_pair *f = *state;
	uint64_t asked;

	talk(f);
	forget_holder(f);
	b_goes(f);
	assert_int_equal(send_ab(f, 3), DROP_LOCAL_GONE); /* it has not heard */
	world_advance(f->c.w, LIMIT_AGENT_STALE_MS + 100);
	assert_int_equal(corrected(f, 0), 1);
	assert_int_equal(send_ab(f, 4), DROP_GONE); /* a's node hears "host unreachable" */
	assert_int_equal(scenario_host_stale(f->c.hosts[1]), 1);
	/* then it is an address as any that nobody has */
	world_advance(f->c.w, LIMIT_AGENT_NEGATIVE_MS + 100);
	asked = scenario_host_asked(f->c.hosts[0]);
	assert_int_equal(send_ab(f, 5), UINT32_MAX);
	world_advance(f->c.w, 200);
	assert_int_equal(scenario_host_asked(f->c.hosts[0]), asked + 1);
	assert_int_equal(corrected(f, 0), 1);
}

/* An address that lives elsewhere now: the sender's host is told where, holds it, and hears of what
 * comes next. requirement: MAP-3 */
static void a_sender_finds_what_has_moved(void **state)
{
	const struct ipaddr addr = world_addr("10.0.0.5");
	struct cluster_pair *f = *state;
	struct world *w = f->c.w;
	struct cluster_node moved;
	struct holder holder;

	talk(f);
	forget_holder(f);
	b_goes(f);
	cluster_run(&f->c, 2, "10.0.0.5", &moved);
	assert_int_equal(send_ab(f, 3), DROP_LOCAL_GONE);
	world_advance(w, LIMIT_AGENT_STALE_MS + 100);
	assert_true(holders_get(model_holders(w->manager->model), w->vni, &addr, w->numbers[0],
				&holder));
	send_ab(f, 4); /* h3 does not know a yet */
	world_advance(w, 200);
	assert_int_equal(scenario_host_receive(f->c.hosts[2], moved.eni), 4);
	world_terminate(w, moved.id);
	world_advance(w, 2000);
	assert_int_not_equal(send_ab(f, 5), DROP_LOCAL_GONE); /* an ordinary push */
	assert_int_equal(corrected(f, 0), 1);
}

/* The address should be where the sender believes it: nothing is pushed, however long it goes on.
 * requirement: MAP-3 */
static void a_receiver_that_is_behind_troubles_nobody(void **state)
{
	struct cluster_pair *f = *state;
	uint64_t told;

	talk(f);
	scenario_host_lose_port(f->c.hosts[1], f->b.eni);
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(send_ab(f, i), DROP_LOCAL_GONE);
		world_advance(f->c.w, 100);
	}
	told = scenario_host_stale(f->c.hosts[1]);
	assert_in_range(told, 1, 10 * 1000 / LIMIT_AGENT_STALE_AGAIN_MS + 1);
	assert_int_equal(corrected(f, 0), 0);
	assert_int_equal(scenario_host_mappings(f->c.hosts[0]), 1);
}

/* What cannot be verified makes no notice, nor does what never was.  requirement: MAP-4 */
static void scanners_learn_nothing(void **state)
{
	const struct ipaddr a = world_addr("10.0.0.4"), b = world_addr("10.0.0.5"),
			    c = world_addr("10.0.0.6"), nobody = world_addr("10.0.0.99");
	struct cluster_pair *f = *state;
	uint32_t vni = f->c.w->vni, reason;
	struct cluster_node third;

	cluster_run(&f->c, 2, "10.0.0.6", &third);
	talk(f);
	scenario_host_send(f->c.hosts[2], third.eni, "10.0.0.6", "10.0.0.5", 1, NULL);
	world_advance(f->c.w, 200); /* h2 knows where both are */
	assert_int_equal(scenario_host_receive(f->c.hosts[1], f->b.eni), 1);
	b_goes(f);
	fake_arrive(f->c.substrate, "h2", "h1", vni, &a, &nobody, 1, &reason);
	assert_int_equal(reason, DROP_NOT_LOCAL);
	fake_arrive(f->c.substrate, "h2", "h1", vni, &c, &b, 1, &reason); /* from h3's node */
	assert_int_equal(reason, DROP_SPOOF);
	fake_arrive(f->c.substrate, "h2", "h1", vni, &nobody, &b, 1, &reason); /* from nobody's */
	assert_int_equal(reason, DROP_LOCAL_GONE);
	world_advance(f->c.w, 1000);
	assert_int_equal(scenario_host_stale(f->c.hosts[1]), 0);
	fake_arrive(f->c.substrate, "h2", "h1", vni, &a, &b, 1, &reason); /* the truth */
	assert_int_equal(reason, DROP_LOCAL_GONE);
	world_advance(f->c.w, 1000);
	assert_int_equal(scenario_host_stale(f->c.hosts[1]), 1);
}

/* ---- hosts that lie ---- */

/*	h1: 10.0.0.4      h2: 10.0.0.5      h3: 10.0.0.6; h1 holds 10.0.0.5 and .6 */
static int setup_world(void **state)
{
	struct world *w = world_new(HOSTS);
	char id[ID_TEXT_SIZE];

	world_run(w, 0, "10.0.0.4", id);
	world_run(w, 1, "10.0.0.5", id);
	world_run(w, 2, "10.0.0.6", id);
	world_settle(w);
	world_ask(w, 0, "10.0.0.4", "10.0.0.5");
	world_ask(w, 0, "10.0.0.4", "10.0.0.6");
	*state = w;
	return 0;
}

/* What h2 says makes the manager push so much to h1. */
static size_t pushes(struct world *w, uint32_t host, uint32_t vni, const char *src,
		     const char *addr, size_t n)
{
	const struct ipaddr from = world_addr(src), to = world_addr(addr);
	size_t before = w->agents[0].n_updates;

	assert_int_equal(sim_agent_tell_stale(&w->agents[1], host, vni, &from, &to, n), 0);
	world_settle(w);
	return w->agents[0].n_updates - before;
}

/* requirement: MAP-2 */
/* requirement: MAP-4 */
static void a_host_that_lies_makes_nobody_learn_anything(void **state)
{
	const struct ipaddr held = world_addr("10.0.0.6");
	struct world *w = *state;
	uint32_t h1 = w->numbers[0], vni = w->vni;
	const struct sim_mapping *m;
	char other[ID_TEXT_SIZE];

	/* A network of somebody else's, with an address at h3. */
	world_add_network(w);
	world_run(w, 2, "10.0.0.7", other);
	world_settle(w);
	assert_int_equal(pushes(w, h1, vni, "10.0.0.4", "10.0.0.5", 1),
			 0); /* it is where it tells from */
	assert_int_equal(pushes(w, h1, vni, "10.0.0.6", "10.0.0.77", 1), 0); /* no source of h1's */
	assert_int_equal(pushes(w, h1, vni, "10.0.0.99", "10.0.0.6", 1), 0); /* nobody's source */
	assert_int_equal(pushes(w, h1, w->vni, "10.0.0.4", "10.0.0.7", 1),
			 0); /* the other network */
	assert_int_equal(pushes(w, 4711, vni, "10.0.0.4", "10.0.0.6", 1), 0);          /* no host */
	assert_int_equal(pushes(w, w->numbers[1], vni, "10.0.0.5", "10.0.0.6", 1), 0); /* itself */
	/* What h1 holds stays as it is, however often it is told. */
	assert_int_equal(pushes(w, h1, vni, "10.0.0.4", "10.0.0.6", 1), 1);
	m = sim_agent_mapping(&w->agents[0], vni, &held);
	assert_non_null(m);
	assert_int_equal(m->host, w->numbers[2]);
	assert_true(w->agents[1].session);
	/* No agent tells so many at once. */
	assert_int_equal(pushes(w, h1, vni, "10.0.0.4", "10.0.0.6", LIMIT_STALE_MAPPINGS + 1), 0);
	assert_int_equal(w->agents[1].goodbye, VIADUCT__AGENT__GOODBYE__CODE__PROTOCOL);
}

/* To a host that is behind, the word is on its way: what is told of it does not pile up.
 * requirement: MAP-3 */
static void a_host_that_is_behind_is_told_no_more(void **state)
{
	struct world *w = *state;
	uint32_t h1 = w->numbers[0];
	const struct agent *agent = agents_find(&w->manager->agents, h1);

	w->agents[0].silent = true;
	for (int i = 0; i < 3; i++)
		pushes(w, h1, w->vni, "10.0.0.4", "10.0.0.6", LIMIT_STALE_MAPPINGS);
	assert_int_equal(agent->n_updates, LIMIT_STALE_BEHIND);
	assert_true(w->agents[0].session);
}

#define TEST(fn)       cmocka_unit_test_setup_teardown(fn, setup, cluster_pair_teardown)
#define TEST_WORLD(fn) cmocka_unit_test_setup_teardown(fn, setup_world, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_lost_push_is_made_good),
		TEST(a_sender_finds_what_has_moved),
		TEST(a_receiver_that_is_behind_troubles_nobody),
		TEST(scanners_learn_nothing),
		TEST_WORLD(a_host_that_lies_makes_nobody_learn_anything),
		TEST_WORLD(a_host_that_is_behind_is_told_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
