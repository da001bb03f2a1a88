/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files: read whole, replace atomically and durably, make directories, hold a lock.
 *
 * These block; a daemon uses them at start and stop, or on a thread that may wait for the disk.
 * Errors: 0 or a negative errno, with nothing left behind (no temporary file, no half content).
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* Reads all of 'path' into '*ret' (NUL-terminated, to be freed); '*ret_size' may be NULL.
 * -EFBIG when it holds more than 'limit' bytes.  Works on /proc and /sys as well. */
must_check int file_read(const char *path, size_t limit, char **ret, size_t *ret_size);

/* Replaces or creates 'path': temporary file beside it, fsync, rename, fsync of the directory.
 * After success the new content survives a crash; after failure the old content is there. */
must_check int file_write_atomic(const char *path, const void *data, size_t size, mode_t mode);

/* Writes 'text' to an existing file in one write(2), as /proc and /sys want it. */
must_check int file_write_existing(const char *path, const char *text);

/* Makes 'path' and the directories above it; those that exist are left as they are.
 * -ENOTDIR when something else is in the way. */
must_check int file_mkdirs(const char *path, mode_t mode);

/* Creates or opens 'path', locks it for this process and writes the process id to it.  The lock
 * ends with the descriptor, so a killed process leaves none.  -EWOULDBLOCK: another process holds
 * it. */
must_check int file_lock(const char *path, int *ret_fd);

/* Removes 'path' and everything below it, without following links or crossing into other mounts.
 * 0 also when it is not there. */
must_check int file_remove_tree(const char *path);
