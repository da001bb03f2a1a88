/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening sockets: made from "ADDRESS:PORT", or handed over by whoever started the program
 * (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES).
 *
 * Threading: before the loop runs.  Errors: -errno; -EINVAL for text that is no address.
 */
#pragma once

#include <sys/socket.h>

#include "base/err.h"

struct listen_addr {
	struct sockaddr_storage addr;
	socklen_t size;
};

/* "127.0.0.1:8773", "[::]:8774" */
must_check int listen_parse(const char *text, struct listen_addr *ret);
/* A non-blocking listening socket; an IPv6 one takes IPv4 too. */
must_check int listen_open(const struct listen_addr *addr, int *ret_fd);
/* The handed-over socket called 'name', non-blocking, or -ENOENT. */
must_check int listen_take(const char *name, int *ret_fd);
