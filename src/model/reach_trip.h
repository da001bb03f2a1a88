/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the model: one try of the analysis of reachability (reach.h), with one source port.  A
 * trip is a packet that goes and the one that answers it; what is asked on the way, and what was
 * said, become the steps of the answer.
 *
 * Every rule on the way is asked, also behind one that refuses: who mends the network sees at once
 * all that is to be mended.
 */
#pragma once

#include "model/policy.h"
#include "model/reach.h"
#include "model/route_table.h"

struct nat_gateway;
struct nat_port;

enum {
	REACH_HOPS_MAX = 6, /* nodes that send on, or translate, one way */
};

/* A node sent or got what has these addresses: its groups know what answers it. */
struct reach_passage {
	const struct interface *interface;
	struct ipaddr src, dst;
};

/* A private NAT gateway replaced the source. */
struct reach_translation {
	const struct interface *by;
	struct ipaddr addr;
};

/* A static port of a NAT gateway, and whom it leads to. */
struct reach_forward {
	const struct nat_gateway *gateway; /* NULL: none */
	const struct nat_port *port;
	const struct interface *to;
};

struct trip {
	const struct model *m;
	const struct reach_question *q;
	struct reach_answer *answer;
	struct policy_packet packet; /* as it is now */
	bool back;                   /* it is the answer */
	bool failed;
	bool failed_there; /* on the way there, for whatever source port */
	bool hopeless;     /* for whatever port: what refused looks at none */
	int error;         /* -ENOMEM: the rest means nothing */
	/* The first port above the packet's at which somebody who was asked may decide otherwise,
	 * of the source and the destination; 0: none.  Rules look at the destination port of a
	 * packet alone, which on the way back is the client's. */
	uint32_t next_src, next_dst;
	struct reach_forward by; /* by which the connection comes in */
	bool forwarded;          /* it did, by a private gateway, and has yet to go back by it */
	/* Of the question; of an open one, from when it was found, the interface that was led to. */
	struct reach_end to;
	/* As the packet got to its end, if it did ('arrived'); 'remapped': its source port may be
	 * another by then. */
	bool arrived, remapped;
	struct policy_packet seen;
	size_t n_passages;
	struct reach_passage passages[2 * REACH_HOPS_MAX + 4];
	size_t n_translations;
	struct reach_translation translations[REACH_HOPS_MAX];
	/* How it left for the world: the route's step. */
	enum route_way out;
	enum kind out_kind;
	uint64_t out_id;
};

/* Where a packet is. */
struct reach_place {
	const struct interface *at; /* whose node sends it */
	bool forwarded;             /* for somebody else, as an address that is not its own */
	bool outside;               /* an answer that a private NAT gateway has translated back */
};

/* ---- in by a NAT gateway (reach_forward.c) ---- */

/* At which address it has its static ports. */
const struct ipaddr *reach_forward_addr(const struct nat_gateway *g);
/* The gateway's static port of that index, if the question is about it whatever it says of ports. */
bool reach_forward_find(const struct model *m, const struct reach_question *q,
			const struct nat_gateway *g, size_t port, struct reach_forward *ret);
/* The answer has the source that 't->by' was asked at when it leaves by that gateway. */
bool trip_answers_by(const struct trip *t, uint64_t nat_gateway);

/* ---- what is asked of the packet at the ends (reach_filter.c) ---- */

void trip_check_sent(struct trip *t);
void trip_check_arrived(struct trip *t);

/* ---- steps (reach_step.c) ---- */

void trip_add(struct trip *t, struct reach_step step);
void trip_add_interface(struct trip *t, const struct interface *i);
/* 'other': whose groups are known there, or NULL. */
void trip_add_groups(struct trip *t, const struct interface *i, const struct interface *other,
		     bool egress);
void trip_add_acl(struct trip *t, const struct interface *i, bool egress);
void trip_add_gateway(struct trip *t, enum kind k, uint64_t id, enum reach_code code);
/* Only if they have no format in common for it: that is a step.  An end that is an edge has no
 * interface but the edge's number and the gateway. */
struct reach_edge {
	uint32_t host;
	uint32_t vni;
	enum kind kind;
	uint64_t id;
};
void trip_add_carrier(struct trip *t, const struct reach_place *from, const struct interface *to);
void trip_add_carrier_out(struct trip *t, const struct reach_place *from,
			  const struct reach_edge *to);
void trip_add_carrier_in(struct trip *t, const struct reach_edge *from, const struct interface *to);

/* Where a table leads. */
struct reach_way {
	struct reach_step step; /* what is to be said of it */
	bool local;
	struct route_hop hop; /* when it is not */
};
/* 'table' (NULL: there is none) of the subnet or gateway 'owner' about the packet's destination. */
struct reach_way trip_find_way(struct trip *t, const struct route_table *table, enum kind k,
			       uint64_t owner);

/* The table of a public NAT gateway's subnet about what leaves by it. */
void trip_add_outer(struct trip *t, const struct nat_gateway *g);

/* ---- addresses of the world, where none is named (reach_world.c) ---- */

/* All from 'at' to before 'next' are alike; 'next' zero: all from 'at' on. */
struct reach_world {
	struct ipaddr at, next;
};
struct ipaddr reach_world_first(bool v6);
/* Moves '*a' up to the next one that is outside; false: there is none. */
bool reach_world_settle(const struct model *m, bool v6, struct ipaddr *a);
/* Brings 'w->next' down to the next address at which somebody who was asked may decide otherwise.
 * -ENOMEM */
must_check int reach_world_borders(const struct model *m, const struct reach_answer *a,
				   struct reach_world *w);

/* ---- the walk (reach_walk.c) ---- */

/* There and back; 'packet' is set. */
void trip_walk(struct trip *t);
