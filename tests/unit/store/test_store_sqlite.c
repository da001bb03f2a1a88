/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite store alone: damage, versions, full disks, compaction, and crashes in the middle. */
#include "store/store_sqlite.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/limits.h"

#include "state.h"

struct fixture {
	char directory[64];
	char path[96];
	struct store *store;
	struct store_error error;
	struct state expected;
	uint64_t revision;
};

static int try_open(struct fixture *f)
{
	f->store = store_free(f->store);
	f->error.text[0] = '\0';
	return store_sqlite_open(f->path, &f->store, &f->error);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->directory, "/tmp/test-sqlite-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->path, sizeof(f->path), "%s/store.db", f->directory);
	assert_int_equal(try_open(f), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	store_free(f->store);
	assert_int_equal(file_remove_tree(f->directory), 0);
	free(f);
	return 0;
}

static void commit(struct fixture *f, uint32_t n, uint32_t value)
{
	int r = state_commit(f->store, f->revision + 1, n, value);

	if (r)
		fail_msg("commit: %d %s", r, store_error_text(f->store));
	f->revision++;
	f->expected.values[n] = value;
}

/* Some life: objects that come, change and go. */
static void commit_many(struct fixture *f, uint32_t n, uint32_t seed)
{
	for (uint32_t i = 0; i < n; i++)
		commit(f, (i * 37 + seed) % STATE_MAX, (i + seed) % 5 ? i + 1 : 0);
}

static void compact_all(struct fixture *f)
{
	bool more = true;
	int r;

	/* The first steps clean; forced until the log is empty. */
	for (unsigned int i = 0; more || store_info_get(f->store)->log_size; i++) {
		assert_true(i < 1000);
		r = store_compact(f->store, true, &more);
		if (r)
			fail_msg("compact: %d %s", r, store_error_text(f->store));
	}
}

static void sql(struct fixture *f, const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static int64_t sql_number(struct fixture *f, const char *text)
{
	sqlite3_stmt *st;
	sqlite3 *db;
	int64_t n;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, text, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static void test_private(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* requirement: MAP-1 */
static void test_foreign_files(void **state)
{
	struct fixture *f = *state;

	f->store = store_free(f->store);
	assert_int_equal(
		file_write_atomic(f->path, "not a database, but long enough to look at", 42, 0600),
		0);
	assert_int_equal(try_open(f), -EBADMSG);
	assert_non_null(strstr(f->error.text, "not a database"));

	assert_int_equal(unlink(f->path), 0);
	sql(f, "CREATE TABLE t (a)");
	assert_int_equal(try_open(f), -EBADMSG);
	assert_non_null(strstr(f->error.text, "not a Viaduct store"));
}

static void test_newer_format(void **state)
{
	struct fixture *f = *state;

	f->store = store_free(f->store);
	sql(f, "PRAGMA user_version = 2");
	assert_int_equal(try_open(f), -EPROTO);
	assert_non_null(strstr(f->error.text, "format 2"));
}

static void test_no_directory(void **state)
{
	struct fixture *f = *state;

	snprintf(f->path, sizeof(f->path), "%s/none/store.db", f->directory);
	assert_int_equal(try_open(f), -ENOENT);
	assert_non_null(strstr(f->error.text, "none/store.db"));
}

/* requirement: MAP-1 */
static void test_damage_is_noticed(void **state)
{
	static const char *const damages[] = {
		"UPDATE log SET payload = zeroblob(length(payload)) WHERE revision = 150",
		"UPDATE log SET payload = substr(payload, 1, 5) WHERE revision = 150",
		"UPDATE log SET payload = NULL WHERE 0; DELETE FROM log WHERE revision = 150",
		"UPDATE snapshot SET payload = zeroblob(100)",
		"DELETE FROM snapshot",
	};
	struct fixture *f = *state;

	commit_many(f, 100, 0);
	compact_all(f);
	commit_many(f, 100, 3);
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		char copy[160];
		char *data;
		size_t size;

		f->store = store_free(f->store);
		assert_int_equal(file_read(f->path, 1 << 24, &data, &size), 0);
		sql(f, damages[i]);
		assert_int_equal(try_open(f), 0);
		assert_int_equal(state_loads(f->store, &f->expected), -EBADMSG);
		assert_non_null(strstr(store_error_text(f->store), f->path));
		f->store = store_free(f->store);
		snprintf(copy, sizeof(copy), "%s-wal", f->path);
		unlink(copy);
		assert_int_equal(file_write_atomic(f->path, data, size, 0600), 0);
		free(data);
		assert_int_equal(try_open(f), 0);
		assert_int_equal(state_loads(f->store, &f->expected), 0);
	}
}

/* requirement: MAP-1 */
static void test_compaction(void **state)
{
	struct fixture *f = *state;
	const struct store_info *i;

	for (uint32_t round = 0; round < 4; round++) {
		commit_many(f, 300, round * 11);
		compact_all(f);
		i = store_info_get(f->store);
		assert_int_equal(i->snapshot_revision, f->revision);
		assert_true(i->snapshot_size > 0);
		assert_int_equal(state_loads(f->store, &f->expected), 0);
		commit_many(f, 50, round);
		assert_int_equal(state_loads(f->store, &f->expected), 0);
		assert_int_equal(try_open(f), 0);
		assert_int_equal(state_loads(f->store, &f->expected), 0);
	}
	f->store = store_free(f->store);
	assert_int_equal(sql_number(f, "SELECT count(*) FROM log"), 50);
	assert_int_equal(sql_number(f, "SELECT count(DISTINCT chunk >> 32) FROM snapshot"), 1);
}

static void test_compaction_of_everything_deleted(void **state)
{
	struct fixture *f = *state;

	for (uint32_t n = 0; n < 10; n++)
		commit(f, n, 1);
	compact_all(f);
	for (uint32_t n = 0; n < 10; n++)
		commit(f, n, 0);
	compact_all(f);
	assert_int_equal(store_info_get(f->store)->snapshot_size, 0);
	assert_int_equal(try_open(f), 0);
	assert_int_equal(state_loads(f->store, &f->expected), 0);
	assert_int_equal(store_info_get(f->store)->revision, 20);
}

/* More than one step reads: the same objects in several runs, of which the last one counts. */
static void test_compaction_of_a_long_log(void **state)
{
	struct fixture *f = *state;
	struct store_batch b;
	const struct store_batch *batches[] = {&b};

	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t n = 0; n < 30; n++) {
			store_batch_init(&b);
			for (uint32_t i = 0; i < 2000; i++) {
				uint32_t object = (i * 7 + n * 131) % STATE_MAX;
				uint32_t value = (i + n) % 9 ? i * n + 1 : 0;

				state_put(&b, ++f->revision, object, value);
				f->expected.values[object] = value;
			}
			assert_int_equal(store_commit(f->store, batches, 1), 0);
			store_batch_deinit(&b);
		}
		assert_true(store_info_get(f->store)->log_size > 3 * LIMIT_STORE_STEP_SIZE);
		compact_all(f);
		assert_int_equal(state_loads(f->store, &f->expected), 0);
	}
	assert_int_equal(try_open(f), 0);
	assert_int_equal(state_loads(f->store, &f->expected), 0);
}

static void test_commits_between_steps(void **state)
{
	struct fixture *f = *state;
	bool more = true;

	commit_many(f, 200, 1);
	compact_all(f);
	commit_many(f, 200, 2);
	for (uint32_t i = 0; i < 50; i++) {
		assert_int_equal(store_compact(f->store, i < 10, &more), 0);
		commit(f, i, 1000 + i);
		assert_int_equal(state_loads(f->store, &f->expected), 0);
	}
	assert_int_equal(try_open(f), 0);
	assert_int_equal(state_loads(f->store, &f->expected), 0);
}

/* Kills the process in each step of a compaction; the state must be the same after each.
 * requirement: MAP-1 OPS-3 */
static void test_crash_in_compaction(void **state)
{
	struct fixture *f = *state;

	commit_many(f, 200, 1);
	compact_all(f);
	commit_many(f, 200, 2);
	for (unsigned int steps = 0; steps < 8; steps++) {
		int status;
		pid_t pid;

		f->store = store_free(f->store);
		pid = fork();
		if (!pid) {
			bool more;

			if (try_open(f) || state_loads(f->store, &f->expected))
				_exit(1);
			for (unsigned int i = 0; i < steps; i++)
				if (store_compact(f->store, true, &more))
					_exit(2);
			kill(getpid(), SIGKILL);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(try_open(f), 0);
		assert_int_equal(state_loads(f->store, &f->expected), 0);
		commit_many(f, 20, steps);
	}
	compact_all(f);
	assert_int_equal(state_loads(f->store, &f->expected), 0);
}

/* A process that is killed while it commits: everything it said was durable is there.
 * requirement: MAP-1 OPS-3 */
static void test_killed_while_committing(void **state)
{
	struct fixture *f = *state;
	uint64_t acknowledged = 0, revision;
	int fds[2], status;
	pid_t pid;

	f->store = store_free(f->store);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		if (try_open(f))
			_exit(1);
		for (revision = 1;; revision++) {
			if (state_commit(f->store, revision, 1, (uint32_t)revision))
				_exit(2);
			if (write(fds[1], &revision, sizeof(revision)) != sizeof(revision))
				_exit(3);
		}
	}
	close(fds[1]);
	while (acknowledged < 100)
		assert_int_equal(read(fds[0], &acknowledged, sizeof(acknowledged)),
				 sizeof(acknowledged));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	while (read(fds[0], &revision, sizeof(revision)) == sizeof(revision))
		acknowledged = revision;
	close(fds[0]);
	assert_int_equal(try_open(f), 0);
	/* At most the one that was on its way is there as well. */
	revision = store_info_get(f->store)->revision;
	assert_true(revision == acknowledged || revision == acknowledged + 1);
	f->expected.values[1] = (uint32_t)revision;
	assert_int_equal(state_loads(f->store, &f->expected), 0);
}

/* A disk that is really full: a file system of 1 MB in a mount namespace of a child.
 * requirement: MAP-1 OPS-3 */
static void child_full_disk(struct fixture *f)
{
	static uint8_t filler[4096];
	char path[128];
	int fd, r = 0;

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", f->directory, "tmpfs", 0, "size=1m"))
		_exit(77);
	if (try_open(f))
		_exit(1);
	commit_many(f, 50, 0);
	snprintf(path, sizeof(path), "%s/filler", f->directory);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, filler, sizeof(filler)) > 0)
		;
	/* What the file has left takes a few; then the store must say so, and keep what it has. */
	for (unsigned int i = 0; i < 200 && !r; i++) {
		r = state_commit(f->store, f->revision + 1, i, i + 1);
		if (!r) {
			f->revision++;
			f->expected.values[i] = i + 1;
		}
	}
	if (r != -ENOSPC || !*store_error_text(f->store))
		_exit(2);
	if (state_commit(f->store, f->revision + 1, 1, 1) != -ENOSPC)
		_exit(3);
	if (store_probe(f->store) != -ENOSPC || !*store_error_text(f->store))
		_exit(8);
	/* Room again: the next commit goes through by itself. */
	if (ftruncate(fd, 0))
		_exit(4);
	close(fd);
	if (store_probe(f->store) || *store_error_text(f->store))
		_exit(9);
	if (state_commit(f->store, f->revision + 1, 2000, 5))
		_exit(5);
	f->expected.values[2000] = 5;
	if (state_loads(f->store, &f->expected))
		_exit(6);
	if (try_open(f) || state_loads(f->store, &f->expected))
		_exit(7);
	_exit(0);
}

/* requirement: MAP-1 OPS-3 */
static void test_full_disk(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid;

	f->store = store_free(f->store);
	pid = fork();
	if (!pid)
		child_full_disk(f);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* The log holds a batch whose commit was said to have failed: it must not come back. */
static void test_refused_batch_does_not_come_back(void **state)
{
	struct fixture *f = *state;
	struct store_batch b;
	const struct store_batch *batches[] = {&b};

	commit_many(f, 10, 0);
	/* Refused by a trigger, at the end of the transaction as far as SQLite is concerned. */
	f->store = store_free(f->store);
	sql(f, "CREATE TRIGGER t AFTER INSERT ON log WHEN new.revision = 12 "
	       "BEGIN SELECT RAISE(FAIL, 'no'); END");
	assert_int_equal(try_open(f), 0);
	store_batch_init(&b);
	state_put(&b, 11, 5, 77);
	state_put(&b, 12, 6, 78);
	assert_int_equal(store_commit(f->store, batches, 1), -EIO);
	assert_non_null(strstr(store_error_text(f->store), "no"));
	store_batch_deinit(&b);
	assert_int_equal(store_info_get(f->store)->revision, 10);
	/* What the crash of a disk may leave behind: a row that was refused. */
	assert_int_equal(state_loads(f->store, &f->expected), 0);
	assert_int_equal(state_commit(f->store, 13, 1, 1), 0);
	f->expected.values[1] = 1;
	assert_int_equal(try_open(f), 0);
	assert_int_equal(state_loads(f->store, &f->expected), 0);
	assert_int_equal(store_info_get(f->store)->revision, 13);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_private),
		TEST(test_foreign_files),
		TEST(test_newer_format),
		TEST(test_no_directory),
		TEST(test_damage_is_noticed),
		TEST(test_compaction),
		TEST(test_compaction_of_everything_deleted),
		TEST(test_compaction_of_a_long_log),
		TEST(test_commits_between_steps),
		TEST(test_crash_in_compaction),
		TEST(test_killed_while_committing),
		TEST(test_full_disk),
		TEST(test_refused_batch_does_not_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
