/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical form of a request, which is what Signature Version 4 signs ("Create a canonical
 * request", IAM user guide).  For api/sigv4.c.
 */
#pragma once

#include "api/http.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Appends the canonical form.  -EBADMSG: a header named in 'signed_headers' was not sent; -EILSEQ
 * and others of form.h: the query cannot be read; -ENOMEM, -EMSGSIZE. */
must_check int sigv4_put_canonical_request(struct buf *b, const struct http_request *r,
					   const char *signed_headers, struct arena *a);
/* Appends the digest of 'data' in hexadecimal. */
void sigv4_put_sha256(struct buf *b, const void *data, size_t size);
