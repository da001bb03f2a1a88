/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the threads of the worker do with packets, without the threads and the descriptors.
 *
 * seal_frame(): a frame from the sealing device becomes sealed datagrams in an outbox, each segment
 * of a GSO packet on its own.  open_datagram(): a datagram becomes a frame for the device; segments
 * that follow each other are put together first, and written by 'write' when the next one does not
 * fit or opener_flush() is called.
 *
 * Ownership: both borrow table, counters and outbox.  Threading: each belongs to one thread; the
 * table does not change during a call.
 */
#pragma once

#include "seal/merge.h"
#include "seal/outbox.h"
#include "seal/protocol.h"
#include "seal/squeeze.h"
#include "seal/table.h"

enum {
	SEAL_ETHERNET = 14,
	SEAL_VNET = 10,  /* struct virtio_net_hdr */
	SEAL_FRONT = 64, /* before a frame's IP packet: for what a tunnel has there */
};

struct sealer {
	struct outbox *outbox;
	struct reserve *reserve;
	struct seal_shared *shared;
	uint8_t state[SQUEEZE_STATE_SIZE] __attribute__((aligned(16))); /* of LZ4 */
	uint8_t small[65536 + SEAL_FRONT];
};

/* 'packet' is IP, of 'size' bytes, with SEAL_FRONT bytes before it that may be written to. */
void seal_frame(struct sealer *s, const struct table *t, const struct virtio_net_hdr *vnet,
		const struct seal_note *note, uint8_t *packet, size_t size);

struct opener {
	/* Writes a frame: vnet header, Ethernet header, packet. */
	void (*write)(void *arg, const uint8_t *frame, size_t size);
	void *arg;
	struct seal_shared *shared;
	struct seal_note note; /* of what is being merged */
	uint8_t large[65536];
	uint8_t spill[MERGE_ROOM];
	struct merge merge;
};

/* DROP_NONE, or why it is refused, which is counted. */
enum drop_reason open_datagram(struct opener *o, const struct table *t, const uint8_t *datagram,
			       size_t size, const uint8_t from[16]);
void opener_flush(struct opener *o);
