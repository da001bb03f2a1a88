/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recording end of a session, for the tests of this folder: counts what it is told and keeps the
 * last of each.
 */
#pragma once

#include <stdio.h>
#include <string.h>

#include "wire/session.h"

struct peer {
	struct session *session;
	unsigned int opened, closed;
	size_t received;
	uint64_t seqs[4096]; /* of the resolves, in the order they came */
	enum session_end end;
	char text[200];
	char name[PKI_NAME_SIZE];
	Viaduct__Agent__Goodbye__Code goodbye;
	bool echo;        /* answer each resolve with itself */
	bool close_first; /* close at the first frame */
};

static inline int peer_send(struct session *session, uint64_t seq)
{
	Viaduct__Agent__Resolve resolve = VIADUCT__AGENT__RESOLVE__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	resolve.seq = seq;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_RESOLVE;
	frame.resolve = &resolve;
	return session_send(session, &frame);
}

static inline void peer_opened(struct session *session, void *user)
{
	struct peer *peer = user;

	peer->session = session;
	peer->opened++;
	snprintf(peer->name, sizeof(peer->name), "%s", session_peer(session)->name);
}

static inline void peer_received(struct session *session, const Viaduct__Agent__Frame *frame,
				 void *user)
{
	struct peer *peer = user;

	if (frame->body_case == VIADUCT__AGENT__FRAME__BODY_GOODBYE)
		peer->goodbye = frame->goodbye->code;
	if (frame->body_case != VIADUCT__AGENT__FRAME__BODY_RESOLVE)
		return;
	if (peer->received < ARRAY_SIZE(peer->seqs))
		peer->seqs[peer->received] = frame->resolve->seq;
	peer->received++;
	if (peer->close_first)
		session_close(session, VIADUCT__AGENT__GOODBYE__CODE__REPLACED, "enough");
	else if (peer->echo && session_send(session, frame))
		session_close(session, VIADUCT__AGENT__GOODBYE__CODE__UNSPECIFIED, "echo failed");
}

static inline void peer_closed(struct session *session, enum session_end end, const char *text,
			       void *user)
{
	struct peer *peer = user;

	peer->session = NULL;
	peer->closed++;
	peer->end = end;
	snprintf(peer->text, sizeof(peer->text), "%s", text);
}

static const struct session_callbacks peer_callbacks = {
	.opened = peer_opened,
	.received = peer_received,
	.closed = peer_closed,
};
