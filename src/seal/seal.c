/* SPDX-License-Identifier: Apache-2.0 */
/* The way out: segments, compression, header, cipher. */
#include "seal/seal.h"

#include <string.h>

#include "seal/cut.h"
#include "seal/psp.h"

enum {
	SEAL_VXLAN_PORT = 4789,
	SEAL_VXLAN_VNI = 0x08, /* RFC 7348: the VNI is valid */
};

static const uint8_t seal_macs[] = {0x0e, 0x76, 0x69, 0x61, 0x00, 0x01,
				    0x0e, 0x76, 0x69, 0x61, 0x00, 0x02};

static uint32_t seal_note_id(const struct seal_note *note)
{
	return packet_get32(note->id);
}

/* UDP, VXLAN and Ethernet headers in front of an inner packet (RFC 7348 section 5), its UDP without
 * a checksum: the tag covers more. */
static uint8_t *seal_tunnel(uint8_t *packet, size_t *size, const struct seal_note *note)
{
	uint8_t headers[SEAL_TUNNEL_SIZE] = {0}, *vxlan = headers + 8, *ethernet = vxlan + 8;

	packet_put16(headers, SEAL_VXLAN_PORT);
	packet_put16(headers + 2, SEAL_VXLAN_PORT);
	packet_put16(headers + 4, (uint16_t)(*size + SEAL_TUNNEL_SIZE));
	vxlan[0] = SEAL_VXLAN_VNI;
	memcpy(vxlan + 4, note->vni, 3);
	memcpy(ethernet, seal_macs, sizeof(seal_macs));
	packet_put16(ethernet + 12, packet[0] >> 4 == 4 ? 0x0800 : 0x86dd);
	*size += SEAL_TUNNEL_SIZE;
	return memcpy(packet - SEAL_TUNNEL_SIZE, headers, SEAL_TUNNEL_SIZE);
}

/* Constant for a flow. */
static uint32_t seal_hash(const uint8_t *packet, const struct shape *s)
{
	uint32_t h = s->v6 ? packet_get32(packet) & 0x7ff : packet_get32(packet + 12);

	if (s->checksum)
		h ^= packet_get32(packet + s->transport) * 0x9E3779B1U;
	return h ^ h >> 16;
}

static void seal_drop(struct sealer *s, enum drop_reason reason)
{
	seal_count_drop(s->shared, reason);
}

static void seal_segment(struct sealer *s, const struct table_class *class, uint8_t next,
			 const uint8_t *payload, size_t size, bool partial, uint32_t hash)
{
	struct table_key *key = class->key;
	struct psp psp = {
		.next = next,
		.cipher = (enum seal_cipher) class->record.cipher,
		.spi = class->record.spi | (partial ? SEAL_SPI_PARTIAL : 0),
		.iv = key->next,
	};
	struct seal_counters *c = &s->shared->peers[class->record.peer];
	size_t packed =
		class->record.lz4 ? squeeze_pack(s->state, next, payload, size, s->small) : 0;
	uint8_t *datagram = outbox_room(s->outbox, size + SEAL_HEADER_SIZE + SEAL_TAG_SIZE);

	if (packed) {
		c->saved_bytes += size - packed;
		payload = s->small;
		size = packed;
		psp.next = PSP_NEXT_COMPRESSED;
	}
	psp_write(&psp, datagram);
	if (cipher_seal(&key->cipher, datagram, payload, size)) {
		seal_drop(s, DROP_REWRITE);
		return;
	}
	key->next++;
	size += SEAL_HEADER_SIZE + SEAL_TAG_SIZE;
	c->sealed_packets++;
	c->sealed_bytes += size;
	outbox_add(s->outbox, size, class->record.remote, hash);
}

void seal_frame(struct sealer *s, const struct table *t, const struct virtio_net_hdr *vnet,
		const struct seal_note *note, uint8_t *packet, size_t size)
{
	const struct table_class *class = table_class_find(t, seal_note_id(note));
	bool tunnel = note->kind == SEAL_NOTE_TUNNEL;
	uint8_t next, *segment;
	struct cut cut;
	uint32_t hash;

	if (!class || !class->key) {
		seal_drop(s, DROP_KEY_UNKNOWN);
		return;
	}
	if (cut_begin(&cut, vnet, SEAL_ETHERNET, packet, size)) {
		seal_drop(s, DROP_MALFORMED);
		return;
	}
	/* One more than are needed: a vector that is not used does no harm. */
	if (reserve_cover(s->reserve, class->key->next + size + 1)) {
		seal_drop(s, DROP_REWRITE);
		return;
	}
	hash = seal_hash(packet, &cut.shape);
	next = tunnel ? PSP_NEXT_UDP : cut.shape.v6 ? PSP_NEXT_IPV6 : PSP_NEXT_IPV4;
	while ((segment = cut_next(&cut, &size))) {
		if (tunnel)
			segment = seal_tunnel(segment, &size, note);
		seal_segment(s, class, next, segment, size, cut.partial, hash);
	}
}
