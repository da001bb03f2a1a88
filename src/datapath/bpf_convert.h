/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the BPF back-end: entries of a table of one layout, carried over into a table of
 * another.
 *
 * Knows tables by descriptor: arrays, hashes with and without LRU, longest-prefix tries, and
 * per-CPU arrays.  Carrying over is repeated while programs write to the old table: what has been
 * carried is remembered, and only what has changed since goes to the new table, whose programs may
 * have changed the same entry.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hmap.h"

/*
 * How entries of layout 'from' become entries of layout 'to'.  Without functions, keys and values
 * are copied as far as both go, and the rest is 0: right where fields were only added at the end,
 * or the number of entries has changed.
 */
struct bpf_conversion {
	const char *table;
	uint32_t from, to;
	void (*key)(const void *was, void *ret);
	/* 'ret' is zeroed; of a per-CPU array for each processor's.  False: the entry is not
	 * carried over. */
	bool (*value)(const void *was, void *ret);
	/* the number of entries has changed, too; else another number is another configuration's */
	bool resized;
};

/* bpf_conversions.c: all that there are, ended by one without a table. */
extern const struct bpf_conversion bpf_conversions[];
/* NULL: none. */
const struct bpf_conversion *bpf_conversion_find(const char *table, uint32_t from, uint32_t to);

/* What has been carried; zeroed it is empty. */
struct bpf_carried {
	struct hmap entries;
	size_t n_left_out; /* for which there was no room */
};

/* Carries over what 'carried' does not know yet.  A full table is no error: what does not fit is
 * counted there. -EINVAL: the tables are of other kinds or sizes than the conversion says. */
must_check int bpf_convert(const struct bpf_conversion *conversion, int was, int now,
			   struct bpf_carried *carried);
void bpf_carried_deinit(struct bpf_carried *carried);
