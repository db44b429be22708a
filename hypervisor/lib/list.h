/* SPDX-License-Identifier: BSD-3-Clause */
/* Intrusive doubly linked lists. The caller locks. */
#pragma once

#include "lib/util.h"

struct list {
	struct list *next;
	struct list *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_is_empty(const struct list *l)
{
	return l->next == l;
}

/* Inserts item before pos; pos being the head means at the end. */
static inline void list_insert_before(struct list *pos, struct list *item)
{
	item->prev = pos->prev;
	item->next = pos;
	pos->prev->next = item;
	pos->prev = item;
}

/* Removes item and leaves it an empty list of its own, so that removing twice is harmless. */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

#define list_entry(p, type, member) container_of(p, type, member)
#define list_for_each(pos, head) for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)
