/* SPDX-License-Identifier: Apache-2.0 */
/* A pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986): see heap.h. */
#include "base/heap.h"

void heap_init(struct heap *h, bool (*less)(const struct heap_node *, const struct heap_node *))
{
	*h = (struct heap){.less = less};
}

bool heap_node_linked(const struct heap_node *n)
{
	return n->prev;
}

/* Joins two trees without siblings; the greater root becomes the first child of the other. */
static struct heap_node *meld(const struct heap *h, struct heap_node *a, struct heap_node *b)
{
	struct heap_node *top = a, *sub = b;

	if (h->less(b, a)) {
		top = b;
		sub = a;
	}
	sub->next = top->child;
	if (sub->next)
		sub->next->prev = sub;
	sub->prev = top;
	top->child = sub;
	return top;
}

/* Joins a list of siblings into one tree: in pairs from the left, then the pairs from the right. */
static struct heap_node *meld_siblings(const struct heap *h, struct heap_node *first)
{
	struct heap_node *pairs = NULL, *tree = NULL;

	while (first) {
		struct heap_node *a = first, *b = a->next;

		first = b ? b->next : NULL;
		a->next = NULL;
		if (b) {
			b->next = NULL;
			a = meld(h, a, b);
		}
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct heap_node *a = pairs;

		pairs = a->next;
		a->next = NULL;
		tree = tree ? meld(h, tree, a) : a;
	}
	return tree;
}

static void set_root(struct heap *h, struct heap_node *root)
{
	h->root = root;
	if (root)
		root->prev = root;
}

void heap_insert(struct heap *h, struct heap_node *n)
{
	*n = (struct heap_node){0};
	set_root(h, h->root ? meld(h, h->root, n) : n);
}

void heap_remove(struct heap *h, struct heap_node *n)
{
	struct heap_node *rest = meld_siblings(h, n->child);

	if (n == h->root) {
		set_root(h, rest);
	} else {
		if (n->prev->child == n)
			n->prev->child = n->next;
		else
			n->prev->next = n->next;
		if (n->next)
			n->next->prev = n->prev;
		if (rest)
			set_root(h, meld(h, h->root, rest));
	}
	*n = (struct heap_node){0};
}

struct heap_node *heap_first(const struct heap *h)
{
	return h->root;
}
