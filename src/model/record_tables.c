/* SPDX-License-Identifier: Apache-2.0 */
/* Which record describes which kind.  See record_tables.h. */
#include "model/record_tables.h"

const char *record_kind_text(uint32_t v)
{
	return kind_name((enum kind)v);
}

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
