/* SPDX-License-Identifier: Apache-2.0 */
/* Showing interfaces. */
#include "api/describe.h"
#include "api/group_view.h"
#include "api/handlers.h"
#include "api/param.h"
#include "model/elastic.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/interface_rights.h"
#include "model/names.h"
#include "model/subnet.h"

#include <string.h>

static void write_dns_name(struct ec2_call *c, const struct ipaddr *a)
{
	char text[NAMES_SIZE];

	xml_text(c->xml, "privateDnsName", names_private_dns(model_region(c->model), a, text));
}

static void write_association(struct ec2_call *c, const struct interface *i, const struct ipaddr *a,
			      bool in_instance)
{
	const struct elastic *e = elastic_of(c, i, a);

	if (e)
		elastic_write_association(c, e, in_instance);
}

static void write_addrs(struct ec2_call *c, const struct interface *i, bool in_instance)
{
	xml_open(c->xml, "privateIpAddressesSet");
	for (size_t k = 0; k < i->n_addrs; k++) {
		if (!ipaddr_is_v4(&i->addrs[k].addr))
			continue;
		xml_open(c->xml, "item");
		ec2_write_addr(c, "privateIpAddress", &i->addrs[k].addr);
		write_dns_name(c, &i->addrs[k].addr);
		xml_bool(c->xml, "primary", !k);
		write_association(c, i, &i->addrs[k].addr, in_instance);
		xml_close(c->xml);
	}
	xml_close(c->xml);
}

void interface_write_addr6(struct ec2_call *c, const struct interface *i)
{
	for (size_t k = 0; k < i->n_addrs; k++) {
		if (ipaddr_is_v4(&i->addrs[k].addr))
			continue;
		ec2_write_addr(c, "ipv6Address", &i->addrs[k].addr);
		return;
	}
}

static void write_addrs6(struct ec2_call *c, const struct interface *i)
{
	xml_open(c->xml, "ipv6AddressesSet");
	for (size_t k = 0; k < i->n_addrs; k++) {
		if (ipaddr_is_v4(&i->addrs[k].addr))
			continue;
		xml_open(c->xml, "item");
		ec2_write_addr(c, "ipv6Address", &i->addrs[k].addr);
		xml_close(c->xml);
	}
	xml_close(c->xml);
}

static const struct subnet *subnet_of(const struct ec2_call *c, const struct interface *i)
{
	return (const struct subnet *)model_get(c->model, KIND_SUBNET, i->subnet);
}

static uint64_t instance_owner(const struct ec2_call *c, const struct attachment *a)
{
	uint64_t owner = attachment_owner(c->model, a);

	return owner ? owner : a->of->o.account;
}

/* 'in_instance': there the instance is known, and not repeated. */
static void write_attachment(struct ec2_call *c, const struct attachment *a, bool in_instance)
{
	char id[ID_TEXT_SIZE];

	if (a->state == ATTACHMENT_NONE)
		return;
	xml_open(c->xml, "attachment");
	xml_text(c->xml, "attachmentId", id_text_prefixed(ID_PREFIX_ATTACHMENT, a->id, id));
	if (!in_instance) {
		if (!a->gateway)
			ec2_write_id(c, "instanceId", KIND_INSTANCE, a->instance);
		ec2_write_owner(c, "instanceOwnerId", instance_owner(c, a));
	}
	xml_u64(c->xml, "deviceIndex", a->device_index);
	xml_u64(c->xml, "networkCardIndex", 0);
	xml_text(c->xml, "status", attachment_state_text(a->state));
	xml_time(c->xml, "attachTime", a->attached_ms);
	xml_bool(c->xml, "deleteOnTermination", a->delete_on_termination);
	xml_close(c->xml);
}

static const char *type_of(const struct interface *i)
{
	return i->managed_by ? "nat_gateway" : "interface";
}

/* What both views have. */
static void write_identity(struct ec2_call *c, const struct interface *i, bool in_instance)
{
	char mac[MAC_TEXT_SIZE];

	ec2_write_id(c, "networkInterfaceId", KIND_INTERFACE, i->o.id);
	ec2_write_id(c, "subnetId", KIND_SUBNET, i->subnet);
	ec2_write_id(c, "vpcId", KIND_VPC, i->vpc);
	xml_text(c->xml, "description", i->description ? i->description : "");
	ec2_write_owner(c, "ownerId", i->o.account);
	xml_text(c->xml, "status", interface_status_text(i));
	xml_text(c->xml, "macAddress", mac_text(&i->mac, mac));
	ec2_write_addr(c, "privateIpAddress", &i->addrs[0].addr);
	write_dns_name(c, &i->addrs[0].addr);
	xml_bool(c->xml, "sourceDestCheck", i->source_dest_check);
	group_write_set(c, i);
	write_association(c, i, &i->addrs[0].addr, in_instance);
	write_addrs(c, i, in_instance);
	write_addrs6(c, i);
	xml_text(c->xml, "interfaceType", type_of(i));
}

void interface_write(struct ec2_call *c, const struct interface *i)
{
	const struct subnet *s = subnet_of(c, i);

	write_identity(c, i, false);
	interface_write_addr6(c, i);
	xml_text(c->xml, "availabilityZone", s ? s->zone : NULL);
	if (i->managed_by)
		xml_text(c->xml, "requesterId", "viaduct");
	xml_bool(c->xml, "requesterManaged", i->managed_by);
	/* EC2 has one: of a shared interface the first is shown */
	write_attachment(c, &i->attachment, false);
	ec2_write_tags(c, &i->o);
}

void interface_write_in_instance(struct ec2_call *c, const struct interface *i, uint64_t instance)
{
	xml_open(c->xml, "item");
	write_identity(c, i, true);
	write_attachment(c, interface_attachment_to(i, instance), true);
	xml_close(c->xml);
}

static int find(const struct model *m, const struct caller *caller, const char *id,
		const struct object **ret, struct refusal *reterr)
{
	const struct interface *i;
	int r = interface_find_for(m, caller, id, INTERFACE_SEE, &i, reterr);

	if (!r)
		*ret = &i->o;
	return r;
}

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
	filter_owner(p, instance_owner(p->call, a));
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
	const struct subnet *s = subnet_of(p->call, ITEM);

	filter_text(p, s ? s->zone : NULL);
}

static void by_zone_id(struct filter_probe *p, const void *item)
{
	const struct subnet *s = subnet_of(p->call, ITEM);
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
	filter_text(p, type_of(ITEM));
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

static void write_item(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	interface_write(c, (const struct interface *)o);
	xml_close(c->xml);
}

int action_describe_network_interfaces(struct ec2_call *c)
{
	static const struct describe_group groups[] = {
		{"network-interface-id", KIND_INTERFACE, REL_MAX},
		{"attachment.instance-id", KIND_INSTANCE, REL_INSTANCE_INTERFACES},
		{"subnet-id", KIND_SUBNET, REL_SUBNET_INTERFACES},
		{},
	};
	static const struct describe d = {
		.kind = KIND_INTERFACE,
		.ids = "NetworkInterfaceId",
		.find = find,
		.filters = interface_filters,
		.groups = groups,
		.write = write_item,
	};

	return describe_run(c, &d, "networkInterfaceSet", NULL, NULL);
}

int action_describe_network_interface_attribute(struct ec2_call *c)
{
	const char *attribute = param_text(c, "Attribute");
	const struct interface *i;
	int r;

	if (!attribute)
		return ec2_refuse_missing(c, "attribute");
	r = interface_find_for(c->model, &c->caller, param_text(c, "NetworkInterfaceId"),
			       INTERFACE_SEE, &i, &c->refusal);
	if (r)
		return r;
	ec2_write_id(c, "networkInterfaceId", KIND_INTERFACE, i->o.id);
	if (!strcmp(attribute, "description")) {
		xml_open(c->xml, "description");
		xml_text(c->xml, "value", i->description ? i->description : "");
		xml_close(c->xml);
	} else if (!strcmp(attribute, "sourceDestCheck")) {
		xml_open(c->xml, "sourceDestCheck");
		xml_bool(c->xml, "value", i->source_dest_check);
		xml_close(c->xml);
	} else if (!strcmp(attribute, "groupSet")) {
		group_write_set(c, i);
	} else if (!strcmp(attribute, "attachment")) {
		write_attachment(c, &i->attachment, false);
	} else {
		return ec2_refuse_value(c, "attribute", attribute, "Unknown attribute.");
	}
	return 0;
}
