/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent of the next release, in which tables have another layout (change.py), takes the place of
 * one of this release, and what the tables know goes on: next_open() opens a data plane whose
 * programs and code are that release's.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/connection.h"
#include "abi/drop.h"
#include "abi/format.h"
#include "base/err.h"
#include "datapath/bpf_connection.h"
#include "datapath/bpf_convert.h"
#include "datapath/bpf_host.h"
#include "tests/bpf/edge_lab.h"
#include "tests/bpf/policy_lab.h"

enum { GAP_US = 500, QUIET_MS = 20000, N_CONNECTIONS = 300, FIRST = 20000 };

static struct policy_lab *const l = &policy_lab;

#define ANY_V4                                                                                     \
	{                                                                                          \
		.addr = {{[10] = 0xff, [11] = 0xff}}, .len = 96                                    \
	}

static const struct dp_rule out_all[] = {
	{.egress = true, .protocol = DP_PROTOCOL_ANY, .to = 65535, .prefix = ANY_V4}};
static const struct dp_rule in_all[] = {
	{.protocol = DP_PROTOCOL_ANY, .to = 65535, .prefix = ANY_V4}};

static int (*next_open)(const struct dp_config *config, struct datapath **ret, bool *ret_adopted);

static int load_next(void)
{
	void *module = dlopen(NEXT_PLANE, RTLD_NOW | RTLD_LOCAL);

	if (!module) {
		fprintf(stderr, "%s\n", dlerror());
		return -1;
	}
	*(void **)&next_open = dlsym(module, "next_open");
	return next_open ? 0 : -1;
}

/* ---- replacing ---- */

/* The next agent has opened: the programs that run are yet those of before. */
static void open_next(struct lab *lab, int host)
{
	struct lab_host *h = &lab->hosts[host];
	bool adopted = false;

	h->dp = datapath_close(h->dp);
	h->config.defer = true;
	lab_enter(lab, h->netns);
	assert_int_equal(next_open(&h->config, &h->dp, &adopted), 0);
	lab_enter(lab, -1);
	h->config.defer = false;
	assert_true(adopted);
}

static void activate(struct lab *lab, int host)
{
	lab_enter(lab, lab->hosts[host].netns);
	assert_int_equal(datapath_activate(lab->hosts[host].dp), 0);
	lab_enter(lab, -1);
}

static int count_subnet(const struct dp_subnet *s, void *arg)
{
	++*(int *)arg;
	return 0;
}

static int n_subnets(int host)
{
	int n = 0;

	assert_int_equal(datapath_subnets(l->lab.hosts[host].dp, count_subnet, &n), 0);
	return n;
}

/* As an agent does that has its saved state. */
static void set_subnets(void)
{
	lab_subnet(&l->lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", "10.0.0.2");
	lab_subnet(&l->lab, LAB_VNI, "10.0.2.0/24", "10.0.2.1", "10.0.0.2");
}

static bool is_pinned(int host, const char *table)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", bpf_host_of(l->lab.hosts[host].dp)->dir, table);
	return !access(path, F_OK);
}

/* ---- traffic ---- */

/* Numbered datagrams from a to b, each of which b sends back. */
struct talk {
	pthread_t thread;
	int a, b;
	uint16_t port;
	_Atomic bool stop;
	_Atomic uint32_t echoed;
	uint32_t sent;
};

static int udp_socket(const struct lab_node *n, const char *addr, uint16_t port)
{
	const int room = 16 << 20;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd;

	assert_int_equal(inet_pton(AF_INET, addr, &a.sin_addr), 1);
	lab_enter(&l->lab, n->netns);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	lab_enter(&l->lab, -1);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void talk_send(struct talk *t)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(t->port)};

	inet_pton(AF_INET, "10.0.1.11", &to.sin_addr);
	if (sendto(t->a, &t->sent, sizeof(t->sent), 0, (struct sockaddr *)&to, sizeof(to)) ==
	    sizeof(t->sent))
		t->sent++;
}

/* What has come.  A number that is out of order is not counted: then not all come back. */
static void talk_take(struct talk *t)
{
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	uint32_t n;

	while (recvfrom(t->b, &n, sizeof(n), MSG_DONTWAIT, (struct sockaddr *)&from, &size) ==
	       sizeof(n))
		sendto(t->b, &n, sizeof(n), 0, (struct sockaddr *)&from, size);
	while (recv(t->a, &n, sizeof(n), MSG_DONTWAIT) == sizeof(n))
		t->echoed += n == t->echoed;
}

static void *talk_run(void *data)
{
	const struct timespec gap = {.tv_nsec = GAP_US * 1000};
	struct talk *t = data;
	struct pollfd p[] = {{.fd = t->a, .events = POLLIN}, {.fd = t->b, .events = POLLIN}};

	while (!t->stop) {
		talk_send(t);
		talk_take(t);
		nanosleep(&gap, NULL);
	}
	while (t->echoed < t->sent && poll(p, 2, QUIET_MS) > 0)
		talk_take(t);
	return NULL;
}

static void talk_begin(struct talk *t, uint16_t port)
{
	struct timespec gap = {.tv_nsec = GAP_US * 1000};

	*t = (struct talk){.a = udp_socket(l->a, "10.0.1.10", port),
			   .b = udp_socket(l->b, "10.0.1.11", port),
			   .port = port};
	assert_int_equal(pthread_create(&t->thread, NULL, talk_run, t), 0);
	for (int i = 0; i < 40000 && t->echoed < 10; i++)
		nanosleep(&gap, NULL);
	assert_true(t->echoed >= 10);
}

static void talk_end(struct talk *t)
{
	t->stop = true;
	assert_int_equal(pthread_join(t->thread, NULL), 0);
	if (t->echoed != t->sent)
		lab_explain(&l->lab);
	assert_int_equal(t->echoed, t->sent);
	close(t->a);
	close(t->b);
}

/* More has come back than now. */
static void talk_goes_on(const struct talk *t)
{
	const struct timespec gap = {.tv_nsec = GAP_US * 1000};
	uint32_t now = t->echoed;

	for (int i = 0; i < 40000 && t->echoed <= now + 10; i++)
		nanosleep(&gap, NULL);
	assert_true(t->echoed > now + 10);
}

static void begin(uint16_t port)
{
	assert_int_equal(policy_tcp(l->a, l->b, port, 80, SYN), 0);
	assert_int_equal(policy_tcp(l->b, l->a, 80, port, SYN | ACK), 0);
	assert_int_equal(policy_tcp(l->a, l->b, port, 80, ACK), 0);
}

/* What has begun may go on, and nothing else may begin. */
static void allow(bool anything)
{
	policy_set_group(l->a->port.id, out_all, anything ? 1 : 0);
	policy_set_group(l->b->port.id, in_all, anything ? 1 : 0);
}

static void join(void)
{
	allow(true);
	policy_join(l->a, l->a->port.id);
	policy_join(l->b, l->b->port.id);
}

static void goes_on(uint16_t port, const char *state)
{
	assert_string_equal(policy_state(l->a, port, 80), state);
	assert_string_equal(policy_state(l->b, 80, port), state);
	assert_int_equal(policy_tcp(l->a, l->b, port, 80, ACK), 0);
	assert_int_equal(policy_tcp(l->b, l->a, 80, port, ACK), 0);
}

/* A connection that is closing, or half open, is kept for a minute, and an emulated processor may
 * need more than that for an upgrade: then there is none that could go on. */
static bool is_kept(const struct timespec *since, enum connection_state state)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - since->tv_sec < connection_timeout(state) - 10;
}

/* ---- upgrading ---- */

static void check_adoption(int host)
{
	struct dp_adoption a;

	datapath_adoption(l->lab.hosts[host].dp, &a);
	assert_int_equal(a.n_changed, 7);
	assert_string_equal(a.lost, "pins sessions6");
	assert_int_equal(a.n_left_out, 0);
}

/* Drops by what nobody may begin any more, at the host. */
static uint64_t refused(int host)
{
	return lab_drops(&l->lab, host, host ? l->b->port.id : l->a->port.id,
			 host ? DROP_GROUP_INGRESS : DROP_GROUP_EGRESS);
}

/* Connections of all ages live on, and no packet is lost: neither of those that were there, nor of
 * one that begins while the next agent fills its tables.  What counts goes on counting. */
/* requirement: OPS-3 */
static void test_an_upgrade_loses_no_packet(void **state)
{
	static struct talk old, young; /* their threads outlive a test that fails */
	struct timespec at;
	uint64_t before;

	join();
	for (uint16_t i = 0; i < N_CONNECTIONS; i++)
		begin((uint16_t)(FIRST + i));
	policy_set_group(l->b->port.id, NULL, 0);
	assert_int_equal(policy_tcp(l->a, l->b, 6000, 80, SYN), DROP_GROUP_INGRESS);
	allow(true);
	talk_begin(&old, 4000);
	/* These last a minute: looked at first. */
	clock_gettime(CLOCK_MONOTONIC, &at);
	assert_int_equal(policy_tcp(l->a, l->b, FIRST + 1, 80, FIN | ACK), 0);
	assert_int_equal(policy_tcp(l->a, l->b, 5000, 80, SYN), 0);
	open_next(&l->lab, 1);
	check_adoption(1);
	assert_int_equal(n_subnets(1), 0);
	set_subnets();
	assert_int_equal(n_subnets(1), 2);
	assert_true(is_pinned(1, "connections") && !is_pinned(1, "connections@2"));
	talk_begin(&young, 4001);
	allow(false);
	before = refused(1);
	assert_true(before > 0);
	activate(&l->lab, 1);
	if (is_kept(&at, CONNECTION_CLOSING)) {
		goes_on(FIRST + 1, "closing");
		/* What was half open goes on from there. */
		assert_int_equal(policy_tcp(l->b, l->a, 80, 5000, SYN | ACK), 0);
		assert_int_equal(policy_tcp(l->a, l->b, 5000, 80, ACK), 0);
		goes_on(5000, "established");
	}
	assert_true(!is_pinned(1, "connections") && is_pinned(1, "connections@2"));
	assert_true(!is_pinned(1, "subnets") && is_pinned(1, "subnets@2"));
	assert_true(is_pinned(1, "locals") && !is_pinned(1, "flows_out"));
	talk_goes_on(&old);
	talk_goes_on(&young);
	assert_int_equal(refused(1), before);
	for (uint16_t i = 2; i < N_CONNECTIONS; i++)
		goes_on((uint16_t)(FIRST + i), "established");
	/* And nobody is let in for it. */
	policy_set_group(l->a->port.id, out_all, 1);
	assert_int_equal(policy_tcp(l->a, l->b, 6001, 80, SYN), DROP_GROUP_INGRESS);
	assert_int_equal(refused(1), before + 1);
	talk_end(&young);
	talk_end(&old);
}

/* An agent of the next release that dies before its programs run, or while it replaces them, leaves
 * everything as it was. */
/* requirement: OPS-3 */
static void test_an_upgrade_that_is_broken_off(void **state)
{
	char path[PATH_MAX + 64], other[PATH_MAX + 80];
	static struct talk talk;
	int table, subnets;

	join();
	subnets = n_subnets(0);
	begin(FIRST);
	talk_begin(&talk, 4000);
	allow(false);
	open_next(&l->lab, 0);
	l->lab.hosts[0].dp = datapath_close(l->lab.hosts[0].dp);
	lab_open(&l->lab, 0);
	assert_int_equal(n_subnets(0), subnets);
	goes_on(FIRST, "established");
	/* Some of its tables were pinned, none of its programs ran. */
	snprintf(path, sizeof(path), "%s/connections", bpf_host_of(l->lab.hosts[0].dp)->dir);
	table = bpf_obj_get(path);
	assert_true(table >= 0);
	open_next(&l->lab, 0);
	set_subnets();
	activate(&l->lab, 0);
	assert_int_equal(policy_tcp(l->a, l->b, FIRST, 80, RST), 0);
	assert_string_equal(policy_state(l->a, FIRST, 80), "reset");
	assert_int_equal(bpf_obj_pin(table, path), 0);
	open_next(&l->lab, 0);
	activate(&l->lab, 0);
	assert_string_equal(policy_state(l->a, FIRST, 80), "established");
	snprintf(other, sizeof(other), "%s@2", path);
	assert_true(access(path, F_OK) && !access(other, F_OK));
	close(table);
	talk_end(&talk);
}

/* A release that knows nothing of a layout takes none of it for its own: it says so, the programs
 * go on, and it begins anew when it is told to.  Host 1 has the next release's programs since the
 * first test. */
/* requirement: OPS-3 */
static void test_a_release_before_misreads_nothing(void **state)
{
	struct lab_host *h = &l->lab.hosts[1];
	bool adopted = true;
	static struct talk talk;

	join();
	assert_true(is_pinned(1, "ports@2"));
	talk_begin(&talk, 4000);
	h->dp = datapath_close(h->dp);
	lab_enter(&l->lab, h->netns);
	assert_int_equal(datapath_open(&h->config, &h->dp, &adopted), -EINVAL);
	lab_enter(&l->lab, -1);
	talk_goes_on(&talk);
	talk_end(&talk);
	lab_enter(&l->lab, h->netns);
	assert_int_equal(datapath_destroy(&h->config), 0);
	assert_int_equal(datapath_open(&h->config, &h->dp, &adopted), 0);
	lab_enter(&l->lab, -1);
	assert_false(adopted);
}

/* ---- what both releases write ---- */

static struct dp_connection_value connection(uint16_t port, uint8_t state)
{
	return (struct dp_connection_value){
		.local_port = port, .protocol = IPPROTO_TCP, .state = state, .hash = port};
}

/* requirement: OPS-3 */
static void test_sets_that_both_releases_change(void **state)
{
	struct dp_connection_set before = {}, now, current;

	for (uint16_t i = 0; i < 6; i++)
		before.connections[i] = connection((uint16_t)(i + 1), CONNECTION_ESTABLISHED);
	now = current = before;
	now.connections[0].state = CONNECTION_CLOSING;            /* the old one has seen more */
	current.connections[1].state = CONNECTION_CLOSED;         /* the new one has */
	now.connections[2] = connection(30, CONNECTION_SYN_SENT); /* begun by the old one */
	now.connections[3] = connection(40, CONNECTION_SYN_SENT); /* begun by both, */
	current.connections[3] = connection(41, CONNECTION_SYN_SENT); /* in one place */
	now.connections[4] = connection(50, CONNECTION_SYN_SENT);     /* the same, in two places */
	current.connections[7] = connection(50, CONNECTION_PICKED_UP);
	bpf_connection_merge(&before, &now, &current);
	assert_int_equal(current.connections[0].state, CONNECTION_CLOSING);
	assert_int_equal(current.connections[1].state, CONNECTION_CLOSED);
	assert_int_equal(current.connections[2].hash, 30);
	assert_int_equal(current.connections[3].hash, 41);
	assert_int_equal(current.connections[6].hash, 40);
	assert_int_equal(current.connections[4].hash, 5);
	assert_int_equal(current.connections[7].hash, 50);
	assert_int_equal(current.connections[7].state, CONNECTION_SYN_SENT);
	assert_int_equal(current.connections[5].hash, 6);
}

/* ---- from the release before ---- */

static int make_counters(uint32_t size)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "counters", 4, size, 4, NULL);

	assert_true(fd >= 0);
	return fd;
}

/* Counters that did not know formats keep their sums, also what the programs of before count in the
 * meantime. */
/* requirement: OPS-3 PKT-15 */
static void test_counters_before_formats(void **state)
{
	const struct bpf_conversion *c = bpf_conversion_find("counters", 1, 2);
	const size_t n = (size_t)libbpf_num_possible_cpus();
	_cleanup_free_ uint64_t(*before)[4] = calloc(n, sizeof(*before));
	_cleanup_free_ struct dp_counters_value *after = calloc(n, sizeof(*after));
	int was = make_counters(sizeof(*before)), now = make_counters(sizeof(*after));
	struct bpf_carried carried = {};
	const uint32_t slot = 2;

	assert_non_null(c);
	hmap_init(&carried.entries);
	for (int run = 0; run < 2; run++) {
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < 4; k++)
				before[i][k] += 100 * (k + 1) + i;
		assert_int_equal(bpf_map_update_elem(was, &slot, before, BPF_ANY), 0);
		assert_int_equal(bpf_convert(c, was, now, &carried), 0);
		assert_int_equal(bpf_map_lookup_elem(now, &slot, after), 0);
		for (size_t i = 0; i < n; i++)
			assert_memory_equal(&after[i].formats[FORMAT_NONE], before[i],
					    sizeof(before[i]));
		/* the new ones have begun */
		after[0].formats[FORMAT_SIIT_2].tx_packets += 7;
		assert_int_equal(bpf_map_update_elem(now, &slot, after, BPF_ANY), 0);
	}
	assert_int_equal(after[0].formats[FORMAT_SIIT_2].tx_packets, 14);
	bpf_carried_deinit(&carried);
	close(was);
	close(now);
}

/* ---- an edge ---- */

/* The sessions of a NAT gateway are in a table of its own, inside another one. */
/* requirement: OPS-3 EDGE-1 */
static void test_an_edge_keeps_its_sessions(void **state)
{
	static struct edge_lab e;
	const struct dp_gateway v6 = {
		.handle = 0xf00003, .kind = DP_GATEWAY_EGRESS_ONLY, .vni = LAB_VNI};
	struct edge_packet out = {.protocol = IPPROTO_TCP,
				  .src = "10.0.1.10",
				  .sport = 4000,
				  .dst = "203.0.113.1",
				  .dport = 80,
				  .flags = SYN,
				  .payload = 100};
	struct edge_packet in = {.protocol = IPPROTO_TCP,
				 .src = "203.0.113.1",
				 .sport = 80,
				 .dst = EDGE_NAT_PUBLIC,
				 .flags = SYN | ACK,
				 .payload = 100};
	struct frame f;

	edge_lab_init(&e, FORMAT_SIIT_2);
	edge_lab_route(&e, EDGE_NAT);
	assert_int_equal(datapath_gateway_set(e.lab.hosts[LAB_EDGE].dp, &v6), 0);
	f = edge_lab_out(&e, e.a, &out);
	in.dport = edge_sport(&f);
	open_next(&e.lab, LAB_EDGE);
	lab_subnet_with(&e.lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", EDGE_TABLE);
	activate(&e.lab, LAB_EDGE);
	f = edge_lab_in(&e, e.a, &in);
	edge_assert(&f, "203.0.113.1", 80, "10.0.1.10", 4000);
	/* Another of its own is as before: nobody asked for it. */
	in.dport++;
	edge_lab_in_refused(&e, &in, DROP_UNSOLICITED);
	edge_lab_deinit(&e);
}

int main(void)
{
	const struct CMUnitTest hosts[] = {
		cmocka_unit_test(test_an_upgrade_loses_no_packet),
		cmocka_unit_test(test_an_upgrade_that_is_broken_off),
		cmocka_unit_test(test_a_release_before_misreads_nothing),
	};
	const struct CMUnitTest others[] = {
		cmocka_unit_test(test_sets_that_both_releases_change),
		cmocka_unit_test(test_counters_before_formats),
		cmocka_unit_test(test_an_edge_keeps_its_sessions),
	};
	int failed;

	if (load_next())
		return 1;
	failed = cmocka_run_group_tests(hosts, policy_lab_set_up, policy_lab_tear_down);
	return failed + cmocka_run_group_tests(others, NULL, NULL);
}
