/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/packet.h"

static uint16_t packet_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

uint16_t packet_sum(const uint8_t *bytes, size_t size, uint32_t start)
{
	uint64_t sum = start;
	uint32_t word;
	uint8_t last[4] = {};

	for (; size >= 4; bytes += 4, size -= 4) {
		memcpy(&word, bytes, 4);
		sum += word;
	}
	memcpy(last, bytes, size);
	memcpy(&word, last, 4);
	return packet_fold(sum + word);
}

void packet_complete(uint8_t *packet, size_t size, size_t start, size_t at)
{
	uint16_t sum = (uint16_t)~packet_sum(packet + start, size - start, 0);

	if (!sum)
		sum = 0xffff; /* UDP: zero means none; for TCP it is the same value */
	memcpy(packet + at, &sum, 2);
}

static int shape_ip(const uint8_t *packet, size_t size, struct shape *s)
{
	if (size >= 40 && packet[0] >> 4 == 6) {
		s->v6 = true;
		s->transport = 40;
		s->protocol = packet[6];
		s->size = 40U + packet_get16(packet + 4);
	} else if (size >= 20 && packet[0] >> 4 == 4) {
		s->transport = (uint16_t)((packet[0] & 15) * 4);
		s->protocol = packet[9];
		s->size = packet_get16(packet + 2);
		s->fragment = packet_get16(packet + 6) & 0x3fff;
		if (s->transport < 20)
			return -EBADMSG;
	} else {
		return -EBADMSG;
	}
	s->header = s->transport;
	return s->size == size && s->size >= s->transport ? 0 : -EBADMSG;
}

int shape_read(const uint8_t *packet, size_t size, struct shape *ret)
{
	struct shape s = {};
	int e = shape_ip(packet, size, &s);
	size_t room = e ? 0 : size - s.transport, header;

	if (e)
		return e;
	if (!s.fragment && s.protocol == SHAPE_TCP) {
		header = room >= 20 ? (size_t)(packet[s.transport + 12] >> 4) * 4 : 0;
		if (header < 20 || header > room)
			return -EBADMSG;
		s.header = (uint16_t)(s.transport + header);
		s.checksum = (uint16_t)(s.transport + 16);
	} else if (!s.fragment && s.protocol == SHAPE_UDP) {
		if (room < 8)
			return -EBADMSG;
		s.header = (uint16_t)(s.transport + 8);
		s.checksum = (uint16_t)(s.transport + 6);
	}
	*ret = s;
	return 0;
}

/* Adds to a field of a ones' complement sum. */
static void packet_add16(uint8_t *at, uint32_t difference)
{
	uint32_t sum = packet_get16(at) + difference;

	sum = (sum & 0xffff) + (sum >> 16);
	packet_put16(at, (uint16_t)((sum & 0xffff) + (sum >> 16)));
}

void shape_resize(uint8_t *packet, struct shape *s, size_t size)
{
	/* Ones' complement: a difference below zero is its complement. */
	uint32_t difference = size >= s->size ? (uint32_t)(size - s->size)
					      : (uint32_t)(0xffff - (s->size - size));

	if (s->v6) {
		packet_put16(packet + 4, (uint16_t)(size - 40));
	} else {
		packet_put16(packet + 2, (uint16_t)size);
		memset(packet + 10, 0, 2);
		packet_complete(packet, s->transport, 0, 10);
	}
	if (s->protocol == SHAPE_UDP)
		packet_put16(packet + s->transport + 4, (uint16_t)(size - s->transport));
	if (s->checksum)
		packet_add16(packet + s->checksum, difference);
	s->size = (uint32_t)size;
}
