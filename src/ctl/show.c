/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "ctl/complain.h"
#include "ctl/locate.h"
#include "ctl/table.h"

struct show_view {
	const char *word; /* of the command */
	const char *path;
	const char *key; /* of the list in the answer; NULL: the answer is one object */
	const struct table_column *columns;
	size_t n_columns;
};

static const struct table_column status_columns[] = {
	{"version", "version"},
	{"cluster", "cluster_id"},
	{"revision", "revision"},
	{"durable revision", "durable_revision"},
	{"store", "store.kind"},
	{"store state", "store.state"},
	{"store error", "store.error"},
	{"hosts", "hosts.total"},
	{"hosts connected", "hosts.connected"},
	{"accounts", "counts.accounts"},
	{"networks", "counts.networks"},
	{"subnets", "counts.subnets"},
	{"interfaces", "counts.interfaces"},
	{"instances", "counts.instances"},
	{"mappings", "counts.mappings"},
};
static const struct table_column host_columns[] = {
	{"NAME", "name"},
	{"ID", "id"},
	{"STATE", "state"},
	{"ZONE", "zone"},
	{"RACK", "rack"},
	{"SIIT1", "siit1"},
	{"SIIT2", "siit2"},
	{"V6", "v6"},
	{"V4", "v4"},
	{"REVISION", "revision"},
	{"INSTANCES", "instances"},
};
static const struct table_column network_columns[] = {
	{"ID", "id"},           {"VNI", "vni"},     {"CIDR", "cidr"},
	{"ACCOUNT", "account"}, {"STATE", "state"}, {"TAGS", "tags"},
};
static const struct table_column subnet_columns[] = {
	{"ID", "id"},           {"NETWORK", "network"}, {"CIDR", "cidr"}, {"ZONE", "zone"},
	{"ACCOUNT", "account"}, {"FREE", "available"},  {"TAGS", "tags"},
};
static const struct table_column instance_columns[] = {
	{"ID", "id"},     {"STATE", "state"},     {"HOST", "host_name"}, {"ADDRESS", "private_ip"},
	{"TYPE", "type"}, {"ACCOUNT", "account"}, {"TAGS", "tags"},
};
static const struct table_column interface_columns[] = {
	{"ID", "id"},
	{"STATUS", "status"},
	{"ADDRESS", "private_ip"},
	{"MAC", "mac"},
	{"SUBNET", "subnet"},
	{"INSTANCE", "instance"},
	{"HOST", "host_name"},
	{"APPLIED", "applied_revision"},
};
static const struct table_column mapping_columns[] = {
	{"NETWORK", "network"},   {"VNI", "vni"},         {"ADDRESS", "address"},
	{"MAC", "mac"},           {"HOST", "host_name"},  {"INTERFACE", "interface"},
	{"REVISION", "revision"}, {"HOLDERS", "holders"},
};
static const struct table_column drop_columns[] = {
	{"HOST", "host_name"},
	{"INTERFACE", "interface"},
	{"REASON", "reason"},
	{"COUNT", "count"},
};
static const struct table_column capability_columns[] = {
	{"HOST", "host_name"},
	{"CAPABILITY", "name"},
	{"VALUE", "value"},
};
static const struct table_column pair_columns[] = {
	{"A", "a"}, {"B", "b"}, {"FORMATS", "formats"}, {"MTU", "mtu"}, {"REASON", "reason"},
};

#define COLUMNS(c) (c), ARRAY_SIZE(c)

static const struct show_view views[] = {
	{"status", "/v1/status", NULL, COLUMNS(status_columns)},
	{"hosts", "/v1/hosts", "hosts", COLUMNS(host_columns)},
	{"networks", "/v1/networks", "networks", COLUMNS(network_columns)},
	{"subnets", "/v1/subnets", "subnets", COLUMNS(subnet_columns)},
	{"instances", "/v1/instances", "instances", COLUMNS(instance_columns)},
	{"interfaces", "/v1/interfaces", "interfaces", COLUMNS(interface_columns)},
	{"mappings", "/v1/mappings", "mappings", COLUMNS(mapping_columns)},
	{"drops", "/v1/drops", "drops", COLUMNS(drop_columns)},
	{"capabilities", "/v1/capabilities", "capabilities", COLUMNS(capability_columns)},
	{"pair", "/v1/pairs", "pairs", COLUMNS(pair_columns)},
};

static const struct show_view *find_view(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(views); i++)
		if (str_equal(views[i].word, word))
			return &views[i];
	return NULL;
}

static int print(const struct invocation *inv, const struct show_view *v, const json_t *answer)
{
	int r;

	if (invocation_option(inv, "json")) {
		if (json_dumpf(answer, stdout, JSON_INDENT(2)))
			return complain(-EIO, "the output could not be written");
		putchar('\n');
		return 0;
	}
	if (v->key)
		r = table_print(stdout, json_object_get(answer, v->key), v->columns, v->n_columns);
	else
		r = table_print_object(stdout, answer, v->columns, v->n_columns);
	return r ? complain_memory() : 0;
}

static int fetch(struct client *c, const struct show_view *v, const char *path, json_t **ret)
{
	struct client_error error;
	int r;

	if (v->key)
		r = client_list(c, path, v->key, ret, &error);
	else
		r = client_request(c, "GET", path, NULL, ret, &error);
	return r ? complain(r, "%s", error.text) : 0;
}

static int run_show(const struct invocation *inv)
{
	const struct show_view *v = find_view(inv->command->word);
	_cleanup_(client_free_cleanup) struct client *c = NULL;
	_cleanup_json_ json_t *answer = NULL;
	int r = locate_manager(inv, &c);

	if (!r)
		r = fetch(c, v, v->path, &answer);
	return r ? r : print(inv, v, answer);
}

static int run_mappings(const struct invocation *inv)
{
	const struct show_view *v = find_view(inv->command->word);
	const char *network = invocation_option(inv, "network");
	_cleanup_(client_free_cleanup) struct client *c = NULL;
	_cleanup_free_ char *escaped = NULL, *path = NULL;
	_cleanup_json_ json_t *answer = NULL;
	int r;

	if (!network)
		return run_show(inv);
	r = locate_manager(inv, &c);
	if (r)
		return r;
	escaped = client_escape(c, network);
	if (!escaped || str_printf(&path, "%s?network=%s", v->path, escaped))
		return complain_memory();
	r = fetch(c, v, path, &answer);
	return r ? r : print(inv, v, answer);
}

static bool means(const json_t *pair, const char *side, const char *host)
{
	char key[16];

	if (str_equal(json_string_value(json_object_get(pair, side)), host))
		return true;
	return !str_format(key, sizeof(key), "%s_id", side) &&
	       str_equal(json_string_value(json_object_get(pair, key)), host);
}

/* Keeps the entries between the two hosts, whichever comes first in them. */
static void keep_pair(json_t *list, const char *one, const char *other)
{
	for (size_t i = json_array_size(list); i > 0; i--) {
		const json_t *pair = json_array_get(list, i - 1);

		if (!(means(pair, "a", one) && means(pair, "b", other)) &&
		    !(means(pair, "a", other) && means(pair, "b", one)))
			json_array_remove(list, i - 1);
	}
}

static int run_pair(const struct invocation *inv)
{
	const struct show_view *v = find_view(inv->command->word);
	_cleanup_(client_free_cleanup) struct client *c = NULL;
	_cleanup_json_ json_t *answer = NULL;
	json_t *list;
	int r = locate_manager(inv, &c);

	if (!r)
		r = fetch(c, v, v->path, &answer);
	if (r)
		return r;
	list = json_object_get(answer, v->key);
	keep_pair(list, inv->arguments[0], inv->arguments[1]);
	if (!json_array_size(list))
		return complain(-ENOENT,
				"there are no two hosts %s and %s (\"viaduct hosts\" shows names)",
				inv->arguments[0], inv->arguments[1]);
	return print(inv, v, answer);
}

static const struct command_option mappings_options[] = {
	{"network", "ID", "of this network only", false},
};

const struct command show_commands[SHOW_COMMANDS] = {
	{"status", "the manager: its store, and how much of everything there is", .run = run_show},
	{"hosts", "the hosts, their substrate addresses and whether they are connected",
	 .run = run_show},
	{"networks", "the virtual networks", .run = run_show},
	{"subnets", "the subnets", .run = run_show},
	{"instances", "the instances and their hosts", .run = run_show},
	{"interfaces", "the interfaces, where they are and what their hosts have confirmed",
	 .run = run_show},
	{"mappings", "which host has which virtual address, and who knows",
	 .options = mappings_options, .n_options = ARRAY_SIZE(mappings_options),
	 .run = run_mappings},
	{"drops", "packets dropped, by host, interface and reason", .run = run_show},
	{"capabilities", "what each host's probes found", .run = run_show},
	{"pair", "what was chosen for two hosts, and why", .arguments = "HOST HOST",
	 .min_arguments = 2, .max_arguments = 2, .run = run_pair},
};
