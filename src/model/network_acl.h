/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network ACLs: stateless lists of entries, in the order of their numbers, for packets that cross
 * the border of a subnet.  The first entry that matches decides; what none matches is denied.
 *
 * Each VPC has a default one, made and deleted with it, and each subnet has one, the default at
 * first.  The number is what hosts know an ACL by: unique in the cluster, not re-used while numbers
 * last.
 */
#pragma once

#include "model/host.h"
#include "model/object.h"
#include "model/refusal.h"
#include "model/token.h"
#include "model/traffic.h"
#include "net/addr.h"

struct tx;
struct caller;
struct model;
struct subnet;
struct vpc;

enum {
	ACL_RULE_MAX = 32766,  /* numbers of entries are 1 to this */
	ACL_RULE_LAST = 32767, /* as which the denial of all IPv4 is shown, */
	ACL_RULE_LAST6 = 32768 /* and of all IPv6 where the VPC has it */
};

struct acl_entry {
	uint32_t rule;
	bool egress;
	bool allow;
	struct traffic traffic;
	struct prefix prefix; /* the other end, IPv4 or IPv6 */
};

struct network_acl {
	struct object o;
	uint64_t vpc;
	uint32_t number;
	bool is_default;
	size_t n_entries;
	struct acl_entry *entries; /* ingress first, in order of their numbers */

	struct hmap_node by_number;
	struct member by_vpc;
};

#define ID_PREFIX_ACL_ASSOCIATION "aclassoc-"

struct network_acl_create_args {
	const char *vpc_id;
	const struct tag_args *tags;
	size_t n_tags;
	struct token_args token;
};

struct acl_entry_args {
	const char *acl_id;
	uint32_t rule;
	bool egress;
	const char *protocol;
	const char *action; /* "allow", "deny" */
	const char *cidr;   /* one of both */
	const char *cidr6;
	const int32_t *from, *to;   /* TCP, UDP */
	const int32_t *type, *code; /* ICMP, ICMPv6 */
};

/* Without entries: it denies everything.  VPC_NOT_FOUND, ACL_LIMIT, TAG_*, TOKEN_MISMATCH,
 * ACL_NOT_FOUND (made with the token, and deleted) */
must_check int network_acl_create(struct tx *tx, const struct caller *c,
				  const struct network_acl_create_args *args,
				  const struct network_acl **ret, struct refusal *reterr);
/* ACL_NOT_FOUND, ACL_DEFAULT, ACL_DEPENDENCY (subnets have it) */
must_check int network_acl_delete(struct tx *tx, const struct caller *c, const char *id,
				  struct refusal *reterr);
/* ACL_NOT_FOUND, ACL_ENTRY_EXISTS, ACL_ENTRY_LIMIT, ACL_RULE, TRAFFIC, CIDR_MALFORMED, MISSING,
 * VALUE */
must_check int network_acl_add(struct tx *tx, const struct caller *c,
			       const struct acl_entry_args *args, struct refusal *reterr);
/* The entry of that number and direction.  ACL_ENTRY_NOT_FOUND and the above */
must_check int network_acl_replace(struct tx *tx, const struct caller *c,
				   const struct acl_entry_args *args, struct refusal *reterr);
must_check int network_acl_remove(struct tx *tx, const struct caller *c, const char *id,
				  uint32_t rule, bool egress, struct refusal *reterr);
/* Gives the subnet that has the association another ACL of its VPC, by a new association, whose id
 * is in '*ret'.  ACL_ASSOCIATION_NOT_FOUND, ACL_NOT_FOUND, ACL_VPC_MISMATCH */
must_check int network_acl_associate(struct tx *tx, const struct caller *c, const char *association,
				     const char *acl_id, uint64_t *ret, struct refusal *reterr);

must_check int network_acl_find(const struct model *m, const struct caller *c, const char *id,
				const struct network_acl **ret, struct refusal *reterr);
const struct network_acl *network_acl_by_number(const struct model *m, uint32_t number);
/* The VPC's own; NULL only in a VPC from a store that is older than ACLs. */
const struct network_acl *network_acl_default(const struct model *m, const struct vpc *v);
