/* SPDX-License-Identifier: Apache-2.0 */
/* Routes and rules by rtnetlink: see rtnl.h. */
#include "net/rtnl.h"

#include <linux/fib_rules.h>

#include "net/rtnl_wire.h"

/* The family cannot be read off a zero gateway or source: those are simply left out. */
static bool route_is_valid(const struct rtnl_route *route)
{
	bool is_v4 = prefix_is_v4(&route->dst);

	if (!ipaddr_is_zero(&route->gateway) && ipaddr_is_v4(&route->gateway) != is_v4)
		return false;
	if (!ipaddr_is_zero(&route->prefsrc) && ipaddr_is_v4(&route->prefsrc) != is_v4)
		return false;
	return !route->blackhole || (ipaddr_is_zero(&route->gateway) && !route->oif);
}

static void put_header(struct rtmsg *m, const struct rtnl_route *route)
{
	bool on_link = ipaddr_is_zero(&route->gateway) && !route->blackhole;

	m->rtm_family = prefix_is_v4(&route->dst) ? AF_INET : AF_INET6;
	m->rtm_dst_len = prefix_text_len(&route->dst);
	m->rtm_table = route->table ?: RT_TABLE_MAIN;
	m->rtm_protocol = RTPROT_STATIC;
	m->rtm_type = route->blackhole ? RTN_BLACKHOLE : RTN_UNICAST;
	m->rtm_scope = on_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

static int change(struct rtnl *r, const struct rtnl_route *route, uint16_t type, uint16_t flags)
{
	struct rtnl_request q;
	struct rtmsg *m;

	if (!route_is_valid(route))
		return -EINVAL;
	m = rtnl_request_init(&q, type, flags, sizeof(*m));
	put_header(m, route);
	/* On deletion what is not said is not compared. */
	if (type == RTM_DELROUTE) {
		m->rtm_protocol = RTPROT_UNSPEC;
		m->rtm_scope = RT_SCOPE_NOWHERE;
	}
	if (m->rtm_dst_len)
		rtnl_put_addr(q.header, RTA_DST, &route->dst.addr);
	if (!ipaddr_is_zero(&route->gateway))
		rtnl_put_addr(q.header, RTA_GATEWAY, &route->gateway);
	if (!ipaddr_is_zero(&route->prefsrc))
		rtnl_put_addr(q.header, RTA_PREFSRC, &route->prefsrc);
	if (route->oif)
		mnl_attr_put_u32(q.header, RTA_OIF, (uint32_t)route->oif);
	if (route->metric)
		mnl_attr_put_u32(q.header, RTA_PRIORITY, route->metric);
	if (route->mtu) {
		struct nlattr *metrics = mnl_attr_nest_start(q.header, RTA_METRICS);

		mnl_attr_put_u32(q.header, RTAX_MTU, route->mtu);
		mnl_attr_nest_end(q.header, metrics);
	}
	return rtnl_do(r, &q);
}

int rtnl_route_add(struct rtnl *r, const struct rtnl_route *route)
{
	return change(r, route, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
}

int rtnl_route_replace(struct rtnl *r, const struct rtnl_route *route)
{
	return change(r, route, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
}

int rtnl_route_delete(struct rtnl *r, const struct rtnl_route *route)
{
	return change(r, route, RTM_DELROUTE, 0);
}

int rtnl_rule_add(struct rtnl *r, const struct ipaddr *from, uint8_t table)
{
	struct rtnl_request q;
	struct fib_rule_hdr *h =
		rtnl_request_init(&q, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*h));

	h->family = rtnl_family(from);
	h->src_len = ipaddr_is_v4(from) ? 32 : 128;
	h->table = table;
	h->action = FR_ACT_TO_TBL;
	rtnl_put_addr(q.header, FRA_SRC, from);
	return rtnl_do(r, &q);
}

/* Of several ways the first stands for all. */
static void decode_multipath(const struct nlattr *multipath, struct rtnl_route *route)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(multipath);
	size_t size = mnl_attr_get_payload_len(multipath);
	const struct nlattr *attrs[RTA_GATEWAY + 1];

	if (size < sizeof(*hop) || hop->rtnh_len < sizeof(*hop) || hop->rtnh_len > size)
		return;
	route->oif = hop->rtnh_ifindex;
	rtnl_attrs_span(hop + 1, hop->rtnh_len - sizeof(*hop), attrs, ARRAY_SIZE(attrs) - 1);
	route->gateway = rtnl_attr_addr(attrs[RTA_GATEWAY]);
}

static void decode_way(const struct nlattr **attrs, struct rtnl_route *route)
{
	const struct nlattr *metrics[RTAX_MTU + 1];

	route->gateway = rtnl_attr_addr(attrs[RTA_GATEWAY]);
	route->prefsrc = rtnl_attr_addr(attrs[RTA_PREFSRC]);
	route->oif = (int)rtnl_attr_u32(attrs[RTA_OIF], 0);
	route->metric = rtnl_attr_u32(attrs[RTA_PRIORITY], 0);
	rtnl_attrs_nested(attrs[RTA_METRICS], metrics, ARRAY_SIZE(metrics) - 1);
	route->mtu = rtnl_attr_u32(metrics[RTAX_MTU], 0);
	if (attrs[RTA_MULTIPATH])
		decode_multipath(attrs[RTA_MULTIPATH], route);
}

static bool decode(const struct nlmsghdr *h, const struct rtmsg *m, struct rtnl_route *ret)
{
	const struct nlattr *attrs[RTA_TABLE + 1];
	struct rtnl_route route = {0};
	struct ipaddr dst;

	if (m->rtm_family != AF_INET && m->rtm_family != AF_INET6)
		return false;
	rtnl_attrs(h, sizeof(*m), attrs, ARRAY_SIZE(attrs) - 1);
	if (!(m->rtm_flags & RTM_F_CLONED) &&
	    rtnl_attr_u32(attrs[RTA_TABLE], m->rtm_table) != RT_TABLE_MAIN)
		return false;
	/* A default route has no RTA_DST. */
	dst = attrs[RTA_DST] ? rtnl_attr_addr(attrs[RTA_DST]) : (struct ipaddr){0};
	if (!attrs[RTA_DST] && m->rtm_family == AF_INET)
		dst = ipaddr_from_v4(0);
	route.dst = prefix_make(&dst, rtnl_len_from(m->rtm_family, m->rtm_dst_len));
	route.blackhole = m->rtm_type == RTN_BLACKHOLE;
	decode_way(attrs, &route);
	/* IPv6 hangs such routes on the loopback. */
	if (route.blackhole)
		route.oif = 0;
	*ret = route;
	return true;
}

bool rtnl_route_decode(const struct nlmsghdr *h, struct rtnl_route *ret)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*m) || m->rtm_flags & RTM_F_CLONED)
		return false;
	if (m->rtm_type != RTN_UNICAST && m->rtm_type != RTN_BLACKHOLE)
		return false;
	return decode(h, m, ret);
}

/* The answer's type as the error that IPv4 gives for it; IPv6 may answer where IPv4 refuses. */
static int type_error(unsigned char type)
{
	switch (type) {
	case RTN_BLACKHOLE:
		return -EINVAL;
	case RTN_UNREACHABLE:
		return -EHOSTUNREACH;
	case RTN_PROHIBIT:
		return -EACCES;
	default:
		return 0;
	}
}

int rtnl_route_get(struct rtnl *r, const struct ipaddr *dst, struct rtnl_route *ret)
{
	_cleanup_buf_ struct buf answers;
	const struct nlmsghdr *h;
	struct rtnl_request q;
	struct rtmsg *m;
	int left, result;

	rtnl_answers_init(&answers);
	m = rtnl_request_init(&q, RTM_GETROUTE, 0, sizeof(*m));
	m->rtm_family = rtnl_family(dst);
	m->rtm_dst_len = m->rtm_family == AF_INET ? 32 : 128;
	rtnl_put_addr(q.header, RTA_DST, dst);
	result = rtnl_ask(r, &q, &answers);
	if (result < 0)
		return result;
	rtnl_for_each_answer (h, left, &answers) {
		const struct rtmsg *answer = mnl_nlmsg_get_payload(h);
		struct rtmsg cloned;

		if (mnl_nlmsg_get_payload_len(h) < sizeof(*answer))
			continue;
		result = type_error(answer->rtm_type);
		if (result < 0)
			return result;
		/* An answer names the table it was found in, the local one for own addresses. */
		cloned = *answer;
		cloned.rtm_flags |= RTM_F_CLONED;
		if (decode(h, &cloned, ret))
			return 0;
	}
	return -EPROTO;
}

int rtnl_route_dump(struct rtnl *r, int (*fn)(const struct rtnl_route *route, void *data),
		    void *data)
{
	_cleanup_buf_ struct buf answers;
	const struct nlmsghdr *h;
	struct rtnl_route route;
	struct rtnl_request q;
	int left, result;

	rtnl_answers_init(&answers);
	rtnl_request_init(&q, RTM_GETROUTE, 0, sizeof(struct rtmsg));
	result = rtnl_dump(r, &q, &answers);
	if (result < 0)
		return result;
	rtnl_for_each_answer (h, left, &answers) {
		result = rtnl_route_decode(h, &route) ? fn(&route, data) : 0;
		if (result)
			return result;
	}
	return 0;
}
