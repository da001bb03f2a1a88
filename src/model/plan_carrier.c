/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which hosts begin or end to carry a network or group by a change.  See plan_change.h.
 */
#include <stdlib.h>

#include "model/edge.h"
#include "model/interface.h"
#include "model/plan_change.h"

static void add_delta(struct planner *p, enum carried_kind kind, uint32_t number, uint32_t host,
		      int64_t n)
{
	size_t k = 0;

	while (k < p->n_deltas && (p->deltas[k].kind != kind || p->deltas[k].number != number ||
				   p->deltas[k].host != host))
		k++;
	if (k == p->n_deltas)
		p->deltas[p->n_deltas++] = (struct delta){kind, number, host, 0};
	p->deltas[k].n += n;
}

static size_t count_deltas(const struct object *o)
{
	const struct interface *i = (const struct interface *)o;

	if (!o)
		return 0;
	return o->kind == KIND_INTERFACE ? (1 + i->n_groups) * interface_attachment_count(i) : 1;
}

static void add_interface(struct planner *p, const struct interface *i, int64_t n)
{
	for (size_t a = 0; i && a < interface_attachment_count(i); a++) {
		uint32_t host = interface_attachment(i, a)->host;

		if (!attachment_is_desired(interface_attachment(i, a)))
			continue;
		add_delta(p, CARRIED_NETWORK, i->vni, host, n);
		for (size_t k = 0; k < i->n_groups; k++)
			add_delta(p, CARRIED_GROUP, i->groups[k].number, host, n);
	}
}

static void add_object(struct planner *p, const struct object *o, int64_t n)
{
	uint32_t vni, host;

	if (o && o->kind == KIND_INTERFACE)
		add_interface(p, (const struct interface *)o, n);
	else if (edge_serves(o, &vni, &host))
		add_delta(p, CARRIED_NETWORK, vni, host, n);
}

/* Whose objects make a host carry something. */
static bool carries(enum kind k)
{
	return k == KIND_INTERFACE || k == KIND_ADDRESS || k == KIND_INTERNET_GATEWAY ||
	       k == KIND_EGRESS_GATEWAY;
}

int planner_collect_carriers(struct planner *p)
{
	size_t n = 0;

	for (size_t i = 0; i < change_count(p->change); i++) {
		struct write w = change_get(p->change, i);

		if (carries(w.kind))
			n += count_deltas(w.before) + count_deltas(w.after);
	}
	p->deltas = calloc(n + 1, sizeof(*p->deltas));
	if (!p->deltas)
		return -ENOMEM;
	for (size_t i = 0; i < change_count(p->change); i++) {
		struct write w = change_get(p->change, i);

		if (!carries(w.kind))
			continue;
		add_object(p, w.before, -1);
		add_object(p, w.after, 1);
	}
	return 0;
}

void planner_forget_carriers(struct planner *p)
{
	free(p->deltas);
}

int planner_emit_carriers(struct planner *p, enum carried_kind k, uint32_t number,
			  struct plan_item *item, bool remove)
{
	const struct carried *c = carried_find(p->m, k, number);
	int r = 0;

	for (size_t i = 0; c && i < c->n_hosts && !r; i++)
		if (c->hosts[i])
			r = planner_emit(p, c->hosts[i], item, remove);
	/* a host that carried it until this change had the item, too */
	for (size_t i = 0; i < p->n_deltas && remove && !r; i++)
		if (p->deltas[i].kind == k && p->deltas[i].number == number)
			r = planner_emit(p, p->deltas[i].host, item, true);
	return r;
}

int plan_carriers(struct planner *p)
{
	int r = 0;

	for (size_t i = 0; i < p->n_deltas && !r; i++) {
		const struct delta *d = &p->deltas[i];
		int64_t now = carried_interfaces(p->m, d->kind, d->number, d->host);
		int64_t before = now - d->n;

		if (!before == !now)
			continue;
		if (d->kind == CARRIED_GROUP)
			r = plan_group_carrier(p, d, now);
		else
			r = plan_network(p->m, d->number, d->host, !now, p->sink, p->data);
		if (!r && d->kind == CARRIED_NETWORK)
			r = plan_network_pairs(p, d->number, d->host);
	}
	return r;
}
