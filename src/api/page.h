/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of lists: MaxResults and NextToken, limit and next.
 *
 * A list is in the order of creation, so a page continues behind the last object of the one before,
 * and what is made or deleted meanwhile neither repeats nor hides others.  The token names that
 * object, the account and the list it is for; it is authenticated with the manager's key, so that
 * it is good for nothing else, and for this also after a restart.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { PAGE_KEY_SIZE = 32, PAGE_TOKEN_SIZE = 2 * (6 * 8 + 16) + 1 };

/* Where a page ended. */
struct page_mark {
	uint64_t account; /* whose list; 0: an operator's */
	uint64_t list;    /* which: a hash of its name */
	uint64_t kind, id, serial;
	uint64_t part; /* within the object, e.g. its n-th tag */
};

uint64_t page_list(const char *name);
/* Writes the token of 'm'.  -EIO when the cryptographic library refuses. */
must_check int page_encode(const uint8_t key[static PAGE_KEY_SIZE], const struct page_mark *m,
			   char ret[static PAGE_TOKEN_SIZE]);
/* -EBADMSG: not a token under this key, for this account and list. */
must_check int page_decode(const uint8_t key[static PAGE_KEY_SIZE], const char *token,
			   uint64_t account, uint64_t list, struct page_mark *ret);
