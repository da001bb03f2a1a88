/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts: where they are, what they can do, and what they reported.
 *
 * The manager gives a host its number, which names it in mappings and towards agents, and its
 * locators (model/topology.h).  What a host can do is what its agent reported last with success
 * (NEG-1). Whether it is connected is known to the running manager alone: host_set_connected() is
 * not part of a transaction and not stored.  Only operators and the manager itself call these.
 */
#pragma once

#include "model/object.h"
#include "model/refusal.h"
#include "model/topology.h"
#include "net/addr.h"

struct tx;
struct caller;
struct model;

struct capabilities {
	uint32_t formats; /* FORMAT_BIT()s confirmed by the last successful probe */
	uint32_t substrate_mtu;
	bool tcx;
	bool tap_uso;
	bool stands_by; /* its agent can have an interface stand by (model/interface_transfer.h) */
	char *kernel;
	char *refused;              /* why a format is missing, for people */
	uint64_t probed_ms;         /* 0: no probe has succeeded yet, the host carries no traffic */
	char *error;                /* of the last probe, if it failed: an alarm; the rest stays */
	uint32_t features;          /* FEATURE_BIT()s, likewise confirmed */
	uint32_t required_features; /* without these, in any version, it talks to nobody */
	uint32_t disallowed_features; /* it has them and must not use them */
	uint32_t disallowed_formats;
	/* grows with each change of what it reports; 0: from before there were any */
	uint64_t generation;
	/* whatever it can do: 'error' says why.  What runs there stays, nothing is started there */
	bool carries_nothing;
	/* an edge: its agent can give another what it translates (manager/handoff.h) */
	bool hands_over;
	uint64_t incarnation; /* model/pair_key.h; 0: it says none */
};

/* What a host has a limited amount of (NEG-10). */
enum host_room {
	HOST_MEMORY, /* MiB */
	HOST_VCPUS,
	HOST_BANDWIDTH, /* Mb/s */
	HOST_DISK,      /* GiB */
	HOST_PORTS,     /* interfaces */
	HOST_ROOM_MAX,
};
/* "memory", "vcpus", "bandwidth", "disk", "ports" */
const char *host_room_text(enum host_room r);

struct host {
	struct object o; /* o.tags: the labels */
	char *name;      /* unique */
	char *zone;
	uint32_t number;             /* 1.., never re-used */
	struct topology_place place; /* locale, area, rack, host */
	struct locators locators;
	struct capabilities can;
	uint32_t key_epoch;      /* of the keys that it seals with, less one */
	uint64_t keyed_ms;       /* since when; 0: the first ones */
	uint32_t n_incarnations; /* before this one (can.incarnation) */
	uint64_t incarnated_ms;  /* since when it is; 0: the first one */
	bool edge;               /* has that role: model/edge.h */
	bool instances;          /* an edge: runs instances, too */
	/* An ordinary VXLAN endpoint without an agent (docs/substrate.md, "Foreign VXLAN"): it
	 * never connects, its abilities are as the operator said, and records are placed on it by
	 * hand (interface_place()). */
	bool foreign;
	/* As an operator gave it; 0: not given, then as much as is asked for, but
	 * LIMIT_MODEL_HOST_PORTS. */
	uint32_t capacity[HOST_ROOM_MAX];
	/* of having a node there, in units of the operator's; the lower the better */
	uint32_t cost;
	/* an operator is emptying it: no instance is started there, and as an edge it gives what it
	 * has to the others.  Whatever runs there goes on */
	bool drained;

	/* What it has reported, and new keys, reach its pairs a stretch after the other, in order
	 * of the other hosts' numbers: those of this number and above have yet to come, and go by
	 * what it was until then.  0: all have */
	uint32_t changing_at;
	struct capabilities former; /* of it what choices go by, no texts */
	uint32_t former_key_epoch, former_n_incarnations;

	struct member by_edge; /* with that role */
	struct member by_changing;
	struct hmap_node by_name;
	struct hmap_node by_number;
};

struct tag_args {
	const char *key;
	const char *value;
};

/* NULL: not given, or unchanged */
struct host_room_args {
	const uint32_t *capacity[HOST_ROOM_MAX];
	const uint32_t *cost;
	const bool *drained;
};

struct host_add_args {
	const char *name;       /* [a-z0-9-]{1,63} */
	const char *zone;       /* NULL: the region's first */
	const uint32_t *locale; /* NULL: 0 */
	const uint32_t *area;   /* NULL: 0 */
	const uint32_t *rack;   /* NULL: 0 */
	const char *v4;         /* substrate addresses; NULL: none; one of them is needed */
	const char *v6;
	const char *aliases; /* IPv4 prefix that is routed to it (model/label.h); NULL: none */
	bool edge;
	bool instances; /* of an edge alone */
	/* Its substrate address, of either family: it is foreign; then no v4, v6, aliases, edge,
	 * place or room.  NULL: it has an agent */
	const char *foreign;
	const uint32_t *mtu; /* of a foreign one's substrate; NULL: 1500 */
	const struct tag_args *labels;
	size_t n_labels;
	struct host_room_args room;
};

/* Gives number and locators.  EXISTS (name, address), VALUE, COMBINATION, HOST_LIMIT,
 * NUMBERS_EXHAUSTED */
must_check int host_add(struct tx *tx, const struct caller *c, const struct host_add_args *args,
			const struct host **ret, struct refusal *reterr);
/* Another alias range, or none (""): labels are given anew.  'id' is a host id or a name.
 * HOST_NOT_FOUND, VALUE, EXISTS, MISSING */
must_check int host_set_aliases(struct tx *tx, const struct caller *c, const char *id,
				const char *aliases, const struct host **ret,
				struct refusal *reterr);
/* 'id' is a host id or a name.  HOST_DEPENDENCY while it has instances, unless 'force': then they
 * are terminated at once, and addresses that wait for this host's word are given free.
 * HOST_INTERFACES likewise of a foreign one with interfaces, which are taken off it. */
must_check int host_remove(struct tx *tx, const struct caller *c, const char *id, bool force,
			   struct refusal *reterr);
/* Changes what a host has room for, whether it is drained, and its labels (NULL: unchanged; none of
 * them: removed).  Instances that are there stay, whatever room is left.  A foreign one has labels
 * alone.
 * HOST_NOT_FOUND, NOT_PERMITTED, VALUE, COMBINATION, TAG_* */
must_check int host_set(struct tx *tx, const struct caller *c, const char *id,
			const struct host_room_args *room, const struct tag_args *labels,
			size_t n_labels, const struct host **ret, struct refusal *reterr);

/* What an agent reported.  A report with an error (and probed_ms 0 or old) changes only the error,
 * and whether it carries anything: the last confirmed result stays.  Writes nothing when nothing
 * but the time of the probe is new.  The strings are copied.
 * Where choices with more hosts go by it than are changed at once (model_config, choice_at_once),
 * the host shows it at once and its pairs come to it by host_report_step().  Before all have, a
 * report by which choices go otherwise takes as long as those that are left: see
 * host_is_changing().  HOST_NOT_FOUND */
must_check int host_report(struct tx *tx, uint32_t number, const struct capabilities *report,
			   struct refusal *reterr);
bool host_is_changing(const struct model *m, uint32_t number);
/* Whether some host is, and host_report_step() has something to do. */
bool host_report_due(const struct model *m);
/* Goes on with one of them by about 'budget' directions (LIMIT_MODEL_CHOICE_STEP is meant), in one
 * transaction.  -ENOMEM, and nothing has changed. */
must_check int host_report_step(struct tx *tx, size_t budget);

struct host_failure {
	/* KIND_INSTANCE, KIND_INTERFACE, KIND_NAT_GATEWAY, or KIND_HOST for a peer */
	enum kind kind;
	uint64_t id;
	/* NULL: an instance that has not failed, but is not done: it is *pending* */
	const char *text;
};
/* The host has applied everything up to 'revision' but for 'failed': instances there become
 * running, stopped or terminated, attachments attached or detached, if they waited for it.  What is
 * pending, with its attachments, goes on waiting.  The cost grows with what waits, not with what is
 * there.  HOST_NOT_FOUND */
must_check int host_acknowledge(struct tx *tx, uint32_t number, uint64_t revision,
				const struct host_failure *failed, size_t n_failed,
				struct refusal *reterr);
/* The same, but of choices between hosts that change at most '*max' go on, of which those that did
 * are taken: where none is left, there may be more for another call. */
must_check int host_acknowledge_some(struct tx *tx, uint32_t number, uint64_t revision,
				     const struct host_failure *failed, size_t n_failed,
				     size_t *max, struct refusal *reterr);
/* Whether 'failed' names the instance as pending. */
bool host_instance_is_pending(const struct host_failure *failed, size_t n_failed,
			      uint64_t instance);
/* Whether host_acknowledge() would have anything to do: spares the transaction. */
bool host_waits(const struct model *m, uint32_t number, uint64_t revision);
/* The same, but for choices that change. */
bool host_waits_for_objects(const struct model *m, uint32_t number, uint64_t revision);

const struct host *host_by_number(const struct model *m, uint32_t number); /* or NULL */
/* One that was added under another organisation or region than the model's, which therefore must
 * not be used: it has locators of that organisation, or stands in a zone of that region.  NULL:
 * none. */
const struct host *host_of_other_config(const struct model *m);
const struct host *host_find(const struct model *m, const char *id_or_name); /* or NULL */
/* Which revision it has acknowledged.  Known since this manager runs: neither stored nor undone; as
 * the next. */
void host_set_acknowledged(struct model *m, uint32_t number, uint64_t revision);
void host_set_connected(struct model *m, uint32_t number, bool connected);
/* It is disconnected because no sign of life came: the machine is gone, not just the agent. */
void host_set_silent(struct model *m, uint32_t number);
/* Silent, or not connected for LIMIT_MODEL_EDGE_LOST_MS; also notes since when.  'now_ms' is of a
 * clock that does not jump. */
bool host_is_lost(struct model *m, uint32_t number, uint64_t now_ms);
bool host_is_connected(const struct model *m, uint32_t number);
/* Whether it has room for one more interface. */
bool host_has_port(const struct model *m, uint32_t number);
/* Confirmed to carry traffic: a probe has succeeded and left a format, and its report is possible
 * (model/ability.h). */
bool host_is_capable(const struct host *h);
size_t host_instance_count(const struct model *m,
			   uint32_t number); /* terminated ones not counted */
