/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS Signature Version 4 ("Signing AWS API requests", IAM user guide), HMAC-SHA256 over the
 * canonical request: by the Authorization header, or by X-Amz-* parameters of the query
 * (presigned).
 *
 * Verifying has two steps, because the key must be looked up between them:
 *	sigv4_parse()   who says it is, and what is signed
 *	sigv4_verify()  whether it was signed with that secret, now, for this region and service
 * Comparison takes constant time.  sigv4_sign() is the other side, for our own clients.
 *
 * Results live in the arena.  Signing keys are kept in a small cache, since deriving one costs four
 * HMACs and it is good for a day.  One thread per cache.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/http.h"
#include "base/arena.h"
#include "base/err.h"

enum { SIGV4_DIGEST_SIZE = 32, SIGV4_HEX_SIZE = 2 * SIGV4_DIGEST_SIZE + 1 };

enum sigv4_result {
	SIGV4_OK,
	SIGV4_MISSING,    /* not signed at all */
	SIGV4_INCOMPLETE, /* signed in a form that is wrong */
	SIGV4_EXPIRED,    /* signed for another time */
	SIGV4_SCOPE,      /* signed for another region, service or day */
	SIGV4_MISMATCH,   /* with another secret, or changed on the way */
	SIGV4_FAULT,      /* out of memory, or the cryptographic library refuses */
};

struct sigv4_auth {
	const char *access_key_id;
	const char *date; /* "20230131", of the scope */
	const char *region;
	const char *service;
	const char *signed_headers;
	const char *timestamp; /* "20230131T120000Z" */
	uint8_t signature[SIGV4_DIGEST_SIZE];
	uint64_t expires_s; /* of a presigned request; 0: signed by header */
	const char *reason; /* why parse or verify was not content; for people */
};

enum { SIGV4_CACHE_SIZE = 64 };

struct sigv4_cache {
	struct sigv4_cached {
		uint8_t name[SIGV4_DIGEST_SIZE]; /* digest of secret and scope; zero: empty */
		uint8_t key[SIGV4_DIGEST_SIZE];
	} entries[SIGV4_CACHE_SIZE];
};

/* SIGV4_OK, MISSING, INCOMPLETE or FAULT; '*ret' is filled as far as it was understood. */
must_check enum sigv4_result sigv4_parse(const struct http_request *r, struct arena *a,
					 struct sigv4_auth *ret);

/* SIGV4_OK, INCOMPLETE, EXPIRED, SCOPE, MISMATCH or FAULT. */
must_check enum sigv4_result sigv4_verify(const struct http_request *r, struct sigv4_auth *auth,
					  const char *secret, const char *region, uint64_t now_ms,
					  struct sigv4_cache *cache, struct arena *a);

/* What a client puts into its headers. */
struct sigv4_sign_args {
	const char *access_key_id;
	const char *secret;
	const char *region;
	const char *service;
	uint64_t now_ms;
};
enum { SIGV4_TIMESTAMP_SIZE = 17 };
/* The value of X-Amz-Date for 'now_ms'. */
void sigv4_timestamp(uint64_t now_ms, char ret[static SIGV4_TIMESTAMP_SIZE]);
/* The value of Authorization for 'r', whose headers all get signed: Host and X-Amz-Date must be
 * among them.  NULL when memory runs out. */
must_check const char *sigv4_sign(const struct http_request *r, const struct sigv4_sign_args *args,
				  struct sigv4_cache *cache, struct arena *a);

/* The steps of the calculation, for tests with published vectors; in the arena, NULL: no memory.
 * 'signed_headers' is a list like "host;x-amz-date". */
must_check char *sigv4_canonical_request(const struct http_request *r, const char *signed_headers,
					 struct arena *a);
