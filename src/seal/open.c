/* SPDX-License-Identifier: Apache-2.0 */
/* The way in: header, key, replay, cipher, and what was inside is what it says it is. */
#include <string.h>

#include "seal/psp.h"
#include "seal/seal.h"

enum {
	OPEN_VXLAN_PORT = 4789,
	OPEN_VXLAN_VNI = 0x08,
};

void opener_flush(struct opener *o)
{
	struct virtio_net_hdr vnet;
	uint8_t *packet, *frame;
	size_t size;

	if (!o->merge.n)
		return;
	packet = merge_finish(&o->merge, SEAL_ETHERNET, &vnet, &size);
	frame = packet - SEAL_ETHERNET - SEAL_VNET;
	memcpy(frame, &vnet, SEAL_VNET);
	memcpy(frame + SEAL_VNET, &o->note, sizeof(o->note));
	packet_put16(packet - 2, packet[0] >> 4 == 4 ? 0x0800 : 0x86dd);
	o->write(o->arg, frame, size + SEAL_ETHERNET + SEAL_VNET);
	merge_reset(&o->merge);
}

/* Takes what a tunnel has in front off: DROP_NONE with the network in 'note'. */
static enum drop_reason open_tunnel(const uint8_t **packet, size_t *size, struct seal_note *note)
{
	const uint8_t *udp = *packet, *vxlan = udp + 8;

	if (*size <= SEAL_TUNNEL_SIZE)
		return DROP_MALFORMED;
	if (packet_get16(udp + 2) != OPEN_VXLAN_PORT || packet_get16(udp + 4) != *size ||
	    packet_get16(udp + 6) || vxlan[0] != OPEN_VXLAN_VNI)
		return DROP_STATEMENT;
	note->kind = SEAL_NOTE_TUNNEL;
	memcpy(note->vni, vxlan + 4, 3);
	*packet += SEAL_TUNNEL_SIZE;
	*size -= SEAL_TUNNEL_SIZE;
	return DROP_NONE;
}

/* By the statement of what is inside: where the packet is, with what it is in 'note'. */
static enum drop_reason open_payload(struct opener *o, uint8_t next, const uint8_t **packet,
				     size_t *size, struct seal_note *note)
{
	enum drop_reason reason = DROP_NONE;

	if (next == PSP_NEXT_COMPRESSED) {
		reason = squeeze_unpack(*packet, *size, o->large, sizeof(o->large), size, &next);
		*packet = o->large;
		note->seal |= SEAL_NOTE_LZ4;
	}
	if (!reason && next == PSP_NEXT_UDP)
		return open_tunnel(packet, size, note);
	if (!reason && next != ((*packet)[0] >> 4 == 4 ? PSP_NEXT_IPV4 : PSP_NEXT_IPV6))
		reason = DROP_STATEMENT;
	return reason;
}

/* The packet in the room: with those before it, or in their place. */
static enum drop_reason open_keep(struct opener *o, const struct seal_note *note,
				  const uint8_t *room, size_t size, bool partial)
{
	int e = -EAGAIN;

	if (!o->merge.n || !memcmp(&o->note, note, sizeof(*note))) {
		e = merge_add(&o->merge, size, partial, o->spill);
	} else {
		memcpy(o->spill, room, size);
		merge_withdraw(&o->merge);
	}
	if (e == -EAGAIN) {
		opener_flush(o);
		e = merge_start(&o->merge, o->spill, size, partial);
	}
	if (e)
		return DROP_STATEMENT;
	o->note = *note;
	return DROP_NONE;
}

static enum drop_reason open_key(const struct table *t, const uint8_t *datagram, size_t size,
				 struct psp *psp, struct table_key **ret)
{
	enum drop_reason reason = psp_read(datagram, size, psp);
	struct table_key *key = reason ? NULL : table_opener_find(t, psp->spi);

	if (reason)
		return reason;
	if (!key)
		return DROP_KEY_UNKNOWN;
	if (key->record.cipher != psp->cipher)
		return DROP_STATEMENT;
	if (!replay_is_new(key->replay, psp->iv))
		return DROP_REPLAYED;
	*ret = key;
	return DROP_NONE;
}

/* Opens into the room of what is being merged, and decides what becomes of it. */
static enum drop_reason open_with(struct opener *o, struct table_key *key, const struct psp *psp,
				  const uint8_t *datagram, size_t size)
{
	struct seal_counters *c = &o->shared->peers[key->record.peer];
	struct seal_note note = {.magic = SEAL_NOTE_MAGIC, .seal = key->record.cipher};
	uint8_t *room = merge_room(&o->merge);
	const uint8_t *packet = room;
	enum drop_reason reason;

	if (size > MERGE_ROOM || cipher_open(&key->cipher, datagram, size, room)) {
		merge_withdraw(&o->merge);
		return DROP_BAD_TAG;
	}
	replay_note(key->replay, psp->iv);
	c->opened_packets++;
	c->opened_bytes += size;
	size -= SEAL_HEADER_SIZE + SEAL_TAG_SIZE;
	packet_put32(note.id, key->record.peer);
	reason = open_payload(o, psp->next, &packet, &size, &note);
	if (reason) {
		merge_withdraw(&o->merge);
		return reason;
	}
	if (packet != room) /* to where it can be merged in place */
		memmove(room, packet, size);
	return open_keep(o, &note, room, size, psp->spi & SEAL_SPI_PARTIAL);
}

static void open_refused(struct opener *o, enum drop_reason reason, uint32_t peer,
			 const uint8_t from[16])
{
	struct seal_shared *s = o->shared;
	struct seal_refusal *r = &s->refusals[s->n_refusals % SEAL_REFUSALS];

	seal_count_drop(s, reason);
	r->reason = reason;
	r->peer = peer;
	memcpy(r->from, from, 16);
	__atomic_store_n(&s->n_refusals, s->n_refusals + 1, __ATOMIC_RELEASE);
}

enum drop_reason open_datagram(struct opener *o, const struct table *t, const uint8_t *datagram,
			       size_t size, const uint8_t from[16])
{
	struct table_key *key = NULL;
	struct psp psp;
	enum drop_reason reason = open_key(t, datagram, size, &psp, &key);

	if (!reason)
		reason = open_with(o, key, &psp, datagram, size);
	if (reason)
		open_refused(o, reason, key ? key->record.peer : 0, from);
	return reason;
}
