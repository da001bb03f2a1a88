/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client tokens: the same request with the same token is done once and answered alike (EC2
 * idempotency). A token is remembered for a day, per account and operation.
 */
#pragma once

#include "model/object.h"
#include "model/refusal.h"

enum { TOKEN_DIGEST_SIZE = 16 };

/* Part of the arguments of an idempotent operation. */
struct token_args {
	const char *token;                 /* NULL: none.  1 to 64 characters, else VALUE */
	uint8_t digest[TOKEN_DIGEST_SIZE]; /* of all other parameters of the request */
};

struct token {
	struct object o;
	char *operation; /* "RunInstances" */
	char *token;
	uint8_t digest[TOKEN_DIGEST_SIZE];
	uint64_t expires_ms;
	enum kind result_kind;
	size_t n_results;
	uint64_t *results; /* ids of what the request made */

	struct hmap_node by_token;
};
