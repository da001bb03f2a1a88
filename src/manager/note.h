/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A note: what a change means for others.  It is made when the change happens, while the model is
 * as the change left it, and waits until the change is durable (manager/publish.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "manager/heir.h"
#include "model/mapping.h"

struct change;
struct manager;
struct model;
struct outbox_item;

struct note {
	struct model *model;
	uint64_t revision;
	bool incomplete;       /* no memory: all hosts need their whole state */
	bool steps;            /* nothing but steps of choices that change */
	struct list items;     /* note_item */
	struct list mappings;  /* note_mapping: that moved, and are held */
	struct list hosts;     /* note_host: that came or went */
	struct list partings;  /* note_parting: peerings that ended */
	struct list preloads;  /* note_preload: begins or ends to be preloaded there */
	struct list heritages; /* note_heritage */
};

/* Desired of a host. */
struct note_item {
	struct list node;
	uint32_t host;
	struct outbox_item *item;
};

struct note_mapping {
	struct list node;
	struct mapping now;
};

struct note_host {
	struct list node;
	uint32_t number;
	bool removed;
};

struct note_parting {
	struct list node;
	uint32_t vni, other_vni;
};

struct note_preload {
	struct list node;
	uint32_t host, vni;
};

struct note_heritage {
	struct list node;
	struct heritage heritage;
};

/* NULL: no memory, as though it were incomplete. */
struct note *note_new(struct manager *manager, const struct change *change);
struct note *note_free(struct note *note);
