/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: what all policies for negotiation come to (docs/negotiation.md).
 *
 * The rules are the policies in order of specificity, the most specific first: pair of interfaces, host, host
 * label, network, account, environment, all; of the same rank the one with more members; then administrators';
 * then the older one.  Kept by the tables; another set can be made of them, to see what would be.
 */
#pragma once

#include "model/choice_policy.h"
#include "model/negotiate.h"

struct vpc;

/* One end of a class, in one direction. */
struct choice_end {
	const struct host *host;
	const struct vpc *vpc; /* NULL: all of its networks */
	uint64_t interface;    /* 0: all of the network's */
};

struct choice_rules {
	size_t n, allocated;
	const struct choice_policy **v;
	size_t n_narrow, n_wide; /* of them; a policy may be both */
};

/* The model's. */
const struct choice_rules *choice_rules_of(const struct model *m);
/* Makes room for one more, so that setting cannot fail. */
must_check int choice_rules_prepare(struct choice_rules *r);
/* Puts 'new' in the place of 'old'; either may be NULL. */
void choice_rules_set(struct choice_rules *r, const struct choice_policy *old, const struct choice_policy *new);
must_check int choice_rules_copy(const struct choice_rules *from, struct choice_rules *ret);
void choice_rules_deinit(struct choice_rules *r);
/* Fills in what is computed of a policy. */
void choice_policy_compile(struct choice_policy *p);

/* What the rules demand of what 'from' sends to 'to'; false: no rule matches, and '*ret' is all zero. */
bool choice_rules_demand(const struct choice_rules *r, const struct choice_end *from, const struct choice_end *to,
			 struct demand *ret);
/* No rule tells the two hosts apart. */
bool choice_rules_same_host(const struct choice_rules *r, const struct host *a, const struct host *b);
/* Their labels are the same. */
bool choice_same_labels(const struct host *a, const struct host *b);
/* Traffic of the network may be something else to the rules than all traffic of the same hosts. */
bool choice_rules_concern(const struct choice_rules *r, const struct vpc *v);
/* The policy may match something of the network; what it says of hosts is not looked at. */
bool choice_policy_concerns(const struct choice_policy *p, const struct vpc *v);

/* Of a VPC: which environment it is of, as long as no operator has said. */
#define CHOICE_TAG_ENVIRONMENT "viaduct:environment"
/* Which one it is of, by its operator's word or its tag; NULL: none. */
const char *choice_environment(const struct vpc *v);

/* Puts a policy in the place of another (either may be NULL: it comes, or goes), takes '*new', and begins what
 * follows: choices that change (model/pair_shift.h), and the MTU of networks. */
must_check int choice_policy_put(struct tx *tx, const struct choice_policy *old, struct object **new);
/* Puts a VPC of which only tags or the environment have changed, likewise. */
must_check int choice_vpc_put(struct tx *tx, const struct object *old, struct object **new);
/* An interface is gone from its network. */
must_check int choice_interface_ended(struct tx *tx, uint64_t interface, uint32_t vni);
