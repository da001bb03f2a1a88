/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounts (customers) and their access keys.  Only operators make and delete them.
 *
 * An account's number is its id.  An access key's secret is kept as it is: SigV4 computes with it.
 * Operations: see model/tx.h for what all of them have in common.
 */
#pragma once

#include "model/object.h"
#include "model/refusal.h"

struct tx;
struct caller;
struct model;

struct account {
	struct object o; /* o.id is the number, o.account too */
	char *name;
	uint32_t group_rules; /* limits; 0: the usual one */
	uint32_t interface_groups;
	uint32_t acl_entries;
	size_t n_pays_for;
	uint64_t *pays_for; /* accounts: model/payer.h */
};

/* What an account may have, where an operator can change it. */
struct account_limits {
	uint32_t group_rules;      /* of a security group, by direction and family of addresses */
	uint32_t interface_groups; /* security groups of an interface */
	uint32_t acl_entries;      /* of a network ACL, by direction */
};

/* NULL: unchanged; 0: the usual */
struct account_limit_args {
	const char *account_id;
	const uint32_t *group_rules;      /* up to LIMIT_MODEL_GROUP_RULES_MAX */
	const uint32_t *interface_groups; /* up to LIMIT_MODEL_INTERFACE_GROUPS */
	const uint32_t *acl_entries;      /* up to LIMIT_MODEL_ACL_ENTRIES_MAX */
};

/* What may be done with a key, in its account. */
enum key_role {
	KEY_FULL = 0,
	KEY_READ_ONLY = 1,
};

struct key {
	struct object o; /* o.account owns it */
	char *access_key_id;
	char *secret;
	enum key_role role;

	struct hmap_node by_access_key_id;
};

struct account_create_args {
	const char *id;   /* 12 digits; NULL: a free one is chosen */
	const char *name; /* NULL: "" */
};
struct key_create_args {
	const char *account_id;
	const char *access_key_id; /* NULL: "AKIA" and 16 characters */
	const char *secret;        /* NULL: 40 characters */
	const char *role;          /* key_role_text(); NULL: "full" */
};

/* EXISTS, VALUE, NOT_PERMITTED */
must_check int account_create(struct tx *tx, const struct caller *c,
			      const struct account_create_args *args, const struct account **ret,
			      struct refusal *reterr);
/* What is there already stays when a limit falls below it.  ACCOUNT_NOT_FOUND, VALUE,
 * NOT_PERMITTED */
must_check int account_limit(struct tx *tx, const struct caller *c,
			     const struct account_limit_args *args, const struct account **ret,
			     struct refusal *reterr);
/* Deletes its keys too.  ACCOUNT_DEPENDENCY while it owns anything else. */
must_check int account_delete(struct tx *tx, const struct caller *c, const char *id,
			      struct refusal *reterr);
/* ACCOUNT_NOT_FOUND, EXISTS, VALUE, KEY_LIMIT */
must_check int key_create(struct tx *tx, const struct caller *c, const struct key_create_args *args,
			  const struct key **ret, struct refusal *reterr);
must_check int key_delete(struct tx *tx, const struct caller *c, const char *account_id,
			  const char *access_key_id, struct refusal *reterr);

/* Of the account, or the usual ones when there is none of that number. */
struct account_limits account_limits(const struct model *m, uint64_t account);
const char *key_role_text(enum key_role r);                                /* "full", "read-only" */
const struct account *account_find(const struct model *m, const char *id); /* or NULL */
const struct key *key_find(const struct model *m, const char *access_key_id); /* or NULL */
