/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/offer.h"

#include "base/limits.h"
#include "manager/manager.h"
#include "manager/publish.h"
#include "model/mapping.h"
#include "model/preload.h"

bool offer_may_begin(const struct agent *agent)
{
	return !agent->confirm && !agent->needs_full && !agent->full && !agent->outbox.n_unsent;
}

enum offer_state offer_stretch(struct manager *manager, struct agent *agent,
			       struct preload_walk *walk,
			       int (*offer)(struct manager *manager, struct agent *agent,
					    const struct mapping *mapping, void *data),
			       void *data)
{
	const uint64_t durable = journal_durable(manager->journal);
	size_t budget = LIMIT_PRELOAD_TURN;
	const struct mapping *mapping;

	while (agent->n_updates < LIMIT_PRELOAD_WINDOW) {
		mapping = preload_next(manager->model, walk, &budget);
		if (!mapping)
			return budget ? OFFER_DONE : OFFER_GOES_ON;
		if (mapping->revision <= durable && offer(manager, agent, mapping, data))
			return OFFER_FAILED;
	}
	return OFFER_GOES_ON;
}

void offer_go_on(struct manager *manager, struct agent *agent)
{
	if (agent->n_updates < LIMIT_PRELOAD_WINDOW)
		publish_mark(manager, agent);
}
