/* SPDX-License-Identifier: Apache-2.0 */
/* Internet gateways and egress-only internet gateways. */
#include "api/describe.h"
#include "api/handlers.h"
#include "api/param.h"
#include "model/egress_gateway.h"
#include "model/internet_gateway.h"

/* ---- internet gateways ---- */

static void write_attachment(struct ec2_call *c, uint64_t vpc, const char *state)
{
	xml_open(c->xml, "attachmentSet");
	if (vpc) {
		xml_open(c->xml, "item");
		ec2_write_id(c, "vpcId", KIND_VPC, vpc);
		xml_text(c->xml, "state", state);
		xml_close(c->xml);
	}
	xml_close(c->xml);
}

static void write_internet_gateway(struct ec2_call *c, const struct internet_gateway *g)
{
	ec2_write_id(c, "internetGatewayId", KIND_INTERNET_GATEWAY, g->o.id);
	ec2_write_owner(c, "ownerId", g->o.account);
	write_attachment(c, g->vpc, "available"); /* EC2's word for an internet gateway's */
	ec2_write_tags(c, &g->o);
}

int action_create_internet_gateway(struct ec2_call *c)
{
	static const char *const taggable[] = {"internet-gateway", NULL};
	const struct internet_gateway *g;
	const struct tag_args *tags;
	size_t n_tags;
	int r;

	r = param_tag_specification(c, "internet-gateway", taggable, &tags, &n_tags);
	if (!r)
		r = internet_gateway_create(c->tx, &c->caller, tags, n_tags, &g, &c->refusal);
	if (r)
		return r;
	xml_open(c->xml, "internetGateway");
	write_internet_gateway(c, g);
	xml_close(c->xml);
	return 0;
}

int action_delete_internet_gateway(struct ec2_call *c)
{
	int r = internet_gateway_delete(c->tx, &c->caller, param_text(c, "InternetGatewayId"),
					&c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

int action_attach_internet_gateway(struct ec2_call *c)
{
	int r = internet_gateway_attach(c->tx, &c->caller, param_text(c, "InternetGatewayId"),
					param_text(c, "VpcId"), &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

int action_detach_internet_gateway(struct ec2_call *c)
{
	int r = internet_gateway_detach(c->tx, &c->caller, param_text(c, "InternetGatewayId"),
					param_text(c, "VpcId"), &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

#define GATEWAY ((const struct internet_gateway *)item)

static void by_attachment_state(struct filter_probe *p, const void *item)
{
	if (GATEWAY->vpc)
		filter_text(p, "available");
}

static void by_attachment_vpc(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_VPC, GATEWAY->vpc);
}

static void by_id(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_INTERNET_GATEWAY, GATEWAY->o.id);
}

static void by_owner(struct filter_probe *p, const void *item)
{
	filter_owner(p, GATEWAY->o.account);
}

const struct filter internet_gateway_filters[] = {
	{"attachment.state", by_attachment_state},
	{"attachment.vpc-id", by_attachment_vpc},
	{"internet-gateway-id", by_id},
	{"owner-id", by_owner},
	{},
};

static int find_internet_gateway(const struct model *m, const struct caller *caller, const char *id,
				 const struct object **ret, struct refusal *reterr)
{
	const struct internet_gateway *g;
	int r = internet_gateway_find(m, caller, id, &g, reterr);

	if (!r)
		*ret = &g->o;
	return r;
}

static void show_internet_gateway(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	write_internet_gateway(c, (const struct internet_gateway *)o);
	xml_close(c->xml);
}

int action_describe_internet_gateways(struct ec2_call *c)
{
	static const struct describe_group groups[] = {
		{"internet-gateway-id", KIND_INTERNET_GATEWAY, REL_MAX},
		{"attachment.vpc-id", KIND_VPC, REL_VPC_INTERNET_GATEWAY},
		{},
	};
	static const struct describe d = {
		.kind = KIND_INTERNET_GATEWAY,
		.ids = "InternetGatewayId",
		.find = find_internet_gateway,
		.filters = internet_gateway_filters,
		.groups = groups,
		.write = show_internet_gateway,
	};

	return describe_run(c, &d, "internetGatewaySet", NULL, NULL);
}

/* ---- egress-only ---- */

static void write_egress_gateway(struct ec2_call *c, const struct egress_gateway *g)
{
	write_attachment(c, g->vpc, "attached");
	ec2_write_id(c, "egressOnlyInternetGatewayId", KIND_EGRESS_GATEWAY, g->o.id);
	ec2_write_tags(c, &g->o);
}

int action_create_egress_only_internet_gateway(struct ec2_call *c)
{
	static const char *const taggable[] = {"egress-only-internet-gateway", NULL};
	struct egress_gateway_create_args args = {.vpc_id = param_text(c, "VpcId")};
	const struct egress_gateway *g;
	int r;

	r = param_tag_specification(c, taggable[0], taggable, &args.tags, &args.n_tags);
	if (!r)
		r = param_token(c, &args.token);
	if (!r)
		r = egress_gateway_create(c->tx, &c->caller, &args, &g, &c->refusal);
	if (r)
		return r;
	xml_text(c->xml, "clientToken", args.token.token);
	xml_open(c->xml, "egressOnlyInternetGateway");
	write_egress_gateway(c, g);
	xml_close(c->xml);
	return 0;
}

int action_delete_egress_only_internet_gateway(struct ec2_call *c)
{
	int r = egress_gateway_delete(c->tx, &c->caller,
				      param_text(c, "EgressOnlyInternetGatewayId"), &c->refusal);

	if (!r)
		xml_bool(c->xml, "returnCode", true);
	return r;
}

const struct filter egress_gateway_filters[] = {{}};

static int find_egress_gateway(const struct model *m, const struct caller *caller, const char *id,
			       const struct object **ret, struct refusal *reterr)
{
	const struct egress_gateway *g;
	int r = egress_gateway_find(m, caller, id, &g, reterr);

	if (!r)
		*ret = &g->o;
	return r;
}

static void show_egress_gateway(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	write_egress_gateway(c, (const struct egress_gateway *)o);
	xml_close(c->xml);
}

int action_describe_egress_only_internet_gateways(struct ec2_call *c)
{
	static const struct describe d = {
		.kind = KIND_EGRESS_GATEWAY,
		.ids = "EgressOnlyInternetGatewayId",
		.find = find_egress_gateway,
		.filters = egress_gateway_filters,
		.write = show_egress_gateway,
	};

	return describe_run(c, &d, "egressOnlyInternetGatewaySet", NULL, NULL);
}
