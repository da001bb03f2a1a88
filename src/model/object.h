/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every object of the model has: identity, owner, revisions, tags, and its places in the
 * indexes.
 *
 * Objects are versions: what is in the model never changes.  An operation copies the object,
 * changes the copy and puts it in the place of the old one (model/tx.h); the old version lives on
 * in the change until the change is committed or undone.  So a pointer got from the model is good
 * until the next operation, and const.
 *
 * Ownership: an object owns its strings and arrays (model/record.h knows them all).  Those of a
 * decoded one lie in its own block of memory: they are not freed or replaced by themselves, which a
 * copy's are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hmap.h"
#include "base/list.h"
#include "model/id.h"

struct tag {
	char *key;
	char *value; /* never NULL */
};

struct group;

/* A place in one group of an index, e.g. among the interfaces of a subnet. */
struct member {
	struct list link;
	struct group *group;
};

struct object {
	enum kind kind;
	uint32_t tx_slot; /* of the transaction that made this version */
	uint32_t block;   /* bytes from here that were allocated together; 0: the object alone */
	uint64_t id;
	uint64_t account;  /* the owner; 0: the system's */
	uint64_t revision; /* that last changed it */
	uint64_t serial; /* order of creation: lists are in this order, pages continue behind it */
	uint64_t created_ms;
	size_t n_tags;
	struct tag *tags; /* in order of key */

	struct hmap_node by_id;
	struct list by_kind;
	struct member by_account;
};

/* The id as people and clients write it. */
static inline const char *object_id_text(const struct object *o, char buf[static ID_TEXT_SIZE])
{
	return id_text(o->kind, o->id, buf);
}

/* The value of the tag 'key', or NULL. */
const char *object_tag(const struct object *o, const char *key);
