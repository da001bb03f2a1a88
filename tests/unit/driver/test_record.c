/* SPDX-License-Identifier: Apache-2.0 */
/* Records of nodes on disk: what was written is read, what is damaged is refused. */
#include "driver/record.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "tests/unit/test.h"

static char folder[64];

static int make_folder(void **state)
{
	strcpy(folder, "/tmp/test_record.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	return file_remove_tree(folder);
}

static struct driver_interface interface(unsigned int n)
{
	struct driver_interface i = {.device_index = n, .mtu = 1460, .mac = {{2, 0, 0, 0, 0, 1}}};

	snprintf(i.id, sizeof(i.id), "eni-%u", n);
	return i;
}

/* requirement: OPS-3 */
static void test_what_was_written_is_read(void **state)
{
	_cleanup_record_ struct record r = {
		.node = {.id = "i-1", .generation = 7, .running = true}};
	_cleanup_record_ struct record back = {0};
	struct record_interface *ri;
	struct driver_interface i = interface(1);

	assert_ok(record_add(&r, &i, &ri));
	ri->client = 1234;
	ri->client_start = 987654321;
	i = interface(2);
	assert_ok(record_add(&r, &i, &ri));
	assert_ok(record_write(folder, &r));
	assert_ok(record_read(folder, "i-1", &back));
	assert_string_equal(back.node.id, "i-1");
	assert_int_equal(back.node.generation, 7);
	assert_true(back.node.running);
	assert_int_equal(back.n_interfaces, 2);
	ri = record_find(&back, "eni-1");
	assert_int_equal(ri->client, 1234);
	assert_int_equal(ri->client_start, 987654321);
	assert_int_equal(ri->interface.mtu, 1460);
	assert_true(mac_equal(&ri->interface.mac, &i.mac));
	assert_int_equal(record_find(&back, "eni-2")->client, 0);
	record_remove(&back, "eni-1");
	assert_null(record_find(&back, "eni-1"));
	assert_non_null(record_find(&back, "eni-2"));
}

/* requirement: OPS-3 */
static void test_a_start_is_neither_running_nor_ended(void **state)
{
	_cleanup_record_ struct record r = {.node = {.id = "i-1", .generation = 7},
					    .starting = true};
	_cleanup_record_ struct record back = {0};

	assert_ok(record_write(folder, &r));
	assert_ok(record_read(folder, "i-1", &back));
	assert_true(back.starting);
	assert_false(back.node.running);
	assert_int_equal(back.node.generation, 7);
}

/* requirement: OPS-3 */
static void test_a_note_replaces_what_was_written(void **state)
{
	_cleanup_record_ struct record r = {
		.node = {.id = "i-1", .generation = 7, .running = true}};
	_cleanup_record_ struct record back = {0};
	_cleanup_(strv_free_cleanup) char **ids = NULL;
	struct driver_interface i = interface(1);
	struct record_interface *ri;

	assert_ok(record_write(folder, &r));
	assert_ok(record_add(&r, &i, &ri));
	assert_ok(record_note(folder, &r));
	assert_ok(record_read(folder, "i-1", &back));
	assert_int_equal(back.n_interfaces, 1);
	assert_ok(record_list(folder, &ids));
	assert_int_equal(strv_count(ids), 1); /* nothing is left beside it */
	assert_error(record_note("/none", &r), ENOENT);
}

/* requirement: OPS-3 */
static void test_records_are_listed_and_deleted(void **state)
{
	const struct record a = {.node = {.id = "i-a"}}, b = {.node = {.id = "i-b"}};
	_cleanup_(strv_free_cleanup) char **ids = NULL, **left = NULL;
	_cleanup_record_ struct record read = {0};

	assert_ok(record_write(folder, &a));
	assert_ok(record_write(folder, &b));
	assert_ok(record_list(folder, &ids));
	assert_int_equal(strv_count(ids), 2);
	assert_ok(record_delete(folder, "i-a"));
	assert_ok(record_delete(folder, "i-a"));
	assert_error(record_read(folder, "i-a", &read), ENOENT);
	assert_ok(record_list(folder, &left));
	assert_int_equal(strv_count(left), 1);
	assert_string_equal(left[0], "i-b");
}

/* requirement: OPS-3 */
static void test_no_directory_is_an_empty_one(void **state)
{
	_cleanup_(strv_free_cleanup) char **ids = NULL;

	assert_ok(record_list("/tmp/test_record.none", &ids));
	assert_int_equal(strv_count(ids), 0);
}

/* requirement: OPS-3 */
static void test_damaged_records_are_refused(void **state)
{
	static const char *const texts[] = {
		"node\n",
		"node x running\n",
		"node 1 sleeping\n",
		"node 1 running now\n",
		"interface eni-1 0 02:00:00:00:00:01\n",
		"interface ENI 0 02:00:00:00:00:01 1460\n",
		"interface eni-1 99 02:00:00:00:00:01 1460\n",
		"interface eni-1 0 02:00:00:00:00 1460\n",
		"interface eni-1 0 02:00:00:00:00:01 66000\n",
		"interface eni-1 0 02:00:00:00:00:01 1460\ninterface eni-1 0 02:00:00:00:00:01 "
		"1460\n",
		"client eni-1 12 13\n",
		"interface eni-1 0 02:00:00:00:00:01 1460\nclient eni-1 0 13\n",
		"rubbish\n",
		"a b c d e f g h i j k\n",
	};
	char path[128];

	snprintf(path, sizeof(path), "%s/i-1.node", folder);
	for (size_t n = 0; n < ARRAY_SIZE(texts); n++) {
		struct record r = {.n_interfaces = 77};

		assert_ok(file_write_atomic(path, texts[n], strlen(texts[n]), 0600));
		assert_error(record_read(folder, "i-1", &r), EBADMSG);
		assert_int_equal(r.n_interfaces, 77); /* untouched */
	}
}

/* requirement: OPS-3 */
static void test_interfaces_are_bounded(void **state)
{
	_cleanup_record_ struct record r = {.node = {.id = "i-1"}}, back = {0};
	struct record_interface *ri;

	for (unsigned int n = 0; n < LIMIT_NODE_INTERFACES; n++) {
		struct driver_interface i = interface(n);

		assert_ok(record_add(&r, &i, &ri));
		ri->client = INT32_MAX;
		ri->client_start = UINT64_MAX;
	}
	assert_error(record_add(&r, &(struct driver_interface){.id = "x"}, &ri), ENOSPC);
	assert_ok(record_write(folder, &r)); /* the largest fits its limit */
	assert_ok(record_read(folder, "i-1", &back));
	assert_int_equal(back.n_interfaces, LIMIT_NODE_INTERFACES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
		TEST(test_what_was_written_is_read),
		TEST(test_a_start_is_neither_running_nor_ended),
		TEST(test_a_note_replaces_what_was_written),
		TEST(test_records_are_listed_and_deleted),
		TEST(test_no_directory_is_an_empty_one),
		TEST(test_damaged_records_are_refused),
		TEST(test_interfaces_are_bounded),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
