/* SPDX-License-Identifier: Apache-2.0 */
/* The miss path: what is held, asked, answered, in which order, and where it ends. */
#include "tests/unit/agent/rig.h"

#include <string.h>

#include "base/limits.h"
#include "tests/unit/test.h"

enum { REMOTE = 0x0a000164, OTHER = 0x0a000165 };

/* Packets for REMOTE appear at a node of host 2, the peer, which the fake world delivers to. */
/* requirement: MAP-2 */
static void test_the_first_packet_asks_and_is_late_not_lost(void **state)
{
	struct rig *r = *state;
	const Viaduct__Agent__Question *q;
	struct ipaddr asker = rig_addr(0x0a000104), addr = rig_addr(REMOTE);

	assert_int_equal(rig_packet(r, REMOTE, 1), FAKE_HELD);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE), 1);
	q = rig_last(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE)->resolve->questions[0];
	assert_int_equal(q->kind, VIADUCT__AGENT__QUESTION__KIND__SEND);
	assert_int_equal(q->vni, RIG_VNI);
	assert_memory_equal(q->asker.data, asker.b, 16);
	assert_memory_equal(q->addr.data, addr.b, 16);
	assert_int_equal(r->agent->miss.held_bytes > 0, 1);
	rig_answer(r, RIG_PEER, 5);
	assert_int_equal(r->agent->miss.held_bytes, 0);
	assert_int_equal(r->agent->miss.n_reinjected, 1);
	assert_int_equal(cache_find(&r->agent->cache, RIG_VNI, &addr)->state, MAPPING_LIVE);
	/* From now on nothing comes up. */
	assert_int_not_equal(rig_packet(r, REMOTE, 2), FAKE_HELD);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE), 1);
}

/* requirement: MAP-2 */
static void test_repeated_questions_are_one(void **state)
{
	struct rig *r = *state;

	for (uint32_t n = 0; n < 20; n++)
		assert_int_equal(rig_packet(r, REMOTE, n), FAKE_HELD);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE), 1);
	assert_int_equal(r->agent->miss.n_held, 20);
	rig_answer(r, RIG_PEER, 5);
	assert_int_equal(r->agent->miss.n_reinjected, 20);
}

/* Two interfaces on one host: what the first sends reaches the second, so that order can be seen.
 * The manager says that the second's address is here. */
/* requirement: MAP-2 */
static void test_held_packets_keep_their_order(void **state)
{
	struct rig *r = *state;
	struct ipaddr addr = rig_addr(REMOTE);
	Viaduct__Agent__Object *objects[] = {rig_instance(r, "i-2", true, 1),
					     rig_interface(r, "eni-2", "i-2", REMOTE)};
	uint32_t number, expected = 0;
	const struct port *port;

	for (uint32_t n = 0; n < 5; n++)
		assert_int_equal(rig_packet(r, REMOTE, n), FAKE_HELD);
	rig_desire(r, 11, false, objects, ARRAY_SIZE(objects));
	rig_answer(r, 1, 5);
	port = ports_find_interface(&r->agent->ports, "eni-2");
	assert_non_null(port);
	while (fake_receive_packet(r->world, "h1", port->dp.id, &number))
		assert_int_equal(number, expected++);
	assert_int_equal(expected, 5);
	assert_int_equal(cache_find(&r->agent->cache, RIG_VNI, &addr)->peer, DP_PEER_SELF);
}

/* requirement: MAP-2 */
static void test_a_refusal_is_remembered_for_a_while(void **state)
{
	struct rig *r = *state;
	struct ipaddr addr = rig_addr(REMOTE);

	assert_int_equal(rig_packet(r, REMOTE, 1), FAKE_HELD);
	rig_answer(r, 0, 0);
	assert_int_equal(cache_find(&r->agent->cache, RIG_VNI, &addr)->state, MAPPING_REFUSED);
	assert_int_equal(rig_packet(r, REMOTE, 2), FAKE_DROPPED);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE), 1);
	rig_advance_ms(r, LIMIT_AGENT_NEGATIVE_MS + 1);
	assert_null(cache_find(&r->agent->cache, RIG_VNI, &addr));
	assert_int_equal(rig_packet(r, REMOTE, 3), FAKE_HELD);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE), 2);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RELEASED), 0);
}

/* requirement: MAP-2, PKT-15 */
static void test_without_an_answer_packets_end_and_are_counted(void **state)
{
	struct rig *r = *state;
	uint64_t drops[AGENT_REASONS_MAX];

	assert_int_equal(rig_packet(r, REMOTE, 1), FAKE_HELD);
	assert_int_equal(rig_packet(r, REMOTE, 2), FAKE_HELD);
	rig_advance_ms(r, LIMIT_AGENT_QUESTION_MS - 1);
	assert_int_equal(r->agent->miss.drops[MISS_DROP_TIMEOUT], 0);
	rig_advance_ms(r, 2);
	assert_int_equal(r->agent->miss.drops[MISS_DROP_TIMEOUT], 2);
	assert_int_equal(r->agent->miss.held_bytes, 0);
	assert_ok(report_drops(r->agent, 0, drops));
	assert_int_equal(drops[36], 2); /* NO_ANSWER */
	/* The next packet asks anew. */
	assert_int_equal(rig_packet(r, REMOTE, 3), FAKE_HELD);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE), 2);
}

/* requirement: MAP-3 */
static void test_a_late_answer_is_held_all_the_same(void **state)
{
	struct rig *r = *state;
	struct ipaddr addr = rig_addr(REMOTE);

	assert_int_equal(rig_packet(r, REMOTE, 1), FAKE_HELD);
	rig_advance_ms(r, LIMIT_AGENT_QUESTION_MS + 1);
	rig_answer(r, RIG_PEER, 5);
	assert_int_equal(cache_find(&r->agent->cache, RIG_VNI, &addr)->state, MAPPING_LIVE);
}

/* requirement: MAP-2 */
static void test_an_unavailable_answer_is_asked_again(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Resolved resolved = VIADUCT__AGENT__RESOLVED__INIT;
	Viaduct__Agent__Answer answer = VIADUCT__AGENT__ANSWER__INIT;
	Viaduct__Agent__Answer *answers[] = {&answer};

	assert_int_equal(rig_packet(r, REMOTE, 1), FAKE_HELD);
	answer.status = VIADUCT__AGENT__ANSWER__STATUS__UNAVAILABLE;
	resolved.seq = rig_last(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE)->resolve->seq;
	resolved.n_answers = 1;
	resolved.answers = answers;
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_RESOLVED, &resolved);
	rig_advance_ms(r, LIMIT_AGENT_RETRY_MS + 1);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE), 2);
	rig_answer(r, RIG_PEER, 5);
	assert_int_equal(r->agent->miss.n_reinjected, 1);
}

/* requirement: MAP-2 */
static void test_an_unknown_host_is_waited_for(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *peer = rig_peer(r, 9);

	assert_int_equal(rig_packet(r, REMOTE, 1), FAKE_HELD);
	rig_answer(r, 9, 5);
	assert_int_equal(r->agent->miss.n_reinjected, 0);
	rig_desire(r, 11, false, &peer, 1);
	rig_advance_ms(r, LIMIT_AGENT_RETRY_MS + 1);
	rig_answer(r, 9, 5);
	assert_int_equal(r->agent->miss.n_reinjected, 1);
}

/* An unknown host that never comes ends as any other question: no endless asking. */
/* requirement: MAP-2 */
static void test_an_unknown_host_ends_in_time(void **state)
{
	struct rig *r = *state;

	assert_int_equal(rig_packet(r, REMOTE, 1), FAKE_HELD);
	for (int i = 0; i < 30; i++) {
		rig_answer(r, 9, 5);
		rig_advance_ms(r, LIMIT_AGENT_RETRY_MS + 1);
	}
	assert_true(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE) <=
		    LIMIT_AGENT_QUESTION_MS / LIMIT_AGENT_RETRY_MS + 1);
	assert_int_equal(r->agent->miss.held_bytes, 0);
}

/* requirement: MAP-2 */
static void test_held_packets_are_bounded(void **state)
{
	struct rig *r = *state;

	for (uint32_t n = 0; n < LIMIT_AGENT_HELD_PER_PORT + 10; n++)
		rig_packet(r, REMOTE, n);
	assert_int_equal(r->agent->miss.n_held, LIMIT_AGENT_HELD_PER_PORT);
	assert_int_equal(r->agent->miss.drops[MISS_DROP_BOUND], 10);
	rig_answer(r, RIG_PEER, 5);
	/* The room is given back. */
	assert_int_equal(rig_packet(r, OTHER, 1), FAKE_HELD);
	assert_int_equal(r->agent->miss.n_held, LIMIT_AGENT_HELD_PER_PORT + 1);
}

/* requirement: MAP-2 */
static void test_questions_of_a_port_are_bounded(void **state)
{
	struct rig *r = *state;

	/* A scan of the whole network, faster than the manager answers. */
	for (uint32_t n = 0; n < LIMIT_AGENT_QUESTIONS_PER_PORT + 100; n++) {
		const struct ipaddr src = rig_addr(0x0a000104), to = rig_addr(0x0a010000 + n);
		struct dp_upcall *u = calloc(1, sizeof(*u));

		u->kind = DP_UPCALL_RESOLVE;
		u->port = rig_port(r);
		u->vni = RIG_VNI;
		u->src = src;
		u->dst = to;
		u->size = 60;
		u->frame = calloc(1, 60);
		u->dp = r->agent->dp;
		miss_take(&r->agent->miss, u);
	}
	assert_int_equal(r->agent->miss.n_asked, LIMIT_AGENT_QUESTIONS_PER_PORT);
	assert_true(r->agent->miss.drops[MISS_DROP_BOUND] >= 100);
	rig_advance_ms(r, LIMIT_AGENT_QUESTION_MS + 1);
	assert_int_equal(r->agent->miss.held_bytes, 0);
	assert_int_equal(r->agent->questions.n, 0);
}

/* requirement: MAP-4 */
static void test_an_unknown_sender_is_verified(void **state)
{
	struct rig *r = *state;
	const struct ipaddr src = rig_addr(REMOTE), dst = rig_addr(0x0a000104);
	struct dp_config config = {.name = "h2", .max_mappings = 10, .max_flows = 10};
	struct dp_peer us = {.id = 1, .send = FORMAT_SIIT_2, .path_mtu = 1500};
	const Viaduct__Agent__Question *q;
	struct datapath *dp;
	uint32_t number;
	bool adopted;

	assert_ok(prefix_parse("fd56:6961:8000:200::/56", &config.siit2));
	assert_ok(prefix_parse("fd56:6961:8000:100::/56", &us.siit2));
	assert_ok(datapath_open_fake(r->world, &config, &dp, &adopted));
	assert_ok(datapath_peer_set(dp, &us));
	assert_int_equal(fake_arrive(r->world, "h1", "h2", RIG_VNI, &src, &dst, 7, NULL),
			 FAKE_HELD);
	rig_settle(r);
	q = rig_last(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE)->resolve->questions[0];
	assert_int_equal(q->kind, VIADUCT__AGENT__QUESTION__KIND__VERIFY);
	assert_memory_equal(q->asker.data, dst.b, 16);
	assert_memory_equal(q->addr.data, src.b, 16);
	rig_answer(r, RIG_PEER, 5);
	assert_true(fake_receive_packet(r->world, "h1", rig_port(r), &number));
	assert_int_equal(number, 7);
	datapath_close(dp);
}

/* requirement: OPS-3 */
static void test_questions_survive_the_connection(void **state)
{
	struct rig *r = *state;

	assert_int_equal(rig_packet(r, REMOTE, 1), FAKE_HELD);
	rig_cut(r);
	rig_advance_ms(r, 2 * LIMIT_AGENT_BACKOFF_MIN_MS);
	assert_int_equal(r->agent->link.state, LINK_UP);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE), 2);
	rig_answer(r, RIG_PEER, 5);
	assert_int_equal(r->agent->miss.n_reinjected, 1);
}

/* requirement: MAP-3 */
static void test_a_push_answers_what_is_pending(void **state)
{
	struct rig *r = *state;
	struct ipaddr addr = rig_addr(REMOTE);

	assert_int_equal(rig_packet(r, REMOTE, 1), FAKE_HELD);
	rig_update(r, REMOTE, RIG_PEER, 9, false);
	assert_int_equal(r->agent->miss.n_reinjected, 1);
	/* The answer that was overtaken is older, and changes nothing. */
	rig_answer(r, 1, 5);
	assert_int_equal(cache_find(&r->agent->cache, RIG_VNI, &addr)->revision, 9);
	assert_int_equal(cache_find(&r->agent->cache, RIG_VNI, &addr)->peer, RIG_PEER);
}

/* requirement: MAP-2 */
static void test_an_answer_about_another_address_is_not_believed(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Resolved resolved = VIADUCT__AGENT__RESOLVED__INIT;
	Viaduct__Agent__Answer answer = VIADUCT__AGENT__ANSWER__INIT;
	Viaduct__Agent__Answer *answers[] = {&answer};
	Viaduct__Agent__Mapping mapping = VIADUCT__AGENT__MAPPING__INIT;
	struct ipaddr wrong = rig_addr(OTHER);

	assert_int_equal(rig_packet(r, REMOTE, 1), FAKE_HELD);
	mapping.vni = RIG_VNI;
	mapping.addr = (ProtobufCBinaryData){.len = 16, .data = wrong.b};
	mapping.host = RIG_PEER;
	answer.mapping = &mapping;
	resolved.seq = rig_last(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE)->resolve->seq;
	resolved.n_answers = 1;
	resolved.answers = answers;
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_RESOLVED, &resolved);
	assert_int_equal(r->agent->miss.n_reinjected, 0);
	assert_null(cache_find(&r->agent->cache, RIG_VNI, &wrong));
}

/* requirement: MAP-2 */
static void test_a_port_that_goes_takes_its_packets(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *stopped = rig_instance(r, "i-1", false, 1);

	assert_int_equal(rig_packet(r, REMOTE, 1), FAKE_HELD);
	rig_desire(r, 11, false, &stopped, 1);
	assert_int_equal(r->agent->miss.held_bytes, 0);
	rig_answer(r, RIG_PEER, 5);
	assert_int_equal(r->agent->miss.n_reinjected, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
		TEST(test_the_first_packet_asks_and_is_late_not_lost),
		TEST(test_repeated_questions_are_one),
		TEST(test_held_packets_keep_their_order),
		TEST(test_a_refusal_is_remembered_for_a_while),
		TEST(test_without_an_answer_packets_end_and_are_counted),
		TEST(test_a_late_answer_is_held_all_the_same),
		TEST(test_an_unavailable_answer_is_asked_again),
		TEST(test_an_unknown_host_is_waited_for),
		TEST(test_an_unknown_host_ends_in_time),
		TEST(test_held_packets_are_bounded),
		TEST(test_questions_of_a_port_are_bounded),
		TEST(test_an_unknown_sender_is_verified),
		TEST(test_questions_survive_the_connection),
		TEST(test_a_push_answers_what_is_pending),
		TEST(test_an_answer_about_another_address_is_not_believed),
		TEST(test_a_port_that_goes_takes_its_packets),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
