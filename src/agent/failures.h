/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a Desired could not be applied: a list that goes into its Ack.
 *
 * Embedded; zeroed it is empty.  At most LIMIT_AGENT_FAILURES are kept, the rest is only counted.
 */
#pragma once

#include "agent/desired.h"

struct failure {
	struct desired_key key;
	int error; /* a negative errno */
	char text[160];
};

struct failures {
	struct failure *items;
	size_t n, n_dropped;
};

void failures_deinit(struct failures *f);
#define _cleanup_failures_ _cleanup_(failures_deinit)

/* Adds one and logs it; without memory it is only counted. */
void failures_add(struct failures *f, const struct desired_key *key, int error, const char *text);
/* Adds those of 'from', which are logged already. */
void failures_append(struct failures *f, const struct failures *from);
bool failures_any(const struct failures *f);
