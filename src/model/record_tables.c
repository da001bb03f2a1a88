/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of each kind of object.  Tags 1 to 9 are those of struct object.  A tag is never given
 * to another field; within a table they ascend.
 */
#include "model/account.h"
#include "model/choice_pass.h"
#include "model/choice_policy.h"
#include "model/counters.h"
#include "model/group_rule.h"
#include "model/dhcp_options.h"
#include "model/flow_log.h"
#include "model/host.h"
#include "model/insights.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/network_acl.h"
#include "model/prefix_list.h"
#include "model/label.h"
#include "model/pair_shift.h"
#include "model/permission.h"
#include "model/peering.h"
#include "model/placement_group.h"
#include "model/pool.h"
#include "model/record.h"
#include "model/release.h"
#include "model/security_group.h"
#include "model/settings.h"
#include "model/egress_gateway.h"
#include "model/drain.h"
#include "model/elastic.h"
#include "model/internet_gateway.h"
#include "model/mirror.h"
#include "model/nat_gateway.h"
#include "model/route_table.h"
#include "model/subnet.h"
#include "model/subnet_block6.h"
#include "model/token.h"
#include "model/usage.h"
#include "model/vpc.h"

#define F(tag_, type_, struct_, member_, ...)                                                      \
	{                                                                                          \
		.tag = tag_, .type = type_, .name = #member_,                                      \
		.offset = offsetof(struct_, member_), __VA_ARGS__                                  \
	}
/* a field with another name than its member */
#define FN(tag_, type_, name_, struct_, member_, ...)                                              \
	{                                                                                          \
		.tag = tag_, .type = type_, .name = name_, .offset = offsetof(struct_, member_),   \
		__VA_ARGS__                                                                        \
	}
#define ARRAY(tag_, struct_, member_, record_)                                                     \
	{                                                                                          \
		.tag = tag_, .type = FIELD_ARRAY, .name = #member_,                                \
		.offset = offsetof(struct_, member_), .size = sizeof(*((struct_ *)NULL)->member_), \
		.count_offset = offsetof(struct_, n_##member_), .element = &(record_)              \
	}
#define IDS(tag_, struct_, member_)                                                                \
	{                                                                                          \
		.tag = tag_, .type = FIELD_IDS, .name = #member_,                                  \
		.offset = offsetof(struct_, member_), .size = sizeof(uint64_t),                    \
		.count_offset = offsetof(struct_, n_##member_)                                     \
	}
#define RECORD(name_, struct_)                                                                     \
	static const struct record name_##_record = {#name_, sizeof(struct_),                      \
						     ARRAY_SIZE(name_##_fields), name_##_fields}

static const struct field tag_fields[] = {
	F(1, FIELD_STRING, struct tag, key),
	F(2, FIELD_STRING, struct tag, value),
};
RECORD(tag, struct tag);

#define OBJECT_FIELDS                                                                              \
	FN(1, FIELD_ID, "account", struct object, account, .kind = KIND_ACCOUNT),                  \
		FN(2, FIELD_U64, "revision", struct object, revision),                             \
		FN(3, FIELD_U64, "serial", struct object, serial),                                 \
		FN(4, FIELD_TIME, "created", struct object, created_ms),                           \
		ARRAY(5, struct object, tags, tag_record)

static const struct field account_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_STRING, struct account, name),
	FN(11, FIELD_U32, "rules_per_security_group", struct account, group_rules),
	FN(12, FIELD_U32, "security_groups_per_interface", struct account, interface_groups),
	FN(13, FIELD_U32, "entries_per_network_acl", struct account, acl_entries),
};
RECORD(account, struct account);

static const char *role_text(uint32_t v)
{
	return key_role_text((enum key_role)v);
}

static const struct field key_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_STRING, struct key, access_key_id),
	F(11, FIELD_SECRET, struct key, secret),
	F(12, FIELD_U32, struct key, role, .text = role_text),
};
RECORD(key, struct key);

static const struct field host_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_STRING, struct host, name),
	F(11, FIELD_STRING, struct host, zone),
	F(12, FIELD_U32, struct host, number),
	FN(13, FIELD_U32, "locale", struct host, place.locale),
	FN(14, FIELD_U32, "area", struct host, place.area),
	FN(15, FIELD_U32, "rack", struct host, place.rack),
	FN(16, FIELD_U32, "rack_slot", struct host, place.host),
	FN(17, FIELD_PREFIX, "siit1", struct host, locators.siit1),
	FN(18, FIELD_PREFIX, "siit2", struct host, locators.siit2),
	FN(19, FIELD_ADDR, "v4", struct host, locators.v4),
	FN(20, FIELD_ADDR, "v6", struct host, locators.v6),
	FN(21, FIELD_U32, "formats", struct host, can.formats),
	FN(22, FIELD_U32, "substrate_mtu", struct host, can.substrate_mtu),
	FN(23, FIELD_BOOL, "tcx", struct host, can.tcx),
	FN(24, FIELD_BOOL, "tap_uso", struct host, can.tap_uso),
	FN(25, FIELD_STRING, "kernel", struct host, can.kernel),
	FN(26, FIELD_STRING, "refused", struct host, can.refused),
	FN(27, FIELD_TIME, "probed", struct host, can.probed_ms),
	FN(28, FIELD_STRING, "probe_error", struct host, can.error),
	F(60, FIELD_BOOL, struct host, edge),
	F(61, FIELD_BOOL, struct host, instances),
	FN(62, FIELD_U32, "features", struct host, can.features),
	FN(63, FIELD_U32, "required_features", struct host, can.required_features),
	FN(64, FIELD_U32, "disallowed_features", struct host, can.disallowed_features),
	FN(65, FIELD_U32, "disallowed_formats", struct host, can.disallowed_formats),
	FN(66, FIELD_U64, "generation", struct host, can.generation),
	F(67, FIELD_U32, struct host, key_epoch),
	FN(68, FIELD_TIME, "keyed", struct host, keyed_ms),
	FN(70, FIELD_PREFIX, "aliases", struct host, locators.aliases),
	FN(90, FIELD_U32, "memory", struct host, capacity[HOST_MEMORY]),
	FN(91, FIELD_U32, "vcpus", struct host, capacity[HOST_VCPUS]),
	FN(92, FIELD_U32, "bandwidth", struct host, capacity[HOST_BANDWIDTH]),
	FN(93, FIELD_U32, "disk", struct host, capacity[HOST_DISK]),
	FN(94, FIELD_U32, "ports", struct host, capacity[HOST_PORTS]),
	F(95, FIELD_U32, struct host, cost),
	F(96, FIELD_BOOL, struct host, foreign),
	FN(97, FIELD_BOOL, "carries_nothing", struct host, can.carries_nothing),
	F(98, FIELD_BOOL, struct host, drained),
};
RECORD(host, struct host);

static const struct field block_fields[] = {
	FN(1, FIELD_PREFIX, "cidr", struct cidr_block, prefix),
	F(2, FIELD_ID, struct cidr_block, association, .prefix = ID_PREFIX_VPC_CIDR),
	F(3, FIELD_BOOL, struct cidr_block, from_pool),
};
RECORD(block, struct cidr_block);

static const struct field vpc_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_U32, struct vpc, vni),
	F(11, FIELD_U32, struct vpc, mtu),
	ARRAY(12, struct vpc, blocks, block_record),
	F(13, FIELD_STRING, struct vpc, tenancy),
	F(14, FIELD_BOOL, struct vpc, dns_support),
	F(15, FIELD_BOOL, struct vpc, dns_hostnames),
	F(16, FIELD_BOOL, struct vpc, usage_metrics),
	ARRAY(17, struct vpc, blocks6, block_record),
	F(18, FIELD_ID, struct vpc, default_group, .kind = KIND_SECURITY_GROUP),
	F(19, FIELD_ID, struct vpc, default_acl, .kind = KIND_NETWORK_ACL),
	F(60, FIELD_ID, struct vpc, main_table, .kind = KIND_ROUTE_TABLE),
	F(61, FIELD_ID, struct vpc, main_association, .prefix = ID_PREFIX_TABLE_ASSOCIATION),
	F(70, FIELD_ID, struct vpc, dhcp_options, .kind = KIND_DHCP_OPTIONS),
	F(71, FIELD_BOOL, struct vpc, is_default),
	F(72, FIELD_STRING, struct vpc, environment),
};
RECORD(vpc, struct vpc);

static const struct field subnet_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct subnet, vpc, .kind = KIND_VPC),
	F(11, FIELD_U32, struct subnet, vni),
	FN(12, FIELD_PREFIX, "cidr", struct subnet, prefix),
	F(13, FIELD_STRING, struct subnet, zone),
	F(14, FIELD_BOOL, struct subnet, map_public_ip),
	FN(15, FIELD_PREFIX, "ipv6_cidr", struct subnet, prefix6),
	FN(16, FIELD_ID, "ipv6_association", struct subnet, association6,
	   .prefix = ID_PREFIX_SUBNET_CIDR),
	F(17, FIELD_BOOL, struct subnet, assign_ipv6),
	F(18, FIELD_ID, struct subnet, acl, .kind = KIND_NETWORK_ACL),
	F(19, FIELD_U32, struct subnet, acl_number),
	F(20, FIELD_ID, struct subnet, acl_association, .prefix = ID_PREFIX_ACL_ASSOCIATION),
	F(60, FIELD_ID, struct subnet, table, .kind = KIND_ROUTE_TABLE),
	F(61, FIELD_ID, struct subnet, table_association, .prefix = ID_PREFIX_TABLE_ASSOCIATION),
	F(70, FIELD_BOOL, struct subnet, is_default),
};
RECORD(subnet, struct subnet);

static const struct field private_addr_fields[] = {
	F(1, FIELD_ADDR, struct private_addr, addr),
	F(2, FIELD_U64, struct private_addr, revision),
	F(3, FIELD_BOOL, struct private_addr, arriving),
	F(4, FIELD_U32, struct private_addr, at),
};
RECORD(private_addr, struct private_addr);

static const struct field group_ref_fields[] = {
	F(1, FIELD_ID, struct group_ref, id, .kind = KIND_SECURITY_GROUP),
	F(2, FIELD_U32, struct group_ref, number),
};
RECORD(group_ref, struct group_ref);

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
};
RECORD(attachment, struct attachment);

static const char *condition_text(uint32_t v)
{
	return interface_condition_text((enum interface_condition)v);
}

static const struct field interface_route_fields[] = {
	F(1, FIELD_PREFIX, struct interface_route, prefix),
	F(2, FIELD_ADDR, struct interface_route, via),
};
RECORD(interface_route, struct interface_route);

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
	FN(80, FIELD_U32, "handle", struct interface, handle.number),
	F(81, FIELD_ID, struct interface, managed_by, .kind = KIND_NAT_GATEWAY),
	F(82, FIELD_BOOL, struct interface, auto_public),
	F(90, FIELD_BOOL, struct interface, shared),
	ARRAY(91, struct interface, others, attachment_record),
	FN(92, FIELD_BOOL, "lost", struct interface, attachment.lost),
	FN(93, FIELD_ID, "gateway", struct interface, attachment.gateway, .kind = KIND_NAT_GATEWAY),
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

static const char *kind_text(uint32_t v)
{
	return kind_name((enum kind)v);
}

static const struct field token_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_STRING, struct token, operation),
	F(11, FIELD_STRING, struct token, token),
	F(12, FIELD_BYTES, struct token, digest, .size = TOKEN_DIGEST_SIZE),
	FN(13, FIELD_TIME, "expires", struct token, expires_ms),
	F(14, FIELD_U32, struct token, result_kind, .text = kind_text),
	IDS(15, struct token, results),
};
RECORD(token, struct token);

static const struct field counters_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_U32, struct counters, last_vni),
	F(11, FIELD_U32, struct counters, last_host),
	F(12, FIELD_U32, struct counters, last_group),
	F(13, FIELD_U32, struct counters, last_acl),
	F(60, FIELD_U32, struct counters, last_handle),
	F(61, FIELD_U32, struct counters, last_table),
	F(90, FIELD_U32, struct counters, last_placed),
};
RECORD(counters, struct counters);

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

static const struct field group_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct security_group, vpc, .kind = KIND_VPC),
	F(11, FIELD_U32, struct security_group, number),
	F(12, FIELD_STRING, struct security_group, name),
	F(13, FIELD_STRING, struct security_group, description),
	F(14, FIELD_BOOL, struct security_group, is_default),
};
RECORD(group, struct security_group);

static const char *end_text(uint32_t v)
{
	return rule_end_text((enum rule_end)v);
}

static const struct field rule_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct group_rule, group, .kind = KIND_SECURITY_GROUP),
	F(11, FIELD_BOOL, struct group_rule, egress),
	FN(12, FIELD_U32, "protocol", struct group_rule, traffic.protocol),
	FN(13, FIELD_U32, "from", struct group_rule, traffic.from),
	FN(14, FIELD_U32, "to", struct group_rule, traffic.to),
	F(15, FIELD_U32, struct group_rule, end, .text = end_text),
	FN(16, FIELD_PREFIX, "cidr", struct group_rule, prefix),
	FN(17, FIELD_ID, "peer_group", struct group_rule, peer, .kind = KIND_SECURITY_GROUP),
	F(18, FIELD_U32, struct group_rule, peer_number),
	F(19, FIELD_ID, struct group_rule, peer_account, .kind = KIND_ACCOUNT),
	F(20, FIELD_ID, struct group_rule, peer_vpc, .kind = KIND_VPC),
	FN(21, FIELD_ID, "prefix_list", struct group_rule, list, .kind = KIND_PREFIX_LIST),
	F(22, FIELD_STRING, struct group_rule, description),
};
RECORD(rule, struct group_rule);

static const struct field acl_entry_fields[] = {
	F(1, FIELD_U32, struct acl_entry, rule),
	F(2, FIELD_BOOL, struct acl_entry, egress),
	F(3, FIELD_BOOL, struct acl_entry, allow),
	FN(4, FIELD_U32, "protocol", struct acl_entry, traffic.protocol),
	FN(5, FIELD_U32, "from", struct acl_entry, traffic.from),
	FN(6, FIELD_U32, "to", struct acl_entry, traffic.to),
	FN(7, FIELD_PREFIX, "cidr", struct acl_entry, prefix),
};
RECORD(acl_entry, struct acl_entry);

static const struct field acl_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct network_acl, vpc, .kind = KIND_VPC),
	F(11, FIELD_U32, struct network_acl, number),
	F(12, FIELD_BOOL, struct network_acl, is_default),
	ARRAY(13, struct network_acl, entries, acl_entry_record),
};
RECORD(acl, struct network_acl);

static const struct field list_entry_fields[] = {
	FN(1, FIELD_PREFIX, "cidr", struct prefix_list_entry, prefix),
	F(2, FIELD_STRING, struct prefix_list_entry, description),
};
RECORD(list_entry, struct prefix_list_entry);

static const struct field list_version_fields[] = {
	F(1, FIELD_U64, struct prefix_list_version, version),
	ARRAY(2, struct prefix_list_version, entries, list_entry_record),
};
RECORD(list_version, struct prefix_list_version);

static const char *list_state_text(uint32_t v)
{
	return prefix_list_state_text((enum prefix_list_state)v);
}

static const struct field list_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_STRING, struct prefix_list, name),
	F(11, FIELD_BOOL, struct prefix_list, v6),
	F(12, FIELD_U32, struct prefix_list, max_entries),
	F(13, FIELD_U64, struct prefix_list, version),
	F(14, FIELD_U32, struct prefix_list, state, .text = list_state_text),
	ARRAY(15, struct prefix_list, entries, list_entry_record),
	ARRAY(16, struct prefix_list, versions, list_version_record),
};
RECORD(list, struct prefix_list);
static const char *route_text(uint32_t v)
{
	return route_target_text((enum route_target)v);
}

static const struct field route_fields[] = {
	F(1, FIELD_PREFIX, struct route, destination),
	F(2, FIELD_U64, struct route, prefix_list),
	F(3, FIELD_U32, struct route, target, .text = route_text),
	F(4, FIELD_U64, struct route, target_id),
};
RECORD(route, struct route);

static const struct field route_table_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct route_table, vpc, .kind = KIND_VPC),
	F(11, FIELD_U32, struct route_table, vni),
	F(12, FIELD_U32, struct route_table, number),
	ARRAY(13, struct route_table, routes, route_record),
};
RECORD(route_table, struct route_table);

static const struct field internet_gateway_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct internet_gateway, vpc, .kind = KIND_VPC),
	F(11, FIELD_U32, struct internet_gateway, vni),
	F(12, FIELD_U32, struct internet_gateway, edge),
	FN(13, FIELD_U32, "handle", struct internet_gateway, handle.number),
	F(14, FIELD_ID, struct internet_gateway, table, .kind = KIND_ROUTE_TABLE),
	F(15, FIELD_ID, struct internet_gateway, table_association,
	  .prefix = ID_PREFIX_TABLE_ASSOCIATION),
};
RECORD(internet_gateway, struct internet_gateway);

static const struct field egress_gateway_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct egress_gateway, vpc, .kind = KIND_VPC),
	F(11, FIELD_U32, struct egress_gateway, vni),
	F(12, FIELD_U32, struct egress_gateway, edge),
	FN(13, FIELD_U32, "handle", struct egress_gateway, handle.number),
};
RECORD(egress_gateway, struct egress_gateway);

static const char *nat_text(uint32_t v)
{
	return nat_state_text((enum nat_state)v);
}

static const struct field nat_port_fields[] = {
	F(1, FIELD_U32, struct nat_port, protocol),
	F(2, FIELD_U32, struct nat_port, public_port),
	FN(3, FIELD_ADDR, "address", struct nat_port, addr),
	F(4, FIELD_U32, struct nat_port, port),
};
RECORD(nat_port, struct nat_port);

static const struct field nat_gateway_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct nat_gateway, vpc, .kind = KIND_VPC),
	F(11, FIELD_U32, struct nat_gateway, vni),
	F(12, FIELD_ID, struct nat_gateway, subnet, .kind = KIND_SUBNET),
	F(13, FIELD_ID, struct nat_gateway, interface, .kind = KIND_INTERFACE),
	F(14, FIELD_ID, struct nat_gateway, address, .kind = KIND_ADDRESS),
	F(15, FIELD_ADDR, struct nat_gateway, private_addr),
	F(16, FIELD_ADDR, struct nat_gateway, public_addr),
	F(17, FIELD_U32, struct nat_gateway, state, .text = nat_text),
	F(18, FIELD_U32, struct nat_gateway, edge),
	FN(19, FIELD_U32, "handle", struct nat_gateway, handle.number),
	F(20, FIELD_U64, struct nat_gateway, wait_revision),
	FN(21, FIELD_TIME, "ended", struct nat_gateway, ended_ms),
	F(22, FIELD_STRING, struct nat_gateway, failure_code),
	F(23, FIELD_STRING, struct nat_gateway, failure),
	ARRAY(24, struct nat_gateway, ports, nat_port_record),
	FN(25, FIELD_BOOL, "private", struct nat_gateway, is_private),
};
RECORD(nat_gateway, struct nat_gateway);

static const struct field elastic_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ADDR, struct elastic, public),
	F(11, FIELD_ID, struct elastic, pool, .kind = KIND_POOL),
	F(12, FIELD_BOOL, struct elastic, automatic),
	F(13, FIELD_ID, struct elastic, association, .prefix = ID_PREFIX_ADDRESS_ASSOCIATION),
	F(14, FIELD_ID, struct elastic, vpc, .kind = KIND_VPC),
	F(15, FIELD_U32, struct elastic, vni),
	F(16, FIELD_ADDR, struct elastic, private_addr),
	F(17, FIELD_ID, struct elastic, nat_gateway, .kind = KIND_NAT_GATEWAY),
	F(18, FIELD_U32, struct elastic, edge),
};
RECORD(elastic, struct elastic);

static const struct field drain_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct drain, address, .kind = KIND_ADDRESS),
	F(11, FIELD_U32, struct drain, vni),
	F(12, FIELD_ADDR, struct drain, private_addr),
	FN(13, FIELD_TIME, "until", struct drain, until_ms),
};
RECORD(drain, struct drain);

static const char *peering_text(uint32_t v)
{
	return peering_state_text((enum peering_state)v);
}

static const struct field peering_fields[] = {
	OBJECT_FIELDS,
	FN(10, FIELD_ID, "requester_vpc", struct peering, requester.vpc, .kind = KIND_VPC),
	FN(11, FIELD_ID, "requester", struct peering, requester.account, .kind = KIND_ACCOUNT),
	FN(12, FIELD_U32, "requester_vni", struct peering, requester.vni),
	FN(13, FIELD_PREFIX, "requester_cidr", struct peering, requester.block),
	FN(14, FIELD_BOOL, "requester_dns", struct peering, requester.dns),
	FN(15, FIELD_ID, "accepter_vpc", struct peering, accepter.vpc, .kind = KIND_VPC),
	FN(16, FIELD_ID, "accepter", struct peering, accepter.account, .kind = KIND_ACCOUNT),
	FN(17, FIELD_U32, "accepter_vni", struct peering, accepter.vni),
	FN(18, FIELD_PREFIX, "accepter_cidr", struct peering, accepter.block),
	FN(19, FIELD_BOOL, "accepter_dns", struct peering, accepter.dns),
	F(20, FIELD_U32, struct peering, state, .text = peering_text),
	FN(21, FIELD_TIME, "expires", struct peering, expires_ms),
	FN(22, FIELD_TIME, "ended", struct peering, ended_ms),
};
RECORD(peering, struct peering);

static const struct field pool_fields[] = {
	OBJECT_FIELDS,
	FN(10, FIELD_PREFIX, "cidr", struct pool, prefix),
};
RECORD(pool, struct pool);

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

static const struct field pair_shift_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_U32, struct pair_shift, from),
	F(11, FIELD_U32, struct pair_shift, to),
	FN(12, FIELD_U32, "vni", struct pair_shift, class.vni),
	FN(13, FIELD_U32, "peer_vni", struct pair_shift, class.peer_vni),
	FN(14, FIELD_ID, "interface", struct pair_shift, class.interface, .kind = KIND_INTERFACE),
	FN(15, FIELD_ID, "peer_interface", struct pair_shift, class.peer_interface,
	   .kind = KIND_INTERFACE),
	FN(16, FIELD_U64, "sender_revision", struct pair_shift, shift.sender_revision),
	FN(17, FIELD_U64, "receiver_revision", struct pair_shift, shift.receiver_revision),
	FN(18, FIELD_TIME, "past_since", struct pair_shift, shift.past_ms),
	FN(20, FIELD_U32, "using_format", struct pair_shift, shift.using.format),
	FN(21, FIELD_U32, "using_beside", struct pair_shift, shift.using.beside),
	FN(22, FIELD_U32, "using_features", struct pair_shift, shift.using.features),
	FN(23, FIELD_U32, "using_key_epoch", struct pair_shift, shift.using.key_epoch),
	FN(24, FIELD_BOOL, "using_outer_v6", struct pair_shift, shift.using.outer_v6),
	FN(30, FIELD_BOOL, "told", struct pair_shift, shift.told.set),
	FN(31, FIELD_U32, "told_format", struct pair_shift, shift.told.terms.format),
	FN(32, FIELD_U32, "told_beside", struct pair_shift, shift.told.terms.beside),
	FN(33, FIELD_U32, "told_features", struct pair_shift, shift.told.terms.features),
	FN(34, FIELD_U32, "told_key_epoch", struct pair_shift, shift.told.terms.key_epoch),
	FN(35, FIELD_BOOL, "told_outer_v6", struct pair_shift, shift.told.terms.outer_v6),
	FN(40, FIELD_BOOL, "offered", struct pair_shift, shift.offered.set),
	FN(41, FIELD_U32, "offered_format", struct pair_shift, shift.offered.terms.format),
	FN(42, FIELD_U32, "offered_beside", struct pair_shift, shift.offered.terms.beside),
	FN(43, FIELD_U32, "offered_features", struct pair_shift, shift.offered.terms.features),
	FN(44, FIELD_U32, "offered_key_epoch", struct pair_shift, shift.offered.terms.key_epoch),
	FN(45, FIELD_BOOL, "offered_outer_v6", struct pair_shift, shift.offered.terms.outer_v6),
	FN(50, FIELD_BOOL, "past", struct pair_shift, shift.past.set),
	FN(51, FIELD_U32, "past_format", struct pair_shift, shift.past.terms.format),
	FN(52, FIELD_U32, "past_beside", struct pair_shift, shift.past.terms.beside),
	FN(53, FIELD_U32, "past_features", struct pair_shift, shift.past.terms.features),
	FN(54, FIELD_U32, "past_key_epoch", struct pair_shift, shift.past.terms.key_epoch),
	FN(55, FIELD_BOOL, "past_outer_v6", struct pair_shift, shift.past.terms.outer_v6),
};
RECORD(pair_shift, struct pair_shift);

static const struct field label_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_U32, struct label, addr),
	F(11, FIELD_U32, struct label, host),
	F(12, FIELD_U32, struct label, vni),
	F(13, FIELD_ADDR, struct label, virtual),
	F(14, FIELD_U64, struct label, since),
	FN(15, FIELD_TIME, "rest", struct label, rest_ms),
};
RECORD(label, struct label);

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
};
RECORD(usage, struct usage);

static const struct field choice_text_fields[] = {
	F(1, FIELD_STRING, struct choice_text, text),
};
RECORD(choice_text, struct choice_text);

static const char *effect_text(uint32_t v)
{
	return choice_effect_text((enum choice_effect)v);
}

static const char *direction_text(uint32_t v)
{
	return choice_direction_text((enum choice_direction)v);
}

#define MEMBER_LABELS(tag_, name_, member_)                                                        \
	{                                                                                          \
		.tag = tag_, .type = FIELD_ARRAY, .name = name_,                                   \
		.offset = offsetof(struct choice_policy, member_.labels),                          \
		.size = sizeof(struct tag),                                                        \
		.count_offset = offsetof(struct choice_policy, member_.n_labels),                  \
		.element = &tag_record                                                             \
	}
/* Of a policy, and of one as it was before a change, which begins with it. */
#define CHOICE_POLICY_FIELDS                                                                       \
	F(10, FIELD_STRING, struct choice_policy, name),                                           \
		F(11, FIELD_STRING, struct choice_policy, environment),                            \
		FN(12, FIELD_ID, "host", struct choice_policy, one.host, .kind = KIND_HOST),       \
		FN(13, FIELD_ID, "network", struct choice_policy, one.vpc, .kind = KIND_VPC),      \
		FN(14, FIELD_ID, "match_account", struct choice_policy, one.account,               \
		   .kind = KIND_ACCOUNT),                                                          \
		MEMBER_LABELS(15, "host_labels", one),                                             \
		FN(16, FIELD_ID, "peer_host", struct choice_policy, other.host,                    \
		   .kind = KIND_HOST),                                                             \
		FN(17, FIELD_ID, "peer_network", struct choice_policy, other.vpc,                  \
		   .kind = KIND_VPC),                                                              \
		FN(18, FIELD_ID, "peer_account", struct choice_policy, other.account,              \
		   .kind = KIND_ACCOUNT),                                                          \
		MEMBER_LABELS(19, "peer_labels", other),                                           \
		FN(20, FIELD_ID, "interface", struct choice_policy, interfaces[0],                 \
		   .kind = KIND_INTERFACE),                                                        \
		FN(21, FIELD_ID, "peer_interface", struct choice_policy, interfaces[1],            \
		   .kind = KIND_INTERFACE),                                                        \
		F(22, FIELD_U32, struct choice_policy, direction, .text = direction_text),         \
		F(23, FIELD_U32, struct choice_policy, effect, .text = effect_text),               \
		ARRAY(24, struct choice_policy, what, choice_text_record),                         \
		F(25, FIELD_U64, struct choice_policy, rate_bits),                                 \
		F(26, FIELD_U32, struct choice_policy, rate_burst),                                \
		F(27, FIELD_BOOL, struct choice_policy, source_only)
static const struct field choice_policy_fields[] = {
	OBJECT_FIELDS,
	CHOICE_POLICY_FIELDS,
};
RECORD(choice_policy, struct choice_policy);

static const struct field choice_change_fields[] = {
	OBJECT_FIELDS,
	CHOICE_POLICY_FIELDS,
	FN(40, FIELD_ID, "policy", struct choice_change, former.id, .kind = KIND_CHOICE_POLICY),
	FN(41, FIELD_U64, "age", struct choice_change, former.age),
	FN(42, FIELD_ID, "owner", struct choice_change, former.owner, .kind = KIND_ACCOUNT),
	F(43, FIELD_BOOL, struct choice_change, made),
	F(44, FIELD_U64, struct choice_change, done),
};
RECORD(choice_change, struct choice_change);

static const struct field choice_pass_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_U64, struct choice_pass, through),
	F(11, FIELD_U32, struct choice_pass, phase),
	F(12, FIELD_U64, struct choice_pass, at),
};
RECORD(choice_pass, struct choice_pass);

static const struct field dhcp_option_fields[] = {
	F(1, FIELD_STRING, struct dhcp_option, key),
	F(2, FIELD_STRING, struct dhcp_option, value),
};
RECORD(dhcp_option, struct dhcp_option);

static const struct field dhcp_options_fields[] = {
	OBJECT_FIELDS,
	ARRAY(10, struct dhcp_options, options, dhcp_option_record),
};
RECORD(dhcp_options, struct dhcp_options);

static const struct field insights_path_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_U32, struct insights_path, source_kind, .text = kind_text),
	F(11, FIELD_U64, struct insights_path, source),
	F(12, FIELD_U32, struct insights_path, destination_kind, .text = kind_text),
	F(13, FIELD_U64, struct insights_path, destination),
	F(14, FIELD_ADDR, struct insights_path, source_addr),
	F(15, FIELD_ADDR, struct insights_path, destination_addr),
	F(16, FIELD_U32, struct insights_path, protocol),
	F(17, FIELD_U32, struct insights_path, port),
};
RECORD(insights_path, struct insights_path);

static const struct field reach_step_fields[] = {
	F(1, FIELD_U32, struct reach_step, what),
	F(2, FIELD_U32, struct reach_step, code),
	F(3, FIELD_BOOL, struct reach_step, back),
	F(4, FIELD_BOOL, struct reach_step, egress),
	F(5, FIELD_U32, struct reach_step, kind, .text = kind_text),
	F(6, FIELD_U64, struct reach_step, id),
	F(7, FIELD_U32, struct reach_step, attached_kind, .text = kind_text),
	F(8, FIELD_U64, struct reach_step, attached),
	F(9, FIELD_U64, struct reach_step, rule),
	F(10, FIELD_BOOL, struct reach_step, allow),
	F(11, FIELD_U32, struct reach_step, protocol),
	F(12, FIELD_U32, struct reach_step, from),
	F(13, FIELD_U32, struct reach_step, to),
	F(14, FIELD_PREFIX, struct reach_step, prefix),
	F(15, FIELD_U64, struct reach_step, group),
	F(16, FIELD_U32, struct reach_step, target_kind, .text = kind_text),
	F(17, FIELD_U64, struct reach_step, target),
};
RECORD(reach_step, struct reach_step);

static const struct field insights_analysis_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct insights_analysis, path, .kind = KIND_INSIGHTS_PATH),
	F(11, FIELD_BOOL, struct insights_analysis, found),
	ARRAY(12, struct insights_analysis, steps, reach_step_record),
};
RECORD(insights_analysis, struct insights_analysis);

static const struct field flow_log_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_U32, struct flow_log, resource_kind, .text = kind_text),
	F(11, FIELD_U64, struct flow_log, resource),
	F(12, FIELD_U32, struct flow_log, traffic, .text = flow_traffic_text),
	F(13, FIELD_U32, struct flow_log, interval),
	F(14, FIELD_STRING, struct flow_log, format),
	F(15, FIELD_BOOL, struct flow_log, s3),
	F(16, FIELD_STRING, struct flow_log, destination),
	F(17, FIELD_STRING, struct flow_log, group_name),
	F(18, FIELD_STRING, struct flow_log, role),
};
RECORD(flow_log, struct flow_log);

static const struct field mirror_target_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct mirror_target, interface, .kind = KIND_INTERFACE),
	F(11, FIELD_STRING, struct mirror_target, description),
};
RECORD(mirror_target, struct mirror_target);

static const struct field mirror_rule_fields[] = {
	F(1, FIELD_ID, struct mirror_rule, id, .prefix = ID_PREFIX_MIRROR_RULE),
	F(2, FIELD_BOOL, struct mirror_rule, egress),
	F(3, FIELD_BOOL, struct mirror_rule, accept),
	F(4, FIELD_BOOL, struct mirror_rule, has_source_ports),
	F(5, FIELD_BOOL, struct mirror_rule, has_destination_ports),
	F(6, FIELD_U32, struct mirror_rule, number),
	F(7, FIELD_U32, struct mirror_rule, protocol),
	F(8, FIELD_U32, struct mirror_rule, source_from),
	F(9, FIELD_U32, struct mirror_rule, source_to),
	F(10, FIELD_U32, struct mirror_rule, destination_from),
	F(11, FIELD_U32, struct mirror_rule, destination_to),
	F(12, FIELD_PREFIX, struct mirror_rule, source),
	F(13, FIELD_PREFIX, struct mirror_rule, destination),
	F(14, FIELD_STRING, struct mirror_rule, description),
};
RECORD(mirror_rule, struct mirror_rule);

static const struct field mirror_filter_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_STRING, struct mirror_filter, description),
	F(11, FIELD_BOOL, struct mirror_filter, dns),
	ARRAY(12, struct mirror_filter, rules, mirror_rule_record),
};
RECORD(mirror_filter, struct mirror_filter);

static const struct field mirror_session_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_ID, struct mirror_session, interface, .kind = KIND_INTERFACE),
	F(11, FIELD_ID, struct mirror_session, target, .kind = KIND_MIRROR_TARGET),
	F(12, FIELD_ID, struct mirror_session, filter, .kind = KIND_MIRROR_FILTER),
	F(13, FIELD_U32, struct mirror_session, number),
	F(14, FIELD_U32, struct mirror_session, length),
	F(15, FIELD_U32, struct mirror_session, vni),
	F(16, FIELD_STRING, struct mirror_session, description),
};
RECORD(mirror_session, struct mirror_session);

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

static const char *placement_text_of(uint32_t v)
{
	return placement_strategy_text((enum placement_strategy)v);
}

static const struct field settings_fields[] = {
	OBJECT_FIELDS,
	F(10, FIELD_U32, struct settings, placement, .text = placement_text_of),
};
RECORD(settings, struct settings);

const struct record *record_of(enum kind k)
{
	static const struct record *const records[KIND_MAX] = {
		[KIND_ACCOUNT] = &account_record,
		[KIND_KEY] = &key_record,
		[KIND_HOST] = &host_record,
		[KIND_VPC] = &vpc_record,
		[KIND_SUBNET] = &subnet_record,
		[KIND_INTERFACE] = &interface_record,
		[KIND_INSTANCE] = &instance_record,
		[KIND_TOKEN] = &token_record,
		[KIND_COUNTERS] = &counters_record,
		[KIND_RELEASE] = &release_record,
		[KIND_SECURITY_GROUP] = &group_record,
		[KIND_SECURITY_GROUP_RULE] = &rule_record,
		[KIND_NETWORK_ACL] = &acl_record,
		[KIND_PREFIX_LIST] = &list_record,
		[KIND_DHCP_OPTIONS] = &dhcp_options_record,
		[KIND_CHOICE_POLICY] = &choice_policy_record,
		[KIND_CHOICE_CHANGE] = &choice_change_record,
		[KIND_CHOICE_PASS] = &choice_pass_record,
		[KIND_PERMISSION] = &permission_record,
		[KIND_USAGE] = &usage_record,
		[KIND_INSIGHTS_PATH] = &insights_path_record,
		[KIND_INSIGHTS_ANALYSIS] = &insights_analysis_record,
		[KIND_ROUTE_TABLE] = &route_table_record,
		[KIND_INTERNET_GATEWAY] = &internet_gateway_record,
		[KIND_EGRESS_GATEWAY] = &egress_gateway_record,
		[KIND_NAT_GATEWAY] = &nat_gateway_record,
		[KIND_ADDRESS] = &elastic_record,
		[KIND_DRAIN] = &drain_record,
		[KIND_PAIR_SHIFT] = &pair_shift_record,
		[KIND_LABEL] = &label_record,
		[KIND_PEERING] = &peering_record,
		[KIND_POOL] = &pool_record,
		[KIND_FLOW_LOG] = &flow_log_record,
		[KIND_MIRROR_TARGET] = &mirror_target_record,
		[KIND_MIRROR_FILTER] = &mirror_filter_record,
		[KIND_MIRROR_SESSION] = &mirror_session_record,
		[KIND_PLACEMENT_GROUP] = &placement_group_record,
		[KIND_SETTINGS] = &settings_record,
	};

	return k > KIND_NONE && k < KIND_MAX ? records[k] : NULL;
}
