/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: what all policies for negotiation come to (docs/negotiation.md).
 *
 * The rules are the policies in order of specificity, the most specific first: pair of interfaces,
 * host, host label, network, account, environment, all; of the same rank the one with more members;
 * then administrators'; then the older one.  Kept by the tables; another set can be made of them,
 * to see what would be.
 */
#pragma once

#include "model/choice_policy.h"
#include "model/negotiate.h"

struct choice_change;
struct vpc;
struct pair_class;

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
	/* Hosts and networks that these rules take for what they were (model/choice_pass.h), by
	 * their ids. */
	size_t n_formers, formers_allocated;
	const struct choice_change **formers;
};

/* The model's: all policies there are. */
const struct choice_rules *choice_rules_of(const struct model *m);
/* Those by which a class of two hosts goes, either way: the model's, or, while a pass is under way
 * (model/choice_pass.h), one of its two. */
const struct choice_rules *choice_rules_between(const struct model *m, const struct host *a,
						const struct host *b, const struct pair_class *c);
enum { CHOICE_SETS_MAX = 2 };
/* Those by which any class may go; returns how many there are. */
size_t choice_rules_in_force(const struct model *m,
			     const struct choice_rules *ret[static CHOICE_SETS_MAX]);
/* Whether any of them has a policy. */
bool choice_rules_any(const struct model *m);
/* Makes room for one more, so that setting cannot fail; or for so many, so that assigning
 * cannot. */
must_check int choice_rules_prepare(struct choice_rules *r);
must_check int choice_rules_reserve(struct choice_rules *r, size_t n);
must_check int choice_rules_reserve_formers(struct choice_rules *r, size_t n);
/* Copies into what has been reserved. */
void choice_rules_assign(struct choice_rules *r, const struct choice_rules *from);
/* From now on they take a host or a network for what 'c' says it was; room has been reserved. */
void choice_rules_take_for(struct choice_rules *r, const struct choice_change *c);
/* The policies that one of the two sets alone has, or has in this version, or that may match
 * something else in one of them; room for those of both.  Returns how many. */
size_t choice_rules_changed(const struct choice_rules *before, const struct choice_rules *after,
			    const struct choice_policy **ret);
/* Puts 'new' in the place of 'old'; either may be NULL. */
void choice_rules_set(struct choice_rules *r, const struct choice_policy *old,
		      const struct choice_policy *new);
must_check int choice_rules_copy(const struct choice_rules *from, struct choice_rules *ret);
void choice_rules_deinit(struct choice_rules *r);
/* Fills in what is computed of a policy. */
void choice_policy_compile(struct choice_policy *p);

/* What the rules demand of what 'from' sends to 'to'; false: no rule matches, and '*ret' is all
 * zero. */
bool choice_rules_demand(const struct choice_rules *r, const struct choice_end *from,
			 const struct choice_end *to, struct demand *ret);
/* No rule tells the two hosts apart. */
bool choice_rules_same_host(const struct choice_rules *r, const struct host *a,
			    const struct host *b);
/* Their labels are the same. */
bool choice_same_labels(const struct host *a, const struct host *b);
/* Traffic of the network may be something else to the rules than all traffic of the same hosts. */
bool choice_rules_concern(const struct choice_rules *r, const struct vpc *v);
/* The policy may match something of the network, as 'r' takes that; what it says of hosts is not
 * looked at. */
bool choice_policy_concerns(const struct choice_rules *r, const struct choice_policy *p,
			    const struct vpc *v);

/* Of a VPC: which environment it is of, as long as no operator has said. */
#define CHOICE_TAG_ENVIRONMENT "viaduct:environment"
/* Which one it is of, by its operator's word or its tag; NULL: none. */
const char *choice_environment(const struct vpc *v);

/* Puts a policy in the place of another (either may be NULL: it comes, or goes), takes '*new', and
 * begins what follows: choices that change (model/pair_shift.h), and the MTU of networks; or the
 * pass that will (model/choice_pass.h). */
must_check int choice_policy_put(struct tx *tx, const struct choice_policy *old,
				 struct object **new);
/* Puts a VPC of which only tags or the environment have changed, or a host of which labels have,
 * likewise. */
must_check int choice_vpc_put(struct tx *tx, const struct object *old, struct object **new);
must_check int choice_host_put(struct tx *tx, const struct host *old, struct object **new);
/* An interface is gone from its network. */
must_check int choice_interface_ended(struct tx *tx, uint64_t interface, uint32_t vni);
