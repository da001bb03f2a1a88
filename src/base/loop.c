/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: see loop.h.
 *
 * Libevent waits for descriptors and signals.  Timers are ours, in a heap ordered by deadline and
 * arming, so that real and manual clocks behave alike; one libevent timer stands for the first of
 * them when the clock is real.
 */
#include "base/loop.h"

#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/limits.h"

struct loop {
	struct clock *clock;
	struct event_base *base;
	struct event *tick; /* real clock: when the first timer is due */
	struct event *signals[2];
	struct heap timers;
	struct list deferred;
	struct list ends;
	uint64_t n_armed;  /* timers armed so far: their order */
	uint64_t tick_ns;  /* what 'tick' is set to; 0: not set */
	uint64_t n_events; /* callbacks made, to see whether the loop has settled */
	bool stopping;
};

static struct timer *timer_of(struct heap_node *n)
{
	return n ? container_of(n, struct timer, node) : NULL;
}

static bool timer_less(const struct heap_node *a, const struct heap_node *b)
{
	const struct timer *x = container_of(a, struct timer, node);
	const struct timer *y = container_of(b, struct timer, node);

	if (x->deadline_ns != y->deadline_ns)
		return x->deadline_ns < y->deadline_ns;
	return x->order < y->order;
}

static void timer_fire(struct timer *t)
{
	t->loop->n_events++;
	timer_disarm(t);
	t->fn(t, t->data);
}

/* Sets 'tick' to the first timer's deadline.  Once per iteration, however many timers changed. */
static void tick_update(struct loop *l)
{
	struct timer *first = timer_of(heap_first(&l->timers));
	uint64_t now, left;
	struct timeval tv;

	if (l->clock->manual)
		return;
	if (!first) {
		if (l->tick_ns)
			event_del(l->tick);
		l->tick_ns = 0;
		return;
	}
	if (l->tick_ns && l->tick_ns == first->deadline_ns)
		return;
	now = clock_mono_ns(l->clock);
	left = first->deadline_ns > now ? first->deadline_ns - now : 0;
	/* Rounded up: a tick before its time would only come again. */
	left = (left + 999) / 1000;
	tv = (struct timeval){.tv_sec = (time_t)(left / 1000000),
			      .tv_usec = (suseconds_t)(left % 1000000)};
	event_add(l->tick, &tv);
	l->tick_ns = first->deadline_ns;
}

/* Fires what was due when it was called; a timer armed again for "now" waits for the next
 * iteration. */
static void on_tick(evutil_socket_t fd, short what, void *data)
{
	struct loop *l = data;
	uint64_t now = clock_mono_ns(l->clock), n_armed = l->n_armed;
	struct timer *t;

	l->tick_ns = 0;
	while ((t = timer_of(heap_first(&l->timers))) && t->deadline_ns <= now &&
	       t->order <= n_armed)
		timer_fire(t);
}

int loop_new(struct clock *clock, struct loop **ret)
{
	_cleanup_(loop_free_cleanup) struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->clock = clock;
	heap_init(&l->timers, timer_less);
	list_init(&l->deferred);
	list_init(&l->ends);
	l->base = event_base_new();
	if (!l->base)
		return errno ? -errno : -ENOMEM;
	l->tick = event_new(l->base, -1, 0, on_tick, l);
	if (!l->tick)
		return -ENOMEM;
	*ret = TAKE_PTR(l);
	return 0;
}

struct loop *loop_free(struct loop *l)
{
	if (!l)
		return NULL;
	while (!list_empty(&l->ends)) {
		struct loop_end *e = container_of(l->ends.next, struct loop_end, link);

		e->fn(e);
	}
	for (size_t i = 0; i < ARRAY_SIZE(l->signals); i++)
		if (l->signals[i])
			event_free(l->signals[i]);
	if (l->tick)
		event_free(l->tick);
	if (l->base)
		event_base_free(l->base);
	free(l);
	return NULL;
}

void loop_end_add(struct loop *l, struct loop_end *e, void (*fn)(struct loop_end *e))
{
	e->fn = fn;
	list_push_back(&l->ends, &e->link);
}

struct clock *loop_clock(struct loop *l)
{
	return l->clock;
}

struct event_base *loop_event_base(struct loop *l)
{
	return l->base;
}

/* Runs the calls deferred so far; what they defer comes after the next wait. */
static void run_deferred(struct loop *l)
{
	struct list now;

	list_init(&now);
	list_splice_back(&now, &l->deferred);
	for (;;) {
		struct deferred *d = list_first(&now, struct deferred, node);

		if (!d)
			return;
		list_remove(&d->node);
		l->n_events++;
		d->fn(d, d->data);
	}
}

/* One iteration: events, then deferred calls. */
static int turn(struct loop *l, bool wait)
{
	int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;

	tick_update(l);
	if (!wait || l->stopping || !list_empty(&l->deferred))
		flags |= EVLOOP_NONBLOCK;
	if (event_base_loop(l->base, flags) < 0)
		return -EIO;
	run_deferred(l);
	return 0;
}

int loop_run(struct loop *l)
{
	int r = 0;

	while (!r && !l->stopping)
		r = turn(l, true);
	l->stopping = false;
	return r;
}

void loop_stop(struct loop *l)
{
	l->stopping = true;
	event_base_loopbreak(l->base);
}

static void on_timeout(evutil_socket_t fd, short what, void *data)
{
}

int loop_turn(struct loop *l, unsigned int timeout_ms)
{
	struct timeval tv = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
	struct event *timeout;
	int r;

	if (!timeout_ms)
		return turn(l, false);
	timeout = event_new(l->base, -1, 0, on_timeout, NULL);
	if (!timeout)
		return -ENOMEM;
	r = event_add(timeout, &tv) < 0 ? -ENOMEM : turn(l, true);
	event_free(timeout);
	return r;
}

int loop_settle(struct loop *l)
{
	/* Libevent's own callbacks (bufferevents) are not counted, but they are made ready by the
	 * kernel or by each other: two quiet turns in a row see both. */
	int quiet = 0;

	for (int i = 0; i < LIMIT_LOOP_SETTLE; i++) {
		uint64_t before = l->n_events;
		int r = turn(l, false);

		if (r < 0)
			return r;
		quiet = l->n_events == before && list_empty(&l->deferred) ? quiet + 1 : 0;
		if (quiet == 2)
			return 0;
	}
	return -ELOOP;
}

int loop_advance(struct loop *l, uint64_t ns)
{
	uint64_t target = clock_mono_ns(l->clock) + ns;
	struct timer *t;
	int r;

	assert(l->clock->manual);
	r = loop_settle(l);
	while (!r && (t = timer_of(heap_first(&l->timers))) && t->deadline_ns <= target) {
		uint64_t now = clock_mono_ns(l->clock);

		if (t->deadline_ns > now)
			clock_advance(l->clock, t->deadline_ns - now);
		timer_fire(t);
		r = loop_settle(l);
	}
	if (!r && clock_mono_ns(l->clock) < target)
		clock_advance(l->clock, target - clock_mono_ns(l->clock));
	return r;
}

static void on_stop_signal(evutil_socket_t signal_number, short what, void *data)
{
	loop_stop(data);
}

int loop_stop_on_signals(struct loop *l)
{
	static const int numbers[ARRAY_SIZE(l->signals)] = {SIGTERM, SIGINT};

	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		l->signals[i] = evsignal_new(l->base, numbers[i], on_stop_signal, l);
		if (!l->signals[i] || event_add(l->signals[i], NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void on_watch(evutil_socket_t fd, short what, void *data)
{
	struct watch *w = data;
	unsigned int ready =
		(what & EV_READ ? WATCH_READ : 0U) | (what & EV_WRITE ? WATCH_WRITE : 0U);

	w->loop->n_events++;
	w->fn(w, ready, w->data);
}

int watch_init(struct watch *w, struct loop *l, int fd, unsigned int wanted, watch_fn fn,
	       void *data)
{
	int r;

	*w = (struct watch){.loop = l, .fn = fn, .data = data, .fd = fd};
	w->event = event_new(l->base, fd, EV_PERSIST, on_watch, w);
	if (!w->event)
		return -ENOMEM;
	r = watch_set(w, wanted);
	if (r < 0)
		watch_deinit(w);
	return r;
}

int watch_set(struct watch *w, unsigned int wanted)
{
	short events = EV_PERSIST;

	if (wanted == w->wanted)
		return 0;
	if (w->wanted)
		event_del(w->event);
	w->wanted = 0;
	if (wanted & WATCH_READ)
		events |= EV_READ;
	if (wanted & WATCH_WRITE)
		events |= EV_WRITE;
	if (event_assign(w->event, w->loop->base, w->fd, events, on_watch, w) < 0)
		return -EINVAL;
	if (wanted && event_add(w->event, NULL) < 0)
		return -EINVAL;
	w->wanted = wanted;
	return 0;
}

void watch_deinit(struct watch *w)
{
	if (w->event)
		event_free(w->event);
	w->event = NULL;
	w->wanted = 0;
}

void timer_init(struct timer *t, struct loop *l, timer_fn fn, void *data)
{
	*t = (struct timer){.loop = l, .fn = fn, .data = data};
}

void timer_arm_at(struct timer *t, uint64_t deadline_ns)
{
	timer_disarm(t);
	t->deadline_ns = deadline_ns;
	t->order = ++t->loop->n_armed;
	heap_insert(&t->loop->timers, &t->node);
}

void timer_arm_in(struct timer *t, uint64_t delay_ns)
{
	timer_arm_at(t, clock_mono_ns(t->loop->clock) + delay_ns);
}

void timer_disarm(struct timer *t)
{
	if (heap_node_linked(&t->node))
		heap_remove(&t->loop->timers, &t->node);
}

bool timer_armed(const struct timer *t)
{
	return heap_node_linked(&t->node);
}

void timer_deinit(struct timer *t)
{
	timer_disarm(t);
}

void deferred_init(struct deferred *d, struct loop *l, deferred_fn fn, void *data)
{
	*d = (struct deferred){.loop = l, .fn = fn, .data = data};
}

void deferred_schedule(struct deferred *d)
{
	if (list_empty(&d->node))
		list_push_back(&d->loop->deferred, &d->node);
}

void deferred_cancel(struct deferred *d)
{
	list_remove(&d->node);
}

void deferred_deinit(struct deferred *d)
{
	deferred_cancel(d);
}

static void on_wake(struct watch *watch, unsigned int ready, void *data)
{
	struct wake *w = data;
	uint64_t n_posts;

	if (read(w->fd, &n_posts, sizeof(n_posts)) == sizeof(n_posts))
		w->fn(w, w->data);
}

int wake_init(struct wake *w, struct loop *l, wake_fn fn, void *data)
{
	int r;

	*w = (struct wake){.fn = fn, .data = data, .fd = -1};
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->fd < 0)
		return -errno;
	r = watch_init(&w->watch, l, w->fd, WATCH_READ, on_wake, w);
	if (r < 0) {
		close(w->fd);
		w->fd = -1;
	}
	return r;
}

void wake_post(struct wake *w)
{
	uint64_t one = 1;
	ssize_t n;

	/* EAGAIN means that the counter is at its maximum: the loop is awake anyway. */
	do
		n = write(w->fd, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
}

void wake_deinit(struct wake *w)
{
	if (!w->watch.event)
		return; /* zeroed, failed or done already */
	watch_deinit(&w->watch);
	close(w->fd);
	w->fd = -1;
}
