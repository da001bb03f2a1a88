/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses to listen on, and sockets handed over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "manager/listen.h"

static void addresses_are_read_strictly(void **state)
{
	static const char *const bad[] = {"",
					  "127.0.0.1",
					  "127.0.0.1:",
					  "127.0.0.1:0",
					  ":80",
					  "::1:80",
					  "[::1]",
					  "[::1]80",
					  "localhost:80",
					  "127.0.0.1:65536",
					  "[127.0.0.1:80",
					  "127.0.0.1:80x"};
	struct listen_addr addr;

	assert_int_equal(listen_parse("127.0.0.1:8773", &addr), 0);
	assert_int_equal(addr.addr.ss_family, AF_INET);
	assert_int_equal(ntohs(((struct sockaddr_in *)&addr.addr)->sin_port), 8773);
	assert_int_equal(listen_parse("[fd00::1]:8774", &addr), 0);
	assert_int_equal(addr.addr.ss_family, AF_INET6);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(listen_parse(bad[i], &addr), -EINVAL);
	assert_int_equal(addr.addr.ss_family, AF_INET6);
}

static void a_socket_listens_and_a_second_one_is_refused(void **state)
{
	struct listen_addr addr;
	struct sockaddr_in bound;
	socklen_t size = sizeof(bound);
	int fd, second, client;

	assert_int_equal(listen_parse("127.0.0.1:1", &addr), 0);
	((struct sockaddr_in *)&addr.addr)->sin_port = 0;
	assert_int_equal(listen_open(&addr, &fd), 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &size), 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&bound, size), 0);
	((struct sockaddr_in *)&addr.addr)->sin_port = bound.sin_port;
	assert_int_equal(listen_open(&addr, &second), -EADDRINUSE);
	close(client);
	close(fd);
}

/* In a child: the numbers of handed-over descriptors are fixed. */
static int take_in_child(const char *pid, const char *names, const char *wanted)
{
	int status, fd = -1, sockets[2];
	char number[16];
	pid_t child = fork();

	if (child)
		return waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : -1;
	sockets[0] = socket(AF_INET, SOCK_STREAM, 0);
	sockets[1] = socket(AF_INET, SOCK_STREAM, 0);
	dup2(sockets[0], 103);
	dup2(sockets[1], 104);
	dup2(103, 3);
	dup2(104, 4);
	snprintf(number, sizeof(number), "%d", (int)getpid());
	setenv("LISTEN_PID", pid ? pid : number, 1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", names, 1);
	_exit(listen_take(wanted, &fd) ? 99 : fd);
}

static void handed_over_sockets_are_found_by_name(void **state)
{
	assert_int_equal(take_in_child(NULL, "http:agents", "http"), 3);
	assert_int_equal(take_in_child(NULL, "http:agents", "agents"), 4);
	assert_int_equal(take_in_child(NULL, "http:agents", "agent"), 99);
	assert_int_equal(take_in_child(NULL, "http", "agents"), 99);
	assert_int_equal(take_in_child("1", "http:agents", "http"), 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_strictly),
		cmocka_unit_test(a_socket_listens_and_a_second_one_is_refused),
		cmocka_unit_test(handed_over_sockets_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
