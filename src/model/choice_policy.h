/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies for negotiation (docs/negotiation.md): which traffic they are about, and what they
 * forbid, require, prefer or pin there.  Rules of who may talk to whom are model/security_group.h
 * and model/network_acl.h.
 *
 * A policy of no account is the administrators', and may be about everything.  A customer's is
 * about networks or interfaces of its own.  What a policy names may go: it then matches nothing,
 * until it is changed.
 */
#pragma once

#include "model/ability.h"
#include "model/object.h"
#include "model/refusal.h"

struct tx;
struct caller;
struct model;
struct tag_args;

/* Stored. */
enum choice_effect {
	CHOICE_FORBID = 1,
	CHOICE_REQUIRE = 2,
	CHOICE_PREFER = 3,
	CHOICE_PIN = 4,
};
enum choice_direction {
	CHOICE_BOTH = 0,
	CHOICE_OUT = 1, /* from what 'match' is about */
	CHOICE_IN = 2,
};

enum { CHOICE_WHAT_MAX = 16, CHOICE_LABELS_MAX = 8 };

struct choice_text {
	char *text; /* "siit/2", "crypt" */
};

/* What one end has to be; zero: anything. */
struct choice_member {
	uint64_t host; /* id */
	uint64_t vpc;
	uint64_t account;
	size_t n_labels;
	struct tag *labels; /* that its host has */
};

struct choice_policy {
	struct object o; /* o.account: the customer, 0: the administrators */
	char *name;      /* unique among the account's */
	char *environment;
	struct choice_member one;   /* the end that 'direction' is about */
	struct choice_member other; /* the "peer" */
	/* ids, 0: any; the first is the end that 'direction' is about */
	uint64_t interfaces[2];
	enum choice_direction direction;
	enum choice_effect effect;
	size_t n_what;
	struct choice_text *what;
	uint64_t rate_bits;  /* a second; 0: none */
	uint32_t rate_burst; /* bytes */
	bool source_only;    /* notify: source */

	/* Computed when it is put in the model; of a policy as it was before a change
	 * (model/choice_pass.h), which is an object of its own, the first three are stored: */
	uint64_t id, age, owner; /* of the policy: o.id, o.serial, o.account */
	uint64_t specificity;    /* the higher, the more specific */
	uint32_t n_masks;        /* of 'what' */
	uint32_t formats[CHOICE_WHAT_MAX], features[CHOICE_WHAT_MAX]; /* bits, one of both is 0 */
	bool wide;   /* may match a pair's own class */
	bool narrow; /* may match a class of networks or interfaces without matching the pair's */
};

const char *choice_effect_text(enum choice_effect e);       /* "forbid", ... */
const char *choice_direction_text(enum choice_direction d); /* "both", "out", "in" */

struct choice_member_args {
	const char *host; /* id or name; NULL: any, here and below */
	const char *network;
	const char *account;
	const struct tag_args *labels;
	size_t n_labels;
};

struct choice_policy_args {
	const char *name;
	const char *environment;
	struct choice_member_args match, peer;
	const char *interfaces[2];
	const char *direction; /* NULL: "both" */
	const char *effect;
	const char *const *what;
	size_t n_what;
	const uint32_t *rate_mbit;
	const uint32_t *rate_burst_kib; /* NULL: 256 */
	const char *notify;             /* "both" or "source"; NULL: "both" */
};

/* VALUE, MISSING, COMBINATION, NOT_PERMITTED, EXISTS, CHOICE_POLICY_LIMIT and the *_NOT_FOUND of
 * what is named */
must_check int choice_policy_create(struct tx *tx, const struct caller *c,
				    const struct choice_policy_args *args,
				    const struct choice_policy **ret, struct refusal *reterr);
/* All of it, by what 'args' says; it keeps its id and its age.  Those, and
 * CHOICE_POLICY_NOT_FOUND */
must_check int choice_policy_replace(struct tx *tx, const struct caller *c, const char *id,
				     const struct choice_policy_args *args,
				     const struct choice_policy **ret, struct refusal *reterr);
/* CHOICE_POLICY_NOT_FOUND */
must_check int choice_policy_delete(struct tx *tx, const struct caller *c, const char *id,
				    struct refusal *reterr);
/* By id or name, of those that the caller may change.  CHOICE_POLICY_NOT_FOUND */
must_check int choice_policy_find(const struct model *m, const struct caller *c, const char *id,
				  const struct choice_policy **ret, struct refusal *reterr);
