/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/lab_daemon.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/process.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/complain.h"
#include "ctl/lab_net.h"
#include "ctl/lab_process.h"
#include "net/addr.h"

#define LOG_TAIL   2000
#define COMMAND_MS 30000

/* A daemon's program: where it is from this one, installed or built, or in PATH. */
static char *find_program(const char *built, const char *name)
{
	const char *const folders[] = {"", "../sbin/", built};
	char self[512], path[1024], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return strdup(name);
	self[n] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (!str_format(path, sizeof(path), "%s/%s%s", self, folders[i], name) &&
		    !access(path, X_OK))
			return realpath(path, NULL);
	return strdup(name);
}

void lab_daemon_show_log(const struct lab *l, uint32_t node)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	char name[LAB_NODE_NAME_SIZE];
	const char *tail;
	size_t size;

	lab_node_name(l, node, name);
	if (str_printf(&path, "%s/%s.log", l->directory, name) ||
	    file_read(path, SIZE_MAX - 1, &text, &size) || !size)
		return;
	tail = size > LOG_TAIL ? text + size - LOG_TAIL : text;
	complain_note("the end of %s:\n%s", path, tail);
}

/* Runs a short command of a daemon to its end.  Complains with what the command said. */
static int run_command(const char *const *argv, int netns_fd)
{
	struct process_spec spec = PROCESS_SPEC_INIT;
	struct process_output output;
	int r;

	spec.argv = argv;
	spec.netns_fd = netns_fd;
	spec.die_with_parent = true;
	r = process_run(&spec, NULL, LIMIT_LAB_FILE_SIZE, COMMAND_MS, &output);
	if (r)
		return complain_errno(r, "running %s", argv[0]);
	if (output.status)
		r = complain(-EREMOTEIO, "%s %s failed: %s%s", argv[0], argv[1], output.err,
			     output.out);
	process_output_deinit(&output);
	return r;
}

static int bind_port(uint16_t port, int *ret)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, SOMAXCONN) < 0)
		return -errno;
	*ret = TAKE_FD(fd);
	return 0;
}

int lab_daemon_bind(const struct lab *l, int *ret_socket)
{
	int r = bind_port(l->port, ret_socket);

	return r ? complain_errno(r, "binding 127.0.0.1:%u", l->port) : 0;
}

/* Another lab has the port: it keeps it while its manager is down. */
static bool port_is_taken(const struct lab *l, char *const *names, uint16_t port)
{
	for (char *const *name = names; name && *name; name++) {
		struct lab other;
		bool taken;

		if (str_equal(*name, l->name) || lab_load(*name, &other))
			continue;
		taken = other.port == port;
		lab_deinit(&other);
		if (taken)
			return true;
	}
	return false;
}

/* Never one of the ports that the kernel gives to whoever connects (ip_local_port_range begins far
 * above): the manager has to get it again when it is started anew. */
static int bind_some_port(struct lab *l, int *ret)
{
	_cleanup_(strv_free_cleanup) char **names = NULL;
	int r = lab_list(&names);

	if (r)
		return r;
	for (uint16_t port = LAB_HTTP_PORT; port <= LAB_HTTP_LAST; port++) {
		if (port_is_taken(l, names, port))
			continue;
		r = bind_port(port, ret);
		if (r == -EADDRINUSE)
			continue;
		if (r)
			return complain_errno(r, "binding 127.0.0.1:%u", port);
		l->port = port;
		return lab_save(l);
	}
	return complain(
		-EADDRINUSE,
		"no port of 127.0.0.1 is free from %d to %d: end a lab with \"viaduct lab down\"",
		LAB_HTTP_PORT, LAB_HTTP_LAST);
}

/* The administrator's file with the endpoint that reaches this lab from the machine. */
static int write_admin(const struct lab *l)
{
	_cleanup_free_ char *source = NULL, *target = lab_path(l, "admin.json"), *text = NULL;
	_cleanup_json_ json_t *admin = NULL;
	int r = str_printf(&source, "%s/admin.json", l->manager_state);

	if (r || !target)
		return complain_memory();
	r = file_read(source, LIMIT_LAB_FILE_SIZE, &text, NULL);
	if (r)
		return complain_errno(r, "%s", source);
	admin = json_loads(text, 0, NULL);
	if (!json_is_object(admin))
		return complain(-EBADMSG, "%s is no JSON object", source);
	free(TAKE_PTR(text));
	if (json_object_set_new(admin, "endpoint", json_sprintf("http://127.0.0.1:%u", l->port)))
		return complain_memory();
	text = json_dumps(admin, JSON_INDENT(2));
	if (!text)
		return complain_memory();
	r = file_write_atomic(target, text, strlen(text), 0600);
	return r ? complain_errno(r, "%s", target) : 0;
}

int lab_daemon_init_manager(struct lab *l, int *ret_socket)
{
	_cleanup_free_ char *program = find_program("../manager/", "viaductd");
	_cleanup_close_ int netns_fd = -1, socket_fd = -1;
	const struct ipaddr own = lab_node_address(l, 0);
	char address[IPADDR_TEXT_SIZE];
	const char *argv[] = {program,     "init",  "--state", l->manager_state,
			      "--address", address, NULL};
	int r;

	if (!program)
		return complain_memory();
	ipaddr_text(&own, address);
	r = lab_net_open(l, "manager", &netns_fd);
	if (!r)
		r = bind_some_port(l, &socket_fd);
	if (!r)
		r = run_command(argv, netns_fd);
	if (!r)
		r = write_admin(l);
	if (!r)
		*ret_socket = TAKE_FD(socket_fd);
	return r;
}

/* Starts a daemon in its namespace and writes down which process it is. */
static int start(struct lab *l, uint32_t node, struct process_spec *spec)
{
	_cleanup_close_ int netns_fd = -1, log_fd = -1;
	char name[LAB_NODE_NAME_SIZE], leaf[LAB_NODE_NAME_SIZE + 4];
	_cleanup_free_ char *log_path = NULL;
	struct process p;
	int r;

	lab_node_name(l, node, name);
	snprintf(leaf, sizeof(leaf), "%s.log", name);
	log_path = lab_path(l, leaf);
	if (!log_path)
		return complain_memory();
	r = lab_net_open(l, name, &netns_fd);
	if (r)
		return r;
	log_fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd < 0)
		return complain_errno(-errno, "%s", log_path);
	spec->stdout_fd = spec->stderr_fd = log_fd;
	spec->netns_fd = netns_fd;
	spec->new_session = true;
	r = process_spawn(spec, &p);
	if (r)
		return complain_errno(r, "starting the daemon of %s (%s)", name,
				      spec->argv[spec->n_fds ? 4 : 0]);
	l->processes[node].pid = p.pid;
	r = lab_process_start_time(p.pid, &l->processes[node].start);
	process_deinit(&p);
	if (r) {
		lab_daemon_show_log(l, node);
		return r == -ESRCH ? complain(r, "the daemon of %s ended at once", name)
				   : complain_errno(r, "looking at the daemon of %s", name);
	}
	return lab_save(l);
}

/* The environment of socket activation needs the pid of the process that executes viaductd: only a
 * process in between can say it. */
int lab_daemon_start_manager(struct lab *l, int socket)
{
	_cleanup_free_ char *program = find_program("../manager/", "viaductd");
	const struct ipaddr own = lab_node_address(l, 0);
	char address[IPADDR_TEXT_SIZE], advertise[IPADDR_TEXT_SIZE + 16];
	struct process_spec spec = PROCESS_SPEC_INIT;
	const char *argv[] = {
		"/bin/sh",
		"-c",
		"LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=http exec \"$@\"",
		"sh",
		program,
		"run",
		"--state",
		l->manager_state,
		"--region",
		LAB_REGION,
		"--advertise",
		advertise,
		NULL,
	};

	if (!program)
		return complain_memory();
	ipaddr_text(&own, address);
	snprintf(advertise, sizeof(advertise), l->ipv4 ? "%s:%d" : "[%s]:%d", address,
		 LAB_AGENTS_PORT);
	spec.argv = argv;
	spec.fds = &socket;
	spec.n_fds = 1;
	return start(l, 0, &spec);
}

/* LAB_ROOT/NAME/hN: the agent's state. */
static char *agent_state(const struct lab *l, uint32_t node)
{
	char name[LAB_NODE_NAME_SIZE];

	return lab_path(l, lab_node_name(l, node, name));
}

int lab_daemon_join(const struct lab *l, uint32_t node, const json_t *bundle)
{
	_cleanup_free_ char *program = find_program("../agent/", "viaduct-agent");
	_cleanup_free_ char *state = agent_state(l, node), *file = NULL, *text = NULL;
	const char *argv[] = {program, "join", NULL, "--state", state, NULL};
	int r;

	text = json_dumps(bundle, 0);
	if (!program || !state || !text || str_printf(&file, "%s.bundle", state))
		return complain_memory();
	argv[2] = file;
	r = file_write_atomic(file, text, strlen(text), 0600);
	if (r)
		return complain_errno(r, "%s", file);
	r = run_command(argv, PROCESS_NO_NETNS);
	unlink(file); /* it holds the host's key, which the agent has now */
	return r;
}

#define LAB_FLOW_LOG_SECONDS "5"

/* What this host may not do is configuration of its agent. */
static int write_agent_config(const struct lab *l, uint32_t node, const char *state, char **ret)
{
	const struct {
		const char *key, *value;
	} lines[] = {{"formats", l->formats[node]},
		     {"features", l->features[node]},
		     {"require", l->require[node]},
		     {"seal-cpus", l->seal_cpus[node]}};
	_cleanup_buf_ struct buf b;
	int r;

	buf_init(&b, LIMIT_CTL_ANSWER_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (lines[i].value)
			buf_put_printf(&b, "%s = %s\n", lines[i].key, lines[i].value);
	if (!buf_size(&b))
		return 0;
	if (str_printf(ret, "%s.conf", state))
		return complain_memory();
	r = buf_error(&b);
	if (!r)
		r = file_write_atomic(*ret, buf_data(&b), buf_size(&b), 0600);
	return r ? complain_errno(r, "%s", *ret) : 0;
}

int lab_daemon_start_agent(struct lab *l, uint32_t node, const char *build)
{
	_cleanup_free_ char *program =
		build ? strdup(build) : find_program("../agent/", "viaduct-agent");
	_cleanup_free_ char *state = agent_state(l, node), *run = lab_path(l, "run");
	_cleanup_free_ char *bpffs = lab_path(l, "bpf"), *config = NULL;
	char node_name[LAB_NODE_NAME_SIZE], name[LAB_NAME_SIZE + LAB_NODE_NAME_SIZE];
	char prefix[LAB_NETNS_NAME_SIZE];
	struct process_spec spec = PROCESS_SPEC_INIT;
	const char *argv[26] = {program,       "run",         "--state",        state,
				"--substrate", LAB_DEVICE,    "--name",         name,
				"--bpffs",     bpffs,         "--run",          run,
				"--netns-dir", LAB_NETNS_DIR, "--netns-prefix", prefix};
	size_t n = 16;
	int r;

	if (!program || !state || !run || !bpffs)
		return complain_memory();
	snprintf(name, sizeof(name), "%s-%s", l->name, lab_node_name(l, node, node_name));
	r = lab_netns_name(l, "", prefix);
	if (!r)
		r = write_agent_config(l, node, state, &config);
	if (r)
		return r;
	/* who tries something out does not wait a minute for what it says */
	argv[n++] = "--flow-log-seconds";
	argv[n++] = LAB_FLOW_LOG_SECONDS;
	if (config) {
		argv[n++] = "--config";
		argv[n++] = config;
	}
	if (lab_is_edge(l, node)) {
		argv[n++] = "--role";
		argv[n++] = "edge";
		argv[n++] = "--uplink";
		argv[n++] = LAB_UPLINK;
	}
	spec.argv = argv;
	return start(l, node, &spec);
}

bool lab_daemon_is_running(const struct lab *l, uint32_t node)
{
	return lab_process_is_running(&l->processes[node]);
}

int lab_daemon_stop(struct lab *l, uint32_t node)
{
	struct process p;
	int r;

	if (!lab_daemon_is_running(l, node))
		return 0;
	r = process_adopt(l->processes[node].pid, &p);
	if (r == -ESRCH)
		return 0;
	if (!r) {
		r = process_stop(&p, LIMIT_LAB_STOP_MS);
		process_deinit(&p);
	}
	return r ? complain_errno(r, "ending process %d", l->processes[node].pid) : 0;
}
