/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, prefixes and MACs: text both ways, arithmetic, what is refused. */
#include "net/addr.h"

#include <string.h>

#include "base/err.h"
#include "tests/unit/addr.h"

static void test_addresses_as_text(void **state)
{
	static const char *const cases[][2] = {
		{"10.1.2.3", "10.1.2.3"},
		{"0.0.0.0", "0.0.0.0"},
		{"255.255.255.255", "255.255.255.255"},
		{"::ffff:10.1.2.3", "10.1.2.3"},
		{"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
		{"::", "::"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"},
	};
	char buf[IPADDR_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ipaddr a = addr_of(cases[i][0]);

		assert_string_equal(ipaddr_text(&a, buf), cases[i][1]);
	}
}

static void test_bad_addresses_are_refused(void **state)
{
	static const char *const cases[] = {
		"",          "10.1.2",    "10.1.2.256", "10.1.2.3 ",    " 10.1.2.3",
		"10.01.2.3", "1.2.3.4/8", ":::",        "fe80::1%eth0", "x"};
	struct ipaddr a = ipaddr_from_v4(7), before = a;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_error(ipaddr_parse(cases[i], &a), EINVAL);
	assert_true(ipaddr_equal(&a, &before));
}

static void test_ipv4_in_and_out(void **state)
{
	struct ipaddr a = ipaddr_from_v4(0x0a010203), v6 = addr_of("2001:db8::a01:203"), zero = {0};

	assert_true(ipaddr_is_v4(&a));
	assert_int_equal(ipaddr_v4(&a), 0x0a010203);
	assert_int_equal(a.b[12], 10);
	assert_int_equal(a.b[15], 3);
	assert_false(ipaddr_is_v4(&v6));
	assert_int_equal(ipaddr_v4(&v6), 0);
	assert_true(ipaddr_is_zero(&zero));
	assert_false(ipaddr_is_v4(&zero));
	a = ipaddr_from_v4(0);
	assert_false(ipaddr_is_zero(&a));
	assert_true(ipaddr_compare(&zero, &a) < 0);
	assert_true(ipaddr_compare(&v6, &a) > 0);
}

static void test_prefixes_as_text(void **state)
{
	static const struct {
		const char *text;
		uint8_t len, text_len;
		bool is_v4;
	} cases[] = {
		{"10.0.0.0/8", 104, 8, true},   {"0.0.0.0/0", 96, 0, true},
		{"10.1.2.3/32", 128, 32, true}, {"2001:db8::/32", 32, 32, false},
		{"::/0", 0, 0, false},          {"2001:db8::1/128", 128, 128, false},
		{"fc00::/7", 7, 7, false},      {"::/80", 80, 80, false},
	};
	char buf[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct prefix p = prefix_of(cases[i].text);

		assert_int_equal(p.len, cases[i].len);
		assert_int_equal(prefix_text_len(&p), cases[i].text_len);
		assert_int_equal(prefix_is_v4(&p), cases[i].is_v4);
		assert_string_equal(prefix_text(&p, buf), cases[i].text);
	}
}

static void test_every_written_prefix_reads_back(void **state)
{
	static const char *const addrs[] = {"0.0.0.0", "255.255.255.255",
					    "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
	char buf[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++)
		for (unsigned int len = 0; len <= 128; len++) {
			struct ipaddr a = addr_of(addrs[i]);
			struct prefix p = prefix_make(&a, (uint8_t)len), back;

			assert_ok(prefix_parse(prefix_text(&p, buf), &back));
			assert_true(prefix_equal(&p, &back));
		}
}

static void test_bad_prefixes_are_refused(void **state)
{
	static const struct {
		const char *text;
		int error;
	} cases[] = {
		{"10.0.0.0", -EINVAL},
		{"10.0.0.0/", -EINVAL},
		{"10.0.0.0/33", -EINVAL},
		{"10.0.0.0/-1", -EINVAL},
		{"10.0.0.0/8 ", -EINVAL},
		{"10.0.0.0/08", -EINVAL},
		{"10.0.0/8", -EINVAL},
		{"::/129", -EINVAL},
		{"/8", -EINVAL},
		{"10.0.0.0/8/8", -EINVAL},
		{"10.0.0.1/8", -EDOM},
		{"2001:db8::1/64", -EDOM},
		{"128.0.0.0/0", -EDOM},
		{"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa/64", -EINVAL},
	};
	struct prefix p = prefix_of("10.0.0.0/8"), before = p;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(prefix_parse(cases[i].text, &p), cases[i].error);
	assert_true(prefix_equal(&p, &before));
}

static void test_containment(void **state)
{
	struct prefix ten = prefix_of("10.0.0.0/8"), sub = prefix_of("10.1.0.0/16"),
		      all4 = prefix_of("0.0.0.0/0");
	struct prefix all = prefix_of("::/0"), other = prefix_of("11.0.0.0/8"),
		      odd = prefix_of("10.0.0.0/9");
	struct ipaddr in = addr_of("10.255.255.255"), out = addr_of("11.0.0.0"),
		      v6 = addr_of("2001:db8::1");

	assert_true(prefix_contains(&ten, &in));
	assert_false(prefix_contains(&ten, &out));
	assert_false(prefix_contains(&odd, &in));
	assert_false(prefix_contains(&all4, &v6));
	assert_true(prefix_contains(&all, &v6));
	assert_true(prefix_contains(&all, &in));
	assert_true(prefix_covers(&ten, &sub));
	assert_true(prefix_covers(&ten, &ten));
	assert_false(prefix_covers(&sub, &ten));
	assert_false(prefix_covers(&other, &sub));
	assert_true(prefix_overlaps(&sub, &ten));
	assert_true(prefix_overlaps(&ten, &sub));
	assert_false(prefix_overlaps(&ten, &other));
	assert_false(prefix_equal(&ten, &odd));
}

static void test_making_clears_the_bits_behind(void **state)
{
	struct ipaddr a = addr_of("10.255.255.255"), full = addr_of("ffff:ffff:ffff:ffff::");
	struct prefix p = prefix_make(&a, 96 + 12), q = prefix_v4(0x0affffff, 12);
	struct prefix r = prefix_make(&full, 61);
	char buf[PREFIX_TEXT_SIZE];

	assert_string_equal(prefix_text(&p, buf), "10.240.0.0/12");
	assert_true(prefix_equal(&p, &q));
	assert_string_equal(prefix_text(&r, buf), "ffff:ffff:ffff:fff8::/61");
}

static void test_macs(void **state)
{
	static const char *const bad[] = {"",
					  "02:00:00:00:00",
					  "02:00:00:00:00:0g",
					  "02-00-00-00-00-01",
					  "02:00:00:00:00:01:02",
					  "2:0:0:0:0:1",
					  "02:00:00:00:00:01 "};
	struct mac m, before;
	char buf[MAC_TEXT_SIZE];

	assert_ok(mac_parse("02:aB:00:ff:09:1e", &m));
	assert_string_equal(mac_text(&m, buf), "02:ab:00:ff:09:1e");
	before = m;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_error(mac_parse(bad[i], &m), EINVAL);
	assert_true(mac_equal(&m, &before));
	m.b[5] ^= 1;
	assert_false(mac_equal(&m, &before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_as_text),
		cmocka_unit_test(test_bad_addresses_are_refused),
		cmocka_unit_test(test_ipv4_in_and_out),
		cmocka_unit_test(test_prefixes_as_text),
		cmocka_unit_test(test_every_written_prefix_reads_back),
		cmocka_unit_test(test_bad_prefixes_are_refused),
		cmocka_unit_test(test_containment),
		cmocka_unit_test(test_making_clears_the_bits_behind),
		cmocka_unit_test(test_macs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
