/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the fake back-end: a frame under way, the steps that it takes, and what may become of
 * it.  A step ends in a verdict; the reason of a drop goes to '*ret_reason', which may be NULL.
 */
#pragma once

#include "abi/spread.h"
#include "datapath/fake_tables.h"

struct fake_flight {
	const uint8_t *frame;
	size_t size;
	uint32_t vni;
	struct ipaddr src, dst;
	uint8_t protocol;
	uint16_t destination_port;
	struct fake_tuple tuple;
	uint32_t src_vni;   /* of the sender's network */
	uint32_t handle;    /* of a gateway or port, whatever the address; 0: none */
	uint64_t revision;  /* of the mapping that decided, for the event */
	bool reinjected;    /* HELD counts as LIVE */
	bool elsewhere;     /* to another of the address's hosts, though it is here too */
	bool copied;        /* the agent's own, with a copy inside: its port is not asked */
	struct ipaddr home; /* the source, or of what a node forwards its own first address */
	bool by_exit;       /* it is known where its source is public, or that is asked */
	enum format format; /* that it left its host in, or is to come to this one in */
};

/* Who sent a packet that waits for verification and what it is for, in the MACs: as with the
 * programs' notes. */
struct fake_note {
	uint32_t peer, handle;
	uint16_t format, seal;
};
static_assert(sizeof(struct fake_note) == 12, "fills two MACs");

/* What a node has sent on for others carries its handle as the source's network. */
bool fake_is_forwarded(const struct fake_flight *p);
/* Of the sender; a handle counts as the network it is in. */
uint32_t fake_network_of(const struct fake_flight *p);
/* Reads an IPv4 packet's header and tuple into 'p'; false: it is malformed. */
bool fake_parse_ip(struct fake_flight *p);
/* Of the packet's connection, as its port has it; 'out': the port sends. */
struct dp_pin_key fake_pin_key(const struct fake_port *port, const struct fake_flight *p, bool out);
struct fake_port *fake_port_by_handle(struct fake_host *h, uint32_t handle); /* NULL for 0 */

/* ---- steps ---- */

/* From the node of 'port' (fake_node.c), */
enum fake_verdict fake_from_node(struct fake_host *h, struct fake_port *port, struct fake_flight *p,
				 uint32_t *ret_reason);
/* to where its destination is (fake_route.c), */
enum fake_verdict fake_route(struct fake_host *h, struct fake_port *port, struct fake_flight *p,
			     uint32_t *ret_reason);
/* and at the host that it came to over the wire (fake_ingress.c); 'peer': the sender's host, NULL:
 * not known there. */
enum fake_verdict fake_ingress(struct fake_host *h, const struct dp_peer *peer, enum format format,
			       enum seal_cipher seal, struct fake_flight *p, uint32_t *ret_reason);

/* ---- ends (fake_verdict.c) ---- */

/* Counted with the port, or with the host's substrate side where 'port' is NULL. */
enum fake_verdict fake_refuse(struct fake_host *h, struct fake_port *port,
			      const struct fake_flight *p, uint32_t reason, uint32_t *ret_reason);
/* Up to the agent, which may send it again with 'reinjected'. */
enum fake_verdict fake_hold(struct fake_host *h, struct fake_port *port,
			    const struct fake_flight *p, enum dp_upcall_kind kind,
			    uint32_t *ret_reason);
enum fake_verdict fake_to_node(struct fake_host *h, struct fake_port *port,
			       const struct fake_flight *p, uint32_t *ret_reason);
/* From one port of this host to another, if both let it. */
enum fake_verdict fake_to_neighbour(struct fake_host *h, struct fake_port *port,
				    struct fake_port *here, const struct fake_flight *p,
				    uint32_t *ret_reason);
/* For a handle of this host: a port's node, or a gateway. */
enum fake_verdict fake_to_handle(struct fake_host *h, const struct fake_flight *p,
				 uint32_t *ret_reason);
/* Asks one of the two ports: 0 or the reason. 'groups' are those of the other end. */
uint32_t fake_ask(struct fake_host *h, struct fake_port *port, const struct fake_flight *p,
		  bool egress, const uint32_t *groups, uint32_t n_groups);
