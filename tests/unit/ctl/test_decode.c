/* SPDX-License-Identifier: Apache-2.0 */
/* Substrate addresses read back: both layouts, and what is none of them. */
#include "ctl/decode.h"

#include <arpa/inet.h>
#include <string.h>

#include "abi/substrate.h"
#include "tests/unit/test.h"

/* requirement: MAP-5 */
static void test_siit_1_is_read_back(void **state)
{
	/* organisation fd56:6961, version 0, locale 5, area 17, rack 200, host 9 */
	const uint64_t topology = 5ULL << 24 | 17ULL << 16 | 200ULL << 8 | 9ULL;
	struct ipaddr locator = {{0xfd, 0x56, 0x69, 0x61}}, a;
	struct decode_address d;

	for (int i = 0; i < 4; i++)
		locator.b[4 + i] = (uint8_t)(topology >> (24 - 8 * i));
	substrate_siit_1(a.b, locator.b, 3 << 2 | 2, 0x123456, htonl(0x0a000105));
	assert_ok(decode_address(&a, &d));
	assert_int_equal(d.layout, 1);
	assert_int_equal(d.locale, 5);
	assert_int_equal(d.area, 17);
	assert_int_equal(d.rack, 200);
	assert_int_equal(d.host, 9);
	assert_int_equal(d.slot, 3);
	assert_true(d.u);
	assert_false(d.g);
	assert_int_equal(d.vni, 0x123456);
	assert_int_equal(ipaddr_v4(&d.inner), 0x0a000105);
}

/* requirement: MAP-5 */
static void test_siit_2_is_read_back(void **state)
{
	/* version 2, locale 3, area 4, rack 33, host 250 */
	const uint32_t topology = 2U << 22 | 3U << 18 | 4U << 14 | 33U << 8 | 250U;
	struct ipaddr locator = {{0xfd, 0x56, 0x69, 0x61, (uint8_t)(topology >> 16),
				  (uint8_t)(topology >> 8), (uint8_t)topology}};
	struct decode_address d;
	struct ipaddr a;

	substrate_siit_2(a.b, locator.b, 0xabcdef, htonl(0xac1f0001));
	assert_ok(decode_address(&a, &d));
	assert_int_equal(d.layout, 2);
	assert_int_equal(d.locale, 3);
	assert_int_equal(d.area, 4);
	assert_int_equal(d.rack, 33);
	assert_int_equal(d.host, 250);
	assert_int_equal(d.vni, 0xabcdef);
	assert_int_equal(ipaddr_v4(&d.inner), 0xac1f0001);
	assert_true(d.neutral);
	a.b[8] ^= 1;
	assert_ok(decode_address(&a, &d));
	assert_false(d.neutral);
}

static void test_other_addresses_are_refused(void **state)
{
	static const char *const texts[] = {"10.0.0.1", "fd56:6961:4000::1", "fd56:6961:c000::1"};
	struct decode_address d = {.vni = 7};
	struct ipaddr a;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_ok(ipaddr_parse(texts[i], &a));
		assert_error(decode_address(&a, &d), EINVAL);
	}
	assert_int_equal(d.vni, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siit_1_is_read_back),
		cmocka_unit_test(test_siit_2_is_read_back),
		cmocka_unit_test(test_other_addresses_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
