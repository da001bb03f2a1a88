/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether there is a way for some source port.  See reach.h; the way is in reach_walk.c.
 */
#include "model/reach.h"

#include <stdlib.h>

#include "model/group_rule.h"
#include "model/interface.h"
#include "model/model.h"
#include "model/network_acl.h"
#include "model/reach_trip.h"

/* Source ports that clients take: the range of Linux (ip-sysctl, ip_local_port_range). */
enum { SOURCE_PORT_FIRST = 32768, SOURCE_PORT_LAST = 60999 };

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
	}
	return NULL;
}

/* ---- source ports ---- */

/* The next border above 'port' of a range of ports; 'next', or 0, was found before. */
static uint32_t nearer(uint32_t port, uint32_t from, uint32_t to, uint32_t next)
{
	const uint32_t borders[] = {from, to + 1};

	for (size_t k = 0; k < ARRAY_SIZE(borders); k++)
		if (borders[k] > port && borders[k] <= SOURCE_PORT_LAST &&
		    (!next || borders[k] < next))
			next = borders[k];
	return next;
}

static uint32_t next_in_acl(const struct model *m, uint64_t id, uint32_t port, uint32_t next)
{
	const struct network_acl *a =
		(const struct network_acl *)model_get(m, KIND_NETWORK_ACL, id);

	for (size_t n = 0; a && n < a->n_entries; n++)
		next = nearer(port, a->entries[n].traffic.from, a->entries[n].traffic.to, next);
	return next;
}

static uint32_t next_in_groups(const struct model *m, uint64_t interface, uint32_t port,
			       uint32_t next)
{
	const struct interface *i =
		(const struct interface *)model_get(m, KIND_INTERFACE, interface);

	for (size_t n = 0; i && n < i->n_groups; n++) {
		struct model_iter it = model_iter_group(m, REL_GROUP_RULES, i->groups[n].id);
		const struct group_rule *rule;

		while ((rule = (const struct group_rule *)model_iter_next(&it)))
			next = nearer(port, rule->traffic.from, rule->traffic.to, next);
	}
	return next;
}

/* The next source port, above 'port', at which somebody who was asked on the way may decide
 * otherwise; 0: none.  Who is asked is the same for all ports. */
static uint32_t next_border(const struct model *m, const struct reach_answer *a, uint32_t port)
{
	uint32_t next = 0;

	for (size_t i = 0; i < a->n_steps; i++) {
		const struct reach_step *s = &a->steps[i];

		if (s->what == REACH_ACL)
			next = next_in_acl(m, s->id, port, next);
		else if (s->what == REACH_GROUP && s->back)
			next = next_in_groups(m, s->attached, port, next);
	}
	return next;
}

/* '*ret_next' is the next port to try, or 0. */
static int attempt(const struct model *m, const struct reach_question *q, uint32_t port,
		   struct reach_answer *ret, uint32_t *ret_next)
{
	struct trip t = {
		.m = m,
		.q = q,
		.answer = ret,
		.packet =
			{
				.protocol = q->protocol,
				.src = q->from.addr,
				.dst = q->to.addr,
				.src_port = (uint16_t)port,
				.dst_port = q->port,
			},
	};

	ret->n_steps = 0;
	trip_walk(&t);
	if (t.error)
		return t.error;
	*ret_next = next_border(m, ret, port);
	ret->found = !t.failed;
	ret->port_from = (uint16_t)port;
	ret->port_to = (uint16_t)(*ret_next ? *ret_next - 1 : SOURCE_PORT_LAST);
	return 0;
}

int reach_analyse(const struct model *m, const struct reach_question *q, struct reach_answer *ret)
{
	_cleanup_free_ struct reach_answer *other = malloc(sizeof(*other));
	uint32_t next;
	int r = other ? attempt(m, q, SOURCE_PORT_FIRST, ret, &next) : -ENOMEM;

	while (!r && !ret->found && next) {
		r = attempt(m, q, next, other, &next);
		if (!r && other->found)
			*ret = *other;
	}
	return r;
}
