/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the BPF back-end: what the files about gateways share.  bpf_gateway.c has the
 * contract's gateways, bpf_gateway_row.c the tables that each has for itself, bpf_translation.c
 * what is in them, bpf_public.c public addresses, bpf_neighbour.c what is said outside of IPv6
 * addresses.
 */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>

#include "abi/gateway.h"
#include "datapath/bpf_host.h"

static inline uint32_t bpf_gateway_v4(const struct ipaddr *addr)
{
	return htonl(ipaddr_v4(addr));
}

/* Of protocols with ports; -1: another. */
static inline int bpf_gateway_protocol(uint8_t protocol)
{
	return protocol == IPPROTO_TCP ? 0 : protocol == IPPROTO_UDP ? 1 : -1;
}

/* Calls 'fn' with each handle, those of ports too, until it returns non-zero, and returns that. */
int bpf_gateway_walk(struct bpf_host *h,
		     int (*fn)(uint32_t handle, const struct dp_handle_value *, void *),
		     void *data);

/* The tables of one gateway: sessions for those that translate, bindings for NAT. */
must_check int bpf_gateway_row_new(struct bpf_host *h, enum dp_gateway_kind kind, uint32_t *ret);
void bpf_gateway_row_delete(struct bpf_host *h, uint32_t row, uint32_t handle);
struct bpf_map;
/* The descriptor of a row's table; to be closed. */
must_check int bpf_gateway_row_open(struct bpf_map *outer, uint32_t row, int *ret_fd);
/* The static ports are those of 'g' now. */
must_check int bpf_gateway_row_statics(struct bpf_host *h, uint32_t row,
				       const struct dp_gateway *g);

/* -ENOENT: there is none. */
int bpf_gateway_find(const struct bpf_host *h, uint32_t handle, struct dp_handle_value *ret);

static inline bool bpf_gateway_has_ports(enum dp_gateway_kind kind)
{
	return kind == DP_GATEWAY_NAT || kind == DP_GATEWAY_PRIVATE;
}

/* bpf_gateway_device.c: of a private NAT gateway: makes it unless it is there; removes it. */
must_check int bpf_gateway_device_make(uint32_t handle);
int bpf_gateway_device_delete(uint32_t handle);
must_check int bpf_gateway_device_find(uint32_t handle, int *ret_ifindex);

/* bpf_neighbour.c: the programs see what is sent to groups on the uplink, for as long as 'h' is
 * open. */
must_check int bpf_neighbour_hear(const struct bpf_host *h);
int bpf_neighbour_announce(struct datapath *dp, const struct ipaddr *addr);

/* Whose a public address is: 0 or -ENOENT. */
int bpf_public_find(const struct bpf_host *h, uint32_t addr, struct dp_public_value *ret);
must_check int bpf_public_put(struct bpf_host *h, uint32_t addr,
			      const struct dp_public_value *value);
