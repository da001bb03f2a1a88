/* SPDX-License-Identifier: Apache-2.0 */
/* What networks and subnets have that EC2 does not: see network.h. */
#include "ctl/network.h"

#include "base/str.h"
#include "ctl/complain.h"
#include "ctl/request.h"
#include "ctl/table.h"

/* Sets what 'body' says of the network or subnet that is named first, and prints it. */
static int put(const struct invocation *inv, const char *path, const json_t *body,
	       const struct table_column *columns, size_t n)
{
	_cleanup_json_ json_t *answer = NULL;
	int r = request_send(inv, "PUT", path, inv->arguments[0], "", body, &answer);

	return r ? r : request_print_object(inv, answer, columns, n);
}

static const struct table_column preload_columns[] = {
	{"id", "network.id"},
	{"vni", "network.vni"},
	{"preloaded", "network.preloaded"},
};

static int run_preload(const struct invocation *inv)
{
	bool preloaded = !invocation_option(inv, "off");
	_cleanup_json_ json_t *body = json_object();

	if (!body || json_object_set_new(body, "preloaded", json_boolean(preloaded)))
		return complain_memory();
	return put(inv, "/v1/networks/", body, preload_columns, ARRAY_SIZE(preload_columns));
}

static const struct table_column environment_columns[] = {
	{"id", "network.id"},
	{"account", "network.account"},
	{"environment", "network.environment"},
	{"fixed", "network.environment_fixed"},
};

static int run_environment(const struct invocation *inv)
{
	_cleanup_json_ json_t *body = json_object();
	int r = request_set_text(body, "environment",
				 inv->n_arguments > 1 ? inv->arguments[1] : "");

	return r ? r
		 : put(inv, "/v1/networks/", body, environment_columns,
		       ARRAY_SIZE(environment_columns));
}

static const struct table_column unknown_macs_columns[] = {
	{"id", "network.id"},
	{"vni", "network.vni"},
	{"unknown MACs", "network.unknown_macs"},
};

static int run_unknown_macs(const struct invocation *inv)
{
	_cleanup_json_ json_t *body = json_object();
	int r = request_set_text(body, "unknown_macs", inv->arguments[1]);

	return r ? r
		 : put(inv, "/v1/networks/", body, unknown_macs_columns,
		       ARRAY_SIZE(unknown_macs_columns));
}

static const struct table_column router_columns[] = {
	{"id", "subnet.id"},
	{"cidr", "subnet.cidr"},
	{"router", "subnet.router"},
	{"free", "subnet.available"},
};

static int run_router(const struct invocation *inv)
{
	_cleanup_json_ json_t *body = json_object();
	int r = request_set_text(body, "router", inv->n_arguments > 1 ? inv->arguments[1] : "");

	return r ? r : put(inv, "/v1/subnets/", body, router_columns, ARRAY_SIZE(router_columns));
}

const struct command network_environment_command = {
	.word = "environment",
	.help = "say of which environment a network is, for policies; without NAME its tag says "
		"again",
	.arguments = "NETWORK [NAME]",
	.min_arguments = 1,
	.max_arguments = 2,
	.run = run_environment,
};

static const struct command_option preload_options[] = {
	{"off", NULL, "hosts ask for them again when they need them", false},
};

const struct command network_preload_command = {
	.word = "preload",
	.help = "push the mappings of a network whole to the hosts that carry it",
	.arguments = "NETWORK",
	.min_arguments = 1,
	.max_arguments = 1,
	.options = preload_options,
	.n_options = ARRAY_SIZE(preload_options),
	.run = run_preload,
};

const struct command network_unknown_macs_command = {
	.word = "unknown-macs",
	.help = "what becomes of frames to a MAC that was not handed out in a network: resolve or "
		"refuse",
	.arguments = "NETWORK resolve|refuse",
	.min_arguments = 2,
	.max_arguments = 2,
	.run = run_unknown_macs,
};

const struct command network_router_command = {
	.word = "router",
	.help = "give a subnet's router its address; without ADDRESS the first usable one",
	.arguments = "SUBNET [ADDRESS]",
	.min_arguments = 1,
	.max_arguments = 2,
	.run = run_router,
};
