/* SPDX-License-Identifier: Apache-2.0 */
/* The Internet checksum on packets made by others, and its incremental update. */
#include "net/csum.h"

#include <string.h>

#include "base/err.h"
#include "base/rand.h"
#include "tests/unit/addr.h"

static void test_rfc_1071_example(void **state)
{
	/* RFC 1071 section 3: the sum is ddf2. */
	static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	static const uint8_t expected[] = {(uint8_t)~0xdd, (uint8_t)~0xf2};
	uint16_t check = csum(data, sizeof(data));

	assert_memory_equal(&check, expected, 2);
}

static void test_real_ipv4_header(void **state)
{
	/* IPv4 header of a packet from 192.168.0.1 to 192.168.0.199, checksum b861. */
	uint8_t header[] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
			    0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
	uint16_t check;

	assert_int_equal(csum(header, sizeof(header)), 0);
	header[10] = header[11] = 0;
	check = csum(header, sizeof(header));
	assert_memory_equal(&check, "\xb8\x61", 2);
}

/* The checksum of UDP over either family as another implementation (scapy) computes it. */
static void test_udp_with_pseudo_header(void **state)
{
	static const struct {
		const char *src, *dst;
		uint8_t check[2];
	} cases[] = {
		{"10.0.0.1", "10.0.0.2", {0x8c, 0xff}},
		{"2001:db8::1", "2001:db8::2", {0x45, 0x8d}},
	};
	static const uint8_t udp[] = {0x04, 0xd2, 0x16, 0x2e, 0x00, 0x0d, 0x00,
				      0x00, 'h',  'e',  'l',  'l',  'o'};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ipaddr src = addr_of(cases[i].src), dst = addr_of(cases[i].dst);
		uint32_t sum = csum_pseudo(&src, &dst, 17, sizeof(udp));
		uint16_t check = csum_fold(csum_add(sum, udp, sizeof(udp)));

		assert_memory_equal(&check, cases[i].check, 2);
	}
}

static void test_spans_add_up(void **state)
{
	uint8_t data[1001];
	uint32_t sum = 0;

	rand_bytes(data, sizeof(data));
	for (size_t i = 0; i + 10 <= sizeof(data); i += 10)
		sum = csum_add(sum, data + i, 10);
	sum = csum_add(sum, data + 1000, 1);
	assert_int_equal(csum_fold(sum), csum(data, sizeof(data)));
	assert_int_equal(csum(data, 0), 0xffff);
}

static void test_large_sums_do_not_overflow(void **state)
{
	static uint8_t data[1 << 20];

	memset(data, 0xff, sizeof(data));
	assert_int_equal(csum(data, sizeof(data)), 0);
	assert_int_equal(csum_fold(0x1ffff), (uint16_t)~1); /* folding carries once more */
	assert_int_equal(csum_fold(csum_add(UINT32_MAX, data, sizeof(data))), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_1071_example),
		cmocka_unit_test(test_real_ipv4_header),
		cmocka_unit_test(test_udp_with_pseudo_header),
		cmocka_unit_test(test_spans_add_up),
		cmocka_unit_test(test_large_sums_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
