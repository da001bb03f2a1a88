/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DHCP client that configures an interface inside a node's namespace: busybox udhcpc with a
 * script of ours (udhcpc.script), which changes nothing outside the namespace but one file.
 *
 * A client outlives the driver that started it and is found again by its pid and start time.
 * Errors: 0 or a negative errno.  One thread.
 */
#pragma once

#include <sys/types.h>

#include "driver/record.h"

/* Writes the script to 'path', executable. */
must_check int client_write_script(const char *path);

struct client_spec {
	const char *script;
	const char *resolv_conf; /* where the node's resolv.conf is to be */
	int netns_fd;
	uint32_t device_index;
	const char *host_name; /* told to the server: the node's id */
	bool configured;       /* has the address that it will get */
};

/* Starts a client and notes it in '*ri'. */
must_check int client_start(const struct client_spec *spec, struct record_interface *ri);
bool client_is_running(const struct record_interface *ri);
/* Ends it, when it is still the one that was started, and clears the note. */
void client_stop(struct record_interface *ri);
/* A process's start time in clock ticks since boot.  -ESRCH: there is no such process. */
must_check int client_start_time(pid_t pid, uint64_t *ret);
