/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored records, as a store may give them back: a sequence of (kind, id, size, bytes).  What is
 * accepted can be stored again and is the same, and a model of it can be planned from and taken
 * apart.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "model/host.h"
#include "model/model.h"
#include "model/plan.h"
#include "model/record.h"
#include "model/tx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

CLEANUP_DEFINE(struct object *, record_free);

static void no_random(void *data, void *ret, size_t size)
{
	memset(ret, 1, size);
}

static void check_again(const struct object *o)
{
	_cleanup_(record_free_cleanup) struct object *copy = NULL;
	_cleanup_buf_ struct buf b;

	buf_init(&b, 16 * LIMIT_MODEL_RECORD_SIZE);
	record_encode(o, &b);
	if (buf_error(&b) || record_decode(o->kind, o->id, buf_data(&b), buf_size(&b), &copy) ||
	    !record_equal(o, copy))
		abort();
}

static int count(void *data, uint32_t host, const struct plan_item *item)
{
	++*(size_t *)data;
	return 0;
}

static void plan_all(const struct model *m)
{
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	const struct object *o;
	size_t n = 0;

	while ((o = model_iter_next(&it)))
		if (plan_full(m, ((const struct host *)o)->number, count, &n))
			abort();
}

static bool load_all(struct model *m, struct cursor *c)
{
	while (cursor_left(c)) {
		enum kind k = (enum kind)cursor_u8(c);
		uint64_t id = cursor_be64(c);
		size_t size = cursor_be16(c);
		const uint8_t *bytes = cursor_take(c, size);
		_cleanup_(record_free_cleanup) struct object *o = NULL;

		if (cursor_error(c))
			return false;
		if (!record_decode(k, id, bytes, size, &o))
			check_again(o);
		/* a store that gives back a bad record is not opened */
		if (model_load(m, k, id, bytes, size))
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model_config config = {.region = "us-east-1", .ids = {no_random, NULL}};
	_cleanup_(model_free_cleanup) struct model *m = NULL;
	struct cursor c;

	if (prefix_parse("fd56:6961::/32", &config.organisation) || model_new(&config, &m))
		abort();
	cursor_init(&c, data, size);
	if (load_all(m, &c) && !model_load_end(m, 1))
		plan_all(m);
	return 0;
}
