/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether there is a way for some source port.  See reach.h; the way is in reach_walk.c.
 */
#include "model/reach.h"

#include <stdlib.h>

#include "model/interface.h"
#include "model/internet_gateway.h"
#include "model/model.h"
#include "model/nat_gateway.h"
#include "model/peering.h"
#include "model/reach_trip.h"

/* Source ports that clients take: the range of Linux (ip-sysctl, ip_local_port_range). */
static const struct reach_ports client_ports = {32768, 60999};
static const struct reach_ports all_ports = {1, 65535};

const char *reach_code_text(enum reach_code c)
{
	switch (c) {
	case REACH_PASSES:
		return NULL;
	case REACH_BAD_STATE:
		return "BAD_STATE";
	case REACH_GROUP_MISMATCH:
		return "ENI_SG_RULES_MISMATCH";
	case REACH_GROUP_EMPTY:
		return "SG_HAS_NO_RULES";
	case REACH_ACL_DENIES:
		return "SUBNET_ACL_RESTRICTION";
	case REACH_NO_ROUTE:
		return "NO_ROUTE_TO_DESTINATION";
	case REACH_BAD_ROUTE:
		return "BAD_STATE_ROUTE";
	case REACH_NO_PUBLIC_EGRESS:
		return "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS";
	case REACH_NO_PUBLIC_INGRESS:
		return "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS";
	case REACH_NOT_PEERED:
		return "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR";
	case REACH_NO_INGRESS:
		return "GATEWAY_REJECTS_SPOOFED_TRAFFIC";
	case REACH_SOURCE_DEST_CHECK:
		return "ENI_SOURCE_DEST_CHECK_RESTRICTION";
	case REACH_FORWARDS:
		return "CANNOT_ROUTE";
	case REACH_NO_DESTINATION:
		return "NO_POSSIBLE_DESTINATION";
	case REACH_NO_FORMAT:
		return "BAD_STATE_ATTACHMENT";
	case REACH_REFLECTED:
		return "IGW_NAT_REFLECTION";
	case REACH_OTHER_SOURCE_SENT:
		return "FILTER_AT_SOURCE_SOURCE_ADDRESS";
	case REACH_OTHER_DESTINATION_SENT:
		return "FILTER_AT_SOURCE_DESTINATION_ADDRESS";
	case REACH_OTHER_SOURCE:
		return "FILTER_AT_DESTINATION_SOURCE_ADDRESS";
	case REACH_OTHER_DESTINATION:
		return "FILTER_AT_DESTINATION_DESTINATION_ADDRESS";
	case REACH_OTHER_SOURCE_PORT:
		return "FILTER_AT_DESTINATION_SOURCE_PORT_RANGE";
	case REACH_OTHER_DESTINATION_PORT:
		return "FILTER_AT_DESTINATION_DESTINATION_PORT_RANGE";
	case REACH_PRIVATE_OUTSIDE:
		return "IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS";
	case REACH_SHARED_OUTSIDE:
		return "IGW_DESTINATION_ADDRESS_NOT_IN_RFC6598_EGRESS";
	}
	return NULL;
}

/* ---- ports ---- */

/* One side's ports, of which all between two borders are alike. */
struct ports {
	struct reach_ports tried;         /* those that are asked about */
	const struct reach_ports *arrive; /* what is said of them where they get to */
};

static struct ports source_ports(const struct reach_question *q)
{
	const struct reach_ports *there = &q->at_destination.src_ports;

	return (struct ports){.tried = q->at_source.src_ports.to ? q->at_source.src_ports
				       : there->to               ? all_ports
								 : client_ports,
			      .arrive = there};
}

static struct ports destination_ports(const struct reach_question *q)
{
	const struct reach_ports one = {q->port, q->port};

	return (struct ports){.tried = q->at_source.dst_ports.to ? q->at_source.dst_ports
				       : q->port                 ? one
								 : all_ports,
			      .arrive = &q->at_destination.dst_ports};
}

/* The next port above 'port' to try, of which the way said 'next'; 0: none.  Who is asked is the
 * same for all ports. */
static uint32_t next_border(const struct ports *p, uint32_t port, uint32_t next)
{
	if (next <= port) /* behind a static port it is about another one */
		next = 0;
	if (p->arrive->to)
		next = policy_next_border(port, p->arrive->from, p->arrive->to, next);
	return next <= p->tried.to ? next : 0;
}

/* ---- trying them ---- */

struct search {
	const struct model *m;
	const struct reach_question *q;
	struct reach_forward by;
	struct ports src, dst;
	struct reach_world *world; /* NULL: the question names all addresses */
	/* Of the last attempt: it failed on the way there; the next ports to try, or 0. */
	bool failed_there, hopeless;
	uint32_t next_src, next_dst;
	size_t n_attempts;
};

/* So many ports are tried to say what the least is that is in the way, when there is no way. */
enum { HOPELESS_ATTEMPTS = 32 };

static bool is_enough(const struct search *s)
{
	return s->hopeless && s->n_attempts >= HOPELESS_ATTEMPTS;
}

static int attempt(struct search *s, uint32_t src, uint32_t dst, struct reach_answer *ret)
{
	struct trip t = {
		.m = s->m,
		.q = s->q,
		.answer = ret,
		.by = s->by,
		.packet =
			{
				.protocol = s->q->protocol,
				.src = s->q->from.addr,
				.dst = s->by.gateway && s->by.gateway->is_private
					       ? s->by.gateway->private_addr
					       : s->q->to.addr,
				.src_port = (uint16_t)src,
				.dst_port = (uint16_t)dst,
			},
	};

	ret->n_steps = 0;
	trip_walk(&t);
	if (t.error)
		return t.error;
	s->n_attempts++;
	s->failed_there = t.failed_there;
	s->hopeless = t.hopeless;
	s->next_src = next_border(&s->src, src, t.next_src);
	s->next_dst = next_border(&s->dst, dst, t.next_dst);
	ret->found = !t.failed;
	ret->port_from = (uint16_t)src;
	ret->port_to = (uint16_t)(s->next_src ? s->next_src - 1 : s->src.tried.to);
	ret->to_port_from = (uint16_t)dst;
	ret->to_port_to = (uint16_t)(s->next_dst ? s->next_dst - 1 : s->dst.tried.to);
	return s->world ? reach_world_borders(s->m, ret, s->world) : 0;
}

/* How far an answer is from a path; most so one about ports that were not asked about. */
static size_t distance(const struct reach_answer *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_steps; i++)
		n += a->steps[i].code == REACH_PASSES   ? 0
		     : a->steps[i].what == REACH_FILTER ? REACH_STEPS_MAX
							: 1;
	return n;
}

/* As attempt(), by way of 'other'; '*ret' is changed if less is in the way. */
static int improve(struct search *s, uint32_t src, uint32_t dst, struct reach_answer *other,
		   struct reach_answer *ret)
{
	int r = attempt(s, src, dst, other);

	if (!r && (other->found || distance(other) < distance(ret)))
		*ret = *other;
	return r;
}

/* First a destination port for which the way there is free, then a source port for which the way
 * back is, too: neither depends on the other. */
static int search(struct search *s, struct reach_answer *other, struct reach_answer *ret)
{
	uint32_t src = s->src.tried.from, dst = s->dst.tried.from;
	int r = attempt(s, src, dst, ret);

	while (!r && s->failed_there && s->next_dst && !is_enough(s)) {
		dst = s->next_dst;
		r = improve(s, src, dst, other, ret);
	}
	while (!r && !s->failed_there && !ret->found && s->next_src && !is_enough(s))
		r = improve(s, s->next_src, dst, other, ret);
	return r;
}

/* By way of a static port of a NAT gateway, if it is one of those that are asked about; '*ret' is
 * changed if no more than '*least' is in that way. */
static int try_forward(const struct search *all, const struct reach_forward *by,
		       struct reach_answer others[static 2], size_t *least,
		       struct reach_answer *ret)
{
	struct search s = *all;
	uint32_t port = by->port->public_port;
	int r;

	s.by = *by;
	if (port < s.dst.tried.from || port > s.dst.tried.to)
		return 0;
	s.dst.tried = (struct reach_ports){port, port};
	r = search(&s, &others[0], &others[1]);
	if (!r && distance(&others[1]) <= *least) {
		*ret = others[1];
		*least = distance(ret);
	}
	return r;
}

/* By one of the NAT gateways of the network. */
static int try_network(const struct search *s, uint64_t vpc, struct reach_answer others[static 2],
		       size_t *least, struct reach_answer *ret)
{
	struct model_iter it = model_iter_group(s->m, REL_VPC_NAT_GATEWAYS, vpc);
	const struct nat_gateway *g;
	struct reach_forward by;
	int r = 0;

	while ((g = (const struct nat_gateway *)model_iter_next(&it)))
		for (size_t i = 0; i < g->n_ports && !r && !ret->found; i++)
			if (reach_forward_find(s->m, s->q, g, i, &by))
				r = try_forward(s, &by, others, least, ret);
	return r;
}

/* What is sent to a private gateway gets in there or nowhere.  Whoever asks for an address alone may
 * mean one of his own network, or of one of its peers. */
static int try_forwards(const struct search *s, struct reach_answer others[static 2],
			struct reach_answer *ret)
{
	const struct interface *from = s->q->from.interface, *to = s->q->to.interface;
	size_t least = from ? SIZE_MAX : distance(ret);
	struct peering_iter it;
	const struct peering *p;
	int r = try_network(s,
			    !from ? s->q->from.gateway->vpc
			    : to  ? to->vpc
				  : from->vpc,
			    others, &least, ret);

	if (!from || to)
		return r;
	it = peering_iter_of(s->m, from->vpc);
	while (!r && !ret->found && (p = peering_iter_next(&it)))
		r = try_network(s, peering_other(p, from->vpc)->vpc, others, &least, ret);
	return r;
}

static int analyse(const struct model *m, const struct reach_question *q, struct reach_world *w,
		   struct reach_answer others[static 2], struct reach_answer *ret)
{
	struct search s = {
		.m = m, .q = q, .src = source_ports(q), .dst = destination_ports(q), .world = w};
	int r = search(&s, others, ret);

	return r || ret->found ? r : try_forwards(&s, others, ret);
}

/* ---- trying the world's addresses ---- */

static bool is_anybody(const struct reach_end *e)
{
	return e->gateway && ipaddr_is_zero(&e->addr);
}

static struct reach_question asked_about(const struct reach_question *q, const struct ipaddr *a)
{
	struct reach_question one = *q;

	if (is_anybody(&q->from))
		one.from.addr = *a;
	if (is_anybody(&q->to))
		one.to.addr = *a;
	return one;
}

/* The first address for which there is a way, or else the one that least is in the way of. */
static int analyse_world(const struct model *m, const struct reach_question *q,
			 struct reach_answer others[static 3], struct reach_answer *ret)
{
	const struct ipaddr *named = is_anybody(&q->from) ? &q->to.addr : &q->from.addr;
	const bool v6 = !ipaddr_is_zero(named) && !ipaddr_is_v4(named);
	struct reach_world w = {.at = reach_world_first(v6)};
	struct reach_answer *answer = ret;
	int r = 0;

	*ret = (struct reach_answer){0};
	while (!r && !ret->found && reach_world_settle(m, v6, &w.at)) {
		const struct reach_question one = asked_about(q, &w.at);

		w.next = (struct ipaddr){0};
		r = analyse(m, &one, &w, others, answer);
		if (!r && (answer->found || distance(answer) < distance(ret)))
			*ret = *answer;
		answer = &others[2];
		w.at = w.next;
	}
	return r;
}

int reach_analyse(const struct model *m, const struct reach_question *q, struct reach_answer *ret)
{
	_cleanup_free_ struct reach_answer *others = calloc(3, sizeof(*others));

	if (!others)
		return -ENOMEM;
	if (is_anybody(&q->from) || is_anybody(&q->to))
		return analyse_world(m, q, others, ret);
	return analyse(m, q, NULL, others, ret);
}
