/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compaction of the SQLite back-end, as a state that advances by steps of some milliseconds:
 * read the log's tail; merge it, sorted, with the old snapshot into new chunks; make the new
 * generation the valid one; remove what is no longer needed.  See store_sqlite.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/heap.h"
#include "store/batch.h"

struct sqlite_store;

enum sqlite_compact_phase {
	SQLITE_COMPACT_CLEAN, /* at first: what a crash may have left */
	SQLITE_COMPACT_IDLE,
	SQLITE_COMPACT_READ,
	SQLITE_COMPACT_MERGE,
};

struct sqlite_compact {
	enum sqlite_compact_phase phase;
	size_t retry_size; /* after a failure: the log's size before the next attempt */

	/* The tail: copies of the log's payloads, and the writes in them. */
	uint64_t upto, next; /* revisions: the last to fold, the next to read */
	uint8_t **payloads;
	size_t n_payloads, allocated_payloads;
	struct sqlite_compact_entry *entries;
	size_t n_entries, allocated_entries;
	/* One run of entries per step of reading, each sorted: no step sorts everything. */
	struct sqlite_compact_run *runs;
	size_t n_runs, allocated_runs;

	/* The merge. */
	struct heap heads;      /* the runs that have entries left, the next entry first */
	uint64_t old_chunk;     /* the next of the old snapshot */
	struct buf old;         /* the one being read */
	struct cursor old_rest; /* behind 'old_write' */
	struct store_write old_write;
	bool have_old;
	uint64_t new_chunk;
	uint64_t new_size;
	uint64_t folded_size; /* bytes of the log in the new snapshot */
};

void sqlite_compact_init(struct sqlite_compact *c);
/* Gives up what was begun and frees its memory. */
void sqlite_compact_reset(struct sqlite_compact *c);
must_check int sqlite_compact_step(struct sqlite_store *s, bool force, bool *ret_more);
