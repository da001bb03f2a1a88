/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the BPF back-end: security groups, identities and ACLs, and the rulebooks that they are
 * compiled to (abi/maps.h: policy).
 *
 * A rulebook is written whole, named by one word, and when that word has changed, retired: its
 * entries go once no program that has read the old word still runs.
 *
 * After an adoption the rulebooks are there, the rules that they were made from are not: a group is
 * *known* once it has been set again, and a set of groups is compiled anew only when all are.
 */
#pragma once

#include "base/hmap.h"
#include "datapath/bpf_host.h"
#include "datapath/list_pool.h"
#include "datapath/policy.h"

/* ---- bpf_rulebook.c ---- */

struct bpf_rulebook;

struct bpf_rulebooks {
	struct list_pool pool;
	struct hmap all; /* by number */
	uint32_t last;   /* number that was given out */
	struct bpf_rulebook *retired;
	size_t n_retired;
};

/* Finds what is in the tables; then those that are named are kept, and the others go: they were
 * being written when the agent ended. */
must_check int bpf_rulebook_load(struct bpf_host *h);
void bpf_rulebook_keep(struct bpf_host *h, uint32_t number);
void bpf_rulebook_loaded(struct bpf_host *h);
void bpf_rulebook_unload(struct bpf_host *h);
/* Writes a new one; '*ret' is its number. */
must_check int bpf_rulebook_write(struct bpf_host *h, const struct policy *policy, uint32_t *ret);
/* Nothing names it any more.  0 is none. */
void bpf_rulebook_retire(struct bpf_host *h, uint32_t number);

/* ---- bpf_identity.c ---- */

struct bpf_identity {
	struct hmap_node node; /* by groups */
	uint32_t id;
	uint32_t n;
	uint32_t groups[DP_GROUPS_MAX];
	uint32_t n_ports; /* that have it: while any has, there is a rulebook */
	bool carried;     /* while sweeping: by a mapping */
	bool dirty;       /* not compiled, because a group of it is not known again yet */
};

struct bpf_group {
	struct hmap_node node; /* by number */
	struct dp_group dp;    /* owns the rules */
	bool known;
	uint64_t fingerprint;
};

struct bpf_policy {
	struct bpf_rulebooks rulebooks;
	struct hmap identities, groups;
	struct bpf_identity *by_id[DP_IDENTITIES_MAX];
	uint32_t last_identity; /* that was given out */
};

must_check int bpf_identity_load(struct bpf_host *h);
void bpf_identity_unload(struct bpf_host *h);
/* The number of a set of groups; 0 for none.  -EINVAL: too many, or not ascending. */
must_check int bpf_identity_get(struct bpf_host *h, const uint32_t *groups, uint32_t n,
				uint32_t *ret);
/* The groups of an identity: their number, and them in 'ret'. */
uint32_t bpf_identity_groups(const struct bpf_host *h, uint32_t id, uint32_t ret[DP_GROUPS_MAX]);
/* A port has it, or has it no more. */
must_check int bpf_identity_use(struct bpf_host *h, uint32_t id);
void bpf_identity_leave(struct bpf_host *h, uint32_t id);

/* ---- bpf_group.c ---- */

must_check int bpf_group_load(struct bpf_host *h);
void bpf_group_unload(struct bpf_host *h);
/* Makes the rulebook of an identity from the groups as they are now: '*ret' is the word that names
 * it. 1: not now, a group is not known yet. */
must_check int bpf_group_compile(struct bpf_host *h, const struct bpf_identity *i, uint32_t *ret);
int bpf_group_set(struct datapath *dp, const struct dp_group *group);
int bpf_group_delete(struct datapath *dp, uint32_t number);
int bpf_groups(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg);

/* ---- bpf_acl.c ---- */

int bpf_acl_set(struct datapath *dp, const struct dp_acl *acl);
int bpf_acl_delete(struct datapath *dp, uint32_t number);
int bpf_acls(struct datapath *dp, int (*fn)(uint32_t number, void *), void *arg);
must_check int bpf_acl_load(struct bpf_host *h); /* keeps their rulebooks */
