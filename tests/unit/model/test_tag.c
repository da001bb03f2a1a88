/* SPDX-License-Identifier: Apache-2.0 */
/* Tags: limits, reserved keys, all resources or none. */
#include "model/tag.h"

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

static int create(const char *a, const char *b, const struct tag_args *tags, size_t n)
{
	const char *ids[] = {a, b};

	return cluster_end(&c,
			   tag_create(cluster_tx(&c), &c.me, ids, b ? 2 : 1, tags, n, &c.refusal));
}

static int delete (const char *a, const struct tag_args *tags, size_t n)
{
	return cluster_end(&c, tag_delete(cluster_tx(&c), &c.me, &a, 1, tags, n, &c.refusal));
}

static const struct object *get(const char *id)
{
	uint64_t number;

	assert_ok(id_parse(kind_of_id(id), id, &number));
	return model_get(c.m, kind_of_id(id), number);
}

/* requirement: OPS-1 */
static void test_set_and_replace(void **state)
{
	struct tag_args tags[] = {{"b", "1"}, {"a", ""}, {"c", "3"}}, again = {"b", "2"};

	assert_ok(create(c.vpc, c.subnet, tags, 3));
	assert_ok(create(c.vpc, NULL, &again, 1));
	assert_string_equal(object_tag(get(c.vpc), "b"), "2");
	assert_string_equal(object_tag(get(c.subnet), "b"), "1");
	assert_string_equal(object_tag(get(c.vpc), "a"), "");
	assert_int_equal(get(c.vpc)->n_tags, 3);
	assert_string_equal(get(c.vpc)->tags[0].key, "a");
	assert_string_equal(get(c.vpc)->tags[2].key, "c");
}

static void test_limits(void **state)
{
	char keys[LIMIT_MODEL_TAGS + 1][8], longest[LIMIT_MODEL_TAG_KEY * 2 + 3], value[260];
	struct tag_args tags[LIMIT_MODEL_TAGS + 1], tag = {longest, ""};

	for (size_t i = 0; i <= LIMIT_MODEL_TAGS; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
		tags[i] = (struct tag_args){keys[i], "v"};
	}
	assert_int_equal(create(c.vpc, NULL, tags, LIMIT_MODEL_TAGS + 1), MODEL_E_TAG_LIMIT);
	assert_int_equal(get(c.vpc)->n_tags, 0);
	assert_ok(create(c.vpc, NULL, tags, LIMIT_MODEL_TAGS));
	assert_ok(create(c.vpc, NULL, tags, 1));
	assert_int_equal(create(c.vpc, NULL, &tags[LIMIT_MODEL_TAGS], 1), MODEL_E_TAG_LIMIT);
	/* characters, not bytes */
	for (size_t i = 0; i < LIMIT_MODEL_TAG_KEY; i++)
		memcpy(&longest[2 * i], "\xc3\xa9", 3);
	assert_ok(create(c.subnet, NULL, &tag, 1));
	memcpy(&longest[2 * LIMIT_MODEL_TAG_KEY], "x", 2);
	assert_int_equal(create(c.subnet, NULL, &tag, 1), MODEL_E_TAG_INVALID);
	memset(value, 'v', sizeof(value));
	value[LIMIT_MODEL_TAG_VALUE + 1] = '\0';
	tag = (struct tag_args){"k", value};
	assert_int_equal(create(c.subnet, NULL, &tag, 1), MODEL_E_TAG_INVALID);
	value[LIMIT_MODEL_TAG_VALUE] = '\0';
	assert_ok(create(c.subnet, NULL, &tag, 1));
}

static void test_bad_tags(void **state)
{
	struct tag_args reserved = {"aws:x", "v"}, empty = {"", "v"}, no_value = {"k", NULL};
	struct tag_args twice[] = {{"k", "1"}, {"k", "2"}};

	assert_int_equal(create(c.vpc, NULL, &reserved, 1), MODEL_E_TAG_RESERVED);
	assert_int_equal(create(c.vpc, NULL, &empty, 1), MODEL_E_TAG_INVALID);
	assert_int_equal(create(c.vpc, NULL, &no_value, 1), MODEL_E_TAG_INVALID);
	assert_int_equal(create(c.vpc, NULL, twice, 2), MODEL_E_TAG_DUPLICATE);
	assert_int_equal(delete (c.vpc, &reserved, 1), MODEL_E_TAG_RESERVED);
	assert_int_equal(get(c.vpc)->n_tags, 0);
}

static void test_all_resources_or_none(void **state)
{
	struct tag_args tag = {"k", "v"};

	assert_int_equal(create(c.vpc, "subnet-0123456789abcdef0", &tag, 1),
			 MODEL_E_SUBNET_NOT_FOUND);
	assert_int_equal(create(c.vpc, "nonsense", &tag, 1), MODEL_E_TAG_RESOURCE_UNKNOWN);
	assert_int_equal(create(c.vpc, "host-00000000000000001", &tag, 1),
			 MODEL_E_TAG_RESOURCE_UNKNOWN);
	assert_int_equal(create("vpc-xx", NULL, &tag, 1), MODEL_E_VPC_NOT_FOUND);
	assert_int_equal(get(c.vpc)->n_tags, 0);
	assert_ok(create(c.vpc, c.vpc, &tag, 1));
}

static void test_delete(void **state)
{
	struct tag_args tags[] = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
	struct tag_args other = {"a", "9"}, same = {"a", "1"}, any = {"b", NULL},
			none = {"z", NULL};

	assert_ok(create(c.vpc, NULL, tags, 3));
	assert_ok(delete (c.vpc, &other, 1));
	assert_ok(delete (c.vpc, &none, 1));
	assert_int_equal(get(c.vpc)->n_tags, 3);
	assert_ok(delete (c.vpc, &same, 1));
	assert_ok(delete (c.vpc, &any, 1));
	assert_int_equal(get(c.vpc)->n_tags, 1);
	assert_ok(delete (c.vpc, NULL, 0));
	assert_int_equal(get(c.vpc)->n_tags, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_set_and_replace),       TEST(test_limits), TEST(test_bad_tags),
		TEST(test_all_resources_or_none), TEST(test_delete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
