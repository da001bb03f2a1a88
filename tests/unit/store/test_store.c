/* SPDX-License-Identifier: Apache-2.0 */
/* What every back-end must do: each test runs on the SQLite and on the memory store. */
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/file.h"
#include "store/store_memory.h"
#include "store/store_sqlite.h"

#include "state.h"

struct fixture {
	bool memory;
	struct store_disk *disk;
	char directory[64];
	char path[96];
	struct store *store;
};

static void reopen(struct fixture *f)
{
	struct store_error error = {};
	int r;

	f->store = store_free(f->store);
	if (f->memory)
		r = store_memory_open(f->disk, &f->store);
	else
		r = store_sqlite_open(f->path, &f->store, &error);
	if (r)
		fail_msg("open: %d %s", r, error.text);
}

static int set_up(void **state, bool memory)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->memory = memory;
	if (memory) {
		assert_int_equal(store_disk_new(&f->disk), 0);
	} else {
		strcpy(f->directory, "/tmp/test-store-XXXXXX");
		assert_non_null(mkdtemp(f->directory));
		snprintf(f->path, sizeof(f->path), "%s/store.db", f->directory);
	}
	reopen(f);
	*state = f;
	return 0;
}

static int set_up_sqlite(void **state)
{
	return set_up(state, false);
}

static int set_up_memory(void **state)
{
	return set_up(state, true);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	store_free(f->store);
	store_disk_free(f->disk);
	if (*f->directory)
		assert_int_equal(file_remove_tree(f->directory), 0);
	free(f);
	return 0;
}

static void test_empty(void **state)
{
	struct fixture *f = *state;
	const struct store_info *i = store_info_get(f->store);
	struct state empty = {};
	uint64_t cluster_id = i->cluster_id;

	assert_int_equal(i->revision, 0);
	assert_true(cluster_id > 0 && cluster_id < UINT64_C(1) << 52);
	assert_int_equal(state_loads(f->store, &empty), 0);
	reopen(f);
	assert_int_equal(store_info_get(f->store)->cluster_id, cluster_id);
}

/* requirement: MAP-1 */
static void test_commits_survive(void **state)
{
	struct fixture *f = *state;
	struct state expected = {};
	struct store_batch b[3];
	const struct store_batch *batches[] = {&b[0], &b[1], &b[2]};

	for (unsigned int i = 0; i < 3; i++) {
		store_batch_init(&b[i]);
		for (unsigned int k = 0; k < 5; k++) {
			state_put(&b[i], 10 * i + k + 1, 7 * i + k, i + 1);
			expected.values[7 * i + k] = i + 1;
		}
	}
	assert_int_equal(store_commit(f->store, batches, 3), 0);
	for (unsigned int i = 0; i < 3; i++)
		store_batch_deinit(&b[i]);
	assert_int_equal(state_commit(f->store, 26, 7, 99), 0);
	assert_int_equal(state_commit(f->store, 27, 8, 0), 0);
	expected.values[7] = 99;
	expected.values[8] = 0;
	assert_int_equal(store_info_get(f->store)->revision, 27);
	assert_int_equal(state_loads(f->store, &expected), 0);
	reopen(f);
	assert_int_equal(store_info_get(f->store)->revision, 27);
	assert_int_equal(state_loads(f->store, &expected), 0);
	assert_true(store_info_get(f->store)->log_size > 0);
}

static void test_guards(void **state)
{
	struct fixture *f = *state;
	struct store_batch b;
	const struct store_batch *batches[] = {&b};
	struct state expected = {};

	assert_int_equal(state_commit(f->store, 5, 1, 1), 0);
	expected.values[1] = 1;
	assert_int_equal(state_commit(f->store, 5, 1, 2), -ESTALE);
	assert_int_equal(state_commit(f->store, 4, 1, 2), -ESTALE);
	assert_non_null(strstr(store_error_text(f->store), "revision 4"));
	store_batch_init(&b);
	assert_int_equal(store_commit(f->store, batches, 1), -EINVAL);
	store_batch_deinit(&b);
	assert_int_equal(state_loads(f->store, &expected), 0);
	assert_int_equal(state_commit(f->store, 6, 2, 2), 0);
	assert_string_equal(store_error_text(f->store), "");
}

struct seen {
	uint64_t revisions[8];
	size_t n;
};

static void note(const struct store_batch *b, void *data)
{
	struct seen *s = data;

	assert_true(s->n < ARRAY_SIZE(s->revisions));
	assert_true(b->n_writes == 1 && buf_size(&b->payload) > 0);
	s->revisions[s->n++] = b->last_revision;
}

static void test_watch(void **state)
{
	struct fixture *f = *state;
	struct store_watch w = {}, gone = {};
	struct seen seen = {}, other = {};

	for (unsigned int i = 1; i <= 3; i++)
		assert_int_equal(state_commit(f->store, i, i, i), 0);
	assert_int_equal(store_watch(f->store, 2, note, &seen, &w), 0);
	assert_int_equal(seen.n, 2);
	assert_int_equal(store_watch(f->store, 4, note, &other, &gone), 0);
	store_unwatch(&gone);
	assert_int_equal(state_commit(f->store, 4, 4, 4), 0);
	assert_int_equal(seen.n, 3);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(seen.revisions[i], i + 2);
	assert_int_equal(other.n, 0);
	store_unwatch(&w);
}

static int stop_at_second(const struct store_write *w, void *data)
{
	unsigned int *n = data;

	return ++*n == 2 ? -ECANCELED : 0;
}

static void test_load_can_be_ended(void **state)
{
	struct fixture *f = *state;
	unsigned int n = 0;

	for (unsigned int i = 1; i <= 3; i++)
		assert_int_equal(state_commit(f->store, i, i, i), 0);
	assert_int_equal(store_load(f->store, stop_at_second, &n), -ECANCELED);
	assert_int_equal(n, 2);
}

/* requirement: MAP-1 */
static void test_one_owner(void **state)
{
	struct fixture *f = *state;
	struct store_error error = {};
	struct store *second = NULL;
	int r;

	if (f->memory)
		r = store_memory_open(f->disk, &second);
	else
		r = store_sqlite_open(f->path, &second, &error);
	assert_int_equal(r, -EWOULDBLOCK);
	assert_null(second);
	if (!f->memory)
		assert_non_null(strstr(error.text, "another manager"));
}

#define ON_BOTH(test)                                                                              \
	cmocka_unit_test_setup_teardown(test, set_up_sqlite, tear_down),                           \
		cmocka_unit_test_setup_teardown(test, set_up_memory, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_empty), ON_BOTH(test_commits_survive), ON_BOTH(test_guards),
		ON_BOTH(test_watch), ON_BOTH(test_one_owner),       ON_BOTH(test_load_can_be_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
