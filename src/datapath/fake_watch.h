/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow logs and mirroring of the fake back-end (datapath/watch.h): what the programs count and
 * copy, for the packets that the fake carries.  It has no clock: records are of the time when their
 * window was opened.
 */
#pragma once

#include "datapath/watch.h"
#include "base/list.h"

struct fake_host;
struct fake_port;

struct fake_watch {
	struct dp_watch_value window;
	size_t n_records, n_mirrors;
	struct fake_record *records;
	struct fake_mirror *mirrors;
	struct list copies;
	int copy_fd;    /* an eventfd, readable while a copy waits */
	uint8_t *frame; /* the one last read */
};

/* What the tables need to know of a packet that policy has judged. */
struct fake_seen {
	const uint8_t *frame;
	size_t size;
	struct ipaddr src, dst;
	uint16_t source, destination;
	uint8_t protocol, tcp;
	bool egress, reject;
};

must_check int fake_watch_init(struct fake_watch *w);
void fake_watch_deinit(struct fake_watch *w);
/* Counts and copies the packet if the port is watched. */
void fake_watch_see(struct fake_host *h, const struct fake_port *port,
		    const struct fake_seen *seen);
void fake_watch_forget_port(struct fake_host *h, uint32_t port);

int fake_window_close(struct datapath *dp, uint64_t now_ns);
int fake_window(struct datapath *dp, struct dp_window *ret);
int fake_window_forget(struct datapath *dp);
int fake_records(struct datapath *dp, int (*fn)(const struct dp_record *, void *), void *arg);
int fake_records_skipped(struct datapath *dp, uint32_t port, uint64_t *ret);
int fake_mirror_set(struct datapath *dp, uint32_t port, const struct dp_mirror_value *mirror);
int fake_copy_fd(const struct datapath *dp);
int fake_copy_read(struct datapath *dp, struct dp_copy *ret);
/* in fake.c */
int fake_copy_send(struct datapath *dp, uint32_t port, uint8_t *frame, size_t size);
