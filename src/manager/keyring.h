/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that pairs of hosts seal with: derived, never stored.
 *
 * A key is HKDF-SHA256 (RFC 5869) of the cluster's secret for this purpose, with sender, receiver,
 * epoch, cipher and both incarnations (model/pair_key.h) as the info; so each direction of each pair
 * has its own, and the next epoch and the next incarnation another one, even where the store has
 * gone back to what it was before.  It is made while a message for one of its two hosts is written, and is in no log,
 * answer or file.
 *
 * Ownership: embedded.  Any thread.
 */
#pragma once

#include <stdint.h>

#include "abi/agent.pb-c.h"
#include "abi/seal.h"
#include "base/err.h"
#include "model/pair.h"

enum {
	KEYRING_SECRET_SIZE = 32,
	/* of all choices of a pair: what an agent keeps; one choice has fewer */
	KEYRING_KEYS_MAX = 16,
};

struct keyring {
	uint8_t secret[KEYRING_SECRET_SIZE];
};

/* The key of one direction: 16 or 32 bytes.  -EIO when the cryptographic library refuses. */
must_check int keyring_derive(const struct keyring *k, uint32_t sender, uint32_t receiver,
			      enum seal_cipher cipher, const struct pair_key *key,
			      uint8_t ret[static SEAL_KEY_SIZE]);

/* The keys of a choice, as messages. */
struct keyring_keys {
	size_t n;
	Viaduct__Agent__PairKey keys[KEYRING_KEYS_MAX];
	Viaduct__Agent__PairKey *pointers[KEYRING_KEYS_MAX];
	uint8_t bytes[KEYRING_KEYS_MAX][SEAL_KEY_SIZE];
};

/* All that 'self' needs for 'choice' with 'peer'; the second beside what is there.  -EIO,
 * -ENOSPC */
must_check int keyring_fill(const struct keyring *k, uint32_t self, uint32_t peer,
			    const struct choice *choice, struct keyring_keys *ret);
must_check int keyring_fill_more(const struct keyring *k, uint32_t self, uint32_t peer,
				 const struct choice *choice, struct keyring_keys *keys);
