/* SPDX-License-Identifier: Apache-2.0 */
/* Network ACLs: the rulebook of each number.  A subnet whose ACL is not set lets nothing pass. */
#include "datapath/bpf_policy.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "datapath/bpf_skel.h"

static int table(const struct bpf_host *h)
{
	return bpf_map__fd(h->skel->maps.acls);
}

int bpf_acl_set(struct datapath *dp, const struct dp_acl *acl)
{
	_cleanup_(policy_deinit_cleanup) struct policy policy = {};
	struct bpf_host *h = bpf_host_of(dp);
	uint32_t was = 0, number = 0, word;
	int r = 0;

	if (!acl->number || acl->n_entries > DP_ACL_ENTRIES_MAX)
		return -EINVAL;
	for (size_t i = 0; !r && i < acl->n_entries; i++)
		r = policy_check_entry(&acl->entries[i]);
	if (!r)
		r = policy_compile_acl(acl, &policy);
	if (!r)
		r = bpf_rulebook_write(h, &policy, &number);
	if (r)
		return r;
	word = number << DP_RULEBOOK_SHIFT | (uint32_t)policy_allows_all(&policy, true) << 1 |
	       (uint32_t)policy_allows_all(&policy, false);
	(void)bpf_map_lookup_elem(table(h), &acl->number, &was);
	r = bpf_map_update_elem(table(h), &acl->number, &word, BPF_ANY);
	bpf_host_bump_epoch(h);
	bpf_rulebook_retire(h, (r ? word : was) >> DP_RULEBOOK_SHIFT);
	return bpf_host_error(r);
}

int bpf_acl_delete(struct datapath *dp, uint32_t number)
{
	struct bpf_host *h = bpf_host_of(dp);
	uint32_t was;

	if (bpf_map_lookup_elem(table(h), &number, &was))
		return -ENOENT;
	bpf_map_delete_elem(table(h), &number);
	bpf_host_bump_epoch(h);
	bpf_rulebook_retire(h, was >> DP_RULEBOOK_SHIFT);
	return 0;
}

int bpf_acls(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg)
{
	struct bpf_host *h = bpf_host_of(dp);
	uint32_t key, next;
	void *at = NULL;
	int r = 0;

	for (; !r && !bpf_map_get_next_key(table(h), at, &next); at = &key) {
		key = next;
		r = fn(key, arg);
	}
	return r;
}

static int keep(uint32_t number, void *arg)
{
	struct bpf_host *h = arg;
	uint32_t word;

	if (!bpf_map_lookup_elem(table(h), &number, &word))
		bpf_rulebook_keep(h, word >> DP_RULEBOOK_SHIFT);
	return 0;
}

int bpf_acl_load(struct bpf_host *h)
{
	return bpf_acls(&h->base, keep, h);
}
