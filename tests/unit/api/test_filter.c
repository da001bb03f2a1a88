/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of filters. */
#include "api/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void test_patterns(void **state)
{
	static const struct {
		const char *pattern;
		const char *text;
		bool match;
	} cases[] = {
		{"", "", true},          {"", "a", false},          {"a", "", false},
		{"abc", "abc", true},    {"abc", "abd", false},     {"abc", "abcd", false},
		{"*", "", true},         {"*", "anything", true},   {"a*", "a", true},
		{"a*c", "abbbc", true},  {"a*c", "abbb", false},    {"*b*", "abc", true},
		{"*ab", "aab", true},    {"a**b", "ab", true},      {"a*b*c", "axbxbxc", true},
		{"?", "a", true},        {"?", "", false},          {"??", "a", false},
		{"a?c", "abc", true},    {"a?c", "ac", false},      {"*?", "", false},
		{"\\*", "*", true},      {"\\*", "a", false},       {"\\?", "?", true},
		{"\\?", "a", false},     {"\\\\", "\\", true},      {"a\\*b", "a*b", true},
		{"a\\*b", "axb", false}, {"\\", "\\", true},        {"a\\", "a\\", true},
		{"?", "\xc3\xa9", true}, {"??", "\xc3\xa9", false}, {"A", "a", false},
		{"*.*.*", "a.b", false}, {"*a\\*", "xa*", true},    {"*a\\*", "xab", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (filter_match(cases[i].pattern, cases[i].text) != cases[i].match)
			fail_msg("'%s' '%s'", cases[i].pattern, cases[i].text);
}

/* A pattern made to hurt costs at most the product of the lengths. */
static void test_hostile_pattern(void **state)
{
	static char pattern[2000], text[2000];
	clock_t begin = clock();

	for (size_t i = 0; i + 2 < sizeof(pattern); i += 2)
		memcpy(pattern + i, "*a", 2);
	memset(text, 'a', sizeof(text) - 1);
	strcpy(pattern + sizeof(pattern) - 2, "b");
	assert_false(filter_match(pattern, text));
	assert_true((clock() - begin) / CLOCKS_PER_SEC < 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_hostile_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
