/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One key in use, one way: sealing and opening datagrams.
 *
 * A datagram is the PSP header, the payload and the tag.  The nonce is SPI and IV of the header;
 * the header is authenticated, and with GMAC the payload is as well instead of being encrypted.
 *
 * Ownership: init/deinit; the key's bytes are not kept beside the library's own copy, which is
 * wiped. Threading: one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/seal.h"
#include "base/err.h"
#include "seal/aead.h"

struct cipher {
	const struct aead *aead;
	void *state;
	enum seal_cipher kind;
};

/* 16 or 32. */
size_t cipher_key_size(enum seal_cipher kind);

/* 'key' has cipher_key_size() bytes.  -EOPNOTSUPP when this host has no library for it. */
must_check int cipher_init(struct cipher *c, enum seal_cipher kind, const uint8_t *key, bool seals);
/* The same by this library. */
must_check int cipher_init_by(struct cipher *c, const struct aead *aead, enum seal_cipher kind,
			      const uint8_t *key, bool seals);
/* Also of one that is zero, or whose cipher_init() failed. */
void cipher_deinit(struct cipher *c);

/* Writes payload and tag behind the header that is in 'datagram', which has room for 'size' and
 * SEAL_TAG_SIZE bytes more.  -EIO when the library fails. */
must_check int cipher_seal(struct cipher *c, uint8_t *datagram, const uint8_t *payload,
			   size_t size);

/* The other way: 'size' bytes of datagram become size - SEAL_HEADER_SIZE - SEAL_TAG_SIZE bytes in
 * 'ret', which may not overlap.  -EBADMSG when the tag does not fit: what is in 'ret' means
 * nothing. */
must_check int cipher_open(struct cipher *c, const uint8_t *datagram, size_t size, uint8_t *ret);
