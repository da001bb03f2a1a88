/* SPDX-License-Identifier: Apache-2.0 */
/* What a host is told of policy: security groups and network ACLs. */
#include "manager/message_build.h"

static void fill_rule(Viaduct__Agent__Rule *message, const struct plan_rule *rule)
{
	viaduct__agent__rule__init(message);
	message->egress = rule->egress;
	message->protocol = rule->traffic.protocol;
	message->from = rule->traffic.from;
	message->to = rule->traffic.to;
	message->group = rule->group;
	if (rule->group)
		return;
	message->prefix = message_bytes(&rule->prefix.addr);
	message->prefix_len = rule->prefix.len;
}

int message_set_group(struct message *c, const struct plan_group *group)
{
	Viaduct__Agent__Rule **rules = (Viaduct__Agent__Rule **)message_alloc(
		c, group->n_rules, sizeof(Viaduct__Agent__Rule));

	if (!rules)
		return -ENOMEM;
	for (size_t i = 0; i < group->n_rules; i++)
		fill_rule(rules[i], &group->rules[i]);
	viaduct__agent__security_group__init(&c->group);
	c->group.number = group->number;
	c->group.id = (char *)group->id;
	c->group.n_rules = group->n_rules;
	c->group.rules = rules;
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_GROUP;
	c->object.group = &c->group;
	return 0;
}

static void fill_entry(Viaduct__Agent__AclEntry *message, const struct plan_rule *entry)
{
	viaduct__agent__acl_entry__init(message);
	message->egress = entry->egress;
	message->allow = entry->allow;
	message->protocol = entry->traffic.protocol;
	message->from = entry->traffic.from;
	message->to = entry->traffic.to;
	message->prefix = message_bytes(&entry->prefix.addr);
	message->prefix_len = entry->prefix.len;
	message->rule_number = entry->number;
}

int message_set_acl(struct message *c, const struct plan_acl *acl)
{
	Viaduct__Agent__AclEntry **entries = (Viaduct__Agent__AclEntry **)message_alloc(
		c, acl->n_entries, sizeof(Viaduct__Agent__AclEntry));

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < acl->n_entries; i++)
		fill_entry(entries[i], &acl->entries[i]);
	viaduct__agent__acl__init(&c->acl);
	c->acl.number = acl->number;
	c->acl.id = (char *)acl->id;
	c->acl.n_entries = acl->n_entries;
	c->acl.entries = entries;
	c->object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_ACL;
	c->object.acl = &c->acl;
	return 0;
}
