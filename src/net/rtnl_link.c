/* SPDX-License-Identifier: Apache-2.0 */
/* Links by rtnetlink: see rtnl.h. */
#include "net/rtnl.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <string.h>

#include "net/rtnl_wire.h"

static bool name_is_valid(const char *name)
{
	size_t n = strlen(name);

	return n && n < IFNAMSIZ;
}

/* Starts a change of the link 'ifindex'. */
static void change_init(struct rtnl_request *q, uint16_t type, int ifindex)
{
	struct ifinfomsg *i = rtnl_request_init(q, type, 0, sizeof(*i));

	i->ifi_index = ifindex;
}

/* Starts the creation of a link of 'kind'; the caller adds its data and closes '*ret_info'. */
static void create_init(struct rtnl_request *q, const char *name, const char *kind,
			struct nlattr **ret_info)
{
	rtnl_request_init(q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(q->header, IFLA_IFNAME, name);
	*ret_info = mnl_attr_nest_start(q->header, IFLA_LINKINFO);
	mnl_attr_put_strz(q->header, IFLA_INFO_KIND, kind);
}

static void put_end(struct nlmsghdr *h, const struct rtnl_veth_end *e)
{
	mnl_attr_put_u32(h, IFLA_MTU, e->mtu ? e->mtu : 1500);
	if (e->mac)
		mnl_attr_put(h, IFLA_ADDRESS, sizeof(e->mac->b), e->mac->b);
	if (e->netns_fd >= 0)
		mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)e->netns_fd);
}

int rtnl_veth_create(struct rtnl *r, const struct rtnl_veth_end *a, const struct rtnl_veth_end *b)
{
	struct nlattr *info, *data, *peer;
	struct rtnl_request q;

	if (!name_is_valid(a->name) || !name_is_valid(b->name))
		return -EINVAL;
	create_init(&q, a->name, "veth", &info);
	data = mnl_attr_nest_start(q.header, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(q.header, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(q.header, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(q.header, IFLA_IFNAME, b->name);
	put_end(q.header, b);
	mnl_attr_nest_end(q.header, peer);
	mnl_attr_nest_end(q.header, data);
	mnl_attr_nest_end(q.header, info);
	put_end(q.header, a);
	return rtnl_do(r, &q);
}

int rtnl_bridge_create(struct rtnl *r, const char *name)
{
	struct rtnl_request q;
	struct nlattr *info;

	if (!name_is_valid(name))
		return -EINVAL;
	create_init(&q, name, "bridge", &info);
	mnl_attr_nest_end(q.header, info);
	return rtnl_do(r, &q);
}

int rtnl_vxlan_create(struct rtnl *r, const char *name, uint16_t udp_port, const struct mac *mac)
{
	struct nlattr *info, *data;
	struct rtnl_request q;

	if (!name_is_valid(name))
		return -EINVAL;
	create_init(&q, name, "vxlan", &info);
	data = mnl_attr_nest_start(q.header, IFLA_INFO_DATA);
	mnl_attr_put_u8(q.header, IFLA_VXLAN_COLLECT_METADATA, 1);
	mnl_attr_put_u8(q.header, IFLA_VXLAN_LEARNING, 0);
	mnl_attr_put_u16(q.header, IFLA_VXLAN_PORT, htons(udp_port));
	mnl_attr_nest_end(q.header, data);
	mnl_attr_nest_end(q.header, info);
	if (mac)
		mnl_attr_put(q.header, IFLA_ADDRESS, sizeof(mac->b), mac->b);
	return rtnl_do(r, &q);
}

int rtnl_geneve_create(struct rtnl *r, const char *name, uint16_t udp_port, const struct mac *mac)
{
	struct nlattr *info, *data;
	struct rtnl_request q;

	if (!name_is_valid(name))
		return -EINVAL;
	create_init(&q, name, "geneve", &info);
	data = mnl_attr_nest_start(q.header, IFLA_INFO_DATA);
	mnl_attr_put(q.header, IFLA_GENEVE_COLLECT_METADATA, 0, NULL);
	mnl_attr_put_u16(q.header, IFLA_GENEVE_PORT, htons(udp_port));
	mnl_attr_nest_end(q.header, data);
	mnl_attr_nest_end(q.header, info);
	if (mac)
		mnl_attr_put(q.header, IFLA_ADDRESS, sizeof(mac->b), mac->b);
	return rtnl_do(r, &q);
}

int rtnl_link_delete(struct rtnl *r, int ifindex)
{
	struct rtnl_request q;

	change_init(&q, RTM_DELLINK, ifindex);
	return rtnl_do(r, &q);
}

int rtnl_link_set_up(struct rtnl *r, int ifindex, bool up)
{
	struct rtnl_request q;
	struct ifinfomsg *i;

	i = rtnl_request_init(&q, RTM_NEWLINK, 0, sizeof(*i));
	i->ifi_index = ifindex;
	i->ifi_change = IFF_UP;
	i->ifi_flags = up ? IFF_UP : 0;
	return rtnl_do(r, &q);
}

int rtnl_link_set_mtu(struct rtnl *r, int ifindex, uint32_t mtu)
{
	struct rtnl_request q;

	change_init(&q, RTM_NEWLINK, ifindex);
	mnl_attr_put_u32(q.header, IFLA_MTU, mtu);
	return rtnl_do(r, &q);
}

int rtnl_link_set_master(struct rtnl *r, int ifindex, int master_ifindex)
{
	struct rtnl_request q;

	change_init(&q, RTM_NEWLINK, ifindex);
	mnl_attr_put_u32(q.header, IFLA_MASTER, (uint32_t)master_ifindex);
	return rtnl_do(r, &q);
}

static void decode_text(const struct nlattr *a, char *ret, size_t size)
{
	size_t n = a ? mnl_attr_get_payload_len(a) : 0;

	memset(ret, 0, size);
	if (n)
		memcpy(ret, mnl_attr_get_payload(a), n < size ? n : size - 1);
}

bool rtnl_link_decode(const struct nlmsghdr *h, struct rtnl_link *ret)
{
	const struct nlattr *attrs[IFLA_LINK_NETNSID + 1], *info[IFLA_INFO_KIND + 1];
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
	const struct nlattr *mac;
	struct rtnl_link l = {0};

	/* AF_BRIDGE speaks of bridge ports, not of links. */
	if (mnl_nlmsg_get_payload_len(h) < sizeof(*i) || i->ifi_family != AF_UNSPEC)
		return false;
	rtnl_attrs(h, sizeof(*i), attrs, ARRAY_SIZE(attrs) - 1);
	rtnl_attrs_nested(attrs[IFLA_LINKINFO], info, ARRAY_SIZE(info) - 1);
	l.ifindex = i->ifi_index;
	l.up = i->ifi_flags & IFF_UP;
	l.carrier = i->ifi_flags & IFF_LOWER_UP;
	decode_text(attrs[IFLA_IFNAME], l.name, sizeof(l.name));
	decode_text(info[IFLA_INFO_KIND], l.kind, sizeof(l.kind));
	l.mtu = rtnl_attr_u32(attrs[IFLA_MTU], 0);
	mac = attrs[IFLA_ADDRESS];
	if (mac && mnl_attr_get_payload_len(mac) == sizeof(l.mac.b))
		memcpy(l.mac.b, mnl_attr_get_payload(mac), sizeof(l.mac.b));
	if (attrs[IFLA_OPERSTATE] && mnl_attr_get_payload_len(attrs[IFLA_OPERSTATE]) == 1)
		l.operstate = mnl_attr_get_u8(attrs[IFLA_OPERSTATE]);
	l.peer_ifindex = (int)rtnl_attr_u32(attrs[IFLA_LINK], 0);
	l.peer_netns_id = (int)rtnl_attr_u32(attrs[IFLA_LINK_NETNSID], UINT32_MAX);
	l.master_ifindex = (int)rtnl_attr_u32(attrs[IFLA_MASTER], 0);
	*ret = l;
	return true;
}

/* Without statistics: they are most of the answer, and slow for some drivers. */
static void put_filter(struct nlmsghdr *h)
{
	mnl_attr_put_u32(h, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

static int ask_one(struct rtnl *r, struct rtnl_request *q, struct rtnl_link *ret)
{
	_cleanup_buf_ struct buf answers;
	const struct nlmsghdr *h;
	int left, result;

	rtnl_answers_init(&answers);
	put_filter(q->header);
	result = rtnl_ask(r, q, &answers);
	if (result < 0)
		return result;
	rtnl_for_each_answer (h, left, &answers)
		if (h->nlmsg_type == RTM_NEWLINK && rtnl_link_decode(h, ret))
			return 0;
	return -EPROTO;
}

int rtnl_link_get(struct rtnl *r, int ifindex, struct rtnl_link *ret)
{
	struct rtnl_request q;

	if (ifindex <= 0)
		return -ENODEV;
	change_init(&q, RTM_GETLINK, ifindex);
	return ask_one(r, &q, ret);
}

int rtnl_link_find(struct rtnl *r, const char *name, struct rtnl_link *ret)
{
	struct rtnl_request q;

	if (!name_is_valid(name))
		return -ENODEV;
	change_init(&q, RTM_GETLINK, 0);
	mnl_attr_put_strz(q.header, IFLA_IFNAME, name);
	return ask_one(r, &q, ret);
}
