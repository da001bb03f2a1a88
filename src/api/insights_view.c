/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and analyses of network insights, as EC2 writes them. */
#include "api/insights_view.h"

#include <stdio.h>

#include "model/interface.h"
#include "model/subnet.h"

enum { ANY_PROTOCOL = 256, PORT_MAX = 65535 };

static const char *arn_type(enum kind k)
{
	switch (k) {
	case KIND_INSIGHTS_PATH:
		return "network-insights-path";
	case KIND_INSIGHTS_ANALYSIS:
		return "network-insights-analysis";
	case KIND_INTERFACE:
		return "network-interface";
	case KIND_INTERNET_GATEWAY:
		return "internet-gateway";
	case KIND_EGRESS_GATEWAY:
		return "egress-only-internet-gateway";
	case KIND_NAT_GATEWAY:
		return "natgateway";
	case KIND_NETWORK_ACL:
		return "network-acl";
	case KIND_PEERING:
		return "vpc-peering-connection";
	case KIND_ROUTE_TABLE:
		return "route-table";
	case KIND_SECURITY_GROUP:
		return "security-group";
	default:
		return kind_name(k);
	}
}

static void write_arn(struct ec2_call *c, const char *name, enum kind k, uint64_t id)
{
	const struct object *o = model_get(c->model, k, id);
	uint64_t owner = o ? o->account : c->caller.account;
	char account[ACCOUNT_TEXT_SIZE], text[ID_TEXT_SIZE], arn[192];

	snprintf(arn, sizeof(arn), "arn:aws:ec2:%s:%s:%s/%s", model_region(c->model),
		 account_text(owner, account), arn_type(k), id_text(k, id, text));
	xml_text(c->xml, name, arn);
}

static void write_component(struct ec2_call *c, const char *name, enum kind k, uint64_t id)
{
	const struct object *o = model_get(c->model, k, id);

	if (!id)
		return;
	xml_open(c->xml, name);
	ec2_write_id(c, "id", k, id);
	write_arn(c, "arn", k, id);
	xml_text(c->xml, "name", o ? object_tag(o, "Name") : NULL);
	xml_close(c->xml);
}

static void write_protocol(struct ec2_call *c, const char *name, uint32_t protocol)
{
	char text[12];

	if (protocol == ANY_PROTOCOL)
		snprintf(text, sizeof(text), "all");
	else if (protocol == 6 || protocol == 17)
		snprintf(text, sizeof(text), "%s", protocol == 6 ? "tcp" : "udp");
	else
		snprintf(text, sizeof(text), "%u", protocol);
	xml_text(c->xml, name, text);
}

static void write_range(struct ec2_call *c, const char *name, uint32_t from, uint32_t to)
{
	xml_open(c->xml, name);
	xml_u64(c->xml, "from", from);
	xml_u64(c->xml, "to", to);
	xml_close(c->xml);
}

static void write_ports(struct ec2_call *c, const char *name, const struct reach_ports *p)
{
	if (!p->to)
		return;
	xml_open(c->xml, name);
	xml_u64(c->xml, "fromPort", p->from);
	xml_u64(c->xml, "toPort", p->to);
	xml_close(c->xml);
}

static void write_filter(struct ec2_call *c, const char *name, const struct reach_filter *f)
{
	if (!reach_filter_is_set(f))
		return;
	xml_open(c->xml, name);
	ec2_write_addr(c, "sourceAddress", &f->src);
	write_ports(c, "sourcePortRange", &f->src_ports);
	ec2_write_addr(c, "destinationAddress", &f->dst);
	write_ports(c, "destinationPortRange", &f->dst_ports);
	xml_close(c->xml);
}

void insights_write_path(struct ec2_call *c, const struct insights_path *p)
{
	ec2_write_id(c, "networkInsightsPathId", KIND_INSIGHTS_PATH, p->o.id);
	write_arn(c, "networkInsightsPathArn", KIND_INSIGHTS_PATH, p->o.id);
	xml_time(c->xml, "createdDate", p->o.created_ms);
	ec2_write_id(c, "source", p->source_kind, p->source);
	ec2_write_id(c, "destination", p->destination_kind, p->destination);
	write_arn(c, "sourceArn", p->source_kind, p->source);
	if (p->destination)
		write_arn(c, "destinationArn", p->destination_kind, p->destination);
	ec2_write_addr(c, "sourceIp", &p->source_addr);
	ec2_write_addr(c, "destinationIp", &p->destination_addr);
	write_protocol(c, "protocol", p->protocol);
	if (p->port)
		xml_u64(c->xml, "destinationPort", p->port);
	write_filter(c, "filterAtSource", &p->at_source);
	write_filter(c, "filterAtDestination", &p->at_destination);
	ec2_write_tags(c, &p->o);
}

static void write_acl_rule(struct ec2_call *c, const struct reach_step *s)
{
	xml_open(c->xml, "aclRule");
	ec2_write_prefix(c, "cidr", &s->prefix);
	xml_bool(c->xml, "egress", s->egress);
	if (s->from || s->to != PORT_MAX)
		write_range(c, "portRange", s->from, s->to);
	write_protocol(c, "protocol", s->protocol);
	xml_text(c->xml, "ruleAction", s->allow ? "allow" : "deny");
	xml_u64(c->xml, "ruleNumber", s->rule);
	xml_close(c->xml);
}

static void write_group_rule(struct ec2_call *c, const struct reach_step *s)
{
	xml_open(c->xml, "securityGroupRule");
	if (s->group)
		ec2_write_id(c, "securityGroupId", KIND_SECURITY_GROUP, s->group);
	else
		ec2_write_prefix(c, "cidr", &s->prefix);
	xml_text(c->xml, "direction", s->egress ? "egress" : "ingress");
	if (s->from || s->to != PORT_MAX)
		write_range(c, "portRange", s->from, s->to);
	write_protocol(c, "protocol", s->protocol);
	xml_close(c->xml);
}

/* The element that names a route's target. */
static const char *route_target_name(enum kind k)
{
	switch (k) {
	case KIND_INTERNET_GATEWAY:
		return "gatewayId";
	case KIND_EGRESS_GATEWAY:
		return "egressOnlyInternetGatewayId";
	case KIND_NAT_GATEWAY:
		return "natGatewayId";
	case KIND_INTERFACE:
		return "networkInterfaceId";
	case KIND_PEERING:
		return "vpcPeeringConnectionId";
	default:
		return NULL;
	}
}

static void write_route(struct ec2_call *c, const struct reach_step *s)
{
	const char *target = route_target_name(s->target_kind);

	if (s->code == REACH_NO_ROUTE)
		return;
	xml_open(c->xml, "routeTableRoute");
	ec2_write_prefix(c, "destinationCidr", &s->prefix);
	if (s->list)
		ec2_write_id(c, "destinationPrefixListId", KIND_PREFIX_LIST, s->list);
	if (target)
		ec2_write_id(c, target, s->target_kind, s->target);
	else
		xml_text(c->xml, "gatewayId", "local");
	xml_text(c->xml, "state", s->code == REACH_BAD_ROUTE ? "blackhole" : "active");
	xml_close(c->xml);
}

static void write_rule(struct ec2_call *c, const struct reach_step *s)
{
	if (s->what == REACH_ACL && s->rule)
		write_acl_rule(c, s);
	else if (s->what == REACH_GROUP && s->rule)
		write_group_rule(c, s);
	else if (s->what == REACH_ROUTE)
		write_route(c, s);
}

static void write_range_set(struct ec2_call *c, const char *set, uint32_t from, uint32_t to)
{
	xml_open(c->xml, set);
	write_range(c, "item", from, to);
	xml_close(c->xml);
}

/* The packets that take the way, as the source sends them. */
static void write_header(struct ec2_call *c, const struct insights_analysis *a)
{
	const struct insights_path *p =
		(const struct insights_path *)model_get(c->model, KIND_INSIGHTS_PATH, a->path);

	if (!p || !a->port_to)
		return;
	xml_open(c->xml, "outboundHeader");
	write_protocol(c, "protocol", p->protocol);
	write_range_set(c, "sourcePortRangeSet", a->port_from, a->port_to);
	if (a->to_port_to)
		write_range_set(c, "destinationPortRangeSet", a->to_port_from, a->to_port_to);
	else /* an older analysis, of the path's port alone */
		write_range_set(c, "destinationPortRangeSet", p->port, p->port);
	xml_close(c->xml);
}

static void write_steps(struct ec2_call *c, const char *set, const struct insights_analysis *a,
			bool back)
{
	uint32_t n = 0;

	xml_open(c->xml, set);
	for (size_t i = 0; i < a->n_steps && a->found; i++) {
		const struct reach_step *s = &a->steps[i];

		if (s->back != back)
			continue;
		xml_open(c->xml, "item");
		xml_u64(c->xml, "sequenceNumber", ++n);
		write_component(c, "component", s->kind, s->id);
		write_component(c, "attachedTo", s->attached_kind, s->attached);
		write_rule(c, s);
		if (!back && n == 1)
			write_header(c, a);
		xml_close(c->xml);
	}
	xml_close(c->xml);
}

static const char *component_name(const struct reach_step *s)
{
	switch (s->what) {
	case REACH_GROUP:
		return "securityGroup";
	case REACH_ACL:
		return "acl";
	case REACH_ROUTE:
		return "routeTable";
	case REACH_INTERFACE:
		return "networkInterface";
	default:
		break;
	}
	if (s->what == REACH_SUBSTRATE)
		return "component";
	if (s->kind == KIND_INTERFACE)
		return "networkInterface";
	if (s->kind == KIND_INTERNET_GATEWAY)
		return "internetGateway";
	if (s->kind == KIND_NAT_GATEWAY)
		return "natGateway";
	return s->kind == KIND_PEERING ? "vpcPeeringConnection" : "component";
}

static void write_explanation(struct ec2_call *c, const struct reach_step *s)
{
	const char *attached = s->what == REACH_SUBSTRATE                  ? "attachedTo"
			       : s->attached_kind == KIND_SUBNET           ? "subnet"
			       : s->attached_kind == KIND_INTERNET_GATEWAY ? "internetGateway"
									   : "networkInterface";

	xml_open(c->xml, "item");
	write_component(c, component_name(s), s->kind, s->id);
	write_component(c, attached, s->attached_kind, s->attached);
	write_rule(c, s);
	if (s->what == REACH_SUBSTRATE)
		xml_text(c->xml, "missingComponent", "common-format");
	xml_text(c->xml, "direction", s->egress ? "egress" : "ingress");
	xml_text(c->xml, "explanationCode", reach_code_text(s->code));
	xml_close(c->xml);
}

void insights_write_analysis(struct ec2_call *c, const struct insights_analysis *a)
{
	ec2_write_id(c, "networkInsightsAnalysisId", KIND_INSIGHTS_ANALYSIS, a->o.id);
	write_arn(c, "networkInsightsAnalysisArn", KIND_INSIGHTS_ANALYSIS, a->o.id);
	ec2_write_id(c, "networkInsightsPathId", KIND_INSIGHTS_PATH, a->path);
	xml_time(c->xml, "startDate", a->o.created_ms);
	xml_text(c->xml, "status", "succeeded");
	xml_bool(c->xml, "networkPathFound", a->found);
	write_steps(c, "forwardPathComponentSet", a, false);
	write_steps(c, "returnPathComponentSet", a, true);
	xml_open(c->xml, "explanationSet");
	for (size_t i = 0; i < a->n_steps; i++)
		if (a->steps[i].code != REACH_PASSES)
			write_explanation(c, &a->steps[i]);
	xml_close(c->xml);
	ec2_write_tags(c, &a->o);
}
