/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/addresses6.h"

#include "driver/node_device.h"
#include "net/rtnl.h"

enum { ALONE = 128, ACTUAL_MAX = 128 };

struct actual {
	int ifindex;
	struct ipaddr addrs[ACTUAL_MAX];
	size_t n;
};

static int note_actual(const struct rtnl_addr *a, void *data)
{
	struct actual *actual = data;

	if (a->ifindex != actual->ifindex || a->len != ALONE || ipaddr_is_v4(&a->addr) ||
	    ipaddr_is_link_local(&a->addr) || actual->n == ACTUAL_MAX)
		return 0;
	actual->addrs[actual->n++] = a->addr;
	return 0;
}

static bool lists(const struct ipaddr *addrs, size_t n, const struct ipaddr *a)
{
	for (size_t i = 0; i < n; i++)
		if (ipaddr_equal(&addrs[i], a))
			return true;
	return false;
}

int addresses6_set(int netns_fd, uint32_t device_index, const struct ipaddr *addrs, size_t n)
{
	_cleanup_(rtnl_close_cleanup) struct rtnl *inside = NULL;
	struct actual actual = {.n = 0};
	struct rtnl_addr a = {.len = ALONE};
	struct rtnl_link link;
	int e;

	e = node_device_open(netns_fd, device_index, &inside, &link);
	if (e)
		return e;
	a.ifindex = actual.ifindex = link.ifindex;
	e = rtnl_addr_dump(inside, note_actual, &actual);
	for (size_t i = 0; i < actual.n && !e; i++) {
		a.addr = actual.addrs[i];
		if (!lists(addrs, n, &a.addr))
			e = rtnl_addr_delete(inside, &a);
	}
	for (size_t i = 0; i < n && !e; i++) {
		a.addr = addrs[i];
		if (!lists(actual.addrs, actual.n, &a.addr))
			e = rtnl_addr_add(inside, &a);
	}
	return e;
}
