/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor of rtnetlink's events: see rtnl.h. */
#include "net/rtnl.h"

#include <sys/socket.h>

#include "base/limits.h"
#include "net/rtnl_wire.h"

struct rtnl_monitor {
	struct mnl_socket *socket;
	rtnl_event_fn fn;
	void *data;
	char bytes[LIMIT_RTNL_BUFFER_SIZE];
};

int rtnl_monitor_open(rtnl_event_fn fn, void *data, struct rtnl_monitor **ret)
{
	static const int groups[] = {RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				     RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_NEIGH};
	const int size = LIMIT_RTNL_MONITOR_BUFFER_SIZE;
	_cleanup_(rtnl_monitor_close_cleanup) struct rtnl_monitor *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->fn = fn;
	m->data = data;
	m->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!m->socket)
		return -errno;
	if (mnl_socket_bind(m->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	if (setsockopt(mnl_socket_get_fd(m->socket), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (mnl_socket_setsockopt(m->socket, NETLINK_ADD_MEMBERSHIP, (void *)&groups[i],
					  sizeof(groups[i])) < 0)
			return -errno;
	*ret = TAKE_PTR(m);
	return 0;
}

struct rtnl_monitor *rtnl_monitor_close(struct rtnl_monitor *m)
{
	if (!m)
		return NULL;
	if (m->socket)
		mnl_socket_close(m->socket);
	free(m);
	return NULL;
}

int rtnl_monitor_fd(const struct rtnl_monitor *m)
{
	return mnl_socket_get_fd(m->socket);
}

static bool decode(const struct nlmsghdr *h, struct rtnl_event *ret)
{
	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		ret->kind = RTNL_EVENT_LINK;
		ret->deleted = h->nlmsg_type == RTM_DELLINK;
		return rtnl_link_decode(h, &ret->link);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		ret->kind = RTNL_EVENT_ADDR;
		ret->deleted = h->nlmsg_type == RTM_DELADDR;
		return rtnl_addr_decode(h, &ret->addr);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		ret->kind = RTNL_EVENT_ROUTE;
		ret->deleted = h->nlmsg_type == RTM_DELROUTE;
		return rtnl_route_decode(h, &ret->route);
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		ret->kind = RTNL_EVENT_NEIGH;
		ret->deleted = h->nlmsg_type == RTM_DELNEIGH;
		return rtnl_neigh_decode(h, &ret->neigh);
	default:
		return false;
	}
}

int rtnl_monitor_read(struct rtnl_monitor *m)
{
	for (int i = 0; i < LIMIT_RTNL_MONITOR_BATCH; i++) {
		ssize_t n = mnl_socket_recvfrom(m->socket, m->bytes, sizeof(m->bytes));
		const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)m->bytes;
		struct rtnl_event e;
		int left = (int)n;

		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		/* ENOSPC: a message larger than the buffer, as good as lost. */
		if (n < 0 && errno != ENOBUFS && errno != ENOSPC)
			return -errno;
		if (n < 0) {
			e = (struct rtnl_event){.kind = RTNL_EVENT_LOST};
			m->fn(&e, m->data);
		}
		for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
			if (decode(h, &e))
				m->fn(&e, m->data);
	}
	return 0;
}
