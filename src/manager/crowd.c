/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libevent tells who comes, by asking for a buffer, but not who goes, so clients are not counted.
 * The kernel does: it gives out the lowest descriptor that is free.  While that is at or above the
 * end of HTTP's share the listener is disabled, which libevent heeds before it accepts the next
 * client.
 */
#include "manager/crowd.h"

#include <errno.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"

struct crowd {
	struct list node; /* of crowds */
	struct evhttp *server;
	struct evconnlistener *listener;
	struct timer look; /* armed while nobody is accepted */
	uint64_t told_ns;  /* when it was said last; 0: never */
	int end;
};

/* All there are: where accepting fails, libevent tells the server alone. */
static struct list crowds = {&crowds, &crowds};

/* The number that the next descriptor gets. */
static int next_descriptor(struct crowd *c)
{
	int fd = fcntl(evconnlistener_get_fd(c->listener), F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return INT_MAX;
	close(fd);
	return fd;
}

/* 'error': why, 0: the share is full. */
static void pause_accepting(struct crowd *c, int error)
{
	uint64_t now_ns = clock_mono_ns(loop_clock(c->look.loop));

	evconnlistener_disable(c->listener);
	timer_arm_in(&c->look, LIMIT_HTTP_PAUSE_MS * CLOCK_NS_PER_MS);
	if (c->told_ns && now_ns - c->told_ns < LIMIT_HTTP_TELL_S * CLOCK_NS_PER_S)
		return;
	c->told_ns = now_ns;
	if (error)
		log_err("HTTP clients not accepted", LOG_ERRNO(error));
	else
		log_warn("HTTP clients wait: there are as many as there may be",
			 LOG_I64("descriptors", c->end));
}

static void on_look(struct timer *t, void *data)
{
	struct crowd *c = data;

	if (next_descriptor(c) < c->end)
		evconnlistener_enable(c->listener);
	else
		timer_arm_in(t, LIMIT_HTTP_PAUSE_MS * CLOCK_NS_PER_MS);
}

/* A client was accepted; the time-out that is set here is his already. */
static struct bufferevent *on_accepted(struct event_base *base, void *data)
{
	struct crowd *c = data;
	int next = next_descriptor(c);

	evhttp_set_timeout(c->server,
			   next > c->end / 2 ? LIMIT_HTTP_CROWD_TIMEOUT_S : LIMIT_HTTP_TIMEOUT_S);
	if (next >= c->end)
		pause_accepting(c, 0);
	return NULL; /* the server makes the buffer itself */
}

static void on_error(struct evconnlistener *listener, void *server)
{
	int error = errno;
	struct crowd *c;

	list_for_each (c, &crowds, node)
		if (c->server == server)
			pause_accepting(c, error);
}

int crowd_new(struct loop *loop, struct evhttp *server, struct evhttp_bound_socket *listener,
	      int end, struct crowd **ret)
{
	struct crowd *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->server = server;
	c->listener = evhttp_bound_socket_get_listener(listener);
	c->end = end;
	timer_init(&c->look, loop, on_look, c);
	evconnlistener_set_error_cb(c->listener, on_error);
	evhttp_set_bevcb(server, on_accepted, c);
	list_push_back(&crowds, &c->node);
	*ret = c;
	return 0;
}

struct crowd *crowd_free(struct crowd *c)
{
	if (!c)
		return NULL;
	list_remove(&c->node);
	evhttp_set_bevcb(c->server, NULL, NULL);
	evconnlistener_set_error_cb(c->listener, NULL);
	timer_deinit(&c->look);
	free(c);
	return NULL;
}
