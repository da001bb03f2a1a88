/* SPDX-License-Identifier: Apache-2.0 */
#include "api/form.h"

#include <stdint.h>
#include <string.h>

#include "base/hex.h"
#include "base/limits.h"

void form_init(struct form *f, struct arena *a)
{
	*f = (struct form){.arena = a, .plus_is_space = true};
}

/* The code point at 's', its size in '*ret_size'; -1: not UTF-8 (RFC 3629: no overlong form, no
 * surrogate, nothing above U+10FFFF). */
static int32_t decode_utf8(const uint8_t *s, size_t left, size_t *ret_size)
{
	static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	int32_t c;

	if (!size || size > left || s[0] > 0xf4)
		return -1;
	c = size == 1 ? s[0] : s[0] & (0xff >> (size + 1));
	for (size_t i = 1; i < size; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[size] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return -1;
	*ret_size = size;
	return c;
}

bool form_text_is_valid(const char *s, size_t size)
{
	const uint8_t *p = (const uint8_t *)s;

	while (size) {
		size_t n = 0;
		int32_t c = decode_utf8(p, size, &n);

		if (c < 0 || c == 0xfffe || c == 0xffff ||
		    (c < 0x20 && c != '\t' && c != '\n' && c != '\r'))
			return false;
		p += n;
		size -= n;
	}
	return true;
}

/* Undoes the encoding into the arena.  -EILSEQ, -ENOMEM */
static int decode(struct form *f, const char *text, size_t size, const char **ret)
{
	char *out = arena_alloc(f->arena, size + 1);
	size_t n = 0;

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (c == '%') {
			int high = size - i > 2 ? hex_digit(text[i + 1]) : -1;
			int low = size - i > 2 ? hex_digit(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -EILSEQ;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && f->plus_is_space) {
			c = ' ';
		}
		out[n++] = c;
	}
	if (!form_text_is_valid(out, n))
		return -EILSEQ;
	out[n] = '\0';
	*ret = out;
	return 0;
}

static int add(struct form *f, const char *name, const char *value)
{
	struct form_param *params;

	if (f->n == LIMIT_API_PARAMS)
		return -E2BIG;
	if (f->n == f->allocated) {
		size_t more = f->allocated ? f->allocated * 2 : 32;

		params = arena_alloc_array(f->arena, more, sizeof(*params));
		if (!params)
			return -ENOMEM;
		if (f->n)
			memcpy(params, f->params, f->n * sizeof(*params));
		f->params = params;
		f->allocated = more;
	}
	f->params[f->n++] = (struct form_param){.name = name, .value = value};
	return 0;
}

static int parse_one(struct form *f, const char *text, size_t size)
{
	const char *equals = memchr(text, '=', size);
	size_t name_size = equals ? (size_t)(equals - text) : size;
	const char *name, *value = "";
	int r;

	if (!size)
		return 0;
	r = decode(f, text, name_size, &name);
	if (r)
		return r;
	f->culprit = name;
	if (equals)
		r = decode(f, equals + 1, size - name_size - 1, &value);
	return r ? r : add(f, name, value);
}

int form_parse(struct form *f, const char *text, size_t size)
{
	while (size) {
		const char *end = memchr(text, '&', size);
		size_t n = end ? (size_t)(end - text) : size;
		int r = parse_one(f, text, n);

		if (r)
			return r;
		text += end ? n + 1 : n;
		size -= end ? n + 1 : n;
	}
	f->culprit = NULL;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct form_param *)a)->name, ((const struct form_param *)b)->name);
}

int form_sort(struct form *f)
{
	if (f->n)
		qsort(f->params, f->n, sizeof(*f->params), compare);
	for (size_t i = 1; i < f->n; i++) {
		if (!strcmp(f->params[i - 1].name, f->params[i].name)) {
			f->culprit = f->params[i].name;
			return -EEXIST;
		}
	}
	return 0;
}

const char *form_find(const struct form *f, const char *name)
{
	struct form_param key = {.name = name};
	struct form_param *p = f->n ? bsearch(&key, f->params, f->n, sizeof(key), compare) : NULL;

	return p ? p->value : NULL;
}
