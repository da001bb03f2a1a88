/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child processes: started without a shell, followed by pidfd (never by a pid that may be re-used).
 *
 * struct process is embedded; process_deinit() closes its pidfd and does not touch the process.
 * process_run() is for short commands: it blocks, bounded by a time and a size.
 * Errors: 0 or a negative errno; a program that cannot be executed is the error of process_spawn().
 *
 * A child starts with default signal actions and nothing blocked, with no descriptors beyond those
 * listed, and dies with its parent when 'die_with_parent' is set.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum {
	PROCESS_FD_NULL = -1,    /* /dev/null */
	PROCESS_FD_INHERIT = -2, /* the parent's own */
	PROCESS_NO_NETNS = -1,
};

struct process_spec {
	const char *const *argv;            /* argv[0] is looked up in PATH when it has no '/' */
	const char *const *env;             /* NULL: the parent's */
	const char *directory;              /* NULL: the parent's */
	int stdin_fd, stdout_fd, stderr_fd; /* borrowed, or PROCESS_FD_* */
	const int *fds;                     /* borrowed; become 3, 4, ... in the child */
	size_t n_fds;                       /* at most LIMIT_PROCESS_FDS */
	int netns_fd;         /* entered with setns(CLONE_NEWNET) first, or PROCESS_NO_NETNS */
	bool new_session;     /* setsid(2): signals to our terminal do not reach it */
	bool die_with_parent; /* SIGKILL when the thread that spawned it ends */
};
/* No input, our stderr, output dropped, our environment and namespace. */
#define PROCESS_SPEC_INIT                                                                          \
	{                                                                                          \
		.stdin_fd = PROCESS_FD_NULL, .stdout_fd = PROCESS_FD_NULL,                         \
		.stderr_fd = PROCESS_FD_INHERIT, .netns_fd = PROCESS_NO_NETNS                      \
	}

struct process {
	pid_t pid;
	int pidfd;  /* readable when the process has ended: fit for a watch; -1: none */
	bool child; /* ours to reap; else adopted */
};

void process_init(struct process *p); /* no process */
must_check int process_spawn(const struct process_spec *spec, struct process *ret);
/* Follows a process that is not our child (started by an earlier life of this daemon).  -ESRCH:
 * gone. The caller makes sure that it is the one meant. */
must_check int process_adopt(pid_t pid, struct process *ret);
/* Waits up to 'timeout_ms' (0: looks, -1: for ever) and reaps.  '*ret_status' as wait(2) gives it,
 * 0 for an adopted process.  -ETIMEDOUT: still running. */
must_check int process_wait(struct process *p, int timeout_ms, int *ret_status);
/* Sends 'signal'; 0 also when the process has ended already. */
must_check int process_kill(struct process *p, int signal);
/* SIGTERM, up to 'grace_ms' of waiting, SIGKILL, and reaps. */
must_check int process_stop(struct process *p, int grace_ms);
void process_deinit(struct process *p);

struct process_output {
	char *out;  /* standard output, NUL-terminated */
	char *err;  /* standard error */
	int status; /* as wait(2) gives it */
};
/* Runs a command to its end with 'input' (NULL: none) as its standard input, and captures both its
 * outputs; the three descriptors of 'spec' are ignored.  A command that writes more than 'limit'
 * bytes or takes longer than 'timeout_ms' is killed: -EFBIG, -ETIMEDOUT.  An unhappy exit status is
 * not an error here: see process_output.status. */
must_check int process_run(const struct process_spec *spec, const char *input, size_t limit,
			   int timeout_ms, struct process_output *ret);
void process_output_deinit(struct process_output *o);
