/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relations: which groups of a key objects, and attachments, are in.  See table_uses.h.
 */
#include "model/table_uses.h"

#include "model/drain.h"
#include "model/egress_gateway.h"
#include "model/elastic.h"
#include "model/flow_log.h"
#include "model/group_rule.h"
#include "model/host.h"
#include "model/insights.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/label.h"
#include "model/mirror.h"
#include "model/nat_gateway.h"
#include "model/network_acl.h"
#include "model/pair_shift.h"
#include "model/peering.h"
#include "model/permission.h"
#include "model/release.h"
#include "model/route_table.h"
#include "model/security_group.h"
#include "model/subnet.h"
#include "model/usage.h"
#include "model/vpc.h"

static bool account_key(const struct object *o, uint64_t *ret)
{
	*ret = o->account;
	return true;
}

static bool subnet_vpc(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct subnet *)o)->vpc;
	return true;
}

static bool interface_subnet(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct interface *)o)->subnet;
	return true;
}

static bool attachment_host(const struct attachment *a, uint64_t *ret)
{
	*ret = a->host;
	return attachment_is_desired(a);
}

static bool attachment_waiting(const struct attachment *a, uint64_t *ret)
{
	*ret = a->host;
	return a->host && (a->wait_revision || !a->standby) &&
	       (a->state == ATTACHMENT_ATTACHING || a->state == ATTACHMENT_DETACHING);
}

static const struct part_relation_use part_relations[] = {
	{REL_HOST_INTERFACES, offsetof(struct attachment, by_host), attachment_host},
	{REL_HOST_WAITING_INTERFACES, offsetof(struct attachment, by_waiting), attachment_waiting},
};

static bool interface_shared(const struct object *o, uint64_t *ret)
{
	*ret = 0;
	return ((const struct interface *)o)->shared || ((const struct interface *)o)->n_others;
}

size_t table_part_count(const struct object *o)
{
	return o && o->kind == KIND_INTERFACE
		       ? interface_attachment_count((const struct interface *)o)
		       : 0;
}

struct attachment *table_part(struct object *o, size_t n)
{
	struct interface *i = (struct interface *)o;

	return n ? &i->others[n - 1] : &i->attachment;
}

static bool instance_subnet(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct instance *)o)->subnet;
	return true;
}

static bool instance_host(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct instance *)o)->host;
	return *ret;
}

static bool instance_waiting(const struct object *o, uint64_t *ret)
{
	const struct instance *i = (const struct instance *)o;

	*ret = i->host;
	return i->host && (i->state == INSTANCE_PENDING || i->state == INSTANCE_STOPPING ||
			   i->state == INSTANCE_SHUTTING_DOWN);
}

static bool instance_placement_group(const struct object *o, uint64_t *ret)
{
	const struct instance *i = (const struct instance *)o;

	*ret = i->placement_group;
	return *ret && i->state != INSTANCE_TERMINATED;
}

static bool instance_end(const struct object *o, uint64_t *ret)
{
	*ret = 0;
	return ((const struct instance *)o)->state == INSTANCE_TERMINATED;
}

static bool group_vpc(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct security_group *)o)->vpc;
	return true;
}

static bool rule_group(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct group_rule *)o)->group;
	return true;
}

static bool rule_peer(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct group_rule *)o)->peer;
	return ((const struct group_rule *)o)->end == RULE_END_GROUP;
}

static bool rule_list(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct group_rule *)o)->list;
	return ((const struct group_rule *)o)->end == RULE_END_LIST;
}

static bool acl_vpc(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct network_acl *)o)->vpc;
	return true;
}

static bool subnet_acl(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct subnet *)o)->acl;
	return *ret;
}

static bool table_vpc(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct route_table *)o)->vpc;
	return true;
}

static bool subnet_table(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct subnet *)o)->table;
	return *ret;
}

static bool internet_gateway_vpc(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct internet_gateway *)o)->vpc;
	return *ret;
}

static bool egress_gateway_vpc(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct egress_gateway *)o)->vpc;
	return true;
}

static bool host_edge(const struct object *o, uint64_t *ret)
{
	*ret = 0;
	return ((const struct host *)o)->edge;
}

static bool host_changing(const struct object *o, uint64_t *ret)
{
	*ret = 0;
	return ((const struct host *)o)->changing_at;
}

static bool usage_payer(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct usage *)o)->billing_account;
	return *ret;
}

static bool internet_gateway_edge(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct internet_gateway *)o)->edge;
	return ((const struct internet_gateway *)o)->vpc;
}

static bool egress_gateway_edge(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct egress_gateway *)o)->edge;
	return true;
}

static bool elastic_pool(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct elastic *)o)->pool;
	return true;
}

static bool elastic_vpc(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct elastic *)o)->vpc;
	return ((const struct elastic *)o)->association;
}

static bool elastic_edge(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct elastic *)o)->edge;
	return ((const struct elastic *)o)->association;
}

static bool peering_lives(const struct peering *p)
{
	return p->state == PEERING_PENDING || p->state == PEERING_ACTIVE;
}

static bool peering_out(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct peering *)o)->requester.vpc;
	return peering_lives((const struct peering *)o);
}

static bool peering_in(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct peering *)o)->accepter.vpc;
	return peering_lives((const struct peering *)o);
}

static bool peering_end(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct peering *)o)->state != PEERING_PENDING;
	return ((const struct peering *)o)->state != PEERING_ACTIVE;
}

static bool nat_is_over(const struct nat_gateway *g)
{
	return g->state == NAT_FAILED || g->state == NAT_DELETED;
}

static bool nat_vpc(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct nat_gateway *)o)->vpc;
	return !nat_is_over((const struct nat_gateway *)o);
}

static bool nat_subnet(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct nat_gateway *)o)->subnet;
	return !nat_is_over((const struct nat_gateway *)o);
}

static bool nat_waiting(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct nat_gateway *)o)->edge;
	return *ret && ((const struct nat_gateway *)o)->wait_revision;
}

static bool nat_edge(const struct object *o, uint64_t *ret)
{
	const struct nat_gateway *g = (const struct nat_gateway *)o;

	*ret = g->edge;
	return g->is_private && !nat_is_over(g);
}

static bool nat_end(const struct object *o, uint64_t *ret)
{
	*ret = 0;
	return nat_is_over((const struct nat_gateway *)o);
}

static bool release_subnet(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct release *)o)->subnet;
	return !((const struct release *)o)->to;
}

static bool release_waiting(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct release *)o)->host;
	return ((const struct release *)o)->wait_revision;
}

static bool release_wide(const struct object *o, uint64_t *ret)
{
	*ret = 0;
	return ((const struct release *)o)->n_more_hosts;
}

static bool release_to(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct release *)o)->to;
	return *ret;
}

static bool permission_interface(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct permission *)o)->interface;
	return true;
}

static bool vpc_dhcp(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct vpc *)o)->dhcp_options;
	return *ret;
}

static bool analysis_path(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct insights_analysis *)o)->path;
	return true;
}

static bool drain_address(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct drain *)o)->address;
	return true;
}

static bool pair_shift_hosts(const struct object *o, uint64_t *ret)
{
	const struct pair_shift *p = (const struct pair_shift *)o;

	*ret = pair_shift_key(p->from, p->to);
	return true;
}

static bool pair_shift_sender(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct pair_shift *)o)->from;
	return ((const struct pair_shift *)o)->shift.sender_revision;
}

static bool pair_shift_receiver(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct pair_shift *)o)->to;
	return ((const struct pair_shift *)o)->shift.receiver_revision;
}

static bool pair_shift_past(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct pair_shift *)o)->from;
	return ((const struct pair_shift *)o)->shift.past.set;
}

static uint64_t pair_shift_sender_order(const struct object *o)
{
	return ((const struct pair_shift *)o)->shift.sender_revision;
}

static uint64_t pair_shift_receiver_order(const struct object *o)
{
	return ((const struct pair_shift *)o)->shift.receiver_revision;
}

static uint64_t pair_shift_past_order(const struct object *o)
{
	return ((const struct pair_shift *)o)->shift.past_ms;
}

static bool flow_log_resource(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct flow_log *)o)->resource;
	return true;
}

static bool target_interface(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct mirror_target *)o)->interface;
	return true;
}

static bool session_interface(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct mirror_session *)o)->interface;
	return true;
}

static bool session_target(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct mirror_session *)o)->target;
	return true;
}

static bool session_filter(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct mirror_session *)o)->filter;
	return true;
}

static bool label_host(const struct object *o, uint64_t *ret)
{
	*ret = ((const struct label *)o)->host;
	return true;
}

static bool label_rest(const struct object *o, uint64_t *ret)
{
	*ret = 0;
	return ((const struct label *)o)->since;
}

static const struct relation_use relations[] = {
	{KIND_NONE, REL_ACCOUNT, offsetof(struct object, by_account), account_key},
	{KIND_SUBNET, REL_VPC_SUBNETS, offsetof(struct subnet, by_vpc), subnet_vpc},
	{KIND_INTERFACE, REL_SUBNET_INTERFACES, offsetof(struct interface, by_subnet),
	 interface_subnet},
	{KIND_INTERFACE, REL_SHARED_INTERFACES, offsetof(struct interface, by_shared),
	 interface_shared},
	{KIND_INSTANCE, REL_SUBNET_INSTANCES, offsetof(struct instance, by_subnet),
	 instance_subnet},
	{KIND_INSTANCE, REL_HOST_INSTANCES, offsetof(struct instance, by_host), instance_host},
	{KIND_INSTANCE, REL_HOST_WAITING_INSTANCES, offsetof(struct instance, by_waiting),
	 instance_waiting},
	{KIND_INSTANCE, REL_PLACEMENT_GROUP, offsetof(struct instance, by_placement_group),
	 instance_placement_group},
	{KIND_INSTANCE, REL_TERMINATED, offsetof(struct instance, by_end), instance_end},
	{KIND_RELEASE, REL_SUBNET_RELEASES, offsetof(struct release, by_subnet), release_subnet},
	{KIND_RELEASE, REL_HOST_WAITING_RELEASES, offsetof(struct release, by_waiting),
	 release_waiting},
	{KIND_RELEASE, REL_WIDE_RELEASES, offsetof(struct release, by_wide), release_wide},
	{KIND_RELEASE, REL_INTERFACE_MOVES, offsetof(struct release, by_to), release_to},
	{KIND_PAIR_SHIFT, REL_PAIR_SHIFTS, offsetof(struct pair_shift, by_hosts), pair_shift_hosts},
	{KIND_PAIR_SHIFT, REL_HOST_WAITING_SENDERS, offsetof(struct pair_shift, by_sender_waiting),
	 pair_shift_sender},
	{KIND_PAIR_SHIFT, REL_HOST_WAITING_RECEIVERS,
	 offsetof(struct pair_shift, by_receiver_waiting), pair_shift_receiver},
	{KIND_PAIR_SHIFT, REL_PAST_SHIFTS, offsetof(struct pair_shift, by_past), pair_shift_past},
	{KIND_SECURITY_GROUP, REL_VPC_GROUPS, offsetof(struct security_group, by_vpc), group_vpc},
	{KIND_SECURITY_GROUP_RULE, REL_GROUP_RULES, offsetof(struct group_rule, by_group),
	 rule_group},
	{KIND_SECURITY_GROUP_RULE, REL_PEER_RULES, offsetof(struct group_rule, by_peer), rule_peer},
	{KIND_SECURITY_GROUP_RULE, REL_LIST_RULES, offsetof(struct group_rule, by_list), rule_list},
	{KIND_NETWORK_ACL, REL_VPC_ACLS, offsetof(struct network_acl, by_vpc), acl_vpc},
	{KIND_SUBNET, REL_ACL_SUBNETS, offsetof(struct subnet, by_acl), subnet_acl},
	{KIND_PERMISSION, REL_INTERFACE_PERMISSIONS, offsetof(struct permission, by_interface),
	 permission_interface},
	{KIND_ROUTE_TABLE, REL_VPC_TABLES, offsetof(struct route_table, by_vpc), table_vpc},
	{KIND_SUBNET, REL_TABLE_SUBNETS, offsetof(struct subnet, by_table), subnet_table},
	{KIND_INTERNET_GATEWAY, REL_VPC_INTERNET_GATEWAY, offsetof(struct internet_gateway, by_vpc),
	 internet_gateway_vpc},
	{KIND_EGRESS_GATEWAY, REL_VPC_EGRESS_GATEWAYS, offsetof(struct egress_gateway, by_vpc),
	 egress_gateway_vpc},
	{KIND_INSIGHTS_ANALYSIS, REL_PATH_ANALYSES, offsetof(struct insights_analysis, by_path),
	 analysis_path},
	{KIND_VPC, REL_DHCP_VPCS, offsetof(struct vpc, by_dhcp), vpc_dhcp},
	{KIND_PEERING, REL_VPC_PEERINGS_OUT, offsetof(struct peering, by_requester), peering_out},
	{KIND_PEERING, REL_VPC_PEERINGS_IN, offsetof(struct peering, by_accepter), peering_in},
	{KIND_PEERING, REL_PEERINGS, offsetof(struct peering, by_end), peering_end},
	{KIND_HOST, REL_EDGES, offsetof(struct host, by_edge), host_edge},
	{KIND_HOST, REL_CHANGING_HOSTS, offsetof(struct host, by_changing), host_changing},
	{KIND_USAGE, REL_PAYER_USAGE, offsetof(struct usage, by_payer), usage_payer},
	{KIND_INTERNET_GATEWAY, REL_EDGE_INTERNET_GATEWAYS,
	 offsetof(struct internet_gateway, by_edge), internet_gateway_edge},
	{KIND_EGRESS_GATEWAY, REL_EDGE_EGRESS_GATEWAYS, offsetof(struct egress_gateway, by_edge),
	 egress_gateway_edge},
	{KIND_ADDRESS, REL_POOL_ADDRESSES, offsetof(struct elastic, by_pool), elastic_pool},
	{KIND_ADDRESS, REL_VPC_ADDRESSES, offsetof(struct elastic, by_vpc), elastic_vpc},
	{KIND_LABEL, REL_HOST_LABELS, offsetof(struct label, by_host), label_host},
	{KIND_LABEL, REL_RESTING_LABELS, offsetof(struct label, by_rest), label_rest},
	{KIND_DRAIN, REL_ADDRESS_DRAINS, offsetof(struct drain, by_address), drain_address},
	{KIND_ADDRESS, REL_EDGE_ADDRESSES, offsetof(struct elastic, by_edge), elastic_edge},
	{KIND_NAT_GATEWAY, REL_VPC_NAT_GATEWAYS, offsetof(struct nat_gateway, by_vpc), nat_vpc},
	{KIND_NAT_GATEWAY, REL_SUBNET_NAT_GATEWAYS, offsetof(struct nat_gateway, by_subnet),
	 nat_subnet},
	{KIND_NAT_GATEWAY, REL_HOST_WAITING_NAT_GATEWAYS, offsetof(struct nat_gateway, by_waiting),
	 nat_waiting},
	{KIND_NAT_GATEWAY, REL_ENDED_NAT_GATEWAYS, offsetof(struct nat_gateway, by_end), nat_end},
	{KIND_NAT_GATEWAY, REL_EDGE_NAT_GATEWAYS, offsetof(struct nat_gateway, by_edge), nat_edge},
	{KIND_FLOW_LOG, REL_RESOURCE_FLOW_LOGS, offsetof(struct flow_log, by_resource),
	 flow_log_resource},
	{KIND_MIRROR_TARGET, REL_INTERFACE_MIRROR_TARGETS,
	 offsetof(struct mirror_target, by_interface), target_interface},
	{KIND_MIRROR_SESSION, REL_INTERFACE_MIRROR_SESSIONS,
	 offsetof(struct mirror_session, by_interface), session_interface},
	{KIND_MIRROR_SESSION, REL_TARGET_MIRROR_SESSIONS,
	 offsetof(struct mirror_session, by_target), session_target},
	{KIND_MIRROR_SESSION, REL_FILTER_MIRROR_SESSIONS,
	 offsetof(struct mirror_session, by_filter), session_filter},
};

static const struct part_relation_use *find_part_relation(enum relation r)
{
	for (size_t i = 0; i < ARRAY_SIZE(part_relations); i++)
		if (part_relations[i].relation == r)
			return &part_relations[i];
	return NULL;
}

bool relation_is_of_parts(enum relation r)
{
	return find_part_relation(r);
}

size_t relation_offset(enum relation r, enum kind k)
{
	const struct part_relation_use *part = find_part_relation(r);

	if (part)
		return part->offset + offsetof(struct member, link);
	for (size_t i = 0; i < ARRAY_SIZE(relations); i++)
		if (relations[i].relation == r &&
		    (relations[i].kind == KIND_NONE || relations[i].kind == k))
			return relations[i].offset + offsetof(struct member, link);
	return 0;
}

enum kind relation_kind(enum relation r)
{
	if (find_part_relation(r))
		return KIND_INTERFACE;
	for (size_t i = 0; i < ARRAY_SIZE(relations); i++)
		if (relations[i].relation == r)
			return relations[i].kind;
	return KIND_NONE;
}

table_order_fn table_relation_order(enum relation r)
{
	static const table_order_fn orders[REL_MAX] = {
		[REL_HOST_WAITING_SENDERS] = pair_shift_sender_order,
		[REL_HOST_WAITING_RECEIVERS] = pair_shift_receiver_order,
		[REL_PAST_SHIFTS] = pair_shift_past_order,
	};

	return orders[r];
}

const struct part_relation_use *table_part_relations(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(part_relations);
	return part_relations;
}

const struct relation_use *table_relations(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(relations);
	return relations;
}
