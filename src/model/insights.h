/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network insights: questions about reachability that are kept (paths), and their answers
 * (analyses).
 *
 * An analysis is made whole when it is started (model/reach.h) and says what was so at that time.
 * Operations: see model/tx.h for what all of them have in common.
 */
#pragma once

#include "model/host.h"
#include "model/object.h"
#include "model/reach.h"
#include "model/refusal.h"
#include "model/token.h"

struct tx;
struct caller;
struct model;

struct insights_path {
	struct object o;
	enum kind source_kind; /* KIND_INSTANCE, KIND_INTERFACE, KIND_INTERNET_GATEWAY */
	uint64_t source;
	enum kind destination_kind; /* likewise; KIND_NONE: an address alone */
	uint64_t destination;
	/* Of one family.  Zero: the first of the family of the other one, which is IPv4 where that
	 * is not given either. */
	struct ipaddr source_addr, destination_addr;
	uint32_t protocol;
	uint32_t port; /* 0: any */
	struct reach_filter at_source, at_destination;
};

struct insights_analysis {
	struct object o;
	uint64_t path;
	bool found;
	uint32_t port_from, port_to;       /* source ports that the answer is about; 0: not told */
	uint32_t to_port_from, to_port_to; /* destination ports; 0: that of the path */
	size_t n_steps;
	struct reach_step *steps;

	struct member by_path;
};

/* Both or none; 0 to 65535. */
struct insights_ports_args {
	const int32_t *from, *to;
};

/* NULL: anything. */
struct insights_filter_args {
	const char *source, *destination; /* addresses */
	struct insights_ports_args source_ports, destination_ports;
};

struct insights_path_args {
	const char *source;      /* the id of an instance, an interface or an internet gateway */
	const char *destination; /* NULL: an address alone, here or in a filter */
	const char *source_ip;   /* NULL: none; needed for a gateway, here or in 'at_source' */
	const char *destination_ip;
	const char *protocol; /* "tcp", "udp" */
	const int32_t *port;  /* 1 to 65535; NULL: any */
	/* Instead of 'source_ip' and 'port'; instead of 'destination_ip'. */
	struct insights_filter_args at_source, at_destination;
	const struct tag_args *tags;
	size_t n_tags;
	struct token_args token;
};

struct insights_start_args {
	const char *path_id;
	const struct tag_args *tags;
	size_t n_tags;
	struct token_args token;
};

/* VALUE, MISSING, *_NOT_FOUND, COMBINATION, INSIGHTS_LIMIT, TAG_*, TOKEN_MISMATCH */
must_check int insights_path_create(struct tx *tx, const struct caller *c,
				    const struct insights_path_args *args,
				    const struct insights_path **ret, struct refusal *reterr);
/* INSIGHTS_PATH_NOT_FOUND, INSIGHTS_PATH_DEPENDENCY while it has analyses */
must_check int insights_path_delete(struct tx *tx, const struct caller *c, const char *id,
				    struct refusal *reterr);
/* INSIGHTS_PATH_NOT_FOUND, *_NOT_FOUND when an end is gone, INSIGHTS_LIMIT, TAG_*,
 * TOKEN_MISMATCH */
must_check int insights_start(struct tx *tx, const struct caller *c,
			      const struct insights_start_args *args,
			      const struct insights_analysis **ret, struct refusal *reterr);
/* INSIGHTS_ANALYSIS_NOT_FOUND */
must_check int insights_analysis_delete(struct tx *tx, const struct caller *c, const char *id,
					struct refusal *reterr);

must_check int insights_path_find(const struct model *m, const struct caller *c, const char *id,
				  const struct insights_path **ret, struct refusal *reterr);
must_check int insights_analysis_find(const struct model *m, const struct caller *c, const char *id,
				      const struct insights_analysis **ret, struct refusal *reterr);
