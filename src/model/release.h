/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses on their way from one holder to the next (NIC-3), or to nobody.
 *
 * A *release* is an address that was taken from its node while the node's host has not acknowledged
 * that it has none any more, or while hosts held, or may have held, its mapping.  It stays in use
 * until all of them have acknowledged, or an operator forces it; until then nobody gets it.
 *
 * A *move* is a release that leads to another interface ('to'), in two steps:
 *
 *	leaving   'from' has it not any more, its host has not said so.  'to' lists it as arriving:
 *	          no host is told of it, and its mapping stays what it was.
 *	arriving  'to' has it, the mapping leads there, holders are told; the new host has not said
 *	          that it carries it, or a holder has not that it knows.
 *
 * So the first holder is stopped before the second starts.  When the new host cannot carry the
 * address, the same move runs back to the first holder.  A move ends when all have acknowledged.
 *
 * An address of a shared interface (NIC-4) leaves, or reaches, all of its nodes: the release waits
 * for all of their hosts.  While it leaves several it is nowhere.
 *
 * Releases are made by the operation that takes the address.  Who runs the sessions keeps the table
 * of holders right (model_holders()), says which hosts have told what they hold since this manager
 * runs (release_host_known()), and calls release_settle() when a holder is gone or has
 * acknowledged.  Hosts' acknowledgements come with host_acknowledge().
 *
 * After a restart of the manager it is not known what hosts hold that have not come back: an
 * address that is released then waits for all hosts that have ever carried traffic.  One that never
 * returns has to be removed, or its releases forced; release_each_blocker() says who is waited for.
 */
#pragma once

#include "model/object.h"
#include "model/refusal.h"
#include "net/addr.h"

struct tx;
struct caller;
struct model;

enum release_step {
	RELEASE_LEAVING = 0,
	RELEASE_ARRIVING = 1, /* a move's second step */
};

struct release {
	struct object o;
	uint32_t vni;
	struct ipaddr addr;
	uint64_t subnet;
	uint32_t host;          /* where it was; arriving: where it is to be */
	uint64_t wait_revision; /* that 'host' has to acknowledge; 0: it has */
	uint64_t since;         /* leading nowhere: the revision from which it does */
	uint64_t from;          /* the interface that had it */
	uint64_t to;            /* the interface that gets it; 0: none */
	enum release_step step;
	bool back; /* of a move that failed: not turned round again */

	/* Others that have to acknowledge 'wait_revision' as well: of a shared interface (NIC-4).
	 * Those are numbers. */
	size_t n_more_hosts;
	uint64_t *more_hosts;

	struct member by_subnet; /* those that lead nowhere: the address counts as used */
	struct member by_waiting;
	struct member by_to;
	struct member by_wide;
};

const char *release_step_text(enum release_step s);
/* The host has told what it holds: holders of what it did not name it is not. */
void release_host_known(struct model *m, uint32_t number);
/* Some host that may hold what it has not told yet since this manager runs. */
bool release_any_unknown(const struct model *m);
/* Nobody has, holds, or may hold the released address as it was. */
bool release_is_settled(const struct model *m, const struct release *r);
/* Ends all releases that are settled; '*ret_n' counts them.  The cost grows with the number of
 * releases. */
must_check int release_settle(struct tx *tx, size_t *ret_n);
/* Goes on whatever is not acknowledged, by an operator's word.  VALUE when there is none,
 * NOT_PERMITTED */
must_check int release_force(struct tx *tx, const struct caller *c, uint32_t vni,
			     const struct ipaddr *addr, struct refusal *reterr);
/* How many there are: 0 spares release_settle(). */
size_t release_count(const struct model *m);

enum release_blocker {
	RELEASE_BY_HOST, /* it has not acknowledged that its node lost the address, or has it now */
	RELEASE_BY_HOLDER,  /* it has not acknowledged the new mapping */
	RELEASE_BY_UNKNOWN, /* it has not told since this manager runs what it holds */
};
/* Calls 'fn' for each host that the release waits for. */
void release_each_blocker(const struct model *m, const struct release *r,
			  void (*fn)(void *data, uint32_t host, enum release_blocker why),
			  void *data);
