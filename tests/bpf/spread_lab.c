/* SPDX-License-Identifier: Apache-2.0 */
#include "spread_lab.h"

#include <bpf/bpf.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "abi/spread.h"
#include "datapath/bpf_host.h"
#include "datapath/bpf_skel.h"
#include "lab.h"

const char *const spread_locators[SPREAD_LAB_HOSTS] = {
	NULL, "2001:db8:8000:1100::", "2001:db8:8000:1200::", "2001:db8:8000:1300::",
	"2001:db8:8000:1400::"};

void spread_add_peer(struct datapath *dp, uint32_t id)
{
	struct dp_peer p = {.id = id,
			    .siit2 = {lab_addr(spread_locators[id]), 56},
			    .send = FORMAT_SIIT_2,
			    .accept = FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1),
			    .path_mtu = LAB_WIRE_MTU,
			    .nexthop = 1};

	assert_int_equal(datapath_peer_set(dp, &p), 0);
}

void spread_map(struct datapath *dp, const char *addr, uint32_t hosts)
{
	struct dp_mapping m = {.vni = LAB_VNI, .addr = lab_addr(addr), .revision = 1};

	for (uint32_t id = 0; id < SPREAD_LAB_HOSTS; id++)
		if (hosts >> id & 1)
			m.peers[m.n_peers++] = id;
	m.peer = m.peers[0];
	assert_int_equal(datapath_mapping_set(dp, &m), 0);
}

struct bpf_map *spread_pins(struct datapath *dp)
{
	return bpf_host_of(dp)->skel->maps.pins;
}

size_t spread_count_pins(struct datapath *dp)
{
	struct dp_pin_key key;
	void *at = NULL;
	size_t n = 0;

	for (; !bpf_map_get_next_key(bpf_map__fd(spread_pins(dp)), at, &key); at = &key)
		n++;
	return n;
}

void spread_forget_pins(struct datapath *dp)
{
	int fd = bpf_map__fd(spread_pins(dp));
	struct dp_pin_key key;

	while (!bpf_map_get_next_key(fd, NULL, &key))
		bpf_map_delete_elem(fd, &key);
}
