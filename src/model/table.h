/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: the tables of objects and everything derived from them.  Only files of this
 * room include this.
 *
 * table_replace() is the one place where an object comes, changes or goes; all indexes follow
 * there, and are functions of the objects alone, so undoing is the same call with the versions
 * swapped.  What a removal empties (groups, networks, places in the mapping table) is kept until no
 * change can be undone any more (table_reclaim()), so that undoing never needs memory and never
 * fails.
 */
#pragma once

#include "base/hmap.h"
#include "base/list.h"
#include "base/radix.h"
#include "model/attachment.h"
#include "model/choice_passing.h"
#include "model/choice_rules.h"
#include "model/model.h"
#include "model/placement.h"
#include "net/addr.h"

enum unique {
	UNIQUE_ACCESS_KEY_ID,
	UNIQUE_HOST_NAME,
	UNIQUE_HOST_NUMBER,
	UNIQUE_VNI,
	UNIQUE_MAC,
	UNIQUE_ATTACHMENT,
	UNIQUE_ATTACHMENT_INSTANCE, /* several may be of one */
	UNIQUE_TOKEN,
	UNIQUE_GROUP_NUMBER,
	UNIQUE_GROUP_NAME, /* in its VPC */
	UNIQUE_ACL_NUMBER,
	UNIQUE_ACL_ASSOCIATION,
	UNIQUE_HANDLE, /* of gateways and interfaces: struct handle */
	UNIQUE_TABLE_NUMBER,
	UNIQUE_TABLE_ASSOCIATION,   /* of subnets */
	UNIQUE_MAIN_ASSOCIATION,    /* of VPCs */
	UNIQUE_GATEWAY_ASSOCIATION, /* of gateways */
	UNIQUE_PUBLIC,
	UNIQUE_ADDRESS_ASSOCIATION,
	UNIQUE_ELASTIC_PRIVATE,
	UNIQUE_DRAIN_PRIVATE,
	UNIQUE_LABEL,
	UNIQUE_LABEL_VIRTUAL, /* what labels stand for; several may for one */
	UNIQUE_MAX,
};

/* Objects that share a key, in order of their serials, or of what their relation says
 * (model/table_uses.h). */
struct group {
	struct hmap_node node;
	struct list idle; /* among the empty ones */
	enum relation relation;
	enum kind kind; /* of its members; tells REL_ACCOUNT's groups apart */
	uint64_t key;
	struct list members;
	size_t n;
	uint64_t weight;    /* REL_SUBNET_INTERFACES, REL_SUBNET_RELEASES: IPv4 addresses in use */
	uint32_t next_addr; /* REL_SUBNET_INTERFACES: where the search for a free one goes on */
	bool unsorted;      /* while loading */
};

/* That a host carries a network or a security group: has an interface of it in its desired state,
 * or, of a network, a gateway or public address. */
struct carrier {
	struct hmap_node node;
	struct list idle; /* among those with n == 0 */
	struct carried *carried;
	uint32_t host;
	uint32_t n;   /* interfaces; 0 until reclaimed */
	size_t place; /* in carried->hosts, while n > 0 */
};

struct carried_kinds;
enum carried_kind { CARRIED_NETWORK, CARRIED_GROUP };

struct carried {
	struct hmap_node node;
	enum carried_kind kind;
	uint32_t number; /* the network's VNI, the group's number */
	bool stale;      /* a network: its hosts have changed since its MTU was computed */
	struct carried_kinds *kinds; /* a network: model/network.c */
	size_t n_hosts, n_carriers, allocated;
	/* Numbers of those with n > 0; room for all carriers.  Of groups also 0, as the host of
	 * members that are on none. */
	uint32_t *hosts;
};

/* What is known of a host while this manager runs. */
struct host_state {
	struct hmap_node node;
	uint32_t number;
	bool connected;
	bool known;                 /* it has told what it holds */
	bool silent;                /* it was given up: host_set_silent() */
	uint64_t lost_ms;           /* not connected since (host_is_lost()); 0: connected */
	struct placement_view view; /* model/placement_index.h */
	uint64_t acknowledged;      /* the last revision that it has, in this manager's life */
	/* where the search for a label goes on: one just given back comes last */
	uint32_t next_label;
};

enum {
	MODEL_LOAD_BATCH = 32, /* records that wait for memory together while loading */
	MODEL_GROUPS_AT_HAND = 8192,
	MODEL_HOSTS_AT_HAND = 4096,
	MODEL_CARRIERS_AT_HAND = 1024,
	MODEL_KIND_RELATIONS = 8,
	MODEL_KIND_UNIQUES = 4,
};

struct relation_use;
struct unique_use;

struct kind_table {
	struct hmap by_id;
	struct list all;
	size_t n;
	/* While loading: */
	bool unsorted;
	uint64_t highest_id; /* entered so far */
	/* The indexes that objects of this kind may be in: model/table_uses.h. */
	size_t n_relations, n_uniques;
	const struct relation_use *relations[MODEL_KIND_RELATIONS];
	const struct unique_use *uniques[MODEL_KIND_UNIQUES];
};

struct model {
	char *region;
	char *zones[MODEL_ZONES];
	struct prefix organisation;
	struct prefix ipv6_pool;
	struct id_source ids;
	uint64_t revision;
	uint64_t last_serial;
	bool loading;
	size_t n_arriving; /* while loading: decoded and not yet put in */
	/* Likewise interfaces with an address that the last version known of another one still
	 * has. */
	size_t n_deferred, deferred_allocated;
	struct object **deferred;
	struct object *arriving[MODEL_LOAD_BATCH];
	/* Likewise those of one kind that came last and have no places in lists yet, with their
	 * serials. */
	enum kind unlisted_kind;
	size_t n_unlisted, unlisted_allocated;
	struct radix_item *unlisted;
	struct kind_table kinds[KIND_MAX];
	struct hmap unique[UNIQUE_MAX];
	struct hmap groups;
	/* Groups found lately, each in the one place where it may be: the few that most records are
	 * in need no look-up. */
	struct group *groups_at_hand[MODEL_GROUPS_AT_HAND];
	struct list idle_groups;
	struct hmap carried;
	/* grows with what may make hosts alike or not, and when something is undone */
	uint64_t kinds_epoch;
	struct hmap carriers;
	struct carrier *carriers_at_hand[MODEL_CARRIERS_AT_HAND]; /* likewise */
	struct list idle_carriers;
	struct hmap host_states;
	struct host_state *hosts_at_hand[MODEL_HOSTS_AT_HAND]; /* likewise */
	size_t n_hosts_known, hosts_allocated;
	struct host_state **hosts_known; /* the same, to be gone through quickly */
	struct hmap racks;
	struct hmap spreads;
	struct list idle_spreads;
	size_t n_ranges; /* hosts with an alias range */
	struct hmap group_sets;
	struct list idle_group_sets;
	struct choice_rules choice_rules;
	struct choice_passing choice_passing;
	size_t choice_at_once;
	struct mapping_table *mappings;
	struct holders *holders;
	struct tx *tx;    /* the open one */
	size_t n_changes; /* that may still be undone */
};

/* Puts 'new' in the place of 'old'; either may be NULL.  Takes nothing: the caller owns 'old'
 * afterwards and the model 'new'.  -ENOMEM, and nothing has changed; never when 'new' was in the
 * model before. */
must_check int table_replace(struct model *m, struct object *old, struct object *new);
/* The same for an object that was not there, in two steps, for loading: many are entered as they
 * come, and get their places in lists in order of their serials, so that each list grows at its
 * end.  table_enter(): -ENOMEM, and nothing has changed.  table_list(): -ENOMEM, and the model is
 * good for nothing but being freed. */
/* Sets the hashes of its ids, which table_enter() and table_prefetch() rely on; any thread, of an
 * object in no model. */
void table_hash(struct object *o);
must_check int table_enter(struct model *m, struct object *new);
must_check int table_list(struct model *m, struct object *o);
/* Bring nearer to the processor what table_enter() will use for 'o', or model_get() for an id:
 * first (stage 0) the places in the tables, then (stage 1) what is found there. */
void table_prefetch(const struct model *m, const struct object *o, unsigned int stage);
void table_prefetch_id(const struct model *m, enum kind k, uint64_t id, unsigned int stage);
/* An object itself, which is somewhere else or was made by another thread; reads nothing of it.
 * KIND_NONE: of any kind. */
void table_prefetch_object(const struct object *o, enum kind k);
/* Of a zeroed model. */
void table_init(struct model *m);
/* Frees what is empty, if no change can be undone. */
void table_reclaim(struct model *m);
/* Puts lists in order after loading. */
must_check int table_sort(struct model *m);
void table_deinit(struct model *m);

/* NULL: there is none, and so no member. */
struct group *group_find(const struct model *m, enum relation r, enum kind k, uint64_t key);
/* NULL: no memory. */
struct group *group_get(struct model *m, enum relation r, enum kind k, uint64_t key);
/* Kind of the members of 'r'; KIND_NONE for REL_ACCOUNT, where the key does not tell. */
enum kind relation_kind(enum relation r);
/* Of the member's link inside an object of kind 'k', or inside a part of it. */
size_t relation_offset(enum relation r, enum kind k);
bool relation_is_of_parts(enum relation r);
/* The object that a link is of, at that offset in it or in a part of it. */
static inline struct object *table_object_of_link(const struct list *l, size_t offset, bool part)
{
	char *base = (char *)(uintptr_t)l - offset;

	if (part)
		return (struct object *)(uintptr_t)((struct attachment *)(void *)base)->of;
	return (struct object *)(void *)base;
}

struct hmap_node *unique_first(const struct model *m, enum unique u, uint64_t hash);
uint64_t token_hash(uint64_t account, const char *operation, const char *token);
uint64_t group_name_hash(uint64_t vpc, const char *name);

/* Or NULL. */
struct carried *carried_find(const struct model *m, enum carried_kind k, uint32_t number);
/* How many interfaces of it the host has in its desired state. */
uint32_t carried_interfaces(const struct model *m, enum carried_kind k, uint32_t number,
			    uint32_t host);
/* Every host in the model has one. */
struct host_state *host_state_find(const struct model *m, uint32_t number); /* or NULL */
must_check int host_state_prepare(struct model *m, uint32_t number);
