/* SPDX-License-Identifier: Apache-2.0 */
/* Packet tables of tracked connections: the life of each protocol's, their number, fragments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "base/err.h"
#include "base/rand.h"
#include "connection_twin.h"
#include "policy_lab.h"

static struct policy_lab *const l = &policy_lab;

enum { CLIENT = 5000, SERVER = 80 };

/* a is a client that may begin anything and be begun nothing with, b a server on TCP and UDP 80. */
static int set_up(void **state)
{
	struct dp_rule out[] = {policy_rule(true, DP_PROTOCOL_ANY, 0, 65535, "0.0.0.0/0", 0)};
	struct dp_rule in[] = {policy_rule(false, IPPROTO_TCP, SERVER, SERVER, "0.0.0.0/0", 0),
			       policy_rule(false, IPPROTO_UDP, SERVER, SERVER, "0.0.0.0/0", 0),
			       policy_rule(false, 50, 0, 0, "0.0.0.0/0", 0)};

	policy_lab_reset(state);
	policy_give(l->a, out, 1);
	policy_give(l->b, in, 3);
	return 0;
}

static uint32_t from_client(uint8_t flags)
{
	return policy_tcp(l->a, l->b, CLIENT, SERVER, flags);
}

static uint32_t from_server(uint8_t flags)
{
	return policy_tcp(l->b, l->a, SERVER, CLIENT, flags);
}

/* What one side sends, what comes of it, and what both hosts then say of the connection. */
struct step {
	char side; /* 'c'lient or 's'erver */
	uint8_t flags;
	uint32_t expected;
	const char *client, *server;
};

static void play(const struct step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct step *s = &steps[i];
		uint32_t r = s->side == 'c' ? from_client(s->flags) : from_server(s->flags);

		if (r != s->expected)
			print_error("step %zu: %u instead of %u\n", i, r, s->expected);
		assert_int_equal(r, s->expected);
		if (s->client)
			assert_string_equal(policy_state(l->a, CLIENT, SERVER), s->client);
		if (s->server)
			assert_string_equal(policy_state(l->b, SERVER, CLIENT), s->server);
	}
}
#define PLAY(...)                                                                                  \
	do {                                                                                       \
		static const struct step steps_[] = {__VA_ARGS__};                                 \
		play(steps_, ARRAY_SIZE(steps_));                                                  \
	} while (0)
#define OPEN                                                                                       \
	{'c', SYN, 0, "syn-sent", "syn-sent"},                                                     \
		{'s', SYN | ACK, 0, "syn-received", "syn-received"},                               \
	{                                                                                          \
		'c', ACK, 0, "established", "established"                                          \
	}

/* requirement: NIC-6 */
static void test_tcp_life(void **state)
{
	PLAY(OPEN, {'c', ACK, 0, "established", "established"},
	     {'s', ACK, 0, "established", "established"},
	     {'s', ACK, 0, "established", "established"}, {'c', FIN | ACK, 0, "closing", "closing"},
	     {'s', ACK, 0, "closing", "closing"}, {'s', ACK, 0, "closing", "closing"},
	     {'s', FIN | ACK, 0, "closed", "closed"}, {'c', ACK, 0, "closed", "closed"},
	     {'c', FIN | ACK, 0, "closed", "closed"},
	     /* The same ports again: begun anew. */
	     {'c', SYN, 0, "syn-sent", "syn-sent"},
	     {'s', SYN | ACK, 0, "syn-received", "syn-received"},
	     {'c', ACK, 0, "established", "established"});
}

/* requirement: NIC-6 */
static void test_tcp_server_closes(void **state)
{
	PLAY(OPEN, {'s', FIN | ACK, 0, "closing", "closing"}, {'c', ACK, 0, "closing", "closing"},
	     {'c', FIN | ACK, 0, "closed", "closed"}, {'s', ACK, 0, "closed", "closed"});
}

/* requirement: NIC-6 */
static void test_tcp_resets(void **state)
{
	PLAY({'c', SYN, 0, "syn-sent", "syn-sent"}, {'s', RST | ACK, 0, "reset", "reset"},
	     {'c', SYN, 0, "syn-sent", "syn-sent"}, {'s', SYN | ACK, 0, "syn-received", NULL},
	     {'c', ACK, 0, "established", "established"}, {'c', RST, 0, "reset", "reset"},
	     {'s', RST, 0, "reset", "reset"},
	     /* An endpoint that refuses a reset (RFC 5961) goes on. */
	     {'s', ACK, 0, "picked-up", "picked-up"}, {'c', ACK, 0, "established", "established"},
	     {'s', RST, 0, "reset", "reset"});
	/* A reset of nothing begins nothing. */
	assert_int_equal(policy_tcp(l->a, l->b, 6000, SERVER, RST), DROP_CONNECTION_STATE);
	assert_int_equal(policy_tcp(l->b, l->a, SERVER, 6000, RST | ACK), DROP_CONNECTION_STATE);
	assert_string_equal(policy_state(l->a, 6000, SERVER), "none");
}

/* requirement: NIC-6 */
static void test_tcp_retransmits(void **state)
{
	PLAY({'c', SYN, 0, "syn-sent", "syn-sent"}, {'c', SYN, 0, "syn-sent", "syn-sent"},
	     {'s', SYN | ACK, 0, "syn-received", "syn-received"},
	     {'s', SYN | ACK, 0, "syn-received", "syn-received"},
	     {'c', SYN, 0, "syn-received", "syn-received"},
	     {'c', ACK, 0, "established", "established"},
	     {'s', SYN | ACK, 0, "established", "established"},
	     {'c', SYN, 0, "established", "established"}); /* an old duplicate */
}

/* Both send a SYN at once (RFC 9293 3.5): each host sees one of its node's and one of the
 * other's. */
/* requirement: NIC-6 */
static void test_tcp_simultaneous_open(void **state)
{
	PLAY({'c', SYN, 0, "syn-sent", "syn-sent"}, {'s', SYN, 0, "syn-received", "syn-received"},
	     {'c', SYN | ACK, 0, "syn-received", "syn-received"},
	     {'s', SYN | ACK, 0, "syn-received", "syn-received"},
	     {'c', ACK, 0, "established", "established"},
	     {'s', ACK, 0, "established", "established"});
}

/* What is silent for too long is forgotten; then the rules decide again. */
/* requirement: NIC-6 */
static void test_tcp_timeouts(void **state)
{
	static const struct {
		struct step steps[6];
		uint32_t timeout;
	} table[] = {
		{{{'c', SYN, 0, 0, 0}}, 60},
		{{{'c', SYN, 0, 0, 0}, {'s', SYN | ACK, 0, 0, 0}}, 60},
		{{{'c', SYN, 0, 0, 0}, {'s', SYN | ACK, 0, 0, 0}, {'c', ACK, 0, 0, 0}}, 432000},
		{{{'c', SYN, 0, 0, 0},
		  {'s', SYN | ACK, 0, 0, 0},
		  {'c', ACK, 0, 0, 0},
		  {'c', FIN | ACK, 0, 0, 0}},
		 60},
		{{{'c', SYN, 0, 0, 0},
		  {'s', SYN | ACK, 0, 0, 0},
		  {'c', ACK, 0, 0, 0},
		  {'c', FIN | ACK, 0, 0, 0},
		  {'s', FIN | ACK, 0, 0, 0}},
		 30},
		{{{'c', SYN, 0, 0, 0}, {'s', RST | ACK, 0, 0, 0}}, 10},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		for (int late = 0; late < 2; late++) {
			set_up(state);
			for (size_t k = 0; k < 6 && table[i].steps[k].side; k++)
				play(&table[i].steps[k], 1);
			policy_age(l->a, table[i].timeout + (late ? 2 : -3U));
			policy_age(l->b, table[i].timeout + (late ? 2 : -3U));
			/* The server may answer, but begin nothing. */
			assert_int_equal(from_server(ACK), late ? DROP_GROUP_EGRESS : 0);
		}
	}
}

/* A client that goes on after the time-out is heard: its packets are judged by the rules. */
/* requirement: NIC-6 */
static void test_tcp_is_picked_up(void **state)
{
	PLAY(OPEN);
	policy_age(l->a, 432010);
	policy_age(l->b, 432010);
	PLAY({'s', ACK, DROP_GROUP_EGRESS, "none", "none"}, {'c', ACK, 0, "picked-up", "picked-up"},
	     {'c', ACK, 0, "picked-up", "picked-up"}, {'s', ACK, 0, "established", "established"});
}

/* A moved node: its new host knows nothing of the connection. */
/* requirement: NIC-6 NIC-2 */
static void test_a_new_host_picks_up(void **state)
{
	PLAY(OPEN);
	policy_join(l->b, 0);
	policy_join(l->b, l->b->port.id);
	PLAY({'c', ACK, 0, "established", "picked-up"},
	     {'s', ACK, 0, "established", "established"});
}

/* A port whose connection is closed may be used again only where a rule allows. */
/* requirement: NIC-6 */
static void test_a_syn_is_always_judged(void **state)
{
	PLAY(OPEN, {'c', FIN | ACK, 0, NULL, NULL}, {'s', FIN | ACK, 0, "closed", "closed"},
	     {'s', SYN, DROP_GROUP_EGRESS, "closed", "closed"});
	policy_set_group(2, NULL, 0);
	PLAY({'c', SYN, DROP_GROUP_INGRESS, "syn-sent", "closed"});
}

/* requirement: NIC-6 */
static void test_udp(void **state)
{
	assert_int_equal(policy_udp(l->b, l->a, SERVER, CLIENT), DROP_GROUP_EGRESS);
	assert_int_equal(policy_udp(l->a, l->b, CLIENT, SERVER), 0);
	assert_string_equal(policy_state(l->a, CLIENT, SERVER), "one-way");
	policy_age(l->a, 27);
	policy_age(l->b, 27);
	assert_int_equal(policy_udp(l->a, l->b, CLIENT, SERVER), 0); /* refreshes */
	policy_age(l->a, 27);
	policy_age(l->b, 27);
	for (int i = 0; i < 3; i++)
		assert_int_equal(policy_udp(l->b, l->a, SERVER, CLIENT), 0);
	assert_string_equal(policy_state(l->a, CLIENT, SERVER), "stream");
	assert_string_equal(policy_state(l->b, SERVER, CLIENT), "stream");
	policy_age(l->a, 177);
	policy_age(l->b, 177);
	assert_int_equal(policy_udp(l->b, l->a, SERVER, CLIENT), 0);
	policy_age(l->a, 182);
	policy_age(l->b, 182);
	assert_int_equal(policy_udp(l->b, l->a, SERVER, CLIENT), DROP_GROUP_EGRESS);
	/* Another port is another connection. */
	assert_int_equal(policy_udp(l->a, l->b, CLIENT, SERVER), 0);
	assert_int_equal(policy_udp(l->b, l->a, SERVER, CLIENT + 1), DROP_GROUP_EGRESS);
	assert_int_equal(policy_udp(l->b, l->a, SERVER + 1, CLIENT), DROP_GROUP_EGRESS);
}

/* A protocol without ports: by the addresses. */
/* requirement: NIC-6 */
static void test_other_protocols(void **state)
{
	struct policy_packet out = {.from = l->a, .to = l->b, .protocol = 50};
	struct policy_packet back = {.from = l->b, .to = l->a, .protocol = 50};
	struct policy_packet other = {.from = l->b, .to = l->a, .protocol = 51};

	assert_int_equal(policy_send(&back), DROP_GROUP_EGRESS);
	assert_int_equal(policy_send(&out), 0);
	assert_int_equal(policy_send(&back), 0);
	assert_int_equal(policy_send(&other), DROP_GROUP_EGRESS);
	policy_age(l->a, 597);
	policy_age(l->b, 597);
	assert_int_equal(policy_send(&back), 0);
	policy_age(l->a, 602);
	policy_age(l->b, 602);
	assert_int_equal(policy_send(&back), DROP_GROUP_EGRESS);
}

/* ---- errors ---- */

static uint32_t error_about(const struct frame *quote, uint8_t type, uint8_t code)
{
	struct policy_packet p = {.from = l->b,
				  .to = l->a,
				  .protocol = IPPROTO_ICMP,
				  .source = (uint16_t)(type << 8 | code),
				  .quote = quote};

	return policy_send(&p);
}

/* requirement: NIC-6 */
static void test_icmp_errors(void **state)
{
	struct policy_packet sent = {.from = l->a,
				     .to = l->b,
				     .protocol = IPPROTO_UDP,
				     .source = CLIENT,
				     .destination = SERVER};
	struct policy_packet ping = {.from = l->a,
				     .to = l->b,
				     .protocol = IPPROTO_ICMP,
				     .source = 8 << 8,
				     .destination = 7};
	struct frame quote = policy_frame(&sent), other;

	assert_int_equal(error_about(&quote, 3, 3), DROP_GROUP_EGRESS); /* nothing was sent */
	assert_int_equal(policy_send(&sent), 0);
	assert_int_equal(error_about(&quote, 3, 3), 0);
	assert_int_equal(error_about(&quote, 3, 4), 0);
	assert_int_equal(error_about(&quote, 11, 0), 0);
	assert_string_equal(policy_state(l->a, CLIENT, SERVER), "one-way"); /* changes nothing */
	assert_int_equal(error_about(&quote, 5, 1), DROP_GROUP_EGRESS); /* a redirect is no error */
	sent.source++;
	other = policy_frame(&sent);
	assert_int_equal(error_about(&other, 3, 3), DROP_GROUP_EGRESS);
	/* About a ping, which a may send and b not answer otherwise. */
	quote = policy_frame(&ping);
	assert_int_equal(error_about(&quote, 3, 1), DROP_GROUP_EGRESS);
	assert_int_equal(policy_send(&ping), DROP_GROUP_INGRESS); /* a has it tracked, b not */
	assert_int_equal(error_about(&quote, 3, 1), DROP_GROUP_EGRESS);
	policy_set_group(2,
			 (struct dp_rule[]){
				 policy_rule(false, IPPROTO_ICMP, 8 << 8, 8 << 8, "0.0.0.0/0", 0)},
			 1);
	assert_int_equal(policy_send(&ping), 0);
	assert_int_equal(error_about(&quote, 3, 1), 0);
}

/* ---- fragments ---- */

enum { MF = 0x2000 };

/* requirement: NIC-6 */
static void test_fragments(void **state)
{
	struct policy_packet first = {.from = l->a,
				      .to = l->b,
				      .protocol = IPPROTO_UDP,
				      .source = CLIENT,
				      .destination = SERVER,
				      .fragment = MF,
				      .id = 77};
	struct policy_packet later = first;

	later.fragment = 5;
	assert_int_equal(policy_send(&later), DROP_FRAGMENT); /* its first has not been seen */
	assert_int_equal(policy_send(&first), 0);
	assert_int_equal(policy_send(&later), 0);
	later.id = 78;
	assert_int_equal(policy_send(&later), DROP_FRAGMENT);
	/* What the first may not, the others may not. */
	first.id = later.id = 79;
	first.destination = SERVER + 1;
	assert_int_equal(policy_send(&first), DROP_GROUP_INGRESS);
	assert_int_equal(policy_send(&later), DROP_FRAGMENT);
	/* A fragment that would write over a TCP header's flags (RFC 1858). */
	first = (struct policy_packet){.from = l->a,
				       .to = l->b,
				       .protocol = IPPROTO_TCP,
				       .source = CLIENT,
				       .destination = SERVER,
				       .tcp = SYN,
				       .fragment = MF,
				       .id = 80};
	later = first;
	assert_int_equal(policy_send(&first), 0);
	later.fragment = 1;
	assert_int_equal(policy_send(&later), DROP_FRAGMENT);
	later.fragment = 3;
	assert_int_equal(policy_send(&later), 0);
}

/* ---- how many ---- */

enum { QUOTA = 600, OTHERS = 100 };

static void make_recent(struct dp_connection_value *c, uint32_t tick)
{
	if (c->state)
		c->seen = tick;
}

/* What both remember is as though its last packet had come now, at most once a tick: nothing ends
 * by itself, however slow the machine is. */
static void keep_all(uint32_t *tick)
{
	struct timespec now;
	uint32_t t;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC_COARSE, &now), 0);
	t = (uint32_t)(((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec) >>
		       DP_TICK_SHIFT);
	if (t == *tick)
		return;
	*tick = t;
	policy_each(l->a, make_recent, t);
	policy_each(l->c, make_recent, t);
}

/* A port that is full pushes out its own, the half-open first, and nobody else's. */
/* requirement: NIC-6 */
static void test_quota(void **state)
{
	struct dp_rule out[] = {policy_rule(true, DP_PROTOCOL_ANY, 0, 65535, "0.0.0.0/0", 0)};
	uint32_t tick = 0;
	size_t most;

	policy_give(l->c, out, 1);
	l->a->port.connections = QUOTA;
	policy_join(l->a, l->a->port.id);
	for (uint16_t i = 0; i < OTHERS; i++) {
		keep_all(&tick);
		assert_int_equal(policy_udp(l->c, l->b, (uint16_t)(1000 + i), SERVER), 0);
	}
	PLAY(OPEN);
	for (uint16_t i = 0; i < QUOTA - 1; i++) {
		keep_all(&tick);
		assert_int_equal(policy_udp(l->a, l->b, (uint16_t)(10000 + i), SERVER), 0);
	}
	keep_all(&tick);
	assert_int_equal(policy_count(l->a), QUOTA);
	for (uint16_t i = 0; i < 20000; i++) {
		keep_all(&tick);
		assert_int_equal(policy_tcp(l->a, l->b, (uint16_t)(20000 + i), SERVER, SYN), 0);
	}
	keep_all(&tick);
	most = policy_count(l->a);
	assert_in_range(most, QUOTA, 4 * QUOTA);
	assert_int_equal(policy_count(l->c), OTHERS);
	assert_string_equal(policy_state(l->a, CLIENT, SERVER), "established");
}

/* What is worth most and has spoken a moment ago gives no place. */
/* requirement: NIC-6 */
static void test_limit(void **state)
{
	uint32_t r = 0;
	uint16_t i;

	l->a->port.connections = 6;
	policy_join(l->a, l->a->port.id);
	for (i = 0; i < 1000; i++) {
		r = policy_udp(l->a, l->b, (uint16_t)(10000 + i), SERVER);
		if (r)
			break;
		assert_int_equal(policy_udp(l->b, l->a, SERVER, (uint16_t)(10000 + i)), 0);
	}
	assert_int_equal(r, DROP_CONNECTION_LIMIT);
	assert_int_equal(i, policy_count(l->a));
	policy_age(l->a, 10); /* silent for a while: the one that has been for longest */
	assert_int_equal(policy_udp(l->a, l->b, 20000, SERVER), 0);
	assert_int_equal(policy_count(l->a), i);
}

/* A port that asks for more than there is keeps what it has. */
/* requirement: NIC-6 */
static void test_too_many_asked_for(void **state)
{
	struct dp_port port = l->a->port;

	PLAY(OPEN);
	port.connections = 10000000;
	lab_enter(&l->lab, l->lab.hosts[0].netns);
	assert_int_equal(datapath_port_set(l->lab.hosts[0].dp, &port), -ENOSPC);
	lab_enter(&l->lab, -1);
	PLAY({'s', ACK, 0, "established", "established"});
}

/* Random packets fare as with a twin that has neither hashes nor sets. */
/* requirement: NIC-6 */
static void test_random_sequences(void **state)
{
	uint8_t events[400];
	uint32_t seed = rand_u32_below(1U << 31);

	srandom(seed);
	twin_set_up();
	for (int round = 0; round < 40; round++) {
		for (size_t i = 0; i < sizeof(events); i++)
			events[i] = (uint8_t)random();
		print_message("seed %u, round %d\n", seed, round);
		twin_play(events, sizeof(events));
	}
}

int main(void)
{
	const struct CMUnitTest all[] = {
#define TEST(f) cmocka_unit_test_setup(f, set_up)
		TEST(test_tcp_life),
		TEST(test_tcp_server_closes),
		TEST(test_tcp_resets),
		TEST(test_tcp_retransmits),
		TEST(test_tcp_simultaneous_open),
		TEST(test_tcp_timeouts),
		TEST(test_tcp_is_picked_up),
		TEST(test_a_new_host_picks_up),
		TEST(test_a_syn_is_always_judged),
		TEST(test_udp),
		TEST(test_other_protocols),
		TEST(test_icmp_errors),
		TEST(test_fragments),
		TEST(test_quota),
		TEST(test_limit),
		TEST(test_too_many_asked_for),
		TEST(test_random_sequences),
#undef TEST
	};

	return cmocka_run_group_tests(all, policy_lab_set_up, policy_lab_tear_down);
}
