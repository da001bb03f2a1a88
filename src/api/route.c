/* SPDX-License-Identifier: Apache-2.0 */
/* The table of routes, and what handlers share: queries, bodies, building JSON. */
#include "api/route.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/call.h"
#include "api/route_handlers.h"
#include "api/xml.h"
#include "model/host.h"
#include "model/ability.h"

enum { OPERATORS = 0, ACCOUNTS = 1, READS = 0, WRITES = 1 };

static const struct route table[] = {
#define ROUTE(method_, path_, handler_, who_, effect_, query_, fields_, text_)                     \
	{                                                                                          \
		.method = method_,                                                                 \
		.path = path_,                                                                     \
		.handle = handler_,                                                                \
		.for_accounts = who_,                                                              \
		.writes = effect_,                                                                 \
		.query = query_,                                                                   \
		.fields = fields_,                                                                 \
		.text = text_,                                                                     \
	},
#include "api/routes.def"
#undef ROUTE
};

const struct route *routes(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(table);
	return table;
}

int route_refuse(struct route_call *c, int status, const char *code, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	c->refused_status = status;
	c->code = code;
	c->message = arena_strdup(c->arena, text);
	return c->message ? ROUTE_REFUSED : -ENOMEM;
}

const char *route_query(const struct route_call *c, const char *name)
{
	return form_find(&c->query, name);
}

int route_text(struct route_call *c, const char *name, bool required, const char **ret)
{
	json_t *v = json_object_get(c->body, name);
	const char *text = json_string_value(v);

	*ret = NULL;
	if (v && !json_is_null(v) && !text)
		return route_refuse(c, 400, "BadRequest", "'%s' must be a string", name);
	if (text &&
	    (strlen(text) != json_string_length(v) || !form_text_is_valid(text, strlen(text))))
		return route_refuse(c, 400, "BadRequest", "'%s' has control characters", name);
	if (required && (!text || !*text))
		return route_refuse(c, 400, "BadRequest", "'%s' must be given", name);
	*ret = text;
	return 0;
}

int route_u32(struct route_call *c, const char *name, const uint32_t **ret)
{
	json_t *v = json_object_get(c->body, name);
	uint32_t *number;

	*ret = NULL;
	if (!v || json_is_null(v))
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > UINT32_MAX)
		return route_refuse(c, 400, "BadRequest", "'%s' must be a number, 0 to %u", name,
				    UINT32_MAX);
	number = arena_alloc(c->arena, sizeof(*number));
	if (!number)
		return -ENOMEM;
	*number = (uint32_t)json_integer_value(v);
	*ret = number;
	return 0;
}

int route_bool(struct route_call *c, const char *name, const bool **ret)
{
	static const bool values[] = {false, true};
	json_t *v = json_object_get(c->body, name);

	*ret = NULL;
	if (!v || json_is_null(v))
		return 0;
	if (!json_is_boolean(v))
		return route_refuse(c, 400, "BadRequest", "'%s' must be true or false", name);
	*ret = &values[json_is_true(v)];
	return 0;
}

int route_tags(struct route_call *c, const char *name, const struct tag_args **ret, size_t *ret_n)
{
	json_t *object = json_object_get(c->body, name), *value;
	struct tag_args *tags;
	const char *key;
	size_t n = 0;

	*ret = NULL;
	*ret_n = 0;
	if (!object || json_is_null(object))
		return 0;
	if (!json_is_object(object))
		return route_refuse(c, 400, "BadRequest", "'%s' must be an object of strings",
				    name);
	tags = arena_alloc_array(c->arena, json_object_size(object) + 1, sizeof(*tags));
	if (!tags)
		return -ENOMEM;
	json_object_foreach (object, key, value) {
		if (!json_is_string(value))
			return route_refuse(c, 400, "BadRequest",
					    "'%.100s' of '%s' must be a string", key, name);
		tags[n].key = key;
		tags[n++].value = json_string_value(value);
	}
	*ret = tags;
	*ret_n = n;
	return 0;
}

void json_put(struct route_call *c, json_t *o, const char *key, json_t *value)
{
	if (json_object_set_new(o, key, value))
		c->failed = true;
}

void json_put_text(struct route_call *c, json_t *o, const char *key, const char *value)
{
	json_put(c, o, key, value ? json_string(value) : json_null());
}

void json_put_u64(struct route_call *c, json_t *o, const char *key, uint64_t value)
{
	json_put(c, o, key, json_integer((json_int_t)value));
}

void json_put_bool(struct route_call *c, json_t *o, const char *key, bool value)
{
	json_put(c, o, key, json_boolean(value));
}

void json_put_id(struct route_call *c, json_t *o, const char *key, enum kind k, uint64_t id)
{
	char text[ID_TEXT_SIZE];

	json_put_text(c, o, key, id ? id_text(k, id, text) : NULL);
}

void json_put_addr(struct route_call *c, json_t *o, const char *key, const struct ipaddr *a)
{
	char text[IPADDR_TEXT_SIZE];

	json_put_text(c, o, key, ipaddr_is_zero(a) ? NULL : ipaddr_text(a, text));
}

void json_put_prefix(struct route_call *c, json_t *o, const char *key, const struct prefix *p)
{
	char text[PREFIX_TEXT_SIZE];

	json_put_text(c, o, key, p->len ? prefix_text(p, text) : NULL);
}

void json_put_time(struct route_call *c, json_t *o, const char *key, uint64_t ms)
{
	char text[XML_TIME_SIZE];

	json_put_text(c, o, key, ms ? xml_time_text(ms, text) : NULL);
}

void json_put_account(struct route_call *c, json_t *o, uint64_t account)
{
	char text[ACCOUNT_TEXT_SIZE];

	json_put_text(c, o, "account", account ? account_text(account, text) : NULL);
}

void json_put_identity(struct route_call *c, json_t *o, const struct object *object)
{
	json_put_id(c, o, "id", object->kind, object->id);
	json_put_account(c, o, object->account);
	json_put_u64(c, o, "revision", object->revision);
}

json_t *json_host(struct route_call *c, uint32_t number)
{
	const struct host *h = host_by_number(c->model, number);

	return h ? json_string(h->name) : json_null();
}

void json_put_host(struct route_call *c, json_t *o, const char *key, uint32_t number)
{
	const struct host *h = number ? host_by_number(c->model, number) : NULL;

	json_put_text(c, o, key, h ? h->name : NULL);
}

void json_put_tags(struct route_call *c, json_t *o, const char *key, const struct object *tagged)
{
	json_t *tags = json_new_object(c);

	for (size_t i = 0; i < tagged->n_tags; i++)
		json_put_text(c, tags, tagged->tags[i].key, tagged->tags[i].value);
	json_put(c, o, key, tags);
}

void json_put_formats(struct route_call *c, json_t *o, const char *key, uint32_t formats)
{
	json_t *list = json_new_array(c);

	for (unsigned int f = FORMAT_NONE + 1; f < FORMAT_MAX; f++)
		if (formats & FORMAT_BIT(f))
			json_append(c, list, json_string(format_name((enum format)f)));
	json_put(c, o, key, list);
}

void json_put_features(struct route_call *c, json_t *o, const char *key, uint32_t features)
{
	json_t *list = json_new_array(c);

	for (enum feature f = 0; f < FEATURE_MAX; f++)
		if (features & FEATURE_BIT(f))
			json_append(c, list, json_string(feature_name(f)));
	json_put(c, o, key, list);
}

json_t *json_new_object(struct route_call *c)
{
	json_t *o = json_object();

	if (!o)
		c->failed = true;
	return o;
}

json_t *json_new_array(struct route_call *c)
{
	json_t *a = json_array();

	if (!a)
		c->failed = true;
	return a;
}

void json_append(struct route_call *c, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value))
		c->failed = true;
}

bool route_query_is(const struct route_call *c, const char *name, enum kind k, uint64_t id)
{
	const char *wanted = route_query(c, name);
	char text[ID_TEXT_SIZE];

	return !wanted || (id && !strcmp(wanted, id_text(k, id, text)));
}

bool route_query_is_host(const struct route_call *c, const char *name, uint32_t number)
{
	const char *wanted = route_query(c, name);
	const struct host *h;

	if (!wanted)
		return true;
	h = host_find(c->model, wanted);
	return h && h->number == number;
}

int route_refuse_host(struct route_call *c, const char *id)
{
	return route_refuse(c, 404, "NotFound",
			    "There is no host '%.100s': \"viaduct hosts\" shows those there are",
			    id);
}

int route_check_host_query(struct route_call *c, const char *name)
{
	const char *id = route_query(c, name);

	return id && !host_find(c->model, id) ? route_refuse_host(c, id) : 0;
}
