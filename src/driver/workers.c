/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/workers.h"

#include <pthread.h>
#include <signal.h>

#include "base/limits.h"
#include "base/str.h"

struct driver_workers {
	struct driver *driver;
	struct wake wake;
	pthread_t threads[LIMIT_DRIVER_WORKERS];
	size_t n_threads;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock: */
	struct list waiting, running, done;
	bool stop;
};

static bool workers_node_is_busy(const struct driver_workers *w, const char *node)
{
	struct driver_job *job;

	list_for_each (job, &w->running, link)
		if (str_equal(job->node, node))
			return true;
	return false;
}

/* The oldest job that may begin: an older one of the same node is then running, or was begun
 * before. */
static struct driver_job *workers_next(const struct driver_workers *w)
{
	struct driver_job *job;

	list_for_each (job, &w->waiting, link)
		if (!workers_node_is_busy(w, job->node))
			return job;
	return NULL;
}

static void workers_move(struct driver_job *job, struct list *to)
{
	list_remove(&job->link);
	list_push_back(to, &job->link);
}

static void *workers_thread(void *data)
{
	struct driver_workers *w = data;

	pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		struct driver_job *job = workers_next(w);

		if (!job) {
			pthread_cond_wait(&w->changed, &w->lock);
			continue;
		}
		workers_move(job, &w->running);
		pthread_mutex_unlock(&w->lock);
		job->run(job, w->driver);
		pthread_mutex_lock(&w->lock);
		workers_move(job, &w->done);
		wake_post(&w->wake);
		/* Another job of this node may begin now; or somebody waits for the end of all. */
		pthread_cond_broadcast(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* One at a time: what follows from a job takes the loop a while, and others of its events wait. */
static void workers_on_wake(struct wake *wake, void *data)
{
	struct driver_workers *w = data;
	struct driver_job *job;

	pthread_mutex_lock(&w->lock);
	job = list_first(&w->done, struct driver_job, link);
	if (job)
		list_remove(&job->link);
	if (!list_empty(&w->done))
		wake_post(wake);
	pthread_mutex_unlock(&w->lock);
	if (job)
		job->done(job);
}

static int workers_begin(struct driver_workers *w)
{
	sigset_t all, before;
	int e = 0;

	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (!e && w->n_threads < LIMIT_DRIVER_WORKERS) {
		e = pthread_create(&w->threads[w->n_threads], NULL, workers_thread, w);
		if (!e)
			w->n_threads++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -e;
}

int driver_workers_new(struct driver *d, struct loop *loop, struct driver_workers **ret)
{
	struct driver_workers *w = calloc(1, sizeof(*w));
	int e;

	if (!w)
		return -ENOMEM;
	w->driver = d;
	list_init(&w->waiting);
	list_init(&w->running);
	list_init(&w->done);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	e = wake_init(&w->wake, loop, workers_on_wake, w);
	if (!e)
		e = workers_begin(w);
	if (e) {
		driver_workers_free(w);
		return e;
	}
	*ret = w;
	return 0;
}

void driver_workers_submit(struct driver_workers *w, struct driver_job *job)
{
	list_init(&job->link);
	pthread_mutex_lock(&w->lock);
	list_push_back(&w->waiting, &job->link);
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void workers_drop(struct list *jobs)
{
	struct driver_job *job;

	list_for_each (job, jobs, link)
		list_remove(&job->link);
}

void driver_workers_halt(struct driver_workers *w)
{
	pthread_mutex_lock(&w->lock);
	workers_drop(&w->waiting);
	while (!list_empty(&w->running))
		pthread_cond_wait(&w->changed, &w->lock);
	workers_drop(&w->done);
	pthread_mutex_unlock(&w->lock);
}

struct driver_workers *driver_workers_free(struct driver_workers *w)
{
	if (!w)
		return NULL;
	driver_workers_halt(w);
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	while (w->n_threads)
		pthread_join(w->threads[--w->n_threads], NULL);
	wake_deinit(&w->wake);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}
