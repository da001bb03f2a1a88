/* SPDX-License-Identifier: Apache-2.0 */
/* The Internet checksum: see csum.h. */
#include "net/csum.h"

#include <arpa/inet.h>
#include <string.h>

/* Folds to 16 bits; the sum stays equal modulo 0xffff. */
static uint32_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)sum;
}

uint32_t csum_add(uint32_t sum, const void *data, size_t size)
{
	const uint8_t *at = data;
	uint64_t total = sum;
	uint16_t word;

	for (; size >= 2; at += 2, size -= 2) {
		memcpy(&word, at, 2);
		total += word;
	}
	if (size) {
		/* A last odd byte counts as the first of a word with a zero behind it. */
		word = 0;
		memcpy(&word, at, 1);
		total += word;
	}
	return fold(total);
}

uint16_t csum_fold(uint32_t sum)
{
	return (uint16_t)~fold(sum);
}

uint16_t csum(const void *data, size_t size)
{
	return csum_fold(csum_add(0, data, size));
}

uint32_t csum_pseudo(const struct ipaddr *src, const struct ipaddr *dst, uint8_t proto,
		     uint32_t length)
{
	const uint8_t rest[4] = {0, 0, 0, proto};
	uint32_t wire_length = htonl(length);
	/* The two families differ in the addresses alone: the zeros of the longer lengths and of
	 * the padding add nothing. */
	size_t skip = ipaddr_is_v4(src) ? 12 : 0;
	uint32_t sum;

	sum = csum_add(0, src->b + skip, sizeof(src->b) - skip);
	sum = csum_add(sum, dst->b + skip, sizeof(dst->b) - skip);
	sum = csum_add(sum, &wire_length, sizeof(wire_length));
	return csum_add(sum, rest, sizeof(rest));
}
