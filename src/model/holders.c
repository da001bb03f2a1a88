/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of holders: two pools of records that name each other by their numbers.  A slot is a
 * held mapping with the list of its holders; an entry is one holder, in that list and in its
 * host's, which is in order of renewal, or, when it is never over, in its host's list of those.
 * See holders.h.
 */
#include "model/holders.h"

#include <string.h>

#include "base/hash.h"
#include "base/hmap.h"
#include "base/pool.h"
#include "model/mapping.h"

#define NONE POOL_NONE

/* Links are numbers in the pool, NONE at the ends. */
struct entry {
	uint32_t chain; /* next in the bucket, or in the list of free ones */
	uint32_t slot;
	uint32_t host;
	uint32_t slot_prev, slot_next;
	uint32_t host_prev, host_next;
	uint64_t revision;
	uint64_t expires_ms;
};

struct slot {
	uint32_t chain;
	uint32_t vni;
	struct ipaddr addr;
	uint32_t first; /* entry */
};

/* Of entries, through their host_prev and host_next. */
struct entries {
	uint32_t first, last;
};

struct host_list {
	struct hmap_node node;
	uint32_t host;
	struct entries leased; /* the least recently renewed first */
	struct entries kept;   /* HOLDERS_NEVER */
};

struct holders {
	struct pool slots;
	struct pool entries;
	struct hmap hosts;
};

static struct slot *slot_at(const struct holders *h, uint32_t n)
{
	return pool_at(&h->slots, n);
}

static struct entry *entry_at(const struct holders *h, uint32_t n)
{
	return pool_at(&h->entries, n);
}

static uint64_t entry_hash(uint32_t slot, uint32_t host)
{
	return hash_u64((uint64_t)slot << 32 | host);
}

static uint64_t hash_of_slot(const void *record)
{
	const struct slot *s = record;

	return mapping_key_of(s->vni, &s->addr).hash;
}

static uint64_t hash_of_entry(const void *record)
{
	const struct entry *e = record;

	return entry_hash(e->slot, e->host);
}

/* ---- life ---- */

int holders_new(struct holders **ret)
{
	struct holders *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	pool_init(&h->slots, sizeof(struct slot), hash_of_slot);
	pool_init(&h->entries, sizeof(struct entry), hash_of_entry);
	hmap_init(&h->hosts);
	*ret = h;
	return 0;
}

struct holders *holders_free(struct holders *h)
{
	struct host_list *l;

	if (!h)
		return NULL;
	hmap_for_each (l, &h->hosts, node)
		free(l);
	hmap_deinit(&h->hosts);
	pool_deinit(&h->slots);
	pool_deinit(&h->entries);
	free(h);
	return NULL;
}

/* ---- finding ---- */

static uint32_t find_slot_key(const struct holders *h, const struct mapping_key *key)
{
	uint32_t n = pool_first(&h->slots, key->hash);

	while (n != NONE &&
	       (slot_at(h, n)->vni != key->vni || !ipaddr_equal(&slot_at(h, n)->addr, &key->addr)))
		n = slot_at(h, n)->chain;
	return n;
}

static uint32_t find_slot(const struct holders *h, uint32_t vni, const struct ipaddr *addr)
{
	struct mapping_key key = mapping_key_of(vni, addr);

	return find_slot_key(h, &key);
}

static uint32_t find_entry(const struct holders *h, uint32_t slot, uint32_t host)
{
	uint32_t n = slot == NONE ? NONE : pool_first(&h->entries, entry_hash(slot, host));

	while (n != NONE && (entry_at(h, n)->slot != slot || entry_at(h, n)->host != host))
		n = entry_at(h, n)->chain;
	return n;
}

static struct host_list *find_host(const struct holders *h, uint32_t host)
{
	struct host_list *l;

	hmap_for_each_at (l, &h->hosts, hash_u64(host), node)
		if (l->host == host)
			return l;
	return NULL;
}

static struct host_list *get_host(struct holders *h, uint32_t host)
{
	struct host_list *l = find_host(h, host);

	if (l)
		return l;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	*l = (struct host_list){.host = host, .leased = {NONE, NONE}, .kept = {NONE, NONE}};
	hmap_insert(&h->hosts, &l->node, hash_u64(host));
	return l;
}

/* ---- lists ---- */

static struct entries *entries_of(struct host_list *l, const struct entry *e)
{
	return e->expires_ms == HOLDERS_NEVER ? &l->kept : &l->leased;
}

static void host_list_append(const struct holders *h, struct host_list *host, uint32_t n)
{
	struct entry *e = entry_at(h, n);
	struct entries *l = entries_of(host, e);

	e->host_prev = l->last;
	e->host_next = NONE;
	if (l->last != NONE)
		entry_at(h, l->last)->host_next = n;
	else
		l->first = n;
	l->last = n;
}

static void host_list_remove(const struct holders *h, struct host_list *host, uint32_t n)
{
	struct entry *e = entry_at(h, n);
	struct entries *l = entries_of(host, e);

	if (e->host_prev != NONE)
		entry_at(h, e->host_prev)->host_next = e->host_next;
	else
		l->first = e->host_next;
	if (e->host_next != NONE)
		entry_at(h, e->host_next)->host_prev = e->host_prev;
	else
		l->last = e->host_prev;
}

static void slot_list_push(const struct holders *h, uint32_t slot, uint32_t n)
{
	struct slot *s = slot_at(h, slot);
	struct entry *e = entry_at(h, n);

	e->slot_prev = NONE;
	e->slot_next = s->first;
	if (s->first != NONE)
		entry_at(h, s->first)->slot_prev = n;
	s->first = n;
}

static void slot_list_remove(const struct holders *h, uint32_t n)
{
	struct entry *e = entry_at(h, n);

	if (e->slot_prev != NONE)
		entry_at(h, e->slot_prev)->slot_next = e->slot_next;
	else
		slot_at(h, e->slot)->first = e->slot_next;
	if (e->slot_next != NONE)
		entry_at(h, e->slot_next)->slot_prev = e->slot_prev;
}

static void remove_entry(struct holders *h, struct host_list *l, uint32_t n)
{
	uint32_t slot = entry_at(h, n)->slot;

	host_list_remove(h, l, n);
	slot_list_remove(h, n);
	pool_give(&h->entries, n);
	if (slot_at(h, slot)->first == NONE)
		pool_give(&h->slots, slot);
}

/* ---- changing ---- */

static uint32_t get_slot(struct holders *h, const struct mapping_key *key)
{
	uint32_t n = find_slot_key(h, key);

	if (n != NONE)
		return n;
	n = pool_take(&h->slots);
	*slot_at(h, n) = (struct slot){.vni = key->vni, .addr = key->addr, .first = NONE};
	pool_link(&h->slots, n, key->hash);
	return n;
}

/* Who renews an entry takes it out of its host's list: its neighbours there are touched as well. */
static void prefetch_neighbours(const struct holders *h, uint32_t n)
{
	const struct entry *e = entry_at(h, n);

	if (e->host_prev != NONE)
		__builtin_prefetch(entry_at(h, e->host_prev));
	if (e->host_next != NONE)
		__builtin_prefetch(entry_at(h, e->host_next));
}

void holders_prefetch(const struct holders *h, unsigned int stage, const struct mapping_key *key,
		      uint32_t host)
{
	uint32_t *bucket, slot;

	if (!h->slots.buckets || !h->entries.buckets)
		return;
	bucket = pool_bucket(&h->slots, key->hash);
	if (stage == 0) {
		__builtin_prefetch(bucket);
		return;
	}
	if (stage == 1) {
		if (*bucket != NONE)
			__builtin_prefetch(slot_at(h, *bucket));
		return;
	}
	slot = find_slot_key(h, key);
	if (slot == NONE)
		return;
	bucket = pool_bucket(&h->entries, entry_hash(slot, host));
	if (stage == 2)
		__builtin_prefetch(bucket);
	else if (*bucket != NONE && stage == 3)
		__builtin_prefetch(entry_at(h, *bucket));
	else if (*bucket != NONE)
		prefetch_neighbours(h, *bucket);
}

int holders_add_key(struct holders *h, const struct mapping_key *key, uint32_t host,
		    uint64_t revision, uint64_t expires_ms)
{
	struct host_list *l = get_host(h, host);
	uint32_t slot, n;

	if (!l || pool_reserve(&h->slots) || pool_reserve(&h->entries))
		return -ENOMEM;
	slot = get_slot(h, key);
	n = find_entry(h, slot, host);
	if (n == NONE) {
		n = pool_take(&h->entries);
		*entry_at(h, n) = (struct entry){.slot = slot, .host = host};
		pool_link(&h->entries, n, entry_hash(slot, host));
		slot_list_push(h, slot, n);
	} else {
		host_list_remove(h, l, n);
	}
	entry_at(h, n)->revision = revision;
	if (entry_at(h, n)->expires_ms != HOLDERS_NEVER)
		entry_at(h, n)->expires_ms = expires_ms;
	host_list_append(h, l, n);
	return 0;
}

int holders_add(struct holders *h, uint32_t vni, const struct ipaddr *addr, uint32_t host,
		uint64_t revision, uint64_t expires_ms)
{
	struct mapping_key key = mapping_key_of(vni, addr);

	return holders_add_key(h, &key, host, revision, expires_ms);
}

static void lease(const struct holders *h, struct host_list *l, uint32_t n, uint64_t expires_ms)
{
	host_list_remove(h, l, n);
	entry_at(h, n)->expires_ms = expires_ms;
	host_list_append(h, l, n);
}

void holders_lease(struct holders *h, uint32_t vni, const struct ipaddr *addr, uint32_t host,
		   uint64_t expires_ms)
{
	uint32_t n = find_entry(h, find_slot(h, vni, addr), host);

	if (n != NONE)
		lease(h, find_host(h, host), n, expires_ms);
}

void holders_lease_network(struct holders *h, uint32_t vni, uint32_t host, uint64_t expires_ms)
{
	struct host_list *l = find_host(h, host);

	for (uint32_t next, n = l ? l->kept.first : NONE; n != NONE; n = next) {
		next = entry_at(h, n)->host_next;
		if (slot_at(h, entry_at(h, n)->slot)->vni == vni)
			lease(h, l, n, expires_ms);
	}
}

void holders_keep_network(struct holders *h, uint32_t vni, uint32_t host)
{
	struct host_list *l = find_host(h, host);

	for (uint32_t next, n = l ? l->leased.first : NONE; n != NONE; n = next) {
		next = entry_at(h, n)->host_next;
		if (slot_at(h, entry_at(h, n)->slot)->vni == vni)
			lease(h, l, n, HOLDERS_NEVER);
	}
}

bool holders_remove(struct holders *h, uint32_t vni, const struct ipaddr *addr, uint32_t host)
{
	uint32_t n = find_entry(h, find_slot(h, vni, addr), host);

	if (n == NONE)
		return false;
	remove_entry(h, find_host(h, host), n);
	return true;
}

void holders_remove_host(struct holders *h, uint32_t host)
{
	struct host_list *l = find_host(h, host);

	if (!l)
		return;
	while (l->leased.first != NONE)
		remove_entry(h, l, l->leased.first);
	while (l->kept.first != NONE)
		remove_entry(h, l, l->kept.first);
	hmap_remove(&h->hosts, &l->node);
	free(l);
}

size_t holders_expire(struct holders *h, uint32_t host, uint64_t now_ms, size_t max)
{
	struct host_list *l = find_host(h, host);
	size_t n = 0;

	for (; l && n < max && l->leased.first != NONE; n++) {
		if (entry_at(h, l->leased.first)->expires_ms > now_ms)
			break;
		remove_entry(h, l, l->leased.first);
	}
	return n;
}

/* ---- reading ---- */

size_t holders_count(const struct holders *h)
{
	return h->entries.n;
}

size_t holders_memory(const struct holders *h)
{
	return sizeof(*h) + pool_memory(&h->slots) + pool_memory(&h->entries);
}

bool holders_any(const struct holders *h, uint32_t vni, const struct ipaddr *addr)
{
	return find_slot(h, vni, addr) != NONE;
}

static struct holder holder_of(const struct holders *h, uint32_t n)
{
	const struct entry *e = entry_at(h, n);
	const struct slot *s = slot_at(h, e->slot);

	return (struct holder){s->vni, s->addr, e->host, e->revision, e->expires_ms};
}

bool holders_get(const struct holders *h, uint32_t vni, const struct ipaddr *addr, uint32_t host,
		 struct holder *ret)
{
	uint32_t n = find_entry(h, find_slot(h, vni, addr), host);

	if (n == NONE)
		return false;
	*ret = holder_of(h, n);
	return true;
}

struct before {
	uint64_t revision;
	bool any;
};

static void note_before(void *data, const struct holder *e)
{
	struct before *b = data;

	b->any |= e->revision < b->revision;
}

bool holders_any_before(const struct holders *h, uint32_t vni, const struct ipaddr *addr,
			uint64_t revision)
{
	struct before b = {.revision = revision};

	holders_each_of_mapping(h, vni, addr, note_before, &b);
	return b.any;
}

void holders_each_of_mapping(const struct holders *h, uint32_t vni, const struct ipaddr *addr,
			     void (*fn)(void *data, const struct holder *e), void *data)
{
	uint32_t slot = find_slot(h, vni, addr);
	uint32_t n = slot == NONE ? NONE : slot_at(h, slot)->first;

	while (n != NONE) {
		uint32_t next = entry_at(h, n)->slot_next;
		struct holder e = holder_of(h, n);

		fn(data, &e);
		n = next;
	}
}

void holders_each_of_host(const struct holders *h, uint32_t host,
			  void (*fn)(void *data, const struct holder *e), void *data)
{
	const struct host_list *l = find_host(h, host);
	const uint32_t first[] = {l ? l->leased.first : NONE, l ? l->kept.first : NONE};

	for (size_t i = 0; i < ARRAY_SIZE(first); i++)
		for (uint32_t next, n = first[i]; n != NONE; n = next) {
			struct holder e = holder_of(h, n);

			next = entry_at(h, n)->host_next;
			fn(data, &e);
		}
}
