/* SPDX-License-Identifier: Apache-2.0 */
/* Labels (reip4): what they stand for, and whose ranges they are in (abi/maps.h). */
#include "datapath/bpf_host.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "datapath/bpf_skel.h"

/* ---- ranges ---- */

static int ranges_fd(const struct bpf_host *h)
{
	return bpf_map__fd(h->skel->maps.label_ranges);
}

/* IPv4 prefixes count 128 bits. */
static struct dp_label_range_key range_key(const struct prefix *range)
{
	return (struct dp_label_range_key){.len = range->len - 96U,
					   .addr = htonl(ipaddr_v4(&range->addr))};
}

int bpf_label_load(struct bpf_host *h)
{
	struct dp_label_range_key key;
	void *at = NULL;

	h->label_ranges = calloc(DP_PEERS_MAX, sizeof(*h->label_ranges));
	if (!h->label_ranges)
		return -ENOMEM;
	while (!bpf_map_get_next_key(ranges_fd(h), at, &key)) {
		uint32_t peer;

		at = &key;
		if (!bpf_map_lookup_elem(ranges_fd(h), &key, &peer) && peer < DP_PEERS_MAX)
			h->label_ranges[peer] = prefix_v4(ntohl(key.addr), (uint8_t)key.len);
	}
	return 0;
}

int bpf_label_range_set(struct bpf_host *h, uint32_t peer, const struct prefix *range)
{
	struct prefix *had = &h->label_ranges[peer];
	struct dp_label_range_key key;
	uint32_t owner;
	int r = 0;

	if (!datapath_labels_are_valid(range))
		return -EINVAL;
	if (had->len == range->len && ipaddr_equal(&had->addr, &range->addr))
		return 0;
	if (range->len) {
		key = range_key(range);
		r = bpf_map_update_elem(ranges_fd(h), &key, &peer, BPF_ANY);
	}
	if (r)
		return bpf_host_error(r);
	/* what another peer has taken over stays */
	if (had->len) {
		key = range_key(had);
		if (!bpf_map_lookup_elem(ranges_fd(h), &key, &owner) && owner == peer)
			bpf_map_delete_elem(ranges_fd(h), &key);
	}
	*had = *range;
	return 0;
}

/* ---- labels ---- */

static int labels_fd(const struct bpf_host *h)
{
	return bpf_map__fd(h->skel->maps.labels);
}

static struct dp_mapping_v4_key addr_key(uint32_t vni, const struct ipaddr *addr)
{
	return (struct dp_mapping_v4_key){.vni = vni, .addr = htonl(ipaddr_v4(addr))};
}

/* Unless it stands for something else by now. */
static void label_delete(struct bpf_host *h, uint32_t vni, const struct ipaddr *addr,
			 uint32_t label)
{
	struct dp_mapping_v4_key key = {.vni = DP_VNI_LABELS, .addr = htonl(label)};
	struct dp_label_value now;

	if (!bpf_map_lookup_elem(labels_fd(h), &key, &now) && now.vni == vni &&
	    now.addr == htonl(ipaddr_v4(addr)))
		bpf_map_delete_elem(labels_fd(h), &key);
}

int bpf_label_set(struct bpf_host *h, uint32_t vni, const struct ipaddr *addr, uint32_t label,
		  uint32_t was)
{
	struct dp_mapping_v4_key key = {.vni = DP_VNI_LABELS, .addr = htonl(label)};
	struct dp_label_value value = {.vni = vni};
	int r = 0;

	if (!ipaddr_is_v4(addr))
		return label ? -EINVAL : 0;
	value.addr = htonl(ipaddr_v4(addr));
	if (label)
		r = bpf_map_update_elem(labels_fd(h), &key, &value, BPF_ANY);
	if (!r && was && was != label)
		label_delete(h, vni, addr, was);
	return bpf_host_error(r);
}

uint32_t bpf_label_of(const struct bpf_host *h, uint32_t vni, const struct ipaddr *addr)
{
	struct dp_mapping_v4_key key;
	struct dp_label_value value;

	if (!ipaddr_is_v4(addr))
		return 0;
	key = addr_key(vni, addr);
	return bpf_map_lookup_elem(labels_fd(h), &key, &value) ? 0 : ntohl(value.addr);
}

int bpf_label_set_own(struct bpf_host *h, uint32_t vni, const struct ipaddr *addr, uint32_t label)
{
	struct dp_label_value value = {.addr = htonl(label)};
	const uint32_t was = bpf_label_of(h, vni, addr);
	struct dp_mapping_v4_key key;
	int r;

	if (!ipaddr_is_v4(addr))
		return label ? -EINVAL : 0;
	key = addr_key(vni, addr);
	r = bpf_label_set(h, vni, addr, label, was);
	if (r)
		return r;
	if (label)
		return bpf_host_error(bpf_map_update_elem(labels_fd(h), &key, &value, BPF_ANY));
	if (was)
		bpf_map_delete_elem(labels_fd(h), &key);
	return 0;
}

bool bpf_label_find(const struct bpf_host *h, uint32_t label, uint32_t *ret_vni,
		    struct ipaddr *ret_addr)
{
	struct dp_mapping_v4_key key = {.vni = DP_VNI_LABELS, .addr = htonl(label)};
	struct dp_label_value value;

	if (bpf_map_lookup_elem(labels_fd(h), &key, &value))
		return false;
	*ret_vni = value.vni;
	*ret_addr = ipaddr_from_v4(ntohl(value.addr));
	return true;
}
