/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager: the parts of viaductd that are not HTTP, put together.  One event loop thread owns
 * all of it; only the journal's commits run beside it.
 *
 * For the files of this room and for scenario tests, which run it on an in-memory store and pairs
 * of sessions in virtual time.  Each part is a file: journal (changes on their way to the store),
 * agents (what is known of each host's agent), sessions (who is connected), publish (desired
 * state), updates (pushes of mappings), resolve (look-ups), intake (what agents report), upkeep,
 * stats.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "manager/agents.h"
#include "manager/flow_intake.h"
#include "manager/handoff.h"
#include "manager/journal.h"
#include "manager/keyring.h"
#include "manager/metering.h"
#include "manager/pace.h"
#include "manager/resolve.h"
#include "manager/sessions.h"
#include "manager/stats.h"
#include "manager/updates.h"
#include "manager/upkeep.h"
#include "model/model.h"

struct pki_pair;
struct store;

struct manager_config {
	struct loop *loop;      /* borrowed */
	struct model *model;    /* loaded from 'store'; taken */
	struct store *store;    /* taken */
	uint32_t lease_seconds; /* of mappings */
	/* Renews the hosts' certificates; borrowed.  NULL: they end when they end. */
	const struct pki_pair *ca;
	struct keyring keyring;  /* what pairs of hosts seal with */
	uint32_t rotate_seconds; /* how long a host seals with one epoch's keys; 0: LIMIT_KEY_S */
	const char *flow_dir;    /* where records of flow logs are kept; NULL: nowhere */
};

struct manager {
	struct loop *loop;
	struct clock *clock;
	struct model *model;
	struct store *store; /* the journal's thread uses it: not to be touched */
	const char *store_kind;
	uint64_t cluster_id;
	uint32_t lease_seconds;
	const struct pki_pair *ca;
	struct keyring keyring;
	uint64_t rotate_ms;
	uint32_t rotate_last; /* host that was looked at last: rotate.c */

	struct journal *journal;
	struct agents agents;
	struct sessions sessions;
	struct resolver resolver;
	struct events events;
	struct metering metering;
	struct flow_intake flow_intake;

	struct list dirty; /* agents that something is to be sent to: publish.c */
	struct pace pace;  /* those of them that wait for their turn */
	struct deferred flush;
	uint64_t planned;             /* the highest of the agents' */
	struct buf scratch;           /* of one frame */
	struct updates_packed packed; /* for this flush: updates.c */

	struct list news;      /* agents that reported something: intake.c */
	struct list unsettled; /* agents whose reports are kept until they are durable */
	bool releases_due;     /* a holder has gone: released addresses may be free */
	struct upkeep upkeep;
	struct handoffs handoffs;

	struct timer tick;
};

/* Takes model and store also on failure. */
must_check int manager_new(const struct manager_config *config, struct manager **ret);
/* Says goodbye to the agents, finishes what was submitted, and frees all. */
struct manager *manager_free(struct manager *manager);
CLEANUP_DEFINE(struct manager *, manager_free);

/* Milliseconds of the monotonic clock: for lifetimes. */
uint64_t manager_now_ms(const struct manager *manager);
/* How long a holder stays on record without being renewed: the lifetime and a grace for messages on
 * their way. */
uint64_t manager_lease_ms(const struct manager *manager);

/* Ends a transaction of the manager's own.  Faults are logged: what it was about is to be tried
 * again. */
must_check int manager_submit(struct manager *manager, struct tx *tx);
/* What a change of the manager's own does in its transaction: 0 or -errno. */
typedef int (*manager_write_fn)(struct manager *manager, struct tx *tx, void *data);
/* Makes such a change; 'about' says for the log what it is about.  0, also where nothing was to be
 * written, or -errno: then nothing has changed, which is logged, and what was to be done is to be
 * tried again. */
int manager_change(struct manager *manager, const char *about, manager_write_fn write, void *data);
