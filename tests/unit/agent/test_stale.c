/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent tells the manager of hosts that have not heard, how often, and whom it does not
 * tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/limits.h"
#include "rig.h"

enum { GONE = 0x0a000105, SENDER = 0x0a000205 };

/* The data plane shows a packet of 'peer' for 'addr'. */
static void show(struct rig *r, uint32_t peer, uint32_t addr)
{
	struct dp_upcall *u = calloc(1, sizeof(*u));

	assert_non_null(u);
	u->kind = DP_UPCALL_STALE;
	u->peer = peer;
	u->vni = RIG_VNI;
	u->src = rig_addr(SENDER);
	u->dst = rig_addr(addr);
	stale_take(&r->agent->stale, u);
}

static size_t told(const struct rig *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_frames; i++)
		if (r->frames[i]->body_case == VIADUCT__AGENT__FRAME__BODY_STALE)
			n += r->frames[i]->stale->n_mappings;
	return n;
}

/* requirement: MAP-3 */
static void test_what_is_told(void **state)
{
	struct rig *r = *state;
	const struct ipaddr gone = rig_addr(GONE), sender = rig_addr(SENDER);
	const Viaduct__Agent__StaleMapping *m;

	show(r, RIG_PEER, GONE);
	show(r, RIG_PEER, GONE);
	show(r, RIG_PEER + 1, GONE);
	rig_advance_ms(r, LIMIT_AGENT_STALE_MS + 1);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_STALE), 1); /* all in one */
	assert_int_equal(told(r), 2);
	m = rig_last(r, VIADUCT__AGENT__FRAME__BODY_STALE)->stale->mappings[0];
	assert_int_equal(m->host, RIG_PEER);
	assert_int_equal(m->vni, RIG_VNI);
	assert_int_equal(m->src_vni, RIG_VNI);
	assert_memory_equal(m->addr.data, gone.b, 16);
	assert_memory_equal(m->src.data, sender.b, 16);
	/* the same again only after a while */
	show(r, RIG_PEER, GONE);
	rig_advance_ms(r, LIMIT_AGENT_STALE_AGAIN_MS);
	assert_int_equal(told(r), 2);
	show(r, RIG_PEER, GONE);
	rig_advance_ms(r, LIMIT_AGENT_STALE_MS + 1);
	assert_int_equal(told(r), 3);
}

/* One host that tries addresses takes nobody's place, and all of them together no more memory than
 * this. requirement: MAP-4 */
static void test_bounds(void **state)
{
	struct rig *r = *state;
	uint32_t peers = LIMIT_AGENT_STALE / LIMIT_AGENT_STALE_PER_PEER;

	for (uint32_t i = 0; i < 3 * LIMIT_AGENT_STALE_PER_PEER; i++)
		show(r, RIG_PEER, GONE + i);
	show(r, RIG_PEER + 1, GONE);
	rig_advance_ms(r, 10 * LIMIT_AGENT_STALE_MS);
	assert_int_equal(told(r), LIMIT_AGENT_STALE_PER_PEER + 1);
	for (uint32_t p = 0; p < 2 * peers; p++)
		for (uint32_t i = 0; i < LIMIT_AGENT_STALE_PER_PEER; i++)
			show(r, RIG_PEER + 2 + p, GONE + i);
	rig_advance_ms(r, 2 * LIMIT_AGENT_STALE_AGAIN_MS);
	assert_int_equal(told(r), LIMIT_AGENT_STALE);
	assert_int_equal(hmap_count(&r->agent->stale.notices), LIMIT_AGENT_STALE);
	show(r, RIG_PEER, GONE); /* what is over makes room */
	rig_advance_ms(r, LIMIT_AGENT_STALE_MS + 1);
	assert_int_equal(told(r), LIMIT_AGENT_STALE + 1);
	assert_int_equal(hmap_count(&r->agent->stale.notices), 1);
}

/* A manager that does not say that it takes it would end the session; one that is away hears
 * nothing later. requirement: OPS-3 */
static void test_who_is_not_told(void **state)
{
	struct rig *r = *state;

	show(r, RIG_PEER, GONE);
	rig_cut(r);
	rig_advance_ms(r, 10000); /* it has connected again */
	assert_int_equal(told(r), 0);
	r->older = true;
	rig_cut(r);
	rig_advance_ms(r, 10000);
	show(r, RIG_PEER, GONE);
	rig_advance_ms(r, LIMIT_AGENT_STALE_MS + 1);
	assert_int_equal(told(r), 0);
	r->older = false;
	rig_cut(r);
	rig_advance_ms(r, 10000);
	show(r, RIG_PEER, GONE);
	rig_advance_ms(r, LIMIT_AGENT_STALE_MS + 1);
	assert_int_equal(told(r), 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_told),
		TEST(test_bounds),
		TEST(test_who_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
