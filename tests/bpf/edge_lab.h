/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab.h with a way to the world:
 *
 *	a (10.0.1.10), b (10.0.1.11) --- host 1 === host 2, an edge --- world (198.51.100.1, 203.0.113.1)
 *	                                              |
 *	                                       c (10.0.1.12)
 *
 * 198.51.100.0/24 and 203.0.113.0/24 are reached by the internet gateway, 192.0.2.0/24 (no such
 * host) by the NAT gateway; lab tests that want the world by NAT change the table.
 */
#pragma once

#include "frame.h"

enum {
	EDGE_IGW = 0xf00001,
	EDGE_NAT = 0xf00002,
	EDGE_TABLE = 3,
	EDGE_DF = 0x4000,
	EDGE_L4 = IP_AT + 20,
};

#define EDGE_NAT_PUBLIC "198.51.100.100"

struct edge_lab {
	struct lab lab;
	struct lab_node *a, *b, *c;
	struct dp_gateway nat;
};

void edge_lab_init(struct edge_lab *e, enum format format);
void edge_lab_deinit(struct edge_lab *e);
/* lab_set_format(), and host 1 knows that host 2 is an edge. */
void edge_lab_format(struct edge_lab *e, enum format format);
/* Everything by the NAT gateway, or by the internet gateway. */
void edge_lab_route(struct edge_lab *e, uint32_t handle);
/* A new NAT gateway, which knows of no session and has no static ports. */
void edge_lab_forget(struct edge_lab *e);
/* The node's address has this public one; NULL: none. */
void edge_lab_public(struct edge_lab *e, struct lab_node *n, const char *public);

/* A packet with ports (or an ICMP query with an identifier, 'sport'), its checksums right. */
struct edge_packet {
	uint8_t protocol;
	const char *src, *dst;
	uint16_t sport, dport;
	uint8_t flags; /* TCP; ICMP: its type */
	uint16_t payload;
	uint8_t ttl; /* 0: 64 */
	bool no_checksum;
	uint16_t fragment; /* 0: DF */
};
/* One of 100 bytes, not a fragment. */
struct edge_packet edge_packet_of(uint8_t protocol, const char *src, uint16_t sport,
				  const char *dst, uint16_t dport, uint8_t flags);
struct frame edge_frame(const struct edge_lab *e, const struct lab_node *from,
			const struct edge_packet *p);
/* What the edge keeps of a flow for the rest of the second is forgotten, as when that is over. */
void edge_lab_next_second(struct edge_lab *e);
/* Waits until the programs' clock, which moves with the jiffies, has another second. */
void edge_lab_wait_second(void);
/* From a node to the world: the frame as it leaves the uplink.  The packet as edge_frame() takes
 * it. */
struct frame edge_lab_out(struct edge_lab *e, const struct lab_node *from,
			  const struct edge_packet *p);
/* From the world to a node: the frame as it reaches the node. */
struct frame edge_lab_in(struct edge_lab *e, const struct lab_node *to,
			 const struct edge_packet *p);
/* A packet from a node is dropped at the edge; one from the world is. */
void edge_lab_out_refused(struct edge_lab *e, const struct lab_node *from,
			  const struct edge_packet *p, uint32_t reason);
void edge_lab_in_refused(struct edge_lab *e, const struct edge_packet *p, uint32_t reason);
/* What the wire's frame that comes from the edge becomes at a node's host. */
struct frame edge_lab_deliver(struct edge_lab *e, const struct lab_node *to,
			      const struct frame *wire);
/* Addresses and ports of a frame, and its checksums, are these. */
void edge_assert(const struct frame *f, const char *src, uint16_t sport, const char *dst,
		 uint16_t dport);
uint16_t edge_sport(const struct frame *f);
/* An ICMP error from 'src' to 'dst' that quotes the first 'quoted' bytes of the IP packet in
 * 'about'. */
struct frame edge_error(const struct edge_lab *e, const struct lab_node *from, const char *src,
			const char *dst, const struct frame *about, size_t quoted);
