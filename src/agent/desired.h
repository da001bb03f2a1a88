/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the manager wants of this host: the tables that the frames Desired fill (abi/agent.proto).
 *
 * Concept. Objects are the host itself, its peers, the subnets, instances and interfaces it
 * carries. Each has a key; setting one that exists replaces it whole. A full Desired is a *sweep*:
 * what it did not name is removed. Every object that comes from the wire is checked here, so that
 * the rest of the agent only sees values that make sense by themselves; whether they fit together
 * (an interface whose subnet is unknown) is found out when they are applied.
 *
 * Ownership: the tables own their objects; borrowed pointers last until the object is set or
 * removed. Pure: no I/O. One thread. Errors: 0 or a negative errno, with a text for people that is
 * static.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/agent.pb-c.h"
#include "base/err.h"
#include "base/hmap.h"
#include "base/list.h"
#include "datapath/datapath.h"
#include "driver/driver.h"

enum {
	DESIRED_NAME_SIZE = 64,    /* of hosts, instances and drivers, for people */
	DESIRED_DOMAIN_SIZE = 254, /* RFC 1035 */
};

struct desired_host {
	bool set;
	uint32_t number;
	char name[DESIRED_NAME_SIZE];
	struct prefix siit1, siit2;
	struct ipaddr v4, v6;
};

struct desired_peer {
	struct hmap_node node;
	uint64_t sweep;
	uint64_t seen;     /* the reconciling run that was here last */
	struct dp_peer dp; /* nexthop 0 */
	char name[DESIRED_NAME_SIZE];
	char reason[256];
};

struct desired_subnet {
	struct hmap_node node;
	uint64_t sweep;
	uint64_t seen; /* the reconciling run that was here last */
	struct dp_subnet dp;
	struct prefix network; /* len 0: not told */
	char domain[DESIRED_DOMAIN_SIZE];
};

struct desired_instance {
	struct hmap_node node;
	uint64_t sweep;
	uint64_t seen; /* the reconciling run that was here last */
	char id[DRIVER_ID_SIZE];
	char driver[DESIRED_NAME_SIZE];
	char name[DESIRED_NAME_SIZE];
	bool running;
	uint64_t generation;
};

struct desired_interface {
	struct hmap_node node;
	uint64_t sweep;
	char instance_id[DRIVER_ID_SIZE];
	struct driver_interface driver; /* id, device index, MAC, MTU */
	uint32_t vni;
	uint32_t n_addrs;
	struct ipaddr addrs[DP_PORT_ADDRS_MAX];
	struct prefix subnet;
	char host_name[DESIRED_NAME_SIZE];
	bool dns;
};

struct desired {
	struct desired_host host;
	struct hmap peers, subnets, instances, interfaces;
	uint64_t sweep; /* number of the current one */
};

enum desired_kind {
	DESIRED_HOST,
	DESIRED_PEER,
	DESIRED_SUBNET,
	DESIRED_INSTANCE,
	DESIRED_INTERFACE,
};

struct desired_key {
	enum desired_kind kind;
	uint32_t number;         /* of a peer; the VNI of a subnet */
	struct prefix prefix;    /* of a subnet */
	char id[DRIVER_ID_SIZE]; /* of an instance, an interface */
};

void desired_init(struct desired *d);
void desired_deinit(struct desired *d);

/* Takes over one object.  0 with its key; -EINVAL with '*reterr_text' (and '*ret_key' as far as it
 * could be read) when the object makes no sense: the one that was there before stays; -ENOMEM. */
must_check int desired_set(struct desired *d, const Viaduct__Agent__Object *object,
			   struct desired_key *ret_key, const char **reterr_text);
/* Removes what 'key' names, if it is there. */
must_check int desired_remove(struct desired *d, const Viaduct__Agent__ObjectKey *key,
			      struct desired_key *ret_key, const char **reterr_text);

/* A full Desired: begin, set everything, end.  End removes what was not set (or refused) since. */
void desired_sweep_begin(struct desired *d);
void desired_sweep_end(struct desired *d);

struct desired_peer *desired_find_peer(const struct desired *d, uint32_t number);
struct desired_subnet *desired_find_subnet(const struct desired *d, uint32_t vni,
					   const struct prefix *prefix);
struct desired_instance *desired_find_instance(const struct desired *d, const char *id);
struct desired_interface *desired_find_interface(const struct desired *d, const char *id);
