/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: which indexes the objects of each kind are in, and under which keys.  Pure
 * tables, for table.c.
 */
#pragma once

#include "model/attachment.h"
#include "model/table.h"

typedef bool (*table_key_fn)(const struct object *o, uint64_t *ret);

/* What the members of a group are in order of, those with the same as they came.  What is written
 * later has more of it, mostly: its place is searched for from the end. */
typedef uint64_t (*table_order_fn)(const struct object *o);

/* Of attachments, which are parts of interfaces. */
typedef bool (*table_part_key_fn)(const struct attachment *a, uint64_t *ret);

struct relation_use {
	enum kind kind; /* KIND_NONE: any */
	enum relation relation;
	size_t offset;    /* of the struct member */
	table_key_fn key; /* false: it is in no such group now */
};

/* Two parts of one object are in different groups. */
struct part_relation_use {
	enum relation relation;
	size_t offset; /* of the struct member in the part */
	table_part_key_fn key;
};

struct unique_use {
	enum kind kind;
	enum unique unique;
	size_t offset;     /* of the struct hmap_node */
	table_key_fn hash; /* false: it is not in the index now */
};

/* Parts of an object, of those kinds that have any. */
size_t table_part_count(const struct object *o); /* NULL: 0 */
struct attachment *table_part(struct object *o, size_t n);

const struct relation_use *table_relations(size_t *ret_n);
table_order_fn table_relation_order(enum relation r); /* NULL: serials */
const struct part_relation_use *table_part_relations(size_t *ret_n);
const struct unique_use *table_uniques(size_t *ret_n);
