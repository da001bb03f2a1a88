/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway translates, read from one edge's tables and written into another's
 * (abi/gateway.h).
 *
 * The tables change while they are read, so a place in them must be good whatever comes and goes: a
 * binding's is its index, a session's the number of its bucket in the kernel's hash.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>
#include <time.h>

#include "datapath/bpf_gateway.h"
#include "datapath/bpf_skel.h"

enum {
	BINDINGS_BATCH = 4096,
	BINDINGS_BATCHES = 4, /* of one stretch: a millisecond or two */
};

/* Places: of a binding its index, of a session this and its bucket's number; of the first 0. */
#define PLACE_SESSIONS (1ULL << 32)

/* Seconds of the clock that the programs have. */
static uint32_t now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint32_t)t.tv_sec;
}

static bool lasts(uint32_t expires, uint32_t now, uint32_t *ret)
{
	int32_t left = (int32_t)(expires - now);

	*ret = left > 0 ? (uint32_t)left : 0;
	return left > 0;
}

/* ---- bindings ---- */

static const uint8_t protocols[DP_NAT_PROTOCOLS] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};

static bool binding_read(uint32_t index, const struct dp_binding *b, uint32_t now,
			 struct dp_translation *ret)
{
	uint64_t flags = b->owner >> 48;

	if (!(flags & DP_BINDING_USED) || flags & DP_BINDING_STATIC)
		return false;
	*ret = (struct dp_translation){
		.protocol = protocols[index / 65536],
		.state = !!b->shared,
		.public_port = (uint16_t)index,
		.port = ntohs((uint16_t)(b->owner >> 32)),
		.addr = ipaddr_from_v4(ntohl((uint32_t)b->owner)),
	};
	return lasts(b->expires, now, &ret->seconds);
}

/* 0 with '*ret_n' of them from 'index' on; fewer than asked for only at the end. */
static int bindings_get(int fd, uint32_t index, uint32_t *keys, struct dp_binding *values,
			uint32_t *ret_n)
{
	uint32_t before = index - 1, last;
	int r;

	*ret_n = BINDINGS_BATCH;
	r = bpf_map_lookup_batch(fd, index ? &before : NULL, &last, keys, values, ret_n, NULL);
	return r == -ENOENT ? 0 : r;
}

static int bindings_read(int fd, uint32_t now, uint64_t *at, struct dp_translation *ret,
			 size_t *ret_n)
{
	_cleanup_free_ uint32_t *keys = calloc(BINDINGS_BATCH, sizeof(*keys));
	_cleanup_free_ struct dp_binding *values = calloc(BINDINGS_BATCH, sizeof(*values));
	uint32_t n, index = (uint32_t)*at;
	int r;

	if (!keys || !values)
		return -ENOMEM;
	for (int batch = 0; batch < BINDINGS_BATCHES && index < DP_BINDINGS; batch++) {
		r = bindings_get(fd, index, keys, values, &n);
		if (r)
			return r;
		if (!n)
			index = DP_BINDINGS;
		for (uint32_t i = 0; i < n && *ret_n < DP_TRANSLATIONS; i++) {
			*ret_n += binding_read(keys[i], &values[i], now, &ret[*ret_n]);
			index = keys[i] + 1;
		}
		if (*ret_n == DP_TRANSLATIONS)
			break;
	}
	*at = index < DP_BINDINGS ? index : PLACE_SESSIONS;
	return 0;
}

static int binding_write(int bindings, int inside, uint32_t now, const struct dp_translation *t)
{
	uint32_t index = t->public_port, outside = htons(t->public_port);
	struct dp_inside_key key = {
		.addr = bpf_gateway_v4(&t->addr),
		.port = htons(t->port),
		.protocol = t->protocol,
	};
	struct dp_binding b = {
		.owner = (uint64_t)DP_BINDING_USED << 48 | (uint64_t)key.port << 32 | key.addr,
		.expires = now + t->seconds,
		.shared = t->state,
	};
	struct dp_binding was;
	int r;

	for (uint32_t i = 0; i < DP_NAT_PROTOCOLS && protocols[i] != t->protocol; i++)
		index += 65536;
	r = bpf_map_lookup_elem(bindings, &index, &was);
	if (!r && was.owner >> 48 & DP_BINDING_STATIC)
		r = -EINVAL;
	if (!r)
		r = bpf_map_update_elem(bindings, &index, &b, BPF_ANY);
	return r ? r : bpf_map_update_elem(inside, &key, &outside, BPF_ANY);
}

/* ---- sessions ---- */

static bool session_read(const struct dp_session_key *k, const struct dp_session_value *v,
			 uint32_t now, struct dp_translation *ret)
{
	*ret = (struct dp_translation){
		.is_session = true,
		.protocol = k->protocol,
		.state = v->state,
		.public_port = ntohs(k->here_port),
		.port = ntohs(v->port),
		.world_port = ntohs(k->there_port),
		.addr = ipaddr_from_v4(ntohl(v->addr)),
		.world = ipaddr_from_v4(ntohl(k->there)),
	};
	return lasts(v->expires, now, &ret->seconds);
}

static int sessions_read(int fd, uint32_t now, uint64_t *at, struct dp_translation *ret,
			 size_t *ret_n)
{
	_cleanup_free_ struct dp_session_key *keys = calloc(DP_TRANSLATIONS, sizeof(*keys));
	_cleanup_free_ struct dp_session_value *values = calloc(DP_TRANSLATIONS, sizeof(*values));
	uint32_t n = DP_TRANSLATIONS, bucket = (uint32_t)*at, next = 0;
	int r;

	if (!keys || !values)
		return -ENOMEM;
	r = bpf_map_lookup_batch(fd, bucket ? &bucket : NULL, &next, keys, values, &n, NULL);
	if (r && r != -ENOENT)
		return r;
	for (uint32_t i = 0; i < n; i++)
		*ret_n += session_read(&keys[i], &values[i], now, &ret[*ret_n]);
	*at = r ? 0 : PLACE_SESSIONS | next;
	return 0;
}

static int session_write(int fd, uint32_t public, uint32_t now, const struct dp_translation *t)
{
	struct dp_session_key key = {
		.here = public,
		.there = bpf_gateway_v4(&t->world),
		.here_port = htons(t->public_port),
		.there_port = htons(t->world_port),
		.protocol = t->protocol,
		.side = DP_SESSION_OUTSIDE,
	};
	struct dp_session_value value = {
		.addr = bpf_gateway_v4(&t->addr),
		.port = htons(t->port),
		.state = t->state,
		.expires = now + t->seconds,
	};

	return bpf_map_update_elem(fd, &key, &value, BPF_ANY);
}

/* ---- both ---- */

static int find(const struct bpf_host *h, uint32_t handle, struct dp_handle_value *ret)
{
	int r = bpf_gateway_find(h, handle, ret);

	if (r)
		return r;
	return ret->kind == DP_HANDLE_NAT || ret->kind == DP_HANDLE_PRIVATE ? 0 : -EOPNOTSUPP;
}

int bpf_translations_read(struct datapath *dp, uint32_t handle, uint64_t *at,
			  struct dp_translation *ret, size_t *ret_n)
{
	struct bpf_host *h = bpf_host_of(dp);
	bool sessions = *at >= PLACE_SESSIONS;
	_cleanup_close_ int fd = -1;
	struct dp_handle_value g;
	int r = find(h, handle, &g);

	*ret_n = 0;
	if (!r)
		r = bpf_gateway_row_open(sessions ? h->skel->maps.sessions : h->skel->maps.bindings,
					 g.row, &fd);
	if (r)
		return r;
	return sessions ? sessions_read(fd, now_seconds(), at, ret, ret_n)
			: bindings_read(fd, now_seconds(), at, ret, ret_n);
}

static bool is_whole(const struct dp_translation *t)
{
	return memchr(protocols, t->protocol, sizeof(protocols)) && bpf_gateway_v4(&t->addr) &&
	       (!t->is_session || bpf_gateway_v4(&t->world));
}

int bpf_translations_write(struct datapath *dp, uint32_t handle,
			   const struct dp_translation *translations, size_t n)
{
	_cleanup_close_ int bindings = -1, inside = -1, sessions = -1;
	struct bpf_host *h = bpf_host_of(dp);
	uint32_t now = now_seconds();
	struct dp_handle_value g;
	int r = find(h, handle, &g);

	if (!r)
		r = bpf_gateway_row_open(h->skel->maps.bindings, g.row, &bindings);
	if (!r)
		r = bpf_gateway_row_open(h->skel->maps.inside, g.row, &inside);
	if (!r)
		r = bpf_gateway_row_open(h->skel->maps.sessions, g.row, &sessions);
	for (size_t i = 0; i < n && !r; i++) {
		const struct dp_translation *t = &translations[i];

		if (!is_whole(t))
			r = -EINVAL;
		else if (t->is_session)
			r = session_write(sessions, g.public, now, t);
		else
			r = binding_write(bindings, inside, now, t);
	}
	return r;
}
