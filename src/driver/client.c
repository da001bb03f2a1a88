/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/client.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/process.h"
#include "base/str.h"
#include "driver/node_device.h"

#include "udhcpc_script.h"

enum {
	STAT_START_TIME = 19, /* words behind the command's name: proc(5), field 22 */
};

int client_write_script(const char *path)
{
	return file_write_atomic(path, udhcpc_script, strlen(udhcpc_script), 0755);
}

int client_start_time(pid_t pid, uint64_t *ret)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_(strv_free_cleanup) char **words = NULL;
	char path[32];
	char *rest;
	int e;

	e = str_format(path, sizeof(path), "/proc/%d/stat", pid);
	if (!e)
		e = file_read(path, LIMIT_PROC_STAT_SIZE, &text, NULL);
	if (e)
		return e == -ENOENT ? -ESRCH : e;
	/* The name, in parentheses, may hold anything: look behind its last one. */
	rest = strrchr(text, ')');
	if (!rest || rest[1] != ' ')
		return -EBADMSG;
	e = strv_split(rest + 2, ' ', 128, &words);
	if (e)
		return e;
	if (strv_count(words) <= STAT_START_TIME)
		return -EBADMSG;
	if (str_equal(words[0], "Z") || str_equal(words[0], "X"))
		return -ESRCH; /* it has ended, only its parent has not noticed */
	return str_u64(words[STAT_START_TIME], 0, UINT64_MAX, ret) ? -EBADMSG : 0;
}

int client_start(const struct client_spec *spec, struct record_interface *ri)
{
	_cleanup_free_ char *resolv = NULL, *path = NULL, *host_name = NULL;
	struct process process;
	char device[NODE_DEVICE_SIZE];
	int e = str_printf(&resolv, "VIADUCT_RESOLV_CONF=%s", spec->resolv_conf);

	if (!e)
		e = str_printf(&path, "PATH=%s", getenv("PATH") ?: "/usr/sbin:/usr/bin:/sbin:/bin");
	if (!e)
		e = str_printf(&host_name, "hostname:%s", spec->host_name);
	if (e)
		return e;

	node_device_name(spec->device_index, device);

	const char *const argv[] = {"busybox", "udhcpc",     "-f", "-i",      device,
				    "-s",      spec->script, "-t", "3",       "-T",
				    "1",       "-A",         "1",  "-O",      "staticroutes",
				    "-O",      "mtu",        "-x", host_name, NULL};
	const char *const env[] = {resolv, path, spec->configured ? "VIADUCT_CONFIGURED=yes" : NULL,
				   NULL};
	struct process_spec ps = PROCESS_SPEC_INIT;

	ps.argv = argv;
	ps.env = env;
	ps.directory = "/";
	ps.stderr_fd = PROCESS_FD_NULL;
	ps.netns_fd = spec->netns_fd;
	ps.new_session = true;
	process_init(&process);
	e = process_spawn(&ps, &process);
	if (e)
		return e;
	e = client_start_time(process.pid, &ri->client_start);
	if (!e)
		ri->client = process.pid;
	process_deinit(&process);
	return e;
}

bool client_is_running(const struct record_interface *ri)
{
	uint64_t start;

	return ri->client && !client_start_time(ri->client, &start) && start == ri->client_start;
}

void client_stop(struct record_interface *ri)
{
	struct process process;

	process_init(&process);
	/* Adopted first and looked at then: from here on the pid cannot be re-used under us. */
	if (ri->client && !process_adopt(ri->client, &process)) {
		if (client_is_running(ri) && process_kill(&process, SIGKILL) == 0) {
			int status;

			(void)!process_wait(&process, LIMIT_NODE_STOP_MS, &status);
		}
		process_deinit(&process);
		waitpid(ri->client, NULL, WNOHANG); /* reaps it if this process started it */
	}
	ri->client = 0;
	ri->client_start = 0;
}
