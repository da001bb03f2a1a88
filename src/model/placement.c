/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Placement: judging hosts and choosing one.  See placement.h; the words are in placement_text.c.
 *
 * Every host is looked at, but only its view, a few words that lie together, and what the request
 * asks for: a microsecond for a few hundred hosts.
 */
#include "model/placement.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/capability.h"
#include "model/counters.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/placement_edit.h"
#include "model/placement_group.h"
#include "model/placement_index.h"
#include "model/placement_near.h"
#include "model/settings.h"

enum { NO_RACK = UINT32_MAX, NO_ZONE = MODEL_ZONES + 1 };

/* A request, made ready for being asked of each host. */
struct search {
	const struct model *m;
	const struct placement_request *r;
	uint32_t zone;
	bool round_robin;
	uint32_t last; /* host that was taken last */
	size_t n_spread;
	const uint32_t *spread; /* the account's nodes by rack */
	uint32_t own_rack;      /* where the node itself is among them */
	struct near near;
	/* the placement group: */
	uint32_t partition;
	uint32_t cluster; /* the rack that it is in */
	uint32_t *taken;  /* by rack, or by host: the partition that has it, or 1 */
	uint32_t *room;   /* by rack: how many such nodes fit */
	uint32_t members[PLACEMENT_PARTITIONS_MAX + 1]; /* by partition */
};

static void search_deinit(struct search *s)
{
	near_deinit(&s->near);
	free(s->taken);
	free(s->room);
}

/* ---- judging ---- */

/* What the node has there already, because it is started again. */
static bool has_there(const struct placement_request *r, const struct placement_view *v,
		      enum host_room room)
{
	return r->again && r->again->host == v->number && (room == HOST_DISK || room == HOST_PORTS);
}

static bool lacks_room(const struct placement_request *r, const struct placement_view *v,
		       enum host_room *ret)
{
	for (enum host_room room = 0; room < HOST_ROOM_MAX; room++) {
		if (r->needs[room] <= v->left[room] || has_there(r, v, room))
			continue;
		*ret = room;
		return true;
	}
	return false;
}

static bool carries_shared(const struct search *s, const struct placement_view *v)
{
	const struct placement_request *r = s->r;

	for (size_t n = 0; n < r->n_shared; n++) {
		const struct interface *i =
			(const struct interface *)model_get(s->m, KIND_INTERFACE, r->shared[n]);
		const struct attachment *a = i ? interface_attachment_at(i, v->number) : NULL;

		if (a && (!r->again || a->instance != r->again->o.id))
			return true;
	}
	return false;
}

static enum placement_reason judge_host(const struct search *s, const struct placement_view *v,
					struct placement_verdict *ret)
{
	const struct placement_request *r = s->r;

	if (v->state == PLACEMENT_EDGE || v->state == PLACEMENT_FOREIGN)
		return v->state;
	if (r->only && r->only != v->number)
		return PLACEMENT_OTHER_HOST;
	if (r->zone && s->zone != v->zone)
		return PLACEMENT_ZONE;
	if (v->state != PLACEMENT_FITS)
		return v->state;
	if (r->n_shared && carries_shared(s, v))
		return PLACEMENT_SHARED;
	if (r->require)
		ret->capability = capability_lacking(v->host, r->require, &ret->capability_length);
	if (ret->capability)
		return PLACEMENT_LACKS;
	if (r->limits_cost && v->cost > r->max_cost)
		return PLACEMENT_COST;
	if (lacks_room(r, v, &ret->room)) {
		ret->detail = v->left[ret->room];
		return PLACEMENT_FULL;
	}
	return PLACEMENT_FITS;
}

static uint32_t taken_by(const struct search *s, const struct placement_view *v)
{
	return s->taken[s->r->group->by_host ? v->index : v->rack];
}

static bool is_excluded(const struct search *s, const struct placement_view *v, uint32_t *ret)
{
	switch (s->r->group->strategy) {
	case PLACEMENT_CLUSTER:
		*ret = UINT32_MAX;
		if (s->cluster != NO_RACK)
			return v->rack != s->cluster;
		*ret = s->room ? s->room[v->rack] : 0;
		return s->room && *ret < s->r->together;
	case PLACEMENT_SPREAD:
		return taken_by(s, v);
	case PLACEMENT_PARTITION:
		*ret = taken_by(s, v);
		return *ret && *ret != s->partition;
	}
	return false;
}

/* How soon a host's turn comes behind the last one's. */
static uint32_t turn_of(const struct search *s, const struct placement_view *v)
{
	if (!s->round_robin)
		return v->load;
	return v->number > s->last ? v->number - s->last : v->number + HOST_NUMBER_MAX - s->last;
}

/* Other nodes of the account. */
static uint32_t in_rack(const struct search *s, const struct placement_view *v)
{
	uint32_t n = v->rack < s->n_spread ? s->spread[v->rack] : 0;

	return n - (v->rack == s->own_rack);
}

static void judge(const struct search *s, const struct placement_view *v,
		  struct placement_verdict *ret)
{
	const struct placement_request *r = s->r;
	size_t length;

	*ret = (struct placement_verdict){.host = v->host, .load = v->load};
	ret->reason = judge_host(s, v, ret);
	if (!ret->reason && r->group && is_excluded(s, v, &ret->detail))
		ret->reason = PLACEMENT_GROUP;
	if (ret->reason)
		return;
	ret->prefers = r->again && r->again->host == v->number;
	ret->rank.lacks_desired = r->desire && capability_lacking(v->host, r->desire, &length);
	ret->rank.distance = s->near.n ? near_distance(&s->near, v->host) : 0;
	ret->rank.cost = v->cost;
	ret->rank.foreign_rack = s->partition && taken_by(s, v) != s->partition;
	ret->rank.in_rack = in_rack(s, v);
	ret->rank.turn = turn_of(s, v);
}

/* Below 0: 'a' is the better one. */
static int compare(const struct placement_verdict *a, const struct placement_verdict *b)
{
	const struct placement_rank *x = &a->rank, *y = &b->rank;

	if (a->prefers != b->prefers)
		return a->prefers ? -1 : 1;
	if (x->lacks_desired != y->lacks_desired)
		return x->lacks_desired ? 1 : -1;
	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	if (x->cost != y->cost)
		return x->cost < y->cost ? -1 : 1;
	if (x->foreign_rack != y->foreign_rack)
		return x->foreign_rack ? 1 : -1;
	if (x->in_rack != y->in_rack)
		return x->in_rack < y->in_rack ? -1 : 1;
	if (x->turn != y->turn)
		return x->turn < y->turn ? -1 : 1;
	return a->host->number < b->host->number ? -1 : 1;
}

/* ---- groups ---- */

/* Nodes that stand still may be elsewhere when they are started. */
static bool counts(const struct instance *n)
{
	return n->host && n->state != INSTANCE_STOPPED;
}

static void look_at_members(struct search *s)
{
	const struct placement_request *r = s->r;
	struct model_iter it = model_iter_group(s->m, REL_PLACEMENT_GROUP, r->group->o.id);
	const struct instance *n;

	while ((n = (const struct instance *)model_iter_next(&it))) {
		const struct placement_view *v;

		if (!counts(n))
			continue;
		v = &host_state_find(s->m, n->host)->view;
		if (r->group->strategy == PLACEMENT_CLUSTER) {
			s->cluster = v->rack;
			return;
		}
		if (n->partition <= PLACEMENT_PARTITIONS_MAX)
			s->members[n->partition]++;
		s->taken[r->group->by_host ? v->index : v->rack] = n->partition ? n->partition : 1;
	}
}

/* How many of the nodes that come together fit on a host. */
static uint32_t room_for(const struct placement_request *r, const struct placement_view *v)
{
	uint32_t n = r->together;

	for (enum host_room room = 0; room < HOST_ROOM_MAX; room++)
		if (r->needs[room] && v->left[room] != UINT32_MAX &&
		    v->left[room] / r->needs[room] < n)
			n = v->left[room] / r->needs[room];
	return n;
}

static int measure_racks(struct search *s)
{
	s->room = calloc(placement_rack_count(s->m) + 1, sizeof(*s->room));
	if (!s->room)
		return -ENOMEM;
	for (size_t i = 0; i < placement_view_count(s->m); i++) {
		const struct placement_view *v = placement_view_at(s->m, i);
		struct placement_verdict ignored = {.host = v->host};

		if (v->host && !judge_host(s, v, &ignored) && s->room[v->rack] < s->r->together)
			s->room[v->rack] += room_for(s->r, v);
	}
	return 0;
}

static int look_at_group(struct search *s)
{
	size_t n = s->r->group->by_host ? placement_view_count(s->m) : placement_rack_count(s->m);

	s->partition = s->r->partition;
	s->cluster = NO_RACK;
	s->taken = calloc(n + 1, sizeof(*s->taken));
	if (!s->taken)
		return -ENOMEM;
	look_at_members(s);
	if (s->r->group->strategy == PLACEMENT_CLUSTER && s->cluster == NO_RACK &&
	    s->r->together > 1)
		return measure_racks(s);
	return 0;
}

/* ---- searching ---- */

static int search_init(struct search *s, const struct model *m, const struct placement_request *r,
		       struct refusal *reterr)
{
	const struct counters *c =
		(const struct counters *)model_get(m, KIND_COUNTERS, COUNTERS_ID);
	enum placement_strategy strategy = r->strategy ? r->strategy : settings_placement(m);
	int ret;

	*s = (struct search){.m = m, .r = r, .zone = NO_ZONE, .own_rack = NO_RACK};
	for (uint32_t i = 0; r->zone && i < MODEL_ZONES; i++)
		if (str_equal(r->zone, model_zone(m, i)))
			s->zone = i;
	s->round_robin = strategy == PLACEMENT_ROUND_ROBIN;
	s->last = c->last_placed;
	if (r->again && r->again->host)
		s->own_rack = host_state_find(m, r->again->host)->view.rack;
	s->spread = placement_spread_of(m, r->account, &s->n_spread);
	ret = near_init(&s->near, m, r, reterr);
	return ret || !r->group ? ret : look_at_group(s);
}

/* Whether the host, even if it fits, is no better than 'best', by what is told from its view at
 * once: spares most hosts the judging.  'best' fits. */
static bool is_worse(const struct search *s, const struct placement_view *v,
		     const struct placement_verdict *best)
{
	const struct placement_request *r = s->r;
	uint32_t n;

	if (r->desire || s->near.n || s->partition || r->again)
		return false;
	if (v->cost != best->rank.cost)
		return v->cost > best->rank.cost;
	n = in_rack(s, v);
	if (n != best->rank.in_rack)
		return n > best->rank.in_rack;
	n = turn_of(s, v);
	return n != best->rank.turn ? n > best->rank.turn : v->number > best->host->number;
}

/* The best host for the request, or false. */
static bool find_best(const struct search *s, struct placement_choice *ret)
{
	struct placement_verdict best = {.host = NULL}, v;

	for (size_t i = 0; i < placement_view_count(s->m); i++) {
		const struct placement_view *view = placement_view_at(s->m, i);

		if (!view->host || (best.host && is_worse(s, view, &best)))
			continue;
		judge(s, view, &v);
		if (!v.reason && (!best.host || compare(&v, &best) < 0))
			best = v;
	}
	*ret = (struct placement_choice){best.host, s->partition};
	return best.host;
}

/* The partition that comes behind 'after' (0: the first) in the order of their members. */
static uint32_t next_partition(const struct search *s, uint32_t after)
{
	uint32_t best = 0;

	for (uint32_t p = 1; p <= s->r->group->partitions; p++) {
		if (after && (s->members[p] < s->members[after] ||
			      (s->members[p] == s->members[after] && p <= after)))
			continue;
		if (!best || s->members[p] < s->members[best])
			best = p;
	}
	return best;
}

static bool find_in_partitions(struct search *s, struct placement_choice *ret)
{
	uint32_t first = next_partition(s, 0);

	for (s->partition = first; s->partition; s->partition = next_partition(s, s->partition))
		if (find_best(s, ret))
			return true;
	s->partition = first;
	return false;
}

static bool find(struct search *s, struct placement_choice *ret)
{
	const struct placement_group *g = s->r->group;

	return g && g->strategy == PLACEMENT_PARTITION && !s->partition ? find_in_partitions(s, ret)
									: find_best(s, ret);
}

/* Why none fits. */
static int refuse_all(const struct search *s, struct refusal *reterr)
{
	struct placement_passed passed = {.total = 0};
	struct placement_verdict v;

	for (size_t i = 0; i < placement_view_count(s->m); i++) {
		const struct placement_view *view = placement_view_at(s->m, i);

		if (!view->host)
			continue;
		judge(s, view, &v);
		placement_pass(&passed, s->r, &v);
	}
	return placement_refuse(s->m, s->r, &passed, reterr);
}

int placement_choose(const struct model *m, const struct placement_request *r,
		     struct placement_choice *ret, struct refusal *reterr)
{
	_cleanup_(search_deinit) struct search s;
	struct placement_choice choice;
	int code = search_init(&s, m, r, reterr);

	if (code)
		return code;
	if (!find(&s, &choice))
		return refuse_all(&s, reterr);
	*ret = choice;
	return 0;
}

/* ---- explaining ---- */

static int by_merit(const void *a, const void *b)
{
	const struct placement_verdict *x = a, *y = b;

	if (!x->reason != !y->reason)
		return x->reason ? 1 : -1;
	if (!x->reason)
		return compare(x, y);
	return x->host->number < y->host->number ? -1 : 1;
}

int placement_explain(const struct model *m, const struct placement_request *r,
		      struct placement_explanation *ret, struct refusal *reterr)
{
	_cleanup_(search_deinit) struct search s;
	struct placement_choice choice;
	int code = search_init(&s, m, r, reterr);

	if (code)
		return code;
	*ret = (struct placement_explanation){.n = 0};
	ret->verdicts = calloc(placement_view_count(m) + 1, sizeof(*ret->verdicts));
	if (!ret->verdicts)
		return -ENOMEM;
	if (!find(&s, &choice) && refuse_all(&s, &ret->refusal) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < placement_view_count(m); i++)
		if (placement_view_at(m, i)->host)
			judge(&s, placement_view_at(m, i), &ret->verdicts[ret->n++]);
	qsort(ret->verdicts, ret->n, sizeof(*ret->verdicts), by_merit);
	ret->partition = s.partition;
	return 0;
}

void placement_explanation_deinit(struct placement_explanation *e)
{
	free(e->verdicts);
}
