/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: where the manager's objects survive.
 *
 * Concept.  A store is an append-only log of batches and a snapshot.  A batch holds the writes of
 * one or more operations, with the range of revisions that these made; committing appends it and
 * returns when it is on stable storage.  Nothing is ever updated in place, so the commit path costs
 * one append and one sync for any number of operations.  The state is what remains when the
 * snapshot and then the log's tail are applied in order.  Folding the tail into a new snapshot
 * (compaction) is done in small steps by whoever commits, so that neither stops the other.
 *
 * A write is {kind, id, value}: the store knows nothing about what the value means.  A write
 * without a value deletes.
 *
 * Guards.  A batch is refused (-ESTALE) unless its first revision lies behind the last one of the
 * store.  One process may have a store open (-EWOULDBLOCK otherwise).
 *
 * Failure.  A commit that fails has changed nothing: the store stays open, its revision stays, and
 * the next commit tries again; what a failed commit may have left on the disk is removed by it.
 *
 * Errors: 0 or a negative errno: -ENOSPC (disk or quota full), -EROFS, -EIO, -EBADMSG (not a store,
 * or damaged), -EPROTO (written by a newer version), -ENOMEM.  store_error_text() explains the
 * last one.
 *
 * Threading: a store is used by one thread at a time.  The manager opens and loads it, and then
 * leaves it to the commit thread (store/committer.h).
 *
 * Back-ends: store_sqlite.h (one file), store_memory.h (tests).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "store/batch.h"

enum { STORE_ERROR_SIZE = 320 };

struct store_error {
	char text[STORE_ERROR_SIZE];
};

/* What a store says about itself. */
struct store_info {
	const char *kind;           /* "sqlite", "memory" */
	uint64_t cluster_id;        /* drawn when the store was made; never 0, below 2^52 */
	uint64_t revision;          /* the last one committed */
	uint64_t snapshot_revision; /* what the snapshot contains; 0: there is none */
	uint64_t log_size;          /* bytes of writes behind the snapshot */
	uint64_t snapshot_size;     /* bytes of writes in the snapshot */
};

struct store;

/* Called for each write in the order of application; pointers are valid during the call.
 * A value other than 0 ends the loading with that value. */
typedef int (*store_write_fn)(const struct store_write *w, void *data);

/* Called for each committed batch, in order; see store_watch(). */
typedef void (*store_watch_fn)(const struct store_batch *b, void *data);

/* A subscription, embedded in its user's struct. */
struct store_watch {
	struct list node;
	store_watch_fn fn;
	void *data;
};

/* What a back-end implements.  A member that is NULL is not offered. */
struct store_ops {
	const char *kind;
	int (*load)(struct store *s, store_write_fn fn, void *data);
	int (*commit)(struct store *s, const struct store_batch *const *batches, size_t n);
	/* Writes something that means nothing, as durably as a commit. */
	int (*probe)(struct store *s);
	/* Calls 'fn' for each batch of the log with a revision of 'from' or later. */
	int (*replay)(struct store *s, uint64_t from, store_watch_fn fn, void *data);
	/* One bounded step of compaction. */
	int (*compact)(struct store *s, bool force, bool *ret_more);
	void (*free)(struct store *s);
};

/* Embedded by back-ends. */
struct store {
	const struct store_ops *ops;
	struct store_info info;
	struct store_error error; /* of the last failure */
	struct list watches;
};

/* For back-ends: sets up the common part; remembers why something failed and returns 'r'. */
void store_init(struct store *s, const struct store_ops *ops);
int store_fail(struct store *s, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Closes the store and frees it; what was committed stays. */
struct store *store_free(struct store *s);
CLEANUP_DEFINE(struct store *, store_free);

const struct store_info *store_info_get(const struct store *s);
/* One line for the operator about the last failure; "" when there was none. */
const char *store_error_text(const struct store *s);

/* Gives every write that makes up the state to 'fn': first the snapshot's, ordered by kind and id,
 * then the log's, in the order of revisions. */
must_check int store_load(struct store *s, store_write_fn fn, void *data);

/* Makes 'n' batches durable with one sync, all or none.  They must be in order and not empty. */
must_check int store_commit(struct store *s, const struct store_batch *const *batches, size_t n);

/* After a failed commit: would one succeed now? */
must_check int store_probe(struct store *s);

/* Does a bounded piece (some milliseconds) of folding the log into the snapshot, if the log has
 * grown enough, or always with 'force'.  '*ret_more' tells whether more is to be done now. */
must_check int store_compact(struct store *s, bool force, bool *ret_more);

/* Calls 'fn' for every committed batch that has a revision of 'from' or later: at once for those
 * of the log, and from then on at the end of each commit, on the thread that commits.
 * -ESTALE: 'from' lies in the snapshot: load the state instead. */
must_check int store_watch(struct store *s, uint64_t from, store_watch_fn fn, void *data,
			   struct store_watch *w);
void store_unwatch(struct store_watch *w);
