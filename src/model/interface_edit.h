/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: steps on interfaces that several operations share.
 */
#pragma once

#include "model/interface.h"
#include "model/subnet.h"

struct tx;

/* What a new interface is to be, apart from its subnet. */
struct interface_spec {
	const char *description;
	const char *private_ip;
	const struct private_addr_args *addrs;
	size_t n_addrs;
	uint32_t secondary_count;
	const char *const *addrs6;
	size_t n_addrs6;
	const uint32_t *count6; /* NULL: as the subnet says, unless 'addrs6' are named */
	const char *const *groups;
	size_t n_groups;
	size_t max_addrs; /* per family: of the instance's type, if any; else LIMIT_MODEL_INTERFACE_ADDRS */
	const struct tag_args *tags;
	size_t n_tags;
};

/* A new interface with MAC and addresses, not yet put; owned by the caller. */
must_check int interface_make(struct tx *tx, const struct subnet *s,
			      const struct interface_spec *spec, struct interface **ret,
			      struct refusal *reterr);

/* How many addresses of each family it may have: an attached one what its instance's type allows. */
size_t interface_max_addrs(const struct model *m, const struct interface *i);
/* Gives a copy that is to be put IPv6 addresses: those that are named, or 'count' free ones. */
must_check int interface_add_addrs6(struct tx *tx, const struct subnet *s, struct interface *i,
				    const char *const *addrs, size_t n_addrs, uint32_t count,
				    size_t max_addrs, struct refusal *reterr);

/* The changes below are made to a copy that is to be put. */

/* Where it is now, and whether its addresses have mappings. */
void interface_locate(struct interface *i, uint32_t host, bool plugged, uint64_t revision);
void interface_attach_to(struct interface *i, uint64_t instance, uint32_t device_index,
			 uint64_t attachment, uint64_t now_ms, uint64_t revision);

/* Deletes it and releases its addresses; no node is on the network with it. */
must_check int interface_end(struct tx *tx, const struct interface *i);
/* Ends its attachment: it is available again. */
must_check int interface_free_attachment(struct tx *tx, const struct interface *i);
/* Asks the host to let it go.  'keep': it outlives an instance that ends meanwhile. */
must_check int interface_begin_detach(struct tx *tx, const struct interface *i, bool keep);
/* Attached, now that the host has said so. */
must_check int interface_confirm_attach(struct tx *tx, const struct interface *i);
/* The account goes: nobody lets it do anything any more. */
must_check int interface_forget_account(struct tx *tx, uint64_t account);
/* Puts a copy that is located anew. */
must_check int interface_relocate(struct tx *tx, const struct interface *i, uint32_t host,
				  bool plugged);
