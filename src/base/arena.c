/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas as a chain of chunks, filled from the newest: see arena.h. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* of 'bytes' */
	size_t used;
	alignas(max_align_t) uint8_t bytes[];
};

void arena_init(struct arena *a, size_t limit)
{
	*a = (struct arena){.limit = limit};
}

static void free_chunks(struct arena_chunk *c)
{
	while (c) {
		struct arena_chunk *next = c->next;

		free(c);
		c = next;
	}
}

void arena_deinit(struct arena *a)
{
	free_chunks(a->chunks);
	arena_init(a, a->limit);
}

void arena_reset(struct arena *a)
{
	struct arena_chunk *kept = a->chunks;

	a->used = 0;
	/* A chunk made for one large allocation would only be carried along. */
	if (!kept || kept->size > LIMIT_ARENA_CHUNK_SIZE) {
		arena_deinit(a);
		return;
	}
	free_chunks(kept->next);
	kept->next = NULL;
	kept->used = 0;
}

static struct arena_chunk *chunk_new(size_t size)
{
	size_t total;
	struct arena_chunk *c;

	if (__builtin_add_overflow(sizeof(*c), size, &total))
		return NULL;
	c = malloc(total);
	if (!c)
		return NULL;
	c->size = size;
	c->used = 0;
	return c;
}

/* A chunk with 'size' bytes free.  One made for a large allocation goes behind the newest, whose
 * rest stays in use. */
static struct arena_chunk *chunk_with(struct arena *a, size_t size)
{
	struct arena_chunk *c = a->chunks;
	bool large = size > LIMIT_ARENA_CHUNK_SIZE / 4;

	if (c && c->size - c->used >= size)
		return c;
	c = chunk_new(large ? size : LIMIT_ARENA_CHUNK_SIZE);
	if (!c)
		return NULL;
	if (large && a->chunks) {
		c->next = a->chunks->next;
		a->chunks->next = c;
	} else {
		c->next = a->chunks;
		a->chunks = c;
	}
	return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct arena_chunk *c;
	size_t padded;
	void *p;

	if (__builtin_add_overflow(size ? size : 1, align - 1, &padded))
		return NULL;
	padded &= ~(align - 1);
	if (padded > a->limit - a->used)
		return NULL;
	c = chunk_with(a, padded);
	if (!c)
		return NULL;
	p = memset(c->bytes + c->used, 0, padded);
	c->used += padded;
	a->used += padded;
	return p;
}

void *arena_alloc_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	return __builtin_mul_overflow(n, size, &total) ? NULL : arena_alloc(a, total);
}

char *arena_strndup(struct arena *a, const char *s, size_t length)
{
	size_t n = strnlen(s, length);
	char *copy = arena_alloc(a, n + 1);

	return copy ? memcpy(copy, s, n) : NULL;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		return NULL;
	text = arena_alloc(a, (size_t)n + 1);
	if (!text)
		return NULL;
	va_start(args, format);
	vsnprintf(text, (size_t)n + 1, format, args);
	va_end(args);
	return text;
}
