/* SPDX-License-Identifier: Apache-2.0 */
/* The host itself, its peers, its subnets. */
#include "agent/convert.h"
#include "agent/desired_take.h"

/* Empty: none. */
static int desired_read_labels(const ProtobufCBinaryData *b, uint32_t len, struct prefix *ret)
{
	struct prefix range = {0};

	if (b->len && convert_prefix(b, len, &range))
		return -EINVAL;
	if (!datapath_labels_are_valid(&range))
		return -EINVAL;
	*ret = range;
	return 0;
}

static const char *desired_read_host(const Viaduct__Agent__HostConfig *m, struct desired_host *h)
{
	*h = (struct desired_host){.set = true, .number = m->number};
	if (!m->number)
		return "the host has no number";
	if (convert_name(m->name, h->name, sizeof(h->name)))
		return "the host's name is too long";
	if (convert_locator(&m->siit1, 64, &h->siit1) || convert_locator(&m->siit2, 56, &h->siit2))
		return "a locator of the host is no prefix of its layout";
	if (convert_optional_addr(&m->v4, &h->v4) || convert_optional_addr(&m->v6, &h->v6))
		return "a substrate address of the host is not 16 bytes";
	if (desired_read_labels(&m->aliases, m->aliases_len, &h->labels))
		return "the host's range of labels is none";
	h->edge = m->edge;
	return NULL;
}

static const char *desired_read_peer(const Viaduct__Agent__Peer *m, struct desired_peer *p)
{
	const char *text;

	if (!m->number)
		return "the peer has no number";
	if (convert_name(m->name, p->name, sizeof(p->name)))
		return "the peer's name is too long";
	(void)!convert_name(m->reason, p->reason, sizeof(p->reason)); /* for people: cut is fine */
	p->dp.id = m->number;
	if (convert_locator(&m->siit1, 64, &p->dp.siit1) ||
	    convert_locator(&m->siit2, 56, &p->dp.siit2))
		return "a locator of the peer is no prefix of its layout";
	if (convert_optional_addr(&m->v4, &p->dp.v4) || convert_optional_addr(&m->v6, &p->dp.v6))
		return "a substrate address of the peer is not 16 bytes";
	if (desired_read_labels(&m->aliases, m->aliases_len, &p->dp.labels))
		return "the peer's range of labels is none";
	if (m->send >= FORMAT_MAX || m->accept >> FORMAT_MAX)
		return "the peer's format is none that this agent knows";
	if (m->path_mtu > UINT16_MAX)
		return "the peer's path MTU is above 65535";
	p->dp.send = (enum format)m->send;
	p->dp.accept = m->accept;
	p->dp.vxlan_over_v6 = m->vxlan_over_v6;
	p->dp.path_mtu = (uint16_t)m->path_mtu;
	p->dp.edge = m->edge;
	p->dp.foreign = m->foreign;
	text = m->choice ? desired_read_choice(m->choice, p) : NULL;
	return text ? text : desired_read_variants(m, p);
}

static const char *desired_read_subnet(const Viaduct__Agent__Subnet *m, struct desired_subnet *s)
{
	if (!convert_vni_is_valid(m->vni))
		return "the subnet's VNI is not one of a network";
	s->dp.vni = m->vni;
	if (convert_prefix(&m->prefix, m->prefix_len, &s->dp.prefix))
		return "the subnet's prefix is none";
	if (convert_addr(&m->router, &s->dp.router) ||
	    (!prefix_contains(&s->dp.prefix, &s->dp.router) &&
	     (prefix_is_v4(&s->dp.prefix) || !ipaddr_is_link_local(&s->dp.router))))
		return "the subnet's router is neither inside it nor link-local";
	if (convert_mac(&m->router_mac, &s->dp.router_mac))
		return "the subnet's router has no unicast MAC";
	if (convert_optional_addr(&m->resolver, &s->dp.resolver))
		return "the subnet's resolver is not 16 bytes";
	if (m->network.len && convert_prefix(&m->network, m->network_len, &s->network))
		return "the subnet's network is no prefix";
	if (convert_name(m->domain, s->domain, sizeof(s->domain)))
		return "the subnet's domain is too long";
	s->dp.acl = m->acl;
	s->dp.table = m->table;
	s->preloaded = m->preloaded;
	return NULL;
}

int desired_take_host(struct desired *d, const Viaduct__Agent__HostConfig *m,
		      struct desired_key *key, const char **text)
{
	struct desired_host host;

	*key = (struct desired_key){.kind = DESIRED_HOST};
	*text = desired_read_host(m, &host);
	if (*text)
		return -EINVAL;
	d->host = host;
	return 0;
}

int desired_take_peer(struct desired *d, const Viaduct__Agent__Peer *m, struct desired_key *key,
		      const char **text)
{
	struct desired_peer *p = calloc(1, sizeof(*p) + m->n_variants * sizeof(p->variants[0]));

	*key = (struct desired_key){.kind = DESIRED_PEER, .number = m->number};
	if (!p)
		return -ENOMEM;
	*text = desired_read_peer(m, p);
	return desired_place(d, key, &p->item, *text);
}

int desired_take_subnet(struct desired *d, const Viaduct__Agent__Subnet *m, struct desired_key *key,
			const char **text)
{
	struct desired_subnet *s = calloc(1, sizeof(*s));

	*key = (struct desired_key){.kind = DESIRED_SUBNET, .number = m->vni};
	if (!s)
		return -ENOMEM;
	*text = desired_read_subnet(m, s);
	key->prefix = s->dp.prefix;
	return desired_place(d, key, &s->item, *text);
}
