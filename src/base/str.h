/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings: strict numbers, comparison, splitting, formatting, escaping.
 *
 * Parsing takes the whole string or nothing: no white space, no sign where none belongs, no
 * trailing text.  Outputs are untouched on failure.  Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

bool str_equal(const char *a, const char *b); /* NULL equals only NULL */
bool str_has_prefix(const char *s, const char *prefix);
bool str_has_suffix(const char *s, const char *suffix);

/* Decimal digits only, within [min, max].  -EINVAL: no such number; -ERANGE: outside. */
must_check int str_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret);
must_check int str_u32(const char *s, uint32_t min, uint32_t max, uint32_t *ret);
must_check int str_u16(const char *s, uint16_t min, uint16_t max, uint16_t *ret);
/* The same with an optional '-'. */
must_check int str_i64(const char *s, int64_t min, int64_t max, int64_t *ret);
/* yes/no, true/false, on/off, 1/0, lower case. */
must_check int str_bool(const char *s, bool *ret);

/* asprintf(3) with our errors: 0 or -ENOMEM. */
must_check int str_printf(char **ret, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Prints to a buffer of fixed size; -ENAMETOOLONG (and an empty string) when it does not fit. */
must_check int str_format(char *buf, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Copies with the NUL; -ENAMETOOLONG (and 'buf' untouched) when it does not fit. */
must_check int str_copy(char *buf, size_t size, const char *s);

/* Splits at every 'separator' into a new NULL-terminated vector (of n + 1 strings for n separators;
 * of none for ""), at most 'max' strings: else -E2BIG.  0 or -ENOMEM otherwise. */
must_check int strv_split(const char *s, char separator, size_t max, char ***ret);
size_t strv_count(char *const *v);
char **strv_free(char **v);
CLEANUP_DEFINE(char **, strv_free);

/* Writes 's' to 'buf' so that it fits one log line or one line of text: printable ASCII as it is,
 * '"' and '\' behind a '\', everything else as \xHH; cut with ".." when 'size' is too small.
 * Returns 'buf'.  'size' is at least 8. */
const char *str_escape(const char *s, char *buf, size_t size);
