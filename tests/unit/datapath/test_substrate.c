/* SPDX-License-Identifier: Apache-2.0 */
/* The codec of substrate addresses (abi/substrate.h) against a slow twin and by its own law. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "abi/substrate.h"
#include "net/addr.h"
#include "net/csum.h"
#include "tests/unit/addr.h"

enum { RANDOM_ROUNDS = 300000 };

/* Written out by hand from the layouts in DESIGN section 6. */
/* requirement: MAP-5 */
static void test_written_out(void **state)
{
	struct ipaddr locator_1 = addr_of("2001:db8:1:101::"),
		      locator_2 = addr_of("2001:db8:8000:1100::");
	struct ipaddr want, got;

	want = addr_of("2001:db8:1:101:0:7:a00:10a");
	substrate_siit_1(got.b, locator_1.b, 0, 7, htonl(0x0a00010a));
	assert_true(ipaddr_equal(&got, &want));
	want = addr_of("2001:db8:1:101:d1ab:cdef:ffff:ffff"); /* slot 52, u 0, g 1 */
	substrate_siit_1(got.b, locator_1.b, 52 << 2 | 1, 0xabcdef, 0xffffffff);
	assert_true(ipaddr_equal(&got, &want));
	want = addr_of("2001:db8:8000:113f:4100:7:a00:10a");
	substrate_siit_2(got.b, locator_2.b, 7, htonl(0x0a00010a));
	assert_true(ipaddr_equal(&got, &want));
	assert_int_equal(substrate_version(got.b), SUBSTRATE_VERSION_SIIT_2);
	assert_int_equal(substrate_version(locator_1.b), SUBSTRATE_VERSION_SIIT_1);
	assert_int_equal(substrate_vni(got.b), 7);
	assert_int_equal(substrate_v4(got.b), htonl(0x0a00010a));
}

/* A checksum over the IPv6 address is one over the IPv4 address: all else sums to zero. */
static void assert_neutral(const uint8_t locator[16], uint32_t vni, uint32_t v4)
{
	uint8_t a[16];

	substrate_siit_2(a, locator, vni, v4);
	assert_int_equal(csum(a, 12) == 0 || csum(a, 12) == 0xffff, true);
	assert_memory_equal(a, locator, 7);
	assert_int_equal(substrate_vni(a), vni);
	assert_int_equal(substrate_v4(a), v4);
	assert_true(substrate_siit_2_is_valid(a));
	/* Of the two ways to write zero only one is valid. */
	if (!a[7] && !a[8]) {
		a[7] = a[8] = 0xff;
		assert_false(substrate_siit_2_is_valid(a));
		return;
	}
	a[8] ^= 1;
	assert_false(substrate_siit_2_is_valid(a));
}

/* requirement: MAP-5 */
static void test_neutral(void **state)
{
	static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
	uint8_t locator[16] = {};

	srandom(1);
	for (size_t i = 0; i < RANDOM_ROUNDS; i++) {
		bool edge = i % 3 == 0;

		for (size_t j = 0; j < 7; j++)
			locator[j] = edge ? edges[random() % 6] : (uint8_t)random();
		locator[0] |= 0x20; /* an organisation is not zero */
		assert_neutral(locator,
			       edge ? edges[i % 6] * 0x10101U : (uint32_t)random() & 0xffffff,
			       (uint32_t)random());
	}
}

/* requirement: PKT-2 */
static void test_label(void **state)
{
	for (unsigned int ttl = 0; ttl < 256; ttl++)
		for (int df = 0; df < 2; df++) {
			uint32_t label = substrate_label(df, (uint8_t)ttl, 0xffffffff);

			assert_int_equal(label >> 20, 0);
			assert_int_equal(substrate_label_df(label), df);
			assert_int_equal(substrate_label_ttl(label), ttl);
			assert_int_equal(label & 0x7ff, 0x7ff);
			assert_int_equal(substrate_label(df, (uint8_t)ttl, 0) & 0x7ff, 0);
		}
}

/* requirement: PKT-2 */
static void test_protocols_of_the_substrate(void **state)
{
	static const uint8_t never[] = {0, 4, 41, 43, 44, 58, 59, 60, 135, 139, 140};

	for (unsigned int protocol = 0; protocol < 256; protocol++)
		assert_int_equal(substrate_can_rehead((uint8_t)protocol),
				 !memchr(never, (int)protocol, sizeof(never)));
}

/* MACs are unicast, locally administered, and another for every network and address. */
/* requirement: PKT-1 */
static void test_dummy_macs(void **state)
{
	struct ipaddr one = addr_of("fe80::1"), two = addr_of("fe80::2");
	uint8_t a[6], b[6];

	substrate_dummy_mac_v4(a, 7, htonl(0x0a00010a));
	assert_memory_equal(a, ((uint8_t[]){0x06, 7, 10, 0, 1, 10}), 6);
	substrate_dummy_mac_v4(b, 8, htonl(0x0a00010a));
	assert_memory_not_equal(a, b, 6);
	substrate_dummy_mac_v6(a, 7, one.b);
	assert_int_equal(a[0] & 3, 2);
	substrate_dummy_mac_v6(b, 7, two.b);
	assert_memory_not_equal(a, b, 6);
	substrate_dummy_mac_v6(b, 8, one.b);
	assert_memory_not_equal(a, b, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_out),
		cmocka_unit_test(test_neutral),
		cmocka_unit_test(test_label),
		cmocka_unit_test(test_protocols_of_the_substrate),
		cmocka_unit_test(test_dummy_macs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
