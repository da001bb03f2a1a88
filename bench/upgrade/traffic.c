/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The traffic of one node to all others, each datagram numbered and each connection watched:
 *
 *	traffic OWN RATE PEER...
 *
 * sends RATE datagrams a second, to one peer after the other, and keeps a connection to each, on
 * which an exchange follows the other.  Says "ready" when all connections stand; then answers each
 * line of its input with a line of JSON: "state" with the figures so far, "stop" after it has
 * stopped to send.  Ends with its input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
	PORT_UDP = 7100,
	PORT_TCP = 7101,
	PEERS_MAX = 64,
	TICKS_PER_SECOND = 1000,
	EXCHANGE_TICKS = 10,
	RECEIVE_BUFFER = 32 << 20,
};

struct peer {
	struct in_addr addr;
	/* sent to it, and received from it */
	uint64_t sent, received, twice, highest;
	uint8_t *seen; /* bits */
	size_t seen_size;
	/* the connection to it */
	int fd;
	uint64_t exchanges, ended;
	double begun, longest;
	bool waits;
};

static struct peer peers[PEERS_MAX];
static size_t n_peers;
static int udp, listener, poll_fd;
static bool sending = true;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void watch(int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &e))
		die("epoll_ctl");
}

static struct peer *peer_of(struct in_addr addr)
{
	for (size_t i = 0; i < n_peers; i++)
		if (peers[i].addr.s_addr == addr.s_addr)
			return &peers[i];
	return NULL;
}

static void note(struct peer *p, uint64_t number)
{
	size_t need = number / 8 + 1;

	if (need > p->seen_size) {
		size_t size = need * 2 + 4096;

		p->seen = realloc(p->seen, size);
		if (!p->seen)
			die("realloc");
		memset(p->seen + p->seen_size, 0, size - p->seen_size);
		p->seen_size = size;
	}
	if (p->seen[number / 8] & 1U << number % 8) {
		p->twice++;
		return;
	}
	p->seen[number / 8] |= (uint8_t)(1U << number % 8);
	p->received++;
	if (number > p->highest)
		p->highest = number;
}

static void receive(void)
{
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	uint64_t number;
	struct peer *p;

	while (recvfrom(udp, &number, sizeof(number), 0, (struct sockaddr *)&from, &size) ==
	       sizeof(number)) {
		p = peer_of(from.sin_addr);
		if (p)
			note(p, number);
	}
}

static void send_some(uint64_t n)
{
	static size_t next;

	for (uint64_t i = 0; i < n; i++) {
		struct peer *p = &peers[next++ % n_peers];
		struct sockaddr_in to = {
			.sin_family = AF_INET, .sin_port = htons(PORT_UDP), .sin_addr = p->addr};

		if (sendto(udp, &p->sent, sizeof(p->sent), 0, (struct sockaddr *)&to, sizeof(to)) >
		    0)
			p->sent++;
	}
}

static void begin_exchange(struct peer *p, double at)
{
	if (p->waits || p->fd < 0)
		return;
	p->begun = at;
	p->waits = true;
	if (send(p->fd, "x", 1, MSG_NOSIGNAL) != 1) {
		p->ended++;
		close(p->fd);
		p->fd = -1;
	}
}

static void on_tick(int timer, uint64_t rate)
{
	static uint64_t ticks, sent;
	uint64_t n;

	if (read(timer, &n, sizeof(n)) != sizeof(n))
		return;
	ticks += n;
	if (!sending)
		return;
	n = ticks * rate / TICKS_PER_SECOND - sent;
	send_some(n);
	sent += n;
	if (ticks % EXCHANGE_TICKS == 0)
		for (size_t i = 0; i < n_peers; i++)
			begin_exchange(&peers[i], now());
}

/* A connection of ours has an answer; anybody else's wants one. */
static void on_connection(int fd)
{
	char buffer[512];
	ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
	struct peer *p = NULL;

	for (size_t i = 0; i < n_peers; i++)
		if (peers[i].fd == fd)
			p = &peers[i];
	if (n <= 0 && p) {
		p->ended++;
		p->fd = -1;
	}
	if (n <= 0) {
		close(fd);
	} else if (p) {
		double took = now() - p->begun;

		p->waits = false;
		p->exchanges++;
		if (took > p->longest)
			p->longest = took;
	} else if (send(fd, buffer, (size_t)n, MSG_NOSIGNAL) < 0) {
		close(fd);
	}
}

static void report(void)
{
	char address[INET_ADDRSTRLEN];

	printf("{");
	for (size_t i = 0; i < n_peers; i++) {
		const struct peer *p = &peers[i];

		printf("%s\"%s\": {\"sent\": %llu, \"received\": %llu, \"twice\": %llu, "
		       "\"highest\": %llu, "
		       "\"exchanges\": %llu, \"ended\": %llu, \"longest_ms\": %.3f}",
		       i ? ", " : "", inet_ntop(AF_INET, &p->addr, address, sizeof(address)),
		       (unsigned long long)p->sent, (unsigned long long)p->received,
		       (unsigned long long)p->twice, (unsigned long long)p->highest,
		       (unsigned long long)p->exchanges, (unsigned long long)p->ended,
		       p->longest * 1000);
	}
	printf("}\n");
	fflush(stdout);
}

static void on_input(void)
{
	char line[64];

	if (!fgets(line, sizeof(line), stdin))
		exit(0);
	if (!strcmp(line, "stop\n"))
		sending = false;
	report();
}

static void open_sockets(const char *own)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PORT_UDP)};
	int one = 1, size = RECEIVE_BUFFER;

	if (inet_pton(AF_INET, own, &here.sin_addr) != 1)
		die("inet_pton");
	udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(udp, (struct sockaddr *)&here, sizeof(here)))
		die("bind");
	here.sin_port = htons(PORT_TCP);
	if (bind(listener, (struct sockaddr *)&here, sizeof(here)) || listen(listener, PEERS_MAX))
		die("listen");
}

/* The others may not listen yet. */
static void connect_to(struct peer *p)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(PORT_TCP), .sin_addr = p->addr};
	double until = now() + 20;

	for (;;) {
		p->fd = socket(AF_INET, SOCK_STREAM, 0);
		if (!connect(p->fd, (struct sockaddr *)&to, sizeof(to)))
			break;
		if (errno != ECONNREFUSED || now() > until)
			die("connect");
		close(p->fd);
	}
	watch(p->fd);
}

int main(int argc, char **argv)
{
	struct itimerspec each = {.it_interval.tv_nsec = 1000000000 / TICKS_PER_SECOND,
				  .it_value.tv_nsec = 1};
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);
	uint64_t rate = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;

	if (argc < 4 || argc > 3 + PEERS_MAX) {
		fprintf(stderr, "usage: traffic OWN RATE PEER...\n");
		return 2;
	}
	poll_fd = epoll_create1(0);
	open_sockets(argv[1]);
	for (int i = 3; i < argc; i++)
		if (inet_pton(AF_INET, argv[i], &peers[n_peers++].addr) != 1)
			die(argv[i]);
	for (size_t i = 0; i < n_peers; i++)
		connect_to(&peers[i]);
	watch(udp);
	watch(listener);
	watch(STDIN_FILENO);
	watch(timer);
	setvbuf(stdin, NULL, _IONBF, 0);
	printf("ready\n");
	fflush(stdout);
	timerfd_settime(timer, 0, &each, NULL);
	for (;;) {
		struct epoll_event events[PEERS_MAX];
		int n = epoll_wait(poll_fd, events, PEERS_MAX, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == udp)
				receive();
			else if (fd == listener)
				watch(accept(listener, NULL, NULL));
			else if (fd == timer)
				on_tick(timer, rate);
			else if (fd == STDIN_FILENO)
				on_input();
			else
				on_connection(fd);
		}
	}
}
