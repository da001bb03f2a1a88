/* SPDX-License-Identifier: Apache-2.0 */
/* Rulebooks in the kernel's tables: written, named by number, retired, found again. */
#include "datapath/bpf_policy.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/hash.h"
#include "datapath/bpf_skel.h"

enum {
	SCOPE_SHIFT = 2, /* of the number in a scope; below it the family and the direction */
	NUMBER_MAX = (1 << 30) - 1,
	RETIRED_MAX = 16, /* a grace period is waited for once for so many */
};

struct entry {
	bool by_group;
	union {
		struct dp_prefix_key prefix;
		struct dp_group_key group;
	};
	struct dp_list list;
};

struct bpf_rulebook {
	struct hmap_node node;
	struct bpf_rulebook *next_retired;
	uint32_t number;
	bool kept; /* while loading: a word names it */
	size_t n, capacity;
	struct entry *entries;
};

static struct bpf_rulebooks *books(struct bpf_host *h)
{
	return &h->policy->rulebooks;
}

static int map_of(const struct bpf_host *h, const struct entry *e)
{
	return bpf_map__fd(e->by_group ? h->skel->maps.lists_by_group
				       : h->skel->maps.lists_by_prefix);
}

static struct bpf_rulebook *find(struct bpf_host *h, uint32_t number)
{
	struct bpf_rulebook *b;

	hmap_for_each_at (b, &books(h)->all, hash_u64(number), node)
		if (b->number == number)
			return b;
	return NULL;
}

static struct bpf_rulebook *book_new(struct bpf_host *h, uint32_t number)
{
	struct bpf_rulebook *b = calloc(1, sizeof(*b));

	if (b) {
		b->number = number;
		hmap_insert(&books(h)->all, &b->node, hash_u64(number));
	}
	return b;
}

static void book_free(struct bpf_host *h, struct bpf_rulebook *b)
{
	hmap_remove(&books(h)->all, &b->node);
	free(b->entries);
	free(b);
}

static int entry_add(struct bpf_rulebook *b, const struct entry *e)
{
	if (b->n == b->capacity) {
		size_t capacity = b->capacity ? 2 * b->capacity : 8;
		struct entry *entries = reallocarray(b->entries, capacity, sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		b->entries = entries;
		b->capacity = capacity;
	}
	b->entries[b->n++] = *e;
	return 0;
}

/* Takes what is written out of the tables again; nobody looks at it. */
static void book_erase(struct bpf_host *h, struct bpf_rulebook *b)
{
	for (size_t i = 0; i < b->n; i++) {
		bpf_map_delete_elem(map_of(h, &b->entries[i]), &b->entries[i].prefix);
		list_pool_put(&books(h)->pool, b->entries[i].list);
	}
	book_free(h, b);
}

/* ---- retiring ---- */

/* Programs run in RCU's read side, and the barrier waits for all that run.  A kernel that refuses
 * it (nohz_full) has none: then the time since the word changed has to do, which is many
 * packets. */
static void reclaim(struct bpf_host *h)
{
	struct bpf_rulebooks *all = books(h);

	if (!all->retired)
		return;
	(void)syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	while (all->retired) {
		struct bpf_rulebook *b = all->retired;

		all->retired = b->next_retired;
		book_erase(h, b);
	}
	all->n_retired = 0;
}

void bpf_rulebook_retire(struct bpf_host *h, uint32_t number)
{
	struct bpf_rulebooks *all = books(h);
	struct bpf_rulebook *b = number ? find(h, number) : NULL;

	if (!b)
		return;
	b->next_retired = all->retired;
	all->retired = b;
	if (++all->n_retired >= RETIRED_MAX)
		reclaim(h);
}

/* ---- writing ---- */

static uint32_t scope(uint32_t number, bool v6, bool egress)
{
	return number << SCOPE_SHIFT | (uint32_t)v6 << 1 | egress;
}

static struct entry entry_of(uint32_t number, const struct policy_entry *p)
{
	struct entry e = {.by_group = p->group};

	if (p->group) {
		e.group.scope = scope(number, false, p->egress);
		e.group.group = p->group;
	} else {
		e.prefix.len = 32U + p->prefix.len;
		e.prefix.scope = htonl(scope(number, !prefix_is_v4(&p->prefix), p->egress));
		memcpy(e.prefix.addr, p->prefix.addr.b, 16);
	}
	return e;
}

static int write_entry(struct bpf_host *h, struct bpf_rulebook *b, const struct policy_entry *p)
{
	struct entry e = entry_of(b->number, p);
	int r = list_pool_get(&books(h)->pool, &p->allowed, &e.list);

	if (r)
		return r;
	r = entry_add(b, &e);
	if (r) {
		list_pool_put(&books(h)->pool, e.list);
		return r;
	}
	return bpf_host_error(bpf_map_update_elem(map_of(h, &e), &e.prefix, &e.list, BPF_NOEXIST));
}

static uint32_t number_new(struct bpf_host *h)
{
	struct bpf_rulebooks *all = books(h);

	do
		all->last = all->last >= NUMBER_MAX ? 1 : all->last + 1;
	while (find(h, all->last));
	return all->last;
}

static int write_book(struct bpf_host *h, const struct policy *policy, uint32_t *ret)
{
	struct bpf_rulebook *b = book_new(h, number_new(h));
	int r = 0;

	if (!b)
		return -ENOMEM;
	for (size_t i = 0; !r && i < policy->n; i++)
		r = write_entry(h, b, &policy->entries[i]);
	if (r) {
		book_erase(h, b);
		return r;
	}
	*ret = b->number;
	return 0;
}

int bpf_rulebook_write(struct bpf_host *h, const struct policy *policy, uint32_t *ret)
{
	int r = write_book(h, policy, ret);

	if (r != -ENOSPC || !books(h)->retired)
		return r;
	reclaim(h);
	return write_book(h, policy, ret);
}

/* ---- adopting ---- */

static int load_entry(struct bpf_host *h, const struct entry *e)
{
	uint32_t number = (e->by_group ? e->group.scope : ntohl(e->prefix.scope)) >> SCOPE_SHIFT;
	struct bpf_rulebook *b = find(h, number);
	int r;

	if (!b)
		b = book_new(h, number);
	if (!b)
		return -ENOMEM;
	if (number > books(h)->last)
		books(h)->last = number;
	r = entry_add(b, e);
	return r ? r : list_pool_adopt(&books(h)->pool, e->list);
}

static int load_table(struct bpf_host *h, bool by_group)
{
	struct entry e = {.by_group = by_group}, next = e;
	void *at = NULL;
	int r = 0;

	for (; !r && !bpf_map_get_next_key(map_of(h, &e), at, &next.prefix); at = &e.prefix) {
		e = next;
		if (!bpf_map_lookup_elem(map_of(h, &e), &e.prefix, &e.list))
			r = load_entry(h, &e);
	}
	return r;
}

int bpf_rulebook_load(struct bpf_host *h)
{
	int r;

	list_pool_init(&books(h)->pool, (struct dp_range *)h->ranges.rows,
		       bpf_map__max_entries(h->skel->maps.ranges));
	r = load_table(h, false);
	if (!r)
		r = load_table(h, true);
	return r ? r : list_pool_adopted(&books(h)->pool);
}

void bpf_rulebook_keep(struct bpf_host *h, uint32_t number)
{
	struct bpf_rulebook *b = find(h, number);

	if (b)
		b->kept = true;
}

void bpf_rulebook_loaded(struct bpf_host *h)
{
	struct bpf_rulebook *b;

	hmap_for_each (b, &books(h)->all, node)
		if (!b->kept)
			book_erase(h, b);
}

void bpf_rulebook_unload(struct bpf_host *h)
{
	struct bpf_rulebook *b;

	reclaim(h);
	hmap_for_each (b, &books(h)->all, node) {
		free(b->entries);
		free(b);
	}
	hmap_deinit(&books(h)->all);
	list_pool_deinit(&books(h)->pool);
}
