/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: what the parts of plan_change() share.
 */
#pragma once

#include "model/plan.h"
#include "model/plan_items.h"
#include "model/route_table.h"
#include "model/table.h"
#include "model/tx.h"

struct drain;
struct egress_gateway;
struct elastic;
struct internet_gateway;
struct flow_log;
struct mirror_filter;
struct mirror_session;
struct nat_gateway;
struct host;
struct pair_shift;
struct peering;
struct prefix_list;
struct subnet;
struct vpc;

/* By how many interfaces of a network or group a host's desired state grows or shrinks. */
struct delta {
	enum carried_kind kind;
	uint32_t number;
	uint32_t host;
	int64_t n;
};

struct planner {
	const struct model *m;
	const struct change *change;
	plan_sink_fn sink;
	void *data;
	size_t n_deltas;
	struct delta *deltas;
	struct plan_rules rules; /* of the item under way */
	/* Who is to be told anew of whom, host << 32 | peer, in any order and more than once. */
	size_t n_pairs, pairs_allocated;
	uint64_t *pairs;
};

int planner_emit(struct planner *p, uint32_t host, struct plan_item *item, bool remove);

/* Who carries what, before and after: plan_carrier.c.  Fills in the deltas. */
must_check int planner_collect_carriers(struct planner *p);
void planner_forget_carriers(struct planner *p);
/* To all hosts that carry it; for a removal, also to those that did until this change. */
must_check int planner_emit_carriers(struct planner *p, enum carried_kind k, uint32_t number,
				     struct plan_item *item, bool remove);
/* What those that begin or end to carry something are told of it. */
must_check int plan_carriers(struct planner *p);

/* Both hosts are to be told anew what they use between them: plan_pairs.c. */
must_check int planner_tell_pair(struct planner *p, const struct host *a, const struct host *b);
/* Emits what has been collected. */
must_check int planner_tell_pairs(struct planner *p);
void planner_forget_pairs(struct planner *p);
/* A host begins or ends to carry a network. */
must_check int plan_network_pairs(struct planner *p, uint32_t vni, uint32_t host);
must_check int plan_environment_change(struct planner *p, const struct vpc *before,
				       const struct vpc *after);
/* A shift's step, to the end that does or takes something else now; either may be NULL. */
must_check int plan_shift_change(struct planner *p, const struct pair_shift *before,
				 const struct pair_shift *after);
/* What policies, as they were and are, make of pairs. */
must_check int plan_policies_change(struct planner *p, const struct change *c);
/* An interface that policies name. */
must_check int plan_interface_pairs(struct planner *p, const struct interface *before,
				    const struct interface *after);
must_check int plan_peering_pairs(struct planner *p, const struct peering *any);

/* Groups that a host has the first or the last member of. */
must_check int plan_group_carrier(struct planner *p, const struct delta *d, bool has);
/* Groups and ACLs whose contents change. */
must_check int plan_group_contents(struct planner *p, const struct change *c);
must_check int plan_acl_change(struct planner *p, const struct network_acl *before,
			       const struct network_acl *after);
/* The ACLs that a subnet had and has. */
must_check int plan_subnet_acls(struct planner *p, const struct subnet *before,
				const struct subnet *after);

/* Route tables: plan_ways.c; gateways and public addresses: plan_edge.c.  Before or after may be
 * NULL. */
must_check int plan_table_change(struct planner *p, const struct route_table *before,
				 const struct route_table *after);
must_check int plan_internet_gateway_change(struct planner *p,
					    const struct internet_gateway *before,
					    const struct internet_gateway *after);
must_check int plan_egress_gateway_change(struct planner *p, const struct egress_gateway *before,
					  const struct egress_gateway *after);
must_check int plan_nat_gateway_change(struct planner *p, const struct nat_gateway *before,
				       const struct nat_gateway *after);
must_check int plan_elastic_change(struct planner *p, const struct elastic *before,
				   const struct elastic *after);
must_check int plan_drain_change(struct planner *p, const struct drain *before,
				 const struct drain *after);
must_check int plan_peering_change(struct planner *p, const struct peering *before,
				   const struct peering *after);
/* The tables that name a list whose entries have changed. */
must_check int plan_list_change(struct planner *p, const struct prefix_list *before,
				const struct prefix_list *after);
/* The tables of 'vpc' that have a route to the target. */
must_check int plan_tables_to(struct planner *p, uint64_t vpc, enum route_target target,
			      uint64_t id);
/* The tables with a route to a public NAT gateway whose subnet goes by the table 'outer' (0: whatever
 * table), when that leads elsewhere, or when the subnet goes by another one: plan_nat.c. */
must_check int plan_nat_outer(struct planner *p, uint64_t vpc, uint64_t outer);
must_check int plan_nat_subnet(struct planner *p, const struct subnet *before,
			       const struct subnet *after);
/* The interface, to every host that has it. */
must_check int plan_interface_everywhere(struct planner *p, const struct interface *i);
/* Routes that name the interface lead elsewhere, if they do. */
must_check int plan_interface_routes(struct planner *p, const struct interface *before,
				     const struct interface *after);
/* All tables of a VPC, if its address blocks have changed. */
must_check int plan_vpc_blocks(struct planner *p, const struct vpc *before,
			       const struct vpc *after);
/* Flow logs and traffic mirroring: plan_watch.c. */
must_check int plan_flow_log_change(struct planner *p, const struct flow_log *before,
				    const struct flow_log *after);
must_check int plan_mirror_session_change(struct planner *p, const struct mirror_session *before,
					  const struct mirror_session *after);
must_check int plan_mirror_filter_change(struct planner *p, const struct mirror_filter *before,
					 const struct mirror_filter *after);
