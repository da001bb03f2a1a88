/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lz4/1: a packet as an LZ4 block behind an IPComp header (RFC 3173 section 3), when that is
 * smaller by at least a sixteenth: a few bytes of header are not worth the receiver's work (RFC
 * 3173 section 2.2).
 *
 *	next header 8 | flags 8 = 0 | CPI 16 = 61440 | LZ4 block
 *
 * No number is assigned for LZ4; 61440 and above are for private use.  Pure functions; any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/drop.h"
#include "base/err.h"

enum {
	SQUEEZE_HEADER_SIZE = 4,
	SQUEEZE_CPI = 61440,
	SQUEEZE_GAIN = 16,
	SQUEEZE_SIZE_MIN = 64,      /* of a packet that is tried */
	SQUEEZE_STATE_SIZE = 16416, /* of LZ4, which a caller keeps for each thread */
};

/* Writes what 'packet' becomes to 'ret', with room for 'size' bytes; 'next' is what the packet is.
 * Its size; 0: it does not shrink, send it as it is. */
size_t squeeze_pack(void *state, uint8_t next, const uint8_t *packet, size_t size, uint8_t *ret);

/* The other way: DROP_NONE with the packet in 'ret' (room for 'room' bytes), or why it is none. */
must_check enum drop_reason squeeze_unpack(const uint8_t *packed, size_t size, uint8_t *ret,
					   size_t room, size_t *ret_size, uint8_t *ret_next);
