/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP in front of the API, on the loopback: answers leave when they are durable, failures are
 * told, and no client harms another.
 */
#include "http_world.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"

static int setup(void **state)
{
	*state = http_world_new(&descriptors_unlimited);
	return 0;
}

static int teardown(void **state)
{
	http_world_free(*state);
	return 0;
}

/* requirement: MAP-1 */
static void an_answer_leaves_when_it_is_durable(void **state)
{
	struct http_world *f = *state;
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
	struct http_world *f = *state;
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
	struct http_world *f = *state;
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
	struct http_world *f = *state;
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
	struct http_world *f = *state;
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
	struct http_world *f = *state;
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
	struct http_world *f = *state;
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
