/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: items of a plan from objects, for plan.c and plan_change.c.
 */
#pragma once

#include "model/plan.h"

struct host;
struct instance;
struct interface;
struct subnet;
struct vpc;

/* The instance is part of the desired state of '*ret_host'. */
bool plan_has_instance(const struct instance *n, uint32_t *ret_host);

void plan_host_item(const struct host *h, struct plan_item *ret);
void plan_peer_item(const struct host *self, const struct host *peer, struct plan_item *ret);
void plan_subnet_item(const struct model *m, const struct subnet *s, const struct vpc *v,
		      struct plan_item *ret);
/* The same for the IPv6 block that the subnet has. */
void plan_subnet6_item(const struct model *m, const struct subnet *s, const struct vpc *v,
		       struct plan_item *ret);
/* The link-local prefix of a network with IPv6. */
void plan_link_item(const struct model *m, const struct vpc *v, struct plan_item *ret);
bool plan_has_link(const struct vpc *v);
void plan_instance_item(const struct instance *n, struct plan_item *ret);
void plan_interface_item(const struct model *m, const struct interface *i, struct plan_item *ret);

/* All subnets of a network to one host. */
must_check int plan_network_subnets(const struct model *m, uint32_t vni, uint32_t host, bool remove,
				    plan_sink_fn sink, void *data);
