/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internet gateways (EDGE-1): what makes public addresses work in the VPC they are attached to, and
 * the way out for IPv6.  A VPC has at most one.
 *
 * On the wire a gateway is a handle, the same on whatever edges serve it: an edge serves it for the
 * public addresses that it owns (model/elastic.h).  'edge' is the one that IPv6 goes through
 * (model/edge.h).
 */
#pragma once

#include "model/counters.h"
#include "model/object.h"
#include "model/refusal.h"

struct tx;
struct caller;
struct model;
struct tag_args;

struct internet_gateway {
	struct object o;
	uint64_t vpc; /* 0: attached to none */
	uint32_t vni;
	uint32_t edge; /* number of the host that has it; 0: none now */
	struct handle handle;
	/* route table of what enters; 0: none, that goes to where it is for */
	uint64_t table;
	uint64_t table_association; /* id, text "rtbassoc-0..."; 0: none */

	struct member by_vpc; /* while attached */
	struct member by_edge;
	struct hmap_node by_table_association;
};

/* INTERNET_GATEWAY_LIMIT, TAG_* */
must_check int internet_gateway_create(struct tx *tx, const struct caller *c,
				       const struct tag_args *tags, size_t n_tags,
				       const struct internet_gateway **ret, struct refusal *reterr);
/* INTERNET_GATEWAY_NOT_FOUND, INTERNET_GATEWAY_DEPENDENCY (it is attached) */
must_check int internet_gateway_delete(struct tx *tx, const struct caller *c, const char *id,
				       struct refusal *reterr);
/* INTERNET_GATEWAY_NOT_FOUND, VPC_NOT_FOUND, INTERNET_GATEWAY_ATTACHED, VPC_HAS_GATEWAY */
must_check int internet_gateway_attach(struct tx *tx, const struct caller *c, const char *id,
				       const char *vpc_id, struct refusal *reterr);
/* INTERNET_GATEWAY_NOT_FOUND, VPC_NOT_FOUND, GATEWAY_NOT_ATTACHED, GATEWAY_ADDRESSES,
 * GATEWAY_TABLE */
must_check int internet_gateway_detach(struct tx *tx, const struct caller *c, const char *id,
				       const char *vpc_id, struct refusal *reterr);
must_check int internet_gateway_find(const struct model *m, const struct caller *c, const char *id,
				     const struct internet_gateway **ret, struct refusal *reterr);
/* Of a VPC, or NULL. */
const struct internet_gateway *internet_gateway_of(const struct model *m, uint64_t vpc);
