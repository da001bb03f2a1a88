/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/bpf_connection.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>
#include <time.h>

#include "abi/connection.h"
#include "datapath/bpf_skel.h"

enum {
	PER_SET = 6, /* connections that a set of 8 is counted for: then two sets to choose
				    from are hardly ever both full */
	CONNECTIONS_DEFAULT = 65536,
	SURPLUS_PART = 16, /* of what is left over, for a port that does not ask */
	LEAST_PART = 4,    /* of the table's fair share, which every port gets */
};

static uint32_t power_above(uint32_t n)
{
	uint32_t p = 1;

	while (p < n)
		p *= 2;
	return p;
}

uint32_t bpf_connection_sets(uint32_t max_connections)
{
	uint32_t n = max_connections ? max_connections : CONNECTIONS_DEFAULT;

	return power_above((n + PER_SET - 1) / PER_SET);
}

static uint32_t total_sets(const struct bpf_host *h)
{
	return bpf_map__max_entries(h->skel->maps.connections);
}

static const struct dp_port_copy *copy_of(const struct bpf_host *h, uint32_t slot)
{
	const struct dp_port_value *p = bpf_array_row(&h->ports, slot);

	return &p->copy[p->current & 1];
}

/* The region of another port, or NULL. */
static const struct dp_region *region_of(const struct bpf_host *h, uint32_t slot)
{
	const struct dp_port_copy *c = copy_of(h, slot);

	return c->present && c->flags & DP_PORT_TRACKED ? &c->region : NULL;
}

/* ---- sharing out ---- */

/* What a port may have that does not say how much. */
static uint32_t share(const struct bpf_host *h, uint32_t slot)
{
	uint32_t total = total_sets(h), left = total, slots = DP_SLOTS_MAX - 1;
	uint32_t least = total / DP_SLOTS_MAX / LEAST_PART, part = 1;

	least = least ? least : 1;
	for (uint32_t s = 1; s < DP_SLOTS_MAX; s++) {
		const struct dp_region *r = s == slot ? NULL : region_of(h, s);

		if (r) {
			left -= r->mask + 1;
			slots--;
		}
	}
	left = left > slots * least ? left - slots * least : 0;
	while (2 * part <= left / SURPLUS_PART)
		part *= 2;
	return part > least ? part : least;
}

static bool is_free(const struct bpf_host *h, uint32_t slot, uint32_t first, uint32_t n)
{
	for (uint32_t s = 1; s < DP_SLOTS_MAX; s++) {
		const struct dp_region *r = s == slot ? NULL : region_of(h, s);

		if (r && first <= r->first + r->mask && r->first < first + n)
			return false;
	}
	return true;
}

/* A free place for 'n' sets, not where the port has its region now: packets may be in it. */
static bool place(const struct bpf_host *h, uint32_t slot, uint32_t n, const struct dp_region *now,
		  struct dp_region *ret)
{
	for (uint32_t first = 0; first + n <= total_sets(h); first += n) {
		if (now && first <= now->first + now->mask && now->first < first + n)
			continue;
		if (!is_free(h, slot, first, n))
			continue;
		*ret = (struct dp_region){.first = first, .mask = n - 1};
		return true;
	}
	return false;
}

static int clear(const struct bpf_host *h, const struct dp_region *region)
{
	static const struct dp_connection_set empty;
	int fd = bpf_map__fd(h->skel->maps.connections);

	for (uint32_t i = 0; i <= region->mask; i++) {
		uint32_t key = region->first + i;
		int r = bpf_map_update_elem(fd, &key, &empty, BPF_F_LOCK);

		if (r)
			return r;
	}
	return 0;
}

int bpf_connection_region(struct bpf_host *h, uint32_t slot, const struct dp_port *port, bool has,
			  struct dp_region *region)
{
	uint32_t wanted =
		port->connections ? bpf_connection_sets(port->connections) : share(h, slot);

	if (has && copy_of(h, slot)->connections == port->connections)
		return 0;
	while (!place(h, slot, wanted, has ? region : NULL, region)) {
		if (port->connections || wanted == 1)
			return -ENOSPC;
		wanted /= 2;
	}
	return clear(h, region);
}

/* ---- carrying over ---- */

static bool is_same(const struct dp_connection_value *a, const struct dp_connection_value *b)
{
	return a->state && a->hash == b->hash && a->local_port == b->local_port &&
	       a->remote_port == b->remote_port && a->protocol == b->protocol &&
	       !memcmp(a->local, b->local, 16) && !memcmp(a->remote, b->remote, 16);
}

/* Where a connection is in the set, or else may be: not where the new programs have begun one, but
 * for lack of room. */
static struct dp_connection_value *place_in(struct dp_connection_set *set,
					    const struct dp_connection_set *before, size_t i,
					    const struct dp_connection_value *c)
{
	for (size_t k = 0; k < DP_SET_CONNECTIONS; k++)
		if (is_same(&set->connections[k], c))
			return &set->connections[k];
	if (!memcmp(&set->connections[i], &before->connections[i], sizeof(*c)))
		return &set->connections[i];
	for (size_t k = 0; k < DP_SET_CONNECTIONS; k++)
		if (!set->connections[k].state)
			return &set->connections[k];
	return NULL;
}

void bpf_connection_merge(const void *before, const void *now, void *current)
{
	const struct dp_connection_set *was = before, *is = now;
	struct dp_connection_set *set = current;

	for (size_t i = 0; i < DP_SET_CONNECTIONS; i++) {
		const struct dp_connection_value *c = &is->connections[i];
		struct dp_connection_value *to;

		if (!memcmp(c, &was->connections[i], sizeof(*c)))
			continue;
		to = place_in(set, was, i, c);
		if (to)
			*to = *c;
	}
}

/* ---- showing ---- */

struct walk {
	struct bpf_host *h;
	uint32_t port, now;
	int (*fn)(const struct dp_connection *, void *);
	void *arg;
};

static uint32_t tick_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint32_t)(((uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec) >> DP_TICK_SHIFT);
}

static uint32_t seconds(uint32_t ticks)
{
	return (uint32_t)(((uint64_t)ticks << DP_TICK_SHIFT) / 1000000000);
}

static int show(const struct walk *w, const struct dp_connection_value *v)
{
	uint32_t silent = seconds(w->now - v->seen), timeout = connection_timeout(v->state);
	struct dp_connection c = {
		.port = w->port,
		.protocol = v->protocol,
		.egress = v->flags & CONNECTION_EGRESS,
		.state = connection_text(v->state),
		.expires_in = timeout > silent ? timeout - silent : 0,
	};
	bool is_query = v->protocol == IPPROTO_ICMP || v->protocol == IPPROTO_ICMPV6;

	if (!v->state || !c.expires_in)
		return 0;
	memcpy(c.local.b, v->local, 16);
	memcpy(c.remote.b, v->remote, 16);
	c.local_port = ntohs(v->local_port);
	c.remote_port = is_query ? 0 : ntohs(v->remote_port);
	return w->fn(&c, w->arg);
}

static int show_region(const struct walk *w, const struct dp_region *region)
{
	int fd = bpf_map__fd(w->h->skel->maps.connections);
	int r = 0;

	for (uint32_t i = 0; !r && i <= region->mask; i++) {
		struct dp_connection_set set;
		uint32_t key = region->first + i;

		r = bpf_map_lookup_elem_flags(fd, &key, &set, BPF_F_LOCK);
		for (size_t k = 0; !r && k < DP_SET_CONNECTIONS; k++)
			r = show(w, &set.connections[k]);
	}
	return r;
}

int bpf_connections(struct datapath *dp, uint32_t port,
		    int (*fn)(const struct dp_connection *, void *), void *arg)
{
	struct walk w = {.h = bpf_host_of(dp), .now = tick_now(), .fn = fn, .arg = arg};
	uint32_t slot;
	int r = 0;

	if (port && !bpf_port_find(w.h, port, &slot))
		return -ENOENT;
	for (uint32_t s = 1; !r && s < DP_SLOTS_MAX; s++) {
		const struct dp_region *region = region_of(w.h, s);

		w.port = copy_of(w.h, s)->id;
		if (region && (!port || port == w.port))
			r = show_region(&w, region);
	}
	return r;
}
