/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch: the writes of one or more operations, encoded, with their range of revisions.
 *
 * The encoding (what the log and the snapshot hold), one record per write:
 *	u8 kind | u8 id size | id | le32 value size, 0xFFFFFFFF: deleted | value
 * It is read back with a bound check on every field: a damaged file is -EBADMSG, never a crash.
 *
 * Ownership: a batch owns its bytes; a struct store_write borrows.  One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct store_write {
	uint8_t kind;
	const uint8_t *id;
	uint8_t id_size;
	const uint8_t *value; /* NULL: deleted */
	uint32_t value_size;
};

struct store_batch {
	uint64_t first_revision;
	uint64_t last_revision; /* 0: nothing was put yet */
	size_t n_writes;
	struct buf payload;
};

void store_batch_init(struct store_batch *b);
void store_batch_deinit(struct store_batch *b);

/* Adds the writes of the operation that made 'revision'.  Revisions must not go back.  Errors stay
 * in the batch: see store_batch_error(). */
void store_batch_put(struct store_batch *b, uint64_t revision, uint8_t kind, const void *id,
		     size_t id_size, const void *value, size_t value_size);
void store_batch_delete(struct store_batch *b, uint64_t revision, uint8_t kind, const void *id,
			size_t id_size);
/* 0, -ENOMEM, -EMSGSIZE (LIMIT_STORE_BATCH_SIZE), -EINVAL (id or value too long, revision). */
must_check int store_batch_error(const struct store_batch *b);
bool store_batch_empty(const struct store_batch *b);

/* Appends one record to 'b'. */
void store_write_encode(struct buf *b, const struct store_write *w);
/* Reads the next record of 'c'; false at the end of the span or when it is damaged, which
 * cursor_error() tells apart. */
bool store_write_decode(struct cursor *c, struct store_write *ret);
/* Order of the snapshot: by kind, then by id. */
int store_write_compare(const struct store_write *a, const struct store_write *b);
