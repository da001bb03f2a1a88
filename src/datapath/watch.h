/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watched ports: flow logs and traffic mirroring, a part of the contract of datapath/datapath.h
 * (concept, ownership, threading and errors as there).
 *
 * Flow logs.  While dp_port.logged is set, the programs count what the port sends and gets by flow,
 * in *windows*: datapath_window_close() ends one and begins the next.  The records of the closed
 * one can be read as often as is needed, some milliseconds later at the earliest (a program may
 * still be at a packet), until datapath_window_forget() makes room.  All of this outlives the
 * process.
 *
 * Mirroring.  Packets that the rules of a port accept come up as copies, whole (GSO included), by a
 * descriptor of their own; what is too many for the reader is lost, and nothing else is.
 */
#pragma once

#include "abi/watch.h"
#include "net/addr.h"

struct datapath;

struct dp_record {
	uint32_t port;
	bool egress; /* from the node */
	bool reject; /* by security groups or an ACL */
	uint8_t protocol;
	uint8_t tcp; /* flags seen, or-ed */
	struct ipaddr src, dst;
	uint16_t source, destination; /* 0 but for TCP and UDP */
	uint64_t packets, bytes;      /* of IP; GSO packets as they are on the wire */
	uint64_t first_ns, last_ns;   /* monotonic */
};

struct dp_window {
	uint64_t epoch; /* numbers begin anew with another one */
	uint32_t number;
	uint64_t opened_ns, closed_ns; /* monotonic */
};

/* -EBUSY while an earlier one is closed and not forgotten. */
int datapath_window_close(struct datapath *dp, uint64_t now_ns);
/* The closed one; -ENOENT: none. */
int datapath_window(struct datapath *dp, struct dp_window *ret);
/* Its records, in no order. */
int datapath_records(struct datapath *dp, int (*fn)(const struct dp_record *, void *), void *arg);
/* Packets of the port that found no place in it. */
int datapath_records_skipped(struct datapath *dp, uint32_t port, uint64_t *ret);
int datapath_window_forget(struct datapath *dp);

/* Sets all rules of a port; 'n' 0: it has none.  Rules as in abi/watch.h, in the order of
 * evaluation. -ENOENT: no such port. */
int datapath_mirror_set(struct datapath *dp, uint32_t port, const struct dp_mirror_value *mirror);

/* A packet that a port sent or got, as its node saw it. */
struct dp_copy {
	uint32_t port;
	uint8_t session;
	bool egress;
	bool partial;       /* its transport checksum is begun (pseudo header), not finished: */
	uint16_t sum_start; /* it is over all from here, */
	uint16_t sum_at;    /* and its place is so far behind that */
	/* 0: it is one packet; else a whole of segments with so much payload each */
	uint16_t gso_size;
	size_t size;
	uint8_t *frame; /* Ethernet; the data plane's, until the next call */
};

int datapath_copy_fd(const struct datapath *dp);                  /* readable when a copy waits */
int datapath_copy_read(struct datapath *dp, struct dp_copy *ret); /* -EAGAIN: none */
/* Sends an IPv4 packet of the agent's own making, 'frame' with 14 bytes of room before it, as
 * though the port's node had sent it; its groups and ACL are not asked, nor is it watched.
 * -ENOENT: no such port. */
int datapath_copy_send(struct datapath *dp, uint32_t port, uint8_t *frame, size_t size);
