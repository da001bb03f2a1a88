/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instances: nodes on hosts.
 *
 *	run -> pending -> running -> stopping -> stopped -> (start) pending
 *	       any of them -> shutting-down -> terminated (still described for an hour)
 *
 * pending, stopping and shutting-down last until the host has acknowledged the revision that asked
 * for it: a host that does not answer leaves them there, and their addresses with them.  A stop
 * that nobody asked for is reported by the host (instance_report()).
 */
#pragma once

#include "model/host.h"
#include "model/interface.h"
#include "model/object.h"
#include "model/placement_group.h"
#include "model/refusal.h"
#include "model/token.h"

struct tx;
struct caller;
struct model;

/* The numbers are EC2's codes. */
enum instance_state {
	INSTANCE_PENDING = 0,
	INSTANCE_RUNNING = 16,
	INSTANCE_SHUTTING_DOWN = 32,
	INSTANCE_TERMINATED = 48,
	INSTANCE_STOPPING = 64,
	INSTANCE_STOPPED = 80,
};

struct instance {
	struct object o;
	uint64_t reservation; /* id, text: ID_PREFIX_RESERVATION */
	uint32_t launch_index;
	uint64_t subnet, vpc; /* of the primary interface */
	uint32_t host;        /* number; 0: on none (terminated) */
	enum instance_state state;
	uint64_t generation; /* grows with each start and reboot asked for */
	/* pending, stopping, shutting-down: the host has to acknowledge this */
	uint64_t wait_revision;
	uint64_t launched_ms;
	uint64_t terminated_ms;
	struct ipaddr private_addr; /* the primary interface's first; zero when terminated */
	char *image;                /* "ami-netns" */
	char *type;
	char *driver; /* "netns" */
	char *zone;
	char *key_name;     /* NULL: none */
	char *user_data;    /* as given (base64); NULL: none */
	char *client_token; /* NULL: none */
	char *reason_code;  /* StateReason, e.g. "Client.UserInitiatedShutdown"; NULL: none */
	char *reason;       /* its message, and StateTransitionReason */
	bool disable_api_termination;
	bool disable_api_stop;
	bool terminate_on_shutdown; /* InstanceInitiatedShutdownBehavior */
	uint64_t placement_group;   /* 0: none */
	uint32_t partition;         /* of a partition group; 0: not yet known */

	struct member by_subnet;
	struct member by_host;            /* all but terminated */
	struct member by_waiting;         /* on its host, for an acknowledgement */
	struct member by_placement_group; /* while not terminated */
	struct member by_end;             /* among the terminated */
};

const char *instance_state_text(enum instance_state s);
/* Interfaces may be attached to it and detached: it runs or is stopped, and is not on its way. */
bool instance_can_change(const struct instance *n);

struct instance_type {
	const char *name;
	uint32_t vcpus;
	uint32_t memory_mib;
	uint32_t interfaces;
	uint32_t addresses;      /* per interface */
	uint32_t bandwidth_mbps; /* that it may count on */
};
#define INSTANCE_TYPE_DEFAULT "m1.small" /* EC2's */
/* GiB that an instance has of its host's disk: EC2's usual root volume. */
enum { INSTANCE_DISK_GIB = 8 };
/* Or NULL. */
const struct instance_type *instance_type_find(const char *name);
const struct instance_type *instance_types(size_t *ret_n);

struct instance_interface_args {
	uint32_t device_index;
	const char *interface_id; /* an existing one, or a new one in: */
	const char *subnet_id;
	const char *description;
	const char *private_ip;
	const struct private_addr_args *addrs;
	size_t n_addrs;
	const char *const *groups; /* of a new one; none: the VPC's default group */
	size_t n_groups;
	uint32_t secondary_count;
	const char *const *addrs6;
	size_t n_addrs6;
	const uint32_t *count6;            /* as in struct interface_create_args */
	const bool *delete_on_termination; /* NULL: true for a new one, false for an existing one */
	/* a public address while it runs; NULL: as the subnet says, if there are any */
	const bool *public_ip;
};

struct instance_run_args {
	const char *image; /* NULL: "ami-netns" */
	const char *type;  /* NULL: "m1.small", as EC2 */
	uint32_t min_count, max_count;
	const char *subnet_id; /* either this (with private_ip and groups), or 'interfaces' */
	const char *private_ip;
	const char *const *groups;
	size_t n_groups;
	uint32_t secondary_count;
	const char *const *addrs6;
	size_t n_addrs6;
	const uint32_t *count6;
	const struct instance_interface_args *interfaces;
	size_t n_interfaces;
	const char *zone; /* NULL: the subnet's; else it must be the subnet's */
	struct placement_group_args group;
	/* an operator's choice, by id or name; NULL: any.  Wishes are tags: model/placement.h */
	const char *host;
	const char *key_name;
	const char *user_data;
	bool disable_api_termination;
	bool disable_api_stop;
	bool terminate_on_shutdown;
	const struct tag_args *tags;
	size_t n_tags;
	const struct tag_args *interface_tags;
	size_t n_interface_tags;
	struct token_args token;
};

struct instance_transition {
	const struct instance *instance;
	enum instance_state before;
};

/* NULL: unchanged */
struct instance_modify_args {
	const char *instance_id;
	const bool *disable_api_termination;
	const bool *disable_api_stop;
	const bool *terminate_on_shutdown;
	const bool *source_dest_check; /* of its only interface */
	const char *type;              /* of a stopped instance */
	const char *user_data;         /* of a stopped instance */
	const char *const *groups;     /* of its only interface */
	size_t n_groups;
};

/* Starts between min_count and max_count.  'ret' has room for max_count.  All carry one
 * reservation. SUBNET_NOT_FOUND, NO_DEFAULT_VPC, VALUE, COMBINATION, MISSING, IMAGE_*,
 * INSTANCE_TYPE_UNKNOWN, ADDRESS_*, NO_FREE_ADDRESS, NO_CAPACITY, HOST_NOT_FOUND, NOT_PERMITTED,
 * PLACEMENT_GROUP_*, INTERFACE_*, *_LIMIT, TAG_*, TOKEN_MISMATCH */
must_check int instance_run(struct tx *tx, const struct caller *c,
			    const struct instance_run_args *args, const struct instance **ret,
			    size_t *ret_n, struct refusal *reterr);
/* All of 'ids' or none.  'ret' has room for n.  INSTANCE_NOT_FOUND, INSTANCES_NOT_FOUND,
 * INSTANCE_MALFORMED, INSTANCE_STATE, NO_CAPACITY, TERMINATION_PROTECTED, STOP_PROTECTED */
must_check int instance_start(struct tx *tx, const struct caller *c, const char *const *ids,
			      size_t n, struct instance_transition *ret, struct refusal *reterr);
must_check int instance_stop(struct tx *tx, const struct caller *c, const char *const *ids,
			     size_t n, struct instance_transition *ret, struct refusal *reterr);
must_check int instance_terminate(struct tx *tx, const struct caller *c, const char *const *ids,
				  size_t n, struct instance_transition *ret,
				  struct refusal *reterr);
must_check int instance_reboot(struct tx *tx, const struct caller *c, const char *const *ids,
			       size_t n, struct refusal *reterr);
must_check int instance_modify(struct tx *tx, const struct caller *c,
			       const struct instance_modify_args *args, struct refusal *reterr);

enum instance_report_state {
	INSTANCE_REPORT_RUNNING, /* a confirmation; changes nothing */
	INSTANCE_REPORT_STOPPED,
	INSTANCE_REPORT_FAILED,
};
/* A transition that 'host' saw.  Of another generation than the present one, or of an instance that
 * is not there: ignored. */
must_check int instance_report(struct tx *tx, uint32_t host, uint64_t id, uint64_t generation,
			       enum instance_report_state state, const char *text);

/* The one interface that is meant when only the instance 'id' is named.  INSTANCE_STATE (it has
 * none: "... from which it can be 'what'"), INSTANCE_INTERFACES (it has several) */
must_check int instance_only_interface(const struct model *m, const struct instance *n,
				       const char *id, const char *what,
				       const struct interface **ret, struct refusal *reterr);
must_check int instance_find(const struct model *m, const struct caller *c, const char *id,
			     const struct instance **ret, struct refusal *reterr);
