/* SPDX-License-Identifier: Apache-2.0 */
#include "tap.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/uio.h>
#include <cmocka.h>

#include "datapath/bpf_host.h"
#include "net/csum.h"
#include "net/rtnl.h"

enum { WAIT_MS = 2000, TCP = 6 };

void tap_open(struct lab *lab, int host, const char *name, struct tap *ret)
{
	struct rtnl_link link;
	struct rtnl *rtnl;

	lab_enter(lab, lab->hosts[host].netns);
	assert_int_equal(bpf_upcall_open(name, &ret->fd, &ret->uso), 0);
	assert_int_equal(rtnl_open(&rtnl), 0);
	assert_int_equal(rtnl_link_find(rtnl, name, &link), 0);
	assert_int_equal(rtnl_link_set_up(rtnl, link.ifindex, true), 0);
	rtnl_close(rtnl);
	ret->ifindex = link.ifindex;
	ret->mac = link.mac;
	lab_enter(lab, -1);
}

static void put_u16(uint8_t *b, size_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

bool tap_is_ipv4(const struct tap_packet *p)
{
	return p->b[12] == 8 && p->b[13] == 0;
}

size_t tap_l4_size(uint8_t protocol)
{
	return protocol == TCP ? 20 : 8;
}

size_t tap_checksum_field(uint8_t protocol)
{
	return protocol == TCP ? 16 : 6;
}

uint32_t tap_pseudo(const struct tap_packet *p)
{
	struct ipaddr src = {}, dst = {};

	src.b[10] = src.b[11] = dst.b[10] = dst.b[11] = 0xff;
	memcpy(src.b + 12, p->b + IP_AT + 12, 4);
	memcpy(dst.b + 12, p->b + IP_AT + 16, 4);
	return csum_pseudo(&src, &dst, p->b[IP_AT + 9], (uint32_t)(p->size - TAP_L4_AT));
}

static void make_ip(struct tap_packet *p, const struct tap_flow *f)
{
	struct ipaddr src = lab_addr(f->src), dst = lab_addr(f->dst);
	uint16_t sum;

	memcpy(p->b + IP_AT, (uint8_t[]){0x45, 0, 0, 0, 0, 0, f->id ? 0 : 0x40, 0, 64, f->protocol},
	       10);
	put_u16(p->b + IP_AT + 2, p->size - IP_AT);
	put_u16(p->b + IP_AT + 4, f->id);
	memcpy(p->b + IP_AT + 12, src.b + 12, 4);
	memcpy(p->b + IP_AT + 16, dst.b + 12, 4);
	sum = csum(p->b + IP_AT, 20);
	memcpy(p->b + IP_AT + 10, &sum, 2);
}

void tap_make(struct tap_packet *p, const struct tap_flow *f, size_t payload, size_t gso)
{
	size_t header = TAP_L4_AT + tap_l4_size(f->protocol);
	uint16_t sum;

	p->size = header + payload;
	memset(p->b, 0, p->size);
	memcpy(p->b, f->to.b, 6);
	memcpy(p->b + 6, f->from.b, 6);
	p->b[12] = 8;
	make_ip(p, f);
	put_u16(p->b + TAP_L4_AT, f->sport);
	put_u16(p->b + TAP_L4_AT + 2, f->dport);
	if (f->protocol == TCP)
		memcpy(p->b + TAP_L4_AT + 12, (uint8_t[]){0x50, 0x10, 0xff, 0xff}, 4);
	else
		put_u16(p->b + TAP_L4_AT + 4, p->size - TAP_L4_AT);
	for (size_t i = 0; i < payload; i++)
		p->b[header + i] = (uint8_t)(i * 31 + i / 255);
	sum = (uint16_t)~csum_fold(tap_pseudo(p));
	memcpy(p->b + TAP_L4_AT + tap_checksum_field(f->protocol), &sum, 2);
	p->vnet = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = !gso                 ? VIRTIO_NET_HDR_GSO_NONE
			    : f->protocol == TCP ? VIRTIO_NET_HDR_GSO_TCPV4
						 : VIRTIO_NET_HDR_GSO_UDP_L4,
		.gso_size = (uint16_t)gso,
		.hdr_len = (uint16_t)header,
		.csum_start = TAP_L4_AT,
		.csum_offset = (uint16_t)tap_checksum_field(f->protocol),
	};
}

void tap_send(const struct tap *t, const struct tap_packet *p)
{
	struct iovec parts[] = {{(void *)(uintptr_t)&p->vnet, sizeof(p->vnet)},
				{(void *)(uintptr_t)p->b, p->size}};

	assert_int_equal(writev(t->fd, parts, 2), (ssize_t)(sizeof(p->vnet) + p->size));
}

void tap_receive(struct lab *lab, const struct tap *t, struct tap_packet *ret)
{
	struct iovec parts[] = {{&ret->vnet, sizeof(ret->vnet)}, {ret->b, sizeof(ret->b)}};
	struct pollfd p = {.fd = t->fd, .events = POLLIN};
	ssize_t size;

	if (poll(&p, 1, WAIT_MS) != 1) {
		lab_explain(lab);
		fail_msg("nothing arrived");
	}
	size = readv(t->fd, parts, 2);
	assert_true(size > (ssize_t)sizeof(ret->vnet));
	ret->size = (size_t)size - sizeof(ret->vnet);
}

void tap_fill_checksum(struct tap_packet *p)
{
	size_t start = p->vnet.csum_start;
	uint16_t sum;

	if (!(p->vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return;
	assert_true(start + p->vnet.csum_offset + 2 <= p->size);
	sum = csum_fold(csum_add(0, p->b + start, p->size - start));
	memcpy(p->b + start + p->vnet.csum_offset, &sum, 2);
}

void tap_assert_checksum(const struct tap_packet *p)
{
	uint32_t sum = csum_add(tap_pseudo(p), p->b + TAP_L4_AT, p->size - TAP_L4_AT);

	assert_int_equal(csum_fold(sum), 0);
}
