/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/connections.h"

#include <stdio.h>

#include "base/str.h"
#include "ctl/agent_socket.h"
#include "ctl/complain.h"
#include "ctl/table.h"

static const struct table_column columns[] = {
	{"HOST", "host"},          {"INTERFACE", "interface"}, {"PROTOCOL", "protocol"},
	{"LOCAL", "local"},        {"PORT", "local_port"},     {"REMOTE", "remote"},
	{"PORT", "remote_port"},   {"BEGUN", "begun"},         {"STATE", "state"},
	{"EXPIRES", "expires_in"},
};

struct answers {
	json_t *list;
	bool truncated;
	bool known; /* an agent has the interface that was asked for, or is too old to say */
};

/* Adds what one agent says, each row with the host's name. */
static int add_answer(struct answers *a, const char *host, const json_t *answer)
{
	const json_t *connections = json_object_get(answer, "connections");
	json_t *list = json_object_get(connections, "list"), *row;
	const char *message = NULL;
	size_t i;

	if (!json_unpack((json_t *)(uintptr_t)answer, "{s:{s:s}}", "error", "message", &message))
		return complain(-EPROTO, "the agent of %s: %s", host, message);
	a->truncated |= json_is_true(json_object_get(connections, "truncated"));
	a->known |= !json_is_false(json_object_get(connections, "known"));
	json_array_foreach (list, i, row) {
		if (json_object_set_new(row, "host", json_string(host)) ||
		    json_array_append(a->list, row))
			return complain_memory();
	}
	return 0;
}

static int ask(const struct agent_sockets *s, const char *host, const json_t *body,
	       struct answers *a)
{
	_cleanup_json_ json_t *answer = NULL;
	int r = agent_socket_request(s, host, body, &answer);

	return r ? r : add_answer(a, host, answer);
}

/* An interface is asked for everywhere: only its own host has it. */
static int ask_all(const struct agent_sockets *s, const char *what, struct answers *a)
{
	const bool interface = what && str_has_prefix(what, "eni-");
	_cleanup_json_ json_t *body = json_pack("{s:s,s:s*}", "request", "connections", "interface",
						interface ? what : NULL);
	bool known = false;
	int r = 0;

	if (!body)
		return complain_memory();
	for (size_t i = 0; !r && s->names[i]; i++) {
		if (what && !interface && !str_equal(s->names[i], what))
			continue;
		known = true;
		r = ask(s, s->names[i], body, a);
	}
	if (!r && !known)
		return complain(-ENOENT,
				"\"%s\" is neither an interface (eni-...) nor an agent in %s", what,
				s->directory);
	if (!r && !a->known)
		return complain(-ENOENT,
				"no agent in %s has an interface \"%s\": viaduct interfaces shows "
				"which host has it",
				s->directory, what);
	return r;
}

static int run_connections(const struct invocation *inv)
{
	_cleanup_agent_sockets_ struct agent_sockets s = {0};
	_cleanup_json_ json_t *whole = json_pack("{s:[]}", "connections");
	struct answers a = {.list = json_object_get(whole, "connections")};
	int r = agent_sockets_find(inv, &s);

	if (!r)
		r = whole ? ask_all(&s, inv->arguments[0], &a) : complain_memory();
	if (r)
		return r;
	if (a.truncated)
		complain_note("there are more than these: name an interface");
	if (!invocation_option(inv, "json"))
		return table_print(stdout, a.list, columns, ARRAY_SIZE(columns)) ? complain_memory()
										 : 0;
	if (json_dumpf(whole, stdout, JSON_INDENT(2)))
		return complain(-EIO, "the output could not be written");
	putchar('\n');
	return 0;
}

const struct command connections_command = {
	"connections",
	"the connections that agents of this machine track, of a host or an interface",
	.arguments = "[HOST|INTERFACE]",
	.max_arguments = 1,
	.run = run_connections,
};
