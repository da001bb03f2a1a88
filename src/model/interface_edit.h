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
	/* per family: of the instance's type, if any; else LIMIT_MODEL_INTERFACE_ADDRS */
	size_t max_addrs;
	const struct tag_args *tags;
	size_t n_tags;
};

/* A new interface with MAC and addresses, not yet put; owned by the caller. */
must_check int interface_make(struct tx *tx, const struct subnet *s,
			      const struct interface_spec *spec, struct interface **ret,
			      struct refusal *reterr);

/* How many addresses of each family it may have: an attached one what its instance's type
 * allows. */
size_t interface_max_addrs(const struct model *m, const struct interface *i);
/* Brings an address of 'other' to 'i', a copy that is to be put: at once when no node is on the
 * network with it, else when its host has acknowledged.  INTERFACE_RIGHT, ADDRESS_MOVING,
 * ADDRESS_PRIMARY */
must_check int interface_take_addr(struct tx *tx, const struct caller *c,
				   const struct interface *other, const struct ipaddr *addr,
				   struct interface *i, struct refusal *reterr);
/* Gives a copy that is to be put IPv6 addresses: those that are named, or 'count' free ones. */
must_check int interface_add_addrs6(struct tx *tx, const struct subnet *s, struct interface *i,
				    const char *const *addrs, size_t n_addrs, uint32_t count,
				    size_t max_addrs, struct refusal *reterr);

/* What an assignment asks for, given to a copy that is to be put; what it had before stays in
 * place.  ADDRESS_*, NO_* */
must_check int interface_assign_addrs4(struct tx *tx, const struct caller *c,
				       const struct subnet *s, struct interface *i,
				       const struct interface_assign_args *args,
				       struct refusal *reterr);
must_check int interface_assign_addrs6(struct tx *tx, const struct caller *c,
				       const struct subnet *s, struct interface *i,
				       const struct interface_assign_args *args,
				       struct refusal *reterr);
/* Takes the address 'text' off a copy that is to be put.  VALUE, ADDRESS_NOT_ASSIGNED,
 * ADDRESS_PRIMARY */
must_check int interface_drop_addr4(struct interface *i, const char *text, struct refusal *reterr);
must_check int interface_drop_addr6(struct interface *i, const char *text, struct refusal *reterr);

/* The changes below are made to a copy that is to be put. */

/* Its attachment with that id, which it has. */
struct attachment *interface_attachment_of(struct interface *i, uint64_t attachment);
/* Where an attachment of it is now, and whether its addresses have mappings to there. */
void interface_locate(struct interface *i, struct attachment *a, uint32_t host, bool plugged,
		      uint64_t revision);
/* The mappings of its addresses change. */
void interface_touch_addrs(struct interface *i, uint64_t revision);
/* One more attachment.  Whether it may have one is checked.  -ENOMEM */
must_check int interface_attach_to(struct tx *tx, struct interface *i, uint64_t instance,
				   uint32_t device_index, struct attachment **ret);
/* tx_edit() of an interface that has one more attachment, as above. */
must_check int interface_edit_attached(struct tx *tx, const struct interface *i, uint64_t instance,
				       uint32_t device_index, struct interface **ret,
				       struct attachment **ret_attachment);
/* One attachment less: of others the oldest is the first from now on. */
void interface_drop_attachment(struct interface *i, struct attachment *a);
/* Whether it may be attached to 'instance', of the caller that is asked for: INTERFACE_IN_USE,
 * INTERFACE_STATE, SHARED_LIMIT */
must_check int interface_check_free(const struct interface *i, uint64_t instance, const char *id,
				    struct refusal *reterr);

/* Deletes it and releases its addresses; no node is on the network with it. */
must_check int interface_end(struct tx *tx, const struct interface *i);
/* Ends an attachment; without any it is available again. */
must_check int interface_free_attachment(struct tx *tx, const struct attachment *a);
/* Asks the host to let it go.  'keep': it outlives an instance that ends meanwhile. */
must_check int interface_begin_detach(struct tx *tx, const struct attachment *a, bool keep);
/* From its foreign host. */
must_check int interface_take_off(struct tx *tx, const struct attachment *a);
/* Attached, now that the host has said so. */
must_check int interface_confirm_attach(struct tx *tx, const struct attachment *a);
/* The account goes: nobody lets it do anything any more. */
must_check int interface_forget_account(struct tx *tx, uint64_t account);
/* Puts a copy of which that attachment is located anew. */
must_check int interface_relocate(struct tx *tx, const struct attachment *a, uint32_t host,
				  bool plugged);
