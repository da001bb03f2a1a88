/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets on their way to the sealing worker and back (abi/seal.h).  A peer whose traffic is sealed
 * has a next hop of its own: the sealing device, with the note as its MACs; so what is re-headed
 * needs nothing here on its way out.  What a tunnel would carry goes there as it is.
 */
#pragma once

#include "bpf/lib/packet.h"

/* In another version of a format that is accepted, or in none of them. */
static __always_inline int format_refusal(__u32 accept, __u8 format)
{
	return accept & FORMAT_VERSIONS(format) ? -DROP_FORMAT_VERSION : -DROP_FORMAT;
}

/* Whether a packet with this 'seal' (enum seal_cipher, SEAL_NOTE_LZ4) in this format was chosen: 0,
 * or a reason. */
static __always_inline int seal_check(__u32 accept, __u8 seal, __u8 format)
{
	__u32 sealed = accept >> SEAL_ACCEPT_SHIFT;
	__u8 bits = (__u8)(accept >> (seal & (SEAL_CIPHERS - 1)) * SEAL_ACCEPT_SHIFT);

	if (!(config.formats & FORMAT_BIT(format)))
		return -DROP_FORMAT;
	if (likely(bits & FORMAT_BIT(format) &&
		   (!(seal & SEAL_NOTE_LZ4) || bits & SEAL_ACCEPT_LZ4)))
		return 0;
	if (seal)
		return bits & ~SEAL_ACCEPT_LZ4 && !(bits & FORMAT_BIT(format))
			       ? format_refusal(bits, format)
			       : -DROP_SEALED;
	sealed |= sealed >> SEAL_ACCEPT_SHIFT | sealed >> 2 * SEAL_ACCEPT_SHIFT;
	return sealed & FORMAT_BIT(format) ? -DROP_PLAIN : format_refusal(bits, format);
}

/* What vxlan carries, to the worker, which writes its headers. */
static __always_inline int seal_tunnel(struct __sk_buff *skb, __u32 peer, __u32 vni, __u8 tos)
{
	struct seal_note note = {
		.magic = SEAL_NOTE_MAGIC,
		.kind = SEAL_NOTE_TUNNEL,
		.vni = {(__u8)(vni >> 16), (__u8)(vni >> 8), (__u8)vni},
		.tos = tos,
	};
	__be32 id = htonl(peer);

	memcpy(note.id, &id, 4);
	if (bpf_skb_store_bytes(skb, 0, &note, sizeof(note), 0))
		return -DROP_REWRITE;
	return (int)bpf_redirect(config.seal_ifindex, 0);
}
