/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opened segments of one flow, together again: the other way of cut.h, for packets whose checksum
 * is partial, so that nothing that the sender of a segment said is lost by it.
 *
 * The room for the next packet overlaps the end of what is there by the length of a header, so that
 * its data, decrypted there, lies where it belongs.  What is covered is kept aside and put back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/virtio_net.h>

#include "base/err.h"
#include "seal/packet.h"

enum {
	MERGE_FRONT = 64, /* before the packet, for the caller's headers */
	/* of IP, as the kernel's GRO has it: less than what a node sent at once would come in
	 * two */
	MERGE_SIZE_MAX = 65535,
	MERGE_ROOM = 65536, /* for a packet that is not merged after all */
	MERGE_HEADER_MAX = 40 + 60,
	/* segments: the kernel's UDP_MAX_SEGMENTS before 6.9; it refuses more */
	MERGE_UDP_MAX = 64,
};

struct merge {
	bool keeps_udp; /* UDP may be merged: the device takes it */
	size_t n;       /* segments; 0: empty */
	struct shape shape;
	size_t size, step;
	uint32_t next_sequence;
	bool partial, ended; /* ended: nothing may follow */
	uint8_t covered[MERGE_HEADER_MAX];
	size_t n_covered;
	uint8_t bytes[MERGE_FRONT + MERGE_SIZE_MAX + MERGE_ROOM];
};

/* Where to put the next packet, of up to MERGE_ROOM bytes, before merge_add(), or
 * merge_withdraw(). */
uint8_t *merge_room(struct merge *m);
/* The packet in the room, of 'size' bytes: 0: it is part of what is here now.  -EAGAIN: it does not
 * belong to it: it was moved to 'spill', of MERGE_ROOM bytes; finish, reset, and merge_start().
 * -EBADMSG: it is no packet, or not one whose checksum can be partial. */
must_check int merge_add(struct merge *m, size_t size, bool partial, uint8_t *spill);
/* There is no packet in the room. */
void merge_withdraw(struct merge *m);
/* The first packet, from elsewhere. */
must_check int merge_start(struct merge *m, const uint8_t *packet, size_t size, bool partial);
/* What is here, whole: the IP packet, with MERGE_FRONT bytes in front of it, and its vnet header
 * for a device on which 'ethernet' bytes stand before it. */
uint8_t *merge_finish(struct merge *m, size_t ethernet, struct virtio_net_hdr *ret_vnet,
		      size_t *ret_size);
void merge_reset(struct merge *m);
