/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends of the network behind taps with vnet headers, as virtual machines are: for GSO and partial
 * checksums, which BPF_PROG_RUN cannot make.
 */
#pragma once

#include <linux/virtio_net.h>

#include "frame.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

enum { TAP_L4_AT = IP_AT + 20 };

struct tap {
	int fd, ifindex;
	bool uso; /* takes UDP GSO from here: not on Linux 6.1 */
	struct mac mac;
};

struct tap_packet {
	struct virtio_net_hdr vnet;
	size_t size;
	uint8_t b[70000];
};

/* Between whom a packet is. */
struct tap_flow {
	struct mac to, from;
	const char *src, *dst;
	uint16_t sport, dport;
	uint8_t protocol; /* TCP or UDP */
	uint16_t id;      /* 0: DF */
};

/* A device of that name on a host, which is up. */
void tap_open(struct lab *lab, int host, const char *name, struct tap *ret);
/* A packet whose checksum the device is to fill in; 'gso' is the payload of a segment, 0: one. */
void tap_make(struct tap_packet *p, const struct tap_flow *f, size_t payload, size_t gso);
void tap_send(const struct tap *t, const struct tap_packet *p);
/* The next frame, also of the kernel's own chatter; fails where none comes. */
void tap_receive(struct lab *lab, const struct tap *t, struct tap_packet *ret);
/* Does what a device does that is asked to. */
void tap_fill_checksum(struct tap_packet *p);

bool tap_is_ipv4(const struct tap_packet *p);
size_t tap_l4_size(uint8_t protocol);
size_t tap_checksum_field(uint8_t protocol); /* in the transport header */
/* The sum of the pseudo-header of the addresses in an IPv4 packet. */
uint32_t tap_pseudo(const struct tap_packet *p);
/* The transport's checksum is right. */
void tap_assert_checksum(const struct tap_packet *p);
