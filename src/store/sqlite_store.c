/* SPDX-License-Identifier: Apache-2.0 */
/* The database: opening and checking it, its statements, and what its errors mean. */
#include "store/sqlite_store.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/rand.h"

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
	/* After a failed commit the store's revision is what was acknowledged, whatever is on
	 * disk. */
	if (!s->suspect)
		i->revision = last > i->snapshot_revision ? last : i->snapshot_revision;
	return 0;
}

void sqlite_store_close(struct sqlite_store *s)
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

int sqlite_store_open_database(struct sqlite_store *s)
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
		sqlite_store_close(s);
	return r;
}
