/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Being inside a lab: a command in the namespace of one of its parts, and the environment of a
 * shell that works with it.
 *
 * A command enters by setns(CLONE_NEWNET).  In a node it also gets a mount namespace of its own, in
 * which /etc/resolv.conf is the node's and /sys shows the node's devices; elsewhere mounts stay as
 * they are. Complains.
 */
#pragma once

#include "ctl/client.h"
#include "ctl/lab.h"

/* How a process ends that could not become a command, as sh(1) and env(1) say it (POSIX.1-2017, XCU
 * 2.8.2). */
enum {
	EXIT_CANNOT_EXECUTE = 126,
	EXIT_NO_COMMAND = 127,
};

/* Replaces this process by 'argv' inside 'what'.  Returns only with an error: -errno, or what to
 * exit with if 'argv' cannot be executed. */
must_check int lab_enter_exec(const struct lab *l, const char *what, char *const *argv);
/* Prints the lines that a shell evaluates, or the variables as an object. */
must_check int lab_enter_print_env(const struct lab *l, bool as_json);
/* Replaces this process by a shell of the machine that knows the lab. */
must_check int lab_enter_shell(const struct lab *l);
