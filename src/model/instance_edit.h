/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: steps in an instance's life that several operations share.
 */
#pragma once

#include "model/instance.h"

struct tx;

/* Why an instance is in its state: EC2's StateReason. */
struct instance_reason {
	const char *code; /* NULL: none */
	const char *text;
};

/* Puts a version of 'n' in 'state'; a state that waits for the host waits for this transaction's
 * revision; pending is a new generation, on 'host'. */
must_check int instance_enter(struct tx *tx, const struct instance *n, enum instance_state state,
			      uint32_t host, struct instance_reason reason,
			      const struct instance **ret);
/* Makes its interfaces be at 'host', plugged or not; refreshes their network. */
must_check int instance_locate(struct tx *tx, const struct instance *n, uint32_t host,
			       bool plugged);
/* Asks the host to let the instance and its interfaces go; terminates it at once if it is on
 * none. */
must_check int instance_begin_end(struct tx *tx, const struct instance *n,
				  struct instance_reason reason, const struct instance **ret);
/* The host has let it go: deletes or frees its interfaces, and it is terminated. */
must_check int instance_finish(struct tx *tx, const struct instance *n,
			       const struct instance **ret);
/* It stands still, as its host says. */
must_check int instance_stopped(struct tx *tx, const struct instance *n,
				struct instance_reason reason);
/* The host could not start it: a new one ends, another is stopped. */
must_check int instance_failed(struct tx *tx, const struct instance *n, const char *text);
