/* SPDX-License-Identifier: Apache-2.0 */
/* Network insights: whether one thing reaches another. */
#include <stdio.h>

#include "api/describe.h"
#include "api/handlers.h"
#include "api/insights_view.h"
#include "api/param.h"

/* Of 'filter': its ports on one side. */
static int read_ports(const struct ec2_call *c, const char *filter, const char *range,
		      struct insights_ports_args *ret)
{
	const char *from = param_name(c, "%s.%s.FromPort", filter, range);
	const char *to = param_name(c, "%s.%s.ToPort", filter, range);

	if (!from || !to)
		return -ENOMEM;
	*ret = (struct insights_ports_args){param_i32(c, from), param_i32(c, to)};
	return 0;
}

static int read_filter(const struct ec2_call *c, const char *filter,
		       struct insights_filter_args *ret)
{
	const char *source = param_name(c, "%s.SourceAddress", filter);
	const char *destination = param_name(c, "%s.DestinationAddress", filter);
	int r = source && destination ? 0 : -ENOMEM;

	if (r)
		return r;
	ret->source = param_text(c, source);
	ret->destination = param_text(c, destination);
	r = read_ports(c, filter, "SourcePortRange", &ret->source_ports);
	return r ? r : read_ports(c, filter, "DestinationPortRange", &ret->destination_ports);
}

int action_create_network_insights_path(struct ec2_call *c)
{
	static const char *const taggable[] = {"network-insights-path", NULL};
	struct insights_path_args args = {
		.source = param_text(c, "Source"),
		.destination = param_text(c, "Destination"),
		.source_ip = param_text(c, "SourceIp"),
		.destination_ip = param_text(c, "DestinationIp"),
		.protocol = param_text(c, "Protocol"),
		.port = param_i32(c, "DestinationPort"),
	};
	const struct insights_path *p;
	int r = param_tag_specification(c, "network-insights-path", taggable, &args.tags,
					&args.n_tags);

	if (!r)
		r = read_filter(c, "FilterAtSource", &args.at_source);
	if (!r)
		r = read_filter(c, "FilterAtDestination", &args.at_destination);
	if (!r)
		r = param_token(c, &args.token);
	if (!r)
		r = insights_path_create(c->tx, &c->caller, &args, &p, &c->refusal);
	if (r)
		return r;
	xml_open(c->xml, "networkInsightsPath");
	insights_write_path(c, p);
	xml_close(c->xml);
	return 0;
}

int action_delete_network_insights_path(struct ec2_call *c)
{
	const char *id = param_text(c, "NetworkInsightsPathId");
	int r = insights_path_delete(c->tx, &c->caller, id, &c->refusal);

	if (!r)
		xml_text(c->xml, "networkInsightsPathId", id);
	return r;
}

int action_start_network_insights_analysis(struct ec2_call *c)
{
	static const char *const taggable[] = {"network-insights-analysis", NULL};
	struct insights_start_args args = {.path_id = param_text(c, "NetworkInsightsPathId")};
	const struct insights_analysis *a;
	int r = param_tag_specification(c, "network-insights-analysis", taggable, &args.tags,
					&args.n_tags);

	if (!r)
		r = param_token(c, &args.token);
	if (!r)
		r = insights_start(c->tx, &c->caller, &args, &a, &c->refusal);
	if (r)
		return r;
	xml_open(c->xml, "networkInsightsAnalysis");
	insights_write_analysis(c, a);
	xml_close(c->xml);
	return 0;
}

int action_delete_network_insights_analysis(struct ec2_call *c)
{
	const char *id = param_text(c, "NetworkInsightsAnalysisId");
	int r = insights_analysis_delete(c->tx, &c->caller, id, &c->refusal);

	if (!r)
		xml_text(c->xml, "networkInsightsAnalysisId", id);
	return r;
}

/* ---- paths ---- */

static int find_path(const struct model *m, const struct caller *caller, const char *id,
		     const struct object **ret, struct refusal *reterr)
{
	const struct insights_path *p;
	int r = insights_path_find(m, caller, id, &p, reterr);

	if (!r)
		*ret = &p->o;
	return r;
}

static void by_source(struct filter_probe *p, const void *item)
{
	const struct insights_path *path = item;

	filter_id(p, path->source_kind, path->source);
}

static void by_destination(struct filter_probe *p, const void *item)
{
	const struct insights_path *path = item;

	filter_id(p, path->destination_kind, path->destination);
}

static void by_source_ip(struct filter_probe *p, const void *item)
{
	filter_addr(p, &((const struct insights_path *)item)->source_addr);
}

static void by_destination_ip(struct filter_probe *p, const void *item)
{
	filter_addr(p, &((const struct insights_path *)item)->destination_addr);
}

static void by_protocol(struct filter_probe *p, const void *item)
{
	filter_text(p, ((const struct insights_path *)item)->protocol == 6 ? "tcp" : "udp");
}

static void by_port(struct filter_probe *p, const void *item)
{
	const struct insights_path *path = item;

	if (path->port)
		filter_u64(p, path->port);
}

/* "from-to", or the port if it is one. */
static void by_ports(struct filter_probe *p, const struct reach_ports *ports)
{
	char text[24];

	if (!ports->to)
		return;
	if (ports->from == ports->to)
		snprintf(text, sizeof(text), "%u", ports->to);
	else
		snprintf(text, sizeof(text), "%u-%u", ports->from, ports->to);
	filter_text(p, text);
}

#define BY_FILTER(member)                                                                          \
	static void by_##member##_source(struct filter_probe *p, const void *item)                 \
	{                                                                                          \
		filter_addr(p, &((const struct insights_path *)item)->member.src);                 \
	}                                                                                          \
	static void by_##member##_source_ports(struct filter_probe *p, const void *item)           \
	{                                                                                          \
		by_ports(p, &((const struct insights_path *)item)->member.src_ports);              \
	}                                                                                          \
	static void by_##member##_destination(struct filter_probe *p, const void *item)            \
	{                                                                                          \
		filter_addr(p, &((const struct insights_path *)item)->member.dst);                 \
	}                                                                                          \
	static void by_##member##_destination_ports(struct filter_probe *p, const void *item)      \
	{                                                                                          \
		by_ports(p, &((const struct insights_path *)item)->member.dst_ports);              \
	}

BY_FILTER(at_source)
BY_FILTER(at_destination)

const struct filter insights_path_filters[] = {
	{"destination", by_destination},
	{"destination-ip", by_destination_ip},
	{"destination-port", by_port},
	{"filter-at-destination.destination-address", by_at_destination_destination},
	{"filter-at-destination.destination-port-range", by_at_destination_destination_ports},
	{"filter-at-destination.source-address", by_at_destination_source},
	{"filter-at-destination.source-port-range", by_at_destination_source_ports},
	{"filter-at-source.destination-address", by_at_source_destination},
	{"filter-at-source.destination-port-range", by_at_source_destination_ports},
	{"filter-at-source.source-address", by_at_source_source},
	{"filter-at-source.source-port-range", by_at_source_source_ports},
	{"protocol", by_protocol},
	{"source", by_source},
	{"source-ip", by_source_ip},
	{},
};

static void write_path_item(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	insights_write_path(c, (const struct insights_path *)o);
	xml_close(c->xml);
}

int action_describe_network_insights_paths(struct ec2_call *c)
{
	static const struct describe_group groups[] = {{}};
	static const struct describe d = {
		.kind = KIND_INSIGHTS_PATH,
		.ids = "NetworkInsightsPathId",
		.find = find_path,
		.filters = insights_path_filters,
		.groups = groups,
		.small_pages = true,
		.write = write_path_item,
	};

	return describe_run(c, &d, "networkInsightsPathSet", NULL, NULL);
}

/* ---- analyses ---- */

static int find_analysis(const struct model *m, const struct caller *caller, const char *id,
			 const struct object **ret, struct refusal *reterr)
{
	const struct insights_analysis *a;
	int r = insights_analysis_find(m, caller, id, &a, reterr);

	if (!r)
		*ret = &a->o;
	return r;
}

static void by_found(struct filter_probe *p, const void *item)
{
	filter_bool(p, ((const struct insights_analysis *)item)->found);
}

static void by_status(struct filter_probe *p, const void *item)
{
	filter_text(p, "succeeded");
}

const struct filter insights_analysis_filters[] = {
	{"path-found", by_found},
	{"status", by_status},
	{},
};

static void write_analysis_item(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	insights_write_analysis(c, (const struct insights_analysis *)o);
	xml_close(c->xml);
}

/* NetworkInsightsPathId narrows the list as a filter would. */
static bool shows_analysis(const struct ec2_call *c, const struct object *o)
{
	const char *path = param_text(c, "NetworkInsightsPathId");
	uint64_t id;

	if (!path)
		return true;
	return !id_parse(KIND_INSIGHTS_PATH, path, &id) &&
	       ((const struct insights_analysis *)o)->path == id;
}

int action_describe_network_insights_analyses(struct ec2_call *c)
{
	static const struct describe_group groups[] = {{}};
	static const struct describe d = {
		.kind = KIND_INSIGHTS_ANALYSIS,
		.ids = "NetworkInsightsAnalysisId",
		.find = find_analysis,
		.filters = insights_analysis_filters,
		.groups = groups,
		.small_pages = true,
		.write = write_analysis_item,
		.shows = shows_analysis,
	};
	const char *path = param_text(c, "NetworkInsightsPathId");
	const struct insights_path *p;
	int r = path ? insights_path_find(c->model, &c->caller, path, &p, &c->refusal) : 0;

	return r ? r : describe_run(c, &d, "networkInsightsAnalysisSet", NULL, NULL);
}
