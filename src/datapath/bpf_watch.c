/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watched ports: records of flows, rules of mirrors, and the device that copies come up by.  See
 * datapath/watch.h and abi/watch.h.
 */
#include "datapath/bpf_host.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/rand.h"
#include "datapath/bpf_skel.h"

enum { WATCH_BATCH = 4096 }; /* records read in one call */

static struct dp_watch_value *state(struct bpf_host *h)
{
	return bpf_array_row(&h->watch, 0);
}

void bpf_watch_open(struct bpf_host *h)
{
	struct dp_watch_value *w = state(h);
	struct clock clock;

	if (w->epoch)
		return;
	clock_init_real(&clock);
	w->opened = clock_mono_ns(&clock);
	w->window = 1;
	w->epoch = rand_u64() | 1;
}

void bpf_watch_reset(struct bpf_host *h, uint32_t slot)
{
	struct dp_watch_slot *s = bpf_array_row(&h->watch_slots, slot);

	memset(s, 0, sizeof(*s));
}

/* ---- windows ---- */

static bool has_closed(const struct dp_watch_value *w)
{
	return w->window - w->done > 1;
}

int bpf_window_close(struct datapath *dp, uint64_t now_ns)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct dp_watch_value *w = state(h);
	uint32_t next = (w->window + 1) & 1;

	if (has_closed(w))
		return -EBUSY;
	for (uint32_t slot = 1; slot < DP_SLOTS_MAX; slot++) {
		struct dp_watch_slot *s = bpf_array_row(&h->watch_slots, slot);

		s->used[next] = 0;
		s->skipped[next] = 0;
	}
	w->opened_before = w->opened;
	w->opened = now_ns;
	__atomic_store_n(&w->window, w->window + 1, __ATOMIC_RELEASE);
	return 0;
}

int bpf_window(struct datapath *dp, struct dp_window *ret)
{
	const struct dp_watch_value *w = state(bpf_host_of(dp));

	if (!has_closed(w))
		return -ENOENT;
	*ret = (struct dp_window){.epoch = w->epoch,
				  .number = w->window - 1,
				  .opened_ns = w->opened_before,
				  .closed_ns = w->opened};
	return 0;
}

static struct dp_record record_of(const struct dp_record_key *k, const struct dp_record_value *v)
{
	struct dp_record r = {
		.port = k->port,
		.egress = k->flags & DP_RECORD_EGRESS,
		.reject = k->flags & DP_RECORD_REJECT,
		.protocol = k->protocol,
		.tcp = (uint8_t)v->tcp,
		.source = ntohs(k->source),
		.destination = ntohs(k->destination),
		.packets = v->packets,
		.bytes = v->bytes,
		.first_ns = v->first,
		.last_ns = v->last,
	};

	memcpy(r.src.b, k->src, 16);
	memcpy(r.dst.b, k->dst, 16);
	return r;
}

struct batch {
	struct dp_record_key keys[WATCH_BATCH];
	struct dp_record_value values[WATCH_BATCH];
};

/* Reads the whole table; 'fn' gets each record of a window that is closed. */
static int walk(struct bpf_host *h,
		int (*fn)(const struct dp_record_key *k, const struct dp_record_value *v,
			  void *arg),
		void *arg)
{
	_cleanup_free_ struct batch *b = malloc(sizeof(*b));
	int fd = bpf_map__fd(h->skel->maps.records), r = 0, e = 0;
	uint32_t at = 0, now = state(h)->window, n;
	void *in = NULL;

	if (!b)
		return -ENOMEM;
	while (!e && !r) {
		n = WATCH_BATCH;
		e = bpf_map_lookup_batch(fd, in, &at, b->keys, b->values, &n, NULL);
		if (e && e != -ENOENT)
			return e;
		in = &at;
		for (uint32_t i = 0; i < n && !r; i++)
			if (b->keys[i].window != now)
				r = fn(&b->keys[i], &b->values[i], arg);
	}
	return r;
}

struct reader {
	int (*fn)(const struct dp_record *, void *);
	void *arg;
};

static int read_one(const struct dp_record_key *k, const struct dp_record_value *v, void *arg)
{
	const struct reader *reader = arg;
	struct dp_record r = record_of(k, v);

	return r.packets ? reader->fn(&r, reader->arg) : 0;
}

int bpf_records(struct datapath *dp, int (*fn)(const struct dp_record *, void *), void *arg)
{
	struct reader reader = {fn, arg};

	return walk(bpf_host_of(dp), read_one, &reader);
}

int bpf_records_skipped(struct datapath *dp, uint32_t port, uint64_t *ret)
{
	struct bpf_host *h = bpf_host_of(dp);
	const struct dp_watch_slot *s;
	uint32_t slot;

	if (!bpf_port_find(h, port, &slot))
		return -ENOENT;
	s = bpf_array_row(&h->watch_slots, slot);
	*ret = s->skipped[(state(h)->window - 1) & 1];
	return 0;
}

struct keys {
	size_t n;
	struct dp_record_key v[DP_RECORDS_MAX];
};

static int collect(const struct dp_record_key *k, const struct dp_record_value *v, void *arg)
{
	struct keys *keys = arg;

	if (keys->n < DP_RECORDS_MAX)
		keys->v[keys->n++] = *k;
	return 0;
}

int bpf_window_forget(struct datapath *dp)
{
	struct bpf_host *h = bpf_host_of(dp);
	_cleanup_free_ struct keys *keys = malloc(sizeof(*keys));
	int fd = bpf_map__fd(h->skel->maps.records), r;

	if (!keys)
		return -ENOMEM;
	keys->n = 0;
	r = walk(h, collect, keys);
	if (r)
		return r;
	for (size_t i = 0; i < keys->n; i++)
		bpf_map_delete_elem(fd, &keys->v[i]);
	state(h)->done = state(h)->window - 1;
	return 0;
}

/* ---- mirrors ---- */

int bpf_mirror_set(struct datapath *dp, uint32_t port, const struct dp_mirror_value *mirror)
{
	struct bpf_host *h = bpf_host_of(dp);
	int fd = bpf_map__fd(h->skel->maps.mirrors), r = 0;
	struct dp_port *p, changed;
	uint32_t slot;

	p = bpf_port_find(h, port, &slot);
	if (!p)
		return -ENOENT;
	if (mirror->n > DP_MIRROR_RULES)
		return -EINVAL;
	if (mirror->n)
		r = bpf_host_error(bpf_map_update_elem(fd, &slot, mirror, BPF_ANY));
	changed = *p;
	changed.mirrored = mirror->n;
	if (!r && p->mirrored != changed.mirrored)
		r = bpf_port_put(h, &changed);
	if (!r && !mirror->n)
		bpf_map_delete_elem(fd, &slot);
	return r;
}

void bpf_mirror_forget(struct bpf_host *h, uint32_t slot)
{
	bpf_map_delete_elem(bpf_map__fd(h->skel->maps.mirrors), &slot);
}

/* ---- copies ---- */

int bpf_copy_fd(const struct datapath *dp)
{
	return container_of(dp, const struct bpf_host, base)->copy_fd;
}

/* 0, or -EAGAIN when the frame is none of the programs'. */
static int copy_of(struct bpf_host *h, const struct virtio_net_hdr *vnet, size_t size,
		   struct dp_copy *ret)
{
	struct dp_copy_note note;
	const struct dp_port *port;
	uint32_t slot;

	if (size < ETH_HLEN)
		return -EAGAIN;
	memcpy(&note, h->buffer, sizeof(note));
	if (note.magic != DP_COPY_MAGIC)
		return -EAGAIN;
	*ret = (struct dp_copy){.port = (uint32_t)note.port[0] << 8 | note.port[1],
				.session = note.session,
				.egress = note.egress,
				.partial = vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM,
				.sum_start = vnet->csum_start,
				.sum_at = vnet->csum_offset,
				.gso_size = vnet->gso_type ? vnet->gso_size : 0,
				.size = size,
				.frame = h->buffer};
	port = bpf_port_find(h, ret->port, &slot);
	if (!port) /* it went meanwhile */
		return -EAGAIN;
	memcpy(h->buffer, ret->egress ? note.mac : port->mac.b, 6);
	memcpy(h->buffer + 6, ret->egress ? port->mac.b : note.mac, 6);
	return 0;
}

int bpf_copy_read(struct datapath *dp, struct dp_copy *ret)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct virtio_net_hdr vnet;
	struct iovec parts[] = {{&vnet, sizeof(vnet)}, {h->buffer, BPF_FRAME_MAX}};
	ssize_t n;
	int r;

	do {
		n = readv(h->copy_fd, parts, 2);
		if (n < 0)
			return errno == EINTR ? -EAGAIN : -errno;
		r = n < (ssize_t)sizeof(vnet) ? -EAGAIN
					      : copy_of(h, &vnet, (size_t)n - sizeof(vnet), ret);
	} while (r == -EAGAIN);
	return r;
}

int bpf_copy_send(struct datapath *dp, uint32_t port, uint8_t *frame, size_t size)
{
	struct bpf_host *h = bpf_host_of(dp);
	struct virtio_net_hdr vnet = {};
	struct iovec parts[] = {{&vnet, sizeof(vnet)}, {frame, size}};
	struct dp_note note = {.magic = DP_NOTE_MAGIC,
			       .kind = DP_NOTE_RESOLVE,
			       .flags = DP_NOTE_ROUTED | DP_NOTE_COPY};
	const struct dp_port *p;
	uint32_t slot, id = htonl(port);
	uint16_t ethertype = htons(ETH_P_IP);

	p = bpf_port_find(h, port, &slot);
	if (!p)
		return -ENOENT;
	note.vni[0] = (uint8_t)(p->vni >> 16);
	note.vni[1] = (uint8_t)(p->vni >> 8);
	note.vni[2] = (uint8_t)p->vni;
	note.slot[0] = (uint8_t)(slot >> 8);
	note.slot[1] = (uint8_t)slot;
	memcpy(note.id, &id, 4);
	memcpy(frame, &note, sizeof(note));
	memcpy(frame + 12, &ethertype, 2);
	return writev(h->upcall_fd, parts, 2) < 0 ? -errno : 0;
}
