/* SPDX-License-Identifier: Apache-2.0 */
#include "api/param.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"

enum { PATTERN_SIZE = 160 };

/* Those of the protocol itself, of every action. */
static bool is_of_protocol(const char *name)
{
	static const char *const names[] = {
		"Action",    "Version",         "DryRun",           "AWSAccessKeyId",
		"Signature", "SignatureMethod", "SignatureVersion", "Timestamp",
		"Expires",   "SecurityToken",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return str_has_prefix(name, "X-Amz-");
}

/* "Filter.12.Value.3" -> "Filter.N.Value.N"; false for a name too long or an index that is none. */
static bool make_pattern(const char *name, char ret[static PATTERN_SIZE])
{
	size_t n = 0;

	while (*name) {
		size_t length = strcspn(name, ".");

		if (n + length + 2 > PATTERN_SIZE)
			return false;
		if (length && strspn(name, "0123456789") == length) {
			if (*name == '0' || length > 4 || atoi(name) > LIMIT_API_LIST)
				return false;
			ret[n++] = 'N';
		} else if (length == 1 && *name == 'N') {
			return false;
		} else {
			memcpy(ret + n, name, length);
			n += length;
		}
		name += length;
		if (*name == '.') {
			ret[n++] = '.';
			name++;
		}
	}
	ret[n] = '\0';
	return true;
}

static bool parse_bool(const char *text, bool *ret)
{
	if (!strcasecmp(text, "true") || !strcmp(text, "1"))
		*ret = true;
	else if (!strcasecmp(text, "false") || !strcmp(text, "0"))
		*ret = false;
	else
		return false;
	return true;
}

/* Says no to a function that is not there: nothing to refuse. */
static bool switches_off(const struct param_spec *s, const char *value)
{
	bool yes = true;

	if (s->type == PARAM_BOOL)
		return parse_bool(value, &yes) && !yes;
	return s->type == PARAM_U32 && !strcmp(value, "0");
}

static int check_value(struct ec2_call *c, const struct param_spec *s, const struct form_param *p)
{
	uint32_t number;
	int64_t wide;
	bool yes;

	if (s->need == PARAM_UNSUPPORTED && !switches_off(s, p->value))
		return ec2_refuse_unsupported(c, p->name);
	if (s->type == PARAM_BOOL && !parse_bool(p->value, &yes))
		return ec2_refuse_value(c, p->name, p->value, "It must be true or false.");
	if (s->type == PARAM_U32 && str_u32(p->value, 0, INT32_MAX, &number))
		return ec2_refuse_value(c, p->name, p->value, "It must be a number.");
	if (s->type == PARAM_I32 && str_i64(p->value, INT32_MIN, INT32_MAX, &wide))
		return ec2_refuse_value(c, p->name, p->value, "It must be a number.");
	return 0;
}

static const struct param_spec *find_spec(const struct param_spec *specs, size_t n,
					  const char *pattern)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(specs[i].pattern, pattern))
			return &specs[i];
	return NULL;
}

/* Where the first index of a pattern begins; 0: it has none. */
static size_t index_offset(const char *pattern)
{
	for (const char *p = strstr(pattern, ".N"); p; p = strstr(p + 1, ".N"))
		if (!p[2] || p[2] == '.')
			return (size_t)(p + 1 - pattern);
	return 0;
}

/* Sent, and not empty; of a list, any part of it. */
static bool is_sent(const struct ec2_call *c, const char *pattern)
{
	size_t offset = index_offset(pattern);
	const char *value;

	if (!offset) {
		value = form_find(c->form, pattern);
		return value && *value;
	}
	for (size_t i = 0; i < c->form->n; i++)
		if (!strncmp(c->form->params[i].name, pattern, offset))
			return true;
	return false;
}

static int check_required(struct ec2_call *c, const struct param_spec *s)
{
	size_t offset = index_offset(s->pattern);
	char name[PATTERN_SIZE];

	if (is_sent(c, s->pattern))
		return 0;
	snprintf(name, sizeof(name), "%s", s->pattern);
	if (offset)
		name[offset - 1] = '\0';
	return ec2_refuse_missing(c, name);
}

int param_check(struct ec2_call *c, const struct param_spec *specs, size_t n)
{
	const char *dry_run = form_find(c->form, "DryRun");
	char pattern[PATTERN_SIZE];
	bool yes;
	int r;

	if (dry_run && !parse_bool(dry_run, &yes))
		return ec2_refuse_value(c, "DryRun", dry_run, "It must be true or false.");
	for (size_t i = 0; i < c->form->n; i++) {
		const struct form_param *p = &c->form->params[i];
		const struct param_spec *s = NULL;

		if (is_of_protocol(p->name))
			continue;
		if (make_pattern(p->name, pattern))
			s = find_spec(specs, n, pattern);
		if (!s)
			return ec2_refuse(c, 400, "UnknownParameter",
					  "The parameter %.200s is not recognized", p->name);
		r = check_value(c, s, p);
		if (r)
			return r;
	}
	for (size_t i = 0; i < n; i++) {
		r = specs[i].need == PARAM_REQUIRED ? check_required(c, &specs[i]) : 0;
		if (r)
			return r;
	}
	return 0;
}

const char *param_text(const struct ec2_call *c, const char *name)
{
	return form_find(c->form, name);
}

const bool *param_bool(const struct ec2_call *c, const char *name)
{
	static const bool values[] = {false, true};
	const char *text = form_find(c->form, name);
	bool yes;

	return text && parse_bool(text, &yes) ? &values[yes] : NULL;
}

bool param_is_true(const struct ec2_call *c, const char *name)
{
	const bool *b = param_bool(c, name);

	return b && *b;
}

uint32_t param_u32(const struct ec2_call *c, const char *name, uint32_t fallback)
{
	const char *text = form_find(c->form, name);
	uint32_t value;

	return text && !str_u32(text, 0, INT32_MAX, &value) ? value : fallback;
}

const int32_t *param_i32(const struct ec2_call *c, const char *name)
{
	const char *text = form_find(c->form, name);
	int32_t *ret;
	int64_t value;

	if (!text || str_i64(text, INT32_MIN, INT32_MAX, &value))
		return NULL;
	ret = arena_alloc_array(c->arena, 1, sizeof(*ret));
	if (ret)
		*ret = (int32_t)value;
	return ret;
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The first parameter whose name does not come before 'prefix': those that begin with it follow. */
static size_t first_with(const struct form *f, const char *prefix, size_t length)
{
	size_t low = 0, high = f->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strncmp(f->params[middle].name, prefix, length) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int param_indices(const struct ec2_call *c, const char *prefix, const uint32_t **ret, size_t *ret_n)
{
	size_t length = strlen(prefix), n = 0, unique = 0;
	size_t first = first_with(c->form, prefix, length), end = first;
	uint32_t *indices;

	while (end < c->form->n && !strncmp(c->form->params[end].name, prefix, length))
		end++;
	indices = arena_alloc_array(c->arena, end - first + 1, sizeof(*indices));
	if (!indices)
		return -ENOMEM;
	for (size_t i = first; i < end; i++) {
		const char *name = c->form->params[i].name;

		if (name[length] == '.')
			indices[n++] = (uint32_t)atoi(name + length + 1);
	}
	qsort(indices, n, sizeof(*indices), compare_u32);
	for (size_t i = 0; i < n; i++)
		if (!unique || indices[unique - 1] != indices[i])
			indices[unique++] = indices[i];
	*ret = indices;
	*ret_n = unique;
	return 0;
}

const char *param_name(const struct ec2_call *c, const char *format, ...)
{
	char text[PATTERN_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return arena_strdup(c->arena, text);
}

int param_list(const struct ec2_call *c, const char *prefix, const char *const **ret, size_t *ret_n)
{
	const uint32_t *indices;
	const char **values;
	size_t n;
	int r;

	r = param_indices(c, prefix, &indices, &n);
	if (r)
		return r;
	values = arena_alloc_array(c->arena, n + 1, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *name = param_name(c, "%s.%u", prefix, indices[i]);

		if (!name)
			return -ENOMEM;
		values[i] = form_find(c->form, name);
		if (!values[i])
			values[i] = "";
	}
	*ret = values;
	*ret_n = n;
	return 0;
}

int param_tags(struct ec2_call *c, const char *prefix, bool values, const struct tag_args **ret,
	       size_t *ret_n)
{
	const char *list = param_name(c, "%sTag", prefix);
	const uint32_t *indices;
	struct tag_args *tags;
	size_t n;
	int r;

	if (!list)
		return -ENOMEM;
	r = param_indices(c, list, &indices, &n);
	if (r)
		return r;
	tags = arena_alloc_array(c->arena, n + 1, sizeof(*tags));
	if (!tags)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *key = param_name(c, "%s.%u.Key", list, indices[i]);
		const char *value = param_name(c, "%s.%u.Value", list, indices[i]);

		if (!key || !value)
			return -ENOMEM;
		tags[i].key = form_find(c->form, key);
		tags[i].value = form_find(c->form, value);
		if (!tags[i].key)
			return ec2_refuse_missing(c, key);
		if (!tags[i].value && values)
			return ec2_refuse(c, 400, "InvalidParameterValue",
					  "Tag value cannot be null. Use empty string instead.");
	}
	*ret = tags;
	*ret_n = n;
	return 0;
}

static bool is_one_of(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(text, *list))
			return true;
	return false;
}

int param_tag_specification(struct ec2_call *c, const char *resource, const char *const *allowed,
			    const struct tag_args **ret, size_t *ret_n)
{
	const uint32_t *indices;
	size_t n;
	int r;

	r = param_indices(c, "TagSpecification", &indices, &n);
	if (r)
		return r;
	*ret = NULL;
	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		const char *prefix = param_name(c, "TagSpecification.%u.", indices[i]);
		const char *name = param_name(c, "TagSpecification.%u.ResourceType", indices[i]);
		const char *type;

		if (!prefix || !name)
			return -ENOMEM;
		type = form_find(c->form, name);
		if (!type)
			return ec2_refuse(c, 400, "InvalidParameterValue",
					  "Tag specification resource type must have a value");
		if (!is_one_of(type, allowed))
			return ec2_refuse(c, 400, "InvalidParameterValue",
					  "'%.100s' is not a valid taggable resource type for this "
					  "operation.",
					  type);
		if (strcmp(type, resource))
			continue;
		if (*ret)
			return ec2_refuse(c, 400, "InvalidParameterValue",
					  "Duplicate tag specification for resource type '%s'",
					  resource);
		r = param_tags(c, prefix, true, ret, ret_n);
		if (r)
			return r;
		if (!*ret_n)
			return ec2_refuse(c, 400, "InvalidParameterValue",
					  "Tag specification must have at least one tag");
	}
	return 0;
}

/* The digest is over what was asked for, not over how: the form is sorted. */
int param_token(struct ec2_call *c, struct token_args *ret)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	_cleanup_buf_ struct buf all = {};
	unsigned int size = 0;
	int r;

	*ret = (struct token_args){.token = form_find(c->form, "ClientToken")};
	if (!ret->token)
		return 0;
	buf_init(&all, LIMIT_API_ARENA_SIZE);
	for (size_t i = 0; i < c->form->n; i++) {
		const struct form_param *p = &c->form->params[i];

		if (is_of_protocol(p->name) || !strcmp(p->name, "ClientToken"))
			continue;
		buf_put(&all, p->name, strlen(p->name) + 1);
		buf_put(&all, p->value, strlen(p->value) + 1);
	}
	r = buf_error(&all);
	if (r)
		return r;
	if (!EVP_Digest(buf_size(&all) ? (const void *)buf_data(&all) : "", buf_size(&all), digest,
			&size, EVP_sha256(), NULL))
		return -ENOMEM;
	memcpy(ret->digest, digest, sizeof(ret->digest));
	return 0;
}
