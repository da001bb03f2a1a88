/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model in the store: each object is a write of its kind, its id (8 bytes, big-endian, so that
 * the store's order is that of the numbers) and its record (model/record.h).
 *
 * Plain functions, any thread; persist_load() uses a second one while it lasts.  Errors: -errno.
 */
#pragma once

#include "base/err.h"
#include "store/store.h"

struct change;
struct model;

/* Adds the writes of 'change', which must be the model's last. */
must_check int persist_change(const struct change *change, struct store_batch *batch);
/* The id of a write that persist_change() made; -EBADMSG: it did not. */
must_check int persist_get_id(const struct store_write *write, uint64_t *ret);
/* Loads all of 'store' into the empty 'model'.  -EBADMSG: a record is damaged or contradicts
 * another. */
must_check int persist_load(struct store *store, struct model *model);
