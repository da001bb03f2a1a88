/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The option of geneve/1 and geneve/2 (abi/geneve.h), written and read as tunnel metadata.
 */
#pragma once

#include "abi/geneve.h"
#include "bpf/lib/packet.h"

union geneve_any {
	struct geneve_option head;
	struct geneve_option_1 v1;
	struct geneve_option_2 v2;
};

static __always_inline void geneve_put_head(struct geneve_option *h, __u8 version, __u8 size)
{
	h->class[0] = GENEVE_OPTION_CLASS >> 8;
	h->class[1] = GENEVE_OPTION_CLASS & 0xff;
	h->type = version;
	h->length = (__u8)((size - sizeof(*h)) / 4);
}

static __always_inline void geneve_put_vni(__u8 ret[3], __u32 vni)
{
	ret[0] = (__u8)(vni >> 16);
	ret[1] = (__u8)(vni >> 8);
	ret[2] = (__u8)vni;
}

static __always_inline __u32 geneve_get_vni(const __u8 b[3])
{
	return (__u32)b[0] << 16 | (__u32)b[1] << 8 | b[2];
}

/* 'row' is of the peer, or of its variant, whose choice this is: 0, or an error of the kernel's. */
static __noinline int geneve_write(struct __sk_buff *skb, __u32 format, __u32 from_vni, __u32 row)
{
	const __u64 *decided = bpf_map_lookup_elem(&policies, &row);
	__u64 policy = decided ? *decided : 0;
	union geneve_any o = {};
	__be64 all = bpf_cpu_to_be64(policy);
	__be32 lower = htonl((__u32)policy);

	if (format == FORMAT_GENEVE_1) {
		geneve_put_head(&o.head, 1, sizeof(o.v1));
		o.v1.version = 1;
		geneve_put_vni(o.v1.src_vni, from_vni);
		memcpy(o.v1.policy, &lower, sizeof(lower));
		return (int)bpf_skb_set_tunnel_opt(skb, &o, sizeof(o.v1));
	}
	geneve_put_head(&o.head, 2, sizeof(o.v2));
	o.v2.version = 2;
	geneve_put_vni(o.v2.src_vni, from_vni);
	memcpy(o.v2.policy, &all, sizeof(all));
	return (int)bpf_skb_set_tunnel_opt(skb, &o, sizeof(o.v2));
}

/* The version that a packet says it is, if it is that in fact: 0 with the format and the source's
 * VNI, or a reason. */
static __noinline int geneve_read(struct __sk_buff *skb, struct packet *p)
{
	union geneve_any o = {};
	long size = bpf_skb_get_tunnel_opt(skb, &o, sizeof(o));

	if (!p || size < (long)sizeof(o.head) || o.head.class[0] != GENEVE_OPTION_CLASS >> 8 ||
	    o.head.class[1] != (GENEVE_OPTION_CLASS & 0xff) ||
	    size != (long)sizeof(o.head) + (long)o.head.length * 4)
		return -DROP_STATEMENT;
	if (o.head.type == 1 && size == sizeof(o.v1) && o.v1.version == 1) {
		p->in.format = FORMAT_GENEVE_1;
		p->in.src_vni = geneve_get_vni(o.v1.src_vni);
		return 0;
	}
	if (o.head.type == 2 && size == sizeof(o.v2) && o.v2.version == 2) {
		p->in.format = FORMAT_GENEVE_2;
		p->in.src_vni = geneve_get_vni(o.v2.src_vni);
		return 0;
	}
	return -DROP_STATEMENT;
}
