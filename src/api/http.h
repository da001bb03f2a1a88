/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP request and its answer as plain values, so that the API knows no HTTP library.
 *
 * Whoever speaks HTTP fills a struct http_request with what came in, unchanged: signatures are over
 * the path and query as they were sent.  Everything is borrowed for the call.
 */
#pragma once

#include <stddef.h>

struct http_header {
	const char *name; /* any case */
	const char *value;
};

struct http_request {
	const char *method;
	const char *path;  /* still percent-encoded, without the query */
	const char *query; /* still percent-encoded, without the '?'; NULL: none */
	const struct http_header *headers;
	size_t n_headers;
	const void *body;
	size_t body_size;
};

/* The value of the first header 'name' (any case), or NULL. */
const char *http_header_find(const struct http_request *r, const char *name);
