/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host of a scenario that runs the whole agent, on the fake data plane and the fake driver.  What
 * the agent leaves behind when it ends (the data plane, the nodes) stays, as it does on a real
 * host.
 *
 * Knows nothing of the manager: how to reach one is handed in.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/seal.h"
#include "datapath/fake.h"
#include "wire/session.h"

enum { SCENARIO_OPENS_MAX = 16 };

struct loop;
struct scenario_host;

/* Begins a session with the manager. */
typedef int (*scenario_dial_fn)(void *arg, size_t host, const struct session_callbacks *callbacks,
				void *user, struct session **ret);

struct scenario_host *scenario_host_new(struct loop *loop, struct fake_world *substrate,
					size_t index, const char *host_id, scenario_dial_fn dial,
					void *arg);
struct scenario_host *scenario_host_free(struct scenario_host *host);
/* It has an uplink, from the next start on: the manager has to call it an edge. */
void scenario_host_set_edge(struct scenario_host *host);
/* What its gateway with that handle has sent to the world; none: 0. */
uint64_t scenario_host_sent_out(const struct scenario_host *host, uint32_t handle);
/* Its data plane; NULL: its agent is not running, or has none open. */
struct datapath *scenario_host_plane(const struct scenario_host *host);
/* The agent begins, or ends as by kill -9: without a word. */
void scenario_host_start(struct scenario_host *host);
void scenario_host_kill(struct scenario_host *host);
bool scenario_host_is_up(const struct scenario_host *host); /* linked to the manager */
uint64_t scenario_host_revision(const struct scenario_host *host);
const char *scenario_host_name(const struct scenario_host *host); /* in the substrate */

/* The node of 'interface_id' sends packet 'number'.  The port must have been seen while the agent
 * ran. */
enum fake_verdict scenario_host_send(struct scenario_host *host, const char *interface_id,
				     const char *src, const char *dst, uint32_t number,
				     uint32_t *ret_reason);
/* The oldest packet that the node received, 0: none. */
uint32_t scenario_host_receive(struct scenario_host *host, const char *interface_id);
/* Whether its agent runs and has a port for it. */
bool scenario_host_has_port(const struct scenario_host *host, const char *interface_id);
/* Questions that packets made it ask, the mappings that it holds, and how many it may hold. */
uint64_t scenario_host_asked(const struct scenario_host *host);
size_t scenario_host_mappings(const struct scenario_host *host);
void scenario_host_limit_mappings(struct scenario_host *host, size_t max);
/* What it sends to the manager's host 'peer', and takes from it (FORMAT_BIT()s); false: its agent
 * is not running, or it has no such peer. */
bool scenario_host_choice(const struct scenario_host *host, uint32_t peer, enum format *ret_send,
			  uint32_t *ret_accept);
/* What it knows of its keys (model/pair_key.h) is lost: the machine starts anew, or its agent, if it
 * runs, finds out.  0: a build that says none. */
void scenario_host_reboot(struct scenario_host *host, uint64_t incarnation);
void scenario_host_incarnate(struct scenario_host *host, uint64_t incarnation);
/* What a sealing worker would do for its agent. */
struct scenario_sealing {
	bool peer;  /* it has one */
	bool clear; /* something goes in the clear, or is taken so */
	uint64_t incarnation;
	bool seals; /* with 'key' */
	uint8_t key[SEAL_KEY_SIZE];
	size_t n_opens;
	uint8_t opens[SCENARIO_OPENS_MAX][SEAL_KEY_SIZE];
};
bool scenario_host_sealing(const struct scenario_host *host, uint32_t peer,
			   struct scenario_sealing *ret);
/* From now on each step of its driver takes so long. */
void scenario_host_slow(struct scenario_host *host, uint64_t ms);
/* From the next start of its agent on, probes find these FORMAT_BIT()s. */
void scenario_host_set_formats(struct scenario_host *host, uint32_t formats);
/* Its data plane loses the port of an interface, of which nobody is told. */
void scenario_host_lose_port(struct scenario_host *host, const char *interface_id);
/* From now on its data plane cannot be opened (-errno), or can (0). */
void scenario_host_refuse_plane(struct scenario_host *host, int error);
/* Addresses that it told the manager another host still sends to. */
uint64_t scenario_host_stale(const struct scenario_host *host);
/* Nodes that run. */
size_t scenario_host_nodes(const struct scenario_host *host);
