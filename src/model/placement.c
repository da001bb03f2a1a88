/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Placement.  See placement.h.
 */
#include "model/placement.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/host.h"
#include "model/interface.h"
#include "model/model.h"

/* Why hosts were passed over. */
struct passed {
	size_t total, elsewhere, disconnected, incapable, full, taken;
};

struct candidate {
	const struct host *host;
	size_t instances;
};

struct rack {
	bool known;
	struct topology_place place; /* of any of its hosts */
	size_t n;                    /* the account's instances there */
};

/* All racks, by their place; made when two candidates tie, which costs a walk over the hosts. */
struct racks {
	struct rack *rack;
	size_t mask; /* places, a power of two, less one */
};

static void racks_deinit(struct racks *r)
{
	free(r->rack);
}

static bool is_same_rack(const struct topology_place *a, const struct topology_place *b)
{
	return a->locale == b->locale && a->area == b->area && a->rack == b->rack;
}

static bool carries_shared(const struct model *m, const struct host *h,
			   const struct placement_args *args)
{
	for (size_t n = 0; n < args->n_shared; n++) {
		const struct interface *i = (const struct interface *)model_get(m, KIND_INTERFACE,
										args->shared[n]);
		const struct attachment *a = i ? interface_attachment_at(i, h->number) : NULL;

		if (a && a->instance != args->instance)
			return true;
	}
	return false;
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
	if (carries_shared(m, h, args)) {
		passed->taken++;
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

/* The rack's, or the place where it belongs. */
static struct rack *find_rack(const struct racks *r, const struct topology_place *p)
{
	size_t i = (p->locale * 31 + p->area * 7 + p->rack) & r->mask;

	while (r->rack[i].known && !is_same_rack(&r->rack[i].place, p))
		i = (i + 1) & r->mask;
	return &r->rack[i];
}

static int count_racks(const struct model *m, struct racks *r, uint64_t account)
{
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	size_t places = 2;
	const struct object *o;

	if (r->rack)
		return 0;
	while (places < 2 * model_count(m, KIND_HOST))
		places *= 2;
	r->rack = calloc(places, sizeof(*r->rack));
	if (!r->rack)
		return -ENOMEM;
	r->mask = places - 1;
	while ((o = model_iter_next(&it))) {
		const struct host *h = (const struct host *)o;
		struct rack *rack = find_rack(r, &h->place);

		rack->known = true;
		rack->place = h->place;
		rack->n += model_group_count(m, REL_ACCOUNT_HOST,
					     model_account_host_key(account, h->number));
	}
	return 0;
}

/* Whether 'a' is the better one: 0 with '*ret', or -ENOMEM. */
static int compare(const struct model *m, const struct candidate *a, const struct candidate *b,
		   uint64_t account, struct racks *racks, bool *ret)
{
	size_t in_rack_a, in_rack_b;
	int r;

	*ret = !b->host || a->instances < b->instances;
	if (!b->host || a->instances != b->instances)
		return 0;
	r = count_racks(m, racks, account);
	if (r)
		return r;
	in_rack_a = find_rack(racks, &a->host->place)->n;
	in_rack_b = find_rack(racks, &b->host->place)->n;
	*ret = in_rack_a != in_rack_b ? in_rack_a < in_rack_b : a->host->number < b->host->number;
	return 0;
}

static int refuse_placement(const struct placement_args *args, const struct passed *p,
			    struct refusal *reterr)
{
	char why[256], taken[80] = "";

	if (p->taken)
		snprintf(taken, sizeof(taken), ", %zu have a node with the same shared interface",
			 p->taken);

	if (!p->total)
		snprintf(why, sizeof(why), "no host has been added");
	else
		snprintf(why, sizeof(why),
			 "of %zu hosts %zu are in other zones, %zu are not connected, %zu have "
			 "confirmed no wire format, %zu have no port left%s",
			 p->total, p->elsewhere, p->disconnected, p->incapable, p->full, taken);
	return refuse(reterr, MODEL_E_NO_CAPACITY, args->what, args->zone, why);
}

int placement_choose(const struct model *m, const struct placement_args *args,
		     const struct host **ret, struct refusal *reterr)
{
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	struct candidate best = {.host = NULL};
	struct passed passed = {0};
	_cleanup_(racks_deinit) struct racks racks = {};
	const struct object *o;
	bool better;
	int r;

	while ((o = model_iter_next(&it))) {
		struct candidate c = {.host = (const struct host *)o};

		if (!is_candidate(m, c.host, args, &passed))
			continue;
		if (c.host->number == args->prefer) {
			*ret = c.host;
			return 0;
		}
		c.instances = host_instance_count(m, c.host->number);
		r = compare(m, &c, &best, args->account, &racks, &better);
		if (r)
			return r;
		if (better)
			best = c;
	}
	if (!best.host)
		return refuse_placement(args, &passed, reterr);
	*ret = best.host;
	return 0;
}
