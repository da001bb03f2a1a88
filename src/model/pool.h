/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pools of public addresses: what elastic addresses are allocated from.  Operators add them; all
 * edges serve all of them, each the addresses that it owns (model/edge.h).  Of a block larger than
 * two addresses the first and the last are left out.
 */
#pragma once

#include "model/object.h"
#include "model/refusal.h"
#include "net/addr.h"

struct tx;
struct caller;
struct model;

struct pool {
	struct object o; /* the system's */
	struct prefix prefix;
};

/* 'cidr': IPv4, /8 to /32.  NOT_PERMITTED, VALUE, POOL_CONFLICT */
must_check int pool_add(struct tx *tx, const struct caller *c, const char *cidr,
			const struct pool **ret, struct refusal *reterr);
/* By id or CIDR.  NOT_PERMITTED, PUBLIC_POOL_NOT_FOUND, POOL_DEPENDENCY */
must_check int pool_remove(struct tx *tx, const struct caller *c, const char *id,
			   struct refusal *reterr);
const struct pool *pool_find(const struct model *m, const char *id_or_cidr); /* or NULL */
const struct pool *pool_of(const struct model *m, const struct ipaddr *a);   /* or NULL */
bool pool_has(const struct pool *p, const struct ipaddr *a);
size_t pool_size(const struct pool *p);
/* Addresses of it that are allocated. */
size_t pool_used(const struct model *m, const struct pool *p);

/* A free address, of 'p' or of any pool (NULL); somewhere in it, so that one just given back is not
 * the next to be given away.  False: there is none. */
bool pool_pick(struct tx *tx, const struct pool *p, struct ipaddr *ret, uint64_t *ret_pool);
