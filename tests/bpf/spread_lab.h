/* SPDX-License-Identifier: Apache-2.0 */
/* An address on several hosts, and the pins of connections to it, for the tests of both ends of
 * spreading. */
#pragma once

#include <bpf/libbpf.h>

#include "datapath/datapath.h"

enum { SPREAD_LAB_HOSTS = 5 };

/* Of hosts 1 to 4; what is sent to 3 and 4, which are locators alone, is looked at on the wire. */
extern const char *const spread_locators[SPREAD_LAB_HOSTS];

/* Tells a host of another, by siit/2. */
void spread_add_peer(struct datapath *dp, uint32_t id);
/* Tells a host that an address is at the hosts whose bits are set, bit 0 that host itself. */
void spread_map(struct datapath *dp, const char *addr, uint32_t hosts);

/* Of a host: the table of pins, how many there are, and the end of all. */
struct bpf_map *spread_pins(struct datapath *dp);
size_t spread_count_pins(struct datapath *dp);
void spread_forget_pins(struct datapath *dp);
