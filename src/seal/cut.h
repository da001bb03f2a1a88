/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole GSO packet, as the kernel hands it to a device with vnet headers (virtio 1.2 section
 * 5.1.6), into the segments that it stands for, so that each is sealed on its own and one that is
 * lost costs one segment.
 *
 * The segments are made in place: each one's header is written in front of its data, over data that
 * was taken before.  So a segment is valid until the next is asked for.  The rules of what differs
 * between segments are the kernel's own (TCP: RFC 9293 3.1, sequence, PSH, FIN and CWR; IPv4:
 * identification).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/virtio_net.h>

#include "base/err.h"
#include "seal/packet.h"

enum { CUT_HEADER_MAX = 40 + 60 };

struct cut {
	struct shape shape; /* of the packet as it came, and then of the last segment */
	bool partial;       /* the segments' checksums are */
	uint8_t *packet;
	size_t size, step; /* of all; data of one segment */
	size_t at;         /* where the next segment's data begins; 0: nothing was taken yet */
	uint8_t header[CUT_HEADER_MAX];
	uint32_t sequence;
};

/* 'packet' is 'size' bytes of IP, which may be written to; 'ethernet' bytes stand in front of it,
 * which the vnet header counts.  -EBADMSG when the two contradict each other, -EOPNOTSUPP for a
 * kind of GSO that is not asked for. */
must_check int cut_begin(struct cut *c, const struct virtio_net_hdr *vnet, size_t ethernet,
			 uint8_t *packet, size_t size);
/* The next segment and its size, or NULL. */
uint8_t *cut_next(struct cut *c, size_t *ret_size);
