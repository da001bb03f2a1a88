/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's interface: headers that every program needs, and the few constants that the C
 * library's headers keep where a program cannot include them.  Not about this project.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

typedef _Bool bool;
enum { false, true };

enum {
	AF_INET = 2, /* sys/socket.h */
	AF_INET6 = 10,
	IP_DF = 0x4000, /* netinet/ip.h */
	IP_MF = 0x2000,
	IP_OFFSET = 0x1fff,
	IPPROTO_IPIP6 = 41, /* IPv6 inside */
	ARPHRD_ETHER = 1,   /* linux/if_arp.h */
	ARPOP_REQUEST = 1,
	ARPOP_REPLY = 2,
};

/* linux/icmp.h */
enum {
	ICMP_ECHOREPLY = 0,
	ICMP_DEST_UNREACH = 3,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETERPROB = 12,
	ICMP_TIMESTAMP = 13,
	ICMP_TIMESTAMPREPLY = 14,
	ICMP_NET_UNREACH = 0,
	ICMP_HOST_UNREACH = 1,
	ICMP_PROT_UNREACH = 2,
	ICMP_PORT_UNREACH = 3,
	ICMP_FRAG_NEEDED = 4,
	ICMP_HOST_ANO = 10,
	ICMP_EXC_TTL = 0,
};

struct icmphdr {
	__u8 type;
	__u8 code;
	__sum16 checksum;
	union {
		__be32 word;
		struct {
			__be16 pad;
			__be16 mtu;
		} frag;
	} un;
};

#define htons(x) bpf_htons(x)
#define ntohs(x) bpf_ntohs(x)
#define htonl(x) bpf_htonl(x)
#define ntohl(x) bpf_ntohl(x)

#define memcpy(d, s, n) __builtin_memcpy(d, s, n)
#define memset(d, c, n) __builtin_memset(d, c, n)

#define barrier() asm volatile("" ::: "memory")

/* A function that the verifier looks at once, by itself, and not again for each way that leads to
 * it.  It knows nothing of its arguments: a pointer to memory may be NULL. */
#define __judged_once __attribute__((noinline, used))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

static __always_inline void *packet_data(const struct __sk_buff *skb)
{
	return (void *)(long)skb->data;
}

static __always_inline void *packet_end(const struct __sk_buff *skb)
{
	return (void *)(long)skb->data_end;
}

/* Compares in words: the compiler makes no memcmp() calls in BPF. */
static __always_inline bool equal_16(const void *a, const void *b)
{
	const __u64 *x = a, *y = b;

	return x[0] == y[0] && x[1] == y[1];
}

static __always_inline bool equal_6(const void *a, const void *b)
{
	const __u16 *x = a, *y = b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2];
}

static __always_inline bool equal_12(const void *a, const void *b)
{
	return *(const __u64 *)a == *(const __u64 *)b &&
	       *(const __u32 *)(a + 8) == *(const __u32 *)(b + 8);
}

/* Eight bytes as they are in memory at this moment, and one of them. */
static __always_inline __u64 word_at(const void *at)
{
	return *(const volatile __u64 *)at;
}

static __always_inline __u8 word_byte(__u64 word, __u32 i)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (__u8)(word >> 8 * i);
#else
	return (__u8)(word >> 8 * (7 - i));
#endif
}

/* Copies in words: what the compiler takes for bytes, it copies byte by byte. */
static __always_inline void copy_12(void *to, const void *from)
{
	__u64 *d = to;
	const __u64 *s = from;

	d[0] = s[0];
	*(__u32 *)(d + 1) = *(const __u32 *)(s + 1);
}

static __always_inline void copy_16(void *to, const void *from)
{
	__u64 *d = to;
	const __u64 *s = from;

	d[0] = s[0];
	d[1] = s[1];
}
