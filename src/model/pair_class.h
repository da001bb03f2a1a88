/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: which classes of traffic of two hosts may be something else than all of their
 * traffic, because policies name their networks or interfaces, and where two sets of rules wish for
 * different things.
 */
#pragma once

#include "model/choice_rules.h"
#include "model/pair.h"

struct pair_classes {
	size_t n, allocated;
	struct pair_class *v;
};

/* Of those that are there on both hosts, as 'a' sees them, the networks' before the interfaces';
 * also those whose choice is changing.  -ENOMEM */
must_check int pair_classes_of(const struct model *m, const struct host *a, const struct host *b,
			       struct pair_classes *ret);
/* The networks that a host carries, ascending; the caller frees '*ret'.  -ENOMEM */
must_check int pair_networks_of(const struct model *m, const struct host *h, uint32_t **ret,
				size_t *ret_n);
/* The same by other rules than those that hold between them, and without those that are
 * changing. */
must_check int pair_classes_by(const struct model *m, const struct choice_rules *rules,
			       const struct host *a, const struct host *b,
			       struct pair_classes *ret);
/* Those that may come to be told apart as well, whatever the two can do. */
must_check int pair_classes_near(const struct model *m, const struct host *a, const struct host *b,
				 struct pair_classes *ret);
/* Whether, by these rules (NULL: those that hold), the choice for the class, one of theirs, is made
 * for it alone; else it is part of that of its networks, or of all that the two send. */
bool pair_class_is_apart(const struct model *m, const struct choice_rules *rules,
			 const struct host *a, const struct host *b, const struct pair_class *c);
void pair_classes_deinit(struct pair_classes *c);

/* A direction for which two sets of rules wish for something else. */
struct pair_difference {
	const struct host *from, *to;
	const struct pair_class *class;
	/* of hosts that are alike: the names in the reasons may be those of others */
	const struct wish *before, *after;
};

/* Between which rules; 'changed' are the policies that only one of them has, or that they have in
 * two versions. */
struct pair_rules_change {
	const struct choice_rules *before, *after;
	size_t n_changed;
	const struct choice_policy *const *changed;
	uint64_t through; /* hosts and networks with a higher serial are left out; 0: none are */
};

/* The change says nothing of the class: it is of a network that is left out. */
bool pair_is_left_out(const struct model *m, const struct pair_rules_change *c,
		      const struct pair_class *class);

/* Pairs of hosts have an order: by the lower of the two numbers, then by the higher one. */
#define PAIR_POSITION_END UINT64_MAX
static inline uint64_t pair_position(uint32_t a, uint32_t b)
{
	return a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
}
static inline uint32_t pair_position_first(uint64_t position)
{
	return (uint32_t)(position >> 32);
}
static inline uint32_t pair_position_second(uint64_t position)
{
	return (uint32_t)position;
}

/* A stretch of them; behind a walk 'from' is where to go on, or PAIR_POSITION_END. */
struct pair_stretch {
	uint64_t from, until;
	/* directions that differ, about; one that does not costs far less.  0: no end */
	size_t budget;
};

typedef int (*pair_difference_fn)(void *data, const struct pair_difference *d);
struct pair_walk {
	/* For each direction of each class that differs. */
	pair_difference_fn difference;
	/* Or NULL.  For each pair behind its differences; 'retold': some class begins or ends to be
	 * told apart. */
	int (*pair)(void *data, const struct host *a, const struct host *b, bool retold);
	void *data;
};
/* What a function returns ends the walk.  'stretch': NULL: all pairs.  -ENOMEM */
must_check int pair_differences(const struct model *m, const struct pair_rules_change *c,
				struct pair_stretch *stretch, const struct pair_walk *walk);
