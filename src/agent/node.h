/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nodes of this host as the agent knows them: what the driver is doing about each, and what
 * came of it last.
 *
 * The driver's calls block, so they are made off the loop, as *steps*: the loop writes down what is
 * to be done, node_begin() has it done (driver_submit()), and the answers are handed to
 * nodes_init()'s 'done' in the loop. A node has at most one step under way. What is desired may
 * become something else meanwhile, also nothing: a step goes on to its end, and whoever takes its
 * answers compares them with what is desired then.  Which step comes next is the business of
 * reconcile_node.c.
 *
 * Ownership: the table owns its nodes; the steps of all must have been halted (driver_halt())
 * before nodes_deinit().  Threading: the loop's; while a step is under way, what it is asked and
 * what it answers is the worker's.
 */
#pragma once

#include <stdint.h>

#include "agent/failures.h"
#include "base/err.h"
#include "base/hmap.h"
#include "base/limits.h"
#include "datapath/prepare.h"
#include "driver/driver.h"

enum node_step {
	NODE_IDLE,
	NODE_GLANCE,    /* does it still run? */
	NODE_LOOK,      /* what is there of it? */
	NODE_CHANGE,    /* end it, forget it, start it; plug and unplug */
	NODE_CONFIGURE, /* its interfaces carry packets: it may configure itself */
	NODE_CLEAN,     /* a start that failed is ended */
};

enum node_change { NODE_FORGET, NODE_STOP, NODE_RUN };

struct node_interface {
	/* Asked. */
	struct driver_interface interface;
	int standing;                  /* index of the device that its port is on already, or 0 */
	bool watched;                  /* its port will be: dp_preparer_prepare() */
	bool was_watched;              /* the one that stands is */
	bool configure;                /* the port is there: NODE_CONFIGURE is about it */
	struct driver_address address; /* its IPv4 address; zero: it has none */
	struct ipaddr *addrs; /* heap: the IPv6 addresses to set; NULL: they stay as they are */
	size_t n_addrs;
	uint32_t version; /* of the port's addresses that these are */
	/* Answered. */
	int error;
	int unready; /* plugged, but the data plane cannot use its device: the error */
	struct driver_port port;
};

struct node {
	struct hmap_node by_id;
	struct nodes *nodes;
	char id[DRIVER_ID_SIZE];
	enum node_step step;
	bool again;     /* something else is desired of it since the step began */
	bool waits;     /* for another node that is just being given an interface of its own */
	bool pending;   /* not yet as it was desired last: no acknowledgement may say that it is */
	uint64_t since; /* it was as desired by this revision, before it became pending */
	bool known, running; /* as the driver said last */
	bool starting;       /* was started, and is not yet all that it is to be */
	/* of the last time; they go into all acknowledgements until it is tried again */
	struct failures failures;
	int error; /* the first of them, 0: none; and what to say about it */
	const char *text;

	/* Asked. */
	enum node_change change;
	bool stop_first, start; /* NODE_RUN */
	uint64_t generation;
	/* to plug; also those of the last time */
	struct node_interface interfaces[LIMIT_NODE_INTERFACES];
	size_t n_interfaces;
	char unplug[LIMIT_NODE_INTERFACES][DRIVER_ID_SIZE];
	size_t n_unplug;
	/* Answered. */
	int result;      /* of GLANCE, LOOK, CLEAN, and of CHANGE but for interfaces */
	int stop_result; /* of 'stop_first' */
	int unplug_results[LIMIT_NODE_INTERFACES];
	struct driver_node found;
	char plugged[LIMIT_NODE_INTERFACES][DRIVER_ID_SIZE]; /* of LOOK, if it runs */
	size_t n_plugged;

	/* while a step is under way: of the data plane that was open at its beginning */
	struct dp_preparer *preparer;
	struct driver_job job;
};

/* The step of a node has ended; what it was is still in 'step'. */
typedef void (*node_done_fn)(struct node *n, void *arg);

struct nodes {
	struct hmap by_id;
	struct driver *driver;
	struct dp_preparer *preparer; /* or NULL */
	node_done_fn done;
	void *arg;
};

void nodes_init(struct nodes *nodes, struct driver *driver, node_done_fn done, void *arg);
void nodes_deinit(struct nodes *nodes);
/* From the next step on the devices of interfaces are prepared for this data plane; NULL: for
 * none. */
void nodes_set_datapath(struct nodes *nodes, struct datapath *dp);

struct node *nodes_find(const struct nodes *nodes, const char *id); /* or NULL */
/* The one that is there, or a new one, idle.  -ENOMEM */
must_check int nodes_get(struct nodes *nodes, const char *id, struct node **ret);
void nodes_remove(struct nodes *nodes, struct node *n); /* idle */
/* Is any pending?  If so '*ret_since' is the least of their 'since', unless it is NULL. */
bool nodes_pending(const struct nodes *nodes, uint64_t *ret_since);
/* It is to be what 'revision' does not say yet. */
void node_set_pending(struct node *n, uint64_t revision);

/* Has a step done.  The node must be idle, or in 'done'. */
void node_begin(struct node *n, enum node_step step);
/* Ends the series of steps. */
void node_rest(struct node *n);
/* Was it asked to have this interface, the last time or now? */
bool node_asks_for(const struct node *n, const char *interface);
