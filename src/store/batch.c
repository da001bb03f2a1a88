/* SPDX-License-Identifier: Apache-2.0 */
#include "store/batch.h"

#include <string.h>

#include "base/limits.h"

#define VALUE_DELETED UINT32_C(0xffffffff)

void store_batch_init(struct store_batch *b)
{
	*b = (struct store_batch){};
	buf_init(&b->payload, LIMIT_STORE_BATCH_SIZE);
}

void store_batch_deinit(struct store_batch *b)
{
	buf_deinit(&b->payload);
}

static void batch_add(struct store_batch *b, uint64_t revision, uint8_t kind, const void *id,
		      size_t id_size, const void *value, size_t value_size)
{
	struct store_write w = {
		.kind = kind,
		.id = id,
		.id_size = (uint8_t)id_size,
		.value = value,
		.value_size = (uint32_t)value_size,
	};

	if (!id_size || id_size > UINT8_MAX || value_size >= VALUE_DELETED || !revision ||
	    revision < b->last_revision) {
		if (!b->payload.error)
			b->payload.error = -EINVAL;
		return;
	}
	store_write_encode(&b->payload, &w);
	if (b->payload.error)
		return;
	if (!b->first_revision)
		b->first_revision = revision;
	b->last_revision = revision;
	b->n_writes++;
}

void store_batch_put(struct store_batch *b, uint64_t revision, uint8_t kind, const void *id,
		     size_t id_size, const void *value, size_t value_size)
{
	/* A value of no bytes is still a value. */
	batch_add(b, revision, kind, id, id_size, value ? value : "", value_size);
}

void store_batch_delete(struct store_batch *b, uint64_t revision, uint8_t kind, const void *id,
			size_t id_size)
{
	batch_add(b, revision, kind, id, id_size, NULL, 0);
}

int store_batch_error(const struct store_batch *b)
{
	return buf_error(&b->payload);
}

bool store_batch_empty(const struct store_batch *b)
{
	return !b->n_writes;
}

void store_write_encode(struct buf *b, const struct store_write *w)
{
	buf_put_u8(b, w->kind);
	buf_put_u8(b, w->id_size);
	buf_put(b, w->id, w->id_size);
	buf_put_le32(b, w->value ? w->value_size : VALUE_DELETED);
	if (w->value)
		buf_put(b, w->value, w->value_size);
}

bool store_write_decode(struct cursor *c, struct store_write *ret)
{
	struct store_write w = {};
	uint32_t size;

	if (c->error || !cursor_left(c))
		return false;
	w.kind = cursor_u8(c);
	w.id_size = cursor_u8(c);
	if (!w.id_size)
		cursor_fail(c);
	w.id = cursor_take(c, w.id_size);
	size = cursor_le32(c);
	if (size != VALUE_DELETED) {
		w.value = cursor_take(c, size);
		w.value_size = size;
	}
	if (c->error)
		return false;
	*ret = w;
	return true;
}

int store_write_compare(const struct store_write *a, const struct store_write *b)
{
	size_t n = a->id_size < b->id_size ? a->id_size : b->id_size;
	int r;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	r = memcmp(a->id, b->id, n);
	return r ? r : (int)a->id_size - (int)b->id_size;
}
