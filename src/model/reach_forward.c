/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Static ports of NAT gateways, by which others begin connections with the nodes behind them: the
 * world by the public address, nodes of other networks by that of a private gateway.  See
 * reach_trip.h and nat_gateway.h.
 */
#include "model/interface.h"
#include "model/nat_gateway.h"
#include "model/reach_trip.h"

const struct ipaddr *reach_forward_addr(const struct nat_gateway *g)
{
	return g->is_private ? &g->private_addr : &g->public_addr;
}

/* A node is led to a private gateway by its routes, and says that it sends to it. */
static bool is_sent_to(const struct reach_question *q, const struct nat_gateway *g,
		       const struct interface *to)
{
	const struct interface *from = q->from.interface;

	if (!g->is_private || !from)
		return !g->is_private && !from;
	if (q->to.interface)
		return ipaddr_equal(&q->at_source.dst, &g->private_addr);
	/* who asks for an address alone is not told what another has behind it */
	return g->o.account == from->o.account && to->o.account == from->o.account;
}

bool reach_forward_find(const struct model *m, const struct reach_question *q,
			const struct nat_gateway *g, size_t port, struct reach_forward *ret)
{
	const struct nat_port *p = &g->ports[port];
	const struct interface *to = interface_by_addr(m, g->vni, &p->addr);
	/* the node is asked about, or the gateway's own address */
	const struct ipaddr *asked = q->to.interface ? &p->addr : reach_forward_addr(g);

	if (!nat_gateway_serves(g) || p->protocol != q->protocol || !to ||
	    (q->to.interface && q->to.interface != to) || !ipaddr_equal(&q->to.addr, asked) ||
	    !is_sent_to(q, g, to))
		return false;
	*ret = (struct reach_forward){g, p, to};
	return true;
}

bool trip_answers_by(const struct trip *t, uint64_t nat_gateway)
{
	const struct nat_gateway *g = t->by.gateway;

	if (!t->back || !g || g->o.id != nat_gateway)
		return false;
	return t->by.port->protocol == t->packet.protocol &&
	       t->by.port->port == t->packet.src_port &&
	       ipaddr_equal(&t->by.port->addr, &t->packet.src);
}
