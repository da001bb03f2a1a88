/* SPDX-License-Identifier: Apache-2.0 */
/* The client of the operator API against a small HTTP server in a thread of this test. */
#include "ctl/client.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/unit/test.h"

/* One connection after the other is given one canned answer; the requests are kept. */
struct server {
	int fd;
	uint16_t port;
	pthread_t thread;
	const char *const *answers;
	size_t n_answers;
	char requests[4][2048];
};

static void *serve(void *arg)
{
	struct server *s = arg;

	for (size_t i = 0; i < s->n_answers; i++) {
		int fd = accept(s->fd, NULL, NULL);
		ssize_t n = read(fd, s->requests[i], sizeof(s->requests[i]) - 1);
		const char *answer = s->answers[i];

		s->requests[i][n > 0 ? n : 0] = '\0';
		if (write(fd, answer, strlen(answer)) < 0)
			perror("write");
		close(fd);
	}
	return NULL;
}

static void server_start(struct server *s, const char *const *answers, size_t n)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);

	memset(s, 0, sizeof(*s));
	s->answers = answers;
	s->n_answers = n;
	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_ok(bind(s->fd, (struct sockaddr *)&a, sizeof(a)));
	assert_ok(listen(s->fd, 4));
	assert_ok(getsockname(s->fd, (struct sockaddr *)&a, &size));
	s->port = ntohs(a.sin_port);
	assert_ok(pthread_create(&s->thread, NULL, serve, s));
}

static void server_stop(struct server *s)
{
	pthread_join(s->thread, NULL);
	close(s->fd);
}

static struct client *client_of(const struct server *s)
{
	struct client *c;
	char endpoint[64];

	snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%u/", s->port);
	assert_ok(client_new(endpoint, "secret", &c));
	return c;
}

#define OK_HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"

/* requirement: OPS-1 */
static void test_pages_become_one_list(void **state)
{
	static const char *const answers[] = {
		OK_HEAD "{\"hosts\":[{\"id\":1},{\"id\":2}],\"next\":\"a b\"}",
		OK_HEAD "{\"hosts\":[{\"id\":3}]}",
	};
	_cleanup_json_ json_t *list = NULL;
	struct client_error error;
	struct server s;
	struct client *c;

	server_start(&s, answers, ARRAY_SIZE(answers));
	c = client_of(&s);
	assert_ok(client_list(c, "/v1/hosts", "hosts", &list, &error));
	server_stop(&s);
	client_free(c);
	assert_int_equal(json_array_size(json_object_get(list, "hosts")), 3);
	assert_null(json_object_get(list, "next"));
	assert_true(str_has_prefix(s.requests[0], "GET /v1/hosts HTTP/1.1\r\n"));
	assert_non_null(strstr(s.requests[0], "Authorization: Bearer secret\r\n"));
	assert_true(str_has_prefix(s.requests[1], "GET /v1/hosts?next=a%20b HTTP/1.1\r\n"));
}

/* requirement: OPS-1 */
static void test_a_refusal_says_what_the_manager_said(void **state)
{
	static const char *const answers[] = {
		"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"
		"{\"error\":{\"code\":\"NotFound\",\"message\":\"no such host\"}}",
		"HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n<html>",
		OK_HEAD "[1]",
		OK_HEAD "{\"other\":[]}",
	};
	struct client_error error;
	json_t *ret = NULL;
	struct server s;
	struct client *c;

	server_start(&s, answers, ARRAY_SIZE(answers));
	c = client_of(&s);
	assert_error(client_request(c, "DELETE", "/v1/hosts/x", NULL, &ret, &error), ENOENT);
	assert_string_equal(error.text, "no such host (NotFound)");
	assert_error(client_request(c, "GET", "/v1/hosts", NULL, &ret, &error), EPROTO);
	assert_non_null(strstr(error.text, "500"));
	assert_error(client_request(c, "GET", "/v1/hosts", NULL, &ret, &error), EPROTO);
	assert_error(client_list(c, "/v1/hosts", "hosts", &ret, &error), EPROTO);
	assert_null(ret);
	server_stop(&s);
	client_free(c);
}

static void test_nobody_listening_is_said_plainly(void **state)
{
	static const char *const answers[] = {OK_HEAD "{}"};
	struct client_error error;
	struct server s;
	struct client *c;
	json_t *ret;

	server_start(&s, answers, 1);
	c = client_of(&s);
	assert_ok(client_request(c, "GET", "/v1/status", NULL, &ret, &error));
	json_decref(ret);
	server_stop(&s);
	assert_error(client_request(c, "GET", "/v1/status", NULL, &ret, &error), ECONNREFUSED);
	assert_non_null(strstr(error.text, "viaductd"));
	client_free(c);
}

static void test_endpoints_and_tokens_are_checked(void **state)
{
	struct client *c;

	assert_error(client_new("127.0.0.1:8773", "t", &c), EINVAL);
	assert_error(client_new("http://x", "a\r\nX: y", &c), EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages_become_one_list),
		cmocka_unit_test(test_a_refusal_says_what_the_manager_said),
		cmocka_unit_test(test_nobody_listening_is_said_plainly),
		cmocka_unit_test(test_endpoints_and_tokens_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
