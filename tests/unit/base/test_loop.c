/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: timers in virtual and real time, deferred calls, descriptors, threads, signals. */
#include "base/loop.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"

struct fixture {
	struct clock clock;
	struct loop *loop;
	char trace[256]; /* what happened, a letter each */
};

static void note(struct fixture *f, char c)
{
	size_t n = strlen(f->trace);

	assert_true(n + 1 < sizeof(f->trace));
	f->trace[n] = c;
	f->trace[n + 1] = '\0';
}

static int setup(void **state, bool manual)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (manual)
		clock_init_manual(&f->clock, 0, 0);
	else
		clock_init_real(&f->clock);
	*state = f;
	return loop_new(&f->clock, &f->loop);
}

static int setup_manual(void **state)
{
	return setup(state, true);
}

static int setup_real(void **state)
{
	return setup(state, false);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	f->loop = loop_free(f->loop);
	free(f);
	return 0;
}

struct lettered {
	struct timer timer;
	struct deferred deferred;
	struct fixture *f;
	char letter;
	uint64_t fired_ns;
	int n_again; /* how often to go on */
	uint64_t again_ns;
};

static void on_timer(struct timer *t, void *data)
{
	struct lettered *l = data;

	assert_false(timer_armed(t));
	l->fired_ns = clock_mono_ns(loop_clock(l->f->loop));
	note(l->f, l->letter);
	if (l->n_again-- > 0 && l->again_ns)
		timer_arm_in(t, l->again_ns);
	else if (l->n_again >= 0)
		timer_arm_at(t, 0); /* overdue already */
}

static struct lettered *timers_make(struct fixture *f, const char *letters)
{
	struct lettered *l = calloc(strlen(letters), sizeof(*l));

	for (size_t i = 0; letters[i]; i++) {
		l[i] = (struct lettered){.f = f, .letter = letters[i]};
		timer_init(&l[i].timer, f->loop, on_timer, &l[i]);
	}
	return l;
}

static void test_virtual_timers_fire_in_order_at_their_time(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ struct lettered *l = timers_make(f, "abcdx");

	timer_arm_in(&l[2].timer, 30);
	timer_arm_in(&l[0].timer, 10);
	timer_arm_in(&l[1].timer, 20);
	timer_arm_in(&l[3].timer, 30); /* the same time, armed later */
	timer_arm_in(&l[4].timer, 25);
	timer_disarm(&l[4].timer);
	assert_ok(loop_advance(f->loop, 9));
	assert_string_equal(f->trace, "");
	assert_ok(loop_advance(f->loop, 1));
	assert_string_equal(f->trace, "a");
	assert_ok(loop_advance(f->loop, 1000));
	assert_string_equal(f->trace, "abcd");
	assert_int_equal(l[1].fired_ns, 20);
	assert_int_equal(l[3].fired_ns, 30);
	assert_int_equal(clock_mono_ns(&f->clock), 1010);
}

static void test_virtual_timer_rearmed_fires_on_the_way(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ struct lettered *l = timers_make(f, "pq");

	l[0].n_again = 100;
	l[0].again_ns = 10;
	timer_arm_in(&l[0].timer, 10);
	timer_arm_in(&l[1].timer, 25);
	assert_ok(loop_advance(f->loop, 40));
	assert_string_equal(f->trace, "ppqpp");
	timer_arm_in(&l[0].timer, 1000); /* replaces the deadline */
	assert_ok(loop_advance(f->loop, 900));
	assert_string_equal(f->trace, "ppqpp");
	assert_true(timer_armed(&l[0].timer));
	timer_deinit(&l[0].timer);
	timer_deinit(&l[0].timer);
	assert_ok(loop_advance(f->loop, 900));
	assert_string_equal(f->trace, "ppqpp");
}

static void on_deferred(struct deferred *d, void *data)
{
	struct lettered *l = data;

	note(l->f, l->letter);
	if (l->n_again-- > 0)
		deferred_schedule(d);
}

static void schedule_deferred(struct timer *t, void *data)
{
	struct lettered *l = data;

	note(l->f, 't');
	deferred_schedule(&l->deferred);
	deferred_schedule(&l->deferred);
	note(l->f, '.');
}

static void test_deferred_runs_once_at_the_end_of_the_iteration(void **state)
{
	struct fixture *f = *state;
	struct lettered l = {.f = f, .letter = 'd'}, gone = {.f = f, .letter = 'g'};

	timer_init(&l.timer, f->loop, schedule_deferred, &l);
	deferred_init(&l.deferred, f->loop, on_deferred, &l);
	deferred_init(&gone.deferred, f->loop, on_deferred, &gone);
	deferred_schedule(&gone.deferred);
	deferred_cancel(&gone.deferred);
	timer_arm_in(&l.timer, 1);
	assert_ok(loop_advance(f->loop, 1));
	assert_string_equal(f->trace, "t.d");
	l.n_again = 2;
	deferred_schedule(&l.deferred);
	assert_ok(loop_turn(f->loop, 0));
	assert_string_equal(f->trace, "t.dd"); /* one per iteration */
	assert_ok(loop_turn(f->loop, 10000));  /* does not wait */
	assert_string_equal(f->trace, "t.ddd");
	assert_ok(loop_settle(f->loop));
	assert_string_equal(f->trace, "t.dddd");
	deferred_deinit(&l.deferred);
}

static void spin(struct deferred *d, void *data)
{
	deferred_schedule(d);
}

static void test_a_loop_that_never_settles_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct deferred d;

	deferred_init(&d, f->loop, spin, NULL);
	deferred_schedule(&d);
	assert_error(loop_settle(f->loop), ELOOP);
	deferred_deinit(&d);
	assert_ok(loop_settle(f->loop));
}

struct ends {
	struct fixture *f;
	struct watch watch;
	int fds[2];
};

static void on_readable(struct watch *w, unsigned int ready, void *data)
{
	struct ends *e = data;
	char c;

	assert_int_equal(ready, WATCH_READ);
	assert_int_equal(read(w->fd, &c, 1), 1);
	note(e->f, c);
	if (c == '!')
		watch_deinit(w);
}

static void test_watch_reads_until_told_otherwise(void **state)
{
	struct fixture *f = *state;
	struct ends e = {.f = f};

	assert_int_equal(pipe2(e.fds, O_NONBLOCK), 0);
	assert_ok(watch_init(&e.watch, f->loop, e.fds[0], WATCH_READ, on_readable, &e));
	assert_ok(loop_settle(f->loop));
	assert_int_equal(write(e.fds[1], "abc", 3), 3);
	assert_ok(loop_settle(f->loop));
	assert_string_equal(f->trace, "abc");
	assert_ok(watch_set(&e.watch, 0));
	assert_int_equal(write(e.fds[1], "d!e", 3), 3);
	assert_ok(loop_settle(f->loop));
	assert_string_equal(f->trace, "abc");
	assert_ok(watch_set(&e.watch, WATCH_READ));
	assert_ok(loop_settle(f->loop));
	assert_string_equal(f->trace, "abcd!"); /* deinit in its own callback */
	watch_deinit(&e.watch);
	close(e.fds[0]);
	close(e.fds[1]);
}

static void on_writable(struct watch *w, unsigned int ready, void *data)
{
	assert_int_equal(ready, WATCH_WRITE);
	note(data, 'w');
	assert_ok(watch_set(w, 0));
}

static void test_watch_writes(void **state)
{
	struct fixture *f = *state;
	struct watch w;
	int fds[2];

	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	assert_ok(watch_init(&w, f->loop, fds[1], 0, on_writable, f));
	assert_ok(loop_settle(f->loop));
	assert_string_equal(f->trace, "");
	assert_ok(watch_set(&w, WATCH_WRITE));
	assert_ok(loop_settle(f->loop));
	assert_string_equal(f->trace, "w");
	watch_deinit(&w);
	close(fds[0]);
	close(fds[1]);
	assert_error(watch_init(&w, f->loop, fds[1], WATCH_READ, on_writable, f), EINVAL);
	watch_deinit(&w);
}

static void stop_loop(struct timer *t, void *data)
{
	struct lettered *l = data;

	l->fired_ns = clock_mono_ns(loop_clock(l->f->loop));
	loop_stop(l->f->loop);
}

static void test_real_timers_fire_in_order_and_not_early(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ struct lettered *l = timers_make(f, "abs");
	uint64_t start = clock_mono_ns(&f->clock);

	timer_init(&l[2].timer, f->loop, stop_loop, &l[2]);
	timer_arm_in(&l[2].timer, 20 * CLOCK_NS_PER_MS);
	timer_arm_in(&l[1].timer, 10 * CLOCK_NS_PER_MS);
	timer_arm_in(&l[0].timer, 5 * CLOCK_NS_PER_MS);
	assert_ok(loop_run(f->loop));
	assert_string_equal(f->trace, "ab");
	assert_true(l[0].fired_ns - start >= 5 * CLOCK_NS_PER_MS);
	assert_true(l[1].fired_ns - start >= 10 * CLOCK_NS_PER_MS);
	assert_true(l[2].fired_ns - start >= 20 * CLOCK_NS_PER_MS);
}

static void test_real_timer_for_now_does_not_starve_the_loop(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ struct lettered *l = timers_make(f, "p");
	struct ends e = {.f = f};

	assert_int_equal(pipe2(e.fds, O_NONBLOCK), 0);
	assert_int_equal(write(e.fds[1], "!", 1), 1);
	assert_ok(watch_init(&e.watch, f->loop, e.fds[0], WATCH_READ, on_readable, &e));
	l[0].n_again = 5;
	timer_arm_in(&l[0].timer, 0);
	for (int i = 0; i < 1000 && strlen(f->trace) < 7; i++) {
		size_t n = strlen(f->trace);

		assert_ok(loop_turn(f->loop, 100));
		/* At most the timer once and the pipe in one iteration. */
		assert_true(strlen(f->trace) <= n + 2);
	}
	assert_int_equal(strlen(f->trace), 7);
	assert_true(strchr(f->trace, '!') - f->trace <= 2);
	watch_deinit(&e.watch);
	close(e.fds[0]);
	close(e.fds[1]);
}

static void test_stop_before_run_ends_it_at_once(void **state)
{
	struct fixture *f = *state;

	loop_stop(f->loop);
	assert_ok(loop_run(f->loop));
}

struct threaded {
	struct fixture *f;
	struct wake wake;
	int n_posted, n_seen; /* n_posted is written before the post that tells of it */
	int n_calls;
};

static void *post_many(void *data)
{
	struct threaded *t = data;

	for (int i = 0; i < 1000; i++) {
		__atomic_fetch_add(&t->n_posted, 1, __ATOMIC_RELAXED);
		wake_post(&t->wake);
	}
	return NULL;
}

static void on_wake(struct wake *w, void *data)
{
	struct threaded *t = data;

	t->n_calls++;
	t->n_seen = __atomic_load_n(&t->n_posted, __ATOMIC_RELAXED);
	if (t->n_seen == 2000)
		loop_stop(t->f->loop);
}

static void test_wake_from_threads(void **state)
{
	struct threaded t = {.f = *state};
	pthread_t threads[2];

	assert_ok(wake_init(&t.wake, t.f->loop, on_wake, &t));
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post_many, &t), 0);
	assert_ok(loop_run(t.f->loop)); /* never returns when a post is lost */
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(t.n_seen, 2000);
	assert_in_range(t.n_calls, 1, 2000);
	wake_deinit(&t.wake);
	wake_deinit(&t.wake);
}

static void raise_signal(struct timer *t, void *data)
{
	raise(*(int *)data);
}

static void test_signals_stop_the_loop(void **state)
{
	struct fixture *f = *state;
	int signals[] = {SIGTERM, SIGINT};

	assert_ok(loop_stop_on_signals(f->loop));
	for (int i = 0; i < 2; i++) {
		struct timer t;

		timer_init(&t, f->loop, raise_signal, &signals[i]);
		timer_arm_in(&t, 0);
		assert_ok(loop_run(f->loop));
		assert_false(timer_armed(&t));
	}
	assert_int_equal(raise(SIGPIPE), 0); /* ignored: we are still here */
}

struct tenant {
	struct loop_end end;
	int *n_ended;
};

static void end_tenant(struct loop_end *e)
{
	struct tenant *t = container_of(e, struct tenant, end);

	list_remove(&e->link);
	++*t->n_ended;
}

static void test_what_lives_in_a_loop_ends_with_it(void **state)
{
	int n_ended = 0;
	struct tenant stays = {.n_ended = &n_ended}, leaves = {.n_ended = &n_ended};
	struct clock clock;
	struct loop *l;

	clock_init_real(&clock);
	assert_ok(loop_new(&clock, &l));
	loop_end_add(l, &stays.end, end_tenant);
	loop_end_add(l, &leaves.end, end_tenant);
	end_tenant(&leaves.end);
	assert_int_equal(n_ended, 1);
	loop_free(l);
	assert_int_equal(n_ended, 2);
}

int main(void)
{
#define MANUAL(test) cmocka_unit_test_setup_teardown(test, setup_manual, teardown)
#define REAL(test)   cmocka_unit_test_setup_teardown(test, setup_real, teardown)
	const struct CMUnitTest tests[] = {
		MANUAL(test_virtual_timers_fire_in_order_at_their_time),
		MANUAL(test_virtual_timer_rearmed_fires_on_the_way),
		MANUAL(test_deferred_runs_once_at_the_end_of_the_iteration),
		MANUAL(test_a_loop_that_never_settles_is_an_error),
		MANUAL(test_watch_reads_until_told_otherwise),
		MANUAL(test_watch_writes),
		REAL(test_real_timers_fire_in_order_and_not_early),
		REAL(test_real_timer_for_now_does_not_starve_the_loop),
		REAL(test_stop_before_run_ends_it_at_once),
		REAL(test_wake_from_threads),
		REAL(test_signals_stop_the_loop),
		cmocka_unit_test(test_what_lives_in_a_loop_ends_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
