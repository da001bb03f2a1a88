/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocol buffers by hand (protobuf.dev/programming-guides/encoding): a field is a tag, its number
 * and the kind of what follows, and a varint or so many bytes.  See lookup.h.
 */
#include "wire/lookup.h"

#include <stdbool.h>
#include <string.h>

#include "base/limits.h"
#include "wire/frame.h"

/* Tags: the field's number, then 0 for a varint, 2 for bytes.  All are of one byte. */
#define VARINT(field) ((field) << 3)
#define BYTES(field)  ((field) << 3 | 2)

enum {
	FRAME_RESOLVE = BYTES(6),
	FRAME_RESOLVED = BYTES(7),

	RESOLVE_SEQ = VARINT(1),
	RESOLVE_QUESTION = BYTES(2),

	QUESTION_KIND = VARINT(1),
	QUESTION_VNI = VARINT(2),
	QUESTION_ASKER = BYTES(3),
	QUESTION_ADDR = BYTES(4),
	QUESTION_ADDR_VNI = VARINT(6),
	QUESTION_LABEL = VARINT(7),

	RESOLVED_SEQ = VARINT(1),
	RESOLVED_ANSWER = BYTES(2),

	ANSWER_STATUS = VARINT(1),
	ANSWER_MAPPING = BYTES(2),

	MAPPING_VNI = VARINT(1),
	MAPPING_ADDR = BYTES(2),
	MAPPING_HOST = VARINT(3),
	MAPPING_REVISION = VARINT(4),
	MAPPING_LIFETIME = VARINT(5),
	MAPPING_GROUPS = BYTES(7), /* lists are packed: varints in one field */
	MAPPING_HOSTS = BYTES(8),
	MAPPING_LABEL = VARINT(9),
};

/* ---- reading ---- */

struct reader {
	const uint8_t *at, *end;
};

/* False: it ends too early, or is longer than a number of 'bits' needs to be. */
static inline bool read_varint(struct reader *r, unsigned int bits, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < bits && r->at < r->end; shift += 7) {
		uint8_t byte = *r->at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (bits - shift < 7 && byte >> (bits - shift))
			return false;
		*ret = value;
		return true;
	}
	return false;
}

static inline bool read_u32(struct reader *r, uint32_t *ret)
{
	uint64_t value;

	if (!read_varint(r, 32, &value))
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* What a field of bytes holds, as a span of its own. */
static inline bool read_span(struct reader *r, struct reader *ret)
{
	uint32_t size;

	if (!read_u32(r, &size) || size > (size_t)(r->end - r->at))
		return false;
	*ret = (struct reader){r->at, r->at + size};
	r->at += size;
	return true;
}

static inline bool read_addr(struct reader *r, const struct ipaddr **ret)
{
	struct reader span;

	if (!read_span(r, &span) || span.end - span.at != sizeof(struct ipaddr))
		return false;
	*ret = (const struct ipaddr *)span.at;
	return true;
}

static bool read_question(struct reader r, struct lookup_question *ret)
{
	struct lookup_question q = {0};
	bool ok = true;

	while (ok && r.at < r.end) {
		switch (*r.at++) {
		case QUESTION_KIND:
			ok = read_u32(&r, &q.kind) && q.kind <= INT32_MAX;
			break;
		case QUESTION_VNI:
			ok = read_u32(&r, &q.vni);
			break;
		case QUESTION_ASKER:
			ok = read_addr(&r, &q.asker);
			break;
		case QUESTION_ADDR:
			ok = read_addr(&r, &q.addr);
			break;
		case QUESTION_ADDR_VNI:
			ok = read_u32(&r, &q.addr_vni);
			break;
		case QUESTION_LABEL:
			ok = read_u32(&r, &q.label);
			break;
		default:
			ok = false;
		}
	}
	*ret = q;
	return ok;
}

static bool read_resolve(struct reader r, struct lookup_question *questions, size_t max,
			 uint64_t *ret_seq, size_t *ret_n)
{
	struct reader question;
	bool ok = true;
	size_t n = 0;

	*ret_seq = 0;
	while (ok && r.at < r.end) {
		switch (*r.at++) {
		case RESOLVE_SEQ:
			ok = read_varint(&r, 64, ret_seq);
			break;
		case RESOLVE_QUESTION:
			ok = n < max && read_span(&r, &question) &&
			     read_question(question, &questions[n++]);
			break;
		default:
			ok = false;
		}
	}
	*ret_n = n;
	return ok;
}

int lookup_read(const uint8_t *body, size_t size, struct lookup_question *questions, size_t max,
		uint64_t *ret_seq, size_t *ret_n)
{
	struct reader r = {body, body + size}, resolve;
	uint64_t seq;
	size_t n;

	if (!size || *r.at++ != FRAME_RESOLVE || !read_span(&r, &resolve) || r.at != r.end ||
	    !read_resolve(resolve, questions, max, &seq, &n))
		return -ENOTSUP;
	*ret_seq = seq;
	*ret_n = n;
	return 0;
}

/* ---- writing ---- */

static inline size_t varint_size(uint64_t value)
{
	size_t bits = 64 - (size_t)__builtin_clzll(value | 1);

	/* A byte for every 7, up to 64 of them, without dividing by 7. */
	return (bits * 9 + 64) / 64;
}

static inline uint8_t *write_varint(uint8_t *to, uint64_t value)
{
	while (value >= 0x80) {
		*to++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*to++ = (uint8_t)value;
	return to;
}

/* A field that is 0 is not written. */
static inline size_t field_size(uint64_t value)
{
	return value ? 1 + varint_size(value) : 0;
}

static inline uint8_t *write_field(uint8_t *to, uint8_t tag, uint64_t value)
{
	if (!value)
		return to;
	*to++ = tag;
	return write_varint(to, value);
}

static size_t values_size(const uint32_t *values, size_t n)
{
	size_t size = 0;

	for (size_t i = 0; i < n; i++)
		size += varint_size(values[i]);
	return size;
}

static size_t list_size(const uint32_t *values, size_t n)
{
	size_t size = values_size(values, n);

	return n ? 1 + varint_size(size) + size : 0;
}

static uint8_t *write_list(uint8_t *to, uint8_t tag, const uint32_t *values, size_t n)
{
	if (!n)
		return to;
	*to++ = tag;
	to = write_varint(to, values_size(values, n));
	for (size_t i = 0; i < n; i++)
		to = write_varint(to, values[i]);
	return to;
}

static size_t mapping_size(const struct lookup_answer *a)
{
	return field_size(a->vni) + 2 + sizeof(*a->addr) + field_size(a->host) +
	       field_size(a->revision) + field_size(a->lifetime) +
	       list_size(a->groups, a->n_groups) + list_size(a->hosts, a->n_hosts) +
	       field_size(a->label);
}

static size_t answer_size(const struct lookup_answer *a)
{
	size_t mapping = a->addr ? mapping_size(a) : 0;

	return field_size(a->status) + (a->addr ? 1 + varint_size(mapping) + mapping : 0);
}

static uint8_t *write_answer(uint8_t *to, const struct lookup_answer *a)
{
	to = write_field(to, ANSWER_STATUS, a->status);
	if (!a->addr)
		return to;
	*to++ = ANSWER_MAPPING;
	to = write_varint(to, mapping_size(a));
	to = write_field(to, MAPPING_VNI, a->vni);
	*to++ = MAPPING_ADDR;
	*to++ = sizeof(*a->addr);
	memcpy(to, a->addr, sizeof(*a->addr));
	to += sizeof(*a->addr);
	to = write_field(to, MAPPING_HOST, a->host);
	to = write_field(to, MAPPING_REVISION, a->revision);
	to = write_field(to, MAPPING_LIFETIME, a->lifetime);
	to = write_list(to, MAPPING_GROUPS, a->groups, a->n_groups);
	to = write_list(to, MAPPING_HOSTS, a->hosts, a->n_hosts);
	return write_field(to, MAPPING_LABEL, a->label);
}

int lookup_write(struct buf *out, uint64_t seq, const struct lookup_answer *answers, size_t n)
{
	size_t resolved = field_size(seq), size, answer;
	uint8_t *room, *to;

	for (size_t i = 0; i < n; i++) {
		answer = answer_size(&answers[i]);
		resolved += 1 + varint_size(answer) + answer;
	}
	size = 1 + varint_size(resolved) + resolved;
	if (size > LIMIT_WIRE_FRAME_SIZE || out->limit - buf_size(out) < size + FRAME_HEADER_SIZE)
		return -EMSGSIZE;
	room = buf_reserve(out, size + FRAME_HEADER_SIZE);
	if (!room) {
		out->error = 0;
		return -ENOMEM;
	}
	to = room;
	*to++ = (uint8_t)(size >> 24);
	*to++ = (uint8_t)(size >> 16);
	*to++ = (uint8_t)(size >> 8);
	*to++ = (uint8_t)size;
	*to++ = FRAME_RESOLVED;
	to = write_varint(to, resolved);
	to = write_field(to, RESOLVED_SEQ, seq);
	for (size_t i = 0; i < n; i++) {
		*to++ = RESOLVED_ANSWER;
		to = write_varint(to, answer_size(&answers[i]));
		to = write_answer(to, &answers[i]);
	}
	assert(to == room + FRAME_HEADER_SIZE + size);
	buf_commit(out, size + FRAME_HEADER_SIZE);
	return 0;
}
