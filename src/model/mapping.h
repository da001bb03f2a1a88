/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mapping table (MAP-1): for each (VNI, virtual address) which interface has it, and at which
 * host it is now.  And who may know (MAP-2).  An interface that routes name is in it by its handle,
 * too, for what it forwards: interface_forwarding().  Where others' packets leave the network is
 * asked like a mapping, too: exit.h.
 *
 * Dense records behind an index of 32-bit numbers; a look-up costs a hash and one or two cache
 * misses. Records move: a pointer is good until the next change.  The table is kept by the model;
 * all here is reading.  One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/group_set.h"
#include "model/refusal.h"
#include "net/addr.h"

struct model;
struct mapping_table;

struct mapping {
	struct ipaddr addr;
	uint32_t vni;
	uint32_t host;      /* number; 0: nowhere now (stopped, not attached, released) */
	uint64_t interface; /* id; 0: released, waiting for its holders */
	uint64_t revision;  /* that last changed where it is, or its groups */
	const struct group_set *groups; /* that the interface is in; NULL: none */
	/* Of a shared interface (NIC-4): all the hosts it is at, 'host' the first of them; NULL:
	 * 'host' alone. */
	const struct group_set *hosts;
	uint64_t subnet; /* id; 0: released */
};

/* The network of a mapping with that VNI and address: the VNI, or that which a handle may forward
 * into. */
uint32_t mapping_network(uint32_t vni, const struct ipaddr *addr);
/* Its node, or one of them, is at 'host'. */
bool mapping_is_at(const struct mapping *m, uint32_t host);

/* What a mapping, and its holders, are found by, with the hash that finding them needs. */
struct mapping_key {
	struct ipaddr addr;
	uint32_t vni;
	uint64_t hash;
};
struct mapping_key mapping_key_of(uint32_t vni, const struct ipaddr *addr);

/* Or NULL. */
const struct mapping *mapping_find(const struct mapping_table *t, uint32_t vni,
				   const struct ipaddr *addr);
const struct mapping *mapping_find_key(const struct mapping_table *t,
				       const struct mapping_key *key);
/* Brings nearer to the processor what mapping_find() will read: first (stage 0) the place in the
 * index, then (stage 1), after other work, the record.  For many look-ups at a time; changes
 * nothing. */
void mapping_prefetch(const struct mapping_table *t, unsigned int stage,
		      const struct mapping_key *key);
size_t mapping_count(const struct mapping_table *t);
/* i < mapping_count(); in no order.  For lists. */
const struct mapping *mapping_at(const struct mapping_table *t, size_t i);
size_t mapping_memory(const struct mapping_table *t); /* bytes */

enum mapping_question {
	MAPPING_SEND,   /* 'asker' (a node of the asking host) wants to send to 'addr' */
	MAPPING_VERIFY, /* 'asker' received a packet that claims to be from 'addr' */
	MAPPING_NAME,   /* 'asker' wants to know the IPv4 address of 'name', */
	MAPPING_NAME6,  /* or the IPv6 one */
};

/* It is about a name. */
static inline bool mapping_question_names(enum mapping_question q)
{
	return q == MAPPING_NAME || q == MAPPING_NAME6;
}

/* The answer to an agent.  'host': number of the asking host, which must host 'asker' in network
 * 'vni', or be an edge, and 'addr' be behind one of its public addresses or gateways
 * (edge_may_know()). 0 and '*ret', whose host is not 0, or MAPPING_NOT_HERE, MAPPING_UNKNOWN.
 * 'addr' or 'name' as the question needs.  Allocates nothing; 'reterr' may be NULL, which spares
 * its text. */
must_check int mapping_resolve(const struct model *m, uint32_t host, enum mapping_question q,
			       uint32_t vni, const struct ipaddr *asker, const struct ipaddr *addr,
			       const char *name, const struct mapping **ret,
			       struct refusal *reterr);
/* The same with keys that are there; 'addr' may be of another network than 'asker', and is
 * unknown unless the two are peered. */
must_check int mapping_resolve_key(const struct model *m, uint32_t host, enum mapping_question q,
				   const struct mapping_key *asker, const struct mapping_key *addr,
				   const char *name, const struct mapping **ret,
				   struct refusal *reterr);
