/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the fake back-end: the ways out of a network.  Rows are as fake_tables.h has them. */
#pragma once

#include "datapath/fake_tables.h"

struct fake_peering {
	uint32_t vni_a, vni_b;
};

struct fake_gateway {
	struct dp_gateway dp;
	struct dp_gateway_counters counters;
	struct dp_translation *translations; /* as they were written */
	size_t n_translations;
};

struct dp_table *fake_table_find(struct fake_host *h, uint32_t number);
/* The route of the longest prefix, or NULL. */
const struct dp_route *fake_route_find(struct fake_host *h, uint32_t table,
				       const struct ipaddr *addr);
bool fake_is_peered(struct fake_host *h, uint32_t vni_a, uint32_t vni_b);
struct fake_gateway *fake_gateway_find(struct fake_host *h, uint32_t handle);
struct dp_public *fake_public_of(struct fake_host *h, uint32_t vni, const struct ipaddr *addr);
void fake_gateway_free_all(struct fake_host *h);

/* The contract's operations. */
int fake_table_set(struct datapath *dp, const struct dp_table *table);
int fake_table_delete(struct datapath *dp, uint32_t number);
int fake_tables(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg);
int fake_peering_set(struct datapath *dp, uint32_t vni_a, uint32_t vni_b);
int fake_peering_delete(struct datapath *dp, uint32_t vni_a, uint32_t vni_b);
int fake_peerings(struct datapath *dp, int (*fn)(uint32_t vni_a, uint32_t vni_b, void *),
		  void *arg);
int fake_gateway_set(struct datapath *dp, const struct dp_gateway *gateway);
int fake_gateway_delete(struct datapath *dp, uint32_t handle);
int fake_gateway_device(struct datapath *dp, uint32_t handle, int *ret_ifindex);
int fake_gateways(struct datapath *dp, int (*fn)(uint32_t handle, void *), void *arg);
int fake_gateway_counters(struct datapath *dp, uint32_t handle, struct dp_gateway_counters *ret);
int fake_translations_read(struct datapath *dp, uint32_t handle, uint64_t *at,
			   struct dp_translation *ret, size_t *ret_n);
int fake_translations_write(struct datapath *dp, uint32_t handle,
			    const struct dp_translation *translations, size_t n);
int fake_public_set(struct datapath *dp, const struct dp_public *public);
int fake_public_delete(struct datapath *dp, const struct ipaddr *public);
int fake_publics(struct datapath *dp, int (*fn)(const struct ipaddr *public, void *), void *arg);
