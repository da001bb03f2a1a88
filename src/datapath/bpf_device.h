/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the BPF back-end: programs on devices (bpf_attach.c), and those that are no port's
 * (bpf_device.c). */
#pragma once

#include "datapath/bpf_host.h"

enum bpf_side { BPF_SIDE_INGRESS, BPF_SIDE_EGRESS };

/* A program on one side of a device. */
struct bpf_attachment {
	int ifindex;
	enum bpf_side side;
	int fd;          /* of the tcx link; -1: none yet, or a clsact filter */
	bool wants_link; /* a new one is a link, and never a filter */
	bool current;    /* the program is this build's */
};

/* Makes the program the one that runs there: at once by a filter, while a new link waits for a
 * grace period.  -EEXIST: a link that is not this one has the same there. */
must_check int bpf_attachment_set(struct bpf_attachment *at, int prog_fd);
/* Detaches; nothing is there when the device is gone. */
void bpf_attachment_end(struct bpf_attachment *at);
/* The device that a link is on; 0: it is gone. */
int bpf_link_ifindex(int fd);

/* The data plane's preparer.  The programs' descriptors stay the caller's; 'delivered_fd' is
 * negative where nothing will be watched. */
must_check int bpf_device_open(bool tcx, int port_fd, int delivered_fd, int bridge,
			       struct dp_preparer **ret);
/* Takes a loose attachment; false: there is none. */
bool bpf_device_take(struct dp_preparer *p, int ifindex, enum bpf_side side,
		     struct bpf_attachment *ret);
/* Leaves an attachment loose; its descriptor is taken over. */
void bpf_device_put(struct dp_preparer *p, struct bpf_attachment *at);
/* Has somebody prepared it? */
bool bpf_device_is_ready(struct dp_preparer *p, int ifindex, enum bpf_side side);
/* Ends a loose attachment, if there is one. */
void bpf_device_drop(struct dp_preparer *p, int ifindex, enum bpf_side side);
