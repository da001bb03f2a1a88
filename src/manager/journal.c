/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/journal.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "manager/persist.h"
#include "store/committer.h"

struct entry {
	struct list node; /* in journal->pending, in order of revision */
	struct commit commit;
	struct change *change;
	uint64_t revision;
	void *note;
	struct list waits;
};

struct journal {
	struct loop *loop;
	struct model *model;
	struct committer *committer;
	struct journal_observer observer;
	struct list pending;
	size_t n_pending;
	uint64_t durable;

	/* Of what has failed: told once all of it is undone. */
	struct list failed_waits;
	int failure;
	bool is_broken; /* the log says so: it is told when that ends */
	struct deferred recovery;

	struct committer_state state;
};

static void entry_free(struct journal *journal, struct entry *entry)
{
	list_remove(&entry->node);
	journal->n_pending--;
	commit_deinit(&entry->commit);
	free(entry);
}

static void tell(struct list *waits, int result)
{
	struct journal_wait *wait;

	/* A callback may wait again or cancel another. */
	while ((wait = list_first(waits, struct journal_wait, node))) {
		list_remove(&wait->node);
		wait->fn(result, wait->data);
	}
}

static void recover(struct deferred *deferred, void *data)
{
	struct journal *journal = data;
	struct list waits;
	int failure = journal->failure;
	const char *text;

	(void)journal_error(journal, &text);
	log_err("the store does not work: writes are refused", LOG_STR("reason", text));
	journal->is_broken = true;
	list_init(&waits);
	list_splice_back(&waits, &journal->failed_waits);
	journal->observer.recovered(journal->observer.data);
	tell(&waits, failure);
}

static void succeed(struct journal *journal, struct entry *entry)
{
	uint64_t revision = entry->revision;
	struct list waits;
	void *note = entry->note;

	list_init(&waits);
	list_splice_back(&waits, &entry->waits);
	change_free(entry->change);
	entry_free(journal, entry);
	if (journal->is_broken)
		log_info("the store works again");
	journal->is_broken = false;
	journal->durable = revision;
	journal->observer.durable(revision, note, journal->observer.data);
	tell(&waits, 0);
}

/* The committer reports failures newest first: each is undone while it is the last one. */
static void fail(struct journal *journal, struct entry *entry, int result)
{
	assert(list_last(&journal->pending, struct entry, node) == entry);
	change_undo(entry->change);
	journal->observer.undone(entry->note, journal->observer.data);
	list_splice_back(&journal->failed_waits, &entry->waits);
	entry_free(journal, entry);
	journal->failure = result;
	deferred_schedule(&journal->recovery);
}

static void committed(struct commit *commit, int result, void *data)
{
	struct journal *journal = data;
	struct entry *entry = container_of(commit, struct entry, commit);

	if (result)
		fail(journal, entry, result);
	else
		succeed(journal, entry);
}

int journal_new(struct loop *loop, struct model *model, struct store *store,
		const struct journal_observer *observer, struct journal **ret)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	int r;

	if (!journal)
		return -ENOMEM;
	journal->loop = loop;
	journal->model = model;
	journal->observer = *observer;
	journal->durable = model_revision(model);
	list_init(&journal->pending);
	list_init(&journal->failed_waits);
	deferred_init(&journal->recovery, loop, recover, journal);
	r = committer_new(loop, store, &journal->committer);
	if (r) {
		deferred_deinit(&journal->recovery);
		free(journal);
		return r;
	}
	*ret = journal;
	return 0;
}

struct journal *journal_free(struct journal *journal)
{
	if (!journal)
		return NULL;
	journal_drain(journal);
	committer_free(journal->committer);
	deferred_deinit(&journal->recovery);
	free(journal);
	return NULL;
}

int journal_submit(struct journal *journal, struct change *change)
{
	struct entry *entry;
	int r = -EBUSY;

	entry = journal->n_pending < LIMIT_JOURNAL_PENDING ? calloc(1, sizeof(*entry)) : NULL;
	if (!entry) {
		if (journal->n_pending < LIMIT_JOURNAL_PENDING)
			r = -ENOMEM;
		change_undo(change);
		return r;
	}
	commit_init(&entry->commit, committed, journal);
	r = persist_change(change, &entry->commit.batch);
	if (r) {
		commit_deinit(&entry->commit);
		free(entry);
		change_undo(change);
		return r;
	}
	entry->change = change;
	entry->revision = change_revision(change);
	list_init(&entry->waits);
	list_push_back(&journal->pending, &entry->node);
	journal->n_pending++;
	journal->observer.changed(change, &entry->note, journal->observer.data);
	committer_submit(journal->committer, &entry->commit);
	return 0;
}

uint64_t journal_durable(const struct journal *journal)
{
	return journal->durable;
}

bool journal_is_pending(const struct journal *journal)
{
	return !list_empty(&journal->pending);
}

bool journal_wait(struct journal *journal, struct journal_wait *wait, journal_wait_fn fn,
		  void *data)
{
	struct entry *last = list_last(&journal->pending, struct entry, node);

	if (!last)
		return false;
	wait->fn = fn;
	wait->data = data;
	list_push_back(&last->waits, &wait->node);
	return true;
}

void journal_wait_cancel(struct journal_wait *wait)
{
	list_remove(&wait->node);
}

int journal_error(struct journal *journal, const char **ret_text)
{
	committer_state_get(journal->committer, &journal->state);
	*ret_text = journal->state.text.text;
	return journal->state.error;
}

void journal_drain(struct journal *journal)
{
	committer_drain(journal->committer);
}
