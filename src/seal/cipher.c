/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/cipher.h"

#include <string.h>

size_t cipher_key_size(enum seal_cipher kind)
{
	return kind == SEAL_AES_256_GCM ? 32 : 16;
}

int cipher_init_by(struct cipher *c, const struct aead *aead, enum seal_cipher kind,
		   const uint8_t *key, bool seals)
{
	*c = (struct cipher){.aead = aead, .kind = kind};
	return aead->make(key, cipher_key_size(kind), seals, &c->state);
}

int cipher_init(struct cipher *c, enum seal_cipher kind, const uint8_t *key, bool seals)
{
	return cipher_init_by(c, aead_best(), kind, key, seals);
}

void cipher_deinit(struct cipher *c)
{
	if (c->state)
		c->aead->drop(c->state);
	*c = (struct cipher){};
}

/* 'size' bytes behind the header 'datagram'; with GMAC they are part of what is only
 * authenticated. */
static struct aead_text cipher_text(const struct cipher *c, const uint8_t *datagram,
				    const uint8_t *from, uint8_t *to, size_t size)
{
	bool only_tag = c->kind == SEAL_AES_128_GMAC;

	return (struct aead_text){
		.nonce = datagram + SEAL_NONCE_AT,
		.header = datagram,
		.header_size = SEAL_HEADER_SIZE + (only_tag ? size : 0),
		.from = from,
		.to = to,
		.size = only_tag ? 0 : size,
	};
}

int cipher_seal(struct cipher *c, uint8_t *datagram, const uint8_t *payload, size_t size)
{
	uint8_t *to = datagram + SEAL_HEADER_SIZE;
	const struct aead_text text = cipher_text(c, datagram, payload, to, size);

	if (!text.size)
		memcpy(to, payload, size);
	return c->aead->seal(c->state, &text, to + size);
}

int cipher_open(struct cipher *c, const uint8_t *datagram, size_t size, uint8_t *ret)
{
	const uint8_t *payload = datagram + SEAL_HEADER_SIZE;
	struct aead_text text;
	int e;

	if (size < SEAL_HEADER_SIZE + SEAL_TAG_SIZE)
		return -EBADMSG;
	size -= SEAL_HEADER_SIZE + SEAL_TAG_SIZE;
	text = cipher_text(c, datagram, payload, ret, size);
	e = c->aead->open(c->state, &text, payload + size);
	if (!e && !text.size)
		memcpy(ret, payload, size);
	return e;
}
