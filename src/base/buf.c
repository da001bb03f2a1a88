/* SPDX-License-Identifier: Apache-2.0 */
/* Growable buffers and reading cursors: see buf.h. */
#include "base/buf.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { BUF_FIRST_SIZE = 256 };

void buf_init(struct buf *b, size_t limit)
{
	*b = (struct buf){.limit = limit};
}

void buf_deinit(struct buf *b)
{
	free(b->bytes);
	buf_init(b, b->limit);
}

const uint8_t *buf_data(const struct buf *b)
{
	return b->bytes ? b->bytes + b->start : (const uint8_t *)"";
}

size_t buf_size(const struct buf *b)
{
	return b->end - b->start;
}

int buf_error(const struct buf *b)
{
	return b->error;
}

void buf_reset(struct buf *b)
{
	b->start = b->end = 0;
	b->error = 0;
}

void buf_consume(struct buf *b, size_t n)
{
	assert(n <= buf_size(b));
	b->start += n;
	if (b->start == b->end)
		b->start = b->end = 0;
}

/* Moves the content to the front when that frees at least as much as it moves: amortised O(1). */
static void buf_compact(struct buf *b)
{
	if (!b->start || b->start < buf_size(b))
		return;
	memmove(b->bytes, b->bytes + b->start, buf_size(b));
	b->end -= b->start;
	b->start = 0;
}

static int buf_grow(struct buf *b, size_t size)
{
	size_t needed, allocated = b->allocated ? b->allocated : BUF_FIRST_SIZE;
	uint8_t *bytes;

	if (__builtin_add_overflow(b->end, size, &needed))
		return -ENOMEM;
	while (allocated < needed)
		if (__builtin_mul_overflow(allocated, (size_t)2, &allocated))
			return -ENOMEM;
	bytes = realloc(b->bytes, allocated);
	if (!bytes)
		return -ENOMEM;
	b->bytes = bytes;
	b->allocated = allocated;
	return 0;
}

void *buf_reserve(struct buf *b, size_t size)
{
	if (b->error)
		return NULL;
	if (buf_size(b) > b->limit || size > b->limit - buf_size(b)) {
		b->error = -EMSGSIZE;
		return NULL;
	}
	if (b->allocated - b->end < size)
		buf_compact(b);
	if (!b->bytes || b->allocated - b->end < size)
		b->error = buf_grow(b, size);
	return b->error ? NULL : b->bytes + b->end;
}

void buf_commit(struct buf *b, size_t size)
{
	assert(size <= b->allocated - b->end);
	b->end += size;
}

int buf_take(struct buf *b, char **ret, size_t *ret_size)
{
	size_t size = buf_size(b), limit = b->limit;
	void *end;

	/* The NUL is not content: the limit does not count it. */
	b->limit = SIZE_MAX;
	end = buf_reserve(b, 1);
	b->limit = limit;
	if (!end)
		return b->error;
	memmove(b->bytes, b->bytes + b->start, size);
	b->bytes[size] = '\0';
	*ret = (char *)TAKE_PTR(b->bytes);
	if (ret_size)
		*ret_size = size;
	buf_init(b, limit);
	return 0;
}

void buf_put(struct buf *b, const void *data, size_t size)
{
	void *to = buf_reserve(b, size);

	if (!to || !size)
		return;
	memcpy(to, data, size);
	buf_commit(b, size);
}

void buf_put_zeros(struct buf *b, size_t size)
{
	void *to = buf_reserve(b, size);

	if (!to)
		return;
	memset(to, 0, size);
	buf_commit(b, size);
}

void buf_put_str(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void buf_put_printf(struct buf *b, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n >= 0) {
		buf_put(b, text, (size_t)n);
		return;
	}
	text = NULL;
	if (!b->error)
		b->error = -ENOMEM;
}

void buf_put_u8(struct buf *b, uint8_t v)
{
	buf_put(b, &v, sizeof(v));
}

#define DEFINE_INTEGER(bits, order)                                                                \
	void buf_put_##order##bits(struct buf *b, uint##bits##_t v)                                \
	{                                                                                          \
		uint##bits##_t wire = hto##order##bits(v);                                         \
                                                                                                   \
		buf_put(b, &wire, sizeof(wire));                                                   \
	}                                                                                          \
	uint##bits##_t cursor_##order##bits(struct cursor *c)                                      \
	{                                                                                          \
		uint##bits##_t wire;                                                               \
                                                                                                   \
		cursor_copy(c, &wire, sizeof(wire));                                               \
		return order##bits##toh(wire);                                                     \
	}                                                                                          \
	static_assert(1, "needs a semicolon")

DEFINE_INTEGER(16, be);
DEFINE_INTEGER(32, be);
DEFINE_INTEGER(64, be);
DEFINE_INTEGER(16, le);
DEFINE_INTEGER(32, le);
DEFINE_INTEGER(64, le);

int cursor_error(const struct cursor *c)
{
	return c->error;
}

void cursor_fail(struct cursor *c)
{
	c->error = -EBADMSG;
	c->at = c->end;
}

const uint8_t *cursor_take(struct cursor *c, size_t size)
{
	const uint8_t *at = c->at;

	if (c->error || size > cursor_left(c)) {
		cursor_fail(c);
		return NULL;
	}
	c->at += size;
	return at;
}

void cursor_copy(struct cursor *c, void *ret, size_t size)
{
	const uint8_t *from = cursor_take(c, size);

	if (from)
		memcpy(ret, from, size);
	else
		memset(ret, 0, size);
}

void cursor_skip(struct cursor *c, size_t size)
{
	(void)cursor_take(c, size);
}

uint8_t cursor_u8(struct cursor *c)
{
	uint8_t v;

	cursor_copy(c, &v, sizeof(v));
	return v;
}

struct cursor cursor_sub(struct cursor *c, size_t size)
{
	struct cursor sub;
	const uint8_t *at = cursor_take(c, size);

	cursor_init(&sub, at ? at : c->end, at ? size : 0);
	if (!at)
		cursor_fail(&sub);
	return sub;
}
