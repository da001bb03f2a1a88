/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: what placement has to know at once, kept as objects come and go: of each host
 * what is in use there, and of each account how many nodes it has in each rack.  A function of the
 * objects alone (and of which hosts are connected); table.c calls these.
 *
 * prepare before a change, which may lack memory; replace when it happens, which cannot fail; what
 * a removal empties is kept until placement_index_reclaim().
 */
#pragma once

#include "model/table.h"

must_check int placement_index_prepare(struct model *m, const struct object *new);
void placement_index_replace(struct model *m, const struct object *old, const struct object *new);
void placement_index_reclaim(struct model *m);
void placement_index_deinit(struct model *m);

/* Whether the host is connected has changed. */
void placement_index_refresh(struct model *m, uint32_t host);
/* Loading is over: meanwhile only what is in use was counted. */
void placement_index_refresh_all(struct model *m);

/* By number, from 0; some are of hosts that are gone. */
const struct placement_view *placement_view_at(const struct model *m, size_t i);
size_t placement_view_count(const struct model *m);
/* Nodes of the account in each rack, by its index: '*ret_n' racks, those behind have none. */
const uint32_t *placement_spread_of(const struct model *m, uint64_t account, size_t *ret_n);
size_t placement_rack_count(const struct model *m);
