/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store in memory, for tests: a 'disk' that outlives the stores opened on it, and that can be
 * told to fail or to hang.
 *
 * A disk is owned by the test and must outlive its stores.  Telling it what to do is allowed from
 * any thread, also while a commit hangs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

struct store_disk;

must_check int store_disk_new(struct store_disk **ret);
struct store_disk *store_disk_free(struct store_disk *d);
CLEANUP_DEFINE(struct store_disk *, store_disk_free);

/* The next 'n' commits fail with 'error' (negative errno). */
void store_disk_fail_next(struct store_disk *d, unsigned int n, int error);
/* While 'hang' is set, commits do not return. */
void store_disk_hang(struct store_disk *d, bool hang);
/* How many syncs a real disk would have seen. */
uint64_t store_disk_n_commits(struct store_disk *d);

/* Opens the store on 'd'; -EWOULDBLOCK when one is open already. */
must_check int store_memory_open(struct store_disk *d, struct store **ret);
