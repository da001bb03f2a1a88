/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A simulated agent: speaks the agent protocol as an agent does, over any session, and keeps what
 * it is told in tables without a data plane behind them.  For scenarios of the manager and for
 * bench/.
 *
 * It acknowledges what it is told at once, unless told to be silent.  One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hmap.h"
#include "net/addr.h"
#include "wire/session.h"

/* An object of the desired state, or a mapping held. */
struct sim_object {
	struct hmap_node node;
	uint32_t key_size;
	uint32_t size;
	uint8_t bytes[]; /* the packed key, then the packed object */
};

struct sim_mapping {
	struct hmap_node node;
	uint32_t vni;
	struct ipaddr addr;
	uint32_t host;
	uint64_t revision;
};

struct sim_agent {
	/* Set by the test. */
	char host_id[40];
	uint32_t formats;
	uint32_t mtu;
	bool silent;             /* acknowledges nothing */
	bool acks_updates_later; /* its user calls sim_agent_acknowledge_updates() */
	bool forget_mappings;    /* keeps no mappings: for benches */
	bool only_count;         /* keeps no objects: for benches */
	/* says that it knows preloaded networks, and takes what it did not ask for */
	bool preloads;
	void (*on_desired)(struct sim_agent *agent, const Viaduct__Agent__Desired *desired);
	void (*on_resolved)(struct sim_agent *agent, const Viaduct__Agent__Resolved *resolved);
	void (*on_update)(struct sim_agent *agent, const Viaduct__Agent__Update *update);
	void *user;

	struct session *session; /* NULL: not open */
	bool welcome;
	uint64_t cluster_id, revision;
	struct hmap objects, mappings;
	size_t n_desired, n_full, n_updates, n_sessions;
	uint64_t last_update; /* its revision */
	Viaduct__Agent__Goodbye__Code goodbye;

	/* Of the last Resolved. */
	uint64_t resolved_seq;
	size_t n_resolved;
	Viaduct__Agent__Answer__Status status;
	uint32_t host;
	uint64_t mapping_revision;
};

extern const struct session_callbacks sim_agent_callbacks; /* user data: the struct sim_agent */

void sim_agent_init(struct sim_agent *agent, const char *host_id);
void sim_agent_deinit(struct sim_agent *agent);
/* Loses everything, as a host does that is switched off and on. */
void sim_agent_reboot(struct sim_agent *agent);

int sim_agent_ask(struct sim_agent *agent, Viaduct__Agent__Question__Kind kind, uint32_t vni,
		  const struct ipaddr *asker, const struct ipaddr *addr, uint64_t seq);
/* Acknowledges what silence has left, or what was put off. */
int sim_agent_acknowledge(struct sim_agent *agent);
int sim_agent_acknowledge_updates(struct sim_agent *agent);
/* Tells that 'host' still sends from 'src' to 'addr', which is not here any more, 'n' times in one
 * frame. */
int sim_agent_tell_stale(struct sim_agent *agent, uint32_t host, uint32_t vni,
			 const struct ipaddr *src, const struct ipaddr *addr, size_t n);
int sim_agent_report(struct sim_agent *agent, const char *instance_id, uint64_t generation,
		     Viaduct__Agent__InstanceStatus__State state);
/* Objects of a kind: a case of Viaduct__Agent__Object. */
size_t sim_agent_count(const struct sim_agent *agent, Viaduct__Agent__Object__ObjectCase kind);
const struct sim_mapping *sim_agent_mapping(const struct sim_agent *agent, uint32_t vni,
					    const struct ipaddr *addr);
