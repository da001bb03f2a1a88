/* SPDX-License-Identifier: Apache-2.0 */
#include "model/shift.h"

#include "abi/format.h"

bool terms_equal(const struct terms *a, const struct terms *b)
{
	return a->format == b->format && a->beside == b->beside && a->features == b->features &&
	       pair_key_equal(&a->key, &b->key) && a->outer_v6 == b->outer_v6;
}

struct shift shift_settled(const struct terms *now)
{
	return (struct shift){.using = *now};
}

bool shift_is_settled(const struct shift *s)
{
	return !s->told.set && !s->offered.set && !s->past.set;
}

static bool is(const struct shift_terms *t, const struct terms *terms)
{
	return t->set && terms_equal(&t->terms, terms);
}

/* Where the sender is when it has applied all that it was told. */
static const struct terms *latest(const struct shift *s)
{
	return s->told.set ? &s->told.terms : &s->using;
}

/* The receiver that these terms were for is not there any more, as the next ones show. */
static bool are_over(const struct shift_terms *t, const struct terms *next)
{
	const uint64_t receiver = t->set ? t->terms.key.receiver : 0;

	return receiver && next->key.receiver && receiver != next->key.receiver;
}

/* Tells the sender what the receiver is ready for.  One thing at a time: terms that would be
 * forgotten while they may be on their way hold it up. */
static bool tell(struct shift *s, uint64_t revision)
{
	if (!s->offered.set || s->receiver_revision || s->told.set ||
	    (s->past.set && !are_over(&s->past, &s->offered.terms)))
		return false;
	s->past = (struct shift_terms){0};
	s->told = s->offered;
	s->offered = (struct shift_terms){0};
	s->sender_revision = revision;
	return true;
}

bool shift_wish(struct shift *s, const struct terms *wish, uint64_t revision)
{
	if (is(&s->offered, wish) || (!s->offered.set && terms_equal(latest(s), wish)))
		return false;
	s->receiver_revision = 0;
	s->offered = (struct shift_terms){0};
	if (terms_equal(latest(s), wish))
		return true;
	s->offered = (struct shift_terms){true, *wish};
	/* what the receiver has to take anyway, it takes already, or will have before this */
	if (wish->format != FORMAT_NONE)
		s->receiver_revision = revision;
	tell(s, revision);
	return true;
}

bool shift_sender_acknowledged(struct shift *s, uint64_t acknowledged, uint64_t now_ms,
			       uint64_t revision)
{
	if (!s->told.set || acknowledged < s->sender_revision)
		return false;
	if (s->using.format != FORMAT_NONE) {
		s->past = (struct shift_terms){true, s->using};
		s->past_ms = now_ms;
	}
	s->using = s->told.terms;
	s->told = (struct shift_terms){0};
	s->sender_revision = 0;
	tell(s, revision);
	return true;
}

bool shift_receiver_acknowledged(struct shift *s, uint64_t acknowledged, uint64_t revision)
{
	if (!s->receiver_revision || acknowledged < s->receiver_revision)
		return false;
	s->receiver_revision = 0;
	tell(s, revision);
	return true;
}

bool shift_is_over(const struct shift *s, uint64_t now_ms, uint64_t grace_ms)
{
	return s->past.set && now_ms >= s->past_ms && now_ms - s->past_ms >= grace_ms;
}

bool shift_tick(struct shift *s, uint64_t now_ms, uint64_t grace_ms, uint64_t revision)
{
	if (!shift_is_over(s, now_ms, grace_ms))
		return false;
	s->past = (struct shift_terms){0};
	tell(s, revision);
	return true;
}

const struct terms *shift_send(const struct shift *s)
{
	return latest(s);
}

size_t shift_accept(const struct shift *s, struct terms ret[static SHIFT_TERMS_MAX])
{
	const struct shift_terms all[SHIFT_TERMS_MAX] = {
		{true, s->using}, s->told, s->offered, s->past};
	size_t n = 0;

	for (size_t i = 0; i < SHIFT_TERMS_MAX; i++) {
		bool known = !all[i].set || all[i].terms.format == FORMAT_NONE;

		for (size_t k = 0; k < n && !known; k++)
			known = terms_equal(&ret[k], &all[i].terms);
		if (!known)
			ret[n++] = all[i].terms;
	}
	return n;
}
