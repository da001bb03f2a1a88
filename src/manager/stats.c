/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/stats.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "manager/agents.h"
#include "manager/message.h"

void events_init(struct events *events)
{
	list_init(&events->list);
	events->n = 0;
}

static void drop_oldest(struct events *events)
{
	struct event *event = list_last(&events->list, struct event, node);

	list_remove(&event->node);
	viaduct__agent__event__free_unpacked(event->message, NULL);
	free(event);
	events->n--;
}

void events_deinit(struct events *events)
{
	while (events->n)
		drop_oldest(events);
}

static void take_one(struct events *events, const struct agent *agent,
		     const Viaduct__Agent__Event *message)
{
	struct event *event = calloc(1, sizeof(*event));
	ProtobufCMessage *copy;

	if (!event || message_copy(&message->base, &copy)) {
		free(event);
		return;
	}
	event->host = agent->number;
	event->message = (Viaduct__Agent__Event *)copy;
	list_push_front(&events->list, &event->node);
	events->n++;
	if (events->n > LIMIT_EVENTS)
		drop_oldest(events);
	if (message->kind == VIADUCT__AGENT__EVENT__KIND__SPOOF)
		log_warn("spoofing", LOG_U64("host", agent->number), LOG_U64("vni", message->vni),
			 LOG_STR("interface", message->interface_id));
}

void events_take(struct events *events, const struct agent *agent,
		 const Viaduct__Agent__Events *message)
{
	/* Of a flood the last ones are as good as any. */
	size_t first = message->n_events > LIMIT_EVENTS ? message->n_events - LIMIT_EVENTS : 0;

	for (size_t i = first; i < message->n_events; i++)
		take_one(events, agent, message->events[i]);
}

void stats_take(struct agent *agent, const Viaduct__Agent__Stats *message)
{
	ProtobufCMessage *copy;

	if (message_copy(&message->base, &copy))
		return;
	if (agent->stats)
		viaduct__agent__stats__free_unpacked(agent->stats, NULL);
	agent->stats = (Viaduct__Agent__Stats *)copy;
}
