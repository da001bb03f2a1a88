/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packet tables of re-heading: what a node sends, what is on the wire, what the other node gets.
 * The substrate addresses are written out, made by hand from the layouts of docs/substrate.md:
 *	host 1: 2001:db8:1:101::/64 and 2001:db8:8000:1100::/56, host 2: ...:102::/64, ...:1200::/56
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "pair_lab.h"

enum { WHOLE = 4 /* the next header of IPv4 in IPv6 */, DF = 0x4000, MF = 0x2000 };

struct row {
	const char *name;
	struct v4 packet;
	uint8_t next; /* the next header on the wire; 0: the protocol itself */
	size_t padding;
};

#define PACKET(...)                                                                                \
	{                                                                                          \
		.src = "10.0.1.10", .dst = "10.0.1.11", .from = 1, __VA_ARGS__                     \
	}

/* clang-format off */
static const struct row rows[] = {
	/* re-headed */
	{"TCP", PACKET(.protocol = 6, .ttl = 64, .fragment = DF, .id = 77, .payload = 100), 0, 0},
	{"UDP", PACKET(.protocol = 17, .ttl = 64, .fragment = DF, .payload = 100), 0, 0},
	{"UDP, odd", PACKET(.protocol = 17, .ttl = 64, .fragment = DF, .payload = 1), 0, 0},
	{"UDP, empty", PACKET(.protocol = 17, .ttl = 64, .fragment = DF), 0, 0},
	{"UDP, may be fragmented", PACKET(.protocol = 17, .ttl = 9, .payload = 8), 0, 0},
	{"UDP without checksum",
	 PACKET(.protocol = 17, .ttl = 64, .fragment = DF, .no_checksum = true, .payload = 40), 0, 0},
	{"ICMP", PACKET(.protocol = 1, .ttl = 64, .fragment = DF, .payload = 56), 0, 0},
	{"every bit of ToS", PACKET(.protocol = 6, .tos = 0xff, .ttl = 64, .fragment = DF), 0, 0},
	{"ToS high", PACKET(.protocol = 17, .tos = 0xb8, .ttl = 64, .fragment = DF), 0, 0},
	{"TTL 255", PACKET(.protocol = 17, .ttl = 255, .fragment = DF), 0, 0},
	{"TTL 1", PACKET(.protocol = 17, .ttl = 1, .fragment = DF), 0, 0},
	{"UDP-Lite", PACKET(.protocol = 136, .ttl = 64, .fragment = DF, .payload = 60), 0, 0},
	{"DCCP", PACKET(.protocol = 33, .ttl = 64, .fragment = DF, .payload = 60), 0, 0},
	{"SCTP", PACKET(.protocol = 132, .ttl = 64, .fragment = DF, .payload = 60), 0, 0},
	{"ESP", PACKET(.protocol = 50, .ttl = 64, .fragment = DF, .payload = 60), 0, 0},
	{"GRE", PACKET(.protocol = 47, .ttl = 64, .fragment = DF, .payload = 60), 0, 0},
	{"no payload at all", PACKET(.protocol = 253, .ttl = 64, .fragment = DF), 0, 0},
	{"padded to 60 bytes", PACKET(.protocol = 17, .ttl = 64, .fragment = DF, .payload = 1), 0,
	 17},
	{"as large as the path", PACKET(.protocol = 17, .ttl = 64, .fragment = DF, .payload = 1452),
	 0, 0},
	/* whole */
	{"identification", PACKET(.protocol = 17, .ttl = 64, .id = 1, .payload = 100), WHOLE, 0},
	{"reserved flag", PACKET(.protocol = 17, .ttl = 64, .fragment = 0x8000 | DF), WHOLE, 0},
	{"first fragment", PACKET(.protocol = 17, .ttl = 64, .id = 5, .fragment = MF,
				  .payload = 64), WHOLE, 0},
	{"first fragment with DF", PACKET(.protocol = 17, .ttl = 64, .id = 5, .fragment = DF | MF,
					  .payload = 64), WHOLE, 0},
	{"last fragment", PACKET(.protocol = 17, .ttl = 64, .id = 5, .fragment = 9, .payload = 64),
	 WHOLE, 0},
	{"4 bytes of options", PACKET(.protocol = 17, .ttl = 64, .fragment = DF, .n_options = 4,
				      .payload = 10), WHOLE, 0},
	{"40 bytes of options", PACKET(.protocol = 6, .ttl = 64, .fragment = DF, .n_options = 40,
				       .payload = 10), WHOLE, 0},
	{"protocol 0", PACKET(.protocol = 0, .ttl = 64, .fragment = DF, .payload = 20), WHOLE, 0},
	{"protocol 4", PACKET(.protocol = 4, .ttl = 64, .fragment = DF, .payload = 40), WHOLE, 0},
	{"protocol 41", PACKET(.protocol = 41, .ttl = 64, .fragment = DF, .payload = 40), WHOLE, 0},
	{"protocol 43", PACKET(.protocol = 43, .ttl = 64, .fragment = DF, .payload = 40), WHOLE, 0},
	{"protocol 44", PACKET(.protocol = 44, .ttl = 64, .fragment = DF, .payload = 40), WHOLE, 0},
	{"protocol 58", PACKET(.protocol = 58, .ttl = 64, .fragment = DF, .payload = 40), WHOLE, 0},
	{"protocol 59", PACKET(.protocol = 59, .ttl = 64, .fragment = DF, .payload = 40), WHOLE, 0},
	{"protocol 60", PACKET(.protocol = 60, .ttl = 64, .fragment = DF, .payload = 40), WHOLE, 0},
	{"protocol 135", PACKET(.protocol = 135, .ttl = 64, .fragment = DF, .payload = 40), WHOLE, 0},
	{"protocol 139", PACKET(.protocol = 139, .ttl = 64, .fragment = DF, .payload = 40), WHOLE, 0},
	{"protocol 140", PACKET(.protocol = 140, .ttl = 64, .fragment = DF, .payload = 40), WHOLE, 0},
	{"whole and padded", PACKET(.protocol = 17, .ttl = 64, .id = 1, .payload = 1), WHOLE, 17},
};
/* clang-format on */

struct layout {
	enum format format;
	const char *src, *dst;
};

static const struct layout siit_2 = {FORMAT_SIIT_2, "2001:db8:8000:113f:4100:7:a00:10a",
				     "2001:db8:8000:123f:4000:7:a00:10b"};
static const struct layout siit_1 = {FORMAT_SIIT_1, "2001:db8:1:101:0:7:a00:10a",
				     "2001:db8:1:102:0:7:a00:10b"};

static struct pair_lab fixture;

static int set_up(void **state)
{
	struct pair_lab *f = &fixture;

	pair_lab_init(f, FORMAT_SIIT_2);
	lab_node(&f->lab, 1, LAB_VNI, "10.0.2.13", "10.0.2.1");
	lab_map(&f->lab, LAB_VNI, "10.0.2.13", 1, DP_MAPPING_LIVE);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	lab_deinit(&fixture.lab);
	return 0;
}

/* What the wire has to carry for a row (RFC 7915 4.1, where it applies; docs/substrate.md). */
static void check_wire(const struct row *r, const struct layout *l, const struct frame *sent,
		       const struct frame *wire)
{
	bool whole = r->next == WHOLE;
	size_t header = whole ? 0 : 20; /* of the packet, that is not carried as it is */
	uint32_t word = frame_u32(wire, IP_AT), label = word & 0xfffff;

	assert_int_equal(frame_u16(wire, 12), 0x86dd);
	assert_int_equal(word >> 28, 6);
	assert_int_equal(word >> 20 & 0xff, r->packet.tos);
	if (!whole) {
		assert_int_equal(label >> 19, (r->packet.fragment & DF) != 0);
		assert_int_equal(label >> 11 & 0xff, r->packet.ttl);
	}
	assert_int_equal(frame_u16(wire, IP_AT + 4), sent->size - IP_AT - header);
	assert_int_equal(wire->size, IP_AT + 40 + sent->size - IP_AT - header);
	assert_int_equal(wire->b[IP_AT + 6], whole ? WHOLE : r->packet.protocol);
	assert_int_equal(wire->b[IP_AT + 7], 64);
	frame_assert_addr6(wire, IP_AT + 8, l->src);
	frame_assert_addr6(wire, IP_AT + 24, l->dst);
	if (whole || l->format == FORMAT_SIIT_2)
		assert_memory_equal(wire->b + IP_AT + 40, sent->b + IP_AT + header,
				    sent->size - IP_AT - header);
	if (!whole && !r->packet.no_checksum &&
	    (r->packet.protocol == 6 || r->packet.protocol == 17 || r->packet.protocol == 136 ||
	     r->packet.protocol == 33))
		frame_assert_checksum(wire);
	if (r->packet.no_checksum)
		assert_int_equal(frame_u16(wire, IP_AT + 40 + 6), 0);
}

/* The other node gets what was sent; the identification where it had a meaning. */
static void check_restored(const struct row *r, const struct frame *sent, const struct frame *got)
{
	struct frame want = *sent;

	memcpy(want.b, (uint8_t[]){0x02, 0, 0, 0, 0, 2}, 6);
	memcpy(want.b + 6, (uint8_t[]){0x06, LAB_VNI, 10, 0, 1, 10}, 6);
	if (r->next != WHOLE && (r->packet.fragment & DF)) {
		frame_put_u16(&want, IP_AT + 4, 0);
		frame_fix_ip(&want);
	}
	assert_int_equal(got->size, want.size);
	assert_memory_equal(got->b, want.b, want.size);
}

static void check_row(const struct row *r, const struct layout *l)
{
	struct frame sent = frame_v4(&r->packet), padded = sent, wire, got;

	padded.size += r->padding;
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &padded, &wire), TC_ACT_REDIRECT);
	check_wire(r, l, &sent, &wire);
	assert_int_equal(frame_from_wire(&fixture.lab, 1, &wire, &got), TC_ACT_REDIRECT);
	check_restored(r, &sent, &got);
}

static void check_rows(const struct layout *l)
{
	lab_set_format(&fixture.lab, l->format, false);
	for (int round = 0; round < 2; round++) /* on the full path, then from the flow cache */
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			print_message("  %s\n", rows[i].name);
			check_row(&rows[i], l);
		}
}

/* requirement: PKT-2 */
/* requirement: PKT-3 */
static void test_siit_2(void **state)
{
	check_rows(&siit_2);
}

/* requirement: PKT-2 */
/* requirement: NEG-7 */
static void test_siit_1(void **state)
{
	check_rows(&siit_1);
}

/* Chosen as the format, ipip6 carries everything whole. */
/* requirement: PKT-3 */
static void test_ipip6(void **state)
{
	struct row r = {"chosen",
			PACKET(.protocol = 17, .ttl = 64, .fragment = DF, .id = 9, .payload = 30),
			WHOLE, 0};
	struct layout l = siit_2;

	lab_set_format(&fixture.lab, FORMAT_IPIP6_1, false);
	check_row(&r, &l);
	check_row(&r, &l);
}

/* The label names the flow: the same for all its packets, usually another for other flows. */
/* requirement: PKT-2 */
static void test_label_is_of_the_flow(void **state)
{
	struct v4 p = PACKET(.protocol = 17, .ttl = 64, .fragment = DF, .payload = 10);
	struct frame f = frame_v4(&p), wire;
	uint32_t first, labels = 0;

	lab_set_format(&fixture.lab, FORMAT_SIIT_2, false);
	frame_from_node(&fixture.lab, fixture.a, &f, &wire);
	first = frame_u32(&wire, IP_AT) & 0x7ff;
	p.payload = 700;
	f = frame_v4(&p);
	frame_from_node(&fixture.lab, fixture.a, &f, &wire);
	assert_int_equal(frame_u32(&wire, IP_AT) & 0x7ff, first);
	for (uint16_t port = 1; port <= 100; port++) {
		frame_put_u16(&f, IP_AT + 20, port);
		frame_from_node(&fixture.lab, fixture.a, &f, &wire);
		labels += (frame_u32(&wire, IP_AT) & 0x7ff) != first;
	}
	assert_true(labels > 90);
}

/* Through the router the TTL is one less, and the frame comes from the router's MAC. */
/* requirement: PKT-7 */
static void check_routed(enum format format, uint16_t id, uint16_t fragment)
{
	static const uint8_t router[6] = {0x02, 0xff, 0, 0, 0, 1};
	struct v4 p = {.src = "10.0.1.10",
		       .dst = "10.0.2.13",
		       .mac = router,
		       .from = 1,
		       .protocol = 17,
		       .ttl = 64,
		       .id = id,
		       .fragment = fragment,
		       .payload = 20};
	struct frame sent = frame_v4(&p), wire, got, want = sent;

	lab_set_format(&fixture.lab, format, false);
	memcpy(want.b, (uint8_t[]){0x02, 0, 0, 0, 0, 3, 0x02, 0xff, 0, 0, 0, 2}, 12);
	want.b[IP_AT + 8] = 63;
	frame_fix_ip(&want);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &sent, &wire),
				 TC_ACT_REDIRECT);
		assert_int_equal(frame_from_wire(&fixture.lab, 1, &wire, &got), TC_ACT_REDIRECT);
		assert_int_equal(got.size, want.size);
		assert_memory_equal(got.b, want.b, want.size);
	}
}

/* requirement: PKT-7 */
static void test_routed(void **state)
{
	check_routed(FORMAT_SIIT_2, 0, DF);
	check_routed(FORMAT_SIIT_1, 0, DF);
	check_routed(FORMAT_SIIT_2, 7, 0); /* whole */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siit_2), cmocka_unit_test(test_siit_1),
		cmocka_unit_test(test_ipip6),  cmocka_unit_test(test_label_is_of_the_flow),
		cmocka_unit_test(test_routed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
