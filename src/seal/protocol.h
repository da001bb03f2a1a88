/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the agent and its sealing worker, over a SEQPACKET socket on one host.
 *
 *	agent  -> worker   HELLO                       which version it speaks
 *	worker -> agent    WELCOME, descriptor         its version; counters in shared memory, to be read
 *	agent  -> worker   CONFIGURE, descriptor       all classes and keys, as an image in shared memory
 *	worker -> agent    CONFIGURED                  'error' 0: what comes from now on is done as it says
 *	agent  -> worker   QUIT                        ends; the socket closes when it has ended
 *
 * The worker lives on without an agent, with what it was told last: packets go on.  Keys are in
 * memory alone, here and in the image; neither end writes them anywhere.  A key for another incarnation
 * than the worker's is not used.
 *
 * An image is a struct seal_image, the classes, and the keys.  Records are fixed-width; both ends
 * are of one build or WELCOME says otherwise.
 */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/drop.h"
#include "abi/maps.h"
#include "abi/seal.h"
#include "base/cpus.h"

enum {
	SEAL_PROTOCOL = 3, /* grows with each change of what is below */
	SEAL_CLASSES_MAX = 2 * DP_PEERS_MAX,
	SEAL_KEYS_MAX = 8 * DP_PEERS_MAX,
};

/* Beside the socket, under its name with this: the worker's (seal/windows.h). */
#define SEAL_WINDOWS_SUFFIX ".windows"

enum seal_message_kind {
	SEAL_HELLO = 1,
	SEAL_WELCOME = 2,
	SEAL_CONFIGURE = 3,
	SEAL_CONFIGURED = 4,
	SEAL_QUIT = 5,
};

struct seal_message {
	uint32_t kind;
	uint32_t version;    /* HELLO, WELCOME */
	int32_t error;       /* CONFIGURED: a negative errno */
	int32_t pid;         /* WELCOME */
	uint64_t generation; /* of the image; WELCOME: the last one's, 0: none yet */
};

struct seal_image {
	uint64_t generation;
	uint32_t n_classes, n_keys;
	char device[16];
	uint8_t v4[16], v6[16]; /* this host's, to receive on; zero: none */
	struct cpus cpus;       /* where threads may run; empty: where the worker may */
};

/* What the programs send with this class in the note. */
struct seal_class {
	uint32_t number;
	uint32_t peer;
	uint32_t spi; /* of the key to seal with */
	uint8_t cipher;
	uint8_t lz4;
	uint8_t pad[2];
	uint8_t remote[16]; /* where to, IPv4 as ::ffff:a.b.c.d */
};

struct seal_key_record {
	uint32_t spi;
	uint32_t peer;
	uint8_t cipher;
	uint8_t seals;   /* else it opens */
	uint8_t goes_on; /* opens only if it has before: for keys of no incarnation */
	uint8_t pad[5];
	uint8_t key[SEAL_KEY_SIZE];
	uint64_t incarnation; /* that it is for; 0: of any */
};

static_assert(sizeof(struct seal_message) == 24, "");
static_assert(sizeof(struct seal_image) == 192, "");
static_assert(sizeof(struct seal_class) == 32, "");
static_assert(sizeof(struct seal_key_record) == 56, "");

/* ---- counters: written by the worker alone, each word but those of drops by one thread at a time ---- */

struct seal_counters {
	uint64_t sealed_packets, sealed_bytes; /* datagrams and their UDP payload */
	uint64_t opened_packets, opened_bytes;
	uint64_t saved_bytes; /* by compression, of what was sealed */
};

/* What was refused lately, one place after the other. */
struct seal_refusal {
	uint32_t reason; /* enum drop_reason */
	uint32_t peer;   /* 0: not known */
	uint8_t from[16];
};

enum { SEAL_REFUSALS = 64 };

struct seal_shared {
	uint64_t drops[DROP_REASON_MAX]; /* by both threads */
	uint64_t not_sent;               /* sealed, and refused by the kernel */
	uint64_t n_refusals; /* all so far: the last is at (n_refusals - 1) % SEAL_REFUSALS */
	struct seal_refusal refusals[SEAL_REFUSALS];
	struct seal_counters peers[DP_PEERS_MAX];
	uint64_t
		incarnation; /* that the worker opens and seals for (seal/windows.h); it does not change */
};

/* Counts a packet that is dropped for 'reason', in any thread. */
static inline void seal_count_drop(struct seal_shared *s, enum drop_reason reason)
{
	__atomic_fetch_add(&s->drops[reason], 1, __ATOMIC_RELAXED);
}

/* What has been counted so far, also by another process. */
static inline uint64_t seal_drop_count(const struct seal_shared *s, enum drop_reason reason)
{
	return __atomic_load_n(&s->drops[reason], __ATOMIC_RELAXED);
}
