/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy for the choices of hosts, as JSON: what is taken is shown and can be deleted, and what
 * two hosts wish after it is among what both have and policies leave.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/api/fixture.h"
#include "model/host.h"
#include "model/pair.h"

enum { RUNS_PER_MODEL = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *call(struct fixture *f, const char *method, const char *path, const char *query,
		    const char *body, int *ret_status)
{
	struct api_answer answer;
	json_t *o;

	fixture_operator(f, method, path, query, body, &answer);
	o = json_loads(answer_text(&answer), 0, NULL);
	*ret_status = answer.status;
	if (!o || answer_is_fault(&answer))
		abort();
	api_answer_deinit(&answer);
	return o;
}

static void check_wishes(const struct fixture *f)
{
	const struct host *a = host_by_number(f->model, 1), *b = host_by_number(f->model, 2);
	struct wish out, in;

	if (!a || !b)
		abort();
	pair_wish(f->model, a, b, &pair_all, &out);
	pair_wish(f->model, b, a, &pair_all, &in);
	if (!*out.reason || !*in.reason)
		abort();
	/* what is used is among what is permitted */
	if ((out.send != FORMAT_NONE && !(out.permitted_formats & FORMAT_BIT(out.send))) ||
	    (out.features & ~out.permitted_features))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fixture f;
	static unsigned int n_runs;
	char path[128];
	char *text;
	json_t *o;
	int status;

	if (n_runs++ % RUNS_PER_MODEL == 0) {
		if (n_runs > 1)
			fixture_deinit(&f);
		fixture_init(&f, false);
	}
	text = strndup((const char *)data, size);
	json_decref(call(&f, "POST", "/v1/policies", "dry-run=true", text, &status));
	o = call(&f, "POST", "/v1/policies", NULL, text, &status);
	free(text);
	check_wishes(&f);
	if (status < 300) {
		snprintf(path, sizeof(path), "/v1/policies/%s",
			 json_string_value(json_object_get(json_object_get(o, "policy"), "id")));
		json_decref(call(&f, "GET", path, NULL, NULL, &status));
		if (status != 200)
			abort();
		json_decref(call(&f, "DELETE", path, NULL, NULL, &status));
		if (status != 200)
			abort();
	}
	json_decref(o);
	return 0;
}
