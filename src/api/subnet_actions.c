/* SPDX-License-Identifier: Apache-2.0 */
#include "api/block6.h"
#include "api/describe.h"
#include "api/handlers.h"
#include "api/param.h"
#include "model/default_vpc.h"
#include "model/subnet_block6.h"

#include <string.h>

#define HOSTNAME_TYPE "ip-name"

static void write_subnet(struct ec2_call *c, const struct subnet *s)
{
	char zone_id[ZONE_ID_SIZE], arn[ARN_SIZE];

	ec2_write_id(c, "subnetId", KIND_SUBNET, s->o.id);
	xml_text(c->xml, "subnetArn", ec2_arn(c, "subnet", &s->o, arn));
	xml_text(c->xml, "state", "available");
	ec2_write_owner(c, "ownerId", s->o.account);
	ec2_write_id(c, "vpcId", KIND_VPC, s->vpc);
	ec2_write_prefix(c, "cidrBlock", &s->prefix);
	block6_write_subnet_set(c, s);
	xml_u64(c->xml, "availableIpAddressCount", subnet_available(c->model, s));
	xml_text(c->xml, "availabilityZone", s->zone);
	xml_text(c->xml, "availabilityZoneId", zone_id_text(c->model, s->zone, zone_id));
	xml_bool(c->xml, "defaultForAz", s->is_default);
	xml_bool(c->xml, "mapPublicIpOnLaunch", s->map_public_ip);
	xml_bool(c->xml, "mapCustomerOwnedIpOnLaunch", false);
	xml_bool(c->xml, "assignIpv6AddressOnCreation", s->assign_ipv6);
	xml_bool(c->xml, "enableDns64", false);
	xml_bool(c->xml, "ipv6Native", false);
	xml_open(c->xml, "privateDnsNameOptionsOnLaunch");
	xml_text(c->xml, "hostnameType", HOSTNAME_TYPE);
	xml_bool(c->xml, "enableResourceNameDnsARecord", false);
	xml_bool(c->xml, "enableResourceNameDnsAAAARecord", false);
	xml_close(c->xml);
	ec2_write_tags(c, &s->o);
}

static int refuse_zones(struct ec2_call *c)
{
	return ec2_refuse(c, 400, "InvalidParameterCombination",
			  "AvailabilityZone and AvailabilityZoneId exclude each other");
}

int action_create_subnet(struct ec2_call *c)
{
	static const char *const taggable[] = {"subnet", NULL};
	const char *zone = param_text(c, "AvailabilityZone");
	const char *zone_id = param_text(c, "AvailabilityZoneId");
	struct subnet_create_args args = {
		.vpc_id = param_text(c, "VpcId"),
		.cidr = param_text(c, "CidrBlock"),
		.cidr6 = param_text(c, "Ipv6CidrBlock"),
		.zone = zone ? zone : zone_id,
	};
	const struct subnet *s;
	int r;

	if (!args.cidr)
		return ec2_refuse_missing(c, "cidrBlock");
	if (zone && zone_id)
		return refuse_zones(c);
	r = param_tag_specification(c, "subnet", taggable, &args.tags, &args.n_tags);
	if (!r)
		r = subnet_create(c->tx, &c->caller, &args, &s, &c->refusal);
	if (r)
		return r;
	xml_open(c->xml, "subnet");
	write_subnet(c, s);
	xml_close(c->xml);
	return 0;
}

int action_create_default_subnet(struct ec2_call *c)
{
	const char *zone = param_text(c, "AvailabilityZone");
	const char *zone_id = param_text(c, "AvailabilityZoneId");
	const struct subnet *s;
	int r;

	if (!zone == !zone_id)
		return zone ? refuse_zones(c) : ec2_refuse_missing(c, "availabilityZone");
	r = default_subnet_create(c->tx, &c->caller, zone ? zone : zone_id, &s, &c->refusal);
	if (r)
		return r;
	xml_open(c->xml, "subnet");
	write_subnet(c, s);
	xml_close(c->xml);
	return 0;
}

int action_delete_subnet(struct ec2_call *c)
{
	int r = subnet_delete(c->tx, &c->caller, param_text(c, "SubnetId"), &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

int action_modify_subnet_attribute(struct ec2_call *c)
{
	struct subnet_modify_args args = {
		.subnet_id = param_text(c, "SubnetId"),
		.map_public_ip = param_bool(c, "MapPublicIpOnLaunch.Value"),
		.assign_ipv6 = param_bool(c, "AssignIpv6AddressOnCreation.Value"),
	};
	int r;

	if (args.map_public_ip && args.assign_ipv6)
		return ec2_refuse(c, 400, "InvalidParameterCombination",
				  "Fields for multiple attribute types specified: name one");
	r = subnet_modify(c->tx, &c->caller, &args, &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

static int find(const struct model *m, const struct caller *caller, const char *id,
		const struct object **ret, struct refusal *reterr)
{
	const struct subnet *s;
	int r = subnet_find(m, caller, id, &s, reterr);

	if (!r)
		*ret = &s->o;
	return r;
}

static void by_zone(struct filter_probe *p, const void *item)
{
	filter_text(p, ((const struct subnet *)item)->zone);
}

static void by_zone_id(struct filter_probe *p, const void *item)
{
	char text[ZONE_ID_SIZE];

	filter_text(p, zone_id_text(p->call->model, ((const struct subnet *)item)->zone, text));
}

static void by_available(struct filter_probe *p, const void *item)
{
	filter_u64(p, subnet_available(p->call->model, item));
}

static void by_cidr(struct filter_probe *p, const void *item)
{
	char text[PREFIX_TEXT_SIZE];

	filter_text(p, prefix_text(&((const struct subnet *)item)->prefix, text));
}

static void by_default(struct filter_probe *p, const void *item)
{
	filter_bool(p, ((const struct subnet *)item)->is_default);
}

static void by_never(struct filter_probe *p, const void *item)
{
	filter_bool(p, false);
}

static void by_nothing(struct filter_probe *p, const void *item)
{
}

static void by_hostname_type(struct filter_probe *p, const void *item)
{
	filter_text(p, HOSTNAME_TYPE);
}

static void by_arn(struct filter_probe *p, const void *item)
{
	char text[ARN_SIZE];

	filter_text(p, ec2_arn(p->call, "subnet", item, text));
}

static void by_public(struct filter_probe *p, const void *item)
{
	filter_bool(p, ((const struct subnet *)item)->map_public_ip);
}

static void by_owner(struct filter_probe *p, const void *item)
{
	filter_owner(p, ((const struct object *)item)->account);
}

static void by_state(struct filter_probe *p, const void *item)
{
	filter_text(p, "available");
}

static void by_id(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_SUBNET, ((const struct object *)item)->id);
}

static void by_vpc(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_VPC, ((const struct subnet *)item)->vpc);
}

static void by_association6(struct filter_probe *p, const void *item)
{
	const struct subnet *s = item;
	char text[ID_TEXT_SIZE];

	if (subnet_has_block6(s))
		filter_text(p, id_text_prefixed(ID_PREFIX_SUBNET_CIDR, s->association6, text));
}

static void by_block6(struct filter_probe *p, const void *item)
{
	const struct subnet *s = item;
	char text[PREFIX_TEXT_SIZE];

	if (subnet_has_block6(s))
		filter_text(p, prefix_text(&s->prefix6, text));
}

static void by_block6_state(struct filter_probe *p, const void *item)
{
	if (subnet_has_block6(item))
		filter_text(p, "associated");
}

const struct filter subnet_filters[] = {
	{"availability-zone", by_zone},
	{"availability-zone-id", by_zone_id},
	{"availabilityZone", by_zone},
	{"availabilityZoneId", by_zone_id},
	{"available-ip-address-count", by_available},
	{"cidr", by_cidr},
	{"cidr-block", by_cidr},
	{"cidrBlock", by_cidr},
	{"customer-owned-ipv4-pool", by_nothing},
	{"default-for-az", by_default},
	{"defaultForAz", by_default},
	{"enable-dns64", by_never},
	{"enable-lni-at-device-index", by_nothing},
	{"ipv6-cidr-block-association.association-id", by_association6},
	{"ipv6-cidr-block-association.ipv6-cidr-block", by_block6},
	{"ipv6-cidr-block-association.state", by_block6_state},
	{"ipv6-native", by_never},
	{"map-customer-owned-ip-on-launch", by_never},
	{"map-public-ip-on-launch", by_public},
	{"outpost-arn", by_nothing},
	{"owner-id", by_owner},
	{"private-dns-name-options-on-launch.enable-resource-name-dns-a-record", by_never},
	{"private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record", by_never},
	{"private-dns-name-options-on-launch.hostname-type", by_hostname_type},
	{"state", by_state},
	{"subnet-arn", by_arn},
	{"subnet-id", by_id},
	{"vpc-id", by_vpc},
	{},
};

static void write_item(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	write_subnet(c, (const struct subnet *)o);
	xml_close(c->xml);
}

int action_describe_subnets(struct ec2_call *c)
{
	static const struct describe_group groups[] = {
		{"subnet-id", KIND_SUBNET, REL_MAX},
		{"vpc-id", KIND_VPC, REL_VPC_SUBNETS},
		{},
	};
	static const struct describe d = {
		.kind = KIND_SUBNET,
		.ids = "SubnetId",
		.find = find,
		.filters = subnet_filters,
		.groups = groups,
		.write = write_item,
	};

	return describe_run(c, &d, "subnetSet", NULL, NULL);
}
