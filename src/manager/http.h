/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP: requests from the listening socket to the API, and its answers back once they may leave.
 *
 * An answer leaves when everything that the API saw or wrote for it is durable.  When the commit
 * fails, a request that wrote is refused, and one that only read is answered anew.  A call that
 * took an address or an interface from its node leaves when all hosts have acknowledged that
 * (manager/handover.h), or after LIMIT_RELEASE_WAIT_MS.
 *
 * A client that is slow or gone costs its connection and nothing else, and there is a limit to
 * connections (manager/crowd.h).
 *
 * Threading: the loop's thread.  Errors: 0 or -errno.
 */
#pragma once

#include "base/err.h"

struct api;
struct descriptors;
struct http;
struct manager;

/* Serves 'fd', a listening socket that it takes (also on failure), with HTTP's share of
 * descriptors. */
must_check int http_new(struct manager *manager, struct api *api, int fd,
			const struct descriptors *shares, struct http **ret);
/* Drops the requests that wait: the journal must be drained before. */
struct http *http_free(struct http *http);
CLEANUP_DEFINE(struct http *, http_free);
