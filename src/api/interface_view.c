/* SPDX-License-Identifier: Apache-2.0 */
/* Showing interfaces. */
#include "api/describe.h"
#include "api/group_view.h"
#include "api/handlers.h"
#include "api/interface_view.h"
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

const struct subnet *interface_view_subnet(const struct ec2_call *c, const struct interface *i)
{
	return (const struct subnet *)model_get(c->model, KIND_SUBNET, i->subnet);
}

uint64_t interface_view_instance_owner(const struct ec2_call *c, const struct attachment *a)
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
		ec2_write_owner(c, "instanceOwnerId", interface_view_instance_owner(c, a));
	}
	xml_u64(c->xml, "deviceIndex", a->device_index);
	xml_u64(c->xml, "networkCardIndex", 0);
	xml_text(c->xml, "status", attachment_state_text(a->state));
	xml_time(c->xml, "attachTime", a->attached_ms);
	xml_bool(c->xml, "deleteOnTermination", a->delete_on_termination);
	xml_close(c->xml);
}

const char *interface_view_type(const struct interface *i)
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
	xml_text(c->xml, "interfaceType", interface_view_type(i));
}

void interface_write(struct ec2_call *c, const struct interface *i)
{
	const struct subnet *s = interface_view_subnet(c, i);

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
