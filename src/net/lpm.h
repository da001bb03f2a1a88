/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Longest prefix match: a path-compressed binary trie from prefixes to values of the caller.
 *
 * Embedded; a zeroed lpm is empty.  It owns its nodes, not the values, which are never NULL.
 * Look-ups cost at most one step per distinct prefix length on the path.  One thread.
 * Errors: -ENOMEM, and then nothing has changed.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "net/addr.h"

struct lpm_node;

struct lpm {
	struct lpm_node *root;
	size_t n; /* prefixes */
};

void lpm_init(struct lpm *l);
void lpm_deinit(struct lpm *l);
/* Sets the value of exactly 'prefix'; the value it replaces, or NULL, goes to '*ret_old' (may be
 * NULL).  0 or -ENOMEM. */
must_check int lpm_set(struct lpm *l, const struct prefix *prefix, void *value, void **ret_old);
/* Removes exactly 'prefix' and returns its value, or NULL when it was not there. */
void *lpm_remove(struct lpm *l, const struct prefix *prefix);
/* The value of exactly 'prefix', or NULL. */
void *lpm_get(const struct lpm *l, const struct prefix *prefix);
/* The value of the longest prefix that contains 'addr', or NULL; 'ret_prefix' may be NULL. */
void *lpm_find(const struct lpm *l, const struct ipaddr *addr, struct prefix *ret_prefix);
/* Calls 'fn' for every prefix, ordered by address and then by length, until it returns non-zero;
 * returns that, or 0.  'fn' must not change the trie. */
int lpm_each(const struct lpm *l, int (*fn)(const struct prefix *p, void *value, void *data),
	     void *data);
