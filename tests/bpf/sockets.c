/* SPDX-License-Identifier: Apache-2.0 */
#include "sockets.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

enum {
	STEP_MS = 300, /* before a datagram is sent again */
	DATAGRAM_MAX = 2000,
};

struct sockaddr_in sockets_at(const char *addr, uint16_t port)
{
	struct ipaddr a = lab_addr(addr);

	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(ipaddr_v4(&a))};
}

int sockets_open(const struct lab *lab, int netns, int type, const char *addr, uint16_t port)
{
	const int yes = 1;
	int fd;

	lab_enter(lab, netns);
	fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	lab_enter(lab, -1);
	assert_true(fd >= 0);
	/* what an earlier test has closed may be there for a minute yet */
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
	if (addr) {
		struct sockaddr_in a = sockets_at(addr, port);

		assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	}
	return fd;
}

void sockets_send(int fd, const char *addr, uint16_t port, const void *data, size_t size)
{
	struct sockaddr_in to = sockets_at(addr, port);

	assert_int_equal(sendto(fd, data, size, 0, (struct sockaddr *)&to, sizeof(to)),
			 (ssize_t)size);
}

bool sockets_readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

int64_t sockets_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void sockets_expect_through(const struct lab *lab, int from, const char *addr, uint16_t port,
			    int to, size_t size)
{
	int64_t end = sockets_now_ms() + SOCKETS_WAIT_MS;
	char sent[DATAGRAM_MAX], got[DATAGRAM_MAX];

	assert_true(size <= sizeof(sent));
	memset(sent, 'x', sizeof(sent));
	do {
		sockets_send(from, addr, port, sent, size);
	} while (!sockets_readable(to, STEP_MS) && sockets_now_ms() < end);
	if (!sockets_readable(to, 0))
		lab_explain(lab);
	assert_int_equal(recv(to, got, sizeof(got), MSG_DONTWAIT), (ssize_t)size);
	assert_memory_equal(got, sent, size);
	while (recv(to, got, sizeof(got), MSG_DONTWAIT) > 0)
		;
}

/* What is sent repeats itself, but not at any round number. */
static char out[65536];

static void fill(void)
{
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7 + i / 251);
}

static size_t send_some(int fd, size_t sent)
{
	ssize_t n =
		send(fd, out + sent % sizeof(out), sizeof(out) - sent % sizeof(out), MSG_DONTWAIT);

	assert_true(n > 0 || errno == EAGAIN);
	return n > 0 ? (size_t)n : 0;
}

static size_t take_some(int fd, size_t got)
{
	static char in[sizeof(out)];
	ssize_t n = recv(fd, in, sizeof(in) - got % sizeof(in), MSG_DONTWAIT);

	assert_true(n > 0);
	assert_memory_equal(in, out + got % sizeof(out), (size_t)n);
	return (size_t)n;
}

void sockets_stream(int server, int client, const char *addr, uint16_t port, size_t size)
{
	struct sockaddr_in there = sockets_at(addr, port);
	size_t sent = 0, got = 0;
	int peer;

	fill();
	assert_int_equal(listen(server, 1), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&there, sizeof(there)), 0);
	peer = accept(server, NULL, NULL);
	assert_true(peer >= 0);
	while (got < size) {
		struct pollfd p[2] = {{.fd = client, .events = sent < size ? POLLOUT : 0},
				      {.fd = peer, .events = POLLIN}};

		assert_true(poll(p, 2, SOCKETS_WAIT_MS) > 0);
		if (p[0].revents & POLLOUT)
			sent += send_some(client, sent);
		if (p[1].revents & POLLIN)
			got += take_some(peer, got);
	}
	close(client); /* first: the address is free at once */
	close(peer);
	close(server);
}
