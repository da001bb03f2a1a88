/* SPDX-License-Identifier: Apache-2.0 */
/* Ids as text: EC2's form, and nothing else. */
#include "model/id.h"

#include "model/record.h"
#include "tests/unit/test.h"

static void test_round_trip(void **state)
{
	const uint64_t ids[] = {1, 0x123456789abcdef0, UINT64_MAX};
	char text[ID_TEXT_SIZE];
	uint64_t id;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		assert_ok(id_parse(KIND_VPC, id_text(KIND_VPC, ids[i], text), &id));
		assert_true(id == ids[i]);
		assert_int_equal(kind_of_id(text), KIND_VPC);
	}
	assert_string_equal(id_text(KIND_INTERFACE, 0x123456789abcdef0, text),
			    "eni-0123456789abcdef0");
	assert_string_equal(id_text_prefixed(ID_PREFIX_ATTACHMENT, 1, text),
			    "eni-attach-00000000000000001");
	assert_ok(id_parse_prefixed(ID_PREFIX_ATTACHMENT, text, &id));
	assert_true(id == 1);
	assert_int_equal(kind_of_id(text), KIND_NONE);
}

static void test_what_is_no_id(void **state)
{
	static const char *const texts[] = {
		"",
		"vpc-",
		"vpc",
		"vpc-0123456789abcdef",
		"vpc-0123456789abcdef01",
		"vpc-1123456789abcdef0",
		"vpc-0123456789ABCDEF0",
		"vpc-0123456789abcdefg",
		"subnet-0123456789abcdef0",
		" vpc-0123456789abcdef0",
		"vpc-0123456789abcde 0",
	};
	uint64_t id = 77;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_error(id_parse(KIND_VPC, texts[i], &id), EINVAL);
	assert_true(id == 77);
}

static void test_accounts_are_twelve_digits(void **state)
{
	static const char *const wrong[] = {
		"", "12345678901", "1234567890123", "12345678901x", "000000000000", "-12345678901"};
	char text[ID_TEXT_SIZE];
	uint64_t id;

	assert_ok(id_parse(KIND_ACCOUNT, "012345678901", &id));
	assert_true(id == 12345678901);
	assert_string_equal(id_text(KIND_ACCOUNT, id, text), "012345678901");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_error(id_parse(KIND_ACCOUNT, wrong[i], &id), EINVAL);
}

static void test_kinds_have_names(void **state)
{
	for (enum kind k = KIND_ACCOUNT; k < KIND_MAX; k++)
		assert_int_equal(!kind_name(k), !record_of(k));
	assert_int_equal(kind_of_id("sg-0"), KIND_SECURITY_GROUP);
	assert_int_equal(kind_of_id("sgr-0"), KIND_SECURITY_GROUP_RULE);
	assert_int_equal(kind_of_id("acl-0"), KIND_NETWORK_ACL);
	assert_int_equal(kind_of_id("eni-perm-0"), KIND_PERMISSION);
	assert_int_equal(kind_of_id("eni-0"), KIND_INTERFACE);
	assert_null(kind_name(KIND_NONE));
	assert_null(kind_name(KIND_MAX));
	assert_int_equal(kind_of_id("i-0"), KIND_INSTANCE);
	assert_int_equal(kind_of_id("sgx-0"), KIND_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_what_is_no_id),
		cmocka_unit_test(test_accounts_are_twelve_digits),
		cmocka_unit_test(test_kinds_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
