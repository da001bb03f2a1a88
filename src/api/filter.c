/* SPDX-License-Identifier: Apache-2.0 */
#include "api/filter.h"

#include <stdio.h>
#include <string.h>

#include "api/param.h"
#include "base/str.h"
#include "model/tag.h"

/* Goes back to the last '*' only: the time is at most the product of the lengths, never more. */
bool filter_match(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	for (;;) {
		char p = *pattern;
		bool literal = p == '\\' && pattern[1];

		if (p == '*') {
			star = ++pattern;
			retry = text;
			continue;
		}
		if (!*text)
			return !p;
		if (literal)
			p = pattern[1];
		if (p && (p == *text || (p == '?' && !literal))) {
			bool wide = p == '?' && !literal && (*text & 0x80);

			pattern += literal ? 2 : 1;
			text++;
			while (wide && (*text & 0xc0) == 0x80)
				text++; /* the rest of one UTF-8 character */
			continue;
		}
		if (!star)
			return false;
		pattern = star;
		text = ++retry;
	}
}

void filter_text(struct filter_probe *p, const char *value)
{
	for (size_t i = 0; value && !p->hit && i < p->wanted->n_values; i++)
		p->hit = filter_match(p->wanted->values[i], value);
}

void filter_bool(struct filter_probe *p, bool value)
{
	filter_text(p, value ? "true" : "false");
}

void filter_u64(struct filter_probe *p, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	filter_text(p, text);
}

void filter_id(struct filter_probe *p, enum kind k, uint64_t id)
{
	char text[ID_TEXT_SIZE];

	if (id)
		filter_text(p, id_text(k, id, text));
}

void filter_addr(struct filter_probe *p, const struct ipaddr *a)
{
	char text[IPADDR_TEXT_SIZE];

	if (!ipaddr_is_zero(a))
		filter_text(p, ipaddr_text(a, text));
}

void filter_owner(struct filter_probe *p, uint64_t account)
{
	char text[ACCOUNT_TEXT_SIZE];

	filter_text(p, account_text(account, text));
}

void filter_time(struct filter_probe *p, uint64_t ms)
{
	char text[XML_TIME_SIZE];

	filter_text(p, xml_time_text(ms, text));
}

static int resolve(struct ec2_call *c, const struct filter *table, bool tags,
		   struct filter_wanted *w)
{
	for (; table->name; table++) {
		if (!strcmp(table->name, w->name)) {
			w->filter = table;
			return 0;
		}
	}
	if (tags && str_has_prefix(w->name, "tag:") && w->name[4]) {
		w->tag_key = w->name + 4;
		return 0;
	}
	if (tags && (!strcmp(w->name, "tag-key") || !strcmp(w->name, "tag-value")))
		return 0;
	return ec2_refuse(c, 400, "InvalidParameterValue", "The filter '%.200s' is invalid",
			  w->name);
}

int filter_parse(struct ec2_call *c, const struct filter *table, bool tags, struct filter_set *ret)
{
	struct filter_wanted *wanted;
	const uint32_t *indices;
	size_t n;
	int r;

	r = param_indices(c, "Filter", &indices, &n);
	if (r)
		return r;
	wanted = arena_alloc_array(c->arena, n + 1, sizeof(*wanted));
	if (!wanted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *name = param_name(c, "Filter.%u.Name", indices[i]);
		const char *values = param_name(c, "Filter.%u.Value", indices[i]);

		if (!name || !values)
			return -ENOMEM;
		wanted[i].name = form_find(c->form, name);
		if (!wanted[i].name)
			return ec2_refuse_missing(c, name);
		r = resolve(c, table, tags, &wanted[i]);
		if (!r)
			r = param_list(c, values, &wanted[i].values, &wanted[i].n_values);
		if (r)
			return r;
		if (!wanted[i].n_values)
			return ec2_refuse_missing(c, values);
	}
	*ret = (struct filter_set){.wanted = wanted, .n = n};
	return 0;
}

static void probe_tags(struct filter_probe *p, const struct object *o)
{
	const char *key = p->wanted->tag_key;
	bool by_key = !key && !strcmp(p->wanted->name, "tag-key");
	size_t n;
	const struct tag *tags = tags_of(&p->call->caller, o, &n);

	for (size_t i = 0; i < n; i++)
		if (!key || !strcmp(key, tags[i].key))
			filter_text(p, by_key ? tags[i].key : tags[i].value);
}

bool filter_passes(const struct ec2_call *c, const struct filter_set *s, const void *item,
		   const struct object *o)
{
	for (size_t i = 0; i < s->n; i++) {
		struct filter_probe p = {.call = c, .wanted = &s->wanted[i]};

		if (p.wanted->filter)
			p.wanted->filter->values(&p, item);
		else
			probe_tags(&p, o);
		if (!p.hit)
			return false;
	}
	return true;
}

const char *filter_exact(const struct filter_set *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->wanted[i].name, name) && s->wanted[i].n_values == 1 &&
		    !strpbrk(s->wanted[i].values[0], "*?\\"))
			return s->wanted[i].values[0];
	return NULL;
}
