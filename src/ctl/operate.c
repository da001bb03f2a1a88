/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/operate.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "ctl/complain.h"
#include "ctl/request.h"
#include "ctl/table.h"

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

static const struct table_column billing_columns[] = {
	{"account", "billing.account"},
	{"pays for", "billing.pays_for"},
	{"payers", "billing.payers"},
};

static int run_account_billing(const struct invocation *inv)
{
	_cleanup_json_ json_t *answer = NULL;
	int r = request_send(inv, "GET", "/v1/accounts/", inv->arguments[0], "/billing", NULL,
			     &answer);

	return r ? r
		 : request_print_object(inv, answer, billing_columns, ARRAY_SIZE(billing_columns));
}

static int check_account(const char *text)
{
	uint64_t id;

	if (str_u64(text, 0, UINT64_MAX, &id))
		return complain_usage("\"%s\" is no account: 12 digits (\"viaduct account list\")",
				      text);
	return 0;
}

/* The payer's id is digits: nothing in it needs escaping. */
static int run_account_pay_for(const struct invocation *inv)
{
	const char *method = invocation_option(inv, "off") ? "DELETE" : "PUT";
	_cleanup_json_ json_t *answer = NULL;
	_cleanup_free_ char *prefix = NULL;
	int r = check_account(inv->arguments[0]);

	if (r)
		return r;
	if (str_printf(&prefix, "/v1/accounts/%s/billing/", inv->arguments[0]))
		return complain_memory();
	r = request_send(inv, method, prefix, inv->arguments[1], "", NULL, &answer);
	return r ? r
		 : request_print_object(inv, answer, billing_columns, ARRAY_SIZE(billing_columns));
}

static int run_account_list(const struct invocation *inv)
{
	return request_print_list(inv, "/v1/accounts", "accounts", account_columns,
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
	int r = check_account(inv->arguments[0]);

	if (r)
		return r;
	if (str_printf(&path, "/v1/accounts/%s/keys", inv->arguments[0]))
		return complain_memory();
	return request_print_list(inv, path, "keys", key_list_columns,
				  ARRAY_SIZE(key_list_columns));
}

static int run_key_delete(const struct invocation *inv)
{
	_cleanup_free_ char *prefix = NULL;
	int r = check_account(inv->arguments[0]);

	if (r)
		return r;
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
	return request_print_list(inv, "/v1/pools", "pools", pool_columns,
				  ARRAY_SIZE(pool_columns));
}

/* A slash is escaped in the path, and the manager takes a CIDR as well as an id. */
static int run_pool_remove(const struct invocation *inv)
{
	return request_send(inv, "DELETE", "/v1/pools/", inv->arguments[0], "", NULL, NULL);
}

static const struct command_option account_create_options[] = {
	{"id", "ID", "12 digits (default: a free one)", false},
	{"default-vpc", NULL, "it begins with a default VPC", false},
};
static const struct command_option account_limit_options[] = {
	{"rules-per-group", "N", "of a security group, by direction and family, up to 1000", false},
	{"groups-per-interface", "N", "security groups, up to 16", false},
	{"entries-per-acl", "N", "of a network ACL, by direction, up to 40", false},
};
static const struct command_option pay_for_options[] = {
	{"off", NULL, "not any more: from now on their owner pays", false},
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

/* ---- ports of NAT gateways ---- */

static const struct table_column port_columns[] = {
	{"protocol", "port.protocol"},
	{"public port", "port.public_port"},
	{"address", "port.address"},
	{"port", "port.port"},
};

static int set_port(json_t *body, const char *key, const char *text)
{
	uint32_t value;

	if (str_u32(text, 1, UINT16_MAX, &value))
		return complain_usage("\"%s\" is no port: 1 to 65535", text);
	return json_object_set_new(body, key, json_integer(value)) ? complain_memory() : 0;
}

/* The port inside is the public one unless it is said. */
static int run_nat_open(const struct invocation *inv)
{
	const char *inside = inv->n_arguments > 4 ? inv->arguments[4] : inv->arguments[2];
	_cleanup_json_ json_t *body = json_object(), *answer = NULL;
	int r = request_set_text(body, "protocol", inv->arguments[1]);

	if (!r)
		r = set_port(body, "public_port", inv->arguments[2]);
	if (!r)
		r = request_set_text(body, "address", inv->arguments[3]);
	if (!r)
		r = set_port(body, "port", inside);
	if (!r)
		r = request_send(inv, "POST", "/v1/nat-gateways/", inv->arguments[0], "/ports",
				 body, &answer);
	return r ? r : request_print_object(inv, answer, port_columns, ARRAY_SIZE(port_columns));
}

static int run_nat_close(const struct invocation *inv)
{
	const char *protocol = inv->arguments[1];
	_cleanup_free_ char *suffix = NULL;
	uint32_t port;

	if (!str_equal(protocol, "tcp") && !str_equal(protocol, "udp"))
		return complain_usage("\"%s\" is no protocol: tcp or udp", protocol);
	if (str_u32(inv->arguments[2], 1, UINT16_MAX, &port))
		return complain_usage("\"%s\" is no port: 1 to 65535", inv->arguments[2]);
	if (str_printf(&suffix, "/ports/%s/%u", protocol, port))
		return complain_memory();
	return request_send(inv, "DELETE", "/v1/nat-gateways/", inv->arguments[0], suffix, NULL,
			    NULL);
}

static const struct command nat_commands[] = {
	{"open", "let connections to a public port of it in, to an address of its network",
	 .arguments = "NAT-GATEWAY tcp|udp PUBLIC-PORT ADDRESS [PORT]", .min_arguments = 4,
	 .max_arguments = 5, .run = run_nat_open},
	{"close", "let no new ones in", .arguments = "NAT-GATEWAY tcp|udp PUBLIC-PORT",
	 .min_arguments = 3, .max_arguments = 3, .run = run_nat_close},
};

const struct command operate_nat_command = {
	.word = "nat-gateway",
	.help = "public ports of a NAT gateway that lead inside",
	.children = nat_commands,
	.n_children = ARRAY_SIZE(nat_commands),
};

const struct command operate_pool_commands[OPERATE_POOL_COMMANDS] = {
	{"add", "a block of public addresses that edges answer for", .arguments = "CIDR",
	 .min_arguments = 1, .max_arguments = 1, .run = run_pool_add},
	{"list", "the pools, and how much of each is allocated", .run = run_pool_list},
	{"remove", "a pool of which nothing is allocated", .arguments = "CIDR", .min_arguments = 1,
	 .max_arguments = 1, .run = run_pool_remove},
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
	{"pay-for", "one account agrees to pay for interfaces of another that name it",
	 .arguments = "PAYER ACCOUNT", .min_arguments = 2, .max_arguments = 2,
	 .options = pay_for_options, .n_options = ARRAY_SIZE(pay_for_options),
	 .run = run_account_pay_for},
	{"billing", "whom an account pays for, and who pays for it", .arguments = "ACCOUNT",
	 .min_arguments = 1, .max_arguments = 1, .run = run_account_billing},
	{"key", "access keys of an account", .children = key_commands,
	 .n_children = ARRAY_SIZE(key_commands)},
};
