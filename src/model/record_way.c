/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways out of a network: route tables, gateways, peerings, and public addresses with their pools.
 */
#include "model/record_tables.h"

#include "model/drain.h"
#include "model/egress_gateway.h"
#include "model/elastic.h"
#include "model/internet_gateway.h"
#include "model/nat_gateway.h"
#include "model/peering.h"
#include "model/pool.h"
#include "model/route_table.h"

static const char *route_text(uint32_t v)
{
	return route_target_text((enum route_target)v);
}

static const struct field route_fields[] = {
	F(1, FIELD_PREFIX, struct route, destination),
	F(2, FIELD_U64, struct route, prefix_list),
	F(3, FIELD_U32, struct route, target, .text = route_text),
	F(4, FIELD_U64, struct route, target_id),
};
PART(route, struct route);

static const struct field route_table_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct route_table, vpc, .kind = KIND_VPC),
	F(11, FIELD_U32, struct route_table, vni),
	F(12, FIELD_U32, struct route_table, number),
	ARRAY(13, struct route_table, routes, route_record),
};
RECORD(route_table, struct route_table);

static const struct field internet_gateway_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct internet_gateway, vpc, .kind = KIND_VPC),
	F(11, FIELD_U32, struct internet_gateway, vni),
	F(12, FIELD_U32, struct internet_gateway, edge),
	FN(13, FIELD_U32, "handle", struct internet_gateway, handle.number),
	F(14, FIELD_ID, struct internet_gateway, table, .kind = KIND_ROUTE_TABLE),
	F(15, FIELD_ID, struct internet_gateway, table_association,
	  .prefix = ID_PREFIX_TABLE_ASSOCIATION),
};
RECORD(internet_gateway, struct internet_gateway);

static const struct field egress_gateway_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct egress_gateway, vpc, .kind = KIND_VPC),
	F(11, FIELD_U32, struct egress_gateway, vni),
	F(12, FIELD_U32, struct egress_gateway, edge),
	FN(13, FIELD_U32, "handle", struct egress_gateway, handle.number),
};
RECORD(egress_gateway, struct egress_gateway);

static const char *nat_text(uint32_t v)
{
	return nat_state_text((enum nat_state)v);
}

static const struct field nat_port_fields[] = {
	F(1, FIELD_U32, struct nat_port, protocol),
	F(2, FIELD_U32, struct nat_port, public_port),
	FN(3, FIELD_ADDR, "address", struct nat_port, addr),
	F(4, FIELD_U32, struct nat_port, port),
};
PART(nat_port, struct nat_port);

static const struct field nat_gateway_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct nat_gateway, vpc, .kind = KIND_VPC),
	F(11, FIELD_U32, struct nat_gateway, vni),
	F(12, FIELD_ID, struct nat_gateway, subnet, .kind = KIND_SUBNET),
	F(13, FIELD_ID, struct nat_gateway, interface, .kind = KIND_INTERFACE),
	F(14, FIELD_ID, struct nat_gateway, address, .kind = KIND_ADDRESS),
	F(15, FIELD_ADDR, struct nat_gateway, private_addr),
	F(16, FIELD_ADDR, struct nat_gateway, public_addr),
	F(17, FIELD_U32, struct nat_gateway, state, .text = nat_text),
	F(18, FIELD_U32, struct nat_gateway, edge),
	FN(19, FIELD_U32, "handle", struct nat_gateway, handle.number),
	F(20, FIELD_U64, struct nat_gateway, wait_revision),
	FN(21, FIELD_TIME, "ended", struct nat_gateway, ended_ms),
	F(22, FIELD_STRING, struct nat_gateway, failure_code),
	F(23, FIELD_STRING, struct nat_gateway, failure),
	ARRAY(24, struct nat_gateway, ports, nat_port_record),
	FN(25, FIELD_BOOL, "private", struct nat_gateway, is_private),
};
RECORD(nat_gateway, struct nat_gateway);

static const struct field elastic_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ADDR, struct elastic, public),
	F(11, FIELD_ID, struct elastic, pool, .kind = KIND_POOL),
	F(12, FIELD_BOOL, struct elastic, automatic),
	F(13, FIELD_ID, struct elastic, association, .prefix = ID_PREFIX_ADDRESS_ASSOCIATION),
	F(14, FIELD_ID, struct elastic, vpc, .kind = KIND_VPC),
	F(15, FIELD_U32, struct elastic, vni),
	F(16, FIELD_ADDR, struct elastic, private_addr),
	F(17, FIELD_ID, struct elastic, nat_gateway, .kind = KIND_NAT_GATEWAY),
	F(18, FIELD_U32, struct elastic, edge),
};
RECORD(elastic, struct elastic);

static const struct field drain_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct drain, address, .kind = KIND_ADDRESS),
	F(11, FIELD_U32, struct drain, vni),
	F(12, FIELD_ADDR, struct drain, private_addr),
	FN(13, FIELD_TIME, "until", struct drain, until_ms),
};
RECORD(drain, struct drain);

static const char *peering_text(uint32_t v)
{
	return peering_state_text((enum peering_state)v);
}

static const struct field peering_fields[] = {
	OBJECT_FIELDS,
	FN(10, FIELD_ID, "requester_vpc", struct peering, requester.vpc, .kind = KIND_VPC),
	FN(11, FIELD_ID, "requester", struct peering, requester.account, .kind = KIND_ACCOUNT),
	FN(12, FIELD_U32, "requester_vni", struct peering, requester.vni),
	FN(13, FIELD_PREFIX, "requester_cidr", struct peering, requester.block),
	FN(14, FIELD_BOOL, "requester_dns", struct peering, requester.dns),
	FN(15, FIELD_ID, "accepter_vpc", struct peering, accepter.vpc, .kind = KIND_VPC),
	FN(16, FIELD_ID, "accepter", struct peering, accepter.account, .kind = KIND_ACCOUNT),
	FN(17, FIELD_U32, "accepter_vni", struct peering, accepter.vni),
	FN(18, FIELD_PREFIX, "accepter_cidr", struct peering, accepter.block),
	FN(19, FIELD_BOOL, "accepter_dns", struct peering, accepter.dns),
	F(20, FIELD_U32, struct peering, state, .text = peering_text),
	FN(21, FIELD_TIME, "expires", struct peering, expires_ms),
	FN(22, FIELD_TIME, "ended", struct peering, ended_ms),
	ARRAY(23, struct peering, accepter_tags, tag_record),
};
RECORD(peering, struct peering);

static const struct field pool_fields[] = {
	OBJECT_FIELDS,
	FN(10, FIELD_PREFIX, "cidr", struct pool, prefix),
};
RECORD(pool, struct pool);
