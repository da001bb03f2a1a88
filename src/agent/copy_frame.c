/* SPDX-License-Identifier: Apache-2.0 */
/* See copy_frame.h. */
#include "agent/copy_frame.h"

#include <string.h>

#include "net/csum.h"

enum {
	ETHERNET = 14,
	IPV4 = 20,
	IPV6 = 40,
	UDP = 8,
	TCP = 20,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	TCP_FIN = 0x01,
	TCP_PSH = 0x08,
	TCP_CWR = 0x80,
	FIRST_PORT = 49152, /* RFC 7348 5: from the dynamic range, constant for a flow */
	VXLAN_FLAGS = 0x08,
};

static void put16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void put32(uint8_t *at, uint32_t v)
{
	put16(at, v >> 16);
	put16(at + 2, v);
}

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) << 16 | get16(at + 2);
}

/* ---- the packet ---- */

/* Where its headers are. */
struct layout {
	bool v6;
	uint8_t protocol;
	size_t transport, payload; /* 0: not known */
};

static bool read_layout(const uint8_t *frame, size_t size, struct layout *l)
{
	uint32_t ethertype = size >= ETHERNET ? get16(frame + 12) : 0;

	*l = (struct layout){};
	if (ethertype == 0x0800 && size >= ETHERNET + IPV4 && frame[14] >> 4 == 4) {
		l->protocol = frame[23];
		l->transport = ETHERNET + (frame[14] & 15U) * 4;
	} else if (ethertype == 0x86dd && size >= ETHERNET + IPV6) {
		l->v6 = true;
		l->protocol = frame[20];
		l->transport = ETHERNET + IPV6;
	}
	if (!l->transport)
		return false;
	if (l->protocol == PROTOCOL_TCP && size >= l->transport + TCP)
		l->payload = l->transport + (frame[l->transport + 12] >> 4) * 4U;
	else if (l->protocol == PROTOCOL_UDP && size >= l->transport + UDP)
		l->payload = l->transport + UDP;
	return l->payload && l->payload <= size;
}

/* The transport's checksum, anew, over all of the packet. */
static void finish(uint8_t *frame, size_t size, const struct layout *l)
{
	uint8_t *check = frame + l->transport + (l->protocol == PROTOCOL_TCP ? 16 : 6);
	struct ipaddr src, dst;
	uint16_t sum;

	if (l->v6) {
		memcpy(src.b, frame + 22, 16);
		memcpy(dst.b, frame + 38, 16);
	} else {
		src = ipaddr_from_v4(get32(frame + 26));
		dst = ipaddr_from_v4(get32(frame + 30));
	}
	memset(check, 0, 2);
	sum = csum_fold(
		csum_add(csum_pseudo(&src, &dst, l->protocol, (uint32_t)(size - l->transport)),
			 frame + l->transport, size - l->transport));
	if (!sum && l->protocol == PROTOCOL_UDP)
		sum = 0xffff;
	memcpy(check, &sum, 2);
}

/* ---- the headers around it ---- */

/* Writes them before the packet that lies in 'work' behind their room, and sends it. */
static int wrap(uint8_t *work, size_t size, uint16_t source_port, const struct copy_frame_way *way,
		int (*fn)(uint8_t *frame, size_t size, void *arg), void *arg)
{
	size_t most = way->mtu > COPY_FRAME_HEADERS ? way->mtu - (size_t)COPY_FRAME_HEADERS : 0;
	uint8_t *ip = work + ETHERNET, *udp = ip + IPV4, *vxlan = udp + UDP;
	uint16_t sum;

	if (way->length && way->length < most)
		most = way->length;
	if (size > most)
		size = most;
	memset(work, 0, ETHERNET + COPY_FRAME_HEADERS);
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)(COPY_FRAME_HEADERS + size));
	put16(ip + 6, 0x4000); /* it fits, and if it does not, it is of no use in pieces */
	ip[8] = 64;
	ip[9] = PROTOCOL_UDP;
	put32(ip + 12, ipaddr_v4(&way->from));
	put32(ip + 16, ipaddr_v4(&way->to));
	sum = csum(ip, IPV4);
	memcpy(ip + 10, &sum, 2);
	put16(udp, source_port);
	put16(udp + 2, COPY_FRAME_UDP_PORT);
	put16(udp + 4, (uint32_t)(UDP + 8 + size)); /* no checksum: RFC 7348 4.1 */
	vxlan[0] = VXLAN_FLAGS;
	put32(vxlan + 4, way->vni << 8);
	return fn(work, ETHERNET + COPY_FRAME_HEADERS + size, arg);
}

/* Both directions of a flow have ports of their own. */
static uint16_t port_of(const uint8_t *frame, size_t size, const struct layout *l)
{
	size_t end = l->transport && l->transport + 4 <= size ? l->transport + 4 : size;
	size_t begin = l->transport ? (l->v6 ? 22 : 26) : 0;
	uint32_t h = csum_add(0, frame + begin, end > begin ? end - begin : 0) * 0x9E3779B1U;

	return (uint16_t)(FIRST_PORT + (h >> 18));
}

/* ---- segments ---- */

struct cutter {
	const struct dp_copy *c;
	const struct copy_frame_way *way;
	uint8_t *work;
	int (*fn)(uint8_t *frame, size_t size, void *arg);
	void *arg;
	struct layout l;
	uint16_t port;
};

/* The segment with 'size' bytes of payload from 'at' on, the 'n'th. */
static int cut(const struct cutter *t, size_t at, size_t size, uint32_t n, bool last)
{
	uint8_t *frame = t->work + ETHERNET + COPY_FRAME_HEADERS;
	size_t total = t->l.payload + size;
	uint8_t *transport = frame + t->l.transport;
	uint16_t sum;

	memcpy(frame, t->c->frame, t->l.payload);
	memcpy(frame + t->l.payload, t->c->frame + t->l.payload + at, size);
	if (t->l.v6) {
		put16(frame + 18, (uint32_t)(total - ETHERNET - IPV6));
	} else {
		put16(frame + 16, (uint32_t)(total - ETHERNET));
		put16(frame + 18, get16(frame + 18) + n);
		memset(frame + 24, 0, 2);
		sum = csum(frame + ETHERNET, t->l.transport - ETHERNET);
		memcpy(frame + 24, &sum, 2);
	}
	if (t->l.protocol == PROTOCOL_UDP) {
		put16(transport + 4, (uint32_t)(total - t->l.transport));
	} else {
		put32(transport + 4, get32(transport + 4) + (uint32_t)at);
		if (!last)
			transport[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
		if (n)
			transport[13] &= (uint8_t)~TCP_CWR;
	}
	finish(frame, total, &t->l);
	return wrap(t->work, total, t->port, t->way, t->fn, t->arg);
}

static int cut_all(const struct cutter *t)
{
	size_t left = t->c->size - t->l.payload, at = 0;
	uint32_t n = 0;
	int r = 0;

	while (left && !r) {
		size_t size = left < t->c->gso_size ? left : t->c->gso_size;

		left -= size;
		r = cut(t, at, size, n++, !left);
		at += size;
	}
	return r;
}

/* A checksum that was left to the device: what is in its place is the sum of the pseudo header. */
static void finish_partial(const struct dp_copy *c)
{
	size_t at = (size_t)c->sum_start + c->sum_at;
	uint16_t sum;

	if (!c->partial || c->sum_start >= c->size || at + 2 > c->size)
		return;
	sum = csum(c->frame + c->sum_start, c->size - c->sum_start);
	if (!sum)
		sum = 0xffff;
	memcpy(c->frame + at, &sum, 2);
}

int copy_frame_each(const struct dp_copy *c, const struct copy_frame_way *way, uint8_t *work,
		    int (*fn)(uint8_t *frame, size_t size, void *arg), void *arg)
{
	struct cutter t = {.c = c, .way = way, .work = work, .fn = fn, .arg = arg};
	bool known = read_layout(c->frame, c->size, &t.l);

	t.port = port_of(c->frame, c->size, &t.l);
	if (c->gso_size && known)
		return cut_all(&t);
	if (c->size > COPY_FRAME_MAX - ETHERNET - COPY_FRAME_HEADERS)
		return 0;
	finish_partial(c);
	memcpy(work + ETHERNET + COPY_FRAME_HEADERS, c->frame, c->size);
	return wrap(work, c->size, t.port, way, fn, arg);
}
