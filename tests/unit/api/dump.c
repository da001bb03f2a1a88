/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the API's tables as JSON, for the documentation and the tests that compare the two:
 *	api_dump routes|actions
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "api/action.h"
#include "api/route.h"

static json_t *dump_routes(void)
{
	json_t *list = json_array();
	const struct route *table;
	size_t n;

	table = routes(&n);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list,
				      json_pack("{s:s,s:s,s:b,s:b,s:s,s:s,s:s}", "method",
						table[i].method, "path", table[i].path,
						"for_accounts", table[i].for_accounts, "writes",
						table[i].writes, "query", table[i].query, "fields",
						table[i].fields, "text", table[i].text));
	return list;
}

static json_t *dump_params(const struct action *a)
{
	static const char *const types[] = {"text", "boolean", "number", "number"};
	static const char *const needs[] = {"optional", "required", "ignored", "unsupported"};
	json_t *list = json_array();

	for (size_t i = 0; i < a->n_params; i++)
		json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "name", a->params[i].pattern,
						      "type", types[a->params[i].type], "need",
						      needs[a->params[i].need]));
	return list;
}

static json_t *dump_actions(void)
{
	static const char *const effects[] = {"reads", "writes", "refuses"};
	json_t *list = json_array();
	const struct action *table;
	size_t n;

	table = actions(&n);
	for (size_t i = 0; i < n; i++) {
		json_t *filters = json_array();

		for (const struct filter *f = table[i].filters; f && f->name; f++)
			json_array_append_new(filters, json_string(f->name));
		json_array_append_new(list,
				      json_pack("{s:s,s:s,s:s,s:s?,s:o,s:o}", "name", table[i].name,
						"effect", effects[table[i].effect], "group",
						table[i].group, "text", table[i].text, "params",
						dump_params(&table[i]), "filters", filters));
	}
	return list;
}

int main(int argc, char **argv)
{
	bool of_actions = argc == 2 && !strcmp(argv[1], "actions");
	json_t *list = of_actions ? dump_actions() : dump_routes();
	int r = json_dumpf(list, stdout, JSON_INDENT(1));

	json_decref(list);
	return r ? 1 : 0;
}
