/* SPDX-License-Identifier: Apache-2.0 */
/* What an account may have of what it needs most: the last that it gets, and what then becomes of
 * it and of the others. */
#include "base/limits.h"

#include "model/elastic.h"
#include "model/model.h"
#include "model/pool.h"
#include "tests/unit/model/cluster.h"

static struct cluster c;

/* Counts of records that are only said to be there (the linker's --wrap). */
static uint64_t crowded;
static size_t pretended;

size_t __real_model_account_count(const struct model *m, enum kind k, uint64_t account);
size_t __wrap_model_account_count(const struct model *m, enum kind k, uint64_t account);

size_t __wrap_model_account_count(const struct model *m, enum kind k, uint64_t account)
{
	size_t more = k == KIND_INTERFACE && account == crowded ? pretended : 0;

	return __real_model_account_count(m, k, account) + more;
}

static int setup(void **state)
{
	cluster_init_network(&c, 2);
	crowded = c.me.account;
	pretended = 0;
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

/* Two million records are pretended, for they would take minutes. */
/* requirement: OPS-1 */
static void test_interfaces(void **state)
{
	char id[ID_TEXT_SIZE], instance[ID_TEXT_SIZE];

	assert_ok(cluster_make_interface(&c, c.subnet, "10.0.0.10", id));
	pretended = LIMIT_MODEL_INTERFACES - 2;
	assert_ok(cluster_make_interface(&c, c.subnet, "10.0.0.11", id));
	assert_int_equal(cluster_make_interface(&c, c.subnet, "10.0.0.12", id),
			 MODEL_E_INTERFACE_LIMIT);
	assert_non_null(strstr(c.refusal.message, "network interfaces"));
	assert_int_equal(cluster_run(&c, c.subnet, instance), MODEL_E_INTERFACE_LIMIT);
	assert_int_equal(model_account_count(c.m, KIND_INSTANCE, crowded), 0);
	crowded = 0; /* it is another's */
	assert_ok(cluster_make_interface(&c, c.subnet, "10.0.0.12", id));
}

static int allocate(char id[static ID_TEXT_SIZE])
{
	const struct elastic_allocate_args args = {};
	const struct elastic *e;
	int r = elastic_allocate(cluster_tx(&c), &c.me, &args, &e, &c.refusal);

	if (!r)
		object_id_text(&e->o, id);
	return cluster_end(&c, r);
}

/* requirement: OPS-1 */
static void test_elastic_addresses(void **state)
{
	char first[ID_TEXT_SIZE], id[ID_TEXT_SIZE];
	const struct pool *p;

	assert_ok(cluster_end(
		&c, pool_add(cluster_tx(&c), &c.admin, "198.51.96.0/22", &p, &c.refusal)));
	assert_ok(allocate(first));
	for (size_t i = 1; i < LIMIT_MODEL_ADDRESSES; i++)
		assert_ok(allocate(id));
	assert_int_equal(allocate(id), MODEL_E_ELASTIC_LIMIT);
	assert_non_null(strstr(c.refusal.message, "addresses"));
	assert_ok(cluster_end(&c, elastic_release(cluster_tx(&c), &c.me, first, NULL, &c.refusal)));
	assert_ok(allocate(id));
	assert_int_equal(allocate(id), MODEL_E_ELASTIC_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_interfaces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_elastic_addresses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
