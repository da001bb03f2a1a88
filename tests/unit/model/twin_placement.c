/* SPDX-License-Identifier: Apache-2.0 */
/* See twin_placement.h. */
#include "tests/unit/model/twin_placement.h"

#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/capability.h"
#include "model/counters.h"
#include "model/instance.h"
#include "model/interface.h"
#include "model/placement_group.h"
#include "model/settings.h"

/* ---- capabilities ---- */

struct wanted {
	const char *name;
	bool found;
};

static void compare_name(void *data, const char *name)
{
	struct wanted *w = data;
	size_t key = strcspn(name, "=");

	w->found |= str_equal(name, w->name);
	/* a label without its value */
	w->found |= name[key] && !strncmp(name, w->name, key) && !w->name[key];
}

bool twin_has(const struct host *h, const char *name)
{
	struct wanted w = {.name = name};

	capability_each(h, compare_name, &w);
	return w.found;
}

/* The i-th name of "a, b,c"; false behind the last. */
static bool nth(const char *list, size_t i, char buf[static 512])
{
	char copy[512], *at = copy, *word;

	if (!list)
		return false;
	strcpy(copy, list);
	while ((word = strsep(&at, ","))) {
		word += strspn(word, " ");
		while (*word && word[strlen(word) - 1] == ' ')
			word[strlen(word) - 1] = '\0';
		if (*word && !i--)
			return strcpy(buf, word);
	}
	return false;
}

static bool has_all(const struct host *h, const char *list)
{
	char name[512];

	for (size_t i = 0; nth(list, i, name); i++)
		if (!twin_has(h, name))
			return false;
	return true;
}

/* ---- distances ---- */

static uint64_t distance(const struct host *a, const struct host *b)
{
	if (a == b)
		return 0;
	if (a->place.locale != b->place.locale)
		return 4;
	if (a->place.area != b->place.area)
		return 3;
	return a->place.rack != b->place.rack ? 2 : 1;
}

/* To the nearest host that is named, 5: to none. */
static uint64_t distance_to(const struct model *m, const struct placement_request *r,
			    const char *name, const struct host *from)
{
	struct model_iter it = model_iter_kind(m, KIND_INSTANCE),
			  hosts = model_iter_kind(m, KIND_HOST);
	const struct instance *n;
	const struct host *h;
	char id[ID_TEXT_SIZE];
	uint64_t best = 5;

	while ((n = (const struct instance *)model_iter_next(&it)))
		if (str_equal(object_id_text(&n->o, id), name) && n->host &&
		    n->o.account == r->account)
			return distance(from, host_by_number(m, n->host));
	if (str_has_prefix(name, "i-"))
		return best;
	while ((h = (const struct host *)model_iter_next(&hosts)))
		if (twin_has(h, name) && distance(from, h) < best)
			best = distance(from, h);
	return best;
}

static uint64_t sum_of_distances(const struct model *m, const struct placement_request *r,
				 const struct host *h)
{
	uint64_t sum = 0, d;
	char name[512];

	for (size_t i = 0; nth(r->near, i, name); i++) {
		d = distance_to(m, r, name, h);
		sum += d == 5 ? 0 : d;
	}
	return sum;
}

bool twin_near_is_there(const struct model *m, const struct placement_request *r)
{
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	const struct host *h = (const struct host *)model_iter_next(&it);
	char name[512];

	for (size_t i = 0; nth(r->near, i, name); i++)
		if (!h || distance_to(m, r, name, h) == 5)
			return r->again;
	return true;
}

/* ---- room ---- */

static uint64_t in_use(const struct model *m, const struct host *h, enum host_room room)
{
	struct model_iter it =
		model_iter_kind(m, room == HOST_PORTS ? KIND_INTERFACE : KIND_INSTANCE);
	const struct instance_type *t;
	const struct object *o;
	uint64_t sum = 0;

	while ((o = model_iter_next(&it))) {
		const struct interface *i = (const struct interface *)o;
		const struct instance *n = (const struct instance *)o;

		if (room == HOST_PORTS) {
			for (size_t k = 0; k < interface_attachment_count(i); k++) {
				const struct attachment *a = interface_attachment(i, k);

				sum += a->host == h->number && (a->state == ATTACHMENT_ATTACHING ||
								a->state == ATTACHMENT_ATTACHED);
			}
			continue;
		}
		if (n->host != h->number || (n->state == INSTANCE_STOPPED && room != HOST_DISK))
			continue;
		t = instance_type_find(n->type);
		sum += room == HOST_MEMORY      ? t->memory_mib
		       : room == HOST_VCPUS     ? t->vcpus
		       : room == HOST_BANDWIDTH ? t->bandwidth_mbps
						: 8;
	}
	return sum;
}

/* UINT64_MAX: no end. */
static uint64_t capacity(const struct host *h, enum host_room room)
{
	if (h->capacity[room])
		return h->capacity[room];
	return room == HOST_PORTS ? LIMIT_MODEL_HOST_PORTS : UINT64_MAX;
}

static bool has_room(const struct model *m, const struct placement_request *r, const struct host *h,
		     uint64_t times)
{
	for (enum host_room room = 0; room < HOST_ROOM_MAX; room++) {
		bool there = r->again && r->again->host == h->number &&
			     (room == HOST_DISK || room == HOST_PORTS);

		if (!there && r->needs[room] && capacity(h, room) != UINT64_MAX &&
		    in_use(m, h, room) + times * r->needs[room] > capacity(h, room))
			return false;
	}
	return true;
}

static uint64_t load(const struct model *m, const struct host *h)
{
	uint64_t most = 0;

	for (enum host_room room = 0; room < HOST_ROOM_MAX; room++) {
		uint64_t share = capacity(h, room) == UINT64_MAX
					 ? 0
					 : in_use(m, h, room) * 1000000 / capacity(h, room);

		most = share > most ? share : most;
	}
	return most;
}

/* ---- racks and groups ---- */

static bool same_rack(const struct host *a, const struct host *b)
{
	return a->place.locale == b->place.locale && a->place.area == b->place.area &&
	       a->place.rack == b->place.rack;
}

static uint64_t nodes_in_rack(const struct model *m, const struct placement_request *r,
			      const struct host *h)
{
	struct model_iter it = model_iter_kind(m, KIND_INSTANCE);
	const struct instance *n;
	uint64_t count = 0;

	while ((n = (const struct instance *)model_iter_next(&it)))
		count += n->o.account == r->account && n->host && n != r->again &&
			 same_rack(host_by_number(m, n->host), h);
	return count;
}

/* The next member of the request's group that does not stand still, and is another node. */
static const struct instance *next_member(const struct placement_request *r, struct model_iter *it)
{
	const struct instance *n;

	while ((n = (const struct instance *)model_iter_next(it)))
		if (n->placement_group == r->group->o.id && n->host && n != r->again &&
		    n->state != INSTANCE_STOPPED)
			return n;
	return NULL;
}

static enum placement_reason judge_alone(const struct model *m, const struct placement_request *r,
					 const struct host *h, uint64_t times)
{
	if (h->foreign)
		return PLACEMENT_FOREIGN;
	if (h->edge && !h->instances)
		return PLACEMENT_EDGE;
	if (r->only && r->only != h->number)
		return PLACEMENT_OTHER_HOST;
	if (r->zone && !str_equal(r->zone, h->zone))
		return PLACEMENT_ZONE;
	if (h->drained)
		return PLACEMENT_DRAINED;
	if (!host_is_connected(m, h->number))
		return PLACEMENT_DISCONNECTED;
	if (!host_is_capable(h))
		return PLACEMENT_NO_FORMAT;
	if (!has_all(h, r->require))
		return PLACEMENT_LACKS;
	if (r->limits_cost && h->cost > r->max_cost)
		return PLACEMENT_COST;
	return has_room(m, r, h, times) ? PLACEMENT_FITS : PLACEMENT_FULL;
}

/* How many of those that come together fit into the rack of 'h'. */
static uint64_t room_of_rack(const struct model *m, const struct placement_request *r,
			     const struct host *h)
{
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	const struct host *other;
	uint64_t sum = 0;

	while ((other = (const struct host *)model_iter_next(&it)))
		for (uint64_t n = 1; same_rack(other, h) && n <= r->together; n++)
			sum += !judge_alone(m, r, other, n);
	return sum;
}

static bool group_excludes(const struct model *m, const struct placement_request *r,
			   uint32_t partition, const struct host *h)
{
	struct model_iter it = model_iter_kind(m, KIND_INSTANCE);
	const struct instance *n;
	bool any = false;

	while ((n = next_member(r, &it))) {
		const struct host *its = host_by_number(m, n->host);

		any = true;
		if (r->group->strategy == PLACEMENT_CLUSTER && !same_rack(its, h))
			return true;
		if (r->group->strategy == PLACEMENT_SPREAD &&
		    (r->group->by_host ? its == h : same_rack(its, h)))
			return true;
		if (r->group->strategy == PLACEMENT_PARTITION && same_rack(its, h) &&
		    n->partition != partition)
			return true;
	}
	return r->group->strategy == PLACEMENT_CLUSTER && !any && r->together > 1 &&
	       room_of_rack(m, r, h) < r->together;
}

static bool rack_is_the_partitions(const struct model *m, const struct placement_request *r,
				   uint32_t partition, const struct host *h)
{
	struct model_iter it = model_iter_kind(m, KIND_INSTANCE);
	const struct instance *n;

	while ((n = next_member(r, &it)))
		if (n->partition == partition && same_rack(host_by_number(m, n->host), h))
			return true;
	return false;
}

static uint64_t turn(const struct model *m, const struct host *h)
{
	uint32_t last =
		((const struct counters *)model_get(m, KIND_COUNTERS, COUNTERS_ID))->last_placed;

	return h->number > last ? h->number - last : h->number + HOST_NUMBER_MAX - last;
}

/* ---- all of it ---- */

struct twin_verdict twin_judge(const struct model *m, const struct placement_request *r,
			       uint32_t partition, const struct host *h)
{
	struct twin_verdict v = {.host = h, .reason = judge_alone(m, r, h, 1)};
	bool round_robin =
		(r->strategy ? r->strategy : settings_placement(m)) == PLACEMENT_ROUND_ROBIN;

	if (!v.reason && r->group && group_excludes(m, r, partition, h))
		v.reason = PLACEMENT_GROUP;
	v.own = r->again && r->again->host == h->number;
	v.keys[0] = !has_all(h, r->desire);
	v.keys[1] = sum_of_distances(m, r, h);
	v.keys[2] = h->cost;
	v.keys[3] = partition && !rack_is_the_partitions(m, r, partition, h);
	v.keys[4] = nodes_in_rack(m, r, h);
	v.keys[5] = round_robin ? turn(m, h) : load(m, h);
	v.keys[6] = h->number;
	return v;
}

static bool is_better(const struct twin_verdict *a, const struct twin_verdict *b)
{
	if (a->own != b->own)
		return a->own;
	for (size_t i = 0; i < TWIN_KEYS; i++)
		if (a->keys[i] != b->keys[i])
			return a->keys[i] < b->keys[i];
	return false;
}

static const struct host *best_of(const struct model *m, const struct placement_request *r,
				  uint32_t partition)
{
	struct model_iter it = model_iter_kind(m, KIND_HOST);
	struct twin_verdict best = {.host = NULL}, v;
	const struct host *h;

	while ((h = (const struct host *)model_iter_next(&it))) {
		v = twin_judge(m, r, partition, h);
		if (!v.reason && (!best.host || is_better(&v, &best)))
			best = v;
	}
	return best.host;
}

static size_t members_of(const struct model *m, const struct placement_request *r,
			 uint32_t partition)
{
	struct model_iter it = model_iter_kind(m, KIND_INSTANCE);
	const struct instance *n;
	size_t count = 0;

	while ((n = next_member(r, &it)))
		count += n->partition == partition;
	return count;
}

const struct host *twin_place(const struct model *m, const struct placement_request *r,
			      uint32_t *ret_partition)
{
	const struct host *h;

	*ret_partition = r->partition;
	if (!r->group || r->group->strategy != PLACEMENT_PARTITION || r->partition)
		return best_of(m, r, r->partition);
	/* the partition with the fewest, the lowest of them, or the next one that has a host */
	for (size_t n = 0; n <= model_count(m, KIND_INSTANCE); n++)
		for (uint32_t p = 1; p <= r->group->partitions; p++) {
			if (members_of(m, r, p) != n)
				continue;
			*ret_partition = p;
			h = best_of(m, r, p);
			if (h)
				return h;
		}
	return NULL;
}
