/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels (PKT-16; reip4 in docs/substrate.md): ordinary IPv4 addresses of a host's alias range,
 * each of which stands for one (network, virtual IPv4 address) that is at that host.
 *
 * An address has a label while its mapping leads to a host that has a range with room; it is given
 * when the address comes there, and told with it.  One that is shared by several hosts has none,
 * and goes by another format.  A label whose address has left *rests*: it stands for nothing, and
 * is given to nobody, until its host has acknowledged that, no host holds the mapping as it was,
 * and packets that were under way have died.  An address that comes back to the host meanwhile gets
 * the same label again.
 */
#pragma once

#include "model/object.h"
#include "model/refusal.h"
#include "net/addr.h"

struct tx;
struct model;
struct host;

struct label {
	struct object o;
	uint32_t addr; /* the label, host order */
	uint32_t host; /* number: in whose range it was when it was given */
	uint32_t vni;  /* what it stands for */
	struct ipaddr virtual;
	uint64_t since;   /* resting: the revision from which it is; 0: in use */
	uint64_t rest_ms; /* resting: since when */

	struct member by_host;
	struct member by_rest;
	struct hmap_node by_addr;
	struct hmap_node by_virtual;
};

/* Whether there are any: spares looking for them. */
bool label_any(const struct model *m);
/* What the label stands for, in use or resting; or NULL. */
const struct label *label_find(const struct model *m, uint32_t addr);
/* What stands for the address at 'host'; 0: nothing. */
uint32_t label_of(const struct model *m, uint32_t vni, const struct ipaddr *addr, uint32_t host);

struct label_use {
	uint32_t room, used, resting;
};
struct label_use label_use(const struct model *m, const struct host *h);

/* Ends those whose rest is over, '*left' at most, and counts that down.  -ENOMEM */
must_check int label_expire(struct tx *tx, size_t *left);
