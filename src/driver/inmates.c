/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/inmates.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/limits.h"
#include "base/process.h"
#include "base/str.h"

struct inmates {
	struct process *processes;
	size_t n;
};

static void inmates_deinit(struct inmates *in)
{
	for (size_t i = 0; i < in->n; i++) {
		process_deinit(&in->processes[i]);
		/* Reaps those that this process started; of others the kernel knows better. */
		waitpid(in->processes[i].pid, NULL, WNOHANG);
	}
	free(in->processes);
}

static void inmates_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static bool inmates_is_inside(pid_t pid, const struct stat *netns)
{
	struct stat st;
	char path[32];

	return !str_format(path, sizeof(path), "/proc/%d/ns/net", pid) && !stat(path, &st) &&
	       st.st_dev == netns->st_dev && st.st_ino == netns->st_ino;
}

static int inmates_add(struct inmates *in, pid_t pid, const struct stat *netns)
{
	struct process *grown;
	struct process p;
	int e;

	e = process_adopt(pid, &p);
	if (e)
		return e == -ESRCH ? 0 : e;
	/* Looked at again now that the descriptor holds on to it: the pid might have been
	 * re-used. */
	if (!inmates_is_inside(pid, netns)) {
		process_deinit(&p);
		return 0;
	}
	grown = reallocarray(in->processes, in->n + 1, sizeof(*grown));
	if (!grown) {
		process_deinit(&p);
		return -ENOMEM;
	}
	in->processes = grown;
	grown[in->n++] = p;
	return 0;
}

static int inmates_find(const struct stat *netns, struct inmates *in)
{
	_cleanup_(inmates_closedir) DIR *dir = opendir("/proc");
	const struct dirent *entry;
	uint32_t pid;
	int e = 0;

	if (!dir)
		return -errno;
	while (!e && (entry = readdir(dir)))
		if (!str_u32(entry->d_name, 1, INT32_MAX, &pid) &&
		    inmates_is_inside((pid_t)pid, netns))
			e = inmates_add(in, (pid_t)pid, netns);
	return e;
}

/* Signals all and waits for all; '*ret_n' is how many there were. */
static int inmates_signal(const struct stat *netns, int signal, int wait_ms, size_t *ret_n)
{
	_cleanup_(inmates_deinit) struct inmates in = {0};
	int e = inmates_find(netns, &in);
	int status, waited = 0;

	for (size_t i = 0; !e && i < in.n; i++)
		e = process_kill(&in.processes[i], signal);
	for (size_t i = 0; !e && !waited && i < in.n; i++)
		waited = process_wait(&in.processes[i], wait_ms, &status);
	*ret_n = in.n;
	return e;
}

int inmates_kill(int netns_fd, int grace_ms)
{
	struct stat netns;
	size_t n;
	int e;

	if (fstat(netns_fd, &netns) < 0)
		return -errno;
	e = inmates_signal(&netns, SIGTERM, grace_ms, &n);
	/* More than once: one that was just forking may have left a child. */
	for (int round = 0; !e && n && round < LIMIT_NODE_KILL_ROUNDS; round++)
		e = inmates_signal(&netns, SIGKILL, LIMIT_NODE_STOP_MS, &n);
	if (e)
		return e;
	return n ? -ETIMEDOUT : 0;
}
