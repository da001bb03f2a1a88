/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/request.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "ctl/complain.h"
#include "ctl/locate.h"

int request_send(const struct invocation *inv, const char *method, const char *prefix,
		 const char *word, const char *suffix, const json_t *body, json_t **ret)
{
	_cleanup_(client_free_cleanup) struct client *c = NULL;
	_cleanup_free_ char *escaped = NULL, *path = NULL;
	struct client_error error;
	int r;

	/* nothing has an empty name, and the path would mean something else */
	if (!*word && *prefix && prefix[strlen(prefix) - 1] == '/')
		return complain_usage("%s is empty", inv->command->arguments);
	r = locate_manager(inv, &c);
	if (r)
		return r;
	escaped = client_escape(c, word);
	if (!escaped || str_printf(&path, "%s%s%s", prefix, escaped, suffix))
		return complain_memory();
	r = client_request(c, method, path, body, ret, &error);
	if (r)
		return complain(r, "%s", error.text);
	/* Nothing is said about what went well, but a script reads an object. */
	return ret ? 0 : request_print_done(inv);
}

int request_print_json(const json_t *answer)
{
	if (json_dumpf(answer, stdout, JSON_INDENT(2)))
		return complain(-EIO, "the output could not be written");
	putchar('\n');
	return 0;
}

int request_print_done(const struct invocation *inv)
{
	_cleanup_json_ json_t *nothing = json_object();

	if (!invocation_option(inv, "json"))
		return 0;
	return nothing ? request_print_json(nothing) : complain_memory();
}

int request_print_object(const struct invocation *inv, const json_t *answer,
			 const struct table_column *columns, size_t n)
{
	if (invocation_option(inv, "json"))
		return request_print_json(answer);
	return table_print_object(stdout, answer, columns, n) ? complain_memory() : 0;
}

int request_print_list(const struct invocation *inv, const char *path, const char *key,
		       const struct table_column *columns, size_t n)
{
	_cleanup_(client_free_cleanup) struct client *c = NULL;
	_cleanup_json_ json_t *answer = NULL;
	struct client_error error;
	int r = locate_manager(inv, &c);

	if (r)
		return r;
	r = client_list(c, path, key, &answer, &error);
	if (r)
		return complain(r, "%s", error.text);
	if (invocation_option(inv, "json"))
		return request_print_json(answer);
	return table_print(stdout, json_object_get(answer, key), columns, n) ? complain_memory()
									     : 0;
}

int request_set_text(json_t *body, const char *key, const char *value)
{
	return value && json_object_set_new(body, key, json_string(value)) ? complain_memory() : 0;
}

/* The member of the body that an option stands for. */
static int set_member(json_t *body, const char *option, json_t *value)
{
	char key[32];

	if (str_copy(key, sizeof(key), option)) {
		json_decref(value);
		return complain_memory();
	}
	for (char *at = key; *at; at++)
		*at = *at == '-' ? '_' : *at;
	return json_object_set_new(body, key, value) ? complain_memory() : 0;
}

int request_set_number(const struct invocation *inv, json_t *body, const char *key)
{
	const char *text = invocation_option(inv, key);
	uint32_t value;

	if (!text)
		return 0;
	if (str_u32(text, 0, UINT32_MAX, &value))
		return complain_usage("--%s %s: it is a number, 0 to %u", key, text, UINT32_MAX);
	return set_member(body, key, json_integer(value));
}

int request_set_flag(const struct invocation *inv, json_t *body, const char *key)
{
	return invocation_option(inv, key) ? set_member(body, key, json_true()) : 0;
}

int request_set_labels(const struct invocation *inv, json_t *body)
{
	json_t *labels = json_object();
	const char *text;
	size_t at = 0;

	if (json_object_set_new(body, "labels", labels))
		return complain_memory();
	while ((text = invocation_next(inv, "label", &at))) {
		const char *equals = strchr(text, '=');

		if (!equals || equals == text)
			return complain_usage("--label %s: it is KEY=VALUE", text);
		if (json_object_setn_new(labels, text, (size_t)(equals - text),
					 json_string(equals + 1)))
			return complain_memory();
	}
	return 0;
}

int request_set_names(const struct invocation *inv, json_t *body, const char *key)
{
	json_t *names;
	const char *text;
	size_t at = 0;

	if (!invocation_option(inv, key))
		return 0;
	names = json_array();
	if (json_object_set_new(body, key, names))
		return complain_memory();
	while ((text = invocation_next(inv, key, &at)))
		if (json_array_append_new(names, json_string(text)))
			return complain_memory();
	return 0;
}
