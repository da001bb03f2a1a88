/* SPDX-License-Identifier: Apache-2.0 */
/* What interfaces can be found by. */
#include "api/filter.h"
#include "api/handlers.h"
#include "api/interface_view.h"
#include "model/elastic.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/names.h"
#include "model/subnet.h"

#define ITEM ((const struct interface *)item)

static void by_private_ip(struct filter_probe *p, const void *item)
{
	filter_addr(p, &ITEM->addrs[0].addr);
}

static void by_any_ip(struct filter_probe *p, const void *item)
{
	for (size_t k = 0; k < ITEM->n_addrs; k++)
		if (ipaddr_is_v4(&ITEM->addrs[k].addr))
			filter_addr(p, &ITEM->addrs[k].addr);
}

static void by_ipv6(struct filter_probe *p, const void *item)
{
	for (size_t k = 0; k < ITEM->n_addrs; k++)
		if (!ipaddr_is_v4(&ITEM->addrs[k].addr))
			filter_addr(p, &ITEM->addrs[k].addr);
}

static void by_primary(struct filter_probe *p, const void *item)
{
	for (size_t k = 0; k < ITEM->n_addrs; k++)
		if (ipaddr_is_v4(&ITEM->addrs[k].addr))
			filter_bool(p, !k);
}

static void by_dns_name(struct filter_probe *p, const void *item)
{
	char text[NAMES_SIZE];

	filter_text(p, names_private_dns(model_region(p->call->model), &ITEM->addrs[0].addr, text));
}

/* Filters about attachments: of a shared interface any of them counts. */
#define EACH_ATTACHMENT(a)                                                                         \
	(size_t n_ = 0;                                                                            \
	 n_ < interface_attachment_count(ITEM) && ((a) = interface_attachment(ITEM, n_)); n_++)

static void by_attachment_id(struct filter_probe *p, const void *item)
{
	const struct attachment *a;
	char text[ID_TEXT_SIZE];

	for
		EACH_ATTACHMENT(a)
	filter_text(p, id_text_prefixed(ID_PREFIX_ATTACHMENT, a->id, text));
}

static void by_attach_time(struct filter_probe *p, const void *item)
{
	const struct attachment *a;

	for
		EACH_ATTACHMENT(a)
	filter_time(p, a->attached_ms);
}

static void by_delete_on_termination(struct filter_probe *p, const void *item)
{
	const struct attachment *a;

	for
		EACH_ATTACHMENT(a)
	filter_bool(p, a->delete_on_termination);
}

static void by_device_index(struct filter_probe *p, const void *item)
{
	const struct attachment *a;

	for
		EACH_ATTACHMENT(a)
	filter_u64(p, a->device_index);
}

static void by_instance(struct filter_probe *p, const void *item)
{
	const struct attachment *a;

	for
		EACH_ATTACHMENT(a)
	if (a->instance)
		filter_id(p, KIND_INSTANCE, a->instance);
}

static void by_instance_owner(struct filter_probe *p, const void *item)
{
	const struct attachment *a;

	for
		EACH_ATTACHMENT(a)
	filter_owner(p, interface_view_instance_owner(p->call, a));
}

static void by_attachment_status(struct filter_probe *p, const void *item)
{
	const struct attachment *a;

	if (!interface_attachment_count(ITEM))
		filter_text(p, "detached");
	for
		EACH_ATTACHMENT(a)
	filter_text(p, attachment_state_text(a->state));
}

static void by_zone(struct filter_probe *p, const void *item)
{
	const struct subnet *s = interface_view_subnet(p->call, ITEM);

	filter_text(p, s ? s->zone : NULL);
}

static void by_zone_id(struct filter_probe *p, const void *item)
{
	const struct subnet *s = interface_view_subnet(p->call, ITEM);
	char text[ZONE_ID_SIZE];

	filter_text(p, s ? zone_id_text(p->call->model, s->zone, text) : NULL);
}

static void by_never(struct filter_probe *p, const void *item)
{
	filter_bool(p, false);
}

static void by_nothing(struct filter_probe *p, const void *item)
{
}

static void by_description(struct filter_probe *p, const void *item)
{
	filter_text(p, ITEM->description ? ITEM->description : "");
}

static void by_type(struct filter_probe *p, const void *item)
{
	filter_text(p, interface_view_type(ITEM));
}

static void by_mac(struct filter_probe *p, const void *item)
{
	char text[MAC_TEXT_SIZE];

	filter_text(p, mac_text(&ITEM->mac, text));
}

static void by_group(struct filter_probe *p, const void *item)
{
	for (size_t k = 0; k < ITEM->n_groups; k++)
		filter_id(p, KIND_SECURITY_GROUP, ITEM->groups[k].id);
}

static void by_group_name(struct filter_probe *p, const void *item)
{
	for (size_t k = 0; k < ITEM->n_groups; k++) {
		const struct security_group *g = (const struct security_group *)model_get(
			p->call->model, KIND_SECURITY_GROUP, ITEM->groups[k].id);

		filter_text(p, g ? g->name : NULL);
	}
}

static void by_id(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_INTERFACE, ITEM->o.id);
}

static void by_owner(struct filter_probe *p, const void *item)
{
	filter_owner(p, ITEM->o.account);
}

static void by_requester_managed(struct filter_probe *p, const void *item)
{
	filter_bool(p, ITEM->managed_by);
}

static void by_requester(struct filter_probe *p, const void *item)
{
	if (ITEM->managed_by)
		filter_text(p, "viaduct");
}

/* Calls 'fn' with what is associated with any of the addresses. */
static void each_elastic(struct filter_probe *p, const struct interface *i,
			 void (*fn)(struct filter_probe *p, const struct elastic *e))
{
	for (size_t k = 0; k < i->n_addrs; k++) {
		const struct elastic *e = elastic_of(p->call, i, &i->addrs[k].addr);

		if (e)
			fn(p, e);
	}
}

static void elastic_public(struct filter_probe *p, const struct elastic *e)
{
	filter_addr(p, &e->public);
}

static void elastic_allocation(struct filter_probe *p, const struct elastic *e)
{
	if (!e->automatic)
		filter_id(p, KIND_ADDRESS, e->o.id);
}

static void elastic_association(struct filter_probe *p, const struct elastic *e)
{
	char id[ID_TEXT_SIZE];

	if (!e->automatic)
		filter_text(p, id_text_prefixed(ID_PREFIX_ADDRESS_ASSOCIATION, e->association, id));
}

static void elastic_dns(struct filter_probe *p, const struct elastic *e)
{
	char text[NAMES_SIZE];

	filter_text(p, elastic_name(p->call, e, text));
}

static void by_ip_owner(struct filter_probe *p, const void *item)
{
	each_elastic(p, ITEM, elastic_filter_owner);
}

static void by_public_ip(struct filter_probe *p, const void *item)
{
	each_elastic(p, ITEM, elastic_public);
}

static void by_allocation(struct filter_probe *p, const void *item)
{
	each_elastic(p, ITEM, elastic_allocation);
}

static void by_association(struct filter_probe *p, const void *item)
{
	each_elastic(p, ITEM, elastic_association);
}

static void by_public_name(struct filter_probe *p, const void *item)
{
	each_elastic(p, ITEM, elastic_dns);
}

static void by_source_dest_check(struct filter_probe *p, const void *item)
{
	filter_bool(p, ITEM->source_dest_check);
}

static void by_status(struct filter_probe *p, const void *item)
{
	filter_text(p, interface_status_text(ITEM));
}

static void by_subnet(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_SUBNET, ITEM->subnet);
}

static void by_vpc(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_VPC, ITEM->vpc);
}

const struct filter interface_filters[] = {
	{"addresses.association.owner-id", by_ip_owner},
	{"addresses.association.public-ip", by_public_ip},
	{"addresses.primary", by_primary},
	{"addresses.private-ip-address", by_any_ip},
	{"association.allocation-id", by_allocation},
	{"association.association-id", by_association},
	{"association.ip-owner-id", by_ip_owner},
	{"association.public-dns-name", by_public_name},
	{"association.public-ip", by_public_ip},
	{"attachment.attach-time", by_attach_time},
	{"attachment.attachment-id", by_attachment_id},
	{"attachment.delete-on-termination", by_delete_on_termination},
	{"attachment.device-index", by_device_index},
	{"attachment.instance-id", by_instance},
	{"attachment.instance-owner-id", by_instance_owner},
	{"attachment.status", by_attachment_status},
	{"availability-zone", by_zone},
	{"availability-zone-id", by_zone_id},
	{"description", by_description},
	{"group-id", by_group},
	{"group-name", by_group_name},
	{"interface-type", by_type},
	{"ipv6-addresses.ipv6-address", by_ipv6},
	{"mac-address", by_mac},
	{"network-interface-id", by_id},
	{"operator.managed", by_never},
	{"operator.principal", by_nothing},
	{"owner-id", by_owner},
	{"private-dns-name", by_dns_name},
	{"private-ip-address", by_private_ip},
	{"requester-id", by_requester},
	{"requester-managed", by_requester_managed},
	{"source-dest-check", by_source_dest_check},
	{"status", by_status},
	{"subnet-id", by_subnet},
	{"vpc-id", by_vpc},
	{},
};
