/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choosing what one host uses towards another (NEG-2, NEG-3, NEG-7; docs/negotiation.md): a pure
 * function of what both have and of what policies demand for one direction of one class of their
 * traffic.
 *
 * The order of both hosts and of the policies changes nothing but whose name is said first: a
 * demand is what policies come to together (model/choice_rules.h).  Nothing in common: nothing may
 * be sent, and the reason names what each has and which policy took what away.
 */
#pragma once

#include "model/ability.h"

/* A policy, to be named. */
struct policy_ref {
	uint64_t id;      /* 0: none */
	const char *name; /* borrowed */
};

struct demand_rate {
	uint64_t bits;  /* a second; 0: none is set */
	uint32_t burst; /* bytes */
};

/* What one policy names, in its order: each mask is a version, or all of a framework. */
enum { DEMAND_LIST_MAX = 16 };
struct demand_list {
	struct policy_ref policy;
	uint32_t n; /* 0: no policy names any */
	uint32_t masks[DEMAND_LIST_MAX];
	struct demand_rate rate; /* where it names rate */
};

/* What policies demand; all zero: nothing. */
struct demand {
	uint32_t cut_formats; /* taken away: forbidden, or not among those required */
	uint32_t cut_features;
	uint32_t required_features; /* of each framework with a bit here, a version that is left */
	struct demand_list pin_formats;
	struct demand_list prefer_formats;
	struct demand_list pin_features[FEATURE_FRAMEWORKS];
	struct demand_list prefer_features[FEATURE_FRAMEWORKS];
	struct demand_rate required_rate; /* the least of all that require one */
	bool joins;                       /* from one network into another */
	bool inferred;                    /* only the source is told (NEG-5) */
	/* who did it, for the reason */
	struct policy_ref format_cut_by[FORMAT_MAX];
	struct policy_ref feature_cut_by[FEATURE_MAX];
	struct policy_ref required_by[FEATURE_FRAMEWORKS];
};

enum { CHOICE_REASON_SIZE = 640 };

/* What one direction of one class is to use. */
struct wish {
	enum format send; /* FORMAT_NONE: no traffic */
	uint32_t formats; /* that one, and ipip6 where it accompanies it; 0: none */
	uint32_t features;
	bool outer_v6;     /* of tunnels and of what is sealed: over IPv6 */
	uint32_t path_mtu; /* of the substrate: the smaller of the two */
	uint32_t overhead; /* the most that a packet grows by, for the node's MTU */
	struct demand_rate rate;
	bool inferred;
	/* what both have and policies leave: what an inferring receiver takes */
	uint32_t permitted_formats;
	uint32_t permitted_features;
	uint32_t required_features; /* by policies or by one of the hosts */
	struct pair_key key;        /* of what is sealed */
	struct policy_ref policy;   /* that decided; id 0: none did */
	char reason[CHOICE_REASON_SIZE];
};

/* The slower of two, one of which may be none. */
struct demand_rate demand_rate_least(struct demand_rate a, struct demand_rate b);

/* Alike in all but the reason; 'policy' counts by its id. */
bool wish_equal(const struct wish *a, const struct wish *b);

/* 'd' NULL: no policy matches. */
void negotiate(const struct ability *from, const char *from_name, const struct ability *to,
	       const char *to_name, const struct demand *d, struct wish *ret);
/* The same without the reason. */
void negotiate_quickly(const struct ability *from, const struct ability *to, const struct demand *d,
		       struct wish *ret);
