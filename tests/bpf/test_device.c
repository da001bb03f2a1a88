/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that are prepared for ports, or left by them (datapath/prepare.h): a port takes over what
 * runs there, a device without a port lets nothing pass, and nothing is left of either, whoever
 * does what at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "datapath/bpf_device.h"
#include "datapath/bpf_skel.h"
#include "frame.h"
#include "net/rtnl.h"

enum {
	PORT_ID = 100,
	THREADS = 4,
	ROUNDS = 12,
	PATIENCE_MS = 60000,
};

static struct lab lab;
static bool tcx;

static int set_up(void **state)
{
	lab_make(&lab, LAB_TABLE_SIZE, LAB_TABLE_SIZE);
	lab_open(&lab, 0); /* the other host has nothing to do */
	tcx = bpf_host_of(lab.hosts[0].dp)->tcx;
	return 0;
}

static int tear_down(void **state)
{
	lab_deinit(&lab);
	return 0;
}

/* ---- devices ---- */

struct device {
	int ifindex, far; /* both ends are in host 1's namespace */
};

static void device_make(struct device *d, int number)
{
	char near[16], far[16];
	struct rtnl_veth_end a = {.name = near, .netns_fd = -1}, b = {.name = far, .netns_fd = -1};
	struct rtnl_link one, two;
	struct rtnl *rtnl;

	snprintf(near, sizeof(near), "near%d", number);
	snprintf(far, sizeof(far), "far%d", number);
	assert_int_equal(rtnl_open(&rtnl), 0);
	assert_int_equal(rtnl_veth_create(rtnl, &a, &b), 0);
	assert_int_equal(rtnl_link_find(rtnl, near, &one), 0);
	assert_int_equal(rtnl_link_find(rtnl, far, &two), 0);
	assert_int_equal(rtnl_link_set_up(rtnl, one.ifindex, true), 0);
	assert_int_equal(rtnl_link_set_up(rtnl, two.ifindex, true), 0);
	rtnl_close(rtnl);
	*d = (struct device){one.ifindex, two.ifindex};
}

static void device_delete(const struct device *d)
{
	struct rtnl *rtnl;

	assert_int_equal(rtnl_open(&rtnl), 0);
	assert_int_equal(rtnl_link_delete(rtnl, d->ifindex), 0);
	rtnl_close(rtnl);
}

static struct dp_port port_on(const struct device *d, uint32_t id)
{
	struct dp_port p = {.id = id,
			    .ifindex = d->ifindex,
			    .vni = LAB_VNI,
			    .mtu = LAB_NODE_MTU,
			    .n_addrs = 1,
			    .mac = {{0x02, 0, 0, 0, 0, (uint8_t)id}}};

	p.addrs[0] = ipaddr_from_v4(0x0a000100 + id);
	return p;
}

/* Links with this program on the device, oldest first: their numbers are never used again. */
static size_t links_on(int ifindex, const struct bpf_program *program, uint32_t ret[static 4])
{
	struct bpf_prog_info mine = {};
	uint32_t size = sizeof(mine), id = 0;
	size_t n = 0;

	assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(program), &mine, &size), 0);
	while (!bpf_link_get_next_id(id, &id)) {
		struct bpf_link_info info = {};
		int fd = bpf_link_get_fd_by_id(id);

		size = sizeof(info);
		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.prog_id == mine.id &&
		    bpf_link_ifindex(fd) == ifindex && n < 4)
			ret[n++] = id;
		close(fd);
	}
	return n;
}

static size_t links_of_port(int ifindex, uint32_t ret[static 4])
{
	return links_on(ifindex, bpf_host_of(lab.hosts[0].dp)->skel->progs.port, ret);
}

/* Has the device the program by a filter? */
static bool has_filter(int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = 1, .priority = 1);

	return !bpf_tc_query(&hook, &filter);
}

/* Until the port has a link, and nothing but that; the link's number. */
static uint32_t wait_for_link(int ifindex)
{
	uint32_t links[4];

	for (int ms = 0; links_of_port(ifindex, links) != 1 || has_filter(ifindex); ms += 10) {
		assert_true(ms < PATIENCE_MS);
		poll(NULL, 0, 10);
	}
	return links[0];
}

static size_t n_entries(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static void send_frame(const struct device *d, const uint8_t frame[static 64])
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = d->far};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	assert_true(fd >= 0);
	assert_int_equal(sendto(fd, frame, 64, 0, (struct sockaddr *)&to, sizeof(to)), 64);
	close(fd);
}

/* A frame from the node behind the device; it is one that its port, if there is one, refuses by its
 * MAC. */
static void send_from(const struct device *d)
{
	const uint8_t frame[64] = {0x02, 1, 1, 1, 1, 1, 0x02, 0xee, 0, 0, 0, 1, 0x08, 0x00, 0x45};

	send_frame(d, frame);
}

/* One that it refuses by its protocol, as nothing that the kernel sends by itself. */
static void send_experimental(const struct device *d)
{
	const uint8_t frame[64] = {0x02, 1, 1, 1, 1, 1, 0x02, 0, 0, 0, 0, PORT_ID, 0x88, 0xb5};

	send_frame(d, frame);
}

static void wait_for_drops(uint32_t port, uint32_t reason, uint64_t n)
{
	for (int ms = 0; lab_drops(&lab, 0, port, reason) < n; ms += 10) {
		assert_true(ms < PATIENCE_MS);
		poll(NULL, 0, 10);
	}
}

/* ---- one after another ---- */

/* requirement: NIC-2, PKT-10 */
static void test_a_port_takes_over_what_was_prepared(void **state)
{
	struct datapath *dp = lab.hosts[0].dp;
	uint64_t refused = lab_drops(&lab, 0, 0, DROP_NO_PORT);
	struct dp_preparer *p;
	struct dp_port port;
	struct device d;
	uint32_t now[4], link;

	lab_enter(&lab, lab.hosts[0].netns);
	device_make(&d, 1);
	p = datapath_preparer(dp);
	assert_non_null(p);
	assert_int_equal(dp_preparer_prepare(p, d.ifindex, false), 0);
	assert_int_equal(dp_preparer_prepare(p, d.ifindex, false), 0); /* again: nothing */
	/* Nobody's yet: nothing passes. */
	send_from(&d);
	wait_for_drops(0, DROP_NO_PORT, refused + 1);
	assert_true(has_filter(d.ifindex));
	assert_int_equal(links_of_port(d.ifindex, now), 0);
	port = port_on(&d, PORT_ID);
	assert_int_equal(datapath_port_set(dp, &port), 0);
	send_from(&d);
	wait_for_drops(PORT_ID, DROP_SOURCE_MAC, 1);
	link = tcx ? wait_for_link(d.ifindex) : 0;
	/* It went: what its node sends is refused again, by the same link, until it is another
	 * one's. */
	assert_int_equal(datapath_port_delete(dp, PORT_ID), 0);
	send_from(&d);
	wait_for_drops(0, DROP_NO_PORT, refused + 2);
	port = port_on(&d, PORT_ID + 1);
	assert_int_equal(datapath_port_set(dp, &port), 0);
	send_from(&d);
	wait_for_drops(PORT_ID + 1, DROP_SOURCE_MAC, 1);
	if (tcx) {
		assert_int_equal(links_of_port(d.ifindex, now), 1);
		assert_int_equal(now[0], link);
	}
	assert_int_equal(datapath_port_delete(dp, PORT_ID + 1), 0);
	device_delete(&d);
	dp_preparer_tidy(p);
	assert_int_equal(dp_preparer_prepare(p, d.ifindex, false), -ENODEV);
	dp_preparer_unref(p);
	lab_enter(&lab, -1);
}

/* requirement: OPS-4 */
static void test_watched_or_not(void **state)
{
	struct bpf_host *h = bpf_host_of(lab.hosts[0].dp);
	uint32_t links[4], prepared[4];
	struct dp_preparer *p;
	struct dp_port port;
	struct device d;

	if (!tcx)
		skip();
	lab_enter(&lab, lab.hosts[0].netns);
	device_make(&d, 2);
	p = datapath_preparer(&h->base);
	assert_int_equal(dp_preparer_prepare(p, d.ifindex, true), 0);
	assert_int_equal(links_on(d.ifindex, h->skel->progs.delivered, prepared), 1);
	port = port_on(&d, PORT_ID);
	port.logged = true;
	assert_int_equal(datapath_port_set(&h->base, &port), 0);
	assert_int_equal(links_on(d.ifindex, h->skel->progs.delivered, links), 1);
	assert_int_equal(links[0], prepared[0]);
	/* It stays there until somebody who may wait ends it, or it is wanted again. */
	port.logged = false;
	assert_int_equal(datapath_port_set(&h->base, &port), 0);
	assert_int_equal(links_on(d.ifindex, h->skel->progs.delivered, links), 1);
	assert_int_equal(dp_preparer_watch(p, d.ifindex, false), 0);
	assert_int_equal(links_on(d.ifindex, h->skel->progs.delivered, links), 0);
	assert_int_equal(dp_preparer_watch(p, d.ifindex, false), 0);
	/* The port stands, and is watched again by what came before. */
	assert_int_equal(dp_preparer_watch(p, d.ifindex, true), 0);
	assert_int_equal(links_on(d.ifindex, h->skel->progs.delivered, prepared), 1);
	port.logged = true;
	assert_int_equal(datapath_port_set(&h->base, &port), 0);
	assert_int_equal(links_on(d.ifindex, h->skel->progs.delivered, links), 1);
	assert_int_equal(links[0], prepared[0]);
	port.logged = false;
	assert_int_equal(datapath_port_set(&h->base, &port), 0);
	port.logged = true;
	assert_int_equal(datapath_port_set(&h->base, &port), 0);
	assert_int_equal(links_on(d.ifindex, h->skel->progs.delivered, links), 1);
	assert_int_equal(datapath_port_delete(&h->base, PORT_ID), 0);
	/* The next port of the device is not watched. */
	port = port_on(&d, PORT_ID + 1);
	assert_int_equal(datapath_port_set(&h->base, &port), 0);
	assert_int_equal(links_on(d.ifindex, h->skel->progs.delivered, links), 0);
	wait_for_link(d.ifindex);
	assert_int_equal(datapath_port_delete(&h->base, PORT_ID + 1), 0);
	device_delete(&d);
	dp_preparer_tidy(p);
	dp_preparer_unref(p);
	lab_enter(&lab, -1);
}

/* requirement: OPS-4 NIC-2 */
static void test_a_watched_port_moves_to_another_device(void **state)
{
	struct bpf_host *h = bpf_host_of(lab.hosts[0].dp);
	struct device from, to;
	struct dp_port port;
	uint32_t links[4];

	if (!tcx)
		skip();
	lab_enter(&lab, lab.hosts[0].netns);
	device_make(&from, 11);
	device_make(&to, 12);
	port = port_on(&from, PORT_ID);
	port.logged = true;
	assert_int_equal(datapath_port_set(&h->base, &port), 0);
	port.ifindex = to.ifindex;
	assert_int_equal(datapath_port_set(&h->base, &port), 0);
	assert_int_equal(links_on(to.ifindex, h->skel->progs.delivered, links), 1);
	/* It is the port's, and found again. */
	port.mtu--;
	assert_int_equal(datapath_port_set(&h->base, &port), 0);
	assert_int_equal(links_on(to.ifindex, h->skel->progs.delivered, links), 1);
	assert_int_equal(dp_preparer_watch(h->base.preparer, from.ifindex, false), 0);
	assert_int_equal(links_on(from.ifindex, h->skel->progs.delivered, links), 0);
	assert_int_equal(links_on(to.ifindex, h->skel->progs.delivered, links), 1);
	assert_int_equal(datapath_port_delete(&h->base, PORT_ID), 0);
	device_delete(&from);
	device_delete(&to);
	dp_preparer_tidy(h->base.preparer);
	lab_enter(&lab, -1);
}

/* Packets that come all the while. */
struct sender {
	struct device device;
	atomic_bool stop;
	uint64_t n; /* sent */
};

static void *send_all_the_while(void *arg)
{
	struct sender *s = arg;

	lab_enter(&lab, lab.hosts[0].netns);
	while (!atomic_load(&s->stop)) {
		send_experimental(&s->device);
		s->n++;
	}
	return NULL;
}

/* requirement: PKT-10, OPS-3 */
static void test_a_link_comes_in_place_of_the_filter(void **state)
{
	struct datapath *dp = lab.hosts[0].dp;
	const uint64_t refused = lab_drops(&lab, 0, 0, DROP_NO_PORT);
	struct dp_preparer *p;
	struct sender sender = {};
	struct dp_port port;
	pthread_t thread;

	if (!tcx)
		skip();
	lab_enter(&lab, lab.hosts[0].netns);
	device_make(&sender.device, 5);
	port = port_on(&sender.device, PORT_ID);
	assert_int_equal(datapath_port_set(dp, &port), 0);
	assert_true(has_filter(sender.device.ifindex));
	assert_int_equal(pthread_create(&thread, NULL, send_all_the_while, &sender), 0);
	wait_for_link(sender.device.ifindex);
	atomic_store(&sender.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	/* Each packet met the program, and met it once. */
	wait_for_drops(PORT_ID, DROP_PROTOCOL, sender.n);
	assert_int_equal(lab_drops(&lab, 0, PORT_ID, DROP_PROTOCOL), sender.n);
	assert_int_equal(lab_drops(&lab, 0, 0, DROP_NO_PORT), refused);
	assert_int_equal(datapath_port_delete(dp, PORT_ID), 0);
	device_delete(&sender.device);
	p = datapath_preparer(dp);
	dp_preparer_tidy(p);
	dp_preparer_unref(p);
	lab_enter(&lab, -1);
}

static void set_port(const struct device *d, int number)
{
	struct dp_port port = port_on(d, (uint32_t)(PORT_ID + number));

	assert_int_equal(datapath_port_set(lab.hosts[0].dp, &port), 0);
}

/* A port that goes before its link came, or while it does, leaves one or the other, and no pin.
 * requirement: OPS-3 */
static void test_a_port_goes_before_its_link(void **state)
{
	struct bpf_host *h = bpf_host_of(lab.hosts[0].dp);
	struct dp_preparer *p;
	struct device d[THREADS];

	if (!tcx)
		skip();
	lab_enter(&lab, lab.hosts[0].netns);
	for (int i = 0; i < THREADS; i++)
		device_make(&d[i], 20 + i);
	set_port(&d[0], 0);
	assert_int_equal(datapath_port_delete(&h->base, PORT_ID), 0);
	for (int i = 1; i < THREADS; i++)
		set_port(&d[i], i);
	/* They come one after another: now that of the next one. */
	wait_for_link(d[1].ifindex);
	assert_int_equal(datapath_port_delete(&h->base, PORT_ID + 2), 0);
	wait_for_link(d[3].ifindex);
	for (int i = 0; i <= 2; i += 2) {
		uint64_t refused = lab_drops(&lab, 0, 0, DROP_NO_PORT);
		char path[PATH_MAX + 64];
		uint32_t links[4];

		snprintf(path, sizeof(path), "%s/link_port_%d", h->dir, PORT_ID + i);
		assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(links_of_port(d[i].ifindex, links), !has_filter(d[i].ifindex));
		send_from(&d[i]);
		wait_for_drops(0, DROP_NO_PORT, refused + 1);
	}
	assert_int_equal(datapath_port_delete(&h->base, PORT_ID + 1), 0);
	assert_int_equal(datapath_port_delete(&h->base, PORT_ID + 3), 0);
	for (int i = 0; i < THREADS; i++)
		device_delete(&d[i]);
	p = datapath_preparer(&h->base);
	dp_preparer_tidy(p);
	dp_preparer_unref(p);
	lab_enter(&lab, -1);
}

/* requirement: OPS-3 */
static void test_a_data_plane_that_closes_gives_back_what_was_prepared(void **state)
{
	struct lab_host *host = &lab.hosts[0];
	struct device vain, kept;
	struct dp_preparer *p;
	struct dp_port port;
	uint32_t links[4], link;

	lab_enter(&lab, host->netns);
	device_make(&vain, 3);
	device_make(&kept, 4);
	port = port_on(&kept, PORT_ID);
	p = datapath_preparer(host->dp);
	assert_int_equal(dp_preparer_prepare(p, kept.ifindex, false), 0);
	assert_int_equal(datapath_port_set(host->dp, &port), 0);
	link = tcx ? wait_for_link(kept.ifindex) : 0;
	host->dp = datapath_close(host->dp);
	/* A worker is at it yet, while the next agent's is open. */
	lab_enter(&lab, -1);
	lab_open(&lab, 0);
	lab_enter(&lab, host->netns);
	assert_int_equal(dp_preparer_prepare(p, vain.ifindex, false), 0);
	assert_true(has_filter(vain.ifindex));
	p = dp_preparer_unref(p);
	assert_false(has_filter(vain.ifindex));
	/* What is a port's is pinned, and adopted. */
	if (tcx) {
		assert_int_equal(links_of_port(kept.ifindex, links), 1);
		assert_int_equal(links[0], link);
	}
	send_from(&kept);
	wait_for_drops(PORT_ID, DROP_SOURCE_MAC, 1);
	assert_int_equal(datapath_port_delete(host->dp, PORT_ID), 0);
	device_delete(&vain);
	device_delete(&kept);
	p = datapath_preparer(host->dp);
	dp_preparer_tidy(p);
	dp_preparer_unref(p);
	lab_enter(&lab, -1);
}

/* The agent ends before a port's link came: the filter goes on, and the next agent has it replaced.
 * requirement: OPS-3 */
static void test_a_filter_is_adopted(void **state)
{
	struct lab_host *host = &lab.hosts[0];
	struct dp_preparer *p;
	struct dp_port port;
	struct device d;

	lab_enter(&lab, host->netns);
	device_make(&d, 6);
	port = port_on(&d, PORT_ID);
	assert_int_equal(datapath_port_set(host->dp, &port), 0);
	assert_true(has_filter(d.ifindex));
	host->dp = datapath_close(host->dp);
	assert_true(has_filter(d.ifindex));
	send_from(&d); /* it is counted in a table that stays */
	lab_enter(&lab, -1);
	lab_open(&lab, 0);
	lab_enter(&lab, host->netns);
	send_from(&d);
	wait_for_drops(PORT_ID, DROP_SOURCE_MAC, 2);
	if (tcx)
		wait_for_link(d.ifindex);
	send_from(&d);
	wait_for_drops(PORT_ID, DROP_SOURCE_MAC, 3);
	assert_int_equal(datapath_port_delete(host->dp, PORT_ID), 0);
	device_delete(&d);
	p = datapath_preparer(host->dp);
	dp_preparer_tidy(p);
	dp_preparer_unref(p);
	lab_enter(&lab, -1);
}

/* ---- at a time ---- */

/* A device's worker and the loop, by turns: nobody else touches the device. */
struct turn {
	struct dp_preparer *preparer;
	int number;
	atomic_int prepared; /* the device's index; 0: it is not */
	atomic_bool gone;    /* its port went */
	atomic_bool failed;
};

static bool wait_until(struct turn *t, bool gone)
{
	for (int ms = 0; ms < PATIENCE_MS; ms++) {
		if (gone ? atomic_load(&t->gone) : atomic_load(&t->prepared) != 0)
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

static void *work(void *arg)
{
	struct turn *t = arg;

	for (int i = 0; i < ROUNDS && !atomic_load(&t->failed); i++) {
		struct device d;

		device_make(&d, 10 + t->number);
		if (dp_preparer_prepare(t->preparer, d.ifindex, i & 1))
			atomic_store(&t->failed, true);
		atomic_store(&t->gone, false);
		atomic_store(&t->prepared, d.ifindex);
		/* In the one half of cases the device goes first, in the other its port. */
		if (i & 2 && !wait_until(t, true))
			atomic_store(&t->failed, true);
		device_delete(&d);
		if (!(i & 2) && !wait_until(t, true))
			atomic_store(&t->failed, true);
		dp_preparer_tidy(t->preparer);
	}
	return NULL;
}

/* requirement: OPS-3 */
static void test_many_at_a_time(void **state)
{
	struct lab_host *host = &lab.hosts[0];
	struct turn turns[THREADS] = {};
	pthread_t threads[THREADS];
	size_t n_fds;

	lab_enter(&lab, host->netns);
	n_fds = n_entries("/proc/self/fd");
	for (int i = 0; i < THREADS; i++) {
		turns[i].preparer = datapath_preparer(host->dp);
		turns[i].number = i;
		assert_int_equal(pthread_create(&threads[i], NULL, work, &turns[i]), 0);
	}
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < THREADS; i++) {
			struct device d = {};
			struct dp_port port;
			int r;

			assert_true(wait_until(&turns[i], false));
			d.ifindex = atomic_load(&turns[i].prepared);
			atomic_store(&turns[i].prepared, 0);
			port = port_on(&d, (uint32_t)(PORT_ID + i));
			port.logged = round & 1;
			r = datapath_port_set(host->dp, &port);
			if (r || round & 2)
				assert_int_equal(r, round & 2 ? 0 : -ENODEV);
			if (!r)
				assert_int_equal(datapath_port_delete(host->dp, port.id), 0);
			atomic_store(&turns[i].gone, true);
		}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_false(turns[i].failed);
		dp_preparer_tidy(turns[i].preparer);
		dp_preparer_unref(turns[i].preparer);
	}
	assert_int_equal(n_entries("/proc/self/fd"), n_fds);
	lab_enter(&lab, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_port_takes_over_what_was_prepared),
		cmocka_unit_test(test_watched_or_not),
		cmocka_unit_test(test_a_watched_port_moves_to_another_device),
		cmocka_unit_test(test_a_link_comes_in_place_of_the_filter),
		cmocka_unit_test(test_a_port_goes_before_its_link),
		cmocka_unit_test(test_a_data_plane_that_closes_gives_back_what_was_prepared),
		cmocka_unit_test(test_a_filter_is_adopted),
		cmocka_unit_test(test_many_at_a_time),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
