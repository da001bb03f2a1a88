/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traffic mirroring: copies of what an interface (the source) sends and gets go, as VXLAN (RFC
 * 7348) to UDP port 4789, to another interface (the target).
 *
 * A *filter* has rules for each direction, asked in the order of their numbers: the first that
 * matches accepts or rejects, none: rejected.  A *session* joins source, filter and target; of the
 * sessions of one source the one with the lowest number whose filter accepts a packet gets it,
 * alone.  The interface of a target cannot be the source of a session as well: copies would be
 * copied.
 *
 * A session goes with its source; a target, and the sessions to it, with its interface.
 */
#pragma once

#include "model/host.h"
#include "model/object.h"
#include "model/refusal.h"
#include "model/token.h"
#include "net/addr.h"

struct tx;
struct caller;
struct model;

enum {
	MIRROR_PROTOCOL_ANY = 256,
	MIRROR_NUMBER_MAX = 32766, /* of a rule, of a session: EC2's */
	MIRROR_LENGTH_MAX = 8500,  /* EC2's */
	MIRROR_VNI_MAX = 0xffffff,
};

struct mirror_target {
	struct object o;
	uint64_t interface;
	char *description;

	struct member by_interface;
};

struct mirror_rule {
	uint64_t id;
	bool egress;
	bool accept;
	bool has_source_ports, has_destination_ports; /* else all */
	uint32_t number;
	uint32_t protocol; /* or MIRROR_PROTOCOL_ANY */
	uint32_t source_from, source_to, destination_from, destination_to;
	struct prefix source, destination; /* of one family */
	char *description;
};

struct mirror_filter {
	struct object o;
	char *description;
	bool dns; /* network service amazon-dns: the resolver's traffic, too */
	size_t n_rules;
	struct mirror_rule *rules; /* by direction, then number */
};

struct mirror_session {
	struct object o;
	uint64_t interface; /* the source */
	uint64_t target;
	uint64_t filter;
	uint32_t number;
	uint32_t length; /* bytes of each packet, from its Ethernet header on; 0: all */
	uint32_t vni;
	char *description;

	struct member by_interface, by_target, by_filter;
};

#define ID_PREFIX_MIRROR_RULE "tmfr-"

struct mirror_target_args {
	const char *interface_id;
	const char *description;
	const struct tag_args *tags;
	size_t n_tags;
	struct token_args token;
};

struct mirror_filter_args {
	const char *description;
	const struct tag_args *tags;
	size_t n_tags;
	struct token_args token;
};

/* NULL: unchanged, or, for a new one, not given. */
struct mirror_rule_args {
	const char *filter_id; /* of a new one */
	const char *direction; /* "ingress", "egress" */
	const char *action;    /* "accept", "reject" */
	const char *description;
	const char *source, *destination; /* CIDRs */
	const uint32_t *number;
	const uint32_t *protocol;
	const uint32_t *source_from, *source_to, *destination_from, *destination_to;
	bool no_protocol, no_source_ports, no_destination_ports,
		no_description;  /* back to all, to none */
	struct token_args token; /* of a new one */
};

struct mirror_session_args {
	const char *interface_id; /* of a new one */
	const char *target_id, *filter_id, *description;
	const uint32_t *number, *length, *vni;
	bool no_length, no_vni, no_description;
	const struct tag_args *tags;
	size_t n_tags;
	struct token_args token; /* of a new one */
};

/* INTERFACE_NOT_FOUND, TARGET_EXISTS, TARGET_LIMIT, TEXT, TAG_*, TOKEN_MISMATCH */
must_check int mirror_target_create(struct tx *tx, const struct caller *c,
				    const struct mirror_target_args *args,
				    const struct mirror_target **ret, struct refusal *reterr);
/* TARGET_NOT_FOUND, TARGET_IN_USE */
must_check int mirror_target_delete(struct tx *tx, const struct caller *c, const char *id,
				    struct refusal *reterr);
must_check int mirror_target_find(const struct model *m, const struct caller *c, const char *id,
				  const struct mirror_target **ret, struct refusal *reterr);

must_check int mirror_filter_create(struct tx *tx, const struct caller *c,
				    const struct mirror_filter_args *args,
				    const struct mirror_filter **ret, struct refusal *reterr);
/* FILTER_NOT_FOUND, FILTER_IN_USE */
must_check int mirror_filter_delete(struct tx *tx, const struct caller *c, const char *id,
				    struct refusal *reterr);
must_check int mirror_filter_find(const struct model *m, const struct caller *c, const char *id,
				  const struct mirror_filter **ret, struct refusal *reterr);
must_check int mirror_filter_set_dns(struct tx *tx, const struct caller *c, const char *id,
				     bool dns, const struct mirror_filter **ret,
				     struct refusal *reterr);

/* FILTER_NOT_FOUND, VALUE, MISSING, CIDR_MALFORMED, MIRROR_RULE_EXISTS, MIRROR_RULE_LIMIT,
 * TOKEN_MISMATCH */
must_check int mirror_rule_create(struct tx *tx, const struct caller *c,
				  const struct mirror_rule_args *args,
				  const struct mirror_filter **ret_filter,
				  const struct mirror_rule **ret, struct refusal *reterr);
/* MIRROR_RULE_NOT_FOUND and the above */
must_check int mirror_rule_modify(struct tx *tx, const struct caller *c, const char *id,
				  const struct mirror_rule_args *args,
				  const struct mirror_filter **ret_filter,
				  const struct mirror_rule **ret, struct refusal *reterr);
must_check int mirror_rule_delete(struct tx *tx, const struct caller *c, const char *id,
				  struct refusal *reterr);

/* *_NOT_FOUND, VALUE, MIRROR_LOOP, SESSION_EXISTS, SESSION_LIMIT, TOKEN_MISMATCH */
must_check int mirror_session_create(struct tx *tx, const struct caller *c,
				     const struct mirror_session_args *args,
				     const struct mirror_session **ret, struct refusal *reterr);
must_check int mirror_session_modify(struct tx *tx, const struct caller *c, const char *id,
				     const struct mirror_session_args *args,
				     const struct mirror_session **ret, struct refusal *reterr);
must_check int mirror_session_delete(struct tx *tx, const struct caller *c, const char *id,
				     struct refusal *reterr);
must_check int mirror_session_find(const struct model *m, const struct caller *c, const char *id,
				   const struct mirror_session **ret, struct refusal *reterr);

/* An interface goes: sessions from it, and it as a target. */
must_check int mirror_end_interface(struct tx *tx, uint64_t interface);

/* The sessions of a source by number; at most LIMIT_MODEL_MIRROR_SESSIONS. */
size_t mirror_sessions_of(const struct model *m, uint64_t interface,
			  const struct mirror_session *ret[]);
/* Where copies of the session go; false: nowhere. */
bool mirror_session_address(const struct model *m, const struct mirror_session *s,
			    struct ipaddr *ret);
