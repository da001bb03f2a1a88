/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attachments: that an instance has an interface.
 *
 * An attachment is `attaching` or `detaching` until the instance's host has acknowledged the
 * revision that made it so: that its node can use it; or that it is off the network, whether its
 * node has let the device go or not. While 'host' is set and it is not detaching, the interface is
 * part of that host's desired state.  While 'plugged' (the instance is pending or running), the
 * interface's addresses have mappings to the host.
 *
 * An interface that is *shared* (NIC-4) has up to LIMIT_MODEL_ATTACHMENTS of them, each to another
 * instance on another host, with an id, a device index and a DeleteOnTerminate of its own: on one
 * host an address belongs to one port.  Each comes and goes by itself; no node is stopped because
 * another one gets the interface.  All of the hosts are in the mappings of its addresses, and
 * senders spread their connections over them (abi/spread.h).  A host that has not been heard of for
 * LIMIT_MODEL_EDGE_LOST_MS is left out while another one is there (interface_settle_lost()).
 *
 * One to a foreign host (interface_place()) is to no instance: an operator makes and ends it, at
 * once, for no agent is there to acknowledge anything.  Such an interface is attached to nothing
 * else, and not shared.
 *
 * That of a private NAT gateway's interface is to the gateway, at the edge that has it; it comes
 * and goes with the gateway.
 *
 * One that is not shared has two while it goes from an instance to another in one call
 * (model/interface_transfer.h): one of them stands by.
 *
 * An attachment has its own id and its own places in the indexes, and is stored with its interface,
 * because every rule is about both: one version says where all nodes of an address are.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hmap.h"
#include "model/object.h"

struct interface;
struct model;
struct tx;

enum attachment_state {
	ATTACHMENT_NONE = 0, /* and the interface is available */
	ATTACHMENT_ATTACHING = 1,
	ATTACHMENT_ATTACHED = 2,
	ATTACHMENT_DETACHING = 3,
};

struct attachment {
	const struct interface *of; /* set when its interface enters the model */
	uint64_t id;                /* text: ID_PREFIX_ATTACHMENT */
	uint64_t instance;
	uint64_t gateway; /* instead of an instance: the private NAT gateway; 0: none */
	uint32_t device_index;
	enum attachment_state state;
	uint64_t attached_ms;
	uint64_t wait_revision;     /* attaching, detaching: the host has to acknowledge this */
	bool delete_on_termination; /* of the last one: the interface ends with its instance */
	/* Its node has the device and is not on the network: another one is, or was
	 * (model/interface_transfer.h). */
	bool standby;
	bool plugged;
	bool lost;     /* its host has not been heard of for too long */
	uint32_t host; /* number; 0: on none */

	struct hmap_node by_id;
	struct hmap_node by_instance; /* if it is to one */
	struct member by_host;        /* in its desired state */
	struct member by_waiting;     /* on its host, for an acknowledgement */
};

const char *attachment_state_text(enum attachment_state s);
/* Or NULL. */
const struct attachment *attachment_find(const struct model *m, uint64_t id);
/* To no instance: an operator has placed it on a foreign host (interface_place()). */
bool attachment_is_foreign(const struct attachment *a);
/* Part of its host's desired state; that may be to have it stand by. */
bool attachment_is_desired(const struct attachment *a);
/* Its node may be on the network with it.  Never of a foreign one, of which no host says anything:
 * that what it sends is not taken any more is up to those who know its mapping. */
bool attachment_is_live(const struct model *m, const struct attachment *a);
/* The owner of its instance; 0: none. */
uint64_t attachment_owner(const struct model *m, const struct attachment *a);
