/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records: what fields each kind of object has, as tables.  From them come the stored form, copies,
 * comparison and freeing.
 *
 * Stored form: a format byte, then per field a tag number (1 byte), the size of the value (variable
 * length) and the value; fields that are zero or empty are left out.  Unknown tags are skipped,
 * missing ones are zero: older and newer programs read each other's records.  Tag numbers are never
 * re-used.  Any bytes may be decoded: -EBADMSG, -ENOMEM.
 *
 * Any thread, as long as the objects are let be.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/object.h"
#include "net/addr.h"

enum field_type {
	FIELD_BOOL,
	FIELD_U32, /* also enums */
	FIELD_U64,
	FIELD_ID,   /* u64; 'kind' or 'prefix' says of what */
	FIELD_TIME, /* u64, unix ms */
	FIELD_ADDR,
	FIELD_PREFIX,
	FIELD_MAC,
	FIELD_STRING, /* char *; NULL is the same as "" */
	FIELD_SECRET, /* the same, never shown */
	FIELD_BYTES,  /* fixed size */
	FIELD_ARRAY,  /* pointer and size_t count of 'element's */
	FIELD_IDS,    /* pointer and size_t count of u64 */
};

struct record;

struct field {
	uint8_t tag;
	enum field_type type;
	const char *name; /* for who reads the table: snake_case, as in the operator API */
	size_t offset;
	size_t size;         /* FIELD_BYTES: its size; FIELD_ARRAY, FIELD_IDS: of an element */
	size_t count_offset; /* FIELD_ARRAY, FIELD_IDS */
	enum kind kind;      /* FIELD_ID: whose prefix */
	const char *prefix;  /* FIELD_ID without a kind */
	const char *(*text)(uint32_t v); /* FIELD_U32: the name of a value, or NULL */
	const struct record *element;    /* FIELD_ARRAY */
};

struct record {
	const char *name;
	size_t size; /* of the struct */
	size_t n_fields;
	const struct field *fields;
};

const struct record *record_of(enum kind k); /* NULL for KIND_NONE */

/* Appends the stored form; errors are kept in 'b'. */
void record_encode(const struct object *o, struct buf *b);
/* A new object that is in no index. */
must_check int record_decode(enum kind k, uint64_t id, const void *data, size_t size,
			     struct object **ret);
/* A copy that is in no index; -ENOMEM. */
must_check int record_copy(const struct object *o, struct object **ret);
/* All fields are equal; places in indexes do not count. */
bool record_equal(const struct object *a, const struct object *b);
/* Of an object in no index. */
struct object *record_free(struct object *o);
