/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of instances that the manager told, kept for a while: so that a name asked for again costs
 * nothing, and known names go on working without a manager.
 *
 * At most LIMIT_AGENT_NAMES; the oldest goes first.  Ownership: embedded.  One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/dns.h"
#include "base/hmap.h"
#include "base/list.h"

struct names {
	struct hmap names;
	struct list age; /* oldest first */
};

void names_init(struct names *n);
void names_deinit(struct names *n);
/* Notes that 'label' of network 'vni' is 'addr', beside the other family's; without memory it is
 * not noted. */
void names_put(struct names *n, uint32_t vni, const char *label, const struct ipaddr *addr,
	       uint64_t now_ns);
/* Of both families. */
void names_drop(struct names *n, uint32_t vni, const char *label);
/* 0 with the address, an IPv6 one if 'v6'; '*ret_fresh': it was told less than DNS_ANSWER_TTL ago.
 * -ENOENT. */
must_check int names_get(const struct names *n, uint32_t vni, const char *label, bool v6,
			 uint64_t now_ns, struct ipaddr *ret, bool *ret_fresh);
