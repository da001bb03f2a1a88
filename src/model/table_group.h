/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: the lists that objects are in, of all of a kind and of those that share a key
 * (struct group of table.h), for table.c.
 *
 * prepare before a change, which may lack memory; replace when it happens, which cannot fail; what
 * a removal empties is kept until table_lists_reclaim().
 */
#pragma once

#include "model/table.h"

/* The groups that 'new' and its parts will be in. */
must_check int table_lists_prepare(struct model *m, struct object *new);
/* Either may be NULL. */
void table_lists_replace(struct model *m, struct object *old, struct object *new);
void table_lists_reclaim(struct model *m);
void table_lists_deinit(struct model *m);
