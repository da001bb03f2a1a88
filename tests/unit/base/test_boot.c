/* SPDX-License-Identifier: Apache-2.0 */
#include "base/boot.h"

#include <stdio.h>
#include <string.h>

#include "../test.h"

static void test_is_the_kernels(void **state)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	uint8_t id[BOOT_ID_SIZE];
	char text[37] = "", byte[3];
	size_t at = 0;

	assert_non_null(file);
	assert_int_equal(fread(text, 1, 36, file), 36);
	fclose(file);
	assert_ok(boot_id(id));
	for (const char *c = text; *c; c += 2) {
		c += *c == '-';
		snprintf(byte, sizeof(byte), "%02x", id[at++]);
		assert_memory_equal(byte, c, 2);
	}
	assert_int_equal(at, BOOT_ID_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_the_kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
