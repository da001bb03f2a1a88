/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of what hosts can do.  See capability.h.
 */
#include "model/capability.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/ability.h"
#include "model/host.h"

/* Of the kernel: confirmed by probes, but nothing that two hosts agree upon. */
static const struct {
	const char *name;
	size_t offset; /* of the flag */
} kernel_features[] = {
	{"tcx", offsetof(struct capabilities, tcx)},
	{"tap-uso", offsetof(struct capabilities, tap_uso)},
};

static bool has_feature(const struct host *h, size_t i)
{
	return *(const bool *)(const void *)((const char *)&h->can + kernel_features[i].offset);
}

static bool is(const char *known, const char *name, size_t length)
{
	return !strncmp(known, name, length) && !known[length];
}

static bool has_label(const struct host *h, const char *name, size_t length)
{
	for (size_t i = 0; i < h->o.n_tags; i++) {
		const struct tag *t = &h->o.tags[i];
		size_t key = strlen(t->key);

		if (key > length || strncmp(t->key, name, key))
			continue;
		if (key == length ||
		    (name[key] == '=' && is(t->value, name + key + 1, length - key - 1)))
			return true;
	}
	return false;
}

bool capability_has(const struct host *h, const char *name, size_t length)
{
	uint32_t formats, features;
	struct ability a;
	char text[64];

	if (!str_format(text, sizeof(text), "%.*s", (int)length, name) &&
	    !ability_parse(text, &formats, &features)) {
		a = ability_of(h);
		return (ability_usable(&a) & formats) || (a.features & features);
	}
	for (size_t i = 0; i < ARRAY_SIZE(kernel_features); i++)
		if (is(kernel_features[i].name, name, length))
			return has_feature(h, i);
	return has_label(h, name, length);
}

bool capability_next(const char **list, const char **ret_name, size_t *ret_length)
{
	const char *s = *list + strspn(*list, ", \t");
	size_t length = strcspn(s, ",");

	*list = s + length;
	while (length && (s[length - 1] == ' ' || s[length - 1] == '\t'))
		length--;
	if (!length)
		return false;
	*ret_name = s;
	*ret_length = length;
	return true;
}

const char *capability_lacking(const struct host *h, const char *list, size_t *ret_length)
{
	const char *name;

	while (list && capability_next(&list, &name, ret_length))
		if (!capability_has(h, name, *ret_length))
			return name;
	return NULL;
}

void capability_each(const struct host *h, void (*tell)(void *data, const char *name), void *data)
{
	/* a key and a value have as many characters, of up to four bytes */
	struct ability a = ability_of(h);
	char label[4 * (LIMIT_MODEL_TAG_KEY + LIMIT_MODEL_TAG_VALUE) + 2];

	for (enum format f = FORMAT_NONE + 1; f < FORMAT_MAX; f++)
		if (ability_usable(&a) & FORMAT_BIT(f))
			tell(data, format_name(f));
	for (enum feature f = 0; f < FEATURE_MAX; f++)
		if (a.features & FEATURE_BIT(f))
			tell(data, feature_name(f));
	for (size_t i = 0; i < ARRAY_SIZE(kernel_features); i++)
		if (has_feature(h, i))
			tell(data, kernel_features[i].name);
	for (size_t i = 0; i < h->o.n_tags; i++) {
		snprintf(label, sizeof(label), "%s=%s", h->o.tags[i].key, h->o.tags[i].value);
		tell(data, label);
	}
}
