/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/interface.h"

#include <string.h>

#include "base/str.h"
#include "ctl/complain.h"
#include "ctl/request.h"
#include "ctl/table.h"

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

static int run_interface_show(const struct invocation *inv)
{
	_cleanup_json_ json_t *answer = NULL;
	int r = request_send(inv, "GET", "/v1/interfaces/", inv->arguments[0], "", NULL, &answer);

	return r ? r : request_print_json(json_object_get(answer, "interface"));
}

static int run_interface_detach(const struct invocation *inv)
{
	const char *attachment = invocation_option(inv, "attachment");
	const char *force = invocation_option(inv, "force") ? "force=true" : "";
	_cleanup_free_ char *suffix = NULL;

	if (attachment &&
	    strspn(attachment, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(attachment))
		return complain_usage("--attachment %s: it is an id (\"viaduct interface show\")",
				      attachment);
	if (str_printf(&suffix, "/attachment%s%s%s%s%s", attachment || *force ? "?" : "",
		       attachment ? "attachment=" : "", attachment ?: "",
		       attachment && *force ? "&" : "", force))
		return complain_memory();
	return request_send(inv, "DELETE", "/v1/interfaces/", inv->arguments[0], suffix, NULL,
			    NULL);
}

static const struct command_option interface_detach_options[] = {
	{"attachment", "ID", "which, of a shared one that has several", false},
	{"force", NULL, "whatever its host does with it: the host is off for good", false},
};

static const struct command commands[] = {
	{"show", "one of them with its attachments, as JSON", .arguments = "INTERFACE",
	 .min_arguments = 1, .max_arguments = 1, .run = run_interface_show},
	{"detach", "take one from its instance", .arguments = "INTERFACE", .min_arguments = 1,
	 .max_arguments = 1, .options = interface_detach_options,
	 .n_options = ARRAY_SIZE(interface_detach_options), .run = run_interface_detach},
	{"place", "put an interface that is attached to nothing on a foreign host",
	 .arguments = "INTERFACE", .min_arguments = 1, .max_arguments = 1,
	 .options = interface_place_options, .n_options = ARRAY_SIZE(interface_place_options),
	 .run = run_interface_place},
	{"unplace", "take it off again", .arguments = "INTERFACE", .min_arguments = 1,
	 .max_arguments = 1, .run = run_interface_unplace},
};

const struct command interface_command = {
	.word = "interface",
	.help = "look at one interface, take it off its instance or put it on a foreign host",
	.children = commands,
	.n_children = ARRAY_SIZE(commands),
};

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

static const struct command_option share_options[] = {
	{"off", NULL, "it is attached to one instance at most, as it was", false},
};

const struct command interface_share_command = {
	.word = "share",
	.help = "let an interface be attached to several instances, connections spread over them",
	.arguments = "INTERFACE",
	.min_arguments = 1,
	.max_arguments = 1,
	.options = share_options,
	.n_options = ARRAY_SIZE(share_options),
	.run = run_share,
};
