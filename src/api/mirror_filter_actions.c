/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of traffic mirroring and their rules. */
#include "api/describe.h"
#include "api/handlers.h"
#include "api/mirror_view.h"
#include "api/param.h"
#include "base/str.h"

#define SERVICE "amazon-dns"

/* ---- writing ---- */

static void write_range(struct ec2_call *c, const char *name, uint32_t from, uint32_t to)
{
	xml_open(c->xml, name);
	xml_u64(c->xml, "fromPort", from);
	xml_u64(c->xml, "toPort", to);
	xml_close(c->xml);
}

static void write_rule(struct ec2_call *c, const struct mirror_filter *f,
		       const struct mirror_rule *r)
{
	char id[ID_TEXT_SIZE];

	xml_text(c->xml, "trafficMirrorFilterRuleId",
		 id_text_prefixed(ID_PREFIX_MIRROR_RULE, r->id, id));
	ec2_write_id(c, "trafficMirrorFilterId", KIND_MIRROR_FILTER, f->o.id);
	xml_text(c->xml, "trafficDirection", r->egress ? "egress" : "ingress");
	xml_u64(c->xml, "ruleNumber", r->number);
	xml_text(c->xml, "ruleAction", r->accept ? "accept" : "reject");
	if (r->protocol < MIRROR_PROTOCOL_ANY)
		xml_u64(c->xml, "protocol", r->protocol);
	if (r->has_destination_ports)
		write_range(c, "destinationPortRange", r->destination_from, r->destination_to);
	if (r->has_source_ports)
		write_range(c, "sourcePortRange", r->source_from, r->source_to);
	ec2_write_prefix(c, "destinationCidrBlock", &r->destination);
	ec2_write_prefix(c, "sourceCidrBlock", &r->source);
	if (r->description)
		xml_text(c->xml, "description", r->description);
}

static void write_rules(struct ec2_call *c, const struct mirror_filter *f, bool egress)
{
	xml_open(c->xml, egress ? "egressFilterRuleSet" : "ingressFilterRuleSet");
	for (size_t i = 0; i < f->n_rules; i++) {
		if (f->rules[i].egress != egress)
			continue;
		xml_open(c->xml, "item");
		write_rule(c, f, &f->rules[i]);
		xml_close(c->xml);
	}
	xml_close(c->xml);
}

static void write_filter(struct ec2_call *c, const struct mirror_filter *f)
{
	ec2_write_id(c, "trafficMirrorFilterId", KIND_MIRROR_FILTER, f->o.id);
	write_rules(c, f, false);
	write_rules(c, f, true);
	xml_open(c->xml, "networkServiceSet");
	if (f->dns)
		xml_text(c->xml, "item", SERVICE);
	xml_close(c->xml);
	if (f->description)
		xml_text(c->xml, "description", f->description);
	ec2_write_tags(c, &f->o);
}

static void answer_filter(struct ec2_call *c, const struct mirror_filter *f)
{
	xml_open(c->xml, "trafficMirrorFilter");
	write_filter(c, f);
	xml_close(c->xml);
}

static void answer_rule(struct ec2_call *c, const struct mirror_filter *f,
			const struct mirror_rule *r)
{
	xml_open(c->xml, "trafficMirrorFilterRule");
	write_rule(c, f, r);
	xml_close(c->xml);
}

/* ---- filters ---- */

int action_create_traffic_mirror_filter(struct ec2_call *c)
{
	static const char *const taggable[] = {"traffic-mirror-filter", NULL};
	struct mirror_filter_args args = {.description = param_text(c, "Description")};
	const struct mirror_filter *f;
	int r = param_tag_specification(c, taggable[0], taggable, &args.tags, &args.n_tags);

	if (!r)
		r = param_token(c, &args.token);
	if (!r)
		r = mirror_filter_create(c->tx, &c->caller, &args, &f, &c->refusal);
	if (r)
		return r;
	answer_filter(c, f);
	if (args.token.token)
		xml_text(c->xml, "clientToken", args.token.token);
	return 0;
}

int action_delete_traffic_mirror_filter(struct ec2_call *c)
{
	const char *id = param_text(c, "TrafficMirrorFilterId");
	int r = mirror_filter_delete(c->tx, &c->caller, id, &c->refusal);

	if (!r)
		xml_text(c->xml, "trafficMirrorFilterId", id);
	return r;
}

/* Only one service has a name. */
static int read_services(struct ec2_call *c, const char *name, bool *ret)
{
	const char *const *services;
	size_t n;
	int r = param_list(c, name, &services, &n);

	for (size_t i = 0; i < n && !r; i++)
		if (!str_equal(services[i], SERVICE))
			r = ec2_refuse_value(c, name, services[i], "It is amazon-dns.");
	*ret = !r && n;
	return r;
}

int action_modify_traffic_mirror_filter_network_services(struct ec2_call *c)
{
	const struct mirror_filter *f;
	bool add, remove;
	int r = read_services(c, "AddNetworkService", &add);

	if (!r)
		r = read_services(c, "RemoveNetworkService", &remove);
	if (!r && add == remove)
		r = ec2_refuse(c, 400, "InvalidParameterCombination",
			       "Either AddNetworkService or RemoveNetworkService must be given");
	if (!r)
		r = mirror_filter_set_dns(c->tx, &c->caller, param_text(c, "TrafficMirrorFilterId"),
					  add, &f, &c->refusal);
	if (!r)
		answer_filter(c, f);
	return r;
}

static void by_description(struct filter_probe *p, const void *item)
{
	filter_text(p, ((const struct mirror_filter *)item)->description);
}

static void by_id(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_MIRROR_FILTER, ((const struct object *)item)->id);
}

const struct filter mirror_filter_filters[] = {
	{"description", by_description},
	{"traffic-mirror-filter-id", by_id},
	{},
};

static int find(const struct model *m, const struct caller *caller, const char *id,
		const struct object **ret, struct refusal *reterr)
{
	return mirror_filter_find(m, caller, id, (const struct mirror_filter **)ret, reterr);
}

static void show(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	write_filter(c, (const struct mirror_filter *)o);
	xml_close(c->xml);
}

int action_describe_traffic_mirror_filters(struct ec2_call *c)
{
	static const struct describe_group groups[] = {
		{"traffic-mirror-filter-id", KIND_MIRROR_FILTER, REL_MAX}, {}};
	static const struct describe d = {
		.kind = KIND_MIRROR_FILTER,
		.ids = "TrafficMirrorFilterId",
		.find = find,
		.filters = mirror_filter_filters,
		.groups = groups,
		.write = show,
	};

	return describe_run(c, &d, "trafficMirrorFilterSet", NULL, NULL);
}

/* ---- rules ---- */

static int read_rule(struct ec2_call *c, struct mirror_rule_args *args)
{
	const struct {
		const char *name;
		const uint32_t **ret;
	} numbers[] = {
		{"RuleNumber", &args->number},
		{"Protocol", &args->protocol},
		{"SourcePortRange.FromPort", &args->source_from},
		{"SourcePortRange.ToPort", &args->source_to},
		{"DestinationPortRange.FromPort", &args->destination_from},
		{"DestinationPortRange.ToPort", &args->destination_to},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(numbers) && !r; i++)
		r = mirror_read_number(c, numbers[i].name, numbers[i].ret);
	args->direction = param_text(c, "TrafficDirection");
	args->action = param_text(c, "RuleAction");
	args->description = param_text(c, "Description");
	args->source = param_text(c, "SourceCidrBlock");
	args->destination = param_text(c, "DestinationCidrBlock");
	return r;
}

int action_create_traffic_mirror_filter_rule(struct ec2_call *c)
{
	struct mirror_rule_args args = {.filter_id = param_text(c, "TrafficMirrorFilterId")};
	const struct mirror_filter *f;
	const struct mirror_rule *rule;
	int r = read_rule(c, &args);

	if (!r)
		r = param_token(c, &args.token);
	if (!r)
		r = mirror_rule_create(c->tx, &c->caller, &args, &f, &rule, &c->refusal);
	if (r)
		return r;
	answer_rule(c, f, rule);
	if (args.token.token)
		xml_text(c->xml, "clientToken", args.token.token);
	return 0;
}

int action_modify_traffic_mirror_filter_rule(struct ec2_call *c)
{
	static const char *const names[] = {"destination-port-range", "source-port-range",
					    "protocol", "description", NULL};
	struct mirror_rule_args args = {};
	bool *const flags[] = {&args.no_destination_ports, &args.no_source_ports, &args.no_protocol,
			       &args.no_description};
	const struct mirror_filter *f;
	const struct mirror_rule *rule;
	int r = read_rule(c, &args);

	if (!r)
		r = mirror_read_removals(c, names, flags);
	if (!r)
		r = mirror_rule_modify(c->tx, &c->caller,
				       param_text(c, "TrafficMirrorFilterRuleId"), &args, &f, &rule,
				       &c->refusal);
	if (!r)
		answer_rule(c, f, rule);
	return r;
}

int action_delete_traffic_mirror_filter_rule(struct ec2_call *c)
{
	const char *id = param_text(c, "TrafficMirrorFilterRuleId");
	int r = mirror_rule_delete(c->tx, &c->caller, id, &c->refusal);

	if (!r)
		xml_text(c->xml, "trafficMirrorFilterRuleId", id);
	return r;
}
