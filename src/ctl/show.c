/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "ctl/complain.h"
#include "ctl/locate.h"
#include "ctl/probe.h"
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
	{"ROLE", "role"},
	{"DRAINED", "drained"},
	{"ZONE", "zone"},
	{"RACK", "rack"},
	{"SIIT1", "siit1"},
	{"SIIT2", "siit2"},
	{"V6", "v6"},
	{"V4", "v4"},
	{"REVISION", "revision"},
	{"INSTANCES", "instances"},
	{"OWNS", "owns"},
	{"PROBLEM", "capabilities.error"},
};
static const struct table_column network_columns[] = {
	{"ID", "id"},
	{"VNI", "vni"},
	{"CIDRS", "cidrs"},
	{"IPV6", "ipv6_cidrs"},
	{"MTU", "mtu"},
	{"PRELOADED", "preloaded"},
	{"ACCOUNT", "account"},
	{"ENVIRONMENT", "environment"},
	{"UNKNOWN MACS", "unknown_macs"},
	{"TAGS", "tags"},
};
static const struct table_column subnet_columns[] = {
	{"ID", "id"},          {"NETWORK", "network"}, {"CIDR", "cidr"},
	{"IPV6", "ipv6_cidr"}, {"ROUTER", "router"},   {"ZONE", "zone"},
	{"FREE", "available"}, {"ACCOUNT", "account"}, {"TAGS", "tags"},
};
static const struct table_column instance_columns[] = {
	{"ID", "id"},         {"STATE", "state"},
	{"HOST", "host"},     {"ADDRESS", "private_address"},
	{"TYPE", "type"},     {"ACCOUNT", "account"},
	{"REASON", "reason"}, {"TAGS", "tags"},
};
static const struct table_column interface_columns[] = {
	{"ID", "id"},      {"STATUS", "status"},   {"ADDRESSES", "addresses"},
	{"MAC", "mac"},    {"SUBNET", "subnet"},   {"INSTANCE", "instances"},
	{"HOST", "hosts"}, {"APPLIED", "applied"},
};
static const struct table_column mapping_columns[] = {
	{"NETWORK", "network"},   {"VNI", "vni"},         {"ADDRESS", "address"},
	{"HOST", "hosts"},        {"STATE", "state"},     {"INTERFACE", "interface"},
	{"REVISION", "revision"}, {"HOLDERS", "holders"},
};
static const struct table_column release_columns[] = {
	{"NETWORK", "network"},     {"ADDRESS", "address"}, {"STEP", "step"},
	{"HOST", "host"},           {"FROM", "from"},       {"TO", "to"},
	{"WAITS FOR", "waits_for"},
};
static const struct table_column usage_columns[] = {
	{"INTERFACE", "interface"},   {"ACCOUNT", "account"},      {"BILLED TO", "billing_account"},
	{"TX BYTES", "tx_bytes"},     {"RX BYTES", "rx_bytes"},    {"TX PACKETS", "tx_packets"},
	{"RX PACKETS", "rx_packets"}, {"SECONDS", "used_seconds"},
};
static const struct table_column address_columns[] = {
	{"PUBLIC", "public"},   {"PRIVATE", "private"}, {"NETWORK", "network"},
	{"NAT", "nat_gateway"}, {"EDGE", "edge"},       {"AUTOMATIC", "automatic"},
	{"ID", "id"},           {"ACCOUNT", "account"}, {"TAGS", "tags"},
};
static const struct table_column nat_columns[] = {
	{"ID", "id"},         {"STATE", "state"},     {"NETWORK", "network"},
	{"PUBLIC", "public"}, {"PRIVATE", "private"}, {"EDGE", "edge"},
	{"PORTS", "ports"},   {"FAILURE", "failure"}, {"TAGS", "tags"},
};
static const struct table_column flow_log_columns[] = {
	{"ID", "id"},           {"RESOURCE", "resource"}, {"TRAFFIC", "traffic"},
	{"ACCOUNT", "account"}, {"FORMAT", "format"},
};
static const struct table_column drop_columns[] = {
	{"HOST", "host"},       {"INTERFACE", "interface"}, {"REASON", "reason"},
	{"PACKETS", "packets"}, {"TEXT", "text"},
};
static const struct table_column traffic_columns[] = {
	{"HOST", "host"},
	{"FORMAT", "format"},
	{"TX PACKETS", "sent_packets"},
	{"TX BYTES", "sent_bytes"},
	{"RX PACKETS", "received_packets"},
	{"RX BYTES", "received_bytes"},
};
static const struct table_column capability_columns[] = {
	{"HOST", "host"},
	{"FORMATS", "formats"},
	{"FEATURES", "features"},
	{"REQUIRES", "required_features"},
	{"DISALLOWS", "disallowed_features"},
	{"MTU", "substrate_mtu"},
	{"KERNEL", "kernel"},
	{"TCX", "tcx"},
	{"TAP USO", "tap_uso"},
	{"PROBED", "probed_at"},
	{"REPORTED", "reported_at"},
	{"GENERATION", "generation"},
	{"REFUSED", "refused"},
	{"ERROR", "error"},
	{"FAULT", "fault"},
};
static const struct table_column pair_columns[] = {
	{"FROM", "from"},
	{"TO", "to"},
	{"SENDS", "send"},
	{"COMPANIONS", "companions"},
	{"ACCEPTS", "accept"},
	{"FEATURES", "send_features"},
	{"KEY", "key_epoch"},
	{"KEY MADE", "key_made_at"},
	{"RATE BIT/S", "rate_bits"},
	{"SEALED", "sealed_packets"},
	{"SAVED", "saved_bytes"},
	{"HELD-BACK", "held_back"},
	{"MTU", "path_mtu"},
	{"NETWORK", "network"},
	{"PEER NETWORK", "peer_network"},
	{"INTERFACE", "interface"},
	{"PEER INTERFACE", "peer_interface"},
	{"POLICY", "policy"},
	{"REASON", "reason"},
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
	{"releases", "/v1/releases", "releases", COLUMNS(release_columns)},
	{"usage", "/v1/usage", "usage", COLUMNS(usage_columns)},
	{"addresses", "/v1/addresses", "addresses", COLUMNS(address_columns)},
	{"nat-gateways", "/v1/nat-gateways", "nat_gateways", COLUMNS(nat_columns)},
	{"flow-logs", "/v1/flow-logs", "flow_logs", COLUMNS(flow_log_columns)},
	{"drops", "/v1/drops", "drops", COLUMNS(drop_columns)},
	{"traffic", "/v1/traffic", "traffic", COLUMNS(traffic_columns)},
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

/* The view's path, and a query of the options given: those of a list have its parameters' names. */
static int filtered_path(struct client *c, const struct invocation *inv, const char *path,
			 char **ret)
{
	_cleanup_free_ char *whole = strdup(path);
	const struct command *command = inv->command;
	char gap = '?';

	for (size_t i = 0; whole && i < command->n_options; i++) {
		const char *name = command->options[i].name;
		const char *value = invocation_option(inv, name);
		_cleanup_free_ char *escaped = value ? client_escape(c, value) : NULL;
		char *longer;

		if (!value)
			continue;
		if (!escaped || str_printf(&longer, "%s%c%s=%s", whole, gap, name, escaped))
			return complain_memory();
		free(whole);
		whole = longer;
		gap = '&';
	}
	if (!whole)
		return complain_memory();
	*ret = TAKE_PTR(whole);
	return 0;
}

static int run_show(const struct invocation *inv)
{
	const struct show_view *v = find_view(inv->command->word);
	_cleanup_(client_free_cleanup) struct client *c = NULL;
	_cleanup_json_ json_t *answer = NULL;
	_cleanup_free_ char *path = NULL;
	int r = locate_manager(inv, &c);

	if (!r)
		r = filtered_path(c, inv, v->path, &path);
	if (!r)
		r = fetch(c, v, path, &answer);
	return r ? r : print(inv, v, answer);
}

/* What was chosen for one direction, added to 'list'. */
static int fetch_direction(struct client *c, const struct show_view *v, const char *from,
			   const char *to, json_t *list)
{
	_cleanup_free_ char *escaped_from = client_escape(c, from), *escaped_to = NULL,
			    *path = NULL;
	_cleanup_json_ json_t *answer = NULL;
	int r;

	escaped_to = client_escape(c, to);
	if (!escaped_from || !escaped_to ||
	    str_printf(&path, "%s?from=%s&to=%s", v->path, escaped_from, escaped_to))
		return complain_memory();
	r = fetch(c, v, path, &answer);
	if (!r && json_array_extend(list, json_object_get(answer, v->key)))
		r = complain_memory();
	return r;
}

static int run_pair(const struct invocation *inv)
{
	const struct show_view *v = find_view(inv->command->word);
	const char *one = inv->arguments[0], *other = inv->arguments[1];
	_cleanup_(client_free_cleanup) struct client *c = NULL;
	_cleanup_json_ json_t *whole = json_pack("{s:[]}", v->key);
	json_t *list = json_object_get(whole, v->key);
	int r = locate_manager(inv, &c);

	if (!r)
		r = fetch_direction(c, v, one, other, list);
	if (!r)
		r = fetch_direction(c, v, other, one, list);
	if (r)
		return r;
	if (!json_array_size(list))
		return complain(-ENOENT,
				"nothing was chosen between %s and %s: two hosts are needed", one,
				other);
	return print(inv, v, whole);
}

static int run_capabilities(const struct invocation *inv)
{
	const struct show_view *v = find_view(inv->command->word);
	const char *host = invocation_option(inv, "probe");
	_cleanup_(client_free_cleanup) struct client *c = NULL;
	_cleanup_json_ json_t *answer = NULL;
	int r = host ? probe_host(inv, host) : 0;

	if (!r)
		r = locate_manager(inv, &c);
	if (!r)
		r = fetch(c, v, v->path, &answer);
	return r ? r : print(inv, v, answer);
}

static const struct command_option capability_options[] = {
	{"probe", "HOST", "after that host has probed anew and reported", false},
};

/* ---- what lists can be cut down to ---- */

#define OF_NETWORK                                                                                 \
	{                                                                                          \
		"network", "ID", "of this network only", false                                     \
	}
#define OF_SUBNET                                                                                  \
	{                                                                                          \
		"subnet", "ID", "of this subnet only", false                                       \
	}
#define OF_HOST                                                                                    \
	{                                                                                          \
		"host", "HOST", "of this host only", false                                         \
	}
#define OF_EDGE                                                                                    \
	{                                                                                          \
		"edge", "HOST", "that this edge has", false                                        \
	}
#define OF_INSTANCE                                                                                \
	{                                                                                          \
		"instance", "ID", "of this instance only", false                                   \
	}
#define OF_INTERFACE                                                                               \
	{                                                                                          \
		"interface", "ID", "of this interface only", false                                 \
	}
#define OF_STATE                                                                                   \
	{                                                                                          \
		"state", "STATE", "in this state only: running, stopped, ...", false               \
	}

static const struct command_option of_network[] = {OF_NETWORK};
static const struct command_option of_host[] = {OF_HOST};
static const struct command_option instances_options[] = {OF_NETWORK, OF_SUBNET, OF_HOST, OF_STATE};
static const struct command_option interfaces_options[] = {OF_NETWORK, OF_SUBNET, OF_INSTANCE,
							   OF_HOST};
static const struct command_option mappings_options[] = {OF_NETWORK, OF_HOST};
static const struct command_option drops_options[] = {OF_HOST, OF_INTERFACE};
static const struct command_option addresses_options[] = {OF_EDGE};
static const struct command_option nat_options[] = {OF_NETWORK, OF_EDGE};
static const struct command_option usage_options[] = {
	{"payer", "ACCOUNT", "that is billed to this account, whosever it is", false},
};

#define OPTIONS(o) .options = (o), .n_options = ARRAY_SIZE(o)

const struct command show_commands[SHOW_COMMANDS] = {
	{"status", "the manager: its store, and how much of everything there is", .run = run_show},
	{"hosts", "the hosts, their substrate addresses and whether they are connected",
	 .run = run_show},
	{"networks", "the virtual networks", .run = run_show},
	{"subnets", "the subnets", OPTIONS(of_network), .run = run_show},
	{"instances", "the instances and their hosts", OPTIONS(instances_options), .run = run_show},
	{"interfaces", "the interfaces, where they are and what their hosts have confirmed",
	 OPTIONS(interfaces_options), .run = run_show},
	{"mappings", "which host has which virtual address, and who knows",
	 OPTIONS(mappings_options), .run = run_show},
	{"releases", "addresses on their way from their nodes, and which hosts are waited for",
	 OPTIONS(of_network), .run = run_show},
	{"usage", "what went through interfaces, and for how long they were in use",
	 OPTIONS(usage_options), .run = run_show},
	{"addresses", "public addresses, what they stand for, and which edge has them",
	 OPTIONS(addresses_options), .run = run_show},
	{"nat-gateways", "the NAT gateways and which edge has them", OPTIONS(nat_options),
	 .run = run_show},
	{"flow-logs", "flow logs: what each is about (records: viaduct flow-log ID)",
	 .run = run_show},
	{"drops", "packets dropped, by host, interface and reason", OPTIONS(drops_options),
	 .run = run_show},
	{"traffic", "what the nodes of each host sent and got, by format", OPTIONS(of_host),
	 .run = run_show},
	{"capabilities", "what each host's probes found", OPTIONS(capability_options),
	 .run = run_capabilities},
	{"pair", "what was chosen for two hosts, and why", .arguments = "HOST HOST",
	 .min_arguments = 2, .max_arguments = 2, .run = run_pair},
};
