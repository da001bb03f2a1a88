/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the snapshot (agent/snapshot.h): its messages.  They are built in an arena and point
 * into the tables of the desired state, so they last until these change.
 */
#pragma once

#include "agent/desired.h"
#include "base/arena.h"

struct snapshot {
	struct arena arena;
	Viaduct__Agent__Object **objects; /* as many as are desired */
	size_t n;
};

/* Adds all objects.  -ENOMEM. */
must_check int snapshot_build(struct snapshot *s, struct desired *d);

/* The next object; NULL without memory. */
Viaduct__Agent__Object *snapshot_object(struct snapshot *s,
					Viaduct__Agent__Object__ObjectCase kind);
char *snapshot_text(const char *text);
/* The id of a policy, "" for 0; NULL: no memory. */
char *snapshot_policy_id(struct snapshot *s, uint64_t policy);

/* Those of a peer, into its message (snapshot_variant.c). */
must_check int snapshot_variants(struct snapshot *s, const struct desired_peer *p,
				 Viaduct__Agent__Peer *m);

/* Each adds one object (snapshot_policy.c). */
must_check int snapshot_group(struct snapshot *s, const struct desired_item *item);
must_check int snapshot_acl(struct snapshot *s, const struct desired_item *item);
must_check int snapshot_table(struct snapshot *s, const struct desired_item *item);
must_check int snapshot_peering(struct snapshot *s, const struct desired_item *item);
must_check int snapshot_gateway(struct snapshot *s, const struct desired_item *item);
must_check int snapshot_public(struct snapshot *s, const struct desired_item *item);
