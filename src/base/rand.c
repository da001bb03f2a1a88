/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers: see rand.h. */
#include "base/rand.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void rand_bytes(void *ret, size_t size)
{
	uint8_t *at = ret;

	while (size) {
		ssize_t n = getrandom(at, size, 0);

		if (n < 0 && errno != EINTR)
			abort();
		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
	}
}

uint64_t rand_u64(void)
{
	uint64_t v;

	rand_bytes(&v, sizeof(v));
	return v;
}

uint32_t rand_u32_below(uint32_t n)
{
	uint32_t skip, v;

	assert(n > 0);
	/* The lowest 2^32 mod n values are drawn again: what remains is a multiple of n. */
	skip = (uint32_t)-n % n;
	do
		rand_bytes(&v, sizeof(v));
	while (v < skip);
	return v % n;
}
