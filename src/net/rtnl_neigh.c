/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbours by rtnetlink: see rtnl.h. */
#include "net/rtnl.h"

#include <linux/neighbour.h>
#include <string.h>

#include "net/rtnl_wire.h"

enum {
	/* The states in which the kernel itself would send to the address (NUD_VALID). */
	/* Those in which probing at once makes sense. */
	STATES_RESOLVED =
		NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY,
	STATES_TO_PROBE = NUD_STALE | NUD_DELAY | NUD_REACHABLE,
};

static struct ndmsg *request_init(struct rtnl_request *q, uint16_t type, uint16_t flags,
				  int ifindex, const struct ipaddr *addr)
{
	struct ndmsg *m = rtnl_request_init(q, type, flags, sizeof(*m));

	m->ndm_family = rtnl_family(addr);
	m->ndm_ifindex = ifindex;
	rtnl_put_addr(q->header, NDA_DST, addr);
	return m;
}

bool rtnl_neigh_decode(const struct nlmsghdr *h, struct rtnl_neigh *ret)
{
	const struct nlattr *attrs[NDA_LLADDR + 1];
	const struct ndmsg *m = mnl_nlmsg_get_payload(h);
	struct rtnl_neigh n = {0};
	const struct nlattr *mac;

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*m))
		return false;
	if (m->ndm_family != AF_INET && m->ndm_family != AF_INET6)
		return false;
	rtnl_attrs(h, sizeof(*m), attrs, ARRAY_SIZE(attrs) - 1);
	if (!attrs[NDA_DST])
		return false;
	n.ifindex = m->ndm_ifindex;
	n.addr = rtnl_attr_addr(attrs[NDA_DST]);
	n.state = m->ndm_state;
	mac = attrs[NDA_LLADDR];
	if (mac && mnl_attr_get_payload_len(mac) == sizeof(n.mac.b)) {
		memcpy(n.mac.b, mnl_attr_get_payload(mac), sizeof(n.mac.b));
		n.resolved = n.state & STATES_RESOLVED;
	}
	*ret = n;
	return true;
}

int rtnl_neigh_get(struct rtnl *r, int ifindex, const struct ipaddr *addr, struct rtnl_neigh *ret)
{
	_cleanup_buf_ struct buf answers;
	const struct nlmsghdr *h;
	struct rtnl_request q;
	int left, result;

	rtnl_answers_init(&answers);
	request_init(&q, RTM_GETNEIGH, 0, ifindex, addr);
	result = rtnl_ask(r, &q, &answers);
	if (result < 0)
		return result;
	rtnl_for_each_answer (h, left, &answers)
		if (rtnl_neigh_decode(h, ret))
			return 0;
	return -EPROTO;
}

int rtnl_neigh_probe(struct rtnl *r, int ifindex, const struct ipaddr *addr)
{
	struct rtnl_neigh n = {0};
	struct rtnl_request q;
	struct ndmsg *m;
	int result = rtnl_neigh_get(r, ifindex, addr, &n);

	if (result < 0 && result != -ENOENT)
		return result;
	if (n.state & (NUD_PERMANENT | NUD_NOARP))
		return 0; /* there is nothing to ask */
	m = request_init(&q, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, ifindex, addr);
	if (n.resolved && n.state & STATES_TO_PROBE) {
		m->ndm_state = NUD_PROBE;
		mnl_attr_put(q.header, NDA_LLADDR, sizeof(n.mac.b), n.mac.b);
	} else {
		m->ndm_flags = NTF_USE;
	}
	return rtnl_do(r, &q);
}

int rtnl_neigh_set(struct rtnl *r, int ifindex, const struct ipaddr *addr, const struct mac *mac)
{
	struct rtnl_request q;
	struct ndmsg *m;

	m = request_init(&q, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, ifindex, addr);
	m->ndm_state = NUD_PERMANENT;
	mnl_attr_put(q.header, NDA_LLADDR, sizeof(mac->b), mac->b);
	return rtnl_do(r, &q);
}
