/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every command there is, run: what is said wrongly ends with 2 and what could not be done with 1,
 * and with --json whoever reads either output reads JSON.
 */
#include "ctl/tree.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/complain.h"
#include "tests/unit/test.h"

enum { WORDS_MAX = 32, TEXT_SIZE = 65536 };

/* A line of words; nobody listens at the endpoint, and there is no such lab. */
struct line {
	const char *words[WORDS_MAX];
	size_t n;
};

struct said {
	int status;
	char out[TEXT_SIZE], err[TEXT_SIZE];
};

static void add(struct line *l, const char *word)
{
	assert_true(l->n < WORDS_MAX);
	l->words[l->n++] = word;
}

static void take(FILE *f, char ret[static TEXT_SIZE])
{
	rewind(f);
	ret[fread(ret, 1, TEXT_SIZE - 1, f)] = '\0';
	fclose(f);
}

static void run(const struct line *l, struct said *ret)
{
	FILE *out = tmpfile(), *err = tmpfile();
	int status;
	pid_t child;

	assert_non_null(out);
	assert_non_null(err);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		int null = open("/dev/null", O_RDONLY);

		dup2(null, STDIN_FILENO);
		dup2(fileno(out), STDOUT_FILENO);
		dup2(fileno(err), STDERR_FILENO);
		unsetenv("VIADUCT_ENDPOINT");
		unsetenv("VIADUCT_TOKEN");
		unsetenv("VIADUCT_LAB");
		status = command_main(tree_root(), (int)l->n, (char *const *)(uintptr_t)l->words);
		fflush(NULL);
		_exit(status);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	ret->status = WEXITSTATUS(status);
	take(out, ret->out);
	take(err, ret->err);
}

static void fail_for(const struct line *l, const struct said *said, const char *what)
{
	print_error("viaduct");
	for (size_t i = 0; i < l->n; i++)
		print_error(" %s", l->words[i]);
	print_error(": %s: status %d\n%s%s", what, said->status, said->out, said->err);
	fail();
}

/* Each line is an object with an error or a note; true: there is an error. */
static bool complains_in_json(const struct line *l, const struct said *said)
{
	char copy[TEXT_SIZE], *save = NULL;
	bool error = false;

	memcpy(copy, said->err, sizeof(copy));
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *j = json_loads(line, 0, NULL);
		const char *code, *message;

		if (!json_unpack(j, "{s:{s:s,s:s}}", "error", "code", &code, "message", &message))
			error = *code && *message;
		else if (json_unpack(j, "{s:{s:s}}", "note", "message", &message))
			fail_for(l, said, "no JSON on standard error");
		json_decref(j);
	}
	return error;
}

static void check(const struct line *l, struct said *said)
{
	json_t *out;

	run(l, said);
	if (said->status > COMPLAIN_USAGE)
		fail_for(l, said, "another status");
	if (complains_in_json(l, said) != (said->status != 0))
		fail_for(l, said, "an error without a word, or a word without an error");
	if (said->status)
		return;
	out = json_loads(said->out, 0, NULL);
	if (!json_is_object(out))
		fail_for(l, said, "no JSON on standard output");
	json_decref(out);
}

/* The words of a command with arguments that it may take, as far as anybody can tell without a
 * manager. */
static struct line line_of(const struct line *path, const struct command *c)
{
	struct line l = *path;

	add(&l, "--json");
	for (size_t i = 0; i < c->min_arguments; i++)
		add(&l, "1");
	if (!strcmp(path->words[0], "lab") || !strcmp(path->words[0], "agent") ||
	    !strcmp(path->words[0], "connections")) {
		add(&l, "--lab");
		add(&l, "nolab");
	} else {
		add(&l, "--endpoint");
		add(&l, "http://127.0.0.1:1");
		add(&l, "--token");
		add(&l, "x");
	}
	if (c->run && !strcmp(c->word, "up")) { /* it would do it */
		add(&l, "--hosts");
		add(&l, "0");
	}
	return l;
}

static void check_missing(const struct line *path, const struct command *c)
{
	struct line l = *path;
	struct said said;

	add(&l, "--json");
	add(&l, "--no-such-option");
	check(&l, &said);
	assert_int_equal(said.status, COMPLAIN_USAGE);
	if (!c->min_arguments)
		return;
	l.n -= 1;
	check(&l, &said);
	assert_int_equal(said.status, COMPLAIN_USAGE);
}

static size_t walk(const struct line *path, const struct command *c)
{
	struct said said;
	struct line l;
	size_t n = 0;

	for (size_t i = 0; i < c->n_children; i++) {
		struct line below = *path;

		add(&below, c->children[i].word);
		n += walk(&below, &c->children[i]);
	}
	if (c->n_children)
		return n;
	l = line_of(path, c);
	check(&l, &said);
	if (c->not_json)
		assert_int_equal(said.status, COMPLAIN_USAGE);
	check_missing(path, c);
	return 1;
}

/* requirement: OPS-1 */
static void test_every_command_speaks_json(void **state)
{
	const struct line nothing = {.n = 0};

	assert_in_range(walk(&nothing, tree_root()), 50, 500);
}

static int status_of(const char *text, struct said *said)
{
	char copy[512], *save = NULL;
	struct line l = {.n = 0};

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		add(&l, w);
	run(&l, said);
	assert_int_equal(strncmp(said->err, "viaduct: ", 9), 0);
	return said->status;
}

/* requirement: OPS-1 */
static void test_wrong_values_are_the_command_lines_fault(void **state)
{
	static const char *const wrong[] = {
		"lab up --hosts 0",
		"lab up --hosts many",
		"lab up --hosts 65",
		"lab up --edges 9",
		"lab up --racks x",
		"lab up --mtu 1279",
		"lab up --substrate ipx",
		"lab up --name Bad.Name",
		"lab up --formats h9=siit/1",
		"lab up --require h9=crypt",
		"lab down --name ..",
		"lab env --name ..",
		"hosts --endpoint nonsense --token x",
		"hosts --endpoint http://127.0.0.1:1",
		"decode nonsense",
		"host add h --rack x",
		"host add h --label x",
		"host add h --memory x",
		"account limit 1 --rules-per-group x",
		"account key list nonsense",
		"account key delete nonsense x",
		"release .. 10.0.0.1",
		"flow-log ..",
		"place --max-cost x",
		"place",
		"policy check",
		"interface place eni-1",
		"interface detach eni-1 --attachment ..",
		"nat-gateway open nat-1 tcp 0 10.0.0.4",
		"nat-gateway open nat-1 tcp 80 10.0.0.4 x",
		"nat-gateway close nat-1 icmp 80",
		"nat-gateway close nat-1 tcp 65536",
		"hosts --json=1",
		"hosts too much",
		"nonsense",
	};
	static const char *const failing[] = {
		"hosts --endpoint http://127.0.0.1:1 --token x",
		"hosts --lab nolab",
		"lab env --name nolab",
		"agent status --lab nolab",
		"hosts --admin /nonexistent",
	};
	struct said said;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (status_of(wrong[i], &said) != COMPLAIN_USAGE) {
			print_error("viaduct %s: status %d: %s", wrong[i], said.status, said.err);
			fail();
		}
	for (size_t i = 0; i < ARRAY_SIZE(failing); i++)
		if (status_of(failing[i], &said) != 1) {
			print_error("viaduct %s: status %d: %s", failing[i], said.status, said.err);
			fail();
		}
}

/* requirement: OPS-1 */
static void test_an_empty_name_is_nothing_to_ask_for(void **state)
{
	static const struct line lines[] = {
		{{"host", "drain", ""}, 3},
		{{"policy", "show", ""}, 3},
		{{"account", "key", "create", ""}, 4},
		{{"preload", "", "--off"}, 3},
	};
	struct said said;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		run(&lines[i], &said);
		assert_int_equal(said.status, COMPLAIN_USAGE);
		assert_non_null(strstr(said.err, "is empty"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_command_speaks_json),
		cmocka_unit_test(test_wrong_values_are_the_command_lines_fault),
		cmocka_unit_test(test_an_empty_name_is_nothing_to_ask_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
