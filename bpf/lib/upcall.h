/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handing a packet to the agent, whole: it is redirected to the upcall device with a note in its
 * MAC fields, the only place besides the packet that survives the way up and down.
 */
#pragma once

#include "bpf/lib/budget.h"
#include "bpf/lib/packet.h"

/* Says what the agent is to be asked; the entry of the program does it. */
static __always_inline int upcall(struct packet *p, __u8 kind, __u32 id, __u8 flags)
{
	p->ask_kind = kind;
	p->ask_id = id;
	p->ask_flags = p->copied ? flags | DP_NOTE_COPY : flags;
	p->ask_flags |= (__u8)((p->seal & (SEAL_CIPHERS - 1)) << DP_NOTE_SEAL_SHIFT);
	return VERDICT_UPCALL;
}

/* What a tunnel had said, in place of slot and id. */
static __always_inline void upcall_note_tunnel(struct dp_note_tunnel *note, const struct packet *p)
{
	note->format = p->in.format;
	note->src_vni[0] = (__u8)(p->from_vni >> 16);
	note->src_vni[1] = (__u8)(p->from_vni >> 8);
	note->src_vni[2] = (__u8)p->from_vni;
	note->peer[0] = (__u8)(p->ask_id >> 8);
	note->peer[1] = (__u8)p->ask_id;
}

/* Writes the note.  0, or a reason. */
static __noinline int upcall_note(struct __sk_buff *skb, const struct packet *p)
{
	struct dp_note note = {.magic = DP_NOTE_MAGIC, .kind = p->ask_kind, .flags = p->ask_flags};
	bool arrived = p->ask_kind == DP_NOTE_VERIFY || p->ask_kind == DP_NOTE_STALE ||
		       p->ask_kind == DP_NOTE_NARROW;
	bool other =
		p->ask_flags & DP_NOTE_OTHER || (p->ask_flags & DP_NOTE_TUNNEL && p->to_handle);
	__u32 vni = other ? p->to_vni : p->vni;
	__be32 id = htonl(p->ask_id);

	note.vni[0] = (__u8)(vni >> 16);
	note.vni[1] = (__u8)(vni >> 8);
	note.vni[2] = (__u8)vni;
	if (!arrived) {
		note.slot[0] = (__u8)(p->slot >> 8);
		note.slot[1] = (__u8)p->slot;
	}
	memcpy(note.id, &id, 4);
	if (arrived && p->ask_flags & DP_NOTE_TUNNEL)
		upcall_note_tunnel((struct dp_note_tunnel *)&note, p);
	return bpf_skb_store_bytes(skb, 0, &note, sizeof(note), 0) ? -DROP_REWRITE : 0;
}

/* Whether a notice about a peer may be given.  Few of each: one that does not stop sending keeps
 * nobody from learning of the others. */
static __always_inline bool upcall_notice(__u32 peer)
{
	struct dp_budget_value *b = bpf_map_lookup_elem(&notices, &peer);

	return b &&
	       budget_spend(b, bpf_ktime_get_coarse_ns() >> DP_WINDOW_SHIFT, DP_STALE_PER_WINDOW);
}

static __noinline int upcall_send(struct __sk_buff *skb, const struct packet *p)
{
	bool verify = p->ask_kind == DP_NOTE_VERIFY;
	int r;

	if (p->ask_kind == DP_NOTE_NARROW
		    ? !upcall_notice(p->ask_id)
		    : !budget_take(p->slot, verify ? DP_BUDGET_VERIFY : DP_BUDGET_UPCALL,
				   DP_UPCALLS_PER_WINDOW))
		return -DROP_UPCALL_LIMIT;
	r = upcall_note(skb, p);
	return r ? r : (int)bpf_redirect(config.upcall_ifindex, 0);
}

/* Shows the agent a packet that is going to be dropped. */
static __noinline int upcall_stale(struct __sk_buff *skb, const struct packet *p)
{
	if (!upcall_notice(p->ask_id) || upcall_note(skb, p))
		return 0;
	return (int)bpf_clone_redirect(skb, config.upcall_ifindex, 0);
}
