/* SPDX-License-Identifier: Apache-2.0 */
/* What network ACLs can be found by. */
#include "api/acl_view.h"
#include "api/filter.h"
#include "api/handlers.h"
#include "model/network_acl.h"
#include "model/subnet.h"

#define ITEM ((const struct network_acl *)item)

static void by_id(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_NETWORK_ACL, ITEM->o.id);
}

static void by_default(struct filter_probe *p, const void *item)
{
	filter_bool(p, ITEM->is_default);
}

static void by_owner(struct filter_probe *p, const void *item)
{
	filter_owner(p, ITEM->o.account);
}

static void by_vpc(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_VPC, ITEM->vpc);
}

static void by_association(struct filter_probe *p, const void *item)
{
	struct model_iter it = model_iter_group(p->call->model, REL_ACL_SUBNETS, ITEM->o.id);
	const struct subnet *s;
	char text[ID_TEXT_SIZE];

	while ((s = (const struct subnet *)model_iter_next(&it)))
		filter_text(p,
			    id_text_prefixed(ID_PREFIX_ACL_ASSOCIATION, s->acl_association, text));
}

static void by_associated_acl(struct filter_probe *p, const void *item)
{
	if (model_group_count(p->call->model, REL_ACL_SUBNETS, ITEM->o.id))
		filter_id(p, KIND_NETWORK_ACL, ITEM->o.id);
}

static void by_subnet(struct filter_probe *p, const void *item)
{
	struct model_iter it = model_iter_group(p->call->model, REL_ACL_SUBNETS, ITEM->o.id);
	const struct object *o;

	while ((o = model_iter_next(&it)))
		filter_id(p, KIND_SUBNET, o->id);
}

/* ---- values of one entry ---- */

static void entry_cidr(struct filter_probe *p, const struct acl_entry *e)
{
	char text[PREFIX_TEXT_SIZE];

	if (prefix_is_v4(&e->prefix))
		filter_text(p, prefix_text(&e->prefix, text));
}

static void entry_cidr6(struct filter_probe *p, const struct acl_entry *e)
{
	char text[PREFIX_TEXT_SIZE];

	if (!prefix_is_v4(&e->prefix))
		filter_text(p, prefix_text(&e->prefix, text));
}

static void entry_egress(struct filter_probe *p, const struct acl_entry *e)
{
	filter_bool(p, e->egress);
}

static void filter_number(struct filter_probe *p, int32_t value)
{
	if (value < 0)
		filter_text(p, "-1");
	else
		filter_u64(p, (uint64_t)value);
}

static void entry_range(struct filter_probe *p, const struct acl_entry *e, bool icmp, bool last)
{
	int32_t from, to;

	if (icmp ? !traffic_is_icmp(&e->traffic) : !traffic_has_ports(&e->traffic))
		return;
	traffic_range(&e->traffic, &from, &to);
	filter_number(p, last ? to : from);
}

static void entry_type(struct filter_probe *p, const struct acl_entry *e)
{
	entry_range(p, e, true, false);
}

static void entry_code(struct filter_probe *p, const struct acl_entry *e)
{
	entry_range(p, e, true, true);
}

static void entry_from(struct filter_probe *p, const struct acl_entry *e)
{
	entry_range(p, e, false, false);
}

static void entry_to(struct filter_probe *p, const struct acl_entry *e)
{
	entry_range(p, e, false, true);
}

static void entry_protocol(struct filter_probe *p, const struct acl_entry *e)
{
	char text[TRAFFIC_TEXT_SIZE];

	filter_text(p, traffic_number(&e->traffic, text));
	filter_text(p, traffic_name(&e->traffic, text));
}

static void entry_action(struct filter_probe *p, const struct acl_entry *e)
{
	filter_text(p, e->allow ? "allow" : "deny");
}

static void entry_number(struct filter_probe *p, const struct acl_entry *e)
{
	filter_u64(p, e->rule);
}

/* An ACL has the values of all its entries, the last ones too. */
static void ask_entries(struct filter_probe *p, const struct network_acl *a,
			void (*values)(struct filter_probe *p, const struct acl_entry *e))
{
	struct acl_entry last[2];

	for (size_t i = 0; i < a->n_entries; i++)
		values(p, &a->entries[i]);
	for (size_t egress = 0; egress < 2; egress++) {
		size_t n = acl_last_entries(p->call->model, a, egress, last);

		for (size_t i = 0; i < n; i++)
			values(p, &last[i]);
	}
}

#define BY_ENTRIES(name, values)                                                                   \
	static void name(struct filter_probe *p, const void *item)                                 \
	{                                                                                          \
		ask_entries(p, ITEM, values);                                                      \
	}

BY_ENTRIES(by_cidr, entry_cidr)
BY_ENTRIES(by_cidr6, entry_cidr6)
BY_ENTRIES(by_egress, entry_egress)
BY_ENTRIES(by_type, entry_type)
BY_ENTRIES(by_code, entry_code)
BY_ENTRIES(by_from, entry_from)
BY_ENTRIES(by_to, entry_to)
BY_ENTRIES(by_protocol, entry_protocol)
BY_ENTRIES(by_action, entry_action)
BY_ENTRIES(by_number, entry_number)

const struct filter acl_filters[] = {
	{"association.association-id", by_association},
	{"association.network-acl-id", by_associated_acl},
	{"association.subnet-id", by_subnet},
	{"default", by_default},
	{"entry.cidr", by_cidr},
	{"entry.egress", by_egress},
	{"entry.icmp.code", by_code},
	{"entry.icmp.type", by_type},
	{"entry.ipv6-cidr", by_cidr6},
	{"entry.port-range.from", by_from},
	{"entry.port-range.to", by_to},
	{"entry.protocol", by_protocol},
	{"entry.rule-action", by_action},
	{"entry.rule-number", by_number},
	{"id", by_id},
	{"network-acl-id", by_id},
	{"owner-id", by_owner},
	{"vpc-id", by_vpc},
	{},
};
