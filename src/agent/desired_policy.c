/* SPDX-License-Identifier: Apache-2.0 */
/* Security groups and ACLs. */
#include "agent/convert.h"
#include "agent/desired_take.h"

/* What rules and entries have in common. */
static const char *desired_check_match(uint32_t protocol, uint32_t from, uint32_t to)
{
	if (protocol > DP_PROTOCOL_ANY)
		return "a rule's protocol is above 256";
	if (from > to || to > UINT16_MAX)
		return "a rule's range of ports ends before it begins, or above 65535";
	return NULL;
}

static const char *desired_read_rule(const Viaduct__Agent__Rule *m, struct dp_rule *r)
{
	const char *text = desired_check_match(m->protocol, m->from, m->to);

	if (text)
		return text;
	if (!m->group && convert_any_prefix(&m->prefix, m->prefix_len, &r->prefix))
		return "a rule names neither a security group nor a prefix";
	r->egress = m->egress;
	r->protocol = (uint16_t)m->protocol;
	r->from = (uint16_t)m->from;
	r->to = (uint16_t)m->to;
	r->group = m->group;
	return NULL;
}

static const char *desired_read_group(const Viaduct__Agent__SecurityGroup *m,
				      struct desired_group *g)
{
	const char *text = NULL;

	if (!m->number)
		return "the security group has no number";
	if (convert_name(m->id, g->id, sizeof(g->id)))
		return "the security group's id is too long";
	for (size_t n = 0; !text && n < m->n_rules; n++)
		text = desired_read_rule(m->rules[n], &g->rules[n]);
	g->dp = (struct dp_group){.number = m->number, .n_rules = m->n_rules, .rules = g->rules};
	return text;
}

int desired_take_group(struct desired *d, const Viaduct__Agent__SecurityGroup *m,
		       struct desired_key *key, const char **text)
{
	struct desired_group *g = calloc(1, sizeof(*g) + m->n_rules * sizeof(g->rules[0]));

	*key = (struct desired_key){.kind = DESIRED_GROUP, .number = m->number};
	if (!g)
		return -ENOMEM;
	*text = desired_read_group(m, g);
	return desired_place(d, key, &g->item, *text);
}

static const char *desired_read_entry(const Viaduct__Agent__AclEntry *m, struct dp_acl_entry *e)
{
	const char *text = desired_check_match(m->protocol, m->from, m->to);

	if (text)
		return text;
	if (convert_any_prefix(&m->prefix, m->prefix_len, &e->prefix))
		return "an entry of the ACL has no prefix";
	e->egress = m->egress;
	e->allow = m->allow;
	e->protocol = (uint16_t)m->protocol;
	e->from = (uint16_t)m->from;
	e->to = (uint16_t)m->to;
	return NULL;
}

static const char *desired_read_acl(const Viaduct__Agent__Acl *m, struct desired_acl *a)
{
	const char *text = NULL;

	if (!m->number)
		return "the ACL has no number";
	if (convert_name(m->id, a->id, sizeof(a->id)))
		return "the ACL's id is too long";
	if (m->n_entries > DP_ACL_ENTRIES_MAX)
		return "the ACL has more than 80 entries";
	for (size_t n = 0; !text && n < m->n_entries; n++) {
		text = desired_read_entry(m->entries[n], &a->entries[n]);
		a->rule_numbers[n] = m->entries[n]->rule_number;
	}
	a->dp = (struct dp_acl){
		.number = m->number, .n_entries = m->n_entries, .entries = a->entries};
	return text;
}

int desired_take_acl(struct desired *d, const Viaduct__Agent__Acl *m, struct desired_key *key,
		     const char **text)
{
	struct desired_acl *a = calloc(1, sizeof(*a) + m->n_entries * sizeof(a->entries[0]));

	*key = (struct desired_key){.kind = DESIRED_ACL, .number = m->number};
	if (!a)
		return -ENOMEM;
	*text = desired_read_acl(m, a);
	return desired_place(d, key, &a->item, *text);
}
