/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of numbers, each kept once: of the security groups that an interface is in, and of the hosts
 * that a shared one is at.  Interfaces are many, the combinations are few, and a mapping points at
 * one instead of having its own list.
 *
 * A set lives while an interface of the model or a holder has it, or a change can be undone.  One
 * thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hmap.h"
#include "base/list.h"

struct model;

struct group_set {
	struct hmap_node node;
	struct list idle; /* while refs is 0 */
	uint32_t refs;
	uint32_t n;
	uint32_t numbers[]; /* of the groups, or hosts, ascending, each once */
};

/* Keeps a set that outlives the mapping it was read from; NULL: nothing. */
void group_set_hold(struct model *m, const struct group_set *s);
void group_set_release(struct model *m, const struct group_set *s);
size_t group_set_count(const struct model *m);

/* ---- for table.c ---- */

struct interface;
/* The set of the interface's groups, with as many references as it has; NULL in '*ret' for none.
 * -ENOMEM */
must_check int group_set_prepare(struct model *m, const struct interface *i,
				 struct group_set **ret);
/* The same for the hosts of a shared interface. */
must_check int group_set_prepare_hosts(struct model *m, const struct interface *i,
				       struct group_set **ret);
void group_set_reclaim(struct model *m);
void group_set_deinit(struct model *m);
