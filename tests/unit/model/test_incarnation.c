/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts that have lost what they knew of their keys: which keys their peers and they are told, and
 * when.  Three hosts that talk to nobody in the clear.
 */
#include <string.h>

#include "base/limits.h"
#include "model/host_key.h"
#include "model/pair_shift.h"
#include "tests/unit/model/cluster.h"

enum { HOSTS = 3 };
#define CRYPT FEATURE_BIT(FEATURE_CRYPT_2)

static struct cluster c;
static uint64_t incarnations[HOSTS];

static const struct host *host(size_t i)
{
	return host_by_number(c.m, c.hosts[i]);
}

static void report_with(size_t i, uint64_t incarnation, const char *error)
{
	struct capabilities can = {.formats = FORMAT_BIT(FORMAT_SIIT_2),
				   .substrate_mtu = 1500,
				   .probed_ms = c.now_ms,
				   .features = CRYPT,
				   .required_features = CRYPT,
				   .error = (char *)(uintptr_t)error,
				   .incarnation = incarnation};

	incarnations[i] = incarnation;
	assert_ok(cluster_end(&c, host_report(cluster_tx(&c), c.hosts[i], &can, &c.refusal)));
}

static void report(size_t i, uint64_t incarnation)
{
	report_with(i, incarnation, NULL);
}

static void step(void)
{
	assert_ok(cluster_end(&c, host_report_step(cluster_tx(&c), 1)));
}

static void finish(void)
{
	for (int i = 0; host_report_due(c.m); i++) {
		assert_true(i < 100);
		step();
	}
}

static void acknowledge(size_t i)
{
	assert_ok(cluster_end(&c, host_acknowledge(cluster_tx(&c), c.hosts[i], model_revision(c.m),
						   NULL, 0, &c.refusal)));
}

static void set_up_with(size_t choice_at_once)
{
	cluster_init_passes(&c, HOSTS, choice_at_once);
	for (size_t i = 0; i < HOSTS; i++) {
		report(i, 100 + i);
		finish();
	}
	cluster_settle_choices(&c);
}

static int set_up(void **state)
{
	set_up_with(100);
	return 0;
}

static int set_up_in_steps(void **state)
{
	set_up_with(1);
	return 0;
}

static int tear_down(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static struct choice choice(size_t self, size_t peer)
{
	struct choice ret;

	pair_choice(c.m, host(self), host(peer), &pair_all, &ret);
	return ret;
}

static bool opens(size_t self, size_t peer, const struct pair_key *key)
{
	struct choice ch = choice(self, peer);

	for (size_t i = 0; i < ch.n_accepts; i++)
		if (pair_key_equal(&ch.accepts[i].key, key))
			return true;
	return false;
}

static bool sends_with(size_t self, size_t peer, const struct pair_key *key)
{
	struct choice ch = choice(self, peer);

	return ch.send == FORMAT_SIIT_2 && pair_key_equal(&ch.send_key, key);
}

/* Whatever happens: nobody is told a key that is not for what he is now, nothing is in the clear,
 * and what a host sends was not sent by one of its former incarnations. */
static void check(void)
{
	for (size_t self = 0; self < HOSTS; self++)
		for (size_t peer = 0; peer < HOSTS; peer++) {
			struct choice ch = self == peer ? (struct choice){0} : choice(self, peer);

			if (ch.send != FORMAT_NONE) {
				assert_true(ch.send_features == CRYPT);
				assert_true(ch.send_key.sender == incarnations[self]);
			}
			for (size_t i = 0; i < ch.n_accepts; i++) {
				assert_true(ch.accepts[i].features == CRYPT);
				assert_true(ch.accepts[i].key.receiver == incarnations[self]);
			}
		}
}

/* What each sends, the other opens, and both are what they are now. */
static bool fits(size_t from, size_t to)
{
	struct choice ch = choice(from, to);

	return ch.send == FORMAT_SIIT_2 && ch.send_key.sender == incarnations[from] &&
	       ch.send_key.receiver == incarnations[to] && opens(to, from, &ch.send_key);
}

static bool all_fit(void)
{
	bool fit = true;

	for (size_t from = 0; from < HOSTS; from++)
		for (size_t to = 0; to < HOSTS; to++)
			fit &= from == to || fits(from, to);
	return fit;
}

/* requirement: NEG-6, NEG-8, NEG-11 */
static void test_all_keys_to_and_from_it_are_others(void **state)
{
	const struct pair_key in = choice(1, 0).send_key, out = choice(0, 1).send_key,
			      others = choice(1, 2).send_key;

	assert_true(all_fit());
	c.now_ms += 5000;
	report(0, 7);
	check();
	/* it is not told what was, and sends nothing until the others have what it will seal with */
	assert_false(opens(0, 1, &in));
	assert_int_equal(choice(0, 1).send, FORMAT_NONE);
	assert_non_null(strstr(choice(0, 1).reason, "nothing until h2 has its new key"));
	/* they go on as they did, and open both */
	assert_true(sends_with(1, 0, &in));
	assert_int_equal(choice(1, 0).send_keyed_ms, 0);
	assert_true(opens(1, 0, &out));
	acknowledge(0);
	check();
	assert_true(fits(1, 0));
	assert_int_not_equal(choice(1, 0).send_key.epoch, in.epoch);
	assert_true(choice(1, 0).send_keyed_ms == c.now_ms);
	assert_int_equal(choice(0, 1).send, FORMAT_NONE);
	acknowledge(1);
	check();
	assert_true(fits(0, 1));
	assert_int_not_equal(choice(0, 1).send_key.epoch, out.epoch);
	assert_true(choice(0, 1).send_keyed_ms == c.now_ms);
	assert_true(opens(1, 0, &out)); /* on its way, perhaps */
	cluster_settle_choices(&c);
	assert_true(all_fit());
	assert_false(opens(1, 0, &out));
	assert_true(sends_with(1, 2, &others));
	/* the same again is nothing new */
	report(0, 7);
	assert_int_equal(model_count(c.m, KIND_PAIR_SHIFT), 0);
}

/* It says so though it has found out nothing else, and before it carries anything. */
/* requirement: NEG-11 */
static void test_also_with_a_probe_that_failed(void **state)
{
	report_with(0, 7, "no memory");
	check();
	cluster_settle_choices(&c);
	assert_true(all_fit());
}

/* The age of what it seals with begins anew, so no rotation is due at once.
 * requirement: NEG-11 */
static void test_keys_are_as_old_as_the_incarnation(void **state)
{
	c.now_ms += 100000;
	report(0, 7);
	assert_true(host_keyed_ms(host(0)) == c.now_ms);
	assert_true(host_keyed_ms(host(1)) < c.now_ms);
}

/* In the middle of a change of keys of either end, at each step of it, with restarts of the manager,
 * and of one host after the other. */
/* requirement: NEG-6, NEG-8, NEG-11, OPS-3 */
static void test_at_any_moment(void **state)
{
	uint64_t next = 1000, seed = 1;

	for (int round = 0; round < 400; round++) {
		size_t i;

		seed = seed * 6364136223846793005 + 1442695040888963407;
		i = (size_t)(seed >> 40) % HOSTS;
		switch ((seed >> 50) % 8) {
		case 0:
			report(i, next++);
			break;
		case 1:
			if (!host_is_changing(c.m, c.hosts[i]))
				assert_ok(
					cluster_end(&c, host_key_rotate(cluster_tx(&c), host(i))));
			break;
		case 2:
			c.now_ms += LIMIT_MODEL_SHIFT_GRACE_MS;
			assert_ok(cluster_end(
				&c, pair_shift_tick(cluster_tx(&c), 100, &(uint32_t){0})));
			break;
		case 3:
			cluster_restart(&c);
			break;
		case 4:
			step();
			break;
		default:
			acknowledge(i);
		}
		check();
		if (round % 20)
			continue;
		finish();
		cluster_settle_choices(&c);
		assert_true(all_fit());
	}
}

/* Pairs are reached one after the other; none uses what is over meanwhile.
 * requirement: NEG-11, OPS-3 */
static void test_pairs_follow_one_after_another(void **state)
{
	report(1, 7);
	check();
	assert_true(host_is_changing(c.m, c.hosts[1]));
	assert_int_equal(model_count(c.m, KIND_PAIR_SHIFT), 0);
	step();
	check();
	assert_true(host_is_changing(c.m, c.hosts[1]));
	assert_int_equal(model_count(c.m, KIND_PAIR_SHIFT), 2);
	cluster_restart(&c);
	check();
	finish();
	cluster_settle_choices(&c);
	assert_true(all_fit());
}

/* An agent that is replaced by one that knows incarnations, and back: each end goes on with the key
 * that it has until there is the next one.  requirement: NEG-8, NEG-11, OPS-3 */
static void test_hosts_that_say_none(void **state)
{
	struct pair_key key;

	for (size_t i = 0; i < HOSTS; i++)
		report(i, 0);
	cluster_settle_choices(&c);
	key = choice(0, 1).send_key;
	assert_true(!key.sender && !key.receiver);
	assert_true(opens(1, 0, &key));
	report(0, 7);
	assert_true(sends_with(0, 1, &key));
	assert_true(opens(1, 0, &key));
	key = choice(1, 0).send_key;
	assert_true(opens(0, 1, &key));
	cluster_settle_choices(&c);
	assert_true(all_fit());
	key = choice(0, 1).send_key;
	assert_true(key.sender == 7 && !key.receiver);
	report(1, 8);
	assert_true(opens(1, 0, &key));
	cluster_settle_choices(&c);
	assert_true(all_fit());
	report(0, 0);
	check();
	cluster_settle_choices(&c);
	assert_true(all_fit());
}

/* Nothing waits for what nobody can take any more: requirement: NEG-8 */
static void test_what_is_over_holds_nothing_up(void **state)
{
	const struct terms old = {.format = 1, .key = {1, 5, 6}},
			   next = {.format = 1, .key = {2, 5, 6}},
			   other = {.format = 1, .key = {3, 5, 7}};
	struct shift s = shift_settled(&old);

	assert_true(shift_wish(&s, &next, 10));
	assert_true(shift_receiver_acknowledged(&s, 10, 11));
	assert_true(shift_sender_acknowledged(&s, 11, 5000, 12));
	assert_true(s.past.set);
	assert_true(shift_wish(&s, &other, 20));
	assert_true(terms_equal(shift_send(&s), &next));
	assert_true(shift_receiver_acknowledged(&s, 20, 21));
	assert_true(terms_equal(shift_send(&s), &other));
	/* but for a key of the same receiver it does */
	s = shift_settled(&old);
	assert_true(shift_wish(&s, &next, 10));
	assert_true(shift_receiver_acknowledged(&s, 10, 11));
	assert_true(shift_sender_acknowledged(&s, 11, 5000, 12));
	assert_true(shift_wish(&s, &old, 20));
	assert_true(shift_receiver_acknowledged(&s, 20, 21));
	assert_true(terms_equal(shift_send(&s), &next));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_keys_to_and_from_it_are_others, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_also_with_a_probe_that_failed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_keys_are_as_old_as_the_incarnation, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_at_any_moment, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_at_any_moment, set_up_in_steps, tear_down),
		cmocka_unit_test_setup_teardown(test_pairs_follow_one_after_another,
						set_up_in_steps, tear_down),
		cmocka_unit_test_setup_teardown(test_hosts_that_say_none, set_up, tear_down),
		cmocka_unit_test(test_what_is_over_holds_nothing_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
