/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UDP over IPv4 over Ethernet, both ways, for what the agent answers itself (DHCP, DNS).
 *
 * Reading trusts nothing: lengths, version, header checksum and fragment fields are checked; the
 * UDP checksum is not, because a node's kernel leaves it to an offload that this packet never
 * meets. Any thread.  Errors: -EBADMSG for a frame that is not whole, plain UDP over IPv4.
 */
#pragma once

#include "base/buf.h"
#include "net/addr.h"

struct reply_udp {
	struct mac source_mac, destination_mac;
	struct ipaddr source, destination; /* IPv4 */
	uint16_t source_port, destination_port;
	const uint8_t *payload; /* borrowed from the frame */
	size_t size;
};

must_check int reply_parse(const uint8_t *frame, size_t size, struct reply_udp *ret);
/* Appends the frame to 'b', checksums filled in.  The buffer keeps the error. */
void reply_build(struct buf *b, const struct reply_udp *u);
