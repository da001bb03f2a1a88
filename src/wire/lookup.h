/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Look-ups as they are on the wire: the two records that come by the million, Resolve and Resolved
 * (abi/agent.proto), read and written without messages in between.
 *
 * What is read here is what protobuf-c reads, and what is written is what it writes, to the byte
 * (tests/fuzz/fuzz_lookup.c, tests/unit/wire/test_lookup.c).  The reader takes Resolve records as
 * agents send them; any other record, and one with names, unknown or unusual fields, it leaves to
 * frame_decode().
 *
 * Plain functions; any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/addr.h"

struct lookup_question {
	uint32_t kind; /* Viaduct__Agent__Question__Kind */
	uint32_t vni;
	uint32_t addr_vni; /* 0: 'vni' */
	/* Borrowed; NULL: none, or none of 16 bytes. */
	const struct ipaddr *asker;
	const struct ipaddr *addr;
	const char *name; /* borrowed; NULL: none */
	uint32_t label;   /* VERIFY: instead of 'addr'; 0: none */
};

/* Reads the body of one record.  0, the questions and their number; -ENOTSUP: not a record for this
 * reader, or more than 'max' questions. */
must_check int lookup_read(const uint8_t *body, size_t size, struct lookup_question *questions,
			   size_t max, uint64_t *ret_seq, size_t *ret_n);

struct lookup_answer {
	uint32_t status; /* Viaduct__Agent__Answer__Status */
	/* The mapping, all else unset without an address.  All borrowed. */
	const struct ipaddr *addr;
	uint32_t vni;
	uint32_t host;
	uint64_t revision;
	uint32_t lifetime;
	uint32_t label; /* 0: none */
	const uint32_t *groups;
	size_t n_groups;
	const uint32_t *hosts;
	size_t n_hosts;
};

/* Appends a record.  0; -EMSGSIZE, -ENOMEM, and 'out' is as it was. */
must_check int lookup_write(struct buf *out, uint64_t seq, const struct lookup_answer *answers,
			    size_t n);
