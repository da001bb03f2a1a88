/* SPDX-License-Identifier: Apache-2.0 */
#include "connection_twin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "abi/maps.h"
#include "base/err.h"
#include "policy_lab.h"

enum {
	SERVER = 80,
	CLOSED_PORT = 81,
	CLIENT = 5000,
	CLIENT_PORTS = 3,
	ENTRIES_MAX = 256,
	SLACK = 5, /* ticks that a sequence of events may take at most */
};

enum state { SYN_SENT, SYN_SEEN, PICKED, OPEN, HALF, SHUT, DEAD, ONE, BOTH };

static const uint32_t seconds[] = {
	[SYN_SENT] = 60, [SYN_SEEN] = 60, [PICKED] = 60, [OPEN] = 432000, [HALF] = 60,
	[SHUT] = 30,     [DEAD] = 10,     [ONE] = 30,    [BOTH] = 180,
};

/* What one node's host knows. */
struct entry {
	const struct lab_node *node, *other;
	bool v6;
	uint8_t protocol;
	uint16_t local, remote;
	enum state state;
	bool begun_here, fin_here, fin_there;
	uint64_t seen;
};

static struct entry entries[ENTRIES_MAX];
static size_t n_entries;
static uint64_t now; /* ticks, in the twin's time */

/* Ticks without a packet that an entry outlives. */
static uint64_t limit(const struct entry *e)
{
	return (uint64_t)seconds[e->state] * 1000000000 >> DP_TICK_SHIFT;
}

static struct entry *find(const struct lab_node *node, const struct policy_packet *p, bool egress)
{
	for (size_t i = 0; i < n_entries; i++) {
		struct entry *e = &entries[i];

		if (e->node == node && e->other == (egress ? p->to : p->from) &&
		    e->protocol == p->protocol && e->v6 == p->v6 &&
		    e->local == (egress ? p->source : p->destination) &&
		    e->remote == (egress ? p->destination : p->source) && now - e->seen <= limit(e))
			return e;
	}
	return NULL;
}

/* The rules that twin_set_up() gives: clients may begin all, b gets TCP and UDP for its port. */
static bool is_allowed(const struct lab_node *node, const struct policy_packet *p, bool egress)
{
	if (node != policy_lab.b)
		return egress;
	return !egress && p->destination == SERVER;
}

static void begin(struct entry *e, const struct policy_packet *p, bool egress)
{
	bool opens = (p->tcp & (SYN | ACK)) == SYN;

	e->state = p->protocol == IPPROTO_UDP ? ONE : opens ? SYN_SENT : PICKED;
	e->begun_here = egress;
	e->fin_here = e->fin_there = false;
}

static void step_tcp(struct entry *e, uint8_t tcp, bool egress)
{
	bool answers = e->begun_here != egress;

	if (tcp & RST) {
		e->state = DEAD;
	} else if (tcp & SYN) {
		if (e->state == SYN_SENT && answers)
			e->state = SYN_SEEN;
	} else if (tcp & FIN) {
		e->fin_here = e->fin_here || egress;
		e->fin_there = e->fin_there || !egress;
		e->state = e->fin_here && e->fin_there ? SHUT : HALF;
	} else if (e->state == SYN_SEEN && tcp & ACK) {
		e->state = OPEN;
	} else if (e->state == PICKED && answers) {
		e->state = OPEN;
	} else if (e->state == DEAD) {
		e->state = PICKED;
		e->begun_here = egress;
		e->fin_here = e->fin_there = false;
	}
}

/* What one end's host does with the packet: 0 or the reason. */
static uint32_t judge(const struct lab_node *node, const struct policy_packet *p, bool egress)
{
	struct entry *e = find(node, p, egress);
	bool opens = p->protocol == IPPROTO_TCP && (p->tcp & (SYN | ACK | RST)) == SYN;
	bool again = e && opens && e->state != SYN_SENT && e->state != SYN_SEEN;

	if (!e || again) {
		if (p->protocol == IPPROTO_TCP && p->tcp & RST)
			return DROP_CONNECTION_STATE;
		if (!is_allowed(node, p, egress))
			return egress ? DROP_GROUP_EGRESS : DROP_GROUP_INGRESS;
	}
	if (!e) {
		assert_true(n_entries < ENTRIES_MAX);
		e = &entries[n_entries++];
		*e = (struct entry){.node = node,
				    .other = egress ? p->to : p->from,
				    .v6 = p->v6,
				    .protocol = p->protocol,
				    .local = egress ? p->source : p->destination,
				    .remote = egress ? p->destination : p->source};
		begin(e, p, egress);
	} else if (again) {
		if (e->state != OPEN)
			begin(e, p, egress);
	} else if (p->protocol == IPPROTO_TCP) {
		step_tcp(e, p->tcp, egress);
	} else if (e->begun_here != egress) {
		e->state = BOTH;
	}
	e->seen = now;
	return 0;
}

static uint32_t twin_send(const struct policy_packet *p)
{
	uint32_t r = judge(p->from, p, true);

	return r ? r : judge(p->to, p, false);
}

/* ---- events ---- */

/* Removes what is over, so that the list stays short. */
static void forget(void)
{
	for (size_t i = 0; i < n_entries;)
		if (now - entries[i].seen > limit(&entries[i]))
			entries[i] = entries[--n_entries];
		else
			i++;
}

/* The real clock goes on meanwhile: no entry may be so near its end that this decides. */
static bool is_near_an_end(void)
{
	for (size_t i = 0; i < n_entries; i++) {
		uint64_t end = entries[i].seen + limit(&entries[i]);

		if (now + SLACK > end && now < end + SLACK)
			return true;
	}
	return false;
}

static void pass_time(uint8_t how)
{
	static const uint32_t steps[] = {3, 15, 45, 100, 500000};
	uint64_t before = now;
	struct lab_node *all[] = {policy_lab.a, policy_lab.b, policy_lab.c};

	now += steps[how % ARRAY_SIZE(steps)];
	while (is_near_an_end())
		now++;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		policy_age_ticks(all[i], (uint32_t)(now - before));
	forget();
}

void twin_set_up(void)
{
	struct dp_rule out[] = {policy_rule(true, DP_PROTOCOL_ANY, 0, 65535, "0.0.0.0/0", 0),
				policy_rule(true, DP_PROTOCOL_ANY, 0, 65535, "::/0", 0)};
	struct dp_rule in[] = {policy_rule(false, IPPROTO_TCP, SERVER, SERVER, "0.0.0.0/0", 0),
			       policy_rule(false, IPPROTO_UDP, SERVER, SERVER, "0.0.0.0/0", 0),
			       policy_rule(false, IPPROTO_TCP, SERVER, SERVER, "::/0", 0),
			       policy_rule(false, IPPROTO_UDP, SERVER, SERVER, "::/0", 0)};

	policy_give(policy_lab.a, out, ARRAY_SIZE(out));
	policy_give(policy_lab.c, out, ARRAY_SIZE(out));
	policy_give(policy_lab.b, in, ARRAY_SIZE(in));
}

static struct policy_packet packet_of(uint8_t who, uint8_t what)
{
	static const uint8_t flags[] = {SYN, SYN | ACK, ACK, ACK, FIN | ACK, RST, RST | ACK, 0};
	const struct lab_node *client = who & 1 ? policy_lab.a : policy_lab.c;
	uint16_t port = (uint16_t)(CLIENT + (who >> 2) % CLIENT_PORTS);
	uint16_t service = (who >> 5) == 7 ? CLOSED_PORT : SERVER;
	bool by_client = who & 2;

	return (struct policy_packet){
		.from = by_client ? client : policy_lab.b,
		.to = by_client ? policy_lab.b : client,
		.protocol = what & 0x18 ? IPPROTO_TCP : IPPROTO_UDP,
		.source = by_client ? port : service,
		.destination = by_client ? service : port,
		.tcp = what & 0x18 ? flags[what & 7] : 0,
		.v6 = what & 0x20,
	};
}

void twin_play(const uint8_t *events, size_t size)
{
	struct lab_node *all[] = {policy_lab.a, policy_lab.b, policy_lab.c};

	n_entries = 0;
	now = 0;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		policy_forget(all[i]);
	for (size_t i = 0; i + 1 < size; i += 2) {
		struct policy_packet p;
		uint32_t expected, got;

		if (events[i + 1] >= 0xf0) {
			pass_time(events[i]);
			continue;
		}
		p = packet_of(events[i], events[i + 1]);
		expected = twin_send(&p);
		got = policy_send(&p);
		if (got != expected)
			print_error("event %zu: %u, the twin says %u\n", i / 2, got, expected);
		assert_int_equal(got, expected);
	}
}
