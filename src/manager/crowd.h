/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many HTTP clients there may be at once.  When so many are connected, no more are accepted until one has gone:
 * they wait in the kernel's queue, and lose nothing.  The same for a moment when the process runs out of
 * descriptors.
 *
 * Threading: the loop's thread.  Errors: 0 or -ENOMEM.
 */
#pragma once

#include <event2/http.h>

#include "base/err.h"

struct crowd;
struct loop;

/* Counts the clients of 'server', which accepts by 'listener'. */
must_check int crowd_new(struct loop *loop, struct evhttp *server,
			 struct evhttp_bound_socket *listener, size_t max, struct crowd **ret);
/* Before the server goes. */
struct crowd *crowd_free(struct crowd *c);
CLEANUP_DEFINE(struct crowd *, crowd_free);
