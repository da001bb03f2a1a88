/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Managed prefix lists: blocks of addresses under one name, for rules of security groups and for routes.
 * Each change of the entries is a version; some earlier ones are kept, to be read and restored.
 *
 * A rule that names a list counts as many rules as the list may have entries (max_entries), so that a list
 * in use can be filled without asking all that use it.
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
