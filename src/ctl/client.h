/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of the operator's JSON API of viaductd (/v1/), by HTTP with a bearer token.
 *
 * Requests block, at most LIMIT_CTL_REQUEST_MS.  Errors: 0, or a negative errno with what to tell
 * the user in the error argument: -ECONNREFUSED when nobody answers, -EACCES when the token is
 * refused, -ENOENT, -EEXIST or -EINVAL for refusals of 404, 409 and other 4xx, -EREMOTEIO for a
 * server in trouble, -EPROTO for an answer that is not the API's.
 *
 * Ownership: a client is heap memory; JSON answers are references of the caller (json_decref()).
 * One thread.
 */
#pragma once

#include <jansson.h>

#include "base/err.h"

struct client;

struct client_error {
	char text[1024];
};

/* 'endpoint' is "http://HOST:PORT".  0, -EINVAL for another kind of text, -ENOMEM. */
must_check int client_new(const char *endpoint, const char *token, struct client **ret);
struct client *client_free(struct client *c);
CLEANUP_DEFINE(struct client *, client_free);

/* One request; 'body' may be NULL (borrowed).  '*ret' may be NULL; it is an object or null JSON. */
must_check int client_request(struct client *c, const char *method, const char *path,
			      const json_t *body, json_t **ret, struct client_error *reterr_error);

/* Reads all pages of the list 'key' at 'path': the first page's object, its list made whole. */
must_check int client_list(struct client *c, const char *path, const char *key, json_t **ret,
			   struct client_error *reterr_error);

/* A string as part of a path or query ("a b" -> "a%20b"), to be freed; NULL: out of memory. */
char *client_escape(struct client *c, const char *text);

static inline void json_cleanup(json_t **j)
{
	json_decref(*j);
}
#define _cleanup_json_ _cleanup_(json_cleanup)
