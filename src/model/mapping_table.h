/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: how the mapping table (model/mapping.h) is written, by table.c alone.
 */
#pragma once

#include "model/mapping.h"

must_check int mapping_table_new(struct mapping_table **ret);
struct mapping_table *mapping_table_free(struct mapping_table *t);
/* Room for 'n' more records, so that putting them cannot fail.  -ENOMEM */
must_check int mapping_table_reserve(struct mapping_table *t, size_t n);
/* Sets the record of (vni, addr). */
void mapping_table_put(struct mapping_table *t, const struct mapping *record);
/* Removes it if it belongs to 'interface': it may have gone to another meanwhile. */
void mapping_table_remove(struct mapping_table *t, uint32_t vni, const struct ipaddr *addr,
			  uint64_t interface);
