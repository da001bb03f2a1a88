/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of one namespace, seen from another. */
#include "net/sysctl.h"

#include "tests/unit/net/world.h"
#include "tests/unit/test.h"

static void test_each_namespace_has_its_own(void **state)
{
	struct world *w = *state;
	char value[16];

	assert_ok(sysctl_set(w->far_fd, "ipv6/conf/all/forwarding", "1"));
	assert_ok(sysctl_get(w->far_fd, "ipv6/conf/all/forwarding", value, sizeof(value)));
	assert_string_equal(value, "1");
	assert_ok(sysctl_get(-1, "ipv6/conf/all/forwarding", value, sizeof(value)));
	assert_string_equal(value, "0");
	assert_ok(sysctl_set(-1, "ipv4/ip_forward", "1"));
	assert_ok(sysctl_get(w->near_fd, "ipv4/ip_forward", value, sizeof(value)));
	assert_string_equal(value, "1");
	assert_ok(sysctl_get(w->far_fd, "ipv4/ip_forward", value, sizeof(value)));
	assert_string_equal(value, "0");
}

static void test_settings_of_an_interface(void **state)
{
	struct world *w = *state;
	char value[16];

	assert_ok(world_join(w, NULL, NULL));
	assert_ok(sysctl_set(w->far_fd, "ipv4/conf/far0/rp_filter", "2"));
	assert_ok(sysctl_get(w->far_fd, "ipv4/conf/far0/rp_filter", value, sizeof(value)));
	assert_string_equal(value, "2");
	assert_error(sysctl_set(-1, "ipv4/conf/far0/rp_filter", "2"), ENOENT);
}

static void test_mistakes(void **state)
{
	static const char *const keys[] = {"",
					   "/",
					   "../kernel/hostname",
					   "ipv4/../../kernel/hostname",
					   "ipv4//ip_forward",
					   "./ipv4/ip_forward",
					   "ipv4/"};
	char value[16] = "kept", tiny[2] = "k";

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		assert_error(sysctl_set(-1, keys[i], "0"), EINVAL);
		assert_error(sysctl_get(-1, keys[i], value, sizeof(value)), EINVAL);
	}
	assert_error(sysctl_get(-1, "ipv4/no_such_thing", value, sizeof(value)), ENOENT);
	assert_error(sysctl_set(-1, "ipv4/ip_forward", "many"), EINVAL);
	assert_error(sysctl_get(-1, "ipv4/ip_default_ttl", tiny, sizeof(tiny)), EFBIG);
	assert_string_equal(value, "kept");
	assert_string_equal(tiny, "k");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(test_each_namespace_has_its_own),
		IN_WORLD(test_settings_of_an_interface),
		IN_WORLD(test_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
