/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions over any transport: order, limits, signs of life, the end.
 */
#include "wire/session.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/loop.h"
#include "wire/transport.h"

enum session_state {
	SESSION_OPENING,
	SESSION_OPEN,
	SESSION_ENDING, /* 'closed' is due at the end of this turn of the loop */
};

struct session {
	struct loop *loop;
	const struct transport_ops *ops;
	void *transport;
	const struct session_callbacks *callbacks;
	void *user;
	enum session_state state;
	struct frame_decoder *decoder;

	struct buf out; /* sent during this turn of the loop */
	struct deferred flush;
	size_t queue_limit;
	bool paused;

	struct timer timer;        /* the handshake's end, then signs of life */
	uint64_t input_ns;         /* when something last came */
	uint64_t ping_ns, dead_ns; /* after how much silence */
	bool pinged;
	bool last_call; /* the peer was seen dead once: perhaps only this process had stopped */

	struct deferred ended;
	enum session_end end;
	bool linger;
	char text[160];

	struct pki_info peer;
	char peer_addr[64];
};

static const uint64_t last_call_ns = CLOCK_NS_PER_S;

static void flush_deferred(struct deferred *deferred, void *data)
{
	session_flush(data);
}

static void tell_closed(struct deferred *deferred, void *data)
{
	struct session *session = data;

	session->callbacks->closed(session, session->end, session->text, session->user);
	session->ops->shut(session->transport, session->linger);
	session_discard(session);
}

static void send_ping(struct session *session)
{
	Viaduct__Agent__Ping ping = VIADUCT__AGENT__PING__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	frame.body_case = VIADUCT__AGENT__FRAME__BODY_PING;
	frame.ping = &ping;
	/* A full queue ends the session by itself. */
	if (!session_send(session, &frame))
		session->pinged = true;
}

static void send_pong(struct session *session, const Viaduct__Agent__Ping *ping)
{
	Viaduct__Agent__Pong pong = VIADUCT__AGENT__PONG__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	int r;

	pong.token = ping->token;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_PONG;
	frame.pong = &pong;
	r = session_send(session, &frame);
	if (r == -ENOMEM)
		session_end(session, SESSION_END_FAULT, "out of memory");
}

static void check_life(struct timer *timer, void *data)
{
	struct session *session = data;
	uint64_t now = clock_mono_ns(loop_clock(session->loop));
	uint64_t ping_at = session->input_ns + session->ping_ns;
	uint64_t dead_at = session->input_ns + session->dead_ns;

	if (session->state == SESSION_OPENING) {
		session_end(session, SESSION_END_TIMEOUT, "the handshake took too long");
		return;
	}
	/* While input is left unread on purpose, silence says nothing; the queue's limit watches.
	 */
	if (now < ping_at || session->paused) {
		session->pinged = false;
		session->last_call = false;
		timer_arm_at(timer, session->paused ? now + session->ping_ns : ping_at);
		return;
	}
	if (now >= dead_at && session->last_call) {
		session_end(session, SESSION_END_TIMEOUT, "the peer has gone silent");
		return;
	}
	if (!session->pinged)
		send_ping(session);
	session->last_call = now + last_call_ns >= dead_at;
	timer_arm_at(timer, session->last_call ? now + last_call_ns : dead_at - last_call_ns);
}

int session_new(struct loop *loop, const struct transport_ops *ops, void *transport,
		const struct session_callbacks *callbacks, void *user, struct session **ret)
{
	struct session *session = calloc(1, sizeof(*session));
	int r;

	if (!session)
		return -ENOMEM;
	r = frame_decoder_new(&session->decoder);
	if (r) {
		free(session);
		return r;
	}
	session->loop = loop;
	session->ops = ops;
	session->transport = transport;
	session->callbacks = callbacks;
	session->ping_ns = LIMIT_WIRE_PING_MS * CLOCK_NS_PER_MS;
	session->dead_ns = LIMIT_WIRE_DEAD_MS * CLOCK_NS_PER_MS;
	session->user = user;
	session->queue_limit = LIMIT_WIRE_QUEUE_SIZE;
	buf_init(&session->out, LIMIT_WIRE_QUEUE_SIZE + LIMIT_WIRE_FRAME_SIZE);
	deferred_init(&session->flush, loop, flush_deferred, session);
	deferred_init(&session->ended, loop, tell_closed, session);
	timer_init(&session->timer, loop, check_life, session);
	timer_arm_in(&session->timer, LIMIT_WIRE_HANDSHAKE_MS * CLOCK_NS_PER_MS);
	*ret = session;
	return 0;
}

void session_discard(struct session *session)
{
	timer_deinit(&session->timer);
	deferred_deinit(&session->flush);
	deferred_deinit(&session->ended);
	buf_deinit(&session->out);
	frame_decoder_free(session->decoder);
	free(session);
}

void session_set_peer_addr(struct session *session, const char *text)
{
	snprintf(session->peer_addr, sizeof(session->peer_addr), "%s", text);
}

void session_opened(struct session *session, const struct pki_info *peer)
{
	if (session->state != SESSION_OPENING)
		return;
	session->state = SESSION_OPEN;
	session->peer = *peer;
	session->input_ns = clock_mono_ns(loop_clock(session->loop));
	timer_arm_in(&session->timer, session->ping_ns);
	session->callbacks->opened(session, session->user);
}

void session_set_patience(struct session *session, uint64_t ping_ms, uint64_t dead_ms)
{
	session->ping_ns = ping_ms * CLOCK_NS_PER_MS;
	session->dead_ns = dead_ms * CLOCK_NS_PER_MS;
	if (session->state == SESSION_OPEN)
		timer_arm_in(&session->timer, session->ping_ns);
}

void session_end(struct session *session, enum session_end end, const char *text)
{
	if (session->state == SESSION_ENDING)
		return;
	session->state = SESSION_ENDING;
	session->end = end;
	snprintf(session->text, sizeof(session->text), "%s", text);
	timer_disarm(&session->timer);
	deferred_cancel(&session->flush);
	deferred_schedule(&session->ended);
}

/* Sends a Goodbye behind what waits, past the queue's limit, and lets it all linger. */
static void say_goodbye(struct session *session, Viaduct__Agent__Goodbye__Code code,
			const char *text)
{
	Viaduct__Agent__Goodbye goodbye = VIADUCT__AGENT__GOODBYE__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	if (session->state != SESSION_OPEN)
		return;
	goodbye.code = code;
	goodbye.text = (char *)text;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_GOODBYE;
	frame.goodbye = &goodbye;
	if (frame_pack(&session->out, &frame))
		return;
	session_flush(session);
	session->linger = true;
}

void session_close(struct session *session, Viaduct__Agent__Goodbye__Code code, const char *text)
{
	if (code != VIADUCT__AGENT__GOODBYE__CODE__UNSPECIFIED)
		say_goodbye(session, code, text);
	session_end(session, SESSION_END_LOCAL, text);
}

/* The queue has reached its limit: the peer loses the session, so that it holds up nobody. */
static int overflow(struct session *session)
{
	static const char text[] = "it does not take what is sent to it";

	say_goodbye(session, VIADUCT__AGENT__GOODBYE__CODE__QUEUE_FULL, text);
	session_end(session, SESSION_END_QUEUE_FULL, text);
	return -ENOBUFS;
}

int session_send(struct session *session, const Viaduct__Agent__Frame *frame)
{
	int r;

	if (session->state != SESSION_OPEN)
		return -ENOTCONN;
	r = frame_pack(&session->out, frame);
	if (r)
		return r;
	if (session_queued(session) > session->queue_limit)
		return overflow(session);
	deferred_schedule(&session->flush);
	return 0;
}

int session_send_bytes(struct session *session, const uint8_t *data, size_t size)
{
	if (session->state != SESSION_OPEN)
		return -ENOTCONN;
	if (session_queued(session) + size > session->queue_limit)
		return overflow(session);
	buf_put(&session->out, data, size);
	if (buf_error(&session->out)) {
		session_end(session, SESSION_END_FAULT, "out of memory");
		return -ENOMEM;
	}
	deferred_schedule(&session->flush);
	return 0;
}

void session_flush(struct session *session)
{
	int r;

	if (session->state != SESSION_OPEN || !buf_size(&session->out))
		return;
	deferred_cancel(&session->flush);
	r = session->ops->write(session->transport, buf_data(&session->out),
				buf_size(&session->out));
	buf_reset(&session->out);
	if (r)
		session_end(session, SESSION_END_FAULT, "out of memory");
}

static void receive(struct session *session, const Viaduct__Agent__Frame *frame)
{
	switch (frame->body_case) {
	case VIADUCT__AGENT__FRAME__BODY_PING:
		send_pong(session, frame->ping);
		break;
	case VIADUCT__AGENT__FRAME__BODY_PONG:
		break;
	case VIADUCT__AGENT__FRAME__BODY__NOT_SET:
		/* A newer peer says something that this version does not know. */
		break;
	default:
		session->callbacks->received(session, frame, session->user);
	}
}

static void violation(struct session *session, const char *text)
{
	say_goodbye(session, VIADUCT__AGENT__GOODBYE__CODE__PROTOCOL, text);
	session_end(session, SESSION_END_PROTOCOL, text);
}

/* While a peer does not read its answers, nothing more is read from it. */
static void hold_back(struct session *session)
{
	if (session->state != SESSION_OPEN || session_queued(session) <= session->queue_limit / 2)
		return;
	session->paused = true;
	session_flush(session);
	session->ops->pause(session->transport, true);
}

size_t session_input(struct session *session, const uint8_t *data, size_t size, size_t *ret_wanted)
{
	const Viaduct__Agent__Frame *frame;
	size_t at = 0, record = 0, taken;
	int r;

	session->input_ns = clock_mono_ns(loop_clock(session->loop));
	session->pinged = false;
	session->last_call = false;
	*ret_wanted = 0;
	while (session->state == SESSION_OPEN && !session->paused) {
		r = frame_measure(data + at, size - at, &record);
		if (r == -EAGAIN)
			break;
		if (r) {
			violation(session, "a record is too large");
			break;
		}
		if (record > size - at) {
			*ret_wanted = record;
			break;
		}
		taken = session->callbacks->records
				? session->callbacks->records(session, data + at, size - at,
							      session->user)
				: 0;
		at += taken;
		if (taken) {
			hold_back(session);
			continue;
		}
		r = frame_decode(session->decoder, data + at + FRAME_HEADER_SIZE,
				 record - FRAME_HEADER_SIZE, &frame);
		if (r) {
			violation(session, "a record does not decode");
			break;
		}
		at += record;
		receive(session, frame);
		hold_back(session);
	}
	session_flush(session);
	return at;
}

void session_drained(struct session *session)
{
	if (!session->paused || session_queued(session) > session->queue_limit / 4)
		return;
	session->paused = false;
	session->input_ns = clock_mono_ns(loop_clock(session->loop));
	session->ops->pause(session->transport, false);
}

size_t session_queued(const struct session *session)
{
	return buf_size(&session->out) + session->ops->queued(session->transport);
}

void session_set_queue_limit(struct session *session, size_t bytes)
{
	session->queue_limit = bytes;
}

bool session_is_open(const struct session *session)
{
	return session->state == SESSION_OPEN;
}

void session_set_user(struct session *session, void *user)
{
	session->user = user;
}

void *session_user(const struct session *session)
{
	return session->user;
}

const struct pki_info *session_peer(const struct session *session)
{
	return &session->peer;
}

const char *session_peer_addr(const struct session *session)
{
	return session->peer_addr;
}

const char *session_end_text(enum session_end end)
{
	static const char *const texts[SESSION_END_MAX] = {
		[SESSION_END_LOCAL] = "closed here",
		[SESSION_END_PEER] = "closed by the peer",
		[SESSION_END_CONNECT] = "no connection",
		[SESSION_END_TLS] = "refused by TLS",
		[SESSION_END_TIMEOUT] = "timeout",
		[SESSION_END_PROTOCOL] = "protocol violation",
		[SESSION_END_QUEUE_FULL] = "queue full",
		[SESSION_END_FAULT] = "fault here",
	};

	return (unsigned int)end < SESSION_END_MAX ? texts[end] : "unknown";
}
