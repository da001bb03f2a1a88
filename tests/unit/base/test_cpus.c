/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of processors: what they name, what is none, and a thread that keeps to one. */
#include "base/cpus.h"

#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>

#include "tests/unit/test.h"

static void test_lists(void **state)
{
	static const struct {
		const char *text;
		uint64_t first, second;
	} rows[] = {
		{"0", 1, 0},
		{"2,4-6", 0x74, 0},
		{"5-5,5", 0x20, 0},
		{"63-64", UINT64_C(1) << 63, 1},
		{"0-127", UINT64_MAX, UINT64_MAX},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cpus c;

		assert_ok(cpus_parse(rows[i].text, &c));
		assert_true(c.words[0] == rows[i].first && c.words[1] == rows[i].second);
		assert_false(cpus_is_empty(&c));
	}
}

static void test_what_is_no_list(void **state)
{
	static const struct {
		const char *text;
		int error;
	} rows[] = {
		{"", EINVAL},    {"a", EINVAL},    {"1,", EINVAL},     {"1,,2", EINVAL},
		{"3-1", EINVAL}, {"1-", EINVAL},   {"-1", EINVAL},     {"1-2-3", EINVAL},
		{" 1", EINVAL},  {"1024", ERANGE}, {"0-1024", ERANGE},
	};
	struct cpus c = {{7}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_error(cpus_parse(rows[i].text, &c), rows[i].error);
		assert_true(c.words[0] == 7);
	}
}

static void test_sets(void **state)
{
	const struct cpus none = {}, few = {{5}}, more = {{7, 1}};

	assert_true(cpus_is_empty(&none));
	assert_true(cpus_are_among(&none, &few));
	assert_true(cpus_are_among(&few, &more));
	assert_false(cpus_are_among(&more, &few));
}

static void *wait_for_end(void *end)
{
	sem_wait(end);
	return NULL;
}

/* The first and only processor of 'set', or CPU_SETSIZE. */
static unsigned int only(const cpu_set_t *set)
{
	unsigned int n = 0;

	while (n < CPU_SETSIZE && !CPU_ISSET(n, set))
		n++;
	return CPU_COUNT(set) == 1 ? n : CPU_SETSIZE;
}

static void test_a_thread_keeps_to_what_it_is_given(void **state)
{
	_cleanup_free_ char *text = NULL;
	cpu_set_t mine, set;
	struct cpus present, one = {}, absent = {};
	unsigned int cpu = 0;
	pthread_t thread;
	sem_t end;

	assert_ok(cpus_read_present(&present, &text));
	assert_ok(sched_getaffinity(0, sizeof(mine), &mine));
	while (!CPU_ISSET(cpu, &mine))
		cpu++;
	one.words[cpu / 64] = UINT64_C(1) << cpu % 64;
	assert_true(cpus_are_among(&one, &present));
	assert_ok(sem_init(&end, 0, 0));
	assert_ok(pthread_create(&thread, NULL, wait_for_end, &end));

	assert_ok(cpus_bind(&one, thread));
	assert_ok(pthread_getaffinity_np(thread, sizeof(set), &set));
	assert_int_equal(only(&set), cpu);
	/* None that this machine has: it stays. */
	absent.words[ARRAY_SIZE(absent.words) - 1] = UINT64_C(1) << 63;
	if (!cpus_are_among(&absent, &present))
		assert_error(cpus_bind(&absent, thread), EINVAL);
	assert_ok(pthread_getaffinity_np(thread, sizeof(set), &set));
	assert_int_equal(only(&set), cpu);
	/* None at all: where this thread may run. */
	assert_ok(cpus_bind(&(struct cpus){}, thread));
	assert_ok(pthread_getaffinity_np(thread, sizeof(set), &set));
	assert_true(CPU_EQUAL(&set, &mine));

	assert_ok(sem_post(&end));
	assert_ok(pthread_join(thread, NULL));
	sem_destroy(&end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_what_is_no_list),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_a_thread_keeps_to_what_it_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
