/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a question says of the packet at its two ends, against what the packet is there.  See
 * reach_trip.h.
 *
 * The source's ports are tried one after another (reach.c), so what is said of them at the source
 * is so by itself; what is said at the destination holds for what no gateway has replaced.
 */
#include "model/elastic.h"
#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/model.h"
#include "model/nat_gateway.h"
#include "model/reach_trip.h"

bool reach_filter_is_set(const struct reach_filter *f)
{
	return !ipaddr_is_zero(&f->src) || !ipaddr_is_zero(&f->dst) || f->src_ports.to ||
	       f->dst_ports.to;
}

static void add(struct trip *t, const struct reach_end *end, bool at_source, enum reach_code code)
{
	struct reach_step s = {.what = REACH_FILTER, .code = code, .egress = at_source};

	if (end->interface) {
		s.kind = KIND_INTERFACE;
		s.id = end->interface->o.id;
	} else if (end->gateway) {
		s.kind = KIND_INTERNET_GATEWAY;
		s.id = end->gateway->o.id;
	} else {
		s.kind = t->out_kind;
		s.id = t->out_id;
	}
	trip_add(t, s);
}

static bool differs(const struct ipaddr *asked, const struct ipaddr *is)
{
	return !ipaddr_is_zero(asked) && !ipaddr_equal(asked, is);
}

static bool has_port(const struct reach_ports *p, uint32_t port)
{
	return !p->to || (p->from <= port && port <= p->to);
}

/* The world sends to the public address of what the packet is for. */
static bool is_public_of_destination(const struct trip *t, const struct ipaddr *a)
{
	const struct elastic *e = elastic_by_public(t->m, a);

	if (t->by.gateway)
		return ipaddr_equal(reach_forward_addr(t->by.gateway), a);
	return t->q->from.gateway && t->to.interface && e && e->edge && !e->nat_gateway &&
	       e->vni == t->to.interface->vni && ipaddr_equal(&e->private_addr, &t->to.addr);
}

void trip_check_sent(struct trip *t)
{
	const struct reach_filter *f = &t->q->at_source;

	if (differs(&f->src, &t->q->from.addr))
		add(t, &t->q->from, true, REACH_OTHER_SOURCE_SENT);
	if (differs(&f->dst, &t->to.addr) && !is_public_of_destination(t, &f->dst))
		add(t, &t->q->from, true, REACH_OTHER_DESTINATION_SENT);
}

/* Some port that a gateway may have chosen would do. */
static bool may_become(const struct reach_ports *p)
{
	return !p->to || (p->from <= NAT_PORT_LAST && NAT_PORT_FIRST <= p->to);
}

void trip_check_arrived(struct trip *t)
{
	const struct reach_filter *f = &t->q->at_destination;

	if (!t->arrived)
		return;
	if (differs(&f->src, &t->seen.src))
		add(t, &t->to, false, REACH_OTHER_SOURCE);
	if (differs(&f->dst, &t->seen.dst))
		add(t, &t->to, false, REACH_OTHER_DESTINATION);
	if (t->remapped ? !may_become(&f->src_ports) : !has_port(&f->src_ports, t->seen.src_port))
		add(t, &t->to, false, REACH_OTHER_SOURCE_PORT);
	if (!has_port(&f->dst_ports, t->seen.dst_port))
		add(t, &t->to, false, REACH_OTHER_DESTINATION_PORT);
}
