/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session of the agent protocol: frames in order, both ways, over mutual TLS or over an in-memory
 * pair (wire/pair.h).  Neither end knows which.
 *
 * Life.  session_connect() and session_accept() give a session that is *opening*; 'opened' is
 * called once the handshake is done and the peer's certificate is known.  Then frames may be sent
 * and 'received' is called for each that comes, in order.  'closed' is called exactly once, as the
 * last callback, whoever ended the session and why; the session is freed when it returns.  A
 * session that never opened ends with 'closed' too.  Ping and Pong are answered here and never
 * passed up.
 *
 * Sending copies: all frames sent during one turn of the loop leave in one write.  What waits to be
 * sent is bounded by the queue limit; a peer that lets it fill up is told QUEUE_FULL and loses the
 * session, so that it never holds up others.  While the peer does not read its answers (half of the
 * limit waits), nothing more is read from it.
 *
 * Dead peers.  After LIMIT_WIRE_PING_MS without input a Ping goes out, after LIMIT_WIRE_DEAD_MS the
 * session ends with SESSION_END_TIMEOUT.  The handshake has LIMIT_WIRE_HANDSHAKE_MS.
 *
 * Ownership: the session belongs to the loop; 'user' pointers are the caller's.  Callbacks may
 * send, and may call session_close() on any session (no callback but 'closed' follows; 'closed'
 * comes in the same turn of the loop but never from inside session_close() itself). Threading: the
 * loop's thread.  Errors: 0 or -errno.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "abi/agent.pb-c.h"
#include "base/err.h"
#include "wire/frame.h"
#include "wire/tls.h"

struct loop;
struct session;

enum session_end {
	SESSION_END_LOCAL,      /* session_close() here */
	SESSION_END_PEER,       /* the other end closed it, perhaps after a Goodbye */
	SESSION_END_CONNECT,    /* could not connect */
	SESSION_END_TLS,        /* the handshake failed: certificate, version */
	SESSION_END_TIMEOUT,    /* no sign of life */
	SESSION_END_PROTOCOL,   /* a record that is too large or does not decode */
	SESSION_END_QUEUE_FULL, /* it did not take what was sent */
	SESSION_END_FAULT,      /* -ENOMEM and the like, here */
	SESSION_END_MAX,
};

struct session_callbacks {
	void (*opened)(struct session *session, void *user);
	/* 'frame' is borrowed for the call. */
	void (*received)(struct session *session, const Viaduct__Agent__Frame *frame, void *user);
	/* 'text' says more, for logs. */
	void (*closed)(struct session *session, enum session_end end, const char *text, void *user);
	/* May be NULL.  Records as they came, before any is decoded: 'data' begins with a whole
	 * one. Returns how many bytes of whole records it took, from the first on; a record that it
	 * does not take goes to 'received'. */
	size_t (*records)(struct session *session, const uint8_t *data, size_t size, void *user);
};

/* Dials 'addr'.  'peer_name' as in tls_connection().  Returns 0 even when the connection will fail:
 * that is told by 'closed'. */
must_check int session_connect(struct loop *loop, struct tls_context *tls,
			       const struct sockaddr *addr, socklen_t addr_size,
			       const char *peer_name, const struct session_callbacks *callbacks,
			       void *user, struct session **ret);

/* Takes the connected socket 'fd' (closed by the session, also when this fails). */
must_check int session_accept(struct loop *loop, struct tls_context *tls, int fd,
			      const struct session_callbacks *callbacks, void *user,
			      struct session **ret);

/* Ends the session.  Unless 'code' is UNSPECIFIED a Goodbye with 'text' is sent first, as far as
 * the peer takes it within LIMIT_WIRE_GOODBYE_MS; the session's callbacks are not held up by that.
 */
void session_close(struct session *session, Viaduct__Agent__Goodbye__Code code, const char *text);

/* Queues 'frame'.  -ENOTCONN: not open, or closing; -EMSGSIZE: above LIMIT_WIRE_FRAME_SIZE;
 * -ENOBUFS: the queue is full and the session is now closing; -ENOMEM. */
must_check int session_send(struct session *session, const Viaduct__Agent__Frame *frame);

/* Queues records packed before: one frame for many sessions is packed once.  Errors as above. */
must_check int session_send_bytes(struct session *session, const uint8_t *data, size_t size);

/* Sends what waits now instead of at the end of this turn of the loop. */
void session_flush(struct session *session);

/* Bytes that wait to be taken by the peer. */
size_t session_queued(const struct session *session);

/* The limit of that queue; LIMIT_WIRE_QUEUE_SIZE unless set. */
void session_set_queue_limit(struct session *session, size_t bytes);

/* After how much silence the peer is asked for a sign of life, and given up with
 * SESSION_END_TIMEOUT; LIMIT_WIRE_PING_MS and LIMIT_WIRE_DEAD_MS unless set. */
void session_set_patience(struct session *session, uint64_t ping_ms, uint64_t dead_ms);

bool session_is_open(const struct session *session);
void session_set_user(struct session *session, void *user);
void *session_user(const struct session *session);

/* The peer's certificate (of a pair: what the test gave it).  Only while open. */
const struct pki_info *session_peer(const struct session *session);

/* The peer's address as text, "[2001:db8::1]:8774"; "pair" for a pair. */
const char *session_peer_addr(const struct session *session);

const char *session_end_text(enum session_end end); /* "timeout" */
