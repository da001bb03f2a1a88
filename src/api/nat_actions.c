/* SPDX-License-Identifier: Apache-2.0 */
/* NAT gateways. */
#include "api/describe.h"
#include "api/handlers.h"
#include "api/param.h"
#include "model/elastic.h"
#include "model/nat_gateway.h"

#include <string.h>

/* Of its one address. */
static const char *address_status(const struct nat_gateway *g)
{
	switch (g->state) {
	case NAT_PENDING:
		return g->is_private ? "assigning" : "associating";
	case NAT_FAILED:
		return "failed";
	case NAT_DELETING:
		return g->is_private ? "unassigning" : "disassociating";
	default:
		return "succeeded";
	}
}

static void write_association(struct ec2_call *c, const struct nat_gateway *g)
{
	const struct elastic *e =
		(const struct elastic *)model_get(c->model, KIND_ADDRESS, g->address);
	char id[ID_TEXT_SIZE];

	if (e && e->nat_gateway == g->o.id)
		xml_text(c->xml, "associationId",
			 id_text_prefixed(ID_PREFIX_ADDRESS_ASSOCIATION, e->association, id));
}

static void write_nat_gateway(struct ec2_call *c, const struct nat_gateway *g)
{
	xml_time(c->xml, "createTime", g->o.created_ms);
	if (g->state == NAT_DELETED)
		xml_time(c->xml, "deleteTime", g->ended_ms);
	if (g->failure) {
		xml_text(c->xml, "failureCode", g->failure_code);
		xml_text(c->xml, "failureMessage", g->failure);
	}
	xml_open(c->xml, "natGatewayAddressSet");
	xml_open(c->xml, "item");
	if (!g->is_private)
		ec2_write_id(c, "allocationId", KIND_ADDRESS, g->address);
	ec2_write_id(c, "networkInterfaceId", KIND_INTERFACE, g->interface);
	ec2_write_addr(c, "privateIp", &g->private_addr);
	if (!g->is_private)
		ec2_write_addr(c, "publicIp", &g->public_addr);
	if (!g->is_private)
		write_association(c, g);
	xml_bool(c->xml, "isPrimary", true);
	xml_text(c->xml, "status", address_status(g));
	xml_close(c->xml);
	xml_close(c->xml);
	ec2_write_id(c, "natGatewayId", KIND_NAT_GATEWAY, g->o.id);
	xml_text(c->xml, "state", nat_state_text(g->state));
	ec2_write_id(c, "subnetId", KIND_SUBNET, g->subnet);
	ec2_write_id(c, "vpcId", KIND_VPC, g->vpc);
	ec2_write_tags(c, &g->o);
	xml_text(c->xml, "connectivityType", g->is_private ? "private" : "public");
}

int action_create_nat_gateway(struct ec2_call *c)
{
	static const char *const taggable[] = {"natgateway", NULL};
	const char *type = param_text(c, "ConnectivityType");
	const char *mode = param_text(c, "AvailabilityMode");
	struct nat_gateway_create_args args = {
		.subnet_id = param_text(c, "SubnetId"),
		.allocation_id = param_text(c, "AllocationId"),
		.private_ip = param_text(c, "PrivateIpAddress"),
	};
	const struct nat_gateway *g;
	int r;

	args.is_private = type && !strcmp(type, "private");
	if (mode && strcmp(mode, "zonal"))
		return ec2_refuse_unsupported(c, "AvailabilityMode other than zonal");
	if (type && !args.is_private && strcmp(type, "public"))
		return ec2_refuse_value(c, "connectivityType", type, "It is public or private.");
	r = param_tag_specification(c, taggable[0], taggable, &args.tags, &args.n_tags);
	if (!r)
		r = param_token(c, &args.token);
	if (!r)
		r = nat_gateway_create(c->tx, &c->caller, &args, &g, &c->refusal);
	if (r)
		return r;
	xml_text(c->xml, "clientToken", args.token.token);
	xml_open(c->xml, "natGateway");
	write_nat_gateway(c, g);
	xml_close(c->xml);
	return 0;
}

int action_delete_nat_gateway(struct ec2_call *c)
{
	const char *id = param_text(c, "NatGatewayId");
	int r = nat_gateway_delete(c->tx, &c->caller, id, &c->refusal);

	if (!r)
		xml_text(c->xml, "natGatewayId", id);
	return r;
}

#define ITEM ((const struct nat_gateway *)item)

static void by_id(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_NAT_GATEWAY, ITEM->o.id);
}

static void by_state(struct filter_probe *p, const void *item)
{
	filter_text(p, nat_state_text(ITEM->state));
}

static void by_subnet(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_SUBNET, ITEM->subnet);
}

static void by_vpc(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_VPC, ITEM->vpc);
}

const struct filter nat_gateway_filters[] = {
	{"nat-gateway-id", by_id},
	{"state", by_state},
	{"subnet-id", by_subnet},
	{"vpc-id", by_vpc},
	{},
};

static int find(const struct model *m, const struct caller *caller, const char *id,
		const struct object **ret, struct refusal *reterr)
{
	const struct nat_gateway *g;
	int r = nat_gateway_find(m, caller, id, &g, reterr);

	if (!r)
		*ret = &g->o;
	return r;
}

static void write_item(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	write_nat_gateway(c, (const struct nat_gateway *)o);
	xml_close(c->xml);
}

int action_describe_nat_gateways(struct ec2_call *c)
{
	static const struct describe_group groups[] = {
		{"nat-gateway-id", KIND_NAT_GATEWAY, REL_MAX}, {}};
	static const struct describe d = {
		.kind = KIND_NAT_GATEWAY,
		.ids = "NatGatewayId",
		.find = find,
		.filters = nat_gateway_filters,
		.groups = groups,
		.write = write_item,
	};

	return describe_run(c, &d, "natGatewaySet", NULL, NULL);
}
