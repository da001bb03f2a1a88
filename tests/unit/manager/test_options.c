/* SPDX-License-Identifier: Apache-2.0 */
/* The command line and the configuration file: what goes before what, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "manager/options.h"

static char error[OPTIONS_ERROR_SIZE];

/* Parses words given as one string. */
static int parse(const char *line, struct options *ret)
{
	char copy[512], *words[32] = {"viaductd"}, *save = NULL;
	int n = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	return options_parse(n, words, ret, error);
}

static void defaults_are_the_documented_ones(void **state)
{
	struct options o;

	assert_int_equal(parse("run", &o), 0);
	assert_int_equal(o.command, OPTIONS_RUN);
	assert_string_equal(o.state, "/var/lib/viaduct");
	assert_string_equal(o.http, "127.0.0.1:8773");
	assert_string_equal(o.agents, "[::]:8774");
	assert_string_equal(o.region, "us-east-1");
	assert_string_equal(o.organisation, "fd56:6961::/32");
	assert_string_equal(o.ipv6_pool, "fd56:6976:3600::/40");
	assert_int_equal(o.lease_seconds, 300);
	options_deinit(&o);
	assert_int_equal(parse("--help", &o), 0);
	assert_int_equal(o.command, OPTIONS_HELP);
	options_deinit(&o);
}

static void the_command_line_goes_before_the_file(void **state)
{
	char path[] = "/tmp/viaduct-options-XXXXXX", line[128];
	const char *text = "region = eu-west-1\nhttp = 127.0.0.1:1\nadvertise = [fd00::9]:8774\n";
	struct options o;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	snprintf(line, sizeof(line), "run --http 127.0.0.1:2 --config %s --advertise 192.0.2.1:3",
		 path);
	assert_int_equal(parse(line, &o), 0);
	assert_string_equal(o.region, "eu-west-1");
	assert_string_equal(o.http, "127.0.0.1:2");
	assert_int_equal(o.n_advertised, 2);
	options_deinit(&o);
	unlink(path);
}

static void mistakes_are_named(void **state)
{
	struct options o;

	assert_int_equal(parse("", &o), -EINVAL);
	assert_non_null(strstr(error, "init or run"));
	assert_int_equal(parse("run --address fd00::1", &o), -EINVAL);
	assert_non_null(strstr(error, "--address is an option of viaductd init"));
	assert_int_equal(parse("run --region our_region", &o), -EINVAL);
	assert_non_null(strstr(error, "region"));
	assert_int_equal(parse("run --region -west", &o), -EINVAL);
	assert_int_equal(parse("run --region west-", &o), -EINVAL);
	assert_int_equal(parse("run --region RegionOne", &o), 0);
	options_deinit(&o);
	assert_int_equal(parse("init --http 127.0.0.1:1", &o), -EINVAL);
	assert_non_null(strstr(error, "--http is an option of viaductd run"));
	assert_int_equal(parse("init --config /nonexistent/file", &o), -EINVAL);
	assert_int_equal(parse("run --http 127.0.0.1", &o), -EINVAL);
	assert_non_null(strstr(error, "--http"));
	assert_int_equal(parse("run --agents manager:8774", &o), -EINVAL);
	assert_int_equal(parse("run --store paper", &o), -EINVAL);
	assert_non_null(strstr(error, "sqlite or memory"));
	assert_int_equal(parse("start", &o), -EINVAL);
	assert_non_null(strstr(error, "start"));
	assert_int_equal(parse("run --nonsense 1", &o), -EINVAL);
	assert_non_null(strstr(error, "--nonsense"));
	assert_int_equal(parse("run --lease 0", &o), -EINVAL);
	assert_non_null(strstr(error, "--lease"));
	assert_int_equal(parse("run --advertise nowhere", &o), -EINVAL);
	assert_int_equal(parse("run --advertise manager.example.net:8774", &o), -EINVAL);
	assert_int_equal(parse("run more", &o), -EINVAL);
	assert_non_null(strstr(error, "more"));
	assert_int_equal(parse("run --config /nonexistent/file", &o), -ENOENT);
	assert_non_null(strstr(error, "/nonexistent/file"));
}

static void init_takes_addresses(void **state)
{
	struct options o;

	assert_int_equal(parse("init --state /tmp/x --address fd00::1 --address manager", &o), 0);
	assert_int_equal(o.command, OPTIONS_INIT);
	assert_int_equal(o.n_addresses, 2);
	assert_string_equal(o.addresses[1], "manager");
	options_deinit(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_the_documented_ones),
		cmocka_unit_test(the_command_line_goes_before_the_file),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(init_takes_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
