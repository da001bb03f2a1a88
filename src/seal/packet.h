/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An IP packet and its transport header, as the worker has to know them: where they are, and what a
 * change of length does to length fields and checksums.  IPv4 and IPv6, TCP and UDP; of anything
 * else only that it is whole.
 *
 * A *partial* checksum field holds the sum of the pseudo header alone, uncomplemented (virtio 1.2
 * section 5.1.6.2, VIRTIO_NET_HDR_F_NEEDS_CSUM).  Pure functions; any thread.
 */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

struct shape {
	bool v6;
	bool fragment;      /* IPv4: no transport header to look at */
	uint8_t protocol;   /* 6, 17, or another */
	uint16_t transport; /* where it begins */
	uint16_t header;   /* what stands in front of TCP or UDP data; else of all data behind IP */
	uint16_t checksum; /* where the checksum is; 0: not TCP or UDP */
	uint32_t size;     /* as the IP header says */
};

enum { SHAPE_TCP = 6, SHAPE_UDP = 17 };

/* -EBADMSG when 'packet' is no whole IP packet of exactly 'size' bytes, or its TCP or UDP header is
 * cut. */
must_check int shape_read(const uint8_t *packet, size_t size, struct shape *ret);

/* Says that the packet has 'size' bytes now, in IP, UDP and a partial checksum; 'shape' is what it
 * was and is changed with it. */
void shape_resize(uint8_t *packet, struct shape *shape, size_t size);

/* Completes the partial checksum of which 'at' is the field and 'start' where summing begins. */
void packet_complete(uint8_t *packet, size_t size, size_t start, size_t at);
/* Ones' complement sum of bytes, folded to 16 bits, as they lie in memory. */
uint16_t packet_sum(const uint8_t *bytes, size_t size, uint32_t sum);

static inline uint16_t packet_get16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return be16toh(value);
}

static inline void packet_put16(uint8_t *at, uint16_t value)
{
	value = htobe16(value);
	memcpy(at, &value, sizeof(value));
}

static inline uint32_t packet_get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

static inline void packet_put32(uint8_t *at, uint32_t value)
{
	value = htobe32(value);
	memcpy(at, &value, sizeof(value));
}
