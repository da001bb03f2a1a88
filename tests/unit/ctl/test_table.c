/* SPDX-License-Identifier: Apache-2.0 */
/* Tables: alignment, nested values, and data that tries to draw on the terminal. */
#include "ctl/table.h"

#include <string.h>

#include "ctl/client.h"
#include "tests/unit/test.h"

static const struct table_column columns[] = {{"NAME", "name"}, {"MTU", "probe.mtu"}, {"OK", "ok"}};

static char *print_within(const char *json, size_t most)
{
	_cleanup_json_ json_t *rows = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(rows);
	assert_non_null(out);
	assert_ok(table_print_within(out, rows, columns, ARRAY_SIZE(columns), most));
	fclose(out);
	return text;
}

static char *print(const char *json)
{
	return print_within(json, 0);
}

/* requirement: OPS-1 */
static void test_columns_are_as_wide_as_their_widest_cell(void **state)
{
	_cleanup_free_ char *text = print("[{\"name\":\"a\",\"probe\":{\"mtu\":1500},\"ok\":true},"
					  "{\"name\":\"longer\",\"ok\":false}]");

	assert_string_equal(text, "NAME    MTU   OK\n"
				  "a       1500  yes\n"
				  "longer  -     no\n");
}

/* requirement: OPS-1 */
static void test_columns_are_counted_in_characters(void **state)
{
	_cleanup_free_ char *text = print("[{\"name\":\"\u00fc\u00fc\",\"ok\":true},"
					  "{\"name\":\"longer\",\"ok\":false}]");

	assert_string_equal(text, "NAME    MTU  OK\n"
				  "\xc3\xbc\xc3\xbc      -    yes\n"
				  "longer  -    no\n");
}

/* requirement: OPS-1 */
static void test_what_is_too_wide_stands_in_blocks(void **state)
{
	const char *json = "[{\"name\":\"a\",\"probe\":{\"mtu\":1500},\"ok\":true},"
			   "{\"name\":\"longer\",\"ok\":false}]";
	_cleanup_free_ char *fits = print_within(json, 17);
	_cleanup_free_ char *narrow = print_within(json, 16);
	_cleanup_free_ char *empty = print_within("[]", 5);

	assert_string_equal(fits, "NAME    MTU   OK\n"
				  "a       1500  yes\n"
				  "longer  -     no\n");
	assert_string_equal(narrow, "NAME  a\n"
				    "MTU   1500\n"
				    "OK    yes\n"
				    "\n"
				    "NAME  longer\n"
				    "MTU   -\n"
				    "OK    no\n"
				    "\n");
	assert_string_equal(empty, "NAME  MTU  OK\n");
}

static void test_an_empty_list_has_titles(void **state)
{
	_cleanup_free_ char *text = print("[]");

	assert_string_equal(text, "NAME  MTU  OK\n");
}

static void test_text_of_values(void **state)
{
	static const char *const rows[][2] = {
		{"[]", "-"},
		{"[1,\"b\",null]", "1,b,-"},
		{"{\"k\":\"v\",\"n\":2}", "k=v n=2"},
		{"[{\"k\":1},{\"k\":2}]", "{k=1},{k=2}"},
		{"[\"\\u001b[31m\\n\"]", "\\x1b[31m\\x0a"},
		{"[\"\"]", "-"},
		{"[1.5]", "1.5"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_json_ json_t *value = json_loads(rows[i][0], 0, NULL);
		_cleanup_free_ char *text = table_text(value);

		assert_non_null(value);
		assert_string_equal(text, rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(test_columns_are_counted_in_characters),
		cmocka_unit_test(test_what_is_too_wide_stands_in_blocks),
		cmocka_unit_test(test_an_empty_list_has_titles),
		cmocka_unit_test(test_text_of_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
