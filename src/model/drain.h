/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drains (EDGE-2): a public address was associated anew, and the private address that had it keeps
 * the connections that it has, for a time.  New ones, in and out, are the new owner's.
 *
 * A drain is of one elastic address and one private address of the same network.  It gives the
 * private address an exit to the edge, as the association did, and tells the edge whose connections
 * go on; the edge lets nothing else by (abi/gateway.h, formers).  It ends with its time, when the
 * private address leaves its interface for good or gets the public address back, and when the
 * public address goes to another edge, which knows none of the connections, to another network, or
 * to nobody: then everything ends at once.
 */
#pragma once

#include "model/object.h"
#include "net/addr.h"

struct elastic;
struct model;
struct tx;

struct drain {
	struct object o; /* of the elastic address's account */
	uint64_t address;
	uint32_t vni;
	struct ipaddr private_addr;
	uint64_t until_ms;

	struct member by_address;
	struct hmap_node by_private;
};

/* Begins one of 'e' as it is associated now; of too many the oldest ends.  -ENOMEM */
must_check int drain_begin(struct tx *tx, const struct elastic *e);
/* Ends that of 'e' and the private address, if there is one.  -ENOMEM */
must_check int drain_end(struct tx *tx, const struct elastic *e, uint32_t vni,
			 const struct ipaddr *a);
/* Ends all of 'e'.  -ENOMEM */
must_check int drain_end_all(struct tx *tx, const struct elastic *e);
/* Ends those of a private address, whatever they are of.  -ENOMEM */
must_check int drain_forget_private(struct tx *tx, uint32_t vni, const struct ipaddr *a);
/* Ends those whose time is over, '*left' at most, and counts that down.  -ENOMEM */
must_check int drain_expire(struct tx *tx, size_t *left);

/* What the private address had, and drains at the edge (0: at any); or NULL. */
const struct elastic *drain_find(const struct model *m, uint32_t vni, const struct ipaddr *a,
				 uint32_t edge);
