/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of links by rtnetlink: see rtnl.h. */
#include "net/rtnl.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>

#include "net/rtnl_wire.h"

static int change(struct rtnl *r, const struct rtnl_addr *a, uint16_t type, uint16_t flags)
{
	struct prefix on_link = prefix_make(&a->addr, a->len);
	struct rtnl_request q;
	struct ifaddrmsg *i;

	if (a->len > 128 || (ipaddr_is_v4(&a->addr) && a->len < 96))
		return -EINVAL;
	i = rtnl_request_init(&q, type, flags, sizeof(*i));
	i->ifa_family = rtnl_family(&a->addr);
	i->ifa_prefixlen = prefix_text_len(&on_link);
	i->ifa_index = (uint32_t)a->ifindex;
	rtnl_put_addr(q.header, IFA_LOCAL, &a->addr);
	rtnl_put_addr(q.header, IFA_ADDRESS, &a->addr);
	if (a->broadcast && ipaddr_is_v4(&a->addr) && a->len < 128)
		mnl_attr_put_u32(q.header, IFA_BROADCAST,
				 htonl(ipaddr_v4(&a->addr) | UINT32_MAX >> (a->len - 96)));
	/* Addresses are given out by the manager: nobody else can have them. */
	if (i->ifa_family == AF_INET6 && type == RTM_NEWADDR)
		mnl_attr_put_u32(q.header, IFA_FLAGS, IFA_F_NODAD);
	return rtnl_do(r, &q);
}

int rtnl_addr_add(struct rtnl *r, const struct rtnl_addr *a)
{
	return change(r, a, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
}

int rtnl_addr_delete(struct rtnl *r, const struct rtnl_addr *a)
{
	return change(r, a, RTM_DELADDR, 0);
}

bool rtnl_addr_decode(const struct nlmsghdr *h, struct rtnl_addr *ret)
{
	const struct nlattr *attrs[IFA_LOCAL + 1];
	const struct ifaddrmsg *i = mnl_nlmsg_get_payload(h);
	const struct nlattr *addr;

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*i))
		return false;
	if (i->ifa_family != AF_INET && i->ifa_family != AF_INET6)
		return false;
	rtnl_attrs(h, sizeof(*i), attrs, ARRAY_SIZE(attrs) - 1);
	/* IFA_ADDRESS is the peer's on a point-to-point link. */
	addr = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	if (!addr)
		return false;
	*ret = (struct rtnl_addr){.ifindex = (int)i->ifa_index,
				  .addr = rtnl_attr_addr(addr),
				  .len = rtnl_len_from(i->ifa_family, i->ifa_prefixlen)};
	return true;
}

int rtnl_addr_dump(struct rtnl *r, int (*fn)(const struct rtnl_addr *a, void *data), void *data)
{
	_cleanup_buf_ struct buf answers;
	const struct nlmsghdr *h;
	struct rtnl_request q;
	struct rtnl_addr a;
	int left, result;

	rtnl_answers_init(&answers);
	rtnl_request_init(&q, RTM_GETADDR, 0, sizeof(struct ifaddrmsg));
	result = rtnl_dump(r, &q, &answers);
	if (result < 0)
		return result;
	rtnl_for_each_answer (h, left, &answers) {
		result = rtnl_addr_decode(h, &a) ? fn(&a, data) : 0;
		if (result)
			return result;
	}
	return 0;
}
