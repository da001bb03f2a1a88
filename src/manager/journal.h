/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: changes of the model on their way to the store.
 *
 * A change is submitted right after its transaction ended; the model already shows it, the world
 * must not.  When its commit is durable the observer is told, and whoever waits for its revision
 * goes on. When a commit fails, all changes behind it fail with it: the journal undoes them newest
 * first, and then tells the observer and those who wait.  The next change tries the store anew.
 *
 * Threading: the loop's thread; the disk is waited for by the committer's.
 * Errors: 0 or -errno.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "model/tx.h"

struct journal;
struct store;
struct committer_state;

/* Told of every change, in order.  'note' is the observer's own word about the change. */
struct journal_observer {
	/* Right after the transaction, while the model is as the change left it. */
	void (*changed)(const struct change *change, void **ret_note, void *data);
	/* It is durable now.  Takes 'note'. */
	void (*durable)(uint64_t revision, void *note, void *data);
	/* It will never be: it is already undone.  Takes 'note'. */
	void (*undone)(void *note, void *data);
	/* All that was to be undone is: the model is as it was when 'durable' was last told. */
	void (*recovered)(void *data);
	void *data;
};

/* 'result': 0 when the revision is durable, else the store's negative errno, everything being
 * undone. */
typedef void (*journal_wait_fn)(int result, void *data);

struct journal_wait {
	struct list node;
	journal_wait_fn fn;
	void *data;
};

/* 'model' holds what 'store' holds.  'store' is used by the journal's thread until journal_free().
 */
must_check int journal_new(struct loop *loop, struct model *model, struct store *store,
			   const struct journal_observer *observer, struct journal **ret);
/* Finishes what was submitted; those who wait are told. */
struct journal *journal_free(struct journal *journal);
CLEANUP_DEFINE(struct journal *, journal_free);

/* Takes 'change'.  On failure (-EMSGSIZE: too large for one commit, -ENOMEM, -EBUSY: the store does
 * not keep up and LIMIT_JOURNAL_PENDING changes wait) it is undone. */
must_check int journal_submit(struct journal *journal, struct change *change);

/* The last revision that is durable. */
uint64_t journal_durable(const struct journal *journal);
/* Whether the model shows what is not durable yet. */
bool journal_is_pending(const struct journal *journal);

/* Calls 'fn' once when all the model shows now is durable or undone.  False, and nothing will be
 * called, when nothing is pending. */
bool journal_wait(struct journal *journal, struct journal_wait *wait, journal_wait_fn fn,
		  void *data);
void journal_wait_cancel(struct journal_wait *wait);

/* 0, or why the last commit failed, for people in '*ret_text' (borrowed until the next call). */
int journal_error(struct journal *journal, const char **ret_text);
/* Commits everything and returns when that is done or has failed. */
void journal_drain(struct journal *journal);
