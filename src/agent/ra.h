/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Router discovery (RFC 4861 4.1, 4.2, 6) for one interface: what a solicitation has to be, and the
 * advertisement.  Addresses come by DHCPv6 alone (managed, no autonomous prefix), the subnet's
 * prefix is on link.  Pure: no I/O, no clock.  Any thread.
 */
#pragma once

#include "base/buf.h"
#include "net/addr.h"

enum {
	RA_HOP_LIMIT = 255,           /* of discovery itself: nothing from elsewhere has it */
	RA_ROUTER_LIFETIME_S = 1800,  /* three times the longest interval that RFC 4861 6.2.1 has */
	RA_INTERVAL_S = 200,          /* between unsolicited ones */
	RA_PREFIX_LIFETIME_S = 86400, /* on link for as long; each advertisement renews it */
};

struct ra_params {
	struct mac router_mac;
	uint16_t mtu;         /* 0: none is told */
	struct prefix prefix; /* of the subnet; len 0: none is told */
};

/* The ICMPv6 message of a frame with 'hop_limit' from 'source' is a valid solicitation (RFC 4861
 * 6.1.1). 0 or -EBADMSG */
must_check int ra_check_solicitation(const uint8_t *message, size_t size, uint8_t hop_limit,
				     const struct ipaddr *source);
/* Appends the advertisement to 'b', its checksum zero. */
void ra_write(struct buf *b, const struct ra_params *p);
