/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: steps on NAT gateways that other operations take.
 */
#pragma once

#include "model/nat_gateway.h"

struct host_failure;

/* Its address is at another edge now (0: at none). */
must_check int nat_gateway_set_edge(struct tx *tx, uint64_t id, uint32_t edge);
/* The host has acknowledged 'revision': those that waited for it go on. */
must_check int nat_gateway_acknowledge(struct tx *tx, uint32_t number, uint64_t revision,
				       const struct host_failure *failed, size_t n_failed);
bool nat_gateway_waits(const struct model *m, uint32_t number, uint64_t revision);
