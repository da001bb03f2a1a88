/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket of a running agent. */
#include "agent/control.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/limits.h"
#include "tests/unit/agent/rig.h"
#include "tests/unit/test.h"

struct desk {
	struct rig rig;
	struct control control;
	char path[64];
	int fd; /* a client's */
};

static int dial(const struct desk *d)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, d->path);
	assert_return_code(fd, errno);
	assert_ok(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)));
	return fd;
}

static int setup(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));

	rig_init(&d->rig);
	rig_start(&d->rig);
	rig_desire_all(&d->rig);
	snprintf(d->path, sizeof(d->path), "/tmp/test_control.%d.sock", getpid());
	assert_ok(control_init(&d->control, d->rig.agent, d->path, "/run/resolv"));
	d->fd = dial(d);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct desk *d = *state;
	bool left;

	close(d->fd);
	control_deinit(&d->control);
	left = !access(d->path, F_OK);
	rig_deinit(&d->rig);
	free(d);
	return left ? -1 : 0;
}

static json_t *ask(struct desk *d, const char *line)
{
	char answer[16384] = "";
	size_t n = 0;

	assert_int_equal(write(d->fd, line, strlen(line)), strlen(line));
	while (!memchr(answer, '\n', n)) {
		ssize_t got;

		rig_settle(&d->rig);
		got = recv(d->fd, answer + n, sizeof(answer) - 1 - n, 0);
		assert_true(got > 0);
		n += (size_t)got;
	}
	return json_loads(answer, 0, NULL);
}

/* requirement: OPS-1 */
static void test_every_request_has_its_answer(void **state)
{
	struct desk *d = *state;
	static const char *const requests[] = {"status", "ports",        "mappings",  "drops",
					       "peers",  "capabilities", "instances", "probe"};

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		char line[64];
		json_t *answer;

		snprintf(line, sizeof(line), "{\"request\":\"%s\"}\n", requests[i]);
		answer = ask(d, line);
		assert_non_null(json_object_get(answer, requests[i]));
		json_decref(answer);
	}
}

/* requirement: OPS-1 */
static void test_the_answers_say_what_is(void **state)
{
	struct desk *d = *state;
	json_t *answer = ask(d, "{\"request\":\"status\"}\n"), *status, *port;

	status = json_object_get(answer, "status");
	assert_string_equal(json_string_value(json_object_get(status, "host_id")), "host-1");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(status, "manager"), "state")),
		"up");
	assert_int_equal(json_integer_value(json_object_get(status, "revision")), 10);
	json_decref(answer);
	answer = ask(d, "{\"request\":\"ports\"}\n");
	port = json_array_get(json_object_get(answer, "ports"), 0);
	assert_string_equal(json_string_value(json_object_get(port, "interface")), "eni-1");
	assert_string_equal(json_string_value(json_array_get(json_object_get(port, "addrs"), 0)),
			    "10.0.1.4");
	json_decref(answer);
	answer = ask(d, "{\"request\":\"peers\"}\n");
	port = json_array_get(json_object_get(answer, "peers"), 0);
	assert_string_equal(json_string_value(json_object_get(port, "send")), "siit/2");
	json_decref(answer);
}

/* requirement: OPS-1 */
static void test_mistakes_are_answered(void **state)
{
	struct desk *d = *state;
	static const char *const lines[] = {
		"{\"request\":\"fly\"}\n", "{}\n", "[]\n", "\n", "rubbish\n", "{\"request\":7}\n"};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		json_t *answer = ask(d, lines[i]), *error = json_object_get(answer, "error");

		assert_non_null(json_string_value(json_object_get(error, "code")));
		assert_non_null(json_string_value(json_object_get(error, "message")));
		json_decref(answer);
	}
}

static void test_a_line_without_end_is_cut_off(void **state)
{
	struct desk *d = *state;
	char bytes[LIMIT_AGENT_CONTROL_LINE + 1];
	ssize_t n;

	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(write(d->fd, bytes, sizeof(bytes)), sizeof(bytes));
	rig_settle(&d->rig);
	n = recv(d->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
	assert_int_equal(d->control.n_clients, 0);
}

static void test_clients_are_bounded(void **state)
{
	struct desk *d = *state;
	int fds[LIMIT_AGENT_CONTROL_CLIENTS];
	char byte;

	for (int i = 0; i < LIMIT_AGENT_CONTROL_CLIENTS; i++) {
		fds[i] = dial(d);
		rig_settle(&d->rig);
	}
	assert_int_equal(d->control.n_clients, LIMIT_AGENT_CONTROL_CLIENTS);
	assert_int_equal(recv(fds[LIMIT_AGENT_CONTROL_CLIENTS - 1], &byte, 1, MSG_DONTWAIT), 0);
	for (int i = 0; i < LIMIT_AGENT_CONTROL_CLIENTS; i++)
		close(fds[i]);
	rig_settle(&d->rig);
	assert_int_equal(d->control.n_clients, 1);
}

static void test_the_socket_is_for_its_user_alone(void **state)
{
	struct desk *d = *state;
	struct stat st;

	assert_ok(stat(d->path, &st));
	assert_int_equal(st.st_mode & 0777, 0600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_every_request_has_its_answer),
		TEST(test_the_answers_say_what_is),
		TEST(test_mistakes_are_answered),
		TEST(test_a_line_without_end_is_cut_off),
		TEST(test_clients_are_bounded),
		TEST(test_the_socket_is_for_its_user_alone),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
