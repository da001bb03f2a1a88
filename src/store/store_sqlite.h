/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store in one SQLite file (with its -wal and .lock beside it).
 *
 * Tables: 'log', a row per batch, appended in the order of revisions, each naming the revision
 * before it so that a lost row is noticed; 'snapshot', chunks of the compacted state, in
 * generations of which 'meta' names the valid one.  Every row carries a checksum.  WAL with
 * synchronous=FULL: a commit is one append and one fsync.
 *
 * Compaction reads the log's tail into memory, sorts it, and merges it chunk by chunk with the
 * old generation into a new one, each step in a transaction of its own; a crash on the way leaves
 * the old generation valid.  It starts when the tail is larger than LIMIT_STORE_TAIL_SIZE and
 * half of the snapshot, so that its price stays in proportion to what was written.
 */
#pragma once

#include "base/err.h"
#include "store/store.h"

/* Opens 'path', or makes it (mode 0600) when it is not there; its directory must exist.
 * Errors as store.h, explained in '*reterr_error'; -EWOULDBLOCK: another process has it open. */
must_check int store_sqlite_open(const char *path, struct store **ret,
				 struct store_error *reterr_error);
