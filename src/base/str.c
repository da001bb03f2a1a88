/* SPDX-License-Identifier: Apache-2.0 */
/* Strict parsing and small string work: see str.h. */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool str_equal(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

bool str_has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), n_suffix = strlen(suffix);

	return n >= n_suffix && strcmp(s + n - n_suffix, suffix) == 0;
}

/* The digits of 's' as a number: -EINVAL when there is anything else, -ERANGE above 64 bits. */
static int parse_digits(const char *s, uint64_t *ret)
{
	uint64_t v = 0;
	bool over = false;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		over |= __builtin_mul_overflow(v, UINT64_C(10), &v);
		over |= __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v);
	}
	if (over)
		return -ERANGE;
	*ret = v;
	return 0;
}

int str_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v;
	int r = parse_digits(s, &v);

	if (r < 0)
		return r;
	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int str_u32(const char *s, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t v;
	int r = str_u64(s, min, max, &v);

	if (r < 0)
		return r;
	*ret = (uint32_t)v;
	return 0;
}

int str_u16(const char *s, uint16_t min, uint16_t max, uint16_t *ret)
{
	uint64_t v;
	int r = str_u64(s, min, max, &v);

	if (r < 0)
		return r;
	*ret = (uint16_t)v;
	return 0;
}

int str_i64(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = *s == '-';
	uint64_t magnitude;
	int64_t v;
	int r = parse_digits(s + negative, &magnitude);

	if (r < 0)
		return r;
	if (magnitude > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	v = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int str_bool(const char *s, bool *ret)
{
	static const char *const words[][2] = {
		{"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (int v = 0; v < 2; v++)
			if (str_equal(s, words[i][v])) {
				*ret = v;
				return 0;
			}
	return -EINVAL;
}

int str_printf(char **ret, const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		return -ENOMEM;
	*ret = text;
	return 0;
}

int str_format(char *buf, size_t size, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(buf, size, format, args);
	va_end(args);
	if (n >= 0 && (size_t)n < size)
		return 0;
	if (size)
		buf[0] = '\0';
	return -ENAMETOOLONG;
}

int str_copy(char *buf, size_t size, const char *s)
{
	size_t n = strlen(s);

	if (n >= size)
		return -ENAMETOOLONG;
	memcpy(buf, s, n + 1);
	return 0;
}

int strv_split(const char *s, char separator, size_t max, char ***ret)
{
	_cleanup_(strv_free_cleanup) char **v = NULL;
	size_t n = *s ? 1 : 0;

	for (const char *p = s; *p; p++)
		n += *p == separator;
	if (n > max)
		return -E2BIG;
	v = calloc(n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		size_t length = (size_t)(strchrnul(s, separator) - s);

		v[i] = strndup(s, length);
		if (!v[i])
			return -ENOMEM;
		s += length + 1;
	}
	*ret = TAKE_PTR(v);
	return 0;
}

size_t strv_count(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

char **strv_free(char **v)
{
	for (char **s = v; s && *s; s++)
		free(*s);
	free(v);
	return NULL;
}

/* How one byte is written: one to four characters. */
static size_t escape_byte(unsigned char c, char out[static 5])
{
	if (c == '"' || c == '\\')
		return (size_t)snprintf(out, 5, "\\%c", c);
	if (c < ' ' || c >= 0x7f)
		return (size_t)snprintf(out, 5, "\\x%02x", c);
	return (size_t)snprintf(out, 5, "%c", c);
}

const char *str_escape(const char *s, char *buf, size_t size)
{
	size_t used = 0, fits = 0; /* 'fits': where ".." and NUL still have room */

	assert(size >= 8);
	for (; *s; s++) {
		char piece[5];
		size_t n = escape_byte((unsigned char)*s, piece);

		if (used + n + 1 > size) {
			memcpy(buf + fits, "..", 3);
			return buf;
		}
		memcpy(buf + used, piece, n);
		used += n;
		if (used + 3 <= size)
			fits = used;
	}
	buf[used] = '\0';
	return buf;
}
