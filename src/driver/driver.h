/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a node (an instance) is run on this host: a contract with back-ends, 'netns' (processes in a
 * network namespace) and 'fake' (tables in memory, for tests without a kernel).
 *
 * Concept.  A *node* has an id and a generation: each start that was asked for has its own.  A node
 * is running, or it has ended and only its record is left, so that a start that was asked for once
 * is not repeated after the node stopped by itself. An *interface* is plugged into a running node;
 * the host's end of it is a device whose index the data plane needs.
 *
 * Everything is recorded outside this process: a driver opened again after a crash knows the nodes
 * of its predecessor and whether they still run. All calls are idempotent: what is there already,
 * as asked, is left alone; what is gone is not missed.
 *
 * Ownership: a driver is heap memory of its opener; arguments are borrowed for the call; what a
 * callback is given lives until it returns.  Errors: 0 or a negative errno: -EINVAL for an id or
 * name that cannot be used, -ENOENT when a node that must be there is not running.
 *
 * Threading.  The calls about a node block: for as long as the kernel, the disk and the node's
 * processes take.  A loop must not make them; it submits a *job*, which makes them on a thread of
 * the driver's and comes back to the loop when they are done.  Jobs about one node run one after
 * another, in the order in which they were submitted, those about different nodes side by side: so
 * a back-end's calls come from several threads at a time, but never two about the same node.  Who
 * has no loop makes the calls itself, from one thread, and submits nothing.  driver_nodes() alone
 * is quick, and may be called by the loop at any time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "net/addr.h"

enum {
	DRIVER_ID_SIZE = 32, /* of ids of nodes and interfaces: [a-z0-9-]{1,31} */
};

struct driver_node {
	char id[DRIVER_ID_SIZE];
	uint64_t generation;
	bool running;
};

struct driver_interface {
	char id[DRIVER_ID_SIZE];
	uint32_t device_index; /* the node sees it as ethN */
	struct mac mac;        /* the node's */
	uint32_t mtu;
};

/* What DHCP tells an interface first, and for as long as it is plugged. */
struct driver_address {
	struct ipaddr addr; /* IPv4 */
	uint8_t len;        /* of the subnet's prefix, in the 128-bit space as in struct prefix */
	struct ipaddr router;
};

/* The host's end of an interface. */
struct driver_port {
	int ifindex;
	bool peer_redirect; /* a veth: packets may be handed to the node's end directly */
};

struct driver;

/* Embedded in its user's struct; the driver's from driver_submit() until 'done' is called. */
struct driver_job {
	struct list link;
	const char *node;                                      /* that all of its calls are about */
	void (*run)(struct driver_job *job, struct driver *d); /* off the loop */
	/* in the loop; may submit it again */
	void (*done)(struct driver_job *job);
};

typedef int (*driver_node_fn)(const char *node, void *arg);
typedef int (*driver_interface_fn)(const struct driver_interface *interface, void *arg);

struct driver_ops {
	int (*start)(struct driver *d, const char *node, uint64_t generation);
	int (*stop)(struct driver *d, const char *node);
	int (*forget)(struct driver *d, const char *node);
	int (*check)(struct driver *d, const char *node, struct driver_node *ret);
	int (*plug)(struct driver *d, const char *node, const struct driver_interface *interface,
		    struct driver_port *ret);
	int (*open)(struct driver *d, const char *node, const char *interface);
	int (*online)(struct driver *d, const char *node, const char *interface,
		      const struct driver_address *address);
	int (*addresses6)(struct driver *d, const char *node, const char *interface,
			  const struct ipaddr *addrs, size_t n);
	int (*unplug)(struct driver *d, const char *node, const char *interface);
	int (*nodes)(struct driver *d, driver_node_fn fn, void *arg);
	int (*interfaces)(struct driver *d, const char *node, driver_interface_fn fn, void *arg);
	void (*submit)(struct driver *d, struct driver_job *job);
	void (*halt)(struct driver *d);
	void (*free)(struct driver *d);
};

/* A back-end embeds this as its first member. */
struct driver {
	const struct driver_ops *ops;
};

/* True for ids that every back-end takes. */
bool driver_id_is_valid(const char *id);

/* Makes 'node' run under 'generation'; one that runs already, under whatever generation, is left
 * alone and noted under the new one.  On failure it does not run.  A start that was cut off (its
 * process was killed) counts as none, and what it left is cleaned away by the next one, or by a
 * stop. */
must_check int driver_start(struct driver *d, const char *node, uint64_t generation);
/* Ends the node: all that runs inside, its interfaces and itself.  Its record stays. */
must_check int driver_stop(struct driver *d, const char *node);
/* Ends the node and drops its record. */
must_check int driver_forget(struct driver *d, const char *node);
/* Looks how the node is now.  One that ended by itself is cleaned away, its record kept.  -ENOENT:
 * nothing is known of it. */
must_check int driver_check(struct driver *d, const char *node, struct driver_node *ret);
/* Gives a running node an interface, or brings one that is there to what is asked.  It carries
 * nothing before driver_open(). */
must_check int driver_plug(struct driver *d, const char *node,
			   const struct driver_interface *interface, struct driver_port *ret);
/* The interface may carry packets: a program is there to take them, or they would be the host's own.
 * Also of one that does. */
must_check int driver_open(struct driver *d, const char *node, const char *interface);
/* Says that the interface now carries packets, as driver_open(): the node may configure itself.  'address' is what it
 * will be told, for a back-end that can save the node the wait; NULL: it has no IPv4 address. */
must_check int driver_online(struct driver *d, const char *node, const char *interface,
			     const struct driver_address *address);
/* Which IPv6 addresses the interface has.  A back-end whose nodes ask for themselves (DHCPv6) does
 * nothing. */
must_check int driver_addresses6(struct driver *d, const char *node, const char *interface,
				 const struct ipaddr *addrs, size_t n);
must_check int driver_unplug(struct driver *d, const char *node, const char *interface);
/* Iterators over what is recorded: the ids of all nodes; a node's interfaces.  'fn' may change
 * nothing; a non-zero return ends the walk and is returned. */
must_check int driver_nodes(struct driver *d, driver_node_fn fn, void *arg);
must_check int driver_interfaces(struct driver *d, const char *node, driver_interface_fn fn,
				 void *arg);
/* Does the job off the loop that the driver was opened with, and calls 'done' there. */
void driver_submit(struct driver *d, struct driver_job *job);
/* Waits for the jobs that run and drops those that have not begun; 'done' is called for none of
 * them, and all of them are their users' again.  Others may be submitted afterwards. */
void driver_halt(struct driver *d);
/* Ends this process's use of the driver, halting it; the nodes go on.  NULL is allowed; returns
 * NULL. */
struct driver *driver_free(struct driver *d);
CLEANUP_DEFINE(struct driver *, driver_free);
