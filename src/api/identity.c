/* SPDX-License-Identifier: Apache-2.0 */
#include "api/identity.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

#include "api/state.h"
#include "model/account.h"

static int refuse_as(struct identity_refusal *r, int status, const char *code, const char *message)
{
	*r = (struct identity_refusal){.status = status, .code = code, .message = message};
	return -EACCES;
}

static int refuse_result(struct identity_refusal *r, enum sigv4_result result, const char *reason)
{
	switch (result) {
	case SIGV4_MISSING:
		return refuse_as(r, 403, "MissingAuthenticationToken", reason);
	case SIGV4_INCOMPLETE:
		return refuse_as(r, 400, "IncompleteSignature", reason);
	case SIGV4_EXPIRED:
		return refuse_as(r, 400, "RequestExpired", reason);
	case SIGV4_SCOPE:
	case SIGV4_MISMATCH:
		return refuse_as(r, 403, "SignatureDoesNotMatch", reason);
	default:
		return -ENOMEM;
	}
}

static int refuse_key(struct identity_refusal *r, bool is_sts)
{
	if (is_sts)
		return refuse_as(r, 403, "InvalidClientTokenId",
				 "The security token included in the request is invalid.");
	return refuse_as(r, 401, "AuthFailure",
			 "AWS was not able to validate the provided access credentials");
}

int identity_by_signature(struct api *a, const struct http_request *r, struct identity *ret,
			  struct identity_refusal *reterr)
{
	enum sigv4_result result;
	struct sigv4_auth auth;
	const struct key *key;

	*ret = (struct identity){};
	result = sigv4_parse(r, &a->arena, &auth);
	if (result)
		return refuse_result(reterr, result, auth.reason);
	ret->is_sts = !strcmp(auth.service, "sts");
	if (!ret->is_sts && strcmp(auth.service, "ec2"))
		return refuse_as(reterr, 403, "SignatureDoesNotMatch",
				 "Credential should be scoped to correct service: 'ec2'.");
	key = key_find(a->model, auth.access_key_id);
	if (!key)
		return refuse_key(reterr, ret->is_sts);
	result = sigv4_verify(r, &auth, key->secret, model_region(a->model),
			      clock_wall_ms(a->clock), &a->signing_keys, &a->arena);
	if (result)
		return refuse_result(reterr, result, auth.reason);
	ret->caller =
		(struct caller){.account = key->o.account, .read_only = key->role == KEY_READ_ONLY};
	ret->key_id = auth.access_key_id;
	return 0;
}

bool identity_is_operator(const struct api *a, const char *token)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256((const uint8_t *)token, strlen(token), digest);
	return !CRYPTO_memcmp(digest, a->operator_token_sha256, sizeof(digest));
}
