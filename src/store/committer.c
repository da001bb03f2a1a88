/* SPDX-License-Identifier: Apache-2.0 */
#include "store/committer.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"

struct committer {
	struct store *store;
	struct wake wake;
	pthread_t thread;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock: */
	struct list queue;  /* submitted */
	struct list active; /* in the store's hands */
	struct list done;   /* durable, completion due */
	int failed;         /* while not 0 nothing is committed; ends when the loop has undone */
	bool stop;
	struct committer_state state;
};

void commit_init(struct commit *c, commit_fn fn, void *data)
{
	*c = (struct commit){.fn = fn, .data = data};
	list_init(&c->node);
	store_batch_init(&c->batch);
}

void commit_deinit(struct commit *c)
{
	list_remove(&c->node);
	store_batch_deinit(&c->batch);
}

/* The compaction's own failures are left to it: it tries again, and a commit that fails for the
 * same reason is heard. */
static bool compact_some(struct committer *c)
{
	bool more = false;

	return !store_compact(c->store, false, &more) && more;
}

/* Moves up to a transaction's worth of the queue to 'active'; with the lock. */
static size_t take_queue(struct committer *c, const struct store_batch **batches)
{
	struct commit *commit;
	size_t n = 0;

	list_for_each (commit, &c->queue, node) {
		if (n == LIMIT_STORE_COMMIT_BATCHES)
			break;
		list_remove(&commit->node);
		list_push_back(&c->active, &commit->node);
		batches[n++] = &commit->batch;
	}
	return n;
}

static void note_result(struct committer *c, int r)
{
	c->state.error = r;
	c->state.info = *store_info_get(c->store);
	if (r) {
		c->failed = r;
		memcpy(&c->state.text, store_error_text(c->store), sizeof(c->state.text));
	} else {
		c->state.text.text[0] = '\0';
		list_splice_back(&c->done, &c->active);
	}
	pthread_cond_broadcast(&c->changed);
}

/* Waits for something to do; while the last commit has failed, until it is time to try the store.
 * With the lock. */
static void wait_for_change(struct committer *c)
{
	struct timespec until;
	int r;

	if (!c->state.error || c->failed || c->stop) {
		pthread_cond_wait(&c->changed, &c->lock);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LIMIT_STORE_PROBE_S;
	if (pthread_cond_timedwait(&c->changed, &c->lock, &until) != ETIMEDOUT)
		return;
	pthread_mutex_unlock(&c->lock);
	r = store_probe(c->store);
	pthread_mutex_lock(&c->lock);
	c->state.error = r;
	memcpy(&c->state.text, store_error_text(c->store), sizeof(c->state.text));
}

static void *commit_thread(void *data)
{
	struct committer *c = data;
	const struct store_batch *batches[LIMIT_STORE_COMMIT_BATCHES];
	bool more = true;
	size_t n;
	int r;

	pthread_mutex_lock(&c->lock);
	for (;;) {
		n = c->failed ? 0 : take_queue(c, batches);
		if (!n && c->stop && !c->failed)
			break;
		if (!n && (!more || c->stop)) {
			wait_for_change(c);
			continue;
		}
		pthread_mutex_unlock(&c->lock);
		r = n ? store_commit(c->store, batches, n) : 0;
		pthread_mutex_lock(&c->lock);
		if (n) {
			note_result(c, r);
			wake_post(&c->wake);
		}
		pthread_mutex_unlock(&c->lock);
		more = compact_some(c);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* Completes those that are durable until 'max' writes are reached; the rest stay in 'done'. */
static void deliver_done(struct committer *c, struct list *done, size_t max)
{
	struct commit *commit;
	size_t n = 0;

	while (n < max && (commit = list_first(done, struct commit, node))) {
		list_remove(&commit->node);
		n += commit->batch.n_writes;
		commit->fn(commit, 0, commit->data);
	}
	if (list_empty(done))
		return;
	pthread_mutex_lock(&c->lock);
	list_splice_back(done, &c->done);
	list_splice_back(&c->done, done);
	pthread_mutex_unlock(&c->lock);
	wake_post(&c->wake);
}

/* Completes what is due, on the loop's thread; of what is durable about 'max' writes, unless
 * something has failed. */
static void deliver(struct committer *c, size_t max)
{
	struct list done, refused;
	struct commit *commit;
	int failed;

	list_init(&done);
	list_init(&refused);
	pthread_mutex_lock(&c->lock);
	list_splice_back(&done, &c->done);
	failed = c->failed;
	if (failed) {
		list_splice_back(&refused, &c->active);
		list_splice_back(&refused, &c->queue);
	}
	pthread_mutex_unlock(&c->lock);

	deliver_done(c, &done, failed ? SIZE_MAX : max);
	if (!failed)
		return;
	/* What a completion of success has just submitted builds on what failed, too. */
	pthread_mutex_lock(&c->lock);
	list_splice_back(&refused, &c->queue);
	pthread_mutex_unlock(&c->lock);
	while ((commit = list_last(&refused, struct commit, node))) {
		list_remove(&commit->node);
		commit->fn(commit, failed, commit->data);
	}
	pthread_mutex_lock(&c->lock);
	c->failed = 0;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

static void on_wake(struct wake *w, void *data)
{
	deliver(data, LIMIT_STORE_TURN_WRITES);
}

int committer_new(struct loop *l, struct store *s, struct committer **ret)
{
	struct committer *c = calloc(1, sizeof(*c));
	pthread_condattr_t monotonic;
	int r;

	if (!c)
		return -ENOMEM;
	c->store = s;
	c->state.info = *store_info_get(s);
	list_init(&c->queue);
	list_init(&c->active);
	list_init(&c->done);
	r = wake_init(&c->wake, l, on_wake, c);
	if (r) {
		free(c);
		return r;
	}
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&c->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	r = pthread_create(&c->thread, NULL, commit_thread, c);
	if (r) {
		pthread_cond_destroy(&c->changed);
		pthread_mutex_destroy(&c->lock);
		wake_deinit(&c->wake);
		free(c);
		return -r;
	}
	*ret = c;
	return 0;
}

void committer_submit(struct committer *c, struct commit *commit)
{
	pthread_mutex_lock(&c->lock);
	list_push_back(&c->queue, &commit->node);
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

void committer_drain(struct committer *c)
{
	bool busy = true;

	while (busy) {
		pthread_mutex_lock(&c->lock);
		while (!c->failed && (!list_empty(&c->queue) || !list_empty(&c->active)))
			pthread_cond_wait(&c->changed, &c->lock);
		pthread_mutex_unlock(&c->lock);
		deliver(c, SIZE_MAX);
		pthread_mutex_lock(&c->lock);
		busy = c->failed || !list_empty(&c->queue) || !list_empty(&c->active) ||
		       !list_empty(&c->done);
		pthread_mutex_unlock(&c->lock);
	}
}

void committer_state_get(struct committer *c, struct committer_state *ret)
{
	pthread_mutex_lock(&c->lock);
	*ret = c->state;
	pthread_mutex_unlock(&c->lock);
}

struct committer *committer_free(struct committer *c)
{
	if (!c)
		return NULL;
	committer_drain(c);
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	wake_deinit(&c->wake);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c);
	return NULL;
}
