/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Route tables and peerings.  A table is a number that stands for an instance (with a bit of what
 * is in it); its routes are rows under that instance.  Setting a table writes a new instance,
 * switches to it, and removes the old one: a packet sees the old or the new.
 */
#include "datapath/bpf_host.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "abi/gateway.h"
#include "datapath/bpf_skel.h"

static_assert(DP_TARGET_BLACKHOLE == (int)DP_WAY_BLACKHOLE &&
		      DP_TARGET_INTERNET == (int)DP_WAY_INTERNET &&
		      DP_TARGET_GATEWAY == (int)DP_WAY_GATEWAY &&
		      DP_TARGET_NETWORK == (int)DP_WAY_NETWORK &&
		      DP_TARGET_INTERFACE == (int)DP_WAY_INTERFACE &&
		      DP_TARGET_LOCAL == (int)DP_WAY_LOCAL,
	      "the programs and the contract number targets alike");

/* ---- rows ---- */

/* The instance in a value of 'tables'. */
static uint32_t number_of(uint32_t value)
{
	return value & ~(uint32_t)DP_INSTANCE_INSIDE;
}

static uint32_t instance_value(uint32_t instance, const struct dp_table *table)
{
	return instance | (table->inside ? (uint32_t)DP_INSTANCE_INSIDE : 0);
}

static struct dp_route_key key_of(uint32_t instance, const struct prefix *prefix)
{
	uint32_t family = prefix_is_v4(prefix);
	struct dp_route_key key = {
		.len = 32U + prefix->len,
		.instance = htonl(instance * 2 + family),
	};

	memcpy(key.addr, prefix->addr.b, sizeof(key.addr));
	return key;
}

static struct dp_route_value value_of(const struct dp_route *route)
{
	return (struct dp_route_value){
		.target = route->target, .peer = route->peer, .vni = route->vni};
}

/* Calls 'fn' with each row; it may delete that row. */
static int walk_rows(struct bpf_host *h,
		     int (*fn)(struct bpf_host *, const struct dp_route_key *, void *), void *data)
{
	int fd = bpf_map__fd(h->skel->maps.routes);
	struct dp_route_key key, next;
	bool more = !bpf_map_get_next_key(fd, NULL, &next);
	int r = 0;

	while (!r && more) {
		key = next;
		more = !bpf_map_get_next_key(fd, &key, &next);
		r = fn(h, &key, data);
	}
	return r;
}

struct instance_rows {
	uint32_t instance;
	size_t n;
};

static int delete_row(struct bpf_host *h, const struct dp_route_key *key, void *data)
{
	const struct instance_rows *rows = data;

	if (ntohl(key->instance) / 2 == rows->instance)
		bpf_map_delete_elem(bpf_map__fd(h->skel->maps.routes), key);
	return 0;
}

static int count_row(struct bpf_host *h, const struct dp_route_key *key, void *data)
{
	struct instance_rows *rows = data;

	rows->n += ntohl(key->instance) / 2 == rows->instance;
	return 0;
}

static void delete_instance(struct bpf_host *h, uint32_t instance)
{
	struct instance_rows rows = {.instance = instance};

	walk_rows(h, delete_row, &rows);
}

/* Whether exactly these rows are there already: setting what is so changes nothing. */
static bool is_same(struct bpf_host *h, uint32_t instance, const struct dp_table *table)
{
	struct instance_rows rows = {.instance = instance};

	for (size_t i = 0; i < table->n_routes; i++) {
		struct dp_route_key key = key_of(instance, &table->routes[i].prefix);
		struct dp_route_value is, want = value_of(&table->routes[i]);

		/* Finds the longest prefix, at most this one; a wrong one makes the count differ or
		 * has another value, or leads to the same. */
		if (bpf_map_lookup_elem(bpf_map__fd(h->skel->maps.routes), &key, &is) ||
		    memcmp(&is, &want, sizeof(is)))
			return false;
	}
	walk_rows(h, count_row, &rows);
	return rows.n == table->n_routes;
}

/* ---- instances ---- */

static bool is_used(struct bpf_host *h, uint32_t instance)
{
	int fd = bpf_map__fd(h->skel->maps.tables);
	uint32_t key, next, value;
	void *at = NULL;

	for (; !bpf_map_get_next_key(fd, at, &next); at = &key) {
		key = next;
		if (!bpf_map_lookup_elem(fd, &key, &value) && number_of(value) == instance)
			return true;
	}
	return false;
}

/* One that no table stands for; rows that an agent left there when it died go. */
static uint32_t instance_new(struct bpf_host *h)
{
	do
		h->last_instance = h->last_instance % (2 * DP_TABLES_MAX) + 1;
	while (is_used(h, h->last_instance));
	delete_instance(h, h->last_instance);
	return h->last_instance;
}

static int write_instance(struct bpf_host *h, uint32_t instance, const struct dp_table *table)
{
	for (size_t i = 0; i < table->n_routes; i++) {
		struct dp_route_key key = key_of(instance, &table->routes[i].prefix);
		struct dp_route_value value = value_of(&table->routes[i]);
		int r = bpf_map_update_elem(bpf_map__fd(h->skel->maps.routes), &key, &value,
					    BPF_ANY);

		if (r)
			return r;
	}
	return 0;
}

static bool is_valid(const struct dp_table *table)
{
	for (size_t i = 0; i < table->n_routes; i++) {
		const struct dp_route *r = &table->routes[i];

		if (r->target > DP_TARGET_LOCAL || r->peer >= DP_PEERS_MAX)
			return false;
	}
	return table->number;
}

int bpf_table_set(struct datapath *dp, const struct dp_table *table)
{
	struct bpf_host *h = bpf_host_of(dp);
	int fd = bpf_map__fd(h->skel->maps.tables);
	uint32_t old = 0, instance, value;
	bool had;
	int r;

	if (!is_valid(table))
		return -EINVAL;
	had = !bpf_map_lookup_elem(fd, &table->number, &old);
	if (had && old == instance_value(number_of(old), table) &&
	    is_same(h, number_of(old), table))
		return 0;
	instance = instance_new(h);
	value = instance_value(instance, table);
	r = write_instance(h, instance, table);
	if (!r)
		r = bpf_map_update_elem(fd, &table->number, &value, BPF_ANY);
	if (r) {
		delete_instance(h, instance);
		return bpf_host_error(r);
	}
	bpf_host_bump_epoch(h);
	if (had)
		delete_instance(h, number_of(old));
	return 0;
}

int bpf_table_delete(struct datapath *dp, uint32_t number)
{
	struct bpf_host *h = bpf_host_of(dp);
	int fd = bpf_map__fd(h->skel->maps.tables);
	uint32_t value;
	int r = bpf_map_lookup_elem(fd, &number, &value);

	if (!r)
		r = bpf_map_delete_elem(fd, &number);
	if (r)
		return bpf_host_error(r);
	bpf_host_bump_epoch(h);
	delete_instance(h, number_of(value));
	return 0;
}

int bpf_tables(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg)
{
	int fd = bpf_map__fd(bpf_host_of(dp)->skel->maps.tables);
	uint32_t key, next;
	void *at = NULL;
	int r = 0;

	for (; !r && !bpf_map_get_next_key(fd, at, &next); at = &key) {
		key = next;
		r = fn(key, arg);
	}
	return r;
}

/* ---- peerings ---- */

static struct dp_peering_key peering_key(uint32_t vni_a, uint32_t vni_b)
{
	return (struct dp_peering_key){
		.vni_a = vni_a < vni_b ? vni_a : vni_b,
		.vni_b = vni_a < vni_b ? vni_b : vni_a,
	};
}

int bpf_peering_set(struct datapath *dp, uint32_t vni_a, uint32_t vni_b)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct dp_peering_key key = peering_key(vni_a, vni_b);
	uint32_t one = 1;
	int r;

	if (!vni_a || !vni_b || vni_a == vni_b)
		return -EINVAL;
	r = bpf_map_update_elem(bpf_map__fd(h->skel->maps.peerings), &key, &one, BPF_ANY);
	if (!r)
		bpf_host_bump_epoch(h);
	return bpf_host_error(r);
}

int bpf_peering_delete(struct datapath *dp, uint32_t vni_a, uint32_t vni_b)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct dp_peering_key key = peering_key(vni_a, vni_b);
	int r = bpf_map_delete_elem(bpf_map__fd(h->skel->maps.peerings), &key);

	if (!r)
		bpf_host_bump_epoch(h);
	return bpf_host_error(r);
}

int bpf_peerings(struct datapath *dp, int (*fn)(uint32_t vni_a, uint32_t vni_b, void *), void *arg)
{
	int fd = bpf_map__fd(bpf_host_of(dp)->skel->maps.peerings);
	struct dp_peering_key key, next;
	void *at = NULL;
	int r = 0;

	for (; !r && !bpf_map_get_next_key(fd, at, &next); at = &key) {
		key = next;
		r = fn(key.vni_a, key.vni_b, arg);
	}
	return r;
}
