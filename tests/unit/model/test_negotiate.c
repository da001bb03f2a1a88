/* SPDX-License-Identifier: Apache-2.0 */
/* The choice between two hosts: rows of what each has, and what is chosen. */
#include "model/negotiate.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/test.h"

#define S1 FORMAT_BIT(FORMAT_SIIT_1)
#define S2 FORMAT_BIT(FORMAT_SIIT_2)
#define IP FORMAT_BIT(FORMAT_IPIP6_1)
#define VX FORMAT_BIT(FORMAT_VXLAN_1)

enum { V4 = 1, V6 = 2, V6_FAR = 4 }; /* FAR: does not fit siit/2 */

static struct ability make(uint32_t formats, int families, uint32_t mtu)
{
	struct topology_place place = {.rack = families & V6_FAR ? 200 : 1, .host = 1};
	struct ability a = {.formats = formats, .mtu = mtu};
	struct ipaddr v4 = {{0}}, v6 = {{0}};
	struct prefix organisation;

	assert_ok(prefix_parse("fd56:6961::/32", &organisation));
	if (families & V4)
		assert_ok(ipaddr_parse("192.0.2.1", &v4));
	if (families & (V6 | V6_FAR))
		assert_ok(ipaddr_parse("fd00::1", &v6));
	assert_ok(topology_locators(&organisation, &place, &v4, &v6, &a.locators));
	return a;
}

static const struct {
	const char *what;
	uint32_t a, b;
	int families_a, families_b;
	enum format send;
	uint32_t accept;
	bool over_v6;
	uint32_t overhead;
} rows[] = {
	{"all on both", S1 | S2 | IP | VX, S1 | S2 | IP | VX, V6, V6, FORMAT_SIIT_2, S2 | IP, false,
	 40},
	{"highest common version", S1 | S2 | IP, S1 | IP, V6, V6, FORMAT_SIIT_1, S1 | IP, false,
	 40},
	{"siit before vxlan", S1 | VX, S1 | VX, V6 | V4, V6 | V4, FORMAT_SIIT_1, S1, false, 20},
	{"no ipip6 on one", S2 | IP, S2, V6, V6, FORMAT_SIIT_2, S2, false, 20},
	{"no common siit: vxlan", S1 | VX, S2 | VX, V6, V6, FORMAT_VXLAN_1, VX, true, 70},
	{"one does not fit siit/2", S1 | S2 | IP, S1 | S2 | IP, V6, V6_FAR, FORMAT_SIIT_1, S1 | IP,
	 false, 40},
	{"IPv4 only", S1 | S2 | IP | VX, S1 | S2 | IP | VX, V4, V4, FORMAT_VXLAN_1, VX, false, 50},
	{"one IPv4 only, one both", S1 | S2 | IP | VX, S1 | S2 | IP | VX, V4, V4 | V6,
	 FORMAT_VXLAN_1, VX, false, 50},
	{"no address family in common", VX, VX, V4, V6, FORMAT_NONE, 0, false, 0},
	{"nothing in common", S1 | IP, VX, V6, V6, FORMAT_NONE, 0, false, 0},
	{"ipip6 alone is nothing", IP, IP, V6, V6, FORMAT_NONE, 0, false, 0},
	{"no probe yet", 0, S1 | S2 | IP | VX, V6, V6, FORMAT_NONE, 0, false, 0},
};

/* requirement: NEG-2 */
static void test_rows(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ability a = make(rows[i].a, rows[i].families_a, 1500);
		struct ability b = make(rows[i].b, rows[i].families_b, 9000);
		struct choice c = negotiate(&a, "h1", &b, "h2");

		if (c.send != rows[i].send || c.accept != rows[i].accept ||
		    c.vxlan_over_v6 != rows[i].over_v6 || c.overhead != rows[i].overhead)
			fail_msg("%s: %s, accepts %x, overhead %u (%s)", rows[i].what,
				 format_name(c.send), c.accept, c.overhead, c.reason);
		assert_int_equal(c.path_mtu, 1500);
	}
}

/* requirement: NEG-7 */
static void test_no_choice_names_what_each_has(void **state)
{
	struct ability a = make(S1 | IP, V6, 1500), b = make(VX, V4, 1500);
	struct choice c = negotiate(&a, "left", &b, "right");

	assert_int_equal(c.send, FORMAT_NONE);
	assert_string_equal(c.reason, "no format in common: left has siit/1, ipip6/1 (IPv6), "
				      "right has vxlan/1 (IPv4)");
}

/* requirement: NEG-2 */
static void test_properties(void **state)
{
	const int families[] = {V4, V6, V4 | V6, V6_FAR, V4 | V6_FAR};

	for (uint32_t n = 0; n < 32 * 32 * 25; n++) {
		struct ability a = make(n % 32 & ~1U, families[n / 1024 % 5], 1500);
		struct ability b = make(n / 32 % 32 & ~1U, families[n / 1024 / 5], 1400);
		struct choice ab = negotiate(&a, "a", &b, "b"), ba = negotiate(&b, "b", &a, "a");
		uint32_t overhead = negotiate_overhead(&a, &b);

		/* both ends agree, and use only what both have */
		assert_int_equal(ab.send, ba.send);
		assert_int_equal(ab.accept, ba.accept);
		assert_int_equal(ab.path_mtu, 1400);
		assert_int_equal(ab.accept & ~(a.formats & b.formats), 0);
		assert_true(ab.send == FORMAT_NONE ? !ab.accept : ab.accept & FORMAT_BIT(ab.send));
		/* a higher version of siit is never left unused */
		if (a.formats & b.formats & S2 && a.locators.siit2.len && b.locators.siit2.len)
			assert_int_equal(ab.send, FORMAT_SIIT_2);
		if (overhead == UINT32_MAX)
			assert_int_equal(ab.send, FORMAT_NONE);
		else
			assert_int_equal(ab.overhead, overhead);
		assert_non_null(strstr(ab.reason, ab.send ? format_name(ab.send) : "no format"));
	}
}

/* requirement: NEG-2 */
static void test_versions(void **state)
{
	const struct version a[] = {{1, 0}, {1, 1}, {3, 0}}, b[] = {{2, 0}, {1, 1}, {1, 0}};
	const struct version high[] = {{2, 0}, {10, 0}, {9, 99}};
	struct version v = {7, 7};

	assert_true(negotiate_version(a, 3, b, 3, &v));
	assert_int_equal(v.major, 1);
	assert_int_equal(v.minor, 1);
	assert_true(negotiate_version(high, 3, high, 3, &v));
	assert_int_equal(v.major, 10);
	v = (struct version){7, 7};
	assert_false(negotiate_version(&a[2], 1, b, 3, &v));
	assert_false(negotiate_version(a, 0, b, 3, &v));
	assert_int_equal(v.major, 7);
}

static void test_names(void **state)
{
	char text[FORMAT_LIST_SIZE];

	assert_string_equal(format_name(FORMAT_SIIT_2), "siit/2");
	assert_string_equal(format_name(FORMAT_NONE), "none");
	assert_string_equal(format_name(FORMAT_MAX), "unknown");
	assert_string_equal(format_list(S1 | S2 | IP | VX, text),
			    "siit/1, siit/2, ipip6/1, vxlan/1");
	assert_string_equal(format_list(0, text), "nothing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_no_choice_names_what_each_has),
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
