/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of security groups, ACLs and connections share: nodes in two subnets and on two
 * hosts, packets of all kinds sent from one to another through the real programs, and the reason
 * when one does not get there.
 *
 *	a 10.0.1.10, c 10.0.1.12 on host 1;  b 10.0.1.11, d 10.0.2.13 on host 2
 *
 * Each has an IPv6 address as well: 2001:db8:0:1::10 and so on.
 *
 * A node's group is its own: a has 1, b 2, c 3, d 4.
 */
#pragma once

#include "abi/maps.h"
#include "frame.h"

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

struct policy_lab {
	struct lab lab;
	struct lab_node *a, *b, *c, *d;
	bool v6; /* policy_tcp() and policy_udp() send IPv6 */
};

extern struct policy_lab policy_lab;

int policy_lab_set_up(void **state);
int policy_lab_tear_down(void **state);
/* No node is in a group, no ACL is set, nothing is tracked. */
int policy_lab_reset(void **state);

/* One rule: allowed from or to 'prefix', or 'group' if not 0. */
struct dp_rule policy_rule(bool egress, uint16_t protocol, uint16_t from, uint16_t to,
			   const char *prefix, uint32_t group);
/* The group's rules, on both hosts. */
void policy_set_group(uint32_t number, const struct dp_rule *rules, size_t n);
/* A node's groups, also in the mappings of both hosts. */
void policy_join(struct lab_node *n, uint32_t group);
/* A node in its own group with these rules. */
void policy_give(struct lab_node *n, const struct dp_rule *rules, size_t n_rules);

/* One entry of an ACL, about all of IPv4; the entries of one, on both hosts. */
struct dp_acl_entry policy_entry(bool egress, bool allow, uint16_t protocol, uint16_t from,
				 uint16_t to);
void policy_set_acl(uint32_t number, const struct dp_acl_entry *entries, size_t n);

/* What a packet is about. */
struct policy_packet {
	const struct lab_node *from, *to;
	uint8_t protocol;
	uint16_t source, destination; /* ICMP: type << 8 | code, and the number of a query */
	uint8_t tcp;
	uint16_t fragment, id;     /* as in the header */
	const struct frame *quote; /* by an ICMP error */
	bool v6;                   /* TCP and UDP, in one piece */
};

struct frame policy_frame(const struct policy_packet *p);
/* Sends it; 0 when it arrives, or the reason. */
uint32_t policy_send(const struct policy_packet *p);
uint32_t policy_send_frame(const struct lab_node *from, const struct lab_node *to,
			   const struct frame *f);
/* In short. */
uint32_t policy_tcp(const struct lab_node *from, const struct lab_node *to, uint16_t source,
		    uint16_t destination, uint8_t flags);
uint32_t policy_udp(const struct lab_node *from, const struct lab_node *to, uint16_t source,
		    uint16_t destination);
uint32_t policy_icmp(const struct lab_node *from, const struct lab_node *to, uint8_t type,
		     uint16_t number);

/* The state of the connection of a node's port 'local' with 'remote' of any other; "none". */
const char *policy_state(const struct lab_node *n, uint16_t local, uint16_t remote);
size_t policy_count(const struct lab_node *n);
/* As if so much time had passed for what the node has: seconds, or ticks of the programs' clock. */
void policy_age(const struct lab_node *n, uint32_t seconds);
void policy_age_ticks(const struct lab_node *n, uint32_t ticks);
/* Leaves the node without a connection. */
void policy_forget(const struct lab_node *n);
/* Changes what the node has in the table of connections, free places too. */
void policy_each(const struct lab_node *n, void (*fn)(struct dp_connection_value *, uint32_t),
		 uint32_t arg);
