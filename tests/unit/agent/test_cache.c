/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings from their installation to the end of their lifetime. */
#include "agent/cache.h"

#include <string.h>

#include "base/limits.h"
#include "datapath/fake.h"
#include "tests/unit/test.h"

enum { VNI = 5, LEASE_S = 100 };

struct bench {
	struct clock clock;
	struct loop *loop;
	struct fake_world *world;
	struct datapath *dp;
	struct cache cache;
	unsigned int n_released;
	struct ipaddr last_released;
};

static void on_released(const struct mapping *m, void *arg)
{
	struct bench *b = arg;

	b->n_released++;
	b->last_released = m->addr;
}

static void open_datapath(struct bench *b)
{
	const struct dp_config config = {.name = "h1", .max_mappings = 16, .max_flows = 16};
	bool adopted;

	assert_ok(datapath_open_fake(b->world, &config, &b->dp, &adopted));
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	clock_init_manual(&b->clock, CLOCK_NS_PER_S, 0);
	assert_ok(loop_new(&b->clock, &b->loop));
	assert_ok(fake_world_new(&b->world));
	open_datapath(b);
	cache_init(&b->cache, b->loop, on_released, b);
	assert_ok(cache_adopt(&b->cache, b->dp));
	cache_connected(&b->cache, LEASE_S);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	cache_deinit(&b->cache);
	datapath_close(b->dp);
	fake_world_free(b->world);
	loop_free(b->loop);
	free(b);
	return 0;
}

static void pass(struct bench *b, uint64_t s)
{
	assert_ok(loop_advance(b->loop, s * CLOCK_NS_PER_S));
}

struct look {
	struct ipaddr addr;
	bool found;
	struct dp_mapping mapping;
};

static int look_at(const struct dp_mapping *m, void *arg)
{
	struct look *l = arg;

	if (ipaddr_equal(&m->addr, &l->addr)) {
		l->found = true;
		l->mapping = *m;
	}
	return 0;
}

/* What the data plane has for 10.0.0.'n'; -1: nothing. */
static int dp_state(struct bench *b, uint32_t n)
{
	struct look l = {.addr = ipaddr_from_v4(0x0a000000 + n)};

	assert_ok(datapath_mappings(b->dp, look_at, &l));
	return l.found ? (int)l.mapping.state : -1;
}

static struct mapping *install(struct bench *b, uint32_t n, uint32_t peer, uint64_t revision)
{
	const struct mapping_place place = {.peer = peer, .revision = revision};
	struct ipaddr a = ipaddr_from_v4(0x0a000000 + n);

	assert_ok(cache_install(&b->cache, VNI, &a, &place, 0));
	return cache_find(&b->cache, VNI, &a);
}

/* requirement: MAP-3 */
static void test_a_mapping_settles_and_then_lives(void **state)
{
	struct bench *b = *state;
	struct mapping *m = install(b, 1, 2, 10);

	assert_int_equal(m->state, MAPPING_SETTLING);
	assert_int_equal(dp_state(b, 1), DP_MAPPING_HELD);
	cache_settle(&b->cache);
	assert_int_equal(m->state, MAPPING_LIVE);
	assert_int_equal(dp_state(b, 1), DP_MAPPING_LIVE);
	assert_false(cache_is_settling(&b->cache));
}

/* requirement: MAP-3 */
static void test_an_unused_mapping_ends_and_is_released(void **state)
{
	struct bench *b = *state;
	struct ipaddr a = ipaddr_from_v4(0x0a000001);

	install(b, 1, 2, 10);
	cache_settle(&b->cache);
	pass(b, LEASE_S - LIMIT_AGENT_RENEWAL_MS / 1000 - 1);
	assert_int_equal(dp_state(b, 1), DP_MAPPING_LIVE);
	pass(b, 2);
	assert_int_equal(cache_find(&b->cache, VNI, &a)->state, MAPPING_PROVING);
	assert_int_equal(dp_state(b, 1), DP_MAPPING_HELD);
	assert_int_equal(b->n_released, 0);
	pass(b, LIMIT_AGENT_RENEWAL_MS / 1000);
	assert_null(cache_find(&b->cache, VNI, &a));
	assert_int_equal(dp_state(b, 1), -1);
	assert_int_equal(b->n_released, 1);
	assert_true(ipaddr_equal(&b->last_released, &a));
}

/* requirement: MAP-3 */
static void test_a_used_mapping_is_renewed(void **state)
{
	struct bench *b = *state;
	struct mapping *m = install(b, 1, 2, 10);

	cache_settle(&b->cache);
	pass(b, LEASE_S - 1);
	assert_int_equal(m->state, MAPPING_PROVING);
	assert_ok(cache_use(&b->cache, m));
	cache_settle(&b->cache);
	assert_int_equal(dp_state(b, 1), DP_MAPPING_LIVE);
	/* The manager answers: a whole new lifetime. */
	assert_ptr_equal(install(b, 1, 2, 10), m);
	pass(b, LEASE_S - 15);
	assert_int_equal(m->state, MAPPING_LIVE);
	assert_int_equal(b->n_released, 0);
}

/* requirement: MAP-3 */
static void test_a_renewal_without_an_answer_serves_while_it_is_used(void **state)
{
	struct bench *b = *state;
	struct mapping *m = install(b, 1, 2, 10);

	cache_settle(&b->cache);
	pass(b, LEASE_S - 1);
	assert_ok(cache_use(&b->cache, m));
	cache_settle(&b->cache);
	pass(b, 1);
	assert_int_equal(dp_state(b, 1), DP_MAPPING_LIVE);
	/* Proved again, used again; then unused, and over. */
	pass(b, LIMIT_AGENT_RENEWAL_MS / 1000);
	assert_int_equal(m->state, MAPPING_PROVING);
	assert_ok(cache_use(&b->cache, m));
	cache_settle(&b->cache);
	pass(b, LIMIT_AGENT_RENEWAL_MS / 1000);
	assert_int_equal(dp_state(b, 1), DP_MAPPING_LIVE);
	assert_int_equal(b->n_released, 0);
	pass(b, 3 * LIMIT_AGENT_RENEWAL_MS / 1000);
	assert_int_equal(dp_state(b, 1), -1);
	assert_int_equal(b->n_released, 1);
}

/* requirement: MAP-3, OPS-3 */
static void test_nothing_ends_without_a_manager(void **state)
{
	struct bench *b = *state;
	struct mapping *m = install(b, 1, 2, 10);
	struct ipaddr refused = ipaddr_from_v4(0x0a000002);

	cache_settle(&b->cache);
	assert_ok(cache_refuse(&b->cache, VNI, &refused));
	cache_disconnected(&b->cache);
	pass(b, 100 * LEASE_S);
	assert_int_equal(m->state, MAPPING_LIVE);
	assert_int_equal(dp_state(b, 1), DP_MAPPING_LIVE);
	assert_int_equal(dp_state(b, 2), DP_MAPPING_REFUSED);
	/* Connected again, all lifetimes start anew. */
	cache_connected(&b->cache, LEASE_S);
	pass(b, LEASE_S / 2);
	assert_int_equal(m->state, MAPPING_LIVE);
	assert_int_equal(dp_state(b, 2), -1);
	pass(b, LEASE_S);
	assert_int_equal(dp_state(b, 1), -1);
}

/* requirement: OPS-3 */
static void test_what_was_being_proved_lives_when_the_manager_goes(void **state)
{
	struct bench *b = *state;
	struct mapping *m = install(b, 1, 2, 10);

	cache_settle(&b->cache);
	pass(b, LEASE_S - 1);
	assert_int_equal(m->state, MAPPING_PROVING);
	cache_disconnected(&b->cache);
	assert_int_equal(m->state, MAPPING_LIVE);
	assert_int_equal(dp_state(b, 1), DP_MAPPING_LIVE);
}

/* requirement: MAP-3 */
static void test_revisions_never_go_back(void **state)
{
	struct bench *b = *state;
	struct mapping *m = install(b, 1, 2, 10);

	cache_settle(&b->cache);
	install(b, 1, 3, 9);
	assert_int_equal(m->peer, 2);
	install(b, 1, 3, 11);
	assert_int_equal(m->peer, 3);
	assert_int_equal(m->state, MAPPING_LIVE); /* it moved in place: nothing waits */
	assert_ok(cache_gone(&b->cache, VNI, &m->addr, 10));
	assert_int_equal(m->state, MAPPING_LIVE);
	assert_ok(cache_gone(&b->cache, VNI, &m->addr, 12));
	assert_int_equal(dp_state(b, 1), DP_MAPPING_GONE);
	install(b, 1, 3, 11);
	assert_int_equal(dp_state(b, 1), DP_MAPPING_GONE);
	install(b, 1, 3, 13);
	assert_int_equal(m->state, MAPPING_SETTLING);
}

/* requirement: MAP-3 */
static void test_short_memories_end_and_are_not_released(void **state)
{
	struct bench *b = *state;
	struct ipaddr gone = ipaddr_from_v4(0x0a000001);

	install(b, 1, 2, 10);
	cache_settle(&b->cache);
	assert_ok(cache_gone(&b->cache, VNI, &gone, 11));
	pass(b, LIMIT_AGENT_NEGATIVE_MS / 1000 + 1);
	assert_int_equal(dp_state(b, 1), -1);
	assert_int_equal(b->n_released, 0);
}

/* requirement: MAP-3 */
static void test_a_full_cache_lets_the_next_to_end_go(void **state)
{
	struct bench *b = *state;

	b->cache.max = 3;
	for (uint32_t n = 1; n <= 3; n++) {
		install(b, n, 2, 10);
		cache_settle(&b->cache);
		pass(b, 1);
	}
	install(b, 4, 2, 10);
	assert_int_equal(hmap_count(&b->cache.mappings), 3);
	assert_int_equal(dp_state(b, 1), -1);
	assert_int_equal(b->n_released, 1);
	assert_int_equal(dp_state(b, 4), DP_MAPPING_HELD);
}

/* requirement: MAP-3 */
static void test_a_full_data_plane_is_an_error_and_leaves_no_trace(void **state)
{
	struct bench *b = *state;
	const struct mapping_place place = {.peer = 2, .revision = 10};
	struct ipaddr a = ipaddr_from_v4(0x0a000020);

	for (uint32_t n = 1; n <= 16; n++)
		install(b, n, 2, 10);
	assert_int_equal(cache_install(&b->cache, VNI, &a, &place, 0), -ENOSPC);
	assert_null(cache_find(&b->cache, VNI, &a));
	assert_int_equal(b->n_released, 0);
}

/* requirement: MAP-7 */
static void test_what_is_preloaded_is_live_at_once_and_does_not_end(void **state)
{
	static const uint32_t vnis[] = {VNI - 1, VNI, VNI + 7};
	const struct mapping_place place = {.peer = 2, .revision = 10};
	struct ipaddr a = ipaddr_from_v4(0x0a000001);
	struct bench *b = *state;

	assert_ok(cache_set_preloaded(&b->cache, vnis, 3));
	assert_true(cache_is_preloaded(&b->cache, VNI));
	assert_false(cache_is_preloaded(&b->cache, VNI + 1));
	assert_ok(cache_preload(&b->cache, VNI, &a, &place));
	assert_int_equal(dp_state(b, 1), DP_MAPPING_LIVE);
	assert_false(cache_is_settling(&b->cache));
	pass(b, 10 * LEASE_S);
	cache_disconnected(&b->cache);
	cache_connected(&b->cache, LEASE_S);
	pass(b, 10 * LEASE_S);
	assert_int_equal(dp_state(b, 1), DP_MAPPING_LIVE);
	assert_int_equal(b->n_released, 0);
	/* it can be changed, and be gone */
	install(b, 1, 3, 11);
	assert_int_equal(dp_state(b, 1), DP_MAPPING_LIVE);
	assert_int_equal(cache_find(&b->cache, VNI, &a)->peer, 3);
	assert_ok(cache_gone(&b->cache, VNI, &a, 12));
	pass(b, LIMIT_AGENT_NEGATIVE_MS / 1000 + 1);
	assert_null(cache_find(&b->cache, VNI, &a));
}

/* requirement: MAP-7 */
static void test_the_mark_comes_and_goes(void **state)
{
	static const uint32_t vnis[] = {VNI};
	struct bench *b = *state;

	for (uint32_t n = 1; n <= 9; n++)
		install(b, n, 2, 10);
	cache_settle(&b->cache);
	/* one is to be proved when the mark comes */
	pass(b, LEASE_S - 1);
	assert_int_equal(dp_state(b, 1), DP_MAPPING_HELD);
	assert_ok(cache_set_preloaded(&b->cache, vnis, 1));
	assert_int_equal(dp_state(b, 1), DP_MAPPING_LIVE);
	pass(b, 10 * LEASE_S);
	assert_int_equal(hmap_count(&b->cache.mappings), 9);
	/* without it they end, not all at once, and all within a lifetime */
	assert_ok(cache_set_preloaded(&b->cache, NULL, 0));
	pass(b, 3 * LEASE_S / 4);
	assert_true(b->n_released > 0 && b->n_released < 9);
	pass(b, LEASE_S / 4 + 1);
	assert_int_equal(b->n_released, 9);
	assert_int_equal(hmap_count(&b->cache.mappings), 0);
}

/* requirement: MAP-7 */
static void test_nothing_goes_for_what_is_preloaded(void **state)
{
	static const uint32_t vnis[] = {VNI};
	const struct mapping_place place = {.peer = 2, .revision = 10};
	struct ipaddr a = ipaddr_from_v4(0x0a000003);
	struct bench *b = *state;

	b->cache.max = 2;
	install(b, 1, 2, 10);
	install(b, 2, 2, 10);
	assert_ok(cache_set_preloaded(&b->cache, vnis, 1));
	assert_int_equal(cache_preload(&b->cache, VNI, &a, &place), -ENOSPC);
	assert_int_equal(b->n_released, 0);
	assert_int_equal(hmap_count(&b->cache.mappings), 2);
	cache_drop_network(&b->cache, VNI + 1);
	assert_int_equal(b->n_released, 0);
	cache_drop_network(&b->cache, VNI);
	assert_int_equal(b->n_released, 2);
	assert_int_equal(dp_state(b, 1), -1);
	assert_ok(cache_preload(&b->cache, VNI, &a, &place));
}

/* requirement: OPS-3 */
static void test_a_new_life_adopts_what_is_there(void **state)
{
	struct bench *b = *state;
	struct ipaddr a = ipaddr_from_v4(0x0a000001), held = ipaddr_from_v4(0x0a000002);
	const struct mapping *m;

	install(b, 1, 2, 10);
	cache_settle(&b->cache);
	install(b, 2, 3, 11); /* still settling when the agent dies */
	cache_deinit(&b->cache);
	datapath_close(b->dp);
	open_datapath(b);
	cache_init(&b->cache, b->loop, on_released, b);
	assert_ok(cache_adopt(&b->cache, b->dp));
	m = cache_find(&b->cache, VNI, &a);
	assert_int_equal(m->state, MAPPING_LIVE);
	assert_int_equal(m->peer, 2);
	assert_int_equal(m->revision, 10);
	assert_int_equal(cache_find(&b->cache, VNI, &held)->state, MAPPING_LIVE);
	assert_int_equal(dp_state(b, 2), DP_MAPPING_LIVE);
}

/* requirement: MAP-3 */
static void test_a_peer_that_goes_takes_its_mappings(void **state)
{
	struct bench *b = *state;

	install(b, 1, 2, 10);
	install(b, 2, 3, 10);
	cache_drop_peer(&b->cache, 2);
	assert_int_equal(dp_state(b, 1), -1);
	assert_int_equal(dp_state(b, 2), DP_MAPPING_HELD);
	assert_int_equal(b->n_released, 1);
}

static void test_packets_in_circles_are_noticed(void **state)
{
	struct bench *b = *state;
	struct mapping *m = install(b, 1, 2, 10);
	unsigned int n = 0;

	while (cache_repeat(&b->cache, m))
		n++;
	assert_int_equal(n, LIMIT_AGENT_REPEATS_PER_S);
	pass(b, 1);
	assert_true(cache_repeat(&b->cache, m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_a_mapping_settles_and_then_lives),
		TEST(test_an_unused_mapping_ends_and_is_released),
		TEST(test_a_used_mapping_is_renewed),
		TEST(test_a_renewal_without_an_answer_serves_while_it_is_used),
		TEST(test_nothing_ends_without_a_manager),
		TEST(test_what_was_being_proved_lives_when_the_manager_goes),
		TEST(test_revisions_never_go_back),
		TEST(test_short_memories_end_and_are_not_released),
		TEST(test_a_full_cache_lets_the_next_to_end_go),
		TEST(test_a_full_data_plane_is_an_error_and_leaves_no_trace),
		TEST(test_what_is_preloaded_is_live_at_once_and_does_not_end),
		TEST(test_the_mark_comes_and_goes),
		TEST(test_nothing_goes_for_what_is_preloaded),
		TEST(test_a_new_life_adopts_what_is_there),
		TEST(test_a_peer_that_goes_takes_its_mappings),
		TEST(test_packets_in_circles_are_noticed),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
