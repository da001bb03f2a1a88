/* SPDX-License-Identifier: Apache-2.0 */
/* Forms: what is decoded, what is refused. */
#include "api/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"

static struct arena arena;

static int parse(struct form *f, const char *text)
{
	int r;

	form_init(f, &arena);
	r = form_parse(f, text, strlen(text));
	return r ? r : form_sort(f);
}

static void test_decoding(void **state)
{
	struct form f;

	assert_int_equal(parse(&f, "b=2&a=1+x%20y%2b%2F&c&d=&e=x=y&&%41.1=%C3%A9"), 0);
	assert_int_equal(f.n, 6);
	assert_string_equal(form_find(&f, "a"), "1 x y+/");
	assert_string_equal(form_find(&f, "b"), "2");
	assert_string_equal(form_find(&f, "c"), "");
	assert_string_equal(form_find(&f, "d"), "");
	assert_string_equal(form_find(&f, "e"), "x=y");
	assert_string_equal(form_find(&f, "A.1"), "\xc3\xa9");
	assert_null(form_find(&f, "x"));
	assert_int_equal(parse(&f, ""), 0);
	assert_null(form_find(&f, ""));
}

static void test_plus(void **state)
{
	struct form f;

	form_init(&f, &arena);
	f.plus_is_space = false;
	assert_int_equal(form_parse(&f, "a=b+c", 5), 0);
	assert_string_equal(form_find(&f, "a"), "b+c");
}

static void test_bad_encodings(void **state)
{
	static const char *const bad[] = {
		"a=%",
		"a=%4",
		"a=%4g",
		"%zz=1",
		"a=%00",
		"a=%01",
		"a=%1F",
		"a=%ff",
		"a=%C3",
		"a=%C3(",
		"a=%C0%80",
		"a=%E0%80%80",
		"a=%ED%A0%80", /* surrogate */
		"a=%F4%90%80%80",
		"a=%EF%BF%BE",
		"a=%80",
		"a=%F8%88%80%80%80",
		"a=\x01",
	};
	struct form f;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse(&f, bad[i]) != -EILSEQ)
			fail_msg("%s", bad[i]);
	assert_int_equal(parse(&f, "a=%09%0A%0D%7F%F0%9F%98%80"), 0);
}

static void test_twice(void **state)
{
	struct form f;

	assert_int_equal(parse(&f, "b=1&a=1&b=1"), -EEXIST);
	assert_string_equal(f.culprit, "b");
}

static void test_limit(void **state)
{
	_cleanup_free_ char *text = malloc(LIMIT_API_PARAMS * 12 + 32);
	struct form f;
	char *p = text;

	for (unsigned int i = 0; i < LIMIT_API_PARAMS; i++)
		p += sprintf(p, "p%u=1&", i);
	assert_int_equal(parse(&f, text), 0);
	assert_int_equal(f.n, LIMIT_API_PARAMS);
	strcpy(p, "more=1");
	assert_int_equal(parse(&f, text), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decoding),      cmocka_unit_test(test_plus),
		cmocka_unit_test(test_bad_encodings), cmocka_unit_test(test_twice),
		cmocka_unit_test(test_limit),
	};
	int r;

	arena_init(&arena, LIMIT_API_ARENA_SIZE);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_deinit(&arena);
	return r;
}
