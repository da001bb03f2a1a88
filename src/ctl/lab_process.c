/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/lab_process.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/process.h"
#include "base/str.h"

#define KILL_ROUNDS 5

int lab_process_start_time(pid_t pid, uint64_t *ret)
{
	_cleanup_free_ char *text = NULL;
	unsigned long long start;
	char path[64], state;
	const char *behind;
	int r;

	r = str_format(path, sizeof(path), "/proc/%d/stat", pid);
	if (!r)
		r = file_read(path, LIMIT_LAB_FILE_SIZE, &text, NULL);
	if (r)
		return r == -ENOENT ? -ESRCH : r;
	/* The second field is the program's name in parentheses and may hold anything. */
	behind = strrchr(text, ')');
	if (!behind ||
	    sscanf(behind,
		   ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
		   "%*d %llu",
		   &state, &start) != 2)
		return -EPROTO;
	if (state == 'Z' || state == 'X')
		return -ESRCH;
	*ret = start;
	return 0;
}

bool lab_process_is_running(const struct lab_process *p)
{
	uint64_t start;

	return p->pid && !lab_process_start_time(p->pid, &start) && start == p->start;
}

struct inmates {
	const int *netns_fds;
	size_t n_netns;
	struct process *processes;
	size_t n;
};

static void inmates_deinit(struct inmates *in)
{
	for (size_t i = 0; i < in->n; i++)
		process_deinit(&in->processes[i]);
	free(in->processes);
}

static void directory_close(DIR **d)
{
	if (*d)
		closedir(*d);
}

static bool is_inside(const struct inmates *in, pid_t pid)
{
	struct stat own, wanted;
	char path[64];

	if (str_format(path, sizeof(path), "/proc/%d/ns/net", pid) || stat(path, &own) < 0)
		return false;
	for (size_t i = 0; i < in->n_netns; i++)
		if (!fstat(in->netns_fds[i], &wanted) && wanted.st_ino == own.st_ino &&
		    wanted.st_dev == own.st_dev)
			return true;
	return false;
}

static int add_inmate(struct inmates *in, pid_t pid)
{
	struct process *grown;
	struct process p;
	int r = process_adopt(pid, &p);

	if (r)
		return r == -ESRCH ? 0 : r;
	/* Looked at again now that the descriptor holds it: the pid might have been re-used. */
	grown = is_inside(in, pid) ? reallocarray(in->processes, in->n + 1, sizeof(*grown)) : NULL;
	if (!grown) {
		process_deinit(&p);
		return is_inside(in, pid) ? -ENOMEM : 0;
	}
	in->processes = grown;
	in->processes[in->n++] = p;
	return 0;
}

static int find_inmates(struct inmates *in)
{
	_cleanup_(directory_close) DIR *d = opendir("/proc");
	const struct dirent *e;
	uint32_t pid;
	int r = 0;

	if (!d)
		return -errno;
	while (!r && (e = readdir(d)))
		if (!str_u32(e->d_name, 1, INT32_MAX, &pid) && is_inside(in, (pid_t)pid))
			r = add_inmate(in, (pid_t)pid);
	return r;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Signals all that are inside now and waits for them, 'wait_ms' for all together. */
static int signal_round(const int *netns_fds, size_t n, int signal, int wait_ms, size_t *ret_n)
{
	_cleanup_(inmates_deinit) struct inmates in = {.netns_fds = netns_fds, .n_netns = n};
	int64_t end = now_ms() + wait_ms;
	int status, r = find_inmates(&in);

	for (size_t i = 0; !r && i < in.n; i++)
		r = process_kill(&in.processes[i], signal);
	for (size_t i = 0; !r && i < in.n; i++) {
		int64_t left = end - now_ms();

		r = process_wait(&in.processes[i], left > 0 ? (int)left : 0, &status);
		if (r == -ETIMEDOUT)
			r = 0;
	}
	*ret_n = in.n;
	return r;
}

int lab_process_end_inside(const int *netns_fds, size_t n, int grace_ms)
{
	size_t n_found;
	int r = signal_round(netns_fds, n, SIGTERM, grace_ms, &n_found);

	/* More than once: one that was just forking may have left a child. */
	for (int round = 0; !r && n_found && round < KILL_ROUNDS; round++)
		r = signal_round(netns_fds, n, SIGKILL, LIMIT_LAB_STOP_MS, &n_found);
	if (r)
		return r;
	return n_found ? -ETIMEDOUT : 0;
}
