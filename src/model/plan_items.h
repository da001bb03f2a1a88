/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: items of a plan from objects, for plan.c and plan_change.c.
 */
#pragma once

#include "model/plan.h"

struct host;
struct attachment;
struct instance;
struct interface;
struct network_acl;
struct route_entry;
struct security_group;
struct subnet;
struct vpc;

/* The instance is part of the desired state of '*ret_host'. */
bool plan_has_instance(const struct instance *n, uint32_t *ret_host);

void plan_host_item(const struct host *h, struct plan_item *ret);
/* The variants of a peer: plan_peer.c. */
struct plan_variants {
	size_t n, allocated;
	struct plan_variant *v;
	struct choice *choices;
};
void plan_variants_deinit(struct plan_variants *variants);
/* Replaces what is in 'variants', which the item borrows.  -ENOMEM */
must_check int plan_peer_item(const struct model *m, const struct host *self,
			      const struct host *peer, struct plan_variants *variants,
			      struct plan_item *ret);
void plan_subnet_item(const struct model *m, const struct subnet *s, const struct vpc *v,
		      struct plan_item *ret);
/* The same for the IPv6 block that the subnet has. */
void plan_subnet6_item(const struct model *m, const struct subnet *s, const struct vpc *v,
		       struct plan_item *ret);
/* The link-local prefix of a network with IPv6. */
void plan_link_item(const struct model *m, const struct vpc *v, struct plan_item *ret);
bool plan_has_link(const struct vpc *v);
void plan_instance_item(const struct instance *n, struct plan_item *ret);
/* 'a': the attachment of it to a node of the host that the item is for. */
void plan_interface_item(const struct model *m, const struct interface *i,
			 const struct attachment *a, struct plan_item *ret);

/* What every host that carries a network has of it, to one host: subnets, their ACLs, route
 * tables. */
must_check int plan_network(const struct model *m, uint32_t vni, uint32_t host, bool remove,
			    plan_sink_fn sink, void *data);
/* The networks that a network is peered with, to a host that carries it: plan_peering.c. */
must_check int plan_network_peerings(const struct model *m, const struct vpc *v, uint32_t host,
				     bool remove, plan_sink_fn sink, void *data);
/* Public addresses of an interface: plan_edge.c. */
void plan_exits(const struct model *m, const struct interface *i, struct plan_interface *ret);
/* Flow logs and mirror sessions of an interface: plan_watch.c. */
void plan_watchers(const struct model *m, const struct interface *i, struct plan_interface *ret);
/* What an edge has of its own: public addresses, NAT gateways, egress-only gateways. */
must_check int plan_edge(const struct model *m, uint32_t host, plan_sink_fn sink, void *data);
/* The internet gateway of a network, to an edge that serves it. */
must_check int plan_network_gateway(const struct model *m, const struct vpc *v, uint32_t host,
				    bool remove, plan_sink_fn sink, void *data);
/* Of these the route tables, and to an edge the internet gateway (plan_ways.c). */
must_check int plan_network_ways(const struct model *m, const struct vpc *v, uint32_t host,
				 bool remove, plan_sink_fn sink, void *data);

/* What a table says to hosts.  -ENOMEM */
struct plan_routes {
	size_t n, allocated;
	struct plan_route *v;
};
void plan_routes_deinit(struct plan_routes *routes);
must_check int plan_routes_add(struct plan_routes *routes, const struct plan_route *route);
/* Of the table that has these entries, of which 'routes' has one each: what leads to public NAT
 * gateways lets through what goes on from there (plan_nat.c). */
must_check int plan_nat_narrow(const struct model *m, const struct route_entry *entries,
			       size_t n_entries, struct plan_routes *routes);

/* What a group, or an ACL, says to hosts; made of rules that stand one by one in the model. */
struct plan_rules {
	size_t n, allocated;
	struct plan_rule *v;
};
void plan_rules_deinit(struct plan_rules *rules);
/* Replace what is in 'rules'.  -ENOMEM */
must_check int plan_rules_of_group(const struct model *m, const struct security_group *g,
				   struct plan_rules *rules);
must_check int plan_rules_of_acl(const struct network_acl *a, struct plan_rules *rules);

/* The item borrows 'rules', and what was there before is gone. */
must_check int plan_group_item(const struct model *m, const struct security_group *g,
			       struct plan_rules *rules, struct plan_item *ret);
must_check int plan_acl_item(const struct network_acl *a, struct plan_rules *rules,
			     struct plan_item *ret);
/* The groups that the host has interfaces in. */
must_check int plan_host_groups(const struct model *m, uint32_t host, plan_sink_fn sink,
				void *data);
