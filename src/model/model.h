/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model: all intent and state of a cluster, typed and indexed, and every rule of VPC semantics.
 *
 * Pure: no I/O, no clock, no logging, no globals.  Time, randomness and the facts about sessions
 * are handed in.  One thread owns a model.
 *
 * Reading: model_get() and the finders in the kinds' headers are look-ups in indexes; struct
 * model_iter walks objects in the order of their creation, all of a kind, or an account's, or the
 * members of a group (the interfaces of a subnet).  Pointers are borrowed until the next operation.
 * Writing: model/tx.h.  Loading: model_load() each stored record, in any order, then
 * model_load_end().
 *
 * What a reader sees includes changes that are not durable yet: whoever answers or publishes waits
 * for the commit of model_revision().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/id.h"
#include "model/object.h"
#include "net/addr.h"

struct model;
struct mapping_table;
struct holders;

struct model_config {
	const char *region;         /* "us-east-1" */
	struct prefix organisation; /* the /32 that locators are in */
	struct prefix ipv6_pool;    /* what VPCs get their IPv6 blocks from; len 0: no IPv6 */
	struct id_source ids;
	/* Directions to which a policy is applied at once; where there are more, a pass goes over
	 * them (model/choice_pass.h). 0: LIMIT_MODEL_CHOICE_AT_ONCE */
	size_t choice_at_once;
};

/* Copies 'config'.  The zones are REGIONa, REGIONb, REGIONc.  -ENOMEM, -EINVAL (organisation no
 * /32, ipv6_pool not one that cidr6_is_pool() allows, or inside the organisation). */
must_check int model_new(const struct model_config *config, struct model **ret);
struct model *model_free(struct model *m);
CLEANUP_DEFINE(struct model *, model_free);

const char *model_region(const struct model *m);
enum { MODEL_ZONES = 3 };
/* "us-east-1a" of 0..MODEL_ZONES-1 */
const char *model_zone(const struct model *m, size_t i);
/* Of the last transaction that wrote, or of the last record loaded. */
uint64_t model_revision(const struct model *m);
size_t model_count(const struct model *m, enum kind k);

/* Who asks.  An operator sees and may change everything. */
struct caller {
	uint64_t account;
	bool is_operator;
	bool read_only; /* whoever takes its requests refuses those that write */
};
/* The object exists and the caller may see it. */
bool caller_sees(const struct caller *c, const struct object *o);

/* Any object, or NULL; the result is of the struct that belongs to 'k'. */
const struct object *model_get(const struct model *m, enum kind k, uint64_t id);

/* Groups of objects that share a key. */
enum relation {
	REL_ACCOUNT,                 /* objects of one kind of an account */
	REL_VPC_SUBNETS,             /* key: vpc */
	REL_SUBNET_INTERFACES,       /* key: subnet */
	REL_SUBNET_INSTANCES,        /* key: subnet; terminated ones too */
	REL_SUBNET_RELEASES,         /* key: subnet; those that lead to no interface */
	REL_INSTANCE_INTERFACES,     /* key: instance; also those being detached */
	REL_SHARED_INTERFACES,       /* key: 0; those that are transferred, too */
	REL_HOST_INTERFACES,         /* key: host number; in its desired state */
	REL_HOST_INSTANCES,          /* key: host number; all but terminated */
	REL_HOST_WAITING_INTERFACES, /* key: host number; for its acknowledgement */
	REL_HOST_WAITING_INSTANCES,
	REL_HOST_WAITING_RELEASES,
	REL_WIDE_RELEASES,         /* key: 0; those that wait for more than one host */
	REL_INTERFACE_MOVES,       /* key: the interface that gets the address; releases */
	REL_PLACEMENT_GROUP,       /* key: placement group; instances, all but terminated */
	REL_TERMINATED,            /* key: 0; instances that are described for a while yet */
	REL_VPC_GROUPS,            /* key: vpc; security groups */
	REL_GROUP_RULES,           /* key: security group; its rules */
	REL_PEER_RULES,            /* key: security group; rules that name it as the other end */
	REL_LIST_RULES,            /* key: prefix list; rules that name it */
	REL_VPC_ACLS,              /* key: vpc; network ACLs */
	REL_ACL_SUBNETS,           /* key: network ACL; subnets that have it */
	REL_INTERFACE_PERMISSIONS, /* key: interface */
	REL_VPC_TABLES,            /* key: vpc; route tables, the main one too */
	REL_TABLE_SUBNETS,         /* key: route table; subnets associated with it by themselves */
	REL_VPC_INTERNET_GATEWAY,  /* key: vpc; at most one */
	REL_VPC_EGRESS_GATEWAYS,   /* key: vpc */
	REL_DHCP_VPCS,             /* key: DHCP options set; VPCs that have it */
	REL_VPC_NAT_GATEWAYS,      /* key: vpc; all but failed and deleted ones */
	REL_SUBNET_NAT_GATEWAYS,   /* key: subnet; likewise */
	REL_HOST_WAITING_NAT_GATEWAYS,
	REL_ENDED_NAT_GATEWAYS, /* key: 0; those that are described for a while yet */
	REL_POOL_ADDRESSES,     /* key: pool; elastic addresses */
	REL_VPC_ADDRESSES,      /* key: vpc; associated elastic addresses */
	REL_EDGES,              /* key: 0; hosts with that role */
	REL_CHANGING_HOSTS,     /* key: 0; of which news are on their way to pairs */
	REL_VPC_PEERINGS_OUT,   /* key: vpc that asked; pending and active peerings */
	REL_VPC_PEERINGS_IN,    /* key: vpc that was asked; likewise */
	REL_PEERINGS,           /* key: 0: pending, 1: over; see model/peering.c */
	/* key: host number of the edge, 0: of those that no edge has now */
	REL_EDGE_ADDRESSES, /* associated ones */
	REL_EDGE_INTERNET_GATEWAYS,
	REL_EDGE_EGRESS_GATEWAYS,
	/* private ones, unless they are over: others are where their address is */
	REL_EDGE_NAT_GATEWAYS,
	REL_PATH_ANALYSES,  /* key: network insights path */
	REL_ADDRESS_DRAINS, /* key: elastic address; in the order in which they began */
	REL_PAIR_SHIFTS,    /* key: pair_shift_key() */
	/* key: host number; shifts that wait for it to send otherwise, in order of revisions */
	REL_HOST_WAITING_SENDERS,
	REL_HOST_WAITING_RECEIVERS, /* likewise to accept more */
	/* key: host number of the sender; shifts with terms that are accepted for a while yet, in
	 * order of time */
	REL_PAST_SHIFTS,
	REL_RESOURCE_FLOW_LOGS,        /* key: the VPC, subnet or interface */
	REL_INTERFACE_MIRROR_TARGETS,  /* key: interface */
	REL_INTERFACE_MIRROR_SESSIONS, /* key: the source's interface */
	REL_TARGET_MIRROR_SESSIONS,    /* key: mirror target */
	REL_FILTER_MIRROR_SESSIONS,    /* key: mirror filter */
	REL_HOST_LABELS,               /* key: host number; resting ones too */
	REL_RESTING_LABELS,            /* key: 0 */
	REL_PAYER_USAGE,               /* key: billing account; also of interfaces of its own */
	REL_MAX,
};
size_t model_group_count(const struct model *m, enum relation r, uint64_t key);
size_t model_account_count(const struct model *m, enum kind k, uint64_t account);

/*	struct model_iter it = model_iter_kind(m, KIND_VPC);
 *	const struct object *o;
 *
 *	while ((o = model_iter_next(&it)))
 *		show((const struct vpc *)o);
 */
struct model_iter {
	const struct list *head;
	const struct list *at;
	size_t offset; /* of the link inside the struct, or */
	bool part;     /* inside a part of it: an attachment, which knows its interface */
	/* Of an instance's interfaces, instead of these: where they are found, */
	const struct hmap *attachments;
	uint64_t key, hash;
	bool begun;
	uint64_t serial, id; /* and the one last visited, if any was */
};
/* In the order of creation (the serial). */
struct model_iter model_iter_kind(const struct model *m, enum kind k);
struct model_iter model_iter_account(const struct model *m, enum kind k, uint64_t account);
struct model_iter model_iter_group(const struct model *m, enum relation r, uint64_t key);
/* Moves on behind the object (after_id, after_serial) of kind 'k', for the next page.  At once when
 * it still exists; else by a walk to the first serial above. */
void model_iter_skip(const struct model *m, struct model_iter *it, enum kind k, uint64_t after_id,
		     uint64_t after_serial);
const struct object *model_iter_next(struct model_iter *it);

/* About so many records are going to be loaded: saves the time of growing.  May be left out. */
void model_load_begin(struct model *m, size_t n_records);
/* One stored record: 'data' as model/record.h encodes it; size 0: it is deleted.  Seen by readers
 * after model_load_end(), or when a deletion has been loaded; so are contradictions.  -EBADMSG for
 * a record that is malformed, or contradicts what is loaded (two owners of one address);
 * -ENOMEM. */
must_check int model_load(struct model *m, enum kind k, uint64_t id, const void *data, size_t size);
/* The same in two steps.  The first needs no model, so another thread may do it: a record becomes
 * an object, to be freed by record_free().  The second takes '*new' unless it fails. */
must_check int model_load_decode(enum kind k, uint64_t id, const void *data, size_t size,
				 struct object **ret);
must_check int model_load_object(struct model *m, struct object **new);
must_check int model_load_deletion(struct model *m, enum kind k, uint64_t id);
/* Ends loading: puts lists in order, checks references.  -EBADMSG. */
must_check int model_load_end(struct model *m, uint64_t revision);
/* The same in steps: first settle; then order, and check each part, by one thread each at the same
 * time if need be; then, if nothing failed, finish. */
enum model_load_part {
	MODEL_LOAD_INSTANCES, /* about a third of the work, where there are many */
	MODEL_LOAD_OTHERS,
};
must_check int model_load_settle(struct model *m);
must_check int model_load_order(struct model *m);
must_check int model_load_check(const struct model *m, enum model_load_part part);
void model_load_finish(struct model *m, uint64_t revision);

/* Where addresses are (model/mapping.h), and which hosts hold which mapping (model/holders.h; kept
 * right by whoever runs the sessions). */
const struct mapping_table *model_mappings(const struct model *m);
struct holders *model_holders(struct model *m);

/* Hosts that carry a network (have an interface of it in their desired state, or are its edges), in
 * no order. */
size_t model_network_hosts(const struct model *m, uint32_t vni, const uint32_t **ret_numbers);
