/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Placement groups: rules about where an account's instances are beside each other.  What they mean
 * is in placement.h; an instance joins one when it is started, or while it is stopped
 * (instance_place()).
 *
 * As in EC2: names are unique in an account; a spread group has at most seven instances in a zone
 * that are not stopped, unless it spreads over hosts; a partition group has up to seven partitions.
 */
#pragma once

#include "model/object.h"
#include "model/refusal.h"

struct tx;
struct caller;
struct model;
struct tag_args;

enum {
	PLACEMENT_PARTITIONS_MAX = 7,
	PLACEMENT_PARTITIONS_USUAL = 2,
	PLACEMENT_SPREAD_PER_ZONE = 7,
};

/* Stored: never re-used. */
enum placement_group_strategy {
	PLACEMENT_CLUSTER = 1,
	PLACEMENT_SPREAD = 2,
	PLACEMENT_PARTITION = 3,
};
/* "cluster", "spread", "partition" */
const char *placement_group_strategy_text(enum placement_group_strategy s);

struct placement_group {
	struct object o;
	char *name;
	enum placement_group_strategy strategy;
	uint32_t partitions; /* of a partition group; else 0 */
	bool by_host;        /* a spread group: over hosts, not racks */
};

struct placement_group_create_args {
	const char *name;
	const char *strategy;       /* NULL: "cluster" */
	const uint32_t *partitions; /* NULL: 2 */
	const char *spread_level;   /* "rack", "host"; NULL: "rack" */
	const struct tag_args *tags;
	size_t n_tags;
};

/* MISSING, VALUE, COMBINATION, PLACEMENT_GROUP_EXISTS, PLACEMENT_GROUP_LIMIT, TAG_* */
must_check int placement_group_create(struct tx *tx, const struct caller *c,
				      const struct placement_group_create_args *args,
				      const struct placement_group **ret, struct refusal *reterr);
/* By name.  PLACEMENT_GROUP_UNKNOWN, PLACEMENT_GROUP_IN_USE (by instances that are not
 * terminated) */
must_check int placement_group_delete(struct tx *tx, const struct caller *c, const char *name,
				      struct refusal *reterr);
must_check int placement_group_find(const struct model *m, const struct caller *c, const char *id,
				    const struct placement_group **ret, struct refusal *reterr);
/* Of the account, or NULL. */
const struct placement_group *placement_group_named(const struct model *m, uint64_t account,
						    const char *name);

/* How a request names a group: one of both, or neither (then none), and perhaps a partition of
 * it. */
struct placement_group_args {
	const char *name;
	const char *id;
	const uint32_t *partition;
};
/* COMBINATION, VALUE, PLACEMENT_GROUP_* */
must_check int placement_group_resolve(const struct model *m, uint64_t account,
				       const struct placement_group_args *args,
				       const struct placement_group **ret, uint32_t *ret_partition,
				       struct refusal *reterr);
/* Whether one more may run in the zone.  PLACEMENT_GROUP_FULL */
must_check int placement_group_admit(const struct model *m, const struct placement_group *g,
				     const char *zone, struct refusal *reterr);

struct instance_place_args {
	const char *instance_id;
	struct placement_group_args group; /* a name "": in none from now on */
};
/* Of a stopped instance: where it will be started.  INSTANCE_NOT_STOPPED, INSTANCE_*, MISSING and
 * the above */
must_check int instance_place(struct tx *tx, const struct caller *c,
			      const struct instance_place_args *args, struct refusal *reterr);
