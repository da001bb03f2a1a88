/* SPDX-License-Identifier: Apache-2.0 */
/* The filters of DescribeInstances and DescribeInstanceStatus. */
#include "api/filter.h"
#include "api/handlers.h"
#include "api/instance_options.h"
#include "model/elastic.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/names.h"
#include "model/subnet.h"
#include "model/tag.h"

#include <string.h>

#define ITEM ((const struct instance *)item)

#define BY_TEXT(name, value)                                                                       \
	static void name(struct filter_probe *p, const void *item)                                 \
	{                                                                                          \
		filter_text(p, value);                                                             \
	}

BY_TEXT(by_architecture, "x86_64")
BY_TEXT(by_zone, ITEM->zone)
BY_TEXT(by_client_token, ITEM->client_token)
BY_TEXT(by_hypervisor, "xen")
BY_TEXT(by_image, ITEM->image)
BY_TEXT(by_state_name, instance_state_text(ITEM->state))
BY_TEXT(by_type, ITEM->type)
BY_TEXT(by_key_name, ITEM->key_name)
BY_TEXT(by_monitoring, "disabled")
BY_TEXT(by_reason, ITEM->reason)
BY_TEXT(by_reason_code, ITEM->reason_code)
BY_TEXT(by_never, "false")
BY_TEXT(by_card, "0")
BY_TEXT(by_root_type, "instance-store")
BY_TEXT(by_root_name, "/dev/root")
BY_TEXT(by_tenancy, "default")
BY_TEXT(by_virtualization, "hvm")
BY_TEXT(by_platform, INSTANCE_PLATFORM)
BY_TEXT(by_operation, INSTANCE_OPERATION)
BY_TEXT(by_preference, INSTANCE_RESERVATION)
BY_TEXT(by_metadata_state, INSTANCE_METADATA_STATE)
BY_TEXT(by_tokens, INSTANCE_METADATA_TOKENS)
BY_TEXT(by_off, INSTANCE_OFF)
BY_TEXT(by_hostname, INSTANCE_HOSTNAME)
BY_TEXT(by_check, ITEM->state == INSTANCE_RUNNING ? "ok" : "not-applicable")
BY_TEXT(by_reachability, ITEM->state == INSTANCE_RUNNING ? "passed" : NULL)

static void by_id(struct filter_probe *p, const void *item)
{
	filter_id(p, KIND_INSTANCE, ITEM->o.id);
}

static void by_zone_id(struct filter_probe *p, const void *item)
{
	char text[ZONE_ID_SIZE];

	filter_text(p, zone_id_text(p->call->model, ITEM->zone, text));
}

static void by_state_code(struct filter_probe *p, const void *item)
{
	filter_u64(p, ITEM->state);
}

static void by_hops(struct filter_probe *p, const void *item)
{
	filter_u64(p, INSTANCE_METADATA_HOPS);
}

static void by_launch_index(struct filter_probe *p, const void *item)
{
	filter_u64(p, ITEM->launch_index);
}

static void by_launch_time(struct filter_probe *p, const void *item)
{
	filter_time(p, ITEM->launched_ms);
}

static void by_owner(struct filter_probe *p, const void *item)
{
	filter_owner(p, ITEM->o.account);
}

static void by_private_ip(struct filter_probe *p, const void *item)
{
	filter_addr(p, &ITEM->private_addr);
}

static void by_private_dns(struct filter_probe *p, const void *item)
{
	char text[NAMES_SIZE];

	if (!ipaddr_is_zero(&ITEM->private_addr))
		filter_text(p, names_private_dns(model_region(p->call->model), &ITEM->private_addr,
						 text));
}

static void by_reservation(struct filter_probe *p, const void *item)
{
	char text[ID_TEXT_SIZE];

	filter_text(p, id_text_prefixed(ID_PREFIX_RESERVATION, ITEM->reservation, text));
}

static void by_subnet(struct filter_probe *p, const void *item)
{
	if (ITEM->state != INSTANCE_TERMINATED)
		filter_id(p, KIND_SUBNET, ITEM->subnet);
}

static void by_vpc(struct filter_probe *p, const void *item)
{
	if (ITEM->state != INSTANCE_TERMINATED)
		filter_id(p, KIND_VPC, ITEM->vpc);
}

/* The public address of its primary private one, or NULL. */
static const struct elastic *public_of(const struct ec2_call *c, const struct instance *i)
{
	struct model_iter it = model_iter_group(c->model, REL_INSTANCE_INTERFACES, i->o.id);
	const struct interface *e;

	while ((e = (const struct interface *)model_iter_next(&it)))
		if (!interface_attachment_to(e, i->o.id)->device_index)
			return elastic_of(c, e, &e->addrs[0].addr);
	return NULL;
}

static void by_public_name(struct filter_probe *p, const void *item)
{
	const struct elastic *e = public_of(p->call, item);
	char text[NAMES_SIZE];

	if (e)
		filter_text(p, elastic_name(p->call, e, text));
}

static void by_public_ip(struct filter_probe *p, const void *item)
{
	const struct elastic *e = public_of(p->call, item);

	if (e)
		filter_addr(p, &e->public);
}

static void by_nothing(struct filter_probe *p, const void *item)
{
}

static void by_placement_group(struct filter_probe *p, const void *item)
{
	const struct placement_group *g = (const struct placement_group *)model_get(
		p->call->model, KIND_PLACEMENT_GROUP, ITEM->placement_group);

	if (g)
		filter_text(p, g->name);
}

static void by_partition(struct filter_probe *p, const void *item)
{
	if (ITEM->partition)
		filter_u64(p, ITEM->partition);
}

/* Each network-interface.X asks what the interface's own filter X asks. */
static void ask_interfaces(struct filter_probe *p, const void *item, const char *name)
{
	struct model_iter it =
		model_iter_group(p->call->model, REL_INSTANCE_INTERFACES, ITEM->o.id);
	const struct object *o;

	for (const struct filter *f = interface_filters; f->name; f++) {
		if (strcmp(f->name, name))
			continue;
		while ((o = model_iter_next(&it)))
			f->values(p, o);
		return;
	}
}

#define BY_INTERFACE(name, filter)                                                                 \
	static void name(struct filter_probe *p, const void *item)                                 \
	{                                                                                          \
		ask_interfaces(p, item, filter);                                                   \
	}

BY_INTERFACE(by_nic_primary, "addresses.primary")
BY_INTERFACE(by_nic_addr, "addresses.private-ip-address")
BY_INTERFACE(by_nic_addr_public, "addresses.association.public-ip")
BY_INTERFACE(by_nic_addr_public_owner, "addresses.association.owner-id")
BY_INTERFACE(by_nic_allocation, "association.allocation-id")
BY_INTERFACE(by_nic_association, "association.association-id")
BY_INTERFACE(by_nic_public_owner, "association.ip-owner-id")
BY_INTERFACE(by_nic_public, "association.public-ip")
BY_INTERFACE(by_nic_public_name, "association.public-dns-name")
BY_INTERFACE(by_nic_private, "private-ip-address")
BY_INTERFACE(by_nic_attach_time, "attachment.attach-time")
BY_INTERFACE(by_nic_attachment, "attachment.attachment-id")
BY_INTERFACE(by_nic_delete, "attachment.delete-on-termination")
BY_INTERFACE(by_nic_index, "attachment.device-index")
BY_INTERFACE(by_nic_instance, "attachment.instance-id")
BY_INTERFACE(by_nic_instance_owner, "attachment.instance-owner-id")
BY_INTERFACE(by_nic_attachment_status, "attachment.status")
BY_INTERFACE(by_nic_zone, "availability-zone")
BY_INTERFACE(by_nic_description, "description")
BY_INTERFACE(by_nic_ipv6, "ipv6-addresses.ipv6-address")
BY_INTERFACE(by_nic_group, "group-id")
BY_INTERFACE(by_nic_group_name, "group-name")
BY_INTERFACE(by_nic_mac, "mac-address")
BY_INTERFACE(by_nic_id, "network-interface-id")
BY_INTERFACE(by_nic_owner, "owner-id")
BY_INTERFACE(by_nic_dns, "private-dns-name")
BY_INTERFACE(by_nic_requester, "requester-id")
BY_INTERFACE(by_nic_requester_managed, "requester-managed")
BY_INTERFACE(by_nic_check, "source-dest-check")
BY_INTERFACE(by_nic_status, "status")
BY_INTERFACE(by_nic_subnet, "subnet-id")
BY_INTERFACE(by_nic_vpc, "vpc-id")

static void ask_tags(struct filter_probe *p, const void *item, bool of_keys)
{
	struct model_iter it =
		model_iter_group(p->call->model, REL_INSTANCE_INTERFACES, ITEM->o.id);
	const struct object *o;

	while ((o = model_iter_next(&it))) {
		size_t n;
		const struct tag *tags = tags_of(&p->call->caller, o, &n);

		for (size_t i = 0; i < n; i++)
			filter_text(p, of_keys ? tags[i].key : tags[i].value);
	}
}

static void by_nic_tag_key(struct filter_probe *p, const void *item)
{
	ask_tags(p, item, true);
}

static void by_nic_tag_value(struct filter_probe *p, const void *item)
{
	ask_tags(p, item, false);
}

/* What is about things that no instance has here (volumes, dedicated hosts, EC2-Classic) matches
 * none. */
const struct filter instance_filters[] = {
	{"affinity", by_nothing},
	{"architecture", by_architecture},
	{"availability-zone", by_zone},
	{"availability-zone-id", by_zone_id},
	{"block-device-mapping.attach-time", by_nothing},
	{"block-device-mapping.delete-on-termination", by_nothing},
	{"block-device-mapping.device-name", by_nothing},
	{"block-device-mapping.status", by_nothing},
	{"block-device-mapping.volume-id", by_nothing},
	{"boot-mode", by_nothing},
	{"capacity-reservation-id", by_nothing},
	{"capacity-reservation-specification.capacity-reservation-preference", by_preference},
	{"capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id",
	 by_nothing},
	{"capacity-reservation-specification.capacity-reservation-target.capacity-reservation-"
	 "resource-group-arn",
	 by_nothing},
	{"client-token", by_client_token},
	{"current-instance-boot-mode", by_nothing},
	{"dns-name", by_public_name},
	{"ebs-optimized", by_never},
	{"ena-support", by_never},
	{"enclave-options.enabled", by_never},
	{"group-id", by_nothing},
	{"group-name", by_nothing},
	{"hibernation-options.configured", by_never},
	{"host-id", by_nothing},
	{"hypervisor", by_hypervisor},
	{"iam-instance-profile.arn", by_nothing},
	{"iam-instance-profile.id", by_nothing},
	{"image-id", by_image},
	{"instance-id", by_id},
	{"instance-lifecycle", by_nothing},
	{"instance-state-code", by_state_code},
	{"instance-state-name", by_state_name},
	{"instance-type", by_type},
	{"instance.group-id", by_nic_group},
	{"instance.group-name", by_nic_group_name},
	{"ip-address", by_public_ip},
	{"ipv6-address", by_nic_ipv6},
	{"kernel-id", by_nothing},
	{"key-name", by_key_name},
	{"launch-index", by_launch_index},
	{"launch-time", by_launch_time},
	{"maintenance-options.auto-recovery", by_off},
	{"metadata-options.http-endpoint", by_off},
	{"metadata-options.http-protocol-ipv4", by_nothing},
	{"metadata-options.http-protocol-ipv6", by_off},
	{"metadata-options.http-put-response-hop-limit", by_hops},
	{"metadata-options.http-tokens", by_tokens},
	{"metadata-options.instance-metadata-tags", by_off},
	{"metadata-options.state", by_metadata_state},
	{"monitoring-state", by_monitoring},
	{"network-interface.addresses.association.allocation-id", by_nic_allocation},
	{"network-interface.addresses.association.association-id", by_nic_association},
	{"network-interface.addresses.association.carrier-ip", by_nothing},
	{"network-interface.addresses.association.customer-owned-ip", by_nothing},
	{"network-interface.addresses.association.ip-owner-id", by_nic_addr_public_owner},
	{"network-interface.addresses.association.public-dns-name", by_nic_public_name},
	{"network-interface.addresses.association.public-ip", by_nic_addr_public},
	{"network-interface.addresses.primary", by_nic_primary},
	{"network-interface.addresses.private-dns-name", by_nic_dns},
	{"network-interface.addresses.private-ip-address", by_nic_addr},
	{"network-interface.association.allocation-id", by_nic_allocation},
	{"network-interface.association.association-id", by_nic_association},
	{"network-interface.association.carrier-ip", by_nothing},
	{"network-interface.association.customer-owned-ip", by_nothing},
	{"network-interface.association.ip-owner-id", by_nic_public_owner},
	{"network-interface.association.public-dns-name", by_nic_public_name},
	{"network-interface.association.public-ip", by_nic_public},
	{"network-interface.attachment.attach-time", by_nic_attach_time},
	{"network-interface.attachment.attachment-id", by_nic_attachment},
	{"network-interface.attachment.delete-on-termination", by_nic_delete},
	{"network-interface.attachment.device-index", by_nic_index},
	{"network-interface.attachment.instance-id", by_nic_instance},
	{"network-interface.attachment.instance-owner-id", by_nic_instance_owner},
	{"network-interface.attachment.network-card-index", by_card},
	{"network-interface.attachment.status", by_nic_attachment_status},
	{"network-interface.availability-zone", by_nic_zone},
	{"network-interface.deny-all-igw-traffic", by_never},
	{"network-interface.description", by_nic_description},
	{"network-interface.group-id", by_nic_group},
	{"network-interface.group-name", by_nic_group_name},
	{"network-interface.ipv4-prefixes.ipv4-prefix", by_nothing},
	{"network-interface.ipv6-addresses.ipv6-address", by_nic_ipv6},
	{"network-interface.ipv6-addresses.is-primary-ipv6", by_never},
	{"network-interface.ipv6-native", by_never},
	{"network-interface.ipv6-prefixes.ipv6-prefix", by_nothing},
	{"network-interface.mac-address", by_nic_mac},
	{"network-interface.network-interface-id", by_nic_id},
	{"network-interface.operator.managed", by_never},
	{"network-interface.operator.principal", by_nothing},
	{"network-interface.outpost-arn", by_nothing},
	{"network-interface.owner-id", by_nic_owner},
	{"network-interface.private-dns-name", by_nic_dns},
	{"network-interface.private-ip-address", by_nic_private},
	{"network-interface.public-dns-name", by_nic_public_name},
	{"network-interface.requester-id", by_nic_requester},
	{"network-interface.requester-managed", by_nic_requester_managed},
	{"network-interface.source-dest-check", by_nic_check},
	{"network-interface.status", by_nic_status},
	{"network-interface.subnet-id", by_nic_subnet},
	{"network-interface.tag-key", by_nic_tag_key},
	{"network-interface.tag-value", by_nic_tag_value},
	{"network-interface.vpc-id", by_nic_vpc},
	{"network-performance-options.bandwidth-weighting", by_nothing},
	{"operator.managed", by_never},
	{"operator.principal", by_nothing},
	{"outpost-arn", by_nothing},
	{"owner-id", by_owner},
	{"placement-group-name", by_placement_group},
	{"placement-partition-number", by_partition},
	{"platform", by_nothing},
	{"platform-details", by_platform},
	{"private-dns-name", by_private_dns},
	{"private-dns-name-options.enable-resource-name-dns-a-record", by_never},
	{"private-dns-name-options.enable-resource-name-dns-aaaa-record", by_never},
	{"private-dns-name-options.hostname-type", by_hostname},
	{"private-ip-address", by_private_ip},
	{"product-code", by_nothing},
	{"product-code.type", by_nothing},
	{"ramdisk-id", by_nothing},
	{"reason", by_reason},
	{"requester-id", by_nothing},
	{"reservation-id", by_reservation},
	{"root-device-name", by_root_name},
	{"root-device-type", by_root_type},
	{"source-dest-check", by_nic_check},
	{"spot-instance-request-id", by_nothing},
	{"state-reason-code", by_reason_code},
	{"state-reason-message", by_reason},
	{"subnet-id", by_subnet},
	{"tenancy", by_tenancy},
	{"tpm-support", by_nothing},
	{"usage-operation", by_operation},
	{"usage-operation-update-time", by_launch_time},
	{"virtualization-type", by_virtualization},
	{"vpc-id", by_vpc},
	{},
};

const struct filter instance_status_filters[] = {
	{"attached-ebs-status.status", by_nothing},
	{"availability-zone", by_zone},
	{"availability-zone-id", by_zone_id},
	{"event.code", by_nothing},
	{"event.description", by_nothing},
	{"event.instance-event-id", by_nothing},
	{"event.not-after", by_nothing},
	{"event.not-before", by_nothing},
	{"event.not-before-deadline", by_nothing},
	{"instance-state-code", by_state_code},
	{"instance-state-name", by_state_name},
	{"instance-status.reachability", by_reachability},
	{"instance-status.status", by_check},
	{"operator.managed", by_never},
	{"operator.principal", by_nothing},
	{"system-status.reachability", by_reachability},
	{"system-status.status", by_check},
	{},
};
