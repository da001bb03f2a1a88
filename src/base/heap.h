/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An intrusive priority queue (pairing heap): the least element is at hand, any element can leave.
 *
 * The node is embedded in the element; the heap owns nothing and allocates nothing, so nothing
 * fails. 'less' orders two nodes and must not change its mind while they are in the heap.
 * insert and peek are O(1), remove is amortised O(log n).  One thread.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct heap_node {
	struct heap_node *child; /* first child */
	struct heap_node *next;  /* next sibling */
	struct heap_node *prev;  /* previous sibling; first child: parent; root: itself */
};

struct heap {
	struct heap_node *root;
	bool (*less)(const struct heap_node *a, const struct heap_node *b);
};

void heap_init(struct heap *h, bool (*less)(const struct heap_node *, const struct heap_node *));
/* A zeroed node is in no heap; heap_remove() leaves it so. */
bool heap_node_linked(const struct heap_node *n);
void heap_insert(struct heap *h, struct heap_node *n);
void heap_remove(struct heap *h, struct heap_node *n);
struct heap_node *heap_first(const struct heap *h); /* the least, or NULL */
