/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that were here: who sends to one has not heard that it has gone (abi/maps.h). */
#include "datapath/bpf_host.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>
#include <time.h>

#include "datapath/bpf_skel.h"

static struct dp_addr_key key_of(uint32_t vni, const struct ipaddr *addr)
{
	struct dp_addr_key key = {.vni = vni};

	memcpy(key.addr, addr->b, sizeof(key.addr));
	return key;
}

static int departed_fd(const struct bpf_host *h)
{
	return bpf_map__fd(h->skel->maps.departed);
}

void bpf_departed_note(struct bpf_host *h, uint32_t vni, const struct ipaddr *addr)
{
	uint32_t label = bpf_label_of(h, vni, addr);
	struct dp_departed_value value = {0};
	struct dp_addr_key key = key_of(vni, addr);
	struct ipaddr as_addr = ipaddr_from_v4(label);
	struct timespec now;

	/* the programs' clock */
	if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now))
		return;
	value.until = ((uint64_t)now.tv_sec + DP_DEPARTED_S) * 1000000000 + (uint64_t)now.tv_nsec;
	/* without room nobody is told; the sender's mapping ends with its lifetime */
	(void)!bpf_map_update_elem(departed_fd(h), &key, &value, BPF_ANY);
	if (!label)
		return;
	key = key_of(DP_VNI_LABELS, &as_addr);
	value.vni = vni;
	value.addr = htonl(ipaddr_v4(addr));
	(void)!bpf_map_update_elem(departed_fd(h), &key, &value, BPF_ANY);
}

bool bpf_departed_label(const struct bpf_host *h, uint32_t label, uint32_t *ret_vni,
			struct ipaddr *ret_addr)
{
	const struct ipaddr as_addr = ipaddr_from_v4(label);
	struct dp_addr_key key = key_of(DP_VNI_LABELS, &as_addr);
	struct dp_departed_value value;

	if (bpf_map_lookup_elem(departed_fd(h), &key, &value))
		return false;
	*ret_vni = value.vni;
	*ret_addr = ipaddr_from_v4(ntohl(value.addr));
	return true;
}
