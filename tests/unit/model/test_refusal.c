/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals: codes and wording that clients compare. */
#include "model/refusal.h"

#include <string.h>

#include "tests/unit/test.h"

static void test_wording(void **state)
{
	struct refusal r;

	assert_int_equal(refuse(&r, MODEL_E_VPC_NOT_FOUND, "vpc-1"), MODEL_E_VPC_NOT_FOUND);
	assert_int_equal(r.code, MODEL_E_VPC_NOT_FOUND);
	assert_string_equal(r.subject, "vpc-1");
	assert_string_equal(r.message, "VpcID vpc-1 does not exist.");
	refuse(&r, MODEL_E_VALUE, "x", "cidrBlock", "This is not a valid CIDR block.");
	assert_string_equal(r.message, "Value (x) for parameter cidrBlock is invalid. "
				       "This is not a valid CIDR block.");
	refuse(&r, MODEL_E_ADDRESS_NOT_ASSIGNED, "10.0.0.9", "eni-1");
	assert_string_equal(r.message, "Some of the specified addresses are not assigned to "
				       "interface eni-1: 10.0.0.9");
	assert_int_equal(refuse(NULL, MODEL_E_VALUE, "x", "y", "z"), MODEL_E_VALUE);
}

/* requirement: OPS-1 */
static void test_every_code_has_its_answer(void **state)
{
	for (int code = 1; code < MODEL_E_MAX; code++) {
		const struct refusal_info *info = refusal_info(code);
		struct refusal r;

		assert_non_null(info->name);
		assert_true(info->ec2_code[0] && info->class_name[0]);
		assert_true(info->ec2_status == 400 || info->ec2_status == 500);
		assert_true(info->status >= 400 && info->status <= 503);
		refuse(&r, code, "one", "two", "three");
		assert_null(strstr(r.message, "(null)"));
		assert_null(strchr(r.message, '%'));
	}
	assert_string_equal(refusal_info(MODEL_E_SUBNET_CONFLICT)->ec2_code,
			    "InvalidSubnet.Conflict");
	assert_int_equal(refusal_info(MODEL_E_SUBNET_CONFLICT)->status, 409);
	assert_int_equal(refusal_info(MODEL_E_SUBNET_CONFLICT)->ec2_status, 400);
}

static void test_long_subjects_are_cut_between_characters(void **state)
{
	char subject[1001];
	struct refusal r;
	size_t length;

	for (size_t i = 0; i < 1000; i += 2)
		memcpy(&subject[i], "\xc3\xa9", 2);
	subject[1000] = '\0';
	for (size_t shift = 0; shift < 2; shift++) {
		refuse(&r, MODEL_E_VPC_NOT_FOUND, subject + 2 * shift);
		length = strlen(r.message);
		assert_true(length < sizeof(r.message));
		assert_true((unsigned char)r.message[length - 1] == 0xa9);
		length = strlen(r.subject);
		assert_int_equal(length % 2, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wording),
		cmocka_unit_test(test_every_code_has_its_answer),
		cmocka_unit_test(test_long_subjects_are_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
