/* SPDX-License-Identifier: Apache-2.0 */
/* Regions, zones, what an account may have: facts about the cluster. */
#include "api/filter.h"
#include "api/handlers.h"
#include "api/param.h"
#include "base/limits.h"
#include "model/account.h"
#include "model/default_vpc.h"

#include <stdio.h>
#include <string.h>

static const struct object untagged;

const char *zone_id_text(const struct model *m, const char *zone, char buf[static ZONE_ID_SIZE])
{
	for (size_t i = 0; i < MODEL_ZONES; i++)
		if (!strcmp(model_zone(m, i), zone))
			return zone_id(m, i, buf);
	return NULL;
}

static bool is_named(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i], name))
			return true;
	return !n;
}

struct zone {
	const char *name;
	char id[ZONE_ID_SIZE];
	const char *region;
	const char *state;
};

#define ITEM ((const struct zone *)item)

static void by_zone_name(struct filter_probe *p, const void *item)
{
	filter_text(p, ITEM->name);
}

static void by_zone_id(struct filter_probe *p, const void *item)
{
	filter_text(p, ITEM->id);
}

static void by_region(struct filter_probe *p, const void *item)
{
	filter_text(p, ITEM->region);
}

static void by_state(struct filter_probe *p, const void *item)
{
	filter_text(p, "available");
}

static void by_type(struct filter_probe *p, const void *item)
{
	filter_text(p, "availability-zone");
}

static void by_opt_in(struct filter_probe *p, const void *item)
{
	filter_text(p, "opt-in-not-required");
}

/* Of local zones alone. */
static void by_nothing(struct filter_probe *p, const void *item)
{
}

const struct filter zone_filters[] = {
	{"group-long-name", by_nothing}, {"group-name", by_region},
	{"message", by_nothing},         {"opt-in-status", by_opt_in},
	{"parent-zone-id", by_nothing},  {"parent-zone-name", by_nothing},
	{"parent-zoneID", by_nothing},   {"parent-zoneName", by_nothing},
	{"region-name", by_region},      {"state", by_state},
	{"zone-id", by_zone_id},         {"zone-name", by_zone_name},
	{"zone-type", by_type},          {},
};

static void write_zone(struct ec2_call *c, const struct zone *z)
{
	xml_open(c->xml, "item");
	xml_text(c->xml, "zoneName", z->name);
	xml_text(c->xml, "zoneState", "available");
	xml_text(c->xml, "regionName", z->region);
	xml_empty(c->xml, "messageSet");
	xml_text(c->xml, "zoneId", z->id);
	xml_text(c->xml, "optInStatus", "opt-in-not-required");
	xml_text(c->xml, "groupName", z->region);
	xml_text(c->xml, "networkBorderGroup", z->region);
	xml_text(c->xml, "zoneType", "availability-zone");
	xml_close(c->xml);
}

static void read_zone(const struct ec2_call *c, size_t i, struct zone *ret)
{
	*ret = (struct zone){.name = model_zone(c->model, i), .region = model_region(c->model)};
	zone_id(c->model, i, ret->id);
}

/* Each name must be that of a zone. */
static int check_zone_names(struct ec2_call *c, const char *const *names, size_t n, bool ids)
{
	struct zone z;

	for (size_t i = 0; i < n; i++) {
		size_t k;

		for (k = 0; k < MODEL_ZONES; k++) {
			read_zone(c, k, &z);
			if (!strcmp(names[i], ids ? z.id : z.name))
				break;
		}
		if (k == MODEL_ZONES)
			return ec2_refuse(c, 400, "InvalidParameterValue",
					  "Invalid availability zone: [%.100s]", names[i]);
	}
	return 0;
}

int action_describe_availability_zones(struct ec2_call *c)
{
	const char *const *names, *const *ids;
	struct filter_set filters;
	size_t n_names, n_ids;
	struct zone z;
	int r;

	r = filter_parse(c, zone_filters, false, &filters);
	if (!r)
		r = param_list(c, "ZoneName", &names, &n_names);
	if (!r)
		r = param_list(c, "ZoneId", &ids, &n_ids);
	if (!r)
		r = check_zone_names(c, names, n_names, false);
	if (!r)
		r = check_zone_names(c, ids, n_ids, true);
	if (r)
		return r;
	xml_open(c->xml, "availabilityZoneInfo");
	for (size_t i = 0; i < MODEL_ZONES; i++) {
		read_zone(c, i, &z);
		if (is_named(names, n_names, z.name) && is_named(ids, n_ids, z.id) &&
		    filter_passes(c, &filters, &z, &untagged))
			write_zone(c, &z);
	}
	xml_close(c->xml);
	return 0;
}

static void by_endpoint(struct filter_probe *p, const void *item)
{
	char text[128];

	snprintf(text, sizeof(text), "ec2.%s.amazonaws.com", ITEM->region);
	filter_text(p, text);
}

const struct filter region_filters[] = {
	{"endpoint", by_endpoint},
	{"opt-in-status", by_opt_in},
	{"region-name", by_region},
	{},
};

int action_describe_regions(struct ec2_call *c)
{
	struct zone z = {.region = model_region(c->model)};
	struct filter_set filters;
	const char *const *names;
	char endpoint[128];
	size_t n;
	int r;

	r = filter_parse(c, region_filters, false, &filters);
	if (!r)
		r = param_list(c, "RegionName", &names, &n);
	if (r)
		return r;
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], z.region))
			return ec2_refuse(c, 400, "InvalidParameterValue",
					  "Invalid region name: [%.100s]", names[i]);
	xml_open(c->xml, "regionInfo");
	if (filter_passes(c, &filters, &z, &untagged)) {
		snprintf(endpoint, sizeof(endpoint), "ec2.%s.amazonaws.com", z.region);
		xml_open(c->xml, "item");
		xml_text(c->xml, "regionName", z.region);
		xml_text(c->xml, "regionEndpoint", endpoint);
		xml_text(c->xml, "optInStatus", "opt-in-not-required");
		xml_close(c->xml);
	}
	xml_close(c->xml);
	return 0;
}

/* Which of the account's limits says. */
#define GROUPS_ATTRIBUTE "vpc-max-security-groups-per-interface"

/* As numbers in text, for EC2 has them so. */
static const struct {
	const char *name;
	const char *text;
	unsigned int number;
} attributes[] = {
	{"supported-platforms", "VPC", 0},
	{"default-vpc", "none", 0},
	{"max-instances", NULL, LIMIT_MODEL_INSTANCES},
	{GROUPS_ATTRIBUTE, NULL, 0},
	{"max-elastic-ips", "0", 0},
	{"vpc-max-elastic-ips", "0", 0},
};

int action_describe_account_attributes(struct ec2_call *c)
{
	const struct vpc *vpc = default_vpc_of(c->model, c->caller.account);
	const char *const *names;
	char number[16];
	size_t n;
	int r;

	r = param_list(c, "AttributeName", &names, &n);
	if (r)
		return r;
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < ARRAY_SIZE(attributes) && strcmp(attributes[k].name, names[i]))
			k++;
		if (k == ARRAY_SIZE(attributes))
			return ec2_refuse_value(c, "attributeName", names[i], "Unknown attribute.");
	}
	xml_open(c->xml, "accountAttributeSet");
	for (size_t k = 0; k < ARRAY_SIZE(attributes); k++) {
		if (!is_named(names, n, attributes[k].name))
			continue;
		snprintf(number, sizeof(number), "%u",
			 strcmp(attributes[k].name, GROUPS_ATTRIBUTE)
				 ? attributes[k].number
				 : account_limits(c->model, c->caller.account).interface_groups);
		xml_open(c->xml, "item");
		xml_text(c->xml, "attributeName", attributes[k].name);
		xml_open(c->xml, "attributeValueSet");
		xml_open(c->xml, "item");
		if (!strcmp(attributes[k].name, "default-vpc") && vpc)
			ec2_write_id(c, "attributeValue", KIND_VPC, vpc->o.id);
		else
			xml_text(c->xml, "attributeValue",
				 attributes[k].text ? attributes[k].text : number);
		xml_close(c->xml);
		xml_close(c->xml);
		xml_close(c->xml);
	}
	xml_close(c->xml);
	return 0;
}
