/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elastic addresses (EDGE-1): public addresses of pools, each allocated to an account, and
 * associated one to one with a private address, or with a NAT gateway.
 *
 * The association names the private address, not the interface: when the address moves to another
 * interface, what is associated with it moves along, and the edge keeps its connections (EDGE-2).
 * It ends when the private address leaves its interface for good.  An 'automatic' address is given
 * to an instance for as long as it runs (MapPublicIpOnLaunch): it is not listed and cannot be
 * handled.
 *
 * The edge that owns an associated address keeps it while that edge lives (model/edge.h), also when
 * the address is associated anew.
 */
#pragma once

#include "model/object.h"
#include "model/refusal.h"
#include "net/addr.h"

struct tx;
struct caller;
struct interface;
struct model;
struct nat_gateway;
struct tag_args;

struct elastic {
	struct object o;
	struct ipaddr public;
	uint64_t pool;
	bool automatic;
	/* id, text "eipassoc-0..."; 0: none, and then none of the next ones */
	uint64_t association;
	uint64_t vpc;
	uint32_t vni;
	struct ipaddr private_addr;
	uint64_t nat_gateway; /* 0: the private address is an ordinary interface's */
	uint32_t edge;        /* number of the host that owns it; 0: none now */

	struct member by_pool;
	struct member by_vpc;  /* while associated */
	struct member by_edge; /* likewise; also of edge 0 */
	struct hmap_node by_public;
	struct hmap_node by_association;
	struct hmap_node by_private; /* while associated */
};

#define ID_PREFIX_ADDRESS_ASSOCIATION "eipassoc-"

struct elastic_allocate_args {
	const char *address; /* this one; NULL: any */
	const char *pool_id; /* NULL: of any pool */
	const struct tag_args *tags;
	size_t n_tags;
};

struct elastic_associate_args {
	const char *allocation_id; /* or */
	const char *public_ip;
	const char *interface_id; /* or */
	const char *instance_id;  /* means its only interface */
	const char *private_ip;   /* NULL: the primary address */
	/* an association that either address has already gives way; else it is refused */
	bool allow_reassociation;
};

/* VALUE, ELASTIC_NOT_FOUND, ELASTIC_LIMIT, ADDRESS_IN_USE, PUBLIC_POOL_NOT_FOUND, POOL_EXHAUSTED,
 * TAG_* */
must_check int elastic_allocate(struct tx *tx, const struct caller *c,
				const struct elastic_allocate_args *args,
				const struct elastic **ret, struct refusal *reterr);
/* By id or by address.  ALLOCATION_NOT_FOUND, ELASTIC_NOT_FOUND, ADDRESS_IN_USE, MISSING */
must_check int elastic_release(struct tx *tx, const struct caller *c, const char *allocation_id,
			       const char *public_ip, struct refusal *reterr);
/* '*ret': its new version.  ALLOCATION_NOT_FOUND, ELASTIC_NOT_FOUND, MISSING, *_NOT_FOUND of the
 * target, INSTANCE_INTERFACES, ADDRESS_NOT_ASSIGNED, FOREIGN_INTERFACE, NETWORK_NOT_ATTACHED,
 * ELASTIC_ASSOCIATED, INTERFACE_MANAGED */
must_check int elastic_associate(struct tx *tx, const struct caller *c,
				 const struct elastic_associate_args *args,
				 const struct elastic **ret, struct refusal *reterr);
/* ASSOCIATION_NOT_FOUND, ELASTIC_NOT_FOUND, MISSING, ELASTIC_MANAGED */
must_check int elastic_disassociate(struct tx *tx, const struct caller *c,
				    const char *association_id, const char *public_ip,
				    struct refusal *reterr);

/* One of the caller's that can be handled. */
must_check int elastic_find(const struct model *m, const struct caller *c,
			    const char *allocation_id, const struct elastic **ret,
			    struct refusal *reterr);
must_check int elastic_find_public(const struct model *m, const struct caller *c,
				   const char *public_ip, const struct elastic **ret,
				   struct refusal *reterr);
/* or NULL */
const struct elastic *elastic_by_public(const struct model *m, const struct ipaddr *a);
/* What a private address is associated with, or NULL. */
const struct elastic *elastic_by_private(const struct model *m, uint32_t vni,
					 const struct ipaddr *a);
/* The interface that has the private address, or NULL. */
const struct interface *elastic_interface(const struct model *m, const struct elastic *e);
