/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The netns driver on real namespaces.  The test is the host: it runs in a namespace of its own,
 * and binds those of its nodes in a directory of its own.  Needs root.
 */
#include "driver/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/process.h"
#include "base/str.h"
#include "driver/client.h"
#include "driver/record.h"
#include "net/netns.h"
#include "net/rtnl.h"
#include "net/sysctl.h"
#include "tests/unit/test.h"

struct host {
	char folder[64], state[96], run[96], resolv[96], netns[96];
	struct driver *driver;
	struct rtnl *rtnl;
};

static const struct driver_interface eni = {
	.id = "eni-1",
	.mac = {{0x02, 0, 0, 0, 0, 9}},
	.mtu = 1460,
};

static void open_driver(struct host *h)
{
	const struct driver_netns_config config = {.state = h->state,
						   .run = h->run,
						   .resolv = h->resolv,
						   .netns_dir = h->netns,
						   .prefix = "t-"};

	assert_ok(driver_netns_new(&config, &h->driver));
}

static int make_host(void **state)
{
	struct host *h = calloc(1, sizeof(*h));

	strcpy(h->folder, "/tmp/test_driver.XXXXXX");
	if (!mkdtemp(h->folder) || unshare(CLONE_NEWNET) < 0)
		return -1;
	snprintf(h->state, sizeof(h->state), "%s/state", h->folder);
	snprintf(h->run, sizeof(h->run), "%s/run", h->folder);
	snprintf(h->resolv, sizeof(h->resolv), "%s/resolv", h->folder);
	snprintf(h->netns, sizeof(h->netns), "%s/netns", h->folder);
	open_driver(h);
	*state = h;
	return rtnl_open(&h->rtnl);
}

static int end_host(void **state)
{
	struct host *h = *state;
	_cleanup_(strv_free_cleanup) char **names = NULL;
	int e = driver_forget(h->driver, "i-1");

	driver_free(h->driver);
	rtnl_close(h->rtnl);
	e = e ?: netns_list(h->netns, &names);
	if (!e && strv_count(names))
		e = -EBUSY; /* every test leaves nothing */
	e = e ?: file_remove_tree(h->folder);
	free(h);
	return e;
}

static struct driver_port start_and_plug(struct host *h)
{
	struct driver_port port;

	assert_ok(driver_start(h->driver, "i-1", 1));
	assert_ok(driver_plug(h->driver, "i-1", &eni, &port));
	return port;
}

static int node_fd(const struct host *h)
{
	int fd;

	assert_ok(netns_open(h->netns, "t-i-1", &fd));
	return fd;
}

static struct rtnl_link node_link(const struct host *h)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *inside = NULL;
	_cleanup_close_ int fd = node_fd(h);
	struct rtnl_link link;

	assert_ok(rtnl_open_at(fd, &inside));
	assert_ok(rtnl_link_find(inside, "eth0", &link));
	return link;
}

static struct record read_record(const struct host *h)
{
	char path[128];
	struct record r;

	snprintf(path, sizeof(path), "%s/nodes", h->state);
	assert_ok(record_read(path, "i-1", &r));
	return r;
}

/* requirement: NODE-1, PKT-9 */
static void test_a_node_has_its_interface(void **state)
{
	struct host *h = *state;
	struct driver_port port = start_and_plug(h);
	struct rtnl_link inside = node_link(h), outside;
	char device[DRIVER_NETNS_DEVICE_SIZE], value[8], key[64];

	assert_true(port.peer_redirect);
	assert_ok(rtnl_link_get(h->rtnl, port.ifindex, &outside));
	driver_netns_device("eni-1", device);
	assert_string_equal(outside.name, device);
	assert_false(outside.up);
	assert_int_equal(outside.mtu, 1460);
	assert_true(inside.up);
	assert_int_equal(inside.mtu, 1460);
	assert_true(mac_equal(&inside.mac, &eni.mac));
	/* The host's own stack keeps off. */
	snprintf(key, sizeof(key), "ipv6/conf/%s/disable_ipv6", device);
	assert_ok(sysctl_get(-1, key, value, sizeof(value)));
	assert_string_equal(value, "1");
	/* And gets nothing before whoever carries its packets is ready. */
	assert_error(driver_open(h->driver, "i-1", "eni-2"), ENOENT);
	for (int twice = 0; twice < 2; twice++) {
		assert_ok(driver_open(h->driver, "i-1", "eni-1"));
		assert_ok(rtnl_link_get(h->rtnl, port.ifindex, &outside));
		assert_true(outside.up);
	}
}

/* requirement: NODE-1 */
static void test_everything_is_idempotent(void **state)
{
	struct host *h = *state;
	struct driver_port port = start_and_plug(h), again;
	struct driver_node node;

	assert_ok(driver_start(h->driver, "i-1", 2));
	assert_ok(driver_plug(h->driver, "i-1", &eni, &again));
	assert_int_equal(again.ifindex, port.ifindex);
	assert_ok(driver_check(h->driver, "i-1", &node));
	assert_true(node.running);
	assert_int_equal(node.generation, 2);
	assert_ok(driver_unplug(h->driver, "i-1", "eni-1"));
	assert_ok(driver_unplug(h->driver, "i-1", "eni-1"));
	assert_ok(driver_stop(h->driver, "i-1"));
	assert_ok(driver_stop(h->driver, "i-1"));
	assert_ok(driver_check(h->driver, "i-1", &node));
	assert_false(node.running);
	assert_int_equal(node.generation, 2);
	assert_ok(driver_forget(h->driver, "i-1"));
	assert_ok(driver_forget(h->driver, "i-1"));
	assert_error(driver_check(h->driver, "i-1", &node), ENOENT);
}

/* A node that lets an interface go when another one has it already, by unplug, stop or forget.
 * requirement: NIC-2 */
static void test_what_another_node_was_given_stays(void **state)
{
	struct host *h = *state;
	struct driver_port port, again;
	struct rtnl_link link;

	start_and_plug(h);
	assert_ok(driver_start(h->driver, "i-2", 1));
	assert_ok(driver_plug(h->driver, "i-2", &eni, &port));
	assert_ok(driver_unplug(h->driver, "i-1", "eni-1"));
	assert_ok(rtnl_link_get(h->rtnl, port.ifindex, &link));
	assert_ok(
		driver_plug(h->driver, "i-1", &eni, &again)); /* and back, while the other has it */
	assert_ok(driver_stop(h->driver, "i-2"));
	assert_ok(driver_online(h->driver, "i-1", "eni-1", NULL));
	assert_ok(rtnl_link_get(h->rtnl, again.ifindex, &link));
	assert_true(link.up);
	assert_ok(driver_forget(h->driver, "i-2"));
	assert_ok(rtnl_link_get(h->rtnl, again.ifindex, &link));
	assert_ok(driver_unplug(h->driver, "i-1", "eni-1"));
	assert_error(rtnl_link_get(h->rtnl, again.ifindex, &link), ENODEV);
}

/* Puts a device into another namespace, under another name, as its user may. */
static void hide(int from_fd, const char *device, int to_fd)
{
	char to[64];
	int status;
	pid_t pid;

	snprintf(to, sizeof(to), "/proc/%d/fd/%d", (int)getpid(), to_fd);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (!setns(from_fd, CLONE_NEWNET))
			execlp("ip", "ip", "link", "set", "dev", device, "netns", to, "name",
			       "mine", NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* The namespace's user put the device elsewhere: it goes nevertheless.  requirement: NIC-2 */
static void test_a_device_that_its_user_hid_goes(void **state)
{
	struct host *h = *state;
	struct driver_port port = start_and_plug(h);
	_cleanup_close_ int fd = node_fd(h), other = -1;
	struct rtnl_link link = node_link(h);

	assert_ok(driver_start(h->driver, "i-2", 1));
	assert_ok(netns_open(h->netns, "t-i-2", &other));
	hide(fd, link.name, other);
	assert_ok(driver_unplug(h->driver, "i-1", "eni-1"));
	assert_error(rtnl_link_get(h->rtnl, port.ifindex, &link), ENODEV);
	assert_ok(driver_forget(h->driver, "i-2"));
}

/* requirement: NODE-1 */
static void test_a_changed_mtu_and_mac_are_brought_about(void **state)
{
	struct host *h = *state;
	struct driver_port port = start_and_plug(h), again;
	struct driver_interface changed = eni;
	struct rtnl_link inside;

	changed.mtu = 1400;
	assert_ok(driver_plug(h->driver, "i-1", &changed, &again));
	assert_int_equal(again.ifindex, port.ifindex); /* in place */
	assert_int_equal(node_link(h).mtu, 1400);
	changed.mac.b[5] = 0x10;
	assert_ok(driver_plug(h->driver, "i-1", &changed, &again));
	assert_int_not_equal(again.ifindex, port.ifindex);
	inside = node_link(h);
	assert_true(mac_equal(&inside.mac, &changed.mac));
}

/* requirement: NODE-1 */
static void test_what_is_missing_is_made_again(void **state)
{
	struct host *h = *state;
	struct driver_port port = start_and_plug(h), again;

	assert_ok(rtnl_link_delete(h->rtnl, port.ifindex));
	assert_ok(driver_plug(h->driver, "i-1", &eni, &again));
	assert_int_equal(node_link(h).mtu, 1460);
}

/* requirement: NODE-1 */
static void test_nothing_is_plugged_into_what_does_not_run(void **state)
{
	struct host *h = *state;
	struct driver_port port;

	assert_error(driver_plug(h->driver, "i-1", &eni, &port), ENOENT);
	assert_ok(driver_start(h->driver, "i-1", 1));
	assert_ok(driver_stop(h->driver, "i-1"));
	assert_error(driver_plug(h->driver, "i-1", &eni, &port), ENOENT);
	assert_error(driver_start(h->driver, "../x", 1), EINVAL);
	assert_error(driver_start(h->driver, "", 1), EINVAL);
}

static void write_record(const struct host *h, const struct record *r)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/nodes", h->state);
	assert_ok(record_write(path, r));
}

/* Killed between the record and the namespace, or between the namespace's file and what is bound
 * there. requirement: OPS-3, NODE-1 */
static void test_a_start_that_was_cut_off_is_made_anew(void **state)
{
	const struct record begun = {.node = {.id = "i-1", .generation = 3}, .starting = true};
	struct host *h = *state;
	struct driver_port port;
	struct driver_node node;
	char path[160], value[8];

	for (int i = 0; i < 2; i++) {
		write_record(h, &begun);
		snprintf(path, sizeof(path), "%s/t-i-1", h->netns);
		if (i)
			assert_ok(file_write_atomic(path, "", 0, 0444));
		assert_error(driver_check(h->driver, "i-1", &node), ENOENT);
		assert_error(driver_plug(h->driver, "i-1", &eni, &port), ENOENT);
		assert_ok(driver_start(h->driver, "i-1", 3));
		assert_ok(driver_check(h->driver, "i-1", &node));
		assert_true(node.running);
		assert_int_equal(node.generation, 3);
		assert_ok(driver_plug(h->driver, "i-1", &eni, &port));
		_cleanup_close_ int fd = node_fd(h);

		assert_ok(sysctl_get(fd, "ipv6/conf/default/accept_ra", value, sizeof(value)));
		assert_string_equal(value, "2");
		assert_ok(driver_forget(h->driver, "i-1"));
	}
	/* Or it is not wanted any more. */
	write_record(h, &begun);
	assert_ok(file_write_atomic(path, "", 0, 0444));
	assert_ok(driver_stop(h->driver, "i-1"));
	assert_error(access(path, F_OK) ? -errno : 0, ENOENT);
	assert_ok(driver_check(h->driver, "i-1", &node));
	assert_false(node.running);
}

/* A pair whose making was cut off is there, and no use.  requirement: OPS-3, NODE-1 */
static void test_a_half_made_interface_is_made_ready(void **state)
{
	struct host *h = *state;
	struct driver_port port = start_and_plug(h), again;
	_cleanup_(rtnl_close_cleanup) struct rtnl *inside = NULL;
	_cleanup_close_ int fd = node_fd(h);
	struct rtnl_link outside;

	/* the last thing that is done to it */
	assert_ok(rtnl_open_at(fd, &inside));
	assert_ok(rtnl_link_set_up(inside, node_link(h).ifindex, false));
	assert_ok(driver_plug(h->driver, "i-1", &eni, &again));
	assert_int_equal(again.ifindex, port.ifindex);
	assert_true(node_link(h).up);
	assert_ok(driver_online(h->driver, "i-1", "eni-1", NULL));
	assert_ok(rtnl_link_get(h->rtnl, again.ifindex, &outside));
	assert_true(outside.up);
}

static pid_t start_inside(const struct host *h, const char *const argv[])
{
	_cleanup_close_ int fd = node_fd(h);
	struct process_spec spec = PROCESS_SPEC_INIT;
	struct process p;

	spec.argv = argv;
	spec.netns_fd = fd;
	process_init(&p);
	assert_ok(process_spawn(&spec, &p));
	process_deinit(&p);
	return p.pid;
}

/* requirement: NODE-1 */
static void test_stopping_ends_all_that_runs_inside(void **state)
{
	struct host *h = *state;
	static const char *const sleeper[] = {"sleep", "1000", NULL};
	static const char *const stubborn[] = {"sh", "-c",
					       "trap '' TERM; while :; do sleep 1; done", NULL};
	struct driver_port port = start_and_plug(h);
	struct rtnl_link link;
	uint64_t start;
	pid_t a = start_inside(h, sleeper), b = start_inside(h, stubborn);

	assert_ok(driver_stop(h->driver, "i-1"));
	assert_error(client_start_time(a, &start), ESRCH);
	assert_error(client_start_time(b, &start), ESRCH);
	assert_true(rtnl_is_gone(rtnl_link_get(h->rtnl, port.ifindex, &link)));
}

/* requirement: NODE-1 */
static void test_a_vanished_namespace_is_a_node_that_ended(void **state)
{
	struct host *h = *state;
	struct driver_port port = start_and_plug(h);
	struct driver_node node;
	struct rtnl_link link;

	assert_ok(netns_delete(h->netns, "t-i-1"));
	assert_ok(driver_check(h->driver, "i-1", &node));
	assert_false(node.running);
	assert_int_equal(node.generation, 1);
	assert_true(rtnl_is_gone(rtnl_link_get(h->rtnl, port.ifindex, &link)));
}

static int note_node(const char *node, void *arg)
{
	strcpy(arg, node);
	return 0;
}

static int note_interface(const struct driver_interface *interface, void *arg)
{
	*(struct driver_interface *)arg = *interface;
	return 0;
}

/* requirement: OPS-3 */
static void test_what_a_reboot_cut_off_is_started_again(void **state)
{
	struct host *h = *state;
	struct driver_node node;
	struct driver_port port;

	assert_ok(driver_start(h->driver, "i-1", 3));
	assert_ok(driver_plug(h->driver, "i-1", &eni, &port));
	/* What is left of it: the records. */
	driver_free(h->driver);
	assert_ok(rtnl_link_delete(h->rtnl, port.ifindex));
	assert_ok(netns_delete(h->netns, "t-i-1"));
	assert_ok(file_remove_tree(h->run));
	open_driver(h);
	assert_int_equal(driver_check(h->driver, "i-1", &node), -ENOENT);
	assert_ok(driver_start(h->driver, "i-1", 3));
	assert_ok(driver_plug(h->driver, "i-1", &eni, &port));
	assert_ok(driver_check(h->driver, "i-1", &node));
	assert_true(node.running);
	assert_int_equal(node.generation, 3);
	/* One that is there was not cut off, whatever became of the other directory. */
	driver_free(h->driver);
	assert_ok(file_remove_tree(h->run));
	open_driver(h);
	assert_ok(driver_check(h->driver, "i-1", &node));
	assert_true(node.running);
	/* One that was stopped stays stopped. */
	assert_ok(driver_stop(h->driver, "i-1"));
	driver_free(h->driver);
	assert_ok(file_remove_tree(h->run));
	open_driver(h);
	assert_ok(driver_check(h->driver, "i-1", &node));
	assert_false(node.running);
}

/* requirement: OPS-3 */
static void test_a_new_driver_knows_the_nodes_of_the_last(void **state)
{
	struct host *h = *state;
	struct driver_port port = start_and_plug(h), again;
	struct driver_interface interface = {0};
	char id[DRIVER_ID_SIZE] = "";
	struct record before, after;

	assert_ok(driver_online(h->driver, "i-1", "eni-1", NULL));
	before = read_record(h);
	assert_true(client_is_running(&before.interfaces[0]));
	h->driver = driver_free(h->driver);
	open_driver(h);
	assert_ok(driver_nodes(h->driver, note_node, id));
	assert_string_equal(id, "i-1");
	assert_ok(driver_interfaces(h->driver, "i-1", note_interface, &interface));
	assert_string_equal(interface.id, "eni-1");
	assert_ok(driver_plug(h->driver, "i-1", &eni, &again));
	assert_int_equal(again.ifindex, port.ifindex);
	/* The client goes on; none is started beside it. */
	assert_ok(driver_online(h->driver, "i-1", "eni-1", NULL));
	after = read_record(h);
	assert_int_equal(after.interfaces[0].client, before.interfaces[0].client);
	/* One that died is replaced. */
	assert_return_code(kill(before.interfaces[0].client, SIGKILL), 0);
	assert_return_code(waitpid(before.interfaces[0].client, NULL, 0), 0);
	assert_ok(driver_online(h->driver, "i-1", "eni-1", NULL));
	record_deinit(&after);
	after = read_record(h);
	assert_int_not_equal(after.interfaces[0].client, before.interfaces[0].client);
	record_deinit(&before);
	record_deinit(&after);
}

/* requirement: OPS-3 */
static void test_a_pid_of_somebody_else_is_left_alone(void **state)
{
	struct record_interface ri = {.client = getpid(), .client_start = 1};

	assert_false(client_is_running(&ri));
	client_stop(&ri); /* would end this test */
	assert_int_equal(ri.client, 0);
}

/* The script as udhcpc calls it, in a node, for a lease with everything. */
/* requirement: PKT-8, PKT-9 */
static void test_the_script_configures_the_node_and_nothing_else(void **state)
{
	struct host *h = *state;
	_cleanup_free_ char *script = NULL, *resolv = NULL, *file = NULL;
	char variable[160], where[128];

	start_and_plug(h);
	_cleanup_close_ int fd = node_fd(h);

	assert_ok(str_printf(&script, "%s/udhcpc.script", h->run));
	assert_ok(str_printf(&resolv, "%s/i-1.conf", h->resolv));
	snprintf(variable, sizeof(variable), "VIADUCT_RESOLV_CONF=%s", resolv);

	const char *const bound[] = {script, "bound", NULL};
	const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
				   variable,
				   "interface=eth0",
				   "ip=10.0.1.4",
				   "mask=24",
				   "router=10.0.1.1",
				   "dns=10.0.0.2",
				   "domain=ec2.internal",
				   "mtu=1400",
				   "staticroutes=10.0.0.0/16 10.0.1.1 0.0.0.0/0 10.0.1.1",
				   NULL};
	struct process_spec spec = PROCESS_SPEC_INIT;
	struct process_output out;

	spec.argv = bound;
	spec.env = env;
	spec.netns_fd = fd;
	for (int twice = 0; twice < 2; twice++) {
		assert_ok(process_run(&spec, NULL, 65536, 10000, &out));
		assert_int_equal(out.status, 0);
		assert_string_equal(out.err, "");
		process_output_deinit(&out);
	}
	assert_int_equal(node_link(h).mtu, 1400);
	assert_ok(file_read(resolv, 4096, &file, NULL));
	assert_string_equal(file, "search ec2.internal\nnameserver 10.0.0.2\n");

	const char *const show[] = {"sh", "-c",
				    "busybox ip -4 addr show dev eth0; busybox ip route", NULL};

	spec.argv = show;
	assert_ok(process_run(&spec, NULL, 65536, 10000, &out));
	assert_non_null(strstr(out.out, "inet 10.0.1.4/24"));
	assert_non_null(strstr(out.out, "default via 10.0.1.1"));
	assert_non_null(strstr(out.out, "10.0.0.0/16 via 10.0.1.1"));
	process_output_deinit(&out);

	/* Renewed with another route: that comes, the old one goes, and what the user has added stays. */
	const char *const add[] = {"sh", "-c", "busybox ip addr add 10.0.1.77/32 dev eth0", NULL};
	const char *const renew[] = {script, "renew", NULL};
	const char *const env2[] = {env[0], env[1],
				    env[2], env[3],
				    env[4], "staticroutes=10.9.0.0/16 10.0.1.1 0.0.0.0/0 10.0.1.1",
				    NULL};

	spec.argv = add;
	assert_ok(process_run(&spec, NULL, 65536, 10000, &out));
	process_output_deinit(&out);
	spec.argv = renew;
	spec.env = env2;
	assert_ok(process_run(&spec, NULL, 65536, 10000, &out));
	assert_int_equal(out.status, 0);
	assert_string_equal(out.err, "");
	process_output_deinit(&out);
	spec.argv = show;
	spec.env = env;
	assert_ok(process_run(&spec, NULL, 65536, 10000, &out));
	assert_non_null(strstr(out.out, "inet 10.0.1.4/24"));
	assert_non_null(strstr(out.out, "inet 10.0.1.77/32"));
	assert_non_null(strstr(out.out, "default via 10.0.1.1"));
	assert_non_null(strstr(out.out, "10.9.0.0/16 via 10.0.1.1"));
	assert_null(strstr(out.out, "10.0.0.0/16"));
	process_output_deinit(&out);
	/* The file is the node's: it goes with it. */
	assert_ok(driver_stop(h->driver, "i-1"));
	snprintf(where, sizeof(where), "%s", resolv);
	assert_int_equal(access(where, F_OK), -1);
}

/* What a command prints in the node. */
static char *inside(struct host *h, const char *const *argv, const char *const *env)
{
	static char text[4096];
	_cleanup_close_ int fd = node_fd(h);
	struct process_spec spec = PROCESS_SPEC_INIT;
	struct process_output out;

	spec.argv = argv;
	spec.env = env;
	spec.netns_fd = fd;
	assert_ok(process_run(&spec, NULL, 65536, 20000, &out));
	assert_int_equal(out.status, 0);
	assert_string_equal(out.err, "");
	snprintf(text, sizeof(text), "%s", out.out);
	process_output_deinit(&out);
	return text;
}

/* An interface that comes to a node has its address before a DHCP client could ask, and keeps it when
 * that begins; here nobody would answer.  requirement: NIC-2 */
static void test_a_further_interface_has_its_address_at_once(void **state)
{
	struct host *h = *state;
	const struct driver_interface second = {
		.id = "eni-2", .device_index = 1, .mac = {{0x02, 0, 0, 0, 0, 10}}, .mtu = 1460};
	const struct driver_address address = {.addr = ipaddr_from_v4(0x0a000109),
					       .len = 96 + 24,
					       .router = ipaddr_from_v4(0x0a000101)};
	const char *const show[] = {
		"sh", "-c",
		"busybox ip -4 addr show; busybox ip route show table 101; busybox ip rule", NULL};
	const char *const stale[] = {"busybox",  "ip",    "rule", "add", "from",
				     "10.0.1.8", "table", "101",  NULL};
	char script[128];
	const char *const deconfig[] = {script, "deconfig", NULL};
	const char *const bound[] = {script, "bound", NULL};
	const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
				   "VIADUCT_CONFIGURED=yes",
				   "interface=eth1",
				   "ip=10.0.1.9",
				   "mask=24",
				   "router=10.0.1.1",
				   NULL};
	struct driver_port port;
	struct record r;
	char *text;

	snprintf(script, sizeof(script), "%s/udhcpc.script", h->run);
	start_and_plug(h);
	assert_ok(driver_plug(h->driver, "i-1", &second, &port));
	inside(h, stale, env);
	assert_ok(driver_online(h->driver, "i-1", "eni-2", &address));
	r = read_record(h);
	assert_true(client_is_running(record_find(&r, "eni-2")));
	record_deinit(&r);
	for (int after = 0; after < 3; after++) {
		text = inside(h, show, env);
		assert_non_null(strstr(text, "inet 10.0.1.9/24 brd 10.0.1.255"));
		assert_non_null(strstr(text, "default via 10.0.1.1 dev eth1"));
		assert_non_null(strstr(text, "from 10.0.1.9 lookup 101"));
		if (after < 2)
			inside(h, after ? bound : deconfig, env);
	}
	/* What an interface before it left is gone with the lease. */
	assert_null(strstr(text, "10.0.1.8"));
	/* The first one waits for its client. */
	assert_ok(driver_online(h->driver, "i-1", "eni-1", &address));
	assert_null(strstr(inside(h, show, env), "scope global eth0"));
}

static void test_device_names_fit_and_differ(void **state)
{
	char a[DRIVER_NETNS_DEVICE_SIZE], b[DRIVER_NETNS_DEVICE_SIZE];

	driver_netns_device("eni-0123456789abcdef0", a);
	driver_netns_device("eni-0123456789abcdef1", b);
	assert_int_equal(strlen(a), 15);
	assert_string_not_equal(a, b);
}

/* ---- IPv6 addresses ---- */

struct seen6 {
	size_t n, alone;
	struct ipaddr last;
};

static int see6(const struct rtnl_addr *a, void *data)
{
	struct seen6 *s = data;

	if (ipaddr_is_v4(&a->addr) || ipaddr_is_link_local(&a->addr) || a->addr.b[0] != 0x20)
		return 0;
	s->n++;
	s->alone += a->len == 128;
	s->last = a->addr;
	return 0;
}

static struct seen6 node_addresses6(const struct host *h)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *inside = NULL;
	_cleanup_close_ int fd = node_fd(h);
	struct seen6 s = {0};

	assert_ok(rtnl_open_at(fd, &inside));
	assert_ok(rtnl_addr_dump(inside, see6, &s));
	return s;
}

/* requirement: PKT-1 */
static void test_ipv6_addresses(void **state)
{
	struct host *h = *state;
	struct ipaddr addrs[2], own;
	_cleanup_(rtnl_close_cleanup) struct rtnl *inside = NULL;
	_cleanup_close_ int fd = -1;
	struct rtnl_addr a = {.len = 64};
	struct seen6 s;
	char value[8];

	start_and_plug(h);
	assert_ok(ipaddr_parse("2001:db8::a", &addrs[0]));
	assert_ok(ipaddr_parse("2001:db8::b", &addrs[1]));
	assert_ok(driver_addresses6(h->driver, "i-1", "eni-1", addrs, 2));
	s = node_addresses6(h);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.alone, 2);
	assert_ok(driver_addresses6(h->driver, "i-1", "eni-1", addrs, 2)); /* again */
	assert_int_equal(node_addresses6(h).n, 2);

	/* what the node has given itself, with a prefix, is its own affair */
	assert_ok(ipaddr_parse("2001:db8::99", &own));
	fd = node_fd(h);
	assert_ok(rtnl_open_at(fd, &inside));
	a.ifindex = node_link(h).ifindex;
	a.addr = own;
	assert_ok(rtnl_addr_add(inside, &a));
	assert_ok(driver_addresses6(h->driver, "i-1", "eni-1", addrs + 1, 1));
	s = node_addresses6(h);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.alone, 1);
	assert_ok(driver_addresses6(h->driver, "i-1", "eni-1", NULL, 0));
	s = node_addresses6(h);
	assert_int_equal(s.n, 1);
	assert_true(ipaddr_equal(&s.last, &own));

	assert_error(driver_addresses6(h->driver, "i-1", "eni-2", addrs, 1), ENOENT);
	assert_error(driver_addresses6(h->driver, "i-2", "eni-1", addrs, 1), ENOENT);
	/* it listens to its router */
	assert_ok(sysctl_get(fd, "ipv6/conf/eth0/accept_ra", value, sizeof(value)));
	assert_string_equal(value, "2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_host, end_host)
		TEST(test_a_node_has_its_interface),
		TEST(test_everything_is_idempotent),
		TEST(test_what_another_node_was_given_stays),
		TEST(test_a_device_that_its_user_hid_goes),
		TEST(test_a_changed_mtu_and_mac_are_brought_about),
		TEST(test_what_is_missing_is_made_again),
		TEST(test_nothing_is_plugged_into_what_does_not_run),
		TEST(test_a_start_that_was_cut_off_is_made_anew),
		TEST(test_a_half_made_interface_is_made_ready),
		TEST(test_stopping_ends_all_that_runs_inside),
		TEST(test_a_vanished_namespace_is_a_node_that_ended),
		TEST(test_what_a_reboot_cut_off_is_started_again),
		TEST(test_a_new_driver_knows_the_nodes_of_the_last),
		TEST(test_a_pid_of_somebody_else_is_left_alone),
		TEST(test_the_script_configures_the_node_and_nothing_else),
		TEST(test_a_further_interface_has_its_address_at_once),
		TEST(test_device_names_fit_and_differ),
		TEST(test_ipv6_addresses),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
