/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups: what interfaces may begin to send and to receive.  Stateful: what answers an
 * allowed connection is allowed.  A group is in one VPC; its rules (model/group_rule.h) only allow;
 * an interface is in one group or more of its VPC and may do what any of them allows.
 *
 * Each VPC has a group "default", made and deleted with it, which lets its members reach each other
 * and everybody else: interfaces for which nothing is said are in it.  The number is what hosts
 * know a group by: unique in the cluster, not re-used while numbers last.
 */
#pragma once

#include "model/host.h"
#include "model/object.h"
#include "model/refusal.h"

struct tx;
struct caller;
struct model;
struct vpc;

struct security_group {
	struct object o;
	uint64_t vpc;
	uint32_t number;
	char *name; /* unique in the VPC */
	char *description;
	bool is_default;

	struct hmap_node by_number;
	struct hmap_node by_name;
	struct member by_vpc;
};

/* A group as an interface names it. */
struct group_ref {
	uint64_t id;
	uint32_t number;
};

struct security_group_create_args {
	const char *name;
	const char *description;
	const char *vpc_id; /* NULL: the default VPC */
	const struct tag_args *tags;
	size_t n_tags;
};

/* With a rule that lets everything out.  MISSING, GROUP_NAME, GROUP_EXISTS, GROUP_LIMIT,
 * VPC_NOT_FOUND, NO_DEFAULT_VPC, TAG_* */
must_check int security_group_create(struct tx *tx, const struct caller *c,
				     const struct security_group_create_args *args,
				     const struct security_group **ret, struct refusal *reterr);
/* With its rules.  GROUP_NOT_FOUND, GROUP_DEFAULT, GROUP_DEPENDENCY (an interface is in it, or a
 * rule of another group of its VPC names it). */
must_check int security_group_delete(struct tx *tx, const struct caller *c, const char *id,
				     struct refusal *reterr);

/* The caller's group: 0, GROUP_MALFORMED or GROUP_NOT_FOUND, also when it is another account's. */
must_check int security_group_find(const struct model *m, const struct caller *c, const char *id,
				   const struct security_group **ret, struct refusal *reterr);
/* Of that name in the VPC, or NULL. */
const struct security_group *security_group_by_name(const struct model *m, uint64_t vpc,
						    const char *name);
const struct security_group *security_group_by_number(const struct model *m, uint32_t number);
/* The VPC's own; NULL only in a VPC from a store that is older than security groups. */
const struct security_group *security_group_default(const struct model *m, const struct vpc *v);
