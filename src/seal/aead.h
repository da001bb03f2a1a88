/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-GCM (NIST SP 800-38D) by one library: a key, one way, with nonces of 12 and tags of 16 bytes.
 *
 * What only one library can do is behind this; what a datagram is, is cipher.h's.  They give the
 * same bytes. Ownership: make/drop; a state wipes its key when it is dropped.  Threading: a state,
 * one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct aead_text {
	const uint8_t *nonce;
	const uint8_t *header; /* authenticated only */
	size_t header_size;
	const uint8_t *from; /* encrypted or decrypted, to 'to', which may not overlap */
	uint8_t *to;
	size_t size; /* of both; may be 0 */
};

struct aead {
	const char *name;
	/* 16 or 32 bytes of key.  -EOPNOTSUPP when this host's library has it not. */
	int (*make)(const uint8_t *key, size_t key_size, bool seals, void **ret);
	void (*drop)(void *state);
	/* -EIO when the library fails. */
	int (*seal)(void *state, const struct aead_text *text, uint8_t tag[16]);
	/* -EBADMSG when the tag is another. */
	int (*open)(void *state, const struct aead_text *text, const uint8_t tag[16]);
};

extern const struct aead aead_openssl;
/* Intel's multi-buffer library, with the processor's VAES and VPCLMULQDQ: two to four times OpenSSL
 * 3.0, which knows AES-NI only.  NULL when it was not built in or the processor has them not. */
const struct aead *aead_ipsec_mb(void);

/* The quickest that is here and agrees with OpenSSL on a test message; chosen once. */
const struct aead *aead_best(void);
