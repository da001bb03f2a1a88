/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes traffic between two network namespaces and measures it: one process with a thread at each
 * end, so that nothing but the path under test lies between them and no clock has to be compared.
 *
 *   traffic --from NETNS --to NETNS --address A --mode MODE [--cpus C,D] [--seconds S] [--streams
 *   N]
 *
 * Modes: tcp-bulk (bit/s received), udp-rate (64-byte packets/s received), tcp-rr and udp-rr
 * (request-response: ns at p50 and p99, and round trips/s), tcp-crr (connections/s: connect,
 * request, response, close; the far end closes first, so that the near end's ports are free
 * again).  NETNS is a path; A is the address of the far end.  Prints one JSON object.  Used by
 * run.py; knows nothing of what carries the packets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	PORT = 5201,
	STREAMS_MAX = 16,
	BULK_WRITE = 128 * 1024,
	UDP_PAYLOAD = 64 - 28, /* 64 bytes of IPv4 packet */
	/* sent before the far end must have drained: never overruns a socket */
	UDP_BURST = 32,
	/* bytes of the datagram that ends a UDP run; no other has this size */
	UDP_LAST_WORD = 2,
	UDP_LAST_WORD_GAP_US = 1000,
	SAMPLES_MAX = 4 * 1000 * 1000,
	WARM_UP_MS = 100,
	RECEIVE_TIMEOUT_S = 5,
};

struct end {
	const char *netns;
	int cpu;
};

struct run {
	struct end from, to;
	struct sockaddr_in address;
	const char *mode;
	double seconds;
	int streams;
};

/* What one thread of a stream needs and leaves. */
struct stream {
	const struct run *run;
	int port;
	int socket; /* the far end's, opened before the near end starts */
	atomic_bool stop, far_done;
	atomic_ullong received; /* bytes or packets */
	uint64_t *samples;
	size_t n_samples;
};

static void die(const char *what)
{
	fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* Moves the calling thread into a namespace and onto a processor. */
static void enter(const struct end *end)
{
	cpu_set_t set;
	int fd = open(end->netns, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(end->netns);
	close(fd);
	if (end->cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)end->cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

static int make_socket(int type)
{
	struct timeval timeout = {.tv_sec = RECEIVE_TIMEOUT_S};
	int one = 1;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static int connect_to(const struct stream *s, int type)
{
	struct sockaddr_in to = s->run->address;
	int fd = make_socket(type);

	to.sin_port = htons((uint16_t)s->port);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
	return fd;
}

/* The far end: receives, and answers when the mode wants it. */
static void *far_end(void *arg)
{
	struct stream *s = arg;
	bool answer = strstr(s->run->mode, "-rr") != NULL;
	bool tcp = !strncmp(s->run->mode, "tcp", 3);
	static _Thread_local char data[BULK_WRITE];
	struct sockaddr_in peer;
	socklen_t peer_size;
	int fd = s->socket;

	enter(&s->run->to);
	if (tcp) {
		fd = accept(s->socket, NULL, NULL);
		if (fd < 0)
			die("accept");
		int one = 1;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	}
	for (;;) {
		peer_size = sizeof(peer);
		ssize_t n =
			recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&peer, &peer_size);

		if (n <= 0)
			break;
		atomic_fetch_add_explicit(&s->received, tcp ? (unsigned long long)n : 1,
					  memory_order_relaxed);
		if (answer &&
		    (tcp ? send(fd, data, (size_t)n, 0)
			 : sendto(fd, data, (size_t)n, 0, (struct sockaddr *)&peer, peer_size)) < 0)
			die("answer");
		if (!tcp && n == UDP_LAST_WORD)
			break;
	}
	if (tcp)
		close(fd);
	atomic_store(&s->far_done, true);
	return NULL;
}

/* Ends the far side of a UDP run; repeated, because a full socket buffer may swallow it. */
static void say_last_word(struct stream *s, int fd)
{
	const char word[UDP_LAST_WORD] = {0};

	while (!atomic_load(&s->far_done)) {
		if (send(fd, word, sizeof(word), 0) < 0 && errno != ENOBUFS &&
		    errno != ECONNREFUSED)
			die("send");
		usleep(UDP_LAST_WORD_GAP_US);
	}
}

static void near_bulk(struct stream *s)
{
	static _Thread_local char data[BULK_WRITE];
	int fd = connect_to(s, SOCK_STREAM);

	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		if (send(fd, data, sizeof(data), MSG_NOSIGNAL) < 0)
			die("send");
	}
	close(fd);
}

static void near_rr(struct stream *s, int type)
{
	char byte = 'x';
	int fd = connect_to(s, type);

	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		uint64_t start = now_ns();

		if (send(fd, &byte, 1, 0) != 1 || recv(fd, &byte, 1, 0) != 1)
			die("request-response");
		if (s->n_samples < SAMPLES_MAX)
			s->samples[s->n_samples++] = now_ns() - start;
	}
	if (type == SOCK_DGRAM)
		say_last_word(s, fd);
	close(fd);
}

static void *near_end(void *arg)
{
	struct stream *s = arg;

	enter(&s->run->from);
	if (!strcmp(s->run->mode, "tcp-bulk"))
		near_bulk(s);
	else
		near_rr(s, !strcmp(s->run->mode, "tcp-rr") ? SOCK_STREAM : SOCK_DGRAM);
	return NULL;
}

static int bound_socket(const struct run *run, int port, int type)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd;

	enter(&(struct end){run->to.netns, -1});
	fd = make_socket(type);
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) ||
	    (type == SOCK_STREAM && listen(fd, 1)))
		die("bind");
	return fd;
}

static void sleep_for(double seconds)
{
	struct timespec t = {.tv_sec = (time_t)seconds,
			     .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static unsigned long long sum_received(struct stream *streams, int n)
{
	unsigned long long sum = 0;

	for (int i = 0; i < n; i++)
		sum += atomic_load(&streams[i].received);
	return sum;
}

/* Runs the streams of a bulk or request-response mode and prints the result. */
static void run_streams(const struct run *run)
{
	struct stream streams[STREAMS_MAX] = {0};
	pthread_t near[STREAMS_MAX], far[STREAMS_MAX];
	bool bulk = !strcmp(run->mode, "tcp-bulk");
	int type = !strncmp(run->mode, "tcp", 3) ? SOCK_STREAM : SOCK_DGRAM;
	unsigned long long before, after;
	uint64_t start, end;

	for (int i = 0; i < run->streams; i++) {
		streams[i].run = run;
		streams[i].port = PORT + i;
		streams[i].socket = bound_socket(run, PORT + i, type);
		streams[i].samples = bulk ? NULL : malloc(SAMPLES_MAX * sizeof(uint64_t));
		if (!bulk && !streams[i].samples)
			die("malloc");
		pthread_create(&far[i], NULL, far_end, &streams[i]);
		pthread_create(&near[i], NULL, near_end, &streams[i]);
	}
	sleep_for(WARM_UP_MS / 1000.0);
	before = sum_received(streams, run->streams);
	start = now_ns();
	sleep_for(run->seconds);
	after = sum_received(streams, run->streams);
	end = now_ns();
	for (int i = 0; i < run->streams; i++)
		atomic_store(&streams[i].stop, true);
	for (int i = 0; i < run->streams; i++) {
		pthread_join(near[i], NULL);
		pthread_join(far[i], NULL);
	}
	if (bulk) {
		printf("{\"bits_per_second\": %.0f}\n",
		       (double)(after - before) * 8e9 / (double)(end - start));
		return;
	}
	struct stream *s = &streams[0];

	if (!s->n_samples)
		die("no round trip");
	qsort(s->samples, s->n_samples, sizeof(uint64_t), compare);
	printf("{\"p50_ns\": %llu, \"p99_ns\": %llu, \"per_second\": %.0f}\n",
	       (unsigned long long)s->samples[s->n_samples / 2],
	       (unsigned long long)s->samples[s->n_samples * 99 / 100],
	       (double)(after - before) * 1e9 / (double)(end - start));
}

/* One core: one thread sends a burst and drains it, so the figure is processor time per packet. */
static unsigned long long udp_one_core(int out, int in, uint64_t until)
{
	char data[UDP_PAYLOAD] = {0};
	unsigned long long received = 0;

	while (now_ns() < until) {
		for (int i = 0; i < UDP_BURST; i++) {
			if (send(out, data, sizeof(data), 0) < 0)
				die("send");
		}
		for (int i = 0; i < UDP_BURST; i++) {
			if (recv(in, data, sizeof(data), 0) < 0)
				die("a packet did not arrive");
			received++;
		}
	}
	return received;
}

static void run_udp_one_core(const struct run *run)
{
	struct stream s = {.run = run, .port = PORT};
	unsigned long long received;
	uint64_t start, end;
	int in = bound_socket(run, PORT, SOCK_DGRAM);
	int out;

	enter(&run->from);
	out = connect_to(&s, SOCK_DGRAM);
	udp_one_core(out, in, now_ns() + WARM_UP_MS * 1000000ULL);
	start = now_ns();
	received = udp_one_core(out, in, start + (uint64_t)(run->seconds * 1e9));
	end = now_ns();
	printf("{\"packets_per_second\": %.0f}\n", (double)received * 1e9 / (double)(end - start));
}

static void *near_udp(void *arg)
{
	struct stream *s = arg;
	char data[UDP_PAYLOAD] = {0};
	int fd;

	enter(&s->run->from);
	fd = connect_to(s, SOCK_DGRAM);
	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		if (send(fd, data, sizeof(data), 0) < 0 && errno != ENOBUFS)
			die("send");
	}
	say_last_word(s, fd);
	close(fd);
	return NULL;
}

/* Two cores: the sender floods, what the receiver gets is counted. */
static void run_udp_two_cores(const struct run *run)
{
	struct stream s = {.run = run, .port = PORT, .socket = bound_socket(run, PORT, SOCK_DGRAM)};
	pthread_t near, far;
	unsigned long long before, after;
	uint64_t start, end;

	pthread_create(&far, NULL, far_end, &s);
	pthread_create(&near, NULL, near_udp, &s);
	sleep_for(WARM_UP_MS / 1000.0);
	before = atomic_load(&s.received);
	start = now_ns();
	sleep_for(run->seconds);
	after = atomic_load(&s.received);
	end = now_ns();
	atomic_store(&s.stop, true);
	pthread_join(near, NULL);
	pthread_join(far, NULL);
	printf("{\"packets_per_second\": %.0f}\n",
	       (double)(after - before) * 1e9 / (double)(end - start));
}

/* The far end of connections that carry one request. */
static void *far_connections(void *arg)
{
	struct stream *s = arg;
	char byte;

	enter(&s->run->to);
	for (;;) {
		int fd = accept(s->socket, NULL, NULL);

		if (fd < 0)
			break; /* shut down: the end */
		if (recv(fd, &byte, 1, 0) == 1 && send(fd, &byte, 1, MSG_NOSIGNAL) == 1)
			atomic_fetch_add_explicit(&s->received, 1, memory_order_relaxed);
		close(fd);
	}
	return NULL;
}

static void *near_connections(void *arg)
{
	struct stream *s = arg;
	char byte = 'x';

	enter(&s->run->from);
	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		int fd = connect_to(s, SOCK_STREAM);

		if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1 || recv(fd, &byte, 1, 0) != 1 ||
		    recv(fd, &byte, 1, 0) != 0)
			die("connection");
		close(fd);
	}
	return NULL;
}

static void run_connections(const struct run *run)
{
	struct stream s = {
		.run = run, .port = PORT, .socket = bound_socket(run, PORT, SOCK_STREAM)};
	struct timeval forever = {0};
	pthread_t near, far;
	unsigned long long before, after;
	uint64_t start, end;

	setsockopt(s.socket, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
	pthread_create(&far, NULL, far_connections, &s);
	pthread_create(&near, NULL, near_connections, &s);
	sleep_for(WARM_UP_MS / 1000.0);
	before = atomic_load(&s.received);
	start = now_ns();
	sleep_for(run->seconds);
	after = atomic_load(&s.received);
	end = now_ns();
	atomic_store(&s.stop, true);
	pthread_join(near, NULL);
	shutdown(s.socket, SHUT_RDWR);
	pthread_join(far, NULL);
	printf("{\"connections_per_second\": %.0f}\n",
	       (double)(after - before) * 1e9 / (double)(end - start));
}

static void usage(void)
{
	fprintf(stderr, "usage: traffic --from NETNS --to NETNS --address IPV4 --mode "
			"tcp-bulk|tcp-rr|tcp-crr|udp-rr|udp-rate [--cpus A,B] [--seconds S] "
			"[--streams N]\n");
	exit(2);
}

static void parse_options(int argc, char **argv, struct run *run)
{
	static const struct option options[] = {
		{"from", required_argument, NULL, 'f'},
		{"to", required_argument, NULL, 't'},
		{"address", required_argument, NULL, 'a'},
		{"mode", required_argument, NULL, 'm'},
		{"cpus", required_argument, NULL, 'c'},
		{"seconds", required_argument, NULL, 's'},
		{"streams", required_argument, NULL, 'n'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			run->from.netns = optarg;
			break;
		case 't':
			run->to.netns = optarg;
			break;
		case 'a':
			if (inet_pton(AF_INET, optarg, &run->address.sin_addr) != 1)
				usage();
			break;
		case 'm':
			run->mode = optarg;
			break;
		case 'c':
			if (sscanf(optarg, "%d,%d", &run->from.cpu, &run->to.cpu) != 2)
				usage();
			break;
		case 's':
			run->seconds = atof(optarg);
			break;
		case 'n':
			run->streams = atoi(optarg);
			break;
		default:
			usage();
		}
	}
	if (!run->from.netns || !run->to.netns || !run->mode || !run->address.sin_addr.s_addr ||
	    run->seconds <= 0 || run->streams < 1 || run->streams > STREAMS_MAX)
		usage();
}

int main(int argc, char **argv)
{
	struct run run = {
		.from = {.cpu = -1},
		.to = {.cpu = -1},
		.address = {.sin_family = AF_INET},
		.seconds = 1,
		.streams = 1,
	};

	parse_options(argc, argv, &run);
	if (!strcmp(run.mode, "udp-rate")) {
		if (run.from.cpu == run.to.cpu)
			run_udp_one_core(&run);
		else
			run_udp_two_cores(&run);
	} else if (!strcmp(run.mode, "tcp-crr")) {
		run_connections(&run);
	} else if (!strcmp(run.mode, "tcp-bulk") || !strcmp(run.mode, "tcp-rr") ||
		   !strcmp(run.mode, "udp-rr")) {
		run_streams(&run);
	} else {
		usage();
	}
	return 0;
}
