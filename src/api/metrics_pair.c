/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of GET /metrics about pairs of hosts: what is chosen, how far changes are, how old keys
 * are, and what the features of payloads and rates did.  Each host's sums are told in any cluster,
 * pairs one by one in clusters of up to LIMIT_API_PAIR_HOSTS hosts.
 */
#include <string.h>

#include "api/metrics.h"
#include "api/state.h"
#include "base/limits.h"
#include "model/host.h"
#include "model/host_key.h"
#include "model/pair.h"
#include "model/pair_shift.h"

/* ---- choices ---- */

/* A direction. */
struct direction {
	const struct host *from, *to;
	enum format send;
	uint32_t features;
	uint64_t policy;
};

struct directions {
	size_t n;
	struct direction *v;
};

static int collect(struct route_call *c, struct directions *ret)
{
	const size_t n = model_count(c->model, KIND_HOST);
	struct model_iter a = model_iter_kind(c->model, KIND_HOST);
	const struct host *from, *to;
	struct choice choice;

	ret->v = arena_alloc_array(c->arena, n * n + 1, sizeof(*ret->v));
	if (!ret->v)
		return -ENOMEM;
	while ((from = (const struct host *)model_iter_next(&a))) {
		struct model_iter b = model_iter_kind(c->model, KIND_HOST);

		while ((to = (const struct host *)model_iter_next(&b))) {
			if (to == from)
				continue;
			pair_choice(c->model, from, to, &pair_all, &choice);
			ret->v[ret->n++] = (struct direction){from, to, choice.send,
							      choice.send_features, choice.policy};
		}
	}
	return 0;
}

static const char *list_of(uint32_t features, char buf[static FEATURE_LIST_SIZE])
{
	return features ? feature_list(features, buf) : "";
}

static void put_choices(struct route_call *c, const struct directions *all)
{
	char features[FEATURE_LIST_SIZE], policy[ID_TEXT_SIZE];

	metrics_head(c, "pair_choice", "gauge",
		     "What one host sends to another: the format, none if they have no choice in "
		     "common.");
	for (const struct direction *d = all->v; d < all->v + all->n; d++) {
		policy[0] = '\0';
		if (d->policy)
			id_text_prefixed(ID_PREFIX_CHOICE_POLICY, d->policy, policy);
		buf_put_printf(
			c->text,
			"viaduct_pair_choice{from=\"%s\",to=\"%s\",format=\"%s\",features=\"%s\","
			"policy=\"%s\"} 1\n",
			d->from->name, d->to->name, format_name(d->send),
			list_of(d->features, features), policy);
	}
}

static bool same_choice(const struct direction *a, const struct direction *b)
{
	return a->send == b->send && a->features == b->features;
}

/* There are few different choices, however many pairs. */
static void put_counts(struct route_call *c, const struct directions *all)
{
	char features[FEATURE_LIST_SIZE];

	metrics_head(c, "pairs", "gauge", "Directions between two hosts, by what is sent.");
	for (size_t i = 0; i < all->n; i++) {
		size_t first = 0, n = 0;

		while (!same_choice(&all->v[first], &all->v[i]))
			first++;
		if (first < i)
			continue;
		for (size_t k = i; k < all->n; k++)
			n += same_choice(&all->v[k], &all->v[i]);
		buf_put_printf(c->text, "viaduct_pairs{format=\"%s\",features=\"%s\"} %zu\n",
			       format_name(all->v[i].send), list_of(all->v[i].features, features),
			       n);
	}
}

/* ---- changes ---- */

static void put_changes(struct route_call *c)
{
	struct model_iter it = model_iter_kind(c->model, KIND_PAIR_SHIFT);
	const struct object *o;
	size_t n_sender = 0, n_receiver = 0, n_time = 0;

	while ((o = model_iter_next(&it))) {
		const struct shift *s = &((const struct pair_shift *)o)->shift;

		n_receiver += s->receiver_revision != 0;
		n_sender += s->sender_revision != 0;
		n_time += !s->receiver_revision && !s->sender_revision;
	}
	metrics_one(c, "choices_changing", "gauge", "Directions that are between two choices.",
		    model_count(c->model, KIND_PAIR_SHIFT));
	metrics_head(c, "choices_waiting", "gauge",
		     "The same by what they wait for: an acknowledgement of either end, or the end "
		     "of the grace time.");
	buf_put_printf(c->text,
		       "viaduct_choices_waiting{for=\"receiver\"} %zu\n"
		       "viaduct_choices_waiting{for=\"sender\"} %zu\n"
		       "viaduct_choices_waiting{for=\"time\"} %zu\n",
		       n_receiver, n_sender, n_time);
}

/* ---- keys ---- */

static uint64_t key_age_s(const struct route_call *c, const struct host *h)
{
	uint64_t since = host_keyed_ms(h), now = clock_wall_ms(c->api->clock);

	return now > since ? (now - since) / 1000 : 0;
}

static void put_keys(struct route_call *c)
{
	struct model_iter it = model_iter_kind(c->model, KIND_HOST);
	const struct host *h;

	metrics_head(c, "host_key_age_seconds", "gauge",
		     "Of the keys that it seals with, or would: since they were made.");
	while ((h = (const struct host *)model_iter_next(&it)))
		buf_put_printf(c->text, "viaduct_host_key_age_seconds{host=\"%s\"} %llu\n", h->name,
			       (unsigned long long)key_age_s(c, h));
}

/* By the choice of all that the two send, or by one of some network or interfaces: then it shows in
 * what was sealed. */
static bool has_sealed(struct route_call *c, const struct direction *d)
{
	struct api_pair_live live = {};

	return d->features & FEATURES_PAYLOAD ||
	       (c->api->live->pair(c->api->live->data, d->from->number, d->to->number, &live) &&
		live.sealed_packets);
}

static void put_pair_keys(struct route_call *c, const struct directions *all)
{
	metrics_head(c, "pair_key_age_seconds", "gauge",
		     "Of the newest key for what one host seals for another.");
	for (const struct direction *d = all->v; d < all->v + all->n; d++)
		if (has_sealed(c, d))
			buf_put_printf(c->text,
				       "viaduct_pair_key_age_seconds{from=\"%s\",to=\"%s\"} %llu\n",
				       d->from->name, d->to->name,
				       (unsigned long long)key_age_s(c, d->from));
}

/* ---- counters ---- */

static const struct {
	const char *name; /* behind "host_" or "pair_" */
	const char *help;
	size_t offset;
} counters[] = {
	{"sealed_packets_total", "Sent to other hosts sealed.",
	 offsetof(struct api_pair_live, sealed_packets)},
	{"sealed_bytes_total", "The same, as they are on the wire.",
	 offsetof(struct api_pair_live, sealed_bytes)},
	{"opened_packets_total", "Received from other hosts sealed, and found good.",
	 offsetof(struct api_pair_live, opened_packets)},
	{"opened_bytes_total", "The same, as they were on the wire.",
	 offsetof(struct api_pair_live, opened_bytes)},
	{"saved_bytes_total", "By compression, of what was sent.",
	 offsetof(struct api_pair_live, saved_bytes)},
	{"held_back_packets_total", "Refused to nodes because a rate was used up.",
	 offsetof(struct api_pair_live, held_back)},
};

static uint64_t value_of(const struct api_pair_live *l, size_t counter)
{
	uint64_t value;

	memcpy(&value, (const char *)l + counters[counter].offset, sizeof(value));
	return value;
}

/* What is told of one host. */
struct sums {
	struct route_call *c;
	const struct host *from;
	struct api_pair_live sum;
	size_t counter; /* the one whose pairs are told */
};

static void add(void *user, uint32_t to, const struct api_pair_live *l)
{
	struct sums *s = user;

	s->sum.sealed_packets += l->sealed_packets;
	s->sum.sealed_bytes += l->sealed_bytes;
	s->sum.opened_packets += l->opened_packets;
	s->sum.opened_bytes += l->opened_bytes;
	s->sum.saved_bytes += l->saved_bytes;
	s->sum.held_back += l->held_back;
}

static int put_host_counters(struct route_call *c)
{
	struct model_iter it = model_iter_kind(c->model, KIND_HOST);
	struct sums *all =
		arena_alloc_array(c->arena, model_count(c->model, KIND_HOST) + 1, sizeof(*all));
	size_t n = 0;
	const struct host *h;

	if (!all)
		return -ENOMEM;
	while ((h = (const struct host *)model_iter_next(&it))) {
		all[n] = (struct sums){.from = h};
		c->api->live->pairs(c->api->live->data, h->number, add, &all[n++]);
	}
	for (size_t k = 0; k < ARRAY_SIZE(counters); k++) {
		char name[64];

		snprintf(name, sizeof(name), "host_%s", counters[k].name);
		metrics_head(c, name, "counter", counters[k].help);
		for (size_t i = 0; i < n; i++)
			buf_put_printf(c->text, "viaduct_%s{host=\"%s\"} %llu\n", name,
				       all[i].from->name,
				       (unsigned long long)value_of(&all[i].sum, k));
	}
	return 0;
}

static void put_one_pair(void *user, uint32_t to, const struct api_pair_live *l)
{
	const struct sums *s = user;
	const struct host *h = host_by_number(s->c->model, to);

	/* most pairs neither seal nor have a rate */
	if (h && value_of(l, s->counter))
		buf_put_printf(s->c->text, "viaduct_pair_%s{from=\"%s\",to=\"%s\"} %llu\n",
			       counters[s->counter].name, s->from->name, h->name,
			       (unsigned long long)value_of(l, s->counter));
}

static void put_pair_counters(struct route_call *c)
{
	for (size_t k = 0; k < ARRAY_SIZE(counters); k++) {
		struct model_iter it = model_iter_kind(c->model, KIND_HOST);
		struct sums s = {.c = c, .counter = k};
		char name[64];

		snprintf(name, sizeof(name), "pair_%s", counters[k].name);
		metrics_head(c, name, "counter", counters[k].help);
		while ((s.from = (const struct host *)model_iter_next(&it)))
			c->api->live->pairs(c->api->live->data, s.from->number, put_one_pair, &s);
	}
}

int metrics_pairs(struct route_call *c)
{
	struct directions all = {};
	int r;

	put_changes(c);
	put_keys(c);
	r = put_host_counters(c);
	if (r || model_count(c->model, KIND_HOST) > LIMIT_API_PAIR_HOSTS)
		return r;
	r = collect(c, &all);
	if (r)
		return r;
	put_choices(c, &all);
	put_counts(c, &all);
	put_pair_keys(c, &all);
	put_pair_counters(c);
	return 0;
}
