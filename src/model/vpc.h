/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VPCs: virtual networks.  Each has a VNI of its own, never re-used while numbers last, and address
 * blocks, of which the first is the primary one.
 */
#pragma once

#include "model/host.h"
#include "model/object.h"
#include "model/refusal.h"
#include "net/addr.h"

struct tx;
struct caller;
struct model;

struct cidr_block {
	struct prefix prefix;
	uint64_t association; /* id, text "vpc-cidr-assoc-0..." */
	bool from_pool;       /* IPv6: asked for out of a pool that was named */
};

struct vpc {
	struct object o;
	uint32_t vni;
	uint32_t mtu; /* of its interfaces (docs/substrate.md); 0: no host carries it yet */
	size_t n_blocks;
	struct cidr_block *blocks; /* at least one */
	size_t n_blocks6;
	struct cidr_block *blocks6; /* IPv6 (model/vpc_block6.h) */
	char *tenancy;              /* "default" or "dedicated" */
	bool dns_support;
	bool dns_hostnames;
	bool usage_metrics;
	bool is_default; /* model/default_vpc.h */
	/* that an operator has put it in; NULL: its tag says (choice_environment()) */
	char *environment;
	uint64_t default_group; /* 0: none, from a store older than groups and ACLs */
	uint64_t default_acl;
	/* route table of the subnets that name none; 0: none (before there were any) */
	uint64_t main_table;
	uint64_t dhcp_options;     /* 0: the default ones (model/dhcp_options.h) */
	uint64_t main_association; /* id, text "rtbassoc-0..." */

	struct hmap_node by_vni;
	struct hmap_node by_main_association;
	struct member by_dhcp;
};

#define ID_PREFIX_VPC_CIDR "vpc-cidr-assoc-"

struct vpc_block6_args;

struct vpc_create_args {
	const char *cidr;
	const struct vpc_block6_args *block6; /* NULL: none is asked for */
	const char *tenancy;                  /* NULL: "default" */
	const struct tag_args *tags;
	size_t n_tags;
};

/* NULL: unchanged */
struct vpc_modify_args {
	const char *vpc_id;
	const bool *dns_support;
	const bool *dns_hostnames;
	const bool *usage_metrics;
};

/* VALUE, VPC_RANGE, VPC_LIMIT, NUMBERS_EXHAUSTED, TAG_*, and those of vpc_associate_block6() */
must_check int vpc_create(struct tx *tx, const struct caller *c, const struct vpc_create_args *args,
			  const struct vpc **ret, struct refusal *reterr);
/* VPC_NOT_FOUND, VPC_DEPENDENCY */
must_check int vpc_delete(struct tx *tx, const struct caller *c, const char *id,
			  struct refusal *reterr);
/* VPC_NOT_FOUND, DNS_SUPPORT_OFF */
must_check int vpc_modify(struct tx *tx, const struct caller *c, const struct vpc_modify_args *args,
			  struct refusal *reterr);

/* An operator's word about which environment a VPC is of, for policies; no tag of its account says
 * another then. "": the tag counts again.  VPC_NOT_FOUND, NOT_PERMITTED, VALUE */
must_check int vpc_set_environment(struct tx *tx, const struct caller *c, const char *id,
				   const char *environment, struct refusal *reterr);

/* The caller's VPC: 0, or VPC_NOT_FOUND, also when it is another account's. */
must_check int vpc_find(const struct model *m, const struct caller *c, const char *id,
			const struct vpc **ret, struct refusal *reterr);
const struct vpc *vpc_by_vni(const struct model *m, uint32_t vni); /* or NULL */
/* It has an IPv6 block. */
bool vpc_has_v6(const struct vpc *v);
/* The block, of either family, that has the whole prefix; NULL: none. */
const struct prefix *vpc_block_over(const struct vpc *v, const struct prefix *p);
/* The network's resolver: the base of the primary block plus two. */
struct ipaddr vpc_resolver(const struct vpc *v);
