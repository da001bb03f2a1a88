/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/agents.h"

#include <stdio.h>

#include "base/str.h"
#include "ctl/agent_socket.h"
#include "ctl/complain.h"
#include "ctl/table.h"

struct agents_view {
	const char *word; /* of the command, and the request */
	const struct table_column *columns;
	size_t n_columns;
};

static const struct table_column status_columns[] = {
	{"AGENT", "agent"},
	{"HOST", "host.name"},
	{"MANAGER", "manager.state"},
	{"ERROR", "manager.error"},
	{"REVISION", "revision"},
	{"DATA PLANE", "datapath.open"},
	{"PORTS", "counts.ports"},
	{"MAPPINGS", "counts.mappings"},
	{"PEERS", "counts.peers"},
	{"INSTANCES", "counts.instances"},
	{"ROLE", "role"},
	{"VERSION", "version"},
	{"PROBLEM", "problem"},
};
static const struct table_column port_columns[] = {
	{"AGENT", "agent"}, {"INTERFACE", "interface"},   {"INSTANCE", "instance"},
	{"VNI", "vni"},     {"ADDRESSES", "addrs"},       {"MAC", "mac"},
	{"MTU", "mtu"},     {"TX PACKETS", "tx_packets"}, {"RX PACKETS", "rx_packets"},
};
static const struct table_column mapping_columns[] = {
	{"AGENT", "agent"}, {"VNI", "vni"},     {"ADDRESS", "addr"},      {"STATE", "state"},
	{"PEER", "peer"},   {"PEERS", "peers"}, {"REVISION", "revision"}, {"LEFT MS", "left_ms"},
};
static const struct table_column drop_columns[] = {
	{"AGENT", "agent"},
	{"INTERFACE", "interface"},
	{"REASON", "reason"},
	{"PACKETS", "packets"},
};
static const struct table_column capability_columns[] = {
	{"AGENT", "agent"},       {"FORMATS", "formats"},
	{"FEATURES", "features"}, {"REQUIRES", "required_features"},
	{"MTU", "substrate_mtu"}, {"KERNEL", "kernel"},
	{"TCX", "tcx"},           {"TAP USO", "tap_uso"},
	{"REFUSED", "refused"},   {"ERROR", "error"},
};
static const struct table_column peer_columns[] = {
	{"AGENT", "agent"},         {"NUMBER", "number"},  {"NAME", "name"},
	{"SENDS", "send"},          {"ACCEPTS", "accept"}, {"MTU", "path_mtu"},
	{"REACHABLE", "reachable"}, {"WHY", "text"},       {"REASON", "reason"},
};
static const struct table_column instance_columns[] = {
	{"AGENT", "agent"},   {"ID", "id"},           {"NAME", "name"},
	{"WANTED", "wanted"}, {"RUNNING", "running"},
};

#define COLUMNS(c) (c), ARRAY_SIZE(c)

static const struct agents_view views[AGENTS_COMMANDS] = {
	{"status", COLUMNS(status_columns)},           {"ports", COLUMNS(port_columns)},
	{"mappings", COLUMNS(mapping_columns)},        {"drops", COLUMNS(drop_columns)},
	{"capabilities", COLUMNS(capability_columns)}, {"peers", COLUMNS(peer_columns)},
	{"instances", COLUMNS(instance_columns)},
};

static const struct agents_view *find_view(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(views); i++)
		if (str_equal(views[i].word, word))
			return &views[i];
	return NULL;
}

/* ---- answers become rows, each with its agent's name ---- */

static int add_row(json_t *rows, const char *agent, json_t *row)
{
	if (json_object_set_new(row, "agent", json_string(agent)) || json_array_append(rows, row))
		return complain_memory();
	return 0;
}

/* {"TTL": 3} of an interface, or of the host as a whole. */
static int add_drops_of(json_t *rows, const char *agent, const char *interface, json_t *reasons)
{
	const char *reason;
	json_t *packets;
	int r = 0;

	json_object_foreach (reasons, reason, packets) {
		_cleanup_json_ json_t *row = json_pack("{s:s, s:s, s:O}", "interface", interface,
						       "reason", reason, "packets", packets);

		if (!r)
			r = row ? add_row(rows, agent, row) : complain_memory();
	}
	return r;
}

static int add_drops(json_t *rows, const char *agent, const json_t *answer)
{
	const char *interface;
	json_t *reasons;
	int r = add_drops_of(rows, agent, "-", json_object_get(answer, "host"));

	json_object_foreach (json_object_get(answer, "interfaces"), interface, reasons) {
		if (!r)
			r = add_drops_of(rows, agent, interface, reasons);
	}
	return r;
}

static int add_answer(json_t *rows, const struct agents_view *v, const char *agent,
		      const json_t *answer)
{
	json_t *what = json_object_get(answer, v->word), *row;
	const char *message = NULL;
	size_t i;
	int r = 0;

	if (!json_unpack((json_t *)(uintptr_t)answer, "{s:{s:s}}", "error", "message", &message))
		return complain(-EPROTO, "the agent of %s: %s", agent, message);
	if (str_equal(v->word, "drops"))
		return add_drops(rows, agent, what);
	if (json_is_object(what))
		return add_row(rows, agent, what);
	if (!json_is_array(what))
		return complain(-EPROTO, "the agent of %s does not say what was asked", agent);
	json_array_foreach (what, i, row) {
		if (!r)
			r = add_row(rows, agent, row);
	}
	return r;
}

/* ---- asking ---- */

/* One that does not run keeps the others from nothing. */
static int ask_all(const struct agent_sockets *s, const struct agents_view *v, const char *only,
		   json_t *rows)
{
	_cleanup_json_ json_t *body = json_pack("{s:s}", "request", v->word);
	bool known = false;
	int r = 0;

	if (!body)
		return complain_memory();
	for (size_t i = 0; s->names[i]; i++) {
		_cleanup_json_ json_t *answer = NULL;
		int one;

		if (only && !str_equal(s->names[i], only))
			continue;
		known = true;
		one = agent_socket_request(s, s->names[i], body, &answer);
		if (!one)
			one = add_answer(rows, v, s->names[i], answer);
		r = r ?: one;
	}
	if (!known)
		return complain(-ENOENT, "there is no agent \"%s\" in %s", only, s->directory);
	return r;
}

static int run_agents(const struct invocation *inv)
{
	const struct agents_view *v = find_view(inv->command->word);
	_cleanup_agent_sockets_ struct agent_sockets s = {0};
	_cleanup_json_ json_t *whole = json_pack("{s:[]}", v->word);
	json_t *rows = json_object_get(whole, v->word);
	int r = agent_sockets_find(inv, &s), asked;

	if (r)
		return r;
	if (!whole)
		return complain_memory();
	asked = ask_all(&s, v, inv->arguments[0], rows);
	if (asked && !json_array_size(rows))
		return asked;
	if (!invocation_option(inv, "json")) {
		if (table_print(stdout, rows, v->columns, v->n_columns))
			return complain_memory();
		return asked;
	}
	if (json_dumpf(whole, stdout, JSON_INDENT(2)))
		return complain(-EIO, "the output could not be written");
	putchar('\n');
	return asked;
}

#define AGENTS_COMMAND(word_, help_)                                                               \
	{                                                                                          \
		word_, help_, .arguments = "[AGENT]", .max_arguments = 1, .run = run_agents        \
	}

const struct command agents_commands[AGENTS_COMMANDS] = {
	AGENTS_COMMAND("status", "whether the manager is connected and why not, and how much there "
				 "is of everything"),
	AGENTS_COMMAND("ports", "the interfaces attached here, and their packets"),
	AGENTS_COMMAND("mappings", "the addresses elsewhere that are known here"),
	AGENTS_COMMAND("drops", "packets dropped until now, by interface and reason"),
	AGENTS_COMMAND("capabilities", "what the last probe found"),
	AGENTS_COMMAND("peers", "the other hosts: formats, and whether there is a way to them"),
	AGENTS_COMMAND("instances", "the instances that should run here, and whether they do"),
};
