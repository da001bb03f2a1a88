/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request of an operator, "METHOD PATH?QUERY" on the first line and then the body: the answer
 * must be JSON and never an internal error.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/api/fixture.h"

enum { RUNS_PER_MODEL = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fixture f;
	static unsigned int n_runs;
	char *text, *target, *query, *body;
	struct api_answer answer;
	json_t *o;

	if (n_runs++ % RUNS_PER_MODEL == 0) {
		if (n_runs > 1)
			fixture_deinit(&f);
		fixture_init(&f, false);
	}
	text = strndup((const char *)data, size);
	body = strchr(text, '\n');
	if (body)
		*body++ = '\0';
	target = strchr(text, ' ');
	if (target)
		*target++ = '\0';
	query = target ? strchr(target, '?') : NULL;
	if (query)
		*query++ = '\0';
	fixture_operator(&f, text, target ? target : "/v1/status", query, body, &answer);
	free(text);
	/* Paths elsewhere belong to the other API; metrics are text. */
	if (answer.protocol == API_JSON && !strcmp(answer.content_type, "application/json")) {
		o = json_loads(answer_text(&answer), 0, NULL);
		if (!o || answer_is_fault(&answer))
			abort();
		json_decref(o);
	}
	api_answer_deinit(&answer);
	return 0;
}
