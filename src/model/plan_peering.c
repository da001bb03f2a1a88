/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peered networks in a plan.  See plan_items.h and plan_change.h.
 */
#include "model/peering.h"
#include "model/plan_change.h"
#include "model/route_table.h"
#include "model/vpc.h"

static struct plan_item item_of(const struct peering *p)
{
	struct plan_item item = {.kind = PLAN_PEERING};
	uint32_t a = p->requester.vni, b = p->accepter.vni;

	item.peering.vni_a = a < b ? a : b;
	item.peering.vni_b = a < b ? b : a;
	return item;
}

/* A host that carries both networks has it by the one with the smaller number, and until neither is
 * left. */
int plan_network_peerings(const struct model *m, const struct vpc *v, uint32_t host, bool remove,
			  plan_sink_fn sink, void *data)
{
	struct peering_iter it = peering_iter_of(m, v->o.id);
	const struct peering *p;
	int r = 0;

	while (!r && (p = peering_iter_next(&it))) {
		const struct peering_side *other = peering_other(p, v->o.id);
		struct plan_item item = item_of(p);
		bool has_other;

		if (p->state != PEERING_ACTIVE)
			continue;
		has_other = carried_interfaces(m, CARRIED_NETWORK, other->vni, host);
		if (has_other && (remove || other->vni < v->vni))
			continue;
		item.remove = remove;
		r = sink(data, host, &item);
	}
	return r;
}

int plan_peering_change(struct planner *p, const struct peering *before,
			const struct peering *after)
{
	bool was = before && before->state == PEERING_ACTIVE;
	bool is = after && after->state == PEERING_ACTIVE;
	const struct peering *any = after ? after : before;
	struct plan_item item = item_of(any);
	int r;

	if (was == is)
		return 0;
	r = planner_emit_carriers(p, CARRIED_NETWORK, any->requester.vni, &item, !is);
	if (!r)
		r = planner_emit_carriers(p, CARRIED_NETWORK, any->accepter.vni, &item, !is);
	if (!r)
		r = plan_peering_pairs(p, any);
	if (!r)
		r = plan_tables_to(p, any->requester.vpc, ROUTE_PEERING, any->o.id);
	return r ? r : plan_tables_to(p, any->accepter.vpc, ROUTE_PEERING, any->o.id);
}
