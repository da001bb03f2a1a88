/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sealing worker, kept as the desired state wants it: started when the first peer's traffic is
 * to be sealed, found again after a restart of the agent, started again when it ends.
 *
 * Order.  Before the data plane is changed, sealing_plan() has it decide which classes there will
 * be, and with sealing_widen() the worker confirms them and their keys, so that they are there
 * before a packet needs them; old ones are still there.  sealing_narrow() comes after the change:
 * what opened is gone at once, and what seals when the last packet that the programs had given it
 * has come through the device's queue.
 *
 * What the worker remembers of keys has a name, the host's incarnation (model/pair_key.h): the manager
 * is told it and gives keys for it.  A worker that has lost what the one before it knew has another
 * one, uses none of the keys that there are, and waits for others.
 *
 * Keys are never saved.  An agent that restarts leaves a worker that has keys as it is until the
 * manager has told all of them again, and asks for everything (sealing_lacks_keys()).
 *
 * Threading: the loop's.  Calls wait for the worker, at most SEAL_CLIENT_WAIT_MS.
 */
#pragma once

#include "agent/desired.h"
#include "agent/failures.h"
#include "base/loop.h"
#include "seal/client.h"

struct sealing_paths {
	const char *socket, *program,
		*reserve;     /* socket NULL: nothing is sealed here, as in tests */
	struct cpus cpus;     /* where the worker may run; empty: where the agent may */
	uint64_t incarnation; /* without a socket */
};

/* The host's incarnation is another one. */
typedef void (*sealing_changed_fn)(void *arg);

struct sealing {
	struct sealing_paths paths;
	const struct desired *desired;
	struct datapath *dp; /* NULL: none is open */
	struct loop *loop;
	struct seal_client client;
	struct watch watch; /* the worker has ended */
	struct timer retry, left;
	uint32_t n_leaving; /* classes that the worker keeps for what is on its way to it */
	uint64_t generation;
	/* What the worker was told last. */
	struct seal_image image;
	struct seal_class *classes;
	struct seal_key_record *keys;
	uint64_t n_refusals;  /* of the worker's samples, how many were taken */
	uint64_t incarnation; /* 0: not known */
	bool bound;           /* the manager gives keys for an incarnation */
	sealing_changed_fn changed;
	void *arg;
};

void sealing_init(struct sealing *s, struct loop *loop, const struct desired *desired,
		  const struct sealing_paths *paths, sealing_changed_fn changed, void *arg);
void sealing_deinit(struct sealing *s); /* the worker goes on */
/* The data plane was opened, or is about to be closed (NULL). */
void sealing_set_datapath(struct sealing *s, struct datapath *dp);

/* Before sealing_widen(): has the data plane decide the classes of what the named peers, or all,
 * will seal. */
void sealing_plan(struct sealing *s, const struct desired_key *keys, size_t n_keys);
void sealing_plan_all(struct sealing *s);
/* Each adds a failure for every peer that cannot be sealed as it should be. */
void sealing_widen(struct sealing *s, struct failures *failures);
void sealing_narrow(struct sealing *s, struct failures *failures);
/* Something is to be sealed, and its keys are not known (any more). */
bool sealing_lacks_keys(const struct desired *d);

/* Counters of the worker; zero when there is none. */
struct seal_counters sealing_counters(const struct sealing *s, uint32_t peer);
uint64_t sealing_drops(const struct sealing *s, uint32_t reason);
/* The next sample of what the worker refused; false: there is none. */
bool sealing_refusal(struct sealing *s, struct seal_refusal *ret);
