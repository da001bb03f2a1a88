/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions over TLS and TCP.  OpenSSL reads and writes the socket itself: for a busy session a turn
 * of the loop is one read, of as many TLS records as have come, and one write of all that was said.
 * The socket is watched for room only while something waits for it.
 */
#include "wire/session.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/loop.h"
#include "wire/transport.h"

enum stream_state {
	STREAM_CONNECTING,
	STREAM_HANDSHAKE,
	STREAM_OPEN,
	STREAM_BROKEN, /* the session has been told */
};

struct stream {
	struct loop *loop;
	struct loop_end end; /* in the loop's list while it lingers */
	enum stream_state state;
	SSL *ssl;
	int fd;
	struct watch watch;
	struct session *session; /* NULL: only what is queued is still to go out */
	struct timer linger;     /* ends that */
	struct buf in;           /* the beginning of a record, or what was left unread on purpose */
	struct buf out;          /* what the socket did not take */
	struct deferred again;   /* for what the socket will not announce */
	bool server;
	bool paused;
};

enum {
	/* Read, and written, per turn: several TLS records of 16 KB. */
	STREAM_READ_SIZE = 64 * 1024,
	STREAM_WRITE_SIZE = 256 * 1024,
};

static void stream_free(struct stream *stream)
{
	list_remove(&stream->end.link);
	deferred_deinit(&stream->again);
	timer_deinit(&stream->linger);
	watch_deinit(&stream->watch);
	SSL_free(stream->ssl);
	if (stream->fd >= 0)
		close(stream->fd);
	buf_deinit(&stream->in);
	buf_deinit(&stream->out);
	free(stream);
}

/* Nothing more is done with the connection; tells the session, or goes away where there is none. */
static void stream_break(struct stream *stream, enum session_end end, const char *text)
{
	stream->state = STREAM_BROKEN;
	deferred_cancel(&stream->again);
	watch_deinit(&stream->watch);
	if (stream->session)
		session_end(stream->session, end, text);
	else
		stream_free(stream);
}

static void describe_tls_error(struct stream *stream, unsigned long error, char *text, size_t size)
{
	long verify = SSL_get_verify_result(stream->ssl);
	const char *reason = error ? ERR_reason_error_string(error) : NULL;
	char date[CLOCK_DATE_SIZE];

	if (verify == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
	    verify == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	    verify == X509_V_ERR_CERT_SIGNATURE_FAILURE)
		snprintf(text, size, "the peer's certificate is of another cluster (%s)",
			 X509_verify_cert_error_string(verify));
	else if (verify == X509_V_ERR_CERT_NOT_YET_VALID || verify == X509_V_ERR_CERT_HAS_EXPIRED)
		snprintf(text, size, "the peer's certificate: %s, by this machine's clock: %s",
			 X509_verify_cert_error_string(verify),
			 clock_date_text(clock_wall_ms(loop_clock(stream->loop)), date));
	else if (verify != X509_V_OK)
		snprintf(text, size, "the peer's certificate: %s",
			 X509_verify_cert_error_string(verify));
	else
		snprintf(text, size, "%s", reason ? reason : "connection lost");
}

/* OpenSSL has given up.  'error': of SSL_get_error(); 'socket_error': errno then. */
static void on_error(struct stream *stream, int error, int socket_error)
{
	unsigned long tls_error = error == SSL_ERROR_SSL ? ERR_peek_error() : 0;
	char text[128];

	/* OpenSSL 3 reports what the socket said as an error of its own. */
	if (ERR_SYSTEM_ERROR(tls_error)) {
		socket_error = (int)(tls_error & ERR_SYSTEM_MASK);
		tls_error = 0;
	}
	/* A client's certificate is judged when for the client the handshake is already over. */
	if (stream->state == STREAM_HANDSHAKE && !stream->server && !tls_error && socket_error) {
		stream_break(stream, SESSION_END_CONNECT, strerror(socket_error));
	} else if (tls_error || stream->state == STREAM_HANDSHAKE) {
		describe_tls_error(stream, tls_error, text, sizeof(text));
		stream_break(stream, SESSION_END_TLS, text);
	} else if (error == SSL_ERROR_SYSCALL && socket_error) {
		stream_break(stream, SESSION_END_PEER, strerror(socket_error));
	} else {
		stream_break(stream, SESSION_END_PEER, "the peer closed the connection");
	}
	ERR_clear_error();
}

static void watch_for(struct stream *stream, unsigned int wanted)
{
	if (stream->state != STREAM_BROKEN && watch_set(&stream->watch, wanted))
		stream_break(stream, SESSION_END_FAULT, "the socket cannot be watched");
}

/* What the socket is to announce, once the handshake is over. */
static void watch_open(struct stream *stream)
{
	watch_for(stream,
		  (stream->paused ? 0 : WATCH_READ) | (buf_size(&stream->out) ? WATCH_WRITE : 0U));
}

/* ---- reading ---- */

/* Reads what has come, 'size' bytes at most.  Returns how many; then '*ret_error' is what
 * SSL_get_error() said of the read that gave none, or SSL_ERROR_NONE. */
static size_t read_some(struct stream *stream, uint8_t *data, size_t size, int *ret_error)
{
	size_t n, total = 0;
	int r;

	*ret_error = SSL_ERROR_NONE;
	do {
		ERR_clear_error();
		errno = 0;
		r = SSL_read_ex(stream->ssl, data + total, size - total, &n);
		if (r != 1) {
			*ret_error = SSL_get_error(stream->ssl, r);
			break;
		}
		total += n;
		/* Nothing in OpenSSL's hands: the socket will say when there is more. */
	} while (total < size && SSL_has_pending(stream->ssl));
	return total;
}

/* Gives the session whole records and returns how many bytes they took. */
static size_t give(struct stream *stream, const uint8_t *data, size_t size)
{
	size_t wanted, taken = 0, n;

	while (taken < size && !stream->paused && session_is_open(stream->session)) {
		n = session_input(stream->session, data + taken, size - taken, &wanted);
		if (!n)
			break;
		taken += n;
	}
	return taken;
}

static void give_input(struct stream *stream, const uint8_t *data, size_t size)
{
	size_t taken;

	/* Straight from where it was read, unless something waits before it. */
	if (!buf_size(&stream->in)) {
		taken = give(stream, data, size);
		data += taken;
		size -= taken;
	}
	if (!size)
		return;
	buf_put(&stream->in, data, size);
	if (buf_error(&stream->in)) {
		stream_break(stream, SESSION_END_FAULT, "out of memory");
		return;
	}
	buf_consume(&stream->in, give(stream, buf_data(&stream->in), buf_size(&stream->in)));
	if (!buf_size(&stream->in))
		buf_deinit(&stream->in);
}

static void read_input(struct stream *stream)
{
	uint8_t data[STREAM_READ_SIZE];
	int error, socket_error;
	size_t n;

	n = read_some(stream, data, sizeof(data), &error);
	socket_error = errno;
	if (n && stream->session)
		give_input(stream, data, n);
	if (stream->state == STREAM_BROKEN ||
	    (stream->session && !session_is_open(stream->session)))
		return;
	if (error == SSL_ERROR_NONE) {
		if (SSL_has_pending(stream->ssl))
			deferred_schedule(&stream->again);
	} else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
		on_error(stream, error, socket_error);
	}
}

static void read_again(struct deferred *deferred, void *data)
{
	struct stream *stream = data;

	if (stream->state != STREAM_OPEN)
		return;
	/* What it was paused for may have left at once. */
	if (stream->session && session_is_open(stream->session))
		session_drained(stream->session);
	if (stream->paused)
		return;
	if (stream->session && buf_size(&stream->in)) {
		buf_consume(&stream->in,
			    give(stream, buf_data(&stream->in), buf_size(&stream->in)));
		if (stream->paused || !session_is_open(stream->session))
			return;
	}
	read_input(stream);
}

/* ---- writing ---- */

/* Returns how many bytes the socket took; fewer than 'size': it will say when there is room, or the
 * connection is broken (and the stream perhaps gone: '*ret_alive'). */
static size_t write_some(struct stream *stream, const uint8_t *data, size_t size, bool *ret_alive)
{
	size_t total = 0, n;
	int r, error;

	*ret_alive = true;
	while (total < size && total < STREAM_WRITE_SIZE) {
		ERR_clear_error();
		errno = 0;
		r = SSL_write_ex(stream->ssl, data + total, size - total, &n);
		if (r == 1) {
			total += n;
			continue;
		}
		error = SSL_get_error(stream->ssl, r);
		if (error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ)
			break;
		*ret_alive = stream->session;
		on_error(stream, error, errno);
		break;
	}
	return total;
}

static int stream_write(void *transport, const uint8_t *data, size_t size)
{
	struct stream *stream = transport;
	bool alive;
	size_t n = 0;

	if (stream->state != STREAM_OPEN)
		return 0; /* the session hears of it in this turn */
	if (!buf_size(&stream->out))
		n = write_some(stream, data, size, &alive);
	if (n == size || stream->state == STREAM_BROKEN)
		return 0;
	buf_put(&stream->out, data + n, size - n);
	if (buf_error(&stream->out))
		return -ENOMEM;
	watch_open(stream);
	return 0;
}

/* Everything is said.  Closing now, with input unread, would reset the connection and lose the
 * Goodbye: wait for the peer's end, or the time-out. */
static void end_output(struct stream *stream)
{
	shutdown(stream->fd, SHUT_WR);
}

/* False: the stream is gone. */
static bool write_output(struct stream *stream)
{
	bool alive;
	size_t n;

	n = write_some(stream, buf_data(&stream->out), buf_size(&stream->out), &alive);
	if (!alive || stream->state == STREAM_BROKEN)
		return alive;
	buf_consume(&stream->out, n);
	if (!buf_size(&stream->out)) {
		buf_deinit(&stream->out);
		if (!stream->session)
			end_output(stream);
	}
	watch_open(stream);
	if (stream->state == STREAM_OPEN && stream->session && session_is_open(stream->session))
		session_drained(stream->session);
	return true;
}

/* ---- the beginning ---- */

static void shake_hands(struct stream *stream)
{
	struct pki_info peer;
	int r, error, on = 1;

	ERR_clear_error();
	errno = 0;
	r = SSL_do_handshake(stream->ssl);
	if (r != 1) {
		error = SSL_get_error(stream->ssl, r);
		if (error == SSL_ERROR_WANT_READ)
			watch_for(stream, WATCH_READ);
		else if (error == SSL_ERROR_WANT_WRITE)
			watch_for(stream, WATCH_WRITE);
		else
			on_error(stream, error, errno);
		return;
	}
	if (tls_peer(stream->ssl, &peer)) {
		stream_break(stream, SESSION_END_TLS, "the peer's certificate names nobody");
		return;
	}
	setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	stream->state = STREAM_OPEN;
	watch_open(stream);
	/* The first frames may have come with the end of the handshake. */
	deferred_schedule(&stream->again);
	session_opened(stream->session, &peer);
}

static void finish_connect(struct stream *stream)
{
	socklen_t size = sizeof(int);
	int error = 0;

	if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &size))
		error = errno;
	if (error) {
		stream_break(stream, SESSION_END_CONNECT, strerror(error));
		return;
	}
	stream->state = STREAM_HANDSHAKE;
	shake_hands(stream);
}

static void on_ready(struct watch *watch, unsigned int ready, void *data)
{
	struct stream *stream = data;

	switch (stream->state) {
	case STREAM_CONNECTING:
		finish_connect(stream);
		break;
	case STREAM_HANDSHAKE:
		shake_hands(stream);
		break;
	case STREAM_OPEN:
		if (ready & WATCH_WRITE && !write_output(stream))
			break;
		if (ready & WATCH_READ && stream->state == STREAM_OPEN && !stream->paused)
			read_input(stream);
		break;
	case STREAM_BROKEN:
		break;
	}
}

/* ---- the session's side ---- */

static size_t stream_queued(const void *transport)
{
	const struct stream *stream = transport;

	return buf_size(&stream->out);
}

static void stream_pause(void *transport, bool paused)
{
	struct stream *stream = transport;

	if (stream->state != STREAM_OPEN)
		return;
	stream->paused = paused;
	watch_open(stream);
	deferred_schedule(&stream->again);
}

static void linger_over(struct timer *timer, void *data)
{
	stream_free(data);
}

static void loop_is_over(struct loop_end *end)
{
	stream_free(container_of(end, struct stream, end));
}

static void stream_shut(void *transport, bool linger)
{
	struct stream *stream = transport;

	stream->session = NULL;
	if (!linger || stream->state != STREAM_OPEN) {
		stream_free(stream);
		return;
	}
	timer_arm_in(&stream->linger, LIMIT_WIRE_GOODBYE_MS * CLOCK_NS_PER_MS);
	loop_end_add(stream->loop, &stream->end, loop_is_over);
	buf_deinit(&stream->in);
	stream->paused = false;
	if (!buf_size(&stream->out))
		end_output(stream);
	deferred_schedule(&stream->again);
	watch_open(stream);
}

static const struct transport_ops stream_ops = {
	.write = stream_write,
	.queued = stream_queued,
	.pause = stream_pause,
	.shut = stream_shut,
};

/* Takes 'fd', also on failure. */
static int stream_new(struct loop *loop, struct tls_context *tls, int fd, const char *peer_name,
		      const struct session_callbacks *callbacks, void *user, struct stream **ret)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	int r = -ENOMEM;

	if (!stream) {
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	stream->loop = loop;
	stream->server = tls_is_server(tls);
	stream->fd = fd;
	stream->state = stream->server ? STREAM_HANDSHAKE : STREAM_CONNECTING;
	list_init(&stream->end.link);
	timer_init(&stream->linger, loop, linger_over, stream);
	deferred_init(&stream->again, loop, read_again, stream);
	/* One frame that is not whole, and what is read at a time. */
	buf_init(&stream->in, LIMIT_WIRE_FRAME_SIZE + FRAME_HEADER_SIZE + STREAM_READ_SIZE);
	buf_init(&stream->out, SIZE_MAX); /* the session has a limit */
	r = tls_connection(tls, peer_name, &stream->ssl);
	if (!r && fd >= 0 && !SSL_set_fd(stream->ssl, fd))
		r = -ENOMEM;
	if (!r && fd >= 0)
		r = watch_init(&stream->watch, loop, fd, stream->server ? WATCH_READ : WATCH_WRITE,
			       on_ready, stream);
	if (!r)
		r = session_new(loop, &stream_ops, stream, callbacks, user, &stream->session);
	if (r) {
		stream_free(stream);
		return r;
	}
	if (stream->server)
		SSL_set_accept_state(stream->ssl);
	else
		SSL_set_connect_state(stream->ssl);
	*ret = stream;
	return 0;
}

static void set_peer_addr(struct session *session, const struct sockaddr *addr, socklen_t size)
{
	char host[INET6_ADDRSTRLEN] = "", port[8] = "", text[64];

	if (getnameinfo(addr, size, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	snprintf(text, sizeof(text), addr->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
	session_set_peer_addr(session, text);
}

int session_connect(struct loop *loop, struct tls_context *tls, const struct sockaddr *addr,
		    socklen_t addr_size, const char *peer_name,
		    const struct session_callbacks *callbacks, void *user, struct session **ret)
{
	struct stream *stream;
	int fd, r, error = 0;

	if (tls_is_server(tls))
		return -EINVAL;
	fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || (connect(fd, addr, addr_size) && errno != EINPROGRESS))
		error = errno;
	r = stream_new(loop, tls, fd, peer_name, callbacks, user, &stream);
	if (r)
		return r;
	set_peer_addr(stream->session, addr, addr_size);
	/* No socket, no route: like any other failure it is told by 'closed'. */
	if (error)
		stream_break(stream, SESSION_END_CONNECT, strerror(error));
	*ret = stream->session;
	return 0;
}

int session_accept(struct loop *loop, struct tls_context *tls, int fd,
		   const struct session_callbacks *callbacks, void *user, struct session **ret)
{
	struct sockaddr_storage addr;
	socklen_t size = sizeof(addr);
	struct stream *stream;
	int r;

	if (!tls_is_server(tls) || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)) {
		close(fd);
		return -EINVAL;
	}
	r = stream_new(loop, tls, fd, NULL, callbacks, user, &stream);
	if (r)
		return r;
	if (!getpeername(fd, (struct sockaddr *)&addr, &size))
		set_peer_addr(stream->session, (struct sockaddr *)&addr, size);
	*ret = stream->session;
	return 0;
}
