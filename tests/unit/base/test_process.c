/* SPDX-License-Identifier: Apache-2.0 */
/* Processes: descriptors, environment, output, limits of time and size, namespaces. */
#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/test.h"

#define SHELL(script) ((const char *const[]){"sh", "-c", (script), NULL})

static struct process_spec spec_of(const char *const *argv)
{
	struct process_spec spec = PROCESS_SPEC_INIT;

	spec.argv = argv;
	return spec;
}

static void test_run_captures_both_outputs_and_the_status(void **state)
{
	struct process_spec spec = spec_of(SHELL("cat; echo e >&2; exit 3"));
	struct process_output o;

	assert_ok(process_run(&spec, "input\n", 1000, 10000, &o));
	assert_string_equal(o.out, "input\n");
	assert_string_equal(o.err, "e\n");
	assert_true(WIFEXITED(o.status));
	assert_int_equal(WEXITSTATUS(o.status), 3);
	process_output_deinit(&o);
	assert_null(o.out);
}

static void test_run_carries_more_than_a_pipe_holds(void **state)
{
	struct process_spec spec = spec_of(SHELL("cat"));
	struct process_output o;
	size_t size = 1000000;
	char *input = malloc(size + 1);

	memset(input, 'x', size);
	input[size] = '\0';
	assert_ok(process_run(&spec, input, size, 10000, &o));
	assert_string_equal(o.out, input);
	process_output_deinit(&o);
	free(input);
}

static void test_run_survives_a_child_that_does_not_read(void **state)
{
	struct process_spec spec = spec_of(SHELL("exec 0<&-; echo done"));
	char *input = calloc(1, 1000001);
	struct process_output o;

	memset(input, 'x', 1000000);
	assert_ok(process_run(&spec, input, 100, 10000, &o));
	assert_string_equal(o.out, "done\n");
	process_output_deinit(&o);
	free(input);
}

static void test_run_is_bounded(void **state)
{
	struct process_spec endless = spec_of(SHELL("exec yes"));
	struct process_spec slow = spec_of(SHELL("exec sleep 1000"));
	struct process_spec quiet = spec_of(SHELL("exec >&- 2>&-; exec sleep 1000"));
	struct process_output o = {.out = (char *)&o};

	assert_error(process_run(&endless, NULL, 10000, 10000, &o), EFBIG);
	assert_error(process_run(&slow, NULL, 10000, 50, &o), ETIMEDOUT);
	assert_error(process_run(&quiet, NULL, 10000, 50, &o), ETIMEDOUT);
	assert_ptr_equal(o.out, &o); /* untouched */
	/* All were killed and reaped. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_what_cannot_be_executed_is_an_error(void **state)
{
	struct process_spec spec = spec_of((const char *const[]){"/nowhere/program", NULL});
	struct process_spec directory = spec_of(SHELL("true"));
	struct process p = {.pid = 77};

	assert_error(process_spawn(&spec, &p), ENOENT);
	spec = spec_of((const char *const[]){"/etc/passwd", NULL});
	assert_error(process_spawn(&spec, &p), EACCES);
	directory.directory = "/nowhere";
	assert_error(process_spawn(&directory, &p), ENOENT);
	assert_int_equal(p.pid, 77);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_environment_and_directory(void **state)
{
	struct process_spec spec =
		spec_of((const char *const[]){"/bin/sh", "-c", "echo \"$A-$HOME-$(pwd)\"", NULL});
	struct process_output o;

	spec.env = (const char *const[]){"A=1", NULL};
	spec.directory = "/proc";
	assert_ok(process_run(&spec, NULL, 1000, 10000, &o));
	assert_string_equal(o.out, "1--/proc\n");
	process_output_deinit(&o);
}

static void test_only_listed_descriptors_reach_the_child(void **state)
{
	/* The script's own 'ls' opens one more: the folder it lists. */
	struct process_spec spec =
		spec_of(SHELL("cat <&3; cat <&4; ls /proc/self/fd | tr '\\n' ' '"));
	int leaked = open("/dev/null", O_RDONLY); /* deliberately without O_CLOEXEC */
	int a[2], b[2];
	struct process_output o;

	assert_true(leaked >= 0);
	assert_int_equal(pipe(a), 0);
	assert_int_equal(pipe(b), 0);
	assert_int_equal(write(a[1], "first ", 6), 6);
	assert_int_equal(write(b[1], "second ", 7), 7);
	close(a[1]);
	close(b[1]);
	spec.fds = (const int[]){a[0], b[0]};
	spec.n_fds = 2;
	assert_ok(process_run(&spec, NULL, 1000, 10000, &o));
	assert_string_equal(o.out, "first second 0 1 2 3 4 5 ");
	process_output_deinit(&o);
	close(leaked);
	close(a[0]);
	close(b[0]);
}

static void test_wait_times_out_and_stop_ends_the_stubborn(void **state)
{
	struct process_spec spec =
		spec_of(SHELL("trap '' TERM; echo ready; while :; do sleep 1; done"));
	struct process p;
	int status = 77, fds[2];
	char c;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	spec.stdout_fd = fds[1];
	assert_ok(process_spawn(&spec, &p));
	assert_int_equal(read(fds[0], &c, 1), 1);
	assert_error(process_wait(&p, 0, &status), ETIMEDOUT);
	assert_int_equal(status, 77);
	assert_ok(process_stop(&p, 20));
	assert_int_equal(kill(p.pid, 0), -1);
	assert_ok(process_kill(&p, SIGTERM)); /* gone: nothing to do */
	process_deinit(&p);
	assert_int_equal(p.pidfd, -1);
	close(fds[0]);
	close(fds[1]);
}

static void test_pidfd_tells_the_end(void **state)
{
	struct process_spec spec = spec_of(SHELL("exit 5"));
	struct process p;
	struct pollfd pfd;
	int status;

	assert_ok(process_spawn(&spec, &p));
	pfd = (struct pollfd){.fd = p.pidfd, .events = POLLIN};
	assert_int_equal(poll(&pfd, 1, 10000), 1);
	assert_ok(process_wait(&p, 0, &status));
	assert_int_equal(WEXITSTATUS(status), 5);
	process_deinit(&p);
}

static void test_adopted_process_can_be_stopped(void **state)
{
	struct process_spec spec = spec_of(SHELL("exec sleep 1000"));
	struct process child, adopted;
	pid_t gone;
	int status;

	assert_ok(process_spawn(&spec, &child));
	assert_ok(process_adopt(child.pid, &adopted));
	assert_ok(process_stop(&adopted, 10000));
	assert_ok(process_wait(&child, 10000, &status));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	gone = child.pid;
	process_deinit(&adopted);
	process_deinit(&child);
	assert_error(process_adopt(gone, &adopted), ESRCH);
}

static void test_child_dies_with_its_parent(void **state)
{
	char line[64] = "";
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		struct process_spec spec = spec_of(SHELL("echo $$; exec sleep 1000"));
		struct process p;

		spec.stdout_fd = fds[1];
		spec.die_with_parent = true;
		_exit(process_spawn(&spec, &p) ? 1 : 0);
	}
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* Our end reads the end of file only when the grandchild, who holds the other, is dead. */
	while ((n = read(fds[0], line, sizeof(line))) > 0)
		;
	assert_int_equal(n, 0);
	close(fds[0]);
}

static void test_signals_are_as_at_login(void **state)
{
	struct process_spec spec = spec_of(
		(const char *const[]){"grep", "-E", "Sig(Blk|Ign)", "/proc/self/status", NULL});
	unsigned long long is_blocked, is_ignored;
	struct process_output o;
	sigset_t blocked, before;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	assert_ok(process_run(&spec, NULL, 1000, 10000, &o));
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(sscanf(o.out, "SigBlk: %llx SigIgn: %llx", &is_blocked, &is_ignored), 2);
	assert_true(is_blocked == 0);
	/* 32 and 33 are the C library's own: how they were when it started, it leaves them. */
	assert_true((is_ignored & ~(3ULL << 31)) == 0);
	process_output_deinit(&o);
}

static void test_enters_a_namespace_first(void **state)
{
	struct process_spec spec =
		spec_of((const char *const[]){"readlink", "/proc/self/ns/net", NULL});
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), other;
	struct process_output here, there;
	char expected[64];
	struct stat st;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	other = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(other, &st), 0);
	snprintf(expected, sizeof(expected), "net:[%lu]\n", (unsigned long)st.st_ino);
	assert_int_equal(setns(home, CLONE_NEWNET), 0);
	assert_ok(process_run(&spec, NULL, 1000, 10000, &here));
	spec.netns_fd = other;
	assert_ok(process_run(&spec, NULL, 1000, 10000, &there));
	assert_string_equal(there.out, expected);
	assert_string_not_equal(here.out, there.out);
	process_output_deinit(&here);
	process_output_deinit(&there);
	close(home);
	close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run_captures_both_outputs_and_the_status),
		cmocka_unit_test(test_run_carries_more_than_a_pipe_holds),
		cmocka_unit_test(test_run_survives_a_child_that_does_not_read),
		cmocka_unit_test(test_run_is_bounded),
		cmocka_unit_test(test_what_cannot_be_executed_is_an_error),
		cmocka_unit_test(test_environment_and_directory),
		cmocka_unit_test(test_only_listed_descriptors_reach_the_child),
		cmocka_unit_test(test_wait_times_out_and_stop_ends_the_stubborn),
		cmocka_unit_test(test_pidfd_tells_the_end),
		cmocka_unit_test(test_adopted_process_can_be_stopped),
		cmocka_unit_test(test_child_dies_with_its_parent),
		cmocka_unit_test(test_signals_are_as_at_login),
		cmocka_unit_test(test_enters_a_namespace_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
