/* SPDX-License-Identifier: Apache-2.0 */
/* Processes of a lab: told from others by their start time, ended by their namespace. */
#include "ctl/lab_process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/test.h"

static void test_a_process_is_known_by_its_start(void **state)
{
	struct lab_process own = {.pid = getpid()};
	uint64_t start = 7;
	pid_t child;

	assert_ok(lab_process_start_time(getpid(), &own.start));
	assert_true(lab_process_is_running(&own));
	own.start++;
	assert_false(lab_process_is_running(&own));
	assert_false(lab_process_is_running(&(struct lab_process){0}));

	/* A zombie is a process that has ended. */
	child = fork();
	if (!child)
		_exit(0);
	while (lab_process_start_time(child, &start) != -ESRCH)
		sched_yield();
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_error(lab_process_start_time(child, &start), ESRCH);
}

/* Waits in a network namespace of its own, deaf to SIGTERM. */
static _Noreturn void stay_inside(int write_fd)
{
	if (unshare(CLONE_NEWNET) < 0)
		_exit(1);
	signal(SIGTERM, SIG_IGN);
	if (write(write_fd, "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void test_only_those_inside_are_ended(void **state)
{
	char path[64], byte;
	int report[2], fd, status;
	pid_t child;

	if (geteuid() != 0)
		skip();
	assert_ok(pipe(report));
	child = fork();
	if (!child)
		stay_inside(report[1]);
	assert_int_equal(read(report[0], &byte, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", child);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_ok(lab_process_end_inside(&fd, 1, 10));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_ok(lab_process_end_inside(&fd, 1, 10));
	close(fd);
	close(report[0]);
	close(report[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_process_is_known_by_its_start),
		cmocka_unit_test(test_only_those_inside_are_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
