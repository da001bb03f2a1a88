/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/squeeze.h"

#include <lz4.h>

size_t squeeze_pack(void *state, uint8_t next, const uint8_t *packet, size_t size, uint8_t *ret)
{
	size_t most = size - size / SQUEEZE_GAIN;
	int n;

	if (size < SQUEEZE_SIZE_MIN || LZ4_sizeofState() > SQUEEZE_STATE_SIZE)
		return 0;
	n = LZ4_compress_fast_extState(state, (const char *)packet,
				       (char *)ret + SQUEEZE_HEADER_SIZE, (int)size,
				       (int)(most - SQUEEZE_HEADER_SIZE), 1);
	if (n <= 0)
		return 0;
	ret[0] = next;
	ret[1] = 0;
	ret[2] = SQUEEZE_CPI >> 8;
	ret[3] = SQUEEZE_CPI & 0xff;
	return (size_t)n + SQUEEZE_HEADER_SIZE;
}

enum drop_reason squeeze_unpack(const uint8_t *packed, size_t size, uint8_t *ret, size_t room,
				size_t *ret_size, uint8_t *ret_next)
{
	int n;

	if (size <= SQUEEZE_HEADER_SIZE || packed[1])
		return DROP_MALFORMED;
	if ((packed[2] << 8 | packed[3]) != SQUEEZE_CPI)
		return DROP_STATEMENT;
	n = LZ4_decompress_safe((const char *)packed + SQUEEZE_HEADER_SIZE, (char *)ret,
				(int)(size - SQUEEZE_HEADER_SIZE), (int)room);
	/* A sender that does not shrink what it says it has compressed is none of ours. */
	if (n < 0 || (size_t)n <= size)
		return DROP_STATEMENT;
	*ret_size = (size_t)n;
	*ret_next = packed[0];
	return DROP_NONE;
}
