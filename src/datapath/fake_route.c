/* SPDX-License-Identifier: Apache-2.0 */
/* Where a node's packet goes, and in what form it leaves: as bpf/lib/route.h and way.h. */
#include "datapath/fake_verdict.h"

#include <arpa/inet.h>
#include <string.h>

#include "abi/gateway.h"
#include "datapath/fake_gateway.h"
#include "datapath/fake_peer.h"
#include "datapath/fake_spread.h"

static struct fake_host *host_of_peer(struct fake_host *h, const struct dp_peer *peer)
{
	for (struct list *l = h->world->hosts.next; l != &h->world->hosts; l = l->next) {
		struct fake_host *other = container_of(l, struct fake_host, link);

		if ((peer->siit2.len && prefix_equal(&peer->siit2, &other->config.siit2)) ||
		    (peer->siit1.len && prefix_equal(&peer->siit1, &other->config.siit1)) ||
		    (!ipaddr_is_zero(&peer->v4) && ipaddr_equal(&peer->v4, &other->config.v4)))
			return other;
	}
	return NULL;
}

static enum fake_verdict leave(struct fake_host *h, struct fake_port *port, struct fake_flight *p,
			       const struct dp_mapping *m, uint32_t *ret_reason)
{
	const struct dp_peer *peer = fake_peer_find(h, m->peer);
	struct dp_peer towards;
	struct fake_port *here =
		p->handle || p->elsewhere ? NULL : fake_port_by_addr(h, p->vni, &p->dst);
	struct fake_flight arriving = *p;
	struct fake_host *other;
	uint32_t reason;

	if (here)
		return fake_to_neighbour(h, port, here, p, ret_reason);
	if (!peer)
		return fake_refuse(h, port, p, DROP_NO_PEER, ret_reason);
	towards = fake_peer_decisive(peer, fake_network_of(p), &p->src, p->vni, &p->dst);
	peer = &towards;
	if (peer->send == FORMAT_NONE || !(h->formats & FORMAT_BIT(peer->send)) ||
	    (peer->send == FORMAT_VXLAN_1 && p->src_vni != p->vni))
		return fake_refuse(h, port, p, DROP_NO_FORMAT, ret_reason);
	p->format = peer->send;
	if (!peer->nexthop)
		return fake_refuse(h, port, p, DROP_NO_NEXTHOP, ret_reason);
	reason = fake_ask(h, port, p, true, m->groups, m->n_groups);
	if (reason)
		return fake_refuse(h, port, p, reason, ret_reason);
	other = host_of_peer(h, peer);
	if (!other)
		return FAKE_DELIVERED; /* left this host; nobody is there, as on a real substrate */
	arriving.reinjected = false;
	arriving.elsewhere = false;
	return fake_ingress(other, fake_peer_of(other, h), peer->send, peer->seal, &arriving,
			    ret_reason);
}

/* To one of the hosts of the address, which may be this one. */
static enum fake_verdict leave_spread(struct fake_host *h, struct fake_port *port,
				      struct fake_flight *p, const struct dp_mapping *m,
				      uint32_t *ret_reason)
{
	struct fake_port *here = fake_port_by_addr(h, p->vni, &p->dst);
	struct dp_pin_key key = fake_pin_key(port, p, true);
	struct dp_mapping chosen = *m;

	if (fake_spread_choose(h, m, &key, here, &chosen.peer))
		return fake_refuse(h, port, p, DROP_NO_PEER, ret_reason);
	p->elsewhere = chosen.peer != DP_PEER_SELF;
	return leave(h, port, p, &chosen, ret_reason);
}

/* Where the table of the sender's subnet leads: 0 with another network or a handle in 'p' and its
 * peer, or neither for where the address is; or a reason. */
static uint32_t find_way(struct fake_host *h, const struct fake_port *port, struct fake_flight *p,
			 uint32_t *ret_peer)
{
	const struct dp_subnet *own = fake_subnet_find(h, p->vni, &p->home);
	const struct dp_route *r = own ? fake_route_find(h, own->table, &p->dst) : NULL;

	if (!r)
		return DROP_NO_ROUTE;
	if (r->target == DP_TARGET_LOCAL)
		return fake_subnet_find(h, p->vni, &p->dst) ? 0 : DROP_BLACKHOLE;
	if (r->target == DP_TARGET_NETWORK) {
		if (fake_is_forwarded(p) || !fake_is_peered(h, p->vni, r->vni))
			return DROP_NOT_PEERED;
		p->vni = r->vni;
		return 0;
	}
	if (r->target == DP_TARGET_BLACKHOLE || (r->target == DP_TARGET_INTERFACE && !r->vni))
		return DROP_BLACKHOLE;
	p->handle = r->vni;
	*ret_peer = r->peer;
	if (r->target != DP_TARGET_INTERNET || !ipaddr_is_v4(&p->dst))
		return p->handle ? 0 : DROP_NO_EDGE;
	p->by_exit = fake_is_forwarded(p);
	if (p->by_exit)
		return p->handle ? 0 : DROP_NO_PUBLIC;
	for (uint32_t i = 0; i < port->dp.n_exits; i++) {
		const struct dp_exit *e = &port->dp.exits[i];

		p->handle = e->handle;
		*ret_peer = e->peer;
		if (ipaddr_equal(&e->addr, &p->src))
			return e->handle ? 0 : DROP_NO_EDGE;
	}
	return DROP_NO_PUBLIC;
}

/* Sent to the router by a table that has routes for addresses of its own network. */
static bool is_looked_up(struct fake_host *h, const struct fake_flight *p)
{
	const struct dp_subnet *own = fake_subnet_find(h, p->vni, &p->home);
	const struct dp_table *t = own ? fake_table_find(h, own->table) : NULL;

	return t && t->inside && !memcmp(p->frame, own->router_mac.b, sizeof(own->router_mac.b));
}

static bool is_nowhere(const struct dp_mapping *m)
{
	return m->state == DP_MAPPING_REFUSED || m->state == DP_MAPPING_GONE ||
	       (!m->n_peers && m->peer == DP_PEER_SELF);
}

/* What a node forwards, to where its source is public. */
static enum fake_verdict leave_by_exit(struct fake_host *h, struct fake_port *port,
				       struct fake_flight *p, uint32_t *ret_reason)
{
	struct dp_mapping way = {};
	const struct dp_mapping *m;
	struct ipaddr exit;

	dp_exit_address(exit.b, htonl(ipaddr_v4(&p->src)));
	m = fake_mapping_find(h, p->vni, &exit);
	if (!m || (m->state == DP_MAPPING_HELD && !p->reinjected))
		return fake_hold(h, port, p, DP_UPCALL_RESOLVE, ret_reason);
	p->revision = m->revision;
	if (m->state == DP_MAPPING_REFUSED || m->state == DP_MAPPING_GONE)
		return fake_refuse(h, port, p, DROP_NO_PUBLIC, ret_reason);
	way.peer = m->peer;
	return way.peer ? leave(h, port, p, &way, ret_reason) : fake_to_handle(h, p, ret_reason);
}

enum fake_verdict fake_route(struct fake_host *h, struct fake_port *port, struct fake_flight *p,
			     uint32_t *ret_reason)
{
	struct dp_mapping way = {};
	struct fake_port *here;
	const struct dp_mapping *m;

	if (!fake_subnet_find(h, p->vni, &p->dst) || is_looked_up(h, p)) {
		uint32_t reason = find_way(h, port, p, &way.peer);

		if (reason)
			return fake_refuse(h, port, p, reason, ret_reason);
		if (p->by_exit)
			return leave_by_exit(h, port, p, ret_reason);
		if (p->handle)
			return way.peer ? leave(h, port, p, &way, ret_reason)
					: fake_to_handle(h, p, ret_reason);
	}
	here = fake_port_by_addr(h, p->vni, &p->dst);
	m = fake_mapping_find(h, p->vni, &p->dst);
	if (here && here->dp.shared && m && is_nowhere(m))
		m = NULL;
	else if (here && here->dp.shared)
		here = NULL;
	if (!m && here)
		return fake_to_neighbour(h, port, here, p, ret_reason);
	if (!m)
		return fake_hold(h, port, p, DP_UPCALL_RESOLVE, ret_reason);
	p->revision = m->revision;
	switch (m->state) {
	case DP_MAPPING_REFUSED:
		return fake_refuse(h, port, p, DROP_REFUSED, ret_reason);
	case DP_MAPPING_GONE:
		return fake_refuse(h, port, p, DROP_GONE, ret_reason);
	case DP_MAPPING_HELD:
		if (!p->reinjected)
			return fake_hold(h, port, p, DP_UPCALL_RESOLVE, ret_reason);
		break;
	case DP_MAPPING_LIVE:
		break;
	}
	return m->n_peers ? leave_spread(h, port, p, m, ret_reason)
			  : leave(h, port, p, m, ret_reason);
}
