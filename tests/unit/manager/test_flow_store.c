/* SPDX-License-Identifier: Apache-2.0 */
/* Where records of flow logs are kept: in order, whole, within bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/limits.h"
#include "manager/flow_store.h"

enum { LOG = 5, LINE = 100 };

static char dir[] = "/tmp/viaduct-flow-XXXXXX";
static struct flow_store *store;

static int set_up(void **state)
{
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(flow_store_new(dir, &store), 0);
	return 0;
}

static int tear_down(void **state)
{
	store = flow_store_free(store);
	assert_int_equal(file_remove_tree(dir), 0);
	return 0;
}

static void append(uint64_t log, const char *lines)
{
	assert_int_equal(flow_store_append(store, log, lines, strlen(lines)), 0);
}

/* What is read from 'place' on is 'text'; gives where it ends. */
static uint64_t assert_read(uint64_t log, uint64_t place, size_t most, const char *text)
{
	struct buf b;
	uint64_t next;

	buf_init(&b, SIZE_MAX);
	assert_int_equal(flow_store_read(store, log, place, most, &b, &next), 0);
	assert_int_equal(buf_size(&b), strlen(text));
	if (*text)
		assert_memory_equal(buf_data(&b), text, strlen(text));
	buf_deinit(&b);
	return next;
}

/* requirement: OPS-4 */
static void test_lines(void **state)
{
	uint64_t place;

	assert_int_equal(assert_read(LOG, 0, 100, ""), 0);
	append(LOG, "one\ntwo\n");
	append(LOG + 1, "other\n");
	append(LOG, "three\n");
	place = assert_read(LOG, 0, 100, "one\ntwo\nthree\n");
	assert_int_equal(assert_read(LOG, place, 100, ""), place);
	append(LOG, "four\n");
	assert_read(LOG, place, 100, "four\n");
	/* whole lines only */
	assert_int_equal(assert_read(LOG, 0, 10, "one\ntwo\n"), 8);
	assert_int_equal(assert_read(LOG, 8, 3, ""), 8);
	assert_read(LOG + 1, 0, 100, "other\n");
	/* somebody else's store finds the same */
	flow_store_free(store);
	assert_int_equal(flow_store_new(dir, &store), 0);
	assert_read(LOG, place, 100, "four\n");
}

/* requirement: OPS-5 */
static void test_bounds(void **state)
{
	const size_t per = LIMIT_FLOW_FILE_SIZE / LINE, n = per * (LIMIT_FLOW_FILES + 3);
	_cleanup_free_ char *block = malloc(LINE * 1000 + 1);
	uint64_t place = 0, lines = 0, first = UINT64_MAX;
	struct buf b;

	assert_non_null(block);
	for (size_t i = 0; i < n; i += 1000) {
		for (size_t k = 0; k < 1000; k++)
			snprintf(block + k * LINE, LINE + 1, "%098zu\n", i + k);
		for (size_t k = 0; k < 1000; k++)
			block[k * LINE + 98] = ' ', block[k * LINE + 99] = '\n';
		assert_int_equal(flow_store_append(store, LOG, block, LINE * 1000), 0);
	}
	buf_init(&b, SIZE_MAX);
	for (;;) {
		uint64_t next;

		buf_reset(&b);
		assert_int_equal(flow_store_read(store, LOG, place, 1 << 20, &b, &next), 0);
		if (!buf_size(&b))
			break;
		assert_int_equal(buf_size(&b) % LINE, 0);
		for (size_t at = 0; at < buf_size(&b); at += LINE) {
			uint64_t number = strtoull((const char *)buf_data(&b) + at, NULL, 10);

			if (first == UINT64_MAX)
				first = number;
			assert_int_equal(number, first + lines++); /* none is missing */
		}
		place = next;
	}
	buf_deinit(&b);
	assert_true(first > 0);
	assert_true(lines * LINE > (LIMIT_FLOW_FILES - 2) * (uint64_t)LIMIT_FLOW_FILE_SIZE);
	assert_true(lines * LINE <= LIMIT_FLOW_FILES * (uint64_t)LIMIT_FLOW_FILE_SIZE);
	assert_true(first + lines >= n);
}

static bool keep(void *data, uint64_t log)
{
	return log == LOG;
}

static void test_sweep(void **state)
{
	append(LOG, "one\n");
	append(LOG + 1, "other\n");
	flow_store_sweep(store, keep, NULL);
	assert_read(LOG, 0, 100, "one\n");
	assert_read(LOG + 1, 0, 100, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bounds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sweep, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("flow_store", tests, NULL, NULL);
}
