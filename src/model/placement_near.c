/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Distances.  See placement_near.h and placement.h.
 */
#include "model/placement_near.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/capability.h"
#include "model/instance.h"
#include "model/placement_index.h"

enum { SAME_HOST = 0, SAME_RACK = 1, SAME_AREA = 2, SAME_LOCALE = 3, ELSEWHERE = 4 };

/* Of two places, as the enum counts it. */
static uint32_t placement_distance(const struct topology_place *a, const struct topology_place *b)
{
	if (a->locale != b->locale)
		return ELSEWHERE;
	if (a->area != b->area)
		return SAME_LOCALE;
	if (a->rack != b->rack)
		return SAME_AREA;
	return a->host != b->host ? SAME_RACK : SAME_HOST;
}

static int refuse_target(const char *name, size_t length, const char *why, struct refusal *reterr)
{
	char text[REFUSAL_SUBJECT_SIZE];

	snprintf(text, sizeof(text), "%.*s", (int)length, name);
	return refuse(reterr, MODEL_E_VALUE, text, "near", why);
}

/* The host of the account's instance of that name, or NULL. */
static const struct host *host_of_instance(const struct model *m, uint64_t account,
					   const char *name, size_t length)
{
	const struct instance *n;
	char text[ID_TEXT_SIZE];
	uint64_t id;

	if (length >= sizeof(text))
		return NULL;
	memcpy(text, name, length);
	text[length] = '\0';
	if (id_parse(KIND_INSTANCE, text, &id))
		return NULL;
	n = (const struct instance *)model_get(m, KIND_INSTANCE, id);
	return n && n->o.account == account && n->host ? host_by_number(m, n->host) : NULL;
}

/* One place in each rack that has a host with the capability. */
static int find_racks(struct near_target *t, const struct model *m)
{
	size_t n_racks = placement_rack_count(m);
	_cleanup_free_ bool *seen = calloc(n_racks + 1, sizeof(*seen));

	t->racks = calloc(n_racks + 1, sizeof(*t->racks));
	if (!seen || !t->racks)
		return -ENOMEM;
	for (size_t i = 0; i < placement_view_count(m); i++) {
		const struct placement_view *v = placement_view_at(m, i);

		if (!v->host || seen[v->rack] || !capability_has(v->host, t->capability, t->length))
			continue;
		seen[v->rack] = true;
		t->racks[t->n_racks++] = v->host->place;
	}
	return 0;
}

/* Sets '*t'; false in '*ret_found' when it is not there. */
static int find_target(struct near_target *t, const struct model *m,
		       const struct placement_request *r, const char *name, size_t length,
		       bool *ret_found)
{
	const struct host *h;
	int ret = 0;

	if (!strncmp(name, kind_prefix(KIND_INSTANCE), strlen(kind_prefix(KIND_INSTANCE)))) {
		h = host_of_instance(m, r->account, name, length);
		*ret_found = h;
		if (h)
			t->place = h->place;
		return 0;
	}
	t->capability = name;
	t->length = length;
	ret = find_racks(t, m);
	*ret_found = t->n_racks;
	return ret;
}

int near_init(struct near *n, const struct model *m, const struct placement_request *r,
	      struct refusal *reterr)
{
	const char *list = r->near, *name;
	size_t length;
	bool found;
	int ret;

	*n = (struct near){.n = 0};
	while (list && capability_next(&list, &name, &length)) {
		if (n->n == ARRAY_SIZE(n->targets))
			return refuse_target(name, length, "There are more than 16.", reterr);
		ret = find_target(&n->targets[n->n++], m, r, name, length, &found);
		if (ret)
			return ret;
		if (found)
			continue;
		if (!r->again)
			return refuse_target(name, length,
					     "It is neither an instance of yours that is on a "
					     "host nor a capability that a host has.",
					     reterr);
		free(n->targets[--n->n].racks);
		n->targets[n->n] = (struct near_target){.n_racks = 0};
	}
	return 0;
}

void near_deinit(struct near *n)
{
	for (size_t i = 0; i < n->n; i++)
		free(n->targets[i].racks);
}

static uint32_t distance_to(const struct near_target *t, const struct host *h)
{
	uint32_t best = ELSEWHERE, d;

	if (!t->capability)
		return placement_distance(&t->place, &h->place);
	if (capability_has(h, t->capability, t->length))
		return SAME_HOST;
	for (size_t i = 0; i < t->n_racks; i++) {
		d = placement_distance(&t->racks[i], &h->place);
		/* in its own rack the place stands for another host */
		if (d < best)
			best = d;
	}
	return best;
}

uint32_t near_distance(const struct near *n, const struct host *h)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n->n; i++)
		sum += distance_to(&n->targets[i], h);
	return sum;
}
