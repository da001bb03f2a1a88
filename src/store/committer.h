/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commit thread: batches go in on the loop's thread, become durable one after the other, and
 * their completions come back on the loop's thread.
 *
 * Order.  Completions of success come in the order of submission.  All batches that wait while a
 * commit runs are made durable together by the next one: many operations per sync.
 *
 * Failure.  When a commit fails, everything submitted behind it fails with it, because it builds on
 * what is not there: the loop's thread gets the completions of all of them in one go, the newest
 * first, so that undoing them in this order leads back to the last durable state.  What is
 * submitted after that is tried anew.  Where nothing is, the thread tries the store by itself every
 * LIMIT_STORE_PROBE_S, so that the state it shows is true.
 *
 * A disk that hangs holds up completions and nothing else.
 *
 * Ownership: a commit is embedded in its user's struct and belongs to the committer from
 * committer_submit() to its completion.  The store is borrowed and used by the thread alone from
 * committer_new() to committer_free().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "store/batch.h"
#include "store/store.h"

struct commit;
struct committer;

/* Many completions that come at once are spread over turns of the loop
 * (LIMIT_STORE_TURN_WRITES), for what follows from a large commit takes its time.
 *
 * 'result': 0, or the store's negative errno.  May free 'c'; after success it may submit others
 * (after a failure the state to build on is known only when the last completion has returned). */
typedef void (*commit_fn)(struct commit *c, int result, void *data);

struct commit {
	struct list node;
	struct store_batch batch;
	commit_fn fn;
	void *data;
};

/* What the last commit said, for status. */
struct committer_state {
	int error; /* of the last commit or try; 0: it succeeded */
	struct store_error text;
	struct store_info info; /* of the store after the last commit */
};

void commit_init(struct commit *c, commit_fn fn, void *data);
void commit_deinit(struct commit *c);

must_check int committer_new(struct loop *l, struct store *s, struct committer **ret);
/* Makes everything that was submitted durable, delivers its completions, and ends the thread. */
struct committer *committer_free(struct committer *c);
CLEANUP_DEFINE(struct committer *, committer_free);

/* The batch must be without error and not empty. */
void committer_submit(struct committer *c, struct commit *commit);
/* Waits until all is durable or refused, and delivers the completions: before leaving. */
void committer_drain(struct committer *c);
void committer_state_get(struct committer *c, struct committer_state *ret);
