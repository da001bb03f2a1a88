/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handlers and filter tables that actions.def names; see call.h for what a handler does.
 */
#pragma once

#include "api/call.h"
#include "api/filter.h"
#include "model/names.h"
#include "model/zone.h"

/* vpc_actions.c */
int action_create_vpc(struct ec2_call *c);
int action_create_default_vpc(struct ec2_call *c);
int action_delete_vpc(struct ec2_call *c);
int action_describe_vpcs(struct ec2_call *c);
int action_describe_vpc_attribute(struct ec2_call *c);
int action_modify_vpc_attribute(struct ec2_call *c);
extern const struct filter vpc_filters[];

/* dhcp_options_actions.c */
int action_create_dhcp_options(struct ec2_call *c);
int action_delete_dhcp_options(struct ec2_call *c);
int action_associate_dhcp_options(struct ec2_call *c);
int action_describe_dhcp_options(struct ec2_call *c);
extern const struct filter dhcp_filters[];

/* subnet_actions.c */
int action_create_subnet(struct ec2_call *c);
int action_create_default_subnet(struct ec2_call *c);
int action_delete_subnet(struct ec2_call *c);
int action_describe_subnets(struct ec2_call *c);
int action_modify_subnet_attribute(struct ec2_call *c);
extern const struct filter subnet_filters[];

/* vpc_block_actions.c, block6_actions.c */
int action_associate_vpc_cidr_block(struct ec2_call *c);
int action_disassociate_vpc_cidr_block(struct ec2_call *c);
int action_associate_subnet_cidr_block(struct ec2_call *c);
int action_disassociate_subnet_cidr_block(struct ec2_call *c);
int action_describe_ipv6_pools(struct ec2_call *c);
int action_get_associated_ipv6_pool_cidrs(struct ec2_call *c);
extern const struct filter pool6_filters[];

/* interface_actions.c, address6_actions.c, interface_view.c */
int action_create_network_interface(struct ec2_call *c);
int action_delete_network_interface(struct ec2_call *c);
int action_attach_network_interface(struct ec2_call *c);
int action_detach_network_interface(struct ec2_call *c);
int action_modify_network_interface_attribute(struct ec2_call *c);
int action_assign_private_ip_addresses(struct ec2_call *c);
int action_unassign_private_ip_addresses(struct ec2_call *c);
int action_assign_ipv6_addresses(struct ec2_call *c);
int action_unassign_ipv6_addresses(struct ec2_call *c);
int action_describe_network_interfaces(struct ec2_call *c);
int action_describe_network_interface_attribute(struct ec2_call *c);
int action_reset_network_interface_attribute(struct ec2_call *c);
extern const struct filter interface_filters[];

/* route_table_actions.c, route_table_view.c */
int action_create_route_table(struct ec2_call *c);
int action_delete_route_table(struct ec2_call *c);
int action_describe_route_tables(struct ec2_call *c);
int action_create_route(struct ec2_call *c);
int action_replace_route(struct ec2_call *c);
int action_delete_route(struct ec2_call *c);
int action_associate_route_table(struct ec2_call *c);
int action_disassociate_route_table(struct ec2_call *c);
int action_replace_route_table_association(struct ec2_call *c);
int action_enable_vgw_route_propagation(struct ec2_call *c);
int action_disable_vgw_route_propagation(struct ec2_call *c);
extern const struct filter route_table_filters[];

/* gateway_actions.c */
int action_create_internet_gateway(struct ec2_call *c);
int action_delete_internet_gateway(struct ec2_call *c);
int action_attach_internet_gateway(struct ec2_call *c);
int action_detach_internet_gateway(struct ec2_call *c);
int action_describe_internet_gateways(struct ec2_call *c);
int action_create_egress_only_internet_gateway(struct ec2_call *c);
int action_delete_egress_only_internet_gateway(struct ec2_call *c);
int action_describe_egress_only_internet_gateways(struct ec2_call *c);
extern const struct filter internet_gateway_filters[];
extern const struct filter egress_gateway_filters[];

/* permission_actions.c */
int action_create_network_interface_permission(struct ec2_call *c);
int action_delete_network_interface_permission(struct ec2_call *c);
int action_describe_network_interface_permissions(struct ec2_call *c);
extern const struct filter permission_filters[];

/* group_actions.c, group_reference_actions.c, group_view.c, group_filters.c */
int action_authorize_security_group_egress(struct ec2_call *c);
int action_authorize_security_group_ingress(struct ec2_call *c);
int action_create_security_group(struct ec2_call *c);
int action_delete_security_group(struct ec2_call *c);
int action_describe_security_group_references(struct ec2_call *c);
int action_describe_security_group_rules(struct ec2_call *c);
int action_describe_security_groups(struct ec2_call *c);
int action_describe_stale_security_groups(struct ec2_call *c);
int action_modify_security_group_rules(struct ec2_call *c);
int action_revoke_security_group_egress(struct ec2_call *c);
int action_revoke_security_group_ingress(struct ec2_call *c);
int action_update_security_group_rule_descriptions_egress(struct ec2_call *c);
int action_update_security_group_rule_descriptions_ingress(struct ec2_call *c);
extern const struct filter group_filters[];
extern const struct filter group_rule_filters[];

/* acl_actions.c, acl_filters.c */
int action_create_network_acl(struct ec2_call *c);
int action_create_network_acl_entry(struct ec2_call *c);
int action_delete_network_acl(struct ec2_call *c);
int action_delete_network_acl_entry(struct ec2_call *c);
int action_describe_network_acls(struct ec2_call *c);
int action_replace_network_acl_association(struct ec2_call *c);
int action_replace_network_acl_entry(struct ec2_call *c);
extern const struct filter acl_filters[];

/* prefix_list_actions.c */
int action_create_managed_prefix_list(struct ec2_call *c);
int action_delete_managed_prefix_list(struct ec2_call *c);
int action_describe_managed_prefix_lists(struct ec2_call *c);
int action_describe_prefix_lists(struct ec2_call *c);
int action_get_managed_prefix_list_associations(struct ec2_call *c);
int action_get_managed_prefix_list_entries(struct ec2_call *c);
int action_modify_managed_prefix_list(struct ec2_call *c);
int action_restore_managed_prefix_list_version(struct ec2_call *c);
extern const struct filter prefix_list_filters[];
extern const struct filter aws_prefix_list_filters[];
/* elastic_actions.c */
int action_allocate_address(struct ec2_call *c);
int action_release_address(struct ec2_call *c);
int action_associate_address(struct ec2_call *c);
int action_disassociate_address(struct ec2_call *c);
int action_describe_addresses(struct ec2_call *c);
int action_describe_addresses_attribute(struct ec2_call *c);
int action_describe_public_ipv4_pools(struct ec2_call *c);
extern const struct filter address_filters[];

/* peering_actions.c */
int action_create_vpc_peering_connection(struct ec2_call *c);
int action_accept_vpc_peering_connection(struct ec2_call *c);
int action_reject_vpc_peering_connection(struct ec2_call *c);
int action_delete_vpc_peering_connection(struct ec2_call *c);
int action_modify_vpc_peering_connection_options(struct ec2_call *c);
int action_describe_vpc_peering_connections(struct ec2_call *c);
extern const struct filter peering_filters[];

/* nat_actions.c */
int action_create_nat_gateway(struct ec2_call *c);
int action_delete_nat_gateway(struct ec2_call *c);
int action_describe_nat_gateways(struct ec2_call *c);
extern const struct filter nat_gateway_filters[];

/* tag_actions.c */
int action_create_tags(struct ec2_call *c);
int action_delete_tags(struct ec2_call *c);
int action_describe_tags(struct ec2_call *c);
extern const struct filter tag_filters[];

/* placement_actions.c */
int action_create_placement_group(struct ec2_call *c);
int action_delete_placement_group(struct ec2_call *c);
int action_describe_placement_groups(struct ec2_call *c);
int action_modify_instance_placement(struct ec2_call *c);
extern const struct filter placement_group_filters[];

/* instance_actions.c, instance_view.c */
int action_run_instances(struct ec2_call *c);
int action_start_instances(struct ec2_call *c);
int action_stop_instances(struct ec2_call *c);
int action_reboot_instances(struct ec2_call *c);
int action_terminate_instances(struct ec2_call *c);
int action_modify_instance_attribute(struct ec2_call *c);
int action_describe_instances(struct ec2_call *c);
int action_describe_instance_status(struct ec2_call *c);
int action_describe_instance_attribute(struct ec2_call *c);
extern const struct filter instance_filters[];
extern const struct filter instance_status_filters[];

/* region_actions.c */
int action_describe_availability_zones(struct ec2_call *c);
int action_describe_regions(struct ec2_call *c);
int action_describe_account_attributes(struct ec2_call *c);
extern const struct filter zone_filters[];
extern const struct filter region_filters[];

/* catalogue_actions.c */
int action_describe_images(struct ec2_call *c);
int action_describe_instance_types(struct ec2_call *c);
extern const struct filter image_filters[];
extern const struct filter instance_type_filters[];

/* An interface as CreateNetworkInterface and DescribeNetworkInterfaces show it, without the element
 * around it; and as it stands in an instance. */
struct instance;
struct interface;
void interface_write(struct ec2_call *c, const struct interface *i);
void interface_write_in_instance(struct ec2_call *c, const struct interface *i, uint64_t instance);
/* Its first IPv6 address as <ipv6Address>, if it has one. */
void interface_write_addr6(struct ec2_call *c, const struct interface *i);
/* A route table, without the element around it. */
struct route_table;
void route_table_write(struct ec2_call *c, const struct route_table *t);
/* What a private address is associated with, or NULL; the element <association>; its public name,
 * "" when the network has no names. */
struct elastic;
const struct elastic *elastic_of(const struct ec2_call *c, const struct interface *i,
				 const struct ipaddr *a);
void elastic_write_association(struct ec2_call *c, const struct elastic *e, bool in_instance);
const char *elastic_name(const struct ec2_call *c, const struct elastic *e,
			 char buf[static NAMES_SIZE]);
void elastic_filter_owner(struct filter_probe *p, const struct elastic *e);
/* An instance, an item of instancesSet. */
void instance_write(struct ec2_call *c, const struct instance *i);
/* "use1-az1" of "us-east-1a"; NULL when the region has no such zone. */
const char *zone_id_text(const struct model *m, const char *zone, char buf[static ZONE_ID_SIZE]);

/* insights_actions.c */
int action_create_network_insights_path(struct ec2_call *c);
int action_delete_network_insights_path(struct ec2_call *c);
int action_describe_network_insights_paths(struct ec2_call *c);
int action_start_network_insights_analysis(struct ec2_call *c);
int action_delete_network_insights_analysis(struct ec2_call *c);
int action_describe_network_insights_analyses(struct ec2_call *c);
extern const struct filter insights_path_filters[];
extern const struct filter insights_analysis_filters[];

/* flow_log_actions.c */
int action_create_flow_logs(struct ec2_call *c);
int action_delete_flow_logs(struct ec2_call *c);
int action_describe_flow_logs(struct ec2_call *c);
extern const struct filter flow_log_filters[];

/* mirror_actions.c */
int action_create_traffic_mirror_target(struct ec2_call *c);
int action_delete_traffic_mirror_target(struct ec2_call *c);
int action_describe_traffic_mirror_targets(struct ec2_call *c);
int action_create_traffic_mirror_session(struct ec2_call *c);
int action_delete_traffic_mirror_session(struct ec2_call *c);
int action_describe_traffic_mirror_sessions(struct ec2_call *c);
int action_modify_traffic_mirror_session(struct ec2_call *c);
extern const struct filter mirror_target_filters[];
extern const struct filter mirror_session_filters[];

/* mirror_filter_actions.c */
int action_create_traffic_mirror_filter(struct ec2_call *c);
int action_create_traffic_mirror_filter_rule(struct ec2_call *c);
int action_delete_traffic_mirror_filter(struct ec2_call *c);
int action_delete_traffic_mirror_filter_rule(struct ec2_call *c);
int action_describe_traffic_mirror_filters(struct ec2_call *c);
int action_modify_traffic_mirror_filter_network_services(struct ec2_call *c);
int action_modify_traffic_mirror_filter_rule(struct ec2_call *c);
extern const struct filter mirror_filter_filters[];
