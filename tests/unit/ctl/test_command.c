/* SPDX-License-Identifier: Apache-2.0 */
/* The command line's words: the tree, options, what is refused. */
#include "ctl/command.h"

#include <string.h>

#include "ctl/complain.h"
#include "ctl/nearest.h"
#include "ctl/tree.h"
#include "tests/unit/test.h"

static int run_nothing(const struct invocation *inv)
{
	return 0;
}

static const struct command_option options[] = {
	{"size", "N", "a size", false},
	{"tag", "TEXT", "several", true},
	{"quick", NULL, "a switch", false},
};
static const struct command leaves[] = {
	{"run", "runs", "WHAT -- COMMAND...", 1, 3, options, ARRAY_SIZE(options), NULL, 0,
	 run_nothing, NULL},
};
static const struct command groups[] = {
	{.word = "group", .help = "a group", .children = leaves, .n_children = ARRAY_SIZE(leaves)},
};
static const struct command root = {
	.word = "test", .help = "a test", .children = groups, .n_children = ARRAY_SIZE(groups)};

#define PARSE(inv, ...)                                                                            \
	({                                                                                         \
		char *words_[] = {__VA_ARGS__};                                                    \
		command_parse(&root, (int)ARRAY_SIZE(words_), words_, inv);                        \
	})

/* requirement: OPS-1 */
static void test_options_may_stand_anywhere(void **state)
{
	struct invocation inv;
	size_t at = 0;

	assert_ok(PARSE(&inv, "--json", "group", "--lab=x", "run", "--tag", "a", "thing", "--quick",
			"--tag=b=c"));
	assert_ptr_equal(inv.command, &leaves[0]);
	assert_non_null(invocation_option(&inv, "json"));
	assert_string_equal(invocation_option(&inv, "lab"), "x");
	assert_non_null(invocation_option(&inv, "quick"));
	assert_null(invocation_option(&inv, "size"));
	assert_string_equal(invocation_next(&inv, "tag", &at), "a");
	assert_string_equal(invocation_next(&inv, "tag", &at), "b=c");
	assert_null(invocation_next(&inv, "tag", &at));
	assert_int_equal(inv.n_arguments, 1);
	assert_string_equal(inv.arguments[0], "thing");
}

static void test_words_behind_two_dashes_are_left_alone(void **state)
{
	struct invocation inv;

	assert_ok(PARSE(&inv, "group", "run", "node", "--", "ping", "--help"));
	assert_false(inv.help);
	assert_int_equal(inv.n_arguments, 3);
	assert_string_equal(inv.arguments[1], "ping");
	assert_string_equal(inv.arguments[2], "--help");
	assert_null(inv.arguments[3]);
}

static void test_mistakes_are_refused(void **state)
{
	struct invocation inv;

	assert_int_equal(PARSE(&inv, "nonsense"), COMPLAIN_USAGE);
	assert_int_equal(PARSE(&inv, "group", "run"), COMPLAIN_USAGE);
	assert_int_equal(PARSE(&inv, "group", "run", "a", "b", "c", "d"), COMPLAIN_USAGE);
	assert_int_equal(PARSE(&inv, "group", "run", "a", "--unknown"), COMPLAIN_USAGE);
	assert_int_equal(PARSE(&inv, "group", "run", "a", "--size"), COMPLAIN_USAGE);
	assert_int_equal(PARSE(&inv, "group", "run", "a", "--quick=1"), COMPLAIN_USAGE);
	assert_int_equal(PARSE(&inv, "group", "run", "a", "--size", "1", "--size", "2"),
			 COMPLAIN_USAGE);
	assert_int_equal(PARSE(&inv, "group", "run", "a", "--siz", "1"), COMPLAIN_USAGE);
}

/* requirement: OPS-1 */
static void test_a_mistyped_word_is_guessed(void **state)
{
	static const char *const typed[][2] = {
		{"hosst", "hosts"},
		{"instnaces", "instances"},
		{"polcy", "policy"},
		{"accounts", "account"},
		{"nat-gatway", "nat-gateway"},
		{"describe-vpcs", NULL},
		{"", NULL},
	};
	const struct command *all = tree_root();

	for (size_t i = 0; i < ARRAY_SIZE(typed); i++) {
		struct nearest n = nearest_to(typed[i][0], strlen(typed[i][0]));

		for (size_t k = 0; k < all->n_children; k++)
			nearest_offer(&n, all->children[k].word);
		if (typed[i][1])
			assert_string_equal(n.best, typed[i][1]);
		else
			assert_null(n.best);
	}
}

static void test_help_needs_no_arguments(void **state)
{
	struct invocation inv;

	assert_ok(PARSE(&inv, "group", "run", "--help"));
	assert_true(inv.help);
	assert_ok(PARSE(&inv, "group", "help"));
	assert_true(inv.help);
}

/* requirement: OPS-1 */
static void test_the_way_to_a_command_is_kept_for_its_usage(void **state)
{
	struct invocation inv;

	assert_ok(PARSE(&inv, "--json", "group", "run", "--quick", "thing"));
	assert_int_equal(inv.n_path, 3);
	assert_ptr_equal(inv.path[0], &root);
	assert_ptr_equal(inv.path[1], &groups[0]);
	assert_ptr_equal(inv.path[2], &leaves[0]);
}

static void check_tree(const struct command *c, size_t depth)
{
	assert_true(depth <= LIMIT_CTL_DEPTH);
	assert_non_null(c->word);
	assert_non_null(c->help);
	assert_true((c->n_children == 0) == (c->run != NULL));
	assert_true(c->min_arguments <= c->max_arguments);
	assert_true((c->max_arguments == 0) == (c->arguments == NULL));
	for (size_t i = 0; i < c->n_options; i++)
		assert_non_null(c->options[i].help);
	for (size_t i = 0; i < c->n_children; i++)
		check_tree(&c->children[i], depth + 1);
}

/* requirement: OPS-1 */
static void test_every_command_has_help_and_a_function(void **state)
{
	check_tree(tree_root(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_may_stand_anywhere),
		cmocka_unit_test(test_words_behind_two_dashes_are_left_alone),
		cmocka_unit_test(test_mistakes_are_refused),
		cmocka_unit_test(test_a_mistyped_word_is_guessed),
		cmocka_unit_test(test_help_needs_no_arguments),
		cmocka_unit_test(test_the_way_to_a_command_is_kept_for_its_usage),
		cmocka_unit_test(test_every_command_has_help_and_a_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
