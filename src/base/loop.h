/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: thin glue over libevent, so that daemons and tests share one kind of loop.
 *
 * What can be waited for: a descriptor (struct watch), a time (struct timer), the end of this
 * iteration (struct deferred), another thread (struct wake), SIGTERM and SIGINT
 * (loop_stop_on_signals). Libevent's own objects (evhttp, bufferevent) use loop_event_base() beside
 * them.
 *
 * Each is embedded in its user's struct and bound to the loop by its init function; deinit unbinds
 * it, may be called at any time (also from its own callback, also twice) and must be called before
 * the memory or the loop goes away.  A zeroed struct may be deinitialised.  After deinit the
 * callback is not called any more.
 *
 * Time comes from the clock given to loop_new().  With a manual clock, timers fire only inside
 * loop_advance(), in order of time and then of arming, with the clock showing each timer's own
 * time; libevent's own timeouts always follow real time.
 *
 * Threading: one thread runs a loop and touches its objects; only wake_post() may be called from
 * others.  Callbacks must not block.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/heap.h"
#include "base/list.h"

struct event;
struct event_base;
struct loop;

/* 'clock' is borrowed and must outlive the loop.  0, -ENOMEM, or what the kernel refused. */
must_check int loop_new(struct clock *clock, struct loop **ret);
struct loop *loop_free(struct loop *l);
CLEANUP_DEFINE(struct loop *, loop_free);

struct clock *loop_clock(struct loop *l);
struct event_base *loop_event_base(struct loop *l);

/* Runs until loop_stop(); a stop asked for before the run ends it at once.  0 or -EIO. */
must_check int loop_run(struct loop *l);
/* Ends loop_run() after the current iteration, its deferred calls included. */
void loop_stop(struct loop *l);
/* Stops the loop at SIGTERM or SIGINT; ignores SIGPIPE.  One loop per process may ask for it. */
must_check int loop_stop_on_signals(struct loop *l);

/* Runs what is ready now, without waiting, until nothing is.  0; -ELOOP when it does not settle. */
must_check int loop_settle(struct loop *l);
/* Waits up to 'timeout_ms' of real time for something to be ready, and runs it (one iteration). */
must_check int loop_turn(struct loop *l, unsigned int timeout_ms);
/* Manual clock only: lets 'ns' pass, firing the timers due on the way and settling after each. */
must_check int loop_advance(struct loop *l, uint64_t ns);

enum { WATCH_READ = 1 << 0, WATCH_WRITE = 1 << 1 };

struct watch;
typedef void (*watch_fn)(struct watch *w, unsigned int ready, void *data);
struct watch {
	struct loop *loop;
	struct event *event;
	watch_fn fn;
	void *data;
	int fd;              /* borrowed: close it after watch_deinit() */
	unsigned int wanted; /* WATCH_*; 0: not watched for now */
};
/* Calls 'fn' whenever 'fd' is ready in one of the ways 'wanted' (level triggered).
 * 0, -ENOMEM, or -EINVAL when the descriptor cannot be polled. */
must_check int watch_init(struct watch *w, struct loop *l, int fd, unsigned int wanted, watch_fn fn,
			  void *data);
must_check int watch_set(struct watch *w, unsigned int wanted);
void watch_deinit(struct watch *w);

struct timer;
typedef void (*timer_fn)(struct timer *t, void *data);
struct timer {
	struct loop *loop;
	struct heap_node node;
	timer_fn fn;
	void *data;
	uint64_t deadline_ns; /* on the loop's monotonic clock */
	uint64_t order;       /* of arming: equal deadlines fire in this order */
};
/* Timers never fail and allocate nothing.  A timer fires once; its callback may arm it again. */
void timer_init(struct timer *t, struct loop *l, timer_fn fn, void *data);
void timer_arm_at(struct timer *t, uint64_t deadline_ns); /* replaces the earlier deadline */
void timer_arm_in(struct timer *t, uint64_t delay_ns);
void timer_disarm(struct timer *t);
bool timer_armed(const struct timer *t);
void timer_deinit(struct timer *t);

/* Something that lives in the loop with no other owner: loop_free() calls 'fn', which ends it and
 * takes 'link' out of its list, as whoever ends it sooner does. */
struct loop_end {
	struct list link;
	void (*fn)(struct loop_end *e);
};
void loop_end_add(struct loop *l, struct loop_end *e, void (*fn)(struct loop_end *e));

struct deferred;
typedef void (*deferred_fn)(struct deferred *d, void *data);
struct deferred {
	struct loop *loop;
	struct list node;
	deferred_fn fn;
	void *data;
};
/* 'fn' runs once at the end of the current iteration, however often it was scheduled before that;
 * scheduled by a deferred call, it runs at the end of the next one, which does not wait. */
void deferred_init(struct deferred *d, struct loop *l, deferred_fn fn, void *data);
void deferred_schedule(struct deferred *d);
void deferred_cancel(struct deferred *d);
void deferred_deinit(struct deferred *d);

struct wake;
typedef void (*wake_fn)(struct wake *w, void *data);
struct wake {
	struct watch watch;
	wake_fn fn;
	void *data;
	int fd; /* eventfd, owned; valid only between init and deinit */
};
/* wake_post(), from any thread, makes the loop call 'fn' soon: once for any number of posts before
 * it. Posts happen before the call they cause.  No thread may post during or after
 * wake_deinit(). */
must_check int wake_init(struct wake *w, struct loop *l, wake_fn fn, void *data);
void wake_post(struct wake *w);
void wake_deinit(struct wake *w);
