/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all Describe actions of the model's objects have in common: objects named by id, or all of
 * the caller's; filters; pages.
 *
 * An index is used where one fits: the ids asked for, or a filter on one id that is the key of a
 * group.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/call.h"
#include "api/filter.h"
#include "api/page.h"
#include "base/err.h"

/* Finds the caller's object, or refuses. */
typedef int (*describe_find_fn)(const struct model *m, const struct caller *c, const char *id,
				const struct object **ret, struct refusal *reterr);

/* A filter that names the key of a group. */
struct describe_group {
	const char *filter; /* NULL ends a table */
	enum kind kind;     /* of the id; the object itself when it is the kind described */
	enum relation relation;
};

struct describe {
	enum kind kind;
	const char *ids; /* the list parameter: "VpcId" */
	describe_find_fn find;
	const struct filter *filters;
	const struct describe_group *groups;
	bool ids_exclude_pages; /* MaxResults may not come with ids */
	bool small_pages;       /* MaxResults may be as little as 1 */
	/* Writes one object, an item of the set; 'data' is describe_run()'s. */
	void (*write)(struct ec2_call *c, const struct object *o, void *data);
	/* Further condition; NULL: none. */
	bool (*shows)(const struct ec2_call *c, const struct object *o);
};

/* A list on its way to the client: counts, and knows when the page is full. */
struct page_run {
	uint32_t limit; /* UINT32_MAX: all */
	uint32_t n;
	bool more;
	bool begun_before; /* a token was sent: 'after' says where the last page ended */
	struct page_mark after;
	struct page_mark last; /* the last one shown */
};

/* Reads MaxResults and NextToken.  0, EC2_REFUSED, a negative errno. */
must_check int page_run_begin(struct ec2_call *c, struct page_run *p);
/* The same for a list whose pages have other bounds. */
must_check int page_run_begin_within(struct ec2_call *c, uint32_t min, uint32_t max,
				     struct page_run *p);
/* Refuses the token that was sent: it is not of this list.  Returns EC2_REFUSED. */
int page_run_refuse(struct ec2_call *c);
/* Whether there is room for one more; else notes that there is more. */
bool page_run_admit(struct page_run *p);
/* Writes nextToken if there is more. */
must_check int page_run_end(struct ec2_call *c, struct page_run *p);

/* Writes the set, <SET>...</SET>, and nextToken.  'end' (may be NULL) is called at the end of the
 * set, for what 'write' left open. */
must_check int describe_run(struct ec2_call *c, const struct describe *d, const char *set,
			    void (*end)(struct ec2_call *c, void *data), void *data);
