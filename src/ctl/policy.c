/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/policy.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "ctl/complain.h"
#include "ctl/request.h"
#include "ctl/table.h"

#define PATH "/v1/policies"

static const struct table_column list_columns[] = {
	{"NAME", "name"},     {"ID", "id"},       {"ACCOUNT", "account"},
	{"EFFECT", "effect"}, {"WHAT", "what"},   {"RATE", "rate"},
	{"NOTIFY", "notify"}, {"MATCH", "match"}, {"STATE", "state"},
};
static const struct table_column change_columns[] = {
	{"FROM", "from"},           {"TO", "to"},
	{"NETWORK", "network"},     {"PEER NETWORK", "peer_network"},
	{"INTERFACE", "interface"}, {"PEER INTERFACE", "peer_interface"},
	{"SENDS", "before.send"},   {"FEATURES", "before.features"},
	{"THEN", "after.send"},     {"THEN FEATURES", "after.features"},
	{"WHY NOTHING", "reason"},
};

static int read_file(const struct invocation *inv, json_t **ret)
{
	const char *path = invocation_option(inv, "file");
	json_error_t error;

	if (!path)
		return complain_usage(
			"name the file with the policy by --file FILE (\"-\": standard input)");
	*ret = str_equal(path, "-") ? json_loadf(stdin, JSON_REJECT_DUPLICATES, &error)
				    : json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (*ret)
		return 0;
	if (error.line < 0) /* it could not be opened, and the text names it */
		return complain(-EINVAL, "%s", error.text);
	return complain(-EINVAL,
			"%s: %s (line %d); docs/policy.schema.json says what belongs there",
			str_equal(path, "-") ? "standard input" : path, error.text, error.line);
}

/* The policy is made all the same; what it takes away is said where a script does not read it as
 * the answer. */
static void warn(const json_t *answer)
{
	const char *text = json_string_value(json_object_get(answer, "warning"));

	if (text)
		(void)complain(0, "warning: %s", text);
}

static int print_changes(const struct invocation *inv, const json_t *answer)
{
	const json_t *changes = json_object_get(answer, "changes");
	json_int_t total = json_integer_value(json_object_get(answer, "total"));

	if (invocation_option(inv, "json"))
		return request_print_json(answer);
	warn(answer);
	if (!total) {
		puts("No pair would get another choice.");
		return 0;
	}
	if (table_print(stdout, changes, change_columns, ARRAY_SIZE(change_columns)))
		return complain_memory();
	if ((json_int_t)json_array_size(changes) < total)
		printf("and %lld more\n",
		       (long long)(total - (json_int_t)json_array_size(changes)));
	return 0;
}

static int run_list(const struct invocation *inv)
{
	return request_print_list(inv, PATH, "policies", list_columns, ARRAY_SIZE(list_columns));
}

static int run_show(const struct invocation *inv)
{
	_cleanup_json_ json_t *answer = NULL;
	int r = request_send(inv, "GET", PATH "/", inv->arguments[0], "", NULL, &answer);

	return r ? r : request_print_json(json_object_get(answer, "policy"));
}

/* Sends a change, of no policy yet where that is NULL; or prints what it would lead to. */
static int change(const struct invocation *inv, const char *method, const char *policy,
		  const json_t *body, bool dry)
{
	_cleanup_json_ json_t *answer = NULL;
	const json_t *answered;
	int r = request_send(inv, method, policy ? PATH "/" : PATH, policy ? policy : "",
			     dry ? "?dry-run=true" : "", body, &answer);

	if (r)
		return r;
	if (dry)
		return print_changes(inv, answer);
	warn(answer);
	answered = json_object_get(answer, "policy");
	return answered ? request_print_json(answered) : request_print_done(inv);
}

static int run_change(const struct invocation *inv, const char *method, const char *policy,
		      bool dry)
{
	_cleanup_json_ json_t *body = NULL;
	int r = read_file(inv, &body);

	return r ? r : change(inv, method, policy, body, dry);
}

static int run_create(const struct invocation *inv)
{
	return run_change(inv, "POST", NULL, invocation_option(inv, "dry-run"));
}

static int run_replace(const struct invocation *inv)
{
	return run_change(inv, "PUT", inv->arguments[0], invocation_option(inv, "dry-run"));
}

static int run_delete(const struct invocation *inv)
{
	return change(inv, "DELETE", inv->arguments[0], NULL, invocation_option(inv, "dry-run"));
}

static int run_check(const struct invocation *inv)
{
	return run_change(inv, "POST", NULL, true);
}

static int run_progress(const struct invocation *inv)
{
	_cleanup_json_ json_t *answer = NULL;
	const json_t *progress;
	int r = request_send(inv, "GET", "/v1/status", "", "", NULL, &answer);

	if (r)
		return r;
	progress = json_object_get(answer, "policies");
	if (invocation_option(inv, "json"))
		return request_print_json(progress);
	printf("%s: applied to %lld of %lld directions between hosts\n",
	       json_string_value(json_object_get(progress, "state")),
	       (long long)json_integer_value(json_object_get(progress, "applied")),
	       (long long)json_integer_value(json_object_get(progress, "directions")));
	return 0;
}

#define DRY_RUN                                                                                    \
	{                                                                                          \
		"dry-run", NULL, "changes nothing, and says what would change", false              \
	}
static const struct command_option file_options[] = {
	{"file", "FILE", "with the policy as JSON; -: standard input", false},
	DRY_RUN,
};
static const struct command_option check_options[] = {
	{"file", "FILE", "with the policy as JSON; -: standard input", false},
};
static const struct command_option delete_options[] = {DRY_RUN};
#define OPTIONS(o) .options = (o), .n_options = ARRAY_SIZE(o)

static const struct command commands[] = {
	{"list", "the policies", .run = run_list},
	{"progress", "to how many pairs of hosts policies have been applied", .run = run_progress},
	{"show", "one of them, by name or id", .arguments = "POLICY", .min_arguments = 1,
	 .max_arguments = 1, .run = run_show},
	{"create", "makes one", OPTIONS(file_options), .run = run_create},
	{"replace", "puts another in its place", .arguments = "POLICY", .min_arguments = 1,
	 .max_arguments = 1, OPTIONS(file_options), .run = run_replace},
	{"delete", "deletes one", .arguments = "POLICY", .min_arguments = 1, .max_arguments = 1,
	 OPTIONS(delete_options), .run = run_delete},
	{"check", "says which pairs would get which other choice by a new one",
	 OPTIONS(check_options), .run = run_check},
};

const struct command policy_command = {
	.word = "policy",
	.help = "what hosts may, must or prefer to use between them",
	.children = commands,
	.n_children = ARRAY_SIZE(commands),
};
