/* SPDX-License-Identifier: Apache-2.0 */
/* Private DNS names, both ways. */
#include "model/names.h"

#include "tests/unit/test.h"

/* requirement: PKT-8 */
static void test_names(void **state)
{
	struct ipaddr a = ipaddr_from_v4(0x0a000004);
	char buf[NAMES_SIZE];

	assert_string_equal(names_host(&a, buf), "ip-10-0-0-4");
	assert_string_equal(names_private_dns("us-east-1", &a, buf), "ip-10-0-0-4.ec2.internal");
	assert_string_equal(names_private_dns("eu-west-1", &a, buf),
			    "ip-10-0-0-4.eu-west-1.compute.internal");
	assert_string_equal(names_domain("us-east-1", buf), "ec2.internal");
}

/* requirement: PKT-8 */
static void test_parse(void **state)
{
	static const char *const good[] = {"ip-10-0-0-4", "ip-10-0-0-4.",
					   "ip-10-0-0-4.ec2.internal", "IP-10-0-0-4.EC2.Internal."};
	static const char *const bad[] = {
		"",
		"ip-",
		"ip-10-0-0",
		"ip-10-0-0-4-5",
		"ip-10-0-0-256",
		"ip-10-0-0-04",
		"ip-10-0-0-4.example.com",
		"ip-10-0-0-4.ec2.internal.x",
		"ip-10-0-0-4ec2.internal",
		"ip-10-0-0-4.ec2.internalx",
		"ip-10-0-0-4..",
		"x-10-0-0-4",
		"ip-10-0-0-",
		"ip--1-0-0-4",
		"ip-10-0-0-4.us-east-1.compute.internal",
		"ip-1000-0-0-4",
	};
	struct ipaddr want = ipaddr_from_v4(0x0a000004), a;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_ok(names_parse("us-east-1", good[i], &a));
		assert_true(ipaddr_equal(&a, &want));
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (names_parse("us-east-1", bad[i], &a) != -EINVAL)
			fail_msg("%s", bad[i]);
}

static void test_every_name_reads_back(void **state)
{
	for (uint32_t v = 1; v < 0xf0000000; v += 0x01234567) {
		struct ipaddr a = ipaddr_from_v4(v), b;
		char buf[NAMES_SIZE];

		assert_ok(names_parse("eu-west-1", names_private_dns("eu-west-1", &a, buf), &b));
		assert_true(ipaddr_equal(&a, &b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_every_name_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
