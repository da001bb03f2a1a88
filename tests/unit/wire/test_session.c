/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions over an in-memory pair, in virtual time: order, limits, signs of life, faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/loop.h"
#include "wire/pair.h"

#include "peer.h"

#define MS CLOCK_NS_PER_MS

struct fixture {
	struct clock clock;
	struct loop *loop;
	struct pair *pair;
	struct peer client, server;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	clock_init_manual(&f->clock, CLOCK_NS_PER_S, 1000);
	assert_int_equal(loop_new(&f->clock, &f->loop), 0);
	assert_int_equal(pair_new(f->loop, "host-1", &peer_callbacks, &f->client, &peer_callbacks,
				  &f->server, &f->pair),
			 0);
	assert_int_equal(loop_settle(f->loop), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pair_free(f->pair);
	assert_int_equal(loop_settle(f->loop), 0);
	assert_int_equal(f->client.closed, 1);
	assert_int_equal(f->server.closed, 1);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void both_ends_open_and_know_each_other(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(f->client.opened, 1);
	assert_int_equal(f->server.opened, 1);
	assert_string_equal(f->server.name, "host-1");
	assert_string_equal(f->client.name, "manager");
}

static void frames_arrive_in_order_and_are_answered(void **state)
{
	struct fixture *f = *state;

	f->server.echo = true;
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(peer_send(f->client.session, i), 0);
	assert_int_equal(loop_settle(f->loop), 0);
	assert_int_equal(f->client.received, 1000);
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(f->client.seqs[i], i);
}

static int64_t even_late(enum pair_direction direction, const Viaduct__Agent__Frame *frame,
			 void *arg)
{
	if (frame->body_case != VIADUCT__AGENT__FRAME__BODY_RESOLVE)
		return 0;
	return frame->resolve->seq % 2 ? 1 * (int64_t)MS : 5 * (int64_t)MS;
}

static void a_fault_function_reorders(void **state)
{
	static const uint64_t expected[] = {1, 3, 0, 2};
	struct fixture *f = *state;

	pair_set_fault(f->pair, even_late, NULL);
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(peer_send(f->client.session, i), 0);
	assert_int_equal(loop_advance(f->loop, 2 * MS), 0);
	assert_int_equal(f->server.received, 2);
	assert_int_equal(loop_advance(f->loop, 4 * MS), 0);
	assert_int_equal(f->server.received, 4);
	assert_memory_equal(f->server.seqs, expected, sizeof(expected));
}

static int64_t lose_or_cut(enum pair_direction direction, const Viaduct__Agent__Frame *frame,
			   void *arg)
{
	if (frame->body_case != VIADUCT__AGENT__FRAME__BODY_RESOLVE)
		return 0;
	return frame->resolve->seq == 1 ? PAIR_LOSE : frame->resolve->seq == 3 ? PAIR_CUT : 0;
}

static void a_fault_function_loses_and_cuts(void **state)
{
	struct fixture *f = *state;

	pair_set_fault(f->pair, lose_or_cut, NULL);
	assert_int_equal(peer_send(f->client.session, 0), 0);
	assert_int_equal(peer_send(f->client.session, 1), 0);
	assert_int_equal(peer_send(f->client.session, 2), 0);
	assert_int_equal(loop_settle(f->loop), 0);
	assert_int_equal(f->server.received, 2);
	assert_int_equal(f->server.seqs[1], 2);
	assert_int_equal(peer_send(f->client.session, 3), 0);
	assert_int_equal(loop_settle(f->loop), 0);
	assert_int_equal(f->client.end, SESSION_END_PEER);
	assert_int_equal(f->server.end, SESSION_END_PEER);
	assert_int_equal(f->server.goodbye, 0);
}

static void goodbye_is_heard_before_the_end(void **state)
{
	struct fixture *f = *state;

	f->server.close_first = true;
	assert_int_equal(peer_send(f->client.session, 1), 0);
	assert_int_equal(peer_send(f->client.session, 2), 0);
	assert_int_equal(loop_settle(f->loop), 0);
	assert_int_equal(f->server.received, 1); /* nothing behind the close */
	assert_int_equal(f->server.end, SESSION_END_LOCAL);
	assert_int_equal(f->client.goodbye, VIADUCT__AGENT__GOODBYE__CODE__REPLACED);
	assert_int_equal(f->client.end, SESSION_END_PEER);
}

static void an_idle_session_stays_alive(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_advance(f->loop, 600 * CLOCK_NS_PER_S), 0);
	assert_int_equal(f->client.closed, 0);
	assert_int_equal(f->server.closed, 0);
	assert_int_equal(f->server.received, 0); /* pings are not passed up */
}

/* requirement: OPS-3 */
static void a_silent_peer_is_given_up(void **state)
{
	struct fixture *f = *state;

	pair_stall(f->pair, true);
	assert_int_equal(loop_advance(f->loop, (LIMIT_WIRE_DEAD_MS - 1500) * MS), 0);
	assert_int_equal(f->server.closed, 0);
	assert_int_equal(loop_advance(f->loop, 3000 * MS), 0);
	assert_int_equal(f->server.end, SESSION_END_TIMEOUT);
	assert_int_equal(f->server.closed, 1);
	assert_int_equal(f->client.closed, 1);
}

/* requirement: OPS-3 */
static void some_are_given_up_sooner(void **state)
{
	struct fixture *f = *state;

	session_set_patience(f->server.session, LIMIT_WIRE_EDGE_PING_MS, LIMIT_WIRE_EDGE_DEAD_MS);
	assert_int_equal(loop_advance(f->loop, 600 * CLOCK_NS_PER_S), 0);
	assert_int_equal(f->server.closed, 0);
	pair_stall(f->pair, true);
	assert_int_equal(loop_advance(f->loop, (LIMIT_WIRE_EDGE_DEAD_MS - 1500) * MS), 0);
	assert_int_equal(f->server.closed, 0);
	assert_int_equal(loop_advance(f->loop, 3000 * MS), 0);
	assert_int_equal(f->server.end, SESSION_END_TIMEOUT);
}

/* requirement: OPS-3 */
static void a_peer_that_takes_nothing_loses_its_session(void **state)
{
	struct fixture *f = *state;
	int r = 0;

	pair_stall(f->pair, true);
	session_set_queue_limit(f->server.session, 4096);
	for (int i = 0; i < 10000 && !r; i++) {
		r = peer_send(f->server.session, 7);
		session_flush(f->server.session);
	}
	assert_int_equal(r, -ENOBUFS);
	assert_int_equal(peer_send(f->server.session, 7), -ENOTCONN);
	assert_int_equal(loop_settle(f->loop), 0);
	assert_int_equal(f->server.end, SESSION_END_QUEUE_FULL);
}

static int64_t slow_answers(enum pair_direction direction, const Viaduct__Agent__Frame *frame,
			    void *arg)
{
	return direction == PAIR_TO_CLIENT ? 10 * (int64_t)MS : 0;
}

static void questions_wait_while_answers_are_not_taken(void **state)
{
	struct fixture *f = *state;

	/* 2,000 answers of 16 bytes are more than the limit of 8 KB; none is lost all the same. */
	session_set_queue_limit(f->server.session, 8192);
	pair_set_fault(f->pair, slow_answers, NULL);
	f->server.echo = true;
	for (uint64_t i = 0; i < 2000; i++)
		assert_int_equal(peer_send(f->client.session, i + 1000000), 0);
	assert_int_equal(loop_settle(f->loop), 0);
	assert_true(f->server.received < 2000);
	assert_int_equal(loop_advance(f->loop, 2 * CLOCK_NS_PER_S), 0);
	assert_int_equal(f->server.closed, 0);
	assert_int_equal(f->client.received, 2000);
	for (uint64_t i = 0; i < 2000; i++)
		assert_int_equal(f->client.seqs[i], i + 1000000);
}

static void packed_records_go_to_many(void **state)
{
	Viaduct__Agent__Resolve resolve = VIADUCT__AGENT__RESOLVE__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	struct fixture *f = *state;
	_cleanup_buf_ struct buf out;

	resolve.seq = 42;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_RESOLVE;
	frame.resolve = &resolve;
	buf_init(&out, SIZE_MAX);
	assert_int_equal(frame_pack(&out, &frame), 0);
	assert_int_equal(session_send_bytes(f->server.session, buf_data(&out), buf_size(&out)), 0);
	assert_int_equal(session_send_bytes(f->client.session, buf_data(&out), buf_size(&out)), 0);
	assert_int_equal(loop_settle(f->loop), 0);
	assert_int_equal(f->client.seqs[0], 42);
	assert_int_equal(f->server.seqs[0], 42);
}

static void what_does_not_decode_ends_the_session(void **state)
{
	static const uint8_t bad[] = {0, 0, 0, 3, 0xff, 0xff, 0xff};
	struct fixture *f = *state;

	assert_int_equal(peer_send(f->client.session, 1), 0);
	assert_int_equal(session_send_bytes(f->client.session, bad, sizeof(bad)), 0);
	assert_int_equal(loop_settle(f->loop), 0);
	assert_int_equal(f->server.received, 1);
	assert_int_equal(f->server.end, SESSION_END_PROTOCOL);
	assert_int_equal(f->client.goodbye, VIADUCT__AGENT__GOODBYE__CODE__PROTOCOL);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_ends_open_and_know_each_other),
		TEST(frames_arrive_in_order_and_are_answered),
		TEST(a_fault_function_reorders),
		TEST(a_fault_function_loses_and_cuts),
		TEST(goodbye_is_heard_before_the_end),
		TEST(an_idle_session_stays_alive),
		TEST(a_silent_peer_is_given_up),
		TEST(some_are_given_up_sooner),
		TEST(a_peer_that_takes_nothing_loses_its_session),
		TEST(questions_wait_while_answers_are_not_taken),
		TEST(packed_records_go_to_many),
		TEST(what_does_not_decode_ends_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
