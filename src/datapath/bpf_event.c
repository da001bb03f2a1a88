/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs count and the samples of drops that they report. */
#include "datapath/bpf_host.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "abi/drop.h"
#include "datapath/bpf_skel.h"

/* Stops the ring after each event: the caller takes them one by one. */
static int take_event(void *data, void *bytes, size_t size)
{
	struct bpf_host *h = data;

	if (size < sizeof(h->event))
		return 0;
	memcpy(&h->event, bytes, sizeof(h->event));
	h->has_event = true;
	return -ECANCELED;
}

int bpf_event_open(struct bpf_host *h)
{
	h->n_cpus = libbpf_num_possible_cpus();
	if (h->n_cpus < 0)
		return h->n_cpus;
	h->ring = ring_buffer__new(bpf_map__fd(h->skel->maps.events), take_event, h, NULL);
	return h->ring ? 0 : -errno;
}

int bpf_event_fd(const struct datapath *dp)
{
	return ring_buffer__epoll_fd(container_of(dp, const struct bpf_host, base)->ring);
}

int bpf_event_read(struct datapath *dp, struct dp_drop_event *ret)
{
	struct bpf_host *h = bpf_host_of(dp);
	int r = ring_buffer__consume(h->ring);

	if (!h->has_event)
		return r < 0 ? r : -EAGAIN;
	h->has_event = false;
	ret->reason = h->event.reason;
	ret->port = h->event.port;
	ret->vni = h->event.vni;
	ret->revision = h->event.revision;
	memcpy(ret->src.b, h->event.src, 16);
	memcpy(ret->dst.b, h->event.dst, 16);
	return 0;
}

/* The slot of a port, or of the host for port 0. */
static int slot_of(struct bpf_host *h, uint32_t port, uint32_t *ret)
{
	*ret = 0;
	return !port || bpf_port_find(h, port, ret) ? 0 : -ENOENT;
}

int bpf_event_drops(struct datapath *dp, uint32_t port, uint64_t *ret, size_t n)
{
	struct bpf_host *h = bpf_host_of(dp);
	_cleanup_free_ struct dp_drops_value *values = calloc((size_t)h->n_cpus, sizeof(*values));
	uint32_t slot;
	int r = slot_of(h, port, &slot);

	if (!values)
		return -ENOMEM;
	if (!r)
		r = bpf_map_lookup_elem(bpf_map__fd(h->skel->maps.drops), &slot, values);
	if (r)
		return r;
	for (size_t i = 0; i < n; i++) {
		ret[i] = 0;
		for (int cpu = 0; i < DROP_REASON_MAX && cpu < h->n_cpus; cpu++)
			ret[i] += values[cpu].packets[i];
	}
	return 0;
}

static void add(struct dp_port_counters *sum, const struct dp_traffic *t)
{
	sum->tx_packets += t->tx_packets;
	sum->tx_bytes += t->tx_bytes;
	sum->rx_packets += t->rx_packets;
	sum->rx_bytes += t->rx_bytes;
}

/* Adds what a slot has counted to 'sums'; 'values' has a place for each processor. */
static int add_slot(struct bpf_host *h, uint32_t slot, struct dp_counters_value *values,
		    struct dp_port_counters sums[static FORMAT_MAX])
{
	if (bpf_map_lookup_elem(bpf_map__fd(h->skel->maps.counters), &slot, values))
		return -errno;
	for (int cpu = 0; cpu < h->n_cpus; cpu++)
		for (size_t f = 0; f < FORMAT_MAX; f++)
			add(&sums[f], &values[cpu].formats[f]);
	return 0;
}

int bpf_event_counters(struct datapath *dp, uint32_t port, struct dp_port_counters *ret)
{
	struct bpf_host *h = bpf_host_of(dp);
	_cleanup_free_ struct dp_counters_value *values =
		calloc((size_t)h->n_cpus, sizeof(*values));
	struct dp_port_counters sums[FORMAT_MAX] = {}, all = {};
	uint32_t slot;
	int r = slot_of(h, port, &slot);

	if (!values)
		return -ENOMEM;
	if (!r)
		r = add_slot(h, slot, values, sums);
	if (r)
		return r;
	for (size_t f = 0; f < FORMAT_MAX; f++) {
		all.tx_packets += sums[f].tx_packets;
		all.tx_bytes += sums[f].tx_bytes;
		all.rx_packets += sums[f].rx_packets;
		all.rx_bytes += sums[f].rx_bytes;
	}
	*ret = all;
	return 0;
}

int bpf_event_traffic(struct datapath *dp, struct dp_port_counters ret[static FORMAT_MAX])
{
	struct bpf_host *h = bpf_host_of(dp);
	_cleanup_free_ struct dp_counters_value *values =
		calloc((size_t)h->n_cpus, sizeof(*values));
	struct dp_port_counters sums[FORMAT_MAX] = {};
	int r = values ? add_slot(h, 0, values, sums) : -ENOMEM;

	for (uint32_t slot = 1; !r && slot < DP_SLOTS_MAX; slot++)
		if (h->mirror[slot])
			r = add_slot(h, slot, values, sums);
	if (!r)
		memcpy(ret, sums, sizeof(sums));
	return r;
}

/* What a slot has counted goes to the host's row, which no program writes. */
static int keep(struct bpf_host *h, uint32_t slot, struct dp_counters_value *values)
{
	const int fd = bpf_map__fd(h->skel->maps.counters);
	struct dp_port_counters sums[FORMAT_MAX] = {};
	const uint32_t host = 0;
	int r = add_slot(h, slot, values, sums);

	if (r)
		return r;
	if (bpf_map_lookup_elem(fd, &host, values))
		return -errno;
	for (size_t f = 0; f < FORMAT_MAX; f++) {
		struct dp_traffic *t = &values[0].formats[f];

		t->tx_packets += sums[f].tx_packets;
		t->tx_bytes += sums[f].tx_bytes;
		t->rx_packets += sums[f].rx_packets;
		t->rx_bytes += sums[f].rx_bytes;
	}
	return bpf_map_update_elem(fd, &host, values, BPF_ANY) ? -errno : 0;
}

int bpf_event_reset(struct bpf_host *h, uint32_t slot)
{
	_cleanup_free_ struct dp_drops_value *zero = calloc((size_t)h->n_cpus, sizeof(*zero));
	_cleanup_free_ struct dp_counters_value *values =
		calloc((size_t)h->n_cpus, sizeof(*values));
	int r = zero && values ? keep(h, slot, values) : -ENOMEM;

	if (r)
		return r;
	static_assert(sizeof(*zero) >= sizeof(*values), "one zero for both");
	r = bpf_map_update_elem(bpf_map__fd(h->skel->maps.drops), &slot, zero, BPF_ANY);
	return r ? r
		 : bpf_map_update_elem(bpf_map__fd(h->skel->maps.counters), &slot, zero, BPF_ANY);
}
