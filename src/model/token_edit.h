/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: how operations remember and recognise requests (model/token.h).
 */
#pragma once

#include "model/token.h"

struct tx;
struct model;

/* Whether the request was answered before: '*ret' is NULL, or what it was answered with.  VALUE,
 * TOKEN_MISMATCH, -ENOMEM */
must_check int token_seen(struct tx *tx, uint64_t account, const char *operation,
			  const struct token_args *args, const struct token **ret,
			  struct refusal *reterr);
/* What a request that made one object was answered with, as it is now: 0, or 'gone' with its id. */
must_check int token_answer(const struct model *m, const struct token *t, int gone,
			    const struct object **ret, struct refusal *reterr);
/* Remembers the answer; without a token in 'args' does nothing. */
must_check int token_remember(struct tx *tx, uint64_t account, const char *operation,
			      const struct token_args *args, enum kind result_kind,
			      const uint64_t *results, size_t n);
