/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may speak with whom: security groups and their rules, network ACLs, prefix lists.
 */
#include "model/record_tables.h"

#include "model/group_rule.h"
#include "model/network_acl.h"
#include "model/prefix_list.h"
#include "model/security_group.h"

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
PART(acl_entry, struct acl_entry);

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
PART(list_entry, struct prefix_list_entry);

static const struct field list_version_fields[] = {
	F(1, FIELD_U64, struct prefix_list_version, version),
	ARRAY(2, struct prefix_list_version, entries, list_entry_record),
};
PART(list_version, struct prefix_list_version);

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
