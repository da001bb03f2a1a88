/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: what a route table says, prefix by prefix (route_table.h has the rules).  No
 * prefix is there twice; the longest that has an address decides about it.  For what hosts are told
 * (plan_ways.c) and for the analysis of reachability.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "net/addr.h"

struct model;
struct route;
struct route_table;

struct route_entry {
	struct prefix prefix;
	const struct route *route; /* NULL: local */
};

/* The caller frees '*ret'.  -ENOMEM */
must_check int route_entries_of(const struct model *m, const struct route_table *t,
				struct route_entry **ret, size_t *ret_n);
/* The one that decides, or NULL. */
const struct route_entry *route_entries_find(const struct route_entry *entries, size_t n,
					     const struct ipaddr *addr);
