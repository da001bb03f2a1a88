/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-1-3: one round per word, three at the end.  See hash.h. */
#include "base/hash.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>

#include "base/rand.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t process_key[2];
static pthread_once_t process_key_once = PTHREAD_ONCE_INIT;

static void process_key_draw(void)
{
	rand_bytes(process_key, sizeof(process_key));
}

static inline uint64_t rotl(uint64_t v, int n)
{
	return v << n | v >> (64 - n);
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 = rotl(s->v2, 32);
}

static inline struct sip sip_begin(uint64_t k0, uint64_t k1)
{
	return (struct sip){
		.v0 = k0 ^ UINT64_C(0x736f6d6570736575),
		.v1 = k1 ^ UINT64_C(0x646f72616e646f6d),
		.v2 = k0 ^ UINT64_C(0x6c7967656e657261),
		.v3 = k1 ^ UINT64_C(0x7465646279746573),
	};
}

static inline struct sip sip_begin_process(void)
{
	pthread_once(&process_key_once, process_key_draw);
	return sip_begin(process_key[0], process_key[1]);
}

static inline void sip_word(struct sip *s, uint64_t m)
{
	s->v3 ^= m;
	sip_round(s);
	s->v0 ^= m;
}

/* The last bytes, the total size and the final rounds; 'before' bytes went in as words already. */
static inline uint64_t sip_end(struct sip *s, const uint8_t *data, size_t size, size_t before)
{
	uint64_t last = (uint64_t)(before + size) << 56;
	uint64_t m;

	for (; size >= 8; data += 8, size -= 8) {
		memcpy(&m, data, 8);
		sip_word(s, le64toh(m));
	}
	for (size_t i = 0; i < size; i++)
		last |= (uint64_t)data[i] << (8 * i);
	sip_word(s, last);
	s->v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t hash_siphash13(uint64_t k0, uint64_t k1, const void *data, size_t size)
{
	struct sip s = sip_begin(k0, k1);

	return sip_end(&s, data, size, 0);
}

uint64_t hash_bytes(const void *data, size_t size)
{
	struct sip s = sip_begin_process();

	return sip_end(&s, data, size, 0);
}

uint64_t hash_str(const char *s)
{
	return hash_bytes(s, strlen(s));
}

uint64_t hash_u64(uint64_t v)
{
	return hash_u64_bytes(v, "", 0);
}

uint64_t hash_u64_bytes(uint64_t v, const void *data, size_t size)
{
	struct sip s = sip_begin_process();

	sip_word(&s, v);
	return sip_end(&s, data, size, sizeof(v));
}
