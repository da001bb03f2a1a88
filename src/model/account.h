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
};

struct key {
	struct object o; /* o.account owns it */
	char *access_key_id;
	char *secret;

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
};

/* EXISTS, VALUE, NOT_PERMITTED */
must_check int account_create(struct tx *tx, const struct caller *c,
			      const struct account_create_args *args, const struct account **ret,
			      struct refusal *reterr);
/* Deletes its keys too.  ACCOUNT_DEPENDENCY while it owns anything else. */
must_check int account_delete(struct tx *tx, const struct caller *c, const char *id,
			      struct refusal *reterr);
/* ACCOUNT_NOT_FOUND, EXISTS, VALUE, KEY_LIMIT */
must_check int key_create(struct tx *tx, const struct caller *c, const struct key_create_args *args,
			  const struct key **ret, struct refusal *reterr);
must_check int key_delete(struct tx *tx, const struct caller *c, const char *account_id,
			  const char *access_key_id, struct refusal *reterr);

const struct account *account_find(const struct model *m, const char *id);    /* or NULL */
const struct key *key_find(const struct model *m, const char *access_key_id); /* or NULL */
