/* SPDX-License-Identifier: Apache-2.0 */
/* The table of holders against a plain one. */
#include "model/holders.h"

#include <string.h>

#include "tests/unit/test.h"

enum { MAPPINGS = 30, HOSTS = 12, STEPS = 40000 };

/* What the table must hold: order is the time of the last renewal. */
struct plain {
	bool held;
	uint64_t revision, expires_ms, order;
};

static struct plain plain[MAPPINGS][HOSTS];
static size_t n_seen;

static struct ipaddr addr_of(uint32_t m)
{
	return ipaddr_from_v4(0x0a000000 + m / 2);
}

static uint32_t vni_of(uint32_t m)
{
	return 1 + m % 2;
}

static uint32_t mapping_of(const struct holder *e)
{
	return (ipaddr_v4(&e->addr) - 0x0a000000) * 2 + e->vni - 1;
}

static void check_entry(const struct holder *e)
{
	const struct plain *p = &plain[mapping_of(e)][e->host];

	assert_true(p->held);
	assert_true(p->revision == e->revision);
	assert_true(p->expires_ms == e->expires_ms);
	n_seen++;
}

static void on_mapping(void *data, const struct holder *e)
{
	assert_int_equal(mapping_of(e), *(uint32_t *)data);
	check_entry(e);
}

struct host_visit {
	uint32_t host;
	bool kept; /* those that never end come last */
	uint64_t order;
};

static void on_host(void *data, const struct holder *e)
{
	struct host_visit *v = data;

	assert_int_equal(e->host, v->host);
	if (e->expires_ms == HOLDERS_NEVER && !v->kept) {
		v->kept = true;
		v->order = 0;
	}
	assert_int_equal(e->expires_ms == HOLDERS_NEVER, v->kept);
	assert_true(plain[mapping_of(e)][e->host].order > v->order);
	v->order = plain[mapping_of(e)][e->host].order;
	check_entry(e);
}

static void check_all(const struct holders *h)
{
	size_t total = 0;

	n_seen = 0;
	for (uint32_t m = 0; m < MAPPINGS; m++) {
		struct ipaddr a = addr_of(m);
		bool any = false;

		for (uint32_t k = 0; k < HOSTS; k++) {
			struct holder e;

			assert_int_equal(holders_get(h, vni_of(m), &a, k, &e), plain[m][k].held);
			any |= plain[m][k].held;
			total += plain[m][k].held;
		}
		assert_int_equal(holders_any(h, vni_of(m), &a), any);
		holders_each_of_mapping(h, vni_of(m), &a, on_mapping, &m);
	}
	assert_int_equal(n_seen, total);
	for (uint32_t k = 0; k < HOSTS; k++) {
		struct host_visit v = {.host = k};

		holders_each_of_host(h, k, on_host, &v);
	}
	assert_int_equal(n_seen, 2 * total);
	assert_int_equal(holders_count(h), total);
}

static size_t expire_plain(uint32_t host, uint64_t now, size_t max)
{
	size_t n = 0;

	while (n < max) {
		struct plain *first = NULL;

		for (uint32_t m = 0; m < MAPPINGS; m++)
			if (plain[m][host].held && plain[m][host].expires_ms != HOLDERS_NEVER &&
			    (!first || plain[m][host].order < first->order))
				first = &plain[m][host];
		if (!first || first->expires_ms > now)
			break;
		first->held = false;
		n++;
	}
	return n;
}

/* One entry, or all of the network that were never over. */
static void lease(struct holders *h, uint32_t m, uint32_t host, bool one, uint64_t until,
		  uint64_t order)
{
	struct ipaddr a = addr_of(m);

	if (one) {
		holders_lease(h, vni_of(m), &a, host, until);
		plain[m][host].expires_ms = until;
		plain[m][host].order = order;
		return;
	}
	holders_lease_network(h, vni_of(m), host, until);
	for (;;) { /* in the order that they had */
		struct plain *first = NULL;

		for (uint32_t n = 0; n < MAPPINGS; n++)
			if (plain[n][host].held && vni_of(n) == vni_of(m) &&
			    plain[n][host].expires_ms == HOLDERS_NEVER &&
			    (!first || plain[n][host].order < first->order))
				first = &plain[n][host];
		if (!first)
			return;
		first->expires_ms = until;
		first->order = order++;
	}
}

static void keep_network(struct holders *h, uint32_t m, uint32_t host, uint64_t order)
{
	holders_keep_network(h, vni_of(m), host);
	for (;;) {
		struct plain *first = NULL;

		for (uint32_t n = 0; n < MAPPINGS; n++)
			if (plain[n][host].held && vni_of(n) == vni_of(m) &&
			    plain[n][host].expires_ms != HOLDERS_NEVER &&
			    (!first || plain[n][host].order < first->order))
				first = &plain[n][host];
		if (!first)
			return;
		first->expires_ms = HOLDERS_NEVER;
		first->order = order++;
	}
}

/* requirement: MAP-3 */
/* requirement: MAP-7 */
static void test_against_a_plain_table(void **state)
{
	_cleanup_(holders_free_cleanup) struct holders *h = NULL;
	uint64_t seed = 3, now = 0;

	memset(plain, 0, sizeof(plain));
	assert_ok(holders_new(&h));
	for (uint64_t i = 1; i <= STEPS; i++) {
		uint32_t m, k, what;
		struct ipaddr a;

		seed = seed * 6364136223846793005 + 1442695040888963407;
		m = (uint32_t)(seed >> 33) % MAPPINGS;
		k = (uint32_t)(seed >> 40) % HOSTS;
		what = (uint32_t)(seed >> 48) % 24;
		a = addr_of(m);
		now += 3;
		if (what < 11) {
			uint64_t until = seed >> 60 ? now + 500 : HOLDERS_NEVER;

			assert_ok(holders_add(h, vni_of(m), &a, k, i, until));
			/* once never, always never */
			if (plain[m][k].held && plain[m][k].expires_ms == HOLDERS_NEVER)
				until = HOLDERS_NEVER;
			plain[m][k] = (struct plain){true, i, until, i * MAPPINGS};
		} else if (what == 22 && i % 5 == 0) {
			keep_network(h, m, k, i * MAPPINGS);
		} else if (what == 20 || what == 21) {
			lease(h, m, k, what == 20, now + 500, i * MAPPINGS);
		} else if (what < 18) {
			assert_int_equal(holders_remove(h, vni_of(m), &a, k), plain[m][k].held);
			plain[m][k].held = false;
		} else if (what < 19) {
			size_t n = expire_plain(k, now, 5);

			assert_int_equal(holders_expire(h, k, now, 5), n);
		} else if (i % 7 == 0) {
			holders_remove_host(h, k);
			for (uint32_t x = 0; x < MAPPINGS; x++)
				plain[x][k].held = false;
		}
		if (i % 50 == 0)
			check_all(h);
	}
}

static void remove_it(void *data, const struct holder *e)
{
	assert_true(holders_remove(data, e->vni, &e->addr, e->host));
}

static void test_entries_may_leave_while_visited(void **state)
{
	_cleanup_(holders_free_cleanup) struct holders *h = NULL;
	struct ipaddr a = ipaddr_from_v4(0x0a000004);

	assert_ok(holders_new(&h));
	for (int round = 0; round < 2; round++) {
		for (uint32_t k = 1; k <= 1000; k++)
			assert_ok(holders_add(h, 7, &a, k, 1, 1));
		assert_int_equal(holders_count(h), 1000);
		holders_each_of_mapping(h, 7, &a, remove_it, h);
		assert_int_equal(holders_count(h), 0);
		assert_false(holders_any(h, 7, &a));
	}
	for (uint32_t m = 0; m < 1000; m++) {
		struct ipaddr b = ipaddr_from_v4(m);

		assert_ok(holders_add(h, 7, &b, 1, 1, 1));
	}
	holders_each_of_host(h, 1, remove_it, h);
	assert_int_equal(holders_count(h), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_a_plain_table),
		cmocka_unit_test(test_entries_may_leave_while_visited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
