/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/lab_command.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "ctl/complain.h"
#include "ctl/lab_daemon.h"
#include "ctl/lab_enter.h"
#include "ctl/lab_up.h"
#include "ctl/lab_wait.h"
#include "ctl/request.h"
#include "ctl/table.h"

#define DEFAULT_NAME  "lab"
#define DEFAULT_HOSTS 2
#define DEFAULT_EDGES 1
#define DEFAULT_MTU   1500
/* RFC 8200: a link under IPv6 carries 1280 bytes; veth takes up to 65535. */
#define MTU_MIN 1280
#define MTU_MAX 65535

static const struct command_option name_option[] = {
	{"name", "NAME", "which lab (default: $VIADUCT_LAB, or the only one)", false},
};
static const struct command_option restart_options[] = {
	{"name", "NAME", "which lab (default: $VIADUCT_LAB, or the only one)", false},
	{"agent", "PROGRAM", "start agents from another build of viaduct-agent", false},
};
static const struct command_option up_options[] = {
	{"name", "NAME", "of the lab (default: lab)", false},
	{"hosts", "N", "how many hosts, 1 to 64 (default: 2)", false},
	{"edges", "N", "how many edges to the world outside, 0 to 8 (default: 1)", false},
	{"racks", "N", "how many racks the hosts stand in, in turn (default: one each)", false},
	{"substrate", "ipv6|ipv4", "what the hosts' network speaks (default: ipv6)", false},
	{"no-aliases", NULL, "on IPv4: hosts get no alias ranges, so no reip4", false},
	{"mtu", "BYTES", "of the substrate's links (default: 1500)", false},
	{"formats", "[HOST=]LIST", "all that hosts, or this host, may use: siit/1,ipip6/1", true},
	{"features", "[HOST=]LIST", "beside formats, likewise: crypt,lz4, or none", true},
	{"require", "[HOST=]LIST", "what hosts, or this host, do not talk without: crypt,lz4",
	 true},
	{"seal-cpus", "[HOST=]LIST", "the only processors that seal for hosts, or this host: 0,2-3",
	 true},
	{"manager-state", "DIR", "the manager's state, kept afterwards (default: in the lab)",
	 false},
	{"keep-failed", NULL, "leave a lab that does not come up, to be looked at", false},
};

static const char *lab_option(const struct invocation *inv)
{
	const char *name = invocation_option(inv, "name");

	return name ? name : invocation_option(inv, "lab");
}

static int find(const struct invocation *inv, struct lab *ret)
{
	return lab_find(lab_option(inv), ret);
}

static int parse_number(const struct invocation *inv, const char *option, uint32_t min,
			uint32_t max, uint32_t *value)
{
	const char *text = invocation_option(inv, option);

	if (!text || !str_u32(text, min, max, value))
		return 0;
	return complain_usage("--%s %s: a number from %u to %u", option, text, min, max);
}

static int set_list(char **place, const char *list)
{
	free(*place);
	*place = strdup(list);
	return *place ? 0 : complain_memory();
}

/* "LIST" for all hosts, "h2=LIST" for one; the later one counts. */
static int parse_lists(struct lab *l, const char *option, const char *text, char **lists)
{
	const char *equals = strchr(text, '=');
	char name[LAB_NODE_NAME_SIZE];
	bool known = false;
	int r = 0;

	for (uint32_t node = 1; !r && node <= lab_last_node(l); node++) {
		lab_node_name(l, node, name);
		if (equals && (strlen(name) != (size_t)(equals - text) ||
			       strncmp(name, text, (size_t)(equals - text)) != 0))
			continue;
		known = true;
		r = set_list(&lists[node], equals ? equals + 1 : text);
	}
	if (!known)
		return complain_usage("--%s %s: there is no such host in this lab", option, text);
	return r;
}

static int parse_up(const struct invocation *inv, struct lab *l)
{
	const char *name = lab_option(inv), *text;
	size_t at = 0;
	int r;

	name = name ? name : DEFAULT_NAME;
	if (!lab_name_is_valid(name) || str_copy(l->name, sizeof(l->name), name))
		return complain_usage(
			"\"%s\" cannot be a lab's name: a letter and up to %d letters "
			"and digits, lower case",
			name, LAB_NAME_SIZE - 2);
	text = invocation_option(inv, "substrate");
	if (text && !str_equal(text, "ipv4") && !str_equal(text, "ipv6"))
		return complain_usage("--substrate %s: ipv4 or ipv6", text);
	l->ipv4 = str_equal(text, "ipv4");
	l->aliases = l->ipv4 && !invocation_option(inv, "no-aliases");
	r = parse_number(inv, "hosts", 1, LIMIT_LAB_HOSTS, &l->n_hosts);
	if (!r)
		r = parse_number(inv, "edges", 0, LIMIT_LAB_EDGES, &l->n_edges);
	if (!r)
		r = parse_number(inv, "racks", 1, LAB_RACKS_MAX, &l->n_racks);
	if (!r)
		r = parse_number(inv, "mtu", MTU_MIN, MTU_MAX, &l->mtu);
	while (!r && (text = invocation_next(inv, "formats", &at)))
		r = parse_lists(l, "formats", text, l->formats);
	at = 0;
	while (!r && (text = invocation_next(inv, "features", &at)))
		r = parse_lists(l, "features", text, l->features);
	at = 0;
	while (!r && (text = invocation_next(inv, "require", &at)))
		r = parse_lists(l, "require", text, l->require);
	at = 0;
	while (!r && (text = invocation_next(inv, "seal-cpus", &at)))
		r = parse_lists(l, "seal-cpus", text, l->seal_cpus);
	text = invocation_option(inv, "manager-state");
	if (!r && text) {
		l->manager_state = strdup(text);
		r = l->manager_state ? 0 : complain_memory();
	}
	return r;
}

static int print_json(json_t *object)
{
	_cleanup_json_ json_t *mine = object;

	return mine ? request_print_json(mine) : complain_memory();
}

static int print_lab_json(const struct lab *l)
{
	return print_json(json_pack(
		"{s:s,s:i,s:i,s:s,s:i,s:o,s:s,s:s,s:s}", "name", l->name, "hosts", (int)l->n_hosts,
		"edges", (int)l->n_edges, "substrate", l->ipv4 ? "ipv4" : "ipv6", "mtu",
		(int)l->mtu, "endpoint", json_sprintf("http://127.0.0.1:%u", l->port), "account",
		LAB_ACCOUNT, "access_key_id", LAB_ACCESS_KEY, "secret_access_key", LAB_SECRET_KEY));
}

static int run_up(const struct invocation *inv)
{
	_cleanup_(lab_deinit) struct lab l = {.n_hosts = DEFAULT_HOSTS,
					      .n_edges = DEFAULT_EDGES,
					      .mtu = DEFAULT_MTU,
					      .lock_fd = -1};
	int r = parse_up(inv, &l);

	if (!r)
		r = lab_up(&l, invocation_option(inv, "keep-failed") != NULL);
	if (r)
		return r;
	if (invocation_option(inv, "json"))
		return print_lab_json(&l);
	printf("Lab %s is up: %u host%s, %u edge%s, substrate %s, MTU %u.\n", l.name, l.n_hosts,
	       l.n_hosts == 1 ? "" : "s", l.n_edges, l.n_edges == 1 ? "" : "s",
	       l.ipv4 ? "ipv4" : "ipv6", l.mtu);
	printf("API: http://127.0.0.1:%u  (account " LAB_ACCOUNT ", key " LAB_ACCESS_KEY
	       ", secret " LAB_SECRET_KEY ")\n",
	       l.port);
	printf("Go on with: viaduct lab shell --name %s\n", l.name);
	printf("End it with: viaduct lab down --name %s\n", l.name);
	return 0;
}

/* The name of a lab to end need not be one whose lab.json can be read. */
static int run_down(const struct invocation *inv)
{
	_cleanup_(lab_deinit) struct lab l = {.lock_fd = -1};
	_cleanup_(strv_free_cleanup) char **names = NULL;
	const char *name = lab_option(inv);
	bool found;
	int r = 0;

	name = name ? name : getenv("VIADUCT_LAB");
	if (!name) {
		r = lab_list(&names);
		if (!r && names[0] && names[1])
			r = complain_usage("there are several labs: say which one with --name");
		name = r || !names[0] ? DEFAULT_NAME : names[0];
	}
	if (!r && !lab_name_is_valid(name))
		r = complain_usage("\"%s\" cannot be a lab's name", name);
	if (!r && !lab_load(name, &l))
		r = lab_lock(&l);
	if (!r)
		r = lab_down(name, &found);
	if (r)
		return r;
	if (invocation_option(inv, "json"))
		return print_json(json_pack("{s:s,s:b}", "name", name, "found", found));
	printf(found ? "Lab %s is down.\n" : "There is no lab %s.\n", name);
	return 0;
}

static int run_exec(const struct invocation *inv)
{
	_cleanup_(lab_deinit) struct lab l = {.lock_fd = -1};
	int r = find(inv, &l);

	return r ? r : lab_enter_exec(&l, inv->arguments[0], (char *const *)inv->arguments + 1);
}

static int run_shell(const struct invocation *inv)
{
	_cleanup_(lab_deinit) struct lab l = {.lock_fd = -1};
	int r = find(inv, &l);

	return r ? r : lab_enter_shell(&l);
}

static int run_env(const struct invocation *inv)
{
	_cleanup_(lab_deinit) struct lab l = {.lock_fd = -1};
	int r = find(inv, &l);

	return r ? r : lab_enter_print_env(&l, invocation_option(inv, "json"));
}

/* "", ", h1", ", h1 .. h3". */
static const char *range(char letter, uint32_t n, char ret[static 24])
{
	int r = n > 1 ? str_format(ret, 24, ", %c1 .. %c%u", letter, letter, n)
		      : str_format(ret, 24, n ? ", %c1" : "", letter);

	return r ? "" : ret;
}

static int restart_one(struct lab *l, const char *what, const char *build)
{
	char name[LAB_NODE_NAME_SIZE], hosts[24], edges[24];

	for (uint32_t node = 0; node <= lab_last_node(l); node++)
		if (str_equal(what, lab_node_name(l, node, name)))
			return lab_restart(l, node, build);
	return complain_usage("\"%s\" is no part of lab %s with a daemon: manager%s%s", what,
			      l->name, range('h', l->n_hosts, hosts),
			      range('e', l->n_edges, edges));
}

static int run_restart(const struct invocation *inv)
{
	_cleanup_(lab_deinit) struct lab l = {.lock_fd = -1};
	const char *build = invocation_option(inv, "agent");
	int r = find(inv, &l);

	if (!r && build && access(build, X_OK) < 0)
		r = complain_errno(-errno, "%s", build);
	if (!r)
		r = lab_lock(&l);
	lab_wait_defer_signals();
	for (size_t i = 0; !r && i < inv->n_arguments; i++)
		r = restart_one(&l, inv->arguments[i], build);
	return r ? r : request_print_done(inv);
}

static int describe(const char *name, json_t *list)
{
	_cleanup_(lab_deinit) struct lab l = {.lock_fd = -1};
	json_t *daemons = json_object(), *pids = json_object();
	char node_name[LAB_NODE_NAME_SIZE];
	uint32_t n_running = 0;
	int r = lab_load(name, &l);

	if (r) {
		json_decref(daemons);
		json_decref(pids);
		return r == -ENOENT || r == -EBADMSG ? 0 : r;
	}
	for (uint32_t node = 0; node <= lab_last_node(&l); node++) {
		if (!lab_daemon_is_running(&l, node))
			continue;
		n_running++;
		json_object_set_new(pids, lab_node_name(&l, node, node_name),
				    json_integer(l.processes[node].pid));
	}
	json_object_set_new(daemons, "running", json_integer(n_running));
	json_object_set_new(daemons, "pids", pids);
	if (json_array_append_new(list,
				  json_pack("{s:s,s:s,s:i,s:i,s:s,s:i,s:o,s:o}", "name", l.name,
					    "state", l.up ? "up" : "incomplete", "hosts",
					    (int)l.n_hosts, "edges", (int)l.n_edges, "substrate",
					    l.ipv4 ? "ipv4" : "ipv6", "mtu", (int)l.mtu, "endpoint",
					    json_sprintf("http://127.0.0.1:%u", l.port), "daemons",
					    daemons)))
		return complain_memory();
	return 0;
}

static int run_list(const struct invocation *inv)
{
	static const struct table_column columns[] = {
		{"NAME", "name"},           {"STATE", "state"},
		{"HOSTS", "hosts"},         {"EDGES", "edges"},
		{"SUBSTRATE", "substrate"}, {"MTU", "mtu"},
		{"ENDPOINT", "endpoint"},   {"DAEMONS", "daemons.running"},
	};
	_cleanup_(strv_free_cleanup) char **names = NULL;
	_cleanup_json_ json_t *list = json_array(), *whole = NULL;
	int r = lab_list(&names);

	for (size_t i = 0; !r && names[i]; i++)
		r = describe(names[i], list);
	if (r)
		return r;
	if (!invocation_option(inv, "json"))
		return table_print(stdout, list, columns, ARRAY_SIZE(columns)) ? complain_memory()
									       : 0;
	whole = json_pack("{s:O}", "labs", list);
	return whole ? request_print_json(whole) : complain_memory();
}

#define NAME_OPTION .options = name_option, .n_options = ARRAY_SIZE(name_option)

const struct command lab_commands[LAB_COMMANDS] = {
	{"up", "start a cluster of namespaces on this machine", .options = up_options,
	 .n_options = ARRAY_SIZE(up_options), .run = run_up},
	{"down", "end a lab and all that belongs to it, also after a crash", NAME_OPTION,
	 .run = run_down},
	{"exec",
	 "run a command inside an instance, a host, an edge, the router, the world or the manager",
	 .arguments = "INSTANCE|hN|eN|router|world|manager -- COMMAND...", .min_arguments = 2,
	 .max_arguments = LIMIT_CTL_WORDS, NAME_OPTION, .run = run_exec,
	 .not_json = "it prints what COMMAND prints (whose own options stand behind --)"},
	{"shell", "a shell that knows the lab: viaduct and aws just work", NAME_OPTION,
	 .run = run_shell, .not_json = "it is for people"},
	{"env", "print the variables of such a shell: eval \"$(viaduct lab env)\"", NAME_OPTION,
	 .run = run_env},
	{"restart", "start daemons anew, after a crash or to see what happens",
	 .arguments = "manager|hN|eN...", .min_arguments = 1, .max_arguments = LIMIT_LAB_NODES + 1,
	 .options = restart_options, .n_options = ARRAY_SIZE(restart_options), .run = run_restart},
	{"list", "the labs on this machine", .run = run_list},
};
