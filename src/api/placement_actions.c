/* SPDX-License-Identifier: Apache-2.0 */
/* Placement groups, and the group of a stopped instance. */
#include "api/describe.h"
#include "api/handlers.h"
#include "api/param.h"
#include "api/placement_view.h"
#include "model/instance.h"
#include "model/placement_group.h"

#include <stdio.h>
#include <string.h>

static const char *arn_of(const struct ec2_call *c, const struct placement_group *g,
			  char buf[static 512])
{
	char account[ACCOUNT_TEXT_SIZE];

	snprintf(buf, 512, "arn:aws:ec2:%s:%s:placement-group/%s", model_region(c->model),
		 account_text(g->o.account, account), g->name);
	return buf;
}

static void write_group(struct ec2_call *c, const struct placement_group *g)
{
	char arn[512];

	xml_text(c->xml, "groupName", g->name);
	xml_text(c->xml, "state", "available");
	xml_text(c->xml, "strategy", placement_group_strategy_text(g->strategy));
	if (g->strategy == PLACEMENT_PARTITION)
		xml_u64(c->xml, "partitionCount", g->partitions);
	ec2_write_id(c, "groupId", KIND_PLACEMENT_GROUP, g->o.id);
	ec2_write_tags(c, &g->o);
	xml_text(c->xml, "groupArn", arn_of(c, g, arn));
	if (g->strategy == PLACEMENT_SPREAD)
		xml_text(c->xml, "spreadLevel", g->by_host ? "host" : "rack");
}

int action_create_placement_group(struct ec2_call *c)
{
	static const char *const taggable[] = {"placement-group", NULL};
	uint32_t partitions = param_u32(c, "PartitionCount", 0);
	struct placement_group_create_args args = {
		.name = param_text(c, "GroupName"),
		.strategy = param_text(c, "Strategy"),
		.partitions = param_text(c, "PartitionCount") ? &partitions : NULL,
		.spread_level = param_text(c, "SpreadLevel"),
	};
	const struct placement_group *g;
	int r;

	r = param_tag_specification(c, taggable[0], taggable, &args.tags, &args.n_tags);
	if (!r)
		r = placement_group_create(c->tx, &c->caller, &args, &g, &c->refusal);
	if (r)
		return r;
	xml_open(c->xml, "placementGroup");
	write_group(c, g);
	xml_close(c->xml);
	return 0;
}

int action_delete_placement_group(struct ec2_call *c)
{
	int r = placement_group_delete(c->tx, &c->caller, param_text(c, "GroupName"), &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

/* ---- describing ---- */

#define GROUP ((const struct placement_group *)item)

static void by_name(struct filter_probe *p, const void *item)
{
	filter_text(p, GROUP->name);
}

static void by_arn(struct filter_probe *p, const void *item)
{
	char arn[512];

	filter_text(p, arn_of(p->call, GROUP, arn));
}

static void by_level(struct filter_probe *p, const void *item)
{
	if (GROUP->strategy == PLACEMENT_SPREAD)
		filter_text(p, GROUP->by_host ? "host" : "rack");
}

static void by_state(struct filter_probe *p, const void *item)
{
	filter_text(p, "available");
}

static void by_strategy(struct filter_probe *p, const void *item)
{
	filter_text(p, placement_group_strategy_text(GROUP->strategy));
}

const struct filter placement_group_filters[] = {
	{"group-arn", by_arn}, {"group-name", by_name},   {"spread-level", by_level},
	{"state", by_state},   {"strategy", by_strategy}, {},
};

static int find_group(const struct model *m, const struct caller *caller, const char *id,
		      const struct object **ret, struct refusal *reterr)
{
	const struct placement_group *g;
	int r = placement_group_find(m, caller, id, &g, reterr);

	if (!r)
		*ret = &g->o;
	return r;
}

static void show_group(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	write_group(c, (const struct placement_group *)o);
	xml_close(c->xml);
}

static bool is_named(const struct ec2_call *c, const struct object *o)
{
	const char *const *names;
	size_t n;

	if (param_list(c, "GroupName", &names, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], ((const struct placement_group *)o)->name))
			return true;
	return !n;
}

/* Each name must be that of a group. */
static int check_names(struct ec2_call *c)
{
	const char *const *names;
	size_t n;
	int r = param_list(c, "GroupName", &names, &n);

	for (size_t i = 0; i < n && !r; i++)
		if (!placement_group_named(c->model, c->caller.account, names[i]))
			r = refuse(&c->refusal, MODEL_E_PLACEMENT_GROUP_UNKNOWN, names[i]);
	return r;
}

int action_describe_placement_groups(struct ec2_call *c)
{
	static const struct describe d = {
		.kind = KIND_PLACEMENT_GROUP,
		.ids = "GroupId",
		.find = find_group,
		.filters = placement_group_filters,
		.write = show_group,
		.shows = is_named,
	};
	int r = check_names(c);

	return r ? r : describe_run(c, &d, "placementGroupSet", NULL, NULL);
}

/* ---- instances ---- */

int placement_check_tenancy(struct ec2_call *c, const char *prefix)
{
	const char *tenancy = param_text(c, param_name(c, "%sTenancy", prefix));
	const char *affinity = param_text(c, param_name(c, "%sAffinity", prefix));

	if (tenancy && strcmp(tenancy, "default") && strcmp(tenancy, "dedicated") &&
	    strcmp(tenancy, "host"))
		return ec2_refuse_value(c, "tenancy", tenancy, "It is default, dedicated or host.");
	if (affinity && strcmp(affinity, "default") && strcmp(affinity, "host"))
		return ec2_refuse_value(c, "affinity", affinity, "It is default or host.");
	if (tenancy && strcmp(tenancy, "default"))
		return ec2_refuse_unsupported(c, "Tenancy other than default: dedicated hosts");
	if (affinity && strcmp(affinity, "default"))
		return ec2_refuse_unsupported(c, "Affinity to a dedicated host");
	return 0;
}

int placement_read_group(struct ec2_call *c, const char *prefix, struct placement_group_args *ret)
{
	const char *number = param_name(c, "%sPartitionNumber", prefix);
	uint32_t *partition = arena_alloc(c->arena, sizeof(*partition));

	if (!number || !partition)
		return -ENOMEM;
	*partition = param_u32(c, number, 0);
	*ret = (struct placement_group_args){
		.name = param_text(c, param_name(c, "%sGroupName", prefix)),
		.id = param_text(c, param_name(c, "%sGroupId", prefix)),
		.partition = param_text(c, number) ? partition : NULL,
	};
	return 0;
}

int action_modify_instance_placement(struct ec2_call *c)
{
	struct instance_place_args args = {.instance_id = param_text(c, "InstanceId")};
	int r = placement_check_tenancy(c, "");

	if (!r)
		r = placement_read_group(c, "", &args.group);
	if (!r)
		r = instance_place(c->tx, &c->caller, &args, &c->refusal);
	if (!r)
		ec2_write_return(c);
	return r;
}

void placement_write(struct ec2_call *c, const struct instance *i)
{
	const struct placement_group *g = (const struct placement_group *)model_get(
		c->model, KIND_PLACEMENT_GROUP, i->placement_group);

	xml_open(c->xml, "placement");
	xml_text(c->xml, "availabilityZone", i->zone);
	xml_text(c->xml, "groupName", g ? g->name : "");
	if (g)
		ec2_write_id(c, "groupId", KIND_PLACEMENT_GROUP, g->o.id);
	if (g && i->partition)
		xml_u64(c->xml, "partitionNumber", i->partition);
	xml_text(c->xml, "tenancy", "default");
	xml_close(c->xml);
}
