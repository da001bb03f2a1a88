/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of an edge's gateways: each gateway has tables of its own, so that one customer's
 * sessions push out no other's.  A row is taken while a handle names it.
 */
#include "datapath/bpf_gateway.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "datapath/bpf_skel.h"

/* ---- rows ---- */

struct rows {
	bool used[DP_GATEWAYS_MAX];
};

int bpf_gateway_walk(struct bpf_host *h,
		     int (*fn)(uint32_t handle, const struct dp_handle_value *, void *), void *data)
{
	int fd = bpf_map__fd(h->skel->maps.handles);
	struct dp_handle_value value;
	uint32_t key, next;
	void *at = NULL;
	int r = 0;

	for (; !r && !bpf_map_get_next_key(fd, at, &next); at = &key) {
		key = next;
		if (!bpf_map_lookup_elem(fd, &key, &value))
			r = fn(key, &value, data);
	}
	return r;
}

static int mark_row(uint32_t handle, const struct dp_handle_value *value, void *data)
{
	struct rows *rows = data;

	if (value->kind != DP_HANDLE_PORT && value->row < DP_GATEWAYS_MAX)
		rows->used[value->row] = true;
	return 0;
}

static int row_find_free(struct bpf_host *h, uint32_t *ret)
{
	struct rows rows = {};

	bpf_gateway_walk(h, mark_row, &rows);
	for (uint32_t i = 0; i < DP_GATEWAYS_MAX; i++)
		if (!rows.used[i]) {
			*ret = i;
			return 0;
		}
	return -ENOSPC;
}

static int row_put(struct bpf_map *outer, uint32_t row, enum bpf_map_type type, size_t key_size,
		   size_t value_size, uint32_t n)
{
	_cleanup_close_ int fd = bpf_map_create(type, bpf_map__name(outer), (uint32_t)key_size,
						(uint32_t)value_size, n, NULL);

	if (fd < 0)
		return -errno;
	return bpf_map_update_elem(bpf_map__fd(outer), &row, &fd, BPF_ANY);
}

static void tables_delete(struct bpf_host *h, uint32_t row)
{
	bpf_map_delete_elem(bpf_map__fd(h->skel->maps.sessions), &row);
	bpf_map_delete_elem(bpf_map__fd(h->skel->maps.sessions6), &row);
	bpf_map_delete_elem(bpf_map__fd(h->skel->maps.inside), &row);
	bpf_map_delete_elem(bpf_map__fd(h->skel->maps.bindings), &row);
}

int bpf_gateway_row_new(struct bpf_host *h, enum dp_gateway_kind kind, uint32_t *ret)
{
	_cleanup_free_ struct dp_gateway_counters_value *zero =
		calloc((size_t)h->n_cpus, sizeof(*zero));
	uint32_t row = 0;
	int r = zero ? row_find_free(h, &row) : -ENOMEM;

	if (!r)
		r = bpf_map_update_elem(bpf_map__fd(h->skel->maps.gateway_counters), &row, zero,
					BPF_ANY);
	if (!r && kind == DP_GATEWAY_EGRESS_ONLY)
		r = row_put(h->skel->maps.sessions6, row, BPF_MAP_TYPE_LRU_HASH,
			    sizeof(struct dp_session6_key), sizeof(struct dp_session_value),
			    h->max_sessions);
	else if (!r)
		r = row_put(h->skel->maps.sessions, row, BPF_MAP_TYPE_LRU_HASH,
			    sizeof(struct dp_session_key), sizeof(struct dp_session_value),
			    h->max_sessions);
	if (!r && bpf_gateway_has_ports(kind))
		r = row_put(h->skel->maps.inside, row, BPF_MAP_TYPE_LRU_HASH,
			    sizeof(struct dp_inside_key), sizeof(uint32_t), h->max_sessions);
	if (!r && bpf_gateway_has_ports(kind))
		r = row_put(h->skel->maps.bindings, row, BPF_MAP_TYPE_ARRAY, sizeof(uint32_t),
			    sizeof(struct dp_binding), DP_BINDINGS);
	if (r)
		tables_delete(h, row);
	else
		*ret = row;
	return r;
}

int bpf_gateway_row_open(struct bpf_map *outer, uint32_t row, int *ret_fd)
{
	uint32_t id;
	int r = bpf_map_lookup_elem(bpf_map__fd(outer), &row, &id);

	if (r)
		return r;
	r = bpf_map_get_fd_by_id(id);
	if (r < 0)
		return r;
	*ret_fd = r;
	return 0;
}

/* ---- static ports ---- */

static struct dp_inside_key static_key(uint32_t handle, const struct dp_static_port *s)
{
	return (struct dp_inside_key){
		.handle = handle,
		.addr = bpf_gateway_v4(&s->addr),
		.port = htons(s->port),
		.protocol = s->protocol,
	};
}

static uint32_t binding_index(uint8_t protocol, uint16_t public_port)
{
	return (uint32_t)bpf_gateway_protocol(protocol) * 65536U + public_port;
}

static bool gateway_has(const struct dp_gateway *g, const struct dp_inside_key *key,
			uint32_t public_port)
{
	for (size_t i = 0; i < g->n_statics; i++) {
		struct dp_inside_key k = static_key(g->handle, &g->statics[i]);

		if (!memcmp(&k, key, sizeof(k)) && htons(g->statics[i].public_port) == public_port)
			return true;
	}
	return false;
}

/* Removes the static ports of a gateway that 'g' (NULL: gone) has not. */
static void statics_remove(struct bpf_host *h, uint32_t handle, int bindings,
			   const struct dp_gateway *g)
{
	int fd = bpf_map__fd(h->skel->maps.statics);
	struct dp_inside_key key, next;
	bool more = !bpf_map_get_next_key(fd, NULL, &next);

	while (more) {
		struct dp_binding none = {};
		uint32_t port, at;

		key = next;
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (key.handle != handle || bpf_map_lookup_elem(fd, &key, &port) ||
		    (g && gateway_has(g, &key, port)))
			continue;
		bpf_map_delete_elem(fd, &key);
		at = binding_index(key.protocol, ntohs((uint16_t)port));
		if (bindings >= 0)
			bpf_map_update_elem(bindings, &at, &none, BPF_ANY);
	}
}

/* Answers have one port: another that leads to the same is not in force. */
static bool static_is_double(int statics, const struct dp_inside_key *key, uint32_t port)
{
	uint32_t first;

	return !bpf_map_lookup_elem(statics, key, &first) && first != port;
}

static int statics_add(struct bpf_host *h, int bindings, const struct dp_gateway *g)
{
	int statics = bpf_map__fd(h->skel->maps.statics);

	for (size_t i = 0; i < g->n_statics; i++) {
		const struct dp_static_port *s = &g->statics[i];
		struct dp_inside_key key = static_key(g->handle, s);
		uint32_t port = htons(s->public_port),
			 at = binding_index(s->protocol, s->public_port);
		struct dp_binding b = {
			.owner = (uint64_t)(DP_BINDING_USED | DP_BINDING_STATIC) << 48 |
				 (uint64_t)key.port << 32 | key.addr,
		};
		int r;

		if (static_is_double(statics, &key, port))
			b = (struct dp_binding){};
		r = bpf_map_update_elem(bindings, &at, &b, BPF_ANY);
		if (!r && b.owner)
			r = bpf_map_update_elem(statics, &key, &port, BPF_ANY);
		if (r)
			return r;
	}
	return 0;
}

int bpf_gateway_row_statics(struct bpf_host *h, uint32_t row, const struct dp_gateway *g)
{
	_cleanup_close_ int bindings = -1;
	int r;

	if (!bpf_gateway_has_ports(g->kind))
		return 0;
	r = bpf_gateway_row_open(h->skel->maps.bindings, row, &bindings);
	if (r)
		return r;
	statics_remove(h, g->handle, bindings, g);
	return statics_add(h, bindings, g);
}

void bpf_gateway_row_delete(struct bpf_host *h, uint32_t row, uint32_t handle)
{
	statics_remove(h, handle, -1, NULL);
	tables_delete(h, row);
}
