/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures: lines of Authorization, X-Amz-Date, path, query, host and body.  Whatever they say,
 * without the secret nothing is accepted.
 */
#include <stdlib.h>
#include <string.h>

#include "api/sigv4.h"
#include "base/limits.h"
#include "base/rand.h"

enum { N_LINES = 6 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sigv4_cache cache;
	char *text = strndup((const char *)data, size), *lines[N_LINES] = {"", "", "/", "", "", ""};
	char *rest = text;
	struct http_header headers[3];
	struct http_request r = {.method = "POST", .headers = headers, .n_headers = 3};
	struct sigv4_auth auth;
	struct arena arena;
	char secret[33];

	arena_init(&arena, LIMIT_API_ARENA_SIZE);
	for (size_t i = 0; i < N_LINES && rest; i++)
		lines[i] = strsep(&rest, "\n");
	headers[0] = (struct http_header){"X-Amz-Date", lines[1]};
	headers[1] = (struct http_header){"Host", lines[4]};
	headers[2] = (struct http_header){"Authorization", lines[0]};
	/* Without the header a signature in the query is looked for. */
	if (!*lines[0])
		r.n_headers = 2;
	r.path = lines[2];
	r.query = *lines[3] ? lines[3] : NULL;
	r.body = lines[5];
	r.body_size = strlen(lines[5]);
	rand_bytes(secret, sizeof(secret) - 1);
	secret[sizeof(secret) - 1] = '\0';
	if (!sigv4_parse(&r, &arena, &auth) &&
	    !sigv4_verify(&r, &auth, secret, "us-east-1", UINT64_C(1440938160000), &cache, &arena))
		abort();
	arena_deinit(&arena);
	free(text);
	return 0;
}
