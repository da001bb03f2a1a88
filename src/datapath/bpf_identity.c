/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities: each distinct set of security groups has a number.  Numbers are given out in turn,
 * and when none is left, those that no port and no mapping carries are free again.
 */
#include "datapath/bpf_policy.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "base/hash.h"
#include "datapath/bpf_skel.h"

static struct dp_identity_value *row(const struct bpf_host *h, uint32_t id)
{
	return bpf_array_row(&h->identities, id);
}

static uint64_t hash_of(const uint32_t *groups, uint32_t n)
{
	return hash_bytes(groups, n * sizeof(*groups));
}

static struct bpf_identity *find(const struct bpf_host *h, const uint32_t *groups, uint32_t n)
{
	struct bpf_identity *i;

	hmap_for_each_at (i, &h->policy->identities, hash_of(groups, n), node)
		if (i->n == n && !memcmp(i->groups, groups, n * sizeof(*groups)))
			return i;
	return NULL;
}

static int add(struct bpf_host *h, uint32_t id, const uint32_t *groups, uint32_t n)
{
	struct bpf_identity *i = calloc(1, sizeof(*i));

	if (!i)
		return -ENOMEM;
	i->id = id;
	i->n = n;
	memcpy(i->groups, groups, n * sizeof(*groups));
	hmap_insert(&h->policy->identities, &i->node, hash_of(groups, n));
	h->policy->by_id[id] = i;
	return 0;
}

static void drop(struct bpf_host *h, struct bpf_identity *i)
{
	memset(row(h, i->id), 0, sizeof(struct dp_identity_value));
	h->policy->by_id[i->id] = NULL;
	hmap_remove(&h->policy->identities, &i->node);
	free(i);
}

/* ---- numbers ---- */

static int mark(const struct dp_mapping *mapping, void *arg)
{
	const struct bpf_host *h = arg;
	struct bpf_identity *i = find(h, mapping->groups, mapping->n_groups);

	if (i)
		i->carried = true;
	return 0;
}

/* Frees what nothing carries.  A walk over all mappings, which is why it is rare: there are many
 * more numbers than networks have sets of groups. */
static void sweep(struct bpf_host *h)
{
	struct bpf_identity *i;

	bpf_mappings(&h->base, mark, h);
	hmap_for_each (i, &h->policy->identities, node) {
		if (!i->carried && !i->n_ports)
			drop(h, i);
		else
			i->carried = false;
	}
}

static int number_new(struct bpf_host *h, uint32_t *ret)
{
	struct bpf_policy *p = h->policy;

	if (hmap_count(&p->identities) >= DP_IDENTITIES_MAX - 1)
		sweep(h);
	if (hmap_count(&p->identities) >= DP_IDENTITIES_MAX - 1)
		return -ENOSPC;
	do
		p->last_identity = (p->last_identity + 1) % DP_IDENTITIES_MAX;
	while (!p->last_identity || p->by_id[p->last_identity]);
	*ret = p->last_identity;
	return 0;
}

static bool is_ascending(const uint32_t *groups, uint32_t n)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < n; last = groups[i++])
		if (groups[i] <= last)
			return false;
	return true;
}

int bpf_identity_get(struct bpf_host *h, const uint32_t *groups, uint32_t n, uint32_t *ret)
{
	struct dp_identity_value value = {.n = n};
	struct bpf_identity *i;
	uint32_t id;
	int r;

	if (n > DP_GROUPS_MAX || !is_ascending(groups, n))
		return -EINVAL;
	i = n ? find(h, groups, n) : NULL;
	if (!n || i) {
		*ret = i ? i->id : 0;
		return 0;
	}
	r = number_new(h, &id);
	if (!r)
		r = add(h, id, groups, n);
	if (r)
		return r;
	memcpy(value.groups, groups, n * sizeof(*groups));
	*row(h, id) = value;
	*ret = id;
	return 0;
}

uint32_t bpf_identity_groups(const struct bpf_host *h, uint32_t id, uint32_t ret[DP_GROUPS_MAX])
{
	const struct bpf_identity *i = id < DP_IDENTITIES_MAX ? h->policy->by_id[id] : NULL;

	if (!i)
		return 0;
	memcpy(ret, i->groups, i->n * sizeof(*ret));
	return i->n;
}

/* ---- ports ---- */

int bpf_identity_use(struct bpf_host *h, uint32_t id)
{
	struct bpf_identity *i = h->policy->by_id[id];
	uint32_t word = 0;
	int r;

	if (!i || i->n_ports++)
		return 0;
	if (row(h, id)->rulebook) /* from before an adoption */
		return 0;
	r = bpf_group_compile(h, i, &word);
	if (r < 0) {
		i->n_ports--;
		return r;
	}
	i->dirty = r;
	__atomic_store_n(&row(h, id)->rulebook, word, __ATOMIC_RELEASE);
	return 0;
}

void bpf_identity_leave(struct bpf_host *h, uint32_t id)
{
	struct bpf_identity *i = h->policy->by_id[id];
	uint32_t word;

	if (!i || --i->n_ports)
		return;
	word = __atomic_exchange_n(&row(h, id)->rulebook, 0, __ATOMIC_RELEASE);
	bpf_rulebook_retire(h, word >> DP_RULEBOOK_SHIFT);
	i->dirty = false;
}

/* ---- adopting ---- */

int bpf_identity_load(struct bpf_host *h)
{
	int r = 0;

	for (uint32_t id = 1; !r && id < DP_IDENTITIES_MAX; id++) {
		const struct dp_identity_value *v = row(h, id);

		if (!v->n || v->n > DP_GROUPS_MAX)
			continue;
		r = add(h, id, v->groups, v->n);
		if (!r && v->rulebook)
			bpf_rulebook_keep(h, v->rulebook >> DP_RULEBOOK_SHIFT);
	}
	return r;
}

void bpf_identity_unload(struct bpf_host *h)
{
	struct bpf_identity *i;

	hmap_for_each (i, &h->policy->identities, node)
		free(i);
	hmap_deinit(&h->policy->identities);
}
