/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What carries a session's bytes: TLS over TCP (stream.c) or memory (pair.c).  For those files and
 * session.c only.
 *
 * A transport is made first, then its session by session_new(); it then reports what happens to it
 * through the calls below.  When the session has told its user that it is closed it calls 'shut'
 * and is gone; the transport goes away by itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/session.h"

struct transport_ops {
	/* Takes a copy of 'size' bytes, whole records. */
	int (*write)(void *transport, const uint8_t *data, size_t size);
	/* Bytes written that the peer has not taken. */
	size_t (*queued)(const void *transport);
	/* While paused no input is reported; session_drained() is to be called once 'queued' is
	 * low. */
	void (*pause)(void *transport, bool paused);
	/* The session is gone.  'linger': what is queued should still go out, for a while. */
	void (*shut)(void *transport, bool linger);
};

must_check int session_new(struct loop *loop, const struct transport_ops *ops, void *transport,
			   const struct session_callbacks *callbacks, void *user,
			   struct session **ret);
/* Of a session whose making failed half way: frees it without a callback. */
void session_discard(struct session *session);

void session_set_peer_addr(struct session *session, const char *text);
void session_opened(struct session *session, const struct pki_info *peer);
/* Handles the whole records in 'data' and returns how many bytes they took.  '*ret_wanted' is the
 * size of the incomplete record behind them, 0 when not even that is known. */
size_t session_input(struct session *session, const uint8_t *data, size_t size, size_t *ret_wanted);
void session_drained(struct session *session);
/* The transport has ended, or must. */
void session_end(struct session *session, enum session_end end, const char *text);
