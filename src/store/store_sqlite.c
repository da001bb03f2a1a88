/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, loading and committing; sqlite_compact.c folds the log into the snapshot. */
#include "store/store_sqlite.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/rand.h"
#include "base/str.h"
#include "store/sqlite_store.h"

#define APPLICATION_ID 0x56445354 /* "VDST" */
#define FORMAT_VERSION 1

static const char schema[] =
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE log (revision INTEGER PRIMARY KEY, first INTEGER NOT NULL,"
	" previous INTEGER NOT NULL, n_writes INTEGER NOT NULL, checksum INTEGER NOT NULL,"
	" payload BLOB NOT NULL);"
	"CREATE TABLE snapshot (chunk INTEGER PRIMARY KEY, checksum INTEGER NOT NULL,"
	" payload BLOB NOT NULL);";

static const char *const statement_texts[SQLITE_STATEMENT_N] = {
	[SQLITE_STATEMENT_APPEND] =
		"INSERT INTO log (revision, first, previous, n_writes, checksum, payload)"
		" VALUES (?, ?, ?, ?, ?, ?)",
	[SQLITE_STATEMENT_DROP_BEHIND] = "DELETE FROM log WHERE revision > ?",
	[SQLITE_STATEMENT_LOG] =
		"SELECT revision, first, previous, n_writes, checksum, payload FROM log"
		" WHERE revision >= ? AND revision <= ? ORDER BY revision",
	[SQLITE_STATEMENT_SNAPSHOT] = "SELECT chunk, checksum, payload FROM snapshot"
				      " WHERE chunk >= ? AND chunk < ? ORDER BY chunk",
	[SQLITE_STATEMENT_CHUNK_ADD] =
		"INSERT OR REPLACE INTO snapshot (chunk, checksum, payload) VALUES (?, ?, ?)",
	[SQLITE_STATEMENT_META_SET] = "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
	[SQLITE_STATEMENT_LOG_CLEAN] = "DELETE FROM log WHERE revision <= ?1"
				       " AND revision < (SELECT min(revision) FROM log) + ?2",
	[SQLITE_STATEMENT_SNAPSHOT_CLEAN] =
		"DELETE FROM snapshot WHERE chunk IN (SELECT chunk FROM snapshot"
		" WHERE chunk < ?1 OR chunk >= ?2 LIMIT ?3)",
};

static struct sqlite_store *sqlite_of(struct store *s)
{
	return container_of(s, struct sqlite_store, base);
}

/* SQLite's code, or the system's error below it, as an errno. */
static int errno_of(sqlite3 *db)
{
	int code = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;
	int system = db ? sqlite3_system_errno(db) : 0;

	switch (code & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return -EROFS;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EWOULDBLOCK;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		if (system == ENOSPC || system == EDQUOT)
			return -ENOSPC;
		return system == EROFS || system == EACCES ? -system : -EIO;
	default:
		return -EIO;
	}
}

int sqlite_store_fail(struct sqlite_store *s, const char *what)
{
	int r = errno_of(s->db);
	int system = s->db ? sqlite3_system_errno(s->db) : 0;
	bool by_system = r == -EIO && system;

	return store_fail(&s->base, r, "%s: %s: %s%s%s", s->path, what,
			  s->db ? sqlite3_errmsg(s->db) : "out of memory", by_system ? ": " : "",
			  by_system ? strerror(system) : "");
}

sqlite3_stmt *sqlite_store_statement(struct sqlite_store *s, enum sqlite_statement which)
{
	sqlite3_reset(s->statements[which]);
	sqlite3_clear_bindings(s->statements[which]);
	return s->statements[which];
}

int sqlite_store_run(struct sqlite_store *s, sqlite3_stmt *st, const char *what)
{
	int r = 0;

	if (sqlite3_step(st) != SQLITE_DONE)
		r = sqlite_store_fail(s, what);
	sqlite3_reset(st);
	return r;
}

static int execute(struct sqlite_store *s, const char *sql, const char *what)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_store_fail(s, what);
	return 0;
}

int sqlite_store_begin(struct sqlite_store *s, bool durable)
{
	int r;

	if (s->lazy == durable) {
		r = execute(s,
			    durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL",
			    "begin");
		if (r)
			return r;
		s->lazy = !durable;
	}
	return execute(s, "BEGIN IMMEDIATE", "begin");
}

int sqlite_store_end(struct sqlite_store *s, int r)
{
	if (!r)
		r = execute(s, "COMMIT", "commit");
	/* Some failures have rolled back already; the others must. */
	if (r && !sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

int sqlite_store_set_meta(struct sqlite_store *s, const char *key, uint64_t value)
{
	sqlite3_stmt *st = sqlite_store_statement(s, SQLITE_STATEMENT_META_SET);

	sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, (int64_t)value);
	return sqlite_store_run(s, st, "write meta");
}

/* Against damage, not against people: a fixed key. */
int64_t sqlite_store_checksum(const void *data, size_t size)
{
	return (int64_t)hash_siphash13(UINT64_C(0x56696164), UINT64_C(0x75637421), data, size);
}

int sqlite_store_payload(struct sqlite_store *s, sqlite3_stmt *st, int column, int checksum_column,
			 const char *what, const void **ret, size_t *ret_size)
{
	const void *data = sqlite3_column_blob(st, column);
	int size = sqlite3_column_bytes(st, column);

	if (!data ||
	    sqlite_store_checksum(data, (size_t)size) != sqlite3_column_int64(st, checksum_column))
		return store_fail(&s->base, -EBADMSG,
				  "%s: %s %lld is damaged; restore the file from a backup", s->path,
				  what, (long long)sqlite3_column_int64(st, 0));
	*ret = data;
	*ret_size = (size_t)size;
	return 0;
}

/* Reads one number; 'missing' when there is no row. */
static int query_number(struct sqlite_store *s, const char *sql, uint64_t missing, uint64_t *ret)
{
	sqlite3_stmt *st;
	int r = 0;

	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK)
		return sqlite_store_fail(s, "open");
	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		*ret = (uint64_t)sqlite3_column_int64(st, 0);
		break;
	case SQLITE_DONE:
		*ret = missing;
		break;
	default:
		r = sqlite_store_fail(s, "open");
	}
	sqlite3_finalize(st);
	return r;
}

static int meta_number(struct sqlite_store *s, const char *key, uint64_t *ret)
{
	char sql[96];

	snprintf(sql, sizeof(sql), "SELECT value FROM meta WHERE key = '%s'", key);
	return query_number(s, sql, 0, ret);
}

static int create_schema(struct sqlite_store *s)
{
	char sql[96];
	int r;

	r = sqlite_store_begin(s, true);
	if (r)
		return r;
	r = execute(s, schema, "make tables");
	if (!r) {
		snprintf(sql, sizeof(sql), "INSERT INTO meta VALUES ('cluster_id', %llu)",
			 (unsigned long long)(rand_u64() % ((UINT64_C(1) << 52) - 1) + 1));
		r = execute(s, sql, "make tables");
	}
	if (!r) {
		snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d",
			 APPLICATION_ID, FORMAT_VERSION);
		r = execute(s, sql, "make tables");
	}
	return sqlite_store_end(s, r);
}

/* Before anything is written to the file: it may be somebody else's. */
static int check_format(struct sqlite_store *s, bool *ret_empty)
{
	uint64_t n_tables = 0, application = 0, version = 0;
	int r;

	r = query_number(s, "SELECT count(*) FROM sqlite_master", 0, &n_tables);
	if (!r)
		r = query_number(s, "PRAGMA application_id", 0, &application);
	if (!r)
		r = query_number(s, "PRAGMA user_version", 0, &version);
	if (r)
		return r;
	*ret_empty = !n_tables && !application;
	if (*ret_empty)
		return 0;
	if (application != APPLICATION_ID)
		return store_fail(&s->base, -EBADMSG, "%s is a database, but not a Viaduct store",
				  s->path);
	if (version != FORMAT_VERSION)
		return store_fail(&s->base, -EPROTO,
				  "%s has format %llu; this program reads format %d: use the "
				  "version that wrote it",
				  s->path, (unsigned long long)version, FORMAT_VERSION);
	return 0;
}

static int read_meta(struct sqlite_store *s)
{
	struct store_info *i = &s->base.info;
	uint64_t last = 0;
	int r;

	r = meta_number(s, "cluster_id", &i->cluster_id);
	if (!r)
		r = meta_number(s, "generation", &s->generation);
	if (!r)
		r = meta_number(s, "snapshot_chunks", &s->n_chunks);
	if (!r)
		r = meta_number(s, "snapshot_revision", &i->snapshot_revision);
	if (!r)
		r = meta_number(s, "snapshot_size", &i->snapshot_size);
	if (!r)
		r = query_number(s, "SELECT revision FROM log ORDER BY revision DESC LIMIT 1", 0,
				 &last);
	if (r)
		return r;
	if (!i->cluster_id)
		return store_fail(&s->base, -EBADMSG, "%s names no cluster: it is damaged",
				  s->path);
	/* After a failed commit the store's revision is what was acknowledged, whatever is on disk. */
	if (!s->suspect)
		i->revision = last > i->snapshot_revision ? last : i->snapshot_revision;
	return 0;
}

static void close_database(struct sqlite_store *s)
{
	sqlite_compact_reset(&s->compact);
	for (size_t i = 0; i < SQLITE_STATEMENT_N; i++) {
		sqlite3_finalize(s->statements[i]);
		s->statements[i] = NULL;
	}
	sqlite3_close(s->db);
	s->db = NULL;
	s->lazy = false;
}

static int open_database(struct sqlite_store *s)
{
	bool empty = false;
	int r = 0;

	if (sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
	    SQLITE_OK)
		r = sqlite_store_fail(s, "open");
	if (!r)
		r = execute(s, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY",
			    "open");
	if (!r)
		r = check_format(s, &empty);
	if (!r)
		r = execute(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", "open");
	if (!r && empty)
		r = create_schema(s);
	if (!r)
		r = read_meta(s);
	for (size_t i = 0; i < SQLITE_STATEMENT_N && !r; i++)
		if (sqlite3_prepare_v3(s->db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &s->statements[i], NULL) != SQLITE_OK)
			r = sqlite_store_fail(s, "open");
	if (r)
		close_database(s);
	return r;
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
		r = open_database(s);
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

static int sqlite_commit(struct store *base, const struct store_batch *const *batches, size_t n)
{
	struct sqlite_store *s = sqlite_of(base);
	uint64_t previous = base->info.revision;
	int r = 0;

	if (!s->db)
		r = open_database(s);
	if (!r)
		r = sqlite_store_begin(s, true);
	if (r)
		return r;
	if (s->suspect)
		r = drop_refused(s);
	for (size_t i = 0; i < n && !r; i++) {
		r = append(s, batches[i], previous);
		previous = batches[i]->last_revision;
	}
	r = sqlite_store_end(s, r);
	if (r) {
		/* What the disk holds now is known only after reading it again. */
		s->suspect = true;
		close_database(s);
		return r;
	}
	s->suspect = false;
	return 0;
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
		r = open_database(s);
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

	close_database(s);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s->path);
	free(s);
}

static const struct store_ops sqlite_ops = {
	.kind = "sqlite",
	.load = sqlite_load,
	.commit = sqlite_commit,
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
		r = open_database(s);
	if (r) {
		*reterr_error = s->base.error;
		return r;
	}
	*ret = TAKE_PTR(guard);
	return 0;
}
