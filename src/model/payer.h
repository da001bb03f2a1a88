/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who pays for an interface: its owner, or another account that the owner has named and that has
 * agreed to pay for the owner's interfaces, or whom an operator has named.
 *
 * The agreement is kept with the account that pays, and is that account's to give and take back.
 * Without it the owner pays again, from then on: what was recorded before stays (model/usage.h).
 */
#pragma once

#include "model/object.h"
#include "model/refusal.h"

struct account;
struct caller;
struct interface;
struct model;
struct tx;

/* 'payer' has agreed to pay for interfaces of 'owner', or is the same. */
bool payer_agreed(const struct model *m, uint64_t payer, uint64_t owner);
/* The account that pays for 'i' as things are. */
uint64_t payer_of(const struct model *m, const struct interface *i);

struct payer_agree_args {
	const char *payer; /* accounts */
	const char *owner;
	bool agreed; /* false: not any more */
};
/* By the one who pays, or an operator; what is so already is no error.  ACCOUNT_NOT_FOUND, VALUE,
 * PAYER_LIMIT */
must_check int payer_agree(struct tx *tx, const struct caller *c,
			   const struct payer_agree_args *args, const struct account **ret,
			   struct refusal *reterr);

/* Sets who pays for 'i', which is being edited: "" is the owner.  ACCOUNT_NOT_FOUND,
 * PAYER_CONSENT */
must_check int payer_set(const struct model *m, const struct caller *c, struct interface *i,
			 const char *account, struct refusal *reterr);
/* Inside the model: the account goes, and nobody pays for it any more. */
must_check int payer_forget_account(struct tx *tx, uint64_t account);
