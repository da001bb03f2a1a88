/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The replay windows of keys that open, in a file that outlives the worker: a worker that is started
 * again, and a key that is told again after it was gone, take nothing that was taken before.
 *
 * The file is mapped, and belongs in memory (/run): whoever opens packets writes to it.  It ends with
 * the host's kernel: one of another start of the kernel, wherever it was, is begun anew.  A window is
 * found by its key's name, a digest; no key is in the file.  Windows of keys that are gone are kept,
 * of WINDOWS_KEPT at least; then the one that is gone for the longest makes room.
 *
 * The file has a name of its own, at random: the *incarnation* of the host (model/pair_key.h, for
 * which keys are made).  Another file has another one.
 *
 * Ownership: the windows are the file's, until windows_close().  Threading: one thread calls; a
 * window itself may be another's, between windows_take() and windows_release().  One process at a
 * time, which the caller sees to (seal/reserve.h has a lock).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/boot.h"
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

/* Makes the file anew when it is not there, of another layout, or of another start of the kernel than
 * 'boot'.  Another process may have it open: one that only asks for the
 * incarnation.  Negative errno: no file. */
must_check int windows_open(struct windows *w, const char *path,
			    const uint8_t boot[static BOOT_ID_SIZE]);
void windows_close(struct windows *w);
uint64_t windows_incarnation(const struct windows *w);
bool windows_know(const struct windows *w, const uint8_t name[static WINDOWS_NAME_SIZE]);
/* The window of the key of this name, as it was left; or an empty one.  It may be taken several times.
 * -ENOSPC: there is no memory for one more. */
must_check int windows_take(struct windows *w, const uint8_t name[static WINDOWS_NAME_SIZE],
			    struct replay **ret);
void windows_release(struct windows *w, struct replay *replay);
