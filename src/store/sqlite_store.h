/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the SQLite back-end share.  Not for users of the store: see store_sqlite.h.
 */
#pragma once

#include <sqlite3.h>

#include "base/err.h"
#include "store/sqlite_compact.h"
#include "store/store.h"

enum sqlite_statement {
	SQLITE_STATEMENT_APPEND,
	SQLITE_STATEMENT_DROP_BEHIND,
	SQLITE_STATEMENT_LOG,
	SQLITE_STATEMENT_SNAPSHOT,
	SQLITE_STATEMENT_CHUNK_ADD,
	SQLITE_STATEMENT_META_SET,
	SQLITE_STATEMENT_LOG_CLEAN,
	SQLITE_STATEMENT_SNAPSHOT_CLEAN,
	SQLITE_STATEMENT_N,
};

struct sqlite_store {
	struct store base;
	char *path;
	int lock_fd;
	sqlite3 *db; /* NULL after a failure, until the next commit opens it again */
	sqlite3_stmt *statements[SQLITE_STATEMENT_N];
	uint64_t generation; /* of the valid snapshot */
	uint64_t n_chunks;   /* of the valid snapshot */
	bool lazy;           /* PRAGMA synchronous is NORMAL, not FULL */
	bool suspect;        /* a commit failed: the log may hold more than we said */
	struct sqlite_compact compact;
};

/* Opens 's->path', makes its tables if it is empty, checks whose it is, and reads what 'meta'
 * says. */
must_check int sqlite_store_open_database(struct sqlite_store *s);
/* Closes the database, not the store; also one that is not open. */
void sqlite_store_close(struct sqlite_store *s);

/* Remembers what SQLite says about a failure of 'what', and returns the errno for it. */
must_check int sqlite_store_fail(struct sqlite_store *s, const char *what);
/* A statement, reset and without values. */
sqlite3_stmt *sqlite_store_statement(struct sqlite_store *s, enum sqlite_statement which);
/* Steps a statement that gives no rows, and resets it. */
must_check int sqlite_store_run(struct sqlite_store *s, sqlite3_stmt *st, const char *what);
/* 'durable': the commit waits for the disk.  If not, it is durable with the next one that is; a
 * crash before that takes it back, and never half of it. */
must_check int sqlite_store_begin(struct sqlite_store *s, bool durable);
/* Commits when 'r' is 0, else rolls back and returns 'r'. */
must_check int sqlite_store_end(struct sqlite_store *s, int r);
must_check int sqlite_store_set_meta(struct sqlite_store *s, const char *key, uint64_t value);
/* Of a batch or a chunk. */
int64_t sqlite_store_checksum(const void *data, size_t size);
/* The payload in 'column' of the row that 'st' stands on, checked against 'checksum_column'. */
must_check int sqlite_store_payload(struct sqlite_store *s, sqlite3_stmt *st, int column,
				    int checksum_column, const char *what, const void **ret,
				    size_t *ret_size);
/* The rowid of a chunk. */
static inline int64_t sqlite_store_chunk_id(uint64_t generation, uint64_t index)
{
	return (int64_t)(generation << 32 | index);
}
