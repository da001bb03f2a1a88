/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP in front of the API, on the loopback: answers leave when they are durable, failures are
 * told, and no client harms another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/sha.h>

#include <cmocka.h>

#include "api/api.h"
#include "base/limits.h"
#include "base/loop.h"
#include "manager/http.h"
#include "manager/listen.h"
#include "manager/live.h"
#include "manager/manager.h"
#include "manager/persist.h"
#include "store/store_memory.h"

struct fixture {
	struct clock clock;
	struct loop *loop;
	struct store_disk *disk;
	struct manager *manager;
	struct pki_pair ca;
	struct live live;
	struct api_live api_live;
	struct api *api;
	struct http *http;
	struct sockaddr_in addr;
};

static const char *const advertised[] = {"[fd00::1]:8774", NULL};

static void fill(void *data, void *ret, size_t size)
{
	static uint8_t next;

	for (size_t i = 0; i < size; i++)
		((uint8_t *)ret)[i] = next++;
}

static void start_manager(struct fixture *f)
{
	struct manager_config config = {.loop = f->loop, .lease_seconds = 300};
	struct model_config model = {.region = "us-east-1", .ids.fill = fill};

	assert_int_equal(prefix_parse("fd56:6961::/32", &model.organisation), 0);
	assert_int_equal(store_disk_new(&f->disk), 0);
	assert_int_equal(store_memory_open(f->disk, &config.store), 0);
	assert_int_equal(model_new(&model, &config.model), 0);
	assert_int_equal(persist_load(config.store, config.model), 0);
	assert_int_equal(manager_new(&config, &f->manager), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct pki_validity validity;
	uint8_t token[SHA256_DIGEST_LENGTH];
	struct api_config config;
	struct listen_addr addr;
	socklen_t size = sizeof(f->addr);
	int fd;

	clock_init_real(&f->clock);
	validity = (struct pki_validity){clock_wall_ms(&f->clock), 1};
	assert_int_equal(loop_new(&f->clock, &f->loop), 0);
	start_manager(f);
	assert_int_equal(pki_make_ca("test", validity, &f->ca), 0);
	f->live = (struct live){f->manager, &f->ca, advertised};
	f->api_live = live_api(&f->live);
	SHA256((const uint8_t *)"secret", 6, token);
	config = (struct api_config){.model = f->manager->model,
				     .clock = &f->clock,
				     .live = &f->api_live,
				     .operator_token_sha256 = token};
	assert_int_equal(api_new(&config, &f->api), 0);
	assert_int_equal(listen_parse("127.0.0.1:1", &addr), 0);
	((struct sockaddr_in *)&addr.addr)->sin_port = 0;
	assert_int_equal(listen_open(&addr, &fd), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&f->addr, &size), 0);
	assert_int_equal(http_new(f->manager, f->api, fd, &f->http), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_disk_hang(f->disk, false);
	journal_drain(f->manager->journal);
	http_free(f->http);
	api_free(f->api);
	manager_free(f->manager);
	pki_pair_deinit(&f->ca);
	loop_free(f->loop);
	store_disk_free(f->disk);
	free(f);
	return 0;
}

static int dial(struct fixture *f)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&f->addr, sizeof(f->addr)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void say(int fd, const char *method, const char *path, const char *body)
{
	char text[1024];
	int n = snprintf(text, sizeof(text),
			 "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n"
			 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
			 method, path, strlen(body), body);

	assert_int_equal(write(fd, text, (size_t)n), n);
}

/* Turns the loop for up to 'ms' and returns the status that came, 0: none.  The rest is in 'reply'.
 */
static char reply[8192];

static int hear(struct fixture *f, int fd, unsigned int ms)
{
	uint64_t until = clock_mono_ns(&f->clock) + ms * CLOCK_NS_PER_MS;
	ssize_t n = -1;
	int status = 0;

	reply[0] = '\0';
	while (n <= 0 && clock_mono_ns(&f->clock) < until) {
		assert_int_equal(loop_turn(f->loop, 5), 0);
		n = read(fd, reply, sizeof(reply) - 1);
		if (!n)
			return -1;
	}
	if (n > 0) {
		reply[n] = '\0';
		sscanf(reply, "HTTP/1.1 %d", &status);
	}
	return status;
}

/* requirement: MAP-1 */
static void an_answer_leaves_when_it_is_durable(void **state)
{
	struct fixture *f = *state;
	int writer = dial(f), reader = dial(f);

	store_disk_hang(f->disk, true);
	say(writer, "POST", "/v1/accounts", "{\"name\":\"one\"}");
	assert_int_equal(hear(f, writer, 200), 0);
	/* Who reads what is not durable waits too. */
	say(reader, "GET", "/v1/accounts", "");
	assert_int_equal(hear(f, reader, 200), 0);
	store_disk_hang(f->disk, false);
	assert_int_equal(hear(f, writer, 5000), 201);
	assert_int_equal(hear(f, reader, 5000), 200);
	assert_non_null(strstr(reply, "one"));
	close(writer);
	close(reader);
}

/* requirement: OPS-3 */
static void a_full_disk_refuses_writes_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	int writer = dial(f), reader = dial(f);

	store_disk_fail_next(f->disk, 1, -ENOSPC);
	say(writer, "POST", "/v1/accounts", "{\"name\":\"one\"}");
	say(reader, "GET", "/v1/accounts", "");
	assert_int_equal(hear(f, writer, 5000), 503);
	assert_non_null(strstr(reply, "store"));
	/* It saw the account, and is answered anew without it. */
	assert_int_equal(hear(f, reader, 5000), 200);
	assert_null(strstr(reply, "\"one\""));
	say(reader, "GET", "/v1/status", "");
	assert_int_equal(hear(f, reader, 5000), 200);
	assert_non_null(strstr(reply, "\"broken\""));
	/* The next write finds the store working. */
	say(writer, "POST", "/v1/accounts", "{\"name\":\"two\"}");
	assert_int_equal(hear(f, writer, 5000), 201);
	say(reader, "GET", "/v1/status", "");
	assert_int_equal(hear(f, reader, 5000), 200);
	assert_non_null(strstr(reply, "\"ok\""));
	close(writer);
	close(reader);
}

static void a_client_that_goes_away_costs_nothing(void **state)
{
	struct fixture *f = *state;
	int gone = dial(f), reader = dial(f);

	store_disk_hang(f->disk, true);
	say(gone, "POST", "/v1/accounts", "{\"name\":\"left\"}");
	assert_int_equal(hear(f, gone, 100), 0);
	close(gone);
	store_disk_hang(f->disk, false);
	/* What it asked for was done all the same. */
	say(reader, "GET", "/v1/accounts", "");
	assert_int_equal(hear(f, reader, 5000), 200);
	assert_non_null(strstr(reply, "left"));
	close(reader);
}

static void what_is_too_large_is_refused(void **state)
{
	struct fixture *f = *state;
	char head[256];
	int fd = dial(f), n;

	n = snprintf(head, sizeof(head), "POST /v1/accounts HTTP/1.1\r\nContent-Length: %d\r\n\r\n",
		     LIMIT_HTTP_BODY_SIZE + 1);
	assert_int_equal(write(fd, head, (size_t)n), n);
	assert_int_equal(hear(f, fd, 5000), 413);
	close(fd);
}

static void garbage_is_not_answered_with_a_crash(void **state)
{
	static const char *const bad[] = {
		"\r\n\r\n",
		"GET\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01",
		"GET /\xff?%%%0 HTTP/1.1\r\nHost:\r\n\r\n",
		"GET http://x HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"};
	struct fixture *f = *state;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fd = dial(f);
		assert_int_equal(write(fd, bad[i], strlen(bad[i])), (ssize_t)strlen(bad[i]));
		shutdown(fd, SHUT_WR);
		assert_true(hear(f, fd, 300) < 500);
		close(fd);
	}
	fd = dial(f);
	say(fd, "GET", "/v1/status", "");
	assert_int_equal(hear(f, fd, 5000), 200);
	close(fd);
}

static void a_connection_is_used_again(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f);

	for (int i = 0; i < 20; i++) {
		say(fd, "GET", "/v1/status", "");
		assert_int_equal(hear(f, fd, 5000), 200);
		assert_non_null(strstr(reply, "x-amzn-RequestId"));
	}
	close(fd);
}

static void a_registered_host_gets_a_bundle_that_fits(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f);

	say(fd, "POST", "/v1/hosts", "{\"name\":\"h1\",\"v6\":\"fd00::5\"}");
	assert_int_equal(hear(f, fd, 5000), 201);
	assert_non_null(strstr(reply, "[fd00::1]:8774"));
	assert_non_null(strstr(reply, "BEGIN CERTIFICATE"));
	assert_int_equal(hmap_count(&f->manager->agents.by_number), 1);
	say(fd, "GET", "/v1/hosts", "");
	assert_int_equal(hear(f, fd, 5000), 200);
	assert_non_null(strstr(reply, "\"never\""));
	close(fd);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_leaves_when_it_is_durable),
		TEST(a_full_disk_refuses_writes_and_nothing_else),
		TEST(a_client_that_goes_away_costs_nothing),
		TEST(what_is_too_large_is_refused),
		TEST(garbage_is_not_answered_with_a_crash),
		TEST(a_connection_is_used_again),
		TEST(a_registered_host_gets_a_bundle_that_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
