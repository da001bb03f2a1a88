/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the worker was told: which class is sealed with what and sent where, which keys open.
 *
 * A key that is told again stays the same object, with its counter or its window; a table is made
 * anew from each image and takes over those keys from the one before it.
 *
 * Ownership: a table owns its keys, until the next one has taken them.  Threading: made and freed
 * by the control thread while nobody uses it; a sealing key's cipher belongs to the sealing thread,
 * an opening key's cipher and window to the opening thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "seal/cipher.h"
#include "seal/protocol.h"
#include "seal/replay.h"
#include "seal/reserve.h"

struct table_key {
	struct seal_key_record record; /* without the key's bytes */
	uint8_t fingerprint[32];       /* of them: SHA-256 */
	struct cipher cipher;
	uint64_t next;        /* seals: the next vector */
	struct replay replay; /* opens */
};

struct table_class {
	struct seal_class record;
	struct table_key *key; /* NULL: not told */
};

struct table {
	uint32_t n_classes, n_keys;
	struct table_class *classes; /* by number */
	struct table_key **keys;     /* by 'seals', SPI */
};

/* From an image of 'size' bytes.  -EINVAL: it makes no sense; -ENOMEM, -EIO...: 'old' is untouched.
 * With success 'old', which may be NULL, has given its keys away and is freed. */
must_check int table_new(const void *image, size_t size, struct table *old, struct reserve *reserve,
			 uint64_t now_ns, struct table **ret);
struct table *table_free(struct table *t, struct reserve *reserve);

const struct table_class *table_class_find(const struct table *t, uint32_t number);
/* By the SPI of a packet, whatever its SEAL_SPI_PARTIAL. */
struct table_key *table_opener_find(const struct table *t, uint32_t spi);
