/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: where agents connect.  Accepts connections on a listening socket and makes sessions of
 * them.
 *
 * A certificate whose host is no longer registered is refused in the handshake.  Connections have
 * descriptors of the agents' share (manager/descriptors.h), whose numbers HTTP leaves alone; with
 * more of them than that has, the new one is closed.  When the process runs out of descriptors the
 * gate closes for a moment instead of spinning.
 *
 * Threading: the loop's thread.  Errors: 0 or -errno.
 */
#pragma once

#include "base/err.h"
#include "wire/pki.h"

struct descriptors;
struct gate;
struct manager;

/* Takes the listening socket 'fd', also on failure. */
must_check int gate_new(struct manager *manager, const char *ca_certificate,
			const struct pki_pair *server, int fd, const struct descriptors *shares,
			struct gate **ret);
struct gate *gate_free(struct gate *gate);
CLEANUP_DEFINE(struct gate *, gate_free);
