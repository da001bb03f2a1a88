/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An edge says on its uplink which public addresses it has from now on (RFC 5227 2.3), and which
 * IPv6 addresses of networks are reached by it (RFC 4861 7.2.6), so that routers outside that knew
 * another edge for them send here.
 *
 * An address is announced when the manager's word is applied, twice, and never out of what an agent
 * only remembers: another edge may have the address since.  An address that went meanwhile is not
 * announced again.
 *
 * Ownership: embedded.  Threading: the loop's.  Without memory an announcement is left out, and so
 * is one of IPv6 while LIMIT_AGENT_ANNOUNCED wait: the routers outside ask by themselves before
 * long.
 */
#pragma once

#include <stdint.h>

#include "base/hmap.h"
#include "base/list.h"
#include "base/loop.h"
#include "net/addr.h"

/* Sends one announcement of 'public' on 'ifindex'.  0 or a negative errno. */
typedef int (*announce_fn)(void *arg, int ifindex, const struct ipaddr *public);

struct announcer {
	struct loop *loop;
	announce_fn fn;
	void *arg;
	int ifindex; /* 0: no uplink, nothing is announced */
	struct hmap publics;
	struct list queue; /* by the time when they are due */
	struct timer timer;
	uint64_t n_sent;
};

void announcer_init(struct announcer *a, struct loop *loop, announce_fn fn, void *arg, int ifindex);
void announcer_deinit(struct announcer *a);
void announcer_add(struct announcer *a, const struct ipaddr *public);
void announcer_remove(struct announcer *a, const struct ipaddr *public);
