/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network interfaces (ENIs): a MAC and private addresses in a subnet, attached to an instance or
 * not, or, when it is shared, to several (model/attachment.h).
 *
 * An address that had a mapping and leaves its interface becomes a 'struct release', in use until
 * its hosts have acknowledged and nobody holds the old mapping (model/release.h).
 */
#pragma once

#include "model/attachment.h"
#include "model/counters.h"
#include "model/host.h"
#include "model/object.h"
#include "model/refusal.h"
#include "model/security_group.h"
#include "model/token.h"
#include "net/addr.h"

struct tx;
struct caller;
struct model;
struct group_set;

struct private_addr {
	struct ipaddr addr;
	uint64_t revision; /* that last changed where it is: of its mapping */
	/* It is not here yet: its former host has not acknowledged that it lost it
	 * (model/release.h).  Until then its mapping leads to 'at', the number of that host; 0:
	 * nowhere. */
	bool arriving;
	uint32_t at;
};

/* What an interface is fit for, beside being attached or not. */
enum interface_condition {
	INTERFACE_NORMAL = 0,
	INTERFACE_DISABLED = 1,  /* nothing passes, and it cannot be attached */
	INTERFACE_IN_REPAIR = 2, /* it cannot be attached */
};

/* A way that the interface's node is told by DHCP (RFC 3442). */
struct interface_route {
	struct prefix prefix;
	struct ipaddr via; /* in the subnet; zero: on the link */
};

struct interface {
	struct object o;
	uint64_t subnet;
	uint64_t vpc;
	uint32_t vni;
	struct mac mac;
	size_t n_addrs;
	/* of both families; the first is the primary, IPv4, always there */
	struct private_addr *addrs;

	/* What the tables use is together: a model of a million records is built from here. */
	struct hmap_node by_mac;
	struct member by_subnet;
	struct member by_shared;
	/* Of this version. */
	struct group_set *group_set; /* NULL: no groups */
	/* of a shared one: where its addresses are; NULL: it is not shared, or is nowhere */
	struct group_set *host_set;

	struct attachment attachment; /* the first; ATTACHMENT_NONE: there is none at all */
	size_t n_others;
	struct attachment *others; /* of a shared one */
	/* at most LIMIT_MODEL_INTERFACE_GROUPS; 0: from a store older than groups */
	size_t n_groups;
	struct group_ref *groups;
	/* It may be attached more than once (NIC-4).  Without this mark it is attached once at
	 * most, as in EC2. */
	bool shared;
	bool source_dest_check;
	bool auto_public;     /* its node gets a public address whenever it starts */
	struct handle handle; /* given when a route first names it as its target */
	char *description;    /* NULL: "" */
	enum interface_condition condition;
	struct ipaddr dns_server; /* for its node; zero: the network's */
	uint32_t vlan;            /* of the frames of its node, both ways (802.1Q); 0: none */
	uint64_t billing_account; /* that was named; 0: none.  Who pays: model/payer.h */
	bool billing_imposed;     /* by an operator, whether it agrees or not */
	size_t n_routes;
	struct interface_route *routes;
	/* Accounts beside the owner that may do that: model/interface_rights.h. */
	size_t n_attachers, n_detachers, n_setters, n_modifiers;
	uint64_t *attachers, *detachers, *setters, *modifiers;
	uint64_t managed_by; /* the NAT gateway whose it is: nobody else changes it; 0: none */
};

/* EC2's status: "available", or "in-use" from the acknowledged attachment on; "attaching" and
 * "detaching" while the host has not acknowledged. */
const char *interface_status_text(const struct interface *i);
const char *interface_condition_text(enum interface_condition c); /* "normal", ... */

struct private_addr_args {
	const char *addr;
	bool primary;
};

struct interface_create_args {
	const char *subnet_id;
	const char *description;
	const char *private_ip;                /* the primary address, or NULL */
	const struct private_addr_args *addrs; /* explicit addresses; at most one primary */
	size_t n_addrs;
	uint32_t secondary_count;  /* further addresses, chosen here */
	const char *const *addrs6; /* explicit IPv6 addresses, or */
	size_t n_addrs6;
	const uint32_t *count6;    /* that many; NULL with none: as the subnet says */
	const char *const *groups; /* ids; none: the VPC's default group */
	size_t n_groups;
	const struct tag_args *tags;
	size_t n_tags;
	struct token_args token;
};

struct interface_attach_args {
	const char *interface_id;
	const char *instance_id;
	uint32_t device_index;
	/* One that is not shared and is attached elsewhere goes over, if the caller may detach it
	 * there. */
	bool allow_reassignment;
};

/* NULL: unchanged */
struct interface_modify_args {
	const char *interface_id;
	const char *description;
	const bool *source_dest_check;
	const char *attachment_id; /* needed with the next one */
	const bool *delete_on_termination;
	const char *const *groups; /* ids: of these and no others it is a member from now on */
	size_t n_groups;
};

struct account_list {
	const char *const *ids;
	size_t n;
};

/* What EC2 does not have.  NULL: unchanged */
struct interface_set_args {
	const char *interface_id;
	const struct account_list *attachers, *detachers, *setters, *modifiers;
	const char *condition;  /* interface_condition_text() */
	const char *dns_server; /* "": the network's */
	const uint32_t *vlan;
	const char *billing_account; /* "": the owner */
	const struct interface_route *routes;
	const size_t *n_routes; /* NULL: routes are unchanged */
	const bool *shared;
};

struct interface_assign_args {
	const char *interface_id;
	const char *const *addrs; /* explicit, or */
	size_t n_addrs;
	uint32_t count; /* that many */
	bool allow_reassignment;
};

/* SUBNET_NOT_FOUND, VALUE, COMBINATION, ADDRESS_*, NO_FREE_ADDRESS, INTERFACE_LIMIT, GROUP_*,
 * GROUPS_LIMIT, TAG_*, TOKEN_MISMATCH */
must_check int interface_create(struct tx *tx, const struct caller *c,
				const struct interface_create_args *args,
				const struct interface **ret, struct refusal *reterr);
/* INTERFACE_NOT_FOUND, INTERFACE_IN_USE */
must_check int interface_delete(struct tx *tx, const struct caller *c, const char *id,
				struct refusal *reterr);
/* To a running or a stopped instance; one that is shared also if it is attached to others, each on
 * a host of its own.  '*ret' is the new attachment.  One that goes over is live where it was until
 * the new instance has it ready, and then there alone; it goes on where it was if that cannot be.
 * INTERFACE_NOT_FOUND, INSTANCE_NOT_FOUND,
 * INTERFACE_IN_USE, INTERFACE_ON_HOST, SHARED_LIMIT, INSTANCE_ATTACH_STATE, DEVICE_INDEX_IN_USE,
 * ATTACHMENT_LIMIT, VPC_SUBNET_MISMATCH, ZONE_MISMATCH, NO_PORT; going over also INTERFACE_STATE,
 * DEVICE_INDEX_PRIMARY, INTERFACE_RIGHT */
must_check int interface_attach(struct tx *tx, const struct caller *c,
				const struct interface_attach_args *args,
				const struct attachment **ret, struct refusal *reterr);
/* From a running or a stopped instance.  It is detaching until the host has acknowledged.  'force':
 * one that is detaching already is no error; by an operator it is free at once, whatever its host
 * still does.  From a foreign host operators alone detach it, at once.
 * ATTACHMENT_NOT_FOUND, NOT_PERMITTED, DEVICE_INDEX_PRIMARY, INSTANCE_ATTACH_STATE,
 * INTERFACE_STATE */
must_check int interface_detach(struct tx *tx, const struct caller *c, const char *attachment_id,
				bool force, struct refusal *reterr);
/* Puts an interface that is attached to nothing on a foreign host, by an operator: its addresses
 * are there from now on. 'host' is an id or a name.  NOT_PERMITTED, INTERFACE_NOT_FOUND,
 * HOST_NOT_FOUND, HOST_NOT_FOREIGN, INTERFACE_IN_USE (also when it is shared), INTERFACE_STATE,
 * FOREIGN_REACHED (a public address or a static port leads to it) */
must_check int interface_place(struct tx *tx, const struct caller *c, const char *interface_id,
			       const char *host, const struct attachment **ret,
			       struct refusal *reterr);
/* The owner alone changes the lists.  INTERFACE_NOT_FOUND, INTERFACE_RIGHT, ACCOUNT_NOT_FOUND,
 * PAYER_CONSENT, VALUE, INTERFACE_IN_USE (attached more than once it stays shared; on a foreign
 * host it is neither shared nor disabled) */
must_check int interface_set(struct tx *tx, const struct caller *c,
			     const struct interface_set_args *args, struct refusal *reterr);
/* Whether interface_settle_lost() has anything to do: spares the transaction.  'now_ms' is of a
 * clock that does not jump; it also notes since when hosts of shared interfaces have been
 * disconnected. */
bool interface_lost_due(struct model *m, uint64_t now_ms);
/* Leaves lost hosts of shared interfaces out of the mappings, and takes in those that are back; at
 * most 'max' interfaces. */
must_check int interface_settle_lost(struct tx *tx, uint64_t now_ms, size_t max);
must_check int interface_modify(struct tx *tx, const struct caller *c,
				const struct interface_modify_args *args, struct refusal *reterr);
/* '*ret' is the new version; the new addresses are its last '*ret_n_assigned'.  One that is taken
 * from another interface (allow_reassignment) arrives when that one's host has acknowledged
 * (model/release.h). INTERFACE_NOT_FOUND, ADDRESS_*, NO_FREE_ADDRESS, COMBINATION */
must_check int interface_assign(struct tx *tx, const struct caller *c,
				const struct interface_assign_args *args,
				const struct interface **ret, size_t *ret_n_assigned,
				struct refusal *reterr);
must_check int interface_unassign(struct tx *tx, const struct caller *c, const char *id,
				  const char *const *addrs, size_t n_addrs, struct refusal *reterr);

/* The same for IPv6.  ADDRESS_*, NO_BLOCK6, COMBINATION */
must_check int interface_assign6(struct tx *tx, const struct caller *c,
				 const struct interface_assign_args *args,
				 const struct interface **ret, size_t *ret_n_assigned,
				 struct refusal *reterr);
must_check int interface_unassign6(struct tx *tx, const struct caller *c, const char *id,
				   const char *const *addrs, size_t n_addrs,
				   struct refusal *reterr);

struct interface_move_args {
	const char *subnet_id;
	const char *addr;         /* of either family, in the subnet */
	const char *interface_id; /* it gets the address; or */
	/* its interface in the subnet does; neither: a new interface, attached to nothing */
	const char *instance_id;
	bool allow_reassignment; /* from whoever has it */
};
/* Gives an interface the address, as interface_assign() does.  An instance that has no interface in
 * the subnet gets one, in the security groups of the present holder; '*ret_made' says so.  Nothing
 * happens unless all of it can; an address that was on its way to a host that cannot carry it goes
 * back to its holder.  As interface_assign(), interface_create() and interface_attach();
 * SUBNET_NOT_FOUND, INSTANCE_NOT_FOUND */
must_check int interface_move(struct tx *tx, const struct caller *c,
			      const struct interface_move_args *args, const struct interface **ret,
			      bool *ret_made, struct refusal *reterr);

/* The caller's own; for what others may do with it see model/interface_rights.h. */
must_check int interface_find(const struct model *m, const struct caller *c, const char *id,
			      const struct interface **ret, struct refusal *reterr);
const struct interface *interface_by_mac(const struct model *m, const struct mac *mac);
/* Who has the address in the network, attached or not; NULL: nobody, or it is only released. */
const struct interface *interface_by_addr(const struct model *m, uint32_t vni,
					  const struct ipaddr *addr);
/* The IPv6 address that its node makes itself from the MAC (RFC 4291 appendix A).  It is in the
 * mapping table as the others are, and known inside its subnet. */
struct ipaddr interface_link_local(const struct interface *i);
/* What a node that forwards may do is a mapping, too (PKT-13): of its handle, in place of a VNI,
 * and the network that it may forward into, in place of an address.  False: no route names it. */
bool interface_forwarding(const struct interface *i, uint32_t *ret_vni, struct ipaddr *ret_addr);
struct ipaddr interface_link_local_of(const struct mac *mac);
/* How many addresses of a family it has; the link-local one does not count. */
size_t interface_count_addrs(const struct interface *i, bool v6);
/* The address is one of its own; of no interface (NULL) none is. */
bool interface_has_addr(const struct interface *i, const struct ipaddr *addr);
/* The interface is in the group 'id'. */
bool interface_has_group(const struct interface *i, uint64_t id);
/* How many attachments it has, also those being detached. */
size_t interface_attachment_count(const struct interface *i);
/* n < interface_attachment_count(); the oldest first. */
const struct attachment *interface_attachment(const struct interface *i, size_t n);
/* At a host, or to an instance, there is one at most; or NULL. */
const struct attachment *interface_attachment_at(const struct interface *i, uint32_t host);
const struct attachment *interface_attachment_to(const struct interface *i, uint64_t instance);
/* Part of a host's desired state; of the host's. */
bool interface_is_desired(const struct interface *i);
bool interface_is_desired_at(const struct interface *i, uint32_t host);
/* A node is on the network with it. */
bool interface_is_plugged(const struct interface *i);
/* A node may be: plugged, or its host has not acknowledged the contrary. */
bool interface_is_live(const struct model *m, const struct interface *i);
/* The numbers of the hosts that it is at, ascending; the addresses of one that is not shared are at
 * the first.  'ret' has room for LIMIT_MODEL_ATTACHMENTS. */
size_t interface_hosts(const struct interface *i, uint32_t *ret);
/* Where it is: the number of a host, of a shared one the lowest; 0: nowhere. */
uint32_t interface_host(const struct interface *i);
/* The same for its address 'n', which may be on its way. */
uint32_t interface_addr_host(const struct interface *i, size_t n);
