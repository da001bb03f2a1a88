/* SPDX-License-Identifier: Apache-2.0 */
/* The log's lines: form, escaping, levels, rate limit. */
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "tests/unit/test.h"

static int pipe_fds[2];

static int capture(void **state)
{
	log_set_level(LOG_LEVEL_DEBUG);
	if (pipe(pipe_fds) < 0)
		return -1;
	log_set_fd(pipe_fds[1]);
	return 0;
}

static int release(void **state)
{
	log_set_fd(STDERR_FILENO);
	close(pipe_fds[0]);
	return 0;
}

/* All that was logged since capture(). */
static const char *logged(void)
{
	static char text[65536];
	size_t n = 0;
	ssize_t got;

	close(pipe_fds[1]);
	while ((got = read(pipe_fds[0], text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	return text;
}

static void test_fields_and_levels(void **state)
{
	errno = EPERM;
	log_err("port refused", LOG_STR("port", "p1"), LOG_U64("vni", UINT64_MAX), LOG_I64("n", -5),
		LOG_ERRNO(-ENOENT));
	log_warn("plain");
	log_info("null and empty", LOG_STR("a", NULL), LOG_STR("b", ""), LOG_STR("c", "-"));
	log_debug("positive", LOG_ERRNO(EEXIST));
	assert_int_equal(errno, EPERM);
	assert_string_equal(logged(), "E port refused port=p1 vni=18446744073709551615 n=-5 "
				      "error=\"No such file or directory\"\n"
				      "W plain\n"
				      "I null and empty a=- b=\"\" c=\"-\"\n"
				      "D positive error=\"File exists\"\n");
}

/* systemd gives a service the journal as its standard error, and says so.  requirement: OPS-1 */
static void test_the_journal_gets_priorities(void **state)
{
	char stream[64];
	struct stat st;

	assert_int_equal(fstat(pipe_fds[1], &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	log_err("e");
	log_warn("w", LOG_U64("n", 1));
	log_info("i");
	log_debug("d");
	/* A redirected one is not the journal's any more. */
	assert_int_equal(setenv("JOURNAL_STREAM", "1:1", 1), 0);
	log_set_fd(pipe_fds[1]);
	log_info("i");
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
	assert_string_equal(logged(), "<3>E e\n<4>W w n=1\n<6>I i\n<7>D d\nI i\n");
}

/* requirement: OPS-4 */
static void test_hostile_values_cannot_forge(void **state)
{
	log_info("x", LOG_STR("name", "a\nE forged key=1"), LOG_STR("b", "q\" c=\"d"),
		 LOG_STR("d", "a=b"), LOG_STR("e", "\x1b[2J\x7f\xff\\"));
	assert_string_equal(logged(), "I x name=\"a\\x0aE forged key=1\" b=\"q\\\" c=\\\"d\" "
				      "d=\"a=b\" e=\"\\x1b[2J\\x7f\\xff\\\\\"\n");
}

static void test_long_values_end_in_a_newline(void **state)
{
	static char value[100000];
	const char *text;

	memset(value, 'v', sizeof(value) - 1);
	log_info("x", LOG_STR("a", value), LOG_STR("b", value), LOG_STR("c", value));
	text = logged();
	assert_true(strlen(text) <= LIMIT_LOG_LINE_SIZE);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static int n_evaluated;

static const char *evaluate(void)
{
	n_evaluated++;
	return "x";
}

static void test_disabled_levels_cost_nothing(void **state)
{
	enum log_level level = LOG_LEVEL_MAX;

	assert_ok(log_level_parse("warn", &level));
	assert_int_equal(level, LOG_LEVEL_WARN);
	assert_error(log_level_parse("warning", &level), EINVAL);
	assert_int_equal(level, LOG_LEVEL_WARN);
	log_set_level(level);
	assert_true(log_enabled(LOG_LEVEL_ERR));
	assert_false(log_enabled(LOG_LEVEL_INFO));
	n_evaluated = 0;
	log_info("not this", LOG_STR("a", evaluate()));
	log_warn("this", LOG_STR("a", evaluate()));
	assert_int_equal(n_evaluated, 1);
	assert_string_equal(logged(), "W this a=x\n");
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* requirement: OPS-4 */
static void test_each_site_is_limited_and_says_what_it_left_out(void **state)
{
	struct log_site site = {0}, other = {0};
	const struct log_field none = {.kind = LOG_KIND_END};
	const char *text;

	for (int i = 0; i < LIMIT_LOG_BURST + 7; i++)
		log_write(&site, LOG_LEVEL_INFO, "storm", &none);
	log_write(&other, LOG_LEVEL_INFO, "elsewhere", &none);
	/* The interval passes. */
	site.since_ms -= LIMIT_LOG_INTERVAL_MS;
	log_write(&site, LOG_LEVEL_INFO, "storm", &none);
	log_write(&site, LOG_LEVEL_INFO, "calm", &none);
	text = logged();
	assert_int_equal(count_lines(text), LIMIT_LOG_BURST + 3);
	assert_non_null(strstr(text, "I elsewhere\nI storm suppressed=7\nI calm\n"));
}

int main(void)
{
#define CAPTURED(test) cmocka_unit_test_setup_teardown(test, capture, release)
	const struct CMUnitTest tests[] = {
		CAPTURED(test_fields_and_levels),
		CAPTURED(test_the_journal_gets_priorities),
		CAPTURED(test_hostile_values_cannot_forge),
		CAPTURED(test_long_values_end_in_a_newline),
		CAPTURED(test_disabled_levels_cost_nothing),
		CAPTURED(test_each_site_is_limited_and_says_what_it_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
