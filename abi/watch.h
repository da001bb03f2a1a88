/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Watched ports: the tables of flow logs and of traffic mirroring, between the programs
 * (bpf/lib/watch.h) and the data plane provider.  Ports that nobody watches (DP_PORT_LOGGED,
 * DP_PORT_MIRRORED) are in none.
 *
 * Flow logs.  A *record* counts what one port sent or got under one set of addresses, ports and
 * protocol, accepted or rejected, in one *window*.  The agent closes a window by raising its
 * number; what the programs count goes into the next, and when none of them can be writing to the
 * closed ones any more, they are read, told, and only then removed: the table is the queue, and
 * outlives the agent.
 *
 * Mirroring.  A port's rules, in the order in which they are asked; the copy goes up by a device of
 * its own, so that copies keep no upcall waiting.
 */
#pragma once

#include <linux/types.h>

enum {
	DP_RECORDS_MAX = 65536,     /* of all ports */
	DP_RECORDS_PER_PORT = 8192, /* of one window: so that no port crowds out the others */
	DP_MIRROR_SESSIONS = 3,     /* of one port, as EC2 */
	DP_MIRROR_RULES = 120,      /* of one port: three sessions, each with 20 rules both ways */
	DP_MIRROR_PROTOCOL_ANY = 256,
};

/* ---- watch: array of one, in shared memory ---- */

struct dp_watch_value {
	__u64 epoch;  /* random, chosen when the tables are made: numbers of windows begin anew */
	__u64 opened; /* when this window was, CLOCK_MONOTONIC ns */
	__u64 opened_before; /* and the one before it */
	__u32 window;
	__u32 done; /* the last one that was told and removed */
};

/* ---- watch_slots: array by slot, in shared memory; by the last bit of the window's number ---- */

struct dp_watch_slot {
	__u32 used[2];    /* records begun */
	__u64 skipped[2]; /* packets that found no place */
};

/* ---- records: hash ---- */

enum {
	DP_RECORD_EGRESS = 1 << 0, /* from the node */
	DP_RECORD_REJECT = 1 << 1, /* by its security groups or an ACL */
};

struct dp_record_key {
	__u8 src[16], dst[16];
	__be16 source, destination; /* ports; 0 but for TCP and UDP */
	__u32 port;                 /* id */
	__u32 window;
	__u8 protocol;
	__u8 flags; /* DP_RECORD_* */
	__u8 pad[2];
};

struct dp_record_value {
	__u64 packets, bytes; /* of IP; what a GSO packet becomes on the wire */
	__u64 first, last;    /* CLOCK_MONOTONIC ns, to the clock's tick */
	__u32 tcp;            /* flags seen, or-ed */
	__u32 pad;
};

/* ---- mirrors: hash by slot ---- */

/* The first rule of a session that matches decides for the session: accept, and the packet is
 * copied for it and for no other; reject, and the next session is asked. */
struct dp_mirror_rule {
	__u8 src[16], dst[16];
	__u8 src_len, dst_len; /* counting 128 bits */
	__u8 v6;
	__u8 egress;
	__u8 accept;
	__u8 session;   /* 0.. */
	__u16 protocol; /* or DP_MIRROR_PROTOCOL_ANY */
	__u16 src_from, src_to, dst_from, dst_to;
};

struct dp_mirror_value {
	__u32 n;
	__u32 dns; /* by session: queries to the resolver and its answers are copied, too */
	struct dp_mirror_rule rules[DP_MIRROR_RULES];
};

/* ---- in place of the MACs of a copy; the one of the two that the port does not know ---- */

enum { DP_COPY_MAGIC = 0x0e };

struct dp_copy_note {
	__u8 magic;
	__u8 session;
	__u8 egress;
	__u8 pad;
	__u8 port[2]; /* id, big endian: LIMIT_AGENT_PORTS fits */
	__u8 mac[6]; /* of the other end: whom an egress packet was for, an ingress one came from */
};

_Static_assert(sizeof(struct dp_watch_value) == 32, "layout");
_Static_assert(sizeof(struct dp_watch_slot) == 24, "layout");
_Static_assert(sizeof(struct dp_record_key) == 48, "layout");
_Static_assert(sizeof(struct dp_record_value) == 40, "layout");
_Static_assert(sizeof(struct dp_mirror_rule) == 48, "layout");
_Static_assert(sizeof(struct dp_mirror_value) == 5768, "layout");
_Static_assert(sizeof(struct dp_copy_note) == 12, "layout");
