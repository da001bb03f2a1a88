/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Internet checksum (RFC 1071), its incremental update (RFC 1624) and the pseudo headers.
 *
 * Sums and checksums are kept as they lie in the packet: 16-bit words in memory order, so that no
 * function here swaps bytes and a folded checksum is stored with memcpy().  Any thread, no errors.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"

/* Adds 'size' bytes to a running sum; only the last span of a sum may have an odd size. */
uint32_t csum_add(uint32_t sum, const void *data, size_t size);
/* The checksum to store: the complement of the folded sum. */
uint16_t csum_fold(uint32_t sum);
/* The checksum over one span: csum_fold(csum_add(0, data, size)). */
uint16_t csum(const void *data, size_t size);
/* The sum of the pseudo header of TCP, UDP (RFC 793, 768) over IPv4 or of anything over IPv6
 * (RFC 8200 8.1), chosen by the family of the addresses, which must be the same. */
uint32_t csum_pseudo(const struct ipaddr *src, const struct ipaddr *dst, uint8_t proto,
		     uint32_t length);
