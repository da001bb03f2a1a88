/* SPDX-License-Identifier: Apache-2.0 */
/* The model from the store, by two threads: all of it, or an error and nothing left behind. */
#include "manager/persist.h"

#include <stdio.h>

#include "model/account.h"
#include "model/instance.h"
#include "model/model.h"
#include "model/record.h"
#include "model/tx.h"
#include "store/store_memory.h"
#include "tests/unit/test.h"

enum {
	ACCOUNTS = 3000, /* more than the queue between the threads holds */
	PER_CHANGE = 300,
};

static const struct caller the_operator = {.is_operator = true};

static struct store_disk *disk;
static struct store *store;

static void fill(void *data, void *ret, size_t size)
{
	static uint64_t word = 0x9e3779b97f4a7c15;

	for (size_t i = 0; i < size; i++) {
		word ^= word << 13;
		word ^= word >> 7;
		word ^= word << 17;
		((uint8_t *)ret)[i] = (uint8_t)word;
	}
}

static struct model *new_model(void)
{
	struct model_config config = {.region = "us-east-1", .ids.fill = fill};
	struct model *m;

	assert_ok(prefix_parse("fd56:6961::/32", &config.organisation));
	assert_ok(model_new(&config, &m));
	return m;
}

static void commit(const struct store_batch *batch)
{
	assert_ok(store_batch_error(batch));
	assert_ok(store_commit(store, &batch, 1));
}

static void submit(struct tx *tx)
{
	struct store_batch batch;
	struct change *change;

	assert_ok(tx_end(tx, &change));
	store_batch_init(&batch);
	assert_ok(persist_change(change, &batch));
	commit(&batch);
	store_batch_deinit(&batch);
	change_free(change);
}

static void make_accounts(struct model *m, unsigned int from, unsigned int n)
{
	const struct account *account;
	struct refusal refusal = {0};
	struct tx *tx;

	assert_ok(tx_begin(m, 1, &tx));
	for (unsigned int i = from; i < from + n; i++) {
		char id[16], name[32];

		snprintf(id, sizeof(id), "%012u", i);
		snprintf(name, sizeof(name), "account %u", i);
		assert_ok(account_create(tx, &the_operator,
					 &(struct account_create_args){.id = id, .name = name},
					 &account, &refusal));
	}
	submit(tx);
}

static void delete_account(struct model *m, uint64_t id)
{
	struct refusal refusal = {0};
	char text[ID_TEXT_SIZE];
	struct tx *tx;

	assert_ok(tx_begin(m, 2, &tx));
	assert_ok(account_delete(tx, &the_operator, id_text(KIND_ACCOUNT, id, text), &refusal));
	submit(tx);
}

static struct model *make(void)
{
	struct model *m = new_model();

	for (unsigned int i = 0; i < ACCOUNTS; i += PER_CHANGE)
		make_accounts(m, 1 + i, PER_CHANGE);
	return m;
}

static int setup(void **state)
{
	assert_ok(store_disk_new(&disk));
	assert_ok(store_memory_open(disk, &store));
	return 0;
}

static int teardown(void **state)
{
	store_free(store);
	store_disk_free(disk);
	return 0;
}

/* requirement: MAP-1 */
static void test_all_that_was_stored_is_loaded(void **state)
{
	struct model *m = make(), *loaded = new_model();
	struct model_iter it, it_loaded;
	const struct object *o;
	size_t n = 0;

	delete_account(m, 5);
	delete_account(m, ACCOUNTS);
	assert_ok(persist_load(store, loaded));
	assert_int_equal(model_revision(loaded), model_revision(m));
	it = model_iter_kind(m, KIND_ACCOUNT);
	it_loaded = model_iter_kind(loaded, KIND_ACCOUNT);
	for (; (o = model_iter_next(&it)); n++)
		assert_true(record_equal(o, model_iter_next(&it_loaded)));
	assert_null(model_iter_next(&it_loaded));
	assert_int_equal(n, ACCOUNTS - 2);
	model_free(loaded);
	model_free(m);
}

/* A write, and many accounts behind it. */
static void check_refused(uint8_t kind, size_t id_size, const char *value, size_t value_size)
{
	static const uint8_t id[16] = {0, 0, 0, 1, 0, 0, 0, 1};
	struct model *m = new_model(), *loaded = new_model();
	struct store_batch batch;

	store_batch_init(&batch);
	if (value)
		store_batch_put(&batch, 1, kind, id, id_size, value, value_size);
	else
		store_batch_delete(&batch, 1, kind, id, id_size);
	commit(&batch);
	store_batch_deinit(&batch);
	assert_ok(model_load_end(m, 1)); /* its first change is the second */
	make_accounts(m, 1, ACCOUNTS);
	assert_error(persist_load(store, loaded), EBADMSG);
	model_free(loaded);
	model_free(m);
}

/* requirement: MAP-1 */
static void test_a_record_that_cannot_be_read_is_refused(void **state)
{
	check_refused(KIND_ACCOUNT, 8, "garbage", 7);
}

static void test_an_id_of_another_size_is_refused(void **state)
{
	check_refused(KIND_ACCOUNT, 9, "\1", 1);
}

static void test_a_kind_that_there_is_not_is_refused(void **state)
{
	check_refused(KIND_MAX, 8, "\1", 1);
}

/* Found by the thread that enters, while the other one goes on. */
static void test_the_deletion_of_no_kind_is_refused(void **state)
{
	check_refused(KIND_MAX, 8, NULL, 0);
}

/* Found at the end: a key of an account that there is not. */
static void test_a_reference_to_nothing_is_refused(void **state)
{
	check_refused(KIND_KEY, 8, "\1\12\1k\13\1s", 7);
}

/* By the other thread: an instance on a host that there is not. */
static void test_an_instance_on_no_host_is_refused(void **state)
{
	struct instance n = {.o.kind = KIND_INSTANCE,
			     .host = 7,
			     .state = INSTANCE_RUNNING,
			     .image = (char *)"ami-netns",
			     .type = (char *)"t3.micro",
			     .driver = (char *)"netns",
			     .zone = (char *)"us-east-1a"};
	struct object *decoded;
	struct buf b;

	buf_init(&b, SIZE_MAX);
	record_encode(&n.o, &b);
	/* there is nothing else wrong with it */
	assert_ok(model_load_decode(KIND_INSTANCE, 1, buf_data(&b), buf_size(&b), &decoded));
	record_free(decoded);
	check_refused(KIND_INSTANCE, 8, (const char *)buf_data(&b), buf_size(&b));
	buf_deinit(&b);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_that_was_stored_is_loaded),
		TEST(test_a_record_that_cannot_be_read_is_refused),
		TEST(test_an_id_of_another_size_is_refused),
		TEST(test_a_kind_that_there_is_not_is_refused),
		TEST(test_the_deletion_of_no_kind_is_refused),
		TEST(test_a_reference_to_nothing_is_refused),
		TEST(test_an_instance_on_no_host_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
