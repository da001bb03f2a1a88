/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealed datagrams on their way out, many with one system call: those of one size to one host
 * follow each other as one message that the kernel cuts again (UDP_SEGMENT), and messages go by
 * sendmmsg(2).
 *
 * The source port comes from a small set, by the flow, so that routers which spread by ports have
 * something to spread by.  Datagrams are never fragmented; what this host's own interface does not
 * carry is counted as not sent.
 *
 * Threading: one thread.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	OUTBOX_PORTS = 4,     /* source ports of each family */
	OUTBOX_SIZE = 262144, /* bytes that wait at most */
	OUTBOX_MESSAGES = 64,
	OUTBOX_SEGMENTS = 64, /* of one message: the kernel's UDP_MAX_SEGMENTS before 6.9 */
	OUTBOX_MESSAGE_SIZE = 65000,
};

struct outbox_message {
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} to;
	socklen_t to_size;
	int fd;
	size_t at, size, segment;
	bool closed; /* its last datagram is shorter: none may follow */
};

struct outbox {
	int fds[2][OUTBOX_PORTS]; /* by family; -1: this host has it not */
	bool no_segments;         /* the kernel cuts nothing here: one by one */
	uint64_t *not_sent;
	size_t size, n;
	struct outbox_message messages[OUTBOX_MESSAGES];
	uint8_t bytes[OUTBOX_SIZE];
};

/* 'v4', 'v6': this host's addresses, to send from; zero: none. */
must_check int outbox_open(struct outbox *o, const uint8_t v4[16], const uint8_t v6[16],
			   uint64_t *not_sent);
void outbox_close(struct outbox *o);
/* Room for a datagram of 'size' bytes, sending what waits when there is none. */
uint8_t *outbox_room(struct outbox *o, size_t size);
/* The datagram in the room has 'size' bytes and is for 'remote'. */
void outbox_add(struct outbox *o, size_t size, const uint8_t remote[16], uint32_t hash);
void outbox_flush(struct outbox *o);
/* The same but for a last message that would take more: it is kept, so that messages are full while
 * there is more to send. */
void outbox_flush_full(struct outbox *o);
