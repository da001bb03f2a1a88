/* SPDX-License-Identifier: Apache-2.0 */
/* The file of replay windows: who finds what, through lives of the worker. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"
#include "seal/windows.h"

enum { KEYS = 100, OTHERS = 1000 };

static const char path[] = "/tmp/seal-test-windows";
static const uint8_t boot[BOOT_ID_SIZE] = {1, 2, 3}, other_boot[BOOT_ID_SIZE] = {1, 2, 4};

static struct replay *take(struct windows *w, uint32_t key)
{
	uint8_t name[WINDOWS_NAME_SIZE];
	struct replay *r;

	memset(name, 0xa5, sizeof(name)); /* alike for who looks at the beginning alone */
	memcpy(name + 20, &key, sizeof(key));
	assert_ok(windows_take(w, name, &r));
	return r;
}

static void take_and_release(struct windows *w, uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		windows_release(w, take(w, first + i));
}

/* requirement: NEG-6 */
static void test_a_key_finds_its_window_in_each_life(void **state)
{
	struct replay *had[KEYS];
	struct windows w;
	struct stat st;

	unlink(path);
	for (uint64_t life = 0; life < 4; life++) {
		assert_ok(windows_open(&w, path, boot));
		for (uint32_t i = 0; i < KEYS; i++) {
			uint32_t key = life % 2 ? KEYS - 1 - i : i;

			had[i] = take(&w, key);
			assert_int_equal(had[i]->highest, life ? 1000 * life + key : 0);
			replay_note(had[i], 1000 * (life + 1) + key);
		}
		if (life == 1) /* told to end; else killed */
			for (uint32_t i = 0; i < KEYS; i++)
				windows_release(&w, had[i]);
		windows_close(&w);
	}
	assert_ok(stat(path, &st));
	assert_int_equal(st.st_mode & 0777, 0600);
	unlink(path);
}

/* Until WINDOWS_KEPT others have gone after it; what somebody has is nobody else's. */
static void test_what_is_gone_for_the_longest_makes_room(void **state)
{
	struct replay *had[KEYS];
	struct windows w;

	unlink(path);
	assert_ok(windows_open(&w, path, boot));
	for (uint32_t i = 0; i < KEYS; i++) {
		had[i] = take(&w, i);
		assert_ptr_equal(take(&w, i), had[i]);
		windows_release(&w, had[i]); /* one has it yet */
		replay_note(had[i], i + 1);
	}
	windows_release(&w, had[0]);
	take_and_release(&w, OTHERS, WINDOWS_KEPT);
	assert_ptr_equal(take(&w, 0), had[0]);
	assert_int_equal(had[0]->highest, 1);
	windows_release(&w, had[0]);
	take_and_release(&w, 2 * OTHERS + WINDOWS_KEPT, WINDOWS_KEPT + 1);
	assert_int_equal(take(&w, 0)->highest, 0);
	for (uint32_t i = 1; i < KEYS; i++)
		assert_int_equal(had[i]->highest, i + 1);
	windows_close(&w);

	/* The next life knows who went last: those that were had are the last of all. */
	assert_ok(windows_open(&w, path, boot));
	take_and_release(&w, 4 * OTHERS + 2 * WINDOWS_KEPT, WINDOWS_KEPT);
	for (uint32_t i = 1; i < KEYS; i++)
		assert_int_equal(take(&w, i)->highest, i + 1);
	windows_close(&w);
	unlink(path);
}

/* Cut, of another layout, or nonsense: begun anew, and never read beyond its end. */
static void test_any_file(void **state)
{
	static const off_t cuts[] = {0, 7, 63, 64, 3000};
	const uint32_t many[] = {UINT32_MAX, 1000};
	struct windows w;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(cuts) + ARRAY_SIZE(many) + 1; i++) {
		unlink(path);
		assert_ok(windows_open(&w, path, boot));
		for (uint32_t k = 0; k < 40; k++)
			replay_note(take(&w, k), 5);
		windows_close(&w);
		fd = open(path, O_RDWR | O_CLOEXEC);
		assert_true(fd >= 0);
		if (i < ARRAY_SIZE(cuts))
			assert_ok(ftruncate(fd, cuts[i]));
		else if (i < ARRAY_SIZE(cuts) + ARRAY_SIZE(many))
			assert_int_equal(pwrite(fd, &many[i - ARRAY_SIZE(cuts)], 4, 8), 4);
		else
			assert_int_equal(pwrite(fd, "replay/0", 8, 0), 8);
		close(fd);
		assert_ok(windows_open(&w, path, boot));
		assert_int_equal(take(&w, 0)->highest, 0);
		windows_close(&w);
	}
	unlink(path);
}

static uint64_t incarnation_now(const uint8_t *start)
{
	struct windows w;
	uint64_t ret;

	assert_ok(windows_open(&w, path, start));
	ret = windows_incarnation(&w);
	assert_true(ret);
	windows_close(&w);
	return ret;
}

/* As long as the windows go on, and no longer.  requirement: NEG-6 */
static void test_another_file_is_another_incarnation(void **state)
{
	struct windows w;
	uint64_t is, was;
	uint8_t name[WINDOWS_NAME_SIZE] = {7};

	unlink(path);
	was = incarnation_now(boot);
	for (int life = 0; life < 3; life++) {
		assert_ok(windows_open(&w, path, boot));
		assert_int_equal(windows_incarnation(&w), was);
		assert_int_equal(windows_know(&w, name), life > 0);
		if (!life)
			assert_ok(windows_take(&w, name, &(struct replay *){0}));
		windows_close(&w);
	}
	/* it was there when the kernel started, for it lies on a disk */
	assert_ok(windows_open(&w, path, other_boot));
	is = windows_incarnation(&w);
	assert_int_not_equal(is, was);
	assert_false(windows_know(&w, name));
	windows_close(&w);
	assert_int_equal(incarnation_now(other_boot), is);
	assert_ok(truncate(path, 100));
	assert_int_equal(incarnation_now(other_boot), is); /* whole: it had no windows yet */
	assert_ok(truncate(path, 63));
	was = incarnation_now(other_boot);
	assert_int_not_equal(was, is);
	unlink(path);
	assert_int_not_equal(incarnation_now(other_boot), was);
	unlink(path);
}

/* One of an earlier build keeps its windows, also under a worker of that build. */
static void test_a_file_from_before_incarnations_goes_on(void **state)
{
	static const uint8_t none[8 + BOOT_ID_SIZE];
	struct windows w, asks;
	struct replay *r;
	int fd;

	unlink(path);
	assert_ok(windows_open(&w, path, boot));
	r = take(&w, 1);
	replay_note(r, 1000);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, none, sizeof(none), 24), sizeof(none));
	close(fd);
	assert_ok(windows_open(&asks, path, boot));
	assert_true(windows_incarnation(&asks));
	windows_close(&asks);
	replay_note(r, 1001);
	assert_int_equal(take(&w, 2)->highest, 0);
	windows_close(&w);
	assert_ok(windows_open(&w, path, boot));
	assert_int_equal(take(&w, 1)->highest, 1001);
	windows_close(&w);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_key_finds_its_window_in_each_life),
		cmocka_unit_test(test_what_is_gone_for_the_longest_makes_room),
		cmocka_unit_test(test_any_file),
		cmocka_unit_test(test_another_file_is_another_incarnation),
		cmocka_unit_test(test_a_file_from_before_incarnations_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
