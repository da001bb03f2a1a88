/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links in the place of filters.
 *
 * A clsact filter is on a device at once; a tcx link waits for a grace period, 10 to 20 ms in which
 * nobody else can change a device.  But a packet takes some 100 ns less by a link, and a link is
 * known by its pin.  So a port begins with a filter, and when it has been there for a while, a
 * thread makes the link, pins it and takes the filter away.  While both are there the link alone is
 * asked, for program 'port' leaves nothing to others: no packet is without a program, and none
 * meets two.
 *
 * A port that goes (bpf_settler_drop()) may do so while its link is being made: the thread then
 * takes that away again, and the filter is left alone.  Only while the filter is being taken away
 * does the port wait.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/log.h"
#include "datapath/bpf_device.h"

struct settling {
	struct list link;
	int ifindex, prog_fd;
	char path[PATH_MAX + 64]; /* of the pin */
	uint64_t due;
};

struct bpf_settler {
	struct clock clock;
	pthread_t thread; /* if 'runs' */
	bool runs;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock: */
	struct list waiting;      /* by 'due' */
	struct settling *current; /* what the thread is at, or NULL */
	bool dropped;             /* its link is not wanted any more */
	bool pinned;              /* its link is, and the filter is being taken away */
	bool stop;
};

/* True: it is pinned.  The lock is held, but for the wait. */
static bool settle_link(struct bpf_settler *s, const struct settling *t)
{
	struct bpf_attachment at = {
		.ifindex = t->ifindex, .fd = -1, .side = BPF_SIDE_INGRESS, .wants_link = true};
	int r;

	pthread_mutex_unlock(&s->lock);
	r = bpf_attachment_set(&at, t->prog_fd);
	pthread_mutex_lock(&s->lock);
	if (!r && !s->dropped) {
		r = bpf_obj_pin(at.fd, t->path) ? -errno : 0;
		s->pinned = !r;
	}
	if (s->pinned) {
		close_cleanup(&at.fd);
		return true;
	}
	if (r)
		log_debug("no link in place of a filter", LOG_STR("pin", t->path), LOG_ERRNO(r));
	pthread_mutex_unlock(&s->lock);
	bpf_attachment_end(&at);
	pthread_mutex_lock(&s->lock);
	return false;
}

static void settle(struct bpf_settler *s, struct settling *t)
{
	s->current = t;
	s->dropped = s->pinned = false;
	if (settle_link(s, t)) {
		pthread_mutex_unlock(&s->lock);
		(void)!bpf_attach_clear_port(t->ifindex); /* it does no harm there */
		pthread_mutex_lock(&s->lock);
	}
	s->current = NULL;
	pthread_cond_broadcast(&s->changed);
	free(t);
}

static void *settler_thread(void *arg)
{
	struct bpf_settler *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		struct settling *t = list_first(&s->waiting, struct settling, link);

		if (!t) {
			pthread_cond_wait(&s->changed, &s->lock);
		} else if (clock_mono_ns(&s->clock) < t->due) {
			const struct timespec until = {.tv_sec = (time_t)(t->due / CLOCK_NS_PER_S),
						       .tv_nsec = (long)(t->due % CLOCK_NS_PER_S)};

			pthread_cond_timedwait(&s->changed, &s->lock, &until);
		} else {
			list_remove(&t->link);
			settle(s, t);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int bpf_settler_new(struct bpf_settler **ret)
{
	struct bpf_settler *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;

	if (!s)
		return -ENOMEM;
	clock_init_real(&s->clock);
	list_init(&s->waiting);
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
	*ret = s;
	return 0;
}

/* With the first port: it lives in the network namespace of the ports' devices. */
static void settler_begin(struct bpf_settler *s)
{
	sigset_t all, before;

	if (s->runs)
		return;
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	s->runs = !pthread_create(&s->thread, NULL, settler_thread, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* The lock is held. */
static void forget(struct bpf_settler *s, int ifindex)
{
	struct settling *t;

	list_for_each (t, &s->waiting, link)
		if (t->ifindex == ifindex) {
			list_remove(&t->link);
			free(t);
		}
}

void bpf_settler_add(struct bpf_settler *s, int ifindex, const char *path, int prog_fd)
{
	struct settling *t = calloc(1, sizeof(*t));

	if (!t)
		return;
	t->ifindex = ifindex;
	t->prog_fd = prog_fd;
	memcpy(t->path, path, strlen(path) + 1);
	t->due = clock_mono_ns(&s->clock) + LIMIT_DATAPATH_SETTLE_MS * CLOCK_NS_PER_MS;
	settler_begin(s);
	pthread_mutex_lock(&s->lock);
	forget(s, ifindex);
	list_push_back(&s->waiting, &t->link);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

void bpf_settler_drop(struct bpf_settler *s, int ifindex)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	forget(s, ifindex);
	if (s->current && s->current->ifindex == ifindex)
		s->dropped = true;
	while (s->current && s->current->ifindex == ifindex && s->pinned)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

struct bpf_settler *bpf_settler_free(struct bpf_settler *s)
{
	struct settling *t;

	if (!s)
		return NULL;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	if (s->runs)
		pthread_join(s->thread, NULL);
	while ((t = list_first(&s->waiting, struct settling, link))) {
		list_remove(&t->link);
		free(t);
	}
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
	return NULL;
}
