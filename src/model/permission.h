/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Permissions: that another account may attach an interface to its instances, or associate its
 * public addresses with it (EC2: CreateNetworkInterfacePermission).  The owner of the interface
 * gives and takes them; they end with it.
 */
#pragma once

#include "model/object.h"
#include "model/refusal.h"

struct tx;
struct caller;
struct interface;
struct model;

/* Stored. */
enum permission_type {
	PERMISSION_ATTACH = 1,    /* INSTANCE-ATTACH */
	PERMISSION_ASSOCIATE = 2, /* EIP-ASSOCIATE */
};

struct permission {
	struct object o; /* o.account: the interface's owner */
	uint64_t interface;
	uint64_t grantee; /* account */
	enum permission_type type;

	struct member by_interface;
};

const char *permission_type_text(enum permission_type t); /* as EC2 */

struct permission_create_args {
	const char *interface_id;
	const char *account_id;
	const char *type; /* as EC2 */
};

/* One that there is already is given again.  INTERFACE_NOT_FOUND, INTERFACE_RIGHT,
 * ACCOUNT_NOT_FOUND, VALUE, PERMISSION_LIMIT */
must_check int permission_create(struct tx *tx, const struct caller *c,
				 const struct permission_create_args *args,
				 const struct permission **ret, struct refusal *reterr);
/* 'force': also while the account has the interface attached.  PERMISSION_NOT_FOUND,
 * PERMISSION_IN_USE */
must_check int permission_delete(struct tx *tx, const struct caller *c, const char *id, bool force,
				 struct refusal *reterr);
must_check int permission_find(const struct model *m, const struct caller *c, const char *id,
			       const struct permission **ret, struct refusal *reterr);
bool permission_exists(const struct model *m, uint64_t interface, uint64_t account,
		       enum permission_type type);
/* Inside the model: the interface goes. */
must_check int permission_end_all(struct tx *tx, uint64_t interface);
