/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of message*.c: setting the one object of a struct message, by what it is about.  Each
 * borrows from the item and from 'c'.  What failed is not to be sent: -ENOMEM.
 */
#pragma once

#include "manager/message.h"

ProtobufCBinaryData message_data(const void *data, size_t size); /* borrows */
/* An absent address or locator is an empty field. */
ProtobufCBinaryData message_addr_or_empty(const struct ipaddr *addr);
ProtobufCBinaryData message_locator_or_empty(const struct prefix *locator);
/* 'n' messages of 'size' bytes behind as many pointers to them, in c->rules, which holds one such
 * list at a time; NULL: no memory. */
void **message_alloc(struct message *c, size_t n, size_t size);

/* message_peer.c; -EIO as well: a key was not to be had */
void message_set_host(struct message *c, const struct plan_host *host);
must_check int message_set_peer(struct message *c, const struct plan_peer *peer);

/* message_node.c, message_mirror.c */
void message_set_subnet(struct message *c, const struct plan_subnet *subnet);
void message_set_instance(struct message *c, const struct plan_instance *instance);
must_check int message_set_interface(struct message *c, const struct plan_interface *interface);
must_check int message_set_mirrors(struct message *c, const struct plan_interface *interface);

/* message_policy.c */
must_check int message_set_group(struct message *c, const struct plan_group *group);
must_check int message_set_acl(struct message *c, const struct plan_acl *acl);

/* message_way.c */
must_check int message_set_table(struct message *c, const struct plan_table *table);
must_check int message_set_gateway(struct message *c, const struct plan_gateway *gateway);
void message_set_public(struct message *c, const struct plan_public *public);
/* Of the object and of its key, which are the same. */
void message_set_peering(struct message *c, const struct plan_peering *peering);
