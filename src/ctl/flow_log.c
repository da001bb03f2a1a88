/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/flow_log.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "ctl/client.h"
#include "ctl/complain.h"
#include "ctl/locate.h"
#include "ctl/request.h"

/* The names of the fields, once, and then the lines. */
static void print_words(json_t *words, const char *between)
{
	json_t *word;
	size_t i;

	json_array_foreach (words, i, word)
		printf("%s%s", i ? between : "", json_string_value(word));
	if (json_array_size(words))
		putchar('\n');
}

/* Adds the records of an answer to '*whole', with --json, or prints them. */
static int take_answer(const json_t *answer, json_t **whole)
{
	json_t *records = json_object_get(answer, "records");

	if (whole && !*whole)
		*whole = json_pack("{s:O,s:[]}", "fields", json_object_get(answer, "fields"),
				   "records");
	if (whole)
		return *whole && !json_array_extend(json_object_get(*whole, "records"), records)
			       ? 0
			       : complain_memory();
	print_words(records, "\n");
	return 0;
}

/* One answer: '*ret_next' is where the next goes on, the caller's; NULL: there was nothing more. */
static int print_some(struct client *c, const char *id, const char *after, bool first,
		      json_t **whole, char **ret_next)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_json_ json_t *answer = NULL;
	struct client_error error;
	int r;

	if (str_printf(&path, "/v1/flow-logs/%s/records?after=%s", id, after))
		return complain_memory();
	r = client_request(c, "GET", path, NULL, &answer, &error);
	if (r)
		return complain(r, "%s", error.text);
	if (first && !whole)
		print_words(json_object_get(answer, "fields"), " ");
	r = take_answer(answer, whole);
	if (r)
		return r;
	*ret_next = NULL;
	if (!json_array_size(json_object_get(answer, "records")))
		return 0;
	*ret_next = strdup(json_string_value(json_object_get(answer, "next")) ?: "");
	return *ret_next ? 0 : complain_memory();
}

static int run_flow_log(const struct invocation *inv)
{
	_cleanup_(client_free_cleanup) struct client *c = NULL;
	const bool as_json = invocation_option(inv, "json");
	_cleanup_json_ json_t *whole = NULL;
	const char *id = inv->arguments[0];
	char *after, *next = NULL;
	bool first = true;
	int r;

	if (!*id || strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(id))
		return complain_usage("\"%s\" is no flow log (\"viaduct flow-logs\")", id);
	after = strdup("0");
	r = after ? locate_manager(inv, &c) : complain_memory();
	while (!r && after) {
		r = print_some(c, id, after, first, as_json ? &whole : NULL, &next);
		first = false;
		free(after);
		after = r ? NULL : next;
	}
	free(after);
	return r || !whole ? r : request_print_json(whole);
}

const struct command flow_log_command = {
	"flow-log",         "the records of a flow log, oldest first",
	.arguments = "ID",  .min_arguments = 1,
	.max_arguments = 1, .run = run_flow_log,
};
