/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Placement (NEG-10): which host gets a node.  RunInstances, StartInstances and the dry run ask the
 * same function, which looks at a request and at a view of each host and has no effects.
 *
 * A host is rejected, for the first of these reasons, when it
 *	is foreign, is another than the one asked for, is in another zone, is drained, is not
 *	connected, carries nothing now, has confirmed no wire format, or carries a shared interface
 *	of it for another node;
 *	lacks a capability that is required; costs more than is allowed; has too little memory,
 *	vCPUs, bandwidth, disk or ports left; or stands in a rack that the placement group excludes.
 * What is left is ranked, by each of these if those before it are equal:
 *	1. it has all that is desired, or not
 *	2. how far it is from what the node shall be near to, the sum over all of that
 *	3. its cost
 *	4. in a partition of a placement group: its rack is the partition's already, or not
 *	5. how many nodes of the account are in its rack
 *	6. least loaded: the largest share that is in use of anything it has; or round robin: how
 *	   soon it comes behind the host that was taken last
 *	7. its number
 * A started instance goes back to its host, if that is not rejected.
 *
 * Nothing is overcommitted: memory, vCPUs and bandwidth are in use while a node is pending,
 * running, stopping or shutting down; a stopped one gives them back, as in EC2, and keeps its disk
 * and its ports.
 *
 * Placement groups, of which nodes count that are not stopped: of a spread group no two are in one
 * rack (or on one host, if the group says so); all of a cluster group are in one rack, which the
 * first is put in only if it has room for all that are started with it; a rack has nodes of one
 * partition of a group only, and a node without a partition gets the one that has the fewest.
 *
 * Borrowed pointers live until the model's next operation.  Errors: NO_CAPACITY, which names what
 * was required and desired and why each kind of host was passed over; VALUE for something to be
 * near to that is not there; -ENOMEM.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/host.h"
#include "model/refusal.h"

struct model;
struct instance;
struct instance_type;
struct object;
struct placement_group;

/* Stored: never re-used. */
enum placement_strategy {
	PLACEMENT_USUAL = 0, /* the cluster's; of the cluster: least loaded */
	PLACEMENT_LEAST_LOADED = 1,
	PLACEMENT_ROUND_ROBIN = 2,
	PLACEMENT_STRATEGY_MAX,
};
/* "least-loaded", "round-robin"; NULL for the usual one */
const char *placement_strategy_text(enum placement_strategy s);
must_check int placement_strategy_parse(const char *text,
					enum placement_strategy *ret); /* -EINVAL */

enum placement_reason {
	PLACEMENT_FITS,
	PLACEMENT_EDGE, /* it runs no instances at all */
	PLACEMENT_OTHER_HOST,
	PLACEMENT_ZONE,
	PLACEMENT_DISCONNECTED,
	PLACEMENT_NO_FORMAT,
	PLACEMENT_SHARED, /* has another node with one of its shared interfaces */
	PLACEMENT_LACKS,
	PLACEMENT_COST,
	PLACEMENT_FULL,
	PLACEMENT_GROUP,
	PLACEMENT_FOREIGN,     /* it has no agent */
	PLACEMENT_NO_DATAPATH, /* it says that it carries nothing: capabilities.error says why */
	PLACEMENT_DRAINED,     /* an operator is emptying it */
	PLACEMENT_REASON_MAX,
};
/* "fits", "zone", "lacks", ...: for programs */
const char *placement_reason_text(enum placement_reason r);

/* What placement sees of a host; kept as objects change (model/placement_index.h). */
struct placement_view {
	const struct host *host; /* NULL: removed */
	/* FITS, EDGE, FOREIGN, DRAINED, DISCONNECTED, NO_DATAPATH or NO_FORMAT, whatever is asked
	 * for */
	enum placement_reason state;
	bool capable; /* host_is_capable() */
	uint32_t number;
	uint32_t index; /* among all views */
	uint32_t zone;  /* index; MODEL_ZONES: none of the region's */
	uint32_t rack;  /* index, the same for all hosts of a rack */
	uint32_t load;  /* the largest share in use, in millionths */
	uint32_t cost;
	uint32_t left[HOST_ROOM_MAX]; /* UINT32_MAX: as much as one likes */
	uint64_t used[HOST_ROOM_MAX];
};

/* Tags by which an instance says where it wants to be: read when it is started. */
#define PLACEMENT_TAG_REQUIRE "viaduct:require" /* capabilities, with commas between them */
#define PLACEMENT_TAG_DESIRE  "viaduct:desire"  /* the same */
#define PLACEMENT_TAG_NEAR                                                                         \
	"viaduct:near" /* ids of instances, and capabilities of hosts ("storage=a") */
#define PLACEMENT_TAG_MAX_COST "viaduct:max-cost" /* a number */
#define PLACEMENT_TAG_STRATEGY "viaduct:strategy" /* "least-loaded" or "round-robin" */

struct placement_request {
	uint64_t account;
	const char *zone; /* NULL: any */
	const char *what; /* for the message: "t2.micro" */
	uint32_t needs[HOST_ROOM_MAX];
	const char *require; /* lists of capabilities (model/capability.h); NULL: none */
	const char *desire;
	const char *near;
	bool limits_cost;
	uint32_t max_cost;
	enum placement_strategy strategy;
	/* Interfaces that it will have and that may be shared: not to hosts that carry one for
	 * another. */
	const uint64_t *shared;
	size_t n_shared;
	uint32_t only;                       /* number of the only host that will do; 0: any */
	const struct placement_group *group; /* or NULL */
	uint32_t partition; /* of a partition group, from 1; 0: the one with the fewest */
	uint32_t together;  /* into an empty cluster group: nodes that come with this one, and it */
	const struct instance
		*again; /* is started again: prefers its host, where its disk and ports are;
					 then 'near' may name what is gone */
};

/* A value that one of the tags cannot have; what others say is found out where a host is looked
 * for. VALUE */
must_check int placement_check_tag(const char *key, const char *value, struct refusal *reterr);
/* Takes what the tags say.  VALUE */
must_check int placement_read_tags(struct placement_request *r, const struct object *tagged,
				   struct refusal *reterr);

struct placement_rank {
	bool lacks_desired;
	bool foreign_rack;
	uint32_t distance; /* 0 the same host, 1 rack, 2 area, 3 locale, 4 elsewhere; summed */
	uint32_t cost;
	uint32_t in_rack; /* nodes of the account */
	uint32_t turn;    /* load, or the place behind the last one */
};

struct placement_verdict {
	const struct host *host;
	enum placement_reason reason;
	enum host_room room; /* FULL: the first that lacks */
	/* FULL: what is left; GROUP: the partition that has the rack; of a cluster group how many
	 * nodes fit into the rack, UINT32_MAX: it is in another */
	uint32_t detail;
	const char *capability; /* LACKS: the first, */
	size_t capability_length;
	uint32_t load;
	struct placement_rank rank; /* FITS */
	bool prefers;               /* FITS: its own, which it goes back to */
};

struct placement_choice {
	const struct host *host;
	uint32_t partition; /* of a partition group */
};

must_check int placement_choose(const struct model *m, const struct placement_request *r,
				struct placement_choice *ret, struct refusal *reterr);

struct placement_explanation {
	size_t n;
	/* those that fit first, the best one first; then by number */
	struct placement_verdict *verdicts;
	uint32_t partition;
	struct refusal refusal; /* when none fits */
};
/* The same choice, with what was thought of every host.  VALUE, -ENOMEM */
must_check int placement_explain(const struct model *m, const struct placement_request *r,
				 struct placement_explanation *ret, struct refusal *reterr);
void placement_explanation_deinit(struct placement_explanation *e);

enum { PLACEMENT_TEXT_SIZE = 512 };
/* Why a host was rejected, for people; "" for one that fits. */
const char *placement_text(const struct model *m, const struct placement_request *r,
			   const struct placement_verdict *v, char buf[static PLACEMENT_TEXT_SIZE]);

/* What an instance of that many interfaces needs; of an unknown type (NULL): no machine. */
void placement_needs(const struct instance_type *t, size_t n_interfaces,
		     uint32_t ret[static HOST_ROOM_MAX]);
/* Of a host in the model. */
const struct placement_view *placement_view_of(const struct model *m, uint32_t host);
/* As given, or the usual; 0: as much as one likes. */
uint32_t placement_capacity(const struct host *h, enum host_room r);
