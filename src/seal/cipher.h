/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One key in use, one way: sealing and opening datagrams with OpenSSL's AES-GCM.
 *
 * A datagram is the PSP header, the payload and the tag.  The nonce is SPI and IV of the header; the
 * header is authenticated, and with GMAC the payload is as well instead of being encrypted.
 *
 * Ownership: init/deinit; the key's bytes are not kept beside OpenSSL's own copy, which is wiped.
 * Threading: one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "abi/seal.h"
#include "base/err.h"

struct cipher {
	EVP_CIPHER_CTX *context;
	enum seal_cipher kind;
};

/* 16 or 32. */
size_t cipher_key_size(enum seal_cipher kind);

/* 'key' has cipher_key_size() bytes.  -EOPNOTSUPP when this host's OpenSSL has it not. */
must_check int cipher_init(struct cipher *c, enum seal_cipher kind, const uint8_t *key, bool seals);
void cipher_deinit(struct cipher *c);

/* Writes payload and tag behind the header that is in 'datagram', which has room for 'size' and
 * SEAL_TAG_SIZE bytes more.  -EIO when OpenSSL fails. */
must_check int cipher_seal(struct cipher *c, uint8_t *datagram, const uint8_t *payload,
			   size_t size);

/* The other way: 'size' bytes of datagram become size - SEAL_HEADER_SIZE - SEAL_TAG_SIZE bytes in
 * 'ret', which may not overlap.  -EBADMSG when the tag does not fit: what is in 'ret' means nothing. */
must_check int cipher_open(struct cipher *c, const uint8_t *datagram, size_t size, uint8_t *ret);
