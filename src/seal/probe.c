/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/probe.h"

#include <string.h>

#include "seal/cipher.h"
#include "seal/psp.h"
#include "seal/squeeze.h"

enum { PROBE_SIZE = 1000 };

static const struct {
	enum feature feature;
	enum seal_cipher cipher;
} probe_ciphers[] = {
	{FEATURE_CRYPT_1, SEAL_AES_128_GCM},
	{FEATURE_CRYPT_2, SEAL_AES_256_GCM},
	{FEATURE_INTEGRITY_1, SEAL_AES_128_GMAC},
};

static void probe_payload(uint8_t ret[static PROBE_SIZE])
{
	for (int i = 0; i < PROBE_SIZE; i++)
		ret[i] = (uint8_t)(i / 16);
}

/* Comes back as it was, and does not when a bit of it is another. */
static bool probe_cipher(enum seal_cipher kind)
{
	static const uint8_t key[SEAL_KEY_SIZE] = {1, 2, 3};
	const struct psp psp = {.next = PSP_NEXT_IPV6, .cipher = kind, .spi = 2, .iv = 3};
	uint8_t datagram[SEAL_HEADER_SIZE + PROBE_SIZE + SEAL_TAG_SIZE], opened[PROBE_SIZE];
	uint8_t payload[PROBE_SIZE];
	struct cipher seals = {}, opens = {};
	bool works =
		!cipher_init(&seals, kind, key, true) && !cipher_init(&opens, kind, key, false);

	probe_payload(payload);
	psp_write(&psp, datagram);
	works = works && !cipher_seal(&seals, datagram, payload, sizeof(payload)) &&
		!cipher_open(&opens, datagram, sizeof(datagram), opened) &&
		!memcmp(payload, opened, sizeof(opened));
	datagram[SEAL_HEADER_SIZE] ^= 1;
	works = works && cipher_open(&opens, datagram, sizeof(datagram), opened) == -EBADMSG;
	cipher_deinit(&seals);
	cipher_deinit(&opens);
	return works;
}

static bool probe_lz4(void)
{
	uint8_t state[SQUEEZE_STATE_SIZE] __attribute__((aligned(16)));
	uint8_t payload[PROBE_SIZE], packed[PROBE_SIZE], back[PROBE_SIZE], next;
	size_t n, size;

	probe_payload(payload);
	n = squeeze_pack(state, PSP_NEXT_IPV6, payload, sizeof(payload), packed);
	return n && !squeeze_unpack(packed, n, back, sizeof(back), &size, &next) &&
	       size == sizeof(payload) && next == PSP_NEXT_IPV6 && !memcmp(payload, back, size);
}

uint32_t seal_probe(void)
{
	uint32_t features = probe_lz4() ? FEATURE_BIT(FEATURE_LZ4_1) : 0;

	for (size_t i = 0; i < ARRAY_SIZE(probe_ciphers); i++)
		if (probe_cipher(probe_ciphers[i].cipher))
			features |= FEATURE_BIT(probe_ciphers[i].feature);
	return features;
}
