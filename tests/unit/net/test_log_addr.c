/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as fields of the log. */
#include "net/log_addr.h"

#include <unistd.h>

#include "tests/unit/test.h"

static void test_fields(void **state)
{
	struct mac mac = {{2, 0, 0, 0, 0, 0xab}};
	struct prefix prefix = prefix_v4(0x0a010000, 16);
	struct ipaddr a, b = ipaddr_from_v4(0x0a010203);
	char text[256] = "";
	int fds[2];

	assert_ok(ipaddr_parse("2001:db8::1", &a));
	assert_int_equal(pipe(fds), 0);
	log_set_fd(fds[1]);
	/* Two of a kind: each field has its own buffer. */
	log_info("moved", LOG_ADDR("from", &a), LOG_ADDR("to", &b), LOG_PREFIX("in", &prefix),
		 LOG_MAC("mac", &mac));
	log_set_fd(STDERR_FILENO);
	assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "I moved from=2001:db8::1 to=10.1.2.3 in=10.1.0.0/16 "
				  "mac=02:00:00:00:00:ab\n");
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
