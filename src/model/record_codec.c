/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stored form of objects: encoding and decoding by the tables of fields.  See record.h.
 */
#include <string.h>

#include "model/record_field.h"

CLEANUP_DEFINE(struct object *, record_free);

enum { RECORD_FORMAT = 1, VARINT_MAX = 10 };

static size_t varint_size(uint64_t v)
{
	size_t n = 1;

	while (v >>= 7)
		n++;
	return n;
}

static void put_varint(struct buf *b, uint64_t v)
{
	while (v >= 0x80) {
		buf_put_u8(b, (uint8_t)(v | 0x80));
		v >>= 7;
	}
	buf_put_u8(b, (uint8_t)v);
}

/* Reads the span itself rather than by calls: a model of a million records is decoded at each
 * start. */
static uint64_t get_varint(struct cursor *c)
{
	uint64_t v = 0;

	if (c->at < c->end && *c->at < 0x80)
		return *c->at++;
	for (unsigned int i = 0; i < VARINT_MAX && c->at < c->end; i++) {
		uint8_t byte = *c->at++;

		if (i == VARINT_MAX - 1 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (!(byte & 0x80))
			return v;
	}
	cursor_fail(c);
	return 0;
}

/* The number that a numeric field has. */
static uint64_t number(const struct field *f, const void *value)
{
	switch (f->type) {
	case FIELD_BOOL:
		return *(const bool *)value;
	case FIELD_U32:
		return *(const uint32_t *)value;
	default:
		return *(const uint64_t *)value;
	}
}

static bool all_zero(const void *p, size_t size)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < size; i++)
		if (b[i])
			return false;
	return true;
}

/* ---- encoding ---- */

static size_t struct_size(const struct record *r, const void *base);

/* Size of the encoded value; 0: the field is left out. */
static size_t value_size(const struct field *f, const void *base)
{
	const void *v = field_at(base, f);
	const struct prefix *p;
	const char *s;
	size_t n, size;

	switch (f->type) {
	case FIELD_BOOL:
	case FIELD_U32:
	case FIELD_U64:
	case FIELD_ID:
	case FIELD_TIME:
		return number(f, v) ? varint_size(number(f, v)) : 0;
	case FIELD_ADDR:
		if (ipaddr_is_v4(v))
			return 4;
		return all_zero(v, sizeof(struct ipaddr)) ? 0 : sizeof(struct ipaddr);
	case FIELD_PREFIX:
		p = v;
		return p->len || !all_zero(&p->addr, sizeof(p->addr)) ? 17 : 0;
	case FIELD_MAC:
		return all_zero(v, sizeof(struct mac)) ? 0 : sizeof(struct mac);
	case FIELD_STRING:
	case FIELD_SECRET:
		s = *(const char *const *)v;
		return s ? strlen(s) : 0;
	case FIELD_BYTES:
		return all_zero(v, f->size) ? 0 : f->size;
	case FIELD_IDS:
		return field_count(base, f) * sizeof(uint64_t);
	case FIELD_ARRAY:
		n = field_count(base, f);
		size = 0;
		for (size_t i = 0; i < n; i++) {
			size_t one = struct_size(f->element, *(char *const *)v + i * f->size);

			size += varint_size(one) + one;
		}
		return size;
	}
	return 0;
}

static size_t struct_size(const struct record *r, const void *base)
{
	size_t size = 0;

	for (size_t i = 0; i < r->n_fields; i++) {
		size_t one = value_size(&r->fields[i], base);

		if (one)
			size += 1 + varint_size(one) + one;
	}
	return size;
}

static void put_struct(struct buf *b, const struct record *r, const void *base);

static void put_value(struct buf *b, const struct field *f, const void *base, size_t size)
{
	const void *v = field_at(base, f);
	size_t n;

	switch (f->type) {
	case FIELD_BOOL:
	case FIELD_U32:
	case FIELD_U64:
	case FIELD_ID:
	case FIELD_TIME:
		put_varint(b, number(f, v));
		break;
	case FIELD_ADDR:
		buf_put(b, (const uint8_t *)v + sizeof(struct ipaddr) - size, size);
		break;
	case FIELD_PREFIX:
		buf_put(b, &((const struct prefix *)v)->addr, sizeof(struct ipaddr));
		buf_put_u8(b, ((const struct prefix *)v)->len);
		break;
	case FIELD_MAC:
	case FIELD_BYTES:
		buf_put(b, v, size);
		break;
	case FIELD_STRING:
	case FIELD_SECRET:
		buf_put(b, *(const char *const *)v, size);
		break;
	case FIELD_IDS:
		n = field_count(base, f);
		for (size_t i = 0; i < n; i++)
			buf_put_le64(b, (*(uint64_t *const *)v)[i]);
		break;
	case FIELD_ARRAY:
		n = field_count(base, f);
		for (size_t i = 0; i < n; i++) {
			const char *element = *(char *const *)v + i * f->size;

			put_varint(b, struct_size(f->element, element));
			put_struct(b, f->element, element);
		}
		break;
	}
}

static void put_struct(struct buf *b, const struct record *r, const void *base)
{
	for (size_t i = 0; i < r->n_fields; i++) {
		size_t size = value_size(&r->fields[i], base);

		if (!size)
			continue;
		buf_put_u8(b, r->fields[i].tag);
		put_varint(b, size);
		put_value(b, &r->fields[i], base, size);
	}
}

void record_encode(const struct object *o, struct buf *b)
{
	buf_put_u8(b, RECORD_FORMAT);
	put_struct(b, record_of(o->kind), o);
}

/* ---- decoding ---- */

/*
 * An object that is decoded, and all that it points at, are one block of memory: a model of a
 * million records has several pointers in each.  So first it is counted what the block needs behind
 * the object.
 */
struct room {
	char *at, *end;
};

enum { ROOM_ALIGNMENT = 8, ROOM_MAX = 1 << 20 };

static size_t room_size(size_t size)
{
	return (size + ROOM_ALIGNMENT - 1) & ~(size_t)(ROOM_ALIGNMENT - 1);
}

/* Zeroed; beside the block if what was counted is not what is there now. */
static void *room_take(struct room *room, size_t n, size_t size)
{
	size_t needed;
	char *at = room->at;

	if (__builtin_mul_overflow(n, size, &needed))
		return NULL;
	if (needed > ROOM_MAX || room_size(needed) > (size_t)(room->end - at))
		return calloc(n, size);
	room->at += room_size(needed);
	return at;
}

static size_t struct_room(struct cursor c, const struct record *r);

static size_t value_room(struct cursor value, const struct field *f)
{
	size_t size = cursor_left(&value), n = 0, parts = 0;

	switch (f->type) {
	case FIELD_STRING:
	case FIELD_SECRET:
		return room_size(size + 1);
	case FIELD_IDS:
		return room_size(size);
	case FIELD_ARRAY:
		for (; cursor_left(&value); n++)
			parts += struct_room(cursor_sub(&value, get_varint(&value)), f->element);
		return room_size(n * f->size) + parts;
	default:
		return 0;
	}
}

/* What the values in 'c' need beside their struct, at least if they can be decoded. */
static size_t struct_room(struct cursor c, const struct record *r)
{
	size_t i = 0, needed = 0;

	while (c.at < c.end) {
		unsigned int tag = *c.at++;
		size_t size = get_varint(&c);
		struct cursor value;

		if (c.error || size > (size_t)(c.end - c.at))
			break;
		cursor_init(&value, c.at, size);
		c.at += size;
		while (i < r->n_fields && r->fields[i].tag < tag)
			i++;
		if (i < r->n_fields && r->fields[i].tag == tag)
			needed += value_room(value, &r->fields[i]);
	}
	return needed;
}

static int get_struct(struct cursor *c, const struct record *r, void *base, struct room *room);

static int get_number(struct cursor *c, const struct field *f, void *v)
{
	uint64_t n = get_varint(c);

	switch (f->type) {
	case FIELD_BOOL:
		if (n > 1)
			return -EBADMSG;
		*(bool *)v = n;
		return 0;
	case FIELD_U32:
		if (n > UINT32_MAX || (f->text && !f->text((uint32_t)n)))
			return -EBADMSG;
		*(uint32_t *)v = (uint32_t)n;
		return 0;
	default:
		*(uint64_t *)v = n;
		return 0;
	}
}

static int get_addr(struct cursor *c, struct ipaddr *ret)
{
	if (cursor_left(c) == 4)
		*ret = ipaddr_from_v4(cursor_be32(c));
	else
		cursor_copy(c, ret, sizeof(*ret));
	return 0;
}

static int get_prefix(struct cursor *c, struct prefix *ret)
{
	struct ipaddr addr;
	uint8_t len;

	cursor_copy(c, &addr, sizeof(addr));
	len = cursor_u8(c);
	if (len > 128)
		return -EBADMSG;
	*ret = prefix_make(&addr, len);
	return ipaddr_equal(&ret->addr, &addr) ? 0 : -EBADMSG;
}

static int get_string(struct cursor *c, struct room *room, char **ret)
{
	size_t size = cursor_left(c);
	const uint8_t *bytes = cursor_take(c, size);

	if (!bytes || memchr(bytes, 0, size))
		return -EBADMSG;
	*ret = room_take(room, size + 1, 1);
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, bytes, size);
	return 0;
}

static int get_ids(struct cursor *c, struct room *room, uint64_t **ret, size_t *ret_n)
{
	size_t n = cursor_left(c) / sizeof(uint64_t);

	if (!n)
		return 0;
	*ret = room_take(room, n, sizeof(uint64_t));
	if (!*ret)
		return -ENOMEM;
	*ret_n = n;
	for (size_t i = 0; i < n; i++)
		(*ret)[i] = cursor_le64(c);
	return 0;
}

static int get_array(struct cursor *c, const struct field *f, struct room *room, char **ret,
		     size_t *ret_n)
{
	struct cursor ahead = *c;
	size_t n = 0;
	int r;

	for (; cursor_left(&ahead); n++)
		cursor_skip(&ahead, get_varint(&ahead));
	r = cursor_error(&ahead);
	if (r || !n)
		return r;
	*ret = room_take(room, n, f->size);
	if (!*ret)
		return -ENOMEM;
	*ret_n = n;
	for (size_t i = 0; i < n; i++) {
		struct cursor one = cursor_sub(c, get_varint(c));

		r = get_struct(&one, f->element, *ret + i * f->size, room);
		if (r)
			return r;
	}
	return 0;
}

/* 'c' is the value and nothing else. */
static int get_value(struct cursor *c, const struct field *f, void *base, struct room *room)
{
	size_t *count = (size_t *)(void *)((char *)base + f->count_offset);
	void *v = field_at_mut(base, f);

	switch (f->type) {
	case FIELD_BOOL:
	case FIELD_U32:
	case FIELD_U64:
	case FIELD_ID:
	case FIELD_TIME:
		return get_number(c, f, v);
	case FIELD_ADDR:
		return get_addr(c, v);
	case FIELD_PREFIX:
		return get_prefix(c, v);
	case FIELD_MAC:
		cursor_copy(c, v, sizeof(struct mac));
		return 0;
	case FIELD_BYTES:
		cursor_copy(c, v, f->size);
		return 0;
	case FIELD_STRING:
	case FIELD_SECRET:
		return get_string(c, room, v);
	case FIELD_IDS:
		return get_ids(c, room, v, count);
	case FIELD_ARRAY:
		return get_array(c, f, room, v, count);
	}
	return -EBADMSG;
}

static int get_struct(struct cursor *c, const struct record *r, void *base, struct room *room)
{
	unsigned int last = 0;
	size_t i = 0;
	int ret;

	while (c->at < c->end) {
		unsigned int tag = *c->at++;
		size_t size = get_varint(c);
		struct cursor value;

		if (c->error || size > (size_t)(c->end - c->at) ||
		    tag <= last) /* twice would leak the first */
			return -EBADMSG;
		cursor_init(&value, c->at, size);
		c->at += size;
		last = tag;
		while (i < r->n_fields && r->fields[i].tag < tag)
			i++;
		if (i == r->n_fields || r->fields[i].tag != tag)
			continue;
		ret = get_value(&value, &r->fields[i], base, room);
		if (!ret)
			ret = value.error;
		if (!ret && value.at != value.end)
			ret = -EBADMSG;
		if (ret)
			return ret;
	}
	return cursor_error(c);
}

/* A tag has a key, and a value even if that is empty, which the stored form leaves out. */
static int complete_tags(struct object *o)
{
	for (size_t i = 0; i < o->n_tags; i++) {
		if (!o->tags[i].key || !o->tags[i].key[0])
			return -EBADMSG;
		if (!o->tags[i].value)
			o->tags[i].value = strdup("");
		if (!o->tags[i].value)
			return -ENOMEM;
	}
	return 0;
}

int record_decode(enum kind k, uint64_t id, const void *data, size_t size, struct object **ret)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct record *record = record_of(k);
	struct room room;
	struct cursor c;
	size_t needed;
	int r;

	if (!record)
		return -EBADMSG;
	cursor_init(&c, data, size);
	if (cursor_u8(&c) != RECORD_FORMAT || cursor_error(&c))
		return -EBADMSG;
	needed = struct_room(c, record);
	o = record_new(k, id, needed < ROOM_MAX ? needed : 0);
	if (!o)
		return -ENOMEM;
	room.at = (char *)o + record->size;
	room.end = (char *)o + o->block;
	r = get_struct(&c, record, o, &room);
	if (!r)
		r = complete_tags(o);
	if (r)
		return r;
	*ret = TAKE_PTR(o);
	return 0;
}
