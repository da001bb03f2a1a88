/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of connections (abi/maps.h: connections; abi/connection.h: their life).
 *
 * A connection's hash names two sets of its port's region.  It is put where more places are free,
 * and where none is, takes the place of the one that is worth least.  A packet that changes nothing
 * about its connection writes nothing but the tick, when that has changed, and takes no lock.
 */
#pragma once

#include "abi/connection.h"
#include "bpf/lib/packet.h"

enum connection_verdict {
	CONNECTION_ABSENT = 0,
	CONNECTION_PASS = 1,
	CONNECTION_JUDGE = 2, /* there, but the packet would begin it again */
	CONNECTION_FULL = 3,
};

/* Of a call. */
enum {
	/* the packet comes from the port's node; below are its TCP flags */
	CONNECTION_BY_NODE = 1 << 8,
	CONNECTION_ALLOWED = 1 << 9, /* the rules have been asked */
	CONNECTION_ERROR = 1 << 10,  /* an error about it: looks and changes nothing */
};

static __always_inline __u32 connection_tick(void)
{
	return (__u32)(bpf_ktime_get_coarse_ns() >> DP_TICK_SHIFT);
}

static __always_inline bool connection_is_over(__u8 state, __u32 seen, __u32 now)
{
	return (__u64)(__u32)(now - seen) << DP_TICK_SHIFT >
	       (__u64)connection_timeout(state) * 1000000000;
}

/* The hash in two parts: what all connections between two addresses share, */
static __always_inline __u64 connection_hash_addresses(const void *local, const void *remote)
{
	const __u64 *l = local, *r = remote;
	__u64 h = config.connection_seed ^ l[0] ^ (r[0] << 32 | r[0] >> 32);

	h = (h ^ h >> 32) * 0x9E3779B97F4A7C15ULL;
	h = (h ^ h >> 32 ^ l[1]) * 0xFF51AFD7ED558CCDULL;
	h = (h ^ h >> 32 ^ r[1]) * 0xC4CEB9FE1A85EC53ULL;
	return h ^ h >> 32;
}

/* and the ports: the last word of a key. */
static __always_inline __u64 connection_hash_ports(__u64 addresses, __u64 ports)
{
	__u64 h = (addresses ^ ports) * 0x9E3779B97F4A7C15ULL;

	return h ^ h >> 32;
}

static __always_inline __u64 connection_hash(const struct dp_connection_key *k)
{
	const __u64 *w = (const __u64 *)k;

	return connection_hash_ports(connection_hash_addresses(k->local, k->remote), w[4]);
}

/* The last word of a key with these ports, the local one first as they lie in memory. */
static __always_inline __u64 connection_ports(__u32 ports, __u8 protocol)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return ports | (__u64)protocol << 32;
#else
	return (__u64)ports << 32 | (__u64)protocol << 24;
#endif
}

/* What of eight bytes that begin with an entry's ports is in there; state and flags are behind
 * it. */
#define CONNECTION_PORTS_MASK bpf_cpu_to_be64(0xffffffffff000000ULL)

/* The last eight bytes of an entry: the hash that it is known by, and the tick. */
static __always_inline __u64 connection_tagged(__u64 hash, __u32 now)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return hash >> 32 | (__u64)now << 32;
#else
	return (hash & 0xffffffff00000000ULL) | now;
#endif
}

/* The two sets of a hash. */
static __always_inline __u32 connection_place(__u64 hash, const struct dp_region *region,
					      int choice)
{
	__u32 h = choice ? (__u32)((hash >> 16) * 0x85EBCA6BU >> 12) : (__u32)hash;

	return region->first + (h & region->mask);
}

static __always_inline bool connection_is(const struct dp_connection_value *c, __u32 tag,
					  const struct dp_connection_key *k)
{
	return c->hash == tag && c->state && equal_16(c->local, k->local) &&
	       equal_16(c->remote, k->remote) && c->local_port == k->local_port &&
	       c->remote_port == k->remote_port && c->protocol == k->protocol;
}

/* Which of the set 'place' it is; DP_SET_CONNECTIONS: none. */
__judged_once int connection_search(__u32 place, __u32 tag, const struct dp_connection_key *k)
{
	const struct dp_connection_set *set = bpf_map_lookup_elem(&connections, &place);

	if (!set || !k)
		return DP_SET_CONNECTIONS;
	for (int i = 0; i < DP_SET_CONNECTIONS; i++)
		if (connection_is(&set->connections[i], tag, k))
			return i;
	return DP_SET_CONNECTIONS;
}

/* Where a connection is: true with the set and its place there. */
static __always_inline bool connection_find(const struct dp_connection_key *k,
					    const struct dp_region *region, __u64 hash,
					    __u32 *ret_set, __u32 *ret_place)
{
	*ret_set = connection_place(hash, region, 0);
	*ret_place = (__u32)connection_search(*ret_set, (__u32)(hash >> 32), k);
	if (likely(*ret_place < DP_SET_CONNECTIONS))
		return true;
	*ret_set = connection_place(hash, region, 1);
	*ret_place = (__u32)connection_search(*ret_set, (__u32)(hash >> 32), k);
	return *ret_place < DP_SET_CONNECTIONS;
}

/* Whether a packet belongs to a connection and changes nothing about it: 0, or where the connection
 * is (abi/maps.h: DP_RECALL).  'how': CONNECTION_BY_NODE and TCP flags. */
__judged_once int connection_hit(const struct dp_connection_key *k, const struct dp_region *region,
				 __u32 how)
{
	struct dp_connection_value *c;
	struct dp_connection_set *set;
	__u32 now, at, place;
	__u64 hash;

	if (!k || !region)
		return 0;
	hash = connection_hash(k);
	if (!connection_find(k, region, hash, &at, &place))
		return 0;
	set = bpf_map_lookup_elem(&connections, &at);
	if (!set)
		return 0;
	/* The verifier has forgotten what the compiler knows. */
	asm volatile("" : "+r"(place));
	c = &set->connections[place & (DP_SET_CONNECTIONS - 1)];
	/* It may have given its place to another one meanwhile. */
	if (c->hash != (__u32)(hash >> 32) ||
	    !connection_is_settled(c->state, c->flags, (__u8)how, how & CONNECTION_BY_NODE))
		return 0;
	now = connection_tick();
	if (c->seen != now) {
		if (connection_is_over(c->state, c->seen, now))
			return 0;
		c->seen = now;
	}
	return (int)(at * DP_SET_CONNECTIONS + place + 1);
}

/* The same for a connection whose place is remembered, for most packets: without a search, a write
 * or a call, each of which costs more than all the rest.  'now' is connection_tick().  A place has
 * only ever connections of one port while the flow that remembers it is valid: a port's region
 * changes with the epoch. */
static __always_inline bool connection_recall(__u32 place, __u64 hash, __u32 ports, __u8 protocol,
					      __u32 how, __u32 now)
{
	__u32 at = (place - 1) / DP_SET_CONNECTIONS;
	const struct dp_connection_set *set = bpf_map_lookup_elem(&connections, &at);
	const struct dp_connection_value *c;
	__u64 what;

	if (!set)
		return false;
	c = &set->connections[(place - 1) & (DP_SET_CONNECTIONS - 1)];
	what = word_at(&c->local_port);
	/* The hash last: it is 0 from before anything else of an entry is replaced. */
	return (what & CONNECTION_PORTS_MASK) == connection_ports(ports, protocol) &&
	       word_at(&c->hash) == connection_tagged(hash, now) &&
	       connection_is_settled(word_byte(what, 5), word_byte(what, 6), (__u8)how,
				     how & CONNECTION_BY_NODE);
}

/* connection_tick(), read once in a jiffy, which is when it moves. */
static __always_inline __u32 connection_tick_in(__u32 *tick, __u32 *jiffy)
{
	__u32 now = (__u32)bpf_jiffies64();

	if (unlikely(*jiffy != now)) {
		*jiffy = now;
		*tick = connection_tick();
	}
	return *tick;
}

/* Under the lock: what the packet does to a connection that may be the one. */
static __always_inline __u32 connection_step(struct dp_connection_value *c, __u32 tag,
					     const struct dp_connection_key *k, __u32 how,
					     __u32 now)
{
	bool by_node = how & CONNECTION_BY_NODE, judged;
	__u8 tcp = (__u8)how, flags;

	if (!connection_is(c, tag, k))
		return CONNECTION_ABSENT;
	if (connection_is_over(c->state, c->seen, now)) {
		c->state = CONNECTION_NONE; /* so that it hides none that begins in the other set */
		return CONNECTION_ABSENT;
	}
	if (how & CONNECTION_ERROR)
		return CONNECTION_PASS;
	judged = connection_is_judged(c->state, c->protocol, tcp);
	if (judged && !(how & CONNECTION_ALLOWED))
		return CONNECTION_JUDGE;
	flags = c->flags;
	if (!judged) {
		c->state = connection_next(c->protocol, c->state, &flags, tcp, by_node);
		c->flags = flags;
	} else if (connection_begins_again(c->state)) {
		c->state = connection_first(c->protocol, tcp);
		c->flags = by_node ? CONNECTION_EGRESS : 0;
	}
	c->seen = now;
	return CONNECTION_PASS;
}

/* Finds the connection of 'p->key' and takes it one step further. */
__judged_once int connection_track(const struct packet *p, const struct dp_region *region,
				   __u32 how)
{
	struct dp_connection_set *set;
	__u32 now = connection_tick(), at, place, r;
	__u64 hash;

	if (!p || !region)
		return CONNECTION_ABSENT;
	hash = connection_hash(&p->key);
	if (!connection_find(&p->key, region, hash, &at, &place))
		return CONNECTION_ABSENT;
	set = bpf_map_lookup_elem(&connections, &at);
	if (!set)
		return CONNECTION_ABSENT;
	bpf_spin_lock(&set->lock);
	r = connection_step(&set->connections[place & (DP_SET_CONNECTIONS - 1)],
			    (__u32)(hash >> 32), &p->key, how, now);
	bpf_spin_unlock(&set->lock);
	return r;
}

/* ---- beginning ---- */

/* How dear a place is: 0 for a free one. */
static __always_inline __u64 connection_cost(const struct dp_connection_value *c, __u32 now)
{
	if (!c->state || connection_is_over(c->state, c->seen, now))
		return 0;
	return (__u64)connection_worth(c->state) << 32 | c->seen;
}

/* Of two sets the one with the smaller has more room: the places taken, or, when none is free, what
 * the cheapest costs. */
__judged_once __u64 connection_crowd(__u32 place, __u32 now)
{
	const struct dp_connection_set *set = bpf_map_lookup_elem(&connections, &place);
	__u64 least = ~0ULL, cost;
	__u32 taken = 0;

	if (!set)
		return least;
	for (__u32 i = 0; i < DP_SET_CONNECTIONS; i++) {
		cost = connection_cost(&set->connections[i], now);
		taken += cost ? 1 : 0;
		least = cost < least ? cost : least;
	}
	return least ? least : taken;
}

/* Under the lock: which place a new connection gets; DP_SET_CONNECTIONS: none may go. */
static __always_inline __u32 connection_victim(const struct dp_connection_set *set, __u32 tag,
					       const struct dp_connection_key *k, __u32 now)
{
	const __u64 keep = (__u64)CONNECTION_WORTH_MOST << 32;
	__u64 least = ~0ULL, cost;
	__u32 best = DP_SET_CONNECTIONS;

	for (__u32 i = 0; i < DP_SET_CONNECTIONS; i++) {
		/* Another processor was faster with the same one: it is begun once. */
		if (connection_is(&set->connections[i], tag, k))
			return i;
		cost = connection_cost(&set->connections[i], now);
		if (cost < least) {
			least = cost;
			best = i;
		}
	}
	if (least >= keep && now - (__u32)least <= CONNECTION_KEEP)
		return DP_SET_CONNECTIONS;
	return best;
}

static __always_inline void connection_write(struct dp_connection_value *c, __u32 tag,
					     const struct dp_connection_key *k, __u32 how,
					     __u32 now)
{
	c->hash = 0; /* for those who look without the lock: nothing, while it is neither */
	barrier();
	memcpy(c, k, sizeof(*k));
	c->state = connection_first(k->protocol, (__u8)how);
	c->flags = how & CONNECTION_BY_NODE ? CONNECTION_EGRESS : 0;
	c->seen = now;
	barrier();
	c->hash = tag;
}

/* Begins the connection of 'p->key': CONNECTION_PASS or _FULL. */
__judged_once int connection_begin(struct packet *p, const struct dp_region *region, __u32 how)
{
	__u32 now = connection_tick(), place, other, i;
	struct dp_connection_set *set;
	__u64 hash;

	if (!p || !region)
		return CONNECTION_FULL;
	hash = connection_hash(&p->key);
	place = connection_place(hash, region, 0);
	other = connection_place(hash, region, 1);
	if (connection_crowd(other, now) < connection_crowd(place, now))
		place = other;
	set = bpf_map_lookup_elem(&connections, &place);
	if (!set)
		return CONNECTION_FULL;
	bpf_spin_lock(&set->lock);
	i = connection_victim(set, (__u32)(hash >> 32), &p->key, now);
	/* By way of memory the verifier forgets which one it is: one way to look at, not 8. */
	p->place = i;
	i = *(volatile __u32 *)&p->place;
	if (i < DP_SET_CONNECTIONS)
		connection_write(&set->connections[i], (__u32)(hash >> 32), &p->key, how, now);
	bpf_spin_unlock(&set->lock);
	return i < DP_SET_CONNECTIONS ? CONNECTION_PASS : CONNECTION_FULL;
}
