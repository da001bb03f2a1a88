/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of security groups: which traffic (model/traffic.h) may come from, or go to, whom.  Each is
 * an object with an id, tags and a description of its own.
 *
 * The other end is a block of addresses, the members of a group (of the same VPC, or of a peered
 * one and then perhaps another account's), or a prefix list.  A rule that names 0.0.0.0/0 speaks of
 * link-local IPv6 addresses as well: neighbours have them in each network, and EC2's default rules
 * name no IPv6 block where the VPC has none.
 */
#pragma once

#include "model/host.h"
#include "model/object.h"
#include "model/refusal.h"
#include "model/traffic.h"
#include "net/addr.h"

struct tx;
struct caller;
struct model;
struct security_group;

enum rule_end {
	RULE_END_PREFIX = 0,
	RULE_END_GROUP = 1,
	RULE_END_LIST = 2,
};

struct group_rule {
	struct object o; /* o.account: the group's */
	uint64_t group;
	bool egress;
	struct traffic traffic;
	enum rule_end end;
	struct prefix prefix;  /* RULE_END_PREFIX: IPv4 or IPv6 */
	uint64_t peer;         /* RULE_END_GROUP: the group's id, */
	uint32_t peer_number;  /* number, */
	uint64_t peer_account; /* owner, */
	uint64_t peer_vpc;     /* and VPC, which stay known when it is gone */
	uint64_t list;         /* RULE_END_LIST: the prefix list */
	char *description;     /* NULL: none */

	struct member by_group;
	struct member by_peer;
	struct member by_list;
};

const char *rule_end_text(enum rule_end e);

/* One rule as a request says it: the other end is one of cidr, cidr6, group_id or group_name,
 * list_id. */
struct rule_args {
	const char *protocol; /* NULL: all */
	const int32_t *from, *to;
	const char *cidr;
	const char *cidr6;
	const char *group_id;
	const char *group_name; /* of a group of the same VPC */
	const char *user_id;    /* the owner of 'group_id'; NULL: the caller */
	const char *list_id;
	const char *description;
};

/* Adds all of 'rules' to the group, or none.  'ret' has room for n.  TRAFFIC, CIDR_MALFORMED,
 * GROUP_*, PREFIX_LIST_NOT_FOUND, RULE_EXISTS, RULE_TWICE, RULE_LIMIT, RULE_DESCRIPTION, MISSING,
 * TAG_* */
must_check int group_rule_authorize(struct tx *tx, const struct caller *c, const char *group_id,
				    bool egress, const struct rule_args *rules, size_t n,
				    const struct tag_args *tags, size_t n_tags,
				    const struct group_rule **ret, struct refusal *reterr);
/* Removes the rules that are like 'rules' (descriptions do not count), all or none.
 * RULE_NOT_FOUND */
must_check int group_rule_revoke(struct tx *tx, const struct caller *c, const char *group_id,
				 bool egress, const struct rule_args *rules, size_t n,
				 struct refusal *reterr);
/* The same by ids.  RULE_ID_NOT_FOUND, also for one of another group or direction. */
must_check int group_rule_revoke_ids(struct tx *tx, const struct caller *c, const char *group_id,
				     bool egress, const char *const *ids, size_t n,
				     struct refusal *reterr);

struct rule_modify_args {
	const char *id;
	struct rule_args rule; /* what it is to be, whole */
};
/* All or none; each rule keeps its id, direction and tags. */
must_check int group_rule_modify(struct tx *tx, const struct caller *c, const char *group_id,
				 const struct rule_modify_args *rules, size_t n,
				 struct refusal *reterr);

/* Gives the rules that are like 'rules' the descriptions there (NULL: none).  RULE_NOT_FOUND */
must_check int group_rule_describe(struct tx *tx, const struct caller *c, const char *group_id,
				   bool egress, const struct rule_args *rules, size_t n,
				   struct refusal *reterr);
struct rule_description {
	const char *id;
	const char *description;
};
must_check int group_rule_describe_ids(struct tx *tx, const struct caller *c, const char *group_id,
				       bool egress, const struct rule_description *rules, size_t n,
				       struct refusal *reterr);

/* They allow the same in the same direction; descriptions and tags do not count. */
bool group_rule_same(const struct group_rule *a, const struct group_rule *b);
/* RULE_ID_MALFORMED, RULE_ID_NOT_FOUND */
must_check int group_rule_find(const struct model *m, const struct caller *c, const char *id,
			       const struct group_rule **ret, struct refusal *reterr);
