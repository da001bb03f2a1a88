/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An outbox: what one host has to be told of its desired state, until it has acknowledged it.
 *
 * One item per object: a later word about an object replaces an earlier one.  Items carry the
 * revision that they belong to.  An item leaves when the host has acknowledged that revision; a
 * host that reconnects is told again what it has not acknowledged.
 *
 * Ownership: items are copies.  One thread.  Errors: -ENOMEM; -ENOBUFS above LIMIT_OUTBOX_ITEMS:
 * the host then needs all of its state anew.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hmap.h"
#include "base/list.h"

struct plan_item;

/* One object's state, or its removal, as a field of Desired: packed once, copied into each
 * message. */
struct outbox_item {
	struct list node; /* in the outbox's 'unsent' or 'sent' */
	struct hmap_node by_key;
	uint64_t revision;
	uint32_t key_at, key_size; /* in 'bytes': the packed ObjectKey; 0 bytes: the host itself */
	uint32_t size;
	bool sent;
	bool removal;
	/* a packed Object, or ObjectKey, behind its size; an Object's key follows */
	uint8_t bytes[];
};

struct keyring;

/* For host 'number', with keys from 'keyring'. */
must_check int outbox_item_new(const struct plan_item *item, uint64_t revision,
			       const struct keyring *keyring, uint32_t number,
			       struct outbox_item **ret);
struct outbox_item *outbox_item_free(struct outbox_item *item);

struct outbox {
	struct list unsent, sent; /* each in the order they were put, so of ascending revisions */
	struct hmap by_key;
	size_t n_unsent;
};

void outbox_init(struct outbox *outbox);
void outbox_deinit(struct outbox *outbox);
void outbox_clear(struct outbox *outbox);
/* Takes 'item', also on failure. */
must_check int outbox_put(struct outbox *outbox, struct outbox_item *item);
size_t outbox_count(const struct outbox *outbox);

/* Packs a Desired of all items that are not sent (with 'full': of all) and marks them sent. */
must_check int outbox_pack(struct outbox *outbox, uint64_t revision, bool full, struct buf *out);
/* The host has everything up to 'revision'. */
void outbox_acknowledge(struct outbox *outbox, uint64_t revision);
/* What was sent and not acknowledged is to be sent again. */
void outbox_rewind(struct outbox *outbox);
