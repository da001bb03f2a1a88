/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer's own next hop (abi/maps.h): where what leaves to it is sealed it is the sealing device
 * with a note as MACs, and where it has a rate it says so; made from the next hop that the agent
 * gave, and made again when that one changes.
 */
#include <string.h>
#include <time.h>

#include "abi/substrate.h"
#include "datapath/bpf_host.h"

static struct dp_nexthop_value *own_row(struct bpf_host *h, uint32_t nexthop)
{
	return bpf_array_row(&h->nexthops, nexthop);
}

static const struct dp_nexthop_copy *own_current(struct bpf_host *h, uint32_t nexthop)
{
	const struct dp_nexthop_value *n = own_row(h, nexthop);

	return &n->copy[n->current & 1];
}

static void own_publish(struct bpf_host *h, uint32_t nexthop, const struct dp_nexthop_copy *copy)
{
	struct dp_nexthop_value *n = own_row(h, nexthop);
	uint32_t next = ~n->current & 1;

	n->copy[next] = *copy;
	__atomic_store_n(&n->current, next, __ATOMIC_RELEASE);
}

static void own_write_note(struct dp_nexthop_copy *c, uint32_t peer)
{
	const struct seal_note note = {
		.magic = SEAL_NOTE_MAGIC,
		.kind = SEAL_NOTE_SUBSTRATE,
		.id = {(uint8_t)(peer >> 24), (uint8_t)(peer >> 16), (uint8_t)(peer >> 8),
		       (uint8_t)peer},
	};

	memcpy(c->destination, &note, 6);
	memcpy(c->source, (const uint8_t *)&note + 6, 6);
}

static void own_make(struct bpf_host *h, uint32_t peer, uint32_t flags, uint32_t base)
{
	struct dp_nexthop_copy c = {};

	if (flags & DP_PEER_SEALED) {
		c.ifindex = (uint32_t)h->seal_ifindex;
		c.flags = DP_NEXTHOP_PRESENT | DP_NEXTHOP_RESOLVED;
		own_write_note(&c, peer);
	} else if (base) {
		c = *own_current(h, base);
	}
	c.rate = flags & DP_PEER_RATE ? peer : 0;
	c.base = base;
	own_publish(h, DP_NEXTHOPS_OF_PEERS + peer, &c);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t); /* bpf_ktime_get_ns() */
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* What was taken from the bucket at the old rate is owed at the new one: as many bytes, and no more
 * than the bucket holds. */
static void own_carry_debt(struct dp_rate_value *r, uint64_t picoseconds, uint64_t burst_ns)
{
	uint64_t now = now_ns(), due = __atomic_load_n(&r->due, __ATOMIC_RELAXED), debt;

	if (due <= now || !r->picoseconds)
		return;
	debt = (uint64_t)((double)(due - now) / (double)r->picoseconds * (double)picoseconds);
	__atomic_store_n(&r->due, now + (debt < burst_ns ? debt : burst_ns), __ATOMIC_RELAXED);
}

static void own_set_rate(struct bpf_host *h, const struct dp_peer *peer)
{
	struct dp_rate_value *r = bpf_array_row(&h->rates, peer->id);
	uint64_t burst = peer->rate_burst > BPF_FRAME_MAX ? peer->rate_burst : BPF_FRAME_MAX;
	uint64_t picoseconds = peer->rate_bits ? 8000000000000 / peer->rate_bits : 0;
	uint64_t burst_ns = burst * picoseconds / 1000;

	if (r->picoseconds != picoseconds || r->burst_ns != burst_ns)
		own_carry_debt(r, picoseconds, burst_ns);
	r->bits = peer->rate_bits;
	r->burst = peer->rate_burst;
	/* Counters go on. */
	__atomic_store_n(&r->burst_ns, burst_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&r->picoseconds, picoseconds, __ATOMIC_RELEASE);
}

/* Each packet says the policy of its time: nothing else hangs on it. */
static uint64_t *own_policy(const struct bpf_host *h, uint32_t peer)
{
	return bpf_array_row(&h->policies, peer);
}

static uint16_t own_overhead(const struct dp_peer_copy *c)
{
	if (!(c->flags & DP_PEER_SEALED))
		return 0;
	if (FORMAT_BIT(c->send) & FORMATS_TUNNEL)
		return SEAL_OVERHEAD_TUNNEL;
	return c->flags & DP_PEER_VXLAN_V6 ? SUBSTRATE_OVERHEAD_SEAL_V6
					   : SUBSTRATE_OVERHEAD_SEAL_V4;
}

static_assert((int)FORMAT_MAX <= (int)SEAL_ACCEPT_SHIFT,
	      "formats fit their bits in dp_peer_copy.accept");

void bpf_peer_own_set(struct bpf_host *h, const struct dp_peer *peer, struct dp_peer_copy *c)
{
	uint16_t overhead;

	*own_policy(h, peer->id) = peer->policy;
	c->flags |= (uint8_t)(peer->seal << DP_PEER_SEAL_SHIFT);
	if (peer->rate_bits)
		c->flags |= DP_PEER_RATE;
	for (uint32_t i = SEAL_CLEAR + 1; i < SEAL_CIPHERS; i++)
		c->accept |= (peer->accept_sealed[i] & 0xff) << i * SEAL_ACCEPT_SHIFT;
	overhead = own_overhead(c);
	c->path_mtu = c->path_mtu > overhead ? (uint16_t)(c->path_mtu - overhead) : 0;
	if (peer->id != DP_PEER_SELF)
		own_set_rate(h, peer);
	if (!(c->flags & (DP_PEER_SEALED | DP_PEER_RATE)))
		return;
	own_make(h, peer->id, c->flags, c->nexthop);
	c->nexthop = DP_NEXTHOPS_OF_PEERS + peer->id;
}

void bpf_peer_own_part(struct bpf_host *h, uint32_t row, uint32_t wider, bool begins)
{
	struct dp_rate_value *r = bpf_array_row(&h->rates, row);

	if (begins)
		__atomic_store_n(&r->due, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&r->wider, wider, __ATOMIC_RELAXED);
}

void bpf_peer_own_get(struct bpf_host *h, const struct dp_peer_copy *c, struct dp_peer *ret)
{
	const struct dp_rate_value *r = bpf_array_row(&h->rates, ret->id);

	ret->seal = (enum seal_cipher)(c->flags >> DP_PEER_SEAL_SHIFT);
	ret->accept = (uint8_t)c->accept;
	for (uint32_t i = SEAL_CLEAR + 1; i < SEAL_CIPHERS; i++)
		ret->accept_sealed[i] = c->accept >> i * SEAL_ACCEPT_SHIFT & 0xff;
	ret->path_mtu = (uint16_t)(c->path_mtu + own_overhead(c));
	if (c->nexthop >= DP_NEXTHOPS_OF_PEERS)
		ret->nexthop = own_current(h, c->nexthop)->base;
	ret->policy = *own_policy(h, ret->id);
	ret->rate_bits = r->bits;
	ret->rate_burst = r->burst;
}

void bpf_peer_own_follow(struct bpf_host *h, uint32_t base)
{
	for (uint32_t id = 1; id < DP_PEERS_MAX + DP_VARIANTS_MAX; id++) {
		const struct dp_nexthop_copy *c = own_current(h, DP_NEXTHOPS_OF_PEERS + id);

		if (c->rate && c->base == base && c->ifindex != (uint32_t)h->seal_ifindex)
			own_make(h, id, DP_PEER_RATE, base);
	}
}

int bpf_peer_held(struct datapath *dp, uint32_t id, uint64_t *ret)
{
	const struct dp_rate_value *r;

	if (id >= DP_PEERS_MAX)
		return -ENOENT;
	r = bpf_array_row(&bpf_host_of(dp)->rates, id);
	*ret = __atomic_load_n(&r->held_packets, __ATOMIC_RELAXED);
	return 0;
}

const char *bpf_peer_seal_device(const struct datapath *dp)
{
	return container_of(dp, const struct bpf_host, base)->seal_device;
}
