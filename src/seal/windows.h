/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The replay windows of keys that open, in a file that outlives the worker: a worker that is started
 * again, and a key that is told again after it was gone, take nothing that was taken before.
 *
 * The file is mapped, and belongs in memory (/run): whoever opens packets writes to it.  It ends with
 * the host's kernel.  A window is found by its key's name, a digest; no key is in the file.  Windows
 * of keys that are gone are kept, of WINDOWS_KEPT at least; then the one that is gone for the longest
 * makes room.
 *
 * Ownership: the windows are the file's, until windows_close().  Threading: one thread calls; a
 * window itself may be another's, between windows_take() and windows_release().  One process at a
 * time, which the caller sees to (seal/reserve.h has a lock).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hmap.h"
#include "base/list.h"
#include "seal/replay.h"

enum {
	WINDOWS_NAME_SIZE = 32,
	WINDOWS_KEPT = 4096, /* of 2 KB each */
};

struct windows {
	int fd; /* -1: closed */
	struct windows_file *file;
	struct windows_place *places; /* one for each that may be in the file */
	struct hmap by_name;          /* places with a name */
	struct list released;         /* those that nobody has, the longest first */
	size_t n_released;
	size_t n_room; /* the file has memory for so many */
};

/* Makes the file anew when it is not there, or of another layout.  Negative errno: no file. */
must_check int windows_open(struct windows *w, const char *path);
void windows_close(struct windows *w);
/* The window of the key of this name, as it was left; or an empty one.  It may be taken several times.
 * -ENOSPC: there is no memory for one more. */
must_check int windows_take(struct windows *w, const uint8_t name[static WINDOWS_NAME_SIZE],
			    struct replay **ret);
void windows_release(struct windows *w, struct replay *replay);
