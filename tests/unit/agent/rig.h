/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host in a test: the whole agent on the fake data plane and the fake driver, in virtual time,
 * with a manager that says what the test wants and remembers what it hears.
 *
 * The host is number 1 with interface eni-1 (10.0.1.4) of instance i-1; host 2 is its peer.  The
 * network is VNI 5, 10.0.0.0/16, its subnet 10.0.1.0/24.
 */
#pragma once

#include "agent/agent.h"
#include "base/arena.h"
#include "datapath/fake.h"
#include "driver/fake.h"
#include "wire/pair.h"

enum {
	RIG_VNI = 5,
	RIG_PEER = 2,
	RIG_CLUSTER = 7,
	RIG_LEASE_S = 60,
	RIG_FRAMES_MAX = 512,
	RIG_ANNOUNCED_MAX = 64,
};

struct rig {
	struct clock clock;
	struct loop *loop;
	struct fake_world *world;
	struct fake_nodes nodes;
	struct driver *driver;
	struct pair *pair;
	struct agent *agent;
	struct arena arena;
	struct agent_backend backend;
	struct link_dialer dialer;
	/* The manager. */
	bool deaf;        /* does not answer the Hello */
	bool older;       /* takes neither Ack.pending nor Stale, knows no incarnations */
	bool refusing;    /* says Goodbye: unknown host */
	bool unreachable; /* dialling fails */
	unsigned int n_dials;
	Viaduct__Agent__Frame *frames[RIG_FRAMES_MAX]; /* heard, oldest first */
	size_t n_frames;
	/* The kernel. */
	bool no_route, no_neighbour;
	int substrate;   /* index of "sub0"; 0: there is no such device */
	bool no_address; /* of the substrate, on any device */
	uint16_t substrate_mtu;
	struct ipaddr gateway;
	unsigned int n_neighbour_probes;
	/* The probe. */
	int probe_error;
	unsigned int n_probes;
	bool lacks_rate;              /* so says the probe of the data plane */
	uint32_t probe_seconds;       /* that the manager asks for; 0: no interval */
	char *snapshot;               /* path, or NULL */
	uint32_t formats;             /* of the build; 0: all */
	uint32_t max_mappings;        /* 0: 1000 */
	struct sealing_paths sealing; /* nothing: no worker is there */
	/* The world outside. */
	int uplink; /* ifindex; 0: this agent is no edge */
	struct ipaddr announced[RIG_ANNOUNCED_MAX];
	size_t n_announced;
};

void rig_init(struct rig *r);
void rig_deinit(struct rig *r);
/* Starts the agent and lets it connect. */
void rig_start(struct rig *r);
/* For a cmocka test: a rig as '*state', started and with all that its description says; and its
 * end. */
int rig_setup(void **state);
int rig_teardown(void **state);
/* The same for a rig that is not started yet, and has a snapshot in a directory of its own. */
int rig_setup_saving(void **state);
int rig_teardown_saving(void **state);
/* Ends the agent; the data plane and the nodes stay. */
void rig_stop(struct rig *r);
void rig_advance_ms(struct rig *r, uint64_t ms);
void rig_settle(struct rig *r);
/* Breaks the connection. */
void rig_cut(struct rig *r);

/* Sends a frame as the manager. */
void rig_send(struct rig *r, Viaduct__Agent__Frame__BodyCase kind, void *body);
/* The newest frame heard of a kind, or NULL; how many of a kind. */
const Viaduct__Agent__Frame *rig_last(const struct rig *r, Viaduct__Agent__Frame__BodyCase kind);
size_t rig_count(const struct rig *r, Viaduct__Agent__Frame__BodyCase kind);
void rig_forget_frames(struct rig *r);
const Viaduct__Agent__Ack *rig_ack(const struct rig *r); /* the newest: there is one */

/* Objects, in the rig's arena. */
void *rig_object(struct rig *r, Viaduct__Agent__Object__ObjectCase kind, size_t size,
		 Viaduct__Agent__Object **ret);
ProtobufCBinaryData rig_text_addr(struct rig *r, const char *text);
ProtobufCBinaryData rig_v4(struct rig *r, uint32_t v4);
ProtobufCBinaryData rig_text_addr(struct rig *r, const char *text);
Viaduct__Agent__Object *rig_host(struct rig *r);
Viaduct__Agent__Object *rig_peer(struct rig *r, uint32_t number);
Viaduct__Agent__Object *rig_subnet(struct rig *r);
Viaduct__Agent__Object *rig_instance(struct rig *r, const char *id, bool running,
				     uint64_t generation);
Viaduct__Agent__Object *rig_interface(struct rig *r, const char *id, const char *instance,
				      uint32_t v4);
/* With 'n_routes' that say nothing yet. */
Viaduct__Agent__Object *rig_table(struct rig *r, uint32_t number, size_t n_routes);
void rig_desire(struct rig *r, uint64_t revision, bool full, Viaduct__Agent__Object **objects,
		size_t n);
/* Everything of the rig's description above, as revision 10. */
void rig_desire_all(struct rig *r);

struct ipaddr rig_addr(uint32_t v4);
/* The port of eni-1. */
uint32_t rig_port(const struct rig *r);
/* Sends packet 'number' from eni-1 to 'dst'. */
enum fake_verdict rig_packet(struct rig *r, uint32_t dst, uint32_t number);
/* Answers all questions of the newest Resolve: with host 'host' and 'revision', or REFUSED for
 * 0. */
void rig_answer(struct rig *r, uint32_t host, uint64_t revision);
/* Pushes one mapping, as of its own revision. */
void rig_push(struct rig *r, Viaduct__Agent__Mapping *mapping);
void rig_update(struct rig *r, uint32_t addr, uint32_t host, uint64_t revision, bool gone);
