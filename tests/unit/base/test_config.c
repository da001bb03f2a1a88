/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: what is accepted, and what each mistake is answered with. */
#include "base/config.h"

#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/unit/test.h"

struct settings {
	char *name;
	bool edge;
	uint16_t port;
	uint32_t limit;
	unsigned int n_managers;
};

static int count_manager(const char *value, void *dest)
{
	if (!*value)
		return -EINVAL;
	++*(unsigned int *)dest;
	return 0;
}

static int parse_edge(const char *value, void *dest)
{
	return str_bool(value, dest);
}

static int parse_port(const char *value, void *dest)
{
	return str_u16(value, 1, UINT16_MAX, dest);
}

static struct settings s;
static struct config_error error;
static const struct config_key keys[] = {
	{"", "name", config_parse_string, &s.name, .expected = "a name", .required = true},
	{"", "edge", parse_edge, &s.edge, .expected = "yes or no"},
	{"net", "port", parse_port, &s.port, .expected = "a port number"},
	{"net", "limit", config_parse_u32, &s.limit, .expected = "a number"},
	{"net", "manager", count_manager, &s.n_managers, .expected = "an address", .many = true},
};

static int parse(const char *text)
{
	free(s.name);
	s = (struct settings){.port = 1};
	error.text[0] = '\0';
	return config_parse("f.conf", text, keys, ARRAY_SIZE(keys), &error);
}

static void test_a_whole_file(void **state)
{
	assert_ok(parse("# comment\n"
			"  name =  a = b # c \n"
			"edge=yes\n"
			"\n"
			"[ net ]\r\n"
			"\tport = 8774\r\n"
			"limit = 4294967295\n"
			"manager = a\nmanager = b"));
	assert_string_equal(s.name, "a = b # c");
	assert_true(s.edge);
	assert_int_equal(s.port, 8774);
	assert_int_equal(s.limit, UINT32_MAX);
	assert_int_equal(s.n_managers, 2);
}

static void test_what_is_not_given_keeps_its_default(void **state)
{
	assert_ok(parse("name = x\n"));
	assert_int_equal(s.port, 1);
	assert_false(s.edge);
}

static void test_mistakes_are_named_with_file_and_line(void **state)
{
	static const struct {
		const char *text, *message;
		int error;
	} cases[] = {
		{"name = x\nname = y", "f.conf:2: name is given twice", -EINVAL},
		{"nme = x", "f.conf:1: unknown key \"nme\"", -EINVAL},
		{"name = x\n\n[net]\nname = y", "f.conf:4: unknown key \"name\" in section [net]",
		 -EINVAL},
		{"[nat]", "f.conf:1: unknown section [nat]", -EINVAL},
		{"[net", "f.conf:1: a section's name ends with ]", -EINVAL},
		{"name", "f.conf:1: neither \"key = value\" nor \"[section]\"", -EINVAL},
		{"edge = maybe", "f.conf:1: edge must be yes or no, not \"maybe\"", -EINVAL},
		{"[net]\nport = 0", "f.conf:2: port must be a port number, not \"0\"", -ERANGE},
		{"[net]\nport = 65536", "f.conf:2: port must be a port number, not \"65536\"",
		 -ERANGE},
		{"[net]\nmanager =", "f.conf:2: manager must be an address, not \"\"", -EINVAL},
		{"edge = no", "f.conf: name is missing", -EINVAL},
		{"edge = \x1b[31m", "f.conf:1: edge must be yes or no, not \"\\x1b[31m\"", -EINVAL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(cases[i].text), cases[i].error);
		assert_string_equal(error.text, cases[i].message);
	}
}

static void test_long_values_do_not_overflow_the_message(void **state)
{
	char text[20000];

	memset(text, 'x', sizeof(text));
	memcpy(text, "edge = ", 7);
	text[sizeof(text) - 1] = '\0';
	assert_error(parse(text), EINVAL);
	assert_non_null(strstr(error.text, "xx.."));
	assert_true(strlen(error.text) < 256);
}

static void test_loading_a_file(void **state)
{
	char path[] = "/tmp/test_config.XXXXXX", expected[128];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "name = file\n", 12), 12);
	assert_ok(config_load(path, keys, ARRAY_SIZE(keys), &error));
	assert_string_equal(s.name, "file");
	assert_int_equal(write(fd, "edge = \0yes\n", 12), 12);
	assert_error(config_load(path, keys, ARRAY_SIZE(keys), &error), EINVAL);
	close(fd);
	unlink(path);
	assert_error(config_load(path, keys, ARRAY_SIZE(keys), &error), ENOENT);
	assert_ok(str_format(expected, sizeof(expected), "%s: No such file or directory", path));
	assert_string_equal(error.text, expected);
}

static int free_settings(void **state)
{
	free(s.name);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_whole_file),
		cmocka_unit_test(test_what_is_not_given_keeps_its_default),
		cmocka_unit_test(test_mistakes_are_named_with_file_and_line),
		cmocka_unit_test(test_long_values_do_not_overflow_the_message),
		cmocka_unit_test(test_loading_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, free_settings);
}
