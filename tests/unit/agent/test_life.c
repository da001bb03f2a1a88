/* SPDX-License-Identifier: Apache-2.0 */
/* The agent as a whole: connecting, losing the manager, dying and coming back. */
#include "agent/agent.h"

#include <string.h>

#include "agent/snapshot.h"
#include "base/file.h"
#include "base/limits.h"
#include "tests/unit/agent/rig.h"
#include "tests/unit/test.h"

enum { REMOTE = 0x0a000164 };

static const Viaduct__Agent__Hello *last_hello(const struct rig *r)
{
	const Viaduct__Agent__Frame *f = rig_last(r, VIADUCT__AGENT__FRAME__BODY_HELLO);

	assert_non_null(f);
	return f->hello;
}

/* requirement: NEG-1 */
static void test_the_hello_says_who_and_what(void **state)
{
	struct rig *r = *state;
	const Viaduct__Agent__Hello *hello;

	rig_start(r);
	hello = last_hello(r);
	assert_string_equal(hello->host_id, "host-1");
	assert_int_equal(hello->revision, 0);
	assert_int_equal(hello->n_held, 0);
	assert_int_equal(hello->capabilities->formats, FORMAT_BIT(FORMAT_SIIT_1) |
							       FORMAT_BIT(FORMAT_SIIT_2) |
							       FORMAT_BIT(FORMAT_IPIP6_1));
	assert_string_equal(hello->capabilities->error, "");
	assert_int_not_equal(hello->capabilities->probed_at, 0);
	assert_int_equal(r->agent->link.state, LINK_UP);
}

/* requirement: NEG-1 */
static void test_capabilities_are_told_when_asked_and_survive_a_failure(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__CapabilitiesRequest request = VIADUCT__AGENT__CAPABILITIES_REQUEST__INIT;
	const Viaduct__Agent__Capabilities *told;

	rig_start(r);
	r->probe_error = -EPERM;
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_CAPABILITIES_REQUEST, &request);
	told = rig_last(r, VIADUCT__AGENT__FRAME__BODY_CAPABILITIES)->capabilities;
	assert_non_null(strstr(told->error, "Operation not permitted"));
	assert_int_not_equal(told->formats, 0); /* the last confirmed ones */
	assert_true(told->features & FEATURE_BIT(FEATURE_RATE_1));
	r->probe_error = 0;
	r->lacks_rate = true;
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_CAPABILITIES_REQUEST, &request);
	told = rig_last(r, VIADUCT__AGENT__FRAME__BODY_CAPABILITIES)->capabilities;
	assert_string_equal(told->error, "");
	assert_false(told->features & FEATURE_BIT(FEATURE_RATE_1));
}

/* What has changed is found and told by itself; a probe that fails then is an alarm, and what was
 * confirmed stays.  requirement: NEG-1 */
static void test_capabilities_are_probed_at_an_interval(void **state)
{
	struct rig *r = *state;
	unsigned int n_probes;
	uint32_t formats;

	r->probe_seconds = 60;
	rig_start(r);
	formats = last_hello(r)->capabilities->formats;
	n_probes = r->n_probes;
	rig_advance_ms(r, 30000);
	assert_int_equal(r->n_probes, n_probes);
	rig_forget_frames(r);
	r->substrate_mtu = 9000;
	rig_advance_ms(r, 31000);
	assert_int_equal(r->n_probes, n_probes + 1);
	assert_int_equal(
		rig_last(r, VIADUCT__AGENT__FRAME__BODY_CAPABILITIES)->capabilities->substrate_mtu,
		9000);
	r->probe_error = -EPERM;
	rig_advance_ms(r, 61000);
	assert_int_equal(r->n_probes, n_probes + 2);
	assert_string_not_equal(
		rig_last(r, VIADUCT__AGENT__FRAME__BODY_CAPABILITIES)->capabilities->error, "");
	assert_int_equal(
		rig_last(r, VIADUCT__AGENT__FRAME__BODY_CAPABILITIES)->capabilities->formats,
		formats);
}

/* requirement: NEG-1 */
static void test_without_a_successful_probe_there_is_nothing_to_tell(void **state)
{
	struct rig *r = *state;

	r->probe_error = -EPERM;
	rig_start(r);
	assert_int_equal(last_hello(r)->capabilities->formats, 0);
	assert_int_equal(last_hello(r)->capabilities->probed_at, 0);
	assert_true(last_hello(r)->capabilities->carries_nothing);
	assert_string_not_equal(last_hello(r)->capabilities->error, "");
}

/* requirement: OPS-3 */
static void test_a_lost_manager_is_dialled_again_and_told_what_is_held(void **state)
{
	struct rig *r = *state;
	struct ipaddr addr = rig_addr(REMOTE);

	rig_start(r);
	rig_desire_all(r);
	rig_packet(r, REMOTE, 1);
	rig_answer(r, RIG_PEER, 5);
	rig_cut(r);
	assert_int_not_equal(r->agent->link.state, LINK_UP);
	/* Forwarding goes on without it, for as long as it takes. */
	r->unreachable = true;
	rig_advance_ms(r, 1000 * RIG_LEASE_S * 10);
	assert_int_not_equal(rig_packet(r, REMOTE, 2), FAKE_HELD);
	assert_true(r->n_dials > 10);
	r->unreachable = false;
	rig_advance_ms(r, 2 * LIMIT_AGENT_BACKOFF_MAX_MS);
	assert_int_equal(r->agent->link.state, LINK_UP);
	assert_int_equal(last_hello(r)->revision, 10);
	assert_int_equal(last_hello(r)->cluster_id, RIG_CLUSTER);
	assert_int_equal(last_hello(r)->n_held, 1);
	assert_memory_equal(last_hello(r)->held[0]->addr.data, addr.b, 16);
	assert_int_equal(last_hello(r)->held[0]->revision, 5);
}

/* requirement: OPS-3 */
static void test_a_restart_adopts_everything_and_cuts_nothing(void **state)
{
	struct rig *r = *state;
	uint32_t port;

	rig_start(r);
	rig_desire_all(r);
	rig_packet(r, REMOTE, 1);
	rig_answer(r, RIG_PEER, 5);
	rig_advance_ms(r, 1000); /* the state is saved */
	port = rig_port(r);
	rig_stop(r);
	/* Nobody is there, and packets pass. */
	const struct ipaddr src = rig_addr(0x0a000104), dst = rig_addr(REMOTE);

	assert_int_not_equal(fake_send_packet(r->world, "h1", port, &src, &dst, 2, NULL),
			     FAKE_HELD);
	r->unreachable = true;
	rig_start(r);
	/* Without the manager it knows all it knew. */
	assert_int_equal(rig_port(r), port);
	assert_int_equal(r->agent->revision, 10);
	assert_int_equal(r->nodes.n_starts, 1);
	assert_int_equal(r->nodes.n_stops, 0);
	assert_int_equal(r->agent->reconcile.n_deleted, 0);
	assert_int_not_equal(rig_packet(r, REMOTE, 3), FAKE_HELD);
	r->unreachable = false;
	rig_advance_ms(r, 2 * LIMIT_AGENT_BACKOFF_MAX_MS);
	assert_int_equal(last_hello(r)->revision, 10);
	assert_int_equal(last_hello(r)->n_held, 1);
}

/* requirement: OPS-3 */
static void test_a_restart_without_saved_state_adopts_as_well(void **state)
{
	struct rig *r = *state;
	uint32_t port;

	rig_start(r);
	rig_desire_all(r);
	rig_packet(r, REMOTE, 1);
	rig_answer(r, RIG_PEER, 5);
	port = rig_port(r);
	rig_stop(r);
	unlink(r->snapshot);
	rig_start(r);
	assert_int_equal(last_hello(r)->revision, 0);
	rig_desire_all(r);
	assert_int_equal(rig_port(r), port);
	assert_int_equal(r->nodes.n_starts, 1);
	assert_int_equal(r->agent->reconcile.n_deleted, 0);
	assert_int_not_equal(rig_packet(r, REMOTE, 3), FAKE_HELD);
}

/* An end without warning: what was saved is what is in the file now. */
static void end_at_once(struct rig *r, size_t cut)
{
	_cleanup_free_ char *saved = NULL;
	size_t size;

	assert_ok(file_read(r->snapshot, SNAPSHOT_SIZE_MAX, &saved, &size));
	rig_stop(r);
	assert_true(cut < size);
	assert_ok(file_write_atomic(r->snapshot, saved, size - cut, 0600));
}

/* requirement: OPS-3 */
static void test_a_killed_agent_knows_what_it_acknowledged_last(void **state)
{
	struct rig *r = *state;

	Viaduct__Agent__Object *before[] = {rig_host(r), rig_peer(r, RIG_PEER), rig_subnet(r)};
	Viaduct__Agent__Object *after[] = {rig_instance(r, "i-1", true, 1),
					   rig_interface(r, "eni-1", "i-1", 0x0a000104)};

	rig_start(r);
	rig_desire(r, 5, true, before, ARRAY_SIZE(before));
	rig_advance_ms(r, 2 * LIMIT_AGENT_SAVE_MS); /* all of it is saved */
	rig_desire(r, 10, false, after, ARRAY_SIZE(after));
	assert_int_equal(r->nodes.n_starts, 1);
	r->unreachable = true;
	end_at_once(r, 0);
	rig_start(r);
	assert_int_equal(r->agent->revision, 10);
	assert_int_equal(r->nodes.n_starts, 1);
	assert_int_equal(r->nodes.n_stops, 0);
	assert_int_equal(r->agent->reconcile.n_deleted, 0);
}

/* requirement: OPS-3 */
static void test_a_record_cut_short_is_not_taken(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *stopped[] = {rig_instance(r, "i-1", false, 1)};

	rig_start(r);
	rig_desire_all(r);
	rig_advance_ms(r, 2 * LIMIT_AGENT_SAVE_MS);
	rig_desire(r, 11, false, stopped, ARRAY_SIZE(stopped));
	end_at_once(r, 1);
	r->unreachable = true;
	rig_start(r);
	assert_int_equal(r->agent->revision, 10);
}

/* requirement: NEG-8, OPS-3 */
static void test_programs_go_on_until_nobody_needs_what_the_new_ones_lack(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Object *both[] = {rig_peer(r, RIG_PEER)};
	Viaduct__Agent__Object *one[] = {rig_peer(r, RIG_PEER)};

	rig_start(r);
	assert_true(!r->agent->active);
	rig_desire_all(r);
	assert_true(r->agent->active);
	rig_packet(r, REMOTE, 1);
	rig_answer(r, RIG_PEER, 5);
	rig_stop(r);

	r->formats = FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_IPIP6_1);
	rig_start(r);
	assert_false(r->agent->active);
	both[0]->peer->accept |= FORMAT_BIT(FORMAT_SIIT_1);
	rig_desire(r, 11, false, both, 1);
	assert_false(r->agent->active);
	both[0]->peer->send = FORMAT_SIIT_1;
	rig_desire(r, 12, false, both, 1);
	/* it may still come by what these programs lack */
	assert_false(r->agent->active);
	one[0]->peer->send = FORMAT_SIIT_1;
	one[0]->peer->accept = FORMAT_BIT(FORMAT_SIIT_1);
	rig_desire(r, 13, false, one, 1);
	assert_true(r->agent->active);
	assert_int_equal(rig_last(r, VIADUCT__AGENT__FRAME__BODY_ACK)->ack->n_failed, 0);
}

/* Programs that do not share all tables with this agent are replaced at once, and what was lost is
 * an alarm while it lives. */
/* requirement: NEG-8, OPS-3 */
static void test_what_an_upgrade_loses_is_told(void **state)
{
	static const struct dp_adoption changed = {.n_changed = 2, .lost = "connections pins"};
	struct rig *r = *state;
	const Viaduct__Agent__Frame *stats;

	rig_start(r);
	rig_desire_all(r);
	rig_advance_ms(r, LIMIT_AGENT_STATS_S * 1000);
	stats = rig_last(r, VIADUCT__AGENT__FRAME__BODY_STATS);
	assert_non_null(stats);
	assert_string_equal(stats->stats->lost_tables, "");
	fake_next_adoption(r->world, r->agent->config.dp.name, &changed);
	rig_stop(r);

	r->formats = FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_IPIP6_1);
	rig_start(r);
	assert_true(r->agent->active);
	rig_advance_ms(r, LIMIT_AGENT_STATS_S * 1000);
	stats = rig_last(r, VIADUCT__AGENT__FRAME__BODY_STATS);
	assert_string_equal(stats->stats->lost_tables, "connections pins");
	rig_stop(r);

	rig_start(r);
	assert_false(r->agent->active);
	assert_string_equal(r->agent->lost, "");
	rig_stop(r);

	r->formats = 0;
	r->max_mappings = 2000; /* nothing of what is there can be kept */
	rig_start(r);
	assert_true(r->agent->active);
	assert_string_equal(r->agent->lost, "all");
}

/* requirement: OPS-3 */
static void test_damaged_saved_state_is_as_good_as_none(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	rig_desire_all(r);
	rig_stop(r);
	assert_ok(file_write_atomic(r->snapshot, "\0\0\0\5nonsense", 13, 0600));
	rig_start(r);
	assert_int_equal(r->agent->revision, 0);
	assert_int_equal(r->agent->link.state, LINK_UP);
	rig_desire_all(r);
	assert_int_equal(rig_last(r, VIADUCT__AGENT__FRAME__BODY_ACK)->ack->n_failed, 0);
}

/* requirement: OPS-3 */
static void test_another_cluster_replaces_everything(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	rig_desire_all(r);
	r->agent->cluster_id = 99; /* as though the state were another cluster's */
	rig_cut(r);
	rig_advance_ms(r, 1000);
	assert_int_equal(last_hello(r)->cluster_id, 99);
	assert_int_equal(r->agent->cluster_id, RIG_CLUSTER);
	assert_int_equal(r->agent->revision, 0);
}

/* requirement: OPS-3 */
static void test_a_refusing_manager_is_asked_seldom(void **state)
{
	struct rig *r = *state;

	r->refusing = true;
	rig_start(r);
	assert_non_null(strstr(r->agent->link.error, "who?"));
	rig_advance_ms(r, LIMIT_AGENT_BACKOFF_REFUSED_MS / 2 - 1);
	assert_int_equal(r->n_dials, 1);
	r->refusing = false;
	rig_advance_ms(r, 2 * LIMIT_AGENT_BACKOFF_REFUSED_MS);
	assert_int_equal(r->agent->link.state, LINK_UP);
	assert_string_equal(r->agent->link.error, "");
}

/* requirement: OPS-3 */
static void test_a_silent_manager_is_given_up(void **state)
{
	struct rig *r = *state;

	r->deaf = true;
	rig_start(r);
	assert_int_equal(r->agent->link.state, LINK_GREETING);
	rig_advance_ms(r, LIMIT_AGENT_PATIENCE_MS + LIMIT_AGENT_BACKOFF_MAX_MS);
	assert_true(r->n_dials >= 2);
}

/* requirement: OPS-3 */
static void test_dialling_slows_down(void **state)
{
	struct rig *r = *state;

	r->unreachable = true;
	rig_start(r);
	rig_advance_ms(r, 60000);
	/* 4 s between attempts on average, after the first few. */
	assert_in_range(r->n_dials, 10, 40);
}

/* requirement: OPS-3 */
static void test_frames_out_of_turn_end_the_session(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Welcome welcome = VIADUCT__AGENT__WELCOME__INIT;

	rig_start(r);
	welcome.protocol = 1;
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_WELCOME, &welcome);
	assert_int_not_equal(r->agent->link.state, LINK_UP);
	rig_advance_ms(r, 1000);
	assert_int_equal(r->agent->link.state, LINK_UP);
}

/* requirement: OPS-3 */
static void test_nonsense_from_the_manager_is_survived(void **state)
{
	struct rig *r = *state;
	Viaduct__Agent__Resolved resolved = VIADUCT__AGENT__RESOLVED__INIT;
	Viaduct__Agent__Hello hello = VIADUCT__AGENT__HELLO__INIT;
	Viaduct__Agent__Object empty = VIADUCT__AGENT__OBJECT__INIT;
	Viaduct__Agent__Object *objects[] = {&empty};

	rig_start(r);
	rig_desire_all(r);
	resolved.seq = 999;
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_RESOLVED, &resolved);
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_HELLO, &hello);
	rig_update(r, REMOTE, 77, 3,
		   false); /* a mapping that is not held, at a host that is not known */
	rig_desire(r, 11, false, objects, 1);
	assert_int_equal(rig_last(r, VIADUCT__AGENT__FRAME__BODY_ACK)->ack->n_failed, 1);
	assert_int_equal(r->agent->link.state, LINK_UP);
	assert_int_not_equal(rig_port(r), 0);
}

/* requirement: MAP-3 */
static void test_pushes_change_what_is_held_and_are_acknowledged(void **state)
{
	struct rig *r = *state;
	struct ipaddr addr = rig_addr(REMOTE);
	Viaduct__Agent__Object *peer = NULL;

	rig_start(r);
	rig_desire_all(r);
	peer = rig_peer(r, 3);
	rig_desire(r, 11, false, &peer, 1);
	rig_packet(r, REMOTE, 1);
	rig_answer(r, RIG_PEER, 5);
	rig_update(r, REMOTE, 3, 6, false);
	assert_int_equal(cache_find(&r->agent->cache, RIG_VNI, &addr)->peer, 3);
	assert_int_equal(rig_last(r, VIADUCT__AGENT__FRAME__BODY_UPDATE_ACK)->update_ack->revision,
			 6);
	rig_update(r, REMOTE, 0, 7, true);
	assert_int_equal(cache_find(&r->agent->cache, RIG_VNI, &addr)->state, MAPPING_GONE);
	assert_int_equal(rig_packet(r, REMOTE, 2), FAKE_DROPPED);
	/* What is not held is said to be so. */
	rig_update(r, 0x0a000199, 3, 8, false);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RELEASED), 1);
	assert_int_equal(rig_last(r, VIADUCT__AGENT__FRAME__BODY_UPDATE_ACK)->update_ack->revision,
			 8);
}

/* requirement: MAP-3 */
static void test_traffic_renews_its_mapping(void **state)
{
	struct rig *r = *state;
	struct ipaddr addr = rig_addr(REMOTE);
	size_t asked;

	rig_start(r);
	rig_desire_all(r);
	rig_packet(r, REMOTE, 1);
	rig_answer(r, RIG_PEER, 5);
	asked = rig_count(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE);
	rig_advance_ms(r, 1000 * (RIG_LEASE_S - 1));
	assert_int_equal(cache_find(&r->agent->cache, RIG_VNI, &addr)->state, MAPPING_PROVING);
	/* The packet is not delayed by the question. */
	rig_packet(r, REMOTE, 2);
	assert_int_equal(cache_find(&r->agent->cache, RIG_VNI, &addr)->state, MAPPING_LIVE);
	assert_int_equal(r->agent->miss.n_reinjected, 2);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE), asked + 1);
	rig_answer(r, RIG_PEER, 5);
	rig_advance_ms(r, 1000 * (RIG_LEASE_S - 15));
	assert_int_equal(cache_find(&r->agent->cache, RIG_VNI, &addr)->state, MAPPING_LIVE);
	assert_int_equal(rig_count(r, VIADUCT__AGENT__FRAME__BODY_RELEASED), 0);
}

/* requirement: PKT-15 */
static void test_counters_and_drops_are_reported(void **state)
{
	struct rig *r = *state;
	const Viaduct__Agent__Stats *stats;
	const Viaduct__Agent__Events *events;
	const struct ipaddr forged = rig_addr(0x0a000109), dst = rig_addr(REMOTE);
	uint32_t reason = 0;

	rig_start(r);
	rig_desire_all(r);
	assert_int_equal(fake_send_packet(r->world, "h1", rig_port(r), &forged, &dst, 1, &reason),
			 FAKE_DROPPED);
	rig_settle(r);
	rig_advance_ms(r, LIMIT_AGENT_EVENTS_MS + 1);
	events = rig_last(r, VIADUCT__AGENT__FRAME__BODY_EVENTS)->events;
	assert_int_equal(events->n_events, 1);
	assert_int_equal(events->events[0]->kind, VIADUCT__AGENT__EVENT__KIND__SPOOF);
	assert_int_equal(events->events[0]->reason, reason);
	assert_string_equal(events->events[0]->interface_id, "eni-1");
	rig_advance_ms(r, 10000);
	stats = rig_last(r, VIADUCT__AGENT__FRAME__BODY_STATS)->stats;
	assert_int_equal(stats->n_interfaces, 1);
	assert_string_equal(stats->interfaces[0]->id, "eni-1");
	assert_int_equal(stats->interfaces[0]->n_drops, 1);
	assert_int_equal(stats->interfaces[0]->drops[0]->reason, reason);
	assert_int_equal(stats->n_peers, 1);
	assert_true(stats->peers[0]->reachable);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup_saving, rig_teardown_saving)
		TEST(test_the_hello_says_who_and_what),
		TEST(test_capabilities_are_told_when_asked_and_survive_a_failure),
		TEST(test_capabilities_are_probed_at_an_interval),
		TEST(test_without_a_successful_probe_there_is_nothing_to_tell),
		TEST(test_a_lost_manager_is_dialled_again_and_told_what_is_held),
		TEST(test_a_restart_adopts_everything_and_cuts_nothing),
		TEST(test_a_restart_without_saved_state_adopts_as_well),
		TEST(test_a_killed_agent_knows_what_it_acknowledged_last),
		TEST(test_a_record_cut_short_is_not_taken),
		TEST(test_programs_go_on_until_nobody_needs_what_the_new_ones_lack),
		TEST(test_what_an_upgrade_loses_is_told),
		TEST(test_what_an_upgrade_loses_is_told),
		TEST(test_damaged_saved_state_is_as_good_as_none),
		TEST(test_another_cluster_replaces_everything),
		TEST(test_a_refusing_manager_is_asked_seldom),
		TEST(test_a_silent_manager_is_given_up),
		TEST(test_dialling_slows_down),
		TEST(test_frames_out_of_turn_end_the_session),
		TEST(test_nonsense_from_the_manager_is_survived),
		TEST(test_pushes_change_what_is_held_and_are_acknowledged),
		TEST(test_traffic_renews_its_mapping),
		TEST(test_counters_and_drops_are_reported),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
