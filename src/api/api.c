/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"

#include <openssl/crypto.h>
#include <string.h>

#include "api/answer.h"
#include "api/ec2.h"
#include "api/operator.h"
#include "api/state.h"
#include "base/limits.h"
#include "base/rand.h"
#include "base/str.h"

int api_new(const struct api_config *config, struct api **ret)
{
	struct api *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->model = config->model;
	a->clock = config->clock;
	a->live = config->live;
	memcpy(a->operator_token_sha256, config->operator_token_sha256,
	       sizeof(a->operator_token_sha256));
	if (config->page_key)
		memcpy(a->page_key, config->page_key, sizeof(a->page_key));
	else
		rand_bytes(a->page_key, sizeof(a->page_key));
	arena_init(&a->arena, LIMIT_API_ARENA_SIZE);
	*ret = a;
	return 0;
}

struct api *api_free(struct api *a)
{
	if (!a)
		return NULL;
	arena_deinit(&a->arena);
	OPENSSL_cleanse(a, sizeof(*a));
	free(a);
	return NULL;
}

void api_handle(struct api *a, const struct http_request *r, struct api_answer *ret)
{
	if (!strcmp(r->path, "/v1") || str_has_prefix(r->path, "/v1/") ||
	    !strcmp(r->path, "/metrics")) {
		operator_handle(a, r, ret);
	} else if (!strcmp(r->path, "/") || !*r->path) {
		ec2_handle(a, r, ret);
	} else {
		answer_init(ret, API_JSON);
		answer_error(ret, 404, "NotFound",
			     "There is nothing at this path: EC2's API is at /, the operators' at "
			     "/v1/");
	}
	arena_reset(&a->arena);
}
