/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: reaching the value of a field.  For record.c and record_codec.c.
 */
#pragma once

#include "model/record.h"

static inline const void *field_at(const void *base, const struct field *f)
{
	return (const char *)base + f->offset;
}

static inline void *field_at_mut(void *base, const struct field *f)
{
	return (char *)base + f->offset;
}

/* Elements of an array. */
static inline size_t field_count(const void *base, const struct field *f)
{
	return *(const size_t *)(const void *)((const char *)base + f->count_offset);
}

/* An object of a kind, with nothing set but that and its id, and zeroed room for parts of it behind
 * it; -ENOMEM: NULL. */
struct object *record_new(enum kind k, uint64_t id, size_t room);
