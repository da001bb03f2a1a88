/* SPDX-License-Identifier: Apache-2.0 */
/* The command line and the configuration file: what is taken, what is refused and how. */
#include "agent/options.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "abi/feature.h"
#include "abi/format.h"
#include "base/file.h"
#include "tests/unit/test.h"

enum { WORDS_MAX = 16 };

static char folder[64];

static int make_folder(void **state)
{
	strcpy(folder, "/tmp/test_options.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	return file_remove_tree(folder);
}

/* Parses "run --name x" as a shell would split it. */
static int parse(const char *line, struct options *o, char error[OPTIONS_ERROR_SIZE])
{
	char copy[512], *words[WORDS_MAX] = {(char[]){"viaduct-agent"}}, *save = NULL;
	int n = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	return options_parse(n, words, o, error);
}

static void write_config(const char *text, char *path, size_t size)
{
	snprintf(path, size, "%s/agent.conf", folder);
	assert_ok(file_write_atomic(path, text, strlen(text), 0600));
}

static void test_defaults_and_the_line(void **state)
{
	_cleanup_options_ struct options o = {0};
	char error[OPTIONS_ERROR_SIZE];

	assert_ok(parse("run --substrate eth1 --name h1", &o, error));
	assert_int_equal(o.command, OPTIONS_RUN);
	assert_string_equal(o.substrate, "eth1");
	assert_string_equal(o.name, "h1");
	assert_string_equal(o.state, "/var/lib/viaduct-agent");
	assert_string_equal(o.run, "/run/viaduct-agent");
	assert_string_equal(o.bpffs, "/sys/fs/bpf");
	assert_string_equal(o.netns_prefix, "vd-");
	assert_int_equal(o.disallowed, 0);
	assert_string_equal(o.role, "host");
	assert_null(o.uplink);
	assert_int_equal(o.n_connections, 0);
}

/* Nodes' DHCP clients are told where their script is, and run elsewhere. */
static void test_directories_are_kept_from_the_root_on(void **state)
{
	_cleanup_options_ struct options o = {0};
	_cleanup_free_ char *here = getcwd(NULL, 0);
	char error[OPTIONS_ERROR_SIZE], path[PATH_MAX];

	assert_ok(parse("run --substrate eth0 --state s1 --run ../r1 --netns-dir n", &o, error));
	snprintf(path, sizeof(path), "%s/s1", here);
	assert_string_equal(o.state, path);
	snprintf(path, sizeof(path), "%s/../r1", here);
	assert_string_equal(o.run, path);
	snprintf(path, sizeof(path), "%s/n", here);
	assert_string_equal(o.netns_dir, path);
	assert_string_equal(o.bpffs, "/sys/fs/bpf");
	options_deinit(&o);
	assert_ok(parse("leave --state s1", &o, error));
	snprintf(path, sizeof(path), "%s/s1", here);
	assert_string_equal(o.state, path);
	options_deinit(&o);
	assert_error(parse("run --substrate eth0 --run=", &o, error), EINVAL);
	assert_non_null(strstr(error, "no directory"));
}

/* requirement: NEG-1 */
static void test_features(void **state)
{
	_cleanup_options_ struct options o = {0};
	char error[OPTIONS_ERROR_SIZE];

	assert_ok(parse("run --substrate e --features crypt/2,lz4,rate --require crypt,lz4", &o,
			error));
	assert_int_equal(o.disallowed_features,
			 FEATURE_BIT(FEATURE_CRYPT_1) | FEATURE_BIT(FEATURE_INTEGRITY_1));
	assert_int_equal(o.required_features, FEATURES_CRYPT | FEATURE_BIT(FEATURE_LZ4_1));
}

/* requirement: EDGE-1 */
static void test_an_edge(void **state)
{
	_cleanup_options_ struct options o = {0};
	char error[OPTIONS_ERROR_SIZE], path[128], line[256];

	write_config("role = edge\nuplink = eth1\nmax-connections = 1048576\n", path, sizeof(path));
	snprintf(line, sizeof(line), "run --substrate eth0 --config %s", path);
	assert_ok(parse(line, &o, error));
	assert_string_equal(o.role, "edge");
	assert_string_equal(o.uplink, "eth1");
	assert_int_equal(o.n_connections, 1048576);
}

static void test_the_line_wins_over_the_file(void **state)
{
	_cleanup_options_ struct options o = {0};
	char error[OPTIONS_ERROR_SIZE], path[128], line[256];

	write_config("name = filed\nsubstrate = eth9\nformats = siit/1,ipip6/1\n", path,
		     sizeof(path));
	snprintf(line, sizeof(line), "run --config %s --name lined", path);
	assert_ok(parse(line, &o, error));
	assert_string_equal(o.name, "lined");
	assert_string_equal(o.substrate, "eth9");
	assert_int_equal(o.disallowed,
			 FORMAT_BIT(FORMAT_SIIT_2) | FORMATS_TUNNEL | FORMAT_BIT(FORMAT_REIP4_1));
}

static void test_commands(void **state)
{
	static const struct {
		const char *line;
		enum options_command command;
	} rows[] = {
		{"join /tmp/b.json", OPTIONS_JOIN}, {"leave --state /tmp/x", OPTIONS_LEAVE},
		{"--help", OPTIONS_HELP},           {"run --help", OPTIONS_HELP},
		{"--version", OPTIONS_VERSION},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_options_ struct options o = {0};
		char error[OPTIONS_ERROR_SIZE];

		assert_ok(parse(rows[i].line, &o, error));
		assert_int_equal(o.command, rows[i].command);
	}
}

static void test_mistakes_are_named(void **state)
{
	static const struct {
		const char *line, *error;
	} rows[] = {
		{"", "say one of join, run, leave"},
		{"fly", "say one of join, run, leave"},
		{"run", "--substrate is missing"},
		{"run --substrate", "argument is missing"},
		{"run --colour red", "no such option"},
		{"run --substrate e --name Big", "\"Big\" is not 1 to 11"},
		{"run --substrate e --name twelve-chars", "is not 1 to 11"},
		{"run --substrate e --formats gre", "\"gre\" is no list"},
		{"run --substrate e --formats siit/2,,", "is no list"},
		{"run --substrate e --require gre", "\"gre\" is no list of crypt"},
		{"run --substrate e --require crypt,rate", "cannot require rate"},
		{"run --substrate e --require rate/1", "cannot require rate"},
		{"run --substrate e --features crypt --require crypt,integrity",
		 "\"integrity\" is not among the allowed features, \"crypt\""},
		{"run --substrate e --features none --require lz4", "allowed features, \"none\""},
		{"run --substrate e --log-level loud", "\"loud\" is none of"},
		{"run --substrate e --role router", "\"router\" is neither host nor edge"},
		{"run --substrate e --role edge", "needs --uplink"},
		{"run --substrate e --uplink u", "has no uplink: say --role edge as well"},
		{"run --substrate e --role edge --uplink e", "not the substrate"},
		{"run --substrate e --max-connections many", "\"many\" is no number"},
		{"run --substrate e --max-connections 10", "from 1024 to"},
		{"run --substrate e --seal-cpus two", "\"two\" is no list of processors"},
		{"run --substrate e --seal-cpus 1-0", "is no list of processors"},
		{"run --substrate e --seal-cpus 1023", "that this machine has not: it has 0"},
		{"leave --seal-cpus 0,", "is no list of processors"},
		{"run --substrate e extra", "\"extra\" is one argument too many"},
		{"join", "needs the file"},
		{"run --config /none --substrate e", "/none"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_options_ struct options o = {0};
		char error[OPTIONS_ERROR_SIZE] = "";

		assert_true(parse(rows[i].line, &o, error) < 0);
		if (!strstr(error, rows[i].error))
			fail_msg("%s: %s", rows[i].line, error);
	}
}

static void test_unknown_keys_of_the_file_are_named_with_their_line(void **state)
{
	_cleanup_options_ struct options o = {0};
	char error[OPTIONS_ERROR_SIZE], path[128], line[256];

	write_config("name = x\ncolour = red\n", path, sizeof(path));
	snprintf(line, sizeof(line), "run --substrate e --config %s", path);
	assert_true(parse(line, &o, error) < 0);
	assert_non_null(strstr(error, "agent.conf:2"));
}

/* requirement: OPS-3 */
static void test_what_a_run_used_is_found_again(void **state)
{
	_cleanup_options_ struct options o = {0}, back = {0};
	char error[OPTIONS_ERROR_SIZE], line[256];

	snprintf(line, sizeof(line), "run --substrate e1 --name h7 --netns-prefix p- --state %s",
		 folder);
	assert_ok(parse(line, &o, error));
	assert_ok(options_save(&o));
	back.state = strdup(folder);
	assert_ok(options_load(&back, error));
	assert_string_equal(back.name, "h7");
	assert_string_equal(back.netns_prefix, "p-");
	assert_string_equal(back.run, "/run/viaduct-agent");
	assert_null(back.formats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
		TEST(test_defaults_and_the_line),
		TEST(test_directories_are_kept_from_the_root_on),
		TEST(test_features),
		TEST(test_an_edge),
		TEST(test_the_line_wins_over_the_file),
		TEST(test_commands),
		TEST(test_mistakes_are_named),
		TEST(test_unknown_keys_of_the_file_are_named_with_their_line),
		TEST(test_what_a_run_used_is_found_again),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
