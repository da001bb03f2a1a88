/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/keyring.h"

#include <assert.h>
#include <endian.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stddef.h>
#include <string.h>

struct keyring_info {
	char purpose[16];
	uint32_t sender, receiver, epoch, cipher; /* big endian */
	/* where there are any: hosts that say none have the keys that they had before there were */
	uint64_t sender_incarnation, receiver_incarnation;
};

static_assert(sizeof(struct keyring_info) == 48, "");

static size_t keyring_info_size(const struct keyring_info *info)
{
	return info->sender_incarnation || info->receiver_incarnation
		       ? sizeof(*info)
		       : offsetof(struct keyring_info, sender_incarnation);
}

static int keyring_hkdf(const struct keyring *k, const struct keyring_info *info, uint8_t *ret,
			size_t size)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)k->secret,
					sizeof(k->secret)),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info,
					keyring_info_size(info)),
		OSSL_PARAM_END,
	};
	int ok = context && EVP_KDF_derive(context, ret, size, params) == 1;

	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
	return ok ? 0 : -EIO;
}

static size_t keyring_size(enum seal_cipher cipher)
{
	return cipher == SEAL_AES_256_GCM ? 32 : 16;
}

int keyring_derive(const struct keyring *k, uint32_t sender, uint32_t receiver,
		   enum seal_cipher cipher, const struct pair_key *key,
		   uint8_t ret[static SEAL_KEY_SIZE])
{
	const struct keyring_info info = {
		.purpose = "viaduct pair key",
		.sender = htobe32(sender),
		.receiver = htobe32(receiver),
		.epoch = htobe32(key->epoch),
		.cipher = htobe32(cipher),
		.sender_incarnation = htobe64(key->sender),
		.receiver_incarnation = htobe64(key->receiver),
	};

	return keyring_hkdf(k, &info, ret, keyring_size(cipher));
}

/* Once each. */
static int keyring_add(const struct keyring *k, struct keyring_keys *keys, uint32_t sender,
		       uint32_t receiver, bool send, uint32_t features, const struct pair_key *key,
		       uint64_t made)
{
	enum seal_cipher cipher = seal_cipher_of(features);
	uint32_t spi = seal_spi(sender, cipher, key->epoch);
	Viaduct__Agent__PairKey *m;
	int r;

	if (cipher == SEAL_CLEAR)
		return 0;
	for (size_t i = 0; i < keys->n; i++)
		if (keys->keys[i].spi == spi)
			return 0;
	if (keys->n == KEYRING_KEYS_MAX)
		return -ENOSPC;
	r = keyring_derive(k, sender, receiver, cipher, key, keys->bytes[keys->n]);
	if (r)
		return r;
	m = &keys->keys[keys->n];
	viaduct__agent__pair_key__init(m);
	m->spi = spi;
	m->key.data = keys->bytes[keys->n];
	m->key.len = keyring_size(cipher);
	m->send = send;
	m->made = made;
	m->incarnation = send ? key->sender : key->receiver;
	keys->pointers[keys->n++] = m;
	return 0;
}

int keyring_fill_more(const struct keyring *k, uint32_t self, uint32_t peer,
		      const struct choice *choice, struct keyring_keys *keys)
{
	int r = keyring_add(k, keys, self, peer, true, choice->send_features, &choice->send_key,
			    choice->send_keyed_ms);

	for (size_t i = 0; !r && i < choice->n_accepts; i++)
		r = keyring_add(k, keys, peer, self, false, choice->accepts[i].features,
				&choice->accepts[i].key, 0);
	return r;
}

int keyring_fill(const struct keyring *k, uint32_t self, uint32_t peer, const struct choice *choice,
		 struct keyring_keys *ret)
{
	ret->n = 0;
	return keyring_fill_more(k, self, peer, choice, ret);
}
