/* SPDX-License-Identifier: Apache-2.0 */
/* Changes on their way to the store: order, waiting, undoing, and what survives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/loop.h"
#include "manager/journal.h"
#include "manager/persist.h"
#include "model/account.h"
#include "model/model.h"
#include "store/store_memory.h"

struct fixture {
	struct clock clock;
	struct loop *loop;
	struct store_disk *disk;
	struct store *store;
	struct model *model;
	struct journal *journal;
	unsigned int n_changed, n_durable, n_undone, n_recovered;
	uint64_t last;
	unsigned int n_told;
	int result;
};

static void changed(const struct change *change, void **ret_note, void *data)
{
	struct fixture *f = data;

	f->n_changed++;
	*ret_note = malloc(1); /* an observer that loses a note is seen by the sanitizer */
}

static void durable(uint64_t revision, void *note, void *data)
{
	struct fixture *f = data;

	assert_true(revision > f->last);
	assert_int_equal(journal_durable(f->journal), revision);
	f->last = revision;
	f->n_durable++;
	free(note);
}

static void undone(void *note, void *data)
{
	struct fixture *f = data;

	f->n_undone++;
	free(note);
}

static void recovered(void *data)
{
	struct fixture *f = data;

	f->n_recovered++;
	assert_int_equal(model_revision(f->model), journal_durable(f->journal));
}

static void fill(void *data, void *ret, size_t size)
{
	static uint8_t next;

	for (size_t i = 0; i < size; i++)
		((uint8_t *)ret)[i] = next++;
}

static void open_journal(struct fixture *f)
{
	struct journal_observer observer = {changed, durable, undone, recovered, f};
	struct model_config config = {.region = "us-east-1", .ids.fill = fill};

	assert_int_equal(prefix_parse("fd56:6961::/32", &config.organisation), 0);
	assert_int_equal(store_memory_open(f->disk, &f->store), 0);
	assert_int_equal(model_new(&config, &f->model), 0);
	assert_int_equal(persist_load(f->store, f->model), 0);
	assert_int_equal(journal_new(f->loop, f->model, f->store, &observer, &f->journal), 0);
}

static void close_journal(struct fixture *f)
{
	journal_free(f->journal);
	model_free(f->model);
	store_free(f->store);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	clock_init_real(&f->clock);
	assert_int_equal(loop_new(&f->clock, &f->loop), 0);
	assert_int_equal(store_disk_new(&f->disk), 0);
	open_journal(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_disk_hang(f->disk, false);
	close_journal(f);
	store_disk_free(f->disk);
	loop_free(f->loop);
	free(f);
	return 0;
}

/* Makes an account with the number 'i'. */
static int change(struct fixture *f, unsigned int i)
{
	static const struct caller the_operator = {.is_operator = true};
	const struct account *account;
	struct refusal refusal = {0};
	struct change *c = NULL;
	char id[16];
	struct tx *tx;

	snprintf(id, sizeof(id), "%012u", i);
	assert_int_equal(tx_begin(f->model, 1, &tx), 0);
	assert_int_equal(account_create(tx, &the_operator, &(struct account_create_args){.id = id},
					&account, &refusal),
			 0);
	assert_int_equal(tx_end(tx, &c), 0);
	return journal_submit(f->journal, c);
}

static bool has(struct fixture *f, unsigned int i)
{
	char id[16];

	snprintf(id, sizeof(id), "%012u", i);
	return account_find(f->model, id);
}

static void tell(int result, void *data)
{
	struct fixture *f = data;

	f->n_told++;
	f->result = result;
}

static void run(struct fixture *f)
{
	for (int i = 0; i < 1000 && journal_is_pending(f->journal); i++)
		assert_int_equal(loop_turn(f->loop, 5), 0);
	assert_int_equal(loop_settle(f->loop), 0);
}

/* requirement: MAP-1 */
static void changes_become_durable_in_order_and_survive(void **state)
{
	struct fixture *f = *state;

	store_disk_hang(f->disk, true);
	for (unsigned int i = 1; i <= 500; i++)
		assert_int_equal(change(f, i), 0);
	assert_int_equal(f->n_durable, 0);
	store_disk_hang(f->disk, false);
	run(f);
	assert_int_equal(f->n_changed, 500);
	assert_int_equal(f->n_durable, 500);
	assert_int_equal(journal_durable(f->journal), model_revision(f->model));
	/* Many of them per sync. */
	assert_true(store_disk_n_commits(f->disk) <= 10);
	close_journal(f);
	open_journal(f);
	assert_true(has(f, 1) && has(f, 500));
	assert_false(has(f, 501));
}

static void who_waits_is_told_when_it_is_durable_and_not_before(void **state)
{
	struct fixture *f = *state;
	struct journal_wait wait = {0};

	assert_false(journal_wait(f->journal, &wait, tell, f));
	store_disk_hang(f->disk, true);
	assert_int_equal(change(f, 1), 0);
	assert_true(journal_wait(f->journal, &wait, tell, f));
	for (int i = 0; i < 20; i++)
		assert_int_equal(loop_turn(f->loop, 2), 0);
	assert_int_equal(f->n_told, 0);
	store_disk_hang(f->disk, false);
	run(f);
	assert_int_equal(f->n_told, 1);
	assert_int_equal(f->result, 0);
}

static void who_went_away_is_not_told(void **state)
{
	struct fixture *f = *state;
	struct journal_wait wait = {0};

	assert_int_equal(change(f, 1), 0);
	assert_true(journal_wait(f->journal, &wait, tell, f));
	journal_wait_cancel(&wait);
	run(f);
	assert_int_equal(f->n_told, 0);
}

/* requirement: OPS-3 */
static void a_failure_undoes_all_that_builds_on_it(void **state)
{
	struct journal_wait first = {0}, second = {0};
	struct fixture *f = *state;
	const char *text;

	assert_int_equal(change(f, 1), 0);
	run(f);
	store_disk_fail_next(f->disk, 1, -ENOSPC);
	assert_int_equal(change(f, 2), 0);
	assert_true(journal_wait(f->journal, &first, tell, f));
	assert_int_equal(change(f, 3), 0);
	assert_true(journal_wait(f->journal, &second, tell, f));
	assert_true(has(f, 2) && has(f, 3));
	run(f);
	assert_int_equal(f->n_told, 2);
	assert_int_equal(f->result, -ENOSPC);
	assert_int_equal(f->n_undone, 2);
	assert_int_equal(f->n_recovered, 1);
	assert_true(has(f, 1));
	assert_false(has(f, 2) || has(f, 3));
	assert_int_equal(journal_error(f->journal, &text), -ENOSPC);
	assert_true(*text);
	/* The store is tried anew. */
	assert_int_equal(change(f, 4), 0);
	run(f);
	assert_int_equal(journal_error(f->journal, &text), 0);
	close_journal(f);
	open_journal(f);
	assert_true(has(f, 1) && has(f, 4));
	assert_false(has(f, 2) || has(f, 3));
}

static void a_disk_that_hangs_is_not_fed_for_ever(void **state)
{
	struct fixture *f = *state;
	unsigned int i = 1;
	int r = 0;

	store_disk_hang(f->disk, true);
	while (!r && i <= LIMIT_JOURNAL_PENDING + 1)
		r = change(f, i++);
	assert_int_equal(r, -EBUSY);
	assert_int_equal(i, LIMIT_JOURNAL_PENDING + 2);
	assert_true(has(f, LIMIT_JOURNAL_PENDING));
	assert_false(has(f, LIMIT_JOURNAL_PENDING + 1));
	store_disk_hang(f->disk, false);
	run(f);
	assert_int_equal(f->n_durable, LIMIT_JOURNAL_PENDING);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(changes_become_durable_in_order_and_survive),
		TEST(who_waits_is_told_when_it_is_durable_and_not_before),
		TEST(who_went_away_is_not_told),
		TEST(a_failure_undoes_all_that_builds_on_it),
		TEST(a_disk_that_hangs_is_not_fed_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
