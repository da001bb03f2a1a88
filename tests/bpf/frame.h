/* SPDX-License-Identifier: Apache-2.0 */
/* Frames made for and taken from BPF_PROG_RUN. */
#pragma once

#include <linux/pkt_cls.h>
#include <netinet/in.h>

#include "lab.h"

enum {
	FRAME_MAX = 2048,
	IP_AT = 14,
	FRAME_SOURCE_PORT = 1000,
	FRAME_DESTINATION_PORT = 2000,
};

struct frame {
	size_t size;
	uint8_t b[FRAME_MAX];
};

/* An IPv4 packet.  TCP, UDP and ICMP echo get a real header with a right checksum; the payload is
 * counted behind it, and behind the IP header for other protocols. */
struct v4 {
	const char *src, *dst;
	const uint8_t *mac; /* destination; NULL: the dummy MAC of 'dst' */
	uint8_t from;       /* last byte of the source MAC, 02:00:00:00:00:'from' */
	uint8_t protocol;
	uint8_t tos, ttl;
	uint16_t id, fragment; /* host order, as in the header */
	uint8_t n_options;     /* bytes, a multiple of 4 */
	bool no_checksum;      /* UDP without one */
	uint16_t payload;
};

struct frame frame_v4(const struct v4 *p);

/* An IPv6 packet, TCP or UDP, likewise. */
struct v6 {
	const char *src, *dst;
	const uint8_t *mac;
	uint8_t from;
	uint8_t protocol;
	uint8_t hop_limit;
	uint16_t payload;
};

struct frame frame_v6(const struct v6 *p);
/* An ICMPv6 error of a router of the substrate about 'about', to its source. */
struct frame frame_icmp6(const struct frame *about, uint8_t type, uint8_t code, uint32_t word);
/* Writes the right IPv4 header checksum again. */
void frame_fix_ip(struct frame *f);
uint16_t frame_u16(const struct frame *f, size_t at);
uint32_t frame_u32(const struct frame *f, size_t at);
void frame_put_u16(struct frame *f, size_t at, uint16_t v);
void frame_put_u32(struct frame *f, size_t at, uint32_t v);
void frame_put_addr6(struct frame *f, size_t at, const char *text);
void frame_assert_addr6(const struct frame *f, size_t at, const char *text);
void frame_assert_addr4(const struct frame *f, size_t at, const char *text);
/* The transport checksum over the pseudo header of the addresses in the packet is right. */
void frame_assert_checksum(const struct frame *f);

enum frame_program { RUN_PORT, RUN_SUBSTRATE, RUN_HANDED, RUN_UPLINK, RUN_DELIVERED };

/* Runs a program of 'host' with a frame from 'ifindex'; the verdict, and what became of the
 * frame. */
int frame_run(const struct lab *lab, int host, enum frame_program program, int ifindex,
	      const struct frame *in, struct frame *ret_out);
/* From a node's interface; from the wire (the destination MAC becomes the host's). */
int frame_from_node(const struct lab *lab, const struct lab_node *n, const struct frame *in,
		    struct frame *ret_out);
int frame_from_wire(const struct lab *lab, int host, const struct frame *in, struct frame *ret_out);
/* Really sends it from the host's wire to the other host. */
void frame_transmit(const struct lab *lab, int host, const struct frame *f);
/* From the world, to an edge's uplink (likewise). */
int frame_from_world(const struct lab *lab, const struct frame *in, struct frame *ret_out);
/* How many of host 1's packets from 'src' for 'dst', which was at host 2, the agent there has been
 * shown since it was last asked; it was asked for no source. */
size_t frame_shown_stale(const struct lab *lab, const char *src, const char *dst);
/* The frame is dropped, and 'reason' is counted for it at 'port' (0: the substrate side). */
void frame_assert_dropped_by_node(const struct lab *lab, const struct lab_node *n,
				  const struct frame *in, uint32_t reason);
void frame_assert_dropped_from_wire(const struct lab *lab, int host, uint32_t port,
				    const struct frame *in, uint32_t reason);
