/* SPDX-License-Identifier: Apache-2.0 */
#include "api/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_document(void **state)
{
	static const char expected[] =
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<a xmlns=\"urn:x\"><t>&lt;&amp;&gt; \xc3\xa9</t><b>true</b><n>"
		"18446744073709551615</n><d>2026-01-31T12:00:00.007Z</d><e/></a>\n";
	_cleanup_buf_ struct buf out;
	struct xml x;

	buf_init(&out, 4096);
	xml_init(&x, &out);
	xml_open(&x, "a");
	xml_attribute(&x, "xmlns", "urn:x");
	xml_text(&x, "t", "<&> \xc3\xa9");
	xml_text(&x, "nothing", NULL);
	xml_bool(&x, "b", true);
	xml_u64(&x, "n", UINT64_MAX);
	xml_time(&x, "d", UINT64_C(1769860800007));
	xml_empty(&x, "e");
	/* xml_end() closes what is open. */
	assert_int_equal(xml_end(&x), 0);
	xml_deinit(&x);
	assert_int_equal(buf_size(&out), strlen(expected));
	assert_memory_equal(buf_data(&out), expected, strlen(expected));
}

static void test_limit(void **state)
{
	_cleanup_buf_ struct buf out;
	struct xml x;

	buf_init(&out, 10000);
	xml_init(&x, &out);
	xml_open(&x, "a");
	for (unsigned int i = 0; i < 10000; i++)
		xml_text(&x, "t", "text");
	assert_int_equal(xml_end(&x), -EMSGSIZE);
	xml_deinit(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
