/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/merge.h"

#include <string.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

enum {
	MERGE_TCP_PSH = 0x08,
	MERGE_TCP_ACK = 0x10,
	MERGE_TCP_FIN = 0x01,
};

static uint8_t *merge_packet(struct merge *m)
{
	return m->bytes + MERGE_FRONT;
}

uint8_t *merge_room(struct merge *m)
{
	m->n_covered = m->n ? m->shape.header : 0;
	memcpy(m->covered, merge_packet(m) + m->size - m->n_covered, m->n_covered);
	return merge_packet(m) + m->size - m->n_covered;
}

void merge_withdraw(struct merge *m)
{
	memcpy(merge_packet(m) + m->size - m->n_covered, m->covered, m->n_covered);
	m->n_covered = 0;
}

void merge_reset(struct merge *m)
{
	m->n = 0;
	m->size = 0;
	m->n_covered = 0;
}

/* What a first packet allows to follow. */
static void merge_describe(struct merge *m, const struct shape *s, bool partial)
{
	const uint8_t *packet = merge_packet(m), *tcp = packet + s->transport;
	size_t data = s->size - s->header;

	m->n = 1;
	m->shape = *s;
	m->size = s->size;
	m->step = data;
	m->partial = partial;
	m->ended = !partial || !data || s->header > MERGE_HEADER_MAX;
	if (s->protocol == SHAPE_TCP) {
		m->next_sequence = packet_get32(tcp + 4) + (uint32_t)data;
		m->ended |= tcp[13] != MERGE_TCP_ACK;
	} else {
		m->ended |= !m->keeps_udp;
	}
}

int merge_start(struct merge *m, const uint8_t *packet, size_t size, bool partial)
{
	struct shape s;

	if (size > MERGE_ROOM || shape_read(packet, size, &s) || (partial && !s.checksum))
		return -EBADMSG;
	memmove(merge_packet(m), packet, size);
	merge_describe(m, &s, partial);
	return 0;
}

/* The headers in front of the data are the same but for length, identification, sequence, the flags
 * that may end a run, and the checksum. */
static bool merge_headers_fit(const struct merge *m, const uint8_t *a, const uint8_t *b)
{
	size_t at = m->shape.transport;

	if (m->shape.v6) {
		if (memcmp(a, b, 4) || memcmp(a + 6, b + 6, 34))
			return false;
	} else {
		/* The identification counts up, or has no meaning (RFC 6864). */
		uint16_t expected = (uint16_t)(packet_get16(a + 4) + m->n);

		if (packet_get16(b + 4) != expected || memcmp(a, b, 2) || memcmp(a + 6, b + 6, 4) ||
		    memcmp(a + 12, b + 12, at - 12))
			return false;
	}
	a += at;
	b += at;
	if (m->shape.protocol == SHAPE_UDP)
		return !memcmp(a, b, 4);
	return !memcmp(a, b, 4) && packet_get32(b + 4) == m->next_sequence &&
	       !memcmp(a + 8, b + 8, 5) &&
	       (b[13] & ~(MERGE_TCP_PSH | MERGE_TCP_FIN)) == MERGE_TCP_ACK &&
	       !memcmp(a + 14, b + 14, 2) && !memcmp(a + 18, b + 18, m->shape.header - at - 18);
}

static bool merge_fits(const struct merge *m, const uint8_t *packet, const struct shape *s)
{
	size_t data = s->size - s->header;

	if (s->protocol == SHAPE_UDP && m->n >= MERGE_UDP_MAX)
		return false;
	return !m->ended && s->v6 == m->shape.v6 && s->protocol == m->shape.protocol &&
	       s->header == m->shape.header && s->transport == m->shape.transport && s->checksum &&
	       data && data <= m->step && m->size + data <= MERGE_SIZE_MAX &&
	       merge_headers_fit(m, m->bytes + MERGE_FRONT, packet);
}

int merge_add(struct merge *m, size_t size, bool partial, uint8_t *spill)
{
	uint8_t *room = merge_packet(m) + m->size - m->n_covered;
	struct shape s;
	size_t data;

	if (shape_read(room, size, &s) || (partial && !s.checksum)) {
		merge_withdraw(m);
		return -EBADMSG;
	}
	if (!m->n) {
		merge_describe(m, &s, partial);
		return 0;
	}
	if (!partial || !merge_fits(m, room, &s)) {
		memcpy(spill, room, size);
		merge_withdraw(m);
		return -EAGAIN;
	}
	data = size - s.header;
	if (s.protocol == SHAPE_TCP) {
		merge_packet(m)[s.transport + 13] |= room[s.transport + 13];
		m->ended = room[s.transport + 13] != MERGE_TCP_ACK;
		m->next_sequence += (uint32_t)data;
	}
	m->ended |= data < m->step;
	merge_withdraw(m);
	m->size += data;
	m->n++;
	return 0;
}

uint8_t *merge_finish(struct merge *m, size_t ethernet, struct virtio_net_hdr *ret_vnet,
		      size_t *ret_size)
{
	uint8_t *packet = merge_packet(m);
	const struct shape *s = &m->shape;

	*ret_vnet = (struct virtio_net_hdr){};
	if (m->n > 1) {
		shape_resize(packet, &m->shape, m->size);
		ret_vnet->gso_type = s->protocol == SHAPE_UDP ? VIRTIO_NET_HDR_GSO_UDP_L4
				     : s->v6                  ? VIRTIO_NET_HDR_GSO_TCPV6
							      : VIRTIO_NET_HDR_GSO_TCPV4;
		ret_vnet->gso_size = (uint16_t)m->step;
		ret_vnet->hdr_len = (uint16_t)(ethernet + s->header);
	}
	if (m->partial) {
		ret_vnet->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		ret_vnet->csum_start = (uint16_t)(ethernet + s->transport);
		ret_vnet->csum_offset = (uint16_t)(s->checksum - s->transport);
	}
	*ret_size = m->size;
	return packet;
}
