/* SPDX-License-Identifier: Apache-2.0 */
/* What a host has to be told: the last word per object, until it is acknowledged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "manager/outbox.h"
#include "model/plan.h"
#include "wire/frame.h"

static void put(struct outbox *outbox, uint32_t peer, uint64_t revision, bool remove)
{
	struct plan_item plan = {.kind = PLAN_PEER, .remove = remove};
	struct outbox_item *item;

	plan.peer.number = peer;
	plan.peer.name = "h";
	plan.peer.choice.path_mtu = (uint32_t)revision;
	assert_int_equal(outbox_item_new(&plan, revision, NULL, 1, &item), 0);
	assert_int_equal(outbox_put(outbox, item), 0);
}

/* Packs and decodes; the result lives until the next call. */
static const Viaduct__Agent__Desired *pack(struct outbox *outbox, uint64_t revision, bool full)
{
	static struct frame_decoder *decoder;
	const Viaduct__Agent__Frame *frame;
	_cleanup_buf_ struct buf out;

	if (decoder)
		frame_decoder_free(decoder);
	assert_int_equal(frame_decoder_new(&decoder), 0);
	buf_init(&out, SIZE_MAX);
	assert_int_equal(outbox_pack(outbox, revision, full, &out), 0);
	assert_int_equal(frame_decode(decoder, buf_data(&out) + FRAME_HEADER_SIZE,
				      buf_size(&out) - FRAME_HEADER_SIZE, &frame),
			 0);
	assert_int_equal(frame->body_case, VIADUCT__AGENT__FRAME__BODY_DESIRED);
	assert_int_equal(frame->desired->revision, revision);
	if (!outbox_count(outbox))
		decoder = frame_decoder_free(decoder);
	return decoder ? frame->desired : NULL;
}

static void the_last_word_about_an_object_counts(void **state)
{
	const Viaduct__Agent__Desired *desired;
	struct outbox outbox;

	outbox_init(&outbox);
	put(&outbox, 1, 10, false);
	put(&outbox, 2, 10, false);
	put(&outbox, 1, 11, false);
	put(&outbox, 2, 12, true);
	assert_int_equal(outbox_count(&outbox), 2);
	desired = pack(&outbox, 12, false);
	assert_int_equal(desired->n_set, 1);
	assert_int_equal(desired->set[0]->peer->path_mtu, 11);
	assert_int_equal(desired->n_remove, 1);
	assert_int_equal(desired->remove[0]->peer_number, 2);
	assert_int_equal(outbox.n_unsent, 0);
	outbox_clear(&outbox);
	assert_null(pack(&outbox, 13, false));
	outbox_deinit(&outbox);
}

/* requirement: OPS-3 */
static void what_is_not_acknowledged_is_told_again(void **state)
{
	const Viaduct__Agent__Desired *desired;
	struct outbox outbox;

	outbox_init(&outbox);
	put(&outbox, 1, 10, false);
	put(&outbox, 2, 11, false);
	pack(&outbox, 11, false);
	put(&outbox, 3, 12, false);
	desired = pack(&outbox, 12, false);
	assert_int_equal(desired->n_set, 1); /* what was sent is not sent twice */
	outbox_acknowledge(&outbox, 10);
	assert_int_equal(outbox_count(&outbox), 2);
	outbox_rewind(&outbox);
	desired = pack(&outbox, 12, false);
	assert_int_equal(desired->n_set, 2);
	assert_int_equal(desired->set[0]->peer->number, 2);
	assert_int_equal(desired->set[1]->peer->number, 3);
	outbox_acknowledge(&outbox, 12);
	assert_int_equal(outbox_count(&outbox), 0);
	assert_null(pack(&outbox, 13, false));
	outbox_deinit(&outbox);
}

static void a_full_state_names_only_what_is_there(void **state)
{
	const Viaduct__Agent__Desired *desired;
	struct outbox outbox;

	outbox_init(&outbox);
	put(&outbox, 1, 10, false);
	put(&outbox, 2, 10, false);
	put(&outbox, 2, 11, true);
	desired = pack(&outbox, 11, true);
	assert_true(desired->full);
	assert_int_equal(desired->n_set, 1);
	assert_int_equal(desired->n_remove, 0);
	outbox_clear(&outbox);
	assert_null(pack(&outbox, 13, false));
	outbox_deinit(&outbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_word_about_an_object_counts),
		cmocka_unit_test(what_is_not_acknowledged_is_told_again),
		cmocka_unit_test(a_full_state_names_only_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
