/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups and network ACLs compiled to look-ups (abi/maps.h: policy): pure functions on the
 * contract's rules.
 *
 * Concept.  What a packet is about is one number, its *subject*.  A compiled policy has one *list*
 * of allowed subjects for each prefix or group that any rule names; that of a prefix holds what all
 * rules allow whose prefix covers it, so that the longest match is all there is to look at.
 *
 * Ownership: a policy is the caller's, freed by policy_deinit(); arguments are borrowed.  One
 * thread.  Errors: -ENOMEM; -EINVAL: a rule that contradicts itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "datapath/datapath.h"
#include "datapath/ranges.h"

struct policy_entry {
	bool egress;
	uint32_t group;       /* 0: 'prefix' */
	struct prefix prefix; /* of one family: covers no address of the other */
	struct ranges allowed;
};

struct policy {
	size_t n;
	struct policy_entry *entries; /* no two for the same direction and other end */
};

void policy_deinit(struct policy *p);
static inline void policy_deinit_cleanup(struct policy *p)
{
	policy_deinit(p);
}

/* What a packet is about; 'port' is the destination's, or type << 8 | code of ICMP and ICMPv6. */
uint32_t policy_subject(uint8_t protocol, uint16_t port);

/* -EINVAL for a protocol above DP_PROTOCOL_ANY, ports upside down, or a prefix of no length that
 * exists. */
must_check int policy_check_rule(const struct dp_rule *rule);
must_check int policy_check_entry(const struct dp_acl_entry *entry);

/* What the groups allow together. */
must_check int policy_compile_groups(const struct dp_group *const *groups, size_t n,
				     struct policy *ret);
must_check int policy_compile_acl(const struct dp_acl *acl, struct policy *ret);

/* Whether a policy has rules of a direction that name groups. */
bool policy_names_groups(const struct policy *p, bool egress);
/* Whether everything is allowed in a direction, whoever the other end is. */
bool policy_allows_all(const struct policy *p, bool egress);
/* The answer as the programs find it: by the address, then by the other end's groups. */
bool policy_allows(const struct policy *p, bool egress, const struct ipaddr *remote,
		   const uint32_t *groups, size_t n_groups, uint32_t subject);

/* The same said by the rules themselves, one by one; what the above must agree with. */
bool policy_groups_allow(const struct dp_group *const *groups, size_t n, bool egress,
			 const struct ipaddr *remote, const uint32_t *remote_groups,
			 size_t n_remote_groups, uint32_t subject);
bool policy_acl_allows(const struct dp_acl *acl, bool egress, const struct ipaddr *remote,
		       uint32_t subject);
