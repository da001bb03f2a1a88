/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The communication manager of one host: what the parts of this room are together.
 *
 * The parts, and who calls whom:
 *
 *	link -> agent (frames) -> sync -> desired, reconcile -> datapath, driver
 *	                       -> questions, miss (answers), cache (pushes)
 *	driver (jobs done, node) -> reconcile -> datapath, acknowledge (what is pending no more) -> link
 *	datapath (upcalls) -> upcalls -> miss -> questions -> link
 *	                              -> serve (DHCP, DNS) -> datapath
 *	kernel -> nexthop -> datapath;   probe, report -> link;   control: reads everything
 *
 * Everything that touches the world comes in by 'struct agent_config', so that the whole agent runs
 * in a test: on the fake data plane, the fake driver, a pair instead of TLS, and virtual time.
 *
 * Life: agent_new() loads what the last life left (snapshot), adopts the data plane when it can,
 * and probes; when the probe has ended the link is started.  agent_free() leaves the data plane and
 * the nodes as they are.
 *
 * Ownership: an agent owns its parts; what 'config' points to is borrowed for its life.
 * Threading: the loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/drop.h"
#include "agent/announce.h"
#include "agent/cache.h"
#include "agent/desired.h"
#include "agent/handoff.h"
#include "agent/link.h"
#include "agent/miss.h"
#include "agent/names.h"
#include "agent/narrow_path.h"
#include "agent/nexthop.h"
#include "agent/ports.h"
#include "agent/probe.h"
#include "agent/questions.h"
#include "agent/reconcile.h"
#include "agent/sealed_path.h"
#include "agent/sealing.h"
#include "agent/stale.h"
#include "base/boot.h"
#include "base/loop.h"
#include "datapath/datapath.h"
#include "driver/driver.h"
#include "net/rtnl.h"

enum {
	AGENT_REASONS_MAX = DROP_REASON_MAX,
};

/* The data plane, real or fake. */
struct agent_backend {
	int (*open)(void *arg, const struct dp_config *config, struct datapath **ret,
		    bool *ret_adopted);
	int (*destroy)(void *arg, const struct dp_config *config);
	probe_fn probe; /* on another thread, when 'threaded_probe' */
	void *arg;
};

struct agent_config {
	struct loop *loop;
	const char *host_id;
	uint8_t boot_id[BOOT_ID_SIZE];
	struct link_dialer dialer;
	const struct agent_backend *backend;
	struct dp_config dp; /* without locators and addresses: those are the manager's to say */
	struct driver *driver;
	const struct nexthop_kernel *kernel;
	void *kernel_arg;
	/* Says on an edge's uplink that it has 'public' (IPv4) now. */
	announce_fn announce;
	/* Names of the devices that 'dp' has the numbers of; NULL: its number is not followed; this
	 * host is no edge. */
	const char *substrate;
	const char *uplink;
	const char *snapshot;  /* path; NULL: none is kept */
	uint32_t flow_seconds; /* of a window of flow logs; 0: LIMIT_AGENT_FLOW_S */
	uint32_t disallowed;   /* formats that the operator does not want on this host */
	uint32_t required_features, disallowed_features; /* likewise, and what it insists on */
	struct sealing_paths sealing;
	bool threaded_probe;
	/* Keeps the certificate to come with from now on (the frame's is borrowed).  NULL: it is
	 * ignored. */
	void (*renew)(void *arg, const Viaduct__Agent__Certificate *certificate);
	void *renew_arg;
};

/* A device that the agent was given by name (devices.c). */
enum { DEVICE_SUBSTRATE, DEVICE_UPLINK, DEVICES };

struct device {
	const char *name; /* NULL: none */
	int ifindex;      /* the last that is known */
	bool away;        /* there is none of this name, or it cannot be used */
	bool anew;        /* the one of 'ifindex' was deleted */
};

/* A DNS query that waits for an answer of the manager (serve.c). */
struct serve_dns;

struct agent {
	struct agent_config config;
	struct loop *loop;
	struct datapath *dp; /* NULL until the manager, or the snapshot, said who we are */
	struct dp_config dp_config;
	bool active;           /* the programs that run are of this build */
	uint32_t lacking;      /* formats that it lacks, and that peers need */
	char plane_error[160]; /* why 'dp' is NULL */
	/* Tables that began empty in this life, though nobody can tell again what was in them: an
	 * alarm.  "all": everything began anew; "": none. */
	char lost[256];

	struct desired desired;
	uint64_t revision, cluster_id;
	uint64_t settled; /* the last revision that nothing was pending of: what a Hello may say */
	struct nodes nodes;
	struct ports ports;
	struct nexthops nexthops;
	struct cache cache;
	struct questions questions;
	struct miss miss;
	struct reconcile reconcile;
	struct names names;
	struct link link;
	struct probe probe;
	struct announcer announcer;
	struct sealing sealing;
	struct sealed_paths sealed_paths;
	struct narrow_paths narrow_paths;
	struct stale stale;
	struct handoff handoff;

	/* devices.c */
	struct device devices[DEVICES];
	struct timer look_at_devices; /* changes come in swarms */
	/* upcalls.c */
	struct watch upcalls;
	struct deferred drain;
	unsigned int n_drains;
	uint64_t n_upcalls[DP_UPCALL_NARROW + 1]; /* by enum dp_upcall_kind */
	/* serve.c */
	struct list dns;
	size_t n_dns;
	uint64_t n_dhcp_answers, n_dns_answers, n_bad_requests;
	/* serve6.c */
	struct timer advertise;
	uint64_t n_advertisements;
	/* report.c */
	struct watch events;
	struct timer stats, flush_events;
	uint64_t stats_ns, count_round;
	struct dp_drop_event *waiting_events;
	size_t n_waiting_events;
	uint64_t n_events;
	/* copies.c */
	struct watch copies;
	uint8_t *copy_work;
	uint64_t n_copies, n_copies_lost;
	/* flows.c */
	struct timer close_window, tell_window;
	/* sync.c */
	struct timer check, resync, save;
	/* acknowledge.c */
	struct timer acknowledge;
	bool takes_pending; /* the manager knows that an Ack may name what is still under way */
	struct failures failures; /* of the Desired of 'revision', but for those of nodes */
};

must_check int agent_new(const struct agent_config *config, struct agent **ret);
struct agent *agent_free(struct agent *a);
CLEANUP_DEFINE(struct agent *, agent_free);

/* Opens or re-opens the data plane as 'desired.host' says; 0 when it is open. */
must_check int agent_open_plane(struct agent *a);
/* Puts this build's programs in place, as soon as no peer needs what they lack. */
void agent_activate(struct agent *a);
void agent_close_plane(struct agent *a);   /* it goes on carrying packets */
uint64_t agent_now(const struct agent *a); /* ns, monotonic */
/* Tells the manager that a mapping which it gave is not held here (any more). */
void agent_release(struct agent *a, uint32_t vni, const struct ipaddr *addr, uint64_t revision);
/* Tells the manager what the host can do, or why it cannot. */
void agent_send_capabilities(struct agent *a);
/* Tells the manager why this host carries nothing (a device is away, the data plane is not open),
 * or that nothing is in the way, if that is something else than it was told before. */
void agent_tell_fault(struct agent *a);
/* How what the manager says of this host's role contradicts its configuration; NULL: not. */
const char *agent_role_error(const struct agent *a);

/* ---- the parts that are nothing without an agent ---- */

/* devices.c: goes on when the substrate's device, or an edge's uplink, was made anew. */
void devices_init(struct agent *a);
void devices_deinit(struct agent *a);
/* The manager has said who this host is. */
void devices_host_changed(struct agent *a);
/* Something about links, addresses, routes or neighbours is another than before. */
void agent_network_changed(struct agent *a, const struct rtnl_event *e);

/* sync.c: Desired, Update; the snapshot; the periodic runs. */
void sync_init(struct agent *a);
void sync_deinit(struct agent *a);
void sync_load(struct agent *a);
void sync_desired(struct agent *a, const Viaduct__Agent__Desired *m);
void sync_update(struct agent *a, const Viaduct__Agent__Update *m);
/* Looks whether everything is as it was desired, and brings it there. */
void sync_full(struct agent *a);
/* The same after the data plane was opened anew; announces again what is said outside. */
void sync_again(struct agent *a);

/* uplink.c: what an edge says outside.  The manager has told 'keys' in this session, and they are
 * applied; or everything is the manager's word. */
void uplink_told(struct agent *a, const struct desired_key *keys, size_t n);
void uplink_told_all(struct agent *a);
/* The announcer's announce_fn; and the miss path's word that an address is known. */
must_check int uplink_announce(void *arg, int ifindex, const struct ipaddr *addr);
void uplink_learned(const struct ipaddr *addr, void *arg);

/* acknowledge.c: says what of 'revision' is done, what failed, and what is still under way. */
void acknowledge_init(struct agent *a);
void acknowledge_deinit(struct agent *a);
void acknowledge_now(struct agent *a);
/* An instance is not pending any more. */
void acknowledge_settled(struct agent *a);

/* upcalls.c: reads the packets that come up and gives them to who answers them. */
must_check int upcalls_open(struct agent *a);
void upcalls_close(struct agent *a);
void upcalls_init(struct agent *a);
void upcalls_deinit(struct agent *a);
void upcalls_drain_soon(struct agent *a);

/* serve.c: answers DHCP and DNS; the upcall is its own from now on. */
void serve_init(struct agent *a);
void serve_deinit(struct agent *a);
void serve_dhcp(struct agent *a, struct dp_upcall *upcall);
void serve_dns(struct agent *a, struct dp_upcall *upcall);

/* serve6.c: the same for router solicitations and DHCPv6; tells nodes about their router now and
 * then. */
void serve6_init(struct agent *a);
void serve6_deinit(struct agent *a);
void serve6(struct agent *a, struct dp_upcall *upcall);
/* Tells the node behind the port now, if it has IPv6. */
void serve6_greet(struct agent *a, const struct port *port);

/* report.c: counters and sampled drops to the manager. */
void report_init(struct agent *a);
void report_deinit(struct agent *a);
must_check int report_open(struct agent *a);
void report_close(struct agent *a);
/* Takes the samples of what the sealing worker refused. */
void report_refusals(struct agent *a);
void report_set_interval(struct agent *a, uint32_t seconds);
/* Drops of a port (0: the substrate side) by reason, those of the agent itself included. */
must_check int report_drops(struct agent *a, uint32_t port, uint64_t ret[static AGENT_REASONS_MAX]);

/* copies.c: traffic mirroring. */
must_check int copies_open(struct agent *a);
void copies_close(struct agent *a);
void copies_deinit(struct agent *a);

/* flows.c: flow logs. */
void flows_init(struct agent *a);
void flows_deinit(struct agent *a);
void flows_open(struct agent *a);
void flows_close(struct agent *a);
void flows_acknowledged(struct agent *a, const Viaduct__Agent__FlowAck *ack);
