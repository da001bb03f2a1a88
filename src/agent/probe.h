/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this host can do, found out by trying (NEG-1): at the start, at an interval, when asked.
 *
 * A probe takes a while (programs are loaded, devices made), so it runs on a thread of its own; the
 * result comes back through the loop. The last confirmed result stays when a later probe fails,
 * with the error beside it; without any success since the start there is none, and the host carries
 * no traffic.  Formats that the operator disallowed on this host are taken out, and said to be.
 *
 * Ownership: embedded.  Threading: the loop's; the probing function runs on the other thread.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "abi/agent.pb-c.h"
#include "base/loop.h"
#include "datapath/datapath.h"

typedef int (*probe_fn)(void *arg, const struct dp_config *config, struct dp_capabilities *ret);
/* A probe has ended. */
typedef void (*probe_done_fn)(void *arg);

enum { PROBE_FAULT_SIZE = 160 };

struct probe {
	struct loop *loop;
	probe_fn fn;
	void *fn_arg;
	const struct dp_config *config;
	struct dp_config trying; /* as it was when the probe that runs was begun */
	uint32_t disallowed;     /* FORMAT_BIT()s */
	uint32_t required_features, disallowed_features; /* FEATURE_BIT()s */
	bool threaded; /* else the probe blocks the loop: for tests in virtual time */
	probe_done_fn done;
	void *arg;

	struct dp_capabilities confirmed; /* valid when probed_at is not 0 */
	uint32_t features;                /* of payloads: seal/probe.h */
	uint64_t probed_at;               /* Unix ms */
	char error[128];                  /* of the last probe; "": it succeeded */
	char fault[PROBE_FAULT_SIZE];     /* probe_set_fault() */
	char doubt[PROBE_FAULT_SIZE];     /* probe_set_doubt() */
	bool ended;                       /* at least one probe has ended */

	bool running, again;
	pthread_t thread;
	struct wake wake;
	struct timer timer;
	uint64_t interval_ns; /* 0: only when asked */
	struct dp_capabilities result;
	uint32_t result_features;
	int result_error;
};

struct probe_spec {
	probe_fn fn;
	void *fn_arg;
	const struct dp_config *config; /* borrowed for the probe's life */
	uint32_t disallowed;
	uint32_t required_features, disallowed_features;
	bool threaded;
};

must_check int probe_init(struct probe *p, struct loop *loop, const struct probe_spec *spec,
			  probe_done_fn done, void *arg);
void probe_deinit(struct probe *p); /* waits for a probe that is running */
/* Begins one now, or another one behind the one that is running. */
void probe_start(struct probe *p);
void probe_set_interval(struct probe *p, uint32_t seconds);
/* Why the host carries nothing whatever it can do; "": nothing is in the way.  Said instead of the
 * last probe's error.  True: something else was said before. */
bool probe_set_fault(struct probe *p, const char *text);
/* Why the host may carry nothing, though it looks as if it did; said where there is nothing worse.
 * True: something else was said before. */
bool probe_set_doubt(struct probe *p, const char *text);
/* The fault, the last probe's error, or the doubt; "": all is well. */
const char *probe_error(const struct probe *p);
/* Fills the message; it points into 'p'. */
void probe_describe(const struct probe *p, Viaduct__Agent__Capabilities *m);
