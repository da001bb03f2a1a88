/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ports of the data plane, and which interface each one is.
 *
 * A port's number is the data plane's name of an interface. It stays the same as long as the
 * interface is plugged, also across a restart of the agent: ports found in the data plane are
 * *adopted*, and an interface with the same network and MAC takes its old number. Numbers go round,
 * so that one that was given back is not used again soon: packets that name it may still wait.
 *
 * Ownership: the table owns its ports; a borrowed one lasts until it is removed.  One thread.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/hmap.h"
#include "datapath/datapath.h"
#include "driver/driver.h"

struct desired_mirrors;

struct port {
	struct hmap_node by_id, by_interface;
	struct dp_port dp;               /* as the data plane has it; only 'id' before it was set */
	bool set;                        /* the data plane has it */
	struct desired_mirrors *mirrors; /* its own copy, as the data plane has them; NULL: none */
	char interface_id[DRIVER_ID_SIZE]; /* "": adopted, and nobody's yet */
	char instance_id[DRIVER_ID_SIZE];  /* that it is plugged into */
	uint32_t version, told;            /* of 'dp'; the one that its node was configured for */
	uint64_t n_connections;            /* when they were counted last, in round 'counted' */
	uint64_t counted;
};

struct ports {
	struct hmap by_id, by_interface;
	uint32_t last_id;
};

void ports_init(struct ports *p);
void ports_deinit(struct ports *p);
void ports_clear(struct ports *p);

/* Takes over the ports of a data plane that was found running. */
must_check int ports_adopt(struct ports *p, struct datapath *dp);
struct port *ports_find(const struct ports *p, uint32_t id);
struct port *ports_find_interface(const struct ports *p, const char *interface_id);
/* The port that ports_get() would not have to make; NULL: there is none. */
struct port *ports_find_standing(const struct ports *p, const char *interface_id, uint32_t vni,
				 const struct mac *mac);
/* The interface's port: its own, an adopted one, or a new number.  0, -ENOMEM, or -ENOSPC when
 * LIMIT_AGENT_PORTS are in use. */
must_check int ports_get(struct ports *p, const char *interface_id, uint32_t vni,
			 const struct mac *mac, struct port **ret);
void ports_remove(struct ports *p, struct port *port);
