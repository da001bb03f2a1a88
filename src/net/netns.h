/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespaces with a name: a file in a directory, onto which the namespace is bound, as
 * ip-netns(8) does it in /run/netns; here the caller chooses the directory.
 *
 * Entering means setns(CLONE_NEWNET) and nothing else: mounts stay those of the caller, so that
 * bpffs and its pins are seen from everywhere.  /sys therefore shows the devices of the namespace
 * it was mounted in; /proc/sys/net and /proc/net follow the reader.
 *
 * Names are [A-Za-z0-9._-]{1,64}, not starting with a dot.  Errors: 0 or a negative errno.
 */
#pragma once

#include "base/err.h"

/* Makes 'directory' (made when it is missing) a shared mount point, as ip-netns(8) does it.  Call
 * this before the first netns_create() in a directory that ip-netns(8) uses too: done later, by it,
 * all names would be bound twice, once out of sight, and could not be removed.  Harmless when it is
 * done. */
must_check int netns_share(const char *directory);
/* Makes a namespace bound at 'directory'/'name' (the directory is made when it is missing) with its
 * loopback up.  The calling thread stays where it is.  -EEXIST: there is one; -EINVAL: bad name. */
must_check int netns_create(const char *directory, const char *name);
/* Unbinds and removes the name; the namespace lives on while someone is inside.  -ENOENT: none. */
must_check int netns_delete(const char *directory, const char *name);
/* A descriptor of it, for netns_enter(), rtnl_open_at(), process_spec.netns_fd.
 * -ENOENT; -EINVAL also when the file is no namespace (left behind by a crash of the machine). */
must_check int netns_open(const char *directory, const char *name, int *ret_fd);
/* The namespace of the calling thread. */
must_check int netns_open_self(int *ret_fd);
/* Moves the calling thread into the namespace. */
must_check int netns_enter(int fd);
/* Runs 'fn' with the calling thread inside the namespace and moves it back.  Returns what 'fn' did,
 * or the error of entering.  A thread that cannot be moved back would be lost, so that ends the
 * process. */
must_check int netns_call(int fd, int (*fn)(void *data), void *data);
/* The names in 'directory', sorted (strv_free() them); none when it does not exist. */
must_check int netns_list(const char *directory, char ***ret_names);
