/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine that talks to itself: what is written to its sealing device goes sealed over the
 * loopback of a namespace of the test's own and comes back on the device.  And when it takes a
 * second thread.
 */
#include <dirent.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../test.h"
#include "fixture.h"
#include "seal/duty.h"
#include "seal/engine.h"

enum {
	MS = 1000000,
	/* frames on their way at once: more than the engine does before it looks around */
	AHEAD = 256,
	FRAMES = 2000,
	DATA = 1200,
	PATIENCE = 120, /* seconds: other work may have the machine */
};

/* ---- when ---- */

static bool update(struct duty *d, struct duty_counts *c, uint64_t *now, struct duty_counts more,
		   uint64_t window)
{
	c->sealed += more.sealed;
	c->opened += more.opened;
	c->rested += more.rested;
	*now += window;
	return duty_update(d, *now, c);
}

static void test_one_thread_until_both_ways_are_busy(void **state)
{
	const uint64_t w = DUTY_WINDOW_NS;
	struct duty_counts c = {.sealed = 1000, .opened = 5, .rested = 77};
	uint64_t now = 5000 * w;
	struct duty d;

	duty_init(&d, now, &c);
	assert_false(d.divided);
	/* A stream and its acknowledgements, without rest. */
	assert_false(update(&d, &c, &now, (struct duty_counts){4800, 70, 0}, w));
	assert_false(update(&d, &c, &now, (struct duty_counts){70, 4800, 0}, w));
	/* Both ways, with time to spare. */
	assert_false(update(&d, &c, &now, (struct duty_counts){2000, 2000, w / 4}, w));
	/* Both ways and no rest, but not for a window yet. */
	assert_false(update(&d, &c, &now, (struct duty_counts){2000, 2000, 0}, w - 1));
	assert_true(update(&d, &c, &now, (struct duty_counts){2, 2, w / 5}, 1));
	assert_true(d.divided);
	/* They rest now and then, but one alone would not keep up. */
	assert_false(update(&d, &c, &now, (struct duty_counts){3000, 3000, w}, w));
	/* One would. */
	assert_true(update(&d, &c, &now, (struct duty_counts){1000, 1000, w + w / 2}, w));
	assert_false(d.divided);
	/* And one way is light again. */
	assert_true(update(&d, &c, &now, (struct duty_counts){900, 600, 0}, w));
	assert_false(update(&d, &c, &now, (struct duty_counts){4000, 400, 0}, w));
	assert_true(update(&d, &c, &now, (struct duty_counts){4800, 70, 0}, w));
	assert_false(d.divided);
	/* Nothing at all. */
	assert_false(update(&d, &c, &now, (struct duty_counts){0, 0, 100 * w}, 100 * w));
	assert_false(update(&d, &c, &now, (struct duty_counts){0, 0, 0}, w));
}

/* ---- the engine ---- */

struct world {
	char path[64], windows[80];
	struct past past;
	struct seal_shared *shared;
	struct engine *engine;
	int tap; /* raw frames of the sealing device */
	uint32_t sent, received;
};

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void set_up(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = {};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	assert_ok(ioctl(fd, SIOCGIFFLAGS, &r));
	r.ifr_flags |= IFF_UP;
	assert_ok(ioctl(fd, SIOCSIFFLAGS, &r));
	close(fd);
}

/* Seals for, and opens from, the same address with the same key. */
static void configure(struct world *w)
{
	struct {
		struct seal_image image;
		struct seal_class class;
		struct seal_key_record keys[2];
	} image = {
		.image = {.generation = 1, .n_classes = 1, .n_keys = 2, .device = "seal0"},
		.class = {.number = 1,
			  .peer = FIXTURE_SENDER,
			  .spi = seal_spi(FIXTURE_SENDER, SEAL_AES_128_GCM, FIXTURE_EPOCH),
			  .cipher = SEAL_AES_128_GCM,
			  .remote = {[10] = 0xff, 0xff, 127, 0, 0, 1}},
	};

	memcpy(image.image.v4, image.class.remote, 16);
	for (int i = 0; i < 2; i++)
		image.keys[i] = (struct seal_key_record){.spi = image.class.spi,
							 .peer = FIXTURE_SENDER,
							 .cipher = SEAL_AES_128_GCM,
							 .seals = (uint8_t)i,
							 .key = {1, 2, 3}};
	if (!w->engine)
		assert_ok(engine_new(&image.image, w->shared, &w->past, &w->engine));
	assert_true(engine_is_for(w->engine, &image.image));
	assert_ok(engine_configure(w->engine, &image, sizeof(image)));
}

static int open_tap(void)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = (int)if_nametoindex("seal0")};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
	int size = 64 << 20;

	assert_true(fd >= 0);
	assert_ok(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)));
	assert_ok(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)));
	assert_ok(bind(fd, (struct sockaddr *)&at, sizeof(at)));
	return fd;
}

/* Needs root. */
static int make(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w || unshare(CLONE_NEWNET) < 0)
		return -1;
	*state = w;
	set_up("lo");
	snprintf(w->path, sizeof(w->path), "/tmp/seal-engine-%d", (int)getpid());
	unlink(w->path);
	snprintf(w->windows, sizeof(w->windows), "%s.windows", w->path);
	unlink(w->windows);
	assert_ok(past_open(&w->past, w->path, w->windows, 1000));
	w->shared = calloc(1, sizeof(*w->shared));
	assert_non_null(w->shared);
	configure(w);
	set_up("seal0");
	w->tap = open_tap();
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;
	char lock[80];

	engine_free(w->engine);
	close(w->tap);
	past_close(&w->past);
	unlink(w->path);
	unlink(w->windows);
	snprintf(lock, sizeof(lock), "%s.lock", w->path);
	unlink(lock);
	free(w->shared);
	free(w);
	return 0;
}

/* The next frame, with its number in its data: false when the device takes no more now. */
static bool send_one(struct world *w)
{
	static const struct seal_note note = {.magic = SEAL_NOTE_MAGIC, .id = {0, 0, 0, 1}};
	uint8_t frame[SEAL_ETHERNET + 28 + DATA];
	size_t size = fixture_packet(frame + SEAL_ETHERNET, false, false, DATA, 0);

	memcpy(frame, &note, sizeof(note));
	packet_put16(frame + sizeof(note), ETHERTYPE_IP);
	packet_put32(frame + SEAL_ETHERNET + 28, w->sent);
	if (send(w->tap, frame, SEAL_ETHERNET + size, 0) < 0) {
		assert_true(errno == ENOBUFS || errno == EAGAIN);
		return false;
	}
	w->sent++;
	return true;
}

/* What has come back: each frame once, and none before one that was sent earlier. */
static void receive_all(struct world *w)
{
	uint8_t frame[2048];
	ssize_t n;

	while ((n = recv(w->tap, frame, sizeof(frame), 0)) > 0) {
		if (frame[0] != SEAL_NOTE_MAGIC)
			continue; /* the kernel's own chatter */
		assert_int_equal(n, SEAL_ETHERNET + 28 + DATA);
		assert_int_equal(packet_get32(frame + SEAL_ETHERNET + 28), w->received);
		w->received++;
	}
}

/* Keeps 'ahead' frames on their way, FRAMES at least, until 'n_threads' are at work. */
static void drive_until(struct world *w, uint32_t ahead, unsigned int n_threads)
{
	uint64_t until = clock_ns() + (uint64_t)PATIENCE * 1000 * MS;
	uint32_t least = w->sent + FRAMES;

	while (w->sent < least || engine_n_at_work(w->engine) != n_threads) {
		struct pollfd fd = {.fd = w->tap, .events = POLLIN};

		assert_true(clock_ns() < until);
		while (w->sent - w->received < ahead && send_one(w))
			;
		assert_true(poll(&fd, 1, PATIENCE * 1000) > 0);
		receive_all(w);
	}
}

/* How many threads of this process may run on exactly as many processors. */
static unsigned int threads_on(int n_cpus)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	unsigned int n = 0;
	cpu_set_t set;

	assert_non_null(tasks);
	while ((task = readdir(tasks)))
		if (task->d_name[0] != '.' &&
		    !sched_getaffinity((pid_t)atoi(task->d_name), sizeof(set), &set))
			n += CPU_COUNT(&set) == n_cpus;
	closedir(tasks);
	return n;
}

/* Both threads on one processor, or wherever this test may run. */
static void bind_engine(struct world *w, bool one)
{
	struct cpus cpus = {};
	cpu_set_t mine;
	unsigned int cpu = 0;

	assert_ok(sched_getaffinity(0, sizeof(mine), &mine));
	while (!CPU_ISSET(cpu, &mine))
		cpu++;
	if (one)
		cpus.words[cpu / 64] = UINT64_C(1) << cpu % 64;
	assert_ok(engine_bind(w->engine, &cpus));
	if (CPU_COUNT(&mine) > 1)
		assert_int_equal(threads_on(1), one ? 2 : 0);
}

/* requirement: NEG-11 */
static void test_order_is_kept_when_threads_change(void **state)
{
	struct world *w = *state;

	assert_int_equal(engine_n_at_work(w->engine), 1);
	for (int i = 0; i < 3; i++) {
		drive_until(w, AHEAD, 2);
		configure(w); /* the same once more, while both run */
		bind_engine(w, i != 1);
		drive_until(w, 1, 1);
	}
	while (w->received < w->sent) {
		struct pollfd fd = {.fd = w->tap, .events = POLLIN};

		assert_true(poll(&fd, 1, PATIENCE * 1000) > 0);
		receive_all(w);
	}
	assert_false(engine_is_broken(w->engine));
	w->engine = engine_free(w->engine);
	assert_int_equal(w->shared->peers[FIXTURE_SENDER].opened_packets, w->sent);
	assert_int_equal(w->shared->peers[FIXTURE_SENDER].sealed_packets, w->sent);
	assert_int_equal(w->shared->n_refusals, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_thread_until_both_ways_are_busy),
		cmocka_unit_test_setup_teardown(test_order_is_kept_when_threads_change, make, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
