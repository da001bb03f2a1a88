/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/link.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/rand.h"

enum { LINK_PROTOCOL = 1 }; /* the version of the agent protocol spoken here */

static void link_on_timer(struct timer *t, void *data);

const char *link_state_text(enum link_state state)
{
	static const char *const texts[] = {
		[LINK_DOWN] = "down",
		[LINK_DIALLING] = "dialling",
		[LINK_GREETING] = "greeting",
		[LINK_UP] = "up",
	};

	return texts[state];
}

void link_init(struct link *l, struct loop *loop, const struct link_dialer *dialer,
	       const struct link_ops *ops, void *arg)
{
	*l = (struct link){.loop = loop,
			   .dialer = *dialer,
			   .ops = ops,
			   .arg = arg,
			   .backoff_ms = LIMIT_AGENT_BACKOFF_MIN_MS,
			   .error = "not yet connected"};
	timer_init(&l->timer, loop, link_on_timer, l);
}

/* ---- down ---- */

static void link_wait(struct link *l)
{
	uint64_t wait_ms = l->refused ? LIMIT_AGENT_BACKOFF_REFUSED_MS : l->backoff_ms;

	l->state = LINK_DOWN;
	timer_arm_in(&l->timer,
		     (wait_ms / 2 + rand_u32_below((uint32_t)wait_ms)) * CLOCK_NS_PER_MS);
	l->backoff_ms *= 2;
	if (l->backoff_ms > LIMIT_AGENT_BACKOFF_MAX_MS)
		l->backoff_ms = LIMIT_AGENT_BACKOFF_MAX_MS;
	l->refused = false;
}

static void link_note_error(struct link *l, const char *what, const char *text)
{
	snprintf(l->error, sizeof(l->error), "%s%s%s", what, *text ? ": " : "", text);
}

/* The session has ended, or never began. */
static void link_lost(struct link *l)
{
	bool was_up = l->state == LINK_UP;

	l->session = NULL;
	link_wait(l);
	if (was_up)
		l->ops->down(l->arg);
}

static void link_on_closed(struct session *session, enum session_end end, const char *text,
			   void *user)
{
	struct link *l = user;

	if (!l || session != l->session)
		return;
	/* What was noted before (a Goodbye, a reset) says more. */
	if (!*l->error)
		link_note_error(l, session_end_text(end), text ? text : "");
	log_warn("manager lost", LOG_STR("manager", session_peer_addr(session)),
		 LOG_STR("reason", l->error));
	link_lost(l);
}

/* ---- up ---- */

static void link_on_opened(struct session *session, void *user)
{
	struct link *l = user;
	int e;

	if (!l || session != l->session)
		return;
	l->state = LINK_GREETING;
	e = l->ops->greet(session, l->arg);
	if (e) {
		log_err("no Hello could be sent", LOG_ERRNO(e));
		session_close(session, VIADUCT__AGENT__GOODBYE__CODE__UNSPECIFIED, "");
	}
}

static void link_on_welcome(struct link *l, const Viaduct__Agent__Welcome *welcome)
{
	if (welcome->protocol != LINK_PROTOCOL) {
		link_reset(l, "the manager chose a version of the protocol that was not offered");
		return;
	}
	l->state = LINK_UP;
	l->n_sessions++;
	l->backoff_ms = LIMIT_AGENT_BACKOFF_MIN_MS;
	*l->error = '\0';
	timer_disarm(&l->timer);
	log_info("manager connected", LOG_STR("manager", session_peer_addr(l->session)),
		 LOG_U64("revision", welcome->revision));
	l->ops->up(welcome, l->arg);
}

static void link_on_goodbye(struct link *l, const Viaduct__Agent__Goodbye *goodbye)
{
	l->refused = goodbye->code == VIADUCT__AGENT__GOODBYE__CODE__VERSION ||
		     goodbye->code == VIADUCT__AGENT__GOODBYE__CODE__UNKNOWN_HOST ||
		     goodbye->code == VIADUCT__AGENT__GOODBYE__CODE__REPLACED;
	link_note_error(l, "the manager said goodbye", goodbye->text);
}

static void link_on_received(struct session *session, const Viaduct__Agent__Frame *frame,
			     void *user)
{
	struct link *l = user;

	if (!l || session != l->session)
		return;
	if (frame->body_case == VIADUCT__AGENT__FRAME__BODY_GOODBYE)
		link_on_goodbye(l, frame->goodbye);
	else if (l->state == LINK_UP && frame->body_case != VIADUCT__AGENT__FRAME__BODY_WELCOME)
		l->ops->received(frame, l->arg);
	else if (l->state == LINK_GREETING &&
		 frame->body_case == VIADUCT__AGENT__FRAME__BODY_WELCOME)
		link_on_welcome(l, frame->welcome);
	else
		link_reset(l, "the manager spoke out of turn");
}

static const struct session_callbacks link_callbacks = {
	.opened = link_on_opened,
	.received = link_on_received,
	.closed = link_on_closed,
};

static void link_dial(struct link *l)
{
	size_t index = l->next;
	int e;

	l->next = (l->next + 1) % l->dialer.n;
	l->state = LINK_DIALLING;
	*l->error = '\0';
	timer_arm_in(&l->timer, LIMIT_AGENT_PATIENCE_MS * CLOCK_NS_PER_MS);
	e = l->dialer.dial(l->dialer.arg, index, &link_callbacks, l, &l->session);
	if (e) {
		link_note_error(l, "cannot dial", strerrordesc_np(-e) ?: "unknown error");
		link_lost(l);
	}
}

static void link_on_timer(struct timer *t, void *data)
{
	struct link *l = data;

	if (l->state == LINK_DOWN)
		link_dial(l);
	else if (l->state != LINK_UP)
		link_reset(l, "the manager does not answer");
}

void link_start(struct link *l)
{
	if (l->state == LINK_DOWN && !timer_armed(&l->timer))
		link_dial(l);
}

int link_send(struct link *l, const Viaduct__Agent__Frame *frame)
{
	return l->state == LINK_UP ? session_send(l->session, frame) : -ENOTCONN;
}

void link_reset(struct link *l, const char *text)
{
	if (!l->session)
		return;
	link_note_error(l, "reset", text);
	session_close(l->session, VIADUCT__AGENT__GOODBYE__CODE__PROTOCOL, text);
}

void link_deinit(struct link *l)
{
	struct session *session = l->session;

	l->session = NULL;
	timer_deinit(&l->timer);
	if (!session)
		return;
	session_set_user(session, NULL); /* its last callbacks come when this link is gone */
	session_close(session, VIADUCT__AGENT__GOODBYE__CODE__SHUTDOWN, "the agent stops");
}
