/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "manager/handoff.h"
#include "manager/heir.h"
#include "manager/intake.h"
#include "manager/manager.h"
#include "manager/preload.h"
#include "manager/publish.h"
#include "manager/renew.h"
#include "manager/resolve.h"
#include "manager/stale.h"
#include "manager/stats.h"
#include "manager/updates.h"
#include "model/edge.h"
#include "model/host.h"

enum { PROTOCOL_VERSION = 1 };

static const uint32_t probe_seconds = 60;
static const uint32_t stats_seconds = SESSIONS_STATS_MS / 1000;

/* One connection. */
struct link {
	struct list node;
	struct manager *manager;
	struct session *session; /* NULL: not made yet */
	struct agent *agent;     /* NULL: no Hello yet, or replaced */
	struct timer hello_timer;
};

static void hello_late(struct timer *timer, void *data)
{
	struct link *link = data;

	session_close(link->session, VIADUCT__AGENT__GOODBYE__CODE__PROTOCOL, "no Hello came");
}

void sessions_init(struct sessions *sessions)
{
	list_init(&sessions->links);
	sessions->n = 0;
}

static void link_free(struct link *link)
{
	timer_deinit(&link->hello_timer);
	list_remove(&link->node);
	link->manager->sessions.n--;
	free(link);
}

void *sessions_new_user(struct manager *manager)
{
	struct link *link;

	if (manager->sessions.n >= LIMIT_SESSIONS)
		return NULL;
	link = calloc(1, sizeof(*link));
	if (!link)
		return NULL;
	link->manager = manager;
	timer_init(&link->hello_timer, manager->loop, hello_late, link);
	list_push_back(&manager->sessions.links, &link->node);
	manager->sessions.n++;
	return link;
}

void sessions_begin(void *user, struct session *session)
{
	struct link *link = user;

	link->session = session;
}

void sessions_drop_user(void *user)
{
	link_free(user);
}

/* The agent is without a session from now on. */
static void detach(struct link *link)
{
	struct manager *manager = link->manager;
	struct agent *agent = TAKE_PTR(link->agent);

	if (!agent)
		return;
	agent->session = NULL;
	agent->since_ms = clock_wall_ms(manager->clock);
	updates_clear(agent);
	preload_clear(agent);
	heir_clear(agent);
	handoff_session_ended(manager, agent);
	resolve_forget(manager, agent);
	host_set_connected(manager->model, agent->number, false);
}

static struct link *link_of(const struct agent *agent)
{
	return session_user(agent->session);
}

void sessions_remove(struct manager *manager, struct agent *agent)
{
	struct link *link;

	if (!agent->session)
		return;
	link = link_of(agent);
	detach(link);
	session_close(link->session, VIADUCT__AGENT__GOODBYE__CODE__UNKNOWN_HOST,
		      "the host was removed: join again with a new bundle");
}

void sessions_deinit(struct sessions *sessions, struct manager *manager)
{
	struct link *link;

	list_for_each (link, &sessions->links, node) {
		detach(link);
		if (link->session)
			session_close(link->session, VIADUCT__AGENT__GOODBYE__CODE__SHUTDOWN,
				      "the manager stops");
	}
	/* 'closed' comes at the end of a turn of the loop, and frees the links. */
	for (int i = 0; i < LIMIT_SHUTDOWN_TURNS && !list_empty(&sessions->links); i++)
		if (loop_turn(manager->loop, 0))
			break;
}

static void opened(struct session *session, void *user)
{
	struct link *link = user;

	sessions_begin(link, session);
	timer_arm_in(&link->hello_timer, LIMIT_HELLO_MS * CLOCK_NS_PER_MS);
}

static void closed(struct session *session, enum session_end end, const char *text, void *user)
{
	struct link *link = user;
	uint32_t number;

	log_info("session ended", LOG_STR("peer", session_peer_addr(session)),
		 LOG_STR("host", session_peer(session)->name),
		 LOG_STR("end", session_end_text(end)), LOG_STR("text", text));
	number = link->agent ? link->agent->number : 0;
	detach(link);
	if (number && end == SESSION_END_TIMEOUT)
		host_set_silent(link->manager->model, number);
	link_free(link);
}

static int send_welcome(struct link *link)
{
	Viaduct__Agent__Welcome welcome = VIADUCT__AGENT__WELCOME__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	welcome.protocol = PROTOCOL_VERSION;
	welcome.cluster_id = link->manager->cluster_id;
	welcome.revision = journal_durable(link->manager->journal);
	welcome.lease_seconds = link->manager->lease_seconds;
	welcome.probe_seconds = probe_seconds;
	welcome.stats_seconds = stats_seconds;
	welcome.pending = true;
	welcome.stale = true;
	welcome.incarnations = true;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_WELCOME;
	frame.welcome = &welcome;
	return session_send(link->session, &frame);
}

int sessions_ask_capabilities(struct agent *agent)
{
	Viaduct__Agent__CapabilitiesRequest request = VIADUCT__AGENT__CAPABILITIES_REQUEST__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	if (!agent->session)
		return -ENOTCONN;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_CAPABILITIES_REQUEST;
	frame.capabilities_request = &request;
	return session_send(agent->session, &frame) ? -ENOTCONN : 0;
}

/* Finds the agent that may speak through this session, or refuses. */
static struct agent *admit(struct link *link, const Viaduct__Agent__Hello *hello)
{
	const char *name = session_peer(link->session)->name;
	const struct host *host;
	struct agent *agent = NULL;

	if (hello->protocol_min > PROTOCOL_VERSION || hello->protocol_max < PROTOCOL_VERSION) {
		session_close(
			link->session, VIADUCT__AGENT__GOODBYE__CODE__VERSION,
			"this manager speaks version 1 of the protocol: install a matching agent");
		return NULL;
	}
	host = host_find(link->manager->model, name);
	if (host && !host->foreign)
		agent = agents_find(&link->manager->agents, host->number);
	if (!agent) {
		session_close(link->session, VIADUCT__AGENT__GOODBYE__CODE__UNKNOWN_HOST,
			      "the host is not registered: join again with a new bundle");
		return NULL;
	}
	if (strcmp(hello->host_id, name)) {
		session_close(link->session, VIADUCT__AGENT__GOODBYE__CODE__PROTOCOL,
			      "the Hello names another host than the certificate");
		return NULL;
	}
	return agent;
}

static void take_hello(struct link *link, const Viaduct__Agent__Hello *hello)
{
	struct manager *manager = link->manager;
	struct agent *agent = admit(link, hello);
	struct link *old;

	if (!agent)
		return;
	if (agent->session) {
		old = link_of(agent);
		detach(old);
		session_close(old->session, VIADUCT__AGENT__GOODBYE__CODE__REPLACED,
			      "a newer session of this host has come: if it was not this machine, "
			      "its bundle is on another one too");
	}
	timer_disarm(&link->hello_timer);
	link->agent = agent;
	agent->session = link->session;
	agent->was_connected = true;
	agent->since_ms = clock_wall_ms(manager->clock);
	agent->shown = model_revision(manager->model);
	snprintf(agent->software, sizeof(agent->software), "%s", hello->software);
	host_set_connected(manager->model, agent->number, true);
	agent->acknowledges = false;
	log_info("agent connected", LOG_U64("host", agent->number),
		 LOG_STR("peer", session_peer_addr(link->session)),
		 LOG_STR("software", hello->software), LOG_U64("revision", hello->revision));
	if (send_welcome(link))
		return; /* the session is ending */
	renew_begin(manager, agent);
	agent->takes_preloads = hello->preloads;
	preload_begin(manager, agent);
	updates_take_held(manager, agent, hello);
	publish_begin(manager, agent, hello->revision, hello->cluster_id);
	if (hello->capabilities)
		intake_capabilities(manager, agent, hello->capabilities);
}

/* An agent says nothing while it puts its programs into the kernel, which takes seconds on a busy
 * machine.  It has when it acknowledges, and every session begins with what it has to acknowledge:
 * from then on an edge is missed soon. */
static void take_ack(struct manager *manager, struct agent *agent, const Viaduct__Agent__Ack *ack)
{
	if (!agent->acknowledges && edge_is(manager->model, agent->number))
		session_set_patience(agent->session, LIMIT_WIRE_EDGE_PING_MS,
				     LIMIT_WIRE_EDGE_DEAD_MS);
	agent->acknowledges = true;
	intake_ack(manager, agent, ack);
}

static void take(struct manager *manager, struct agent *agent, const Viaduct__Agent__Frame *frame)
{
	switch (frame->body_case) {
	case VIADUCT__AGENT__FRAME__BODY_RESOLVE:
		resolve_answer(manager, agent, frame->resolve);
		break;
	case VIADUCT__AGENT__FRAME__BODY_ACK:
		take_ack(manager, agent, frame->ack);
		break;
	case VIADUCT__AGENT__FRAME__BODY_UPDATE_ACK:
		updates_acknowledge(manager, agent, frame->update_ack->revision);
		break;
	case VIADUCT__AGENT__FRAME__BODY_STALE:
		stale_correct(manager, agent, frame->stale);
		break;
	case VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS:
		handoff_read(manager, agent, frame->translations);
		break;
	case VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS_WRITTEN:
		handoff_written(manager, agent, frame->translations_written);
		break;
	case VIADUCT__AGENT__FRAME__BODY_RELEASED:
		updates_release(manager, agent, frame->released);
		break;
	case VIADUCT__AGENT__FRAME__BODY_INSTANCE_STATUS:
		intake_status(manager, agent, frame->instance_status);
		break;
	case VIADUCT__AGENT__FRAME__BODY_CAPABILITIES:
		intake_capabilities(manager, agent, frame->capabilities);
		break;
	case VIADUCT__AGENT__FRAME__BODY_STATS:
		stats_take(agent, frame->stats);
		metering_take(manager, agent, frame->stats);
		break;
	case VIADUCT__AGENT__FRAME__BODY_FLOW_RECORDS:
		if (flow_intake_take(manager, agent, frame->flow_records))
			session_close(agent->session, VIADUCT__AGENT__GOODBYE__CODE__PROTOCOL,
				      "records of flows that are none");
		break;
	case VIADUCT__AGENT__FRAME__BODY_EVENTS:
		events_take(&manager->events, agent, frame->events);
		break;
	default:
		session_close(agent->session, VIADUCT__AGENT__GOODBYE__CODE__PROTOCOL,
			      "a frame that only a manager may send");
	}
	if (manager->releases_due)
		upkeep_schedule(manager);
}

static void received(struct session *session, const Viaduct__Agent__Frame *frame, void *user)
{
	struct link *link = user;

	if (frame->body_case == VIADUCT__AGENT__FRAME__BODY_GOODBYE) {
		log_info("agent leaves", LOG_STR("host", session_peer(session)->name),
			 LOG_STR("text", frame->goodbye->text));
		session_close(session, VIADUCT__AGENT__GOODBYE__CODE__UNSPECIFIED, "Goodbye");
	} else if (frame->body_case == VIADUCT__AGENT__FRAME__BODY_HELLO && !link->agent) {
		take_hello(link, frame->hello);
	} else if (link->agent) {
		take(link->manager, link->agent, frame);
	} else {
		session_close(session, VIADUCT__AGENT__GOODBYE__CODE__PROTOCOL,
			      "the first frame must be a Hello");
	}
}

static size_t records(struct session *session, const uint8_t *data, size_t size, void *user)
{
	struct link *link = user;

	return link->agent ? resolve_records(link->manager, link->agent, data, size) : 0;
}

const struct session_callbacks sessions_callbacks = {
	.opened = opened,
	.received = received,
	.closed = closed,
	.records = records,
};
