/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/lab_enter.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "ctl/complain.h"
#include "ctl/request.h"
#include "ctl/lab_net.h"
#include "ctl/locate.h"
#include "net/netns.h"

/* True for "router", "world", "manager", "h1".."hN", "e1".."eN". */
static bool is_part(const struct lab *l, const char *what)
{
	char name[LAB_NODE_NAME_SIZE];

	if (str_equal(what, "router") || (l->n_edges && str_equal(what, "world")))
		return true;
	for (uint32_t node = 0; node <= lab_last_node(l); node++)
		if (str_equal(what, lab_node_name(l, node, name)))
			return true;
	return false;
}

/* The ids of the nodes whose Name tag is 'name': '*ret' when there is one. */
static int find_named(const json_t *list, const char *name, char **ret)
{
	const json_t *instance;
	const char *found = NULL;
	size_t i, n = 0;

	json_array_foreach (json_object_get(list, "instances"), i, instance) {
		const json_t *tags = json_object_get(instance, "tags");
		const char *state = json_string_value(json_object_get(instance, "state"));

		if (!str_equal(json_string_value(json_object_get(tags, "Name")), name) ||
		    str_equal(state, "terminated"))
			continue;
		found = json_string_value(json_object_get(instance, "id"));
		n++;
	}
	if (!found)
		return complain(
			-ENOENT,
			"\"%s\" is no instance (by id or Name tag), no host, not the router, "
			"the world or the manager: \"viaduct instances\" shows what there is",
			name);
	if (n > 1)
		return complain(-EINVAL, "several instances have the name \"%s\": give the id",
				name);
	*ret = strdup(found);
	return *ret ? 0 : complain_memory();
}

static int find_by_name(const struct lab *l, const char *name, char **ret)
{
	_cleanup_(client_free_cleanup) struct client *c = NULL;
	_cleanup_free_ char *path = lab_path(l, "admin.json");
	_cleanup_json_ json_t *list = NULL;
	struct client_error error;
	int r;

	if (!path)
		return complain_memory();
	r = locate_admin(path, &c);
	if (r == -ENOENT)
		return complain(r, "lab %s has no manager yet", l->name);
	if (r)
		return r;
	r = client_list(c, "/v1/instances", "instances", &list, &error);
	if (r)
		return complain(r, "%s", error.text);
	return find_named(list, name, ret);
}

/* The namespace that 'what' means: "router", "manager", "h1".., a node's id, or the Name tag of one
 * node.  '*ret_node' is the node's id, to be freed, or NULL when it is none. */
static int lab_enter_find(const struct lab *l, const char *what, int *ret_fd, char **ret_node)
{
	_cleanup_free_ char *node = NULL;
	char name[LAB_NETNS_NAME_SIZE];
	int r;

	if (is_part(l, what)) {
		r = lab_net_open(l, what, ret_fd);
		if (!r)
			*ret_node = NULL;
		return r;
	}
	if (!str_has_prefix(what, "i-")) {
		r = find_by_name(l, what, &node);
		if (r)
			return r;
	} else {
		node = strdup(what);
		if (!node)
			return complain_memory();
	}
	r = lab_netns_name(l, node, name);
	if (!r)
		r = netns_open(LAB_NETNS_DIR, name, ret_fd);
	if (r)
		return complain(r, "instance %s does not run in lab %s", node, l->name);
	*ret_node = TAKE_PTR(node);
	return 0;
}

/* Mounts of this process alone: the node's resolv.conf, and a /sys of its namespace. */
static int make_private(const struct lab *l, const char *node)
{
	_cleanup_free_ char *resolv = NULL;

	if (str_printf(&resolv, "%s/run/resolv/%s.conf", l->directory, node))
		return complain_memory();
	/* A node without DHCP has none, and then the machine's must not be used either. */
	if (access(resolv, F_OK) < 0)
		free(TAKE_PTR(resolv));
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return complain_errno(-errno, "making a mount namespace");
	if (!access("/etc/resolv.conf", F_OK) &&
	    mount(resolv ? resolv : "/dev/null", "/etc/resolv.conf", NULL, MS_BIND, NULL) < 0)
		return complain_errno(-errno, "mounting the node's resolv.conf");
	if (mount("sysfs", "/sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return complain_errno(-errno, "mounting the node's /sys");
	return 0;
}

int lab_enter_exec(const struct lab *l, const char *what, char *const *argv)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *node = NULL;
	int r = lab_enter_find(l, what, &fd, &node);

	if (r)
		return r;
	r = netns_enter(fd);
	if (r)
		return complain_errno(r, "entering %s", what);
	if (node)
		r = make_private(l, node);
	if (r)
		return r;
	execvp(argv[0], argv);
	r = errno == ENOENT ? EXIT_NO_COMMAND : EXIT_CANNOT_EXECUTE;
	(void)complain_errno(-errno, "%s", argv[0]);
	return r;
}

/* 'text' in single quotes. */
static void print_quoted(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text; text++)
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fputc(*text, out);
	fputs("'\n", out);
}

static int print_env(const struct lab *l, FILE *out, bool as_json)
{
	_cleanup_free_ char *path = lab_path(l, "admin.json"), *text = NULL;
	_cleanup_json_ json_t *admin = NULL;
	const char *endpoint, *token;
	int r;

	if (!path)
		return complain_memory();
	r = file_read(path, LIMIT_LAB_FILE_SIZE, &text, NULL);
	if (r == -ENOENT)
		return complain(r, "lab %s has no manager yet", l->name);
	if (r)
		return complain_errno(r, "%s", path);
	admin = json_loads(text, 0, NULL);
	if (json_unpack(admin, "{s:s,s:s}", "endpoint", &endpoint, "token", &token))
		return complain(-EBADMSG, "%s has no endpoint and token in it", path);
	const char *const variables[][2] = {
		{"VIADUCT_LAB", l->name},
		{"VIADUCT_ENDPOINT", endpoint},
		{"VIADUCT_TOKEN", token},
		{"AWS_ENDPOINT_URL", endpoint},
		{"AWS_ACCESS_KEY_ID", LAB_ACCESS_KEY},
		{"AWS_SECRET_ACCESS_KEY", LAB_SECRET_KEY},
		{"AWS_DEFAULT_REGION", LAB_REGION},
		{"AWS_EC2_METADATA_DISABLED", "true"},
		{"AWS_PAGER", ""},
	};

	if (as_json) {
		_cleanup_json_ json_t *object = json_object();

		for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
			json_object_set_new(object, variables[i][0], json_string(variables[i][1]));
		return request_print_json(object);
	}
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		fprintf(out, "export %s=", variables[i][0]);
		print_quoted(out, variables[i][1]);
	}
	return 0;
}

int lab_enter_print_env(const struct lab *l, bool as_json)
{
	return print_env(l, stdout, as_json);
}

/* What the shell reads: the user's own settings first, then the lab's. */
static int write_shell_rc(const struct lab *l, const char *path)
{
	char self[512];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	FILE *out = fopen(path, "we");
	int r;

	if (!out)
		return complain_errno(-errno, "%s", path);
	fputs("[ -f ~/.bashrc ] && . ~/.bashrc\n", out);
	r = print_env(l, out, false);
	if (n > 0) {
		self[n] = '\0';
		fputs("viaduct() { ", out);
		fprintf(out, "\"%s\" \"$@\"; }\n", self);
		fputs("eval \"$(viaduct completion)\"\n", out);
	}
	fputs("aws() { command aws --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"; }\n", out);
	fprintf(out, "PS1='(lab %s) \\w\\$ '\n", l->name);
	if (fclose(out))
		return complain_errno(-errno, "%s", path);
	return r;
}

int lab_enter_shell(const struct lab *l)
{
	_cleanup_free_ char *path = lab_path(l, "shellrc");
	int r;

	if (!path)
		return complain_memory();
	r = write_shell_rc(l, path);
	if (r)
		return r;
	execlp("bash", "bash", "--rcfile", path, "-i", NULL);
	return complain_errno(-errno, "starting bash");
}
