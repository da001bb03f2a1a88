/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The path-compressed trie: see lpm.h.
 *
 * A node stands for a prefix; its children are longer prefixes inside it, told apart by the first
 * bit behind it.  A node without a value only joins two children.
 */
#include "net/lpm.h"

#include <stdint.h>
#include <string.h>

struct lpm_node {
	struct prefix prefix;
	void *value; /* NULL: a joint */
	struct lpm_node *child[2];
};

void lpm_init(struct lpm *l)
{
	*l = (struct lpm){0};
}

static void free_tree(struct lpm_node *n)
{
	/* As deep as the longest chain of nested prefixes: 129 at most. */
	if (!n)
		return;
	free_tree(n->child[0]);
	free_tree(n->child[1]);
	free(n);
}

void lpm_deinit(struct lpm *l)
{
	free_tree(l->root);
	lpm_init(l);
}

static unsigned int bit_at(const struct ipaddr *a, unsigned int i)
{
	return (unsigned int)a->b[i / 8] >> (7 - i % 8) & 1U;
}

/* How many leading bits two addresses share. */
static unsigned int common_bits(const struct ipaddr *a, const struct ipaddr *b)
{
	for (unsigned int i = 0; i < sizeof(a->b); i++) {
		unsigned int differ = (unsigned int)(a->b[i] ^ b->b[i]);
		int same = differ ? __builtin_clz(differ) - 24 : 8;

		if (same < 8)
			return 8 * i + (unsigned int)same;
	}
	return 128;
}

static struct lpm_node *node_new(const struct prefix *prefix, void *value)
{
	struct lpm_node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->prefix = *prefix;
	n->value = value;
	return n;
}

/* Where a node for 'prefix' is or belongs: the first link on its way whose node is no wider. */
static struct lpm_node **find_link(struct lpm_node **link, const struct prefix *prefix)
{
	while (*link && (*link)->prefix.len < prefix->len &&
	       prefix_contains(&(*link)->prefix, &prefix->addr))
		link = &(*link)->child[bit_at(&prefix->addr, (*link)->prefix.len)];
	return link;
}

/* Puts a new node at 'link', above what is there or beside it under a joint. */
static int insert_at(struct lpm_node **link, const struct prefix *prefix, void *value)
{
	struct lpm_node *at = *link, *n = node_new(prefix, value), *joint;
	unsigned int shared;
	struct prefix around;

	if (!n)
		return -ENOMEM;
	if (!at) {
		*link = n;
		return 0;
	}
	shared = common_bits(&at->prefix.addr, &prefix->addr);
	if (shared >= prefix->len) {
		n->child[bit_at(&at->prefix.addr, prefix->len)] = at;
		*link = n;
		return 0;
	}
	around = prefix_make(&prefix->addr, (uint8_t)shared);
	joint = node_new(&around, NULL);
	if (!joint) {
		free(n);
		return -ENOMEM;
	}
	joint->child[bit_at(&prefix->addr, shared)] = n;
	joint->child[bit_at(&at->prefix.addr, shared)] = at;
	*link = joint;
	return 0;
}

int lpm_set(struct lpm *l, const struct prefix *prefix, void *value, void **ret_old)
{
	struct lpm_node **link = find_link(&l->root, prefix);
	void *old = NULL;

	assert(value);
	if (*link && prefix_equal(&(*link)->prefix, prefix)) {
		old = (*link)->value;
		(*link)->value = value;
	} else {
		int r = insert_at(link, prefix, value);

		if (r < 0)
			return r;
	}
	l->n += !old;
	if (ret_old)
		*ret_old = old;
	return 0;
}

/* Takes out a node that says nothing: no value and at most one child. */
static void prune(struct lpm_node **link)
{
	struct lpm_node *n = *link;

	if (!n || n->value || (n->child[0] && n->child[1]))
		return;
	*link = n->child[0] ? n->child[0] : n->child[1];
	free(n);
}

void *lpm_remove(struct lpm *l, const struct prefix *prefix)
{
	struct lpm_node **link = &l->root, **parent = NULL;
	void *value;

	while (*link && (*link)->prefix.len < prefix->len) {
		parent = link;
		link = &(*link)->child[bit_at(&prefix->addr, (*link)->prefix.len)];
	}
	if (!*link || !prefix_equal(&(*link)->prefix, prefix) || !(*link)->value)
		return NULL;
	value = (*link)->value;
	(*link)->value = NULL;
	prune(link);
	if (parent)
		prune(parent); /* a joint may have lost one of its two */
	l->n--;
	return value;
}

void *lpm_get(const struct lpm *l, const struct prefix *prefix)
{
	struct lpm_node *root = l->root;
	struct lpm_node *n = *find_link(&root, prefix);

	return n && prefix_equal(&n->prefix, prefix) ? n->value : NULL;
}

void *lpm_find(const struct lpm *l, const struct ipaddr *addr, struct prefix *ret_prefix)
{
	const struct lpm_node *best = NULL;

	for (const struct lpm_node *n = l->root; n && prefix_contains(&n->prefix, addr);
	     n = n->prefix.len < 128 ? n->child[bit_at(addr, n->prefix.len)] : NULL)
		if (n->value)
			best = n;
	if (!best)
		return NULL;
	if (ret_prefix)
		*ret_prefix = best->prefix;
	return best->value;
}

static int each(const struct lpm_node *n,
		int (*fn)(const struct prefix *p, void *value, void *data), void *data)
{
	int r = 0;

	if (!n)
		return 0;
	if (n->value)
		r = fn(&n->prefix, n->value, data);
	if (!r)
		r = each(n->child[0], fn, data);
	return r ? r : each(n->child[1], fn, data);
}

int lpm_each(const struct lpm *l, int (*fn)(const struct prefix *p, void *value, void *data),
	     void *data)
{
	return each(l->root, fn, data);
}
