/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/operate.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "ctl/complain.h"
#include "ctl/locate.h"
#include "ctl/place.h"
#include "ctl/request.h"
#include "ctl/table.h"

static const struct table_column foreign_columns[] = {
	{"id", "host.id"}, {"name", "host.name"}, {"state", "host.state"},
	{"v4", "host.v4"}, {"v6", "host.v6"},
};

/* The bundle is printed alone, to be a file: it is all that the agent needs. */
static int run_host_add(const struct invocation *inv)
{
	static const char *const texts[] = {"zone", "v4", "v6", "aliases", "foreign"};
	static const char *const numbers[] = {"rack", "locale", "area", "mtu"};
	_cleanup_json_ json_t *body = json_object(), *answer = NULL;
	const json_t *bundle;
	int r = request_set_text(body, "name", inv->arguments[0]);

	for (size_t i = 0; !r && i < ARRAY_SIZE(texts); i++)
		r = request_set_text(body, texts[i], invocation_option(inv, texts[i]));
	for (size_t i = 0; !r && i < ARRAY_SIZE(numbers); i++)
		r = request_set_number(inv, body, numbers[i]);
	if (!r)
		r = request_set_flag(inv, body, "edge");
	if (!r)
		r = request_set_flag(inv, body, "instances");
	if (!r)
		r = place_set_room(inv, body);
	if (!r)
		r = request_set_labels(inv, body);
	if (!r)
		r = request_send(inv, "POST", "/v1/hosts", "", "", body, &answer);
	if (r)
		return r;
	if (invocation_option(inv, "json"))
		return request_print_json(answer);
	if (invocation_option(inv, "foreign"))
		return request_print_object(inv, answer, foreign_columns,
					    ARRAY_SIZE(foreign_columns));
	bundle = json_object_get(answer, "bundle");
	if (!bundle)
		return complain(-EPROTO, "the manager sent no join bundle");
	return request_print_json(bundle);
}

/* A host is named by id or name. */
static int find_host(const struct invocation *inv, const char *what, char **ret)
{
	_cleanup_(client_free_cleanup) struct client *c = NULL;
	_cleanup_json_ json_t *list = NULL;
	struct client_error error;
	const json_t *host;
	size_t i;
	int r = locate_manager(inv, &c);

	if (r)
		return r;
	r = client_list(c, "/v1/hosts", "hosts", &list, &error);
	if (r)
		return complain(r, "%s", error.text);
	json_array_foreach (json_object_get(list, "hosts"), i, host) {
		const char *id = json_string_value(json_object_get(host, "id"));

		if (!str_equal(id, what) &&
		    !str_equal(json_string_value(json_object_get(host, "name")), what))
			continue;
		*ret = strdup(id ? id : what);
		return *ret ? 0 : complain_memory();
	}
	return complain(-ENOENT, "there is no host \"%s\" (\"viaduct hosts\" shows names)", what);
}

static int run_host_remove(const struct invocation *inv)
{
	_cleanup_free_ char *id = NULL;
	int r = find_host(inv, inv->arguments[0], &id);

	return r ? r
		 : request_send(inv, "DELETE", "/v1/hosts/", id,
				invocation_option(inv, "force") ? "?force=true" : "", NULL, NULL);
}

static int run_host_probe(const struct invocation *inv)
{
	_cleanup_free_ char *id = NULL;
	int r = find_host(inv, inv->arguments[0], &id);

	return r ? r : request_send(inv, "POST", "/v1/hosts/", id, "/probe", NULL, NULL);
}

static int run_host_rotate(const struct invocation *inv)
{
	_cleanup_free_ char *id = NULL;
	int r = find_host(inv, inv->arguments[0], &id);

	return r ? r : request_send(inv, "POST", "/v1/hosts/", id, "/rotate", NULL, NULL);
}

static const struct table_column account_columns[] = {
	{"ID", "id"},
	{"NAME", "name"},
	{"CREATED", "created_at"},
};
static const struct table_column new_account_columns[] = {
	{"id", "account.id"},
	{"name", "account.name"},
};
static const struct table_column account_limit_columns[] = {
	{"rules per security group", "account.limits.rules_per_security_group"},
	{"security groups per interface", "account.limits.security_groups_per_interface"},
	{"entries per network ACL", "account.limits.entries_per_network_acl"},
};
static const struct table_column key_columns[] = {
	{"access key id", "key.access_key_id"},
	{"secret access key", "key.secret_access_key"},
};
static const struct table_column key_list_columns[] = {
	{"ACCESS KEY ID", "access_key_id"},
	{"ROLE", "role"},
	{"CREATED", "created_at"},
};

static int run_account_create(const struct invocation *inv)
{
	_cleanup_json_ json_t *body = json_object(), *answer = NULL;
	int r = request_set_text(body, "name", inv->arguments[0]);

	if (!r)
		r = request_set_text(body, "id", invocation_option(inv, "id"));
	if (!r && invocation_option(inv, "default-vpc") &&
	    json_object_set_new(body, "default_vpc", json_true()))
		r = complain_memory();
	if (!r)
		r = request_send(inv, "POST", "/v1/accounts", "", "", body, &answer);
	return r ? r
		 : request_print_object(inv, answer, new_account_columns,
					ARRAY_SIZE(new_account_columns));
}

static int run_account_delete(const struct invocation *inv)
{
	return request_send(inv, "DELETE", "/v1/accounts/", inv->arguments[0], "", NULL, NULL);
}

static int run_account_limit(const struct invocation *inv)
{
	static const struct {
		const char *option;
		const char *field;
	} limits[] = {
		{"rules-per-group", "rules_per_security_group"},
		{"groups-per-interface", "security_groups_per_interface"},
		{"entries-per-acl", "entries_per_network_acl"},
	};
	_cleanup_json_ json_t *body = json_object(), *answer = NULL;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(limits) && !r; i++) {
		const char *text = invocation_option(inv, limits[i].option);
		uint32_t value;

		if (!text)
			continue;
		if (str_u32(text, 0, UINT32_MAX, &value))
			return complain_usage("--%s %s: it is a number, 0 to %u", limits[i].option,
					      text, UINT32_MAX);
		if (json_object_set_new(body, limits[i].field, json_integer(value)))
			r = complain_memory();
	}
	if (!r)
		r = request_send(inv, "PUT", "/v1/accounts/", inv->arguments[0], "/limits", body,
				 &answer);
	return r ? r
		 : request_print_object(inv, answer, account_limit_columns,
					ARRAY_SIZE(account_limit_columns));
}

static int print_list(const struct invocation *inv, const char *path, const char *key,
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

static int run_account_list(const struct invocation *inv)
{
	return print_list(inv, "/v1/accounts", "accounts", account_columns,
			  ARRAY_SIZE(account_columns));
}

static int run_key_create(const struct invocation *inv)
{
	_cleanup_json_ json_t *body = json_object(), *answer = NULL;
	int r = request_set_text(body, "access_key_id", invocation_option(inv, "access-key-id"));

	if (!r)
		r = request_set_text(body, "secret_access_key",
				     invocation_option(inv, "secret-access-key"));
	if (!r)
		r = request_set_text(body, "role", invocation_option(inv, "role"));
	if (!r)
		r = request_send(inv, "POST", "/v1/accounts/", inv->arguments[0], "/keys", body,
				 &answer);
	return r ? r : request_print_object(inv, answer, key_columns, ARRAY_SIZE(key_columns));
}

/* The account's id is digits: nothing in it needs escaping, and what is no id is refused there. */
static int run_key_list(const struct invocation *inv)
{
	_cleanup_free_ char *path = NULL;
	uint64_t id;

	if (str_u64(inv->arguments[0], 0, UINT64_MAX, &id))
		return complain_usage("\"%s\" is no account: 12 digits (\"viaduct account list\")",
				      inv->arguments[0]);
	if (str_printf(&path, "/v1/accounts/%s/keys", inv->arguments[0]))
		return complain_memory();
	return print_list(inv, path, "keys", key_list_columns, ARRAY_SIZE(key_list_columns));
}

static int run_key_delete(const struct invocation *inv)
{
	_cleanup_free_ char *prefix = NULL;
	uint64_t id;

	if (str_u64(inv->arguments[0], 0, UINT64_MAX, &id))
		return complain_usage("\"%s\" is no account: 12 digits (\"viaduct account list\")",
				      inv->arguments[0]);
	if (str_printf(&prefix, "/v1/accounts/%s/keys/", inv->arguments[0]))
		return complain_memory();
	return request_send(inv, "DELETE", prefix, inv->arguments[1], "", NULL, NULL);
}

/* Neither a network's id nor an address has anything that needs escaping; what is none is
 * refused. */
static int run_release(const struct invocation *inv)
{
	_cleanup_free_ char *prefix = NULL;

	if (strspn(inv->arguments[0], "abcdefghijklmnopqrstuvwxyz0123456789-") !=
	    strlen(inv->arguments[0]))
		return complain_usage("\"%s\" is no network (\"viaduct networks\")",
				      inv->arguments[0]);
	if (str_printf(&prefix, "/v1/releases/%s/", inv->arguments[0]))
		return complain_memory();
	return request_send(inv, "DELETE", prefix, inv->arguments[1], "", NULL, NULL);
}

static const struct table_column shared_columns[] = {
	{"id", "interface.id"},
	{"shared", "interface.shared"},
	{"addresses", "interface.addresses"},
	{"instances", "interface.instances"},
	{"hosts", "interface.hosts"},
};

static int run_share(const struct invocation *inv)
{
	bool shared = !invocation_option(inv, "off");
	_cleanup_json_ json_t *body = json_object(), *answer = NULL;
	int r;

	if (!body || json_object_set_new(body, "shared", json_boolean(shared)))
		return complain_memory();
	r = request_send(inv, "PUT", "/v1/interfaces/", inv->arguments[0], "", body, &answer);
	return r ? r
		 : request_print_object(inv, answer, shared_columns, ARRAY_SIZE(shared_columns));
}

static const struct table_column preload_columns[] = {
	{"id", "network.id"},
	{"vni", "network.vni"},
	{"preloaded", "network.preloaded"},
};

static int run_preload(const struct invocation *inv)
{
	bool preloaded = !invocation_option(inv, "off");
	_cleanup_json_ json_t *body = json_object(), *answer = NULL;
	int r;

	if (!body || json_object_set_new(body, "preloaded", json_boolean(preloaded)))
		return complain_memory();
	r = request_send(inv, "PUT", "/v1/networks/", inv->arguments[0], "", body, &answer);
	return r ? r
		 : request_print_object(inv, answer, preload_columns, ARRAY_SIZE(preload_columns));
}

static const struct table_column environment_columns[] = {
	{"id", "network.id"},
	{"account", "network.account"},
	{"environment", "network.environment"},
	{"fixed", "network.environment_fixed"},
};

static int run_environment(const struct invocation *inv)
{
	_cleanup_json_ json_t *body = json_object(), *answer = NULL;
	int r = request_set_text(body, "environment",
				 inv->n_arguments > 1 ? inv->arguments[1] : "");

	if (!r)
		r = request_send(inv, "PUT", "/v1/networks/", inv->arguments[0], "", body, &answer);
	return r ? r
		 : request_print_object(inv, answer, environment_columns,
					ARRAY_SIZE(environment_columns));
}

static const struct table_column pool_columns[] = {
	{"CIDR", "cidr"},
	{"ID", "id"},
	{"ADDRESSES", "addresses"},
	{"ALLOCATED", "allocated"},
};
static const struct table_column new_pool_columns[] = {
	{"cidr", "pool.cidr"},
	{"id", "pool.id"},
	{"addresses", "pool.addresses"},
};

static int run_pool_add(const struct invocation *inv)
{
	_cleanup_json_ json_t *body = json_object(), *answer = NULL;
	int r = request_set_text(body, "cidr", inv->arguments[0]);

	if (!r)
		r = request_send(inv, "POST", "/v1/pools", "", "", body, &answer);
	return r ? r
		 : request_print_object(inv, answer, new_pool_columns,
					ARRAY_SIZE(new_pool_columns));
}

static int run_pool_list(const struct invocation *inv)
{
	return print_list(inv, "/v1/pools", "pools", pool_columns, ARRAY_SIZE(pool_columns));
}

/* A slash is escaped in the path, and the manager takes a CIDR as well as an id. */
static int run_pool_remove(const struct invocation *inv)
{
	return request_send(inv, "DELETE", "/v1/pools/", inv->arguments[0], "", NULL, NULL);
}

static const struct command_option host_add_options[] = {
	{"zone", "ZONE", "its availability zone", false},
	{"rack", "N", "where it stands, part of its substrate address", false},
	{"area", "N", "the same, above the rack", false},
	{"locale", "N", "the same, above the area", false},
	{"v6", "ADDRESS", "its own IPv6 address on the substrate", false},
	{"v4", "ADDRESS", "its own IPv4 address on the substrate", false},
	{"aliases", "PREFIX", "IPv4 that is routed to it, /16 to /28: for the format reip4", false},
	{"foreign", "ADDRESS", "it has no agent, but an ordinary VXLAN device at this address",
	 false},
	{"mtu", "BYTES", "of a foreign host's substrate (default: 1500)", false},
	{"edge", NULL, "it has an uplink: gets gateways and public addresses, and no instances",
	 false},
	{"instances", NULL, "an edge that runs instances all the same", false},
	{"label", "KEY=VALUE", "for policies and placement", true},
	PLACE_ROOM_OPTIONS,
};
static const struct command_option host_remove_options[] = {
	{"force", NULL, "a host that is gone for good: its instances count as terminated", false},
};
static const struct command_option account_create_options[] = {
	{"id", "ID", "12 digits (default: a free one)", false},
	{"default-vpc", NULL, "it begins with a default VPC", false},
};
static const struct command_option account_limit_options[] = {
	{"rules-per-group", "N", "of a security group, by direction and family, up to 1000", false},
	{"groups-per-interface", "N", "security groups, up to 16", false},
	{"entries-per-acl", "N", "of a network ACL, by direction, up to 40", false},
};
static const struct command_option key_create_options[] = {
	{"access-key-id", "ID", "(default: a random one)", false},
	{"secret-access-key", "SECRET", "(default: a random one)", false},
	{"role", "ROLE", "full, or read-only (default: full)", false},
};

static const struct command key_commands[] = {
	{"create", "a new access key; its secret is shown this once", .arguments = "ACCOUNT",
	 .min_arguments = 1, .max_arguments = 1, .options = key_create_options,
	 .n_options = ARRAY_SIZE(key_create_options), .run = run_key_create},
	{"list", "the keys of an account", .arguments = "ACCOUNT", .min_arguments = 1,
	 .max_arguments = 1, .run = run_key_list},
	{"delete", "a key is refused from now on", .arguments = "ACCOUNT KEY", .min_arguments = 2,
	 .max_arguments = 2, .run = run_key_delete},
};

const struct command operate_host_commands[OPERATE_HOST_COMMANDS] = {
	{"add", "a new host; prints the bundle for viaduct-agent join, but for a foreign one",
	 .arguments = "NAME", .min_arguments = 1, .max_arguments = 1, .options = host_add_options,
	 .n_options = ARRAY_SIZE(host_add_options), .run = run_host_add},
	{"set", "change what a host has room for, its cost and its labels", .arguments = "HOST",
	 .min_arguments = 1, .max_arguments = 1, .options = place_host_options,
	 .n_options = PLACE_HOST_OPTIONS, .run = place_run_host_set},
	{"remove", "forget a host that has no instances", .arguments = "HOST", .min_arguments = 1,
	 .max_arguments = 1, .options = host_remove_options,
	 .n_options = ARRAY_SIZE(host_remove_options), .run = run_host_remove},
	{"probe", "have a host find out anew what it can do", .arguments = "HOST",
	 .min_arguments = 1, .max_arguments = 1, .run = run_host_probe},
	{"rotate", "new keys for all that a host seals", .arguments = "HOST", .min_arguments = 1,
	 .max_arguments = 1, .run = run_host_rotate},
};

static const struct table_column placed_columns[] = {
	{"id", "interface.id"},
	{"addresses", "interface.addresses"},
	{"vni", "interface.vni"},
	{"host", "interface.host"},
};

static int run_interface_place(const struct invocation *inv)
{
	_cleanup_json_ json_t *body = json_object(), *answer = NULL;
	const char *host = invocation_option(inv, "host");
	int r;

	if (!host)
		return complain_usage("say on which foreign host: --host NAME (\"viaduct hosts\")");
	r = request_set_text(body, "host", host);
	if (!r)
		r = request_send(inv, "PUT", "/v1/interfaces/", inv->arguments[0], "/attachment",
				 body, &answer);
	return r ? r
		 : request_print_object(inv, answer, placed_columns, ARRAY_SIZE(placed_columns));
}

static int run_interface_unplace(const struct invocation *inv)
{
	return request_send(inv, "DELETE", "/v1/interfaces/", inv->arguments[0], "/attachment",
			    NULL, NULL);
}

static const struct command_option interface_place_options[] = {
	{"host", "HOST", "its id or name", false},
};

const struct command operate_interface_commands[OPERATE_INTERFACE_COMMANDS] = {
	{"place", "put an interface that is attached to nothing on a foreign host",
	 .arguments = "INTERFACE", .min_arguments = 1, .max_arguments = 1,
	 .options = interface_place_options, .n_options = ARRAY_SIZE(interface_place_options),
	 .run = run_interface_place},
	{"unplace", "take it off again", .arguments = "INTERFACE", .min_arguments = 1,
	 .max_arguments = 1, .run = run_interface_unplace},
};

const struct command operate_pool_commands[OPERATE_POOL_COMMANDS] = {
	{"add", "a block of public addresses that edges answer for", .arguments = "CIDR",
	 .min_arguments = 1, .max_arguments = 1, .run = run_pool_add},
	{"list", "the pools, and how much of each is allocated", .run = run_pool_list},
	{"remove", "a pool of which nothing is allocated", .arguments = "CIDR", .min_arguments = 1,
	 .max_arguments = 1, .run = run_pool_remove},
};

static const struct command_option share_options[] = {
	{"off", NULL, "it is attached to one instance at most, as it was", false},
};

const struct command operate_environment_command = {
	.word = "environment",
	.help = "say of which environment a network is, for policies; without NAME its tag says "
		"again",
	.arguments = "NETWORK [NAME]",
	.min_arguments = 1,
	.max_arguments = 2,
	.run = run_environment,
};

const struct command operate_share_command = {
	.word = "share",
	.help = "let an interface be attached to several instances, connections spread over them",
	.arguments = "INTERFACE",
	.min_arguments = 1,
	.max_arguments = 1,
	.options = share_options,
	.n_options = ARRAY_SIZE(share_options),
	.run = run_share,
};

static const struct command_option preload_options[] = {
	{"off", NULL, "hosts ask for them again when they need them", false},
};

const struct command operate_preload_command = {
	.word = "preload",
	.help = "push the mappings of a network whole to the hosts that carry it",
	.arguments = "NETWORK",
	.min_arguments = 1,
	.max_arguments = 1,
	.options = preload_options,
	.n_options = ARRAY_SIZE(preload_options),
	.run = run_preload,
};

const struct command operate_release_command = {
	.word = "release",
	.help = "go on with an address that waits for hosts (see \"viaduct releases\")",
	.arguments = "NETWORK ADDRESS",
	.min_arguments = 2,
	.max_arguments = 2,
	.run = run_release,
};

const struct command operate_account_commands[OPERATE_ACCOUNT_COMMANDS] = {
	{"create", "a new account", .arguments = "NAME", .min_arguments = 1, .max_arguments = 1,
	 .options = account_create_options, .n_options = ARRAY_SIZE(account_create_options),
	 .run = run_account_create},
	{"list", "the accounts", .run = run_account_list},
	{"delete", "an account that has nothing, and its keys", .arguments = "ACCOUNT",
	 .min_arguments = 1, .max_arguments = 1, .run = run_account_delete},
	{"limit", "shows what an account may have, and changes it; 0: the usual",
	 .arguments = "ACCOUNT", .min_arguments = 1, .max_arguments = 1,
	 .options = account_limit_options, .n_options = ARRAY_SIZE(account_limit_options),
	 .run = run_account_limit},
	{"key", "access keys of an account", .children = key_commands,
	 .n_children = ARRAY_SIZE(key_commands)},
};
