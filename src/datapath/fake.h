/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake data plane: the contract of datapath/datapath.h on tables in memory, so that agents and
 * whole clusters run in one process, without root, in virtual time.
 *
 * Concept.  A *world* is the substrate and the kernels of all hosts: what is pinned outlives the
 * datapath handle of an agent, and a packet that one host sends arrives at the other at once.  The
 * verdicts are those of the programs (source check, mapping states, format accepted, verification
 * of the sender, drop reasons); headers are not rewritten.
 *
 * Ownership: the world owns all pinned tables and what nodes received.  One thread.
 */
#pragma once

#include "base/err.h"
#include "datapath/datapath.h"

struct fake_world;

must_check int fake_world_new(struct fake_world **ret);
struct fake_world *fake_world_free(struct fake_world *world); /* all handles are closed before */
CLEANUP_DEFINE(struct fake_world *, fake_world_free);

/* As datapath_open(), datapath_destroy(); 'config->name' names the host in the world. */
must_check int datapath_open_fake(struct fake_world *world, const struct dp_config *config,
				  struct datapath **ret, bool *ret_adopted);
void fake_destroy(struct fake_world *world, const char *name);
/* What the next open says of tables that have another layout: the fake has none. */
void fake_next_adoption(struct fake_world *world, const char *name,
			const struct dp_adoption *adoption);

/* How often a port came to a device that was not prepared for it (datapath/prepare.h), or became
 * watched on one, for which the kernel would have made the caller wait; how often it was tidied. */
unsigned int fake_blocked(struct fake_world *world, const char *name);
unsigned int fake_tidied(struct fake_world *world, const char *name);
bool fake_is_prepared(struct fake_world *world, const char *name, int ifindex);
/* Whether the program of those that are watched is there. */
bool fake_is_watched(struct fake_world *world, const char *name, int ifindex);
void fake_fail_prepare(struct fake_world *world, const char *name, int e); /* 0: no more */
/* The device of the wire, and how often it became one; what making it another one answers. */
int fake_substrate(struct fake_world *world, const char *name, unsigned int *ret_times);
void fake_fail_substrate(struct fake_world *world, const char *name, int e);

/* How often datapath_announce() was called, and with what last: the fake has no uplink on which to
 * say it, and says nothing about whether the programs would have. */
unsigned int fake_announced(struct fake_world *world, const char *name, struct ipaddr *ret_last);

/* What came of a packet. */
enum fake_verdict {
	FAKE_DELIVERED, /* to a node, or answered on the spot */
	FAKE_HELD,      /* went up to the agent */
	FAKE_DROPPED,
};

/* A node sends an Ethernet frame by a port of host 'name', also while its agent is down.  The
 * reason of a drop (enum drop_reason) goes to '*ret_reason', which may be NULL. */
enum fake_verdict fake_send(struct fake_world *world, const char *name, uint32_t port,
			    const uint8_t *frame, size_t size, uint32_t *ret_reason);
/* The same for a packet made up here: IPv4 from 'src' to 'dst' carrying 'number'. */
enum fake_verdict fake_send_packet(struct fake_world *world, const char *name, uint32_t port,
				   const struct ipaddr *src, const struct ipaddr *dst,
				   uint32_t number, uint32_t *ret_reason);
/* An arrival from the substrate that claims to come from host 'from' (its name in the world). */
enum fake_verdict fake_arrive(struct fake_world *world, const char *name, const char *from,
			      uint32_t vni, const struct ipaddr *src, const struct ipaddr *dst,
			      uint32_t number, uint32_t *ret_reason);

/* Takes the oldest frame that the node of a port received; false: none. The caller frees '*ret'. */
bool fake_receive(struct fake_world *world, const char *name, uint32_t port, uint8_t **ret,
		  size_t *ret_size);
/* Takes the oldest frame and reads the number of fake_send_packet() from it. */
bool fake_receive_packet(struct fake_world *world, const char *name, uint32_t port,
			 uint32_t *ret_number);
