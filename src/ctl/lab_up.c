/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/lab_up.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/complain.h"
#include "ctl/lab_daemon.h"
#include "ctl/lab_net.h"
#include "ctl/lab_wait.h"
#include "ctl/locate.h"

/* The lab has a bpffs of its own, outside its namespaces: with its end all pins are gone. */
static int mount_bpffs(const struct lab *l)
{
	_cleanup_free_ char *path = lab_path(l, "bpf"), *run = lab_path(l, "run");

	if (!path || !run)
		return complain_memory();
	if (mkdir(path, 0700) < 0 || mkdir(run, 0700) < 0)
		return complain_errno(-errno, "making %s", path);
	if (mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return complain_errno(-errno, "mounting a BPF file system at %s", path);
	return 0;
}

static int open_client(const struct lab *l, struct client **ret)
{
	_cleanup_free_ char *path = lab_path(l, "admin.json");
	int r;

	if (!path)
		return complain_memory();
	r = locate_admin(path, ret);
	return r == -ENOENT ? complain_errno(r, "%s", path) : r;
}

static int request(struct client *c, const char *path, json_t *body, json_t **ret)
{
	struct client_error error;
	int r;

	if (!body)
		return complain_memory();
	r = client_request(c, "POST", path, body, ret, &error);
	json_decref(body);
	return r ? complain(r, "%s", error.text) : 0;
}

static int make_account(struct client *c)
{
	int r = request(c, "/v1/accounts", json_pack("{s:s,s:s}", "id", LAB_ACCOUNT, "name", "lab"),
			NULL);

	if (r)
		return r;
	return request(c, "/v1/accounts/" LAB_ACCOUNT "/keys",
		       json_pack("{s:s,s:s}", "access_key_id", LAB_ACCESS_KEY, "secret_access_key",
				 LAB_SECRET_KEY),
		       NULL);
}

static int start_manager(struct lab *l, struct client **ret)
{
	_cleanup_(client_free_cleanup) struct client *c = NULL;
	_cleanup_close_ int socket = -1;
	int r = lab_daemon_init_manager(l, &socket);

	if (!r)
		r = lab_daemon_start_manager(l, socket);
	if (!r)
		r = open_client(l, &c);
	if (!r)
		r = lab_wait_manager(l, c);
	if (!r)
		r = make_account(c);
	if (!r)
		*ret = TAKE_PTR(c);
	return r;
}

/* Each host has a rack of its own, so that placement spreads over all of them, unless there are to
 * be fewer. */
static int add_host(struct lab *l, struct client *c, uint32_t node)
{
	_cleanup_json_ json_t *answer = NULL;
	const struct ipaddr own = lab_node_address(l, node);
	char name[LAB_NODE_NAME_SIZE], address[IPADDR_TEXT_SIZE], range[PREFIX_TEXT_SIZE];
	const struct prefix aliases = lab_aliases(node);
	json_t *host = NULL, *bundle = NULL;
	int r;

	r = request(
		c, "/v1/hosts",
		json_pack("{s:s,s:s,s:i,s:s,s:s*,s:o*}", "name", lab_node_name(l, node, name),
			  "zone", LAB_ZONE, "rack",
			  (int)((node - 1) % (l->n_racks ? l->n_racks : LAB_RACKS_MAX)),
			  l->ipv4 ? "v4" : "v6", ipaddr_text(&own, address), "aliases",
			  l->aliases && !lab_is_edge(l, node) ? prefix_text(&aliases, range) : NULL,
			  "edge", lab_is_edge(l, node) ? json_true() : NULL),
		&answer);
	if (r)
		return r;
	if (json_unpack(answer, "{s:o,s:o}", "host", &host, "bundle", &bundle))
		return complain(-EPROTO,
				"the manager's answer to a new host has no host and bundle");
	r = lab_daemon_join(l, node, bundle);
	if (!r)
		r = lab_net_route_locators(l, node, host);
	if (!r)
		r = lab_daemon_start_agent(l, node, NULL);
	return r;
}

static int build(struct lab *l)
{
	_cleanup_(client_free_cleanup) struct client *c = NULL;
	int r = lab_save(l);

	if (!r)
		r = mount_bpffs(l);
	if (!r)
		r = lab_net_create(l);
	if (!r)
		r = start_manager(l, &c);
	for (uint32_t node = 1; !r && node <= lab_last_node(l); node++)
		r = add_host(l, c, node);
	if (!r && l->n_edges)
		r = request(c, "/v1/pools", json_pack("{s:s}", "cidr", LAB_POOL), NULL);
	if (!r)
		r = lab_wait_hosts(l, c);
	if (r)
		return r;
	l->up = true;
	return lab_save(l);
}

int lab_up(struct lab *l, bool keep_failed)
{
	bool found;
	int r;

	if (geteuid() != 0)
		return complain(
			-EPERM,
			"a lab makes network namespaces and loads BPF programs: run this as "
			"root");
	r = lab_create(l);
	if (r)
		return r;
	lab_wait_defer_signals();
	r = build(l);
	if (r && keep_failed)
		complain(r,
			 "what there is of lab %s is left as it is: \"viaduct lab down --name %s\" "
			 "ends it",
			 l->name, l->name);
	else if (r && !lab_down(l->name, &found))
		complain(r, "lab %s was not started; nothing of it is left", l->name);
	return r;
}

int lab_restart(struct lab *l, uint32_t node, const char *build)
{
	_cleanup_(client_free_cleanup) struct client *c = NULL;
	_cleanup_close_ int socket = -1;
	int r = open_client(l, &c);

	if (!r)
		r = lab_daemon_stop(l, node);
	if (!r && !node)
		r = lab_daemon_bind(l, &socket);
	if (!r)
		r = node ? lab_daemon_start_agent(l, node, build)
			 : lab_daemon_start_manager(l, socket);
	if (!r)
		r = node ? lab_wait_agent(l, c, node) : lab_wait_manager(l, c);
	return r;
}
