/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Placement.  See placement.h.
 */
#include "model/placement.h"

#include <stdio.h>

#include "base/str.h"
#include "model/host.h"
#include "model/model.h"

/* Why hosts were passed over. */
struct passed {
	size_t total, elsewhere, disconnected, incapable;
};

struct candidate {
	const struct host *host;
	size_t instances;
	size_t of_account; /* in its rack; counted only for a tie */
	bool counted;
};

static bool is_candidate(const struct model *m, const struct host *h, const char *zone,
			 struct passed *passed)
{
	passed->total++;
	if (!str_equal(h->zone, zone)) {
		passed->elsewhere++;
		return false;
	}
	if (!host_is_connected(m, h->number)) {
		passed->disconnected++;
		return false;
	}
	if (!host_is_capable(h)) {
		passed->incapable++;
		return false;
	}
	return true;
}

static void count_rack(const struct model *m, struct candidate *c, uint64_t account)
{
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	const struct object *o;

	if (c->counted)
		return;
	c->counted = true;
	while ((o = model_iter_next(&it))) {
		const struct host *h = (const struct host *)o;

		if (h->place.locale == c->host->place.locale &&
		    h->place.area == c->host->place.area && h->place.rack == c->host->place.rack)
			c->of_account += model_group_count(
				m, REL_ACCOUNT_HOST, model_account_host_key(account, h->number));
	}
}

static bool is_better(const struct model *m, struct candidate *a, struct candidate *b,
		      uint64_t account)
{
	if (!b->host || a->instances != b->instances)
		return !b->host || a->instances < b->instances;
	count_rack(m, a, account);
	count_rack(m, b, account);
	if (a->of_account != b->of_account)
		return a->of_account < b->of_account;
	return a->host->number < b->host->number;
}

static int refuse_placement(const struct placement_args *args, const struct passed *p,
			    struct refusal *reterr)
{
	char why[160];

	if (!p->total)
		snprintf(why, sizeof(why), "no host has been added");
	else
		snprintf(why, sizeof(why),
			 "of %zu hosts %zu are in other zones, %zu are not connected, %zu have "
			 "confirmed no wire format",
			 p->total, p->elsewhere, p->disconnected, p->incapable);
	return refuse(reterr, MODEL_E_NO_CAPACITY, args->what, args->zone, why);
}

int placement_choose(const struct model *m, const struct placement_args *args,
		     const struct host **ret, struct refusal *reterr)
{
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	struct candidate best = {.host = NULL};
	struct passed passed = {0};
	const struct object *o;

	while ((o = model_iter_next(&it))) {
		struct candidate c = {.host = (const struct host *)o};

		if (!is_candidate(m, c.host, args->zone, &passed))
			continue;
		if (c.host->number == args->prefer) {
			*ret = c.host;
			return 0;
		}
		c.instances = host_instance_count(m, c.host->number);
		if (is_better(m, &c, &best, args->account))
			best = c;
	}
	if (!best.host)
		return refuse_placement(args, &passed, reterr);
	*ret = best.host;
	return 0;
}
