/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions over TLS and TCP, by libevent's bufferevents.  A session costs one write per turn of the
 * loop, whatever the number of frames; input is read as far as it is contiguous and drained at
 * once.
 */
#include "wire/session.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netdb.h>
#include <stdio.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "base/loop.h"
#include "wire/transport.h"

struct stream {
	struct loop *loop;
	struct loop_end end; /* in the loop's list while it lingers */
	struct bufferevent *bev;
	struct session *session; /* NULL: only what is queued is still to go out */
	struct event *linger;    /* ends that */
	bool server;
	bool paused;
	bool open;
};

enum {
	/* Written per turn: several TLS records of 16 KB; what is read is one record at a time. */
	STREAM_TURN_SIZE = 256 * 1024,
};

static void stream_free(struct stream *stream)
{
	list_remove(&stream->end.link);
	if (stream->linger)
		event_free(stream->linger);
	bufferevent_free(stream->bev); /* closes the socket, frees the SSL */
	free(stream);
}

/* Gives the session what has come.  Called with a session that is open. */
static void read_input(struct stream *stream)
{
	struct evbuffer *in = bufferevent_get_input(stream->bev);
	size_t contiguous, wanted, taken;
	const uint8_t *data;

	while (!stream->paused && session_is_open(stream->session)) {
		contiguous = evbuffer_get_contiguous_space(in);
		if (!contiguous)
			return;
		data = evbuffer_pullup(in, (ev_ssize_t)contiguous);
		taken = session_input(stream->session, data, contiguous, &wanted);
		evbuffer_drain(in, taken);
		if (taken)
			continue;
		/* One record lies across blocks: join them once all of it is here. */
		if (!wanted)
			wanted = FRAME_HEADER_SIZE;
		if (evbuffer_get_length(in) < wanted || contiguous >= wanted)
			return;
		if (!evbuffer_pullup(in, (ev_ssize_t)wanted)) {
			session_end(stream->session, SESSION_END_FAULT, "out of memory");
			return;
		}
	}
}

static void on_read(struct bufferevent *bev, void *data)
{
	struct stream *stream = data;

	if (stream->session)
		read_input(stream);
	else
		evbuffer_drain(bufferevent_get_input(bev),
			       evbuffer_get_length(bufferevent_get_input(bev)));
}

static void on_write(struct bufferevent *bev, void *data)
{
	struct stream *stream = data;

	if (stream->session) {
		session_drained(stream->session);
		if (!stream->paused)
			read_input(stream);
	} else if (!evbuffer_get_length(bufferevent_get_output(bev))) {
		/* Closing now, with input unread, would reset the connection and lose the Goodbye:
		 * wait for the peer's end, or the time-out. */
		shutdown(bufferevent_getfd(bev), SHUT_WR);
		bufferevent_disable(bev, EV_WRITE);
	}
}

static void describe_tls_error(struct stream *stream, unsigned long error, char *text, size_t size)
{
	long verify = SSL_get_verify_result(bufferevent_openssl_get_ssl(stream->bev));
	const char *reason = error ? ERR_reason_error_string(error) : NULL;

	if (verify != X509_V_OK)
		snprintf(text, size, "the peer's certificate: %s",
			 X509_verify_cert_error_string(verify));
	else
		snprintf(text, size, "%s", reason ? reason : "connection lost");
	ERR_clear_error();
}

static bool is_connected(const struct stream *stream)
{
	struct sockaddr_storage addr;
	socklen_t size = sizeof(addr);

	return !getpeername(bufferevent_getfd(stream->bev), (struct sockaddr *)&addr, &size);
}

static void on_error(struct stream *stream, short what)
{
	int socket_error = EVUTIL_SOCKET_ERROR();
	unsigned long tls_error = bufferevent_get_openssl_error(stream->bev);
	char text[128];

	/* OpenSSL 3 reports what the socket said as an error of its own. */
	if (ERR_SYSTEM_ERROR(tls_error)) {
		socket_error = (int)(tls_error & ERR_SYSTEM_MASK);
		tls_error = 0;
	}
	/* libevent puts SSL_ERROR_SYSCALL and the like among them. */
	if (!ERR_GET_LIB(tls_error))
		tls_error = 0;
	/* A client's certificate is judged when for the client the handshake is already over. */
	if (tls_error || (!stream->open && is_connected(stream))) {
		describe_tls_error(stream, tls_error, text, sizeof(text));
		session_end(stream->session, SESSION_END_TLS, text);
		return;
	}
	if (!stream->open)
		session_end(stream->session, stream->server ? SESSION_END_TLS : SESSION_END_CONNECT,
			    socket_error ? evutil_socket_error_to_string(socket_error)
					 : "the connection was refused or lost");
	else
		session_end(stream->session, SESSION_END_PEER,
			    what & BEV_EVENT_EOF ? "the peer closed the connection"
						 : evutil_socket_error_to_string(socket_error));
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

static void on_event(struct bufferevent *bev, short what, void *data)
{
	struct stream *stream = data;
	struct pki_info peer;
	int on = 1;

	if (!stream->session) {
		stream_free(stream);
		return;
	}
	if (!(what & BEV_EVENT_CONNECTED)) {
		on_error(stream, what);
		return;
	}
	if (tls_peer(bufferevent_openssl_get_ssl(bev), &peer)) {
		session_end(stream->session, SESSION_END_TLS,
			    "the peer's certificate names nobody");
		return;
	}
	setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	stream->open = true;
	session_opened(stream->session, &peer);
}

static int stream_write(void *transport, const uint8_t *data, size_t size)
{
	struct stream *stream = transport;

	return bufferevent_write(stream->bev, data, size) ? -ENOMEM : 0;
}

static size_t stream_queued(const void *transport)
{
	const struct stream *stream = transport;

	return evbuffer_get_length(bufferevent_get_output(stream->bev));
}

static void stream_pause(void *transport, bool paused)
{
	struct stream *stream = transport;

	stream->paused = paused;
	if (paused)
		bufferevent_disable(stream->bev, EV_READ);
	else
		bufferevent_enable(stream->bev, EV_READ);
}

static void linger_over(evutil_socket_t fd, short what, void *data)
{
	stream_free(data);
}

static void loop_is_over(struct loop_end *end)
{
	stream_free(container_of(end, struct stream, end));
}

static void stream_shut(void *transport, bool linger)
{
	const struct timeval wait = {
		.tv_sec = LIMIT_WIRE_GOODBYE_MS / 1000,
		.tv_usec = LIMIT_WIRE_GOODBYE_MS % 1000 * 1000,
	};
	struct stream *stream = transport;

	stream->session = NULL;
	if (linger && stream->open)
		stream->linger =
			evtimer_new(bufferevent_get_base(stream->bev), linger_over, stream);
	if (!stream->linger || evtimer_add(stream->linger, &wait)) {
		stream_free(stream);
		return;
	}
	loop_end_add(stream->loop, &stream->end, loop_is_over);
	bufferevent_setwatermark(stream->bev, EV_WRITE, 0, 0);
	bufferevent_enable(stream->bev, EV_READ);
	on_write(stream->bev, stream);
}

static const struct transport_ops stream_ops = {
	.write = stream_write,
	.queued = stream_queued,
	.pause = stream_pause,
	.shut = stream_shut,
};

/* 'fd' is closed on failure. */
static int stream_new(struct loop *loop, struct tls_context *tls, int fd, const char *peer_name,
		      const struct session_callbacks *callbacks, void *user, struct stream **ret)
{
	bool server = tls_is_server(tls);
	_cleanup_close_ int socket = fd;
	struct stream *stream;
	SSL *ssl;
	int r;

	r = tls_connection(tls, peer_name, &ssl);
	if (r)
		return r;
	stream = calloc(1, sizeof(*stream));
	if (!stream) {
		SSL_free(ssl);
		return -ENOMEM;
	}
	stream->loop = loop;
	stream->server = server;
	stream->bev = bufferevent_openssl_socket_new(loop_event_base(loop), fd, ssl,
						     server ? BUFFEREVENT_SSL_ACCEPTING
							    : BUFFEREVENT_SSL_CONNECTING,
						     BEV_OPT_CLOSE_ON_FREE);
	if (!stream->bev) {
		SSL_free(ssl);
		free(stream);
		return -ENOMEM;
	}
	TAKE_FD(socket);
	bufferevent_openssl_set_allow_dirty_shutdown(stream->bev, 1);
	bufferevent_set_max_single_write(stream->bev, STREAM_TURN_SIZE);
	bufferevent_setwatermark(stream->bev, EV_WRITE, LIMIT_WIRE_QUEUE_SIZE / 8, 0);
	r = session_new(loop, &stream_ops, stream, callbacks, user, &stream->session);
	if (r) {
		stream_free(stream);
		return r;
	}
	bufferevent_setcb(stream->bev, on_read, on_write, on_event, stream);
	if (bufferevent_enable(stream->bev, EV_READ | EV_WRITE)) {
		session_discard(stream->session);
		stream_free(stream);
		return -EIO;
	}
	*ret = stream;
	return 0;
}

int session_connect(struct loop *loop, struct tls_context *tls, const struct sockaddr *addr,
		    socklen_t addr_size, const char *peer_name,
		    const struct session_callbacks *callbacks, void *user, struct session **ret)
{
	struct stream *stream;
	int r;

	if (tls_is_server(tls))
		return -EINVAL;
	r = stream_new(loop, tls, -1, peer_name, callbacks, user, &stream);
	if (r)
		return r;
	set_peer_addr(stream->session, addr, addr_size);
	/* No socket, no route: like any other failure it is told by 'closed'. */
	if (bufferevent_socket_connect(stream->bev, addr, (int)addr_size))
		session_end(stream->session, SESSION_END_CONNECT,
			    evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
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

	if (!tls_is_server(tls) || evutil_make_socket_nonblocking(fd)) {
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
