/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VPC peering connections: two networks, of one account or two, whose nodes may reach each other
 * where both have routes to the connection.  Asked for by one side and accepted by the other,
 * within 7 days; networks whose blocks overlap are not peered (the connection is `failed`).  One
 * that is over is described for an hour yet; routes that name it are black holes.
 * Rules and words: Amazon VPC Peering Guide, "VPC peering connection lifecycle".
 */
#pragma once

#include "model/object.h"
#include "model/refusal.h"
#include "net/addr.h"

struct tx;
struct caller;
struct model;
struct tag_args;
struct vpc;

/* Stored. */
enum peering_state {
	PEERING_PENDING = 1,
	PEERING_ACTIVE = 2,
	PEERING_REJECTED = 3,
	PEERING_EXPIRED = 4,
	PEERING_FAILED = 5,
	PEERING_DELETED = 6,
};

struct peering_side {
	uint64_t vpc;
	uint64_t account;
	uint32_t vni;
	struct prefix block; /* the first, also when the VPC is gone */
	bool dns;            /* names of the other side's nodes mean their private addresses */
};

struct peering {
	struct object o; /* of the requester's account */
	struct peering_side requester, accepter;
	enum peering_state state;
	uint64_t expires_ms; /* pending */
	uint64_t ended_ms;   /* neither pending nor active */
	/* The accepter's own, when he is another account; 'o' has the requester's. */
	struct tag *accepter_tags;
	size_t n_accepter_tags;

	struct member by_requester; /* while pending or active */
	struct member by_accepter;  /* likewise */
	struct member by_end;       /* key 0: pending, 1: over */
};

const char *peering_state_text(enum peering_state s);    /* EC2's code: "pending-acceptance" */
const char *peering_state_message(enum peering_state s); /* EC2's words */

struct peering_create_args {
	const char *vpc_id;
	const char *peer_vpc_id;
	const char *peer_account; /* NULL: the caller's */
	const struct tag_args *tags;
	size_t n_tags;
};

/* NULL: unchanged */
struct peering_modify_args {
	const char *id;
	const bool *requester_dns;
	const bool *accepter_dns;
};

/* VPC_NOT_FOUND (the requester's), MISSING, VALUE, PEERING_EXISTS, PEERING_LIMIT, TAG_* */
must_check int peering_create(struct tx *tx, const struct caller *c,
			      const struct peering_create_args *args, const struct peering **ret,
			      struct refusal *reterr);
/* By the accepter.  PEERING_NOT_FOUND, PEERING_NOT_YOURS, PEERING_TRANSITION */
must_check int peering_accept(struct tx *tx, const struct caller *c, const char *id,
			      const struct peering **ret, struct refusal *reterr);
must_check int peering_reject(struct tx *tx, const struct caller *c, const char *id,
			      struct refusal *reterr);
/* By either; one that is pending by the requester. */
must_check int peering_delete(struct tx *tx, const struct caller *c, const char *id,
			      struct refusal *reterr);
/* Each side its own option.  PEERING_NOT_FOUND, PEERING_NOT_YOURS, PEERING_TRANSITION */
must_check int peering_modify(struct tx *tx, const struct caller *c,
			      const struct peering_modify_args *args, const struct peering **ret,
			      struct refusal *reterr);
must_check int peering_find(const struct model *m, const struct caller *c, const char *id,
			    const struct peering **ret, struct refusal *reterr);
bool peering_sees(const struct caller *c, const struct peering *p);

/* Two networks are peered. */
bool peering_is_active(const struct model *m, uint32_t vni, uint32_t other_vni);
/* The same of two VPCs by their ids; one that is not there is peered with none. */
bool peering_joins(const struct model *m, uint64_t vpc, uint64_t other);
/* The host carries the network, or one that it is peered with: it may hold its mappings. */
bool peering_reaches(const struct model *m, uint32_t host, uint32_t vni);
/* The side that is not 'vpc'; NULL: it is none of both. */
const struct peering_side *peering_other(const struct peering *p, uint64_t vpc);
/* A block that a network that 'vpc' is peered with has in part. */
bool peering_conflicts(const struct model *m, uint64_t vpc, const struct prefix *block);
/* Walks those of a VPC that are pending or active. */
struct peering_iter {
	const struct model *m;
	uint64_t vpc;
	bool accepted;
	const struct peering *at;
};
struct peering_iter peering_iter_of(const struct model *m, uint64_t vpc);
const struct peering *peering_iter_next(struct peering_iter *it);
/* Part of tx_expire(): connections that nobody accepted, and those that have been over for long. */
must_check int peering_expire(struct tx *tx, size_t *left);
