/* SPDX-License-Identifier: Apache-2.0 */
/* Protocols and ranges of rules: as EC2 says them, and back. */
#include "model/traffic.h"

#include "tests/unit/test.h"

struct row {
	const char *protocol;
	int32_t from, to;
	struct traffic expected;
	const char *name;
	int32_t shown_from, shown_to;
};

/* requirement: NIC-6 */
static void test_there_and_back(void **state)
{
	static const struct row rows[] = {
		{"tcp", 22, 80, {6, 22, 80}, "tcp", 22, 80},
		{"6", 0, 65535, {6, 0, 65535}, "tcp", 0, 65535},
		{"UDP", 53, 53, {17, 53, 53}, "udp", 53, 53},
		{"icmp", -1, -1, {1, 0, 65535}, "icmp", -1, -1},
		{"icmp", 8, -1, {1, 0x800, 0x8ff}, "icmp", 8, -1},
		{"1", 3, 4, {1, 0x304, 0x304}, "icmp", 3, 4},
		{"icmpv6", 128, 0, {58, 0x8000, 0x8000}, "icmpv6", 128, 0},
		{"58", 255, -1, {58, 0xff00, 0xffff}, "icmpv6", 255, -1},
		{"-1", 1, 2, {256, 0, 65535}, "-1", -1, -1},
		{"50", 1, 2, {50, 0, 65535}, "50", -1, -1},
		{"0", 0, 0, {0, 0, 65535}, "0", -1, -1},
	};
	char text[TRAFFIC_TEXT_SIZE];
	struct refusal refusal;
	int32_t from, to;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct traffic t;

		assert_ok(
			traffic_parse(rows[i].protocol, &rows[i].from, &rows[i].to, &t, &refusal));
		assert_true(traffic_equal(&t, &rows[i].expected));
		assert_string_equal(traffic_name(&t, text), rows[i].name);
		traffic_range(&t, &from, &to);
		assert_int_equal(from, rows[i].shown_from);
		assert_int_equal(to, rows[i].shown_to);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *protocol;
		int32_t from, to;
	} rows[] = {
		{"tcp", -1, 5},   {"tcp", 5, -1},   {"tcp", 6, 5},   {"udp", 1, 65536},
		{"icmp", 256, 0}, {"icmp", 0, 256}, {"icmp", -1, 0}, {"icmp", -2, -1},
		{"256", 0, 0},    {"tcpx", 1, 1},   {"", 1, 1},      {"-2", 0, 0},
	};
	struct traffic t = {1, 2, 3}, before = t;
	struct refusal refusal;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(
			traffic_parse(rows[i].protocol, &rows[i].from, &rows[i].to, &t, &refusal),
			MODEL_E_TRAFFIC);
		assert_true(refusal.message[0]);
		assert_true(traffic_equal(&t, &before));
	}
	assert_int_equal(traffic_parse("tcp", NULL, &rows[0].to, &t, &refusal), MODEL_E_TRAFFIC);
}

static void test_covers(void **state)
{
	const struct traffic web = {TRAFFIC_TCP, 80, 443}, ping = {TRAFFIC_ICMP, 0x800, 0x8ff},
			     all = {TRAFFIC_ANY, 0, TRAFFIC_MAX};

	assert_true(traffic_covers(&web, 6, 80) && traffic_covers(&web, 6, 443));
	assert_false(traffic_covers(&web, 6, 79) || traffic_covers(&web, 6, 444));
	assert_false(traffic_covers(&web, 17, 80));
	assert_true(traffic_covers(&ping, 1, 0x800) && !traffic_covers(&ping, 1, 0));
	assert_true(traffic_covers(&all, 132, 0) && traffic_covers(&all, 6, 65535));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_covers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
