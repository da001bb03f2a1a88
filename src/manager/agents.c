/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/agents.h"

#include <stdlib.h>

#include "base/hash.h"
#include "manager/heir.h"
#include "manager/intake.h"
#include "manager/preload.h"
#include "manager/updates.h"
#include "model/model.h"

void agents_init(struct agents *agents)
{
	hmap_init(&agents->by_number);
}

static void agent_free(struct agent *agent)
{
	list_remove(&agent->in_dirty);
	outbox_deinit(&agent->outbox);
	updates_clear(agent);
	preload_clear(agent);
	heir_clear(agent);
	intake_clear(agent);
	if (agent->stats)
		viaduct__agent__stats__free_unpacked(agent->stats, NULL);
	free(agent);
}

void agents_deinit(struct agents *agents)
{
	struct agent *agent;

	hmap_for_each (agent, &agents->by_number, by_number) {
		hmap_remove(&agents->by_number, &agent->by_number);
		agent_free(agent);
	}
	hmap_deinit(&agents->by_number);
}

int agents_add(struct agents *agents, uint32_t number, uint64_t revision)
{
	struct agent *agent = calloc(1, sizeof(*agent));

	if (!agent)
		return -ENOMEM;
	agent->number = number;
	agent->base = revision;
	agent->needs_full = revision == AGENTS_NOTHING;
	outbox_init(&agent->outbox);
	list_init(&agent->in_dirty);
	list_init(&agent->in_news);
	list_init(&agent->in_unsettled);
	list_init(&agent->updates);
	list_init(&agent->preloads);
	list_init(&agent->heirs);
	list_init(&agent->reports);
	hmap_insert(&agents->by_number, &agent->by_number, hash_u64(number));
	return 0;
}

int agents_load(struct agents *agents, const struct model *model, uint64_t revision)
{
	struct model_iter it = model_iter_kind(model, KIND_HOST);
	const struct object *o;
	int r = 0;

	while (!r && (o = model_iter_next(&it)))
		r = agents_add(agents, ((const struct host *)o)->number, revision);
	return r;
}

void agents_remove(struct agents *agents, struct agent *agent)
{
	assert(!agent->session);
	hmap_remove(&agents->by_number, &agent->by_number);
	agent_free(agent);
}

struct agent *agents_find(const struct agents *agents, uint32_t number)
{
	struct agent *agent;

	hmap_for_each_at (agent, &agents->by_number, hash_u64(number), by_number)
		if (agent->number == number)
			return agent;
	return NULL;
}

size_t agents_count(const struct agents *agents)
{
	return hmap_count(&agents->by_number);
}

size_t agents_count_connected(const struct agents *agents)
{
	struct agent *agent;
	size_t n = 0;

	hmap_for_each (agent, &agents->by_number, by_number)
		n += agent->session != NULL;
	return n;
}
