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

static const struct table_column attached_columns[] = {
	{"id", "interface.id"},          {"addresses", "interface.addresses"},
	{"attachment", "attachment.id"}, {"instance", "attachment.instance"},
	{"status", "attachment.status"},
};

static int run_interface_attach(const struct invocation *inv)
{
	_cleanup_json_ json_t *body = json_object(), *answer = NULL;
	int r = request_set_text(body, "instance", inv->arguments[1]);

	if (!r)
		r = request_set_number(inv, body, "device-index");
	if (!r)
		r = request_set_flag(inv, body, "allow-reassignment");
	if (!r)
		r = request_send(inv, "PUT", "/v1/interfaces/", inv->arguments[0], "/attachment",
				 body, &answer);
	return r ? r
		 : request_print_object(inv, answer, attached_columns,
					ARRAY_SIZE(attached_columns));
}

static const struct command_option interface_attach_options[] = {
	{"device-index", "N", "the node sees it as ethN (1)", false},
	{"allow-reassignment", NULL, "also if another instance has it: it goes over", false},
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

/* ---- what EC2 does not have ---- */

static const struct command_option interface_set_options[] = {
	{"condition", "STATE", "normal, disabled or in-repair", false},
	{"vlan", "N", "the tag of its node's frames, 1 to 4094; 0: none", false},
	{"dns-server", "ADDRESS", "that its node is told by DHCP; none: the network's", false},
	{"billing-account", "ACCOUNT", "who pays for it; none: its owner", false},
	{"attachers", "LIST", "accounts that may attach it, with commas between; none: no others",
	 false},
	{"detachers", "LIST", "likewise; none: the attachers", false},
	{"setters", "LIST", "that may give it addresses and take them", false},
	{"modifiers", "LIST", "that may change its attributes", false},
	{"routes", "LIST", "PREFIX or PREFIX=ADDRESS, that its node is told by DHCP; none", false},
};

static const struct table_column set_columns[] = {
	{"id", "interface.id"},
	{"status", "interface.status"},
	{"condition", "interface.condition"},
	{"vlan", "interface.vlan"},
	{"dns server", "interface.dns_server"},
	{"billing account", "interface.billing_account"},
	{"attachers", "interface.attachers"},
	{"detachers", "interface.detachers"},
	{"setters", "interface.setters"},
	{"modifiers", "interface.modifiers"},
	{"routes", "interface.routes"},
};

/* "none" is nothing. */
static const char *word_of(const struct invocation *inv, const char *option)
{
	const char *text = invocation_option(inv, option);

	return str_equal(text, "none") ? "" : text;
}

static json_t *account_of(const char *text, size_t length)
{
	return json_stringn(text, length);
}

/* PREFIX[=ADDRESS] */
static json_t *route_of(const char *text, size_t length)
{
	const char *equals = memchr(text, '=', length);
	size_t n = equals ? (size_t)(equals - text) : length;
	json_t *via = equals ? json_stringn(equals + 1, length - n - 1) : json_null();

	return json_pack("{s:s%,s:o}", "prefix", text, n, "via", via);
}

/* An array of what 'item' makes of each part of the option's list. */
static int set_list(const struct invocation *inv, json_t *body, const char *option,
		    json_t *(*item)(const char *text, size_t length))
{
	const char *text = word_of(inv, option);
	json_t *list;

	if (!text)
		return 0;
	list = json_array();
	if (json_object_set_new(body, option, list))
		return complain_memory();
	while (*text) {
		size_t length = strcspn(text, ",");

		if (json_array_append_new(list, item(text, length)))
			return complain_usage("--%s %s: what stands between commas is not text",
					      option, invocation_option(inv, option));
		text += length;
		text += *text == ',';
	}
	return 0;
}

static int run_interface_set(const struct invocation *inv)
{
	static const char *const lists[] = {"attachers", "detachers", "setters", "modifiers"};
	_cleanup_json_ json_t *body = json_object(), *answer = NULL;
	int r = request_set_text(body, "condition", invocation_option(inv, "condition"));

	if (!r)
		r = request_set_number(inv, body, "vlan");
	if (!r)
		r = request_set_text(body, "dns_server", word_of(inv, "dns-server"));
	if (!r)
		r = request_set_text(body, "billing_account", word_of(inv, "billing-account"));
	for (size_t i = 0; !r && i < ARRAY_SIZE(lists); i++)
		r = set_list(inv, body, lists[i], account_of);
	if (!r)
		r = set_list(inv, body, "routes", route_of);
	if (!r && !json_object_size(body))
		r = complain_usage("say what shall be set: --condition, --vlan, ... (--help)");
	if (!r)
		r = request_send(inv, "PUT", "/v1/interfaces/", inv->arguments[0], "", body,
				 &answer);
	return r ? r : request_print_object(inv, answer, set_columns, ARRAY_SIZE(set_columns));
}

static const struct command commands[] = {
	{"show", "one of them with its attachments, as JSON", .arguments = "INTERFACE",
	 .min_arguments = 1, .max_arguments = 1, .run = run_interface_show},
	{"set", "change what EC2 does not have of it", .arguments = "INTERFACE", .min_arguments = 1,
	 .max_arguments = 1, .options = interface_set_options,
	 .n_options = ARRAY_SIZE(interface_set_options), .run = run_interface_set},
	{"attach", "give one to an instance", .arguments = "INTERFACE INSTANCE", .min_arguments = 2,
	 .max_arguments = 2, .options = interface_attach_options,
	 .n_options = ARRAY_SIZE(interface_attach_options), .run = run_interface_attach},
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
	.help = "look at one interface, change it, give it to an instance, take it off, or put it "
		"on "
		"a foreign host",
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
