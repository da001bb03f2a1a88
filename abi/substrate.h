/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Substrate addresses: the one copy of the rule that turns (host locator, VNI, virtual IPv4) into
 * an IPv6 address and back, for programs and daemons alike.
 *
 *	siit/1  | organisation 32 | ver 2 = 0 | topology 30 | slot 6 | u | g | VNI 24 | IPv4 32 |
 *	siit/2  | organisation 32 | ver 2 = 2 | topology 22 | adjust 16      | VNI 24 | IPv4 32 |
 *
 * The adjust of siit/2 makes everything but the virtual IPv4 address sum to zero in ones'
 * complement, so that a transport checksum over the IPv4 addresses is right over these too.  It
 * lies across two 16-bit words: byte 7 is the low byte, byte 8 the high byte of the complement of
 * the sum of the other words; 0x0000, never 0xFFFF.  Addresses are compared byte for byte.
 *
 * Also here: what re-heading keeps of an IPv4 header outside the addresses, in the flow label, or
 * on IPv4 in the identification.
 * Addresses are 16 bytes in network order; 'v4' is in network order, 'vni' in host order.
 */
#pragma once

#include <linux/types.h>

#define SUBSTRATE_INLINE static inline __attribute__((always_inline, unused))

enum {
	SUBSTRATE_VERSION_SIIT_1 = 0, /* the two version bits */
	SUBSTRATE_VERSION_SIIT_2 = 2,
	SUBSTRATE_SIIT_1_LEN = 64, /* of a host's locator, in bits */
	SUBSTRATE_SIIT_2_LEN = 56,
	SUBSTRATE_VNI_MIN = 1,
	SUBSTRATE_VNI_MAX = 0xEFFFFF,
	/* Handles: a gateway of an edge, or an interface whatever the address.  Only as a
	 * destination's. */
	SUBSTRATE_VNI_HANDLE_MIN = 0xF00000,
	SUBSTRATE_VNI_HANDLE_MAX = 0xFFFFFE,
	SUBSTRATE_HOP_LIMIT = 64,     /* the substrate's own, never the node's */
	SUBSTRATE_OVERHEAD_SIIT = 20, /* bytes of IP that a format adds to an IPv4 packet */
	SUBSTRATE_OVERHEAD_IPIP6 = 40,
	SUBSTRATE_OVERHEAD_VXLAN_V4 = 50,
	SUBSTRATE_OVERHEAD_VXLAN_V6 = 70,
	/* What sealing adds to that: an IP header, UDP, PSP with its IV, a tag
	 * (docs/negotiation.md) */
	SUBSTRATE_OVERHEAD_SEAL_V4 = 60,
	SUBSTRATE_OVERHEAD_SEAL_V6 = 80,
	SUBSTRATE_REIP4_SEGMENTS_MAX = 255, /* of a GSO packet: substrate_reip4_id() */
	/* Of a host's range of labels (reip4), in bits.  Its first and last address are
	 * nobody's. */
	SUBSTRATE_LABELS_LEN_MIN = 16,
	SUBSTRATE_LABELS_LEN_MAX = 28,
};

SUBSTRATE_INLINE unsigned int substrate_version(const __u8 a[16])
{
	return a[4] >> 6;
}

SUBSTRATE_INLINE __u32 substrate_vni(const __u8 a[16])
{
	return (__u32)a[9] << 16 | (__u32)a[10] << 8 | a[11];
}

SUBSTRATE_INLINE __be32 substrate_v4(const __u8 a[16])
{
	__be32 v4;

	__builtin_memcpy(&v4, a + 12, 4);
	return v4;
}

SUBSTRATE_INLINE void substrate_put_tail(__u8 ret[16], __u32 vni, __be32 v4)
{
	ret[9] = (__u8)(vni >> 16);
	ret[10] = (__u8)(vni >> 8);
	ret[11] = (__u8)vni;
	__builtin_memcpy(ret + 12, &v4, 4);
}

/* 'locator' is the host's /64; 'bits' is slot << 2 | u << 1 | g. */
SUBSTRATE_INLINE void substrate_siit_1(__u8 ret[16], const __u8 locator[16], __u8 bits, __u32 vni,
				       __be32 v4)
{
	__builtin_memcpy(ret, locator, 8);
	ret[8] = bits;
	substrate_put_tail(ret, vni, v4);
}

/* The 16 bits that bring the sum of bytes 0..6 and 9..11 to zero. */
SUBSTRATE_INLINE __u16 substrate_adjust(const __u8 a[16])
{
	__u32 sum = 0;

	sum += (__u32)a[0] << 8 | a[1];
	sum += (__u32)a[2] << 8 | a[3];
	sum += (__u32)a[4] << 8 | a[5];
	sum += (__u32)a[6] << 8;
	sum += a[9];
	sum += (__u32)a[10] << 8 | a[11];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum & 0xffff;
	return sum == 0xffff ? 0 : (__u16)sum;
}

/* 'locator' is the host's /56. */
SUBSTRATE_INLINE void substrate_siit_2(__u8 ret[16], const __u8 locator[16], __u32 vni, __be32 v4)
{
	__u16 adjust;

	__builtin_memcpy(ret, locator, 7);
	substrate_put_tail(ret, vni, v4);
	adjust = substrate_adjust(ret);
	ret[7] = (__u8)adjust;
	ret[8] = (__u8)(adjust >> 8);
}

/* Whether the adjust of a siit/2 address is the one its other bytes ask for. */
SUBSTRATE_INLINE int substrate_siit_2_is_valid(const __u8 a[16])
{
	__u16 adjust = substrate_adjust(a);

	return a[7] == (__u8)adjust && a[8] == (__u8)(adjust >> 8);
}

/* The flow label of a re-headed packet: DF 1 | TTL 8 | hash of the flow 11. */
SUBSTRATE_INLINE __u32 substrate_label(int dont_fragment, __u8 ttl, __u32 hash)
{
	return (dont_fragment ? 1U << 19 : 0) | (__u32)ttl << 11 | (hash & 0x7ff);
}

SUBSTRATE_INLINE int substrate_label_df(__u32 label)
{
	return (label >> 19) & 1;
}

SUBSTRATE_INLINE __u8 substrate_label_ttl(__u32 label)
{
	return (__u8)(label >> 11);
}

/*
 * reip4: the identification of a packet with DF means nothing (RFC 6864 4.1) and carries the TTL in
 * its high byte.  Who cuts a GSO packet counts the identification up, so the low byte is left to
 * him.
 */
SUBSTRATE_INLINE __u16 substrate_reip4_id(__u8 ttl)
{
	return (__u16)(ttl << 8);
}

SUBSTRATE_INLINE __u8 substrate_reip4_ttl(__u16 id)
{
	return (__u8)(id >> 8);
}

/* Protocols whose number means something else as an IPv6 next header: never re-headed. */
SUBSTRATE_INLINE int substrate_can_rehead(__u8 protocol)
{
	if (__builtin_expect(protocol == 6 || protocol == 17, 1))
		return 1;
	switch (protocol) {
	case 0:   /* hop-by-hop options */
	case 4:   /* IPv4: would look like ipip6 */
	case 41:  /* IPv6, likewise */
	case 43:  /* routing header */
	case 44:  /* fragment header */
	case 58:  /* ICMPv6: the substrate's own errors */
	case 59:  /* no next header */
	case 60:  /* destination options */
	case 135: /* mobility */
	case 139: /* HIP */
	case 140: /* shim6 */
		return 0;
	default:
		return 1;
	}
}

/* The made-up MAC by which the nodes of network 'vni' know an address. */
SUBSTRATE_INLINE void substrate_dummy_mac_v4(__u8 ret[6], __u32 vni, __be32 v4)
{
	ret[0] = 0x06; /* locally administered, unicast */
	ret[1] = (__u8)(vni ^ vni >> 8 ^ vni >> 16);
	__builtin_memcpy(ret + 2, &v4, 4);
}

SUBSTRATE_INLINE void substrate_dummy_mac_v6(__u8 ret[6], __u32 vni, const __u8 v6[16])
{
	__u64 high, low;

	__builtin_memcpy(&high, v6, 8);
	__builtin_memcpy(&low, v6 + 8, 8);
	low = (low ^ high * 0x9E3779B97F4A7C15ULL ^ vni) * 0xFF51AFD7ED558CCDULL;
	low ^= low >> 29;
	ret[0] = 0x0e; /* as above, and never one of IPv4's */
	ret[1] = (__u8)(low >> 32);
	ret[2] = (__u8)(low >> 24);
	ret[3] = (__u8)(low >> 16);
	ret[4] = (__u8)(low >> 8);
	ret[5] = (__u8)low;
}
