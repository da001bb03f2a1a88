/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packet tables of what is sealed: what is handed to the sealing device, and what of that which
 * comes back from it was chosen, by the full path and by the flow cache alike.  And how fast a peer
 * may be sent to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "abi/substrate.h"
#include "datapath/bpf_host.h"
#include "pair_lab.h"

enum { DF = 0x4000, A = 0, B = 1 };

static struct pair_lab fixture;

static int set_up(void **state)
{
	struct pair_lab *f = &fixture;

	pair_lab_init(f, FORMAT_SIIT_2);
	return 0;
}

static int tear_down(void **state)
{
	lab_deinit(&fixture.lab);
	return 0;
}

static int take_peer(const struct dp_peer *p, void *arg)
{
	if (p->id != DP_PEER_SELF)
		*(struct dp_peer *)arg = *p;
	return 0;
}

/* The one that a host has, to be changed. */
static struct dp_peer peer_of(int host)
{
	struct dp_peer p = {};

	assert_int_equal(datapath_peers(fixture.lab.hosts[host].dp, take_peer, &p), 0);
	assert_int_not_equal(p.id, 0);
	return p;
}

static int reset(void **state)
{
	lab_set_format(&fixture.lab, FORMAT_SIIT_2, false);
	return 0;
}

static struct frame packet_of_a(uint16_t payload)
{
	struct v4 p = {.src = "10.0.1.10",
		       .dst = "10.0.1.11",
		       .from = 1,
		       .protocol = 17,
		       .ttl = 64,
		       .fragment = DF,
		       .payload = payload};

	return frame_v4(&p);
}

/* What host 1 puts on the wire for a's packet to b. */
static struct frame wire(void)
{
	struct frame f = packet_of_a(20), out;

	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &out), TC_ACT_REDIRECT);
	return out;
}

static struct frame opened(uint8_t seal, uint8_t peer)
{
	const struct seal_note note = {.magic = SEAL_NOTE_MAGIC,
				       .kind = SEAL_NOTE_SUBSTRATE,
				       .seal = seal,
				       .id = {0, 0, 0, peer}};
	struct frame f = wire();

	memcpy(f.b, &note, sizeof(note));
	return f;
}

static int run_opened(const struct frame *f)
{
	struct frame out;
	struct datapath *dp = fixture.lab.hosts[B].dp;

	assert_true(*datapath_seal_device(dp));
	return frame_run(&fixture.lab, B, RUN_HANDED, bpf_host_of(dp)->seal_ifindex, f, &out);
}

struct row {
	const char *name;
	uint32_t accept, accept_128, accept_256; /* of b's host */
	uint8_t seal, peer;
	uint32_t reason; /* 0: it passes */
};

enum {
	SIIT = FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1),
	VXLAN = FORMAT_BIT(FORMAT_VXLAN_1),
	LZ4 = SEAL_NOTE_LZ4,
};

/* requirement: NEG-6 */
/* requirement: NEG-11 */
static void test_what_was_chosen_passes(void **state)
{
	static const struct row table[] = {
		{"sealed as chosen", 0, 0, SIIT, SEAL_AES_256_GCM, 1, 0},
		{"sealed as was chosen before", 0, SIIT, SIIT, SEAL_AES_128_GCM, 1, 0},
		{"compressed, as chosen", 0, 0, SIIT | SEAL_ACCEPT_LZ4, SEAL_AES_256_GCM | LZ4, 1,
		 0},
		{"lz4 may be absent", 0, 0, SIIT | SEAL_ACCEPT_LZ4, SEAL_AES_256_GCM, 1, 0},
		{"in the clear, while that changes", SIIT, 0, SIIT, SEAL_CLEAR, 1, 0},
		{"in the clear", 0, 0, SIIT, SEAL_CLEAR, 1, DROP_PLAIN},
		{"in the clear, in a format for nobody", 0, 0, VXLAN, SEAL_CLEAR, 1, DROP_FORMAT},
		{"with another cipher", 0, 0, SIIT, SEAL_AES_128_GCM, 1, DROP_SEALED},
		{"with a tag alone", 0, SIIT, SIIT, SEAL_AES_128_GMAC, 1, DROP_SEALED},
		{"compressed unasked", 0, 0, SIIT, SEAL_AES_256_GCM | LZ4, 1, DROP_SEALED},
		{"sealed unasked", SIIT, 0, 0, SEAL_AES_256_GCM, 1, DROP_SEALED},
		{"another format than sealed", SIIT, 0, VXLAN, SEAL_AES_256_GCM, 1, DROP_FORMAT},
		{"with another host's key", 0, 0, SIIT, SEAL_AES_256_GCM, 9, DROP_STATEMENT},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const struct row *r = &table[i];
		struct dp_peer p = peer_of(B);

		p.accept = r->accept;
		p.accept_sealed[SEAL_AES_128_GCM] = r->accept_128;
		p.accept_sealed[SEAL_AES_256_GCM] = r->accept_256;
		assert_int_equal(datapath_peer_set(fixture.lab.hosts[B].dp, &p), 0);
		/* Twice: by the full path, and then by what it left in the flow cache. */
		for (int n = 0; n < 2; n++) {
			struct frame f = r->seal ? opened(r->seal, r->peer) : wire(), out;
			uint64_t before = lab_drops(&fixture.lab, B, 0, r->reason) +
					  lab_drops(&fixture.lab, B, fixture.b->port.id, r->reason);
			int verdict = r->seal ? run_opened(&f)
					      : frame_from_wire(&fixture.lab, B, &f, &out);

			if ((verdict == TC_ACT_REDIRECT) != !r->reason)
				print_error("%s, round %d\n", r->name, n);
			assert_int_equal(verdict, r->reason ? TC_ACT_SHOT : TC_ACT_REDIRECT);
			if (r->reason)
				assert_int_equal(lab_drops(&fixture.lab, B, 0, r->reason) +
							 lab_drops(&fixture.lab, B,
								   fixture.b->port.id, r->reason),
						 before + 1);
		}
	}
}

/* A flow that was cached from one kind of packet says nothing about the other. */
static void test_the_cache_keeps_both_apart(void **state)
{
	struct dp_peer p = peer_of(B);
	struct frame clear = wire(), sealed = opened(SEAL_AES_256_GCM, 1), out;
	uint64_t before = lab_drops(&fixture.lab, B, 0, DROP_PLAIN);

	p.accept = 0;
	p.accept_sealed[SEAL_AES_256_GCM] = SIIT;
	assert_int_equal(datapath_peer_set(fixture.lab.hosts[B].dp, &p), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(run_opened(&sealed), TC_ACT_REDIRECT);
		assert_int_equal(frame_from_wire(&fixture.lab, B, &clear, &out), TC_ACT_SHOT);
	}
	assert_int_equal(lab_drops(&fixture.lab, B, 0, DROP_PLAIN), before + 3);
	/* Nor does the right key make another host's packets one's own. */
	sealed.b[11] = 2;
	before = lab_drops(&fixture.lab, B, 0, DROP_STATEMENT);
	assert_int_equal(run_opened(&sealed), TC_ACT_SHOT);
	assert_int_equal(lab_drops(&fixture.lab, B, 0, DROP_STATEMENT), before + 1);
	/* Nobody but the worker writes notes. */
	sealed.b[0] = 2;
	assert_int_equal(run_opened(&sealed), TC_ACT_SHOT);
	sealed = opened(SEAL_CLEAR, 1);
	assert_int_equal(run_opened(&sealed), TC_ACT_SHOT);
}

/* What leaves to a peer whose traffic is sealed goes to the worker with a note, and has room for
 * the seal. */
static void test_what_leaves(void **state)
{
	const struct seal_note expected = {.magic = SEAL_NOTE_MAGIC, .id = {0, 0, 0, 2}};
	struct dp_peer p = peer_of(A);
	struct frame f = packet_of_a(20), out;
	uint64_t before;

	p.seal = SEAL_AES_256_GCM;
	p.vxlan_over_v6 = true;
	assert_int_equal(datapath_peer_set(fixture.lab.hosts[A].dp, &p), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &out),
				 TC_ACT_REDIRECT);
		assert_memory_equal(out.b, &expected, sizeof(expected));
		assert_int_equal(frame_u16(&out, 12), 0x86dd);
	}
	/* As it was told, for whoever adopts it. */
	p = peer_of(A);
	assert_int_equal(p.seal, SEAL_AES_256_GCM);
	assert_int_equal(p.nexthop, 1);
	assert_int_equal(p.path_mtu, LAB_WIRE_MTU);
	/* 1500 - 80 - 20 = 1400 of IPv4. */
	f = packet_of_a(1400 - 28);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &out), TC_ACT_REDIRECT);
	f = packet_of_a(1400 - 27);
	before = lab_drops(&fixture.lab, A, fixture.a->port.id, DROP_TOO_BIG);
	(void)frame_from_node(&fixture.lab, fixture.a, &f, &out);
	assert_int_equal(lab_drops(&fixture.lab, A, fixture.a->port.id, DROP_TOO_BIG), before + 1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* requirement: NEG-11 */
static void test_rate(void **state)
{
	/* A burst that takes longer than this test may be kept from the processor. */
	enum { MBIT = 20, BURST = 1000000, SIZE = 1000 };
	struct dp_peer p = peer_of(A);
	struct frame f = packet_of_a(SIZE - 28), out;
	uint64_t begin, held, most, least, before, passed = 0, refused = 0, elapsed = 0, idle = 0,
						   gap;

	p.rate_bits = MBIT * 1000000ULL;
	p.rate_burst = BURST;
	assert_int_equal(datapath_peer_set(fixture.lab.hosts[A].dp, &p), 0);
	assert_true(peer_of(A).rate_bits == p.rate_bits && peer_of(A).nexthop == 1);
	assert_int_equal(datapath_peer_held(fixture.lab.hosts[A].dp, 2, &before), 0);
	begin = now_ns();
	do {
		int verdict = frame_from_node(&fixture.lab, fixture.a, &f, &out);

		passed += verdict == TC_ACT_REDIRECT;
		refused += verdict == TC_ACT_SHOT;
		gap = now_ns() - begin - elapsed;
		elapsed += gap;
		/* kept from the processor: what the bucket does not hold is lost */
		idle += gap > 1000000 ? gap : 0;
	} while (elapsed < 20000000000 && (elapsed < 500000000 || refused < 100));
	/* Bytes of IP as they would be on the substrate: 20 more for siit. */
	most = BURST + elapsed / 1000 * MBIT / 8;
	least = BURST + (elapsed - idle) / 1000 * MBIT / 8;
	assert_true(passed * (SIZE + 20) <= most * 101 / 100);
	assert_true(passed * (SIZE + 20) >= least * 90 / 100);
	assert_true(refused > 0);
	assert_int_equal(datapath_peer_held(fixture.lab.hosts[A].dp, 2, &held), 0);
	assert_int_equal(held - before, refused);
	assert_int_equal(lab_drops(&fixture.lab, A, fixture.a->port.id, DROP_RATE), refused);
	/* The frame that passes leaves by the next hop that the agent gave, and follows it. */
	lab_set_format(&fixture.lab, FORMAT_SIIT_2, false);
	assert_int_equal(frame_from_node(&fixture.lab, fixture.a, &f, &out), TC_ACT_REDIRECT);
	assert_memory_equal(out.b, fixture.lab.hosts[B].wire_mac.b, 6);
}

/* What a slow rate had let through at once keeps nobody waiting under a quicker one.
 * requirement: NEG-11, NEG-8 */
static void test_a_rate_that_is_raised(void **state)
{
	enum { SIZE = 1000, BURST = 4000000, LEFT_S = 10 };
	struct dp_peer p = peer_of(A);
	struct frame f = packet_of_a(SIZE - 28), out;
	uint64_t begin;
	size_t passed = 0;
	int verdict;

	p.rate_bits = 1000000; /* that is 32 s of it */
	p.rate_burst = BURST;
	assert_int_equal(datapath_peer_set(fixture.lab.hosts[A].dp, &p), 0);
	while (frame_from_node(&fixture.lab, fixture.a, &f, &out) == TC_ACT_REDIRECT)
		passed++;
	assert_true(passed >= BURST / (SIZE + 20));
	p.rate_bits = 1000 * 1000000ULL;
	p.rate_burst = 262144;
	assert_int_equal(datapath_peer_set(fixture.lab.hosts[A].dp, &p), 0);
	begin = now_ns();
	do
		verdict = frame_from_node(&fixture.lab, fixture.a, &f, &out);
	while (verdict != TC_ACT_REDIRECT && now_ns() - begin < 60 * 1000000000ULL);
	assert_int_equal(verdict, TC_ACT_REDIRECT);
	assert_true(now_ns() - begin < LEFT_S * 1000000000ULL);
}

/* ---- rates of classes in classes ---- */

enum { FRAME = 1020 /* on the substrate */, CRAWL = 80 /* bits a second: nothing comes back */ };

static struct dp_variant variant(bool of_addresses, uint64_t rate_bits, uint32_t burst)
{
	struct dp_variant v = {.vni = LAB_VNI,
			       .peer_vni = LAB_VNI,
			       .send = FORMAT_SIIT_2,
			       .accept = FORMAT_BIT(FORMAT_SIIT_2),
			       .path_mtu = LAB_WIRE_MTU,
			       .rate_bits = rate_bits,
			       .rate_burst = burst,
			       .nexthop = 1};

	if (of_addresses) {
		v.addr = lab_addr("10.0.1.10");
		v.peer_addr = lab_addr("10.0.1.11");
	}
	return v;
}

/* How many frames pass until one is held back. */
static uint64_t pass(const struct dp_peer *peer, const struct dp_variant *variants, size_t n)
{
	struct dp_peer p = *peer;
	struct frame f = packet_of_a(FRAME - 20 - 28), out;
	uint64_t passed = 0, before, held;

	p.variants = variants;
	p.n_variants = n;
	assert_int_equal(datapath_peer_set(fixture.lab.hosts[A].dp, &p), 0);
	assert_int_equal(datapath_peer_held(fixture.lab.hosts[A].dp, p.id, &before), 0);
	while (frame_from_node(&fixture.lab, fixture.a, &f, &out) == TC_ACT_REDIRECT)
		passed++;
	/* whichever bucket was empty, the peer's counter says so */
	assert_int_equal(datapath_peer_held(fixture.lab.hosts[A].dp, p.id, &held), 0);
	assert_int_equal(held, before + 1);
	return passed;
}

/* Who has a choice of its own for two interfaces, or networks, is still held to the rate of what
 * these are part of, unless it may send faster than that; and what is held back is told with the
 * pair.  requirement: NEG-11, NEG-4 */
static void test_a_class_has_no_rate_beside_the_wider_one(void **state)
{
	struct dp_peer p = peer_of(A);
	struct dp_variant v[] = {variant(true, CRAWL, 70 * FRAME),
				 variant(false, 2 * CRAWL, 90 * FRAME)};

	/* none before: the bucket is full */
	assert_int_equal(datapath_peer_set(fixture.lab.hosts[A].dp, &p), 0);
	p.rate_bits = 2 * CRAWL;
	p.rate_burst = 100 * FRAME;
	assert_int_equal(pass(&p, v, 2), 70);
	assert_int_equal(pass(&p, v + 1, 1), 20);
	assert_int_equal(pass(&p, NULL, 0), 10);
	/* nothing is left, but for those that may send faster */
	assert_int_equal(pass(&p, v, 1), 0);
	v[0] = variant(true, 3 * CRAWL, 80 * FRAME);
	assert_int_equal(pass(&p, v, 1), 80);
	assert_int_equal(datapath_peer_set(fixture.lab.hosts[A].dp, &p), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_was_chosen_passes, reset),
		cmocka_unit_test_setup(test_the_cache_keeps_both_apart, reset),
		cmocka_unit_test_setup(test_what_leaves, reset),
		cmocka_unit_test_setup(test_rate, reset),
		cmocka_unit_test_setup(test_a_rate_that_is_raised, reset),
		cmocka_unit_test_setup(test_a_class_has_no_rate_beside_the_wider_one, reset),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
