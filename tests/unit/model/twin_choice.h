/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one node's host uses towards another node's, once more, as plainly as docs/negotiation.md
 * can be read: every policy is matched against both ends, every format with every set of features
 * is judged by all that match, and the best of those that are allowed is taken.  Nothing is kept,
 * and no class of traffic is known: it is asked for two nodes.
 */
#pragma once

#include "model/model.h"
#include "model/negotiate.h"

struct vpc;

/* A node: its host, its network, its interface. */
struct twin_end {
	const struct host *host;
	const struct vpc *vpc;
	uint64_t interface;
};

struct twin_choice {
	enum format send;    /* FORMAT_NONE: nothing is allowed */
	uint32_t companions; /* formats that some packets go by instead */
	uint32_t features;
	struct demand_rate rate;
	bool inferred;
	size_t n_policies; /* that match */
};

struct twin_choice twin_choose(const struct model *m, const struct twin_end *from,
			       const struct twin_end *to);
/* As though there were no policies. */
struct twin_choice twin_choose_freely(const struct twin_end *from, const struct twin_end *to);
/* Whether a receiver that has to infer may take it, 'features' being of those that touch the
 * payload. */
bool twin_may_infer(const struct model *m, const struct twin_end *from, const struct twin_end *to,
		    enum format f, uint32_t features);
/* Whether the policy is about what the one sends to the other. */
bool twin_matches(const struct model *m, uint64_t policy, const struct twin_end *from,
		  const struct twin_end *to);
