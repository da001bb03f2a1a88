/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: which indexes the objects of each kind are in, and under which keys.  Pure tables, for
 * table.c.
 */
#pragma once

#include "model/table.h"

typedef bool (*table_key_fn)(const struct object *o, uint64_t *ret);

struct relation_use {
	enum kind kind; /* KIND_NONE: any */
	enum relation relation;
	size_t offset;    /* of the struct member */
	table_key_fn key; /* false: it is in no such group now */
};

struct unique_use {
	enum kind kind;
	enum unique unique;
	size_t offset;     /* of the struct hmap_node */
	table_key_fn hash; /* false: it is not in the index now */
};

const struct relation_use *table_relations(size_t *ret_n);
const struct unique_use *table_uniques(size_t *ret_n);
