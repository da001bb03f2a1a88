/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks: the account whose access key signed the request, or the operator who bears the token.
 */
#pragma once

#include <stdbool.h>

#include "api/api.h"
#include "api/sigv4.h"
#include "base/err.h"

struct identity {
	struct caller caller;
	bool is_sts;        /* signed for the service sts */
	const char *key_id; /* of the access key; NULL for an operator */
};

/* Why a request is from nobody; of the protocol of 'service'. */
struct identity_refusal {
	int status;
	const char *code;
	const char *message;
};

/* Checks the signature.  0, or -EACCES with '*reterr', or -ENOMEM; 'is_sts' is set in any case. */
must_check int identity_by_signature(struct api *a, const struct http_request *r,
				     struct identity *ret, struct identity_refusal *reterr);
/* 'token' is what follows "Bearer ". */
bool identity_is_operator(const struct api *a, const char *token);
