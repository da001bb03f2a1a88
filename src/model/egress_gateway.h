/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Egress-only internet gateways: a way out for IPv6 that lets in only what answers.  Each belongs
 * to a VPC as long as it lives; on the wire it is a handle at the edge that has it (model/edge.h).
 */
#pragma once

#include "model/counters.h"
#include "model/object.h"
#include "model/refusal.h"
#include "model/token.h"

struct tx;
struct caller;
struct model;
struct tag_args;

struct egress_gateway {
	struct object o;
	uint64_t vpc;
	uint32_t vni;
	uint32_t edge; /* number of the host that has it; 0: none now */
	struct handle handle;

	struct member by_vpc;
	struct member by_edge;
};

struct egress_gateway_create_args {
	const char *vpc_id;
	const struct tag_args *tags;
	size_t n_tags;
	struct token_args token;
};

/* VPC_NOT_FOUND, EGRESS_GATEWAY_LIMIT, TAG_*, TOKEN_MISMATCH */
must_check int egress_gateway_create(struct tx *tx, const struct caller *c,
				     const struct egress_gateway_create_args *args,
				     const struct egress_gateway **ret, struct refusal *reterr);
/* EGRESS_GATEWAY_NOT_FOUND; routes that name it become black holes. */
must_check int egress_gateway_delete(struct tx *tx, const struct caller *c, const char *id,
				     struct refusal *reterr);
must_check int egress_gateway_find(const struct model *m, const struct caller *c, const char *id,
				   const struct egress_gateway **ret, struct refusal *reterr);
