/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs of hosts: which classes of traffic there are between two, what each direction of a class
 * wishes to use (docs/negotiation.md), and what a host is told.
 *
 * A wish is a function of the model: both reports and the policies.  What hosts are told comes from
 * pair_choice() alone.
 */
#pragma once

#include "model/negotiate.h"

struct choice_rules;
struct host;
struct model;

/* A class of what one host, or one at it, sends to another: all of it, what goes from one network
 * to the same or another, or from one interface to another. */
struct pair_class {
	uint32_t vni, peer_vni;             /* 0: all networks */
	uint64_t interface, peer_interface; /* ids; 0: all of the networks' */
};
extern const struct pair_class pair_all;
/* The same from the other end. */
struct pair_class pair_class_reverse(const struct pair_class *c);

/* A packet is taken in one of these formats with exactly these payload features (lz4 may be
 * absent). */
struct accept {
	uint32_t formats;
	uint32_t features;
	struct pair_key key; /* where it is sealed */
};
enum { CHOICE_ACCEPTS_MAX = 12 }; /* of a change, and of an inferring receiver */

/* What a host uses towards another and takes from it (abi/agent.proto, Choice). */
struct choice {
	enum format send;      /* FORMAT_NONE: no traffic */
	uint32_t send_formats; /* that one, and ipip6 where it accompanies it */
	uint32_t send_features;
	struct pair_key send_key;
	uint64_t send_keyed_ms; /* since when there is that one; 0: it is not the newest */
	size_t n_accepts;
	struct accept accepts[CHOICE_ACCEPTS_MAX];
	bool outer_v6;
	uint32_t path_mtu;
	uint32_t overhead; /* of what is sent */
	struct demand_rate rate;
	bool inferred;
	uint64_t policy;                 /* id; 0: none */
	char reason[CHOICE_REASON_SIZE]; /* of what is sent */
};

/* A host does the same by both. */
bool choice_equal(const struct choice *a, const struct choice *b);
/* All formats of 'accepts'. */
uint32_t choice_formats(const struct choice *c);

/* What is best from 'from' to 'to'. */
void pair_wish(const struct model *m, const struct host *from, const struct host *to,
	       const struct pair_class *c, struct wish *ret);
/* The same by other rules than those that hold between them (model/choice_rules.h); NULL: by those,
 * here and below. */
void pair_wish_by(const struct model *m, const struct choice_rules *rules, const struct host *from,
		  const struct host *to, const struct pair_class *c, struct wish *ret);
/* The same without the reason, which is most of the work. */
void pair_wish_quickly(const struct model *m, const struct choice_rules *rules,
		       const struct host *from, const struct host *to, const struct pair_class *c,
		       struct wish *ret);
/* Whether what the two use, as long as no policy has a say, is something else, or nothing, between
 * networks than inside one: what is best inside cannot say both. */
bool pair_joins_apart(const struct host *a, const struct host *b);
/* A host by what it can do, or could. */
struct pair_end {
	const struct host *host;
	struct ability ability;
};
/* Only by how much a packet grows; 0: nothing may be sent. */
uint32_t pair_overhead(const struct model *m, const struct choice_rules *rules,
		       const struct pair_end *from, const struct pair_end *to,
		       const struct pair_class *c);
/* What 'self' is told about its traffic of a class with 'peer'. */
void pair_choice(const struct model *m, const struct host *self, const struct host *peer,
		 const struct pair_class *c, struct choice *ret);
