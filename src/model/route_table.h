/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Route tables (TOPO-1): where packets of a subnet go that are for none of its network's own
 * addresses.
 *
 * Each VPC has a main table, which serves the subnets that are associated with no other.  The
 * longest prefix decides; a route by prefix list stands for the list's prefixes, whatever they are
 * at the time, and counts as many routes as the list may have entries.  Of equal prefixes a route's
 * own decides, then the list that was named first. A route whose target is gone, or leads nowhere
 * now, is a black hole: packets are dropped, no other route is tried.
 *
 * The local routes, one for each address block of the VPC, are not stored.  Inside their blocks
 * they decide over lists, but not over routes that lead to an interface ("middleboxes" between
 * subnets): one for the whole block of a subnet is more specific, and one for a block itself, which
 * ReplaceRoute makes and ends, stands in the local route's place.  They are about what goes through
 * the router, not about neighbours in a subnet, and stay where they are if the subnet or the block
 * goes.
 *
 * A table of an internet gateway decides where what enters by it goes first.  It serves that
 * gateway alone, no subnet and not as the main one, and has routes of the kind just told and no
 * others; local routes lead to where addresses are.
 *
 * What leaves by a public NAT gateway goes on by the table of the gateway's own subnet, and only where
 * that leads to the internet gateway: hosts are told of other destinations of a route to it as of a
 * black hole (plan_nat.c).
 *
 * An association is an id of its own: the subnet keeps it, the gateway, and the VPC that of the
 * main table. Rules and words: EC2 API reference, CreateRoute and its relatives; VPC User Guide,
 * "Subnet route tables" and "Gateway route tables".  Other than there, a route inside leads to no
 * NAT gateway: ours are ways to the world alone; and what a NAT gateway gets from the world is its
 * own, whatever the internet gateway's table says.
 */
#pragma once

#include "model/object.h"
#include "model/refusal.h"
#include "model/token.h"
#include "net/addr.h"

struct tx;
struct caller;
struct model;
struct model_iter;
struct internet_gateway;
struct subnet;
struct vpc;
struct tag_args;

/* Stored. */
enum route_target {
	ROUTE_INTERNET_GATEWAY = 1,
	ROUTE_EGRESS_GATEWAY = 2,
	ROUTE_NAT_GATEWAY = 3,
	ROUTE_INTERFACE = 4,
	ROUTE_PEERING = 5,
};

struct route {
	struct prefix destination; /* when 'prefix_list' is 0 */
	uint64_t prefix_list;
	enum route_target target;
	uint64_t target_id; /* of the kind that belongs to 'target' */
};

struct route_table {
	struct object o;
	uint64_t vpc;
	uint32_t vni;
	uint32_t number; /* towards hosts */
	size_t n_routes;
	struct route *routes; /* in the order they were made */

	struct member by_vpc;
	struct hmap_node by_number;
};

#define ID_PREFIX_TABLE_ASSOCIATION "rtbassoc-"

const char *route_target_text(enum route_target t); /* for the operators' API; NULL: no target */
enum kind route_target_kind(enum route_target t);

struct route_table_create_args {
	const char *vpc_id;
	const struct tag_args *tags;
	size_t n_tags;
	struct token_args token;
};

/* Exactly one destination and one target are to be named. */
struct route_args {
	const char *table_id;
	const char *cidr;      /* IPv4 */
	const char *ipv6_cidr; /* IPv6 */
	const char *prefix_list_id;
	const char *gateway_id; /* of an internet gateway, or "local" */
	const char *egress_gateway_id;
	const char *nat_gateway_id;
	const char *interface_id;
	const char *instance_id; /* means its only interface */
	const char *peering_id;
	bool local; /* ReplaceRoute: the local route's own target again */
};

/* VPC_NOT_FOUND, TABLE_LIMIT, TAG_*, TOKEN_MISMATCH, TABLE_NOT_FOUND (made with the token, and
 * deleted) */
must_check int route_table_create(struct tx *tx, const struct caller *c,
				  const struct route_table_create_args *args,
				  const struct route_table **ret, struct refusal *reterr);
/* TABLE_NOT_FOUND, TABLE_DEPENDENCY (it is the main one, or a gateway's, or has subnets) */
must_check int route_table_delete(struct tx *tx, const struct caller *c, const char *id,
				  struct refusal *reterr);
must_check int route_table_find(const struct model *m, const struct caller *c, const char *id,
				const struct route_table **ret, struct refusal *reterr);

/* TABLE_NOT_FOUND, VALUE, MISSING, COMBINATION, ROUTE_EXISTS, ROUTE_LIMIT, ROUTE_TARGET,
 * ROUTE_NETWORKS, ROUTE_LOCAL, ROUTE_SUBNET, GATEWAY_ROUTE, *_NOT_FOUND of the target */
must_check int route_create(struct tx *tx, const struct caller *c, const struct route_args *args,
			    struct refusal *reterr);
/* The same, of a route that is there, or of a local one; ROUTE_UNDEFINED. */
must_check int route_replace(struct tx *tx, const struct caller *c, const struct route_args *args,
			     struct refusal *reterr);
/* Only table and destination are looked at.  ROUTE_NOT_FOUND, ROUTE_STAYS */
must_check int route_delete(struct tx *tx, const struct caller *c, const struct route_args *args,
			    struct refusal *reterr);

/* '*ret' is the association's id.  TABLE_NOT_FOUND, SUBNET_NOT_FOUND, ROUTE_NETWORKS,
 * TABLE_ASSOCIATED, TABLE_OF_GATEWAY */
must_check int route_table_associate(struct tx *tx, const struct caller *c, const char *table_id,
				     const char *subnet_id, uint64_t *ret, struct refusal *reterr);
/* The same with an internet gateway that is attached to the table's VPC.  TABLE_NOT_FOUND,
 * GATEWAY_NOT_FOUND, VPN_GATEWAY_NOT_FOUND, ROUTE_NETWORKS, TABLE_ASSOCIATED (the gateway has one),
 * TABLE_NO_GATEWAYS */
must_check int route_table_associate_gateway(struct tx *tx, const struct caller *c,
					     const char *table_id, const char *gateway_id,
					     uint64_t *ret, struct refusal *reterr);
/* ASSOCIATION_NOT_FOUND, ASSOCIATION_MAIN */
must_check int route_table_disassociate(struct tx *tx, const struct caller *c,
					const char *association_id, struct refusal *reterr);
/* Of a subnet, a gateway, or the main one; '*ret' is the new association's id, which is the old
 * one's when nothing is different.  ASSOCIATION_NOT_FOUND, TABLE_NOT_FOUND, ROUTE_NETWORKS,
 * TABLE_NO_GATEWAYS, TABLE_OF_GATEWAY */
must_check int route_table_reassociate(struct tx *tx, const struct caller *c,
				       const char *association_id, const char *table_id,
				       uint64_t *ret, bool *ret_main, struct refusal *reterr);

/* The table that decides for a subnet; NULL: none (a network from before there were any). */
const struct route_table *route_table_of(const struct model *m, const struct subnet *s);
/* The next table of the list's owner that names it, after 'it' began as model_iter_account(); NULL:
 * no other. */
const struct route_table *route_table_next_by_list(struct model_iter *it, uint64_t list);
/* How many routes it counts for. */
size_t route_table_size(const struct model *m, const struct route_table *t);
/* The route that stands in the place of a block's local route; NULL: none, it is local. */
const struct route *route_table_instead(const struct route_table *t, const struct prefix *block);
/* Whether the route does so for one of the network's blocks. */
bool route_is_instead(const struct vpc *v, const struct route *r);
/* Whether a route of its own is for addresses of the network. */
bool route_table_is_inside(const struct vpc *v, const struct route_table *t);
bool route_table_is_main(const struct model *m, const struct route_table *t);
/* The internet gateway that it decides for; NULL: none. */
const struct internet_gateway *route_table_gateway(const struct model *m,
						   const struct route_table *t);
/* Whether the table of a gateway may have the route. */
bool route_suits_gateway(const struct vpc *v, const struct route *r);

/* Part of vpc_create(): makes the main table of 'v', which is not put yet. */
must_check int route_table_make_main(struct tx *tx, struct vpc *v, struct refusal *reterr);
/* Part of vpc_delete(). */
must_check int route_table_end_main(struct tx *tx, const struct vpc *v);

/* Where a route leads now. */
enum route_way {
	WAY_BLACKHOLE, /* what it led to is gone, or nowhere now */
	WAY_INTERNET,
	WAY_GATEWAY,
	WAY_NETWORK,
	WAY_INTERFACE,
};
struct route_hop {
	enum route_way way;
	uint32_t host; /* GATEWAY, INTERFACE, and INTERNET for IPv6: who has it; 0: nobody now */
	uint32_t vni;  /* GATEWAY, INTERFACE, INTERNET: the handle; NETWORK: the network's */
};
/* 'v6': of the destination. */
struct route_hop route_resolve(const struct model *m, const struct route_table *t,
			       const struct route *r, bool v6);
/* EC2's state: the target exists and serves this network. */
bool route_is_active(const struct model *m, const struct route_table *t, const struct route *r);
