/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_packet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "abi/substrate.h"
#include "datapath/bpf_host.h"
#include "datapath/bpf_skel.h"
#include "net/csum.h"

uint16_t frame_u16(const struct frame *f, size_t at)
{
	return (uint16_t)(f->b[at] << 8 | f->b[at + 1]);
}

uint32_t frame_u32(const struct frame *f, size_t at)
{
	return (uint32_t)frame_u16(f, at) << 16 | frame_u16(f, at + 2);
}

void frame_put_u16(struct frame *f, size_t at, uint16_t v)
{
	f->b[at] = (uint8_t)(v >> 8);
	f->b[at + 1] = (uint8_t)v;
}

void frame_put_u32(struct frame *f, size_t at, uint32_t v)
{
	frame_put_u16(f, at, (uint16_t)(v >> 16));
	frame_put_u16(f, at + 2, (uint16_t)v);
}

void frame_put_addr6(struct frame *f, size_t at, const char *text)
{
	assert_int_equal(inet_pton(AF_INET6, text, f->b + at), 1);
}

void frame_assert_addr6(const struct frame *f, size_t at, const char *text)
{
	char got[INET6_ADDRSTRLEN];

	assert_string_equal(inet_ntop(AF_INET6, f->b + at, got, sizeof(got)), text);
}

void frame_assert_addr4(const struct frame *f, size_t at, const char *text)
{
	char got[INET_ADDRSTRLEN];

	assert_string_equal(inet_ntop(AF_INET, f->b + at, got, sizeof(got)), text);
}

/* ---- making ---- */

struct frame frame_icmp6(const struct frame *about, uint8_t type, uint8_t code, uint32_t word)
{
	size_t quoted = about->size - IP_AT;
	struct frame f = {.size = IP_AT + 40 + 8 + quoted};

	memcpy(f.b, about->b + 6, 6);
	memcpy(f.b + 6, about->b, 6);
	memcpy(f.b + 12, about->b + 12, 2);
	frame_put_u32(&f, IP_AT, 6U << 28);
	frame_put_u16(&f, IP_AT + 4, (uint16_t)(8 + quoted));
	f.b[IP_AT + 6] = IPPROTO_ICMPV6;
	f.b[IP_AT + 7] = 63;
	frame_put_addr6(&f, IP_AT + 8, "fd00:1::ff");
	memcpy(f.b + IP_AT + 24, about->b + IP_AT + 8, 16);
	f.b[IP_AT + 40] = type;
	f.b[IP_AT + 41] = code;
	frame_put_u32(&f, IP_AT + 44, word);
	memcpy(f.b + IP_AT + 48, about->b + IP_AT, quoted);
	return f;
}

void frame_fix_ip(struct frame *f)
{
	uint16_t check;

	frame_put_u16(f, IP_AT + 10, 0);
	check = csum(f->b + IP_AT, (size_t)(f->b[IP_AT] & 15) * 4);
	memcpy(f->b + IP_AT + 10, &check, 2);
}

/* Where the checksum of a protocol with a pseudo header is; 0: it has none. */
static size_t checksum_offset(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_DCCP:
		return 6;
	default:
		return 0;
	}
}

static uint32_t pseudo_sum(const struct frame *f, size_t *ret_at, uint8_t *ret_protocol)
{
	bool v6 = f->b[IP_AT] >> 4 == 6;
	struct ipaddr src = {}, dst = {};

	if (v6) {
		memcpy(src.b, f->b + IP_AT + 8, 16);
		memcpy(dst.b, f->b + IP_AT + 24, 16);
		*ret_at = IP_AT + 40;
		*ret_protocol = f->b[IP_AT + 6];
	} else {
		src = ipaddr_from_v4(frame_u32(f, IP_AT + 12));
		dst = ipaddr_from_v4(frame_u32(f, IP_AT + 16));
		*ret_at = IP_AT + (size_t)(f->b[IP_AT] & 15) * 4;
		*ret_protocol = f->b[IP_AT + 9];
	}
	return csum_pseudo(&src, &dst, *ret_protocol, (uint32_t)(f->size - *ret_at));
}

void frame_assert_checksum(const struct frame *f)
{
	uint8_t protocol;
	size_t at;
	uint32_t sum = pseudo_sum(f, &at, &protocol);

	assert_int_equal(csum_fold(csum_add(sum, f->b + at, f->size - at)), 0);
}

static size_t transport_header(const struct v4 *p)
{
	return p->protocol == IPPROTO_TCP                                  ? 20
	       : p->protocol == IPPROTO_UDP || p->protocol == IPPROTO_ICMP ? 8
									   : 0;
}

static void fill_transport(struct frame *f, const struct v4 *p, size_t at)
{
	size_t field = checksum_offset(p->protocol);
	uint16_t check;
	uint8_t protocol;
	uint32_t sum;

	for (size_t i = at; i < f->size; i++)
		f->b[i] = (uint8_t)(i * 13 + 5);
	if (p->fragment & 0x1fff)
		return;
	if (p->protocol == IPPROTO_ICMP) {
		f->b[at] = 8;
		f->b[at + 1] = 0;
		frame_put_u16(f, at + 2, 0);
		check = csum(f->b + at, f->size - at);
		memcpy(f->b + at + 2, &check, 2);
	}
	if (!field || f->size < at + field + 2)
		return;
	frame_put_u16(f, at, FRAME_SOURCE_PORT);
	frame_put_u16(f, at + 2, FRAME_DESTINATION_PORT);
	if (p->protocol == IPPROTO_UDP)
		frame_put_u16(f, at + 4, (uint16_t)(f->size - at));
	if (p->protocol == IPPROTO_TCP)
		f->b[at + 12] = 5 << 4;
	frame_put_u16(f, at + field, 0);
	if (p->no_checksum)
		return;
	sum = pseudo_sum(f, &at, &protocol);
	check = csum_fold(csum_add(sum, f->b + at, f->size - at));
	memcpy(f->b + at + field, &check, 2);
}

struct frame frame_v4(const struct v4 *p)
{
	struct ipaddr src = lab_addr(p->src), dst = lab_addr(p->dst);
	uint8_t dummy[6] = {0x06, LAB_VNI, dst.b[12], dst.b[13], dst.b[14], dst.b[15]};
	size_t header = 20U + p->n_options, at = IP_AT + header;
	struct frame f = {.size = at + transport_header(p) + p->payload};

	memcpy(f.b, p->mac ? p->mac : dummy, 6);
	memcpy(f.b + 6, (uint8_t[]){0x02, 0, 0, 0, 0, p->from}, 6);
	frame_put_u16(&f, 12, 0x0800);
	f.b[IP_AT] = (uint8_t)(0x40 | header / 4);
	f.b[IP_AT + 1] = p->tos;
	frame_put_u16(&f, IP_AT + 2, (uint16_t)(f.size - IP_AT));
	frame_put_u16(&f, IP_AT + 4, p->id);
	frame_put_u16(&f, IP_AT + 6, p->fragment);
	f.b[IP_AT + 8] = p->ttl;
	f.b[IP_AT + 9] = p->protocol;
	memcpy(f.b + IP_AT + 12, src.b + 12, 4);
	memcpy(f.b + IP_AT + 16, dst.b + 12, 4);
	for (size_t i = 0; i < p->n_options; i++)
		f.b[IP_AT + 20 + i] = 1; /* no operation */
	frame_fix_ip(&f);
	fill_transport(&f, p, at);
	return f;
}

struct frame frame_v6(const struct v6 *p)
{
	const struct v4 transport = {.protocol = p->protocol, .payload = p->payload};
	struct ipaddr src = lab_addr(p->src), dst = lab_addr(p->dst);
	size_t at = IP_AT + 40;
	struct frame f = {.size = at + transport_header(&transport) + p->payload};

	substrate_dummy_mac_v6(f.b, LAB_VNI, dst.b);
	if (p->mac)
		memcpy(f.b, p->mac, 6);
	memcpy(f.b + 6, (uint8_t[]){0x02, 0, 0, 0, 0, p->from}, 6);
	frame_put_u16(&f, 12, 0x86dd);
	frame_put_u32(&f, IP_AT, 6U << 28);
	frame_put_u16(&f, IP_AT + 4, (uint16_t)(f.size - at));
	f.b[IP_AT + 6] = p->protocol;
	f.b[IP_AT + 7] = p->hop_limit;
	memcpy(f.b + IP_AT + 8, src.b, 16);
	memcpy(f.b + IP_AT + 24, dst.b, 16);
	fill_transport(&f, &transport, at);
	return f;
}

/* ---- running ---- */

int frame_run(const struct lab *lab, int host, enum frame_program program, int ifindex,
	      const struct frame *in, struct frame *ret_out)
{
	struct bpf_host *h = bpf_host_of(lab->hosts[host].dp);
	const struct bpf_program *programs[] = {h->skel->progs.port, h->skel->progs.substrate,
						h->skel->progs.handed, h->skel->progs.uplink,
						h->skel->progs.delivered};
	struct __sk_buff context = {.ifindex = (uint32_t)ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in->b, .data_size_in = (uint32_t)in->size,
		    .data_out = ret_out->b, .data_size_out = FRAME_MAX, .ctx_in = &context,
		    .ctx_size_in = sizeof(context));

	lab_enter(lab, lab->hosts[host].netns);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(programs[program]), &opts), 0);
	lab_enter(lab, -1);
	ret_out->size = opts.data_size_out;
	return (int)opts.retval;
}

int frame_from_node(const struct lab *lab, const struct lab_node *n, const struct frame *in,
		    struct frame *ret_out)
{
	return frame_run(lab, n->host, RUN_PORT, n->ifindex, in, ret_out);
}

int frame_from_wire(const struct lab *lab, int host, const struct frame *in, struct frame *ret_out)
{
	struct frame f = *in;

	memcpy(f.b, lab->hosts[host].wire_mac.b, 6);
	return frame_run(lab, host, RUN_SUBSTRATE, lab->hosts[host].config.substrate_ifindex, &f,
			 ret_out);
}

void frame_transmit(const struct lab *lab, int host, const struct frame *f)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_ifindex = lab->hosts[host].config.substrate_ifindex};

	assert_int_equal(sendto(bpf_host_of(lab->hosts[host].dp)->packet_fd, f->b, f->size, 0,
				(struct sockaddr *)&to, sizeof(to)),
			 (ssize_t)f->size);
}

int frame_from_world(const struct lab *lab, const struct frame *in, struct frame *ret_out)
{
	struct frame f = *in;

	memcpy(f.b, lab->uplink_mac.b, 6);
	return frame_run(lab, LAB_EDGE, RUN_UPLINK, lab->hosts[LAB_EDGE].config.uplink_ifindex, &f,
			 ret_out);
}

void frame_assert_dropped_by_node(const struct lab *lab, const struct lab_node *n,
				  const struct frame *in, uint32_t reason)
{
	uint64_t before = lab_drops(lab, n->host, n->port.id, reason);
	struct frame out;

	frame_from_node(lab, n, in, &out); /* may come back as an ICMP error */
	assert_int_equal(lab_drops(lab, n->host, n->port.id, reason), before + 1);
}

void frame_assert_dropped_from_wire(const struct lab *lab, int host, uint32_t port,
				    const struct frame *in, uint32_t reason)
{
	uint64_t before = lab_drops(lab, host, port, reason);
	struct frame out;

	assert_int_equal(frame_from_wire(lab, host, in, &out), TC_ACT_SHOT);
	assert_int_equal(lab_drops(lab, host, port, reason), before + 1);
}

size_t frame_shown_stale(const struct lab *lab, const char *src, const char *dst)
{
	struct ipaddr from = lab_addr(src), to = lab_addr(dst);
	struct dp_upcall *u;
	size_t n = 0;

	while (!datapath_upcall_read(lab->hosts[1].dp, &u)) {
		if (u->kind == DP_UPCALL_STALE) {
			assert_int_equal(u->peer, 1);
			assert_int_equal(u->port, 0);
			assert_int_equal(u->vni, LAB_VNI);
			assert_int_equal(u->other_vni, 0);
			assert_true(ipaddr_equal(&u->src, &from));
			assert_true(ipaddr_equal(&u->dst, &to));
			n++;
		}
		assert_int_not_equal(u->kind, DP_UPCALL_VERIFY);
		datapath_upcall_free(u);
	}
	return n;
}
