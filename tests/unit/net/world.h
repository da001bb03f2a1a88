/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The namespaces that a test of net/ makes for itself: nameless, so that any number of copies run
 * side by side, and gone with the process.  The machine's own network is never touched.
 */
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/rtnl.h"

struct world {
	int near_fd, far_fd; /* two namespaces; the test's thread is in the near one */
	struct rtnl *near, *far;
};

/* cmocka setup: needs root. */
static inline int world_make(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	*state = w;
	if (!w || unshare(CLONE_NEWNET) < 0)
		return -1;
	w->far_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	w->near_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (rtnl_open(&w->near) < 0 || rtnl_open_at(w->far_fd, &w->far) < 0)
		return -1;
	return 0;
}

static inline int world_end(void **state)
{
	struct world *w = *state;

	rtnl_close(w->near);
	rtnl_close(w->far);
	close(w->near_fd);
	close(w->far_fd);
	free(w);
	return 0;
}

/* A veth pair between the two, "near0" and "far0", up, with these addresses (NULL: none). */
static inline int world_join(struct world *w, const char *near_addr, const char *far_addr)
{
	const char *addrs[2] = {near_addr, far_addr}, *names[2] = {"near0", "far0"};
	struct rtnl *handles[2] = {w->near, w->far};
	struct rtnl_veth_end ends[2] = {{.name = names[0], .netns_fd = -1},
					{.name = names[1], .netns_fd = w->far_fd}};
	int r = rtnl_veth_create(w->near, &ends[0], &ends[1]);

	for (int i = 0; !r && i < 2; i++) {
		struct rtnl_addr a = {0};
		struct rtnl_link l;

		r = rtnl_link_find(handles[i], names[i], &l);
		if (!r)
			r = rtnl_link_set_up(handles[i], l.ifindex, true);
		if (r || !addrs[i])
			continue;
		a.ifindex = l.ifindex;
		r = ipaddr_parse(addrs[i], &a.addr);
		a.len = ipaddr_is_v4(&a.addr) ? 96 + 24 : 64;
		if (!r)
			r = rtnl_addr_add(handles[i], &a);
	}
	return r;
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_end)
