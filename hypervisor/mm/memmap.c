/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Sorted ranges in an array. Everything is built on one operation, memmap_override: cut a hole
 * where the new range goes, put it in, join it with neighbours of its type.
 */
#include "mm/memmap.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"

static hpa_t end_of(const struct memmap_range *range)
{
	return range->base + range->size;
}

static void remove_at(struct memmap *map, uint32_t at)
{
	map->count--;
	memmove(&map->ranges[at], &map->ranges[at + 1], (map->count - at) * sizeof(map->ranges[0]));
}

/* The caller has seen that there is room. */
static void insert_at(struct memmap *map, uint32_t at, struct memmap_range range)
{
	memmove(&map->ranges[at + 1], &map->ranges[at], (map->count - at) * sizeof(map->ranges[0]));
	map->ranges[at] = range;
	map->count++;
}

/* The index of the first range that ends above the address; count if there is none. */
static uint32_t first_above(const struct memmap *map, hpa_t at)
{
	uint32_t i = 0;

	while (i < map->count && end_of(&map->ranges[i]) <= at)
		i++;
	return i;
}

/* Takes [base, end) out of the ranges from index `at` on; returns where a range there belongs. */
static uint32_t cut(struct memmap *map, uint32_t at, hpa_t base, hpa_t end)
{
	struct memmap_range *range = &map->ranges[at];

	if (at < map->count && range->base < base && end_of(range) > end) {
		struct memmap_range tail = {end, end_of(range) - end, range->type};

		insert_at(map, at + 1, tail);
	}
	if (at < map->count && range->base < base) {
		range->size = base - range->base;
		at++;
	}
	while (at < map->count && end_of(&map->ranges[at]) <= end)
		remove_at(map, at);
	if (at < map->count && map->ranges[at].base < end) {
		map->ranges[at].size = end_of(&map->ranges[at]) - end;
		map->ranges[at].base = end;
	}
	return at;
}

/* Joins the range at this index with the one behind it when they touch and are of one type. */
static void join_with_next(struct memmap *map, uint32_t at)
{
	struct memmap_range *range = &map->ranges[at];

	if (at + 1 >= map->count || end_of(range) != range[1].base || range->type != range[1].type)
		return;
	range->size += range[1].size;
	remove_at(map, at + 1);
}

int memmap_override(struct memmap *map, hpa_t base, uint64_t size, enum memmap_type type)
{
	uint32_t at;

	if (size == 0)
		return 0;
	if (base + size < base)
		return -EINVAL;
	/* a split adds a range, and so does what goes in between */
	if (map->count + 2 > MEMMAP_MAX_RANGES)
		return -ENOSPC;
	at = cut(map, first_above(map, base), base, base + size);
	insert_at(map, at, (struct memmap_range){base, size, type});
	join_with_next(map, at);
	if (at > 0)
		join_with_next(map, at - 1);
	return 0;
}

int memmap_add(struct memmap *map, hpa_t base, uint64_t size, enum memmap_type type)
{
	hpa_t end = base + size;
	int error = 0;

	if (end < base)
		return -EINVAL;
	while (base < end && error == 0) {
		const struct memmap_range *range = &map->ranges[first_above(map, base)];
		bool is_hole = range == &map->ranges[map->count] || range->base > base;
		hpa_t stop = end;

		if (range != &map->ranges[map->count])
			stop = MIN(end, is_hole ? range->base : end_of(range));
		if (is_hole || type > range->type)
			error = memmap_override(map, base, stop - base, type);
		base = stop;
	}
	return error;
}

hpa_t memmap_allocate(struct memmap *map, uint64_t size, uint64_t align, hpa_t limit,
		      enum memmap_type type)
{
	uint32_t i;

	for (i = map->count; i > 0 && size > 0; i--) {
		const struct memmap_range *range = &map->ranges[i - 1];
		hpa_t bottom = MAX(range->base, PAGE_SIZE);
		hpa_t top = MIN(end_of(range), limit);
		hpa_t at;

		if (range->type != MEMMAP_RAM || top < size)
			continue;
		at = ALIGN_DOWN(top - size, align);
		if (at < bottom)
			continue;
		return memmap_override(map, at, size, type) == 0 ? at : HPA_INVALID;
	}
	return HPA_INVALID;
}

hpa_t memmap_find_free(const struct memmap *map, uint64_t size, uint64_t align, hpa_t from,
		       hpa_t limit)
{
	uint32_t i;

	for (i = 0; i < map->count; i++) {
		const struct memmap_range *range = &map->ranges[i];
		hpa_t at = ALIGN_UP(MAX(range->base, from), align);
		hpa_t end = MIN(end_of(range), limit);

		if (range->type == MEMMAP_RAM && at >= range->base && at < end && end - at >= size)
			return at;
	}
	return HPA_INVALID;
}

const struct memmap_range *memmap_find(const struct memmap *map, hpa_t at)
{
	const struct memmap_range *range = &map->ranges[first_above(map, at)];

	return range < &map->ranges[map->count] && range->base <= at ? range : NULL;
}

uint64_t memmap_total(const struct memmap *map, enum memmap_type type)
{
	uint64_t total = 0;
	uint32_t i;

	for (i = 0; i < map->count; i++)
		total += map->ranges[i].type == type ? map->ranges[i].size : 0;
	return total;
}

hpa_t memmap_top(const struct memmap *map)
{
	uint32_t i;

	for (i = map->count; i > 0; i--) {
		if (map->ranges[i - 1].type != MEMMAP_RESERVED)
			return end_of(&map->ranges[i - 1]);
	}
	return 0;
}

enum memmap_type memmap_e820_type(enum memmap_type type)
{
	switch (type) {
	case MEMMAP_BOOT_SERVICES:
	case MEMMAP_MODULE:
		return MEMMAP_RAM;
	case MEMMAP_HYPERVISOR:
		return MEMMAP_RESERVED;
	default:
		return type;
	}
}
