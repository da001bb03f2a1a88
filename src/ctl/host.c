/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/host.h"

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

static const struct table_column drain_columns[] = {
	{"host", "host.name"},
	{"drained", "host.drained"},
	{"instances left", "host.instances"},
	{"gateways and public addresses left", "host.owns"},
	{"now", "host.drain.text"},
};

static int run_host_drain(const struct invocation *inv)
{
	bool drained = !invocation_option(inv, "off");
	_cleanup_json_ json_t *body = json_object(), *answer = NULL;
	int r;

	if (!body || json_object_set_new(body, "drained", json_boolean(drained)))
		return complain_memory();
	r = request_send(inv, "PUT", "/v1/hosts/", inv->arguments[0], "", body, &answer);
	return r ? r : request_print_object(inv, answer, drain_columns, ARRAY_SIZE(drain_columns));
}

static int run_host_show(const struct invocation *inv)
{
	_cleanup_json_ json_t *answer = NULL;
	int r = request_send(inv, "GET", "/v1/hosts/", inv->arguments[0], "", NULL, &answer);

	return r ? r : request_print_json(json_object_get(answer, "host"));
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
static const struct command_option host_drain_options[] = {
	{"off", NULL, "instances, gateways and public addresses come to it again", false},
};

static const struct command commands[] = {
	{"add", "a new host; prints the bundle for viaduct-agent join, but for a foreign one",
	 .arguments = "NAME", .min_arguments = 1, .max_arguments = 1, .options = host_add_options,
	 .n_options = ARRAY_SIZE(host_add_options), .run = run_host_add},
	{"show", "all that is known of a host, as JSON", .arguments = "HOST", .min_arguments = 1,
	 .max_arguments = 1, .run = run_host_show},
	{"set", "change what a host has room for, its cost and its labels", .arguments = "HOST",
	 .min_arguments = 1, .max_arguments = 1, .options = place_host_options,
	 .n_options = PLACE_HOST_OPTIONS, .run = place_run_host_set},
	{"drain", "let no more come to a host; an edge gives what it has to the others",
	 .arguments = "HOST", .min_arguments = 1, .max_arguments = 1, .options = host_drain_options,
	 .n_options = ARRAY_SIZE(host_drain_options), .run = run_host_drain},
	{"remove", "forget a host that has no instances", .arguments = "HOST", .min_arguments = 1,
	 .max_arguments = 1, .options = host_remove_options,
	 .n_options = ARRAY_SIZE(host_remove_options), .run = run_host_remove},
	{"probe", "have a host find out anew what it can do", .arguments = "HOST",
	 .min_arguments = 1, .max_arguments = 1, .run = run_host_probe},
	{"rotate", "new keys for all that a host seals", .arguments = "HOST", .min_arguments = 1,
	 .max_arguments = 1, .run = run_host_rotate},
};

const struct command host_command = {
	.word = "host",
	.help = "add, change, empty and remove hosts",
	.children = commands,
	.n_children = ARRAY_SIZE(commands),
};
