/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Placement.  See placement.h.
 */
#include "model/placement.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/host.h"
#include "model/model.h"

/* Why hosts were passed over. */
struct passed {
	size_t total, elsewhere, disconnected, incapable, full;
};

struct candidate {
	const struct host *host;
	size_t instances;
};

enum { RACKS_REMEMBERED = 64 };

struct rack {
	bool known;
	struct topology_place place; /* of any of its hosts */
	size_t n;
};

struct racks {
	struct rack rack[RACKS_REMEMBERED];
};

static bool is_same_rack(const struct topology_place *a, const struct topology_place *b)
{
	return a->locale == b->locale && a->area == b->area && a->rack == b->rack;
}

static bool is_candidate(const struct model *m, const struct host *h,
			 const struct placement_args *args, struct passed *passed)
{
	if (h->edge && !h->instances)
		return false;
	passed->total++;
	if (!str_equal(h->zone, args->zone)) {
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
	/* the interfaces of a stopped instance have their ports on its host already */
	if (h->number != args->prefer &&
	    model_group_count(m, REL_HOST_INTERFACES, h->number) + args->ports >
		    LIMIT_MODEL_HOST_PORTS) {
		passed->full++;
		return false;
	}
	return true;
}

/* The account's instances in the rack of 'h'.  Counted once per rack and call, as far as 'racks' reaches:
 * hosts of one rack tie more often than not. */
static size_t count_rack(const struct model *m, struct racks *racks, const struct host *h,
			 uint64_t account)
{
	const struct topology_place *p = &h->place;
	struct rack *rack =
		&racks->rack[(p->locale * 31 + p->area * 7 + p->rack) % RACKS_REMEMBERED];
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	const struct object *o;

	if (rack->known && is_same_rack(&rack->place, p))
		return rack->n;
	*rack = (struct rack){.known = true, .place = *p};
	while ((o = model_iter_next(&it))) {
		const struct host *other = (const struct host *)o;

		if (is_same_rack(&other->place, p))
			rack->n +=
				model_group_count(m, REL_ACCOUNT_HOST,
						  model_account_host_key(account, other->number));
	}
	return rack->n;
}

static bool is_better(const struct model *m, const struct candidate *a, const struct candidate *b,
		      uint64_t account, struct racks *racks)
{
	size_t in_rack_a, in_rack_b;

	if (!b->host || a->instances != b->instances)
		return !b->host || a->instances < b->instances;
	in_rack_a = count_rack(m, racks, a->host, account);
	in_rack_b = count_rack(m, racks, b->host, account);
	if (in_rack_a != in_rack_b)
		return in_rack_a < in_rack_b;
	return a->host->number < b->host->number;
}

static int refuse_placement(const struct placement_args *args, const struct passed *p,
			    struct refusal *reterr)
{
	char why[200];

	if (!p->total)
		snprintf(why, sizeof(why), "no host has been added");
	else
		snprintf(why, sizeof(why),
			 "of %zu hosts %zu are in other zones, %zu are not connected, %zu have "
			 "confirmed no wire format, %zu have no port left",
			 p->total, p->elsewhere, p->disconnected, p->incapable, p->full);
	return refuse(reterr, MODEL_E_NO_CAPACITY, args->what, args->zone, why);
}

int placement_choose(const struct model *m, const struct placement_args *args,
		     const struct host **ret, struct refusal *reterr)
{
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	struct candidate best = {.host = NULL};
	struct passed passed = {0};
	struct racks racks = {0};
	const struct object *o;

	while ((o = model_iter_next(&it))) {
		struct candidate c = {.host = (const struct host *)o};

		if (!is_candidate(m, c.host, args, &passed))
			continue;
		if (c.host->number == args->prefer) {
			*ret = c.host;
			return 0;
		}
		c.instances = host_instance_count(m, c.host->number);
		if (is_better(m, &c, &best, args->account, &racks))
			best = c;
	}
	if (!best.host)
		return refuse_placement(args, &passed, reterr);
	*ret = best.host;
	return 0;
}
