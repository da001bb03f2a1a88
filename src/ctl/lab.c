/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/lab.h"

#include <ctype.h>
#include <dirent.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/complain.h"

void lab_deinit(struct lab *l)
{
	free(TAKE_PTR(l->directory));
	free(TAKE_PTR(l->manager_state));
	for (size_t i = 0; i < ARRAY_SIZE(l->formats); i++) {
		free(TAKE_PTR(l->formats[i]));
		free(TAKE_PTR(l->features[i]));
		free(TAKE_PTR(l->require[i]));
		free(TAKE_PTR(l->seal_cpus[i]));
	}
	/* A zeroed struct holds none: descriptor 0 is never a lock. */
	if (l->lock_fd > 0)
		close(TAKE_FD(l->lock_fd));
}

bool lab_name_is_valid(const char *name)
{
	size_t length = strlen(name);

	if (!length || length >= LAB_NAME_SIZE || !islower((unsigned char)name[0]))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!islower((unsigned char)name[i]) && !isdigit((unsigned char)name[i]))
			return false;
	return true;
}

char *lab_path(const struct lab *l, const char *leaf)
{
	char *path;

	return str_printf(&path, "%s/%s", l->directory, leaf) ? NULL : path;
}

uint32_t lab_last_node(const struct lab *l)
{
	return l->n_hosts + l->n_edges;
}

bool lab_is_edge(const struct lab *l, uint32_t node)
{
	return node > l->n_hosts;
}

const char *lab_node_name(const struct lab *l, uint32_t node, char ret[static LAB_NODE_NAME_SIZE])
{
	if (lab_is_edge(l, node))
		snprintf(ret, LAB_NODE_NAME_SIZE, "e%u", node - l->n_hosts);
	else
		snprintf(ret, LAB_NODE_NAME_SIZE, node ? "h%u" : "manager", node);
	return ret;
}

int lab_netns_name(const struct lab *l, const char *what, char ret[static LAB_NETNS_NAME_SIZE])
{
	return str_format(ret, LAB_NETNS_NAME_SIZE, "vd-%s-%s", l->name, what);
}

/* fd76:6c61:6200:NODE::END or 172.31.NODE.END */
static struct ipaddr link_address(const struct lab *l, uint32_t node, uint8_t end)
{
	struct ipaddr a = {{0xfd, 0x76, 0x6c, 0x61, 0x62, 0, 0, (uint8_t)node, [15] = end}};

	return l->ipv4 ? ipaddr_from_v4(172U << 24 | 31U << 16 | node << 8 | end) : a;
}

struct ipaddr lab_node_address(const struct lab *l, uint32_t node)
{
	return link_address(l, node, 2);
}

struct ipaddr lab_gateway_address(const struct lab *l, uint32_t node)
{
	return link_address(l, node, 1);
}

struct prefix lab_aliases(uint32_t node)
{
	return prefix_v4(172U << 24 | 30U << 16 | node << 8, 24);
}

/* 203.0.113.END or 2001:db8:ffff::END (RFC 5737, RFC 3849) */
static struct ipaddr outside_address(bool ipv4, uint8_t end)
{
	struct ipaddr a = {{0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, [15] = end}};

	return ipv4 ? ipaddr_from_v4(203U << 24 | 113U << 8 | end) : a;
}

struct ipaddr lab_world_address(bool ipv4)
{
	return outside_address(ipv4, 1);
}

struct ipaddr lab_uplink_address(const struct lab *l, uint32_t node, bool ipv4)
{
	return outside_address(ipv4, (uint8_t)(10 + node - l->n_hosts));
}

static int set_directory(struct lab *l)
{
	if (str_printf(&l->directory, LAB_ROOT "/%s", l->name))
		return complain_memory();
	return 0;
}

int lab_lock(struct lab *l)
{
	_cleanup_free_ char *path = lab_path(l, "lock");
	int r;

	if (!path)
		return complain_memory();
	r = file_lock(path, &l->lock_fd);
	if (r == -EWOULDBLOCK)
		return complain(r,
				"lab %s is being started or ended by another command: wait for it",
				l->name);
	return r ? complain_errno(r, "%s", path) : 0;
}

int lab_create(struct lab *l)
{
	int r = set_directory(l);

	if (!r)
		r = file_mkdirs(LAB_ROOT, 0755);
	if (r)
		return complain_errno(r, "making %s", LAB_ROOT);
	if (mkdir(l->directory, 0700) < 0) {
		r = -errno;
		if (r == -EEXIST)
			return complain(
				r,
				"lab %s is there already: use it, end it with \"viaduct lab down "
				"--name %s\", or give this one another name with --name",
				l->name, l->name);
		return complain_errno(r, "making %s", l->directory);
	}
	if (!l->manager_state) {
		l->manager_state = lab_path(l, "manager");
		if (!l->manager_state)
			return complain_memory();
	}
	return lab_lock(l);
}

static json_t *processes_to_json(const struct lab *l)
{
	json_t *list = json_object();
	char name[LAB_NODE_NAME_SIZE];

	for (uint32_t i = 0; i <= lab_last_node(l); i++)
		if (l->processes[i].pid)
			json_object_set_new(list, lab_node_name(l, i, name),
					    json_pack("{s:i,s:I}", "pid", (int)l->processes[i].pid,
						      "start", (json_int_t)l->processes[i].start));
	return list;
}

/* Lists of nodes, by their names. */
static json_t *lists_to_json(const struct lab *l, char *const *lists)
{
	json_t *list = json_object();
	char name[LAB_NODE_NAME_SIZE];

	for (uint32_t i = 1; i <= lab_last_node(l); i++)
		if (lists[i])
			json_object_set_new(list, lab_node_name(l, i, name), json_string(lists[i]));
	return list;
}

int lab_save(const struct lab *l)
{
	_cleanup_free_ char *path = lab_path(l, "lab.json"), *text = NULL;
	_cleanup_json_ json_t *j = NULL;
	int r;

	j = json_pack("{s:i,s:s,s:b,s:s,s:i,s:i,s:i,s:i,s:s,s:o,s:o,s:o,s:o,s:o}", "version", 1,
		      "name", l->name, "up", l->up, "substrate", l->ipv4 ? "ipv4" : "ipv6", "mtu",
		      (int)l->mtu, "hosts", (int)l->n_hosts, "edges", (int)l->n_edges, "port",
		      (int)l->port, "manager_state", l->manager_state, "formats",
		      lists_to_json(l, l->formats), "features", lists_to_json(l, l->features),
		      "require", lists_to_json(l, l->require), "seal_cpus",
		      lists_to_json(l, l->seal_cpus), "processes", processes_to_json(l));
	text = j ? json_dumps(j, JSON_INDENT(2)) : NULL;
	if (!text || !path)
		return complain_memory();
	r = file_write_atomic(path, text, strlen(text), 0600);
	return r ? complain_errno(r, "%s", path) : 0;
}

static void processes_from_json(struct lab *l, const json_t *list)
{
	char name[LAB_NODE_NAME_SIZE];

	for (uint32_t i = 0; i <= lab_last_node(l); i++) {
		const json_t *p = json_object_get(list, lab_node_name(l, i, name));

		l->processes[i].pid = (pid_t)json_integer_value(json_object_get(p, "pid"));
		l->processes[i].start = (uint64_t)json_integer_value(json_object_get(p, "start"));
	}
}

static int lists_from_json(const struct lab *l, const json_t *json, char **lists)
{
	char name[LAB_NODE_NAME_SIZE];

	for (uint32_t i = 1; i <= lab_last_node(l); i++) {
		const char *list =
			json_string_value(json_object_get(json, lab_node_name(l, i, name)));

		if (!list)
			continue;
		lists[i] = strdup(list);
		if (!lists[i])
			return -ENOMEM;
	}
	return 0;
}

static int from_json(struct lab *l, json_t *j)
{
	json_t *formats = NULL, *features = NULL, *require = NULL, *seal_cpus = NULL;
	json_t *processes = NULL;
	int r;
	int version, up, mtu, n_hosts, n_edges = 0, port;
	const char *substrate, *manager_state;

	if (json_unpack(j, "{s:i,s:b,s:s,s:i,s:i,s?i,s:i,s:s,s:o,s?o,s?o,s?o,s:o}", "version",
			&version, "up", &up, "substrate", &substrate, "mtu", &mtu, "hosts",
			&n_hosts, "edges", &n_edges, "port", &port, "manager_state", &manager_state,
			"formats", &formats, "features", &features, "require", &require,
			"seal_cpus", &seal_cpus, "processes", &processes))
		return -EBADMSG;
	if (version != 1 || n_hosts < 1 || n_hosts > LIMIT_LAB_HOSTS || n_edges < 0 ||
	    n_edges > LIMIT_LAB_EDGES || port < 0 || port > UINT16_MAX)
		return -EBADMSG;
	l->up = up;
	l->ipv4 = str_equal(substrate, "ipv4");
	l->mtu = (uint32_t)mtu;
	l->n_hosts = (uint32_t)n_hosts;
	l->n_edges = (uint32_t)n_edges;
	l->port = (uint16_t)port;
	l->manager_state = strdup(manager_state);
	if (!l->manager_state)
		return -ENOMEM;
	processes_from_json(l, processes);
	r = lists_from_json(l, formats, l->formats);
	if (!r)
		r = lists_from_json(l, features, l->features);
	if (!r)
		r = lists_from_json(l, require, l->require);
	return r ? r : lists_from_json(l, seal_cpus, l->seal_cpus);
}

int lab_load(const char *name, struct lab *ret)
{
	_cleanup_(lab_deinit) struct lab l = {.lock_fd = -1};
	_cleanup_free_ char *path = NULL, *text = NULL;
	_cleanup_json_ json_t *j = NULL;
	int r;

	if (str_copy(l.name, sizeof(l.name), name) || !lab_name_is_valid(name))
		return complain_usage(
			"\"%s\" cannot be a lab's name: a letter and up to %d letters and "
			"digits, lower case",
			name, LAB_NAME_SIZE - 2);
	r = set_directory(&l);
	if (r)
		return r;
	path = lab_path(&l, "lab.json");
	if (!path)
		return complain_memory();
	r = file_read(path, LIMIT_LAB_FILE_SIZE, &text, NULL);
	if (r == -ENOENT)
		return r;
	if (r == -EACCES)
		return complain(r, "labs are for root: run this as root");
	if (r)
		return complain_errno(r, "%s", path);
	j = json_loads(text, 0, NULL);
	r = j ? from_json(&l, j) : -EBADMSG;
	if (r)
		return complain(r, "%s is damaged: end the lab with \"viaduct lab down --name %s\"",
				path, name);
	*ret = l;
	l = (struct lab){.lock_fd = -1};
	return 0;
}

static int keep_directory(const struct dirent *e)
{
	return lab_name_is_valid(e->d_name);
}

int lab_list(char ***ret_names)
{
	struct dirent **entries = NULL;
	char **names;
	int n = scandir(LAB_ROOT, &entries, keep_directory, alphasort), r = 0;

	if (n < 0 && errno != ENOENT)
		return complain_errno(-errno, "%s", LAB_ROOT);
	n = n < 0 ? 0 : n;
	names = calloc((size_t)n + 1, sizeof(*names));
	for (int i = 0; i < n; i++) {
		if (names && !r) {
			names[i] = strdup(entries[i]->d_name);
			r = names[i] ? 0 : -ENOMEM;
		}
		free(entries[i]);
	}
	free(entries);
	if (!names || r) {
		strv_free(names);
		return complain_memory();
	}
	*ret_names = names;
	return 0;
}

int lab_find(const char *name, struct lab *ret)
{
	_cleanup_(strv_free_cleanup) char **names = NULL;
	int r;

	if (!name)
		name = getenv("VIADUCT_LAB");
	if (!name) {
		r = lab_list(&names);
		if (r)
			return r;
		if (!names[0])
			return complain(
				-ENOENT,
				"there is no lab, and no manager is named: start a lab with "
				"\"viaduct lab up\", or give --admin or --endpoint");
		if (names[1])
			return complain(
				-EINVAL,
				"there are several labs: say which one (\"viaduct lab list\" "
				"shows them)");
		name = names[0];
	}
	r = lab_load(name, ret);
	if (r == -ENOENT)
		return complain(r, "there is no lab %s: \"viaduct lab list\" shows those there are",
				name);
	return r;
}
