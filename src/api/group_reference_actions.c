/* SPDX-License-Identifier: Apache-2.0 */
/* Which security groups name groups of other VPCs, and which of these are gone. */
#include "api/describe.h"
#include "api/group_view.h"
#include "api/handlers.h"
#include "api/param.h"
#include "model/peering.h"
#include "model/vpc.h"

static uint64_t vpc_of(const struct model *m, uint64_t group)
{
	const struct security_group *g =
		(const struct security_group *)model_get(m, KIND_SECURITY_GROUP, group);

	return g ? g->vpc : 0;
}

/* Each VPC, but its own, that has a rule which names the group, once. */
static void write_references(struct ec2_call *c, const struct security_group *g)
{
	struct model_iter it = model_iter_group(c->model, REL_PEER_RULES, g->o.id);
	const struct group_rule *r, *other;

	while ((r = (const struct group_rule *)model_iter_next(&it))) {
		struct model_iter before = model_iter_group(c->model, REL_PEER_RULES, g->o.id);
		uint64_t vpc = vpc_of(c->model, r->group);

		do
			other = (const struct group_rule *)model_iter_next(&before);
		while (other != r && vpc_of(c->model, other->group) != vpc);
		if (other != r || vpc == g->vpc)
			continue;
		xml_open(c->xml, "item");
		ec2_write_id(c, "groupId", KIND_SECURITY_GROUP, g->o.id);
		ec2_write_id(c, "referencingVpcId", KIND_VPC, vpc);
		xml_close(c->xml);
	}
}

int action_describe_security_group_references(struct ec2_call *c)
{
	const struct security_group *g;
	const char *const *ids;
	size_t n;
	int r = param_list(c, "GroupId", &ids, &n);

	for (size_t i = 0; i < n && !r; i++)
		r = security_group_find(c->model, &c->caller, ids[i], &g, &c->refusal);
	if (r)
		return r;
	xml_open(c->xml, "securityGroupReferenceSet");
	for (size_t i = 0; i < n && !r; i++) {
		r = security_group_find(c->model, &c->caller, ids[i], &g, &c->refusal);
		if (!r)
			write_references(c, g);
	}
	xml_close(c->xml);
	return r;
}

/* It names a group of another VPC that is not there any more, or whose VPC is not peered with any
 * more. */
static bool is_stale(const struct model *m, const struct group_rule *r)
{
	const uint64_t vpc = vpc_of(m, r->group);

	return r->end == RULE_END_GROUP && r->peer_vpc != vpc &&
	       (!model_get(m, KIND_SECURITY_GROUP, r->peer) || !peering_joins(m, vpc, r->peer_vpc));
}

static bool has_stale_rules(const struct ec2_call *c, const struct object *o)
{
	struct model_iter it = model_iter_group(c->model, REL_GROUP_RULES, o->id);
	const struct object *r;

	while ((r = model_iter_next(&it)))
		if (is_stale(c->model, (const struct group_rule *)r))
			return true;
	return false;
}

static void write_stale(struct ec2_call *c, const struct object *o)
{
	const struct security_group *g = (const struct security_group *)o;

	xml_open(c->xml, "item");
	xml_text(c->xml, "description", g->description);
	ec2_write_id(c, "groupId", KIND_SECURITY_GROUP, o->id);
	xml_text(c->xml, "groupName", g->name);
	group_write_permissions(c, "staleIpPermissions", o->id, false, is_stale);
	group_write_permissions(c, "staleIpPermissionsEgress", o->id, true, is_stale);
	ec2_write_id(c, "vpcId", KIND_VPC, g->vpc);
	xml_close(c->xml);
}

int action_describe_stale_security_groups(struct ec2_call *c)
{
	struct model_iter it;
	const struct object *o;
	struct page_run page;
	const struct vpc *v;
	int r = vpc_find(c->model, &c->caller, param_text(c, "VpcId"), &v, &c->refusal);

	if (!r)
		r = page_run_begin(c, &page);
	if (r)
		return r;
	it = model_iter_group(c->model, REL_VPC_GROUPS, v->o.id);
	if (page.begun_before)
		model_iter_skip(c->model, &it, KIND_SECURITY_GROUP, page.after.id,
				page.after.serial);
	xml_open(c->xml, "staleSecurityGroupSet");
	while ((o = model_iter_next(&it))) {
		if (!has_stale_rules(c, o))
			continue;
		if (!page_run_admit(&page))
			break;
		write_stale(c, o);
		page.last = (struct page_mark){
			.kind = KIND_SECURITY_GROUP, .id = o->id, .serial = o->serial};
	}
	xml_close(c->xml);
	return page_run_end(c, &page);
}
