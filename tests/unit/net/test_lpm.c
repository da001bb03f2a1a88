/* SPDX-License-Identifier: Apache-2.0 */
/* The trie against a plain list of prefixes. */
#include "net/lpm.h"

#include <string.h>

#include "tests/unit/test.h"

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_ok(prefix_parse(text, &p));
	return p;
}

static const char *find(const struct lpm *l, const char *text)
{
	struct ipaddr a;

	assert_ok(ipaddr_parse(text, &a));
	return lpm_find(l, &a, NULL);
}

static void test_longest_wins(void **state)
{
	static const char *const texts[] = {"10.0.0.0/8",  "10.1.0.0/16", "10.1.2.0/24",
					    "10.1.2.3/32", "0.0.0.0/0",   "2001:db8::/32",
					    "::/0"};
	struct prefix found, p;
	struct ipaddr a;
	struct lpm l;

	lpm_init(&l);
	assert_null(find(&l, "10.0.0.1"));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		p = prefix(texts[i]);
		assert_ok(lpm_set(&l, &p, (void *)texts[i], NULL));
	}
	assert_int_equal(l.n, ARRAY_SIZE(texts));
	assert_string_equal(find(&l, "10.1.2.3"), "10.1.2.3/32");
	assert_string_equal(find(&l, "10.1.2.4"), "10.1.2.0/24");
	assert_string_equal(find(&l, "10.1.3.3"), "10.1.0.0/16");
	assert_string_equal(find(&l, "10.2.2.3"), "10.0.0.0/8");
	assert_string_equal(find(&l, "192.0.2.1"), "0.0.0.0/0");
	assert_string_equal(find(&l, "2001:db8::1"), "2001:db8::/32");
	assert_string_equal(find(&l, "2001:db9::1"), "::/0");
	assert_ok(ipaddr_parse("10.1.2.4", &a));
	assert_non_null(lpm_find(&l, &a, &found));
	p = prefix("10.1.2.0/24");
	assert_true(prefix_equal(&found, &p));
	lpm_deinit(&l);
	assert_null(find(&l, "10.1.2.3"));
}

static void test_setting_replaces_and_removing_returns(void **state)
{
	struct prefix p = prefix("10.0.0.0/8"), joint = prefix("10.0.0.0/15");
	struct prefix left = prefix("10.0.0.0/16"), right = prefix("10.1.0.0/16");
	struct lpm l = {0};
	void *old = &l;

	assert_ok(lpm_set(&l, &p, (void *)"a", &old));
	assert_null(old);
	assert_ok(lpm_set(&l, &p, (void *)"b", &old));
	assert_string_equal(old, "a");
	assert_int_equal(l.n, 1);
	assert_ok(lpm_set(&l, &left, (void *)"l", NULL));
	assert_ok(lpm_set(&l, &right, (void *)"r", NULL));
	/* What only joins two prefixes is none itself. */
	assert_null(lpm_get(&l, &joint));
	assert_null(lpm_remove(&l, &joint));
	assert_string_equal(lpm_get(&l, &left), "l");
	assert_string_equal(lpm_remove(&l, &p), "b");
	assert_null(lpm_remove(&l, &p));
	assert_null(find(&l, "10.2.0.0"));
	assert_string_equal(find(&l, "10.1.0.1"), "r");
	assert_string_equal(lpm_remove(&l, &right), "r");
	assert_string_equal(lpm_remove(&l, &left), "l");
	assert_null(l.root); /* no joint is left behind */
	assert_int_equal(l.n, 0);
}

enum { N = 400 };

struct model {
	struct prefix prefix[N];
	bool inside[N];
};

/* Few bits, so that prefixes nest and collide. */
static struct prefix random_prefix(void)
{
	static uint32_t seed = 1;
	struct ipaddr a = {0};

	seed = seed * 1103515245 + 12345;
	a.b[0] = (uint8_t)(seed >> 16 & 0xc3);
	a.b[15] = (uint8_t)(seed >> 24 & 0x03);
	return prefix_make(&a, (uint8_t)((seed >> 8 & 0xff) % 129));
}

static size_t model_find(const struct model *m, const struct ipaddr *a)
{
	size_t best = N;

	for (size_t i = 0; i < N; i++)
		if (m->inside[i] && prefix_contains(&m->prefix[i], a) &&
		    (best == N || m->prefix[i].len > m->prefix[best].len))
			best = i;
	return best;
}

static size_t model_get(const struct model *m, const struct prefix *p)
{
	for (size_t i = 0; i < N; i++)
		if (m->inside[i] && prefix_equal(&m->prefix[i], p))
			return i;
	return N;
}

struct walk {
	struct prefix last;
	size_t n;
};

static int check_order(const struct prefix *p, void *value, void *data)
{
	struct walk *w = data;
	int order = w->n ? ipaddr_compare(&w->last.addr, &p->addr) : -1;

	assert_true(order < 0 || (order == 0 && w->last.len < p->len));
	assert_true(prefix_equal(p, value));
	w->last = *p;
	w->n++;
	return 0;
}

static void test_random_changes_against_a_list(void **state)
{
	static struct model m;
	struct lpm l = {0};

	for (int round = 0; round < 20000; round++) {
		struct prefix p = random_prefix();
		size_t i = model_get(&m, &p), slot = (size_t)round % N;
		struct walk w = {0};
		void *value;

		assert_ptr_equal(lpm_get(&l, &p), i < N ? &m.prefix[i] : NULL);
		if (i < N) {
			value = lpm_remove(&l, &p);
			assert_ptr_equal(value, &m.prefix[i]);
			m.inside[i] = false;
		} else if (!m.inside[slot]) {
			m.prefix[slot] = p;
			m.inside[slot] = true;
			assert_ok(lpm_set(&l, &p, &m.prefix[slot], &value));
			assert_null(value);
		}
		p = random_prefix();
		i = model_find(&m, &p.addr);
		assert_ptr_equal(lpm_find(&l, &p.addr, NULL), i < N ? &m.prefix[i] : NULL);
		if (round % 500)
			continue;
		assert_ok(lpm_each(&l, check_order, &w));
		assert_int_equal(w.n, l.n);
	}
	lpm_deinit(&l);
}

static int stop_at_second(const struct prefix *p, void *value, void *data)
{
	return ++*(int *)data == 2 ? 42 : 0;
}

static void test_walk_can_be_ended(void **state)
{
	struct lpm l = {0};
	int n = 0;

	for (uint8_t len = 0; len < 5; len++) {
		struct prefix p = {.len = len};

		assert_ok(lpm_set(&l, &p, &l, NULL));
	}
	assert_int_equal(lpm_each(&l, stop_at_second, &n), 42);
	assert_int_equal(n, 2);
	lpm_deinit(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest_wins),
		cmocka_unit_test(test_setting_replaces_and_removing_returns),
		cmocka_unit_test(test_random_changes_against_a_list),
		cmocka_unit_test(test_walk_can_be_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
