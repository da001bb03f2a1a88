/* SPDX-License-Identifier: GPL-2.0-only */
/* What a rulebook allows (abi/maps.h: policy). */
#pragma once

#include "bpf/lib/packet.h"

enum { RULEBOOK_STEPS = 13 }; /* 2^12 ranges of a list, halved until none is left */

/* Whether a list has the subject. */
__judged_once int list_has(__u32 first, __u32 n, __u32 subject)
{
	for (int i = 0; i < RULEBOOK_STEPS && n; i++) {
		__u32 half = n / 2, at = first + half;
		const struct dp_range *r = bpf_map_lookup_elem(&ranges, &at);

		if (!r)
			return false;
		if (subject < r->from) {
			n = half;
		} else if (subject > r->to) {
			first = at + 1;
			n -= half + 1;
		} else {
			return true;
		}
	}
	return false;
}

static __always_inline bool rulebook_is_v4(const __u8 addr[16])
{
	const __u32 *w = (const __u32 *)addr;

	return !w[0] && !w[1] && w[2] == htonl(0xffff);
}

/* The list for the other end of a packet by its address, n << 32 | first; 0: there is none. */
__judged_once __u64 rulebook_by_prefix(const struct packet *p, __u32 word, __u32 egress)
{
	const __u8 *remote;
	const struct dp_list *list;
	struct dp_prefix_key key = {
		.len = 32 + 128,
	};

	if (!p)
		return 0;
	remote = egress ? p->dst : p->src;
	key.scope = htonl((word & ~DP_RULEBOOK_BITS) | (rulebook_is_v4(remote) ? 0 : 2) |
			  (egress ? 1 : 0));
	memcpy(key.addr, remote, 16);
	list = bpf_map_lookup_elem(&lists_by_prefix, &key);
	return list ? (__u64)list->n << 32 | list->first : 0;
}

/* Whether rules about the groups that the other end is in allow it. */
__judged_once int rulebook_by_group(__u32 scope, __u32 identity, __u32 subject)
{
	const struct dp_identity_value *v = bpf_map_lookup_elem(&identities, &identity);
	struct dp_group_key key = {.scope = scope};
	const struct dp_list *list;

	if (!v)
		return false;
	for (__u32 i = 0; i < 16 && i < v->n; i++) {
		key.group = v->groups[i];
		list = bpf_map_lookup_elem(&lists_by_group, &key);
		if (list && list_has(list->first, list->n, subject))
			return true;
	}
	return false;
}

/* Whether the groups whose rulebook 'word' names allow to begin it. */
static __always_inline bool rulebook_allows(const struct packet *p, __u32 word, bool egress,
					    __u32 identity)
{
	__u64 list = rulebook_by_prefix(p, word, egress);
	__u32 subject = p->tuple.subject;

	if (list_has((__u32)list, (__u32)(list >> 32), subject))
		return true;
	if (!identity || !(word >> egress & 1))
		return false;
	return rulebook_by_group((word & ~DP_RULEBOOK_BITS) | (egress ? 1 : 0), identity, subject);
}
