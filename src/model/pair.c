/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two hosts use between them.  See pair.h.
 */
#include "model/pair.h"

#include <stdio.h>
#include <string.h>

#include "model/choice_rules.h"
#include "model/host.h"
#include "model/host_key.h"
#include "model/pair_shift.h"
#include "model/table.h"
#include "model/vpc.h"

const struct pair_class pair_all;

struct pair_class pair_class_reverse(const struct pair_class *c)
{
	return (struct pair_class){c->peer_vni, c->vni, c->peer_interface, c->interface};
}

uint32_t choice_formats(const struct choice *c)
{
	uint32_t formats = 0;

	for (size_t i = 0; i < c->n_accepts; i++)
		formats |= c->accepts[i].formats;
	return formats;
}

static bool accept_equal(const struct accept *a, const struct accept *b)
{
	return a->formats == b->formats && a->features == b->features &&
	       pair_key_equal(&a->key, &b->key);
}

static bool accepts_equal(const struct choice *a, const struct choice *b)
{
	bool equal = a->n_accepts == b->n_accepts;

	for (size_t i = 0; i < a->n_accepts && equal; i++)
		equal = accept_equal(&a->accepts[i], &b->accepts[i]);
	return equal;
}

bool choice_equal(const struct choice *a, const struct choice *b)
{
	return a->send == b->send && a->send_formats == b->send_formats &&
	       a->send_features == b->send_features && pair_key_equal(&a->send_key, &b->send_key) &&
	       accepts_equal(a, b) && a->outer_v6 == b->outer_v6 && a->path_mtu == b->path_mtu &&
	       a->rate.bits == b->rate.bits && a->rate.burst == b->rate.burst &&
	       a->inferred == b->inferred;
}

static struct choice_end end_of(const struct model *m, const struct host *h, uint32_t vni,
				uint64_t interface)
{
	return (struct choice_end){h, vni ? vpc_by_vni(m, vni) : NULL, interface};
}

/* False: no policy has a say. */
static bool demand_of(const struct model *m, const struct choice_rules *rules,
		      const struct host *from, const struct host *to, const struct pair_class *c,
		      struct demand *ret)
{
	bool joins = c->vni != c->peer_vni;
	bool any = false;

	if (!rules)
		rules = choice_rules_between(m, from, to, c);
	if (rules->n) {
		struct choice_end a = end_of(m, from, c->vni, c->interface);
		struct choice_end b = end_of(m, to, c->peer_vni, c->peer_interface);

		any = choice_rules_demand(rules, &a, &b, ret);
	}
	if (!any && joins)
		*ret = (struct demand){0};
	if (any || joins)
		ret->joins = joins;
	return any || joins;
}

void pair_wish(const struct model *m, const struct host *from, const struct host *to,
	       const struct pair_class *c, struct wish *ret)
{
	pair_wish_by(m, NULL, from, to, c, ret);
}

void pair_wish_by(const struct model *m, const struct choice_rules *rules, const struct host *from,
		  const struct host *to, const struct pair_class *c, struct wish *ret)
{
	struct ability a = ability_towards(from, to), b = ability_towards(to, from);
	struct demand d;
	bool demanded = demand_of(m, rules, from, to, c, &d);

	negotiate(&a, from->name, &b, to->name, demanded ? &d : NULL, ret);
	ret->key = ability_key(from, to);
}

void pair_wish_quickly(const struct model *m, const struct choice_rules *rules,
		       const struct host *from, const struct host *to, const struct pair_class *c,
		       struct wish *ret)
{
	struct ability a = ability_towards(from, to), b = ability_towards(to, from);
	struct demand d;
	bool demanded = demand_of(m, rules, from, to, c, &d);

	negotiate_quickly(&a, &b, demanded ? &d : NULL, ret);
	ret->key = ability_key(from, to);
}

bool pair_joins_apart(const struct host *a, const struct host *b)
{
	struct ability x = ability_towards(a, b), y = ability_towards(b, a);
	struct wish inside;

	negotiate_quickly(&x, &y, NULL, &inside);
	return inside.send != FORMAT_NONE && !format_joins_networks(inside.send);
}

uint32_t pair_overhead(const struct model *m, const struct choice_rules *rules,
		       const struct pair_end *from, const struct pair_end *to,
		       const struct pair_class *c)
{
	struct demand d;
	bool demanded = demand_of(m, rules, from->host, to->host, c, &d);
	struct wish w;

	negotiate_quickly(&from->ability, &to->ability, demanded ? &d : NULL, &w);
	return w.overhead;
}

static void accept_one(const struct wish *w, uint32_t features, struct choice *c)
{
	c->accepts[c->n_accepts++] = (struct accept){w->permitted_formats, features, w->key};
}

/* What a receiver takes that has to infer what is used: whatever is left of what both have.  What is
 * compressed and not encrypted is sealed, too (abi/seal.h), and so is not in the clear. */
static void accept_permitted(const struct wish *w, struct choice *c)
{
	static const uint32_t seals[] = {0, FEATURE_BIT(FEATURE_INTEGRITY_1),
					 FEATURE_BIT(FEATURE_CRYPT_1),
					 FEATURE_BIT(FEATURE_CRYPT_2)};
	uint32_t lz4 = w->permitted_features & FEATURE_BIT(FEATURE_LZ4_1);
	uint32_t required = w->required_features;

	for (size_t i = 0; i < ARRAY_SIZE(seals); i++) {
		bool crypt = seals[i] & FEATURES_CRYPT;

		if (seals[i] & ~w->permitted_features || (required & FEATURES_CRYPT && !crypt) ||
		    (required & FEATURE_BIT(FEATURE_INTEGRITY_1) && !seals[i]))
			continue;
		if (!seals[i] && !(required & FEATURE_BIT(FEATURE_LZ4_1)))
			accept_one(w, 0, c);
		if (seals[i] || lz4)
			accept_one(w, seals[i] | lz4, c);
	}
}

static bool comes_before(const struct accept *a, const struct accept *b)
{
	if (a->formats != b->formats)
		return a->formats < b->formats;
	return a->features != b->features ? a->features < b->features : a->key.epoch < b->key.epoch;
}

/* As add_accepts() below: lz4 is used when it shrinks, so it counts as absent, too.  In an order of
 * their own: a step of the shift that leaves them as they are is nothing new for the receiver. */
static void add_shifting(const struct shift *s, struct choice *c)
{
	struct terms all[SHIFT_TERMS_MAX];
	size_t n = shift_accept(s, all), at;

	for (size_t i = 0; i < n && c->n_accepts < CHOICE_ACCEPTS_MAX; i++) {
		struct accept a = {FORMAT_BIT(all[i].format) | all[i].beside, all[i].features,
				   all[i].key};

		for (at = c->n_accepts++; at && comes_before(&a, &c->accepts[at - 1]); at--)
			c->accepts[at] = c->accepts[at - 1];
		c->accepts[at] = a;
	}
}

static void add_accepts(const struct wish *in, struct choice *c)
{
	if (in->send == FORMAT_NONE)
		return;
	if (in->inferred)
		accept_permitted(in, c);
	else
		c->accepts[c->n_accepts++] =
			(struct accept){in->formats, in->features & FEATURES_PAYLOAD, in->key};
}

/* Until the receiver is ready, what is sent is what was. */
static void send_shifting(const struct pair_shift *p, const struct host *peer, struct choice *c)
{
	const struct terms *t = shift_send(&p->shift);
	size_t used = strlen(c->reason);

	c->send_key = t->key;
	/* also what goes beside it: the receiver may not know of that yet */
	c->send_formats = t->format == FORMAT_NONE ? 0 : FORMAT_BIT(t->format) | t->beside;
	if (t->format == c->send && t->features == (c->send_features & FEATURES_PAYLOAD) &&
	    t->outer_v6 == c->outer_v6)
		return;
	c->send = (enum format)t->format;
	c->outer_v6 = t->outer_v6;
	c->send_features = (c->send_features & ~(uint32_t)FEATURES_PAYLOAD) | t->features;
	snprintf(c->reason + used, sizeof(c->reason) - used, "; %s until %s accepts that",
		 format_name(c->send), peer->name);
}

/* A host has no use for a key of a former incarnation of its own: without it nothing is taken, and
 * nothing sent. */
static void leave_out_lost(const struct host *self, const struct host *peer, struct choice *c)
{
	const size_t n = c->n_accepts, used = strlen(c->reason);

	c->n_accepts = 0;
	for (size_t i = 0; i < n; i++)
		if (!(c->accepts[i].features & FEATURES_PAYLOAD) ||
		    pair_key_lives(c->accepts[i].key.receiver, self->can.incarnation))
			c->accepts[c->n_accepts++] = c->accepts[i];
	if (!(c->send_features & FEATURES_PAYLOAD) ||
	    pair_key_lives(c->send_key.sender, self->can.incarnation))
		return;
	c->send = FORMAT_NONE;
	c->send_formats = c->send_features = 0;
	snprintf(c->reason + used, sizeof(c->reason) - used, "; nothing until %s has its new key",
		 peer->name);
}

/* Since when there is the newest key for what 'from' seals for 'to'. */
static uint64_t keyed_ms(const struct host *from, const struct host *to)
{
	uint64_t ms = host_keyed_ms(from);

	return ms > to->incarnated_ms ? ms : to->incarnated_ms;
}

void pair_choice(const struct model *m, const struct host *self, const struct host *peer,
		 const struct pair_class *c, struct choice *ret)
{
	const struct pair_shift *changing_in, *changing_out;
	struct pair_class reverse = pair_class_reverse(c);
	struct wish out, in;

	pair_wish(m, self, peer, c, &out);
	pair_wish_quickly(m, NULL, peer, self, &reverse, &in);
	*ret = (struct choice){
		.send = out.send,
		.send_formats = out.formats,
		.send_features = out.features,
		.send_key = out.key,
		.send_keyed_ms = keyed_ms(self, peer),
		.outer_v6 = out.outer_v6,
		.path_mtu = out.path_mtu,
		.overhead = out.overhead,
		.rate = out.rate,
		.inferred = in.inferred,
		.policy = out.policy.id,
	};
	memcpy(ret->reason, out.reason, sizeof(ret->reason));
	changing_in = pair_shift_of(m, peer, self, &reverse);
	if (changing_in)
		add_shifting(&changing_in->shift, ret);
	if (!changing_in || in.inferred)
		add_accepts(&in, ret);
	changing_out = pair_shift_of(m, self, peer, c);
	if (changing_out)
		send_shifting(changing_out, peer, ret);
	if (!pair_key_equal(&ret->send_key, &out.key))
		ret->send_keyed_ms = 0;
	leave_out_lost(self, peer, ret);
}
