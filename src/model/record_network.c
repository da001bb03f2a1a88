/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks: VPCs, subnets and DHCP options.
 */
#include "model/record_tables.h"

#include "model/dhcp_options.h"
#include "model/network_acl.h"
#include "model/route_table.h"
#include "model/subnet.h"
#include "model/subnet_block6.h"
#include "model/vpc.h"

static const struct field block_fields[] = {
	FN(1, FIELD_PREFIX, "cidr", struct cidr_block, prefix),
	F(2, FIELD_ID, struct cidr_block, association, .prefix = ID_PREFIX_VPC_CIDR),
	F(3, FIELD_BOOL, struct cidr_block, from_pool),
};
PART(block, struct cidr_block);

static const struct field vpc_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_U32, struct vpc, vni),
	F(11, FIELD_U32, struct vpc, mtu),
	ARRAY(12, struct vpc, blocks, block_record),
	F(13, FIELD_STRING, struct vpc, tenancy),
	F(14, FIELD_BOOL, struct vpc, dns_support),
	F(15, FIELD_BOOL, struct vpc, dns_hostnames),
	F(16, FIELD_BOOL, struct vpc, usage_metrics),
	ARRAY(17, struct vpc, blocks6, block_record),
	F(18, FIELD_ID, struct vpc, default_group, .kind = KIND_SECURITY_GROUP),
	F(19, FIELD_ID, struct vpc, default_acl, .kind = KIND_NETWORK_ACL),
	F(60, FIELD_ID, struct vpc, main_table, .kind = KIND_ROUTE_TABLE),
	F(61, FIELD_ID, struct vpc, main_association, .prefix = ID_PREFIX_TABLE_ASSOCIATION),
	F(70, FIELD_ID, struct vpc, dhcp_options, .kind = KIND_DHCP_OPTIONS),
	F(71, FIELD_BOOL, struct vpc, is_default),
	F(72, FIELD_STRING, struct vpc, environment),
};
RECORD(vpc, struct vpc);

static const struct field subnet_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct subnet, vpc, .kind = KIND_VPC),
	F(11, FIELD_U32, struct subnet, vni),
	FN(12, FIELD_PREFIX, "cidr", struct subnet, prefix),
	F(13, FIELD_STRING, struct subnet, zone),
	F(14, FIELD_BOOL, struct subnet, map_public_ip),
	FN(15, FIELD_PREFIX, "ipv6_cidr", struct subnet, prefix6),
	FN(16, FIELD_ID, "ipv6_association", struct subnet, association6,
	   .prefix = ID_PREFIX_SUBNET_CIDR),
	F(17, FIELD_BOOL, struct subnet, assign_ipv6),
	F(18, FIELD_ID, struct subnet, acl, .kind = KIND_NETWORK_ACL),
	F(19, FIELD_U32, struct subnet, acl_number),
	F(20, FIELD_ID, struct subnet, acl_association, .prefix = ID_PREFIX_ACL_ASSOCIATION),
	F(60, FIELD_ID, struct subnet, table, .kind = KIND_ROUTE_TABLE),
	F(61, FIELD_ID, struct subnet, table_association, .prefix = ID_PREFIX_TABLE_ASSOCIATION),
	F(70, FIELD_BOOL, struct subnet, is_default),
};
RECORD(subnet, struct subnet);

static const struct field dhcp_option_fields[] = {
	F(1, FIELD_STRING, struct dhcp_option, key),
	F(2, FIELD_STRING, struct dhcp_option, value),
};
PART(dhcp_option, struct dhcp_option);

static const struct field dhcp_options_fields[] = {
	OBJECT_FIELDS,
	ARRAY(10, struct dhcp_options, options, dhcp_option_record),
};
RECORD(dhcp_options, struct dhcp_options);
