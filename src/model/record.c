/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying, comparing, freeing and walking by the tables of fields.  See record.h; the stored form
 * is in record_codec.c.
 */
#include "model/record.h"

#include <string.h>

#include "model/record_field.h"

CLEANUP_DEFINE(struct object *, record_free);

/* ---- life ---- */

struct object *record_new(enum kind k, uint64_t id, size_t room)
{
	size_t size = record_of(k)->size + room;
	struct object *o = calloc(1, size);

	if (o) {
		o->kind = k;
		o->block = (uint32_t)size;
		o->id = id;
	}
	return o;
}

/* What 'o' points at, unless it is in its own block. */
static void free_part(const struct object *o, void *part)
{
	const char *at = part, *block = (const char *)o;

	if (at < block || at >= block + o->block)
		free(part);
}

static void free_fields(const struct object *o, const struct record *r, void *base)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct field *f = &r->fields[i];
		char **v = field_at_mut(base, f);
		size_t n;

		switch (f->type) {
		case FIELD_ARRAY:
			n = *v ? field_count(base, f) : 0;
			for (size_t j = 0; j < n; j++)
				free_fields(o, f->element, *v + j * f->size);
			free_part(o, *v);
			break;
		case FIELD_STRING:
		case FIELD_SECRET:
		case FIELD_IDS:
			free_part(o, *v);
			break;
		default:
			break;
		}
	}
}

struct object *record_free(struct object *o)
{
	if (o) {
		free_fields(o, record_of(o->kind), o);
		free(o);
	}
	return NULL;
}

/* ---- copying and comparing ---- */

static int copy_fields(const struct record *r, void *to, const void *from);

static int copy_array(const struct field *f, void *to, const void *from)
{
	size_t n = field_count(from, f);
	const char *source = *(char *const *)field_at(from, f);
	char *copy;
	int r;

	if (!n)
		return 0;
	copy = calloc(n, f->size);
	if (!copy)
		return -ENOMEM;
	*(char **)field_at_mut(to, f) = copy;
	*(size_t *)(void *)((char *)to + f->count_offset) = n;
	if (f->type == FIELD_IDS) {
		memcpy(copy, source, n * f->size);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		r = copy_fields(f->element, copy + i * f->size, source + i * f->size);
		if (r)
			return r;
	}
	return 0;
}

static size_t plain_size(const struct field *f)
{
	switch (f->type) {
	case FIELD_BOOL:
		return sizeof(bool);
	case FIELD_U32:
		return sizeof(uint32_t);
	case FIELD_ADDR:
		return sizeof(struct ipaddr);
	case FIELD_PREFIX:
		return sizeof(struct prefix);
	case FIELD_MAC:
		return sizeof(struct mac);
	case FIELD_BYTES:
		return f->size;
	default:
		return sizeof(uint64_t);
	}
}

static int copy_fields(const struct record *r, void *to, const void *from)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct field *f = &r->fields[i];
		const char *s;
		int ret;

		switch (f->type) {
		case FIELD_ARRAY:
		case FIELD_IDS:
			ret = copy_array(f, to, from);
			if (ret)
				return ret;
			break;
		case FIELD_STRING:
		case FIELD_SECRET:
			s = *(const char *const *)field_at(from, f);
			if (!s)
				break;
			*(char **)field_at_mut(to, f) = strdup(s);
			if (!*(char **)field_at_mut(to, f))
				return -ENOMEM;
			break;
		default:
			memcpy(field_at_mut(to, f), field_at(from, f), plain_size(f));
		}
	}
	return 0;
}

int record_copy(const struct object *o, struct object **ret)
{
	_cleanup_(record_free_cleanup) struct object *copy = record_new(o->kind, o->id, 0);
	int r;

	if (!copy)
		return -ENOMEM;
	r = copy_fields(record_of(o->kind), copy, o);
	if (r)
		return r;
	*ret = TAKE_PTR(copy);
	return 0;
}

static bool equal_fields(const struct record *r, const void *a, const void *b);

static const char *string_at(const void *base, const struct field *f)
{
	const char *s = *(const char *const *)field_at(base, f);

	return s ? s : "";
}

static bool equal_arrays(const struct field *f, const void *a, const void *b)
{
	const char *va = *(char *const *)field_at(a, f), *vb = *(char *const *)field_at(b, f);
	size_t n = field_count(a, f);

	if (n != field_count(b, f))
		return false;
	if (f->type == FIELD_IDS)
		return !n || !memcmp(va, vb, n * f->size);
	for (size_t i = 0; i < n; i++)
		if (!equal_fields(f->element, va + i * f->size, vb + i * f->size))
			return false;
	return true;
}

static bool equal_fields(const struct record *r, const void *a, const void *b)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct field *f = &r->fields[i];

		switch (f->type) {
		case FIELD_ARRAY:
		case FIELD_IDS:
			if (!equal_arrays(f, a, b))
				return false;
			break;
		case FIELD_STRING:
		case FIELD_SECRET:
			if (strcmp(string_at(a, f), string_at(b, f)))
				return false;
			break;
		case FIELD_PREFIX:
			if (!prefix_equal(field_at(a, f), field_at(b, f)))
				return false;
			break;
		default:
			if (memcmp(field_at(a, f), field_at(b, f), plain_size(f)))
				return false;
		}
	}
	return true;
}

bool record_equal(const struct object *a, const struct object *b)
{
	return a->kind == b->kind && a->id == b->id && equal_fields(record_of(a->kind), a, b);
}
