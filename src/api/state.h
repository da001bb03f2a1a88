/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an API keeps between requests.  For the files of this room; others see api.h.
 */
#pragma once

#include "api/api.h"
#include "api/page.h"
#include "api/sigv4.h"
#include "base/arena.h"

struct api {
	struct model *model;
	const struct clock *clock;
	const struct api_live *live;
	uint8_t operator_token_sha256[SIGV4_DIGEST_SIZE];
	uint8_t page_key[PAGE_KEY_SIZE];
	struct sigv4_cache signing_keys;
	struct arena arena; /* of the request being handled */
};
