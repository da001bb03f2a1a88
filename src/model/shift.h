/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How what one host uses towards another changes while packets are on their way (NEG-8): the steps
 * of docs/negotiation.md, as functions on a value.
 *
 * *Terms* are what a receiver has to know to take a packet: format, features, key.  A *shift* is
 * one direction between two settled terms; the sender and the receiver are told by revisions and
 * acknowledge them, in order, whatever is lost or restarted between.
 *
 * The promise: at no time may the sender use terms that the receiver has not acknowledged to accept
 * and still does, nor, for the grace time, those that it used last.  It is kept because
 *
 *	- the sender is told new terms only when the receiver has acknowledged them,
 *	- the receiver accepts all of a shift's four terms, and loses one only when it is in no shift any more:
 *	  'using' and 'told' when the sender has acknowledged what came after, and then 'past' for a while.
 *
 * Terms without a format mean that nothing is sent: they need nobody's acknowledgement to be told.
 * Terms whose key was for a former incarnation of the receiver are of no use to anybody: what is sent
 * by them is not taken, so nothing waits until they are past.
 *
 * Pure values; a settled direction needs no shift.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/pair_key.h"

struct terms {
	uint32_t format;     /* enum format; FORMAT_NONE: nothing is sent */
	uint32_t beside;     /* FORMAT_BIT()s of formats that some packets go by instead */
	uint32_t features;   /* FEATURE_BIT()s of those that touch the payload */
	struct pair_key key; /* that seals */
	bool outer_v6;       /* tunnels go over IPv6: for the sender alone */
};

/* Terms are there when 'set'. */
struct shift_terms {
	bool set;
	struct terms terms;
};

struct shift {
	struct terms using;      /* what the sender has acknowledged last */
	struct shift_terms told; /* what it was told since */
	/* what the receiver is told to accept, and the sender is to be told */
	struct shift_terms offered;
	struct shift_terms past;  /* what may be on its way yet */
	uint64_t sender_revision; /* that the sender has to acknowledge for 'told'; 0: none */
	/* that the receiver has to acknowledge for 'offered'; 0: it has */
	uint64_t receiver_revision;
	uint64_t past_ms; /* since when 'past' is past */
};

enum { SHIFT_TERMS_MAX = 4 };

bool terms_equal(const struct terms *a, const struct terms *b);

/* Nothing is under way, from 'now'. */
struct shift shift_settled(const struct terms *now);
bool shift_is_settled(const struct shift *s);

/* Each changes what it says at 'revision', the revision of the change that it is part of, and
 * returns whether it changed anything. */

/* The sender is to use 'wish' in the end. */
bool shift_wish(struct shift *s, const struct terms *wish, uint64_t revision);
/* One end has applied everything up to 'acknowledged'. */
bool shift_sender_acknowledged(struct shift *s, uint64_t acknowledged, uint64_t now_ms,
			       uint64_t revision);
bool shift_receiver_acknowledged(struct shift *s, uint64_t acknowledged, uint64_t revision);
/* What was in use 'grace_ms' ago and longer is not on its way any more. */
/* Whether shift_tick() has something to do. */
bool shift_is_over(const struct shift *s, uint64_t now_ms, uint64_t grace_ms);
bool shift_tick(struct shift *s, uint64_t now_ms, uint64_t grace_ms, uint64_t revision);

/* What the sender is to use, and the receiver to accept; returns their number. */
const struct terms *shift_send(const struct shift *s);
size_t shift_accept(const struct shift *s, struct terms ret[static SHIFT_TERMS_MAX]);
