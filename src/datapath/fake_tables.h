/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is pinned on one host of a fake world: its tables and queues.  Inside of the fake back-end
 * only; packets go over it by fake_verdict.h.
 */
#pragma once

#include "abi/drop.h"
#include "base/list.h"
#include "datapath/fake.h"
#include "datapath/fake_watch.h"
#include "datapath/provider.h"

enum {
	FAKE_NAME_SIZE = 12,
	/* frames or events that wait in one queue: a test that leaves more is wrong */
	FAKE_QUEUE_MAX = 4096,
	FAKE_DEVICES_MAX = 4096,
};

/* Rows of one size; found by going through them: the fake is for tens of rows. */
struct fake_table {
	size_t row_size, n, capacity;
	uint8_t *rows;
};

struct fake_connection;

struct fake_port {
	struct dp_port dp;
	struct fake_connection *connections;
	size_t n_connections;
	struct dp_port_counters counters;
	uint64_t drops[DROP_REASON_MAX];
	struct list *received; /* struct fake_frame */
};

struct fake_frame {
	struct list link;
	size_t size;
	uint8_t data[];
};

struct fake_upcall {
	struct list link;
	struct dp_upcall dp;
};

struct fake_event {
	struct list link;
	struct dp_drop_event dp;
};

struct fake_departed {
	uint32_t vni;
	struct ipaddr addr;
};

struct fake_host {
	struct list link;
	struct fake_world *world;
	char name[FAKE_NAME_SIZE];
	struct dp_config config;          /* 'name' points to the above */
	uint32_t formats;                 /* that the programs that run carry */
	struct dp_adoption next_adoption; /* what the next open says */
	bool open;
	struct fake_table ports, subnets, peers, nexthops, mappings, groups, acls;
	struct fake_table plans; /* peers as they were planned and not set yet */
	struct fake_table tables, peerings, gateways, publics; /* fake_gateway.h */
	struct fake_table pins;                                /* fake_spread.h */
	/* struct fake_departed: that were here */
	struct fake_table departed;
	struct fake_watch watch;
	struct fake_devices {                                               /* fake_device.h */
		bool prepared[FAKE_DEVICES_MAX], watched[FAKE_DEVICES_MAX]; /* by index */
		unsigned int n_blocked, n_tidied;
		int fail_prepare, fail_substrate;
		unsigned int n_substrates; /* how often the wire became another device */
	} devices;
	struct ipaddr announced; /* last */
	unsigned int n_announced;
	uint64_t drops[DROP_REASON_MAX]; /* of the substrate side */
	struct dp_port_counters traffic[FORMAT_MAX];
	struct list upcalls, events;
	int upcall_fd, event_fd; /* eventfds, readable while their queue is not empty */
};

struct fake_world {
	struct list hosts;
};

struct fake_datapath {
	struct datapath base;
	struct fake_host *host;
	uint32_t formats; /* of this build */
	struct dp_adoption adoption;
};

/* Whose tables a handle is for. */
static inline struct fake_host *fake_host_of(const struct datapath *dp)
{
	return ((const struct fake_datapath *)dp)->host;
}

/* ---- hosts and their queues (fake_host.c) ---- */

struct fake_host *fake_host_find(struct fake_world *world, const char *name);
must_check int fake_host_new(struct fake_world *world, const struct dp_config *config,
			     struct fake_host **ret);
struct fake_host *fake_host_free(struct fake_host *h);
void fake_port_clear(struct fake_port *port); /* of what it has received, and its connections */

/* Queues; -ENOSPC when FAKE_QUEUE_MAX wait. */
must_check int fake_queue_frame(struct fake_port *port, const uint8_t *data, size_t size);
must_check int fake_queue_upcall(struct fake_host *h, const struct dp_upcall *upcall,
				 const uint8_t *frame, size_t size);
void fake_count_drop(struct fake_host *h, struct fake_port *port,
		     const struct dp_drop_event *event);

/* The contract's operations. */
int fake_upcall_fd(const struct datapath *dp);
int fake_event_fd(const struct datapath *dp);
int fake_upcall_read(struct datapath *dp, struct dp_upcall **ret);
int fake_event_read(struct datapath *dp, struct dp_drop_event *ret);

/* ---- rows, and how they are found (fake_tables.c) ---- */

static inline void *fake_table_row(const struct fake_table *t, size_t i)
{
	return t->rows + i * t->row_size;
}

struct fake_port *fake_port_find(struct fake_host *h, uint32_t id);
struct fake_port *fake_port_by_addr(struct fake_host *h, uint32_t vni, const struct ipaddr *addr);
bool fake_has_departed(struct fake_host *h, uint32_t vni, const struct ipaddr *addr);
struct dp_subnet *fake_subnet_find(struct fake_host *h, uint32_t vni, const struct ipaddr *addr);
struct dp_peer *fake_peer_find(struct fake_host *h, uint32_t id);
struct dp_mapping *fake_mapping_find(struct fake_host *h, uint32_t vni, const struct ipaddr *addr);

/* Sets a record: 'found' is the one it replaces, or NULL. */
must_check int fake_table_put(struct fake_table *t, void *found, const void *record);
int fake_table_drop(struct fake_table *t, void *found); /* NULL: -ENOENT */
/* Room for one row more, zeroed, or NULL. */
void *fake_table_row_add(struct fake_table *t);
void fake_table_row_remove(struct fake_table *t, void *r);

/* ---- policy (fake_policy.c) ---- */

/* What a packet's transport header says; 'local' and 'remote' are a connection's. */
struct fake_tuple {
	struct ipaddr local, remote;
	uint16_t source, destination; /* ICMP: type << 8 | code in the latter */
	uint8_t protocol;
	uint8_t tcp; /* byte 13 */
};

/* A packet as one of the two ports sees it. */
struct fake_judged {
	uint32_t vni;
	bool egress;
	struct ipaddr local, remote;
	const uint32_t *groups; /* of the remote */
	size_t n_groups;
	const struct fake_tuple *tuple;
};

/* 'data' is what follows the IP header. */
void fake_tuple_read(struct fake_tuple *t, uint8_t protocol, const uint8_t *data, size_t size);
/* 0, or the drop reason. */
uint32_t fake_judge(struct fake_host *h, struct fake_port *port, const struct fake_judged *what);
struct dp_group *fake_group_find(struct fake_host *h, uint32_t number);
struct dp_acl *fake_acl_find(struct fake_host *h, uint32_t number);
int fake_group_set(struct datapath *dp, const struct dp_group *group);
int fake_acl_set(struct datapath *dp, const struct dp_acl *acl);
int fake_group_delete(struct datapath *dp, uint32_t number);
int fake_acl_delete(struct datapath *dp, uint32_t number);
int fake_connections(struct datapath *dp, uint32_t port,
		     int (*fn)(const struct dp_connection *, void *), void *arg);

/* All of them (fake_ops.c). */
extern const struct datapath_ops fake_ops;
int fake_reinject(struct datapath *dp, const struct dp_upcall *upcall); /* in fake.c */
int fake_announce(struct datapath *dp, const struct ipaddr *addr);      /* likewise */
