/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios of hosts that start anew, and so have lost which vectors they used and took (NEG-11):
 * manager and whole agents, with notifications that are late, overtake each other or are lost, and
 * managers that restart in the middle.
 *
 *	h1 <-- all is sealed --> h2 <-- all is sealed --> h3 <-- all is sealed --> h1
 *
 * In all of them, at each step: no host uses, for anything, a key that it used in a former life;
 * nothing is sent or taken in the clear; and in the end each seals with what the other opens.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "cluster.h"
#include "model/choice_policy.h"
#include "model/host_key.h"

enum { HOSTS = 3, STEP_MS = 100, KEYS_MAX = 4096 };

static const struct caller the_operator = {.is_operator = true};

enum trouble {
	TROUBLE_NONE,
	TROUBLE_LATE, /* what goes to one host overtakes what goes to another */
	TROUBLE_CUT,  /* the n-th frame from now on never arrives, for the connection breaks */
};

struct fixture;

struct end {
	struct fixture *fixture;
	uint64_t busy_ns[2];
};

/* A host has used the key. */
struct use {
	size_t host;
	uint64_t incarnation;
	uint8_t key[SEAL_KEY_SIZE];
};

struct fixture {
	struct cluster c;
	struct end ends[HOSTS];
	enum trouble trouble;
	int cut_after;
	size_t n_cuts;
	uint32_t seed;
	uint64_t last; /* incarnation */
	size_t n_uses;
	struct use uses[KEYS_MAX];
};

static uint32_t dice(struct fixture *f, uint32_t n)
{
	f->seed = f->seed * 1103515245 + 12345;
	return (f->seed >> 8) % n;
}

static int64_t troubled(enum pair_direction direction, const Viaduct__Agent__Frame *frame,
			void *arg)
{
	struct end *e = arg;
	struct fixture *f = e->fixture;
	uint64_t now = clock_mono_ns(&f->c.w->clock), at = now;

	if (f->trouble == TROUBLE_CUT && !f->cut_after--) {
		f->n_cuts++;
		return PAIR_CUT;
	}
	if (f->trouble == TROUBLE_LATE)
		at += dice(f, 3000) * CLOCK_NS_PER_MS;
	if (at < e->busy_ns[direction])
		at = e->busy_ns[direction];
	e->busy_ns[direction] = at;
	return (int64_t)(at - now);
}

static int dial(void *arg, size_t host, const struct session_callbacks *callbacks, void *user,
		struct session **ret)
{
	struct fixture *f = arg;
	int r = world_dial(f->c.w, host, callbacks, user, ret);

	if (!r) {
		pair_set_fault(f->c.w->pairs[host], troubled, &f->ends[host]);
		memset(f->ends[host].busy_ns, 0, sizeof(f->ends[host].busy_ns));
	}
	return r;
}

/* ---- what has to be so at each step ---- */

static void note_use(struct fixture *f, size_t host, uint64_t incarnation, const uint8_t *key)
{
	for (size_t i = 0; i < f->n_uses; i++) {
		const struct use *u = &f->uses[i];

		if (u->host != host || memcmp(u->key, key, SEAL_KEY_SIZE))
			continue;
		if (u->incarnation != incarnation)
			fail_msg("h%zu uses a key as %ju that it used as %ju", host + 1,
				 (uintmax_t)incarnation, (uintmax_t)u->incarnation);
		return;
	}
	assert_true(f->n_uses < KEYS_MAX);
	f->uses[f->n_uses] = (struct use){.host = host, .incarnation = incarnation};
	memcpy(f->uses[f->n_uses++].key, key, SEAL_KEY_SIZE);
}

static void check_of(struct fixture *f, size_t self, size_t peer)
{
	struct scenario_sealing s;

	if (!scenario_host_sealing(f->c.hosts[self], f->c.w->numbers[peer], &s))
		return;
	assert_false(s.clear);
	if (s.seals)
		note_use(f, self, s.incarnation, s.key);
	for (size_t i = 0; i < s.n_opens; i++)
		note_use(f, self, s.incarnation, s.opens[i]);
}

static void check(struct fixture *f)
{
	for (size_t self = 0; self < HOSTS; self++)
		for (size_t peer = 0; peer < HOSTS; peer++)
			if (self != peer)
				check_of(f, self, peer);
}

static void flow(struct fixture *f, size_t ms)
{
	for (size_t at = 0; at < ms; at += STEP_MS) {
		world_advance(f->c.w, STEP_MS);
		check(f);
	}
}

static bool fits(struct fixture *f, size_t from, size_t to)
{
	struct scenario_sealing a, b;

	if (!scenario_host_sealing(f->c.hosts[from], f->c.w->numbers[to], &a) ||
	    !scenario_host_sealing(f->c.hosts[to], f->c.w->numbers[from], &b) || !a.seals)
		return false;
	for (size_t i = 0; i < b.n_opens; i++)
		if (!memcmp(a.key, b.opens[i], SEAL_KEY_SIZE))
			return true;
	return false;
}

static bool all_fit(struct fixture *f)
{
	bool fit = true;

	for (size_t from = 0; from < HOSTS; from++)
		for (size_t to = 0; to < HOSTS; to++)
			fit &= from == to || fits(f, from, to);
	return fit;
}

static bool is_settled(struct fixture *f)
{
	const struct model *m = f->c.w->manager->model;

	for (size_t i = 0; i < HOSTS; i++) {
		struct scenario_sealing s;

		(void)scenario_host_sealing(f->c.hosts[i], 0, &s);
		if (host_by_number(m, f->c.w->numbers[i])->can.incarnation != s.incarnation)
			return false;
	}
	return !model_count(m, KIND_PAIR_SHIFT) && !host_report_due(m) && all_fit(f);
}

static void settles(struct fixture *f)
{
	f->trouble = TROUBLE_NONE;
	for (size_t ms = 0; ms < 300000 && !is_settled(f); ms += STEP_MS)
		flow(f, STEP_MS);
	assert_true(is_settled(f));
	flow(f, 1000);
	assert_true(is_settled(f));
}

/* ---- the cluster ---- */

static void reboot(struct fixture *f, size_t host)
{
	scenario_host_reboot(f->c.hosts[host], ++f->last);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *words[] = {"crypt"};
	const struct choice_policy_args args = {
		.name = "seal", .effect = "require", .what = words, .n_what = 1};
	const struct choice_policy *p;

	f->seed = 1;
	for (size_t i = 0; i < HOSTS; i++)
		f->ends[i].fixture = f;
	cluster_init(&f->c, HOSTS, dial, f);
	WORLD_DO(f->c.w, choice_policy_create(tx, &the_operator, &args, &p, &refusal));
	for (size_t ms = 0; ms < 60000 && !all_fit(f); ms += STEP_MS)
		world_advance(f->c.w, STEP_MS);
	world_advance(f->c.w, 10000);
	for (size_t i = 0; i < HOSTS; i++)
		reboot(f, i); /* until then they have said none */
	settles(f);
	*state = f;
	return 0;
}

/* As in a large cluster: what a host says reaches its pairs one after the other. */
static int setup_in_steps(void **state)
{
	struct fixture *f;

	(void)setup(state);
	f = *state;
	f->c.w->choice_at_once = 1;
	world_restart_manager(f->c.w);
	settles(f);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	cluster_deinit(&f->c);
	free(f);
	return 0;
}

/* ---- scenarios ---- */

/* requirement: NEG-6, NEG-11 */
static void a_host_that_starts_anew_has_other_keys(void **state)
{
	struct fixture *f = *state;
	struct scenario_sealing was, is;
	const uint32_t peer = f->c.w->numbers[1];

	assert_true(scenario_host_sealing(f->c.hosts[0], peer, &was));
	reboot(f, 0);
	settles(f);
	assert_true(scenario_host_sealing(f->c.hosts[0], peer, &is));
	assert_true(was.seals && is.seals && was.n_opens == 1 && is.n_opens == 1);
	assert_memory_not_equal(was.key, is.key, SEAL_KEY_SIZE);
	assert_memory_not_equal(was.opens[0], is.opens[0], SEAL_KEY_SIZE);
	/* an agent that restarts has what it had */
	scenario_host_kill(f->c.hosts[0]);
	flow(f, 500);
	scenario_host_start(f->c.hosts[0]);
	settles(f);
	assert_true(scenario_host_sealing(f->c.hosts[0], peer, &was));
	assert_memory_equal(was.key, is.key, SEAL_KEY_SIZE);
}

/* requirement: NEG-6, NEG-11 */
static void so_has_one_whose_agent_finds_out_later(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		scenario_host_incarnate(f->c.hosts[1], ++f->last);
		settles(f);
	}
	/* while it has no manager */
	f->c.w->unreachable = true;
	world_disconnect(f->c.w, 1);
	flow(f, 1000);
	scenario_host_incarnate(f->c.hosts[1], ++f->last);
	flow(f, 1000);
	assert_false(all_fit(f));
	f->c.w->unreachable = false;
	settles(f);
}

/* The first, the second, ... of all frames that it takes. */
/* requirement: NEG-8, NEG-11 */
static void whatever_is_lost(void **state)
{
	struct fixture *f = *state;

	for (int n = 0; n < 24; n++) {
		f->trouble = TROUBLE_CUT;
		f->cut_after = n;
		reboot(f, (size_t)n % HOSTS);
		flow(f, 6000);
		settles(f);
	}
	assert_true(f->n_cuts >= 20);
}

static void rotate(struct fixture *f, size_t i)
{
	WORLD_DO(f->c.w, host_key_rotate_asked(tx, &the_operator, f->c.w->host_ids[i], &refusal));
}

/* requirement: NEG-8, NEG-11 */
static void whatever_overtakes_what(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 40; i++) {
		f->trouble = TROUBLE_LATE;
		reboot(f, dice(f, HOSTS));
		flow(f, dice(f, 40) * STEP_MS);
		if (dice(f, 2))
			rotate(f, dice(f, HOSTS));
		if (dice(f, 3))
			continue;
		settles(f);
	}
	settles(f);
}

/* After each step of the way. */
/* requirement: NEG-11, OPS-3 */
static void whenever_the_manager_restarts(void **state)
{
	struct fixture *f = *state;

	for (size_t at = 0; at <= LIMIT_MODEL_SHIFT_GRACE_MS + 1000; at += STEP_MS) {
		reboot(f, at / STEP_MS % HOSTS);
		if (at / STEP_MS % 2)
			flow(f, at);
		else /* in the middle of a step */
			for (size_t i = 0; i < at / STEP_MS; i++)
				assert_int_equal(loop_turn(f->c.w->loop, 1), 0);
		world_restart_manager(f->c.w);
		settles(f);
	}
}

/* Nothing of it is durable, and is said again.  requirement: NEG-11, OPS-3 */
static void and_when_its_disk_hangs(void **state)
{
	struct fixture *f = *state;

	world_hang_disk(f->c.w, true);
	reboot(f, 0);
	flow(f, 5000);
	assert_false(all_fit(f));
	world_hang_disk(f->c.w, false);
	settles(f);
}

/* requirement: NEG-8, NEG-11 */
static void beside_hosts_of_an_earlier_build(void **state)
{
	struct fixture *f = *state;

	scenario_host_reboot(f->c.hosts[2], 0);
	f->n_uses = 0; /* it may take what it took: it does not know better */
	for (size_t ms = 0; ms < 60000 && !is_settled(f); ms += STEP_MS)
		world_advance(f->c.w, STEP_MS);
	assert_true(is_settled(f));
	for (int i = 0; i < 4; i++) {
		reboot(f, (size_t)i % 2);
		settles(f);
	}
	reboot(f, 2); /* and has the build that does */
	settles(f);
}

int main(void)
{
#define SCENARIO(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define IN_STEPS(fn)                                                                               \
	{                                                                                          \
#fn " in steps", fn, setup_in_steps, teardown, NULL                                \
	}
	const struct CMUnitTest tests[] = {
		SCENARIO(a_host_that_starts_anew_has_other_keys),
		SCENARIO(so_has_one_whose_agent_finds_out_later),
		SCENARIO(whatever_is_lost),
		SCENARIO(whatever_overtakes_what),
		SCENARIO(whenever_the_manager_restarts),
		SCENARIO(and_when_its_disk_hangs),
		SCENARIO(beside_hosts_of_an_earlier_build),
		IN_STEPS(a_host_that_starts_anew_has_other_keys),
		IN_STEPS(whatever_is_lost),
		IN_STEPS(whatever_overtakes_what),
		IN_STEPS(whenever_the_manager_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
