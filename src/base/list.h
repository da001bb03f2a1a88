/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An intrusive doubly linked list: 'struct list' is both the head and the link in each element.
 *
 * A head is initialised with list_init(); a link that is in no list is either zeroed or
 * initialised. The list owns nothing and nothing fails.  list_for_each() allows removing (and
 * freeing) the current element, no other.  One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct list {
	struct list *next;
	struct list *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

/* Of a head: has no elements.  Of a link: is in no list. */
static inline bool list_empty(const struct list *l)
{
	return !l->next || l->next == l;
}

static inline void list_insert_between(struct list *l, struct list *prev, struct list *next)
{
	l->prev = prev;
	l->next = next;
	prev->next = l;
	next->prev = l;
}

static inline void list_push_front(struct list *head, struct list *l)
{
	list_insert_between(l, head, head->next);
}

static inline void list_push_back(struct list *head, struct list *l)
{
	list_insert_between(l, head->prev, head);
}

/* Takes 'l' out of the list it is in, if any; it may then be inserted again. */
static inline void list_remove(struct list *l)
{
	if (list_empty(l))
		return;
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

/* Moves all of 'from' to the end of 'to'; 'from' is then empty. */
static inline void list_splice_back(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

static inline struct list *list_first_link(const struct list *head)
{
	return list_empty(head) ? NULL : head->next;
}

static inline struct list *list_last_link(const struct list *head)
{
	return list_empty(head) ? NULL : head->prev;
}

#define list_entry(l, type, member) container_of(l, type, member)

/* The first and the last element, or NULL. */
#define list_first(head, type, member)                                                             \
	({                                                                                         \
		struct list *link_ = list_first_link(head);                                        \
		link_ ? list_entry(link_, type, member) : NULL;                                    \
	})
#define list_last(head, type, member)                                                              \
	({                                                                                         \
		struct list *link_ = list_last_link(head);                                         \
		link_ ? list_entry(link_, type, member) : NULL;                                    \
	})

struct list_iter {
	struct list *current;
	struct list *next;
};

static inline bool list_iter_step(struct list_iter *it, const struct list *head)
{
	it->current = it->next;
	it->next = it->current->next;
	return it->current != head;
}

/* Sets 'entry', a variable of the caller, to each element of 'head' in turn. */
#define list_for_each(entry, head, member)                                                         \
	for (struct list_iter entry##_iter_ = {.next = (head)->next};                              \
	     list_iter_step(&entry##_iter_, (head)) &&                                             \
	     ((entry) = list_entry(entry##_iter_.current, typeof(*(entry)), member), true);)
