/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many HTTP clients there may be at once: as many as HTTP's share of descriptors holds
 * (manager/descriptors.h). When that is full no more are accepted until one has gone: they wait in
 * the kernel's queue, and lose nothing.  When it is half full, new clients that say nothing are let
 * go sooner.
 *
 * Threading: the loop's thread.  Errors: 0 or -ENOMEM.
 */
#pragma once

#include <event2/http.h>

#include "base/err.h"

struct crowd;
struct loop;

/* Watches the clients that 'server' accepts by 'listener': their descriptors stay below 'end'. */
must_check int crowd_new(struct loop *loop, struct evhttp *server,
			 struct evhttp_bound_socket *listener, int end, struct crowd **ret);
/* Before the server goes. */
struct crowd *crowd_free(struct crowd *c);
CLEANUP_DEFINE(struct crowd *, crowd_free);
