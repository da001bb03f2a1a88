/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pairs of hosts are told anew what they use between them.  Each is told once for a change, whatever the
 * reasons.  See plan_change.h.
 */
#include <stdlib.h>

#include "base/str.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/pair_class.h"
#include "model/pair_shift.h"
#include "model/peering.h"
#include "model/plan_change.h"
#include "model/vpc.h"

static int note(struct planner *p, uint32_t host, uint32_t peer)
{
	if (p->n_pairs == p->pairs_allocated) {
		size_t more = p->pairs_allocated ? 2 * p->pairs_allocated : 64;
		uint64_t *pairs = reallocarray(p->pairs, more, sizeof(*pairs));

		if (!pairs)
			return -ENOMEM;
		p->pairs = pairs;
		p->pairs_allocated = more;
	}
	p->pairs[p->n_pairs++] = (uint64_t)host << 32 | peer;
	return 0;
}

int planner_tell_pair(struct planner *p, const struct host *a, const struct host *b)
{
	int r = note(p, a->number, b->number);

	return r ? r : note(p, b->number, a->number);
}

void planner_forget_pairs(struct planner *p)
{
	free(p->pairs);
	p->pairs = NULL;
	p->n_pairs = p->pairs_allocated = 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int planner_tell_pairs(struct planner *p)
{
	_cleanup_(plan_variants_deinit) struct plan_variants variants = {0};
	struct plan_item item;
	int r = 0;

	if (p->n_pairs)
		qsort(p->pairs, p->n_pairs, sizeof(*p->pairs), compare);
	for (size_t i = 0; i < p->n_pairs && !r; i++) {
		const struct host *self = host_by_number(p->m, (uint32_t)(p->pairs[i] >> 32));
		const struct host *peer = host_by_number(p->m, (uint32_t)p->pairs[i]);

		if ((i && p->pairs[i] == p->pairs[i - 1]) || !self || !peer)
			continue;
		r = plan_peer_item(p->m, self, peer, &variants, &item);
		if (!r)
			r = planner_emit(p, self->number, &item, false);
	}
	return r;
}

typedef int (*carrier_fn)(struct planner *p, const struct host *carrier, const void *data);

/* Calls 'fn' for the hosts that carry a network, or did until this change; for some twice. */
static int for_each_carrier(struct planner *p, uint32_t vni, carrier_fn fn, const void *data)
{
	const uint32_t *hosts;
	size_t n = model_network_hosts(p->m, vni, &hosts);
	const struct host *h;
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		h = host_by_number(p->m, hosts[i]);
		r = h ? fn(p, h, data) : 0;
	}
	for (size_t i = 0; i < p->n_deltas && !r; i++) {
		const struct delta *d = &p->deltas[i];

		if (d->kind != CARRIED_NETWORK || d->number != vni || d->n >= 0)
			continue;
		h = host_by_number(p->m, d->host);
		r = h ? fn(p, h, data) : 0;
	}
	return r;
}

static int tell_with(struct planner *p, const struct host *other, const void *data)
{
	const struct host *h = data;

	if (other == h || (!choice_rules_of(p->m)->n && !pair_joins_apart(h, other)))
		return 0;
	return planner_tell_pair(p, h, other);
}

/* With all hosts that carry a network and may use something of its own with this one. */
static int tell_carriers(struct planner *p, const struct host *h, uint32_t vni)
{
	return for_each_carrier(p, vni, tell_with, h);
}

/* What is in the network, and between it and those it is peered with. */
static int tell_network(struct planner *p, const struct host *h, const struct vpc *v)
{
	struct peering_iter it = peering_iter_of(p->m, v->o.id);
	const struct peering *peering;
	int r = choice_rules_of(p->m)->n ? tell_carriers(p, h, v->vni) : 0;

	while (!r && (peering = peering_iter_next(&it)))
		if (peering->state == PEERING_ACTIVE)
			r = tell_carriers(p, h, peering_other(peering, v->o.id)->vni);
	return r;
}

int plan_network_pairs(struct planner *p, uint32_t vni, uint32_t host)
{
	const struct host *h = host_by_number(p->m, host);
	const struct vpc *v = vpc_by_vni(p->m, vni);

	return h && v ? tell_network(p, h, v) : 0;
}

static int tell_network_of(struct planner *p, const struct host *h, const void *data)
{
	return tell_network(p, h, data);
}

static int tell_carriers_of(struct planner *p, const struct host *h, const void *data)
{
	return tell_carriers(p, h, *(const uint32_t *)data);
}

static int tell_both(struct planner *p, const struct pair_shift *s)
{
	const struct host *from = host_by_number(p->m, s->from), *to = host_by_number(p->m, s->to);

	return from && to ? planner_tell_pair(p, from, to) : 0;
}

/* What is changing may be told apart, or not any more, without wishing for anything else. */
static int tell_changing(struct planner *p)
{
	struct model_iter it = model_iter_kind(p->m, KIND_PAIR_SHIFT);
	const struct object *o;
	int r = 0;

	while (!r && (o = model_iter_next(&it)))
		r = tell_both(p, (const struct pair_shift *)o);
	return r;
}

int plan_environment_change(struct planner *p, const struct vpc *before, const struct vpc *after)
{
	int r;

	if (!choice_rules_of(p->m)->n ||
	    str_equal(choice_environment(before), choice_environment(after)))
		return 0;
	r = for_each_carrier(p, after->vni, tell_network_of, after);
	/* also where the network is carried no more, and what it used is changing yet */
	return r ? r : tell_changing(p);
}

int plan_peering_pairs(struct planner *p, const struct peering *any)
{
	return for_each_carrier(p, any->requester.vni, tell_carriers_of, &any->accepter.vni);
}

/* Both have the same terms in mind, if not in the same order of steps. */
static bool takes_same(const struct shift *a, const struct shift *b)
{
	struct terms x[SHIFT_TERMS_MAX], y[SHIFT_TERMS_MAX];
	size_t n = shift_accept(a, x), k;

	if (n != shift_accept(b, y))
		return false;
	for (size_t i = 0; i < n; i++) {
		for (k = 0; k < n && !terms_equal(&x[i], &y[k]); k++)
			;
		if (k == n)
			return false;
	}
	return true;
}

/* The end that a step waits for from now on is told, whatever it takes or does already. */
static bool begins_to_wait(uint64_t was, uint64_t is)
{
	return is && is != was;
}

/* A step concerns one end, mostly.  The sender hears of a shift that begins, which says why it is not there yet, and not of
 * one that ends with what it does already. */
int plan_shift_change(struct planner *p, const struct pair_shift *before, const struct pair_shift *after)
{
	const struct pair_shift *s = after ? after : before;
	const struct shift *was = before ? &before->shift : NULL, *is = after ? &after->shift : NULL;
	int r = 0;

	/* classes that begin or end to be told apart are listed by both */
	if (s->class.vni && (!was || !is))
		return tell_both(p, s);
	if (!was || !is || !takes_same(was, is) ||
	    begins_to_wait(was->receiver_revision, is->receiver_revision))
		r = note(p, s->to, s->from);
	if (!r && is && (!was || !terms_equal(shift_send(was), shift_send(is)) ||
			 begins_to_wait(was->sender_revision, is->sender_revision)))
		r = note(p, s->from, s->to);
	return r;
}

/* ---- interfaces ---- */

static int tell_places(struct planner *p, const struct interface *i, const struct interface *other)
{
	int r = 0;

	for (size_t n = 0; i && other && n < interface_attachment_count(i) && !r; n++)
		for (size_t k = 0; k < interface_attachment_count(other) && !r; k++) {
			const struct host *a = host_by_number(p->m, interface_attachment(i, n)->host);
			const struct host *b = host_by_number(p->m, interface_attachment(other, k)->host);

			if (a && b && a != b)
				r = planner_tell_pair(p, a, b);
		}
	return r;
}

/* As it was before the change; NULL: it was not written, or not there. */
static const struct interface *interface_before(const struct planner *p, uint64_t id)
{
	for (size_t i = 0; i < change_count(p->change); i++) {
		struct write w = change_get(p->change, i);

		if (w.kind == KIND_INTERFACE && w.id == id)
			return (const struct interface *)w.before;
	}
	return NULL;
}

/* A class of interfaces that no policy names any more and whose choice is changing yet. */
static int tell_changing_of(struct planner *p, uint64_t interface)
{
	struct model_iter it = model_iter_kind(p->m, KIND_PAIR_SHIFT);
	const struct object *o;
	int r = 0;

	while (!r && (o = model_iter_next(&it))) {
		const struct pair_shift *s = (const struct pair_shift *)o;

		if (s->class.interface == interface || s->class.peer_interface == interface)
			r = tell_both(p, s);
	}
	return r;
}

int plan_interface_pairs(struct planner *p, const struct interface *before, const struct interface *after)
{
	const struct choice_rules *rules = choice_rules_of(p->m);
	uint64_t id = (after ? after : before)->o.id;
	int r = tell_changing_of(p, id);

	for (size_t i = 0; i < rules->n && !r; i++) {
		const struct choice_policy *policy = rules->v[i];
		const struct interface *others[2];
		uint64_t other = policy->interfaces[policy->interfaces[0] == id];

		if (!policy->interfaces[0] || (policy->interfaces[0] != id && policy->interfaces[1] != id))
			continue;
		others[0] = (const struct interface *)model_get(p->m, KIND_INTERFACE, other);
		others[1] = interface_before(p, other);
		for (size_t k = 0; k < ARRAY_SIZE(others) && !r; k++) {
			r = tell_places(p, before, others[k]);
			if (!r)
				r = tell_places(p, after, others[k]);
		}
	}
	return r;
}

/* ---- policies ---- */

static int tell_difference(void *data, const struct pair_difference *d)
{
	return planner_tell_pair(data, d->from, d->to);
}

/* Between peered networks there are classes as soon as there is any policy, whatever it is about. */
static int tell_peered(struct planner *p)
{
	struct model_iter it = model_iter_kind(p->m, KIND_PEERING);
	const struct object *o;
	int r = 0;

	while (!r && (o = model_iter_next(&it))) {
		const struct peering *peering = (const struct peering *)o;

		if (peering->state == PEERING_ACTIVE)
			r = plan_peering_pairs(p, peering);
	}
	return r;
}

/* Two interfaces that a policy names are a class of their own, from now on or no more, whatever it wishes for them. */
static int tell_named(struct planner *p, const struct choice_policy *policy)
{
	const uint64_t *ids = policy->interfaces;

	return tell_places(p, (const struct interface *)model_get(p->m, KIND_INTERFACE, ids[0]),
			   (const struct interface *)model_get(p->m, KIND_INTERFACE, ids[1]));
}

int plan_policies_change(struct planner *p, const struct change *c)
{
	_cleanup_(choice_rules_deinit) struct choice_rules before = {0};
	_cleanup_free_ const struct choice_policy **changed = NULL;
	struct pair_rules_change between = {&before, choice_rules_of(p->m), 0, NULL};
	size_t n = 0;
	int r;

	for (size_t i = 0; i < change_count(c); i++)
		n += change_get(c, i).kind == KIND_CHOICE_POLICY;
	if (!n)
		return 0;
	changed = calloc(2 * n, sizeof(const struct choice_policy *));
	r = changed ? choice_rules_copy(between.after, &before) : -ENOMEM;
	for (size_t i = 0; i < change_count(c) && !r; i++) {
		struct write w = change_get(c, i);

		if (w.kind != KIND_CHOICE_POLICY)
			continue;
		r = choice_rules_prepare(&before);
		if (r)
			break;
		choice_rules_set(&before, (const struct choice_policy *)w.after,
				 (const struct choice_policy *)w.before);
		if (w.before)
			changed[between.n_changed++] = (const struct choice_policy *)w.before;
		if (w.after)
			changed[between.n_changed++] = (const struct choice_policy *)w.after;
	}
	between.changed = changed;
	for (size_t i = 0; i < between.n_changed && !r; i++)
		r = tell_named(p, changed[i]);
	if (!r)
		r = tell_changing(p);
	if (!r && !before.n != !between.after->n)
		r = tell_peered(p);
	return r ? r : pair_differences(p->m, &between, tell_difference, p);
}
