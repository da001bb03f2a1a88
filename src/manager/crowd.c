/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libevent tells who comes, by asking for a buffer, but not who goes.  A buffer that is let go has no callbacks any
 * more, so those that were handed out are kept, and looked through now and then: more often when there are as many
 * as there may be.
 */
#include "manager/crowd.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/loop.h"

struct crowd {
	struct evhttp *server;
	struct evconnlistener *listener;
	struct timer look; /* while there is somebody, or nobody is accepted */
	bool paused;
	bool told; /* that nobody is accepted; until half of them have gone */
	size_t n, max;
	struct bufferevent *v[]; /* a reference to each */
};

static bool has_gone(struct bufferevent *b)
{
	bufferevent_event_cb fn;

	bufferevent_getcb(b, NULL, NULL, &fn, NULL);
	return !fn;
}

static void forget_those_gone(struct crowd *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (has_gone(c->v[i]))
			bufferevent_decref(c->v[i]);
		else
			c->v[n++] = c->v[i];
	c->n = n;
}

static void look_soon(struct crowd *c)
{
	timer_arm_in(&c->look,
		     (c->paused ? LIMIT_HTTP_PAUSE_MS : LIMIT_HTTP_LOOK_MS) * CLOCK_NS_PER_MS);
}

static void pause_accepting(struct crowd *c)
{
	evconnlistener_disable(c->listener);
	c->paused = true;
	look_soon(c);
}

static void on_look(struct timer *t, void *data)
{
	struct crowd *c = data;

	forget_those_gone(c);
	if (c->paused && c->n < c->max) {
		c->paused = false;
		evconnlistener_enable(c->listener);
	}
	if (c->n < c->max / 2)
		c->told = false;
	if (c->n || c->paused)
		look_soon(c);
}

/* A client was accepted.  Its socket is the server's to close, not the buffer's. */
static struct bufferevent *on_accepted(struct event_base *base, void *data)
{
	struct crowd *c = data;
	struct bufferevent *b = bufferevent_socket_new(base, -1, 0);

	if (!b)
		return NULL; /* the server tries itself, and gives up this client */
	if (c->n + 1 >= c->max)
		forget_those_gone(c);
	if (c->n < c->max) {
		bufferevent_incref(b);
		c->v[c->n++] = b;
	}
	if (c->n >= c->max) {
		if (!c->told)
			log_warn("no more HTTP clients are accepted for now",
				 LOG_U64("clients", c->n));
		c->told = true;
		pause_accepting(c);
	} else if (!timer_armed(&c->look)) {
		look_soon(c);
	}
	return b;
}

static void on_error(struct evconnlistener *listener, void *data)
{
	int error = errno;

	log_err("HTTP clients not accepted", LOG_ERRNO(error));
	pause_accepting(data);
}

int crowd_new(struct loop *loop, struct evhttp *server, struct evhttp_bound_socket *listener,
	      size_t max, struct crowd **ret)
{
	struct crowd *c = calloc(1, sizeof(*c) + max * sizeof(c->v[0]));

	if (!c)
		return -ENOMEM;
	c->server = server;
	c->listener = evhttp_bound_socket_get_listener(listener);
	c->max = max;
	timer_init(&c->look, loop, on_look, c);
	evconnlistener_set_error_cb(c->listener, on_error);
	evhttp_set_bevcb(server, on_accepted, c);
	*ret = c;
	return 0;
}

struct crowd *crowd_free(struct crowd *c)
{
	if (!c)
		return NULL;
	evhttp_set_bevcb(c->server, NULL, NULL);
	evconnlistener_set_error_cb(c->listener, NULL);
	timer_deinit(&c->look);
	for (size_t i = 0; i < c->n; i++)
		bufferevent_decref(c->v[i]);
	free(c);
	return NULL;
}
