/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel behind the next hops (agent/nexthop.h): rtnetlink of the namespace that the agent runs
 * in, and a monitor of its changes.
 *
 * Ownership: embedded.  Threading: the loop's.  Errors: 0 or a negative errno.
 */
#pragma once

#include "agent/nexthop.h"
#include "base/loop.h"
#include "net/rtnl.h"

struct agent;

struct kernel {
	struct rtnl *rtnl;
	struct rtnl_monitor *monitor;
	struct watch watch;
	void (*changed)(struct agent *a, const struct rtnl_event *e); /* NULL: nobody is told */
	struct agent *changed_arg;
};

must_check int kernel_init(struct kernel *k, struct loop *loop);
void kernel_deinit(struct kernel *k);
/* Announces 'public' on an interface by ARP (announce_fn; 'arg' is the 'struct kernel'). */
must_check int kernel_announce(void *arg, int ifindex, const struct ipaddr *public);
/* The operations; their argument is the 'struct kernel'. */
const struct nexthop_kernel *kernel_ops(void);
