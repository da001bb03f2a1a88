/* SPDX-License-Identifier: Apache-2.0 */
/* Security groups: their rules, and the rulebooks of the sets of groups that ports are in. */
#include "datapath/bpf_policy.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "base/hash.h"
#include "datapath/bpf_skel.h"

static int table(const struct bpf_host *h)
{
	return bpf_map__fd(h->skel->maps.groups);
}

static struct bpf_group *bpf_group_find(const struct bpf_host *h, uint32_t number)
{
	struct bpf_group *g;

	hmap_for_each_at (g, &h->policy->groups, hash_u64(number), node)
		if (g->dp.number == number)
			return g;
	return NULL;
}

static struct bpf_group *group_new(struct bpf_host *h, uint32_t number)
{
	struct bpf_group *g = calloc(1, sizeof(*g));

	if (g) {
		g->dp.number = number;
		hmap_insert(&h->policy->groups, &g->node, hash_u64(number));
	}
	return g;
}

static void group_free(struct bpf_host *h, struct bpf_group *g)
{
	hmap_remove(&h->policy->groups, &g->node);
	free((void *)g->dp.rules);
	free(g);
}

/* The same rules have the same fingerprint in every process: the key is no secret here. */
static uint64_t fingerprint(const struct dp_group *group)
{
	uint64_t f = group->n_rules;

	for (size_t i = 0; i < group->n_rules; i++) {
		const struct dp_rule *r = &group->rules[i];
		uint8_t bytes[28] = {r->egress,
				     (uint8_t)(r->protocol >> 8),
				     (uint8_t)r->protocol,
				     (uint8_t)(r->from >> 8),
				     (uint8_t)r->from,
				     (uint8_t)(r->to >> 8),
				     (uint8_t)r->to,
				     r->prefix.len,
				     (uint8_t)(r->group >> 24),
				     (uint8_t)(r->group >> 16),
				     (uint8_t)(r->group >> 8),
				     (uint8_t)r->group};

		memcpy(bytes + 12, r->prefix.addr.b, 16);
		f = hash_siphash13(f, i, bytes, sizeof(bytes));
	}
	return f;
}

/* ---- compiling ---- */

/* The groups of an identity that are set: their number, or -EAGAIN when one is not known yet. */
static int members(const struct bpf_host *h, const struct bpf_identity *i,
		   const struct dp_group *ret[DP_GROUPS_MAX])
{
	int n = 0;

	for (uint32_t k = 0; k < i->n; k++) {
		const struct bpf_group *g = bpf_group_find(h, i->groups[k]);

		if (g && !g->known)
			return -EAGAIN;
		if (g)
			ret[n++] = &g->dp;
	}
	return n;
}

int bpf_group_compile(struct bpf_host *h, const struct bpf_identity *i, uint32_t *ret)
{
	_cleanup_(policy_deinit_cleanup) struct policy policy = {};
	const struct dp_group *groups[DP_GROUPS_MAX];
	int n = members(h, i, groups), r;
	uint32_t number = 0;

	if (n == -EAGAIN)
		return 1;
	r = policy_compile_groups(groups, (size_t)n, &policy);
	if (!r)
		r = bpf_rulebook_write(h, &policy, &number);
	if (r)
		return r;
	*ret = number << DP_RULEBOOK_SHIFT | (uint32_t)policy_names_groups(&policy, true) << 1 |
	       (uint32_t)policy_names_groups(&policy, false);
	return 0;
}

/* ---- changing ---- */

static bool has_group(const struct bpf_identity *i, uint32_t number)
{
	for (uint32_t k = 0; k < i->n; k++)
		if (i->groups[k] == number)
			return true;
	return false;
}

/* An identity whose rulebook changes. */
struct change {
	struct bpf_identity *identity;
	uint32_t word;
};

static void changes_undo(struct bpf_host *h, const struct change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bpf_rulebook_retire(h, changes[i].word >> DP_RULEBOOK_SHIFT);
}

static void changes_apply(struct bpf_host *h, const struct change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct dp_identity_value *v =
			bpf_array_row(&h->identities, changes[i].identity->id);
		uint32_t was = __atomic_exchange_n(&v->rulebook, changes[i].word, __ATOMIC_RELEASE);

		changes[i].identity->dirty = false;
		bpf_rulebook_retire(h, was >> DP_RULEBOOK_SHIFT);
	}
}

/* Makes the rulebooks of all ports that are in the group, and only then names them.  'only_dirty':
 * the rules are those that the rulebooks were made from. */
static int recompile(struct bpf_host *h, uint32_t number, bool only_dirty)
{
	_cleanup_free_ struct change *changes =
		calloc(hmap_count(&h->policy->identities) + 1, sizeof(*changes));
	struct bpf_identity *i;
	size_t n = 0;
	int r;

	if (!changes)
		return -ENOMEM;
	hmap_for_each (i, &h->policy->identities, node) {
		if (!has_group(i, number) || !i->n_ports || (only_dirty && !i->dirty))
			continue;
		r = bpf_group_compile(h, i, &changes[n].word);
		if (r < 0) {
			changes_undo(h, changes, n);
			return r;
		}
		if (r)
			i->dirty = true; /* when the other groups are known */
		else
			changes[n++].identity = i;
	}
	changes_apply(h, changes, n);
	return 0;
}

static int copy_rules(const struct dp_group *group, const struct dp_rule **ret)
{
	struct dp_rule *rules = calloc(group->n_rules + 1, sizeof(*rules));

	if (!rules)
		return -ENOMEM;
	for (size_t i = 0; i < group->n_rules; i++) {
		int r = policy_check_rule(&group->rules[i]);

		if (r) {
			free(rules);
			return r;
		}
		rules[i] = group->rules[i];
	}
	*ret = rules;
	return 0;
}

/* Puts the new rules in the place of the old ones, which come back with the next call. */
static void exchange(struct bpf_group *g, struct dp_group *dp, uint64_t *print)
{
	struct dp_group was = g->dp;
	uint64_t had = g->fingerprint;

	g->dp = *dp;
	g->fingerprint = *print;
	*dp = was;
	*print = had;
}

int bpf_group_set(struct datapath *dp, const struct dp_group *group)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct bpf_group *g = bpf_group_find(h, group->number);
	struct dp_group own = {.number = group->number, .n_rules = group->n_rules};
	uint64_t print = fingerprint(group);
	bool is_new = !g, was_known = g && g->known, same = g && g->fingerprint == print;
	int r;

	if (!group->number)
		return -EINVAL;
	if (was_known && same)
		return 0;
	r = copy_rules(group, &own.rules);
	if (r)
		return r;
	r = bpf_host_error(bpf_map_update_elem(table(h), &group->number, &print, BPF_ANY));
	if (!r && is_new) {
		g = group_new(h, group->number);
		r = g ? 0 : -ENOMEM;
	}
	if (r) {
		free((void *)own.rules);
		return r;
	}
	exchange(g, &own, &print);
	g->known = true;
	r = recompile(h, group->number, same);
	if (r) {
		exchange(g, &own, &print);
		g->known = was_known;
		bpf_map_update_elem(table(h), &group->number, &print, BPF_ANY);
	}
	free((void *)own.rules);
	if (r && is_new) {
		bpf_map_delete_elem(table(h), &group->number);
		group_free(h, g);
	}
	return r;
}

int bpf_group_delete(struct datapath *dp, uint32_t number)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct bpf_group *g = bpf_group_find(h, number);

	if (!g)
		return -ENOENT;
	bpf_map_delete_elem(table(h), &number);
	group_free(h, g);
	return recompile(h, number, false);
}

int bpf_groups(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct bpf_group *g;
	int r = 0;

	hmap_for_each (g, &h->policy->groups, node) {
		r = fn(g->dp.number, arg);
		if (r)
			return r;
	}
	return 0;
}

/* ---- adopting ---- */

int bpf_group_load(struct bpf_host *h)
{
	uint32_t key, next;
	void *at = NULL;

	for (; !bpf_map_get_next_key(table(h), at, &next); at = &key) {
		struct bpf_group *g;

		key = next;
		g = group_new(h, key);
		if (!g)
			return -ENOMEM;
		if (bpf_map_lookup_elem(table(h), &key, &g->fingerprint))
			return -errno;
	}
	return 0;
}

void bpf_group_unload(struct bpf_host *h)
{
	struct bpf_group *g;

	hmap_for_each (g, &h->policy->groups, node) {
		free((void *)g->dp.rules);
		free(g);
	}
	hmap_deinit(&h->policy->groups);
}
