/* SPDX-License-Identifier: Apache-2.0 */
/* Locators: bit by bit as the layouts say. */
#include "model/topology.h"

#include "abi/substrate.h"
#include "tests/unit/test.h"

static struct prefix organisation(void)
{
	struct prefix p;

	assert_ok(prefix_parse("fd56:6961::/32", &p));
	return p;
}

static struct locators locate(uint32_t locale, uint32_t area, uint32_t rack, uint32_t host)
{
	struct topology_place place = {locale, area, rack, host};
	struct prefix org = organisation();
	struct ipaddr v4 = {{0}}, v6;
	struct locators l;

	assert_ok(ipaddr_parse("fd00::1", &v6));
	assert_ok(topology_locators(&org, &place, &v4, &v6, &l));
	return l;
}

static void check(const struct prefix *p, const char *text)
{
	char buf[PREFIX_TEXT_SIZE];

	assert_string_equal(prefix_text(p, buf), text);
}

/* requirement: MAP-5 */
static void test_layouts(void **state)
{
	struct locators l = locate(0, 0, 0, 1);

	check(&l.siit1, "fd56:6961:0:1::/64");
	check(&l.siit2, "fd56:6961:8000:100::/56");
	l = locate(0x2a, 0xbc, 0xde, 0xf1);
	check(&l.siit1, "fd56:6961:2abc:def1::/64");
	assert_int_equal(l.siit2.len, 0);
	/* locale 4, area 4, rack 6, host 8 behind the two bits of the version: 10 1111 0101 100001
	 * 11111111 */
	l = locate(15, 5, 33, 255);
	check(&l.siit2, "fd56:6961:bd61:ff00::/56");
	assert_int_equal(substrate_version(l.siit2.addr.b), SUBSTRATE_VERSION_SIIT_2);
	assert_int_equal(substrate_version(l.siit1.addr.b), SUBSTRATE_VERSION_SIIT_1);
}

/* requirement: MAP-5 */
static void test_what_does_not_fit(void **state)
{
	static const struct topology_place wrong[] = {
		{64, 0, 0, 1}, {0, 256, 0, 1}, {0, 0, 256, 1}, {0, 0, 0, 256}, {0, 0, 0, 0},
	};
	struct ipaddr v4 = {{0}}, v6 = {{0xfd}};
	struct prefix org = organisation();
	struct locators l = {.v4 = v6};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_error(topology_locators(&org, &wrong[i], &v4, &v6, &l), ERANGE);
	assert_true(ipaddr_equal(&l.v4, &v6));
	assert_int_equal(locate(16, 0, 0, 1).siit2.len, 0);
	assert_int_equal(locate(0, 16, 0, 1).siit2.len, 0);
	assert_int_equal(locate(0, 0, 64, 1).siit2.len, 0);
	assert_int_equal(locate(15, 15, 63, 1).siit2.len, 56);
}

static void test_every_place_has_its_own(void **state)
{
	struct locators last = locate(0, 0, 0, 255);

	for (uint32_t rack = 1; rack < 64; rack++)
		for (uint32_t host = 1; host < 256; host++) {
			struct locators l = locate(0, 0, rack, host);

			assert_true(ipaddr_compare(&l.siit1.addr, &last.siit1.addr) > 0);
			assert_true(ipaddr_compare(&l.siit2.addr, &last.siit2.addr) > 0);
			last = l;
		}
}

static void test_without_ipv6_there_are_none(void **state)
{
	struct topology_place place = {0, 0, 0, 1};
	struct ipaddr v4 = ipaddr_from_v4(0xc0000201), v6 = {{0}};
	struct prefix org = organisation();
	struct locators l;

	assert_ok(topology_locators(&org, &place, &v4, &v6, &l));
	assert_int_equal(l.siit1.len, 0);
	assert_int_equal(l.siit2.len, 0);
	assert_true(ipaddr_equal(&l.v4, &v4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_what_does_not_fit),
		cmocka_unit_test(test_every_place_has_its_own),
		cmocka_unit_test(test_without_ipv6_there_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
