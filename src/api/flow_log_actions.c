/* SPDX-License-Identifier: Apache-2.0 */
/* Flow logs. */
#include "api/describe.h"
#include "api/handlers.h"
#include "api/param.h"
#include "base/str.h"
#include "model/flow_log.h"

#include <string.h>

enum { INTERVAL_USUAL = 600 };

/* ---- making ---- */

/* One resource that could not get its flow log. */
struct failure {
	const char *resource;
	struct refusal refusal;
};

struct creation {
	uint64_t *ids;
	size_t n_ids;
	struct failure *failures;
	size_t n_failures;
};

/* Unknown resources are told one by one, as EC2 does; everything else refuses the whole request. */
static int create_one(struct ec2_call *c, const struct flow_log_create_args *args,
		      struct creation *ret)
{
	const struct flow_log *f;
	struct failure *failure = &ret->failures[ret->n_failures];
	int r = flow_log_create(c->tx, &c->caller, args, &f, &c->refusal);

	if (!r) {
		ret->ids[ret->n_ids++] = f->o.id;
		return 0;
	}
	if (r < 0 || refusal_info(r)->class != REFUSAL_NOT_FOUND)
		return r;
	*failure = (struct failure){args->resource_id, c->refusal};
	ret->n_failures++;
	return 0;
}

static int create_all(struct ec2_call *c, struct flow_log_create_args *args,
		      const struct token_args *token, struct creation *ret)
{
	const char *const *resources;
	const uint64_t *seen;
	size_t n, n_seen;
	int r = param_list(c, "ResourceId", &resources, &n);

	if (r)
		return r;
	ret->ids = arena_alloc_array(c->arena, n + 1, sizeof(*ret->ids));
	ret->failures = arena_alloc_array(c->arena, n + 1, sizeof(*ret->failures));
	if (!ret->ids || !ret->failures)
		return -ENOMEM;
	r = flow_log_seen(c->tx, &c->caller, token, &seen, &n_seen, &c->refusal);
	if (!r && seen) {
		ret->n_ids = n_seen < n ? n_seen : n;
		memcpy(ret->ids, seen, ret->n_ids * sizeof(*seen));
		return 0;
	}
	if (!r)
		r = flow_log_check(args, &c->refusal);
	for (size_t i = 0; i < n && !r; i++) {
		args->resource_id = resources[i];
		r = create_one(c, args, ret);
	}
	if (!r && ret->n_ids)
		r = flow_log_remember(c->tx, &c->caller, token, ret->ids, ret->n_ids);
	return r;
}

static void write_creation(struct ec2_call *c, const struct creation *made, const char *token)
{
	char id[ID_TEXT_SIZE];

	if (token)
		xml_text(c->xml, "clientToken", token);
	xml_open(c->xml, "flowLogIdSet");
	for (size_t i = 0; i < made->n_ids; i++)
		xml_text(c->xml, "item", id_text(KIND_FLOW_LOG, made->ids[i], id));
	xml_close(c->xml);
	xml_open(c->xml, "unsuccessful");
	for (size_t i = 0; i < made->n_failures; i++) {
		const struct failure *f = &made->failures[i];

		xml_open(c->xml, "item");
		xml_text(c->xml, "resourceId", f->resource);
		xml_open(c->xml, "error");
		xml_text(c->xml, "code", refusal_info(f->refusal.code)->ec2_code);
		xml_text(c->xml, "message", f->refusal.message);
		xml_close(c->xml);
		xml_close(c->xml);
	}
	xml_close(c->xml);
}

static int check_options(struct ec2_call *c)
{
	const char *format = param_text(c, "DestinationOptions.FileFormat");

	if (format && !str_equal(format, "plain-text"))
		return ec2_refuse_unsupported(c,
					      "A flow log in another file format than plain-text");
	return 0;
}

int action_create_flow_logs(struct ec2_call *c)
{
	static const char *const taggable[] = {"vpc-flow-log", NULL};
	struct flow_log_create_args args = {
		.resource_type = param_text(c, "ResourceType"),
		.traffic_type = param_text(c, "TrafficType"),
		.destination_type = param_text(c, "LogDestinationType"),
		.destination = param_text(c, "LogDestination"),
		.group_name = param_text(c, "LogGroupName"),
		.role = param_text(c, "DeliverLogsPermissionArn"),
		.format = param_text(c, "LogFormat"),
		.interval = param_u32(c, "MaxAggregationInterval", INTERVAL_USUAL),
	};
	struct token_args token;
	struct creation made = {};
	int r = check_options(c);

	if (!r)
		r = param_tag_specification(c, taggable[0], taggable, &args.tags, &args.n_tags);
	if (!r)
		r = param_token(c, &token);
	if (!r)
		r = create_all(c, &args, &token, &made);
	if (!r)
		write_creation(c, &made, token.token);
	return r;
}

int action_delete_flow_logs(struct ec2_call *c)
{
	const char *const *ids;
	size_t n;
	int r = param_list(c, "FlowLogId", &ids, &n);

	for (size_t i = 0; i < n && !r; i++)
		r = flow_log_delete(c->tx, &c->caller, ids[i], &c->refusal);
	if (!r)
		xml_empty(c->xml, "unsuccessful");
	return r;
}

/* ---- describing ---- */

static const char *type_text(const struct flow_log *f)
{
	return f->s3 ? "s3" : "cloud-watch-logs";
}

static void write_one(struct ec2_call *c, const struct object *o, void *data)
{
	const struct flow_log *f = (const struct flow_log *)o;

	xml_open(c->xml, "item");
	xml_time(c->xml, "creationTime", o->created_ms);
	ec2_write_id(c, "flowLogId", KIND_FLOW_LOG, o->id);
	xml_text(c->xml, "flowLogStatus", "ACTIVE");
	xml_text(c->xml, "deliverLogsStatus", "SUCCESS");
	if (f->role)
		xml_text(c->xml, "deliverLogsPermissionArn", f->role);
	if (f->group_name)
		xml_text(c->xml, "logGroupName", f->group_name);
	ec2_write_id(c, "resourceId", f->resource_kind, f->resource);
	xml_text(c->xml, "trafficType", flow_traffic_text(f->traffic));
	xml_text(c->xml, "logDestinationType", type_text(f));
	if (f->destination)
		xml_text(c->xml, "logDestination", f->destination);
	xml_text(c->xml, "logFormat", f->format ? f->format : flow_default_format);
	xml_u64(c->xml, "maxAggregationInterval", f->interval);
	ec2_write_tags(c, o);
	xml_close(c->xml);
}

static int find(const struct model *m, const struct caller *caller, const char *id,
		const struct object **ret, struct refusal *reterr)
{
	const struct flow_log *f;
	int r = flow_log_find(m, caller, id, &f, reterr);

	if (!r)
		*ret = &f->o;
	return r;
}

static void by_status(struct filter_probe *p, const void *item)
{
	filter_text(p, "SUCCESS");
}

static void by_type(struct filter_probe *p, const void *item)
{
	filter_text(p, type_text(item));
}

static void by_id(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_FLOW_LOG, ((const struct object *)item)->id);
}

static void by_group(struct filter_probe *p, const void *item)
{
	filter_text(p, ((const struct flow_log *)item)->group_name);
}

static void by_resource(struct filter_probe *p, const void *item)
{
	const struct flow_log *f = item;

	filter_id(p, f->resource_kind, f->resource);
}

static void by_traffic(struct filter_probe *p, const void *item)
{
	filter_text(p, flow_traffic_text(((const struct flow_log *)item)->traffic));
}

const struct filter flow_log_filters[] = {
	{"deliver-log-status", by_status},
	{"flow-log-id", by_id},
	{"log-destination-type", by_type},
	{"log-group-name", by_group},
	{"resource-id", by_resource},
	{"traffic-type", by_traffic},
	{},
};

int action_describe_flow_logs(struct ec2_call *c)
{
	static const struct describe_group groups[] = {{"flow-log-id", KIND_FLOW_LOG, REL_MAX}, {}};
	static const struct describe d = {
		.kind = KIND_FLOW_LOG,
		.ids = "FlowLogId",
		.find = find,
		.filters = flow_log_filters,
		.groups = groups,
		.write = write_one,
	};

	return describe_run(c, &d, "flowLogSet", NULL, NULL);
}
