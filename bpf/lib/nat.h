/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of translation: bindings and sessions (abi/gateway.h).  RFC 4787, 5382, 5508.
 */
#pragma once

#include "bpf/lib/edge_packet.h"

/* ---- sessions ---- */

static __always_inline void *nat_sessions(const struct edge *e)
{
	__u32 row = e->gateway.row;

	return bpf_map_lookup_elem(&sessions, &row);
}

static __always_inline __u32 nat_timeout(const struct edge *e, __u8 state)
{
	bool answered = state & DP_SESSION_SEEN_IN;

	switch (e->protocol) {
	case IPPROTO_TCP:
		if (state & DP_SESSION_RESET)
			return DP_TIMEOUT_TCP_RESET;
		if ((state & DP_SESSION_FIN_IN) && (state & DP_SESSION_FIN_OUT))
			return DP_TIMEOUT_TCP_CLOSING;
		if (!answered)
			return DP_TIMEOUT_TCP_OPENING;
		return e->gateway.kind == DP_HANDLE_NAT ? DP_TIMEOUT_NAT
							: DP_TIMEOUT_TCP_ESTABLISHED;
	case IPPROTO_UDP:
		if (!answered)
			return DP_TIMEOUT_UDP;
		return e->gateway.kind == DP_HANDLE_NAT ? DP_TIMEOUT_NAT : DP_TIMEOUT_UDP_ANSWERED;
	case IPPROTO_ICMP:
		return DP_TIMEOUT_ICMP;
	default:
		return DP_TIMEOUT_OTHER;
	}
}

/* What this packet adds to a session's state. */
static __always_inline __u8 nat_next_state(const struct edge *e, __u8 state)
{
	if (!e->out)
		state |= DP_SESSION_SEEN_IN;
	if (e->protocol != IPPROTO_TCP)
		return state;
	if (e->out && (e->tcp_flags & TCP_SYN) &&
	    (state & (DP_SESSION_RESET | DP_SESSION_FIN_IN | DP_SESSION_FIN_OUT)))
		state = 0; /* the same ends begin anew */
	if (e->tcp_flags & TCP_RST)
		state |= DP_SESSION_RESET;
	if (e->tcp_flags & TCP_FIN)
		state |= e->out ? DP_SESSION_FIN_OUT : DP_SESSION_FIN_IN;
	return state;
}

static __always_inline bool nat_is_closing(__u8 state)
{
	return (state & DP_SESSION_RESET) ||
	       ((state & DP_SESSION_FIN_IN) && (state & DP_SESSION_FIN_OUT));
}

/* A packet of the session went by; an error of its changes nothing. */
static __always_inline void nat_touch(const struct edge *e, struct dp_session_value *s)
{
	__u8 state;
	__u32 expires;

	if (e->kind == EDGE_ERROR)
		return;
	state = nat_next_state(e, s->state);
	expires = e->now + nat_timeout(e, state);
	if (s->state != state)
		s->state = state;
	if (s->expires != expires)
		s->expires = expires;
}

static __always_inline struct dp_session_key nat_key(const struct edge *e, __be32 here,
						     __be16 here_port, __u8 side)
{
	struct dp_session_key key = {
		.here = here,
		.there = e->there,
		.here_port = here_port,
		.there_port = e->there_port,
		.protocol = e->protocol,
		.side = side,
	};

	return key;
}

/* ---- bindings ---- */

static __always_inline __u32 nat_protocol_base(__u8 protocol)
{
	return protocol == IPPROTO_TCP ? 0 : protocol == IPPROTO_UDP ? 65536 : 2 * 65536;
}

static __always_inline struct dp_binding *nat_binding(__u32 row, __u8 protocol, __be16 port)
{
	void *table = bpf_map_lookup_elem(&bindings, &row);
	__u32 index = nat_protocol_base(protocol) + ntohs(port);

	return table ? bpf_map_lookup_elem(table, &index) : NULL;
}

static __always_inline __u64 nat_owner(__be32 addr, __be16 port)
{
	return (__u64)DP_BINDING_USED << 48 | (__u64)port << 32 | addr;
}

static __always_inline bool nat_is_taken(const struct dp_binding *b, __u64 owner, __u32 now)
{
	if (owner >> 48 & DP_BINDING_STATIC)
		return true;
	return owner >> 48 & DP_BINDING_USED &&
	       (__s32)(*(const volatile __u32 *)&b->expires - now) > 0;
}

/* The search for a free port. */
struct nat_search {
	__u64 owner;
	__u32 row, now, expires;
	__u32 first, n, start;
	__u32 found; /* port, 0: none */
	__u8 protocol;
};

enum {
	/* a prime above any range: each step is another port, until all were seen */
	NAT_STEP = 65537,
};

/* The inside's own port first, then ports in no order that the world could guess. */
static long nat_probe(__u32 i, void *data)
{
	struct nat_search *s = data;
	struct dp_binding *b;
	__u64 old;
	__u32 port;

	if (i > s->n || !s->n)
		return 1;
	if (!i) {
		port = (__u32)ntohs((__be16)(s->owner >> 32)) - s->first;
		if (port >= s->n)
			return 0;
	} else {
		port = (__u32)(((__u64)s->start + (__u64)i * NAT_STEP) % s->n);
	}
	port += s->first;
	b = nat_binding(s->row, s->protocol, htons((__u16)port));
	if (!b)
		return 1;
	old = *(const volatile __u64 *)&b->owner;
	if (nat_is_taken(b, old, s->now))
		return 0;
	b->expires = s->expires; /* first: whoever sees the new owner sees that it is in force */
	b->shared = 0;
	if (__sync_val_compare_and_swap(&b->owner, old, s->owner) != old)
		return 0;
	s->found = port;
	return 1;
}

/* A port of its own for what is inside: 0 with '*ret', or a reason. */
static __noinline int nat_allocate(struct edge *e, __be16 *ret)
{
	struct nat_search s = {
		.owner = nat_owner(e->here, e->here_port),
		.row = e->gateway.row,
		.now = e->now,
		.expires = e->now + nat_timeout(e, 0),
		.first = e->gateway.port_first,
		.n = (__u32)e->gateway.port_last - e->gateway.port_first + 1,
		.start = bpf_get_prandom_u32() & 0xffff,
		.protocol = e->protocol,
	};
	struct dp_inside_key key = {.addr = e->here, .port = e->here_port, .protocol = e->protocol};
	void *table = bpf_map_lookup_elem(&inside, &s.row);
	__u32 port;

	if (!table)
		return -DROP_HANDLE;
	bpf_loop(DP_NAT_PROBES, nat_probe, &s, 0);
	if (!s.found)
		return -DROP_NAT_PORTS;
	port = htons((__u16)s.found);
	bpf_map_update_elem(table, &key, &port, BPF_ANY);
	*ret = (__be16)port;
	return 0;
}

/* The port that it has already: true with '*ret'. */
static __noinline bool nat_find(struct edge *e, __be16 *ret)
{
	struct dp_inside_key key = {.handle = e->handle,
				    .addr = e->here,
				    .port = e->here_port,
				    .protocol = e->protocol};
	__u32 row = e->gateway.row;
	const struct dp_binding *b;
	const __u32 *port;
	void *table;

	port = bpf_map_lookup_elem(&statics, &key);
	if (port) {
		e->fixed = true;
		*ret = (__be16)*port;
		return true;
	}
	key.handle = 0;
	table = bpf_map_lookup_elem(&inside, &row);
	port = table ? bpf_map_lookup_elem(table, &key) : NULL;
	if (!port)
		return false;
	b = nat_binding(row, e->protocol, (__be16)*port);
	if (!b || b->owner != nat_owner(e->here, e->here_port) ||
	    !nat_is_taken(b, b->owner, e->now))
		return false;
	*ret = (__be16)*port;
	return true;
}

/* A binding lasts as long as its longest session, and ends with it if there is but one. */
static __always_inline void nat_keep_binding(const struct edge *e, __be16 port,
					     const struct dp_session_value *s, bool is_new,
					     bool was_bound)
{
	struct dp_binding *b = nat_binding(e->gateway.row, e->protocol, port);

	if (!b)
		return;
	if (is_new && was_bound && (__s32)(b->expires - e->now) > DP_TIMEOUT_TCP_CLOSING)
		b->shared = 1;
	if (!b->shared && nat_is_closing(s->state))
		b->expires = s->expires;
	else if ((__s32)(s->expires - b->expires) > 0)
		b->expires = s->expires;
}

/* ---- NAT gateways ---- */

static __always_inline bool nat_knows(const struct edge *e)
{
	return e->kind != EDGE_BARE && (e->protocol == IPPROTO_TCP || e->protocol == IPPROTO_UDP ||
					e->protocol == IPPROTO_ICMP);
}

/* Whether a packet from inside that belongs to no session may begin one: of TCP only what begins a
 * connection, but where the outside may have begun it. */
static __always_inline bool nat_begins(const struct edge *e)
{
	return e->protocol != IPPROTO_TCP || e->fixed ||
	       (e->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/* From inside: 0 with the new source in 'e', or a reason. */
static __noinline int nat_out(struct edge *e)
{
	struct dp_session_value fresh = {.addr = e->here, .port = e->here_port};
	struct dp_session_value *s;
	struct dp_session_key key;
	bool bound;
	void *table;
	__be16 port = 0;
	int r;

	if (!nat_knows(e))
		return -DROP_NAT_PROTOCOL;
	bound = nat_find(e, &port);
	if (!bound && e->kind == EDGE_ERROR)
		return -DROP_UNSOLICITED;
	if (!bound && !nat_begins(e))
		return -DROP_CONNECTION_STATE;
	if (!bound) {
		r = nat_allocate(e, &port);
		if (r)
			return r;
	}
	e->new_addr = e->gateway.public;
	e->new_port = port;
	table = nat_sessions(e);
	if (!table)
		return -DROP_HANDLE;
	key = nat_key(e, e->new_addr, port, DP_SESSION_OUTSIDE);
	s = bpf_map_lookup_elem(table, &key);
	if (s && s->addr == e->here && s->port == e->here_port &&
	    (__s32)(s->expires - e->now) > 0) {
		nat_touch(e, s);
		nat_keep_binding(e, port, s, false, bound);
		return 0;
	}
	if (e->kind == EDGE_ERROR)
		return -DROP_UNSOLICITED;
	/* one that was pushed out goes on while its port is its own, one that has expired does
	 * not */
	if (s && !nat_begins(e))
		return -DROP_CONNECTION_STATE;
	nat_touch(e, &fresh);
	if (bpf_map_update_elem(table, &key, &fresh, BPF_ANY))
		return -DROP_NAT_PORTS;
	nat_keep_binding(e, port, &fresh, true, bound);
	return 0;
}

/* From the world: 0 with the new destination in 'e', or a reason. */
static __noinline int nat_in(struct edge *e)
{
	struct dp_session_key key = nat_key(e, e->here, e->here_port, DP_SESSION_OUTSIDE);
	const struct dp_binding *b;
	struct dp_session_value *s;
	void *table = nat_sessions(e);
	__u64 owner;

	if (!nat_knows(e))
		return -DROP_UNSOLICITED;
	b = nat_binding(e->gateway.row, e->protocol, e->here_port);
	s = table ? bpf_map_lookup_elem(table, &key) : NULL;
	if (!b || !table)
		return -DROP_HANDLE;
	owner = *(const volatile __u64 *)&b->owner;
	if (!nat_is_taken(b, owner, e->now))
		return -DROP_UNSOLICITED;
	e->new_addr = (__be32)owner;
	e->new_port = (__be16)(owner >> 32);
	if (s && s->addr == e->new_addr && s->port == e->new_port &&
	    (__s32)(s->expires - e->now) > 0) {
		nat_touch(e, s);
		nat_keep_binding(e, e->here_port, s, false, true);
		return 0;
	}
	return owner >> 48 & DP_BINDING_STATIC ? 0 : -DROP_UNSOLICITED;
}

/* ---- public addresses, one to one ---- */

static __always_inline const struct dp_public_value *nat_public(__be32 addr)
{
	return bpf_map_lookup_elem(&publics, &addr);
}

/* Remembers on both sides whom a connection was begun with. */
static __always_inline void nat_remember(const struct edge *e, void *table)
{
	struct dp_session_value value = {.addr = e->new_addr, .port = e->here_port};
	struct dp_session_key key = nat_key(e, e->here, e->here_port, DP_SESSION_INSIDE);

	nat_touch(e, &value);
	bpf_map_update_elem(table, &key, &value, BPF_ANY);
	key.here = e->new_addr;
	key.side = DP_SESSION_OUTSIDE;
	value.addr = e->here;
	bpf_map_update_elem(table, &key, &value, BPF_ANY);
}

/* Did 'addr' have the public address, and may its connections go on? */
static __noinline bool nat_is_former(__be32 public, __be32 addr)
{
	const struct dp_formers_value *f = bpf_map_lookup_elem(&formers, &public);

	_Static_assert(DP_FORMERS_MAX == 4, "each is looked at");
	return f && (f->addr[0] == addr || f->addr[1] == addr || f->addr[2] == addr ||
		     f->addr[3] == addr);
}

/* A packet from the world to a node that had the address.  What begins is not the node's any more,
 * and what it does not answer is not for long. */
static __noinline bool nat_former_in(const struct edge *e, struct dp_session_value *s)
{
	__u32 expires = s->expires;

	if ((e->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN || !nat_is_former(e->here, s->addr))
		return false;
	if (e->kind == EDGE_ERROR)
		return true;
	nat_touch(e, s);
	if ((__s32)(expires - (e->now + DP_TIMEOUT_FORMER)) > 0)
		expires = e->now + DP_TIMEOUT_FORMER;
	s->expires = expires;
	return true;
}

/* From a node that had 'inside->addr': its own connections only, as the world's side knows them. */
static __noinline bool nat_former_out(const struct edge *e, void *table,
				      struct dp_session_value *inside)
{
	struct dp_session_key key = nat_key(e, inside->addr, e->here_port, DP_SESSION_OUTSIDE);
	struct dp_session_value *s = bpf_map_lookup_elem(table, &key);

	if (!s || s->addr != e->here || (__s32)(s->expires - e->now) <= 0 ||
	    !nat_is_former(inside->addr, e->here))
		return false;
	nat_touch(e, s);
	nat_touch(e, inside);
	return true;
}

/* An old connection keeps the public address it began with while the node has that, or has had it
 * and may end what it began. */
static __always_inline bool nat_keeps_public(const struct edge *e, void *table,
					     struct dp_session_value *s)
{
	const struct dp_public_value *public = nat_public(s->addr);

	if (!public || public->handle != e->handle)
		return false;
	if (public->addr != e->here)
		return nat_former_out(e, table, s);
	if ((__s32)(s->expires - e->now) <= 0)
		return false;
	nat_touch(e, s);
	return true;
}

/* From inside. */
static __noinline int nat_public_out(struct edge *e)
{
	struct dp_session_key key = nat_key(e, e->here, e->here_port, DP_SESSION_INSIDE);
	struct dp_mapping_v4_key of_key = {.vni = e->gateway.vni, .addr = e->here};
	const struct dp_public_of_value *of;
	struct dp_session_value *s;
	void *table = nat_sessions(e);

	if (!table)
		return -DROP_HANDLE;
	e->new_port = e->here_port;
	s = e->kind == EDGE_FRAGMENT ? NULL : bpf_map_lookup_elem(table, &key);
	if (s && nat_keeps_public(e, table, s)) {
		e->new_addr = s->addr;
		return 0;
	}
	of = bpf_map_lookup_elem(&publics_of, &of_key);
	if (!of)
		return -DROP_NO_PUBLIC;
	e->new_addr = of->public;
	if (e->kind != EDGE_FRAGMENT && e->kind != EDGE_ERROR && !(e->tcp_flags & TCP_RST))
		nat_remember(e, table);
	return 0;
}

/* From the world.  What nobody inside has answered is not remembered: a scan pushes nothing out. */
static __noinline int nat_public_in(struct edge *e, __be32 addr)
{
	struct dp_session_key key = nat_key(e, e->here, e->here_port, DP_SESSION_OUTSIDE);
	struct dp_session_value *s;
	void *table = nat_sessions(e);

	if (!table)
		return -DROP_HANDLE;
	e->new_addr = addr;
	e->new_port = e->here_port;
	s = e->kind == EDGE_FRAGMENT ? NULL : bpf_map_lookup_elem(table, &key);
	if (!s || (__s32)(s->expires - e->now) <= 0)
		return 0;
	if (s->addr == addr)
		nat_touch(e, s);
	else if (nat_former_in(e, s))
		e->new_addr = s->addr;
	return 0;
}
