/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Managed prefix lists: blocks of addresses under one name, for rules of security groups and for
 * routes. Each change of the entries is a version; some earlier ones are kept, to be read and
 * restored.
 *
 * A rule or a route that names a list counts as many as the list may have entries (max_entries), so
 * that a list in use can be filled without asking all that use it.
 */
#pragma once

#include "model/host.h"
#include "model/object.h"
#include "model/refusal.h"
#include "model/token.h"
#include "net/addr.h"

struct tx;
struct caller;
struct model;

enum prefix_list_state {
	LIST_CREATED = 0,
	LIST_MODIFIED = 1,
	LIST_RESTORED = 2,
};

struct prefix_list_entry {
	struct prefix prefix;
	char *description; /* NULL: none */
};

struct prefix_list_version {
	uint64_t version;
	size_t n_entries;
	struct prefix_list_entry *entries;
};

struct prefix_list {
	struct object o;
	char *name;
	bool v6;
	uint32_t max_entries;
	uint64_t version; /* 1, 2, ... */
	enum prefix_list_state state;
	size_t n_entries;
	struct prefix_list_entry *entries; /* of 'version' */
	size_t n_versions;
	struct prefix_list_version *versions; /* before it, oldest first, as many as are kept */
};

const char *prefix_list_state_text(enum prefix_list_state s); /* "create-complete" */

struct prefix_list_entry_args {
	const char *cidr;
	const char *description;
};

struct prefix_list_create_args {
	const char *name;
	const char *family; /* "IPv4", "IPv6" */
	uint32_t max_entries;
	const struct prefix_list_entry_args *entries;
	size_t n_entries;
	const struct tag_args *tags;
	size_t n_tags;
	struct token_args token;
};

/* NULL: unchanged.  Entries are removed before others are added. */
struct prefix_list_modify_args {
	const char *id;
	const char *name;
	const uint32_t *max_entries; /* not together with entries */
	const uint64_t *version;     /* what the caller believes to change; needed with entries */
	const struct prefix_list_entry_args *add;
	size_t n_add;
	const char *const *remove; /* CIDRs */
	size_t n_remove;
};

/* MISSING, VALUE, LIST_*, CIDR_MALFORMED, TAG_*, TOKEN_MISMATCH */
must_check int prefix_list_create(struct tx *tx, const struct caller *c,
				  const struct prefix_list_create_args *args,
				  const struct prefix_list **ret, struct refusal *reterr);
/* LIST_NOT_FOUND, LIST_IN_USE */
must_check int prefix_list_delete(struct tx *tx, const struct caller *c, const char *id,
				  const struct prefix_list **ret, struct refusal *reterr);
/* LIST_VERSION, LIST_ENTRIES, RULE_LIMIT, ROUTE_LIMIT (a group or a route table that names it would
 * have too many) and the above */
must_check int prefix_list_modify(struct tx *tx, const struct caller *c,
				  const struct prefix_list_modify_args *args,
				  const struct prefix_list **ret, struct refusal *reterr);
/* The entries of 'version' become those of a new one.  'current' as in prefix_list_modify().
 * LIST_VERSION, LIST_NO_VERSION */
must_check int prefix_list_restore(struct tx *tx, const struct caller *c, const char *id,
				   uint64_t version, uint64_t current,
				   const struct prefix_list **ret, struct refusal *reterr);

must_check int prefix_list_find(const struct model *m, const struct caller *c, const char *id,
				const struct prefix_list **ret, struct refusal *reterr);
/* The entries of a version that is kept, or of the present one; false: there is none. */
bool prefix_list_entries(const struct prefix_list *l, uint64_t version,
			 const struct prefix_list_entry **ret, size_t *ret_n);
