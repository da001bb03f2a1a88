/* SPDX-License-Identifier: Apache-2.0 */
/* Page tokens are good for one account, one list, one process. */
#include "api/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* requirement: OPS-1 */
static void test_tokens(void **state)
{
	static const uint8_t key[PAGE_KEY_SIZE] = {1}, other[PAGE_KEY_SIZE] = {2};
	const struct page_mark mark = {
		.account = 1, .list = page_list("a"), .kind = 4, .id = 5, .serial = 6, .part = 7};
	char token[PAGE_TOKEN_SIZE];
	struct page_mark got;

	assert_int_equal(page_encode(key, &mark, token), 0);
	assert_int_equal(page_decode(key, token, 1, page_list("a"), &got), 0);
	assert_memory_equal(&got, &mark, sizeof(mark));
	assert_int_equal(page_decode(key, token, 2, page_list("a"), &got), -EBADMSG);
	assert_int_equal(page_decode(key, token, 1, page_list("b"), &got), -EBADMSG);
	assert_int_equal(page_decode(other, token, 1, page_list("a"), &got), -EBADMSG);
	for (size_t i = 0; i < strlen(token); i++) {
		char forged[PAGE_TOKEN_SIZE];

		memcpy(forged, token, sizeof(forged));
		forged[i] = forged[i] == '0' ? '1' : '0';
		assert_int_equal(page_decode(key, forged, 1, page_list("a"), &got), -EBADMSG);
		memcpy(forged, token, sizeof(forged));
		forged[i] = '\0';
		assert_int_equal(page_decode(key, forged, 1, page_list("a"), &got), -EBADMSG);
	}
	assert_int_equal(page_decode(key, "", 1, page_list("a"), &got), -EBADMSG);
	assert_int_equal(page_decode(key, "nonsense", 1, page_list("a"), &got), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_tokens)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
