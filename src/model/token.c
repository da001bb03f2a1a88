/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client tokens.  See token.h and token_edit.h.
 */
#include "model/token.h"

#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/edit.h"
#include "model/token_edit.h"

static const struct token *find(const struct model *m, uint64_t account, const char *operation,
				const char *text)
{
	const struct hmap_node *n =
		unique_first(m, UNIQUE_TOKEN, token_hash(account, operation, text));

	for (; n; n = hmap_next_at(n)) {
		const struct token *t = hmap_entry(n, const struct token, by_token);

		if (t->o.account == account && str_equal(t->operation, operation) &&
		    str_equal(t->token, text))
			return t;
	}
	return NULL;
}

int token_seen(struct tx *tx, uint64_t account, const char *operation,
	       const struct token_args *args, const struct token **ret, struct refusal *reterr)
{
	const struct token *t;
	int r = 0;

	if (!args->token) {
		*ret = NULL;
		return 0;
	}
	if (!args->token[0] || strlen(args->token) > LIMIT_MODEL_TOKEN)
		return refuse(reterr, MODEL_E_VALUE, args->token, "clientToken",
			      "It has 1 to 64 characters.");
	t = find(tx->m, account, operation, args->token);
	if (t && t->expires_ms <= tx->now_ms) {
		r = tx_delete(tx, &t->o);
		t = NULL;
	}
	if (t && memcmp(t->digest, args->digest, TOKEN_DIGEST_SIZE))
		return refuse(reterr, MODEL_E_TOKEN_MISMATCH, args->token);
	if (!r)
		*ret = t;
	return r;
}

int token_answer(const struct model *m, const struct token *t, int gone, const struct object **ret,
		 struct refusal *reterr)
{
	const struct object *o = model_get(m, t->result_kind, t->results[0]);
	char id[ID_TEXT_SIZE];

	if (!o)
		return refuse(reterr, gone, id_text(t->result_kind, t->results[0], id));
	*ret = o;
	return 0;
}

static int fill(struct token *t, const char *operation, const struct token_args *args,
		const uint64_t *results, size_t n)
{
	int r = edit_string(&t->operation, operation);

	if (!r)
		r = edit_string(&t->token, args->token);
	if (r)
		return r;
	t->results = calloc(n, sizeof(*results));
	if (!t->results)
		return -ENOMEM;
	memcpy(t->results, results, n * sizeof(*results));
	t->n_results = n;
	memcpy(t->digest, args->digest, TOKEN_DIGEST_SIZE);
	return 0;
}

int token_remember(struct tx *tx, uint64_t account, const char *operation,
		   const struct token_args *args, enum kind result_kind, const uint64_t *results,
		   size_t n)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	int r;

	if (!args->token)
		return 0;
	r = tx_make(tx, KIND_TOKEN, account, &o);
	if (!r)
		r = fill((struct token *)o, operation, args, results, n);
	if (r)
		return r;
	((struct token *)o)->expires_ms = tx->now_ms + LIMIT_MODEL_TOKEN_MS;
	((struct token *)o)->result_kind = result_kind;
	return tx_put(tx, NULL, &o);
}
