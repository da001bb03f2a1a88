/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/cipher.h"

#include <string.h>

size_t cipher_key_size(enum seal_cipher kind)
{
	return kind == SEAL_AES_256_GCM ? 32 : 16;
}

int cipher_init(struct cipher *c, enum seal_cipher kind, const uint8_t *key, bool seals)
{
	const EVP_CIPHER *evp = kind == SEAL_AES_256_GCM ? EVP_aes_256_gcm() : EVP_aes_128_gcm();

	c->kind = kind;
	c->context = EVP_CIPHER_CTX_new();
	if (!c->context)
		return -ENOMEM;
	if (EVP_CipherInit_ex(c->context, evp, NULL, key, NULL, seals) == 1)
		return 0;
	cipher_deinit(c);
	return -EOPNOTSUPP;
}

void cipher_deinit(struct cipher *c)
{
	EVP_CIPHER_CTX_free(c->context);
	c->context = NULL;
}

/* Header and payload through the cipher, to 'ret'; 'ret' NULL means that nothing is encrypted. */
static bool cipher_run(struct cipher *c, const uint8_t *header, const uint8_t *payload, size_t size,
		       uint8_t *ret)
{
	int n;

	return EVP_CipherInit_ex(c->context, NULL, NULL, NULL, header + SEAL_NONCE_AT, -1) == 1 &&
	       EVP_CipherUpdate(c->context, NULL, &n, header, SEAL_HEADER_SIZE) == 1 &&
	       EVP_CipherUpdate(c->context, ret, &n, payload, (int)size) == 1;
}

int cipher_seal(struct cipher *c, uint8_t *datagram, const uint8_t *payload, size_t size)
{
	uint8_t *to = datagram + SEAL_HEADER_SIZE, *tag = to + size;
	bool only_tag = c->kind == SEAL_AES_128_GMAC;
	int n;

	if (only_tag)
		memcpy(to, payload, size);
	if (!cipher_run(c, datagram, payload, size, only_tag ? NULL : to) ||
	    EVP_CipherFinal_ex(c->context, tag, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(c->context, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_SIZE, tag) != 1)
		return -EIO;
	return 0;
}

int cipher_open(struct cipher *c, const uint8_t *datagram, size_t size, uint8_t *ret)
{
	const uint8_t *payload = datagram + SEAL_HEADER_SIZE;
	bool only_tag = c->kind == SEAL_AES_128_GMAC;
	uint8_t tag[SEAL_TAG_SIZE], none[16];
	int n;

	if (size < SEAL_HEADER_SIZE + SEAL_TAG_SIZE)
		return -EBADMSG;
	size -= SEAL_HEADER_SIZE + SEAL_TAG_SIZE;
	memcpy(tag, payload + size, sizeof(tag));
	if (!cipher_run(c, datagram, payload, size, only_tag ? NULL : ret) ||
	    EVP_CIPHER_CTX_ctrl(c->context, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_SIZE, tag) != 1 ||
	    EVP_CipherFinal_ex(c->context, none, &n) != 1)
		return -EBADMSG;
	if (only_tag)
		memcpy(ret, payload, size);
	return 0;
}
