/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/place.h"

#include "base/str.h"
#include "ctl/complain.h"
#include "ctl/request.h"

/* ---- hosts ---- */

const struct command_option place_host_options[PLACE_HOST_OPTIONS] = {
	PLACE_ROOM_OPTIONS,
	{"aliases", "PREFIX", "IPv4 that is routed to it, /16 to /28; none: it has none", false},
	{"label", "KEY=VALUE", "for policies and placement: these and no others", true},
	{"no-labels", NULL, "takes the labels away", false},
};

static const struct table_column room_columns[] = {
	{"name", "host.name"},        {"memory", "host.room.memory"},
	{"vcpus", "host.room.vcpus"}, {"bandwidth", "host.room.bandwidth"},
	{"disk", "host.room.disk"},   {"ports", "host.room.ports"},
	{"cost", "host.cost"},        {"aliases", "host.aliases"},
	{"labels", "host.labels"},
};

int place_set_room(const struct invocation *inv, json_t *body)
{
	static const char *const numbers[] = {"memory", "vcpus", "bandwidth",
					      "disk",   "ports", "cost"};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(numbers) && !r; i++)
		r = request_set_number(inv, body, numbers[i]);
	return r;
}

int place_run_host_set(const struct invocation *inv)
{
	_cleanup_json_ json_t *body = json_object(), *answer = NULL;
	const char *aliases = invocation_option(inv, "aliases");
	int r = place_set_room(inv, body);

	if (!r && aliases)
		r = request_set_text(body, "aliases", str_equal(aliases, "none") ? "" : aliases);
	if (!r && (invocation_option(inv, "label") || invocation_option(inv, "no-labels")))
		r = request_set_labels(inv, body);
	if (!r)
		r = request_send(inv, "PUT", "/v1/hosts/", inv->arguments[0], "", body, &answer);
	return r ? r : request_print_object(inv, answer, room_columns, ARRAY_SIZE(room_columns));
}

/* ---- nodes ---- */

static const struct command_option place_options[] = {
	{"dry-run", NULL, "says where, and why not elsewhere, and starts nothing", false},
	{"subnet", "ID", "that it is in; of its account, in its zone", false},
	{"account", "ID", "instead of --subnet, in a dry run", false},
	{"zone", "ZONE", "likewise", false},
	{"type", "TYPE", "of the instance (default: m1.small)", false},
	{"count", "N", "as many (default: 1)", false},
	{"require", "NAME", "a capability that its host has to have: siit/2, crypt, KEY=VALUE",
	 true},
	{"desire", "NAME", "one that it should have", true},
	{"near", "ID|NAME", "an instance, or hosts with that capability, to be near to", true},
	{"max-cost", "N", "of its host", false},
	{"strategy", "STRATEGY", "least-loaded or round-robin (default: the cluster's)", false},
	{"group", "NAME", "a placement group of the account", false},
	{"partition", "N", "of the group (default: the one with the fewest)", false},
	{"host", "HOST", "no other", false},
};

static const struct table_column verdict_columns[] = {
	{"HOST", "host"},         {"VERDICT", "verdict"}, {"DESIRED", "has_desired"},
	{"DISTANCE", "distance"}, {"COST", "cost"},       {"IN RACK", "in_rack"},
	{"LOAD", "load"},         {"WHY", "text"},
};
static const struct table_column started_columns[] = {
	{"ID", "id"},
	{"STATE", "state"},
	{"HOST", "host"},
	{"ADDRESS", "private_address"},
};

static int set_max_cost(const struct invocation *inv, json_t *body)
{
	const char *text = invocation_option(inv, "max-cost");
	uint32_t value;

	if (!text)
		return 0;
	if (str_u32(text, 0, UINT32_MAX, &value))
		return complain_usage("--max-cost %s: it is a number, 0 to %u", text, UINT32_MAX);
	return json_object_set_new(body, "max_cost", json_integer(value)) ? complain_memory() : 0;
}

static int set_wishes(const struct invocation *inv, json_t *body)
{
	static const char *const texts[] = {"subnet",   "account", "zone", "type",
					    "strategy", "group",   "host"};
	static const char *const lists[] = {"require", "desire", "near"};
	int r = set_max_cost(inv, body);

	for (size_t i = 0; i < ARRAY_SIZE(texts) && !r; i++)
		r = request_set_text(body, texts[i], invocation_option(inv, texts[i]));
	for (size_t i = 0; i < ARRAY_SIZE(lists) && !r; i++)
		r = request_set_names(inv, body, lists[i]);
	if (!r)
		r = request_set_number(inv, body, "count");
	return r ? r : request_set_number(inv, body, "partition");
}

/* The hosts as a table; 1 when there is none for it, with the reason. */
static int print_placement(const struct invocation *inv, const json_t *answer)
{
	const json_t *error = table_value(answer, "placement.error");
	int r;

	if (invocation_option(inv, "json"))
		r = request_print_json(answer);
	else
		r = table_print(stdout, table_value(answer, "placement.hosts"), verdict_columns,
				ARRAY_SIZE(verdict_columns))
			    ? complain_memory()
			    : 0;
	if (r || !json_is_string(error))
		return r;
	complain(0, "%s", json_string_value(error));
	return 1;
}

static int print_started(const struct invocation *inv, const json_t *answer)
{
	if (invocation_option(inv, "json"))
		return request_print_json(answer);
	return table_print(stdout, json_object_get(answer, "instances"), started_columns,
			   ARRAY_SIZE(started_columns))
		       ? complain_memory()
		       : 0;
}

static int run_place(const struct invocation *inv)
{
	_cleanup_json_ json_t *body = json_object(), *answer = NULL;
	bool dry = invocation_option(inv, "dry-run");
	int r = set_wishes(inv, body);

	if (!r && !dry && (!invocation_option(inv, "subnet") || invocation_option(inv, "account")))
		return complain_usage("an instance is started in a subnet: --subnet ID, without "
				      "--account (\"viaduct subnets\")");
	if (!r)
		r = request_send(inv, "POST", dry ? "/v1/placement" : "/v1/instances", "", "", body,
				 &answer);
	if (r)
		return r;
	return dry ? print_placement(inv, answer) : print_started(inv, answer);
}

const struct command place_command = {
	.word = "place",
	.help = "start an instance, or say on which host it would be and why",
	.options = place_options,
	.n_options = ARRAY_SIZE(place_options),
	.run = run_place,
};

/* ---- settings ---- */

static const struct command_option settings_options[] = {
	{"placement", "STRATEGY", "least-loaded or round-robin", false},
};
static const struct table_column settings_columns[] = {
	{"placement", "settings.placement"},
};

static int run_settings(const struct invocation *inv)
{
	const char *placement = invocation_option(inv, "placement");
	_cleanup_json_ json_t *body = json_object(), *answer = NULL;
	int r = request_set_text(body, "placement", placement);

	if (!r)
		r = request_send(inv, placement ? "PUT" : "GET", "/v1/settings", "", "",
				 placement ? body : NULL, &answer);
	return r ? r
		 : request_print_object(inv, answer, settings_columns,
					ARRAY_SIZE(settings_columns));
}

const struct command place_settings_command = {
	.word = "settings",
	.help = "shows what is set for the whole cluster, and changes it",
	.options = settings_options,
	.n_options = ARRAY_SIZE(settings_options),
	.run = run_settings,
};
