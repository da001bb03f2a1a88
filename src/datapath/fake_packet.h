/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that tests of the fake data plane make up: IPv4 with a number in it.  Inside of the fake
 * back-end only. */
#pragma once

#include <net/ethernet.h>
#include <netinet/ip.h>

#include "net/addr.h"

enum { FAKE_NUMBER_PROTOCOL = 253 }; /* RFC 3692: for experiments */

struct fake_numbered {
	struct ether_header ethernet;
	struct iphdr ip;
	uint32_t number;
} __attribute__((packed));

struct fake_numbered fake_numbered(const struct ipaddr *src, const struct ipaddr *dst,
				   uint32_t number);
