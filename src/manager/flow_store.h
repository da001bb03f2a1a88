/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the records of flow logs are kept: lines of text in files, by flow log.
 *
 * A flow log has a folder with files of up to LIMIT_FLOW_FILE_SIZE; the name of each is the place
 * of its first byte among all that were ever written for it.  Of the oldest, those beyond
 * LIMIT_FLOW_FILES go.  A *place* is where a reader goes on: it stays good whatever goes.
 *
 * The loop's thread writes; a fault of the disk loses lines and is told in the log.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct flow_store;

/* In 'dir', made when the first line is written.  -ENOMEM */
must_check int flow_store_new(const char *dir, struct flow_store **ret);
struct flow_store *flow_store_free(struct flow_store *s);

/* Appends whole lines. */
must_check int flow_store_append(struct flow_store *s, uint64_t flow_log, const void *lines,
				 size_t size);
/* Whole lines from 'place' on, or from the oldest that is kept, as many as fit into 'most' bytes,
 * to the end of 'b'; '*ret_next' is the place behind them.  0 lines: there are no more yet. */
must_check int flow_store_read(struct flow_store *s, uint64_t flow_log, uint64_t place, size_t most,
			       struct buf *b, uint64_t *ret_next);
/* Removes what 'keep' does not want. */
void flow_store_sweep(struct flow_store *s, bool (*keep)(void *data, uint64_t flow_log),
		      void *data);
