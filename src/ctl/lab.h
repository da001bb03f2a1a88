/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lab: a cluster of Viaduct on one machine, in network namespaces.
 *
 *	vd-NAME-manager ---+
 *	vd-NAME-h1 --------+--- vd-NAME-router       each on its own link, with its own subnet
 *	vd-NAME-h2 --------+
 *	vd-NAME-e1 --------+--- (one segment) vd-NAME-world: all that is outside
 *	vd-NAME-i-...                                the nodes that the agents start
 *
 * Concept.  What is known of a lab is in LAB_ROOT/NAME/lab.json, written before what it speaks of
 * is made; and everything a lab makes has a name that begins with "vd-NAME-" or lies in that
 * folder.  So a lab can be ended whatever became of the process that started it.
 *
 * Nodes of the substrate are numbered: 0 is the manager, 1 to n_hosts are the hosts, and behind
 * them come the edges.  The world has LAB_WORLD, each edge an address beside it on its uplink, and
 * to both the pool of public addresses is on link: who has one answers for it.  Nothing of
 * the machine's own network is touched but one TCP port of its loopback, where the API answers.
 *
 * Ownership: struct lab is embedded, lab_deinit() frees its strings.  One thread.  Functions
 * without an error output complain (ctl/complain.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/limits.h"
#include "net/addr.h"

#define LAB_ROOT      "/run/viaduct/lab"
#define LAB_NETNS_DIR "/run/netns"
#define LAB_DEVICE    "sub0" /* a node's end of its link */
#define LAB_UPLINK    "up0"  /* an edge's end of its link to the world */
#define LAB_SEGMENT   "out0" /* the world's end of all of them */
#define LAB_POOL      "198.51.100.0/24"
/* what a manager gives networks unless it is told another */
#define LAB_POOL6       "fd56:6976:3600::/40"
#define LAB_AGENTS_PORT 8774
#define LAB_HTTP_PORT   8773 /* of the first lab; others have those that follow */
#define LAB_HTTP_LAST   8972
#define LAB_REGION      "us-east-1"
#define LAB_ZONE        LAB_REGION "a"
#define LAB_ACCOUNT     "123456789012"
#define LAB_ACCESS_KEY  "FOOBARKEY"
#define LAB_SECRET_KEY  "FOOBARSECRET"

enum {
	LAB_NAME_SIZE = 8, /* with "-hNN" behind it an agent's name (at most 11 characters) */
	LAB_NETNS_NAME_SIZE = 64,
	LAB_NODE_NAME_SIZE = 16,
	LAB_RACKS_MAX = 64, /* that fit siit/2 */
};

/* A daemon; pid 0: none was started.  With its start time it is not taken for another process. */
struct lab_process {
	pid_t pid;
	uint64_t start;
};

struct lab {
	char name[LAB_NAME_SIZE];
	char *directory;
	bool up; /* its start came to its end */
	bool ipv4;
	bool aliases; /* hosts get alias ranges; known while the lab is made */
	uint32_t mtu;
	uint32_t n_hosts, n_edges;
	uint32_t n_racks; /* that they stand in, in turn; 0: one each.  Matters while it is made */
	uint16_t port;    /* of the API on 127.0.0.1; 0: not bound yet */
	char *manager_state;                  /* viaductd's directory */
	char *formats[LIMIT_LAB_NODES + 1];   /* NULL: all that the host can do */
	char *features[LIMIT_LAB_NODES + 1];  /* that it may use; NULL: all that it can do */
	char *require[LIMIT_LAB_NODES + 1];   /* features that the host insists on; NULL: none */
	char *seal_cpus[LIMIT_LAB_NODES + 1]; /* processors that seal for the host; NULL: all */
	struct lab_process processes[LIMIT_LAB_NODES + 1];
	int lock_fd; /* -1: not held */
};

void lab_deinit(struct lab *l);

/* [a-z][a-z0-9]{0,6}: no dash, so that no lab's prefix begins another's. */
bool lab_name_is_valid(const char *name);

/* Makes the folder of a new lab and takes its lock.  'l' has everything but directory and
 * manager_state, which is filled in when it is NULL.  -EEXIST: there is one of that name. */
must_check int lab_create(struct lab *l);
/* Writes lab.json. */
must_check int lab_save(const struct lab *l);
/* Reads lab.json.  -ENOENT: no such lab (no complaint). */
must_check int lab_load(const char *name, struct lab *ret);
/* The lab meant by 'name'; NULL: $VIADUCT_LAB, or the only one. */
must_check int lab_find(const char *name, struct lab *ret);
/* The names of the labs, sorted (strv_free() them). */
must_check int lab_list(char ***ret_names);
/* Keeps other commands from changing the lab until lab_deinit(). */
must_check int lab_lock(struct lab *l);

/* LAB_ROOT/NAME/LEAF, to be freed; NULL: out of memory. */
char *lab_path(const struct lab *l, const char *leaf);
/* The number of the last node, and whether a node is an edge. */
uint32_t lab_last_node(const struct lab *l);
bool lab_is_edge(const struct lab *l, uint32_t node);
/* "manager", "h1", ..., "e1", ... */
const char *lab_node_name(const struct lab *l, uint32_t node, char ret[static LAB_NODE_NAME_SIZE]);
/* "vd-NAME-WHAT"; -ENAMETOOLONG. */
must_check int lab_netns_name(const struct lab *l, const char *what,
			      char ret[static LAB_NETNS_NAME_SIZE]);
/* The addresses of the two ends of a node's link. */
struct ipaddr lab_node_address(const struct lab *l, uint32_t node);
struct ipaddr lab_gateway_address(const struct lab *l, uint32_t node);
/* The alias range of a host: IPv4, not to be confused with any other address of a lab. */
struct prefix lab_aliases(uint32_t node);
/* On the segment outside: of the world, and of an edge's uplink. */
struct ipaddr lab_world_address(bool ipv4);
struct ipaddr lab_uplink_address(const struct lab *l, uint32_t node, bool ipv4);
