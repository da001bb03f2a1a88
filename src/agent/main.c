/* SPDX-License-Identifier: Apache-2.0 */
/* viaduct-agent: join, run, leave. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statfs.h>

#include <linux/magic.h>

#include "agent/agent.h"
#include "agent/build.h"
#include "agent/bundle.h"
#include "agent/control.h"
#include "agent/kernel.h"
#include "agent/options.h"
#include "base/boot.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "driver/netns.h"
#include "net/netns.h"
#include "net/rtnl.h"
#include "wire/tls.h"

enum {
	MAIN_VXLAN_PORT = 4789, /* IANA's */
	MAIN_GOODBYE_TURNS = 10,
	MAIN_GOODBYE_TURN_MS = 10,
};

/* Everything that a running agent has beside the agent itself. */
struct program {
	const struct options *options;
	struct bundle bundle;
	struct clock clock;
	struct loop *loop;
	struct tls_context *tls;
	struct driver *driver;
	struct kernel kernel;
	struct agent *agent;
	struct control control;
	char *run, *resolv, *socket, *snapshot;
	char *seal_socket, *seal_windows, *seal_program, *seal_reserve;
	int lock;
};

static int main_fail(const char *what, const char *text)
{
	fprintf(stderr, "viaduct-agent: %s%s%s\n", what, text ? ": " : "", text ?: "");
	return EXIT_FAILURE;
}

static int main_fail_errno(const char *what, int e)
{
	return main_fail(what, strerrordesc_np(-e) ?: "unknown error");
}

/* ---- the outside world of the agent ---- */

static int main_open(void *arg, const struct dp_config *config, struct datapath **ret,
		     bool *ret_adopted)
{
	return datapath_open(config, ret, ret_adopted);
}

static int main_destroy(void *arg, const struct dp_config *config)
{
	return datapath_destroy(config);
}

static int main_probe(void *arg, const struct dp_config *config, struct dp_capabilities *ret)
{
	return datapath_probe(config, ret);
}

static const struct agent_backend main_backend = {
	.open = main_open,
	.destroy = main_destroy,
	.probe = main_probe,
};

static int main_dial(void *arg, size_t index, const struct session_callbacks *callbacks, void *user,
		     struct session **ret)
{
	struct program *p = arg;
	const struct bundle_manager *m = &p->bundle.managers[index];

	return session_connect(p->loop, p->tls, (const struct sockaddr *)&m->addr, m->addr_size,
			       m->name, callbacks, user, ret);
}

/* Dials with the new certificate from now on, and after the next start. */
static void main_renew(void *arg, const Viaduct__Agent__Certificate *m)
{
	const struct pki_pair pair = {.certificate = m->certificate, .key = m->key};
	_cleanup_free_ char *path = NULL;
	struct program *p = arg;
	char error[BUNDLE_ERROR_SIZE] = "out of memory";
	struct tls_context *tls;
	int e = bundle_path(p->options->state, &path);

	if (!e)
		e = bundle_renew(path, &p->bundle, &pair, clock_wall_ms(&p->clock), error);
	if (!e)
		e = tls_client_new(p->bundle.ca, &p->bundle.pair, &tls);
	if (e) {
		log_err("the new certificate is not used", LOG_STR("reason", error), LOG_ERRNO(e));
		return;
	}
	tls_free(p->tls);
	p->tls = tls;
	log_info("certificate renewed");
}

static struct dp_config main_dp_config(const struct options *o, int ifindex, int uplink_ifindex)
{
	return (struct dp_config){
		.name = o->name,
		.bpffs = o->bpffs,
		.substrate_ifindex = ifindex,
		.uplink_ifindex = uplink_ifindex,
		.vxlan_port = MAIN_VXLAN_PORT,
		.formats = agent_build_formats,
		.max_mappings = LIMIT_AGENT_MAPPINGS,
		.max_flows = LIMIT_AGENT_FLOWS,
		.max_connections = o->n_connections,
	};
}

/* Mounts bpffs where it is to be, unless it is there. */
static int main_mount_bpffs(const char *path)
{
	struct statfs fs;
	int e = file_mkdirs(path, 0755);

	if (e)
		return e;
	if (statfs(path, &fs) < 0)
		return -errno;
	if (fs.f_type == BPF_FS_MAGIC)
		return 0;
	return mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0 ? -errno
											    : 0;
}

/* ---- run ---- */

/* Beside this program, or where it is built. */
static int main_find_worker(char **ret)
{
	static const char *const places[] = {"viaduct-seal", "../seal/viaduct-seal"};
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n <= 0)
		return -errno;
	self[n] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *path = NULL;
		int e = str_printf(&path, "%s/%s", self, places[i]);

		if (e)
			return e;
		if (!access(path, X_OK) || i + 1 == ARRAY_SIZE(places)) {
			*ret = TAKE_PTR(path);
			return 0;
		}
	}
	return -ENOENT;
}

static int main_paths(struct program *p)
{
	const struct options *o = p->options;
	int e = str_printf(&p->run, "%s/%s", o->run, o->name);

	if (!e)
		e = str_printf(&p->resolv, "%s/resolv", o->run);
	if (!e)
		e = str_printf(&p->socket, "%s/%s.sock", o->run, o->name);
	if (!e)
		e = str_printf(&p->snapshot, "%s/desired", o->state);
	if (!e)
		e = str_printf(&p->seal_socket, "%s/%s.seal", o->run, o->name);
	if (!e)
		e = str_printf(&p->seal_windows, "%s" SEAL_WINDOWS_SUFFIX, p->seal_socket);
	if (!e)
		e = str_printf(&p->seal_reserve, "%s/seal", o->state);
	if (!e)
		e = main_find_worker(&p->seal_program);
	if (!e)
		e = file_mkdirs(p->run, 0755);
	return e;
}

static int main_lock(const char *state, int *ret_fd)
{
	_cleanup_free_ char *path = NULL;
	int e = str_printf(&path, "%s/lock", state);

	return e ?: file_lock(path, ret_fd);
}

static int main_start_driver(struct program *p)
{
	const struct driver_netns_config config = {.state = p->options->state,
						   .run = p->run,
						   .resolv = p->resolv,
						   .netns_dir = p->options->netns_dir,
						   .prefix = p->options->netns_prefix,
						   .loop = p->loop};
	int e = netns_share(config.netns_dir);

	return e ?: driver_netns_new(&config, &p->driver);
}

static int main_start_agent(struct program *p, int ifindex, int uplink_ifindex)
{
	struct agent_config config = {
		.loop = p->loop,
		.host_id = p->bundle.host_id,
		.dialer = {.dial = main_dial, .n = p->bundle.n_managers, .arg = p},
		.backend = &main_backend,
		.dp = main_dp_config(p->options, ifindex, uplink_ifindex),
		.substrate = p->options->substrate,
		.uplink = p->options->uplink,
		.driver = p->driver,
		.kernel = kernel_ops(),
		.kernel_arg = &p->kernel,
		.announce = kernel_announce,
		.snapshot = p->snapshot,
		.flow_seconds = p->options->flow_seconds,
		.disallowed = p->options->disallowed,
		.required_features = p->options->required_features,
		.disallowed_features = p->options->disallowed_features,
		.sealing = {p->seal_socket, p->seal_program, p->seal_reserve,
			    p->options->seal_cpus},
		.threaded_probe = true,
		.renew = main_renew,
		.renew_arg = p,
	};
	int e = boot_id(config.boot_id);

	if (!e)
		e = agent_new(&config, &p->agent);
	if (e)
		return e;
	p->kernel.changed_arg = p->agent;
	p->kernel.changed = agent_network_changed;
	return control_init(&p->control, p->agent, p->socket, p->resolv);
}

static int main_find_link(const char *name, int *ret_ifindex)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *rtnl = NULL;
	struct rtnl_link link;
	int e = rtnl_open(&rtnl);

	if (!e)
		e = rtnl_link_find(rtnl, name, &link);
	if (!e)
		*ret_ifindex = link.ifindex;
	return e;
}

static int main_start(struct program *p)
{
	const struct options *o = p->options;
	int ifindex, uplink_ifindex = 0, e;

	e = main_find_link(o->substrate, &ifindex);
	if (e)
		return main_fail_errno(o->substrate, e);
	e = o->uplink ? main_find_link(o->uplink, &uplink_ifindex) : 0;
	if (e)
		return main_fail_errno(o->uplink, e);
	e = main_mount_bpffs(o->bpffs);
	if (e)
		return main_fail_errno(o->bpffs, e);
	e = main_paths(p);
	if (!e)
		e = options_save(o);
	if (e)
		return main_fail_errno("cannot write under the state and run directories", e);
	e = tls_client_new(p->bundle.ca, &p->bundle.pair, &p->tls);
	if (e)
		return main_fail_errno("the join bundle's certificates cannot be used", e);
	e = loop_new(&p->clock, &p->loop);
	if (!e)
		e = loop_stop_on_signals(p->loop);
	if (!e)
		e = kernel_init(&p->kernel, p->loop);
	if (!e)
		e = main_start_driver(p);
	if (!e)
		e = main_start_agent(p, ifindex, uplink_ifindex);
	return e ? main_fail_errno("cannot start", e) : 0;
}

static void main_stop(struct program *p)
{
	control_deinit(&p->control);
	p->kernel.changed = NULL;
	agent_free(p->agent);
	driver_free(p->driver);
	/* The Goodbye leaves, and the manager closes; one that hangs is not waited for. */
	for (unsigned int n = 0; p->tls && p->loop && n < MAIN_GOODBYE_TURNS; n++)
		(void)!loop_turn(p->loop, MAIN_GOODBYE_TURN_MS);
	if (p->loop)
		kernel_deinit(&p->kernel);
	tls_free(p->tls);
	loop_free(p->loop);
	bundle_deinit(&p->bundle);
	free(p->run);
	free(p->resolv);
	free(p->socket);
	free(p->snapshot);
	free(p->seal_socket);
	free(p->seal_windows);
	free(p->seal_program);
	free(p->seal_reserve);
	close_cleanup(&p->lock);
}

static int main_run(const struct options *o)
{
	struct program p = {.options = o, .lock = -1, .control = {.fd = -1}};
	_cleanup_free_ char *path = NULL;
	char error[BUNDLE_ERROR_SIZE];
	int e, status;

	log_set_level(o->level);
	clock_init_real(&p.clock);
	if (bundle_path(o->state, &path))
		return main_fail_errno("cannot start", -ENOMEM);
	if (bundle_read(path, clock_wall_ms(&p.clock), &p.bundle, error))
		return main_fail("no usable join bundle: run viaduct-agent join first", error);
	e = main_lock(o->state, &p.lock);
	if (e == -EWOULDBLOCK) {
		bundle_deinit(&p.bundle);
		return main_fail(o->state, "another agent uses this state");
	}
	status = e ? main_fail_errno(o->state, e) : main_start(&p);
	if (!status && loop_run(p.loop))
		status = main_fail("the event loop failed", NULL);
	main_stop(&p);
	return status;
}

/* ---- join, leave ---- */

static int main_join(const struct options *o)
{
	char error[BUNDLE_ERROR_SIZE] = "";
	struct clock clock;

	clock_init_real(&clock);
	if (bundle_install(o->bundle, o->state, clock_wall_ms(&clock), error))
		return main_fail("not joined", error);
	printf("joined; start it with: viaduct-agent run --substrate IFNAME\n");
	return EXIT_SUCCESS;
}

struct main_nodes {
	char (*ids)[DRIVER_ID_SIZE];
	size_t n;
};

static int main_see_node(const char *id, void *arg)
{
	struct main_nodes *nodes = arg;
	char(*grown)[DRIVER_ID_SIZE] = reallocarray(nodes->ids, nodes->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	nodes->ids = grown;
	return str_copy(grown[nodes->n++], DRIVER_ID_SIZE, id);
}

/* Ends all instances; the first error, after trying all. */
static int main_end_nodes(struct program *p)
{
	struct main_nodes nodes = {0};
	int e = main_start_driver(p);

	if (!e)
		e = driver_nodes(p->driver, main_see_node, &nodes);
	for (size_t i = 0; i < nodes.n; i++) {
		int step = driver_forget(p->driver, nodes.ids[i]);

		e = e ?: step;
	}
	free(nodes.ids);
	p->driver = driver_free(p->driver);
	return e;
}

/* 0: it is gone, or there was none. */
static int main_remaining_link(const char *name)
{
	int ifindex;

	return name && !main_find_link(name, &ifindex) ? ifindex : 0;
}

/* Folders that agents of one machine share go with the last of them. */
static void main_remove_shared(const struct program *p)
{
	_cleanup_free_ char *pins = NULL;

	if (!str_printf(&pins, "%s/viaduct", p->options->bpffs))
		rmdir(pins);
	rmdir(p->resolv);
	rmdir(p->options->run);
}

static int main_undo(struct program *p)
{
	const struct dp_config config =
		main_dp_config(p->options, main_remaining_link(p->options->substrate),
			       main_remaining_link(p->options->uplink));
	int e = main_paths(p), step;

	if (!e)
		e = main_end_nodes(p);
	if (!e)
		e = seal_client_quit(p->seal_socket);
	step = datapath_destroy(&config);
	e = e ?: (step == -ENOENT ? 0 : step);
	if (e)
		return e;
	unlink(p->socket);
	unlink(p->seal_windows);
	e = file_remove_tree(p->run);
	if (!e)
		main_remove_shared(p);
	return e;
}

/* What a run used is what has to be undone; without a run there is only the identity. */
static int main_leave(const struct options *given)
{
	_cleanup_options_ struct options o = {0};
	struct program p = {.options = &o, .lock = -1, .control = {.fd = -1}};
	char error[OPTIONS_ERROR_SIZE];
	int e, status = EXIT_SUCCESS;

	o.state = strdup(given->state);
	if (!o.state)
		return main_fail_errno("cannot leave", -ENOMEM);
	e = main_lock(o.state, &p.lock);
	if (e == -ENOENT)
		return main_fail(o.state, "no agent's state is there");
	if (e == -EWOULDBLOCK)
		return main_fail(o.state, "the agent is running: stop it first");
	if (e)
		return main_fail_errno(o.state, e);
	e = options_load(&o, error);
	if (!e) {
		e = main_undo(&p);
		if (e)
			status = main_fail_errno("not everything could be undone, run it again", e);
	} else if (e != -ENOENT) {
		status = main_fail("cannot leave", error);
	}
	if (!status) {
		e = file_remove_tree(o.state);
		if (e)
			status = main_fail_errno(o.state, e);
	}
	main_stop(&p);
	return status;
}

int main(int argc, char **argv)
{
	_cleanup_options_ struct options o = {0};
	char error[OPTIONS_ERROR_SIZE];

	if (options_parse(argc, argv, &o, error)) {
		main_fail(error, NULL);
		return 2;
	}
	switch (o.command) {
	case OPTIONS_HELP:
		fputs(options_help(), stdout);
		return EXIT_SUCCESS;
	case OPTIONS_VERSION:
		puts("viaduct-agent " VIADUCT_VERSION);
		return EXIT_SUCCESS;
	case OPTIONS_JOIN:
		return main_join(&o);
	case OPTIONS_LEAVE:
		return main_leave(&o);
	case OPTIONS_RUN:
		break;
	}
	return main_run(&o);
}
