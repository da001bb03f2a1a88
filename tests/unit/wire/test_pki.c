/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: what they say, what belongs together, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/pki.h"

#define NOW_MS UINT64_C(1764000000000)
#define DAY_MS UINT64_C(86400000)

static const struct pki_validity validity = {.now_ms = NOW_MS, .days = 10};

static void certificates_say_who_and_until_when(void **state)
{
	struct pki_pair ca = {0}, host = {0}, other = {0};
	struct pki_info info, info2;

	assert_int_equal(pki_make_ca("Viaduct CA", validity, &ca), 0);
	assert_int_equal(pki_make_host(&ca, "host-0123456789abcdef0", validity, &host), 0);
	assert_int_equal(pki_make_host(&ca, "host-0123456789abcdef0", validity, &other), 0);
	assert_int_equal(pki_info(host.certificate, &info), 0);
	assert_string_equal(info.name, "host-0123456789abcdef0");
	assert_true(info.not_after_ms == NOW_MS + 10 * DAY_MS);
	assert_int_equal(pki_info(other.certificate, &info2), 0);
	assert_string_not_equal(info.serial, info2.serial);
	assert_int_equal(pki_check(ca.certificate, &host), 0);
	pki_pair_deinit(&ca);
	pki_pair_deinit(&host);
	pki_pair_deinit(&other);
	assert_null(ca.key);
}

static void strangers_do_not_belong(void **state)
{
	struct pki_pair ca = {0}, ca2 = {0}, host = {0}, host2 = {0}, mixed;

	assert_int_equal(pki_make_ca("Viaduct CA", validity, &ca), 0);
	assert_int_equal(pki_make_ca("Viaduct CA", validity, &ca2), 0);
	assert_int_equal(pki_make_host(&ca, "a", validity, &host), 0);
	assert_int_equal(pki_make_host(&ca, "b", validity, &host2), 0);
	assert_int_equal(pki_check(ca2.certificate, &host), -EINVAL);
	mixed = (struct pki_pair){.certificate = host.certificate, .key = host2.key};
	assert_int_equal(pki_check(ca.certificate, &mixed), -EINVAL);
	mixed.key = (char *)"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
	assert_int_equal(pki_check(ca.certificate, &mixed), -EINVAL);
	pki_pair_deinit(&ca);
	pki_pair_deinit(&ca2);
	pki_pair_deinit(&host);
	pki_pair_deinit(&host2);
}

static void names_cannot_smuggle_anything_in(void **state)
{
	static const char *const good[] = {"localhost", "127.0.0.1", "fd56:6961::1"};
	static const char *const bad[] = {"a,DNS:b", "a b", "", "x\ny", "*"};
	struct pki_pair ca = {0}, server = {0};
	char long_name[66];

	assert_int_equal(pki_make_ca("Viaduct CA", validity, &ca), 0);
	assert_int_equal(pki_make_server(&ca, good, 3, validity, &server), 0);
	assert_int_equal(pki_check(ca.certificate, &server), 0);
	pki_pair_deinit(&server);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(pki_make_server(&ca, &bad[i], 1, validity, &server), -EINVAL);
	assert_int_equal(pki_make_server(&ca, NULL, 0, validity, &server), -EINVAL);
	memset(long_name, 'a', 65);
	long_name[65] = '\0';
	assert_int_equal(pki_make_host(&ca, long_name, validity, &server), -EINVAL);
	assert_int_equal(pki_make_host(&ca, "", validity, &server), -EINVAL);
	assert_null(server.certificate);
	pki_pair_deinit(&ca);
}

static void garbage_is_not_a_certificate(void **state)
{
	struct pki_pair garbage = {.certificate = (char *)"garbage", .key = (char *)""}, host = {0};
	struct pki_info info;

	assert_int_equal(pki_info("garbage", &info), -EINVAL);
	assert_int_equal(pki_make_host(&garbage, "h", validity, &host), -EINVAL);
	assert_int_equal(pki_check("", &garbage), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_say_who_and_until_when),
		cmocka_unit_test(strangers_do_not_belong),
		cmocka_unit_test(names_cannot_smuggle_anything_in),
		cmocka_unit_test(garbage_is_not_a_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
