/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: which classes of traffic of two hosts may be something else than all of their traffic, because
 * policies name their networks or interfaces, and where two sets of rules wish for different things.
 */
#pragma once

#include "model/choice_rules.h"
#include "model/pair.h"

struct pair_classes {
	size_t n, allocated;
	struct pair_class *v;
};

/* Of those that are there on both hosts, as 'a' sees them, the networks' before the interfaces'; also those whose
 * choice is changing.  -ENOMEM */
must_check int pair_classes_of(const struct model *m, const struct host *a, const struct host *b,
			       struct pair_classes *ret);
/* The same by other rules than the model's, and without those that are changing. */
must_check int pair_classes_by(const struct model *m, const struct choice_rules *rules, const struct host *a,
			       const struct host *b, struct pair_classes *ret);
/* Those that may come to be told apart as well, whatever the two can do. */
must_check int pair_classes_near(const struct model *m, const struct host *a, const struct host *b,
				 struct pair_classes *ret);
/* Whether, by these rules, the choice for the class, one of theirs, is made for it alone; else it is part of that of its
 * networks, or of all that the two send. */
bool pair_class_is_apart(const struct model *m, const struct choice_rules *rules, const struct host *a,
			 const struct host *b, const struct pair_class *c);
bool pair_classes_have(const struct pair_classes *c, const struct pair_class *class);
void pair_classes_deinit(struct pair_classes *c);

/* A direction for which two sets of rules wish for something else. */
struct pair_difference {
	const struct host *from, *to;
	const struct pair_class *class;
	/* of hosts that are alike: the names in the reasons may be those of others */
	const struct wish *before, *after;
};

/* Between which rules; 'changed' are the policies that only one of them has, or that they have in two versions. */
struct pair_rules_change {
	const struct choice_rules *before, *after;
	size_t n_changed;
	const struct choice_policy *const *changed;
};

typedef int (*pair_difference_fn)(void *data, const struct pair_difference *d);
/* Calls 'fn' for each direction of each class; what it returns ends the walk.  -ENOMEM */
must_check int pair_differences(const struct model *m, const struct pair_rules_change *c, pair_difference_fn fn,
				void *data);
