/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of any kind through the real programs: from a node (ARP, neighbour discovery, DHCP,
 * DNS, IPv4, IPv6), from the wire in each re-heading and ipip6 with errors of the substrate's
 * routers, from the world, and from the agent with a note.  An input names a frame that is
 * right, and what to change of it.
 *
 * Whatever it is: what is dropped has one reason, counted once (PKT-15), and nothing else has
 * one unless an error answers it; what a program leaves to the kernel it has not touched; what
 * one host puts on the wire is no nonsense to the other; a packet that arrives by siit/2 is the
 * one that was sent.  Needs root, as tests/bpf does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "abi/substrate.h"
#include "net/csum.h"
#include "net/rtnl.h"
#include "tests/bpf/edge_lab.h"

enum {
	SEEDS_MAX = 192,
	CHANGES_MAX = 24,
	HOST = 0, /* of a and b; the other, LAB_EDGE, has c and the uplink */
	MAC_SIZE = 6,
	V6_SIZE = 40,
	PAYLOAD6 = IP_AT + V6_SIZE,
};

#define A6     "2001:db8:1:1::a"
#define C6     "2001:db8:1:1::c"
#define A_LINK "fe80::a"
#define ROUTER "fe80::100"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the search is guided by, as the programs are not in this process: which seed ended how. */
static uint8_t outcomes[1U << 14] __attribute__((section("__libfuzzer_extra_counters"), used));

static const enum format formats[] = {FORMAT_SIIT_2, FORMAT_SIIT_1, FORMAT_REIP4_1};

struct seed {
	struct frame frame;
	int host;
	enum frame_program program;
	const struct lab_node *from; /* PORT */
	enum format format;
};

static struct edge_lab fixture;
static struct seed seeds[SEEDS_MAX];
static size_t n_seeds;
static enum format chosen;

static const uint8_t router_mac[MAC_SIZE] = {0x02, 0xff, 0, 0, 0, 1};
static const uint8_t broadcast[MAC_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* ---- seeds ---- */

static void add(const struct frame *f, int host, enum frame_program program,
		const struct lab_node *from)
{
	assert_true(n_seeds < SEEDS_MAX);
	seeds[n_seeds++] = (struct seed){
		.frame = *f, .host = host, .program = program, .from = from, .format = chosen};
}

static void add_from_node(struct frame f)
{
	add(&f, HOST, RUN_PORT, fixture.a);
}

static struct frame frame_arp(const char *target)
{
	struct ipaddr from = lab_addr("10.0.1.10"), to = lab_addr(target);
	struct frame f = {.size = 42};

	memcpy(f.b, broadcast, MAC_SIZE);
	memcpy(f.b + 6, fixture.a->port.mac.b, MAC_SIZE);
	frame_put_u16(&f, 12, 0x0806);
	memcpy(f.b + 14, (uint8_t[]){0, 1, 8, 0, 6, 4, 0, 1}, 8);
	memcpy(f.b + 22, fixture.a->port.mac.b, MAC_SIZE);
	memcpy(f.b + 28, from.b + 12, 4);
	memcpy(f.b + 38, to.b + 12, 4);
	return f;
}

static struct frame datagram_v6(const char *src, const char *dst, uint8_t protocol, uint8_t hops,
				const void *payload, size_t size)
{
	struct ipaddr from = lab_addr(src), to = lab_addr(dst);
	struct frame f = {.size = PAYLOAD6 + size};
	size_t field = PAYLOAD6 + (protocol == IPPROTO_ICMPV6 ? 2 : 6);
	uint16_t check = 0;

	substrate_dummy_mac_v6(f.b, LAB_VNI, to.b);
	if (to.b[0] == 0xff)
		memcpy(f.b, (uint8_t[]){0x33, 0x33, to.b[12], to.b[13], to.b[14], to.b[15]},
		       MAC_SIZE);
	memcpy(f.b + 6, fixture.a->port.mac.b, MAC_SIZE);
	frame_put_u16(&f, 12, 0x86dd);
	f.b[IP_AT] = 0x60;
	frame_put_u16(&f, IP_AT + 4, (uint16_t)size);
	f.b[IP_AT + 6] = protocol;
	f.b[IP_AT + 7] = hops;
	frame_put_addr6(&f, IP_AT + 8, src);
	frame_put_addr6(&f, IP_AT + 24, dst);
	memcpy(f.b + PAYLOAD6, payload, size);
	if (protocol != IPPROTO_ICMPV6 && protocol != IPPROTO_UDP)
		return f;
	memcpy(f.b + field, &check, 2);
	check = csum_fold(
		csum_add(csum_pseudo(&from, &to, protocol, (uint32_t)size), payload, size));
	memcpy(f.b + field, &check, 2);
	return f;
}

/* What a node says to its neighbours and to those who serve it. */
static void add_local(void)
{
	static const uint8_t udp[] = {2, 34, 2, 35, 0, 16, 0, 0,
				      1, 2,  3, 4,  5, 6,  7, 8}; /* to DHCPv6's port */
	uint8_t nd[32] = {135};
	struct ipaddr c = lab_addr(C6);
	struct v4 served = {.src = "10.0.1.10",
			    .dst = "10.0.1.1",
			    .mac = router_mac,
			    .from = fixture.a->port.mac.b[5],
			    .ttl = 64,
			    .protocol = IPPROTO_ICMP,
			    .payload = 32};
	struct frame f;

	add_from_node(frame_arp("10.0.1.12"));
	add_from_node(frame_arp("10.0.1.1"));
	add_from_node(frame_arp("10.0.1.77"));
	memcpy(nd + 8, c.b, 16);
	memcpy(nd + 24, (uint8_t[]){1, 1}, 2);
	memcpy(nd + 26, fixture.a->port.mac.b, MAC_SIZE);
	add_from_node(datagram_v6(A6, "ff02::1:ff00:c", IPPROTO_ICMPV6, 255, nd, sizeof(nd)));
	add_from_node(datagram_v6(A_LINK, "ff02::2", IPPROTO_ICMPV6, 255, (uint8_t[8]){133}, 8));
	add_from_node(datagram_v6(A_LINK, "ff02::1", IPPROTO_ICMPV6, 255, (uint8_t[16]){134}, 16));
	add_from_node(datagram_v6(A_LINK, "ff02::1:2", IPPROTO_UDP, 1, udp, sizeof(udp)));
	add_from_node(datagram_v6(A_LINK, ROUTER, IPPROTO_ICMPV6, 64, (uint8_t[16]){128}, 16));
	add_from_node(frame_v4(&served));
	served.protocol = IPPROTO_UDP;
	f = frame_v4(&served);
	frame_put_u16(&f, EDGE_L4 + 2, 53);
	frame_put_u16(&f, EDGE_L4 + 6, 0);
	add_from_node(f);
	served = (struct v4){.src = "0.0.0.0",
			     .dst = "255.255.255.255",
			     .mac = broadcast,
			     .from = served.from,
			     .ttl = 64,
			     .protocol = IPPROTO_UDP,
			     .payload = 240};
	f = frame_v4(&served);
	frame_put_u16(&f, EDGE_L4, 68);
	frame_put_u16(&f, EDGE_L4 + 2, 67);
	frame_put_u16(&f, EDGE_L4 + 6, 0);
	add_from_node(f);
}

/* What the wire shows of a node's packet is a seed, and an error that a router sends about it. */
static void add_wire(const struct frame *sent)
{
	char text[IPADDR_TEXT_SIZE];
	struct frame wire, error;
	struct ipaddr label;
	size_t quoted, at;

	if (frame_from_node(&fixture.lab, fixture.a, sent, &wire) != TC_ACT_REDIRECT ||
	    memcmp(wire.b, fixture.lab.hosts[LAB_EDGE].wire_mac.b, MAC_SIZE))
		return;
	add(&wire, LAB_EDGE, RUN_SUBSTRATE, NULL);
	quoted = wire.size - IP_AT;
	if (frame_u16(&wire, 12) != 0x86dd) { /* by labels */
		label = ipaddr_from_v4(frame_u32(&wire, IP_AT + 12));
		error = edge_error(&fixture, NULL, "192.0.2.99", ipaddr_text(&label, text), &wire,
				   quoted);
		add(&error, HOST, RUN_SUBSTRATE, NULL);
		return;
	}
	at = PAYLOAD6 + 8;
	error = datagram_v6("fd00:1::99", "::", IPPROTO_ICMPV6, 64, (uint8_t[8]){2}, 8);
	memcpy(error.b + IP_AT + 24, wire.b + IP_AT + 8, 16);
	frame_put_u32(&error, PAYLOAD6 + 4, 1280);
	frame_put_u16(&error, IP_AT + 4, (uint16_t)(8 + quoted));
	memcpy(error.b + at, wire.b + IP_AT, quoted);
	error.size = at + quoted;
	add(&error, HOST, RUN_SUBSTRATE, NULL);
}

static void add_both(struct frame f)
{
	add_from_node(f);
	add_wire(&f);
}

/* What goes from a to c, and so over the wire. */
static void add_far(void)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_GRE,
					    IPPROTO_IPIP};
	struct v4 v = {.src = "10.0.1.10",
		       .dst = "10.0.1.12",
		       .from = fixture.a->port.mac.b[5],
		       .ttl = 64,
		       .fragment = EDGE_DF,
		       .payload = 60};
	uint8_t more[48] = {IPPROTO_UDP, 0, 1, 4}; /* hop-by-hop options before a datagram */

	for (size_t i = 0; i < sizeof(protocols); i++) {
		v.protocol = protocols[i];
		add_both(frame_v4(&v));
	}
	v.protocol = IPPROTO_UDP;
	v.no_checksum = true;
	add_both(frame_v4(&v));
	v.no_checksum = false;
	v.n_options = 8;
	add_both(frame_v4(&v));
	v.n_options = 0;
	v.id = 77;
	v.fragment = 0x2000;
	add_both(frame_v4(&v));
	v.fragment = 100;
	add_both(frame_v4(&v));
	v.ttl = 1;
	v.fragment = 0;
	v.dst = "192.0.2.1"; /* by the router and the NAT gateway */
	v.mac = router_mac;
	add_from_node(frame_v4(&v));
	v.ttl = 9;
	add_both(frame_v4(&v));
	memcpy(more + 8, (uint8_t[]){3, 232, 7, 208, 0, 40}, 6);
	add_both(datagram_v6(A6, C6, IPPROTO_UDP, 64, more + 8, 40));
	add_both(datagram_v6(A6, C6, IPPROTO_ICMPV6, 64, (uint8_t[40]){128}, 40));
	add_both(datagram_v6(A6, C6, 0, 64, more, sizeof(more)));
	add_both(datagram_v6(A6, C6, 44, 64, (uint8_t[24]){IPPROTO_UDP, 0, 0, 1}, 24));
}

/* What the world sends: answers to what it was asked by NAT, what nobody asked for, errors, ARP. */
static void add_world(void)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
	struct ipaddr public = lab_addr(EDGE_NAT_PUBLIC);
	struct frame out, f;

	for (size_t i = 0; i < sizeof(protocols); i++) {
		struct edge_packet p = {.protocol = protocols[i],
					.src = "10.0.1.10",
					.dst = "192.0.2.1",
					.sport = 5000,
					.dport = 80,
					.flags = protocols[i] == IPPROTO_TCP ? 2 : 8,
					.payload = 20};

		out = edge_lab_out(&fixture, fixture.a, &p);
		f = edge_error(&fixture, NULL, "192.0.2.1", EDGE_NAT_PUBLIC, &out,
			       out.size - IP_AT);
		add(&f, LAB_EDGE, RUN_UPLINK, NULL);
		p.src = "192.0.2.1";
		p.dst = EDGE_NAT_PUBLIC;
		p.dport = edge_sport(&out);
		p.sport = 80;
		p.flags = protocols[i] == IPPROTO_TCP ? 0x12 : 0;
		f = edge_frame(&fixture, NULL, &p);
		add(&f, LAB_EDGE, RUN_UPLINK, NULL);
	}
	f = frame_arp(EDGE_NAT_PUBLIC);
	memcpy(f.b + 28, public.b + 12, 3);
	f.b[31] = 1;
	add(&f, LAB_EDGE, RUN_UPLINK, NULL);
}

/* What went up to the agent comes back down: a miss of a node's, and a sender that is not known. */
static void add_notes(void)
{
	struct v4 v = {.src = "10.0.1.10",
		       .dst = "10.0.1.66",
		       .from = fixture.a->port.mac.b[5],
		       .ttl = 64,
		       .protocol = IPPROTO_UDP,
		       .fragment = EDGE_DF,
		       .payload = 60};
	struct frame f = frame_v4(&v), up, wire;

	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &up), TC_ACT_REDIRECT);
	add(&up, HOST, RUN_HANDED, NULL);
	v.dst = "10.0.1.12";
	f = frame_v4(&v);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &wire), TC_ACT_REDIRECT);
	wire.b[IP_AT + 23] ^= 0x40; /* another source, whose mapping has to be asked for */
	wire.b[IP_AT + 12] ^= 0x40;
	if (frame_from_wire(&fixture.lab, LAB_EDGE, &wire, &up) == TC_ACT_REDIRECT)
		add(&up, LAB_EDGE, RUN_HANDED, NULL);
}

static void choose(enum format format)
{
	if (chosen == format)
		return;
	edge_lab_format(&fixture, format);
	chosen = format;
}

static void give(struct lab_node *n, const char *addr)
{
	n->port.addrs[n->port.n_addrs++] = lab_addr(addr);
	lab_map(&fixture.lab, LAB_VNI, addr, n->host, DP_MAPPING_LIVE);
	lab_set_port(&fixture.lab, n->host, &n->port);
}

/* What nodes' kernels say by themselves would be counted as well. */
static void silence(const struct lab_node *n)
{
	struct rtnl_link link;
	struct rtnl *rtnl;

	lab_enter(&fixture.lab, n->netns);
	assert_int_equal(rtnl_open(&rtnl), 0);
	assert_int_equal(rtnl_link_find(rtnl, "eth0", &link), 0);
	assert_int_equal(rtnl_link_set_up(rtnl, link.ifindex, false), 0);
	rtnl_close(rtnl);
	lab_enter(&fixture.lab, -1);
}

static void tear_down(void)
{
	edge_lab_deinit(&fixture);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	edge_lab_init(&fixture, FORMAT_SIIT_2);
	atexit(tear_down);
	lab_subnet(&fixture.lab, LAB_VNI, "2001:db8:1:1::/64", ROUTER, NULL);
	lab_subnet(&fixture.lab, LAB_VNI, "fe80::/64", ROUTER, NULL);
	give(fixture.a, A6);
	give(fixture.a, A_LINK);
	give(fixture.c, C6);
	for (int i = 0; i < fixture.lab.n_nodes; i++)
		silence(&fixture.lab.nodes[i]);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		choose(formats[i]);
		add_far();
	}
	choose(FORMAT_SIIT_2);
	add_local();
	add_world();
	add_notes();
	return 0;
}

/* ---- what has to hold ---- */

static void fail_with(const struct seed *s, const struct frame *in, const char *what, int verdict)
{
	fprintf(stderr, "seed %zu, program %d of host %d, format %d: %s; verdict %d\n",
		(size_t)(s - seeds), s->program, s->host + 1, s->format, what, verdict);
	for (size_t i = 0; i < in->size; i++)
		fprintf(stderr, "%02x%s", in->b[i], i % 16 == 15 ? "\n" : " ");
	fprintf(stderr, "\n");
	abort();
}

/* All drops of a host, by reason. */
static void count_drops(int host, uint64_t ret[static DROP_REASON_MAX])
{
	uint64_t one[DROP_REASON_MAX];
	uint32_t ports[LAB_NODES + 1] = {0};
	size_t n = 1;

	for (int i = 0; i < fixture.lab.n_nodes; i++)
		if (fixture.lab.nodes[i].host == host)
			ports[n++] = fixture.lab.nodes[i].port.id;
	memset(ret, 0, DROP_REASON_MAX * sizeof(*ret));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(
			datapath_drops(fixture.lab.hosts[host].dp, ports[i], one, DROP_REASON_MAX),
			0);
		for (size_t r = 0; r < DROP_REASON_MAX; r++)
			ret[r] += one[r];
	}
}

/* Runs it: the verdict, and the only reason that was counted (DROP_NONE: none). */
static int run(const struct seed *s, const struct frame *in, struct frame *out,
	       uint32_t *ret_reason)
{
	uint64_t before[DROP_REASON_MAX], after[DROP_REASON_MAX];
	int verdict, ifindex = s->from ? s->from->ifindex
				       : fixture.lab.hosts[s->host].config.substrate_ifindex;

	count_drops(s->host, before);
	if (s->program == RUN_SUBSTRATE)
		verdict = frame_from_wire(&fixture.lab, s->host, in, out);
	else if (s->program == RUN_UPLINK)
		verdict = frame_from_world(&fixture.lab, in, out);
	else
		verdict = frame_run(&fixture.lab, s->host, s->program, ifindex, in, out);
	count_drops(s->host, after);
	*ret_reason = DROP_NONE;
	for (uint32_t r = 0; r < DROP_REASON_MAX; r++) {
		if (after[r] == before[r])
			continue;
		if (*ret_reason || after[r] != before[r] + 1)
			fail_with(s, in, "more than one reason", verdict);
		*ret_reason = r;
	}
	return verdict;
}

static void check_verdict(const struct seed *s, const struct frame *in, const struct frame *out,
			  int verdict, uint32_t reason)
{
	switch (verdict) {
	case TC_ACT_SHOT:
		if (!reason)
			fail_with(s, in, "dropped without a reason", verdict);
		break;
	case TC_ACT_REDIRECT:
		if (reason && s->program == RUN_SUBSTRATE && s->host != LAB_EDGE)
			fail_with(s, in, "counted as dropped, and sent", verdict);
		break;
	case TC_ACT_UNSPEC:
		if (s->program != RUN_SUBSTRATE && s->program != RUN_UPLINK)
			fail_with(s, in, "left to the kernel", verdict);
		if (reason || out->size != in->size ||
		    memcmp(out->b + 12, in->b + 12, in->size - 12))
			fail_with(s, in, "touched, and left to the kernel", verdict);
		break;
	default:
		fail_with(s, in, "no such verdict", verdict);
	}
}

/* A receiver must not find fault with what the other host made. */
static void check_accepted(const struct seed *s, const struct frame *in, uint32_t reason)
{
	if (frame_u16(in, 12) == 0x0800 && frame_u32(in, IP_AT + 16) >> 8 != 0x0a0001)
		return; /* for the world: the edge looks into it */
	switch (reason) {
	case DROP_MALFORMED:
	case DROP_UNKNOWN_PEER:
	case DROP_FORMAT:
	case DROP_FORMAT_VERSION:
	case DROP_SUBSTRATE_ADDR:
	case DROP_SUBSTRATE_PROTOCOL:
	case DROP_VNI:
	case DROP_SPOOF:
	case DROP_INNER:
	case DROP_STATEMENT:
	case DROP_REWRITE:
		fprintf(stderr, "reason %u: ", reason);
		fail_with(s, in, "sent, and nonsense to the receiver", TC_ACT_SHOT);
	}
}

/* As far as IPv4 says that it goes: nothing changes there but what DF makes meaningless, and the
 * time to live of what was sent by the router. */
static bool is_same(const struct frame *sent, const struct frame *got)
{
	struct frame want = *sent;
	size_t size = frame_u16(sent, IP_AT + 2);

	if (!memcmp(sent->b, router_mac, MAC_SIZE)) {
		want.b[IP_AT + 8]--;
		frame_fix_ip(&want);
	}
	if (frame_u16(sent, IP_AT + 6) == EDGE_DF && sent->b[IP_AT] == 0x45 &&
	    frame_u16(got, IP_AT + 4) == 0) {
		frame_put_u16(&want, IP_AT + 4, 0);
		frame_fix_ip(&want);
	}
	return got->size == IP_AT + size && !memcmp(want.b + IP_AT, got->b + IP_AT, size);
}

static uint32_t check_arrival(const struct seed *s, const struct frame *in,
			      const struct frame *wire)
{
	struct seed there = {.host = LAB_EDGE, .program = RUN_SUBSTRATE, .format = s->format};
	struct frame out;
	uint32_t reason;
	int verdict = run(&there, wire, &out, &reason);

	check_verdict(&there, wire, &out, verdict, reason);
	check_accepted(s, in, reason);
	if (verdict == TC_ACT_REDIRECT && s->format == FORMAT_SIIT_2 &&
	    frame_u16(in, 12) == 0x0800 && !memcmp(out.b, fixture.c->port.mac.b, MAC_SIZE) &&
	    !is_same(in, &out))
		fail_with(s, in, "not what was sent", verdict);
	return reason;
}

/* ---- inputs ---- */

/* A change is two bytes of where and one of what. */
static void change(struct frame *f, const uint8_t c[static 3])
{
	size_t at = ((size_t)(c[0] & 0x07) << 8 | c[1]) % f->size;

	switch (c[0] >> 6) {
	case 0:
		f->b[at] = c[2];
		break;
	case 1:
		f->b[at] ^= (uint8_t)(1U << (c[2] & 7));
		break;
	case 2:
		f->size = at > IP_AT ? at : IP_AT + 1;
		break;
	default:
		memset(f->b + f->size, c[2], c[2]);
		f->size += f->size + c[2] < FRAME_MAX - 256 ? c[2] : 0;
	}
}

/* BPF_PROG_RUN takes no frame without the whole header that its type promises. */
static bool is_runnable(const struct frame *f)
{
	uint16_t type = frame_u16(f, 12);

	return f->size >= IP_AT + (type == 0x0800 ? 20U : type == 0x86dd ? V6_SIZE : 1U);
}

static void note_outcome(const struct seed *s, int verdict, uint32_t reason, uint32_t there)
{
	size_t n = (size_t)(s - seeds) * 131 + (size_t)(verdict + 1) * 7919 + reason * 17 +
		   there * 104729;

	outcomes[n % sizeof(outcomes)]++;
}

/* The first byte is the seed, the second says whether the IPv4 header's checksum is made right. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct seed *s;
	struct frame in, out;
	uint32_t reason, there = DROP_NONE;
	int verdict;

	if (size < 2 || size > 2 + 3 * CHANGES_MAX)
		return 0;
	s = &seeds[data[0] % n_seeds];
	choose(s->format);
	in = s->frame;
	for (size_t i = 2; i + 3 <= size; i += 3)
		change(&in, data + i);
	if (!is_runnable(&in))
		return 0;
	if (data[1] & 1 && frame_u16(&in, 12) == 0x0800 && in.size >= EDGE_L4 &&
	    IP_AT + (in.b[IP_AT] & 15U) * 4 <= in.size)
		frame_fix_ip(&in);
	verdict = run(s, &in, &out, &reason);
	check_verdict(s, &in, &out, verdict, reason);
	if (s->program == RUN_PORT && verdict == TC_ACT_REDIRECT && !reason &&
	    !memcmp(out.b, fixture.lab.hosts[LAB_EDGE].wire_mac.b, MAC_SIZE))
		there = check_arrival(s, &in, &out);
	note_outcome(s, verdict, reason, there);
	return 0;
}
