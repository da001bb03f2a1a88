/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of the network stack of a namespace.  /proc/sys/net shows the namespace of the reader,
 * so the calling thread visits it (netns_call()); nothing is mounted.
 *
 * 'key' is the path below /proc/sys/net with slashes: "ipv6/conf/eth0/forwarding".
 * Errors: -EINVAL: a key that leaves that directory; -ENOENT: this kernel has no such setting.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

/* 'netns_fd' -1: the caller's own namespace. */
must_check int sysctl_set(int netns_fd, const char *key, const char *value);
/* The value without its newline, at most 'size' - 1 bytes: else -EFBIG. */
must_check int sysctl_get(int netns_fd, const char *key, char *ret_value, size_t size);
