/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts and access keys. */
#include "model/account.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "tests/unit/model/cluster.h"

static struct cluster c;

static int setup(void **state)
{
	cluster_init_network(&c, 1);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static int create(const struct caller *caller, const char *id, const struct account **ret)
{
	struct account_create_args args = {.id = id, .name = "n"};

	return cluster_end(&c, account_create(cluster_tx(&c), caller, &args, ret, &c.refusal));
}

static int create_key(const char *account, const char *id, const char *secret,
		      const struct key **ret)
{
	struct key_create_args args = {
		.account_id = account, .access_key_id = id, .secret = secret};

	return cluster_end(&c, key_create(cluster_tx(&c), &c.admin, &args, ret, &c.refusal));
}

/* requirement: OPS-2 */
static void test_accounts(void **state)
{
	const struct account *a;
	char id[ID_TEXT_SIZE];

	assert_ok(create(&c.admin, NULL, &a));
	object_id_text(&a->o, id);
	assert_int_equal(strlen(id), 12);
	assert_true(id[0] != '0');
	assert_ptr_equal(account_find(c.m, id), a);
	assert_int_equal(create(&c.admin, ACCOUNT_TEXT, &a), MODEL_E_EXISTS);
	assert_int_equal(create(&c.admin, "12", &a), MODEL_E_VALUE);
	assert_int_equal(create(&c.me, NULL, &a), MODEL_E_NOT_PERMITTED);
	assert_null(account_find(c.m, "12"));
	assert_null(account_find(c.m, "999999999999"));
}

/* requirement: OPS-2 */
static void test_keys(void **state)
{
	const struct key *k;
	char id[64];

	assert_ok(create_key(ACCOUNT_TEXT, "FOOBARKEY", "FOOBARSECRET", &k));
	assert_ptr_equal(key_find(c.m, "FOOBARKEY"), k);
	assert_string_equal(k->secret, "FOOBARSECRET");
	assert_true(k->o.account == ACCOUNT_ID);
	assert_int_equal(create_key(ACCOUNT_TEXT, "FOOBARKEY", "x", &k), MODEL_E_EXISTS);
	assert_int_equal(create_key(ACCOUNT_TEXT, "a/b/c", "x", &k), MODEL_E_VALUE);
	assert_int_equal(create_key(ACCOUNT_TEXT, "ABCD", "", &k), MODEL_E_VALUE);
	assert_int_equal(create_key("999999999999", "ABCD", "x", &k), MODEL_E_ACCOUNT_NOT_FOUND);
	assert_ok(create_key(ACCOUNT_TEXT, NULL, NULL, &k));
	snprintf(id, sizeof(id), "%s", k->access_key_id);
	assert_int_equal(strlen(id), 20);
	assert_int_equal(strncmp(id, "AKIA", 4), 0);
	assert_int_equal(strlen(k->secret), 40);
	assert_int_equal(cluster_end(&c, key_delete(cluster_tx(&c), &c.admin, ACCOUNT_TEXT,
						    "NOTHERE", &c.refusal)),
			 MODEL_E_KEY_NOT_FOUND);
	assert_ok(cluster_end(&c,
			      key_delete(cluster_tx(&c), &c.admin, ACCOUNT_TEXT, id, &c.refusal)));
	assert_null(key_find(c.m, id));
	for (int i = 1; i < LIMIT_MODEL_KEYS; i++)
		assert_ok(create_key(ACCOUNT_TEXT, NULL, NULL, &k));
	assert_int_equal(create_key(ACCOUNT_TEXT, NULL, NULL, &k), MODEL_E_KEY_LIMIT);
}

static void test_delete(void **state)
{
	const struct key *k;

	assert_ok(create_key(ACCOUNT_TEXT, "FOOBARKEY", "s", &k));
	assert_int_equal(
		cluster_end(&c, account_delete(cluster_tx(&c), &c.admin, ACCOUNT_TEXT, &c.refusal)),
		MODEL_E_ACCOUNT_DEPENDENCY);
	assert_non_null(key_find(c.m, "FOOBARKEY"));
	assert_ok(cluster_end(&c, subnet_delete(cluster_tx(&c), &c.me, c.subnet, &c.refusal)));
	assert_ok(cluster_end(&c, vpc_delete(cluster_tx(&c), &c.me, c.vpc, &c.refusal)));
	assert_int_equal(
		cluster_end(&c, account_delete(cluster_tx(&c), &c.me, ACCOUNT_TEXT, &c.refusal)),
		MODEL_E_NOT_PERMITTED);
	assert_ok(cluster_end(&c,
			      account_delete(cluster_tx(&c), &c.admin, ACCOUNT_TEXT, &c.refusal)));
	assert_null(key_find(c.m, "FOOBARKEY"));
	assert_null(account_find(c.m, ACCOUNT_TEXT));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_accounts),
		TEST(test_keys),
		TEST(test_delete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
