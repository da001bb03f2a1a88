/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One key in use, one way: sealing and opening datagrams with OpenSSL's AES-GCM.
 *
 * A datagram is the PSP header, the payload and the tag.  The nonce is SPI and IV of the header; the
 * header is authenticated, and with GMAC the payload is as well instead of being encrypted.
 *
 * The provider's functions are called as its dispatch table has them (provider-cipher(7)), without EVP
 * between: of what a segment of 1,400 bytes costs, EVP takes a fifth, mostly comparing parameters' names.
 *
 * Ownership: init/deinit; the key's bytes are not kept beside OpenSSL's own copy, which is wiped.
 * Threading: one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/core_dispatch.h>
#include <openssl/evp.h>

#include "abi/seal.h"
#include "base/err.h"

/* Of a provider. */
struct cipher_functions {
	OSSL_FUNC_cipher_newctx_fn *make;
	OSSL_FUNC_cipher_freectx_fn *drop;
	OSSL_FUNC_cipher_encrypt_init_fn *encrypt;
	OSSL_FUNC_cipher_decrypt_init_fn *decrypt;
	OSSL_FUNC_cipher_update_fn *update;
	OSSL_FUNC_cipher_final_fn *final;
	OSSL_FUNC_cipher_get_ctx_params_fn *get;
	OSSL_FUNC_cipher_set_ctx_params_fn *set;
};

struct cipher {
	EVP_CIPHER *evp; /* holds the provider */
	struct cipher_functions functions;
	void *context;
	enum seal_cipher kind;
};

/* 16 or 32. */
size_t cipher_key_size(enum seal_cipher kind);

/* 'key' has cipher_key_size() bytes.  -EOPNOTSUPP when this host's OpenSSL has it not. */
must_check int cipher_init(struct cipher *c, enum seal_cipher kind, const uint8_t *key, bool seals);
/* Also of one that is zero, or whose cipher_init() failed. */
void cipher_deinit(struct cipher *c);

/* Writes payload and tag behind the header that is in 'datagram', which has room for 'size' and
 * SEAL_TAG_SIZE bytes more.  -EIO when OpenSSL fails. */
must_check int cipher_seal(struct cipher *c, uint8_t *datagram, const uint8_t *payload,
			   size_t size);

/* The other way: 'size' bytes of datagram become size - SEAL_HEADER_SIZE - SEAL_TAG_SIZE bytes in
 * 'ret', which may not overlap.  -EBADMSG when the tag does not fit: what is in 'ret' means nothing. */
must_check int cipher_open(struct cipher *c, const uint8_t *datagram, size_t size, uint8_t *ret);
