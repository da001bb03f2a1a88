/* SPDX-License-Identifier: Apache-2.0 */
/* What bash is offered at the end of a line. */
#include "ctl/completion.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/tree.h"
#include "tests/unit/test.h"

/* What may stand at the end of 'line', each with a space behind it; the words of the line are
 * separated by single spaces, and a space at its end begins a word. */
static const char *offered(const char *line)
{
	static char text[4096];
	char copy[256], *at = copy, *buf = NULL;
	const char *words[32];
	size_t n = 0, size;
	FILE *out = open_memstream(&buf, &size);

	assert_non_null(out);
	snprintf(copy, sizeof(copy), "%s", line);
	while ((words[n] = strsep(&at, " ")))
		n++;
	completion_words(tree_root(), n, words, out);
	assert_int_equal(fclose(out), 0);
	snprintf(text, sizeof(text), " %s", buf);
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	free(buf);
	return text;
}

/* requirement: OPS-1 */
static void test_commands(void **state)
{
	assert_non_null(strstr(offered(""), " hosts "));
	assert_non_null(strstr(offered(""), " lab "));
	assert_string_equal(offered("sta"), " status ");
	assert_string_equal(offered("nat"), " nat-gateways nat-gateway ");
	assert_string_equal(offered("host dr"), " drain ");
	assert_string_equal(offered("account key c"), " create ");
	assert_string_equal(offered("--json account key c"), " create ");
	assert_string_equal(offered("nonsense-"), " ");
}

/* requirement: OPS-1 */
static void test_options(void **state)
{
	assert_string_equal(offered("lab up --ho"), " --hosts ");
	assert_string_equal(offered("instances --s"), " --subnet --state ");
	assert_non_null(strstr(offered("hosts -"), " --json "));
	assert_non_null(strstr(offered("hosts --"), " --endpoint "));
	assert_null(strstr(offered("hosts --"), " --hosts "));
}

/* requirement: OPS-1 */
static void test_nothing_is_offered_for_values_and_arguments(void **state)
{
	assert_string_equal(offered("policy create --file p"), " ");
	assert_string_equal(offered("policy create --file ="), " ");
	assert_string_equal(offered("policy create --file = p"), " ");
	assert_string_equal(offered("host remove h"), " ");
	assert_string_equal(offered("lab exec web -- ping -"), " ");
	/* behind the value it goes on */
	assert_string_equal(offered("host --lab = x dr"), " drain ");
	assert_string_equal(offered("host --lab=x dr"), " drain ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_nothing_is_offered_for_values_and_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
