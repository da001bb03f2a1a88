/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs on the workers' threads: which wait for each other, which do not, and how they are
 * halted. */
#include "driver/workers.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include "base/limits.h"
#include "tests/unit/test.h"

enum { JOBS_MAX = 64, PATIENCE_TURNS = 6000, TURN_MS = 10 };

struct rig {
	struct clock clock;
	struct loop *loop;
	struct driver driver;
	struct driver_workers *workers;
	pthread_t loop_thread;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock: */
	size_t n_begun, n_ended;
	bool open; /* the gate */
	/* The loop's: */
	size_t n_done;
};

struct job {
	struct driver_job job; /* first */
	struct rig *rig;
	bool waits;                /* for the gate */
	size_t waits_for;          /* so many to have begun */
	size_t begun, ended, done; /* counting from 1; 0: not yet */
	bool off_loop;
};

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	clock_init_real(&r->clock);
	assert_ok(loop_new(&r->clock, &r->loop));
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	r->loop_thread = pthread_self();
	assert_ok(driver_workers_new(&r->driver, r->loop, &r->workers));
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	driver_workers_free(r->workers);
	loop_free(r->loop);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
	return 0;
}

static void run(struct driver_job *job, struct driver *d)
{
	struct job *j = container_of(job, struct job, job);
	struct rig *r = j->rig;

	pthread_mutex_lock(&r->lock);
	j->begun = ++r->n_begun;
	j->off_loop = d == &r->driver && !pthread_equal(pthread_self(), r->loop_thread);
	pthread_cond_broadcast(&r->changed);
	while ((j->waits && !r->open) || r->n_begun < j->waits_for)
		pthread_cond_wait(&r->changed, &r->lock);
	j->ended = ++r->n_ended;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

static void done(struct driver_job *job)
{
	struct job *j = container_of(job, struct job, job);

	assert_true(pthread_equal(pthread_self(), j->rig->loop_thread));
	j->done = ++j->rig->n_done;
}

static void submit(struct rig *r, struct job *j, const char *node)
{
	j->rig = r;
	j->job = (struct driver_job){.node = node, .run = run, .done = done};
	driver_workers_submit(r->workers, &j->job);
}

static void open_gate(struct rig *r)
{
	pthread_mutex_lock(&r->lock);
	r->open = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

static void wait_done(struct rig *r, size_t n)
{
	for (int i = 0; r->n_done < n && i < PATIENCE_TURNS; i++)
		assert_ok(loop_turn(r->loop, TURN_MS));
	assert_int_equal(r->n_done, n);
}

static void wait_begun(struct rig *r, size_t n)
{
	pthread_mutex_lock(&r->lock);
	while (r->n_begun < n)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
}

/* requirement: NODE-1 */
static void test_a_job_that_hangs_holds_up_no_other_node(void **state)
{
	struct rig *r = *state;
	struct job hanging = {.waits = true}, others[JOBS_MAX] = {0};
	char names[JOBS_MAX][8];

	submit(r, &hanging, "i-0");
	wait_begun(r, 1);
	for (size_t i = 0; i < JOBS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "i-%zu", i + 1);
		submit(r, &others[i], names[i]);
	}
	wait_done(r, JOBS_MAX);
	assert_int_equal(hanging.ended, 0);
	for (size_t i = 0; i < JOBS_MAX; i++)
		assert_true(others[i].off_loop && others[i].done);
	open_gate(r);
	wait_done(r, JOBS_MAX + 1);
}

/* requirement: NODE-1 */
static void test_jobs_of_a_node_go_one_after_another(void **state)
{
	struct rig *r = *state;
	struct job a[JOBS_MAX] = {0}, b = {0};

	a[0].waits = true;
	for (size_t i = 0; i < JOBS_MAX; i++)
		submit(r, &a[i], "i-a");
	submit(r, &b, "i-b");
	wait_done(r, 1);
	assert_int_equal(b.done, 1); /* behind all of them, and before they go on */
	assert_int_equal(a[1].begun, 0);
	open_gate(r);
	wait_done(r, JOBS_MAX + 1);
	for (size_t i = 1; i < JOBS_MAX; i++) {
		assert_true(a[i].begun > a[i - 1].begun && a[i].ended > a[i - 1].ended);
		assert_true(a[i].done > a[i - 1].done);
	}
}

/* As many at a time as there are threads: each waits until all have begun. */
static void test_nodes_are_dealt_with_side_by_side(void **state)
{
	static const char *const names[] = {"i-1", "i-2", "i-3", "i-4"};
	struct rig *r = *state;
	struct job jobs[LIMIT_DRIVER_WORKERS] = {0};

	_Static_assert(LIMIT_DRIVER_WORKERS == 4, "a name for each");
	for (size_t i = 0; i < LIMIT_DRIVER_WORKERS; i++) {
		jobs[i].waits_for = LIMIT_DRIVER_WORKERS;
		submit(r, &jobs[i], names[i]);
	}
	wait_done(r, LIMIT_DRIVER_WORKERS);
}

/* Opens the gate when the job is in no list any more: halting has dropped it. */
static void *open_later(void *data)
{
	struct job *dropped = data;
	struct list *link = &dropped->job.link;

	while (__atomic_load_n(&link->next, __ATOMIC_ACQUIRE) != link)
		sched_yield();
	open_gate(dropped->rig);
	return NULL;
}

/* requirement: OPS-3 */
static void test_halting_waits_for_what_runs_and_drops_the_rest(void **state)
{
	struct rig *r = *state;
	struct job running = {.waits = true}, waiting = {0}, again = {0};
	pthread_t thread;

	submit(r, &running, "i-1");
	submit(r, &waiting, "i-1");
	wait_begun(r, 1);
	assert_int_equal(pthread_create(&thread, NULL, open_later, &waiting), 0);
	driver_workers_halt(r->workers);
	pthread_join(thread, NULL);
	assert_int_equal(running.ended, 1);
	assert_int_equal(waiting.begun, 0);
	/* Neither is heard of again; what comes then is. */
	submit(r, &again, "i-1");
	wait_done(r, 1);
	assert_int_equal(again.done, 1);
	assert_int_equal(running.done + waiting.done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_a_job_that_hangs_holds_up_no_other_node),
		TEST(test_jobs_of_a_node_go_one_after_another),
		TEST(test_nodes_are_dealt_with_side_by_side),
		TEST(test_halting_waits_for_what_runs_and_drops_the_rest),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
