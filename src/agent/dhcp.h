/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DHCP server of one interface (RFC 2131, 2132, 3442): it knows one client and one address,
 * keeps no state, and so cannot run out of anything.
 *
 * Decoding is strict, but takes what real clients send: padding, unknown options, options in any
 * order, no END behind a full packet. A client is answered with its interface's own record or not
 * at all.  Pure: no I/O, no clock.  Any thread.
 */
#pragma once

#include "base/buf.h"
#include "net/addr.h"

enum {
	DHCP_SERVER_PORT = 67,
	DHCP_CLIENT_PORT = 68,
	DHCP_SERVERS_MAX = 4, /* of a kind */
	DHCP_ROUTES_MAX = 16,
	DHCP_LEASE_SECONDS = 3600, /* EC2's; renewed after half of it */
};

struct dhcp_route {
	struct prefix prefix; /* IPv4 */
	struct ipaddr via;    /* IPv4; zero: on the link */
};

/* What the client is to be told. */
struct dhcp_lease {
	struct mac mac;     /* of the interface: requests of others are not answered */
	struct ipaddr addr; /* IPv4 */
	struct prefix subnet;
	struct ipaddr router;  /* also the server's identity */
	struct prefix network; /* reached by the router; len 0: none is told */
	size_t n_routes;       /* further ones, told with it; at most DHCP_ROUTES_MAX */
	const struct dhcp_route *routes;
	struct ipaddr resolvers[DHCP_SERVERS_MAX], ntp[DHCP_SERVERS_MAX]; /* IPv4 */
	size_t n_resolvers, n_ntp;                                        /* 0: none is told */
	uint16_t mtu;                                                     /* 0: none is told */
	const char *host_name,
		*domain; /* "" or NULL: none is told; nor is a domain above 140 characters */
};

enum dhcp_verdict {
	DHCP_ANSWER,  /* a payload was made */
	DHCP_SILENT,  /* well formed, and not ours to answer */
	DHCP_REFUSED, /* another client's MAC: nothing was made */
};

struct dhcp_answer {
	bool broadcast; /* send to 255.255.255.255, else to 'destination' */
	struct ipaddr destination;
	const char *kind; /* "offer", "ack", "nak"; of a request: "release", "decline" */
};

/* Reads the request and, when the verdict is DHCP_ANSWER, appends the answer's UDP payload to 'b'.
 * 0 with '*ret_verdict' and '*ret_answer' (kind only unless answered); -EBADMSG: not a DHCP
 * request. */
must_check int dhcp_serve(const uint8_t *payload, size_t size, const struct dhcp_lease *lease,
			  struct buf *b, enum dhcp_verdict *ret_verdict,
			  struct dhcp_answer *ret_answer);
