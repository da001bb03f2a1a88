/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the running manager knows of each host's agent beside the model: its session, what it was
 * told and has acknowledged, what it reported.
 *
 * There is one for every host of the model, connected or not, from the start of the manager (or
 * from the host's registration) until the host is removed.  Each group of members belongs to the
 * file that its comment names; others read.
 *
 * Ownership: the table owns the agents.  Threading: the loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/agent.pb-c.h"
#include "base/err.h"
#include "base/hmap.h"
#include "base/list.h"
#include "manager/outbox.h"
#include "model/host.h"

struct session;
struct model;

struct agent {
	struct hmap_node by_number;
	uint32_t number;

	/* sessions.c */
	struct session *session; /* NULL: not connected; else Hello was heard and answered */
	bool was_connected;      /* since this manager runs */
	bool acknowledges;       /* has acknowledged something in this session */
	uint64_t since_ms;       /* unix; of the session, or when it ended */
	char software[64];
	/* Its session was given something that the model showed at this revision: when that turns
	 * out not to become durable, the session is ended and begins anew. */
	uint64_t shown;

	/* renew.c */
	uint64_t certificate_until_ms; /* unix: of the newest that it has; 0: none is renewed */

	/* publish.c */
	struct outbox outbox;
	bool needs_full;  /* the outbox does not say all that the host lacks */
	bool full;        /* the outbox holds the host's whole state, to be sent as such */
	bool confirm;     /* send a Desired even when nothing is different */
	uint64_t planned; /* changes up to this revision are contained in that whole state */
	uint64_t base; /* the outbox says all that a host lacks which has this revision or later */
	uint64_t sent; /* revision of the last Desired, also of an earlier session */
	uint64_t acknowledged;
	struct list in_dirty;
	bool urgent;             /* it is to be told something else than steps of choices */
	uint64_t paced_until_ns; /* before then it is not told of these alone: pace.c */

	/* updates.c */
	struct list updates;
	size_t n_updates, n_updates_unsent;

	/* preload.c */
	struct list preloads;
	bool takes_preloads; /* said so in its Hello */

	/* heir.c */
	struct list heirs;

	/* intake.c */
	struct list in_news;      /* something of it is to be written */
	struct list in_unsettled; /* something of it is kept until it is durable */
	struct list reports;      /* transitions of instances that are not durable yet */
	size_t n_reports;
	/* of the last Ack, with their texts, and what it called pending */
	struct host_failure *failures;
	size_t n_failures;
	struct capabilities *can; /* reported and not durable yet; NULL: none */
	uint64_t can_revision;    /* of the change that holds them; 0: not in the model */
	/* unix; when the last ones came into the model, new or not; 0: never */
	uint64_t can_ms;

	/* stats.c */
	Viaduct__Agent__Stats *stats;

	/* resolve.c */
	size_t n_resolves_waiting;
	uint64_t n_resolved, n_refused;

	/* stale.c */
	uint64_t n_corrected; /* times that it was told again what it had not heard */
};

struct agents {
	struct hmap by_number;
};

void agents_init(struct agents *agents);
void agents_deinit(struct agents *agents);
/* One for each host of 'model', complete from 'revision' on. */
must_check int agents_load(struct agents *agents, const struct model *model, uint64_t revision);
/* The revision of a host that has nothing yet. */
#define AGENTS_NOTHING UINT64_MAX
must_check int agents_add(struct agents *agents, uint32_t number, uint64_t revision);
/* Its session must have ended. */
void agents_remove(struct agents *agents, struct agent *agent);
struct agent *agents_find(const struct agents *agents, uint32_t number); /* or NULL */
size_t agents_count(const struct agents *agents);
size_t agents_count_connected(const struct agents *agents);
