/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call took from its node, and whether all hosts have acknowledged that: addresses that were
 * released or moved (model/release.h), interfaces that were detached, or go to another instance.
 *
 * When it is done, no node that had an address before can send or receive with it on any host: its
 * host has acknowledged that the port lost it, and each holder of its mapping knows where it is
 * now.
 *
 * Threading: the loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct change;
struct model;

struct handover {
	struct handover_item *items;
	size_t n;
};

void handover_deinit(struct handover *h);
/* Notes what 'change' takes away.  Without memory for that the call only does not wait for it. */
void handover_note(struct handover *h, const struct change *change);
bool handover_is_done(const struct handover *h, struct model *model);
