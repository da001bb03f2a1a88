/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the tables of the desired state (agent/desired.h): how an object of each kind is read
 * from the wire and takes its place.
 *
 * Each desired_take_*() sets '*key' as far as it could be read, and returns what desired_set()
 * does.
 */
#pragma once

#include "agent/desired.h"

/* Takes a new object into its table, in the place of the one with the same key.  One that was
 * refused ('text') is freed, -EINVAL; then the old one stays and counts as seen.  'item' is the
 * table's or freed. */
must_check int desired_place(struct desired *d, const struct desired_key *key,
			     struct desired_item *item, const char *text);
/* Inserts into an ascending list, once; there is room. */
void desired_insert_number(uint32_t *list, uint32_t *n, uint32_t number);

/* What was chosen for some nodes of a peer (desired_variant.c): into 'p', which has room for all;
 * NULL, or what is wrong. */
const char *desired_read_variants(const Viaduct__Agent__Peer *m, struct desired_peer *p);

must_check int desired_take_host(struct desired *d, const Viaduct__Agent__HostConfig *m,
				 struct desired_key *key, const char **text);
must_check int desired_take_peer(struct desired *d, const Viaduct__Agent__Peer *m,
				 struct desired_key *key, const char **text);
/* Fills what the choice says; NULL, or what is wrong with it. */
const char *desired_read_choice(const Viaduct__Agent__Choice *m, struct desired_peer *p);
must_check int desired_take_subnet(struct desired *d, const Viaduct__Agent__Subnet *m,
				   struct desired_key *key, const char **text);
must_check int desired_take_instance(struct desired *d, const Viaduct__Agent__Instance *m,
				     struct desired_key *key, const char **text);
must_check int desired_take_interface(struct desired *d, const Viaduct__Agent__Interface *m,
				      struct desired_key *key, const char **text);
must_check int desired_take_group(struct desired *d, const Viaduct__Agent__SecurityGroup *m,
				  struct desired_key *key, const char **text);
must_check int desired_take_acl(struct desired *d, const Viaduct__Agent__Acl *m,
				struct desired_key *key, const char **text);
must_check int desired_take_table(struct desired *d, const Viaduct__Agent__RouteTable *m,
				  struct desired_key *key, const char **text);
must_check int desired_take_peering(struct desired *d, const Viaduct__Agent__Peering *m,
				    struct desired_key *key, const char **text);
must_check int desired_take_gateway(struct desired *d, const Viaduct__Agent__Gateway *m,
				    struct desired_key *key, const char **text);
must_check int desired_take_public(struct desired *d, const Viaduct__Agent__PublicAddress *m,
				   struct desired_key *key, const char **text);

/* What a key on the wire says of a peering and a public address. */
must_check int desired_read_peering_key(const Viaduct__Agent__Peering *m, struct desired_key *key);
must_check int desired_read_public_key(const ProtobufCBinaryData *b, struct desired_key *key);
