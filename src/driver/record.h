/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a driver writes down about a node, so that its successor after a crash or a reboot knows it.
 *
 * One file per node, DIRECTORY/ID.node, replaced atomically.  It is text, a line per fact:
 *	node GENERATION starting|running|ended
 *	interface ID DEVICE_INDEX MAC MTU
 *	client INTERFACE_ID PID START_TIME   what configures the interface inside the node
 *
 * Ownership: a record is embedded, its interfaces are heap memory: record_deinit().
 * Errors: -EBADMSG for a file that is not such text; otherwise what the file system says.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "driver/driver.h"

struct record_interface {
	struct driver_interface interface;
	pid_t client; /* 0: none was started */
	/* of that process, in clock ticks since boot: a pid alone may be re-used */
	uint64_t client_start;
};

struct record {
	struct driver_node node;
	bool starting; /* it is being made, or its making was cut off; it does not run then */
	struct record_interface *interfaces;
	size_t n_interfaces;
};

void record_deinit(struct record *r);
#define _cleanup_record_ _cleanup_(record_deinit)

/* -ENOENT: there is none. */
must_check int record_read(const char *directory, const char *node, struct record *ret);
/* Durable: for what must be known after a crash of the machine, the node's generation and state. */
must_check int record_write(const char *directory, const struct record *r);
/* Outlives this process, not the machine: interfaces and clients end with it as well.  Saves a wait
 * for the disk. */
must_check int record_note(const char *directory, const struct record *r);
must_check int record_delete(const char *directory,
			     const char *node); /* 0 also when there is none */
/* The ids that have a record, in no order (strv_free() them). */
must_check int record_list(const char *directory, char ***ret_ids);

struct record_interface *record_find(const struct record *r, const char *interface);
/* Adds an interface; it must not be there.  0, -ENOMEM, or -ENOSPC above LIMIT_NODE_INTERFACES. */
must_check int record_add(struct record *r, const struct driver_interface *interface,
			  struct record_interface **ret);
void record_remove(struct record *r, const char *interface); /* which may be absent */
