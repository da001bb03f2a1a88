/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PSP header (PSP Architecture Specification, "PSP Header"), without a virtualization cookie:
 *
 *	next header 8 | header extension length 8 = 1 | R 2 = 0, crypt offset 6 | S 1, D 1, version 4, V 1, 1 1 |
 *	SPI 32 | initialisation vector 64
 *
 * The crypt offset of what this host sends is 0: all of the payload is encrypted.
 * Pure functions; any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/drop.h"
#include "abi/seal.h"
#include "base/err.h"

enum {
	PSP_NEXT_IPV4 = 4,
	PSP_NEXT_UDP = 17,
	PSP_NEXT_IPV6 = 41,
	PSP_NEXT_COMPRESSED = 108, /* IPComp (RFC 3173) */
};

struct psp {
	uint8_t next; /* PSP_NEXT_* */
	enum seal_cipher cipher;
	uint32_t spi;
	uint64_t iv;
};

void psp_write(const struct psp *p, uint8_t ret[static SEAL_HEADER_SIZE]);

/* Reads the header of a datagram of 'size' bytes.  DROP_NONE, DROP_MALFORMED, or DROP_STATEMENT
 * when it is a header of PSP that says something which nobody here sends. */
must_check enum drop_reason psp_read(const uint8_t *datagram, size_t size, struct psp *ret);
