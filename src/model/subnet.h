/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subnets: parts of a VPC's address blocks, each in one availability zone.  The first four
 * addresses (network, router, resolver, future use) and the last are reserved.
 */
#pragma once

#include "model/host.h"
#include "model/object.h"
#include "model/refusal.h"
#include "net/addr.h"

struct tx;
struct caller;
struct model;

struct subnet {
	struct object o;
	uint64_t vpc;
	uint32_t vni;
	struct prefix prefix;
	char *zone;
	bool map_public_ip;
	bool is_default;       /* of its zone in a default VPC (model/default_vpc.h) */
	struct prefix prefix6; /* the IPv6 block (model/subnet_block6.h); len 0: none */
	uint64_t association6; /* id, text "subnet-cidr-assoc-0..." */
	bool assign_ipv6;      /* new interfaces get an IPv6 address */
	uint64_t acl;          /* 0: none, from a store older than ACLs */
	uint32_t acl_number;
	uint64_t acl_association;   /* id, text: ID_PREFIX_ACL_ASSOCIATION */
	uint64_t table;             /* its route table; 0: the VPC's main one */
	uint64_t table_association; /* id, text "rtbassoc-0..."; 0: none */

	struct hmap_node by_acl_association;
	struct member by_vpc;
	struct member by_acl;
	struct member by_table;
	struct hmap_node by_table_association;
};

struct subnet_create_args {
	const char *vpc_id;
	const char *cidr;
	const char *cidr6; /* NULL: no IPv6 */
	const char *zone;  /* name or id ("use1-az1"); NULL: the first zone that has hosts */
	const struct tag_args *tags;
	size_t n_tags;
};

/* NULL: unchanged */
struct subnet_modify_args {
	const char *subnet_id;
	const bool *map_public_ip;
	const bool *assign_ipv6;
};

/* VPC_NOT_FOUND, VALUE, SUBNET_RANGE, SUBNET_RANGE6, SUBNET_CONFLICT, SUBNET_CONFLICT6,
 * SUBNET_LIMIT, TAG_* */
must_check int subnet_create(struct tx *tx, const struct caller *c,
			     const struct subnet_create_args *args, const struct subnet **ret,
			     struct refusal *reterr);
/* SUBNET_NOT_FOUND, SUBNET_DEPENDENCY */
must_check int subnet_delete(struct tx *tx, const struct caller *c, const char *id,
			     struct refusal *reterr);
must_check int subnet_modify(struct tx *tx, const struct caller *c,
			     const struct subnet_modify_args *args, struct refusal *reterr);

must_check int subnet_find(const struct model *m, const struct caller *c, const char *id,
			   const struct subnet **ret, struct refusal *reterr);
bool subnet_has_block6(const struct subnet *s);
/* AvailableIpAddressCount: of IPv4; neither reserved, nor in use, nor released and not yet to be
 * given away. */
uint64_t subnet_available(const struct model *m, const struct subnet *s);
