/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the fake back-end: peers.  Rows are as fake_tables.h has them. */
#pragma once

#include "datapath/fake_tables.h"

void fake_peer_free_all(struct fake_host *h);

/* The record that 'h' has of another host, by its substrate addresses, or NULL. */
struct dp_peer *fake_peer_of(struct fake_host *h, const struct fake_host *from);
/* As bpf/lib/variant.h: the record that decides between two nodes. */
struct dp_peer fake_peer_decisive(const struct dp_peer *peer, uint32_t vni,
				  const struct ipaddr *addr, uint32_t peer_vni,
				  const struct ipaddr *peer_addr);

/* The contract's operations. */
int fake_peer_set(struct datapath *dp, const struct dp_peer *peer);
int fake_peer_plan(struct datapath *dp, const struct dp_peer *peer);
int fake_variant_class(struct datapath *dp, uint32_t peer, const struct dp_variant *variant,
		       uint32_t *ret);
int fake_peer_delete(struct datapath *dp, uint32_t id);
int fake_peer_held(struct datapath *dp, uint32_t id, uint64_t *ret);
