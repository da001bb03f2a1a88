/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads the EC2 API with CreateNetworkInterface: N connections, each with one request under way,
 * signed one by one as any client does.  Every answer is a durable commit of the manager's.
 *
 *	load --port P --key ID --secret S --subnets SUBNET[,SUBNET...] [--clients N] [--seconds S]
 *
 * Prints one JSON object: operations per second, and ns at p50 and p99.  Used by run.py.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/sigv4.h"
#include "base/arena.h"
#include "base/err.h"

enum {
	CLIENTS_MAX = 1024,
	SUBNETS_MAX = 16,
	SAMPLES_MAX = 4 * 1000 * 1000,
	REQUEST_SIZE = 2048,
	ANSWER_SIZE = 64 * 1024,
	WARM_UP_MS = 300,
	ARENA_SIZE = 64 * 1024,
};

struct client {
	int fd;
	uint64_t began; /* ns */
	size_t n;       /* of the answer, so far */
	char answer[ANSWER_SIZE];
};

struct load {
	int port;
	int n_clients;
	double seconds;
	struct sigv4_sign_args sign;
	struct sigv4_cache cache;
	char *subnets[SUBNETS_MAX];
	size_t n_subnets;
	uint64_t n_sent;
	uint64_t *samples;
	size_t n_samples;
};

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static int connect_client(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* Signs and sends the next request. */
static void send_request(struct load *l, struct client *c)
{
	char body[256], host[32], date[SIGV4_TIMESTAMP_SIZE], text[REQUEST_SIZE];
	struct arena arena;
	struct http_header headers[] = {
		{"host", host},
		{"x-amz-date", date},
		{"content-type", "application/x-www-form-urlencoded"},
	};
	struct http_request request = {.method = "POST",
				       .path = "/",
				       .query = "",
				       .headers = headers,
				       .n_headers = ARRAY_SIZE(headers),
				       .body = body};
	const char *authorization;
	int n;

	l->sign.now_ms = clock_ns(CLOCK_REALTIME) / 1000000;
	sigv4_timestamp(l->sign.now_ms, date);
	snprintf(host, sizeof(host), "127.0.0.1:%d", l->port);
	n = snprintf(
		body, sizeof(body),
		"Action=CreateNetworkInterface&Version=2016-11-15&SubnetId=%s&ClientToken=t%llu-%d",
		l->subnets[l->n_sent % l->n_subnets], (unsigned long long)l->n_sent, getpid());
	request.body_size = (size_t)n;
	l->n_sent++;
	arena_init(&arena, ARENA_SIZE);
	authorization = sigv4_sign(&request, &l->sign, &l->cache, &arena);
	if (!authorization)
		die("sign");
	n = snprintf(text, sizeof(text),
		     "POST / HTTP/1.1\r\nHost: %s\r\nX-Amz-Date: %s\r\nContent-Type: %s\r\n"
		     "Authorization: %s\r\nContent-Length: %zu\r\n\r\n%s",
		     host, date, headers[2].value, authorization, request.body_size, body);
	arena_deinit(&arena);
	c->began = clock_ns(CLOCK_MONOTONIC);
	c->n = 0;
	if (send(c->fd, text, (size_t)n, MSG_NOSIGNAL) != n)
		die("send");
}

/* Whether the answer is whole; anything but a success ends the run, because it would not be a
 * figure. */
static bool answer_is_whole(struct client *c)
{
	char *body, *length;

	c->answer[c->n] = 0;
	body = strstr(c->answer, "\r\n\r\n");
	if (!body)
		return false;
	length = strcasestr(c->answer, "content-length:");
	if (!length || length > body) {
		errno = EPROTO;
		die("no length in the answer");
	}
	if (c->n < (size_t)(body + 4 - c->answer) + strtoul(length + 15, NULL, 10))
		return false;
	if (strncmp(c->answer, "HTTP/1.1 200", 12)) {
		fprintf(stderr, "load: refused: %s\n", c->answer);
		exit(1);
	}
	return true;
}

/* Runs the closed loop until 'end'; answers are counted if 'count'. */
static void run_until(struct load *l, struct client *clients, int poll, uint64_t end, bool count)
{
	struct epoll_event events[64];

	while (clock_ns(CLOCK_MONOTONIC) < end) {
		int n = epoll_wait(poll, events, ARRAY_SIZE(events), 1000);

		for (int i = 0; i < n; i++) {
			struct client *c = &clients[events[i].data.u32];
			ssize_t got = recv(c->fd, c->answer + c->n, ANSWER_SIZE - 1 - c->n, 0);

			if (got <= 0)
				die("the server closed");
			c->n += (size_t)got;
			if (!answer_is_whole(c))
				continue;
			if (count && l->n_samples < SAMPLES_MAX)
				l->samples[l->n_samples++] = clock_ns(CLOCK_MONOTONIC) - c->began;
			send_request(l, c);
		}
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void run(struct load *l)
{
	struct client *clients = calloc((size_t)l->n_clients, sizeof(*clients));
	int poll = epoll_create1(EPOLL_CLOEXEC);
	uint64_t start;

	l->samples = malloc(SAMPLES_MAX * sizeof(*l->samples));
	if (!clients || !l->samples || poll < 0)
		die("start");
	for (int i = 0; i < l->n_clients; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};

		clients[i].fd = connect_client(l->port);
		if (epoll_ctl(poll, EPOLL_CTL_ADD, clients[i].fd, &event))
			die("epoll_ctl");
		send_request(l, &clients[i]);
	}
	run_until(l, clients, poll, clock_ns(CLOCK_MONOTONIC) + WARM_UP_MS * 1000000ULL, false);
	start = clock_ns(CLOCK_MONOTONIC);
	run_until(l, clients, poll, start + (uint64_t)(l->seconds * 1e9), true);
	if (!l->n_samples) {
		errno = ETIMEDOUT;
		die("no answer");
	}
	double seconds = (double)(clock_ns(CLOCK_MONOTONIC) - start) / 1e9;
	qsort(l->samples, l->n_samples, sizeof(*l->samples), compare);
	printf("{\"per_second\": %.0f, \"p50_ns\": %llu, \"p99_ns\": %llu}\n",
	       (double)l->n_samples / seconds, (unsigned long long)l->samples[l->n_samples / 2],
	       (unsigned long long)l->samples[l->n_samples * 99 / 100]);
}

static void parse_subnets(struct load *l, char *text)
{
	for (char *s = strtok(text, ","); s && l->n_subnets < SUBNETS_MAX; s = strtok(NULL, ","))
		l->subnets[l->n_subnets++] = s;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"port", required_argument, NULL, 'p'},
		{"key", required_argument, NULL, 'k'},
		{"secret", required_argument, NULL, 's'},
		{"subnets", required_argument, NULL, 'n'},
		{"clients", required_argument, NULL, 'c'},
		{"seconds", required_argument, NULL, 't'},
		{NULL, 0, NULL, 0},
	};
	struct load l = {
		.n_clients = 1, .seconds = 5, .sign = {.region = "us-east-1", .service = "ec2"}};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'p':
			l.port = atoi(optarg);
			break;
		case 'k':
			l.sign.access_key_id = optarg;
			break;
		case 's':
			l.sign.secret = optarg;
			break;
		case 'n':
			parse_subnets(&l, optarg);
			break;
		case 'c':
			l.n_clients = atoi(optarg);
			break;
		case 't':
			l.seconds = atof(optarg);
			break;
		default:
			return 2;
		}
	}
	if (!l.port || !l.sign.access_key_id || !l.sign.secret || !l.n_subnets || l.n_clients < 1 ||
	    l.n_clients > CLIENTS_MAX || l.seconds <= 0) {
		fprintf(stderr,
			"usage: load --port P --key ID --secret S --subnets SUBNET[,SUBNET...] "
			"[--clients 1..1024] [--seconds S]\n");
		return 2;
	}
	run(&l);
	return 0;
}
