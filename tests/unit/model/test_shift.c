/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a choice changes: the steps one by one, and then all that can happen.
 *
 * The exploration visits every state that a manager, a sender and a receiver can be in: wishes that
 * come at any time, items that are late, coalesced or lost with their session, acknowledgements
 * that are late or lost, daemons that are killed, hosts that lose what they knew, packets that take
 * their time.  In each state every packet that is on its way, or could be sent now, must be one
 * that the receiver takes; and from each state, when the wishes end, both ends must come to what
 * was wished last and to nothing else.
 */
#include "model/shift.h"

#include <stdlib.h>
#include <string.h>

#include "abi/format.h"
#include "base/hash.h"
#include "tests/unit/test.h"

enum { NOTHING, TERMS_MAX = 4, GRACE_MS = 1000 };

static struct terms terms_of(uint8_t index)
{
	return (struct terms){.format = index ? FORMAT_SIIT_2 : FORMAT_NONE, .key.epoch = index};
}

/* ---- the steps ---- */

static void expect_accepts(const struct shift *s, uint32_t epochs)
{
	struct terms all[SHIFT_TERMS_MAX];
	size_t n = shift_accept(s, all);
	uint32_t got = 0;

	for (size_t i = 0; i < n; i++)
		got |= 1U << all[i].key.epoch;
	assert_int_equal(got, epochs);
}

/* requirement: NEG-8 */
static void test_the_receiver_learns_first(void **state)
{
	const struct terms old = terms_of(1), new = terms_of(2);
	struct shift s = shift_settled(&old);

	(void)state;
	assert_true(shift_is_settled(&s));
	assert_true(shift_wish(&s, &new, 10));
	assert_false(shift_wish(&s, &new, 11));
	assert_int_equal(shift_send(&s)->key.epoch, 1);
	expect_accepts(&s, 1 << 1 | 1 << 2);
	assert_false(shift_sender_acknowledged(&s, 10, 0, 11));
	assert_false(shift_receiver_acknowledged(&s, 9, 11));
	assert_true(shift_receiver_acknowledged(&s, 10, 11));
	assert_int_equal(shift_send(&s)->key.epoch, 2);
	expect_accepts(&s, 1 << 1 | 1 << 2);
	assert_false(shift_sender_acknowledged(&s, 10, 0, 12));
	assert_true(shift_sender_acknowledged(&s, 11, 5000, 12));
	expect_accepts(&s, 1 << 1 | 1 << 2);
	assert_false(shift_tick(&s, 5000 + GRACE_MS - 1, GRACE_MS, 13));
	assert_true(shift_tick(&s, 5000 + GRACE_MS, GRACE_MS, 13));
	expect_accepts(&s, 1 << 2);
	assert_true(shift_is_settled(&s));
}

/* requirement: NEG-7, NEG-8 */
static void test_to_send_nothing_needs_no_receiver(void **state)
{
	const struct terms old = terms_of(1), none = terms_of(NOTHING);
	struct shift s = shift_settled(&old);

	(void)state;
	assert_true(shift_wish(&s, &none, 10));
	assert_int_equal(shift_send(&s)->format, FORMAT_NONE);
	expect_accepts(&s, 1 << 1);
	assert_true(shift_sender_acknowledged(&s, 10, 0, 11));
	assert_true(shift_tick(&s, GRACE_MS, GRACE_MS, 12));
	expect_accepts(&s, 0);
	assert_true(shift_wish(&s, &old, 13));
	assert_int_equal(shift_send(&s)->format, FORMAT_NONE);
	expect_accepts(&s, 1 << 1);
}

/* requirement: NEG-8 */
static void test_a_wish_that_is_taken_back(void **state)
{
	const struct terms old = terms_of(1), new = terms_of(2);
	struct shift s = shift_settled(&old);

	(void)state;
	assert_true(shift_wish(&s, &new, 10));
	assert_true(shift_wish(&s, &old, 11));
	assert_true(shift_is_settled(&s));
	assert_true(shift_wish(&s, &new, 12));
	assert_true(shift_receiver_acknowledged(&s, 12, 13));
	/* the sender may use it by now */
	assert_true(shift_wish(&s, &old, 14));
	assert_int_equal(shift_send(&s)->key.epoch, 2);
	expect_accepts(&s, 1 << 1 | 1 << 2);
}

/* ---- the exploration ---- */

enum { QUEUE_MAX = 2 };

/* An item on its way to one end: what it says, and the revision that it is of. */
struct item {
	uint8_t revision;
	uint8_t says; /* to the sender: an index of terms; to the receiver: bits of them */
};

struct end {
	bool connected;
	uint8_t applied;  /* what the last item that it applied says */
	uint8_t revision; /* of that item */
	uint8_t ack;      /* on its way to the manager; 0: none is */
	uint8_t n;
	struct item queue[QUEUE_MAX];
};

struct world {
	/* the manager, durable */
	uint8_t revision, wish;
	uint8_t using, told, offered, past; /* 0xff: not set */
	uint8_t sender_revision, receiver_revision;
	struct end a, b;
	/* packets on their way, as bits of terms: sent since the sender applied its last item,
	 * before that, and before it acknowledged it */
	uint8_t fresh, stale, expiring;
};

enum { UNSET = 0xff, REVISIONS_MAX = 32 };

static uint8_t index_of(const struct shift_terms *t)
{
	return t->set ? (uint8_t)t->terms.key.epoch : UNSET;
}

static struct shift_terms set_of(uint8_t index)
{
	return index == UNSET ? (struct shift_terms){0}
			      : (struct shift_terms){true, terms_of(index)};
}

static struct shift shift_of(const struct world *w)
{
	return (struct shift){.using = terms_of(w->using),
			      .told = set_of(w->told),
			      .offered = set_of(w->offered),
			      .past = set_of(w->past),
			      .sender_revision = w->sender_revision,
			      .receiver_revision = w->receiver_revision};
}

static uint8_t accepted(const struct shift *s)
{
	struct terms all[SHIFT_TERMS_MAX];
	size_t n = shift_accept(s, all);
	uint8_t bits = 0;

	for (size_t i = 0; i < n; i++)
		bits |= (uint8_t)(1U << all[i].key.epoch);
	return bits;
}

/* The newest item waits behind those that are on their way, or takes the place of the last. */
static void push(struct end *e, uint8_t revision, uint8_t says)
{
	if (!e->connected)
		return;
	if (e->n < QUEUE_MAX)
		e->n++;
	e->queue[e->n - 1] = (struct item){revision, says};
}

static void tell_ends(struct world *w, const struct shift *s)
{
	push(&w->a, w->revision, (uint8_t)shift_send(s)->key.epoch);
	push(&w->b, w->revision, accepted(s));
}

/* The manager's state after one of its steps. */
static void keep(struct world *w, const struct shift *s, bool changed)
{
	if (!changed)
		return;
	w->using = (uint8_t)s->using.key.epoch;
	w->told = index_of(&s->told);
	w->offered = index_of(&s->offered);
	w->past = index_of(&s->past);
	w->sender_revision = (uint8_t)s->sender_revision;
	w->receiver_revision = (uint8_t)s->receiver_revision;
	w->revision++;
	tell_ends(w, s);
}

static uint8_t next(const struct world *w)
{
	return (uint8_t)(w->revision + 1);
}

static void manager_hears(struct world *w, bool sender, uint8_t acknowledged)
{
	struct shift s = shift_of(w);
	bool changed;

	if (sender) {
		changed = shift_sender_acknowledged(&s, acknowledged, 0, next(w));
		/* what it sent before this is older than the grace time when that is over */
		if (changed) {
			w->expiring |= w->stale;
			w->stale = 0;
		}
	} else {
		changed = shift_receiver_acknowledged(&s, acknowledged, next(w));
	}
	keep(w, &s, changed);
}

static bool act_wish(struct world *w, uint8_t wish)
{
	const struct terms t = terms_of(wish);
	struct shift s = shift_of(w);

	if (w->wish == wish)
		return false;
	w->wish = wish;
	keep(w, &s, shift_wish(&s, &t, next(w)));
	return true;
}

static bool act_tick(struct world *w)
{
	struct shift s = shift_of(w);

	if (!shift_tick(&s, GRACE_MS, GRACE_MS, next(w)))
		return false;
	w->expiring = 0;
	keep(w, &s, true);
	return true;
}

static bool act_apply(struct world *w, bool sender)
{
	struct end *e = sender ? &w->a : &w->b;

	if (!e->n)
		return false;
	if (sender && e->applied != e->queue[0].says) {
		w->stale |= w->fresh;
		w->fresh = 0;
	}
	e->applied = e->queue[0].says;
	e->revision = e->ack = e->queue[0].revision;
	memmove(&e->queue[0], &e->queue[1], sizeof(e->queue[0]) * (QUEUE_MAX - 1));
	e->n--;
	memset(&e->queue[e->n], 0, sizeof(e->queue[0]) * (size_t)(QUEUE_MAX - e->n));
	return true;
}

static bool act_hear(struct world *w, bool sender)
{
	struct end *e = sender ? &w->a : &w->b;
	uint8_t ack = e->ack;

	if (!ack)
		return false;
	e->ack = 0;
	manager_hears(w, sender, ack);
	return true;
}

/* The connection, the agent or the manager dies: what was on its way is lost. */
static bool act_lose(struct world *w, bool sender)
{
	struct end *e = sender ? &w->a : &w->b;

	if (!e->connected)
		return false;
	e->connected = false;
	e->ack = e->n = 0;
	memset(e->queue, 0, sizeof(e->queue));
	return true;
}

/* Its machine was made anew: it knows nothing, as before it was told anything. */
static bool act_forget(struct world *w, bool sender)
{
	struct end *e = sender ? &w->a : &w->b;

	if (e->connected || !e->revision)
		return false;
	e->applied = e->revision = 0;
	if (sender) {
		w->stale |= w->fresh;
		w->fresh = 0;
	}
	return true;
}

/* It says what it has, and is told what it should have. */
static bool act_connect(struct world *w, bool sender)
{
	struct end *e = sender ? &w->a : &w->b;
	struct shift s;

	if (e->connected)
		return false;
	e->connected = true;
	manager_hears(w, sender, e->revision);
	s = shift_of(w);
	push(e, w->revision, sender ? (uint8_t)shift_send(&s)->key.epoch : accepted(&s));
	return true;
}

/* Terms as a bit; nothing is sent by none. */
static uint8_t bit_of(uint8_t terms)
{
	if (terms == NOTHING)
		return 0;
	return (uint8_t)(1U << terms);
}

static bool act_send(struct world *w)
{
	uint8_t bit = bit_of(w->a.applied);

	if (!bit || w->fresh & bit)
		return false;
	w->fresh |= bit;
	return true;
}

static bool act_arrive(struct world *w)
{
	if (!(w->fresh | w->stale | w->expiring))
		return false;
	w->fresh = w->stale = w->expiring = 0;
	return true;
}

enum { ACTS = TERMS_MAX + 13 };

/* What is explored: how many terms there are to wish for, and whether hosts forget. */
struct scope {
	uint8_t n_terms;
	bool forgetting;
};

static bool act(struct world *w, uint32_t which)
{
	if (which < TERMS_MAX)
		return act_wish(w, (uint8_t)which);
	switch (which - TERMS_MAX) {
	case 0:
		return act_apply(w, true);
	case 1:
		return act_apply(w, false);
	case 2:
		return act_hear(w, true);
	case 3:
		return act_hear(w, false);
	case 4:
		return act_lose(w, true);
	case 5:
		return act_lose(w, false);
	case 6:
		return act_connect(w, true);
	case 7:
		return act_connect(w, false);
	case 8:
		return act_tick(w);
	case 9:
		return act_send(w);
	case 10:
		return act_forget(w, true);
	case 11:
		return act_forget(w, false);
	default:
		return act_arrive(w);
	}
}

/* Only the order of revisions matters: worlds that differ in the numbers alone are one. */
static void number_anew(struct world *w)
{
	uint8_t *all[5 + 2 * (2 + QUEUE_MAX)], n = 0, rank[REVISIONS_MAX * 8] = {0}, last = 0;
	struct end *ends[] = {&w->a, &w->b};

	all[n++] = &w->revision;
	all[n++] = &w->sender_revision;
	all[n++] = &w->receiver_revision;
	for (size_t i = 0; i < 2; i++) {
		all[n++] = &ends[i]->revision;
		all[n++] = &ends[i]->ack;
		for (size_t k = 0; k < QUEUE_MAX; k++)
			all[n++] = &ends[i]->queue[k].revision;
	}
	for (uint8_t i = 0; i < n; i++)
		rank[*all[i]] = 1;
	rank[0] = 0;
	for (size_t r = 1; r < sizeof(rank); r++)
		if (rank[r])
			rank[r] = ++last;
	for (uint8_t i = 0; i < n; i++)
		*all[i] = rank[*all[i]];
}

static void check_promise(const struct world *w)
{
	uint8_t may = w->fresh | w->stale | w->expiring | bit_of(w->a.applied);

	/* one that knows nothing has no nodes either, for which packets could come */
	if (!w->b.revision || !(may & ~w->b.applied))
		return;
	print_message(
		"a packet that the receiver does not take: using %u told %u offered %u past %u, "
		"sender has %u, receiver has %#x, on their way %#x\n",
		w->using, w->told, w->offered, w->past, w->a.applied, w->b.applied,
		w->fresh | w->stale | w->expiring);
	fail();
}

/* No wish comes any more, and all that is on its way arrives. */
static void check_end(struct world w)
{
	uint8_t wished = bit_of(w.wish);

	for (int round = 0; round < 64; round++) {
		bool moved = false;

		for (uint32_t i = 6; i <= 8; i++)
			moved |= act(&w, TERMS_MAX + i);
		for (uint32_t i = 0; i <= 3; i++)
			moved |= act(&w, TERMS_MAX + i);
		check_promise(&w);
		number_anew(&w);
		if (moved)
			continue;
		assert_int_equal(w.a.applied, w.wish);
		assert_int_equal(w.b.applied, wished);
		assert_int_equal(w.told & w.offered & w.past, UNSET);
		return;
	}
	fail_msg("it never comes to rest");
}

struct seen {
	struct world *worlds;
	uint32_t *places; /* index + 1 */
	size_t n, mask;
};

/* Whether it is new. */
static bool note(struct seen *seen, const struct world *w)
{
	size_t at = hash_bytes(w, sizeof(*w)) & seen->mask;

	while (seen->places[at]) {
		if (!memcmp(&seen->worlds[seen->places[at] - 1], w, sizeof(*w)))
			return false;
		at = (at + 1) & seen->mask;
	}
	assert_true(seen->n < seen->mask / 2);
	seen->worlds[seen->n] = *w;
	seen->places[at] = (uint32_t)++seen->n;
	return true;
}

static bool is_in_scope(const struct scope *s, uint32_t which)
{
	bool forgets = which == TERMS_MAX + 10 || which == TERMS_MAX + 11;

	return which < TERMS_MAX ? which < s->n_terms : !forgets || s->forgetting;
}

static void explore(const struct scope *scope)
{
	const size_t size = (size_t)1 << 22;
	struct seen seen = {calloc(size / 2, sizeof(struct world)), calloc(size, sizeof(uint32_t)),
			    0, size - 1};
	struct world begin;

	assert_non_null(seen.worlds);
	assert_non_null(seen.places);
	memset(&begin, 0, sizeof(begin));
	begin.told = begin.offered = begin.past = UNSET;
	begin.revision = begin.a.revision = begin.b.revision = 1;
	begin.a.connected = begin.b.connected = true;
	note(&seen, &begin);
	for (size_t i = 0; i < seen.n; i++) {
		check_promise(&seen.worlds[i]);
		check_end(seen.worlds[i]);
		for (uint32_t which = 0; which < ACTS; which++) {
			struct world w = seen.worlds[i];

			if (!is_in_scope(scope, which) || !act(&w, which))
				continue;
			number_anew(&w);
			note(&seen, &w);
		}
	}
	print_message("%zu states\n", seen.n);
	/* fewer would mean that something never happens */
	assert_true(seen.n > 100000);
	free(seen.worlds);
	free(seen.places);
}

/* requirement: NEG-8 */
static void test_every_packet_is_accepted_whatever_happens(void **state)
{
	explore(&(struct scope){.n_terms = TERMS_MAX});
}

/* With fewer terms, for it has many more states. */
/* requirement: NEG-8 */
static void test_also_when_hosts_forget(void **state)
{
	explore(&(struct scope){.n_terms = TERMS_MAX - 1, .forgetting = true});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_receiver_learns_first),
		cmocka_unit_test(test_to_send_nothing_needs_no_receiver),
		cmocka_unit_test(test_a_wish_that_is_taken_back),
		cmocka_unit_test(test_every_packet_is_accepted_whatever_happens),
		cmocka_unit_test(test_also_when_hosts_forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
