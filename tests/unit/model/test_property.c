/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties of the whole model under random operations: it agrees with a plain twin after each
 * change, after refusals and after undoing; what is stored loads to the same model; and the
 * differences sent to hosts add up to what they should have.
 */
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "model/choice_pass.h"
#include "model/edit.h"
#include "tests/unit/model/sinks.h"
#include "tests/unit/model/twin.h"
#include "tests/unit/model/walk.h"

enum { STEPS = 1500, SEEDS = 4, IN_FLIGHT = 12, CHECK_EVERY = 10 };

struct run {
	struct walk w;
	struct twin twin;
	size_t n_changes, n_reports;
	struct change *changes[IN_FLIGHT];     /* not committed yet, oldest first */
	struct sink_script scripts[IN_FLIGHT]; /* what each is to tell the hosts */
	struct sink_hosts hosts;
};

static void begin_passes(struct run *r, uint64_t seed, bool passes)
{
	memset(r, 0, sizeof(*r));
	if (passes)
		walk_init_passes(&r->w, seed);
	else
		walk_init(&r->w, seed);
	twin_init(&r->twin, r->w.c.m);
	sink_hosts_load(&r->hosts, r->w.c.m);
}

static void begin(struct run *r, uint64_t seed)
{
	begin_passes(r, seed, false);
}

/* Durable: the hosts hear of it. */
static void commit_oldest(struct run *r)
{
	sink_hosts_play(&r->hosts, &r->scripts[0]);
	sink_script_deinit(&r->scripts[0]);
	change_free(r->changes[0]);
	r->n_changes--;
	memmove(&r->changes[0], &r->changes[1], r->n_changes * sizeof(r->changes[0]));
	memmove(&r->scripts[0], &r->scripts[1], r->n_changes * sizeof(r->scripts[0]));
}

static void undo_newest(struct run *r)
{
	struct change *c = r->changes[--r->n_changes];

	twin_undo(&r->twin, c);
	change_undo(c);
	sink_script_deinit(&r->scripts[r->n_changes]);
}

static void finish(struct run *r)
{
	while (r->n_changes)
		commit_oldest(r);
	/* a walk that never gets anywhere proves nothing */
	assert_true(r->w.done[0] > STEPS / 5);
	assert_true(r->w.done[1] > STEPS / 5);
	sink_hosts_deinit(&r->hosts);
	twin_deinit(&r->twin);
	walk_deinit(&r->w);
}

static void keep(struct run *r, struct change *change)
{
	twin_apply(&r->twin, change);
	r->changes[r->n_changes] = change;
	sink_script_record(&r->scripts[r->n_changes], r->w.c.m, change);
	r->n_changes++;
}

/* One transaction of a few operations; some are refused inside it, some transactions are given
 * up. */
static void transact(struct run *r)
{
	uint64_t revision = model_revision(r->w.c.m);
	struct tx *tx = cluster_tx(&r->w.c);
	struct change *change;

	for (uint32_t n = 1 + walk_random(&r->w, 3); n; n--) {
		size_t mark = tx_mark(tx);

		if (walk_step(&r->w, tx)) /* refused: as if it had not been tried */
			assert_int_equal(tx_mark(tx), mark);
	}
	if (!walk_random(&r->w, 10)) {
		tx_abort(tx);
		assert_int_equal(model_revision(r->w.c.m), revision);
		return;
	}
	assert_int_equal(tx_end(tx, &change), 0);
	if (!change) {
		assert_int_equal(model_revision(r->w.c.m), revision);
		return;
	}
	assert_int_equal(change_revision(change), revision + 1);
	keep(r, change);
}

/* Whether there is one to be made. */
static bool has_stretches(struct run *r)
{
	return choice_pass_due(r->w.c.m) || host_report_due(r->w.c.m);
}

/* One of a report on its way to pairs, of a pass over all of them, or of what follows it. */
static void step_stretch(struct run *r)
{
	struct tx *tx = cluster_tx(&r->w.c);
	const size_t budget = walk_random(&r->w, 3);
	struct change *change;

	if (host_report_due(r->w.c.m) && (!choice_pass_due(r->w.c.m) || walk_random(&r->w, 2))) {
		assert_int_equal(host_report_step(tx, 1 + budget), 0);
		r->n_reports++;
	} else {
		assert_int_equal(choice_pass_step(tx, budget), 0);
	}
	assert_int_equal(tx_end(tx, &change), 0);
	if (change)
		keep(r, change);
}

static void step(struct run *r)
{
	if (r->w.c.choice_at_once && has_stretches(r) && walk_random(&r->w, 2))
		step_stretch(r);
	else
		transact(r);
	if (r->n_changes == IN_FLIGHT || !walk_random(&r->w, 3))
		for (uint32_t n = walk_random(&r->w, 4); n && r->n_changes; n--)
			commit_oldest(r);
	if (!walk_random(&r->w, 15))
		for (uint32_t n = walk_random(&r->w, IN_FLIGHT); n && r->n_changes; n--)
			undo_newest(r);
	while (r->n_changes == IN_FLIGHT)
		commit_oldest(r);
}

/* requirement: MAP-1 */
static void test_agrees_with_the_twin(void **state)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct run r;

		begin(&r, seed);
		for (int i = 0; i < STEPS; i++) {
			step(&r);
			if (i % CHECK_EVERY)
				continue;
			twin_check(&r.twin, r.w.c.m);
			twin_check_rules(&r.twin);
		}
		finish(&r);
	}
}

/* requirement: MAP-3 */
static void test_differences_add_up(void **state)
{
	/* the last four met what earlier plans did not tell */
	static const uint64_t seeds[] = {101, 102, 103, 104, 2001, 2006, 5109, 5257};

	size_t n_reports = 0;

	for (size_t n = 0; n < 2 * ARRAY_SIZE(seeds); n++) {
		struct run r;

		begin_passes(&r, seeds[n / 2], n % 2);
		r.w.watches = true;
		for (int i = 0; i < STEPS; i++) {
			step(&r);
			if (i % CHECK_EVERY)
				continue;
			while (r.n_changes)
				commit_oldest(&r);
			sink_hosts_check(&r.hosts, r.w.c.m);
		}
		n_reports += r.n_reports;
		finish(&r);
	}
	assert_true(n_reports > STEPS / 10);
}

static void load_record(struct model *to, const struct object *o)
{
	_cleanup_buf_ struct buf b;

	buf_init(&b, LIMIT_MODEL_RECORD_SIZE);
	record_encode(o, &b);
	assert_int_equal(buf_error(&b), 0);
	assert_int_equal(model_load(to, o->kind, o->id, buf_data(&b), buf_size(&b)), 0);
}

/* As a store's snapshot has them: by kind and id. */
static int compare_ids(const void *a, const void *b)
{
	const struct object *x = *(const struct object *const *)a;
	const struct object *y = *(const struct object *const *)b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* Loads all of the twin's objects, from a random place on, backwards or forwards, or by their ids;
 * and some again, as a log has them behind a snapshot. */
static struct model *reload(struct run *r)
{
	struct model_config config = {.region = "us-east-1", .ids = r->w.c.m->ids};
	size_t n = r->twin.n, start = walk_random(&r->w, (uint32_t)n);
	_cleanup_free_ const struct object **objects = calloc(n, sizeof(*objects));
	bool backwards = walk_random(&r->w, 2);
	struct model *m;

	assert_non_null(objects);
	for (size_t i = 0; i < n; i++)
		objects[i] = r->twin.objects[(start + (backwards ? n - i : i)) % n];
	if (walk_random(&r->w, 2))
		qsort(objects, n, sizeof(*objects), compare_ids);
	assert_int_equal(prefix_parse("fd56:6961::/32", &config.organisation), 0);
	assert_int_equal(model_new(&config, &m), 0);
	for (size_t i = 0; i < n; i++)
		load_record(m, objects[i]);
	for (uint32_t again = walk_random(&r->w, 10); again; again--)
		load_record(m, objects[walk_random(&r->w, (uint32_t)n)]);
	assert_int_equal(model_load_end(m, model_revision(r->w.c.m)), 0);
	return m;
}

/* requirement: MAP-1 */
static void test_what_is_stored_loads_to_the_same(void **state)
{
	struct run r;

	begin(&r, 77);
	r.w.watches = true;
	for (int i = 0; i < STEPS; i++) {
		struct model *m;

		step(&r);
		if (i % 100)
			continue;
		m = reload(&r);
		twin_check(&r.twin, m);
		assert_int_equal(model_revision(m), model_revision(r.w.c.m));
		model_free(m);
	}
	finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agrees_with_the_twin),
		cmocka_unit_test(test_differences_add_up),
		cmocka_unit_test(test_what_is_stored_loads_to_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
