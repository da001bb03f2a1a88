/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte buffers for encoders, and cursors for decoders.
 *
 * struct buf grows by appending at its end and shrinks by consuming from its front, never above its
 * limit.  struct cursor reads a borrowed span.  Both keep the first error: after it, puts do
 * nothing and gets return zeros, so a codec is written as a straight list and asks buf_error() or
 * cursor_error() once at its end.  Nothing that was got may be used before that question.
 *
 * Ownership: a buf owns its bytes, a cursor borrows.  Pointers into a buf last until the next
 * change. Errors: -EMSGSIZE (limit), -ENOMEM; a cursor: -EBADMSG (read past the end).  One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf {
	uint8_t *bytes;
	size_t start, end; /* the content is bytes[start..end) */
	size_t allocated;
	size_t limit; /* of the content's size */
	int error;
};

void buf_init(struct buf *b, size_t limit);
void buf_deinit(struct buf *b);
static inline void buf_cleanup(struct buf *b)
{
	buf_deinit(b);
}
#define _cleanup_buf_ _cleanup_(buf_cleanup)

const uint8_t *buf_data(const struct buf *b);
size_t buf_size(const struct buf *b);
must_check int buf_error(const struct buf *b);
/* Empties the buffer and clears its error; keeps the memory. */
void buf_reset(struct buf *b);
/* Drops the first 'n' bytes; n <= buf_size(). */
void buf_consume(struct buf *b, size_t n);
/* Gives up the bytes to the caller, who frees them, NUL-terminated (not counted in '*ret_size');
 * the buffer is then empty.  On an error of the buffer that error, and nothing is taken. */
must_check int buf_take(struct buf *b, char **ret, size_t *ret_size);

void buf_put(struct buf *b, const void *data, size_t size);
void buf_put_zeros(struct buf *b, size_t size);
void buf_put_str(struct buf *b, const char *s); /* without its NUL */
void buf_put_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_be16(struct buf *b, uint16_t v);
void buf_put_be32(struct buf *b, uint32_t v);
void buf_put_be64(struct buf *b, uint64_t v);
void buf_put_le16(struct buf *b, uint16_t v);
void buf_put_le32(struct buf *b, uint32_t v);
void buf_put_le64(struct buf *b, uint64_t v);
/* Room for 'size' bytes at the end, to be filled by the caller and counted by buf_commit();
 * NULL on error. */
void *buf_reserve(struct buf *b, size_t size);
void buf_commit(struct buf *b, size_t size);

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	int error;
};

static inline void cursor_init(struct cursor *c, const void *data, size_t size)
{
	*c = (struct cursor){.at = data, .end = size ? (const uint8_t *)data + size : data};
}
static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}
must_check int cursor_error(const struct cursor *c);
/* Records that what was read is malformed, for the decoder's own checks. */
void cursor_fail(struct cursor *c);
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_be16(struct cursor *c);
uint32_t cursor_be32(struct cursor *c);
uint64_t cursor_be64(struct cursor *c);
uint16_t cursor_le16(struct cursor *c);
uint32_t cursor_le32(struct cursor *c);
uint64_t cursor_le64(struct cursor *c);
/* The next 'size' bytes, borrowed from the span, or NULL. */
const uint8_t *cursor_take(struct cursor *c, size_t size);
void cursor_copy(struct cursor *c, void *ret, size_t size); /* zeros on error */
void cursor_skip(struct cursor *c, size_t size);
/* The next 'size' bytes as a span of their own. */
struct cursor cursor_sub(struct cursor *c, size_t size);
