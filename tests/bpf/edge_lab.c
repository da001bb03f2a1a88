/* SPDX-License-Identifier: Apache-2.0 */
#include "edge_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "datapath/bpf_host.h"
#include "net/csum.h"

static const uint8_t router_mac[6] = {0x02, 0xff, 0, 0, 0, 1};

void edge_lab_format(struct edge_lab *e, enum format format)
{
	const struct lab_host *edge = &e->lab.hosts[LAB_EDGE];
	struct dp_peer p = {.id = LAB_EDGE + 1,
			    .siit1 = edge->config.siit1,
			    .siit2 = edge->config.siit2,
			    .v4 = edge->config.v4,
			    .v6 = edge->config.v6,
			    .send = format,
			    .accept = FORMAT_BIT(format) | FORMAT_BIT(FORMAT_IPIP6_1),
			    .path_mtu = LAB_WIRE_MTU,
			    .nexthop = 1,
			    .edge = true};

	lab_set_format(&e->lab, format, false);
	assert_int_equal(datapath_peer_set(e->lab.hosts[0].dp, &p), 0);
}

void edge_lab_route(struct edge_lab *e, uint32_t handle)
{
	enum dp_target target = handle == EDGE_IGW ? DP_TARGET_INTERNET : DP_TARGET_GATEWAY;
	struct dp_route all = {.prefix = lab_prefix("0.0.0.0/0"), .target = target, .vni = handle};

	for (int i = 0; i < LAB_HOSTS; i++) {
		struct dp_table t = {.number = EDGE_TABLE, .n_routes = 1, .routes = &all};

		all.peer = i == LAB_EDGE ? DP_PEER_SELF : LAB_EDGE + 1;
		assert_int_equal(datapath_table_set(e->lab.hosts[i].dp, &t), 0);
	}
}

void edge_lab_init(struct edge_lab *e, enum format format)
{
	struct dp_gateway igw = {.handle = EDGE_IGW, .kind = DP_GATEWAY_INTERNET, .vni = LAB_VNI};

	lab_init_edge(&e->lab, format);
	edge_lab_format(e, format);
	lab_subnet_with(&e->lab, LAB_VNI, "10.0.1.0/24", "10.0.1.1", EDGE_TABLE);
	e->a = lab_node(&e->lab, 0, LAB_VNI, "10.0.1.10", "10.0.1.1");
	e->b = lab_node(&e->lab, 0, LAB_VNI, "10.0.1.11", "10.0.1.1");
	e->c = lab_node(&e->lab, LAB_EDGE, LAB_VNI, "10.0.1.12", "10.0.1.1");
	lab_map(&e->lab, LAB_VNI, "10.0.1.10", 0, DP_MAPPING_LIVE);
	lab_map(&e->lab, LAB_VNI, "10.0.1.11", 0, DP_MAPPING_LIVE);
	lab_map(&e->lab, LAB_VNI, "10.0.1.12", LAB_EDGE, DP_MAPPING_LIVE);
	assert_int_equal(datapath_gateway_set(e->lab.hosts[LAB_EDGE].dp, &igw), 0);
	e->nat = (struct dp_gateway){.handle = EDGE_NAT,
				     .kind = DP_GATEWAY_NAT,
				     .vni = LAB_VNI,
				     .public = lab_addr(EDGE_NAT_PUBLIC),
				     .port_first = 1024,
				     .port_last = 65535};
	assert_int_equal(datapath_gateway_set(e->lab.hosts[LAB_EDGE].dp, &e->nat), 0);
	edge_lab_route(e, EDGE_NAT);
}

void edge_lab_forget(struct edge_lab *e)
{
	struct datapath *dp = e->lab.hosts[LAB_EDGE].dp;

	e->nat.n_statics = 0;
	assert_int_equal(datapath_gateway_delete(dp, EDGE_NAT), 0);
	assert_int_equal(datapath_gateway_set(dp, &e->nat), 0);
}

void edge_lab_deinit(struct edge_lab *e)
{
	lab_deinit(&e->lab);
}

void edge_lab_public(struct edge_lab *e, struct lab_node *n, const char *public)
{
	n->port.n_exits = public != NULL;
	n->port.exits[0] = (struct dp_exit){
		.addr = n->port.addrs[0],
		.peer = n->host == LAB_EDGE ? DP_PEER_SELF : LAB_EDGE + 1,
		.handle = EDGE_IGW,
	};
	lab_set_port(&e->lab, n->host, &n->port);
	if (public) {
		struct dp_public p = {.public = lab_addr(public),
				      .vni = LAB_VNI,
				      .addr = n->port.addrs[0],
				      .handle = EDGE_IGW};

		assert_int_equal(datapath_public_set(e->lab.hosts[LAB_EDGE].dp, &p), 0);
	}
}

/* ---- frames ---- */

static size_t checksum_at(uint8_t protocol)
{
	return EDGE_L4 + (protocol == IPPROTO_TCP ? 16 : protocol == IPPROTO_UDP ? 6 : 2);
}

/* The sum over what the checksum covers. */
static uint16_t transport_sum(const struct frame *f)
{
	struct ipaddr src = ipaddr_from_v4(frame_u32(f, IP_AT + 12));
	struct ipaddr dst = ipaddr_from_v4(frame_u32(f, IP_AT + 16));
	uint8_t protocol = f->b[IP_AT + 9];
	uint32_t sum = 0;

	if (protocol != IPPROTO_ICMP)
		sum = csum_pseudo(&src, &dst, protocol, (uint32_t)(f->size - EDGE_L4));
	return csum_fold(csum_add(sum, f->b + EDGE_L4, f->size - EDGE_L4));
}

struct edge_packet edge_packet_of(uint8_t protocol, const char *src, uint16_t sport,
				  const char *dst, uint16_t dport, uint8_t flags)
{
	return (struct edge_packet){.protocol = protocol,
				    .src = src,
				    .dst = dst,
				    .sport = sport,
				    .dport = dport,
				    .flags = flags,
				    .payload = 100};
}

struct frame edge_frame(const struct edge_lab *e, const struct lab_node *from,
			const struct edge_packet *p)
{
	struct v4 v = {.src = p->src,
		       .dst = p->dst,
		       .mac = router_mac,
		       .from = from ? from->port.mac.b[5] : 0x77,
		       .protocol = p->protocol,
		       .ttl = p->ttl ? p->ttl : 64,
		       .id = p->fragment ? 77 : 0,
		       .fragment = p->fragment ? p->fragment : EDGE_DF,
		       .no_checksum = p->no_checksum,
		       .payload = p->payload};
	struct frame f = frame_v4(&v);
	uint16_t sum;

	if (p->fragment & 0x1fff)
		return f;
	if (p->protocol == IPPROTO_ICMP) {
		f.b[EDGE_L4] = p->flags;
		frame_put_u16(&f, EDGE_L4 + 4, p->sport);
	} else if (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP) {
		frame_put_u16(&f, EDGE_L4, p->sport);
		frame_put_u16(&f, EDGE_L4 + 2, p->dport);
	} else {
		return f;
	}
	if (p->protocol == IPPROTO_TCP)
		f.b[EDGE_L4 + 13] = p->flags;
	frame_put_u16(&f, checksum_at(p->protocol), 0);
	if (p->no_checksum)
		return f;
	sum = transport_sum(&f);
	memcpy(f.b + checksum_at(p->protocol), &sum, 2);
	return f;
}

struct frame edge_error(const struct edge_lab *e, const struct lab_node *from, const char *src,
			const char *dst, const struct frame *about, size_t quoted)
{
	struct edge_packet p = {.protocol = IPPROTO_ICMP,
				.src = src,
				.dst = dst,
				.flags = 3,
				.payload = (uint16_t)quoted};
	struct frame f = edge_frame(e, from, &p);
	uint16_t sum;

	f.b[EDGE_L4 + 1] = 1;
	memset(f.b + EDGE_L4 + 2, 0, 6);
	memcpy(f.b + EDGE_L4 + 8, about->b + IP_AT, quoted);
	sum = csum(f.b + EDGE_L4, f.size - EDGE_L4);
	memcpy(f.b + EDGE_L4 + 2, &sum, 2);
	return f;
}

uint16_t edge_sport(const struct frame *f)
{
	return frame_u16(f, EDGE_L4 + (f->b[IP_AT + 9] == IPPROTO_ICMP ? 4 : 0));
}

void edge_assert(const struct frame *f, const char *src, uint16_t sport, const char *dst,
		 uint16_t dport)
{
	uint8_t protocol = f->b[IP_AT + 9];

	assert_int_equal(frame_u16(f, 12), 0x0800);
	assert_int_equal(csum(f->b + IP_AT, 20), 0);
	frame_assert_addr4(f, IP_AT + 12, src);
	frame_assert_addr4(f, IP_AT + 16, dst);
	if (protocol == IPPROTO_ICMP) {
		assert_int_equal(frame_u16(f, EDGE_L4 + 4), sport);
	} else {
		assert_int_equal(frame_u16(f, EDGE_L4), sport);
		assert_int_equal(frame_u16(f, EDGE_L4 + 2), dport);
	}
	if (protocol != IPPROTO_UDP || frame_u16(f, checksum_at(protocol)))
		assert_int_equal(transport_sum(f), 0);
}

/* ---- ways ---- */

void edge_lab_wait_second(void)
{
	struct timespec begin, now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC_COARSE, &begin), 0);
	do
		assert_int_equal(clock_gettime(CLOCK_MONOTONIC_COARSE, &now), 0);
	while (now.tv_sec == begin.tv_sec);
}

void edge_lab_next_second(struct edge_lab *e)
{
	bpf_host_bump_epoch(bpf_host_of(e->lab.hosts[LAB_EDGE].dp));
}

static void assert_redirected(struct edge_lab *e, int verdict)
{
	if (verdict != TC_ACT_REDIRECT)
		lab_explain(&e->lab);
	assert_int_equal(verdict, TC_ACT_REDIRECT);
}

/* As it reaches the edge's wire; or, from a node of the edge itself, what became of it. */
static struct frame leave(struct edge_lab *e, const struct lab_node *from,
			  const struct edge_packet *p)
{
	struct frame f = edge_frame(e, from, p), out;

	assert_redirected(e, frame_from_node(&e->lab, from, &f, &out));
	return out;
}

struct frame edge_lab_out(struct edge_lab *e, const struct lab_node *from,
			  const struct edge_packet *p)
{
	struct frame wire = leave(e, from, p), out;

	if (from->host == LAB_EDGE)
		return wire;
	assert_redirected(e, frame_from_wire(&e->lab, LAB_EDGE, &wire, &out));
	return out;
}

struct frame edge_lab_deliver(struct edge_lab *e, const struct lab_node *to,
			      const struct frame *wire)
{
	struct frame out;

	if (to->host == LAB_EDGE)
		return *wire;
	assert_redirected(e, frame_from_wire(&e->lab, to->host, wire, &out));
	assert_memory_equal(out.b, to->port.mac.b, 6);
	return out;
}

struct frame edge_lab_in(struct edge_lab *e, const struct lab_node *to, const struct edge_packet *p)
{
	struct frame f = edge_frame(e, NULL, p), wire;

	assert_redirected(e, frame_from_world(&e->lab, &f, &wire));
	return edge_lab_deliver(e, to, &wire);
}

void edge_lab_out_refused(struct edge_lab *e, const struct lab_node *from,
			  const struct edge_packet *p, uint32_t reason)
{
	struct frame wire = leave(e, from, p), out;
	uint64_t before = lab_drops(&e->lab, LAB_EDGE, 0, reason);

	frame_from_wire(&e->lab, LAB_EDGE, &wire, &out);
	if (lab_drops(&e->lab, LAB_EDGE, 0, reason) != before + 1)
		lab_explain(&e->lab);
	assert_int_equal(lab_drops(&e->lab, LAB_EDGE, 0, reason), before + 1);
}

void edge_lab_in_refused(struct edge_lab *e, const struct edge_packet *p, uint32_t reason)
{
	struct frame f = edge_frame(e, NULL, p), out;
	uint64_t before = lab_drops(&e->lab, LAB_EDGE, 0, reason);

	frame_from_world(&e->lab, &f, &out);
	if (lab_drops(&e->lab, LAB_EDGE, 0, reason) != before + 1)
		lab_explain(&e->lab);
	assert_int_equal(lab_drops(&e->lab, LAB_EDGE, 0, reason), before + 1);
}
