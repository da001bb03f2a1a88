/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reachability: whether a connection from A to B would be possible, and by what way or for what
 * reason not, computed from the model by the rules that the hosts enforce (model/policy.h,
 * model/route_entry.h, model/pair.h).
 *
 * The question is EC2's of CreateNetworkInsightsPath: a protocol and ports, between addresses of
 * either family.  There is a path when there is one for some source port that clients take and some
 * of the destination ports that are asked about.  The way back counts: network ACLs and routes have
 * to let the answers through (for UDP too: a path is two ways).  The world gets in to a public
 * address, or at a static port of a NAT gateway, by which the answers have to leave; a node of
 * another network at one of a private gateway, when it is said that it sends there.  The
 * destination may be an address alone: then whoever the way leads to, or the world behind the
 * gateway that it leads to.  Of the world behind a gateway the address may be left out: then there
 * is a path when there is one for some address outside.
 *
 * A node that a route leads to, and whose source/destination check is off, is taken to send on what
 * it gets, unchanged.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/id.h"
#include "net/addr.h"

struct interface;
struct model;
struct internet_gateway;

/* Why not: EC2's explanation codes.  Written to the store: never re-used. */
enum reach_code {
	REACH_PASSES = 0,
	REACH_BAD_STATE = 1,      /* not attached, disabled, or its instance does not run */
	REACH_GROUP_MISMATCH = 2, /* no rule of the interface's groups allows it */
	REACH_GROUP_EMPTY = 3,    /* they have no rule at all in this direction */
	REACH_ACL_DENIES = 4,     /* an entry, or the end of the list */
	REACH_NO_ROUTE = 5,
	REACH_BAD_ROUTE = 6,         /* a blackhole */
	REACH_NO_PUBLIC_EGRESS = 7,  /* to the Internet, without a public address */
	REACH_NO_PUBLIC_INGRESS = 8, /* from the Internet, to no public address */
	REACH_NOT_PEERED = 9,        /* the peering is not active, or the address not in the peer */
	REACH_NO_INGRESS = 10,       /* a NAT or egress-only gateway lets nothing in */
	REACH_SOURCE_DEST_CHECK = 11, /* the node that the route leads to does not forward */
	REACH_FORWARDS = 12,          /* of older analyses, which ended at a node that forwards */
	REACH_NO_DESTINATION = 13,    /* it leads to somebody else, to nobody, or in a circle */
	REACH_NO_FORMAT = 14,         /* the two hosts have no format in common that carries it */
	REACH_REFLECTED = 15,         /* to a public address of a network, by way of the world */
	/* What the question says of the packet at its ends is not so on the way found. */
	REACH_OTHER_SOURCE_SENT = 16,
	REACH_OTHER_DESTINATION_SENT = 17,
	REACH_OTHER_SOURCE = 18, /* at the destination, as the next ones */
	REACH_OTHER_DESTINATION = 19,
	REACH_OTHER_SOURCE_PORT = 20,
	REACH_OTHER_DESTINATION_PORT = 21,
	/* An address alone, to the world, which is nobody's there. */
	REACH_PRIVATE_OUTSIDE = 22, /* RFC 1918 */
	REACH_SHARED_OUTSIDE = 23,  /* RFC 6598 */
};
/* "ENI_SG_RULES_MISMATCH" */
const char *reach_code_text(enum reach_code c);

/* Written to the store: never re-used. */
enum reach_what {
	REACH_INTERFACE = 1,
	REACH_GROUP = 2,
	REACH_ACL = 3,
	REACH_ROUTE = 4,
	REACH_GATEWAY = 5,   /* internet, NAT, egress-only gateway, or peering */
	REACH_SUBSTRATE = 6, /* what is between the hosts of two components */
	REACH_FILTER = 7,    /* what the question says of the packet at this end of the way */
};

/* One component on the way, in order; the first that does not pass ends its direction. */
struct reach_step {
	enum reach_what what;
	enum reach_code code;
	bool back; /* on the way of the answers */
	bool egress;
	enum kind kind; /* of the component */
	uint64_t id;
	enum kind attached_kind; /* what it acts for: an interface, a subnet, an internet gateway */
	uint64_t attached;
	uint64_t rule; /* of a group: the rule's id; of an ACL: the rule number; 0: none */
	bool allow;
	uint32_t protocol; /* of that rule; 256: any */
	uint32_t from, to;
	struct prefix prefix;  /* of that rule or route */
	uint64_t group;        /* of that rule, when it names a group instead */
	enum kind target_kind; /* of a route */
	uint64_t target;
	uint64_t list; /* the prefix list that the route names; 0: none */
};

/* Eight for each interface on the way, there and back. */
enum { REACH_STEPS_MAX = 96 };

struct reach_end {
	const struct interface *interface;      /* NULL: outside, */
	const struct internet_gateway *gateway; /* behind this one; NULL too: wherever it leads */
	struct ipaddr addr; /* private, or of the world; zero: any, behind 'gateway' */
};

struct reach_ports {
	uint32_t from, to; /* 'to' 0: any */
};

/* What has to be so of the packet at one end; zero: anything. */
struct reach_filter {
	struct ipaddr src, dst;
	struct reach_ports src_ports, dst_ports;
};

bool reach_filter_is_set(const struct reach_filter *f); /* it says something */

struct reach_question {
	struct reach_end from; /* an interface, or a gateway */
	struct reach_end to;   /* of neither: the address as 'from' sends to it */
	uint8_t protocol;      /* TCP or UDP */
	uint16_t port;         /* of the destination; 0: any */
	/* As 'from' sends it, and as 'to' gets it: translations are between them.  The world sends to
	 * public addresses, or is said to send to those behind them. */
	struct reach_filter at_source, at_destination;
};

struct reach_answer {
	bool found;
	/* Source and destination ports about which the answer is the same. */
	uint16_t port_from, port_to;
	uint16_t to_port_from, to_port_to;
	size_t n_steps;
	struct reach_step steps[REACH_STEPS_MAX];
};

/* -ENOMEM */
must_check int reach_analyse(const struct model *m, const struct reach_question *q,
			     struct reach_answer *ret);
