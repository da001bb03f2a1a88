/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two hosts of a benchmark in one process: the data plane alone, each in a network namespace that
 * exists and has "sub0" to the other, set up as agents would.  What goes wrong ends the process
 * with a message and status 1: a benchmark has nothing to fall back to.
 */
#pragma once

#include "datapath/datapath.h"

enum {
	PAIR_HOSTS = 2,
	PAIR_VNI = 7,
	PAIR_MTU = 1500,      /* of the substrate */
	PAIR_NODE_MTU = 1400, /* of nodes' interfaces */
};

struct pair_host {
	int netns;               /* descriptor of its namespace */
	struct dp_config config; /* its bpffs is the pair's */
	struct datapath *dp;
	struct mac mac; /* of sub0 */
};

extern struct pair_host pair_hosts[PAIR_HOSTS];

/* Ends the process if 'r', 0 or a negative errno, is an error; 'what' is said before its text. */
void pair_check(int r, const char *what);

/* The address that 'text' is, and the prefix of 'len' bits (an IPv4 one has 96 more) about it. */
struct ipaddr pair_addr(const char *text);
struct prefix pair_prefix(const char *text, uint8_t len);

/* The index of a link of the namespace that the process is in, and its MAC if 'ret_mac' is not
 * NULL. */
int pair_link(const char *name, struct mac *ret_mac);

/* Makes the process enter the namespace of host 'i'. */
void pair_enter(int i);

/*
 * Opens the data plane of host 'i' in namespace 'netns' with a bpffs of its own in the folder
 * 'bpffs'. Of the configuration the caller sets in pair_hosts[i].config beforehand its name and
 * sizes, and the name of its uplink, if it is an edge, in 'uplink' (else NULL).  The process stays
 * in the namespace.
 */
void pair_open(int i, const char *netns, const char *bpffs, const char *uplink);

/* Tells host 'i' of the other, to which it sends by siit/2; 'edge': the other is an edge. */
void pair_set_peer(int i, bool edge);

/* Tells host 'i' that an address, of 'group' unless 0, is at host 'at'. */
void pair_map(int i, struct ipaddr addr, int at, uint32_t group);

/* Says "ready" on the standard output. */
void pair_say_ready(void);

/* Takes both hosts down. */
void pair_close(void);
