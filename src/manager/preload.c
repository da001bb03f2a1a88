/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/preload.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "manager/manager.h"
#include "manager/offer.h"
#include "manager/publish.h"
#include "manager/updates.h"
#include "model/holders.h"
#include "model/mapping.h"
#include "model/preload.h"
#include "model/vpc.h"

enum { AGAIN_DOUBLINGS = 6 };

struct preload {
	struct list node; /* in agent->preloads */
	uint32_t vni;
	uint64_t since; /* the revision that made it due */
	struct preload_walk walk;
	bool done;         /* the walk is at its end */
	uint64_t again_ms; /* when to walk again; 0: never */
	unsigned int n_again;
};

static struct preload *find(const struct agent *agent, uint32_t vni)
{
	struct preload *p;

	list_for_each (p, &agent->preloads, node)
		if (p->vni == vni)
			return p;
	return NULL;
}

static void preload_free(struct preload *p)
{
	list_remove(&p->node);
	free(p);
}

void preload_clear(struct agent *agent)
{
	struct preload *p;

	list_for_each (p, &agent->preloads, node)
		preload_free(p);
}

static void walk_anew(const struct agent *agent, struct preload *p)
{
	p->walk = (struct preload_walk){.vni = p->vni, .host = agent->number};
	p->done = false;
	p->again_ms = 0;
}

static void begin(struct manager *manager, struct agent *agent, uint32_t vni, uint64_t revision)
{
	struct preload *p = calloc(1, sizeof(*p));

	if (!p) {
		log_err("network not preloaded", LOG_U64("host", agent->number),
			LOG_U64("vni", vni));
		return;
	}
	p->vni = vni;
	p->since = revision;
	walk_anew(agent, p);
	list_push_back(&agent->preloads, &p->node);
	publish_mark(manager, agent);
}

static void end(struct manager *manager, struct agent *agent, struct preload *p)
{
	holders_lease_network(model_holders(manager->model), p->vni, agent->number,
			      manager_now_ms(manager) + manager_lease_ms(manager));
	preload_free(p);
}

static void check(struct manager *manager, struct agent *agent, uint32_t vni, uint64_t revision)
{
	struct preload *p = find(agent, vni);
	bool due = preload_is_due(manager->model, agent->number, vni);

	if (!agent->session || !agent->takes_preloads)
		return;
	if (due && !p)
		begin(manager, agent, vni, revision);
	else if (!due && p)
		end(manager, agent, p);
}

void preload_check(struct manager *manager, struct agent *agent, uint32_t vni, uint64_t revision)
{
	check(manager, agent, vni, revision);
	/* What it asked for has no end from now on, either. */
	if (find(agent, vni))
		holders_keep_network(model_holders(manager->model), vni, agent->number);
}

bool preload_keeps(const struct agent *agent, uint32_t vni)
{
	return !list_empty(&agent->preloads) && find(agent, vni);
}

void preload_begin(struct manager *manager, struct agent *agent)
{
	struct model_iter it = model_iter_kind(manager->model, KIND_VPC);
	const struct object *o;

	while ((o = model_iter_next(&it)))
		check(manager, agent, ((const struct vpc *)o)->vni, model_revision(manager->model));
}

void preload_review(struct manager *manager)
{
	struct agent *agent;
	struct preload *p;

	hmap_for_each (agent, &manager->agents.by_number, by_number) {
		/* the networks that are gone again, then those that are due again */
		list_for_each (p, &agent->preloads, node)
			check(manager, agent, p->vni, p->since);
		preload_begin(manager, agent);
		list_for_each (p, &agent->preloads, node) {
			holders_keep_network(model_holders(manager->model), p->vni, agent->number);
			walk_anew(agent, p);
		}
		preload_more(manager, agent);
	}
}

/* On record without an end, as knowing what it knew. */
static int keep(struct manager *manager, const struct agent *agent, const struct mapping *mapping,
		uint64_t *ret_known)
{
	struct holders *holders = model_holders(manager->model);
	struct holder holder = {0};
	int r;

	(void)holders_get(holders, mapping->vni, &mapping->addr, agent->number, &holder);
	r = holders_add(holders, mapping->vni, &mapping->addr, agent->number, holder.revision,
			HOLDERS_NEVER);
	if (!r)
		*ret_known = holder.revision;
	return r;
}

void preload_tell(struct manager *manager, const struct mapping *now)
{
	const struct vpc *v = vpc_by_vni(manager->model, now->vni);
	const uint32_t *hosts;
	size_t n;

	if (!now->host || !v || !preload_is_marked(v) ||
	    !preload_has_room(manager->model, now->vni))
		return;
	n = model_network_hosts(manager->model, now->vni, &hosts);
	for (size_t i = 0; i < n; i++) {
		struct agent *agent = agents_find(&manager->agents, hosts[i]);
		struct preload *p = agent ? find(agent, now->vni) : NULL;
		uint64_t known;

		/* whose walk has not begun will meet it */
		if (!p || p->since > journal_durable(manager->journal) ||
		    !preload_concerns(manager->model, hosts[i], now))
			continue;
		if (keep(manager, agent, now, &known))
			log_err("mapping not preloaded", LOG_U64("host", hosts[i]));
	}
}

static int offer(struct manager *manager, struct agent *agent, const struct mapping *mapping,
		 void *data)
{
	uint64_t known;
	int r = keep(manager, agent, mapping, &known);

	if (!r && known < mapping->revision)
		updates_queue(manager, agent, mapping);
	return r;
}

static void fill_one(struct manager *manager, struct agent *agent, struct preload *p)
{
	switch (offer_stretch(manager, agent, &p->walk, offer, NULL)) {
	case OFFER_GOES_ON:
		return;
	case OFFER_FAILED:
		log_err("mapping not preloaded", LOG_U64("host", agent->number));
		p->again_ms = manager_now_ms(manager) + LIMIT_PRELOAD_AGAIN_MS;
		p->done = true;
		return;
	case OFFER_DONE:
		p->done = true;
	}
}

void preload_fill(struct manager *manager, struct agent *agent)
{
	struct preload *p;

	if (!offer_may_begin(agent))
		return;
	/* one after the other, as in heir_fill() */
	list_for_each (p, &agent->preloads, node) {
		if (p->done || p->since > journal_durable(manager->journal))
			continue;
		fill_one(manager, agent, p);
		offer_go_on(manager, agent);
		return;
	}
}

void preload_more(struct manager *manager, struct agent *agent)
{
	struct preload *p;

	list_for_each (p, &agent->preloads, node)
		if (!p->done) {
			publish_mark(manager, agent);
			return;
		}
}

void preload_released(struct manager *manager, struct agent *agent, uint32_t vni)
{
	struct preload *p = find(agent, vni);

	if (!p || p->again_ms)
		return;
	/* seldomer and seldomer, for a host that has no room does not get it by being asked */
	p->again_ms = manager_now_ms(manager) + ((uint64_t)LIMIT_PRELOAD_AGAIN_MS << p->n_again);
	if (p->n_again < AGAIN_DOUBLINGS)
		p->n_again++;
}

void preload_tick(struct manager *manager)
{
	uint64_t now = manager_now_ms(manager);
	struct agent *agent;
	struct preload *p;

	hmap_for_each (agent, &manager->agents.by_number, by_number) {
		list_for_each (p, &agent->preloads, node)
			if (p->again_ms && p->again_ms <= now)
				walk_anew(agent, p);
		preload_more(manager, agent);
	}
}
