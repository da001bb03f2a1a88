/* SPDX-License-Identifier: Apache-2.0 */
#include "api/rule_params.h"

#include <string.h>

#include "api/param.h"
#include "model/default_vpc.h"
#include "model/security_group.h"

struct reading {
	struct rule_args *rules;
	size_t n, allocated;
};

/* PREFIX.INDEX.NAME of a list */
static const char *at(struct ec2_call *c, const char *list, uint32_t index, const char *name)
{
	const char *full = param_name(c, "%s.%u.%s", list, index, name);

	return full ? param_text(c, full) : NULL;
}

static struct rule_args *add(struct ec2_call *c, struct reading *r, const struct rule_args *common)
{
	struct rule_args *rules;
	size_t more;

	if (r->n == r->allocated) {
		more = r->allocated ? 2 * r->allocated : 8;
		rules = arena_alloc_array(c->arena, more, sizeof(*rules));
		if (!rules)
			return NULL;
		if (r->n)
			memcpy(rules, r->rules, r->n * sizeof(*rules));
		r->rules = rules;
		r->allocated = more;
	}
	r->rules[r->n] = *common;
	return &r->rules[r->n++];
}

static void set_end(struct ec2_call *c, const char *list, uint32_t index, const char *kind,
		    struct rule_args *rule)
{
	rule->description = at(c, list, index, "Description");
	if (!strcmp(kind, "IpRanges"))
		rule->cidr = at(c, list, index, "CidrIp");
	else if (!strcmp(kind, "Ipv6Ranges"))
		rule->cidr6 = at(c, list, index, "CidrIpv6");
	else if (!strcmp(kind, "PrefixListIds"))
		rule->list_id = at(c, list, index, "PrefixListId");
	else {
		rule->group_id = at(c, list, index, "GroupId");
		rule->user_id = at(c, list, index, "UserId");
		if (!rule->group_id)
			rule->group_name = at(c, list, index, "GroupName");
	}
}

/* All ends of one kind of one permission. */
static int read_ends(struct ec2_call *c, uint32_t permission, const char *kind,
		     const struct rule_args *common, struct reading *reading)
{
	const char *list = param_name(c, "IpPermissions.%u.%s", permission, kind);
	const uint32_t *indices;
	size_t n;
	int r;

	if (!list)
		return -ENOMEM;
	r = param_indices(c, list, &indices, &n);
	for (size_t i = 0; i < n && !r; i++) {
		struct rule_args *rule = add(c, reading, common);

		if (!rule)
			return -ENOMEM;
		set_end(c, list, indices[i], kind, rule);
	}
	return r;
}

static int read_permission(struct ec2_call *c, uint32_t index, struct reading *reading)
{
	static const char *const kinds[] = {"IpRanges", "Ipv6Ranges", "PrefixListIds", "Groups"};
	const char *protocol = param_name(c, "IpPermissions.%u.IpProtocol", index);
	const char *from = param_name(c, "IpPermissions.%u.FromPort", index);
	const char *to = param_name(c, "IpPermissions.%u.ToPort", index);
	size_t before = reading->n;
	struct rule_args common = {};
	int r = 0;

	if (!protocol || !from || !to)
		return -ENOMEM;
	common.protocol = param_text(c, protocol);
	common.from = param_i32(c, from);
	common.to = param_i32(c, to);
	if (!common.protocol)
		return ec2_refuse_missing(c, protocol);
	for (size_t k = 0; k < ARRAY_SIZE(kinds) && !r; k++)
		r = read_ends(c, index, kinds[k], &common, reading);
	if (!r && reading->n == before)
		r = ec2_refuse(c, 400, "MissingParameter",
			       "Permission %u names no IpRanges, Ipv6Ranges, PrefixListIds or "
			       "UserIdGroupPairs",
			       index);
	return r;
}

/* One rule, said without a list. */
static int read_flat(struct ec2_call *c, struct reading *reading)
{
	const struct rule_args flat = {
		.protocol = param_text(c, "IpProtocol"),
		.from = param_i32(c, "FromPort"),
		.to = param_i32(c, "ToPort"),
		.cidr = param_text(c, "CidrIp"),
		.group_name = param_text(c, "SourceSecurityGroupName"),
		.user_id = param_text(c, "SourceSecurityGroupOwnerId"),
	};

	if (!flat.protocol && !flat.cidr && !flat.group_name && !flat.from && !flat.to)
		return 0;
	if (reading->n)
		return ec2_refuse(c, 400, "InvalidParameterCombination",
				  "Name rules by IpPermissions, or one by CidrIp or "
				  "SourceSecurityGroupName, not both ways");
	return add(c, reading, &flat) ? 0 : -ENOMEM;
}

int rule_params(struct ec2_call *c, const struct rule_args **ret, size_t *ret_n)
{
	struct reading reading = {};
	const uint32_t *indices;
	size_t n;
	int r = param_indices(c, "IpPermissions", &indices, &n);

	for (size_t i = 0; i < n && !r; i++)
		r = read_permission(c, indices[i], &reading);
	if (!r)
		r = read_flat(c, &reading);
	*ret = reading.rules;
	*ret_n = reading.n;
	return r;
}

int rule_params_named(struct ec2_call *c, const char *name, const char **ret_id)
{
	const struct vpc *v = default_vpc_of(c->model, c->caller.account);
	const struct security_group *g = v ? security_group_by_name(c->model, v->o.id, name) : NULL;
	char id[ID_TEXT_SIZE];

	if (!v)
		return ec2_refuse(
			c, 400, "VPCIdNotSpecified",
			"No default VPC for this user: name the security group by its id");
	if (!g)
		return ec2_refuse(c, 400, "InvalidGroup.NotFound",
				  "The security group '%.255s' does not exist in default VPC '%s'",
				  name, object_id_text(&v->o, id));
	*ret_id = arena_strdup(c->arena, object_id_text(&g->o, id));
	return *ret_id ? 0 : -ENOMEM;
}

int rule_params_group(struct ec2_call *c, const char **ret_id)
{
	const char *id = param_text(c, "GroupId"), *name = param_text(c, "GroupName");

	if (id && name)
		return ec2_refuse(c, 400, "InvalidParameterCombination",
				  "GroupId and GroupName exclude each other");
	if (id) {
		*ret_id = id;
		return 0;
	}
	if (!name)
		return ec2_refuse_missing(c, "GroupId");
	return rule_params_named(c, name, ret_id);
}
