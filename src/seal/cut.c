/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/cut.h"

#include <string.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

enum {
	CUT_TCP_FIN = 0x01,
	CUT_TCP_PSH = 0x08,
	CUT_TCP_CWR = 0x80,
};

static bool cut_kind_fits(uint8_t kind, const struct shape *s)
{
	switch (kind) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return !s->v6 && s->protocol == SHAPE_TCP;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return s->v6 && s->protocol == SHAPE_TCP;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		return s->protocol == SHAPE_UDP;
	default:
		return false;
	}
}

/* One packet: a partial checksum that the other end could not find again is completed here. */
static int cut_single(struct cut *c, const struct virtio_net_hdr *vnet, size_t ethernet)
{
	size_t start = vnet->csum_start - ethernet, at = start + vnet->csum_offset;

	c->step = c->size;
	if (!(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return 0;
	if (vnet->csum_start < ethernet || at + 2 > c->size)
		return -EBADMSG;
	if (c->shape.checksum && start == c->shape.transport && at == c->shape.checksum)
		c->partial = true;
	else
		packet_complete(c->packet, c->size, start, at);
	return 0;
}

int cut_begin(struct cut *c, const struct virtio_net_hdr *vnet, size_t ethernet, uint8_t *packet,
	      size_t size)
{
	uint8_t kind = vnet->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;

	c->packet = packet;
	c->size = size;
	c->at = 0;
	c->partial = false;
	if (shape_read(packet, size, &c->shape))
		return -EBADMSG;
	if (kind == VIRTIO_NET_HDR_GSO_NONE)
		return cut_single(c, vnet, ethernet);
	if (!cut_kind_fits(kind, &c->shape))
		return -EOPNOTSUPP;
	if (!vnet->gso_size || !c->shape.checksum || c->shape.header > sizeof(c->header) ||
	    !(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return -EBADMSG;
	c->partial = true;
	c->step = vnet->gso_size;
	memcpy(c->header, packet, c->shape.header);
	if (c->shape.protocol == SHAPE_TCP)
		c->sequence = packet_get32(packet + c->shape.transport + 4);
	return 0;
}

static void cut_tcp(struct cut *c, uint8_t *tcp, size_t offset, bool last)
{
	packet_put32(tcp + 4, c->sequence + (uint32_t)offset);
	if (!last)
		tcp[13] &= (uint8_t) ~(CUT_TCP_FIN | CUT_TCP_PSH);
	if (offset)
		tcp[13] &= (uint8_t)~CUT_TCP_CWR;
}

uint8_t *cut_next(struct cut *c, size_t *ret_size)
{
	size_t header = c->shape.header, n, offset;
	struct shape whole = c->shape;
	uint8_t *segment;

	if (c->at >= c->size)
		return NULL;
	if (c->step == c->size) { /* not GSO */
		c->at = c->size;
		*ret_size = c->size;
		return c->packet;
	}
	if (!c->at)
		c->at = header;
	n = c->size - c->at < c->step ? c->size - c->at : c->step;
	offset = c->at - header;
	segment = c->packet + offset;
	memcpy(segment, c->header, header);
	if (!whole.v6)
		packet_put16(segment + 4,
			     (uint16_t)(packet_get16(c->header + 4) + offset / c->step));
	if (whole.protocol == SHAPE_TCP)
		cut_tcp(c, segment + whole.transport, offset, c->at + n == c->size);
	shape_resize(segment, &whole, header + n);
	c->at += n;
	*ret_size = header + n;
	return segment;
}
