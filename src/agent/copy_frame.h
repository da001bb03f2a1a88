/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of packets as VXLAN packets (RFC 7348): what came up whole is cut into the packets that it
 * becomes on the wire, their checksums finished, and each is put behind new headers.
 *
 *	14 bytes of room | IPv4 | UDP, to 4789 | VXLAN | the packet, from its Ethernet header on
 *
 * Pure functions on bytes.  What is no packet that they understand is wrapped as it is.
 */
#pragma once

#include "base/err.h"
#include "datapath/watch.h"

enum {
	COPY_FRAME_UDP_PORT = 4789,
	COPY_FRAME_HEADERS = 20 + 8 + 8,
	COPY_FRAME_MAX = 65536 + 64,
};

struct copy_frame_way {
	struct ipaddr from, to; /* IPv4 */
	uint32_t vni;
	uint32_t length; /* at most so many bytes of a packet; 0: all */
	uint16_t mtu;    /* of the network: longer ones are cut to fit */
};

/* Calls 'fn' with each packet, 'frame' in 'work' (COPY_FRAME_MAX bytes); a non-zero return ends it
 * and is returned.  'c->frame' is written to. */
int copy_frame_each(const struct dp_copy *c, const struct copy_frame_way *way, uint8_t *work,
		    int (*fn)(uint8_t *frame, size_t size, void *arg), void *arg);
