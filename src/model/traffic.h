/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which traffic a rule of a security group or an entry of a network ACL speaks of: a protocol, and
 * its destination ports (TCP, UDP) or its types and codes (ICMP, ICMPv6).  Kept as the hosts
 * compare it (abi/agent.proto, Rule), written and read as EC2 does.  Plain values, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/refusal.h"

enum {
	TRAFFIC_ANY = 256, /* all protocols */
	TRAFFIC_ICMP = 1,
	TRAFFIC_TCP = 6,
	TRAFFIC_UDP = 17,
	TRAFFIC_ICMPV6 = 58,
	TRAFFIC_MAX = 0xffff, /* the end of 'to' */
};

struct traffic {
	uint32_t protocol; /* IANA's number, or TRAFFIC_ANY */
	uint32_t from, to; /* ports; ICMP: type << 8 | code; 0 to TRAFFIC_MAX: all */
};

/* Of a protocol ("tcp", "6", "-1" for all) and, NULL when not given, its first and last port or its
 * ICMP type and code (-1: all).  For other protocols these have no meaning.  TRAFFIC, with the
 * subject 'protocol' or what is wrong with the range. */
must_check int traffic_parse(const char *protocol, const int32_t *from, const int32_t *to,
			     struct traffic *ret, struct refusal *reterr);
bool traffic_has_ports(const struct traffic *t); /* TCP, UDP */
bool traffic_is_icmp(const struct traffic *t);   /* ICMP, ICMPv6 */
/* The two numbers as EC2 writes them: ports, type and code; -1 for all. */
void traffic_range(const struct traffic *t, int32_t *ret_from, int32_t *ret_to);
/* "tcp", "udp", "icmp", "icmpv6", "-1", or the number. */
enum { TRAFFIC_TEXT_SIZE = 12 };
const char *traffic_name(const struct traffic *t, char buf[static TRAFFIC_TEXT_SIZE]);
/* The number alone: "6", "-1". */
const char *traffic_number(const struct traffic *t, char buf[static TRAFFIC_TEXT_SIZE]);
bool traffic_equal(const struct traffic *a, const struct traffic *b);
/* Whether a packet of 'protocol' to 'port' (or of ICMP type << 8 | code; 0 where there is neither)
 * is among it. */
bool traffic_covers(const struct traffic *t, uint32_t protocol, uint32_t port);
