/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts that keep what they are told: each item of a plan as two lines of text, its key and its
 * content.
 */
#pragma once

#include "model/model.h"
#include "model/plan.h"
#include "model/tx.h"

struct sink_item {
	uint32_t host;
	bool remove;
	char *key;
	char *content; /* NULL when removed */
};

/* What a change tells, in order. */
struct sink_script {
	size_t n;
	struct sink_item *items;
};

struct sink_hosts {
	size_t n;
	struct sink_item *items;
};

void sink_script_record(struct sink_script *s, const struct model *m, const struct change *c);
void sink_script_deinit(struct sink_script *s);

void sink_hosts_load(struct sink_hosts *h, const struct model *m); /* from plan_full() */
void sink_hosts_play(struct sink_hosts *h, const struct sink_script *s);
/* Fails the test unless all hosts of 'm' have what plan_full() says, and nothing else. */
void sink_hosts_check(const struct sink_hosts *h, const struct model *m);
void sink_hosts_deinit(struct sink_hosts *h);
