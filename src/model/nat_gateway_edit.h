/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: steps on NAT gateways that other operations take.
 */
#pragma once

#include "model/nat_gateway.h"

struct host_failure;
struct interface;

/* Of private ones (nat_private.c).  A new interface, not put yet, is the gateway's, at its edge. */
must_check int nat_private_prepare(struct tx *tx, const struct nat_gateway *g, struct interface *i,
				   struct refusal *reterr);
/* Its interface is at another edge from now on, 0: at none, with '*ret' for the new version.
 * Nothing happens to one that is attached to no gateway, nor if there is none with that id. */
must_check int nat_private_move(struct tx *tx, const struct interface *i, uint32_t edge,
				const struct object **ret);
must_check int nat_private_place(struct tx *tx, uint64_t interface, uint32_t edge);

/* Its address is at another edge now (0: at none), or, of a private one, itself. */
must_check int nat_gateway_set_edge(struct tx *tx, uint64_t id, uint32_t edge);
/* The host has acknowledged 'revision': those that waited for it go on. */
must_check int nat_gateway_acknowledge(struct tx *tx, uint32_t number, uint64_t revision,
				       const struct host_failure *failed, size_t n_failed);
bool nat_gateway_waits(const struct model *m, uint32_t number, uint64_t revision);
