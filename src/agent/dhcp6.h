/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DHCPv6 server of one interface (RFC 8415, 3646): like dhcp.h it knows one client and that
 * client's addresses, keeps no state, and so cannot run out of anything.
 *
 * All addresses of the interface are given to the client's first IA_NA; another one, temporary
 * addresses and prefixes get none.  An address that the client names and has not any more is told
 * with lifetimes of zero.  Pure: no I/O, no clock.  Any thread.
 */
#pragma once

#include "base/buf.h"
#include "net/addr.h"

enum {
	DHCP6_SERVER_PORT = 547,
	DHCP6_CLIENT_PORT = 546,
	DHCP6_SERVERS_MAX = 4,
	/* EC2's: what changes reaches the node soon */
	DHCP6_PREFERRED_S = 140,
	DHCP6_VALID_S = 450,
	DHCP6_T1_S = 70, /* half, and four fifths, of the preferred lifetime (RFC 8415 14.2) */
	DHCP6_T2_S = 112,
	DHCP6_DUID_MAX = 130, /* RFC 8415 11.1, with its type */
};

/* What the client is to be told. */
struct dhcp6_lease {
	struct mac router_mac;      /* the server's identity (DUID-LL) */
	const struct ipaddr *addrs; /* of both families: IPv4 and link-local ones are passed over */
	size_t n_addrs;
	struct prefix subnet;
	struct ipaddr resolvers[DHCP6_SERVERS_MAX]; /* IPv6 */
	size_t n_resolvers;
	const char *domain; /* "" or NULL: none is told */
};

enum dhcp6_verdict {
	DHCP6_ANSWER, /* a payload was made */
	DHCP6_SILENT, /* well formed, and not ours to answer */
};

/* Reads the request and, when the verdict is DHCP6_ANSWER, appends the answer's UDP payload to 'b',
 * for whoever sent the request.  'unicast': it was sent to the server alone, which nobody was told
 * to do (RFC 8415 18.4).  0 with '*ret_verdict' and '*ret_kind', static text for logs; -EBADMSG:
 * not a client's message, or one that RFC 8415 16 has a server discard for its form. */
must_check int dhcp6_serve(const uint8_t *payload, size_t size, bool unicast,
			   const struct dhcp6_lease *lease, struct buf *b,
			   enum dhcp6_verdict *ret_verdict, const char **ret_kind);
