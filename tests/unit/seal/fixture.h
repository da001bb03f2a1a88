/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends of one key in memory: what one seals is taken from its outbox and given to the other. */
#pragma once

#include "seal/seal.h"

struct fixture {
	struct past past;
	struct seal_shared *shared[2]; /* of the sender, of the receiver */
	struct outbox *outbox;
	struct sealer *sealer;
	struct opener *opener;
	struct table *tables[2];
	/* What the opener wrote last, and how often. */
	uint8_t frame[SEAL_VNET + SEAL_ETHERNET + 65536];
	size_t size, n_frames;
	char path[64], windows[80];
};

enum { FIXTURE_SENDER = 5, FIXTURE_RECEIVER = 6, FIXTURE_EPOCH = 7 };

struct fixture *fixture_new(enum seal_cipher cipher, bool lz4);
void fixture_free(struct fixture *f);
/* An image of one class and one key, 'seals' or not; to be freed. */
void *fixture_image(enum seal_cipher cipher, bool lz4, bool seals, uint64_t epoch, uint8_t first,
		    size_t *ret_size);
/* Seals one packet of IP as class 1, or as a tunnel's. */
void fixture_seal(struct fixture *f, const struct virtio_net_hdr *vnet, const uint8_t *packet,
		  size_t size, bool tunnel);
/* The n-th datagram that waits in the outbox, or NULL. */
uint8_t *fixture_datagram(struct fixture *f, size_t n, size_t *ret_size);
/* A worker that is killed and another one: the receiver's table is told anew. */
void fixture_restart(struct fixture *f, enum seal_cipher cipher);
enum drop_reason fixture_open(struct fixture *f, const uint8_t *datagram, size_t size);
/* An IPv6 packet with TCP (or UDP) and 'data' bytes, its checksum partial; the size. */
size_t fixture_packet(uint8_t *ret, bool v6, bool tcp, size_t data, uint8_t fill);
