/* SPDX-License-Identifier: Apache-2.0 */
/* Join bundles: what is installed and what is refused. */
#include "agent/bundle.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "tests/unit/test.h"

static const uint64_t now_ms = 1700000000000;

struct cluster {
	char folder[64], file[128], state[96];
	struct pki_pair ca, host;
};

static int make_cluster(void **state)
{
	struct cluster *c = calloc(1, sizeof(*c));
	const struct pki_validity validity = {.now_ms = now_ms, .days = 10};

	strcpy(c->folder, "/tmp/test_bundle.XXXXXX");
	if (!mkdtemp(c->folder) || pki_make_ca("test", validity, &c->ca) ||
	    pki_make_host(&c->ca, "host-1", validity, &c->host))
		return -1;
	snprintf(c->file, sizeof(c->file), "%s/bundle", c->folder);
	snprintf(c->state, sizeof(c->state), "%s/state", c->folder);
	*state = c;
	return 0;
}

static int end_cluster(void **state)
{
	struct cluster *c = *state;
	int e = file_remove_tree(c->folder);

	pki_pair_deinit(&c->ca);
	pki_pair_deinit(&c->host);
	free(c);
	return e;
}

static json_t *bundle(const struct cluster *c)
{
	return json_pack("{s:i, s:{s:s, s:s, s:i}, s:s, s:s, s:s, s:[s, s], s:I}", "version", 1,
			 "host", "id", "host-1", "name", "h1", "number", 3, "ca", c->ca.certificate,
			 "certificate", c->host.certificate, "key", c->host.key, "managers",
			 "[fd00::1]:8774", "192.0.2.1:1234", "cluster_id", (json_int_t)99);
}

static void write_bundle(const struct cluster *c, json_t *root)
{
	char *text = json_dumps(root, 0);

	assert_ok(file_write_atomic(c->file, text, strlen(text), 0600));
	free(text);
	json_decref(root);
}

static void test_a_bundle_is_read(void **state)
{
	struct cluster *c = *state;
	_cleanup_bundle_ struct bundle b = {0};
	char error[BUNDLE_ERROR_SIZE];

	write_bundle(c, bundle(c));
	assert_ok(bundle_read(c->file, now_ms, &b, error));
	assert_string_equal(b.host_id, "host-1");
	assert_string_equal(b.host_name, "h1");
	assert_int_equal(b.number, 3);
	assert_int_equal(b.cluster_id, 99);
	assert_int_equal(b.n_managers, 2);
	assert_string_equal(b.managers[0].name, "fd00::1");
	assert_int_equal(b.managers[0].addr.ss_family, AF_INET6);
	assert_int_equal(((struct sockaddr_in6 *)&b.managers[0].addr)->sin6_port, htons(8774));
	assert_int_equal(b.managers[1].addr.ss_family, AF_INET);
	assert_int_equal(((struct sockaddr_in *)&b.managers[1].addr)->sin_port, htons(1234));
}

static void test_it_is_installed_for_root_alone(void **state)
{
	struct cluster *c = *state;
	_cleanup_bundle_ struct bundle b = {0};
	_cleanup_free_ char *path = NULL;
	char error[BUNDLE_ERROR_SIZE];
	struct stat st;

	write_bundle(c, bundle(c));
	assert_ok(bundle_install(c->file, c->state, now_ms, error));
	assert_ok(bundle_install(c->file, c->state, now_ms, error)); /* again: renewed */
	assert_ok(bundle_path(c->state, &path));
	assert_ok(stat(path, &st));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_ok(stat(c->state, &st));
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_ok(bundle_read(path, now_ms, &b, error));
}

static void test_another_host_is_not_overwritten(void **state)
{
	struct cluster *c = *state;
	char error[BUNDLE_ERROR_SIZE] = "";
	json_t *root;

	write_bundle(c, bundle(c));
	assert_ok(bundle_install(c->file, c->state, now_ms, error));
	root = bundle(c);
	json_object_set_new(root, "cluster_id", json_integer(100));
	write_bundle(c, root);
	assert_error(bundle_install(c->file, c->state, now_ms, error), EEXIST);
	assert_non_null(strstr(error, "leave first"));
}

static void refuse(struct cluster *c, json_t *root, const char *expected)
{
	struct bundle b = {.number = 77};
	char error[BUNDLE_ERROR_SIZE] = "";

	write_bundle(c, root);
	assert_error(bundle_read(c->file, now_ms, &b, error), EINVAL);
	if (!strstr(error, expected))
		fail_msg("%s is not in %s", expected, error);
	assert_int_equal(b.number, 77);
}

static void test_what_does_not_fit_is_refused(void **state)
{
	struct cluster *c = *state;
	const struct pki_validity validity = {.now_ms = now_ms, .days = 10};
	struct pki_pair other_ca = {0}, other_host = {0};
	json_t *root;

	root = bundle(c);
	json_object_set_new(root, "version", json_integer(2));
	refuse(c, root, "version 2");
	root = bundle(c);
	json_object_del(root, "key");
	refuse(c, root, "key");
	root = bundle(c);
	json_object_set_new(root, "managers", json_array());
	refuse(c, root, "managers");
	root = bundle(c);
	json_object_set_new(root, "managers", json_pack("[s]", "manager.example:8774"));
	refuse(c, root, "addresses");
	root = bundle(c);
	json_object_set_new(root, "managers", json_pack("[s]", "[fd00::1]"));
	refuse(c, root, "addresses");
	root = bundle(c);
	json_object_set_new(json_object_get(root, "host"), "id", json_string("host-2"));
	refuse(c, root, "another host's");
	root = bundle(c);
	json_object_set_new(json_object_get(root, "host"), "id", json_string("../host"));
	refuse(c, root, "id");
	assert_ok(pki_make_ca("other", validity, &other_ca));
	assert_ok(pki_make_host(&other_ca, "host-1", validity, &other_host));
	root = bundle(c);
	json_object_set_new(root, "ca", json_string(other_ca.certificate));
	refuse(c, root, "do not belong together");
	root = bundle(c);
	json_object_set_new(root, "key", json_string(other_host.key));
	refuse(c, root, "do not belong together");
	pki_pair_deinit(&other_ca);
	pki_pair_deinit(&other_host);
}

static void test_an_expired_certificate_is_refused(void **state)
{
	struct cluster *c = *state;
	char error[BUNDLE_ERROR_SIZE] = "", date[CLOCK_DATE_SIZE];
	struct bundle b;

	write_bundle(c, bundle(c));
	assert_error(bundle_read(c->file, now_ms + 11ULL * 24 * 3600 * 1000, &b, error), EINVAL);
	assert_non_null(strstr(error, "expired"));
	assert_non_null(strstr(error, clock_date_text(now_ms + 11ULL * 24 * 3600 * 1000, date)));
}

/* requirement: OPS-3 */
static void test_the_certificate_is_renewed(void **state)
{
	struct cluster *c = *state;
	_cleanup_bundle_ struct bundle b = {0}, again = {0};
	const struct pki_validity longer = {.now_ms = now_ms, .days = 20};
	struct pki_pair next, other, foreign_ca, foreign;
	char error[BUNDLE_ERROR_SIZE];
	_cleanup_free_ char *installed = NULL;

	assert_ok(pki_make_host(&c->ca, "host-1", longer, &next));
	assert_ok(pki_make_host(&c->ca, "host-2", longer, &other));
	assert_ok(pki_make_ca("other", longer, &foreign_ca));
	assert_ok(pki_make_host(&foreign_ca, "host-1", longer, &foreign));
	write_bundle(c, bundle(c));
	assert_ok(bundle_install(c->file, c->state, now_ms, error));
	assert_ok(bundle_path(c->state, &installed));
	assert_ok(bundle_read(installed, now_ms, &b, error));
	/* Another host's, another cluster's, and the one that is there. */
	assert_error(bundle_renew(installed, &b, &other, now_ms, error), EINVAL);
	assert_error(bundle_renew(installed, &b, &foreign, now_ms, error), EINVAL);
	assert_error(bundle_renew(installed, &b, &c->host, now_ms, error), EINVAL);
	assert_string_equal(b.pair.certificate, c->host.certificate);
	assert_ok(bundle_renew(installed, &b, &next, now_ms, error));
	assert_string_equal(b.pair.certificate, next.certificate);
	assert_ok(bundle_read(installed, now_ms, &again, error));
	assert_string_equal(again.pair.certificate, next.certificate);
	assert_string_equal(again.pair.key, next.key);
	assert_string_equal(again.ca, c->ca.certificate);
	assert_int_equal(again.n_managers, 2);
	assert_int_equal(again.cluster_id, 99);
	pki_pair_deinit(&next);
	pki_pair_deinit(&other);
	pki_pair_deinit(&foreign_ca);
	pki_pair_deinit(&foreign);
}

static void test_no_json_and_no_file(void **state)
{
	struct cluster *c = *state;
	char error[BUNDLE_ERROR_SIZE] = "";
	struct bundle b;

	assert_ok(file_write_atomic(c->file, "{\"a\":1", 6, 0600));
	assert_error(bundle_read(c->file, now_ms, &b, error), EINVAL);
	assert_non_null(strstr(error, "no JSON"));
	assert_error(bundle_read("/none", now_ms, &b, error), ENOENT);
	assert_non_null(strstr(error, "/none"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_cluster, end_cluster)
		TEST(test_a_bundle_is_read),
		TEST(test_it_is_installed_for_root_alone),
		TEST(test_another_host_is_not_overwritten),
		TEST(test_what_does_not_fit_is_refused),
		TEST(test_an_expired_certificate_is_refused),
		TEST(test_the_certificate_is_renewed),
		TEST(test_no_json_and_no_file),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
