/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pairs of hosts are told anew what they use between them.  Each is told once for a change,
 * whatever the reasons.  See plan_change.h.
 */
#include <stdlib.h>

#include "base/str.h"
#include "model/choice_note.h"
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

	if (other == h || (!choice_rules_any(p->m) && !pair_joins_apart(h, other)))
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
	int r = choice_rules_any(p->m) ? tell_carriers(p, h, v->vni) : 0;

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

	if (!choice_rules_any(p->m) ||
	    str_equal(choice_environment(before), choice_environment(after)) ||
	    choice_note_is_about(p->m, KIND_VPC, after->o.id))
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

/* A step concerns one end, mostly.  The sender hears of a shift that begins, which says why it is
 * not there yet, and not of one that ends with what it does already. */
int plan_shift_change(struct planner *p, const struct pair_shift *before,
		      const struct pair_shift *after)
{
	const struct pair_shift *s = after ? after : before;
	const struct shift *was = before ? &before->shift : NULL,
			   *is = after ? &after->shift : NULL;
	int r = 0;

	/* classes that begin or end to be told apart are listed by both */
	if (s->class.vni && (!was || !is))
		return tell_both(p, s);
	if (!was || !is || !takes_same(was, is) ||
	    begins_to_wait(was->receiver_revision, is->receiver_revision))
		r = note(p, s->to, s->from);
	if (!r && is &&
	    (!was || !terms_equal(shift_send(was), shift_send(is)) ||
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
			const struct host *a =
				host_by_number(p->m, interface_attachment(i, n)->host);
			const struct host *b =
				host_by_number(p->m, interface_attachment(other, k)->host);

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

/* With the other interface of a policy that names this one. */
static int tell_named(struct planner *p, const struct choice_policy *policy,
		      const struct interface *before, const struct interface *after)
{
	uint64_t id = (after ? after : before)->o.id,
		 other = policy->interfaces[policy->interfaces[0] == id];
	const struct interface *others[2];
	int r = 0;

	if (!policy->interfaces[0] || (policy->interfaces[0] != id && policy->interfaces[1] != id))
		return 0;
	others[0] = (const struct interface *)model_get(p->m, KIND_INTERFACE, other);
	others[1] = interface_before(p, other);
	for (size_t k = 0; k < ARRAY_SIZE(others) && !r; k++) {
		r = tell_places(p, before, others[k]);
		if (!r)
			r = tell_places(p, after, others[k]);
	}
	return r;
}

int plan_interface_pairs(struct planner *p, const struct interface *before,
			 const struct interface *after)
{
	const struct choice_rules *sets[CHOICE_SETS_MAX];
	size_t n = choice_rules_in_force(p->m, sets);
	int r = tell_changing_of(p, (after ? after : before)->o.id);

	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < sets[k]->n && !r; i++)
			r = tell_named(p, sets[k]->v[i], before, after);
	return r;
}

/* ---- policies ---- */

static int tell_difference(void *data, const struct pair_difference *d)
{
	return planner_tell_pair(data, d->from, d->to);
}

/* What is changing may be told apart, or not any more, without wishing for anything else. */
static int tell_walked(void *data, const struct host *a, const struct host *b, bool retold)
{
	struct planner *p = data;

	if (!retold &&
	    !model_group_count(p->m, REL_PAIR_SHIFTS, pair_shift_key(a->number, b->number)) &&
	    !model_group_count(p->m, REL_PAIR_SHIFTS, pair_shift_key(b->number, a->number)))
		return 0;
	return planner_tell_pair(p, a, b);
}

/* The pairs that a pass has gone over in this change: choice_pass.h. */
static int tell_pass(struct planner *p, const struct choice_pass *before,
		     const struct choice_pass *after)
{
	const struct choice_passing *now = &p->m->choice_passing;
	const struct pair_walk walk = {tell_difference, tell_walked, p};
	struct pair_rules_change c = {.before = &now->base, .after = &now->target};
	struct pair_stretch stretch = {before->at, after->at, 0};
	_cleanup_free_ const struct choice_policy **changed = NULL;

	if (after->phase > CHOICE_PHASE_PAIRS)
		stretch.until = PAIR_POSITION_END;
	changed = calloc(now->base.n + now->target.n + 1, sizeof(const struct choice_policy *));
	if (!changed)
		return -ENOMEM;
	c.n_changed = choice_rules_changed(c.before, c.after, changed);
	c.changed = changed;
	c.through = after->through;
	return pair_differences(p->m, &c, &stretch, &walk);
}

/* The rules before the change, and what of them has changed; room in 'changed' for two of each
 * write. */
static int rules_before(const struct change *c, struct choice_rules *rules,
			struct pair_rules_change *ret, const struct choice_policy **changed)
{
	for (size_t i = 0; i < change_count(c); i++) {
		struct write w = change_get(c, i);
		int r;

		if (w.kind != KIND_CHOICE_POLICY)
			continue;
		r = choice_rules_prepare(rules);
		if (r)
			return r;
		choice_rules_set(rules, (const struct choice_policy *)w.after,
				 (const struct choice_policy *)w.before);
		if (w.before)
			changed[ret->n_changed++] = (const struct choice_policy *)w.before;
		if (w.after)
			changed[ret->n_changed++] = (const struct choice_policy *)w.after;
	}
	ret->before = rules;
	ret->changed = changed;
	return 0;
}

/* All pairs go by policies that came, changed or went in this change. */
static int tell_policies(struct planner *p, const struct change *c, size_t n)
{
	_cleanup_(choice_rules_deinit) struct choice_rules before = {0};
	_cleanup_free_ const struct choice_policy **changed =
		calloc(2 * n, sizeof(const struct choice_policy *));
	struct pair_rules_change between = {.after = choice_rules_of(p->m)};
	const struct pair_walk walk = {tell_difference, tell_walked, p};
	int r = changed ? choice_rules_copy(between.after, &before) : -ENOMEM;

	if (!r)
		r = rules_before(c, &before, &between, changed);
	return r ? r : pair_differences(p->m, &between, NULL, &walk);
}

int plan_policies_change(struct planner *p, const struct change *c)
{
	struct write pass = {0};
	size_t n = 0;

	for (size_t i = 0; i < change_count(c); i++) {
		struct write w = change_get(c, i);

		n += w.kind == KIND_CHOICE_POLICY;
		if (w.kind == KIND_CHOICE_PASS)
			pass = w;
	}
	if (pass.kind && pass.before && pass.after) {
		const struct choice_pass *before = (const struct choice_pass *)pass.before;

		return before->phase == CHOICE_PHASE_PAIRS
			       ? tell_pass(p, before, (const struct choice_pass *)pass.after)
			       : 0;
	}
	/* a pass that begins or is under way has them wait */
	return pass.kind || choice_pass_of(p->m) || !n ? 0 : tell_policies(p, c, n);
}
