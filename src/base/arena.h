/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena: memory of one request, command or decode, freed all at once.
 *
 * Embedded by whoever owns the request.  Allocations are aligned for any type, zeroed, and live
 * until arena_reset() or arena_deinit(); none is freed alone.  A limit bounds what one request can
 * cost. Errors: NULL, when the limit or the memory is exhausted.  One thread.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* newest first */
	size_t used;                /* bytes given out, padding included */
	size_t limit;
};

void arena_init(struct arena *a, size_t limit);
void arena_deinit(struct arena *a);
static inline void arena_cleanup(struct arena *a)
{
	arena_deinit(a);
}
#define _cleanup_arena_ _cleanup_(arena_cleanup)

/* Frees all allocations but keeps one chunk for the next request. */
void arena_reset(struct arena *a);

must_check void *arena_alloc(struct arena *a, size_t size);
must_check void *arena_alloc_array(struct arena *a, size_t n, size_t size);
must_check char *arena_strdup(struct arena *a, const char *s);
must_check char *arena_strndup(struct arena *a, const char *s, size_t length);
must_check char *arena_printf(struct arena *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
