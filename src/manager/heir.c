/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/heir.h"

#include <stdlib.h>

#include "base/log.h"
#include "manager/manager.h"
#include "manager/offer.h"
#include "manager/publish.h"
#include "manager/updates.h"
#include "model/egress_gateway.h"
#include "model/holders.h"
#include "model/internet_gateway.h"
#include "model/mapping.h"
#include "model/preload.h"
#include "model/vpc.h"

struct heir {
	struct list node; /* in agent->heirs */
	uint32_t from;
	uint64_t since; /* the revision that made it one */
	struct preload_walk walk;
};

static void heir_free(struct heir *h)
{
	list_remove(&h->node);
	free(h);
}

void heir_clear(struct agent *agent)
{
	struct heir *h;

	list_for_each (h, &agent->heirs, node)
		heir_free(h);
}

/* Which edge a network's IPv6 leaves by, or 0. */
static uint32_t edge_of(const struct object *o, enum kind kind, uint32_t *ret_vni)
{
	const struct internet_gateway *i = (const struct internet_gateway *)o;
	const struct egress_gateway *g = (const struct egress_gateway *)o;

	*ret_vni = 0;
	if (o && kind == KIND_INTERNET_GATEWAY && i->vpc)
		*ret_vni = i->vni;
	else if (o && kind == KIND_EGRESS_GATEWAY)
		*ret_vni = g->vni;
	if (!*ret_vni)
		return 0;
	return kind == KIND_INTERNET_GATEWAY ? i->edge : g->edge;
}

bool heritage_of(const struct model *m, const struct write *write, struct heritage *ret)
{
	struct heritage h = {0};
	const struct vpc *v;
	uint32_t vni;

	h.from = edge_of(write->before, write->kind, &vni);
	h.to = edge_of(write->after, write->kind, &h.vni);
	if (!h.from || !h.to || h.from == h.to || vni != h.vni)
		return false;
	v = vpc_by_vni(m, vni);
	if (!v || !v->n_blocks6)
		return false;
	*ret = h;
	return true;
}

void heir_begin(struct manager *manager, const struct heritage *heritage, uint64_t revision)
{
	struct agent *agent = agents_find(&manager->agents, heritage->to);
	struct heir *h;

	if (!agent || !agent->session || !agent->takes_preloads)
		return;
	h = calloc(1, sizeof(*h));
	if (!h) {
		log_err("an edge is not told what the one before it knew",
			LOG_U64("host", agent->number), LOG_U64("vni", heritage->vni));
		return;
	}
	h->from = heritage->from;
	h->since = revision;
	h->walk = (struct preload_walk){.vni = heritage->vni, .host = agent->number};
	list_push_back(&agent->heirs, &h->node);
	publish_mark(manager, agent);
}

/* What the edge before has been told, and this one not, or that it is gone: it may have had the
 * network before.  0 or -ENOMEM. */
static int offer(struct manager *manager, struct agent *agent, const struct mapping *mapping,
		 void *data)
{
	struct holders *holders = model_holders(manager->model);
	const struct heir *h = data;
	struct holder of, own = {0};
	int r;

	if (ipaddr_is_v4(&mapping->addr) ||
	    !holders_get(holders, mapping->vni, &mapping->addr, h->from, &of) ||
	    (holders_get(holders, mapping->vni, &mapping->addr, agent->number, &own) &&
	     own.revision == mapping->revision))
		return 0;
	r = holders_add(holders, mapping->vni, &mapping->addr, agent->number, 0,
			manager_now_ms(manager) + manager_lease_ms(manager));
	if (!r)
		updates_queue(manager, agent, mapping);
	return r;
}

void heir_fill(struct manager *manager, struct agent *agent)
{
	struct heir *h;

	if (!offer_may_begin(agent))
		return;
	/* one after the other: a stretch of one is a turn's */
	list_for_each (h, &agent->heirs, node) {
		if (h->since > journal_durable(manager->journal))
			continue;
		if (offer_stretch(manager, agent, &h->walk, offer, h) != OFFER_GOES_ON)
			heir_free(h);
		offer_go_on(manager, agent);
		return;
	}
}

void heir_more(struct manager *manager, struct agent *agent)
{
	if (!list_empty(&agent->heirs))
		publish_mark(manager, agent);
}
