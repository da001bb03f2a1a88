/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes: instances, their placement groups, interfaces with their attachments, who may use these
 * and what they carried, and addresses that are not free yet.
 */
#include "model/record_tables.h"

#include "model/instance.h"
#include "model/interface.h"
#include "model/permission.h"
#include "model/placement_group.h"
#include "model/release.h"
#include "model/usage.h"

static const struct field private_addr_fields[] = {
	F(1, FIELD_ADDR, struct private_addr, addr),
	F(2, FIELD_U64, struct private_addr, revision),
	F(3, FIELD_BOOL, struct private_addr, arriving),
	F(4, FIELD_U32, struct private_addr, at),
};
PART(private_addr, struct private_addr);

static const struct field group_ref_fields[] = {
	F(1, FIELD_ID, struct group_ref, id, .kind = KIND_SECURITY_GROUP),
	F(2, FIELD_U32, struct group_ref, number),
};
PART(group_ref, struct group_ref);

static const char *attachment_text(uint32_t v)
{
	return attachment_state_text((enum attachment_state)v);
}

static const struct field attachment_fields[] = {
	FN(1, FIELD_ID, "attachment", struct attachment, id, .prefix = ID_PREFIX_ATTACHMENT),
	F(2, FIELD_ID, struct attachment, instance, .kind = KIND_INSTANCE),
	F(3, FIELD_U32, struct attachment, device_index),
	FN(4, FIELD_U32, "attachment_state", struct attachment, state, .text = attachment_text),
	FN(5, FIELD_TIME, "attached", struct attachment, attached_ms),
	F(6, FIELD_U64, struct attachment, wait_revision),
	F(7, FIELD_BOOL, struct attachment, delete_on_termination),
	F(8, FIELD_U32, struct attachment, host),
	F(9, FIELD_BOOL, struct attachment, plugged),
	F(10, FIELD_BOOL, struct attachment, lost),
	F(11, FIELD_BOOL, struct attachment, standby),
};
PART(attachment, struct attachment);

static const char *condition_text(uint32_t v)
{
	return interface_condition_text((enum interface_condition)v);
}

static const struct field interface_route_fields[] = {
	F(1, FIELD_PREFIX, struct interface_route, prefix),
	F(2, FIELD_ADDR, struct interface_route, via),
};
PART(interface_route, struct interface_route);

static const struct field interface_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct interface, subnet, .kind = KIND_SUBNET),
	F(11, FIELD_ID, struct interface, vpc, .kind = KIND_VPC),
	F(12, FIELD_U32, struct interface, vni),
	F(13, FIELD_MAC, struct interface, mac),
	ARRAY(14, struct interface, addrs, private_addr_record),
	F(15, FIELD_STRING, struct interface, description),
	F(16, FIELD_BOOL, struct interface, source_dest_check),
	FN(17, FIELD_U32, "host", struct interface, attachment.host),
	FN(18, FIELD_BOOL, "plugged", struct interface, attachment.plugged),
	FN(19, FIELD_ID, "attachment", struct interface, attachment.id,
	   .prefix = ID_PREFIX_ATTACHMENT),
	FN(20, FIELD_ID, "instance", struct interface, attachment.instance, .kind = KIND_INSTANCE),
	FN(21, FIELD_U32, "device_index", struct interface, attachment.device_index),
	FN(22, FIELD_U32, "attachment_state", struct interface, attachment.state,
	   .text = attachment_text),
	FN(23, FIELD_TIME, "attached", struct interface, attachment.attached_ms),
	FN(24, FIELD_U64, "wait_revision", struct interface, attachment.wait_revision),
	FN(25, FIELD_BOOL, "delete_on_termination", struct interface,
	   attachment.delete_on_termination),
	ARRAY(26, struct interface, groups, group_ref_record),
	F(60, FIELD_U32, struct interface, condition, .text = condition_text),
	F(61, FIELD_ADDR, struct interface, dns_server),
	F(62, FIELD_U32, struct interface, vlan),
	F(63, FIELD_ID, struct interface, billing_account, .kind = KIND_ACCOUNT),
	ARRAY(64, struct interface, routes, interface_route_record),
	IDS(65, struct interface, attachers),
	IDS(66, struct interface, detachers),
	IDS(67, struct interface, setters),
	IDS(68, struct interface, modifiers),
	F(69, FIELD_BOOL, struct interface, billing_imposed),
	FN(80, FIELD_U32, "handle", struct interface, handle.number),
	F(81, FIELD_ID, struct interface, managed_by, .kind = KIND_NAT_GATEWAY),
	F(82, FIELD_BOOL, struct interface, auto_public),
	F(90, FIELD_BOOL, struct interface, shared),
	ARRAY(91, struct interface, others, attachment_record),
	FN(92, FIELD_BOOL, "lost", struct interface, attachment.lost),
	FN(93, FIELD_ID, "gateway", struct interface, attachment.gateway, .kind = KIND_NAT_GATEWAY),
	FN(94, FIELD_BOOL, "standby", struct interface, attachment.standby),
};
RECORD(interface, struct interface);

static const char *state_text(uint32_t v)
{
	return instance_state_text((enum instance_state)v);
}

static const struct field instance_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct instance, reservation, .prefix = ID_PREFIX_RESERVATION),
	F(11, FIELD_U32, struct instance, launch_index),
	F(12, FIELD_ID, struct instance, subnet, .kind = KIND_SUBNET),
	F(13, FIELD_ID, struct instance, vpc, .kind = KIND_VPC),
	F(14, FIELD_U32, struct instance, host),
	F(15, FIELD_U32, struct instance, state, .text = state_text),
	F(16, FIELD_U64, struct instance, generation),
	F(17, FIELD_U64, struct instance, wait_revision),
	FN(18, FIELD_TIME, "launched", struct instance, launched_ms),
	FN(19, FIELD_TIME, "terminated", struct instance, terminated_ms),
	F(20, FIELD_ADDR, struct instance, private_addr),
	F(21, FIELD_STRING, struct instance, image),
	F(22, FIELD_STRING, struct instance, type),
	F(23, FIELD_STRING, struct instance, driver),
	F(24, FIELD_STRING, struct instance, zone),
	F(25, FIELD_STRING, struct instance, key_name),
	F(26, FIELD_SECRET, struct instance, user_data),
	F(27, FIELD_STRING, struct instance, client_token),
	F(28, FIELD_STRING, struct instance, reason_code),
	F(29, FIELD_STRING, struct instance, reason),
	F(30, FIELD_BOOL, struct instance, disable_api_termination),
	F(31, FIELD_BOOL, struct instance, disable_api_stop),
	F(32, FIELD_BOOL, struct instance, terminate_on_shutdown),
	F(90, FIELD_ID, struct instance, placement_group, .kind = KIND_PLACEMENT_GROUP),
	F(91, FIELD_U32, struct instance, partition),
};
RECORD(instance, struct instance);

static const char *step_text(uint32_t v)
{
	return release_step_text((enum release_step)v);
}

static const struct field release_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_U32, struct release, vni),
	F(11, FIELD_ADDR, struct release, addr),
	F(12, FIELD_ID, struct release, subnet, .kind = KIND_SUBNET),
	F(13, FIELD_U32, struct release, host),
	F(14, FIELD_U64, struct release, wait_revision),
	F(15, FIELD_ID, struct release, from, .kind = KIND_INTERFACE),
	F(16, FIELD_ID, struct release, to, .kind = KIND_INTERFACE),
	F(17, FIELD_U32, struct release, step, .text = step_text),
	F(18, FIELD_BOOL, struct release, back),
	F(19, FIELD_U64, struct release, since),
	IDS(20, struct release, more_hosts),
};
RECORD(release, struct release);

static const char *permission_text(uint32_t v)
{
	return permission_type_text((enum permission_type)v);
}

static const struct field permission_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct permission, interface, .kind = KIND_INTERFACE),
	F(11, FIELD_ID, struct permission, grantee, .kind = KIND_ACCOUNT),
	F(12, FIELD_U32, struct permission, type, .text = permission_text),
};
RECORD(permission, struct permission);

static const struct field usage_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct usage, billing_account, .kind = KIND_ACCOUNT),
	FN(11, FIELD_U64, "tx_packets", struct usage, sum.tx_packets),
	FN(12, FIELD_U64, "tx_bytes", struct usage, sum.tx_bytes),
	FN(13, FIELD_U64, "rx_packets", struct usage, sum.rx_packets),
	FN(14, FIELD_U64, "rx_bytes", struct usage, sum.rx_bytes),
	F(15, FIELD_U64, struct usage, used_ms),
	F(16, FIELD_U32, struct usage, host),
	FN(17, FIELD_U64, "seen_tx_packets", struct usage, seen.tx_packets),
	FN(18, FIELD_U64, "seen_tx_bytes", struct usage, seen.tx_bytes),
	FN(19, FIELD_U64, "seen_rx_packets", struct usage, seen.rx_packets),
	FN(20, FIELD_U64, "seen_rx_bytes", struct usage, seen.rx_bytes),
	FN(21, FIELD_TIME, "reported", struct usage, reported_ms),
	F(22, FIELD_ID, struct usage, interface, .kind = KIND_INTERFACE),
	FN(23, FIELD_U64, "before_tx_packets", struct usage, before.tx_packets),
	FN(24, FIELD_U64, "before_tx_bytes", struct usage, before.tx_bytes),
	FN(25, FIELD_U64, "before_rx_packets", struct usage, before.rx_packets),
	FN(26, FIELD_U64, "before_rx_bytes", struct usage, before.rx_bytes),
	F(27, FIELD_U64, struct usage, before_ms),
};
RECORD(usage, struct usage);

static const char *group_strategy_text(uint32_t v)
{
	return placement_group_strategy_text((enum placement_group_strategy)v);
}

static const struct field placement_group_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_STRING, struct placement_group, name),
	F(11, FIELD_U32, struct placement_group, strategy, .text = group_strategy_text),
	F(12, FIELD_U32, struct placement_group, partitions),
	F(13, FIELD_BOOL, struct placement_group, by_host),
};
RECORD(placement_group, struct placement_group);
