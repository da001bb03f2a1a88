/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 over Ethernet, both ways, for what the agent answers itself (router solicitations, DHCPv6).
 *
 * Reading trusts nothing but the programs' word who sent it: version and lengths are checked;
 * extension headers are not taken, nobody needs them here.  Checksums are not looked at, because a
 * node's kernel leaves them to an offload that this packet never meets.  Any thread.
 * Errors: -EBADMSG for a frame that is not whole, plain UDP or ICMPv6 over IPv6.
 */
#pragma once

#include "base/buf.h"
#include "net/addr.h"

struct reply6 {
	struct mac source_mac, destination_mac;
	struct ipaddr source, destination;
	uint8_t hop_limit;
	/* IPPROTO_ICMPV6: 'payload' is the whole message, its checksum zero when written */
	uint8_t protocol;
	uint16_t source_port, destination_port; /* IPPROTO_UDP */
	const uint8_t *payload;                 /* borrowed from the frame */
	size_t size;
};

must_check int reply6_parse(const uint8_t *frame, size_t size, struct reply6 *ret);
/* Appends the frame to 'b', checksums filled in.  The buffer keeps the error. */
void reply6_build(struct buf *b, const struct reply6 *r);
