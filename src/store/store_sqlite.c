/* SPDX-License-Identifier: Apache-2.0 */
/* Loading and committing.  sqlite_store.c has the database, sqlite_compact.c folds the log into the
 * snapshot. */
#include "store/store_sqlite.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "store/sqlite_store.h"

static struct sqlite_store *sqlite_of(struct store *s)
{
	return container_of(s, struct sqlite_store, base);
}

static int load_payload(struct sqlite_store *s, const void *data, size_t size, store_write_fn fn,
			void *user)
{
	struct store_write w;
	struct cursor c;
	int r;

	cursor_init(&c, data, size);
	while (store_write_decode(&c, &w)) {
		r = fn(&w, user);
		if (r)
			return r;
	}
	r = cursor_error(&c);
	return r ? store_fail(&s->base, r, "%s: a record cannot be read", s->path) : 0;
}

static int load_snapshot(struct sqlite_store *s, store_write_fn fn, void *user)
{
	sqlite3_stmt *st = sqlite_store_statement(s, SQLITE_STATEMENT_SNAPSHOT);
	uint64_t index = 0;
	const void *data;
	size_t size;
	int r = 0, step;

	sqlite3_bind_int64(st, 1, sqlite_store_chunk_id(s->generation, 0));
	sqlite3_bind_int64(st, 2, sqlite_store_chunk_id(s->generation + 1, 0));
	while (!r && (step = sqlite3_step(st)) == SQLITE_ROW) {
		if (sqlite3_column_int64(st, 0) != sqlite_store_chunk_id(s->generation, index++))
			r = store_fail(&s->base, -EBADMSG, "%s: a part of the snapshot is missing",
				       s->path);
		if (!r)
			r = sqlite_store_payload(s, st, 2, 1, "snapshot chunk", &data, &size);
		if (!r)
			r = load_payload(s, data, size, fn, user);
	}
	if (!r && step != SQLITE_DONE)
		r = sqlite_store_fail(s, "load");
	if (!r && index != s->n_chunks)
		r = store_fail(&s->base, -EBADMSG, "%s: a part of the snapshot is missing",
			       s->path);
	sqlite3_reset(st);
	return r;
}

static int load_log(struct sqlite_store *s, store_write_fn fn, void *user)
{
	sqlite3_stmt *st = sqlite_store_statement(s, SQLITE_STATEMENT_LOG);
	uint64_t last = s->base.info.snapshot_revision, log_size = 0;
	const void *data;
	size_t size;
	int r = 0, step;

	sqlite3_bind_int64(st, 1, (int64_t)(last + 1));
	sqlite3_bind_int64(st, 2, (int64_t)s->base.info.revision);
	while (!r && (step = sqlite3_step(st)) == SQLITE_ROW) {
		if ((uint64_t)sqlite3_column_int64(st, 2) != last)
			r = store_fail(&s->base, -EBADMSG,
				       "%s: the log has a gap behind revision %llu", s->path,
				       (unsigned long long)last);
		if (!r)
			r = sqlite_store_payload(s, st, 5, 4, "revision", &data, &size);
		if (!r)
			r = load_payload(s, data, size, fn, user);
		last = (uint64_t)sqlite3_column_int64(st, 0);
		log_size += size;
	}
	if (!r && step != SQLITE_DONE)
		r = sqlite_store_fail(s, "load");
	sqlite3_reset(st);
	if (!r)
		s->base.info.log_size = log_size;
	return r;
}

static int sqlite_load(struct store *base, store_write_fn fn, void *data)
{
	struct sqlite_store *s = sqlite_of(base);
	int r = 0;

	if (!s->db)
		r = sqlite_store_open_database(s);
	if (!r)
		r = load_snapshot(s, fn, data);
	if (!r)
		r = load_log(s, fn, data);
	return r;
}

static int append(struct sqlite_store *s, const struct store_batch *b, uint64_t previous)
{
	sqlite3_stmt *st = sqlite_store_statement(s, SQLITE_STATEMENT_APPEND);
	const uint8_t *data = buf_data(&b->payload);
	size_t size = buf_size(&b->payload);

	sqlite3_bind_int64(st, 1, (int64_t)b->last_revision);
	sqlite3_bind_int64(st, 2, (int64_t)b->first_revision);
	sqlite3_bind_int64(st, 3, (int64_t)previous);
	sqlite3_bind_int64(st, 4, (int64_t)b->n_writes);
	sqlite3_bind_int64(st, 5, sqlite_store_checksum(data, size));
	sqlite3_bind_blob64(st, 6, data, size, SQLITE_STATIC);
	return sqlite_store_run(s, st, "append to the log");
}

/* Removes what failed commits may have left, so that it cannot come back after a crash. */
static int drop_refused(struct sqlite_store *s)
{
	sqlite3_stmt *st = sqlite_store_statement(s, SQLITE_STATEMENT_DROP_BEHIND);

	sqlite3_bind_int64(st, 1, (int64_t)s->base.info.revision);
	return sqlite_store_run(s, st, "clear the log");
}

static int begin(struct sqlite_store *s)
{
	int r = 0;

	if (!s->db)
		r = sqlite_store_open_database(s);
	return r ? r : sqlite_store_begin(s, true);
}

static int end(struct sqlite_store *s, int r)
{
	r = sqlite_store_end(s, r);
	if (r) {
		/* What the disk holds now is known only after reading it again. */
		s->suspect = true;
		sqlite_store_close(s);
		return r;
	}
	s->suspect = false;
	return 0;
}

static int sqlite_commit(struct store *base, const struct store_batch *const *batches, size_t n)
{
	struct sqlite_store *s = sqlite_of(base);
	uint64_t previous = base->info.revision;
	int r = begin(s);

	if (r)
		return r;
	if (s->suspect)
		r = drop_refused(s);
	for (size_t i = 0; i < n && !r; i++) {
		r = append(s, batches[i], previous);
		previous = batches[i]->last_revision;
	}
	return end(s, r);
}

static int sqlite_probe(struct store *base)
{
	struct sqlite_store *s = sqlite_of(base);
	int r = begin(s);

	if (r)
		return r;
	if (s->suspect)
		r = drop_refused(s);
	if (!r)
		r = sqlite_store_set_meta(s, "probed", base->info.revision);
	return end(s, r);
}

static int sqlite_replay(struct store *base, uint64_t from, store_watch_fn fn, void *user)
{
	struct sqlite_store *s = sqlite_of(base);
	struct store_batch b;
	sqlite3_stmt *st;
	const void *data;
	size_t size;
	int r = 0, step;

	if (!s->db)
		r = sqlite_store_open_database(s);
	if (r)
		return r;
	st = sqlite_store_statement(s, SQLITE_STATEMENT_LOG);
	sqlite3_bind_int64(st, 1, (int64_t)from);
	sqlite3_bind_int64(st, 2, (int64_t)base->info.revision);
	while (!r && (step = sqlite3_step(st)) == SQLITE_ROW) {
		r = sqlite_store_payload(s, st, 5, 4, "revision", &data, &size);
		if (r)
			break;
		store_batch_init(&b);
		b.last_revision = (uint64_t)sqlite3_column_int64(st, 0);
		b.first_revision = (uint64_t)sqlite3_column_int64(st, 1);
		b.n_writes = (size_t)sqlite3_column_int64(st, 3);
		buf_put(&b.payload, data, size);
		r = store_batch_error(&b);
		if (!r)
			fn(&b, user);
		store_batch_deinit(&b);
	}
	if (!r && step != SQLITE_DONE)
		r = sqlite_store_fail(s, "read the log");
	sqlite3_reset(st);
	return r;
}

static int sqlite_compact(struct store *base, bool force, bool *ret_more)
{
	struct sqlite_store *s = sqlite_of(base);

	if (!s->db) {
		*ret_more = false;
		return 0;
	}
	return sqlite_compact_step(s, force, ret_more);
}

static void sqlite_free(struct store *base)
{
	struct sqlite_store *s = sqlite_of(base);

	sqlite_store_close(s);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s->path);
	free(s);
}

static const struct store_ops sqlite_ops = {
	.kind = "sqlite",
	.load = sqlite_load,
	.commit = sqlite_commit,
	.probe = sqlite_probe,
	.replay = sqlite_replay,
	.compact = sqlite_compact,
	.free = sqlite_free,
};

/* Makes the file before SQLite does, so that nobody else can ever read it. */
static int make_private(struct sqlite_store *s)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *lock = NULL;
	int r;

	fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return store_fail(&s->base, -errno, "%s: %s", s->path, strerror(errno));
	r = str_printf(&lock, "%s.lock", s->path);
	if (r)
		return r;
	r = file_lock(lock, &s->lock_fd);
	if (r == -EWOULDBLOCK)
		return store_fail(&s->base, r, "%s is in use by another manager", s->path);
	return r ? store_fail(&s->base, r, "%s: %s", lock, strerror(-r)) : 0;
}

int store_sqlite_open(const char *path, struct store **ret, struct store_error *reterr_error)
{
	_cleanup_(store_free_cleanup) struct store *guard = NULL;
	struct sqlite_store *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	store_init(&s->base, &sqlite_ops);
	sqlite_compact_init(&s->compact);
	s->lock_fd = -1;
	guard = &s->base;
	s->path = strdup(path);
	if (!s->path)
		return -ENOMEM;
	r = make_private(s);
	if (!r)
		r = sqlite_store_open_database(s);
	if (r) {
		*reterr_error = s->base.error;
		return r;
	}
	*ret = TAKE_PTR(guard);
	return 0;
}
