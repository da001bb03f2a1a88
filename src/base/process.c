/* SPDX-License-Identifier: Apache-2.0 */
/* Spawning and following children: see process.h. */
#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/buf.h"
#include "base/limits.h"

extern char **environ;

void process_init(struct process *p)
{
	*p = (struct process){.pidfd = -1};
}

/* Everything below until exec_child() runs in the child between fork and exec: only calls that are
 * safe there (the parent may have threads). */

/* A copy of 'fd' (or of what PROCESS_FD_* stands for as 'number') above all numbers that the child
 * will use, so that placing one descriptor never overwrites another.  -errno on failure. */
static int lift_fd(int fd, int number)
{
	int source = fd == PROCESS_FD_INHERIT ? number : fd;
	int null_fd = -1, lifted;

	if (fd == PROCESS_FD_NULL) {
		null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null_fd < 0)
			return -errno;
		source = null_fd;
	}
	lifted = fcntl(source, F_DUPFD_CLOEXEC, 3 + LIMIT_PROCESS_FDS);
	if (lifted < 0)
		lifted = -errno;
	if (null_fd >= 0)
		close(null_fd);
	return lifted;
}

static int place_fds(const struct process_spec *spec, int *report_fd)
{
	const int standard[3] = {spec->stdin_fd, spec->stdout_fd, spec->stderr_fd};
	int lifted[3 + LIMIT_PROCESS_FDS];
	int n = 3 + (int)spec->n_fds;

	*report_fd = fcntl(*report_fd, F_DUPFD_CLOEXEC, 3 + LIMIT_PROCESS_FDS);
	if (*report_fd < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		lifted[i] = lift_fd(i < 3 ? standard[i] : spec->fds[i - 3], i);
		if (lifted[i] < 0)
			return lifted[i];
	}
	for (int i = 0; i < n; i++)
		if (dup2(lifted[i], i) < 0)
			return -errno;
	/* The rest is closed by the exec: nothing of the parent leaks, whoever forgot O_CLOEXEC. */
	if (syscall(SYS_close_range, (unsigned int)n, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */) < 0)
		return -errno;
	return 0;
}

static void reset_signals(void)
{
	const struct sigaction by_default = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &by_default, NULL); /* refused for SIGKILL, SIGSTOP and libc's */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int prepare_child(const struct process_spec *spec, pid_t parent, int *report_fd)
{
	int r;

	reset_signals();
	if (spec->die_with_parent) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
			return -errno;
		if (getppid() != parent)
			return -ESRCH; /* it died before it could be noticed */
	}
	if (spec->new_session && setsid() < 0)
		return -errno;
	if (spec->netns_fd >= 0 && setns(spec->netns_fd, CLONE_NEWNET) < 0)
		return -errno;
	r = place_fds(spec, report_fd);
	if (!r && spec->directory && chdir(spec->directory) < 0)
		r = -errno;
	return r;
}

static _Noreturn void exec_child(const struct process_spec *spec, pid_t parent, int report_fd)
{
	int r = prepare_child(spec, parent, &report_fd);

	if (!r) {
		execvpe(spec->argv[0], (char *const *)spec->argv,
			spec->env ? (char *const *)spec->env : environ);
		r = -errno;
	}
	/* Should even this fail, the parent sees the child end with 127. */
	if (write(report_fd, &r, sizeof(r)) != sizeof(r))
		_exit(127);
	_exit(127);
}

/* What the child says about its start: nothing (the exec closed its end) or an error. */
static int read_report(int fd)
{
	int report = 0;
	ssize_t n;

	do
		n = read(fd, &report, sizeof(report));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == sizeof(report) ? report : 0;
}

int process_spawn(const struct process_spec *spec, struct process *ret)
{
	_cleanup_close_ int read_fd = -1, write_fd = -1, pidfd = -1;
	pid_t parent = getpid(), pid;
	sigset_t all, before;
	int report[2], r;

	if (spec->n_fds > LIMIT_PROCESS_FDS)
		return -E2BIG;
	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	read_fd = report[0];
	write_fd = report[1];

	/* No handler of ours may run in the child before it has reset them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		exec_child(spec, parent, write_fd);
	r = pid < 0 ? -errno : 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r < 0)
		return r;

	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	r = pidfd < 0 ? -errno : 0;
	close(TAKE_FD(write_fd));
	if (!r)
		r = read_report(read_fd);
	if (r < 0) {
		/* Not yet reaped, so the pid is still this child's. */
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return r;
	}
	*ret = (struct process){.pid = pid, .pidfd = TAKE_FD(pidfd), .child = true};
	return 0;
}

int process_adopt(pid_t pid, struct process *ret)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		return -errno;
	*ret = (struct process){.pid = pid, .pidfd = pidfd};
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What is left until 'deadline_ms' as poll(2) wants it; INT64_MAX is for ever. */
static int left_ms(int64_t deadline_ms)
{
	int64_t left;

	if (deadline_ms == INT64_MAX)
		return -1;
	left = deadline_ms - now_ms();
	return left > 0 ? (int)left : 0;
}

static int64_t deadline_after(int timeout_ms)
{
	return timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
}

/* Waits for the end of the process and leaves it to be reaped. */
static int wait_end(struct process *p, int64_t deadline_ms)
{
	struct pollfd pfd = {.fd = p->pidfd, .events = POLLIN};
	int n;

	do
		n = poll(&pfd, 1, left_ms(deadline_ms));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n ? 0 : -ETIMEDOUT;
}

int process_wait(struct process *p, int timeout_ms, int *ret_status)
{
	int status = 0;
	int r = wait_end(p, deadline_after(timeout_ms));

	if (r < 0)
		return r;
	if (p->child) {
		pid_t pid;

		do
			pid = waitpid(p->pid, &status, 0);
		while (pid < 0 && errno == EINTR);
		if (pid < 0)
			return -errno;
		p->child = false; /* reaped: its pid means nothing any more */
	}
	*ret_status = status;
	return 0;
}

int process_kill(struct process *p, int signal)
{
	if (syscall(SYS_pidfd_send_signal, p->pidfd, signal, NULL, 0) < 0 && errno != ESRCH)
		return -errno;
	return 0;
}

int process_stop(struct process *p, int grace_ms)
{
	int status;
	int r = process_kill(p, SIGTERM);

	if (!r)
		r = process_wait(p, grace_ms, &status);
	if (r != -ETIMEDOUT)
		return r;
	r = process_kill(p, SIGKILL);
	return r ? r : process_wait(p, -1, &status);
}

void process_deinit(struct process *p)
{
	if (p->pidfd >= 0)
		close(p->pidfd);
	process_init(p);
}

/* process_run(): the three pipes of the child. */
struct capture {
	int in, out, err; /* our ends; -1: closed */
	const char *input;
	size_t n_input;
	struct buf out_buf, err_buf;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void capture_cleanup(struct capture *c)
{
	close_fd(&c->in);
	close_fd(&c->out);
	close_fd(&c->err);
	buf_deinit(&c->out_buf);
	buf_deinit(&c->err_buf);
}

static int capture_write(struct capture *c)
{
	/* A socket, so that a child that does not read gives an error and no SIGPIPE. */
	ssize_t n = send(c->in, c->input, c->n_input, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0 && errno != EPIPE && errno != ECONNRESET)
		return -errno;
	c->input += n < 0 ? 0 : n;
	c->n_input -= n < 0 ? c->n_input : (size_t)n;
	if (!c->n_input)
		close_fd(&c->in);
	return 0;
}

static int capture_read(int *fd, struct buf *b)
{
	char chunk[4096];
	ssize_t n = read(*fd, chunk, sizeof(chunk));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (!n)
		close_fd(fd);
	buf_put(b, chunk, (size_t)n);
	return buf_error(b) == -EMSGSIZE ? -EFBIG : buf_error(b);
}

/* Feeds and drains until the child has closed both outputs. */
static int capture_pump(struct capture *c, int64_t deadline_ms)
{
	while (c->out >= 0 || c->err >= 0) {
		struct pollfd fds[3] = {
			{.fd = c->out, .events = POLLIN},
			{.fd = c->err, .events = POLLIN},
			{.fd = c->in, .events = POLLOUT},
		};
		int n = poll(fds, 3, left_ms(deadline_ms));
		int r = 0;

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -ETIMEDOUT;
		if (n < 0)
			continue;
		if (fds[0].revents)
			r = capture_read(&c->out, &c->out_buf);
		if (!r && fds[1].revents)
			r = capture_read(&c->err, &c->err_buf);
		if (!r && fds[2].revents)
			r = capture_write(c);
		if (r < 0)
			return r;
	}
	return 0;
}

static int capture_spawn(struct capture *c, const struct process_spec *spec, struct process *p)
{
	_cleanup_close_ int child_in = -1, child_out = -1, child_err = -1;
	struct process_spec piped = *spec;
	int pair[2];

	if (c->n_input) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
			return -errno;
		c->in = pair[0];
		child_in = pair[1];
	}
	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	c->out = pair[0];
	child_out = pair[1];
	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	c->err = pair[0];
	child_err = pair[1];
	piped.stdin_fd = child_in >= 0 ? child_in : PROCESS_FD_NULL;
	piped.stdout_fd = child_out;
	piped.stderr_fd = child_err;
	return process_spawn(&piped, p);
}

int process_run(const struct process_spec *spec, const char *input, size_t limit, int timeout_ms,
		struct process_output *ret)
{
	_cleanup_(capture_cleanup) struct capture c = {.in = -1,
						       .out = -1,
						       .err = -1,
						       .input = input,
						       .n_input = input ? strlen(input) : 0};
	_cleanup_(process_output_deinit) struct process_output o = {0};
	int64_t deadline_ms = deadline_after(timeout_ms);
	struct process p;
	int r, ended;

	buf_init(&c.out_buf, limit);
	buf_init(&c.err_buf, limit);
	r = capture_spawn(&c, spec, &p);
	if (r < 0)
		return r;
	r = capture_pump(&c, deadline_ms);
	if (!r)
		r = wait_end(&p, deadline_ms);
	ended = r < 0 ? process_kill(&p, SIGKILL) : 0;
	if (!ended)
		ended = process_wait(&p, -1, &o.status);
	process_deinit(&p);
	if (!r)
		r = ended;
	if (!r)
		r = buf_take(&c.out_buf, &o.out, NULL);
	if (!r)
		r = buf_take(&c.err_buf, &o.err, NULL);
	if (r < 0)
		return r;
	*ret = o;
	o = (struct process_output){0};
	return 0;
}

void process_output_deinit(struct process_output *o)
{
	free(o->out);
	free(o->err);
	*o = (struct process_output){0};
}
