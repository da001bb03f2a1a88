/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow logs: what the interfaces of a VPC, a subnet, or one interface send and get, as records.
 *
 * A flow log says which traffic it wants and how its lines look; the records themselves are no part
 * of the model.  The name of a destination is a label: records are kept by the manager.  A flow log
 * goes with the resource that it is about.
 */
#pragma once

#include "model/host.h"
#include "model/object.h"
#include "model/refusal.h"
#include "model/token.h"

struct tx;
struct caller;
struct interface;
struct model;

/* Stored; bits. */
enum flow_traffic {
	FLOW_ACCEPT = 1,
	FLOW_REJECT = 2,
	FLOW_ALL = 3,
};

enum flow_field {
#define FIELD(name, text, version) FLOW_FIELD_##name,
#include "model/flow_field.def"
#undef FIELD
	FLOW_FIELDS,
};

enum {
	FLOW_FORMAT_MAX = 64
}; /* fields of one line; EC2's fields are fewer, they may be named again */

struct flow_log {
	struct object o;
	enum kind resource_kind; /* KIND_VPC, KIND_SUBNET, KIND_INTERFACE */
	uint64_t resource;
	uint32_t traffic;  /* enum flow_traffic */
	uint32_t interval; /* seconds, as asked for; records are of a minute at most anyhow */
	char *format;      /* as given; NULL: the default */
	bool s3;           /* the kind of destination that was named, else CloudWatch Logs */
	char *destination, *group_name, *role; /* labels, or NULL */

	struct member by_resource;
};

const char *flow_traffic_text(uint32_t traffic); /* "ACCEPT" */
/* The text of the format of a flow log that has none of its own. */
extern const char flow_default_format[];
const char *flow_field_text(enum flow_field f);
unsigned int flow_field_version(enum flow_field f);
/* The fields of a format ("${version} ${srcaddr}"; NULL: the default).  False: it is none,
 * '*ret_bad', if not NULL, says from where on. */
bool flow_format_parse(const char *format, enum flow_field ret[static FLOW_FORMAT_MAX],
		       size_t *ret_n, const char **ret_bad);

struct flow_log_create_args {
	const char *resource_type; /* "VPC", "Subnet", "NetworkInterface" */
	const char *resource_id;
	const char *traffic_type;
	const char *destination_type; /* NULL: "cloud-watch-logs" */
	const char *destination;
	const char *group_name;
	const char *role;
	const char *format;
	uint32_t interval;
	const struct tag_args *tags;
	size_t n_tags;
};

/* What is wrong with the request itself, whatever resource it names: FLOW_LOG_ARGUMENT, MISSING,
 * VALUE, UNSUPPORTED. */
must_check int flow_log_check(const struct flow_log_create_args *args, struct refusal *reterr);
/* Of one resource; 'args' have passed flow_log_check().  *_NOT_FOUND, FLOW_LOG_EXISTS,
 * FLOW_LOG_LIMIT, TAG_* */
must_check int flow_log_create(struct tx *tx, const struct caller *c,
			       const struct flow_log_create_args *args, const struct flow_log **ret,
			       struct refusal *reterr);
/* FLOW_LOG_NOT_FOUND */
must_check int flow_log_delete(struct tx *tx, const struct caller *c, const char *id,
			       struct refusal *reterr);
must_check int flow_log_find(const struct model *m, const struct caller *c, const char *id,
			     const struct flow_log **ret, struct refusal *reterr);

/* A request that makes several is remembered as one: the ids made, or NULL for a new one.  VALUE,
 * TOKEN_MISMATCH */
must_check int flow_log_seen(struct tx *tx, const struct caller *c, const struct token_args *token,
			     const uint64_t **ret, size_t *ret_n, struct refusal *reterr);
must_check int flow_log_remember(struct tx *tx, const struct caller *c,
				 const struct token_args *token, const uint64_t *ids, size_t n);

/* Whether any flow log is about the interface. */
bool flow_log_covers(const struct model *m, const struct interface *i);
/* Calls 'fn' with each. */
void flow_log_each(const struct model *m, const struct interface *i,
		   void (*fn)(void *data, const struct flow_log *f), void *data);
/* Those of a resource that goes. */
must_check int flow_log_end_all(struct tx *tx, uint64_t resource);
