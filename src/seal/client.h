/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's side of seal/protocol.h: finds the host's worker, or starts it, and tells it what to
 * do.
 *
 * The worker outlives whoever started it: seal_client_close() leaves it at work, the next
 * seal_client_open() finds it by its socket.  One of another build is ended and replaced.
 *
 * Calls wait for the worker's answer, at most SEAL_CLIENT_WAIT_MS; it answers from memory, but for
 * one write to disk when keys are new.  Threading: one thread.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "seal/protocol.h"

enum { SEAL_CLIENT_WAIT_MS = 2000 };

struct seal_client {
	int fd; /* -1: closed */
	int pid;
	const struct seal_shared *shared; /* counters, read-only */
	uint64_t generation;              /* of what it was told last, by whomever */
};

/* 'program' is the worker's path, 'reserve' its file (seal/reserve.h). */
must_check int seal_client_open(struct seal_client *c, const char *socket, const char *program,
				const char *reserve);
void seal_client_close(struct seal_client *c);
/* The host's incarnation (seal/windows.h): that of the worker that runs, or of one that would be
 * started.  Starts none, and leaves one of another build. */
must_check int seal_client_incarnation(const char *socket, const char *reserve, uint64_t *ret);
/* Ends the worker, if one is there, and waits for it. */
must_check int seal_client_quit(const char *socket);

/* All classes and keys; what is not among them is not sealed or opened any more. */
must_check int seal_client_configure(struct seal_client *c, const struct seal_image *image,
				     const struct seal_class *classes,
				     const struct seal_key_record *keys);
