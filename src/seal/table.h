/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the worker was told: which class is sealed with what and sent where, which keys open.
 *
 * A key that is told again stays the same object, with its counter; a table is made anew from each
 * image and takes over those keys from the one before it.  Of a key that was gone meanwhile, and of
 * those of a former worker, 'struct past' knows enough that nothing is used or taken twice.  A key
 * for another incarnation than that of its files is left out: nothing is sealed or opened with it.
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
#include "seal/windows.h"

/* What is known of keys beyond the life of a table, and of the worker. */
struct past {
	struct reserve reserve; /* vectors that were used */
	struct windows windows; /* vectors that were taken */
};

/* 'reserve' and 'windows' are their files.  Without the first one the second one is begun anew: keys
 * are for the incarnation that it names, so those that sealed before are not used any more, either.
 * -EWOULDBLOCK: another worker has them. */
must_check int past_open(struct past *p, const char *reserve, const char *windows, uint64_t now_ns);
void past_close(struct past *p);
/* That of a host whose worker has these files, or will.  -EIO... */
must_check int past_incarnation(const char *reserve, const char *windows, uint64_t now_ns,
				uint64_t *ret);

struct table_key {
	struct seal_key_record record;   /* without the key's bytes */
	uint8_t name[WINDOWS_NAME_SIZE]; /* SHA-256 of all of it */
	struct cipher cipher;
	uint64_t next;         /* seals: the next vector */
	struct replay *replay; /* opens; else NULL */
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
must_check int table_new(const void *image, size_t size, struct table *old, struct past *past,
			 uint64_t now_ns, struct table **ret);
struct table *table_free(struct table *t, struct past *past);

const struct table_class *table_class_find(const struct table *t, uint32_t number);
/* By the SPI of a packet, whatever its SEAL_SPI_PARTIAL. */
struct table_key *table_opener_find(const struct table *t, uint32_t spi);
