/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters of Describe actions: Filter.N.Name with Filter.N.Value.M.
 *
 * An object passes when for each filter one of its values matches one of the filter's values, in
 * which '*' stands for any text, '?' for one character, and '\' takes away their meaning (EC2 user
 * guide, "List and filter your resources").  Values are compared with case, names without patterns.
 *
 * Each action has a table of its filters: a name and a function that tells the object's values.
 * The filters tag:KEY, tag-key and tag-value go by themselves wherever the table says so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/call.h"
#include "base/err.h"

struct filter_probe;

struct filter {
	const char *name; /* NULL ends a table */
	/* Tells all values of 'item' by the probe functions below. */
	void (*values)(struct filter_probe *p, const void *item);
};

/* One that was asked for. */
struct filter_wanted {
	const char *name;
	const struct filter *filter; /* NULL: one of the tags */
	const char *tag_key;         /* of tag:KEY */
	const char *const *values;
	size_t n_values;
};

struct filter_set {
	const struct filter_wanted *wanted;
	size_t n;
};

struct filter_probe {
	const struct ec2_call *call;
	const struct filter_wanted *wanted;
	bool hit;
};

void filter_text(struct filter_probe *p, const char *value); /* NULL: no value */
void filter_bool(struct filter_probe *p, bool value);
void filter_u64(struct filter_probe *p, uint64_t value);
void filter_id(struct filter_probe *p, enum kind k, uint64_t id); /* 0: no value */
void filter_addr(struct filter_probe *p, const struct ipaddr *a); /* zero: no value */
void filter_owner(struct filter_probe *p, uint64_t account);
void filter_time(struct filter_probe *p, uint64_t ms);

/* Reads the filters of the request.  'tags': the objects have tags.  0, EC2_REFUSED (a name that is
 * not in the table, no values), -ENOMEM. */
must_check int filter_parse(struct ec2_call *c, const struct filter *table, bool tags,
			    struct filter_set *ret);
/* Whether 'item' passes; 'o' has its tags (may be NULL when the set was parsed without tags). */
bool filter_passes(const struct ec2_call *c, const struct filter_set *s, const void *item,
		   const struct object *o);
/* The only value of the filter 'name', if it was asked for with one value without a pattern. */
const char *filter_exact(const struct filter_set *s, const char *name);

bool filter_match(const char *pattern, const char *text);
