/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Static ports of NAT gateways, by which the world begins connections with nodes that have no
 * public address.  See reach_trip.h and nat_gateway.h.
 */
#include "model/interface.h"
#include "model/nat_gateway.h"
#include "model/reach_trip.h"

bool reach_forward_find(const struct model *m, const struct reach_question *q,
			const struct nat_gateway *g, size_t port, struct reach_forward *ret)
{
	const struct nat_port *p = &g->ports[port];
	const struct interface *to = interface_by_addr(m, g->vni, &p->addr);
	/* the node is asked about, or the gateway's own address */
	const struct ipaddr *asked = q->to.interface ? &p->addr : &g->public_addr;

	if (g->is_private || !nat_gateway_serves(g) || p->protocol != q->protocol || !to ||
	    (q->to.interface && q->to.interface != to) || !ipaddr_equal(&q->to.addr, asked))
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
