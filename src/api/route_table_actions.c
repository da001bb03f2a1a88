/* SPDX-License-Identifier: Apache-2.0 */
/* Route tables: making, changing, associating; route_table_view.c shows them. */
#include "api/describe.h"
#include "api/handlers.h"
#include "api/param.h"
#include "model/route_table.h"

int action_create_route_table(struct ec2_call *c)
{
	static const char *const taggable[] = {"route-table", NULL};
	struct route_table_create_args args = {.vpc_id = param_text(c, "VpcId")};
	const struct route_table *t;
	int r;

	r = param_tag_specification(c, "route-table", taggable, &args.tags, &args.n_tags);
	if (!r)
		r = param_token(c, &args.token);
	if (!r)
		r = route_table_create(c->tx, &c->caller, &args, &t, &c->refusal);
	if (r)
		return r;
	xml_open(c->xml, "routeTable");
	route_table_write(c, t);
	xml_close(c->xml);
	if (args.token.token)
		xml_text(c->xml, "clientToken", args.token.token);
	return 0;
}

int action_delete_route_table(struct ec2_call *c)
{
	int r = route_table_delete(c->tx, &c->caller, param_text(c, "RouteTableId"), &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

static struct route_args read_route(const struct ec2_call *c)
{
	return (struct route_args){
		.table_id = param_text(c, "RouteTableId"),
		.cidr = param_text(c, "DestinationCidrBlock"),
		.ipv6_cidr = param_text(c, "DestinationIpv6CidrBlock"),
		.prefix_list_id = param_text(c, "DestinationPrefixListId"),
		.gateway_id = param_text(c, "GatewayId"),
		.egress_gateway_id = param_text(c, "EgressOnlyInternetGatewayId"),
		.nat_gateway_id = param_text(c, "NatGatewayId"),
		.interface_id = param_text(c, "NetworkInterfaceId"),
		.instance_id = param_text(c, "InstanceId"),
		.peering_id = param_text(c, "VpcPeeringConnectionId"),
	};
}

int action_create_route(struct ec2_call *c)
{
	struct route_args args = read_route(c);
	int r = route_create(c->tx, &c->caller, &args, &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

int action_replace_route(struct ec2_call *c)
{
	const bool *local = param_bool(c, "LocalTarget");
	struct route_args args = read_route(c);
	int r;

	args.local = local && *local;
	r = route_replace(c->tx, &c->caller, &args, &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

int action_delete_route(struct ec2_call *c)
{
	struct route_args args = read_route(c);
	int r = route_delete(c->tx, &c->caller, &args, &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

static void write_association(struct ec2_call *c, const char *name, uint64_t association)
{
	char id[ID_TEXT_SIZE];

	xml_text(c->xml, name, id_text_prefixed(ID_PREFIX_TABLE_ASSOCIATION, association, id));
	xml_open(c->xml, "associationState");
	xml_text(c->xml, "state", "associated");
	xml_close(c->xml);
}

int action_associate_route_table(struct ec2_call *c)
{
	const char *subnet = param_text(c, "SubnetId"), *gateway = param_text(c, "GatewayId");
	const char *table = param_text(c, "RouteTableId");
	uint64_t association;
	int r;

	if (gateway && subnet)
		return refuse(&c->refusal, MODEL_E_COMBINATION,
			      "The request must contain exactly one of subnetId and gatewayId.");
	if (!gateway && !subnet)
		return ec2_refuse_missing(c, "subnetId or gatewayId");
	r = gateway ? route_table_associate_gateway(c->tx, &c->caller, table, gateway, &association,
						    &c->refusal)
		    : route_table_associate(c->tx, &c->caller, table, subnet, &association,
					    &c->refusal);
	if (!r)
		write_association(c, "associationId", association);
	return r;
}

int action_disassociate_route_table(struct ec2_call *c)
{
	int r = route_table_disassociate(c->tx, &c->caller, param_text(c, "AssociationId"),
					 &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

int action_replace_route_table_association(struct ec2_call *c)
{
	uint64_t association;
	bool main;
	int r = route_table_reassociate(c->tx, &c->caller, param_text(c, "AssociationId"),
					param_text(c, "RouteTableId"), &association, &main,
					&c->refusal);

	if (!r)
		write_association(c, "newAssociationId", association);
	return r;
}

/* Propagation is from virtual private gateways, of which there are none. */
static int refuse_propagation(struct ec2_call *c)
{
	const struct route_table *t;
	int r = route_table_find(c->model, &c->caller, param_text(c, "RouteTableId"), &t,
				 &c->refusal);

	return r ? r
		 : ec2_refuse(c, 400, "InvalidVpnGatewayID.NotFound",
			      "The vpnGateway ID '%.100s' does not exist",
			      param_text(c, "GatewayId"));
}

int action_enable_vgw_route_propagation(struct ec2_call *c)
{
	return refuse_propagation(c);
}

int action_disable_vgw_route_propagation(struct ec2_call *c)
{
	return refuse_propagation(c);
}
