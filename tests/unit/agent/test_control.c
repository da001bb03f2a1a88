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
	static const char *const requests[] = {"status",      "ports",        "mappings",  "drops",
					       "peers",       "capabilities", "instances", "probe",
					       "connections", "edge"};

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

/* eni-1 in a group that lets it begin whatever it wants. */
static void desire_group(struct rig *r)
{
	static uint32_t number = 7;
	Viaduct__Agent__SecurityGroup group = VIADUCT__AGENT__SECURITY_GROUP__INIT;
	Viaduct__Agent__Rule rule = VIADUCT__AGENT__RULE__INIT, *rules[] = {&rule};
	Viaduct__Agent__Object object = VIADUCT__AGENT__OBJECT__INIT;
	Viaduct__Agent__Object *objects[] = {&object, rig_interface(r, "eni-1", "i-1", 0x0a000104)};

	rule.egress = true;
	rule.protocol = DP_PROTOCOL_ANY;
	rule.to = UINT16_MAX;
	rule.prefix = rig_v4(r, 0);
	rule.prefix_len = 96;
	group.number = number;
	group.n_rules = 1;
	group.rules = rules;
	object.object_case = VIADUCT__AGENT__OBJECT__OBJECT_GROUP;
	object.group = &group;
	objects[1]->interface->n_groups = 1;
	objects[1]->interface->groups = &number;
	rig_desire(r, 11, false, objects, ARRAY_SIZE(objects));
}

/* requirement: NIC-6, OPS-2 */
static void test_connections_are_shown_and_counted(void **state)
{
	struct desk *d = *state;
	const Viaduct__Agent__Frame *stats;
	json_t *answer, *list;

	desire_group(&d->rig);
	rig_packet(&d->rig, 0x0a000164, 1);
	rig_answer(&d->rig, RIG_PEER, 20);
	answer = ask(d, "{\"request\":\"connections\",\"interface\":\"eni-1\"}\n");
	list = json_object_get(json_object_get(answer, "connections"), "list");
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "remote")),
			    "10.0.1.100");
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "begun")),
			    "here");
	assert_true(json_is_true(json_object_get(json_object_get(answer, "connections"), "known")));
	json_decref(answer);
	answer = ask(d, "{\"request\":\"connections\",\"interface\":\"eni-2\"}\n");
	list = json_object_get(json_object_get(answer, "connections"), "list");
	assert_int_equal(json_array_size(list), 0);
	assert_true(
		json_is_false(json_object_get(json_object_get(answer, "connections"), "known")));
	json_decref(answer);
	rig_advance_ms(&d->rig, 10001);
	stats = rig_last(&d->rig, VIADUCT__AGENT__FRAME__BODY_STATS);
	assert_non_null(stats);
	assert_int_equal(stats->stats->interfaces[0]->connections, 1);
}

/* requirement: EDGE-1 */
static void test_a_role_that_the_manager_sees_otherwise_is_in_the_status(void **state)
{
	struct desk *d = *state;
	Viaduct__Agent__Object *host = rig_host(&d->rig);
	json_t *answer = ask(d, "{\"request\":\"status\"}\n"), *status;

	status = json_object_get(answer, "status");
	assert_string_equal(json_string_value(json_object_get(status, "role")), "host");
	assert_true(json_is_null(json_object_get(status, "role_error")));
	json_decref(answer);
	host->host->edge = true;
	rig_desire(&d->rig, 11, false, &host, 1);
	answer = ask(d, "{\"request\":\"status\"}\n");
	status = json_object_get(answer, "status");
	assert_non_null(strstr(json_string_value(json_object_get(status, "role_error")), "uplink"));
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
		TEST(test_connections_are_shown_and_counted),
		TEST(test_a_role_that_the_manager_sees_otherwise_is_in_the_status),
		TEST(test_mistakes_are_answered),
		TEST(test_a_line_without_end_is_cut_off),
		TEST(test_clients_are_bounded),
		TEST(test_the_socket_is_for_its_user_alone),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
