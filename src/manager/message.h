/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the model's types and the agent protocol's.
 *
 * Messages to agents are built in a struct message: they borrow from it and from the item, and live
 * until its next use or message_deinit(), which is needed only after a message_object().  What
 * comes from agents is checked here: an address has 16 bytes, or the message is refused.  Plain
 * functions, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "abi/agent.pb-c.h"
#include "base/err.h"
#include "manager/keyring.h"
#include "model/host.h"
#include "model/mapping.h"
#include "model/plan.h"
#include "net/addr.h"
#include "wire/lookup.h"

struct message {
	/* for choices that seal; borrowed.  NULL: keys are left out */
	const struct keyring *keyring;
	uint32_t self; /* number of the host that is told */
	Viaduct__Agent__Object object;
	Viaduct__Agent__ObjectKey key;
	Viaduct__Agent__SubnetKey subnet_key;
	union {
		Viaduct__Agent__HostConfig host;
		Viaduct__Agent__Peer peer;
		Viaduct__Agent__Subnet subnet;
		Viaduct__Agent__Instance instance;
		Viaduct__Agent__Interface interface;
		Viaduct__Agent__SecurityGroup group;
		Viaduct__Agent__Acl acl;
		Viaduct__Agent__RouteTable table;
		Viaduct__Agent__Gateway gateway;
		Viaduct__Agent__PublicAddress public;
	};
	Viaduct__Agent__Peering peering; /* key and object */
	struct message_choice {
		Viaduct__Agent__Choice choice;
		Viaduct__Agent__Accept accepts[CHOICE_ACCEPTS_MAX];
		Viaduct__Agent__Accept *accept_pointers[CHOICE_ACCEPTS_MAX];
		char policy[ID_TEXT_SIZE];
		struct keyring_keys keys;
	} choice;
	ProtobufCBinaryData addrs[PLAN_ADDRS_MAX];
	ProtobufCBinaryData formers[LIMIT_MODEL_DRAINS];
	ProtobufCBinaryData dns_servers[DHCP_SERVERS_MAX], ntp_servers[DHCP_SERVERS_MAX];
	Viaduct__Agent__NodeRoute routes[LIMIT_MODEL_INTERFACE_ROUTES];
	Viaduct__Agent__NodeRoute *route_pointers[LIMIT_MODEL_INTERFACE_ROUTES];
	/* Rules of a group, entries of an ACL, routes, exits, static ports: the messages and
	 * pointers to them. */
	void *rules;
	struct message_mirrors *mirrors; /* message_mirror.c */
};

void message_deinit(struct message *c);

/* The item's key; NULL for the host itself, which is never removed. */
const Viaduct__Agent__ObjectKey *message_key(struct message *c, const struct plan_item *item);
/* The item itself, which is one to set.  'c' begins as {}, but for its first two members.  -ENOMEM,
 * -EIO */
must_check int message_object(struct message *c, const struct plan_item *item,
			      const Viaduct__Agent__Object **ret);
/* A mapping as it is told to agents; borrows. */
void message_mapping(Viaduct__Agent__Mapping *message, const struct mapping *mapping);

/* A copy of any message on the heap, to be freed by protobuf_c_message_free_unpacked(m, NULL). */
must_check int message_copy(const ProtobufCMessage *message, ProtobufCMessage **ret);

/* -EINVAL: not 16 bytes. */
must_check int message_addr(const ProtobufCBinaryData *bytes, struct ipaddr *ret);
ProtobufCBinaryData message_bytes(const struct ipaddr *addr);                      /* borrows */
struct lookup_question message_question(const Viaduct__Agent__Question *question); /* borrows */

/* Borrows the strings of 'message'. */
struct capabilities message_capabilities(const Viaduct__Agent__Capabilities *message);
