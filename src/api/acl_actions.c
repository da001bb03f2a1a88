/* SPDX-License-Identifier: Apache-2.0 */
/* Network ACLs; acl_filters.c says what they can be found by. */
#include "api/acl_view.h"
#include "api/describe.h"
#include "api/handlers.h"
#include "api/param.h"
#include "model/network_acl.h"
#include "model/subnet.h"
#include "model/vpc.h"

#include <stdio.h>

static void write_number(struct ec2_call *c, const char *name, int32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", value);
	xml_text(c->xml, name, text);
}

static void write_range(struct ec2_call *c, const struct traffic *t)
{
	int32_t from, to;

	traffic_range(t, &from, &to);
	if (traffic_is_icmp(t)) {
		xml_open(c->xml, "icmpTypeCode");
		write_number(c, "code", to);
		write_number(c, "type", from);
		xml_close(c->xml);
	} else if (traffic_has_ports(t)) {
		xml_open(c->xml, "portRange");
		write_number(c, "from", from);
		write_number(c, "to", to);
		xml_close(c->xml);
	}
}

static void write_entry(struct ec2_call *c, const struct acl_entry *e)
{
	char text[TRAFFIC_TEXT_SIZE];

	xml_open(c->xml, "item");
	xml_u64(c->xml, "ruleNumber", e->rule);
	xml_text(c->xml, "protocol", traffic_number(&e->traffic, text));
	xml_text(c->xml, "ruleAction", e->allow ? "allow" : "deny");
	xml_bool(c->xml, "egress", e->egress);
	ec2_write_prefix(c, prefix_is_v4(&e->prefix) ? "cidrBlock" : "ipv6CidrBlock", &e->prefix);
	write_range(c, &e->traffic);
	xml_close(c->xml);
}

size_t acl_last_entries(const struct model *m, const struct network_acl *a, bool egress,
			struct acl_entry ret[static 2])
{
	const struct vpc *v = (const struct vpc *)model_get(m, KIND_VPC, a->vpc);
	const struct traffic all = {.protocol = TRAFFIC_ANY, .to = TRAFFIC_MAX};

	ret[0] = (struct acl_entry){
		.rule = ACL_RULE_LAST, .egress = egress, .traffic = all, .prefix = prefix_v4(0, 0)};
	ret[1] = (struct acl_entry){.rule = ACL_RULE_LAST6, .egress = egress, .traffic = all};
	return v && vpc_has_v6(v) ? 2 : 1;
}

static void write_entries(struct ec2_call *c, const struct network_acl *a)
{
	struct acl_entry last[2];

	xml_open(c->xml, "entrySet");
	for (size_t egress = 2; egress--;) {
		size_t n = acl_last_entries(c->model, a, egress, last);

		for (size_t i = 0; i < a->n_entries; i++)
			if (a->entries[i].egress == egress)
				write_entry(c, &a->entries[i]);
		for (size_t i = 0; i < n; i++)
			write_entry(c, &last[i]);
	}
	xml_close(c->xml);
}

static void write_associations(struct ec2_call *c, const struct network_acl *a)
{
	struct model_iter it = model_iter_group(c->model, REL_ACL_SUBNETS, a->o.id);
	const struct subnet *s;
	char text[ID_TEXT_SIZE];

	xml_open(c->xml, "associationSet");
	while ((s = (const struct subnet *)model_iter_next(&it))) {
		xml_open(c->xml, "item");
		xml_text(c->xml, "networkAclAssociationId",
			 id_text_prefixed(ID_PREFIX_ACL_ASSOCIATION, s->acl_association, text));
		ec2_write_id(c, "networkAclId", KIND_NETWORK_ACL, a->o.id);
		ec2_write_id(c, "subnetId", KIND_SUBNET, s->o.id);
		xml_close(c->xml);
	}
	xml_close(c->xml);
}

static void write_acl(struct ec2_call *c, const struct network_acl *a)
{
	ec2_write_id(c, "networkAclId", KIND_NETWORK_ACL, a->o.id);
	ec2_write_id(c, "vpcId", KIND_VPC, a->vpc);
	ec2_write_owner(c, "ownerId", a->o.account);
	xml_bool(c->xml, "default", a->is_default);
	write_entries(c, a);
	write_associations(c, a);
	ec2_write_tags(c, &a->o);
}

int action_create_network_acl(struct ec2_call *c)
{
	static const char *const taggable[] = {"network-acl", NULL};
	struct network_acl_create_args args = {.vpc_id = param_text(c, "VpcId")};
	const struct network_acl *a;
	int r;

	r = param_tag_specification(c, "network-acl", taggable, &args.tags, &args.n_tags);
	if (!r)
		r = param_token(c, &args.token);
	if (!r)
		r = network_acl_create(c->tx, &c->caller, &args, &a, &c->refusal);
	if (r)
		return r;
	xml_open(c->xml, "networkAcl");
	write_acl(c, a);
	xml_close(c->xml);
	if (args.token.token)
		xml_text(c->xml, "clientToken", args.token.token);
	return 0;
}

int action_delete_network_acl(struct ec2_call *c)
{
	int r = network_acl_delete(c->tx, &c->caller, param_text(c, "NetworkAclId"), &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

static struct acl_entry_args read_entry(struct ec2_call *c)
{
	return (struct acl_entry_args){
		.acl_id = param_text(c, "NetworkAclId"),
		.rule = param_u32(c, "RuleNumber", 0),
		.egress = param_is_true(c, "Egress"),
		.protocol = param_text(c, "Protocol"),
		.action = param_text(c, "RuleAction"),
		.cidr = param_text(c, "CidrBlock"),
		.cidr6 = param_text(c, "Ipv6CidrBlock"),
		.from = param_i32(c, "PortRange.From"),
		.to = param_i32(c, "PortRange.To"),
		.type = param_i32(c, "Icmp.Type"),
		.code = param_i32(c, "Icmp.Code"),
	};
}

int action_create_network_acl_entry(struct ec2_call *c)
{
	struct acl_entry_args args = read_entry(c);
	int r = network_acl_add(c->tx, &c->caller, &args, &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

int action_replace_network_acl_entry(struct ec2_call *c)
{
	struct acl_entry_args args = read_entry(c);
	int r = network_acl_replace(c->tx, &c->caller, &args, &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

int action_delete_network_acl_entry(struct ec2_call *c)
{
	int r = network_acl_remove(c->tx, &c->caller, param_text(c, "NetworkAclId"),
				   param_u32(c, "RuleNumber", 0), param_is_true(c, "Egress"),
				   &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

int action_replace_network_acl_association(struct ec2_call *c)
{
	char text[ID_TEXT_SIZE];
	uint64_t id;
	int r = network_acl_associate(c->tx, &c->caller, param_text(c, "AssociationId"),
				      param_text(c, "NetworkAclId"), &id, &c->refusal);

	if (r)
		return r;
	xml_text(c->xml, "newAssociationId", id_text_prefixed(ID_PREFIX_ACL_ASSOCIATION, id, text));
	return 0;
}

static int find(const struct model *m, const struct caller *caller, const char *id,
		const struct object **ret, struct refusal *reterr)
{
	const struct network_acl *a;
	int r = network_acl_find(m, caller, id, &a, reterr);

	if (!r)
		*ret = &a->o;
	return r;
}

static void write_item(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	write_acl(c, (const struct network_acl *)o);
	xml_close(c->xml);
}

int action_describe_network_acls(struct ec2_call *c)
{
	static const struct describe_group groups[] = {
		{"network-acl-id", KIND_NETWORK_ACL, REL_MAX},
		{"vpc-id", KIND_VPC, REL_VPC_ACLS},
		{},
	};
	static const struct describe d = {
		.kind = KIND_NETWORK_ACL,
		.ids = "NetworkAclId",
		.find = find,
		.filters = acl_filters,
		.groups = groups,
		.write = write_item,
	};

	return describe_run(c, &d, "networkAclSet", NULL, NULL);
}
