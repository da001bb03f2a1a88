/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of protocol.h on their socket, by either end, with the descriptor that may go with one
 * (unix(7), SCM_RIGHTS).
 *
 * Errors: a negative errno.  Any thread; one at a time for a socket.
 */
#pragma once

#include "base/err.h"
#include "seal/protocol.h"

/* 'passed' goes with it unless it is -1; it is borrowed. */
must_check int seal_message_send(int fd, const struct seal_message *m, int passed);
/* '*ret_passed' is the descriptor that came with it, the caller's also on failure, or is left
 * alone.  -EPIPE: the other end has closed; -EPROTO: what came is no message. */
must_check int seal_message_receive(int fd, struct seal_message *ret, int *ret_passed);
